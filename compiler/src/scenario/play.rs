//! Plays the steps of a scenario on a stage.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use kcc_sip::Message;
use tokio::time::{Instant, timeout_at};

use super::agent::{self, Agent, Arrived};
use super::check::{self, Unmet};
use super::compose::{self, Outgoing};
use super::journal::{Entry, Journal};
use super::ladder::title;
use super::model::{Action, Pattern, Receive, Scenario, Send, Step, Which};
use super::plan::Plan;
use super::resend::Resends;
use super::stage::{Arrival, Stage};
use super::template::{Names, Template};
use super::{Fault, model};

/// How long a message may take where a step does not say.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a scenario may take, in its own time, where it does not say.
const LIMIT: Duration = Duration::from_secs(600);
/// Messages that a scenario may bring; beyond, something goes round in circles.
const MESSAGES: usize = 100_000;

/// Why a scenario failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The line of the scenario.
    pub line: u32,
    /// What went wrong, in one line.
    pub text: String,
    /// What was wanted and what there was, line by line, with `- ` and `+ ` before them.
    pub diff: Vec<String>,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure {
            line: fault.line,
            text: fault.text,
            diff: Vec::new(),
        }
    }
}

/// Plays `scenario`; what happened goes to `journal`.
///
/// # Errors
/// The first thing that went otherwise.
pub async fn play(
    scenario: &Scenario,
    plan: &Plan,
    stage: &dyn Stage,
    journal: &mut Journal,
) -> Result<(), Failure> {
    let agents = scenario.setup.endpoints.iter().zip(&plan.endpoints);
    let start = Instant::now();
    let mut player = Player {
        scenario,
        plan,
        stage,
        journal,
        agents: agents
            .map(|(endpoint, address)| Agent::new(endpoint, *address))
            .collect(),
        captured: HashMap::new(),
        start,
        mark: start,
        end: start + scenario.setup.limit.unwrap_or(LIMIT),
    };
    for (number, step) in scenario.steps.iter().enumerate() {
        player.step(number, step).await?;
    }
    player.finish().await
}

struct Player<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    stage: &'a dyn Stage,
    journal: &'a mut Journal,
    agents: Vec<Agent>,
    captured: HashMap<String, String>,
    start: Instant,
    /// When the last step happened.
    mark: Instant,
    /// When the scenario's time is over.
    end: Instant,
}

/// What placeholders stand for while a scenario is played.
struct Known<'a> {
    plan: &'a Plan,
    agents: &'a [Agent],
    captured: &'a HashMap<String, String>,
}

impl Names for Known<'_> {
    fn value(&self, name: &str) -> Option<String> {
        if let Some(value) = self.captured.get(name) {
            return Some(value.clone());
        }
        if let Some(value) = self.plan.value(name) {
            return Some(value);
        }
        let (who, what) = name.split_once('.')?;
        let agent = self.agents.iter().find(|agent| agent.name == who)?;
        let call = agent.calls.get(agent.current?)?;
        let tag = |value: &[u8]| {
            let value = String::from_utf8_lossy(value).into_owned();
            let rest = value.split_once(";tag=")?.1.to_owned();
            Some(rest.split(';').next().unwrap_or_default().to_owned())
        };
        let branch = |invite: &agent::Sent| {
            let branch = invite.message.top_via()?.branch()?;
            Some(String::from_utf8_lossy(branch).into_owned())
        };
        match what {
            "call-id" => Some(String::from_utf8_lossy(&call.id).into_owned()),
            "tag" => tag(&call.local),
            "peer-tag" => tag(&call.remote),
            "branch" => branch(call.invite.as_ref()?),
            _ => None,
        }
    }
}

impl Player<'_> {
    fn known(&self) -> Known<'_> {
        Known {
            plan: self.plan,
            agents: &self.agents,
            captured: &self.captured,
        }
    }

    async fn step(&mut self, number: usize, step: &Step) -> Result<(), Failure> {
        let line = step.line;
        match &step.action {
            Action::Send(send) => self.send(number, send, line).await?,
            Action::SendRaw { who, data } => {
                let data = data.expand(&self.known())?;
                self.track_raw(*who, &data);
                let to = self.plan.server;
                self.transmit(
                    *who,
                    Outgoing {
                        data,
                        to,
                        connection: None,
                    },
                    line,
                )
                .await?;
            }
            Action::Reply(reply) => {
                let known = self.names();
                let out = compose::reply(&mut self.agents[reply.who], reply, &known, line)?;
                self.transmit(reply.who, out, line).await?;
            }
            Action::Receive(receive) => self.receive(receive, line).await?,
            Action::Nothing { who, time, at_all } => {
                self.nothing(*who, *time, *at_all, line).await?
            }
            Action::Ignore(who) => {
                for (n, agent) in self.agents.iter_mut().enumerate() {
                    agent.ignoring |= who.is_none_or(|who| who == n);
                }
            }
            Action::Connect(who) => self.stage.connect(*who, self.plan.server),
            Action::Close(who) => self.stage.close(*who),
            Action::Wait(time) => {
                self.pass(self.mark + *time, line).await?;
                self.mark = Instant::now();
            }
            Action::Network(conditions) => self.stage.set_conditions(*conditions),
            Action::Prints(texts) => self.prints(texts, line).await?,
            Action::PrintsNothing => {
                self.pass(Instant::now() + self.stage.settle(), line)
                    .await?;
                if let Some(found) = self.journal.log.take_printed() {
                    let found = String::from_utf8_lossy(found).into_owned();
                    return Err(unmet(
                        line,
                        "the script printed something",
                        "nothing",
                        &found,
                    ));
                }
            }
            Action::Log { pattern, count } => self.log(pattern, *count, line).await?,
            Action::Refuses { .. } => {
                let text = "the server started, but is to refuse the configuration";
                return Err(Fault::new(line, text).into());
            }
            Action::AnyOrder(steps) => self.any_order(steps, line).await?,
        }
        Ok(())
    }

    /// The names as they are now, apart from the endpoints that a step changes.
    fn names(&self) -> HashMap<String, String> {
        let mut names = self.captured.clone();
        let known = self.known();
        for (name, _) in self.plan.everybody() {
            for suffix in [
                "",
                ".ip",
                ".port",
                ".call-id",
                ".tag",
                ".peer-tag",
                ".branch",
            ] {
                let name = format!("{name}{suffix}");
                if let Some(value) = known.value(&name) {
                    names.entry(name).or_insert(value);
                }
            }
        }
        names
    }

    async fn send(&mut self, number: usize, send: &Send, line: u32) -> Result<(), Failure> {
        let names = self.names();
        let acknowledge = self.acknowledges(number, send);
        let agent = &mut self.agents[send.who];
        let out = compose::request(agent, send, self.plan, &names, line, acknowledge)?;
        self.transmit(send.who, out, line).await
    }

    /// Whether no later step of the endpoint sends an ACK before its next INVITE.
    fn acknowledges(&self, number: usize, send: &Send) -> bool {
        let later = self.scenario.steps.iter().skip(number + 1);
        let mut sends = later.filter_map(|step| match &step.action {
            Action::Send(other) if other.who == send.who => Some(other.method.as_str()),
            _ => None,
        });
        sends.find(|method| matches!(*method, "ACK" | "INVITE")) != Some("ACK")
    }

    /// Makes later steps find the call that a raw message begins.
    fn track_raw(&mut self, who: usize, data: &[u8]) {
        let Ok(message) = Message::parse(Bytes::copy_from_slice(data)) else {
            return;
        };
        if !message.is_request() || message.method() == kcc_sip::Method::Ack {
            return;
        }
        let value = |kind| message.value(kind).unwrap_or_default().to_vec();
        let id = message.call_id().unwrap_or_default().to_vec();
        let cseq = message.cseq().map_or(1, |cseq| cseq.number);
        let agent = &mut self.agents[who];
        let found = agent.calls.iter().rposition(|call| call.id == id);
        let number = found.unwrap_or(agent.calls.len());
        if found.is_none() {
            agent.calls.push(agent::Call {
                label: None,
                id,
                method: String::from_utf8_lossy(message.method_name()).into_owned(),
                local: value(kcc_sip::HeaderKind::From),
                remote: value(kcc_sip::HeaderKind::To),
                cseq,
                target: message.request_uri().to_vec(),
                routes: Vec::new(),
                invite: None,
                challenge: None,
            });
        }
        agent.current = Some(number);
        let call = &mut agent.calls[number];
        call.cseq = cseq;
        if message.method() == kcc_sip::Method::Invite {
            let to = self.plan.server;
            call.invite = Some(agent::Sent {
                message,
                to,
                reply: None,
                acknowledge: false,
            });
        }
    }

    async fn transmit(&mut self, who: usize, out: Outgoing, line: u32) -> Result<(), Failure> {
        self.record(who, true, out.to, false, Bytes::copy_from_slice(&out.data));
        let sent = self.stage.send(who, out.to, out.connection, &out.data);
        sent.map_err(|error| Fault::new(line, format!("cannot send: {error}")))?;
        if let Some(resends) = &mut self.agents[who].resends {
            resends.sent(&out.data, out.to);
        }
        self.mark = Instant::now();
        // Whoever is ready acts before the next step.
        tokio::task::yield_now().await;
        Ok(())
    }

    fn record(
        &mut self,
        who: usize,
        sent: bool,
        peer: std::net::SocketAddr,
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
    fn take_arrivals(&mut self) -> Result<(), Failure> {
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
    fn repeat_reply(&mut self, who: usize) -> Option<(Vec<u8>, std::net::SocketAddr)> {
        let agent = self.agents.get_mut(who)?;
        let (resends, arrived) = (agent.resends.as_mut()?, agent.inbox.back()?);
        resends.arrived(arrived.message.as_ref()?, arrived.again)
    }

    fn send_again(&mut self, who: usize, data: Vec<u8>, to: std::net::SocketAddr) {
        self.record(who, true, to, true, Bytes::copy_from_slice(&data));
        // What fails now is sent again later.
        let _ = self.stage.send(who, to, None, &data);
    }

    /// Waits for the next arrival; false when `until` comes first.
    async fn arrival(&mut self, until: Instant, line: u32) -> Result<bool, Failure> {
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
    async fn pass(&mut self, until: Instant, line: u32) -> Result<(), Failure> {
        while self.arrival(until, line).await? {}
        Ok(())
    }

    async fn receive(&mut self, receive: &Receive, line: u32) -> Result<(), Failure> {
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
    fn next(&mut self, receive: &Receive) -> Result<Option<usize>, Failure> {
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

    fn call_id(&self, receive: &Receive) -> Result<Option<Vec<u8>>, Failure> {
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

    fn taken(
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

    fn nothing_came(&self, receive: &Receive, time: Duration, line: u32) -> Failure {
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
    fn last_log(&self) -> Vec<String> {
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

    async fn nothing(
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

    async fn prints(&mut self, texts: &[Template], line: u32) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        for text in texts {
            // The log of a process comes on its own way.
            while !self.journal.log.has_printed() {
                self.take_arrivals()?;
                if self.journal.log.has_printed() {
                    break;
                }
                if Instant::now() >= until || self.stage.ended().is_some() {
                    let wanted = text.to_string();
                    let mut failure = unmet(line, "the script printed less", &wanted, "nothing");
                    failure.diff.extend(self.last_log());
                    return Err(failure);
                }
                self.arrival(Instant::now() + Duration::from_millis(20), line)
                    .await?;
            }
            let found = self.journal.log.take_printed().unwrap_or_default().to_vec();
            if !check::is_text(text, &found, &self.known())? {
                let wanted = String::from_utf8_lossy(&text.expand(&self.known())?).into_owned();
                let found = String::from_utf8_lossy(&found).into_owned();
                return Err(unmet(
                    text.line.max(line),
                    "the script printed something else",
                    &wanted,
                    &found,
                ));
            }
        }
        Ok(())
    }

    async fn log(
        &mut self,
        pattern: &Pattern,
        count: Option<usize>,
        line: u32,
    ) -> Result<(), Failure> {
        let regex = check::compile(pattern, &self.known())?;
        let until = Instant::now() + Duration::from_secs(2);
        loop {
            self.take_arrivals()?;
            let found = self
                .journal
                .log
                .lines()
                .filter(|line| regex.is_match(line))
                .count();
            let over = Instant::now() >= until;
            match count {
                None if found > 0 => return Ok(()),
                Some(count) if found == count && (over || count > 0) => return Ok(()),
                _ if over => {
                    let wanted = match count {
                        None => format!("a line ~ {regex}"),
                        Some(count) => format!("{count} lines ~ {regex}"),
                    };
                    let mut failure = unmet(
                        line,
                        "the log is otherwise",
                        &wanted,
                        &format!("{found} lines"),
                    );
                    failure.diff.extend(self.last_log());
                    return Err(failure);
                }
                _ => {
                    self.arrival(Instant::now() + self.stage.settle(), line)
                        .await?;
                }
            }
        }
    }

    async fn any_order(&mut self, steps: &[Step], line: u32) -> Result<(), Failure> {
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
    async fn finish(&mut self) -> Result<(), Failure> {
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

impl Names for HashMap<String, String> {
    fn value(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }
}

fn unmet(line: u32, text: &str, wanted: &str, found: &str) -> Failure {
    let mut diff: Vec<String> = wanted.lines().map(|line| format!("- {line}")).collect();
    diff.extend(found.lines().map(|line| format!("+ {line}")));
    if found.is_empty() {
        diff.push("+ ".into());
    }
    Failure {
        line,
        text: text.to_owned(),
        diff,
    }
}

fn unmet_checks(first: &Unmet, all: &[Unmet], name: &str, arrived: &Arrived) -> Failure {
    let mut failure = Failure {
        line: first.line,
        text: format!("{name} received {} otherwise", title(&arrived.data)),
        diff: Vec::new(),
    };
    for unmet in all {
        failure
            .diff
            .extend(unmet.wanted.lines().map(|line| format!("- {line}")));
        failure
            .diff
            .extend(unmet.found.lines().map(|line| format!("+ {line}")));
    }
    failure.diff.extend(shown(arrived));
    failure
}

/// The message, indented.
fn shown(arrived: &Arrived) -> Vec<String> {
    let text = String::from_utf8_lossy(&arrived.data);
    text.lines()
        .take(60)
        .map(|line| format!("  | {}", line.escape_debug()))
        .collect()
}
