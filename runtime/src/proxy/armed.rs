//! What a script sets for the transaction in hand or to come, and the defaults of all transactions.

use crate::run::{Local, Run};
use crate::transaction::{Handlers, Timeouts};

/// Parameters of `tm`, provided by that module at the start.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Durations.
    pub timeouts: Timeouts,
    /// Answer 100 to each new INVITE that is relayed.
    pub auto_inv_100: bool,
    /// With this reason phrase.
    pub auto_inv_100_reason: Vec<u8>,
    /// A 6xx does not cancel the other branches.
    pub disable_6xx: bool,
    /// A received 100 is forwarded.
    pub relay_100: bool,
    /// The status that a branch without an answer in time stands for, 408 where it is not changed.
    pub timeout_code: u16,
    /// Its reason phrase.
    pub timeout_reason: Vec<u8>,
    /// A received 503 goes on as 500 (RFC 3261 §16.7 step 6).
    pub remap_503_500: bool,
    /// Answer a request that could not be relayed at the end of its script, not at once.
    pub delayed_reply: bool,
    /// What becomes of a CANCEL without its INVITE.
    pub unmatched_cancel: UnmatchedCancel,
}

/// What becomes of a CANCEL whose INVITE is not here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnmatchedCancel {
    /// Relayed in a transaction of its own.
    #[default]
    Stateful,
    /// Forwarded without one.
    Stateless,
    /// Dropped.
    Dropped,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            timeouts: Timeouts::default(),
            auto_inv_100: true,
            auto_inv_100_reason: b"trying -- your call is important to us".to_vec(),
            disable_6xx: false,
            relay_100: false,
            timeout_code: 408,
            timeout_reason: b"Request Timeout".to_vec(),
            remap_503_500: true,
            delayed_reply: true,
            unmatched_cancel: UnmatchedCancel::Stateful,
        }
    }
}

/// What is set for a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Armed {
    /// Routes.
    pub handlers: Handlers,
    /// Durations (`t_set_fr`, `t_set_retr`, `t_set_max_lifetime`).
    pub timeouts: Timeouts,
    /// A 6xx does not cancel the other branches (`t_set_disable_6xx`).
    pub disable_6xx: bool,
}

/// What is set before there is a transaction.
#[derive(Default)]
struct Early(Option<Armed>);

impl Local for Early {}

impl Run {
    /// What is set for the transaction in hand or the one to come.
    pub fn armed(&self) -> Armed {
        if let Some(transaction) = &self.transaction {
            let core = transaction.lock();
            return Armed {
                handlers: core.settings.handlers,
                timeouts: core.settings.timeouts,
                disable_6xx: core.settings.disable_6xx,
            };
        }
        let defaults = &self.worker().server.proxy;
        let early = self.locals.peek::<Early>().and_then(|early| early.0);
        early.unwrap_or(Armed {
            handlers: Handlers::default(),
            timeouts: defaults.timeouts,
            disable_6xx: defaults.disable_6xx,
        })
    }

    /// Changes what is set for the transaction in hand or the one to come.
    pub fn arm(&mut self, change: impl FnOnce(&mut Armed)) {
        let mut armed = self.armed();
        change(&mut armed);
        match &self.transaction {
            Some(transaction) => {
                let mut core = transaction.lock();
                core.settings.handlers = armed.handlers;
                core.settings.disable_6xx = armed.disable_6xx;
                core.set_timeouts(armed.timeouts);
            }
            None => self.locals.get::<Early>().0 = Some(armed),
        }
    }
}
