//! Steps in which an endpoint sends or receives a message.

use super::lines::{Line, Words};
use super::step::pattern;
use super::{Statement, unquote};
use crate::scenario::Fault;
use crate::scenario::model::{
    Action, Check, Content, First, Part, Receive, Reply, Send, Setup, Step, Want, Which,
};
use crate::scenario::template::Template;

/// `alice sends INVITE sip:bob@{server} with sdp`
pub fn send(
    mut words: Words<'_>,
    who: usize,
    statement: &Statement<'_>,
    setup: &Setup,
) -> Result<Step, Fault> {
    let line = words.line;
    let method = words.need("a method")?;
    if method == "raw" {
        return raw(words, who, statement, setup);
    }
    if !kcc_sip::token::is_token(method.as_bytes()) {
        return Err(Fault::new(line, format!("`{method}` is no method")));
    }
    statement.no_block()?;
    let mut send = Send {
        who,
        method: method.to_owned(),
        uri: None,
        callee: None,
        call: Which::Usual,
        label: None,
        credentials: false,
        towards: None,
        content: content(statement)?,
    };
    while let Some(word) = words.word() {
        match word {
            "to" => send.callee = Some(words.need("a name")?.to_owned()),
            "in" => send.call = which(&mut words)?,
            "as" => send.label = Some(words.need("a name")?.to_owned()),
            "new" => send.call = Which::New,
            "with" => match words.word() {
                Some("sdp") => send.content.sdp = true,
                Some("credentials") => send.credentials = true,
                _ => {
                    return Err(Fault::new(
                        line,
                        "`with sdp` or `with credentials` is meant?",
                    ));
                }
            },
            "towards" => {
                let name = words.need("an endpoint")?;
                let found = setup.endpoints.iter().position(|other| other.name == name);
                let unknown = || Fault::new(line, format!("no endpoint `{name}` is declared"));
                send.towards = Some(found.ok_or_else(unknown)?);
            }
            uri if send.uri.is_none() && uri.contains(':') => {
                send.uri = Some(Template::parse(line, uri.as_bytes()));
            }
            other => {
                let text = format!(
                    "`{other}` is not understood: a URI, `to NAME`, `in CALL`, `as CALL`, `with sdp`, `with credentials`, `new` or `towards ENDPOINT`"
                );
                return Err(Fault::new(line, text));
            }
        }
    }
    Ok(Step {
        line,
        action: Action::Send(send),
    })
}

fn raw(
    mut words: Words<'_>,
    who: usize,
    statement: &Statement<'_>,
    setup: &Setup,
) -> Result<Step, Fault> {
    let line = words.line;
    if let Some(child) = statement.children.first() {
        return Err(Fault::new(
            child.number,
            "nothing may be indented under this statement",
        ));
    }
    let named = words
        .peek()
        .and_then(|word| setup.messages.iter().find(|(name, _)| name == word));
    let data = match &statement.line.block {
        Some(block) => Template::parse(block.first, block.message().as_bytes()),
        None if named.is_some() => {
            words.word();
            named.map(|(_, text)| text.clone()).unwrap_or_default()
        }
        None => {
            let mut bytes = Vec::new();
            loop {
                let word = words.need("`<<<`, or text in double quotes")?;
                bytes.extend(unquote(line, word)?);
                if words.is_empty() {
                    break Template::parse(line, &bytes);
                }
            }
        }
    };
    words.end()?;
    Ok(Step {
        line,
        action: Action::SendRaw { who, data },
    })
}

/// `bob replies 486 Busy Here to INVITE`
pub fn reply(mut words: Words<'_>, who: usize, statement: &Statement<'_>) -> Result<Step, Fault> {
    let line = words.line;
    statement.no_block()?;
    let code = code(&mut words)?;
    let mut reply = Reply {
        who,
        code,
        reason: None,
        to: None,
        content: content(statement)?,
    };
    reply.reason = reason(&mut words, &["to", "with"])?;
    while let Some(word) = words.word() {
        match word {
            "to" => reply.to = Some(words.need("a method or a name")?.to_owned()),
            "with" if words.take("sdp") => reply.content.sdp = true,
            other => {
                let text = format!("`{other}` is not understood: `to METHOD` or `with sdp`");
                return Err(Fault::new(line, text));
            }
        }
    }
    Ok(Step {
        line,
        action: Action::Reply(reply),
    })
}

fn code(words: &mut Words<'_>) -> Result<u16, Fault> {
    let word = words.need("a status")?;
    match word.parse() {
        Ok(code @ 100..=699) => Ok(code),
        _ => Err(Fault::new(
            words.line,
            format!("`{word}` is no status (100 to 699)"),
        )),
    }
}

/// A reason phrase: the words up to one of `ends`, or text in quotes.
fn reason(words: &mut Words<'_>, ends: &[&str]) -> Result<Option<String>, Fault> {
    let mut found: Vec<&str> = Vec::new();
    while let Some(word) = words.peek().filter(|word| !ends.contains(word)) {
        words.word();
        if word.starts_with('"') {
            let text = unquote(words.line, word)?;
            return Ok(Some(String::from_utf8_lossy(&text).into_owned()));
        }
        found.push(word);
    }
    Ok((!found.is_empty()).then(|| found.join(" ")))
}

fn which(words: &mut Words<'_>) -> Result<Which, Fault> {
    Ok(match words.need("`call`, or the name of one")? {
        "call" | "dialog" => Which::Current,
        name => Which::Named(name.to_owned()),
    })
}

/// Header fields and body under a message that is sent.
fn content(statement: &Statement<'_>) -> Result<Content, Fault> {
    let mut content = Content::default();
    for line in statement.children {
        let mut words = Words::new(line.number, line.text);
        if words.take("without") {
            for name in words.rest().split(',') {
                content.without.push(name.trim().to_ascii_lowercase());
            }
            continue;
        }
        if words.take("body") {
            content.body = Some(body(words, line)?);
            continue;
        }
        if line.block.is_some() {
            return Err(Fault::new(line.number, "only `body` takes a block here"));
        }
        let (name, value) = header(line)?;
        content.headers.push((
            name.to_owned(),
            Template::parse(line.number, value.as_bytes()),
        ));
    }
    Ok(content)
}

fn body(mut words: Words<'_>, line: &Line<'_>) -> Result<Template, Fault> {
    if let Some(block) = &line.block {
        words.end()?;
        return Ok(Template::parse(block.first, block.message().as_bytes()));
    }
    let word = words.need("`<<<`, or text in double quotes")?;
    words.end()?;
    Ok(Template::parse(line.number, &unquote(line.number, word)?))
}

fn header<'a>(line: &Line<'a>) -> Result<(&'a str, &'a str), Fault> {
    let wrong = || {
        let text = format!("`{}` is no header field (`Name: value`)", line.text);
        Fault::new(line.number, text)
    };
    let (name, value) = line.text.split_once(':').ok_or_else(wrong)?;
    let name = name.trim_end();
    if !kcc_sip::token::is_token(name.as_bytes()) {
        return Err(wrong());
    }
    Ok((name, value.trim()))
}

/// `alice receives 200 OK within 1s`
pub fn receive(mut words: Words<'_>, who: usize, statement: &Statement<'_>) -> Result<Step, Fault> {
    const OPTIONS: &[&str] = &["within", "again", "in", "as", "for"];
    let line = words.line;
    statement.no_block()?;
    let what = words.need("a method or a status")?;
    let first = match what {
        "anything" => First::Any,
        _ if what.starts_with(|c: char| c.is_ascii_digit()) => status(line, what)?,
        _ if kcc_sip::token::is_token(what.as_bytes()) => First::Request(what.to_owned()),
        _ => {
            return Err(Fault::new(
                line,
                format!("`{what}` is neither a method nor a status"),
            ));
        }
    };
    let first = match (first, reason(&mut words, OPTIONS)?) {
        (First::Reply(code, _), Some(reason)) => First::Reason(code, reason),
        (_, Some(word)) => {
            return Err(Fault::new(line, format!("`{word}` is not understood here")));
        }
        (first, None) => first,
    };
    let mut receive = Receive {
        who,
        first,
        window: None,
        again: false,
        call: Which::Usual,
        label: None,
        about: None,
        checks: Vec::new(),
    };
    while let Some(word) = words.word() {
        match word {
            "within" => receive.window = Some(words.durations()?),
            "again" => receive.again = true,
            "in" => receive.call = which(&mut words)?,
            "as" => receive.label = Some(words.need("a name")?.to_owned()),
            "for" => receive.about = Some(words.need("a method")?.to_owned()),
            other => {
                return Err(Fault::new(
                    line,
                    format!("`{other}` is not understood here"),
                ));
            }
        }
    }
    receive.checks = statement
        .children
        .iter()
        .map(check)
        .collect::<Result<_, _>>()?;
    Ok(Step {
        line,
        action: Action::Receive(receive),
    })
}

/// `200`, or `2xx`.
fn status(line: u32, word: &str) -> Result<First, Fault> {
    if let Some(class) = word.strip_suffix("xx")
        && let Ok(class @ 1..=6) = class.parse::<u16>()
    {
        return Ok(First::Reply(class * 100, class * 100 + 99));
    }
    match word.parse() {
        Ok(code @ 100..=699) => Ok(First::Reply(code, code)),
        _ => Err(Fault::new(
            line,
            format!("`{word}` is no status (100 to 699, or 2xx)"),
        )),
    }
}

/// A line under `receives`.
fn check(line: &Line<'_>) -> Result<Check, Fault> {
    let number = line.number;
    let end = line
        .text
        .find(|c: char| c == ':' || c.is_whitespace())
        .unwrap_or(line.text.len());
    let (name, rest) = line.text.split_at(end);
    let part = part(number, name)?;
    if let Some(block) = &line.block {
        let text = match part {
            Part::Raw | Part::Body => block.message(),
            _ => {
                return Err(Fault::new(
                    number,
                    "only `body` and `raw` take a block here",
                ));
            }
        };
        let text = Template::parse(block.first, text.as_bytes());
        return Ok(Check {
            line: number,
            part,
            want: Want::Equal(text),
        });
    }
    if let Some(text) = rest.trim_start().strip_prefix(':') {
        let text = Template::parse(number, text.trim().as_bytes());
        return Ok(Check {
            line: number,
            part,
            want: Want::Equal(text),
        });
    }
    let mut words = Words::new(number, rest);
    let want = match words.peek() {
        Some(word) if word.starts_with('"') => {
            let bytes = unquote(number, word)?;
            words.word();
            Want::Equal(Template::parse(number, &bytes))
        }
        _ => match words.word() {
            Some("~") => Want::Match(pattern(&mut words)?, true),
            Some("!~") => Want::Match(pattern(&mut words)?, false),
            Some("absent") => Want::Absent,
            Some("present") => Want::Present,
            Some("count") => Want::Count(words.number()? as usize),
            Some("before") => Want::Before(words.need("a header field's name")?.to_owned()),
            Some("capture") => Want::Capture(words.need("a name")?.to_owned()),
            _ => {
                let text = format!(
                    "`{name}` is followed by `: value`, `~ regex`, `!~ regex`, `absent`, `present`, `count N`, `before NAME` or `capture NAME`"
                );
                return Err(Fault::new(number, text));
            }
        },
    };
    words.end()?;
    if matches!(want, Want::Count(_) | Want::Before(_)) && !matches!(part, Part::Header(..)) {
        return Err(Fault::new(
            number,
            "only header fields are counted and have an order",
        ));
    }
    Ok(Check {
        line: number,
        part,
        want,
    })
}

/// `Via`, `Via[1]`, `body`, `uri`, `reason`, `raw`, `source`
fn part(line: u32, name: &str) -> Result<Part, Fault> {
    Ok(match name {
        "body" => Part::Body,
        "uri" => Part::Uri,
        "reason" => Part::Reason,
        "raw" => Part::Raw,
        "source" => Part::Source,
        _ => {
            let (name, index) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
                Some((name, index)) => {
                    let wrong = |_| Fault::new(line, format!("`{index}` is no number"));
                    (name, Some(index.parse().map_err(wrong)?))
                }
                None => (name, None),
            };
            if !kcc_sip::token::is_token(name.as_bytes()) {
                return Err(Fault::new(
                    line,
                    format!("`{name}` is no header field's name"),
                ));
            }
            Part::Header(name.to_owned(), index)
        }
    })
}
