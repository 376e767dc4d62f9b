//! What a script sets for the transaction to come, and the defaults of all transactions.

use crate::run::{Local, Run};
use crate::transaction::{Handlers, Timeouts};

/// Parameters of `tm`, provided by that module at the start.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Durations.
    pub timeouts: Timeouts,
    /// Answer 100 to each new INVITE.
    pub auto_inv_100: bool,
    /// With this reason phrase.
    pub auto_inv_100_reason: Vec<u8>,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            timeouts: Timeouts::default(),
            auto_inv_100: true,
            auto_inv_100_reason: b"trying -- your call is important to us".to_vec(),
        }
    }
}

/// What was armed for this message's transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Armed {
    /// Routes.
    pub handlers: Handlers,
    /// `t_set_fr`: `fr_inv_timer` and `fr_timer` in milliseconds, 0 for the default.
    pub fr: (u32, u32),
}

impl Local for Armed {}

impl Armed {
    pub(crate) fn timeouts(&self, defaults: &Defaults) -> Timeouts {
        let mut timeouts = defaults.timeouts;
        self.apply(&mut timeouts);
        timeouts
    }

    fn apply(&self, timeouts: &mut Timeouts) {
        let (fr_inv, fr) = self.fr;
        if fr_inv != 0 {
            timeouts.fr_inv_timer = fr_inv;
        }
        if fr != 0 {
            timeouts.fr_timer = fr;
        }
    }
}

impl Run {
    /// What was armed so far.
    pub fn armed(&self) -> Armed {
        self.locals.peek::<Armed>().copied().unwrap_or_default()
    }

    /// Changes what is armed, for the transaction in hand or the one to come.
    pub fn arm(&mut self, change: impl Fn(&mut Armed)) {
        let armed = self.locals.get::<Armed>();
        change(armed);
        let armed = *armed;
        if let Some(transaction) = &self.transaction {
            let mut core = transaction.lock();
            let mut now = Armed {
                handlers: core.settings.handlers,
                fr: armed.fr,
            };
            change(&mut now);
            core.settings.handlers = now.handlers;
            now.apply(&mut core.settings.timeouts);
        }
    }
}
