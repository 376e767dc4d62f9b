//! Plays the steps of a scenario on a stage.

mod arrivals;
mod output;
mod receive;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use kcc_sip::Message;
use tokio::time::Instant;

use super::Fault;
use super::agent::{self, Agent, Arrived};
use super::check::Unmet;
use super::compose::{self, Outgoing};
use super::journal::Journal;
use super::ladder::title;
use super::model::{Action, Scenario, Send, Step};
use super::plan::Plan;
use super::stage::Stage;
use super::template::Names;

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
                let to = self.plan.server_for(self.agents[*who].protocol);
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
            Action::Connect(who) => {
                let to = self.plan.server_for(self.agents[*who].protocol);
                self.stage.connect(*who, to);
            }
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
            let to = self.plan.server_for(agent.protocol);
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
