//! The server machine of a transaction, whichever of the two it is.
//!
//! Invariant: "open" means that no final answer was sent and nothing ended the machine.

use super::server_invite::{self, ServerInvite};
use super::server_non_invite::{self, ServerNonInvite};
use super::timer::{Timeouts, Timer};

/// The server machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Server {
    Invite(ServerInvite),
    NonInvite(ServerNonInvite),
}

/// Whether the machine takes a new answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Send,
    Refused,
}

impl Server {
    pub(crate) fn start(invite: bool, reliable: bool) -> Self {
        if invite {
            Self::Invite(ServerInvite::start(reliable))
        } else {
            Self::NonInvite(ServerNonInvite::start())
        }
    }

    pub(crate) fn is_invite(&self) -> bool {
        matches!(self, Self::Invite(_))
    }

    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.state() == server_invite::State::Proceeding,
            Self::NonInvite(machine) => matches!(
                machine.state(),
                server_non_invite::State::Trying | server_non_invite::State::Proceeding
            ),
        }
    }

    pub(crate) fn answer(&mut self, code: u16, now: u64, timeouts: &Timeouts) -> Answer {
        let sends = match self {
            Self::Invite(machine) => {
                let event = match code {
                    ..200 => server_invite::Event::Provisional,
                    200..300 => server_invite::Event::Success,
                    300.. => server_invite::Event::Failure,
                };
                machine.on(event, now, timeouts) == server_invite::Output::Send
            }
            Self::NonInvite(machine) => {
                let event = if code < 200 {
                    server_non_invite::Event::Provisional
                } else {
                    server_non_invite::Event::Final
                };
                machine.on(event, now, timeouts) == server_non_invite::Output::Send
            }
        };
        if sends { Answer::Send } else { Answer::Refused }
    }

    /// True if the stored answer goes out again.
    pub(crate) fn request_again(&mut self, now: u64, timeouts: &Timeouts) -> bool {
        match self {
            Self::Invite(machine) => {
                machine.on(server_invite::Event::Request, now, timeouts)
                    == server_invite::Output::Resend
            }
            Self::NonInvite(machine) => {
                machine.on(server_non_invite::Event::Request, now, timeouts)
                    == server_non_invite::Output::Resend
            }
        }
    }

    /// True if the ACK is absorbed, false if it goes on.
    pub(crate) fn acknowledge(&mut self, now: u64, timeouts: &Timeouts) -> bool {
        match self {
            Self::Invite(machine) => {
                machine.on(server_invite::Event::Ack, now, timeouts)
                    != server_invite::Output::PassAck
            }
            Self::NonInvite(_) => false,
        }
    }

    /// True if the stored answer goes out again.
    pub(crate) fn on_timer(&mut self, timer: Timer, now: u64, timeouts: &Timeouts) -> bool {
        match self {
            Self::Invite(machine) => {
                machine.on(server_invite::Event::Timer(timer), now, timeouts)
                    == server_invite::Output::Resend
            }
            Self::NonInvite(machine) => {
                machine.on(server_non_invite::Event::Timer(timer), now, timeouts);
                false
            }
        }
    }

    pub(crate) fn due(&self, now: u64) -> Option<Timer> {
        match self {
            Self::Invite(machine) => machine.due(now),
            Self::NonInvite(machine) => machine.due(now),
        }
    }

    pub(crate) fn next_deadline(&self) -> u64 {
        match self {
            Self::Invite(machine) => machine.next_deadline(),
            Self::NonInvite(machine) => machine.next_deadline(),
        }
    }

    pub(crate) fn stop(&mut self) {
        match self {
            Self::Invite(machine) => machine.stop(),
            Self::NonInvite(machine) => machine.stop(),
        }
    }
}
