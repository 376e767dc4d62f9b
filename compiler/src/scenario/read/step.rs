//! Steps: what does not concern a message, and which endpoint a message concerns.

use std::time::Duration;

use super::lines::{Line, Words};
use super::{Statement, setup, traffic, unquote};
use crate::diagnostic::nearest;
use crate::scenario::Fault;
use crate::scenario::model::{Action, Pattern, Setup, Step};
use crate::scenario::template::Template;

/// Reads a step. `rest` are the lines after it, of which `in any order` takes those up to `end`.
pub fn read<'a>(
    mut words: Words<'_>,
    statement: &Statement<'_>,
    rest: &mut &'a [Line<'a>],
    setup: &Setup,
) -> Result<Step, Fault> {
    let line = words.line;
    let start = words;
    let action = match words.word().unwrap_or_default() {
        "after" => Action::Wait(words.duration()?),
        "network" => {
            let mut conditions = setup.network;
            setup::network(&mut words, &mut conditions, &mut None)?;
            Action::Network(conditions)
        }
        "prints" => return prints(words, statement),
        "log" => log(&mut words)?,
        "server" => server(&mut words)?,
        "ignore" if words.rest() == "the rest" => {
            return finish(line, Action::Ignore(None), statement);
        }
        "nobody" => {
            if !(words.take("receives") && words.take("anything")) {
                return Err(Fault::new(
                    line,
                    "`nobody receives anything for 2s` is meant?",
                ));
            }
            nothing(&mut words, None)?
        }
        "in" if words.rest() == "any order" => {
            statement.alone()?;
            return Ok(Step {
                line,
                action: any_order(line, rest, setup)?,
            });
        }
        name => {
            let Some(who) = setup
                .endpoints
                .iter()
                .position(|endpoint| endpoint.name == name)
            else {
                return Err(unknown(start, name, setup));
            };
            return endpoint(words, who, statement, setup);
        }
    };
    words.end()?;
    finish(line, action, statement)
}

fn finish(line: u32, action: Action, statement: &Statement<'_>) -> Result<Step, Fault> {
    statement.alone()?;
    Ok(Step { line, action })
}

fn endpoint(
    mut words: Words<'_>,
    who: usize,
    statement: &Statement<'_>,
    setup: &Setup,
) -> Result<Step, Fault> {
    let line = words.line;
    let action = match words.word() {
        Some("sends") => return traffic::send(words, who, statement, setup),
        Some("replies") => return traffic::reply(words, who, statement),
        Some("receives") if words.peek() == Some("nothing") => {
            words.word();
            nothing(&mut words, Some(who))?
        }
        Some("receives") => return traffic::receive(words, who, statement),
        Some("connects") => Action::Connect(who),
        Some("closes") => Action::Close(who),
        Some("ignores") if words.rest() == "the rest" => {
            return finish(line, Action::Ignore(Some(who)), statement);
        }
        other => {
            let other = other.unwrap_or("nothing");
            let text = format!(
                "`{other}`: an endpoint sends, replies, receives, connects, closes or `ignores the rest`"
            );
            return Err(Fault::new(line, text));
        }
    };
    words.end()?;
    finish(line, action, statement)
}

fn nothing(words: &mut Words<'_>, who: Option<usize>) -> Result<Action, Fault> {
    let at_all = words.take("at");
    if at_all && !words.take("all") {
        return Err(Fault::new(words.line, "`at all` is meant?"));
    }
    let time = if words.take("for") {
        words.duration()?
    } else {
        Duration::from_secs(1)
    };
    Ok(Action::Nothing { who, time, at_all })
}

fn prints(mut words: Words<'_>, statement: &Statement<'_>) -> Result<Step, Fault> {
    let line = words.line;
    if let Some(child) = statement.children.first() {
        return Err(Fault::new(
            child.number,
            "nothing may be indented under this statement",
        ));
    }
    if let Some(block) = &statement.line.block {
        words.end()?;
        let text =
            |(n, text): (usize, &str)| Template::parse(block.first + n as u32, text.as_bytes());
        let lines = block
            .outdented()
            .into_iter()
            .enumerate()
            .map(text)
            .collect();
        return Ok(Step {
            line,
            action: Action::Prints(lines),
        });
    }
    if words.rest() == "nothing" {
        return Ok(Step {
            line,
            action: Action::PrintsNothing,
        });
    }
    let mut texts = Vec::new();
    loop {
        let word = words.need("text in double quotes")?;
        texts.push(Template::parse(line, &unquote(line, word)?));
        if words.is_empty() {
            return Ok(Step {
                line,
                action: Action::Prints(texts),
            });
        }
    }
}

fn log(words: &mut Words<'_>) -> Result<Action, Fault> {
    let count = match words.peek() {
        Some("count") => {
            words.word();
            Some(words.number()? as usize)
        }
        _ => None,
    };
    let count = match words.word() {
        Some("~") => count,
        Some("!~") if count.is_none() => Some(0),
        _ => {
            let text = "`log ~ \"text\"`, `log !~ \"text\"` or `log count 2 ~ \"text\"` is meant?";
            return Err(Fault::new(words.line, text));
        }
    };
    Ok(Action::Log {
        pattern: pattern(words)?,
        count,
    })
}

/// The regular expression that is the rest of the line, in quotes, slashes or bare.
pub fn pattern(words: &mut Words<'_>) -> Result<Pattern, Fault> {
    let text = words.rest();
    while words.word().is_some() {}
    let within = |quote| {
        let inner = text
            .strip_prefix(quote)
            .and_then(|text: &str| text.strip_suffix(quote));
        inner.filter(|_| text.len() > 1)
    };
    let text = within('"')
        .or_else(|| within('/'))
        .unwrap_or(text)
        .replace("\\\"", "\"");
    if text.is_empty() {
        return Err(Fault::new(words.line, "a regular expression is missing"));
    }
    let template = Template::parse(words.line, text.as_bytes());
    if template.names().next().is_some() {
        return Ok(Pattern::Open(template));
    }
    let regex = regex::bytes::Regex::new(&text);
    regex
        .map(Pattern::Fixed)
        .map_err(|error| Fault::new(words.line, error.to_string()))
}

fn server(words: &mut Words<'_>) -> Result<Action, Fault> {
    if words.take("starts") {
        return Ok(Action::Wait(Duration::ZERO));
    }
    words.word();
    let at = if words.take("at") {
        if !words.take("line") {
            return Err(Fault::new(words.line, "`at line 12` is meant?"));
        }
        Some(words.number()? as u32)
    } else {
        None
    };
    let says = if words.take("~") {
        Some(pattern(words)?)
    } else {
        None
    };
    Ok(Action::Refuses { at, says })
}

fn any_order<'a>(line: u32, rest: &mut &'a [Line<'a>], setup: &Setup) -> Result<Action, Fault> {
    let mut steps = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        let count = after.iter().take_while(|line| line.indented).count();
        let (children, after) = after.split_at(count);
        *rest = after;
        if first.text == "end" {
            return Ok(Action::AnyOrder(steps));
        }
        let statement = Statement {
            line: first,
            children,
        };
        let step = read(
            Words::new(first.number, first.text),
            &statement,
            rest,
            setup,
        )?;
        if !matches!(step.action, Action::Receive(_)) {
            return Err(Fault::new(
                step.line,
                "only `receives` may happen in any order",
            ));
        }
        steps.push(step);
    }
    Err(Fault::new(
        line,
        "`in any order` is not closed by a line `end`",
    ))
}

fn unknown(words: Words<'_>, name: &str, setup: &Setup) -> Fault {
    let keywords = [
        "after", "prints", "log", "server", "ignore", "nobody", "in", "network",
    ];
    let setups = [
        "scenario", "config", "define", "endpoint", "needs", "differs", "limit",
    ];
    let endpoints = setup
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str());
    let known = endpoints.chain(keywords).chain(setups);
    let mut text = match words.rest().split_whitespace().nth(1) {
        Some("sends" | "receives" | "replies" | "connects" | "closes" | "ignores") => {
            format!("no endpoint `{name}` is declared: `endpoint {name} udp`")
        }
        _ => format!("`{name}` is neither a statement nor an endpoint"),
    };
    if let Some(near) = nearest(name, known) {
        text.push_str(&format!("; did you mean `{near}`?"));
    }
    Fault::new(words.line, text)
}
