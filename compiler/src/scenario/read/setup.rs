//! Statements that set up a scenario.

use std::time::Duration;

use kcc_runtime::transport::{Conditions, Protocol};

use super::lines::Words;
use super::{Statement, unquote};
use crate::release::Release;
use crate::scenario::Fault;
use crate::scenario::model::{Config, Endpoint, Reason, Setup};
use crate::scenario::template::Template;

/// Names that an endpoint cannot have: they begin statements or stand for something else.
const TAKEN: &[&str] = &[
    "after",
    "compat",
    "config",
    "define",
    "differs",
    "end",
    "endpoint",
    "environment",
    "everyone",
    "file",
    "ignore",
    "in",
    "limit",
    "log",
    "message",
    "needs",
    "network",
    "nobody",
    "not",
    "prints",
    "scenario",
    "server",
];

/// Whether the statement sets something up. `network` may stand between steps, too.
pub fn is_setup(mut words: Words<'_>, in_steps: bool) -> bool {
    match words.word() {
        Some(
            "compat" | "config" | "define" | "endpoint" | "environment" | "file" | "needs"
            | "differs" | "limit" | "message" | "not" | "pending:",
        ) => true,
        Some("network") => !in_steps,
        Some("server") => !matches!(words.peek(), Some("refuses" | "starts")),
        _ => false,
    }
}

/// Reads a statement into `setup`.
pub fn read(
    mut words: Words<'_>,
    statement: &Statement<'_>,
    setup: &mut Setup,
) -> Result<(), Fault> {
    let line = statement.line.number;
    let word = words.word().unwrap_or_default();
    if word == "config" {
        setup.config.push(config(&mut words, statement)?);
        return words.end();
    }
    if matches!(word, "file" | "message") {
        let name = words.need("a name")?.to_owned();
        words.end()?;
        let Some(block) = &statement.line.block else {
            return Err(Fault::new(line, format!("`{word} {name} <<<` is meant?")));
        };
        if let Some(child) = statement.children.first() {
            return Err(Fault::new(
                child.number,
                "the text stands between `<<<` and `>>>`",
            ));
        }
        if word == "file" {
            let text: String = block
                .outdented()
                .iter()
                .map(|line| format!("{line}\n"))
                .collect();
            setup.files.push((name, text.into_bytes()));
        } else {
            let text = Template::parse(block.first, block.message().as_bytes());
            setup.messages.push((name, text));
        }
        return Ok(());
    }
    statement.alone()?;
    match word {
        "define" => {
            if words.is_empty() {
                return Err(Fault::new(
                    line,
                    "`define NAME` or `define NAME=value` is meant?",
                ));
            }
            setup.defines.push(words.rest().to_owned());
            return Ok(());
        }
        "environment" => {
            let Some((name, value)) = words.rest().split_once('=') else {
                return Err(Fault::new(line, "`environment NAME=value` is meant?"));
            };
            setup
                .environment
                .push((name.trim().to_owned(), value.trim().to_owned()));
            return Ok(());
        }
        "server" => {
            while let Some(address) = words.word() {
                setup.server.push(address.to_owned());
            }
        }
        "endpoint" => {
            let endpoint = endpoint(&mut words)?;
            if setup
                .endpoints
                .iter()
                .any(|other| other.name == endpoint.name)
            {
                let text = format!("endpoint {} is declared already", endpoint.name);
                return Err(Fault::new(line, text));
            }
            setup.endpoints.push(endpoint);
        }
        "network" => network(&mut words, &mut setup.network, &mut setup.seed)?,
        "needs" => {
            while let Some(module) = words.word() {
                setup.needs.push(module.to_owned());
            }
        }
        "compat" => {
            setup.compat = releases(&mut words)?;
        }
        "differs" => {
            let text = words.rest().strip_prefix("from kamailio:").map(str::trim);
            let Some(text) = text.filter(|text| !text.is_empty()) else {
                return Err(Fault::new(
                    line,
                    "say why: `differs from kamailio: the reason`",
                ));
            };
            setup.differs = Some(Reason {
                line,
                text: text.to_owned(),
            });
            return Ok(());
        }
        "pending:" => {
            if words.is_empty() {
                return Err(Fault::new(line, "say why: `pending: the reason`"));
            }
            let text = words.rest().to_owned();
            setup.pending = Some(Reason { line, text });
            return Ok(());
        }
        "not" => {
            if !words.take("compared:") {
                return Err(Fault::new(line, "say what: `not compared: Server, Date`"));
            }
            let names = words
                .rest()
                .split(',')
                .map(|name| name.trim().to_ascii_lowercase());
            setup
                .not_compared
                .extend(names.filter(|name| !name.is_empty()));
            return Ok(());
        }
        _ => setup.limit = Some(words.duration()?),
    }
    words.end()
}

/// `compat 5.6 4.2`
fn releases(words: &mut Words<'_>) -> Result<Vec<Release>, Fault> {
    let mut releases = Vec::new();
    while let Some(word) = words.word() {
        let Some(release) = Release::named(word) else {
            let known = Release::ALL.map(Release::name).join(", ");
            let text = format!("`{word}` is no release whose rules are known: {known}");
            return Err(Fault::new(words.line, text));
        };
        if !releases.contains(&release) {
            releases.push(release);
        }
    }
    if releases.is_empty() {
        return Err(Fault::new(words.line, "say which: `compat 5.6`"));
    }
    Ok(releases)
}

fn config(words: &mut Words<'_>, statement: &Statement<'_>) -> Result<Config, Fault> {
    let line = statement.line.number;
    if let Some(child) = statement.children.first() {
        return Err(Fault::new(
            child.number,
            "a configuration stands between `<<<` and `>>>`",
        ));
    }
    if let Some(block) = &statement.line.block {
        let text = block.lines.iter().map(|line| format!("{line}\n")).collect();
        return Ok(Config::Inline {
            line: block.first,
            text,
        });
    }
    let word = words.need("a file, `<<<`, or text in double quotes")?;
    if word.starts_with('"') {
        let text = unquote(line, word)?;
        return Ok(Config::Exact { line, text });
    }
    Ok(Config::File {
        line,
        path: word.to_owned(),
    })
}

fn endpoint(words: &mut Words<'_>) -> Result<Endpoint, Fault> {
    let line = words.line;
    let fail = |text: String| Err(Fault::new(line, text));
    let name = words.need("a name")?;
    if TAKEN.contains(&name) {
        return fail(format!("an endpoint cannot be called `{name}`"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(fits) {
        return fail(format!("`{name}` is no name: letters and digits are"));
    }
    let protocol = match words
        .peek()
        .map(|word| (word, Protocol::from_name(word.as_bytes())))
    {
        Some((_, Some(Protocol::Sctp))) => {
            return fail("endpoints do not speak sctp (udp, tcp, tls, ws and wss)".to_owned());
        }
        Some((_, Some(protocol))) => {
            words.word();
            protocol
        }
        _ => Protocol::Udp,
    };
    let mut endpoint = Endpoint {
        line,
        name: name.to_owned(),
        protocol,
        port: None,
        resends: false,
        credentials: None,
    };
    while let Some(word) = words.word() {
        match word {
            "port" => {
                let port = words.number()?;
                endpoint.port = Some(
                    u16::try_from(port)
                        .map_err(|_| Fault::new(line, format!("{port} is no port")))?,
                );
            }
            "resends" => endpoint.resends = true,
            "password" => {
                let password = words.need("the password")?;
                let user = if words.take("user") {
                    words.need("the user")?
                } else {
                    name
                };
                endpoint.credentials = Some((user.to_owned(), password.to_owned()));
            }
            other => return fail(format!("`{other}` is not understood here")),
        }
    }
    Ok(endpoint)
}

/// `loss 10% duplicate 5% reorder 2% delay 10ms..50ms seed 7`
pub fn network(
    words: &mut Words<'_>,
    conditions: &mut Conditions,
    seed: &mut Option<u64>,
) -> Result<(), Fault> {
    while let Some(word) = words.word() {
        match word {
            "loss" => conditions.loss = per_mille(words)?,
            "duplicate" => conditions.duplicate = per_mille(words)?,
            "reorder" => conditions.reorder = per_mille(words)?,
            "delay" => {
                let (least, most) = words.durations()?;
                let least = if least == Duration::ZERO { most } else { least };
                conditions.delay = (least, most);
            }
            "seed" => *seed = Some(words.number()?),
            other => {
                let text =
                    format!("`{other}`: a network has loss, duplicate, reorder, delay, seed");
                return Err(Fault::new(words.line, text));
            }
        }
    }
    Ok(())
}

fn per_mille(words: &mut Words<'_>) -> Result<u32, Fault> {
    let word = words.need("a share (such as 10%)")?;
    let share = word
        .strip_suffix('%')
        .and_then(|word| word.parse::<f64>().ok());
    match share.filter(|share| (0.0..=100.0).contains(share)) {
        Some(share) => Ok((share * 10.0).round() as u32),
        None => Err(Fault::new(
            words.line,
            format!("`{word}` is no share (such as 10%)"),
        )),
    }
}
