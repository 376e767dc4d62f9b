//! Transactions: the machines of RFC 3261 §17 and RFC 6026, forking and reply picking of
//! RFC 3261 §16.7, as Kamailio's `tm` does them. No I/O and no clock: time comes in as
//! milliseconds, what to do goes out as [`Actions`].
//!
//! A request creates a [`Transaction`] in the [`Table`]; the script adds branches; answers find
//! their way back by the branch in the Via. An arrival first steps the machine of its branch
//! (retransmission ends, the ACK goes out) and then waits in the script queue. Whoever holds the
//! [`Ticket`] runs the scripts of each arrival, calls [`Transaction::relay`], and does what that
//! asks for. A transaction needs one timer in the [`Wheel`]: the last [`Action::Wake`].
//!
//! Invariant: the lock of a transaction is held for a step only, never across a script, a
//! suspension or a send. Every transaction ends, and then nothing of it is left in the table.

mod action;
mod branch;
pub mod client_invite;
pub mod client_non_invite;
mod key;
mod pick;
mod proxy;
mod queue;
mod server;
pub mod server_invite;
pub mod server_non_invite;
#[cfg(test)]
mod simulation;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod timer;
mod wheel;

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

pub use action::{Action, Actions, BranchIndex, RouteId};
pub use branch::{Branch, Client};
pub use key::{BranchParam, MAGIC_COOKIE, ServerKey, TransactionId};
pub use queue::{Arrival, Ticket};
pub use state::{Answered, BranchError, Core, MAX_BRANCHES};
pub use table::{Inserted, Table};
pub use timer::{NEVER, Timeouts, Timer};
pub use wheel::{TimerKey, Wheel};

/// What a transaction carries for the layers around it and does not look into.
pub trait Payload {
    /// A received message.
    type Message;
    /// Where a branch goes.
    type Destination;
    /// What scripts keep in the transaction: flags, AVPs.
    type State;
}

/// The routes that scripts have armed. A handler that is run is disarmed first, but for
/// `on_reply` and `on_branch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handlers {
    /// `t_on_failure`.
    pub on_failure: Option<RouteId>,
    /// `t_on_reply`, copied to each branch when it is added.
    pub on_reply: Option<RouteId>,
    /// `t_on_branch`; run by the integration layer between adding and starting a branch.
    pub on_branch: Option<RouteId>,
    /// `t_on_branch_failure`, copied to each branch when it is added.
    pub on_branch_failure: Option<RouteId>,
}

/// What scripts may set in a transaction.
#[derive(Clone, Debug, Default)]
pub struct Settings<S> {
    /// The durations of machines started from now on (`t_set_fr`, `t_set_retr`).
    pub timeouts: Timeouts,
    /// The armed routes.
    pub handlers: Handlers,
    /// A 6xx does not cancel the other branches (`t_set_disable_6xx`).
    pub disable_6xx: bool,
    /// A received 100 is forwarded (`relay_100`).
    pub relay_100: bool,
    /// What scripts keep.
    pub script: S,
}

/// One transaction. It is shared; each method is one step under its lock.
pub struct Transaction<P: Payload> {
    id: TransactionId,
    request: P::Message,
    core: Mutex<Core<P>>,
}

/// What a step that lets something arrive answers.
#[must_use]
pub struct Arrived<P: Payload> {
    /// What to do at once, before any script.
    pub actions: Actions,
    /// Present if the caller is to run the scripts now.
    pub ticket: Option<Ticket<P>>,
    /// The answer just handed over goes before all that the ticket gives: it was not put into the
    /// queue, and the caller has it still.
    pub at_once: bool,
}

impl<P: Payload> Transaction<P> {
    /// A transaction for a received request, see [`Table::insert`]. `reliable` is whether it came
    /// over a reliable transport.
    pub fn new(
        id: TransactionId,
        request: P::Message,
        invite: bool,
        reliable: bool,
        settings: Settings<P::State>,
        now: u64,
    ) -> Self {
        Self {
            id,
            request,
            core: Mutex::new(Core::new(invite, reliable, settings, now)),
        }
    }

    /// Its name in the table, and what its Via branches are made of.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// The request as received.
    pub fn request(&self) -> &P::Message {
        &self.request
    }

    /// Its state, to look at and to set what scripts set. Hold the guard for a moment only, and
    /// not while calling another method.
    pub fn lock(&self) -> MutexGuard<'_, Core<P>> {
        self.core.lock()
    }

    /// Adds a branch, not yet sent; at most `limit` (Kamailio's `max_branches`, 12 by default) and
    /// [`MAX_BRANCHES`]. The request is then built with `self.id().branch_param(branch)`.
    ///
    /// # Errors
    /// See [`BranchError`].
    pub fn add_branch(
        &self,
        destination: P::Destination,
        reliable: bool,
        limit: usize,
    ) -> Result<BranchIndex, BranchError> {
        self.lock().add_branch(destination, reliable, limit)
    }

    /// Starts a branch that was added: sends `request`. A branch never started does not count.
    ///
    /// # Errors
    /// See [`BranchError`]; the request may have been cancelled or answered meanwhile.
    pub fn start(
        &self,
        branch: BranchIndex,
        request: Bytes,
        now: u64,
    ) -> Result<Actions, BranchError> {
        let mut actions = Actions::new();
        let mut core = self.lock();
        core.start_branch(branch, request, now, &mut actions)?;
        core.settle(&mut actions);
        Ok(actions)
    }

    /// The request of a branch just started could not be sent: the branch does not count.
    pub fn give_up(&self, branch: BranchIndex) -> Actions {
        self.step(|core, _| core.give_up(branch))
    }

    /// An answer arrived. One that its branch absorbs goes no further. `keep` is called where it has
    /// to wait for the holder of the ticket, for a copy that can.
    pub fn reply(
        self: &Arc<Self>,
        branch: BranchIndex,
        answered: Answered,
        code: u16,
        keep: impl FnOnce() -> P::Message,
        now: u64,
    ) -> Arrived<P> {
        let mut at_once = false;
        let mut arrived = self.arrive(|core, actions| {
            if !core.receive(branch, answered, code, now, actions) {
                return;
            }
            at_once = core.queue.is_empty() && core.queue.claim();
            if !at_once {
                core.queue.push(Arrival::Reply {
                    branch,
                    code,
                    message: keep(),
                });
            }
        });
        if at_once {
            arrived.at_once = true;
            arrived.ticket = Some(Ticket::new(self));
        }
        arrived
    }

    /// A branch failed without an answer: the transport could not send, or nothing there listens.
    /// It counts as answered with `code`.
    pub fn fail(self: &Arc<Self>, branch: BranchIndex, code: u16) -> Arrived<P> {
        self.arrive(|core, _| {
            if core.fail(branch) {
                core.queue.push(Arrival::Failed { branch, code });
            }
        })
    }

    /// The time asked for by [`Action::Wake`] has come. A wake that another has replaced does
    /// nothing.
    pub fn wake(self: &Arc<Self>, now: u64) -> Arrived<P> {
        self.arrive(|core, actions| core.fire(now, actions))
    }

    /// Takes the right to run scripts if nobody has it. Whoever starts several branches holds it
    /// meanwhile, so that a failure of the first does not conclude before the others are sent,
    /// and then iterates over it to take what has arrived.
    pub fn claim(self: &Arc<Self>) -> Option<Ticket<P>> {
        self.lock().queue.claim().then(|| Ticket::new(self))
    }

    /// Takes an arrival into account after its scripts have run. For an [`Arrival::Failed`]
    /// `message` is absent.
    pub fn relay(
        &self,
        branch: BranchIndex,
        code: u16,
        message: Option<P::Message>,
        now: u64,
    ) -> Actions {
        self.step(|core, actions| core.relay(branch, code, message, now, actions))
    }

    /// The script asked for by [`Action::RunBranchFailure`] has ended.
    pub fn branch_failure_done(&self, now: u64) -> Actions {
        self.step(|core, actions| core.conclude(now, actions))
    }

    /// The script asked for by [`Action::RunFailure`] has ended.
    pub fn failure_done(&self, now: u64) -> Actions {
        self.step(|core, actions| core.failure_done(now, actions))
    }

    /// Sends the answer `buffer` upstream, made by a script or built from a branch's answer. No
    /// [`Action::SendReply`] comes back if the transaction has its final answer already.
    pub fn respond(&self, code: u16, buffer: Bytes, now: u64) -> Actions {
        self.step(|core, actions| {
            core.respond(code, buffer, now, actions);
        })
    }

    /// The request came again.
    pub fn request_again(&self, now: u64) -> Actions {
        self.step(|core, actions| core.request_again(now, actions))
    }

    /// An ACK with the request's branch came. True if it ends here; one for a 2xx goes on.
    pub fn acknowledge(&self, now: u64) -> (bool, Actions) {
        let mut absorbed = false;
        let actions = self.step(|core, _| absorbed = core.acknowledge(now));
        (absorbed, actions)
    }

    /// The sender's CANCEL came. The answer to the CANCEL itself is a transaction of its own.
    /// Without any branch nothing is asked for, and the caller answers 487.
    pub fn cancel(&self) -> Actions {
        self.step(|core, actions| {
            core.cancel(actions);
        })
    }

    /// Cancels the pending branches but `except` (`t_cancel_branches`).
    pub fn cancel_branches(&self, except: Option<BranchIndex>) -> Actions {
        self.step(|core, actions| core.cancel_pending(except, actions))
    }

    /// Cancels one branch if it is pending.
    pub fn cancel_branch(&self, branch: BranchIndex) -> Actions {
        self.step(|core, actions| core.cancel_one(branch, actions))
    }

    /// The CANCEL asked for by [`Action::BuildCancel`] is built.
    pub fn cancel_built(&self, branch: BranchIndex, buffer: Bytes, now: u64) -> Actions {
        self.step(|core, actions| core.cancel_built(branch, buffer, now, actions))
    }

    /// The request's script has ended. Without an answer and without a branch the transaction
    /// absorbs retransmissions for `wt_timer` twice and ends. Call it also to have the first
    /// [`Action::Wake`] of a transaction that only answers.
    pub fn release(&self, now: u64) -> Actions {
        self.step(|core, _| core.release(now))
    }

    /// Ends all at once, for shutdown: only [`Action::Terminated`] comes back.
    pub fn abandon(&self) -> Actions {
        self.step(|core, _| core.abandon())
    }

    fn step(&self, step: impl FnOnce(&mut Core<P>, &mut Actions)) -> Actions {
        let mut actions = Actions::new();
        let mut core = self.lock();
        step(&mut core, &mut actions);
        core.settle(&mut actions);
        actions
    }

    fn arrive(self: &Arc<Self>, step: impl FnOnce(&mut Core<P>, &mut Actions)) -> Arrived<P> {
        let mut actions = Actions::new();
        let mut core = self.lock();
        step(&mut core, &mut actions);
        core.settle(&mut actions);
        let runs = !core.queue.is_empty() && core.queue.claim();
        Arrived {
            actions,
            ticket: runs.then(|| Ticket::new(self)),
            at_once: false,
        }
    }
}
