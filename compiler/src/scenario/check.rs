//! Whether a received message is what a step wants.

use std::collections::HashMap;

use kcc_sip::{HeaderKind, Message, token};
use regex::bytes::Regex;

use super::Fault;
use super::agent::Arrived;
use super::model::{Check, First, Part, Pattern, Receive, Want};
use super::plan::Plan;
use super::template::{Names, Template};

/// A wish that was not fulfilled.
#[derive(Clone, Debug)]
pub struct Unmet {
    /// The line of the wish.
    pub line: u32,
    /// What was wanted.
    pub wanted: String,
    /// What was there.
    pub found: String,
}

/// Whether the first line is the wanted one.
pub fn first(receive: &Receive, arrived: &Arrived) -> bool {
    let Some(message) = &arrived.message else {
        return receive.first == First::Any;
    };
    let about = |method: &String| {
        message
            .cseq()
            .is_some_and(|cseq| cseq.method_name == method.as_bytes())
    };
    let fits = match &receive.first {
        First::Any => true,
        First::Request(method) => {
            message.is_request() && message.method_name() == method.as_bytes()
        }
        First::Reply(least, most) => {
            !message.is_request() && (*least..=*most).contains(&message.status())
        }
        First::Reason(code, reason) => message
            .status_line()
            .is_some_and(|line| line.code == *code && line.reason == reason.as_bytes()),
    };
    fits && receive.about.as_ref().is_none_or(about)
}

/// The first line that is wanted, for people.
pub fn first_text(receive: &Receive) -> String {
    let text = match &receive.first {
        First::Any => "anything".to_owned(),
        First::Request(method) => method.clone(),
        First::Reply(least, most) if least == most => least.to_string(),
        First::Reply(least, _) => format!("{}xx", least / 100),
        First::Reason(code, reason) => format!("{code} {reason}"),
    };
    match &receive.about {
        Some(method) => format!("{text} for {method}"),
        None => text,
    }
}

/// Whether all checks hold; captured values go to `captured`.
///
/// # Errors
/// A placeholder that stands for nothing.
pub fn all(
    checks: &[Check],
    arrived: &Arrived,
    plan: &Plan,
    names: &dyn Names,
    captured: &mut HashMap<String, String>,
) -> Result<Vec<Unmet>, Fault> {
    let mut unmet = Vec::new();
    // Equal wishes for the same header field are about its values in order.
    let mut nth: HashMap<String, usize> = HashMap::new();
    for check in checks {
        let mut part = check.part.clone();
        if let (Part::Header(name, index @ None), Want::Equal(_)) = (&mut part, &check.want) {
            let count = nth.entry(name.to_ascii_lowercase()).or_default();
            if *count > 0 || checks.iter().filter(|other| repeats(other, check)).count() > 1 {
                *index = Some(*count);
            }
            *count += 1;
        }
        if let Some(found) = one(check, &part, arrived, plan, names, captured)? {
            unmet.push(found);
        }
    }
    Ok(unmet)
}

fn repeats(other: &Check, check: &Check) -> bool {
    match (&other.part, &check.part) {
        (Part::Header(one, None), Part::Header(two, None)) => {
            one.eq_ignore_ascii_case(two) && matches!(other.want, Want::Equal(_))
        }
        _ => false,
    }
}

fn one(
    check: &Check,
    part: &Part,
    arrived: &Arrived,
    plan: &Plan,
    names: &dyn Names,
    captured: &mut HashMap<String, String>,
) -> Result<Option<Unmet>, Fault> {
    let values = values(part, arrived, plan);
    let label = label(part);
    let shown = match values.as_slice() {
        [] => format!("{label} is absent"),
        values => {
            let all: Vec<_> = values
                .iter()
                .map(|value| String::from_utf8_lossy(value))
                .collect();
            format!("{label}: {}", all.join(&format!("\n{label}: ")))
        }
    };
    let unmet = |wanted: String| {
        Some(Unmet {
            line: check.line,
            wanted,
            found: shown.clone(),
        })
    };
    Ok(match &check.want {
        Want::Present if values.is_empty() => unmet(format!("{label} present")),
        Want::Absent if !values.is_empty() => unmet(format!("{label} absent")),
        Want::Present | Want::Absent => None,
        Want::Count(n) if values.len() != *n => unmet(format!(
            "{label} {n} times (it is there {} times)",
            values.len()
        )),
        Want::Count(_) => None,
        Want::Equal(text) => {
            let regex = regex(&text.to_regex(names)?, check.line)?;
            match values.first() {
                Some(value) if regex.is_match(value) => None,
                _ => unmet(format!(
                    "{label}: {}",
                    String::from_utf8_lossy(&text.expand(names)?)
                )),
            }
        }
        Want::Match(pattern, wanted) => {
            let regex = compile(pattern, names)?;
            let found = values.iter().find_map(|value| regex.captures(value));
            match (&found, wanted) {
                (Some(found), true) => {
                    for name in regex.capture_names().flatten() {
                        if let Some(value) = found.name(name) {
                            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                            captured.insert(name.to_owned(), value);
                        }
                    }
                    None
                }
                (None, false) => None,
                (None, true) => unmet(format!("{label} ~ {regex}")),
                (Some(_), false) => unmet(format!("{label} !~ {regex}")),
            }
        }
        Want::Capture(name) => match values.first() {
            Some(value) => {
                captured.insert(name.clone(), String::from_utf8_lossy(value).into_owned());
                None
            }
            None => unmet(format!("{label} present")),
        },
        Want::Before(other) => {
            let place = |name: &str| {
                let message = arrived.message.as_ref()?;
                message
                    .headers()
                    .position(|header| header.is_named(name.as_bytes()))
            };
            match (place(&label), place(other)) {
                (Some(one), Some(two)) if one < two => None,
                _ => unmet(format!("{label} before {other}")),
            }
        }
    })
}

fn label(part: &Part) -> String {
    match part {
        Part::Header(name, None) => name.clone(),
        Part::Header(name, Some(index)) => format!("{name}[{index}]"),
        Part::Body => "body".into(),
        Part::Uri => "uri".into(),
        Part::Reason => "reason".into(),
        Part::Raw => "raw".into(),
        Part::Source => "source".into(),
    }
}

/// The values that a part has: none, one, or those of a header field.
fn values(part: &Part, arrived: &Arrived, plan: &Plan) -> Vec<Vec<u8>> {
    match (part, &arrived.message) {
        (Part::Raw, _) => vec![arrived.data.to_vec()],
        (Part::Source, _) => {
            let name = plan.name_of(arrived.source).map(str::to_owned);
            vec![
                name.unwrap_or_else(|| arrived.source.to_string())
                    .into_bytes(),
            ]
        }
        (_, None) => Vec::new(),
        (Part::Body, Some(message)) => match message.body() {
            [] => Vec::new(),
            body => vec![body.to_vec()],
        },
        (Part::Uri, Some(message)) => message
            .request_line()
            .map(|line| line.uri.to_vec())
            .into_iter()
            .collect(),
        (Part::Reason, Some(message)) => message
            .status_line()
            .map(|line| line.reason.to_vec())
            .into_iter()
            .collect(),
        (Part::Header(name, index), Some(message)) => {
            let all = header_values(message, name);
            match index {
                None => all,
                Some(index) => all.into_iter().skip(*index).take(1).collect(),
            }
        }
    }
}

/// The values of a header field; fields that are lists by their definition are taken apart.
pub fn header_values(message: &Message, name: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for header in message
        .headers()
        .filter(|header| header.is_named(name.as_bytes()))
    {
        let is_list = matches!(
            header.kind,
            HeaderKind::Via | HeaderKind::Route | HeaderKind::RecordRoute | HeaderKind::Contact
        );
        if is_list {
            all.extend(token::list(header.value).map(<[u8]>::to_vec));
        } else {
            all.push(header.value.to_vec());
        }
    }
    all
}

/// The regular expression of a pattern.
///
/// # Errors
/// A placeholder that stands for nothing; an expression that is none.
pub fn compile(pattern: &Pattern, names: &dyn Names) -> Result<Regex, Fault> {
    match pattern {
        Pattern::Fixed(regex) => Ok(regex.clone()),
        Pattern::Open(template) => regex(&template.as_regex(names)?, template.line),
    }
}

fn regex(text: &str, line: u32) -> Result<Regex, Fault> {
    Regex::new(text).map_err(|error| Fault::new(line, error.to_string()))
}

/// Whether `found` is the text.
///
/// # Errors
/// A placeholder that stands for nothing.
pub fn is_text(text: &Template, found: &[u8], names: &dyn Names) -> Result<bool, Fault> {
    Ok(regex(&text.to_regex(names)?, text.line)?.is_match(found))
}
