//! One client branch of a transaction: its request, where it goes, its machine, the CANCEL that
//! was sent after it, and what came back.
//!
//! Invariant: `code` is final at most once for each failure, and a 2xx may still follow it.

use bytes::Bytes;

use super::Payload;
use super::action::RouteId;
use super::client_invite::{self, ClientInvite};
use super::client_non_invite::{self, ClientNonInvite};
use super::timer::{NEVER, Timeouts, Timer};

/// The client machine of a branch.
#[derive(Clone, Copy, Debug)]
pub enum Client {
    /// Added, not yet sent, or given up before it was sent.
    Idle,
    /// The branch of an INVITE.
    Invite(ClientInvite),
    /// The branch of any other request.
    NonInvite(ClientNonInvite),
}

/// What a branch's machine asks for, whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Nothing,
    Resend,
    Deliver,
    AcknowledgeAndDeliver,
    Acknowledge,
    TimedOut,
}

impl Client {
    pub(crate) fn on_reply(&mut self, code: u16, now: u64, timeouts: &Timeouts) -> Output {
        match self {
            Self::Idle => Output::Nothing,
            Self::Invite(machine) => {
                let event = match code {
                    ..200 => client_invite::Event::Provisional,
                    200..300 => client_invite::Event::Success,
                    300.. => client_invite::Event::Failure,
                };
                machine.on(event, now, timeouts).into()
            }
            Self::NonInvite(machine) => {
                let event = if code < 200 {
                    client_non_invite::Event::Provisional
                } else {
                    client_non_invite::Event::Final
                };
                machine.on(event, now, timeouts).into()
            }
        }
    }

    pub(crate) fn due(&self, now: u64) -> Option<Timer> {
        match self {
            Self::Idle => None,
            Self::Invite(machine) => machine.due(now),
            Self::NonInvite(machine) => machine.due(now),
        }
    }

    pub(crate) fn on_timer(&mut self, timer: Timer, now: u64, timeouts: &Timeouts) -> Output {
        match self {
            Self::Idle => Output::Nothing,
            Self::Invite(machine) => machine
                .on(client_invite::Event::Timer(timer), now, timeouts)
                .into(),
            Self::NonInvite(machine) => machine
                .on(client_non_invite::Event::Timer(timer), now, timeouts)
                .into(),
        }
    }

    pub(crate) fn next_deadline(&self) -> u64 {
        match self {
            Self::Idle => NEVER,
            Self::Invite(machine) => machine.next_deadline(),
            Self::NonInvite(machine) => machine.next_deadline(),
        }
    }

    pub(crate) fn stop(&mut self) {
        match self {
            Self::Idle => {}
            Self::Invite(machine) => machine.stop(),
            Self::NonInvite(machine) => machine.stop(),
        }
    }

    pub(crate) fn hush(&mut self) {
        match self {
            Self::Idle => {}
            Self::Invite(machine) => machine.hush(),
            Self::NonInvite(machine) => machine.hush(),
        }
    }

    pub(crate) fn bound(&mut self, at: u64) {
        match self {
            Self::Idle => {}
            Self::Invite(machine) => machine.bound(at),
            Self::NonInvite(machine) => machine.bound(at),
        }
    }

    /// Whether no final answer has come and none is given up on.
    pub fn is_pending(&self) -> bool {
        use client_invite::State as I;
        use client_non_invite::State as N;
        match self {
            Self::Idle => false,
            Self::Invite(machine) => matches!(machine.state(), I::Calling | I::Proceeding),
            Self::NonInvite(machine) => matches!(machine.state(), N::Trying | N::Proceeding),
        }
    }

    /// Whether a provisional answer, and nothing more, has come.
    pub fn is_proceeding(&self) -> bool {
        match self {
            Self::Idle => false,
            Self::Invite(machine) => machine.state() == client_invite::State::Proceeding,
            Self::NonInvite(machine) => machine.state() == client_non_invite::State::Proceeding,
        }
    }
}

impl From<client_invite::Output> for Output {
    fn from(output: client_invite::Output) -> Self {
        use client_invite::Output as O;
        match output {
            O::Nothing => Self::Nothing,
            O::Resend => Self::Resend,
            O::Deliver => Self::Deliver,
            O::AcknowledgeAndDeliver => Self::AcknowledgeAndDeliver,
            O::Acknowledge => Self::Acknowledge,
            O::TimedOut | O::Unreachable => Self::TimedOut,
        }
    }
}

impl From<client_non_invite::Output> for Output {
    fn from(output: client_non_invite::Output) -> Self {
        use client_non_invite::Output as O;
        match output {
            O::Nothing => Self::Nothing,
            O::Resend => Self::Resend,
            O::Deliver => Self::Deliver,
            O::TimedOut | O::Unreachable => Self::TimedOut,
        }
    }
}

/// How far the CANCEL of a branch has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cancel {
    /// Not asked for.
    No,
    /// To be sent as soon as a provisional answer comes (RFC 3261 §9.1).
    Waiting,
    /// Its buffer was asked for.
    Building,
    /// Sent.
    Sent(ClientNonInvite),
}

/// One client branch.
pub struct Branch<P: Payload> {
    /// Where its requests go.
    pub destination: P::Destination,
    /// The last status that the scripts have seen of it; 0 before the first. A branch that timed
    /// out has 408 and no [`Branch::reply`].
    pub code: u16,
    /// Its failure answer. Few have one, so that its room is not kept in each.
    pub reply: Option<Box<P::Message>>,
    /// The request as sent; let go of when a 2xx comes, after which it is not sent, cancelled or
    /// acknowledged here.
    pub request: Bytes,
    /// The CANCEL as sent; empty if none was.
    pub cancel_request: Bytes,
    /// `onreply_route` armed for it.
    pub on_reply: Option<RouteId>,
    /// `event_route[tm:branch-failure:…]` armed for it.
    pub on_branch_failure: Option<RouteId>,
    /// The last status received on it, before any script; 0 before the first.
    pub received: u16,
    /// Its branch flags, as the scripts left them.
    pub flags: u32,
    /// How many answers were received on it, repeated ones too.
    pub answers: u32,
    pub(crate) client: Client,
    pub(crate) cancel: Cancel,
    pub(crate) reliable: bool,
    pub(crate) limit: u64,
}

impl<P: Payload> Branch<P> {
    /// Its machine.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether its transport needs no retransmission.
    pub fn is_reliable(&self) -> bool {
        self.reliable
    }

    pub(crate) fn is_started(&self) -> bool {
        !matches!(self.client, Client::Idle)
    }

    pub(crate) fn next_deadline(&self) -> u64 {
        let cancel = match &self.cancel {
            Cancel::Sent(machine) => machine.next_deadline(),
            Cancel::No | Cancel::Waiting | Cancel::Building => NEVER,
        };
        self.client.next_deadline().min(cancel)
    }
}
