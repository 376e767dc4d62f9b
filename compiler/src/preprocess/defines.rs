//! The table of defines (language reference §2.1, §2.8).

use std::collections::HashMap;

use super::Preprocessor;
use crate::diagnostic::Diagnostic;
use crate::release::Release;
use crate::source::{SourceMap, Span, TextOrigin};

/// A define.
#[derive(Clone, Copy, Debug)]
pub struct Define {
    /// Where its name stands.
    pub defined_at: Span,
    /// Where its value stands; none for a define without value.
    pub value_span: Option<Span>,
}

/// The defines by name.
#[derive(Clone, Debug, Default)]
pub struct Defines(HashMap<Box<[u8]>, Define>);

impl Defines {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get_entry(&self, name: &[u8]) -> Option<Define> {
        self.0.get(name).copied()
    }

    /// True when `name` is defined, with or without a value.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.0.contains_key(name)
    }

    /// The define called `name`.
    pub fn get(&self, name: &[u8]) -> Option<&Define> {
        self.0.get(name)
    }

    /// Text of the value of `name` as `$def` gives it: quotes and trailing blanks included, line
    /// continuations removed; empty for a define without value.
    pub fn value(&self, name: &[u8], sources: &SourceMap) -> Option<Vec<u8>> {
        let define = self.0.get(name)?;
        let raw = define.value_span.map_or(&[][..], |span| sources.text(span));
        let mut value = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(at) = rest.windows(2).position(|pair| pair == b"\\\n") {
            value.extend_from_slice(&rest[..at]);
            rest = &rest[at + 2..];
        }
        value.extend_from_slice(rest);
        Some(value)
    }

    /// All names in unspecified order.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.keys().map(AsRef::as_ref)
    }

    pub(super) fn set(&mut self, name: &[u8], define: Define) {
        self.0.insert(name.into(), define);
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        self.0.remove(name).is_some()
    }

    /// Sets `MOD_<name>` for the module that the `loadmodule` string `path` names.
    pub(super) fn module_loaded(&mut self, sources: &mut SourceMap, path: &[u8]) {
        let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let module = file.strip_suffix(b".so").unwrap_or(file);
        let name = [b"MOD_".as_slice(), module].concat();
        if !self.contains(&name) {
            let defined_at = predefined_span(sources);
            let define = Define {
                defined_at,
                value_span: None,
            };
            self.set(&name, define);
        }
    }
}

/// The place of names that stand in no text.
fn predefined_span(sources: &mut SourceMap) -> Span {
    const NAME: &str = "<predefined>";
    let existing = sources.files().iter().find(|file| file.name == NAME);
    if let Some(file) = existing {
        return file.span();
    }
    let id = sources.add(NAME, Vec::new(), TextOrigin::Computed, None);
    sources.file(id).span()
}

/// What a directive does when the name is defined already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IfDefined {
    Refuse,
    Keep,
    Replace,
}

impl Preprocessor<'_> {
    /// Sets the names of the release (since 5.2, the number and the system's since 5.7).
    fn predefine_release(&mut self) {
        if self.release < Release::V5_6 {
            return;
        }
        let (major, minor, patch) = self.release.version();
        let defined_at = predefined_span(&mut self.sources);
        for name in [
            format!("KAMAILIO_{major}"),
            format!("KAMAILIO_{major}_{minor}"),
            format!("KAMAILIO_{major}_{minor}_{patch}"),
        ] {
            let define = Define {
                defined_at,
                value_span: None,
            };
            self.defines.set(name.as_bytes(), define);
        }
        if self.release < Release::V6_1 {
            return;
        }
        let number = format!("{}", major * 1_000_000 + minor * 1000 + patch);
        for (name, value) in [("KAMAILIO_VERSION", number.as_str()), ("OS_NAME", "linux")] {
            let span = self.computed("<predefined value>", value.as_bytes(), TextOrigin::Computed);
            let define = Define {
                defined_at: span,
                value_span: Some(span),
            };
            self.defines.set(name.as_bytes(), define);
        }
    }

    /// Sets the names of the release and those of the command line.
    pub(super) fn predefine(&mut self, given: &[(String, Option<String>)]) {
        self.predefine_release();
        for (name, value) in given {
            let label = format!("<command line: -A {name}>");
            let text = value.as_deref().unwrap_or("");
            let span = self.computed(&label, text.as_bytes(), TextOrigin::CommandLine);
            let valid = name.bytes().enumerate().all(|(index, byte)| {
                byte == b'_' || byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit())
            });
            if name.is_empty() || !valid {
                let message = format!("nothing in a configuration can be called `{name}`");
                let named = if name.is_empty() {
                    Diagnostic::error("bad-define", message)
                } else {
                    Diagnostic::warning("bad-define", message)
                };
                self.diagnostics.push(
                    named
                        .note("a define's name has letters, digits and underscores and starts with no digit")
                        .help("give it as -A NAME or -A NAME=VALUE"),
                );
                if name.is_empty() {
                    continue;
                }
            }
            let define = Define {
                defined_at: span,
                value_span: value.is_some().then_some(span),
            };
            self.add_define(name.as_bytes(), define, IfDefined::Refuse);
        }
    }

    /// Adds a define unless there is one and `if_defined` says otherwise.
    pub(super) fn add_define(&mut self, name: &[u8], define: Define, if_defined: IfDefined) {
        match (self.defines.get_entry(name), if_defined) {
            (Some(_), IfDefined::Keep) => (),
            (Some(first), IfDefined::Refuse) => {
                let name = String::from_utf8_lossy(name);
                let mut diagnostic =
                    Diagnostic::error("already-defined", format!("`{name}` is already defined"))
                        .label(define.defined_at, "defined again")
                        .note("a second `#!define` is refused even when the value is the same");
                if first.defined_at != define.defined_at {
                    diagnostic = diagnostic.label(first.defined_at, "first defined here");
                }
                self.diagnostics
                    .push(diagnostic.help(
                        "use `#!trydef` to keep the first value, `#!redefine` to replace it",
                    ));
            }
            _ => self.defines.set(name, define),
        }
    }
}
