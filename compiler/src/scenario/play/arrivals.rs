//! What arrives at the endpoints while time passes.

use bytes::Bytes;
use kcc_sip::Message;
use std::net::SocketAddr;
use tokio::time::{Instant, timeout_at};

use super::{Failure, MESSAGES, Player};
use crate::scenario::Fault;
use crate::scenario::agent::Arrived;
use crate::scenario::journal::Entry;
use crate::scenario::resend::Resends;
use crate::scenario::stage::Arrival;

impl Player<'_> {
    pub(super) fn record(
        &mut self,
        who: usize,
        sent: bool,
        peer: SocketAddr,
        again: bool,
        data: Bytes,
    ) {
        let at = self.start.elapsed();
        self.journal.messages.push(Entry {
            at,
            who,
            sent,
            peer,
            again,
            data,
        });
    }

    /// Takes in what has arrived.
    pub(super) fn take_arrivals(&mut self) -> Result<(), Failure> {
        while let Some(arrival) = self.stage.inbox().take() {
            let Arrival {
                who,
                source,
                connection,
                data: Some(data),
            } = arrival
            else {
                continue;
            };
            let message = Message::parse(data.clone()).ok();
            let at = self.start.elapsed();
            let arrived = Arrived {
                at,
                source,
                connection,
                data,
                message,
                again: false,
            };
            let Some(agent) = self.agents.get_mut(who) else {
                continue;
            };
            let owed = agent.arrive(arrived);
            if let Some(arrived) = agent.inbox.back() {
                let (again, data) = (arrived.again, arrived.data.clone());
                self.record(who, false, source, again, data);
            }
            let repeated = self.repeat_reply(who);
            if let Some((reply, to)) = repeated {
                self.send_again(who, reply, to);
            }
            if let Some((ack, to)) = owed {
                self.record(who, true, to, false, Bytes::copy_from_slice(&ack));
                // The reply comes again if it is lost.
                let _ = self.stage.send(who, to, connection, &ack);
            }
            if self.journal.messages.len() > MESSAGES {
                let text =
                    format!("more than {MESSAGES} messages: something goes round in circles");
                return Err(Fault::new(self.scenario.line, text).into());
            }
        }
        self.stage.log(&mut self.journal.log);
        Ok(())
    }

    /// The reply that is sent once more for the request that came last, if it came again.
    pub(super) fn repeat_reply(&mut self, who: usize) -> Option<(Vec<u8>, SocketAddr)> {
        let agent = self.agents.get_mut(who)?;
        let (resends, arrived) = (agent.resends.as_mut()?, agent.inbox.back()?);
        resends.arrived(arrived.message.as_ref()?, arrived.again)
    }

    pub(super) fn send_again(&mut self, who: usize, data: Vec<u8>, to: SocketAddr) {
        self.record(who, true, to, true, Bytes::copy_from_slice(&data));
        // What fails now is sent again later.
        let _ = self.stage.send(who, to, None, &data);
    }

    /// Waits for the next arrival; false when `until` comes first.
    pub(super) async fn arrival(&mut self, until: Instant, line: u32) -> Result<bool, Failure> {
        self.take_arrivals()?;
        if let Some(ended) = self.stage.ended() {
            return Err(Fault::new(line, ended).into());
        }
        let resends = self
            .agents
            .iter()
            .filter_map(|agent| agent.resends.as_ref()?.next())
            .min();
        let due = resends.is_some_and(|at| at < until.min(self.end));
        let until_now = resends.map_or(until, |at| at.min(until)).min(self.end);
        let filled = timeout_at(until_now, self.stage.inbox().filled())
            .await
            .is_ok()
            || due;
        for who in 0..self.agents.len() {
            let due = self.agents[who]
                .resends
                .as_mut()
                .map(Resends::due)
                .unwrap_or_default();
            for (data, to) in due {
                self.send_again(who, data, to);
            }
        }
        self.take_arrivals()?;
        if !filled && until > self.end {
            let limit = self.end - self.start;
            let text = format!(
                "the scenario takes longer than {limit:?} (a line `limit 20min` gives it more)"
            );
            return Err(Fault::new(line, text).into());
        }
        Ok(filled)
    }

    /// Lets time pass.
    pub(super) async fn pass(&mut self, until: Instant, line: u32) -> Result<(), Failure> {
        while self.arrival(until, line).await? {}
        Ok(())
    }
}
