//! Relaying a request on the branches of its transaction (RFC 3261 §16.6).

use bytes::Bytes;
use kcc_sip::Method;

use crate::abi::status;
use crate::declare::Routes;
use crate::fiber::WaitError;
use crate::proxy::destination::routing_uri;
use crate::proxy::perform::{self, perform};
use crate::proxy::{
    BranchIndex, Creation, ForwardError, NextHop, NextHopError, Transaction, UnmatchedCancel,
    Wishes,
};
use crate::run::{Local, Run};
use crate::transaction::{Action, Actions, BranchError};
use crate::transport::{Destination, Protocol, SendError, SocketId};

/// How often a request may be sent on again that this server sent before and that came back to it,
/// all forks and tries counted (RFC 5393 §3 shows what becomes of it without a limit).
const MOST_COPIES: u32 = 1000;

/// What `t_relay()` and its like are told.
#[derive(Clone, Debug, Default)]
pub struct RelayOptions {
    /// Where to, in place of what the target says.
    pub hop: Option<NextHop>,
    /// The transport, in place of what the target says.
    pub protocol: Option<Protocol>,
    /// Do not answer an INVITE with 100 (flag 0x01).
    pub no_trying: bool,
    /// Do not answer at once when nothing could be sent (flag 0x02), where `delayed_reply` is off;
    /// the end of the script answers in any case, as in Kamailio 5.6.
    pub no_error_reply: bool,
}

/// Why nothing was relayed.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// No destination.
    #[error(transparent)]
    NextHop(#[from] NextHopError),
    /// A branch cannot be added or started.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// Stateless forwarding of an ACK failed.
    #[error(transparent)]
    Forward(ForwardError),
    /// The branch route dropped every branch.
    #[error("no branch is left to send")]
    NoBranch,
    /// The request came back and was sent on again, too often.
    #[error("the request comes back to this server and was sent on {MOST_COPIES} times")]
    TooManyCopies,
    /// A failure route set no new destination.
    #[error("there is no new destination to relay to")]
    NothingNew,
    /// The branch's request was not sent.
    #[error("not sent: {0}")]
    Send(#[from] SendError),
    /// `onsend_route` dropped the branch's request.
    #[error("onsend_route dropped the request")]
    Dropped,
    /// Nothing that can be built.
    #[error("the request cannot be built")]
    Build,
    /// The wait for the host's address ended without it.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// There is no transaction to make.
    #[error("the Request-URI cannot be parsed")]
    BadUri,
    /// The request lacks what identifies a transaction.
    #[error("the request has no usable Via, Call-ID or CSeq")]
    NoTransaction,
}

impl From<ForwardError> for RelayError {
    fn from(error: ForwardError) -> RelayError {
        match error {
            ForwardError::Wait(error) => RelayError::Wait(error),
            error => RelayError::Forward(error),
        }
    }
}

/// The answer to a request that could not be relayed, sent when its script ends without one.
#[derive(Default)]
struct Unanswered(Option<(u16, &'static [u8])>);

impl Local for Unanswered {}

/// Whether the INVITE in hand is answered with 100 (`t_set_auto_inv_100`), where the script says.
#[derive(Default)]
pub struct Trying(pub Option<bool>);

impl Local for Trying {}

impl RelayError {
    /// The code that `t_relay()` returns.
    pub fn code(&self) -> i64 {
        match self {
            RelayError::NextHop(error) => error.code(),
            RelayError::Forward(error) => error.code(),
            RelayError::NoBranch => -6,
            RelayError::BadUri => -400,
            _ => -1,
        }
    }

    /// The request was ready to be sent, and was not.
    fn is_of_sending(&self) -> bool {
        matches!(self, RelayError::Send(_) | RelayError::Dropped)
    }

    /// Status and reason of the answer.
    fn answer(&self) -> (u16, &'static [u8]) {
        match self {
            RelayError::NextHop(NextHopError::NoSocket(..)) => {
                (500, b"I'm terribly sorry, server error occurred (7/TM)")
            }
            RelayError::NextHop(_) => (478, b"Unresolvable destination (478/TM)"),
            RelayError::Send(_) | RelayError::Dropped => (
                477,
                b"Unfortunately error on sending to next hop occurred (477/TM)",
            ),
            RelayError::NoBranch => (500, b"I'm terribly sorry, server error occurred (6/TM)"),
            RelayError::TooManyCopies => (482, b"Loop Detected"),
            _ => (500, b"I'm terribly sorry, server error occurred (1/TM)"),
        }
    }
}

impl Run {
    /// Relays the request in hand, making its transaction where there is none. The answer is the
    /// code of `t_relay()`: 1 relayed, 0 a retransmission that was absorbed. Waits for the
    /// addresses of hosts; a branch route runs on this fiber, and may wait, too.
    ///
    /// # Errors
    /// See [`RelayError`]; when the script ends without an answer, the request is then answered,
    /// unless the options say otherwise. An error of the wait ends the run.
    pub fn relay(&mut self, options: RelayOptions) -> Result<i64, RelayError> {
        let relayed = self.relay_by_method(options);
        if let Err(RelayError::Wait(error)) = relayed {
            self.fail_wait(error);
        }
        relayed
    }

    fn relay_by_method(&mut self, options: RelayOptions) -> Result<i64, RelayError> {
        match self.message.method() {
            Method::Ack => return self.relay_ack(options),
            Method::Cancel => {
                if let Some(invite) = self.lookup_invite() {
                    return Ok(self.cancel(&invite));
                }
                match self.worker().server.proxy.unmatched_cancel {
                    UnmatchedCancel::Stateful => {}
                    UnmatchedCancel::Stateless => {
                        self.forward(options.hop)?;
                        return Ok(1);
                    }
                    UnmatchedCancel::Dropped => return Ok(0),
                }
            }
            _ => {}
        }
        match self.create_transaction() {
            Creation::Ready => {}
            Creation::Retransmission => return Ok(0),
            Creation::NotPossible => return Err(RelayError::NoTransaction),
            Creation::BadUri => return Err(RelayError::BadUri),
        }
        if !options.no_trying {
            self.reply_trying();
        }
        let relayed = self.relay_branches(&options);
        let unanswered = match &relayed {
            Err(error) if self.kind != Routes::FAILURE || error.is_of_sending() => {
                Some(error.answer())
            }
            _ => None,
        };
        self.locals.get::<Unanswered>().0 = unanswered;
        if !self.worker().server.proxy.delayed_reply && !options.no_error_reply {
            self.reply_to_failed_relay();
        }
        relayed.map(|()| 1)
    }

    /// Answers a new INVITE with 100, where that is wanted and nothing was answered before.
    fn reply_trying(&mut self) {
        let worker = self.worker().clone();
        let defaults = &worker.server.proxy;
        let wanted = self.locals.peek::<Trying>().and_then(|trying| trying.0);
        let first = wanted.unwrap_or(defaults.auto_inv_100)
            && self.kind != Routes::FAILURE
            && self
                .transaction
                .as_ref()
                .is_some_and(|transaction| transaction.lock().reply_code() == 0);
        if first && self.message.method() == Method::Invite {
            self.reply_in_transaction(100, &defaults.auto_inv_100_reason);
        }
    }

    /// The script has ended: a request that could not be relayed and was not answered otherwise is
    /// answered now.
    pub(crate) fn reply_to_failed_relay(&mut self) {
        if let Some((code, reason)) = self.locals.get::<Unanswered>().0.take()
            && !self.has_branches()
        {
            self.reply_in_transaction(code, reason);
        }
    }

    /// The failure route has ended: a request that could not be sent on from it is answered now,
    /// where nothing else became of it.
    pub(super) fn reply_to_failed_branches(&mut self) {
        if let Some((code, reason)) = self.locals.get::<Unanswered>().0.take() {
            self.reply_in_transaction(code, reason);
        }
    }

    /// Whether the request in hand was sent on any branch of its transaction.
    pub(crate) fn has_branches(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| {
            let core = transaction.lock();
            core.branches().iter().any(|branch| branch.is_started())
        })
    }

    fn relay_ack(&mut self, options: RelayOptions) -> Result<i64, RelayError> {
        if let Some(invite) = self.lookup_invite() {
            let worker = self.worker().clone();
            let (absorbed, actions) = invite.acknowledge(worker.now());
            perform(&worker, &invite, actions, None);
            if absorbed {
                return Ok(1);
            }
        }
        self.forward(options.hop)?;
        Ok(1)
    }

    fn relay_branches(&mut self, options: &RelayOptions) -> Result<(), RelayError> {
        self.keep_request_state();
        let mut sent = 0;
        let mut failure = None;
        let extra = self.branches.as_slice().len();
        let first = usize::from(!self.target.is_new());
        if first > extra {
            return Err(RelayError::NothingNew);
        }
        let circle = self.first_passed();
        for branch in first..=extra {
            if branch > 0 {
                self.swap_target(branch - 1);
            }
            self.record_route.enter_branch();
            let outcome = match &circle {
                Some(first) if first.lock().count_copy() > MOST_COPIES => {
                    Err(RelayError::TooManyCopies)
                }
                _ => self.relay_branch(options),
            };
            self.record_route.leave_branch();
            match outcome {
                Ok(true) => sent += 1,
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
            if branch > 0 {
                self.swap_target(branch - 1);
            }
        }
        self.branches.clear();
        self.target.consume();
        self.branch = None;
        match (sent, failure) {
            (0, Some(error)) => Err(error),
            (0, None) => Err(RelayError::NoBranch),
            (_, Some(error)) => {
                self.report(&error);
                Ok(())
            }
            (_, None) => Ok(()),
        }
    }

    /// The oldest transaction of this server that the request has passed and that still lives.
    fn first_passed(&self) -> Option<Transaction> {
        let table = self.transactions().table();
        let passed = self
            .message
            .vias()
            .filter_map(|via| table.find_branch(via.branch()?));
        passed.last().map(|(transaction, _)| transaction)
    }

    fn swap_target(&mut self, branch: usize) {
        if let Some(other) = self.branches.as_mut_slice().get_mut(branch) {
            std::mem::swap(&mut self.target, other);
        }
    }

    /// What further branches of failure routes start from.
    fn keep_request_state(&mut self) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        if self.kind == Routes::FAILURE {
            return;
        }
        let mut core = transaction.lock();
        let script = &mut core.settings.script;
        script.force_rport = self.force_rport;
        if let Some(wishes) = self.locals.peek::<Wishes>() {
            (script.reply, script.forward) = (wishes.reply, wishes.forward);
        }
        if self.changed {
            script.changed = Some(Box::new(self.message.detach()));
        }
        script.edits.clone_from(&self.edits);
        script.uri = self.target.uri.get().map(Into::into);
        script.record_route.clone_from(&self.record_route);
    }

    /// Sends the request on one branch; false where the branch route dropped it.
    fn relay_branch(&mut self, options: &RelayOptions) -> Result<bool, RelayError> {
        let Some(transaction) = self.transaction.clone() else {
            return Err(RelayError::NoTransaction);
        };
        self.branch_edits.clear();
        if !self.run_branch_route(&transaction) {
            return Ok(false);
        }
        let mut hop = match &options.hop {
            Some(hop) => hop.clone(),
            None => NextHop::of(routing_uri(&self.target, &self.message))?,
        };
        hop.protocol = options.protocol.or(hop.protocol);
        let forced: Option<SocketId> = self.target.socket;
        let destination = self.link().wait(self.locate(&hop, forced))??;
        let destination = self.fitting(destination);
        self.add_hop_headers(&destination);
        let worker = self.worker().clone();
        let limit = self.program.settings.branch_limit();
        let reliable = destination.protocol.reliable();
        let branch = transaction.add_branch(destination, reliable, limit)?;
        transaction
            .lock()
            .set_branch_flags(branch, self.target.flags);
        let request = worker.with_buffer(|buffer| {
            let param = transaction.id().branch_param(branch);
            worker
                .with_buffer(|text| {
                    use std::io::Write as _;
                    // Writing into a `Vec` does not fail.
                    let _ = write!(text, "{param}");
                    self.build_request(&destination, text, buffer)
                })
                .then(|| Bytes::copy_from_slice(buffer))
        });
        let request = request.ok_or(RelayError::Build)?;
        for action in transaction.start(branch, request, worker.now())? {
            match action {
                Action::SendRequest { branch } => {
                    let sent = self.send_first(&transaction, branch, destination);
                    if let Err(error) = sent {
                        let actions = transaction.give_up(branch);
                        perform(&worker, &transaction, actions, None);
                        return Err(error);
                    }
                }
                other => {
                    perform(&worker, &transaction, Actions::from_iter([other]), None);
                }
            }
        }
        Ok(true)
    }

    /// Sends the request of `branch` for the first time, after `onsend_route`.
    fn send_first(
        &mut self,
        transaction: &Transaction,
        branch: BranchIndex,
        destination: Destination,
    ) -> Result<(), RelayError> {
        if let Some(route) = self.onsend() {
            let core = transaction.lock();
            let request = core.branches().get(usize::from(branch));
            let request = request.map(|branch| branch.request.clone());
            drop(core);
            if !self.run_onsend(route, destination, request.unwrap_or_default()) {
                return Err(RelayError::Dropped);
            }
        }
        perform::send_branch(self.worker(), transaction, branch)?;
        Ok(())
    }

    /// Runs the armed branch route; false where it dropped the branch.
    fn run_branch_route(&mut self, transaction: &Transaction) -> bool {
        let (route, count) = {
            let core = transaction.lock();
            (core.settings.handlers.on_branch, core.branches().len())
        };
        self.branch = u8::try_from(count).ok();
        let Some(route) = route else { return true };
        let outcome = self.enter_within(Routes::BRANCH, route);
        outcome.status != status::DROP
    }
}
