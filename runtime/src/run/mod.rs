//! A run: one message on its way through the configuration, with all that builtins work on.
//!
//! **Invariant:** a run belongs to one worker and one fiber; it is taken from the worker's pool and
//! given back clean, so that the next message allocates nothing.

mod aside;
mod avps;
mod format;
mod lists;
mod locals;
mod places;
mod report;
mod request;
mod target;
mod xavps;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kcc_sip::Message;

use crate::abi::{Head, Pair, VarSlot, status};
use crate::arena::Arena;
use crate::declare::Routes;
use crate::fiber::Link;
use crate::message::Edits;
use crate::program::{Params, Program};
use crate::proxy::{BranchIndex, RecordRoute, Ticket, Transaction};
use crate::transport::{ConnectionId, Protocol, Received, SocketId};
use crate::value::Val;
use crate::worker::Worker;

pub use aside::Sending;
pub use avps::{AvpName, Avps, Scope};
pub use format::FormatError;
pub use lists::{End, Id, Item, Key, TooMany};
pub use locals::{Local, Locals};
pub(crate) use report::panic_text;
pub use target::{Branches, Slot, Target};
pub use xavps::{Space, Xavps};

/// Bytes of replaced messages that one run may keep.
const MOST_REPLACED: usize = 4 << 20;

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The sender's address.
    pub address: SocketAddr,
    /// The listen socket that it came to.
    pub socket: SocketId,
    /// Its transport.
    pub protocol: Protocol,
    /// The connection that it came on.
    pub connection: Option<ConnectionId>,
}

impl From<&Received> for Source {
    fn from(received: &Received) -> Source {
        Source {
            address: received.source,
            socket: received.socket,
            protocol: received.protocol,
            connection: received.connection,
        }
    }
}

impl Default for Source {
    fn default() -> Source {
        Source {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            socket: SocketId(0),
            protocol: Protocol::Udp,
            connection: None,
        }
    }
}

/// State of one message in its script.
#[repr(C)]
pub struct Run {
    /// What compiled code reads and writes. It stands first.
    pub head: Head,
    /// A builtin panicked or a limit was passed: nothing more is executed.
    pub failed: bool,
    /// What a request whose script failed is answered with.
    pub(crate) fault: u16,
    /// The request was answered or sent on without a transaction.
    pub(crate) settled: bool,
    /// Temporaries of expressions.
    pub scratch: Arena,
    /// The kind of the block that the engine called.
    pub kind: Routes,
    /// The message in hand: a request, or in reply routes a reply.
    pub message: Message,
    /// What was the message before a script replaced it: values may point into it.
    replaced: Vec<Bytes>,
    /// A script replaced the message after it had a transaction.
    pub(crate) changed: bool,
    /// Where it came from.
    pub source: Source,
    /// What the script changed of it; see [`Run::edit`].
    pub edits: Edits,
    /// What a `branch_route` changed for its branch alone.
    pub branch_edits: Edits,
    /// Where the request goes.
    pub target: Target,
    /// Where it goes besides (`append_branch`).
    pub branches: Branches,
    /// `$avp`.
    pub avps: Avps,
    /// `$xavp`, `$xavi`, `$xavu`.
    pub xavps: Xavps,
    /// Answer to the source port, whatever Via says (`force_rport`).
    pub force_rport: bool,
    /// The Record-Route to add when the request is sent.
    pub record_route: RecordRoute,
    /// The transaction of the message, once there is one.
    pub transaction: Option<Transaction>,
    /// The right to run the transaction's scripts, while the request's own script runs.
    pub(crate) ticket: Option<Ticket>,
    /// The branch that a branch or reply route is about.
    pub branch: Option<BranchIndex>,
    /// The reply that a failure route is about.
    pub failure: Option<Failure>,
    /// The message that is being sent, in `onsend_route` and the events of sent messages.
    pub sending: Option<Sending>,
    /// The bytes that arrived, in the event that comes before they are parsed.
    pub arrived: Option<Bytes>,
    /// State of modules.
    pub locals: Locals,
    /// The program that runs.
    pub program: Arc<Program>,
    worker: Option<Rc<Worker>>,
    link: Option<Link>,
    /// Slots of `$var` of a run without a worker; those of a worker are its own.
    _vars: Vec<VarSlot>,
}

/// What a failure route is run for.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Status of the answer that would be forwarded.
    pub code: u16,
    /// The branch that it came on.
    pub branch: BranchIndex,
}

impl Run {
    /// A run of `program` on `worker`; without one (in tests) it has variables of its own and
    /// cannot send.
    pub fn new(program: Arc<Program>, worker: Option<Rc<Worker>>) -> Box<Run> {
        let mut vars: Vec<VarSlot> = match worker {
            Some(_) => Vec::new(),
            None => program.fresh_vars(&[]),
        };
        let head = Head {
            vars: vars.as_mut_ptr(),
            constants: program.constants(),
            rc: 0,
            depth: 0,
            max_depth: u32::try_from(program.settings.max_recursive_level).unwrap_or(256),
            fuel: 0,
            message_flags: 0,
            script_flags: 0,
            place: 0,
            method: 0,
            has_totag: 0,
            stack_limit: 0,
        };
        Box::new(Run {
            head,
            failed: false,
            fault: 500,
            settled: false,
            scratch: Arena::default(),
            kind: Routes::REQUEST,
            message: Message::empty(),
            replaced: Vec::new(),
            changed: false,
            source: Source::default(),
            edits: Edits::new(),
            branch_edits: Edits::new(),
            target: Target::default(),
            branches: Branches::default(),
            avps: Avps::default(),
            xavps: Xavps::default(),
            force_rport: false,
            record_route: RecordRoute::default(),
            transaction: None,
            ticket: None,
            branch: None,
            failure: None,
            sending: None,
            arrived: None,
            locals: Locals::default(),
            program,
            worker,
            link: None,
            _vars: vars,
        })
    }

    /// Forgets the message, so that another of the same fiber can be taken in hand.
    pub(crate) fn reset_for_script(&mut self) {
        let link = self.link;
        self.reset();
        self.link = link;
    }

    /// Forgets the message; keeps buffers.
    pub fn reset(&mut self) {
        self.failed = false;
        (self.fault, self.settled) = (500, false);
        self.scratch.clear();
        self.replaced.clear();
        self.changed = false;
        self.kind = Routes::REQUEST;
        self.edits.clear();
        self.branch_edits.clear();
        self.target.clear();
        self.branches.clear();
        self.avps.clear();
        self.xavps.clear();
        self.force_rport = false;
        self.record_route.clear();
        self.transaction = None;
        self.ticket = None;
        self.branch = None;
        self.failure = None;
        self.sending = None;
        self.arrived = None;
        self.locals.reset();
        self.link = None;
        let head = &mut self.head;
        (head.rc, head.depth, head.place) = (0, 0, 0);
        (head.message_flags, head.script_flags) = (0, 0);
    }

    /// Takes `message` in hand.
    pub fn set_message(&mut self, message: Message, source: Source) {
        self.message = message;
        self.source = source;
        self.look_at_message();
    }

    /// Takes `message` in the place of the one in hand, for the script that runs; false where that
    /// was done too often. The old one stays in memory to the end of the run.
    pub fn replace_message(&mut self, message: Message) -> bool {
        let kept: usize = self.replaced.iter().map(Bytes::len).sum();
        if kept > MOST_REPLACED {
            return false;
        }
        self.replaced.push(self.message.bytes().clone());
        self.message = message;
        self.changed |= self.transaction.is_some();
        self.look_at_message();
        true
    }

    /// Notes in the head what compiled code tests of the message without a call.
    pub fn look_at_message(&mut self) {
        self.head.method = self.message.method().bit();
        self.head.has_totag = u32::from(self.message.to_tag().is_some());
    }

    /// Runs route number `route`.
    pub fn call(&mut self, route: u32) -> Pair {
        match self.program.entry(route) {
            Some(entry) => entry(self).into(),
            None => Pair {
                status: status::ERROR,
                value: -1,
            },
        }
    }

    /// Runs route number `route` as a block of `kind`, as the engine does: from the top.
    pub fn enter(&mut self, kind: Routes, route: u32) -> Pair {
        self.kind = kind;
        self.head.depth = 0;
        self.head.script_flags = 0;
        self.call(route)
    }

    /// The worker.
    ///
    /// # Panics
    /// In a run without one, which only tests make.
    pub fn worker(&self) -> &Rc<Worker> {
        match &self.worker {
            Some(worker) => worker,
            None => panic!("this run has no worker"),
        }
    }

    /// The worker, if the run has one.
    pub fn try_worker(&self) -> Option<&Rc<Worker>> {
        self.worker.as_ref()
    }

    /// The way to suspend this run's fiber.
    ///
    /// # Panics
    /// Outside of a fiber, where nothing can wait.
    pub fn link(&self) -> Link {
        match self.link {
            Some(link) => link,
            None => panic!("a function that waits was called outside of a fiber"),
        }
    }

    /// Sets the fiber that the run is on.
    pub fn set_link(&mut self, link: Link) {
        self.link = Some(link);
        self.head.stack_limit = crate::fiber::script_limit();
    }

    /// The way to suspend this run's fiber, if it is on one.
    pub(crate) fn try_link(&self) -> Option<Link> {
        self.link
    }

    /// Time since 1970: the server's, the system's in a run without one.
    pub fn time_of_day(&self) -> Duration {
        match &self.worker {
            Some(worker) => worker.server.time_of_day(),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    /// A copy of `text` as a value that lives until the statement ends.
    pub fn text(&mut self, text: &[u8]) -> Val {
        self.scratch.copy(text)
    }

    /// The parameters of a module.
    pub fn params<P: Params>(&self) -> &P {
        self.program.params()
    }

    /// The message, and the edits that a builtin called now makes on it: those of the branch in a
    /// `branch_route`, else those of the message.
    pub fn edit(&mut self) -> (&Message, &mut Edits) {
        let own = self.kind == Routes::BRANCH;
        (
            &self.message,
            if own {
                &mut self.branch_edits
            } else {
                &mut self.edits
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Manifest;

    fn message(body: &str) -> Message {
        let text = format!(
            "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\n\r\n{body}"
        );
        Message::parse(Bytes::from(text)).unwrap()
    }

    #[test]
    fn a_value_outlives_the_message_that_it_points_into() {
        let program = Program::load(Manifest::default(), vec![], Box::new(()), &[]).unwrap();
        let mut run = Run::new(Arc::new(program), None);
        run.set_message(message("first"), Source::default());
        let body = run.message.body();
        let value = Val::str(body);
        assert!(run.replace_message(message("second")));
        // SAFETY: the run keeps the message.
        let text = unsafe { value.view() };
        assert_eq!(text, crate::value::Value::Str(b"first"));
        assert!(
            run.replaced[0]
                .as_ptr_range()
                .contains(&(value.data as *const u8))
        );

        let large = message(&"x".repeat(MOST_REPLACED));
        assert!(run.replace_message(large.clone()));
        assert!(run.replace_message(large.clone()));
        assert!(!run.replace_message(large));
        run.reset();
        assert!(run.replaced.is_empty());
    }
}
