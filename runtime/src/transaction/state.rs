//! The state of one transaction, and the steps of its machines: what arrives, what is sent, what
//! is due.
//!
//! Invariant: after each step every running machine has a deadline not before the wake that was
//! asked for, so a transaction always ends.

use bytes::Bytes;

use super::action::{Action, Actions, BranchIndex, RouteId};
use super::branch::{Branch, Cancel, Client, Output};
use super::client_invite::ClientInvite;
use super::client_non_invite::{self, ClientNonInvite};
use super::queue::{Arrival, Queue};
use super::server::{Answer, Server};
use super::timer::{NEVER, Timeouts};
use super::{Payload, Settings};

/// The most branches that a transaction may have (Kamailio's `max_branches` at its highest).
pub const MAX_BRANCHES: usize = 32;

/// Why a branch cannot be added or started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BranchError {
    /// The limit of branches is reached.
    #[error("the transaction has as many branches as it may")]
    Full,
    /// A final answer of a branch was decided on.
    #[error("the transaction was answered already")]
    Answered,
    /// The request was cancelled.
    #[error("the transaction was cancelled")]
    Cancelled,
    /// The transaction has outlived `max_inv_lifetime` or `max_noninv_lifetime`.
    #[error("the transaction is past its lifetime")]
    Expired,
    /// No branch of that number waits to be started.
    #[error("the branch was not added, or was started before")]
    NotIdle,
}

/// Which request of a branch an answer is for; its CSeq method says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The forwarded request.
    Request,
    /// The CANCEL sent after it.
    Cancel,
}

/// What the failure route was started from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failing {
    /// How many branches there were.
    pub(super) branches: usize,
}

/// The state of a transaction, under its lock.
pub struct Core<P: Payload> {
    /// What scripts set.
    pub settings: Settings<P::State>,
    pub(super) server: Server,
    pub(super) reply: Bytes,
    pub(super) reply_code: u16,
    pub(super) branches: Vec<Branch<P>>,
    /// The status decided to be sent upstream; 0 while open.
    pub(super) decided: u16,
    /// The final answer was made by a script: branches may be added all the same.
    pub(super) answered_here: bool,
    pub(super) cancelled: bool,
    /// How often the request was sent on again after it came back.
    copies: u32,
    pub(super) failing: Option<Failing>,
    /// Where the present leg of serial forking begins.
    pub(super) leg: usize,
    created: u64,
    pub(super) lifetime_at: u64,
    pub(super) wake_at: u64,
    pub(super) terminated: bool,
    pub(crate) queue: Queue<P::Message>,
}

fn lifetime(timeouts: &Timeouts, invite: bool) -> u64 {
    u64::from(if invite {
        timeouts.max_inv_lifetime
    } else {
        timeouts.max_noninv_lifetime
    })
}

impl<P: Payload> Core<P> {
    pub(crate) fn new(
        invite: bool,
        reliable: bool,
        settings: Settings<P::State>,
        now: u64,
    ) -> Self {
        Self {
            created: now,
            lifetime_at: now.saturating_add(lifetime(&settings.timeouts, invite)),
            settings,
            server: Server::start(invite, reliable),
            reply: Bytes::new(),
            reply_code: 0,
            branches: Vec::new(),
            decided: 0,
            answered_here: false,
            cancelled: false,
            copies: 0,
            failing: None,
            leg: 0,
            wake_at: NEVER,
            terminated: false,
            queue: Queue::new(),
        }
    }

    /// The stored answer to the request's sender; empty before the first.
    pub fn reply(&self) -> &Bytes {
        &self.reply
    }

    /// The status last sent upstream, 0 before the first (`$T_reply_code`, `t_check_status`).
    pub fn reply_code(&self) -> u16 {
        self.reply_code
    }

    /// The final status that is being sent or was sent upstream.
    pub fn decided(&self) -> Option<u16> {
        (self.decided != 0).then_some(self.decided)
    }

    /// The branches in the order in which they were added.
    pub fn branches(&self) -> &[Branch<P>] {
        &self.branches
    }

    /// A branch, to set what scripts keep in it.
    pub fn branch_mut(&mut self, branch: BranchIndex) -> Option<&mut Branch<P>> {
        self.branches.get_mut(usize::from(branch))
    }

    /// Sets the durations of what is started from now on, and the lifetime.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) {
        let (old, new) = (&self.settings.timeouts, &timeouts);
        if lifetime(old, self.is_invite()) != lifetime(new, self.is_invite()) {
            self.lifetime_at = self.created.saturating_add(lifetime(new, self.is_invite()));
        }
        self.settings.timeouts = timeouts;
    }

    /// Whether the transaction is past its lifetime at `now` (`t_is_expired`).
    pub fn is_expired(&self, now: u64) -> bool {
        now >= self.lifetime_at
    }

    /// Whether the sender cancelled the request (`t_is_canceled`).
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Whether the request is an INVITE.
    pub fn is_invite(&self) -> bool {
        self.server.is_invite()
    }

    /// Whether all is over.
    pub fn is_terminated(&self) -> bool {
        self.terminated
    }

    pub(crate) fn add_branch(
        &mut self,
        destination: P::Destination,
        reliable: bool,
        limit: usize,
    ) -> Result<BranchIndex, BranchError> {
        self.may_fork()?;
        if self.branches.len() >= limit.min(MAX_BRANCHES) {
            return Err(BranchError::Full);
        }
        if let Some(failing) = self.failing {
            self.leg = failing.branches;
        }
        let handlers = &self.settings.handlers;
        if self.branches.is_empty() {
            // Most transactions have one branch, and live for long.
            self.branches.reserve_exact(1);
        }
        self.branches.push(Branch {
            destination,
            code: 0,
            reply: None,
            request: Bytes::new(),
            cancel_request: Bytes::new(),
            on_reply: handlers.on_reply,
            on_branch_failure: handlers.on_branch_failure,
            received: 0,
            flags: 0,
            answers: 0,
            client: Client::Idle,
            cancel: Cancel::No,
            reliable,
            limit: self.lifetime_at,
        });
        Ok((self.branches.len() - 1) as BranchIndex)
    }

    pub(crate) fn start_branch(
        &mut self,
        index: BranchIndex,
        request: Bytes,
        now: u64,
        actions: &mut Actions,
    ) -> Result<(), BranchError> {
        self.may_fork()?;
        if now >= self.lifetime_at {
            return Err(BranchError::Expired);
        }
        let invite = self.server.is_invite();
        let timeouts = &self.settings.timeouts;
        let branch = self
            .branches
            .get_mut(usize::from(index))
            .filter(|branch| !branch.is_started() && branch.code == 0)
            .ok_or(BranchError::NotIdle)?;
        branch.request = request;
        branch.client = if invite {
            Client::Invite(ClientInvite::start(branch.reliable, now, timeouts))
        } else {
            Client::NonInvite(ClientNonInvite::start(branch.reliable, now, timeouts))
        };
        branch.client.bound(branch.limit);
        actions.push(Action::SendRequest { branch: index });
        Ok(())
    }

    /// Takes back the start of a branch whose request could not be sent: it does not count.
    pub(crate) fn give_up(&mut self, index: BranchIndex) {
        if let Some(branch) = self.branches.get_mut(usize::from(index)) {
            branch.client = Client::Idle;
        }
    }

    fn may_fork(&self) -> Result<(), BranchError> {
        if (self.decided != 0 && !self.answered_here) || self.terminated {
            Err(BranchError::Answered)
        } else if self.cancelled {
            Err(BranchError::Cancelled)
        } else {
            Ok(())
        }
    }

    /// The step of the branch's machine. True if the answer goes to the scripts.
    pub(crate) fn receive(
        &mut self,
        index: BranchIndex,
        answered: Answered,
        code: u16,
        now: u64,
        actions: &mut Actions,
    ) -> bool {
        let timeouts = &self.settings.timeouts;
        let Some(branch) = self.branches.get_mut(usize::from(index)) else {
            return false;
        };
        if answered == Answered::Cancel {
            if let Cancel::Sent(machine) = &mut branch.cancel {
                let event = if code < 200 {
                    client_non_invite::Event::Provisional
                } else {
                    client_non_invite::Event::Final
                };
                machine.on(event, now, timeouts);
            }
            return false;
        }
        // A repeatable answer that finds the queue full is lost as if the network had lost it.
        if code < 300 && self.server.is_invite() && !self.queue.has_room() {
            return false;
        }
        let output = branch.client.on_reply(code, now, timeouts);
        branch.client.bound(branch.limit);
        if branch.is_started() {
            branch.received = code;
            branch.answers = branch.answers.saturating_add(1);
        }
        let cancelled = !matches!(branch.cancel, Cancel::No);
        if code < 200 && matches!(branch.cancel, Cancel::Waiting) && branch.client.is_proceeding() {
            branch.cancel = Cancel::Building;
            actions.push(Action::BuildCancel { branch: index });
        }
        match output {
            Output::AcknowledgeAndDeliver => {
                actions.push(Action::SendAck { branch: index });
                true
            }
            Output::Acknowledge => {
                actions.push(Action::SendAck { branch: index });
                false
            }
            // Whoever cancels has no use for provisional answers.
            Output::Deliver => code >= 200 || (!cancelled && self.queue.has_room()),
            Output::Nothing | Output::Resend | Output::TimedOut => false,
        }
    }

    /// Ends a branch that got no answer. True if that is news for the scripts.
    pub(crate) fn fail(&mut self, index: BranchIndex) -> bool {
        match self.branches.get_mut(usize::from(index)) {
            Some(branch) if branch.client.is_pending() => {
                branch.client.stop();
                true
            }
            _ => false,
        }
    }

    /// Sends an answer upstream; false if the server machine does not take it any more.
    pub(crate) fn respond(
        &mut self,
        code: u16,
        buffer: Bytes,
        now: u64,
        actions: &mut Actions,
    ) -> bool {
        if self.terminated || self.server.answer(code, now, &self.settings.timeouts) != Answer::Send
        {
            return false;
        }
        self.reply = buffer;
        self.reply_code = code;
        actions.push(Action::SendReply);
        if code >= 200 {
            self.answered_here |= self.decided == 0;
            self.decided = code;
            self.settle_branches(now, actions);
        }
        true
    }

    pub(crate) fn cancel_built(
        &mut self,
        index: BranchIndex,
        buffer: Bytes,
        now: u64,
        actions: &mut Actions,
    ) {
        let timeouts = &self.settings.timeouts;
        let Some(branch) = self.branches.get_mut(usize::from(index)) else {
            return;
        };
        if self.terminated || !matches!(branch.cancel, Cancel::Building) {
            return;
        }
        branch.cancel_request = buffer;
        branch.cancel = Cancel::Sent(ClientNonInvite::start(branch.reliable, now, timeouts));
        actions.push(Action::SendCancel { branch: index });
    }

    pub(crate) fn request_again(&mut self, now: u64, actions: &mut Actions) {
        if self.server.request_again(now, &self.settings.timeouts) && !self.reply.is_empty() {
            actions.push(Action::SendReply);
        }
    }

    /// True if the ACK belongs to the transaction, false if it is to be passed on.
    pub(crate) fn acknowledge(&mut self, now: u64) -> bool {
        self.server.acknowledge(now, &self.settings.timeouts)
    }

    /// The request's script has ended: without an answer and without a branch nothing will come.
    pub(crate) fn release(&mut self, now: u64) {
        if self.decided == 0 && !self.branches.iter().any(Branch::is_started) {
            let wait = u64::from(self.settings.timeouts.wt_timer);
            self.lifetime_at = self.lifetime_at.min(now.saturating_add(wait));
        }
    }

    /// Fires what is due at `now`.
    pub(crate) fn fire(&mut self, now: u64, actions: &mut Actions) {
        if now < self.wake_at {
            return;
        }
        self.wake_at = NEVER;
        let timeouts = self.settings.timeouts;
        while let Some(timer) = self.server.due(now) {
            if self.server.on_timer(timer, now, &timeouts) && !self.reply.is_empty() {
                actions.push(Action::SendReply);
            }
        }
        for (index, branch) in (0..).zip(&mut self.branches) {
            let answered = branch.client.is_proceeding();
            while let Some(timer) = branch.client.due(now) {
                match branch.client.on_timer(timer, now, &timeouts) {
                    Output::Resend => actions.push(Action::SendRequest { branch: index }),
                    Output::TimedOut => {
                        if answered && self.server.is_invite() {
                            ask_cancel(index, branch, actions);
                        }
                        self.queue.push(Arrival::Failed {
                            branch: index,
                            code: 408,
                        });
                    }
                    _ => {}
                }
            }
            if let Cancel::Sent(machine) = &mut branch.cancel {
                while let Some(timer) = machine.due(now) {
                    let event = client_non_invite::Event::Timer(timer);
                    if machine.on(event, now, &timeouts) == client_non_invite::Output::Resend {
                        actions.push(Action::SendCancel { branch: index });
                    }
                }
            }
        }
        if self.server.is_open() && now >= self.end_at() && !self.answer_late(now, actions) {
            self.abandon();
        }
    }

    /// Without a final answer by then the transaction is answered with what there is, or dropped.
    /// Branches end at `lifetime_at`; the scripts have `wt_timer` more.
    fn end_at(&self) -> u64 {
        self.lifetime_at
            .saturating_add(u64::from(self.settings.timeouts.wt_timer))
    }

    /// Ends all machines.
    pub(crate) fn abandon(&mut self) {
        self.server.stop();
        for branch in &mut self.branches {
            branch.client.stop();
            branch.cancel = Cancel::No;
        }
        self.queue.clear();
    }

    /// Closes a step: asks for the next wake, or says that all is over.
    pub(crate) fn settle(&mut self, actions: &mut Actions) {
        if self.terminated {
            return;
        }
        let server = if self.server.is_open() {
            self.end_at()
        } else {
            self.server.next_deadline()
        };
        let next = self
            .branches
            .iter()
            .map(Branch::next_deadline)
            .fold(server, u64::min);
        if next == NEVER {
            self.terminated = true;
            self.queue.clear();
            actions.push(Action::Terminated);
        } else if next < self.wake_at {
            self.wake_at = next;
            actions.push(Action::Wake { at: next });
        }
    }

    /// Counts that the request, which had come back to this server, is sent on again; the number
    /// so far.
    pub fn count_copy(&mut self) -> u32 {
        self.copies = self.copies.saturating_add(1);
        self.copies
    }

    /// The branch flags of a branch.
    pub fn branch_flags(&self, branch: BranchIndex) -> u32 {
        let branch = self.branches.get(usize::from(branch));
        branch.map_or(0, |branch| branch.flags)
    }

    /// Sets the branch flags of a branch.
    pub fn set_branch_flags(&mut self, branch: BranchIndex, flags: u32) {
        if let Some(branch) = self.branches.get_mut(usize::from(branch)) {
            branch.flags = flags;
        }
    }

    /// The `onreply_route` armed for a branch.
    pub fn on_reply(&self, branch: BranchIndex) -> Option<RouteId> {
        self.branches.get(usize::from(branch))?.on_reply
    }
}

/// Asks for the CANCEL of a branch, once.
pub(super) fn ask_cancel<P: Payload>(
    index: BranchIndex,
    branch: &mut Branch<P>,
    actions: &mut Actions,
) {
    if matches!(branch.cancel, Cancel::No | Cancel::Waiting) {
        branch.cancel = Cancel::Building;
        actions.push(Action::BuildCancel { branch: index });
    }
}
