//! Timers of a transaction by their RFC names, their durations, and the pair of deadlines that a
//! machine runs on.
//!
//! Names and figures: RFC 3261 §17 and Appendix A, RFC 6026 §8; durations are set by Kamailio's
//! `tm` parameters, named as there. All times are milliseconds on the caller's clock.
//!
//! Invariant: a machine has at most two deadlines, one to send again and one to end its state.

/// A deadline that never comes.
pub const NEVER: u64 = u64::MAX;

/// The timers of RFC 3261 Appendix A and RFC 6026, and the lifetime bound of `tm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// INVITE request retransmission, unreliable transports only.
    A,
    /// INVITE client transaction without any answer (`fr_timer`).
    B,
    /// INVITE branch with a provisional answer only (`fr_inv_timer`), RFC 3261 §16.6 step 11.
    C,
    /// Absorption of repeated failure answers to an INVITE (`wt_timer`).
    D,
    /// Non-INVITE request retransmission, unreliable transports only.
    E,
    /// Non-INVITE client transaction without a final answer (`fr_timer`).
    F,
    /// Retransmission of a failure answer to an INVITE, unreliable transports only.
    G,
    /// Wait for the ACK of a failure answer (`fr_timer`).
    H,
    /// Absorption of repeated ACKs (`wt_timer`).
    I,
    /// Absorption of repeated non-INVITE requests (`wt_timer`).
    J,
    /// Absorption of repeated answers to a non-INVITE request (`wt_timer`).
    K,
    /// Absorption of a repeated INVITE after a 2xx (`wt_timer`), RFC 6026.
    L,
    /// Acceptance of further 2xx answers to an INVITE (`wt_timer`), RFC 6026.
    M,
    /// The bound on a transaction without a final answer (`max_inv_lifetime`,
    /// `max_noninv_lifetime`).
    Lifetime,
}

/// The durations that apply to one transaction, in milliseconds, named as `tm`'s parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Timers B, F and H: no final answer, for an INVITE no answer at all.
    pub fr_timer: u32,
    /// Timer C: no final answer to an INVITE after a provisional one.
    pub fr_inv_timer: u32,
    /// Timers D, I, J, K, L and M: how long an ended transaction absorbs late messages, on
    /// reliable transports too, as Kamailio does.
    pub wt_timer: u32,
    /// Accepted for Kamailio's sake; memory here is freed with its last user and needs no grace.
    pub delete_timer: u32,
    /// T1: the first retransmission interval.
    pub retr_timer1: u32,
    /// T2: the longest retransmission interval; for INVITE requests too, as Kamailio does
    /// (RFC 3261 leaves timer A unbounded).
    pub retr_timer2: u32,
    /// Lifetime of an INVITE transaction without a final answer; bounds B and C.
    pub max_inv_lifetime: u32,
    /// Lifetime of any other transaction without a final answer; bounds F.
    pub max_noninv_lifetime: u32,
    /// Whether each provisional answer starts timer C anew (`restart_fr_on_each_reply`).
    pub restart_fr_on_each_reply: bool,
}

impl Default for Timeouts {
    /// Kamailio's defaults.
    fn default() -> Self {
        Self {
            fr_timer: 30_000,
            fr_inv_timer: 120_000,
            wt_timer: 5_000,
            delete_timer: 200,
            retr_timer1: 500,
            retr_timer2: 4_000,
            max_inv_lifetime: 180_000,
            max_noninv_lifetime: 32_000,
            restart_fr_on_each_reply: true,
        }
    }
}

impl Timeouts {
    /// The duration of `timer` when it is first started, in milliseconds.
    ///
    /// [`Timer::Lifetime`] answers the bound for INVITE transactions.
    pub fn of(&self, timer: Timer) -> u64 {
        u64::from(match timer {
            Timer::A | Timer::E | Timer::G => self.retr_timer1,
            Timer::B | Timer::F | Timer::H => self.fr_timer,
            Timer::C => self.fr_inv_timer,
            Timer::D | Timer::I | Timer::J | Timer::K | Timer::L | Timer::M => self.wt_timer,
            Timer::Lifetime => self.max_inv_lifetime,
        })
    }
}

/// The two deadlines of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines {
    resend: u64,
    expire: u64,
    interval: u32,
}

/// Which of the two deadlines has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send again.
    Resend,
    /// The state ends.
    Expire,
}

impl Deadlines {
    /// No deadline runs.
    pub(crate) const STOPPED: Self = Self {
        resend: NEVER,
        expire: NEVER,
        interval: 0,
    };

    /// Ends retransmission; the state lasts `ms` from `now`.
    pub(crate) fn hold(&mut self, now: u64, ms: u64) {
        self.resend = NEVER;
        self.expire = now.saturating_add(ms);
    }

    /// Ends retransmission; the state lasts as it did.
    pub(crate) fn hush(&mut self) {
        self.resend = NEVER;
    }

    /// Starts retransmission at the interval `ms`; 0 counts as 1.
    pub(crate) fn resend_every(&mut self, now: u64, ms: u32) {
        self.interval = ms.max(1);
        self.resend = now.saturating_add(u64::from(self.interval));
    }

    /// Arms the next retransmission after one was sent: twice the interval, at most `cap`.
    pub(crate) fn back_off(&mut self, now: u64, cap: u32) {
        self.resend_every(now, self.interval.saturating_mul(2).min(cap));
    }

    /// The state lasts until `at` and no longer.
    pub(crate) fn bound(&mut self, at: u64) {
        self.expire = self.expire.min(at);
    }

    /// Whether retransmission runs.
    pub(crate) fn resends(&self) -> bool {
        self.resend != NEVER
    }

    /// The deadline that has come; the end of the state goes first.
    pub(crate) fn due(&self, now: u64) -> Option<Due> {
        if self.expire <= now {
            Some(Due::Expire)
        } else if self.resend <= now {
            Some(Due::Resend)
        } else {
            None
        }
    }

    /// The earlier of the two, or [`NEVER`].
    pub(crate) fn next(&self) -> u64 {
        self.resend.min(self.expire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retransmissions_double_up_to_the_cap() {
        let mut d = Deadlines::STOPPED;
        d.hold(0, 32_000);
        d.resend_every(0, 500);
        let mut sent = Vec::new();
        while let Some(Due::Resend) = d.due(d.next()) {
            let now = d.next();
            sent.push(now);
            d.back_off(now, 4_000);
        }
        assert_eq!(sent[..6], [500, 1_500, 3_500, 7_500, 11_500, 15_500]);
        assert_eq!(d.due(32_000), Some(Due::Expire));
    }

    #[test]
    fn a_zero_interval_still_moves_time_forward() {
        let mut d = Deadlines::STOPPED;
        d.resend_every(7, 0);
        d.back_off(8, 0);
        assert_eq!(d.next(), 9);
    }
}
