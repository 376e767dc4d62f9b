//! The INVITE client transaction: RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §8.4, and
//! timer C of RFC 3261 §16.6 step 11 as its bound on Proceeding.
//!
//! Invariant: every (state, event) pair has a row in [`ClientInvite::on`]. A terminated machine
//! still answers: a late 2xx goes to the proxy core, a late failure gets its ACK.

use super::timer::{Deadlines, Due, Timeouts, Timer};

/// The states of RFC 6026 Figure 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing received.
    Calling,
    /// A provisional answer was received.
    Proceeding,
    /// A failure answer was received and acknowledged.
    Completed,
    /// A 2xx was received; more may come.
    Accepted,
    /// Ended.
    Terminated,
}

/// What may happen to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// 1xx received.
    Provisional,
    /// 2xx received.
    Success,
    /// 300 to 699 received.
    Failure,
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
    /// Send the ACK, and pass the answer to the proxy core.
    AcknowledgeAndDeliver,
    /// Send the ACK again.
    Acknowledge,
    /// Tell the proxy core that timer B or C ran out.
    TimedOut,
    /// Tell the proxy core that the transport failed.
    Unreachable,
}

/// One INVITE client transaction.
#[derive(Clone, Copy, Debug)]
pub struct ClientInvite {
    state: State,
    deadlines: Deadlines,
}

impl ClientInvite {
    /// The machine of a request that is sent at `now`.
    pub fn start(reliable: bool, now: u64, timeouts: &Timeouts) -> Self {
        let mut deadlines = Deadlines::STOPPED;
        deadlines.hold(now, timeouts.of(Timer::B));
        if !reliable {
            deadlines.resend_every(now, timeouts.retr_timer1);
        }
        Self {
            state: State::Calling,
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
            (State::Calling, Due::Resend) => Some(Timer::A),
            (State::Calling, Due::Expire) => Some(Timer::B),
            (State::Proceeding, _) => Some(Timer::C),
            (State::Completed, _) => Some(Timer::D),
            (State::Accepted, _) => Some(Timer::M),
            (State::Terminated, _) => None,
        }
    }

    /// One step.
    pub fn on(&mut self, event: Event, now: u64, timeouts: &Timeouts) -> Output {
        use Event as E;
        use State as S;
        match (self.state, event) {
            (S::Calling, E::Provisional) => {
                self.enter(S::Proceeding, Timer::C, now, timeouts);
                Output::Deliver
            }
            (S::Proceeding, E::Provisional) => {
                if timeouts.restart_fr_on_each_reply {
                    self.deadlines.hold(now, timeouts.of(Timer::C));
                }
                Output::Deliver
            }
            (S::Calling | S::Proceeding, E::Success) => {
                self.enter(S::Accepted, Timer::M, now, timeouts);
                Output::Deliver
            }
            (S::Calling | S::Proceeding, E::Failure) => {
                self.enter(S::Completed, Timer::D, now, timeouts);
                Output::AcknowledgeAndDeliver
            }
            (S::Calling, E::Timer(Timer::A)) => {
                self.deadlines.back_off(now, timeouts.retr_timer2);
                Output::Resend
            }
            (S::Calling, E::Timer(Timer::B)) | (S::Proceeding, E::Timer(Timer::C)) => {
                self.stop();
                Output::TimedOut
            }
            (S::Calling, E::Unreachable) => {
                self.stop();
                Output::Unreachable
            }
            (S::Accepted | S::Completed | S::Terminated, E::Success) => Output::Deliver,
            (S::Completed | S::Terminated, E::Failure) => Output::Acknowledge,
            (S::Completed, E::Timer(Timer::D)) | (S::Accepted, E::Timer(Timer::M)) => {
                self.stop();
                Output::Nothing
            }
            (S::Proceeding | S::Completed | S::Accepted | S::Terminated, E::Unreachable)
            | (S::Completed | S::Accepted | S::Terminated, E::Provisional)
            | (S::Accepted, E::Failure)
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
        if matches!(self.state, State::Calling | State::Proceeding) {
            self.deadlines.bound(at);
        }
    }

    fn enter(&mut self, state: State, timer: Timer, now: u64, timeouts: &Timeouts) {
        self.state = state;
        self.deadlines.hold(now, timeouts.of(timer));
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientInvite, Event as E, Output as O, State as S, Timeouts, Timer as T};

    fn at(state: S) -> ClientInvite {
        let t = Timeouts::default();
        let mut m = ClientInvite::start(false, 0, &t);
        match state {
            S::Calling => {}
            S::Proceeding => _ = m.on(E::Provisional, 0, &t),
            S::Completed => _ = m.on(E::Failure, 0, &t),
            S::Accepted => _ = m.on(E::Success, 0, &t),
            S::Terminated => m.stop(),
        }
        assert_eq!(m.state(), state);
        m
    }

    #[test]
    fn follows_rfc_6026_figure_3() {
        #[rustfmt::skip]
        let table = [
            (S::Calling,    E::Provisional,    S::Proceeding, O::Deliver),
            (S::Calling,    E::Success,        S::Accepted,   O::Deliver),
            (S::Calling,    E::Failure,        S::Completed,  O::AcknowledgeAndDeliver),
            (S::Calling,    E::Timer(T::A),    S::Calling,    O::Resend),
            (S::Calling,    E::Timer(T::B),    S::Terminated, O::TimedOut),
            (S::Calling,    E::Timer(T::C),    S::Calling,    O::Nothing),
            (S::Calling,    E::Unreachable,    S::Terminated, O::Unreachable),
            (S::Proceeding, E::Provisional,    S::Proceeding, O::Deliver),
            (S::Proceeding, E::Success,        S::Accepted,   O::Deliver),
            (S::Proceeding, E::Failure,        S::Completed,  O::AcknowledgeAndDeliver),
            (S::Proceeding, E::Timer(T::A),    S::Proceeding, O::Nothing),
            (S::Proceeding, E::Timer(T::C),    S::Terminated, O::TimedOut),
            (S::Completed,  E::Provisional,    S::Completed,  O::Nothing),
            (S::Completed,  E::Failure,        S::Completed,  O::Acknowledge),
            (S::Completed,  E::Success,        S::Completed,  O::Deliver),
            (S::Completed,  E::Timer(T::D),    S::Terminated, O::Nothing),
            (S::Accepted,   E::Success,        S::Accepted,   O::Deliver),
            (S::Accepted,   E::Failure,        S::Accepted,   O::Nothing),
            (S::Accepted,   E::Provisional,    S::Accepted,   O::Nothing),
            (S::Accepted,   E::Timer(T::M),    S::Terminated, O::Nothing),
            (S::Terminated, E::Success,        S::Terminated, O::Deliver),
            (S::Terminated, E::Failure,        S::Terminated, O::Acknowledge),
            (S::Terminated, E::Provisional,    S::Terminated, O::Nothing),
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
    fn only_unreliable_transports_retransmit() {
        let t = Timeouts::default();
        assert_eq!(
            ClientInvite::start(false, 0, &t).next_deadline(),
            u64::from(t.retr_timer1)
        );
        assert_eq!(
            ClientInvite::start(true, 0, &t).next_deadline(),
            u64::from(t.fr_timer)
        );
    }

    #[test]
    fn a_provisional_answer_ends_retransmission_and_starts_timer_c() {
        let m = at(S::Proceeding);
        assert_eq!(m.due(119_999), None);
        assert_eq!(m.due(120_000), Some(T::C));
    }
}
