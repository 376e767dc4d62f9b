//! The non-INVITE server transaction: RFC 3261 §17.2.2.
//!
//! Invariant: every (state, event) pair has a row in [`ServerNonInvite::on`], and at most one
//! final answer is sent anew.

use super::timer::{Deadlines, Timeouts, Timer};

/// The states of RFC 3261 Figure 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No answer was sent.
    Trying,
    /// A provisional answer was sent.
    Proceeding,
    /// A final answer was sent.
    Completed,
    /// Ended.
    Terminated,
}

/// What may happen to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The request came again.
    Request,
    /// The proxy core sends a 1xx.
    Provisional,
    /// The proxy core sends 200 to 699.
    Final,
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
}

/// One non-INVITE server transaction.
#[derive(Clone, Copy, Debug)]
pub struct ServerNonInvite {
    state: State,
    deadlines: Deadlines,
}

impl ServerNonInvite {
    /// The machine of a request that came.
    pub fn start() -> Self {
        Self {
            state: State::Trying,
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
        self.deadlines.due(now).map(|_| Timer::J)
    }

    /// One step.
    pub fn on(&mut self, event: Event, now: u64, timeouts: &Timeouts) -> Output {
        use Event as E;
        use State as S;
        match (self.state, event) {
            (S::Trying | S::Proceeding, E::Provisional) => {
                self.state = S::Proceeding;
                Output::Send
            }
            (S::Trying | S::Proceeding, E::Final) => {
                self.state = S::Completed;
                self.deadlines.hold(now, timeouts.of(Timer::J));
                Output::Send
            }
            (S::Proceeding | S::Completed, E::Request) => Output::Resend,
            (S::Completed, E::Timer(Timer::J)) => {
                self.stop();
                Output::Nothing
            }
            (S::Trying | S::Terminated, E::Request)
            | (S::Completed | S::Terminated, E::Provisional | E::Final)
            | (_, E::Timer(_)) => Output::Nothing,
        }
    }

    /// Ends the machine: no timer runs any more.
    pub fn stop(&mut self) {
        self.state = State::Terminated;
        self.deadlines = Deadlines::STOPPED;
    }
}

#[cfg(test)]
mod tests {
    use super::{Event as E, Output as O, ServerNonInvite, State as S, Timeouts, Timer as T};

    #[test]
    fn follows_rfc_3261_figure_8() {
        #[rustfmt::skip]
        let table = [
            (S::Trying,     E::Request,     S::Trying,     O::Nothing),
            (S::Trying,     E::Provisional, S::Proceeding, O::Send),
            (S::Trying,     E::Final,       S::Completed,  O::Send),
            (S::Proceeding, E::Request,     S::Proceeding, O::Resend),
            (S::Proceeding, E::Provisional, S::Proceeding, O::Send),
            (S::Proceeding, E::Final,       S::Completed,  O::Send),
            (S::Completed,  E::Request,     S::Completed,  O::Resend),
            (S::Completed,  E::Final,       S::Completed,  O::Nothing),
            (S::Completed,  E::Timer(T::J), S::Terminated, O::Nothing),
            (S::Terminated, E::Request,     S::Terminated, O::Nothing),
        ];
        let t = Timeouts::default();
        for (from, event, to, output) in table {
            let mut m = ServerNonInvite::start();
            match from {
                S::Trying => {}
                S::Proceeding => _ = m.on(E::Provisional, 0, &t),
                S::Completed => _ = m.on(E::Final, 0, &t),
                S::Terminated => m.stop(),
            }
            assert_eq!(
                (m.on(event, 1, &t), m.state()),
                (output, to),
                "{from:?} {event:?}"
            );
        }
    }
}
