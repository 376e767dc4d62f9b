//! `#!subst`: rules that rewrite later strings, variables and include names (language reference
//! §2.5).

use std::ops::Range;

use kcc_runtime::pattern::{Flags, Pattern};

use super::Preprocessor;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Longest result of a substitution, in bytes.
const MAX_RESULT: usize = 1 << 20;
/// Most matches that one rule replaces in one text.
const MAX_MATCHES: usize = 1 << 16;
/// Groups `\0` to `\9`.
const GROUPS: usize = 10;

/// A rule.
pub(super) struct Rule {
    pattern: Pattern,
    replacement: Vec<Part>,
    global: bool,
}

/// A piece of a replacement.
enum Part {
    Text(Vec<u8>),
    Group(usize),
}

/// A rule's text, taken apart.
struct Parsed<'a> {
    search: Vec<u8>,
    replacement: &'a [u8],
    flags: &'a [u8],
    separator: u8,
}

impl Preprocessor<'_> {
    /// Applies all rules to `value`, the text that stands at `span`. True if it changed.
    pub(super) fn substitute(&mut self, value: &mut Vec<u8>, span: Span) -> bool {
        let mut changed = false;
        for rule in &self.rules {
            match rule.apply(value) {
                Ok(None) => (),
                Ok(Some(result)) => {
                    changed |= *value != result;
                    *value = result;
                }
                Err(()) => {
                    self.stop(
                        Diagnostic::error("too-large", "the substitutions make too long a text")
                            .label(span, "of this")
                            .note(format!("at most {MAX_RESULT} bytes are allowed")),
                    );
                    return changed;
                }
            }
        }
        changed
    }

    /// Adds the rule `text`, and with `define` the define of `#!substdef`, quoted or not.
    pub(super) fn add_rule(&mut self, text: &[u8], span: Span, define: Option<bool>) {
        if let Err(message) = self.try_add_rule(text, span, define) {
            self.diagnostics.push(
                Diagnostic::error("bad-substitution", message)
                    .label(span, "this rule")
                    .note("a rule is a separator, a regular expression, the separator, the replacement, the separator, and flags out of g, i, s")
                    .help("write it as \"/search/replacement/g\""),
            );
        }
    }

    fn try_add_rule(
        &mut self,
        text: &[u8],
        span: Span,
        define: Option<bool>,
    ) -> Result<(), String> {
        let parsed = split(text)?;
        let mut flags = Flags::default();
        let (mut global, mut single) = (false, false);
        for &flag in parsed.flags {
            match flag {
                b'g' => global = true,
                b'i' => flags.icase = true,
                b's' => single = true,
                other => return Err(format!("`{}` is no flag", other.escape_ascii())),
            }
        }
        let compile = if single {
            Pattern::new
        } else {
            Pattern::line_by_line
        };
        let pattern = compile(&parsed.search, flags)
            .map_err(|error| format!("the regular expression is wrong: {error}"))?;
        let evaluated = self.evaluate_variables(parsed.replacement)?;
        let replacement = parts(&evaluated, parsed.separator);
        if let Some(quoted) = define {
            let value: Vec<u8> = replacement
                .iter()
                .flat_map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Group(number) => format!("\\{number}").into_bytes(),
                })
                .collect();
            self.define_substituted(&parsed.search, &value, span, quoted);
        }
        self.rules.push(Rule {
            pattern,
            replacement,
            global,
        });
        Ok(())
    }

    /// Puts in the values of variables, of which only those known before the start make sense.
    fn evaluate_variables(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'$', rest) {
            out.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(b"$") {
                out.push(b'$');
                rest = after;
                continue;
            }
            let enclosed = rest.strip_prefix(b"(");
            let body = enclosed.unwrap_or(rest);
            let close: &[u8] = if enclosed.is_some() { b"))" } else { b")" };
            let known = [b"env(".as_slice(), b"def("]
                .into_iter()
                .find_map(|kind| Some((kind, body.strip_prefix(kind)?)));
            let end = known.and_then(|(_, inner)| memchr::memmem::find(inner, close));
            let (Some((kind, inner)), Some(end)) = (known, end) else {
                return Err("only $env(…) and $def(…) can be used in the replacement".to_owned());
            };
            let name = &inner[..end];
            let value = if kind == b"env(" {
                self.loader.environment(&String::from_utf8_lossy(name))
            } else {
                self.defines.value(name, &self.sources)
            };
            out.extend_from_slice(&value.unwrap_or_else(|| b"<null>".to_vec()));
            rest = &inner[end + close.len()..];
        }
        out.extend_from_slice(rest);
        Ok(out)
    }
}

impl Rule {
    /// The text after this rule, `None` if nothing matches.
    fn apply(&self, text: &[u8]) -> Result<Option<Vec<u8>>, ()> {
        let mut groups: [Option<Range<usize>>; GROUPS] = Default::default();
        if !self.pattern.captures_into(text, &mut groups) {
            return Ok(None);
        }
        let mut out = Vec::with_capacity(text.len() + 16);
        let mut copied = 0;
        for _ in 0..MAX_MATCHES {
            let Some(found) = groups[0].clone() else {
                break;
            };
            out.extend_from_slice(&text[copied..found.start]);
            for part in &self.replacement {
                match part {
                    Part::Text(text) => out.extend_from_slice(text),
                    Part::Group(number) => {
                        let group = groups.get(*number).cloned().flatten();
                        out.extend_from_slice(group.map_or(&[][..], |group| &text[group]));
                    }
                }
                if out.len() > MAX_RESULT {
                    return Err(());
                }
            }
            copied = found.end;
            // An empty match must not be found again at the same place.
            let next = if found.is_empty() {
                found.end + 1
            } else {
                found.end
            };
            if !self.global || next > text.len() {
                break;
            }
            if !self.pattern.captures_after(text, next, &mut groups) {
                break;
            }
        }
        out.extend_from_slice(&text[copied..]);
        if out.len() > MAX_RESULT {
            return Err(());
        }
        Ok(Some(out))
    }
}

/// Takes a rule apart. The separator is the first character; a backslash before it makes it part of
/// the text.
fn split(text: &[u8]) -> Result<Parsed<'_>, String> {
    let (&separator, rest) = text.split_first().ok_or("the rule is empty")?;
    if separator.is_ascii_alphanumeric() || separator == b'\\' {
        return Err(format!(
            "`{}` cannot separate the parts",
            separator.escape_ascii()
        ));
    }
    let middle = part_length(rest, separator).ok_or("the replacement is missing")?;
    let mut search = Vec::with_capacity(middle);
    let mut at = 0;
    while at < middle {
        if rest[at] == b'\\' && rest.get(at + 1) == Some(&separator) {
            at += 1;
        }
        search.push(rest[at]);
        at += 1;
    }
    if search.is_empty() {
        return Err("the search text is empty".to_owned());
    }
    let rest = &rest[middle + 1..];
    let end = part_length(rest, separator).ok_or("the last separator is missing")?;
    Ok(Parsed {
        search,
        replacement: &rest[..end],
        flags: &rest[end + 1..],
        separator,
    })
}

/// Length of the text before the next separator.
fn part_length(text: &[u8], separator: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(separator, b'\\', text.get(at..)?)?;
        if text[at] == separator {
            return Some(at);
        }
        at += 2;
    }
}

/// The pieces of a replacement: `\0`…`\9` are groups, other escapes are characters.
fn parts(text: &[u8], separator: u8) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let next = text.get(at + 1).copied();
        match (text[at], next) {
            (b'\\', Some(digit @ b'0'..=b'9')) => {
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(Part::Group(usize::from(digit - b'0')));
                at += 2;
                continue;
            }
            (b'\\', Some(escaped)) => {
                let byte = match escaped {
                    b'n' => Some(b'\n'),
                    b'r' => Some(b'\r'),
                    b't' => Some(b'\t'),
                    b'\\' => Some(b'\\'),
                    other if other == separator => Some(other),
                    _ => None,
                };
                if let Some(byte) = byte {
                    literal.push(byte);
                    at += 2;
                    continue;
                }
            }
            _ => (),
        }
        literal.push(text[at]);
        at += 1;
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    parts
}
