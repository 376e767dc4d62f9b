//! One scenario, on the stages that are asked for.

use std::net::SocketAddr;
use std::sync::Arc;

use kcc_runtime::sim;
use kcc_runtime::transport::Protocol;

use super::{Failed, Options, Stages, Verdict};
use crate::release::Release;
use crate::scenario::compare::{Side, differences};
use crate::scenario::journal::Journal;
use crate::scenario::model::{Action, Scenario};
use crate::scenario::plan::Plan;
use crate::scenario::play::{Failure, play as play_steps};
use crate::scenario::stage::{
    Kamailio, Process, ProcessError, Simulated, Sockets, Stage, StartFailure, compile,
};
use crate::scenario::{Fault, check, ladder};

/// What this server is called in results.
const KCC: &str = "kcc";

/// A scenario that was played.
struct Played {
    plan: Plan,
    journal: Journal,
    connections: Vec<(SocketAddr, String)>,
    result: Result<(), Failure>,
}

/// Plays a scenario, in block `block` of the loopback addresses where it needs sockets: by the rules
/// of each release that is asked for.
pub fn play(scenario: &Scenario, options: &Options, block: u8) -> Verdict {
    let verdict = play_by_all(scenario, options, block);
    let alone = matches!(options.stages, Stages::KamailioAlone(_));
    match (&scenario.setup.pending, verdict) {
        (Some(reason), Verdict::Failed(failed)) if failed.server.starts_with(KCC) => {
            Verdict::Pending(reason.text.clone())
        }
        (Some(reason), Verdict::Passed | Verdict::Differs(_)) if !alone => {
            let fault = Fault::new(reason.line, "it passes: `pending` is to be removed");
            failed(KCC, fault.into(), String::new(), None)
        }
        (_, verdict) => verdict,
    }
}

fn play_by_all(scenario: &Scenario, options: &Options, block: u8) -> Verdict {
    let told = &scenario.setup.compat;
    if let Some(release) = options.release {
        if !told.is_empty() && !told.contains(&release) {
            let names: Vec<&str> = told.iter().map(|release| release.name()).collect();
            return Verdict::Skipped(format!("it is about Kamailio {}", names.join(" and ")));
        }
        return play_as_told(scenario, options, block, release);
    }
    let newest = [Release::default()];
    let releases = if told.is_empty() { &newest[..] } else { told };
    let mut verdict = Verdict::Passed;
    for release in releases {
        verdict = play_as_told(scenario, options, block, *release);
        if matches!(verdict, Verdict::Failed(_)) {
            break;
        }
    }
    verdict
}

fn play_as_told(scenario: &Scenario, options: &Options, block: u8, release: Release) -> Verdict {
    if let (Stages::Real | Stages::RealAndKamailio(_), Some(skipped)) =
        (&options.stages, simulated_only(scenario))
    {
        return skipped;
    }
    let (kcc, kamailio) = match &options.stages {
        Stages::Simulated => (simulated(scenario, options, release), None),
        Stages::Real => (real(scenario, block, Server::Kcc(release)), None),
        Stages::Kamailio(kamailio) => (simulated(scenario, options, release), Some(kamailio)),
        Stages::RealAndKamailio(kamailio) => {
            (real(scenario, block, Server::Kcc(release)), Some(kamailio))
        }
        Stages::KamailioAlone(kamailio) => return alone(scenario, kamailio, block),
    };
    let name = match release == Release::default() {
        true => KCC.to_owned(),
        false => format!("{KCC} --compat {release}"),
    };
    let kcc = match kcc {
        Ok(played) => played,
        Err(fault) => return failed(&name, fault.into(), String::new(), None),
    };
    if let Err(failure) = kcc.result {
        let network = scenario.setup.network != Default::default();
        let seed = network.then(|| seed(scenario, options));
        return failed(&name, failure, ladder::draw(&kcc.journal, &kcc.plan), seed);
    }
    match kamailio {
        None => Verdict::Passed,
        Some(kamailio) => compare(scenario, &kcc, kamailio, block),
    }
}

/// Plays with Kamailio alone.
fn alone(scenario: &Scenario, kamailio: &Kamailio, block: u8) -> Verdict {
    if let Some(skipped) = missing(scenario, kamailio) {
        return skipped;
    }
    let played = match real(scenario, block, Server::Kamailio(kamailio)) {
        Ok(played) => played,
        Err(fault) => return failed(&kamailio.version, fault.into(), String::new(), None),
    };
    match (played.result, &scenario.setup.differs) {
        (Ok(()), _) => Verdict::Passed,
        (Err(_), Some(reason)) => Verdict::Differs(reason.text.clone()),
        (Err(failure), None) => {
            let picture = ladder::draw(&played.journal, &played.plan);
            failed(&kamailio.version, failure, picture, None)
        }
    }
}

/// Why the scenario cannot be played with this Kamailio, where it cannot.
fn missing(scenario: &Scenario, kamailio: &Kamailio) -> Option<Verdict> {
    let needs = &scenario.setup.needs;
    let module = needs.iter().find(|module| !kamailio.has_module(module));
    match module {
        Some(module) => Some(Verdict::Skipped(format!(
            "this Kamailio has no module {module}"
        ))),
        None => simulated_only(scenario),
    }
}

/// Why the scenario cannot be played over sockets, where it cannot.
fn simulated_only(scenario: &Scenario) -> Option<Verdict> {
    let changes = scenario
        .steps
        .iter()
        .any(|step| matches!(step.action, Action::Network(_)));
    let troubled = changes || scenario.setup.network != Default::default();
    troubled.then(|| Verdict::Skipped("its network is a simulated one".into()))
}

/// Plays with Kamailio and compares.
fn compare(scenario: &Scenario, kcc: &Played, kamailio: &Kamailio, block: u8) -> Verdict {
    if let Some(skipped) = missing(scenario, kamailio) {
        return skipped;
    }
    let played = match real(scenario, block, Server::Kamailio(kamailio)) {
        Ok(played) => played,
        Err(fault) => return failed(&kamailio.version, fault.into(), String::new(), None),
    };
    let picture = ladder::draw(&played.journal, &played.plan);
    let failure = match &played.result {
        Err(failure) => Some(failure.clone()),
        Ok(()) => {
            let side = |name, played: &'_ Played| (name, played.plan.clone());
            let ((one, one_plan), (two, two_plan)) = (side("kcc", kcc), side("kamailio", &played));
            let one = Side {
                name: one,
                plan: &one_plan,
                journal: &kcc.journal,
                connections: &kcc.connections,
            };
            let two = Side {
                name: two,
                plan: &two_plan,
                journal: &played.journal,
                connections: &played.connections,
            };
            let diff = differences(&one, &two, &scenario.setup);
            let text = "kcc and Kamailio answer differently".to_owned();
            (!diff.is_empty()).then_some(Failure {
                line: scenario.line,
                text,
                diff,
            })
        }
    };
    match (failure, &scenario.setup.differs) {
        (None, None) => Verdict::Passed,
        (Some(_), Some(reason)) => Verdict::Differs(reason.text.clone()),
        (Some(failure), None) => failed(&kamailio.version, failure, picture, None),
        (None, Some(reason)) => {
            let fault = Fault::new(reason.line, "Kamailio does not differ here");
            failed(&kamailio.version, fault.into(), String::new(), None)
        }
    }
}

fn failed(server: &str, failure: Failure, ladder: String, seed: Option<u64>) -> Verdict {
    let server = server.to_owned();
    Verdict::Failed(Box::new(Failed {
        server,
        failure,
        ladder,
        seed,
    }))
}

fn seed(scenario: &Scenario, options: &Options) -> u64 {
    options.seed.or(scenario.setup.seed).unwrap_or(1)
}

fn protocols(scenario: &Scenario) -> Vec<Protocol> {
    scenario
        .setup
        .endpoints
        .iter()
        .map(|endpoint| endpoint.protocol)
        .collect()
}

fn simulated(scenario: &Scenario, options: &Options, release: Release) -> Result<Played, Fault> {
    let mut plan = Plan::new(scenario, 0)?;
    plan.config.release = release;
    let mut journal = Journal::default();
    let coverage = options.coverage.as_deref();
    let (program, counts) = match compile(&plan.config, options.modules, coverage.is_some()) {
        Ok((program, counts)) => (Arc::new(program), counts),
        Err(failure) => {
            let result = refused(scenario, &failure, true);
            return Ok(Played {
                plan,
                journal,
                connections: Vec::new(),
                result,
            });
        }
    };
    let capture = Simulated::capture(&program);
    let network = sim::Options {
        seed: seed(scenario, options),
        conditions: scenario.setup.network,
    };
    let outcome = sim::run(program.clone(), &network, async |world| {
        let stage = Simulated::new(world, capture, &plan, &protocols(scenario));
        let result = play_steps(scenario, &plan, &stage, &mut journal).await;
        (result, stage.connections())
    });
    if let (Some(coverage), Some(counts)) = (coverage, &counts) {
        coverage.add(&program.manifest, counts);
    }
    let (result, connections) = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let failure = StartFailure {
                text: error.to_string(),
                line: None,
            };
            (refused(scenario, &failure, true), Vec::new())
        }
    };
    Ok(Played {
        plan,
        journal,
        connections,
        result,
    })
}

/// A server that is a process.
#[derive(Clone, Copy)]
enum Server<'a> {
    /// kcc by the rules of a release.
    Kcc(Release),
    /// Kamailio.
    Kamailio(&'a Kamailio),
}

fn real(scenario: &Scenario, block: u8, server: Server<'_>) -> Result<Played, Fault> {
    let mut plan = Plan::new(scenario, block)?;
    let journal = Journal::default();
    if !plan.server.ip().is_loopback() {
        let text = format!(
            "the configuration listens on {}, which is not on loopback: `server udp tcp` replaces its sockets",
            plan.server
        );
        return Err(Fault::new(scenario.line, text));
    }
    let process = match server {
        Server::Kamailio(kamailio) => kamailio.start(&plan),
        Server::Kcc(release) => {
            plan.config.release = release;
            Process::kcc(&plan)
        }
    };
    let process = match process {
        Ok(process) => process,
        Err(ProcessError::Refused(text)) => {
            let failure = StartFailure {
                line: error_line(&text),
                text,
            };
            let result = refused(scenario, &failure, matches!(server, Server::Kcc(_)));
            return Ok(Played {
                plan,
                journal,
                connections: Vec::new(),
                result,
            });
        }
        Err(ProcessError::Failed(text)) => return Err(Fault::new(scenario.line, text)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new(scenario.line, error.to_string()))?;
    runtime.block_on(async {
        let mut journal = journal;
        let stage = Sockets::new(process, &plan, &protocols(scenario));
        let stage = stage.map_err(|text| Fault::new(scenario.line, text))?;
        let result = play_steps(scenario, &plan, &stage, &mut journal).await;
        let connections = stage.connections();
        Ok(Played {
            plan,
            journal,
            connections,
            result,
        })
    })
}

/// The line that Kamailio or kcc names in what it said.
fn error_line(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once(", line ")?;
    rest.split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// The server did not start: what a scenario that wants that says of it.
fn refused(scenario: &Scenario, failure: &StartFailure, is_kcc: bool) -> Result<(), Failure> {
    let said = || {
        failure
            .text
            .lines()
            .take(40)
            .map(|line| format!("  {line}"))
            .collect()
    };
    let wanted = scenario.steps.iter().find_map(|step| match &step.action {
        Action::Refuses { at, says } => Some((step.line, at, says)),
        _ => None,
    });
    let Some((line, at, says)) = wanted else {
        let text = "the server does not start".to_owned();
        return Err(Failure {
            line: scenario.line,
            text,
            diff: said(),
        });
    };
    if let (Some(at), Some(found)) = (at, failure.line)
        && *at != found
    {
        let text = format!("the configuration is refused for line {found}, not {at}");
        return Err(Failure {
            line,
            text,
            diff: said(),
        });
    }
    if is_kcc && let Some(pattern) = says {
        let names = std::collections::HashMap::new();
        let regex = check::compile(pattern, &names)?;
        if !regex.is_match(failure.text.as_bytes()) {
            let text = format!("the configuration is refused, but nothing said matches {regex}");
            return Err(Failure {
                line,
                text,
                diff: said(),
            });
        }
    }
    Ok(())
}
