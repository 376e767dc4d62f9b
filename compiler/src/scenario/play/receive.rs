//! Steps that want a message, or none.

use std::collections::HashMap;
use std::time::Duration;

use kcc_sip::Message;
use tokio::time::Instant;

use super::{Failure, PATIENCE, Player, shown, unmet, unmet_checks};
use crate::scenario::agent::{self, Arrived};
use crate::scenario::ladder::title;
use crate::scenario::model::{self, Action, Receive, Step, Which};
use crate::scenario::{Fault, check};

impl Player<'_> {
    pub(super) async fn receive(&mut self, receive: &Receive, line: u32) -> Result<(), Failure> {
        let (least, most) = receive.window.unwrap_or((Duration::ZERO, PATIENCE));
        let slack = self.stage.slack();
        let until = self.mark + most + slack;
        loop {
            self.take_arrivals()?;
            if let Some(place) = self.next(receive)? {
                let agent = &mut self.agents[receive.who];
                let Some(arrived) = agent.inbox.remove(place) else {
                    continue;
                };
                return self.taken(receive, arrived, (least, slack), line);
            }
            if !self.arrival(until, line).await? && self.next(receive)?.is_none() {
                return Err(self.nothing_came(receive, most, line));
            }
        }
    }

    /// Where in the inbox the next message is that the step is about.
    pub(super) fn next(&mut self, receive: &Receive) -> Result<Option<usize>, Failure> {
        let wants_trying = matches!(receive.first, model::First::Reply(least, _) if least == 100)
            || matches!(
                receive.first,
                model::First::Reason(100, _) | model::First::Any
            );
        let call = self.call_id(receive)?;
        let agent = &mut self.agents[receive.who];
        if receive.again {
            let place = agent
                .inbox
                .iter()
                .position(|arrived| arrived.again && check::first(receive, arrived));
            return Ok(place);
        }
        if !wants_trying {
            agent.inbox.retain(|arrived| !agent::is_trying(arrived));
        }
        Ok(agent.inbox.iter().position(|arrived| {
            let id = arrived.message.as_ref().and_then(Message::call_id);
            !arrived.again && (call.is_none() || id == call.as_deref())
        }))
    }

    pub(super) fn call_id(&self, receive: &Receive) -> Result<Option<Vec<u8>>, Failure> {
        let agent = &self.agents[receive.who];
        let call = match &receive.call {
            Which::Usual | Which::New => return Ok(None),
            Which::Current => agent.current,
            Which::Named(name) => agent
                .calls
                .iter()
                .rposition(|call| call.label.as_ref() == Some(name)),
        };
        let call = call.and_then(|call| agent.calls.get(call)).ok_or_else(|| {
            Fault::new(
                self.scenario.line,
                format!("{} has no such call", agent.name),
            )
        })?;
        Ok(Some(call.id.clone()))
    }

    pub(super) fn taken(
        &mut self,
        receive: &Receive,
        arrived: Arrived,
        (least, slack): (Duration, Duration),
        line: u32,
    ) -> Result<(), Failure> {
        let name = self.agents[receive.who].name.clone();
        if !check::first(receive, &arrived) {
            let mut failure = unmet(
                line,
                &format!("{name} received another message"),
                &check::first_text(receive),
                &title(&arrived.data),
            );
            failure.diff.extend(shown(&arrived));
            return Err(failure);
        }
        let at = self.start + arrived.at;
        if !least.is_zero() && at + slack < self.mark + least {
            let after = at.saturating_duration_since(self.mark);
            let wanted = format!("{} after {least:?} or more", check::first_text(receive));
            let found = format!("it came after {after:?}");
            return Err(unmet(
                line,
                &format!("{name} received it too early"),
                &wanted,
                &found,
            ));
        }
        let mut captured = HashMap::new();
        let found = check::all(
            &receive.checks,
            &arrived,
            self.plan,
            &self.known(),
            &mut captured,
        )?;
        if let Some(first) = found.first() {
            return Err(unmet_checks(first, &found, &name, &arrived));
        }
        self.captured.extend(captured);
        self.agents[receive.who].take(&arrived, receive.label.as_deref());
        self.mark = at.max(self.mark);
        Ok(())
    }

    pub(super) fn nothing_came(&self, receive: &Receive, time: Duration, line: u32) -> Failure {
        let agent = &self.agents[receive.who];
        let again = if receive.again { " again" } else { "" };
        let wanted = format!("{}{again}", check::first_text(receive));
        let retransmitted = agent.inbox.iter().filter(|arrived| arrived.again).count();
        let found = match retransmitted {
            0 => "nothing".to_owned(),
            n => format!("nothing but {n} retransmissions"),
        };
        let mut failure = unmet(
            line,
            &format!("{} received nothing within {time:?}", agent.name),
            &wanted,
            &found,
        );
        failure.diff.extend(self.last_log());
        failure
    }

    /// The last lines of the log, for a failure that they may explain.
    pub(super) fn last_log(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .journal
            .log
            .lines()
            .rev()
            .take(8)
            .map(|line| format!("  log: {}", String::from_utf8_lossy(line)))
            .collect();
        lines.reverse();
        lines
    }

    pub(super) async fn nothing(
        &mut self,
        who: Option<usize>,
        time: Duration,
        at_all: bool,
        line: u32,
    ) -> Result<(), Failure> {
        // What came again before is not what this is about.
        self.take_arrivals()?;
        for agent in &mut self.agents {
            agent.inbox.retain(|arrived| !arrived.again);
        }
        self.pass(self.mark + time, line).await?;
        self.mark = Instant::now();
        for (n, agent) in self.agents.iter().enumerate() {
            if who.is_some_and(|who| who != n) {
                continue;
            }
            let found = match at_all {
                true => agent.inbox.front(),
                false => agent.inbox.iter().find(|arrived| !arrived.again),
            };
            if let Some(arrived) = found {
                let text = format!("{} received something", agent.name);
                let mut failure = unmet(line, &text, "nothing", &title(&arrived.data));
                failure.diff.extend(shown(arrived));
                return Err(failure);
            }
        }
        Ok(())
    }

    pub(super) async fn any_order(&mut self, steps: &[Step], line: u32) -> Result<(), Failure> {
        let mut pending: Vec<(&Receive, u32)> = steps
            .iter()
            .filter_map(|step| match &step.action {
                Action::Receive(receive) => Some((receive, step.line)),
                _ => None,
            })
            .collect();
        let until = self.mark + PATIENCE + self.stage.slack();
        while !pending.is_empty() {
            self.take_arrivals()?;
            let mut found = None;
            for (n, (receive, _)) in pending.iter().enumerate() {
                let Some(place) = self.next(receive)? else {
                    continue;
                };
                let Some(arrived) = self.agents[receive.who].inbox.get(place) else {
                    continue;
                };
                let checks = &receive.checks;
                let mut captured = HashMap::new();
                let fits = check::first(receive, arrived)
                    && check::all(checks, arrived, self.plan, &self.known(), &mut captured)?
                        .is_empty();
                if fits {
                    found = Some((n, place));
                    break;
                }
            }
            if let Some((n, place)) = found {
                let (receive, line) = pending.remove(n);
                if let Some(arrived) = self.agents[receive.who].inbox.remove(place) {
                    self.taken(receive, arrived, (Duration::ZERO, Duration::ZERO), line)?;
                }
                continue;
            }
            if !self.arrival(until, line).await? {
                let wanted: Vec<_> = pending
                    .iter()
                    .map(|(receive, _)| check::first_text(receive))
                    .collect();
                let unread: Vec<_> = self
                    .agents
                    .iter()
                    .filter_map(|agent| agent.unexpected())
                    .map(|arrived| title(&arrived.data))
                    .collect();
                let found = if unread.is_empty() {
                    "nothing".into()
                } else {
                    unread.join(", ")
                };
                return Err(unmet(
                    line,
                    "not all was received",
                    &wanted.join(", "),
                    &found,
                ));
            }
        }
        Ok(())
    }

    /// The end: nothing may be left that no step expects.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        let line = self
            .scenario
            .steps
            .last()
            .map_or(self.scenario.line, |step| step.line);
        self.pass(Instant::now() + self.stage.settle(), line)
            .await?;
        for agent in &self.agents {
            if let Some(arrived) = agent.unexpected() {
                let text = format!("{} received what no step expects", agent.name);
                let mut failure = unmet(line, &text, "nothing more", &title(&arrived.data));
                failure.diff.extend(shown(arrived));
                return Err(failure);
            }
        }
        Ok(())
    }
}
