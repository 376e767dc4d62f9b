//! The non-INVITE client transaction: RFC 3261 §17.1.2. A CANCEL sent to a branch is one too.
//!
//! Invariant: every (state, event) pair has a row in [`ClientNonInvite::on`], and exactly one
//! final answer is delivered.

use super::timer::{Deadlines, Due, Timeouts, Timer};

/// The states of RFC 3261 Figure 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing received.
    Trying,
    /// A provisional answer was received.
    Proceeding,
    /// A final answer was received.
    Completed,
    /// Ended.
    Terminated,
}

/// What may happen to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// 1xx received.
    Provisional,
    /// 200 to 699 received.
    Final,
    /// One of the machine's timers ran out.
    Timer(Timer),
    /// The transport could not send.
    Unreachable,
}

/// What a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Nothing,
    /// Send the request again.
    Resend,
    /// Pass the answer to the proxy core.
    Deliver,
    /// Tell the proxy core that timer F ran out.
    TimedOut,
    /// Tell the proxy core that the transport failed.
    Unreachable,
}

/// One non-INVITE client transaction.
#[derive(Clone, Copy, Debug)]
pub struct ClientNonInvite {
    state: State,
    deadlines: Deadlines,
}

impl ClientNonInvite {
    /// The machine of a request that is sent at `now`.
    pub fn start(reliable: bool, now: u64, timeouts: &Timeouts) -> Self {
        let mut deadlines = Deadlines::STOPPED;
        deadlines.hold(now, timeouts.of(Timer::F));
        if !reliable {
            deadlines.resend_every(now, timeouts.retr_timer1);
        }
        Self {
            state: State::Trying,
            deadlines,
        }
    }

    /// The present state.
    pub fn state(&self) -> State {
        self.state
    }

    /// When the next timer runs out, [`super::NEVER`] if none runs.
    pub fn next_deadline(&self) -> u64 {
        self.deadlines.next()
    }

    /// The timer that has run out at `now`.
    pub fn due(&self, now: u64) -> Option<Timer> {
        let due = self.deadlines.due(now)?;
        match (self.state, due) {
            (State::Trying | State::Proceeding, Due::Resend) => Some(Timer::E),
            (State::Trying | State::Proceeding, Due::Expire) => Some(Timer::F),
            (State::Completed, _) => Some(Timer::K),
            (State::Terminated, _) => None,
        }
    }

    /// One step.
    pub fn on(&mut self, event: Event, now: u64, timeouts: &Timeouts) -> Output {
        use Event as E;
        use State as S;
        match (self.state, event) {
            (S::Trying, E::Provisional) => {
                self.state = S::Proceeding;
                if self.deadlines.resends() {
                    self.deadlines.resend_every(now, timeouts.retr_timer2);
                }
                Output::Deliver
            }
            (S::Proceeding, E::Provisional) => Output::Deliver,
            (S::Trying | S::Proceeding, E::Final) => {
                self.state = S::Completed;
                self.deadlines.hold(now, timeouts.of(Timer::K));
                Output::Deliver
            }
            (S::Trying, E::Timer(Timer::E)) => {
                self.deadlines.back_off(now, timeouts.retr_timer2);
                Output::Resend
            }
            (S::Proceeding, E::Timer(Timer::E)) => {
                self.deadlines.resend_every(now, timeouts.retr_timer2);
                Output::Resend
            }
            (S::Trying | S::Proceeding, E::Timer(Timer::F)) => {
                self.stop();
                Output::TimedOut
            }
            (S::Trying | S::Proceeding, E::Unreachable) => {
                self.stop();
                Output::Unreachable
            }
            (S::Completed, E::Timer(Timer::K)) => {
                self.stop();
                Output::Nothing
            }
            (S::Completed | S::Terminated, E::Provisional | E::Final | E::Unreachable)
            | (_, E::Timer(_)) => Output::Nothing,
        }
    }

    /// Ends the machine: no timer runs any more.
    pub fn stop(&mut self) {
        self.state = State::Terminated;
        self.deadlines = Deadlines::STOPPED;
    }

    /// Ends retransmission; the timers that end the state run on.
    pub(crate) fn hush(&mut self) {
        self.deadlines.hush();
    }

    /// The state lasts until `at` and no longer; ended states keep theirs.
    pub(crate) fn bound(&mut self, at: u64) {
        if matches!(self.state, State::Trying | State::Proceeding) {
            self.deadlines.bound(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientNonInvite, Event as E, Output as O, State as S, Timeouts, Timer as T};

    fn at(state: S) -> ClientNonInvite {
        let t = Timeouts::default();
        let mut m = ClientNonInvite::start(false, 0, &t);
        match state {
            S::Trying => {}
            S::Proceeding => _ = m.on(E::Provisional, 0, &t),
            S::Completed => _ = m.on(E::Final, 0, &t),
            S::Terminated => m.stop(),
        }
        assert_eq!(m.state(), state);
        m
    }

    #[test]
    fn follows_rfc_3261_figure_6() {
        #[rustfmt::skip]
        let table = [
            (S::Trying,     E::Provisional, S::Proceeding, O::Deliver),
            (S::Trying,     E::Final,       S::Completed,  O::Deliver),
            (S::Trying,     E::Timer(T::E), S::Trying,     O::Resend),
            (S::Trying,     E::Timer(T::F), S::Terminated, O::TimedOut),
            (S::Trying,     E::Unreachable, S::Terminated, O::Unreachable),
            (S::Proceeding, E::Provisional, S::Proceeding, O::Deliver),
            (S::Proceeding, E::Final,       S::Completed,  O::Deliver),
            (S::Proceeding, E::Timer(T::E), S::Proceeding, O::Resend),
            (S::Proceeding, E::Timer(T::F), S::Terminated, O::TimedOut),
            (S::Proceeding, E::Unreachable, S::Terminated, O::Unreachable),
            (S::Completed,  E::Provisional, S::Completed,  O::Nothing),
            (S::Completed,  E::Final,       S::Completed,  O::Nothing),
            (S::Completed,  E::Timer(T::K), S::Terminated, O::Nothing),
            (S::Terminated, E::Final,       S::Terminated, O::Nothing),
        ];
        for (from, event, to, output) in table {
            let mut m = at(from);
            assert_eq!(
                (m.on(event, 1, &Timeouts::default()), m.state()),
                (output, to),
                "{from:?} {event:?}"
            );
        }
    }

    #[test]
    fn in_proceeding_it_retransmits_every_t2_and_keeps_timer_f() {
        let m = at(S::Proceeding);
        assert_eq!(m.next_deadline(), 4_000);
        assert_eq!(m.due(30_000), Some(T::F));
    }
}
