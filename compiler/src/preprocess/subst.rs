//! `#!subst`: rules that rewrite later strings, variables and include names (language reference
//! §2.5).

use std::ops::Range;

use kcc_runtime::pattern::{Flags, Pattern};

use super::Preprocessor;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{TransformationParameter, TransformationValue, Variable};
use crate::syntax::format::{Piece, parse_format};
use crate::syntax::literal::Locator;

/// Longest result of a substitution, in bytes.
const MAX_RESULT: usize = 1 << 20;
/// Most matches that one rule replaces in one text.
const MAX_MATCHES: usize = 1 << 16;
/// Longest search text, in bytes, and most rules: each rule is applied to each string.
const MAX_SEARCH: usize = 512;
const MAX_RULES: usize = 1000;
/// Most bytes of text that all rules together are applied to.
const MAX_SEARCHED: usize = 64 << 20;
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
    /// Where in `search` a backslash was left out.
    left_out: Vec<usize>,
    replacement: &'a [u8],
    /// Where the replacement begins in the rule, in bytes.
    replacement_at: usize,
    flags: &'a [u8],
    separator: u8,
}

/// What is wrong with a rule, and where in its text, in bytes.
struct RuleError {
    from: usize,
    to: usize,
    message: String,
}

impl RuleError {
    /// Of the byte at `at`.
    fn at(at: usize, message: impl Into<String>) -> RuleError {
        RuleError {
            from: at,
            to: at + 1,
            message: message.into(),
        }
    }
}

impl Preprocessor<'_> {
    /// Applies all rules to `value`, the text that stands at `span`. True if it changed.
    pub(super) fn substitute(&mut self, value: &mut Vec<u8>, span: Span) -> bool {
        let mut changed = false;
        for rule in &self.rules {
            self.searched_bytes += value.len() + 16;
            if self.searched_bytes > MAX_SEARCHED {
                self.stop(
                    Diagnostic::error("too-large", "there is too much text to substitute in")
                        .label(span, "reading stops here"),
                );
                return changed;
            }
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

    /// Adds the rule `text`, whose bytes stand where `locator` says, and with `define` the define
    /// of `#!substdef`, quoted or not.
    pub(super) fn add_rule(
        &mut self,
        text: &[u8],
        span: Span,
        locator: &Locator,
        define: Option<bool>,
    ) {
        if let Err(error) = self.try_add_rule(text, span, define) {
            let place = if error.from < text.len() {
                locator.span(error.from, error.to.min(text.len()))
            } else {
                span
            };
            self.diagnostics.push(
                Diagnostic::error("bad-substitution", error.message)
                    .label(place, "here")
                    .note(
                        "a rule has a regular expression and a replacement between three equal \
                         separators, and after them flags out of g, i, s",
                    )
                    .help("write it as \"/search/replacement/g\""),
            );
        }
    }

    fn try_add_rule(
        &mut self,
        text: &[u8],
        span: Span,
        define: Option<bool>,
    ) -> Result<(), RuleError> {
        let parsed = split(text)?;
        if parsed.search.len() > MAX_SEARCH || self.rules.len() >= MAX_RULES {
            let message = "the search text is too long, or there are too many rules";
            return Err(RuleError::at(0, message));
        }
        let mut rule = parsed.compile()?;
        let evaluated = self.evaluate_variables(&parsed)?;
        rule.replacement = parts(&evaluated, parsed.separator);
        if let Some(quoted) = define {
            if parsed.search.is_empty() {
                return Err(RuleError::at(1, "the search text is empty"));
            }
            let value: Vec<u8> = rule
                .replacement
                .iter()
                .flat_map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Group(number) => format!("\\{number}").into_bytes(),
                })
                .collect();
            self.define_substituted(&parsed.search, &value, span, quoted);
        }
        self.rules.push(rule);
        Ok(())
    }

    /// Puts in the values of variables, of which only those known before the start make sense.
    fn evaluate_variables(&self, rule: &Parsed<'_>) -> Result<Vec<u8>, RuleError> {
        let text = escaped_dollars(rule.replacement);
        // Places in these spans are places in the rule.
        let start = rule.replacement_at as u32;
        let locator = Locator::direct(Span::new(start, start + text.len() as u32));
        let pieces = parse_format(&text, &locator).map_err(|errors| {
            let first = errors.into_iter().next();
            let place = first
                .as_ref()
                .map_or(Span::new(start, start), |error| error.span);
            RuleError {
                from: place.start as usize,
                to: place.end as usize,
                message: first.map_or_else(String::new, |error| error.message),
            }
        })?;
        let mut out = Vec::with_capacity(text.len());
        for piece in pieces {
            match piece {
                Piece::Text { text, .. } => out.extend_from_slice(&text),
                Piece::Variable(variable) => {
                    let value = self.evaluate_variable(&variable);
                    out.extend(value.map_err(|message| RuleError {
                        from: variable.span.start as usize,
                        to: variable.span.end as usize,
                        message,
                    })?);
                }
            }
        }
        Ok(out)
    }

    fn evaluate_variable(&self, variable: &Variable) -> Result<Vec<u8>, String> {
        let unknown = || {
            format!(
                "`${}` cannot stand in a rule; $env(NAME), $def(NAME), $version(num) and $HN(n) can",
                variable.name.text
            )
        };
        let inner = variable.inner.as_ref().ok_or_else(unknown)?;
        let value = match &*variable.name.text {
            "env" => self
                .loader
                .environment(&String::from_utf8_lossy(&inner.text)),
            "def" => self.defines.value(&inner.text, &self.sources),
            "version" if *inner.text == *b"num" => {
                let (major, minor, patch) = self.release.version();
                Some(format!("{major}.{minor}.{patch}").into_bytes())
            }
            "HN" if *inner.text == *b"i" => {
                let address = self.loader.host_address().ok_or_else(unknown)?;
                Some(address.to_string().into_bytes())
            }
            "HN" => {
                let full = self.loader.host_name().ok_or_else(unknown)?;
                let (name, domain) = full.split_once('.').unwrap_or((&full, ""));
                Some(match &*inner.text {
                    b"n" => name.as_bytes().to_vec(),
                    b"f" => full.as_bytes().to_vec(),
                    b"d" => domain.as_bytes().to_vec(),
                    _ => return Err(unknown()),
                })
            }
            _ => return Err(unknown()),
        };
        let mut value = value.unwrap_or_else(|| b"<null>".to_vec());
        for transformation in &variable.transformations {
            let rule = match transformation.parameters.as_slice() {
                [
                    TransformationParameter {
                        value: TransformationValue::Text(rule),
                        ..
                    },
                ] if *transformation.class.text == *"re"
                    && *transformation.operation.text == *"subst" =>
                {
                    rule
                }
                _ => {
                    return Err(
                        "of the transformations only {re.subst} can be used here".to_owned()
                    );
                }
            };
            let parsed = split(rule).map_err(|error| error.message)?;
            let rule = Rule {
                replacement: parts(parsed.replacement, parsed.separator),
                ..parsed.compile().map_err(|error| error.message)?
            };
            if let Ok(Some(changed)) = rule.apply(&value) {
                value = changed;
            }
        }
        Ok(value)
    }
}

impl Parsed<'_> {
    /// The rule, its replacement still empty.
    fn compile(&self) -> Result<Rule, RuleError> {
        let mut flags = Flags::default();
        let (mut global, mut single) = (false, false);
        for (index, &flag) in self.flags.iter().enumerate() {
            match flag {
                b'g' => global = true,
                b'i' => flags.icase = true,
                b's' => single = true,
                other => {
                    let at = self.replacement_at + self.replacement.len() + 1 + index;
                    let message = format!("`{}` is no flag", other.escape_ascii());
                    return Err(RuleError::at(at, message));
                }
            }
        }
        let compile = if single {
            Pattern::new
        } else {
            Pattern::line_by_line
        };
        let pattern = compile(&self.search, flags).map_err(|error| {
            let before = self.left_out.iter().filter(|at| **at <= error.offset);
            // The last separator of the search stands where its text ends.
            let at = (1 + error.offset + before.count()).min(self.replacement_at - 1);
            RuleError::at(at, format!("the regular expression is wrong: {error}"))
        })?;
        Ok(Rule {
            pattern,
            replacement: Vec::new(),
            global,
        })
    }
}

impl Rule {
    /// The text after this rule, `None` if nothing matches or a match is empty, which changes
    /// nothing.
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
            if found.is_empty() {
                return Ok(None);
            }
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
            if !self.global || copied >= text.len() {
                break;
            }
            if !self.pattern.captures_after(text, copied, &mut groups) {
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

/// The text with `\$`, which stands for a dollar sign, in the form that formats have for it.
fn escaped_dollars(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let pair = &rest[at..rest.len().min(at + 2)];
        out.extend_from_slice(if pair == b"\\$" { b"$$" } else { pair });
        rest = &rest[at + pair.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Takes a rule apart. The separator is the first character; a backslash before it makes it part of
/// the text.
fn split(text: &[u8]) -> Result<Parsed<'_>, RuleError> {
    let Some((&separator, rest)) = text.split_first() else {
        return Err(RuleError::at(0, "the rule is empty"));
    };
    if separator == b'\\' {
        return Err(RuleError::at(0, "a backslash cannot separate the parts"));
    }
    let middle = part_length(rest, separator)
        .ok_or_else(|| RuleError::at(text.len() - 1, "the replacement is missing after this"))?;
    let mut search = Vec::with_capacity(middle);
    let mut left_out = Vec::new();
    let mut at = 0;
    while at < middle {
        if rest[at] == b'\\' && rest.get(at + 1) == Some(&separator) {
            left_out.push(search.len());
            at += 1;
        }
        search.push(rest[at]);
        at += 1;
    }
    let rest = &rest[middle + 1..];
    let end = part_length(rest, separator)
        .ok_or_else(|| RuleError::at(text.len() - 1, "the last separator is missing after this"))?;
    Ok(Parsed {
        search,
        left_out,
        replacement: &rest[..end],
        replacement_at: middle + 2,
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
