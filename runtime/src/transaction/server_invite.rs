//! The INVITE server transaction: RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §8.1.
//!
//! Two steps go beyond the figures, as Kamailio does: a repeated INVITE in Confirmed or
//! Accepted gets the stored answer again, and a 2xx that comes after a failure was sent is sent too (it ends the
//! retransmission of the failure).
//!
//! Invariant: every (state, event) pair has a row in [`ServerInvite::on`].

use super::timer::{Deadlines, Due, Timeouts, Timer};

/// The states of RFC 6026 Figure 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No final answer was sent.
    Proceeding,
    /// A failure answer was sent and awaits its ACK.
    Completed,
    /// The ACK came.
    Confirmed,
    /// A 2xx was sent.
    Accepted,
    /// Ended.
    Terminated,
}

/// What may happen to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The INVITE came again.
    Request,
    /// An ACK with the INVITE's branch came.
    Ack,
    /// The proxy core sends a 1xx.
    Provisional,
    /// The proxy core sends a 2xx.
    Success,
    /// The proxy core sends 300 to 699.
    Failure,
    /// One of the machine's timers ran out.
    Timer(Timer),
}

/// What a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Nothing,
    /// Send the new answer and store it.
    Send,
    /// Send the stored answer again.
    Resend,
    /// Pass the ACK on: it belongs to a 2xx.
    PassAck,
    /// The ACK never came.
    TimedOut,
}

/// One INVITE server transaction.
#[derive(Clone, Copy, Debug)]
pub struct ServerInvite {
    state: State,
    reliable: bool,
    deadlines: Deadlines,
}

impl ServerInvite {
    /// The machine of an INVITE that came over a `reliable` transport or not.
    pub fn start(reliable: bool) -> Self {
        Self {
            state: State::Proceeding,
            reliable,
            deadlines: Deadlines::STOPPED,
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
            (State::Completed, Due::Resend) => Some(Timer::G),
            (State::Completed, Due::Expire) => Some(Timer::H),
            (State::Confirmed, _) => Some(Timer::I),
            (State::Accepted, _) => Some(Timer::L),
            (State::Proceeding | State::Terminated, _) => None,
        }
    }

    /// One step.
    pub fn on(&mut self, event: Event, now: u64, timeouts: &Timeouts) -> Output {
        use Event as E;
        use State as S;
        match (self.state, event) {
            (S::Proceeding, E::Provisional) => Output::Send,
            (S::Proceeding | S::Completed, E::Success) => {
                self.enter(S::Accepted, Timer::L, now, timeouts);
                Output::Send
            }
            (S::Proceeding, E::Failure) => {
                self.enter(S::Completed, Timer::H, now, timeouts);
                if !self.reliable {
                    self.deadlines.resend_every(now, timeouts.retr_timer1);
                }
                Output::Send
            }
            (S::Proceeding | S::Completed | S::Confirmed | S::Accepted, E::Request) => {
                Output::Resend
            }
            (S::Completed, E::Timer(Timer::G)) => {
                self.deadlines.back_off(now, timeouts.retr_timer2);
                Output::Resend
            }
            (S::Completed, E::Timer(Timer::H)) => {
                self.stop();
                Output::TimedOut
            }
            (S::Completed, E::Ack) => {
                self.enter(S::Confirmed, Timer::I, now, timeouts);
                Output::Nothing
            }
            (S::Confirmed | S::Accepted, E::Success) => Output::Send,
            (S::Accepted, E::Ack) => Output::PassAck,
            (S::Confirmed, E::Timer(Timer::I)) | (S::Accepted, E::Timer(Timer::L)) => {
                self.stop();
                Output::Nothing
            }
            (S::Proceeding | S::Confirmed | S::Terminated, E::Ack)
            | (S::Completed | S::Confirmed | S::Accepted, E::Provisional | E::Failure)
            | (S::Terminated, E::Request | E::Provisional | E::Success | E::Failure)
            | (_, E::Timer(_)) => Output::Nothing,
        }
    }

    /// Ends the machine: no timer runs any more.
    pub fn stop(&mut self) {
        self.state = State::Terminated;
        self.deadlines = Deadlines::STOPPED;
    }

    fn enter(&mut self, state: State, timer: Timer, now: u64, timeouts: &Timeouts) {
        self.state = state;
        self.deadlines.hold(now, timeouts.of(timer));
    }
}

#[cfg(test)]
mod tests {
    use super::{Event as E, Output as O, ServerInvite, State as S, Timeouts, Timer as T};

    fn at(state: S) -> ServerInvite {
        let t = Timeouts::default();
        let mut m = ServerInvite::start(false);
        match state {
            S::Proceeding => {}
            S::Completed => _ = m.on(E::Failure, 0, &t),
            S::Confirmed => {
                m.on(E::Failure, 0, &t);
                m.on(E::Ack, 0, &t);
            }
            S::Accepted => _ = m.on(E::Success, 0, &t),
            S::Terminated => m.stop(),
        }
        assert_eq!(m.state(), state);
        m
    }

    #[test]
    fn follows_rfc_6026_figure_5() {
        #[rustfmt::skip]
        let table = [
            (S::Proceeding, E::Request,     S::Proceeding, O::Resend),
            (S::Proceeding, E::Ack,         S::Proceeding, O::Nothing),
            (S::Proceeding, E::Provisional, S::Proceeding, O::Send),
            (S::Proceeding, E::Success,     S::Accepted,   O::Send),
            (S::Proceeding, E::Failure,     S::Completed,  O::Send),
            (S::Completed,  E::Request,     S::Completed,  O::Resend),
            (S::Completed,  E::Ack,         S::Confirmed,  O::Nothing),
            (S::Completed,  E::Failure,     S::Completed,  O::Nothing),
            (S::Completed,  E::Success,     S::Accepted,   O::Send),
            (S::Completed,  E::Timer(T::G), S::Completed,  O::Resend),
            (S::Completed,  E::Timer(T::H), S::Terminated, O::TimedOut),
            (S::Confirmed,  E::Ack,         S::Confirmed,  O::Nothing),
            (S::Confirmed,  E::Request,     S::Confirmed,  O::Resend),
            (S::Confirmed,  E::Timer(T::I), S::Terminated, O::Nothing),
            (S::Accepted,   E::Request,     S::Accepted,   O::Resend),
            (S::Accepted,   E::Ack,         S::Accepted,   O::PassAck),
            (S::Accepted,   E::Success,     S::Accepted,   O::Send),
            (S::Accepted,   E::Failure,     S::Accepted,   O::Nothing),
            (S::Accepted,   E::Timer(T::L), S::Terminated, O::Nothing),
            (S::Terminated, E::Success,     S::Terminated, O::Nothing),
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
    fn a_failure_on_a_reliable_transport_is_not_repeated() {
        let mut m = ServerInvite::start(true);
        m.on(E::Failure, 0, &Timeouts::default());
        assert_eq!(m.next_deadline(), 30_000);
        assert_eq!(at(S::Completed).next_deadline(), 500);
    }
}
