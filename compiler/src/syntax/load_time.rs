//! What is evaluated when a configuration is read: values of `modparamx` and names of `loadmodulex`
//! (language reference §4.4).
//!
//! Variables that tell of defines and of the environment are put in, as the defines stand at the end
//! of the configuration. A statement with other variables is left as it was; the resolver says that
//! it is not supported.

use kcc_runtime::value::parse_int;

use super::ast::{File, ItemKind, Number, Str, Value, Variable};
use super::format::{Piece, parse_format};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::preprocess::Defines;
use crate::release::Release;
use crate::source::{SourceLoader, SourceMap};

/// Where values come from.
pub(super) struct LoadTime<'a> {
    pub loader: &'a dyn SourceLoader,
    pub sources: &'a SourceMap,
    pub defines: &'a Defines,
    pub release: Release,
}

/// The value of a variable.
enum Found {
    Text(Vec<u8>),
    Number(i64),
    Null,
}

impl LoadTime<'_> {
    /// Evaluates what the statements of `file` ask for.
    pub fn evaluate(&self, file: &mut File, diagnostics: &mut Diagnostics) {
        for item in &mut file.items {
            let good = match &mut item.kind {
                ItemKind::ModParam(param) if param.evaluated => {
                    for text in [&mut param.modules, &mut param.name] {
                        // A dollar can belong to a regular expression.
                        if let Ok(Some(evaluated)) = self.text(text) {
                            *text = evaluated;
                        }
                    }
                    let value = self.value(&param.value);
                    value.map(|value| {
                        if let Some(value) = value {
                            (param.value, param.evaluated) = (value, false);
                        }
                    })
                }
                ItemKind::LoadModule(load) if load.evaluated => {
                    let name = self.text(&load.module);
                    name.map(|name| {
                        if let Some(name) = name {
                            (load.module, load.evaluated) = (name, false);
                        }
                    })
                }
                _ => Ok(()),
            };
            if let Err(found) = good {
                for diagnostic in found {
                    diagnostics.push(diagnostic);
                }
                item.kind = ItemKind::Error;
            }
        }
    }

    /// The value in the place of `value`; `None` where it cannot be known.
    fn value(&self, value: &Value) -> Result<Option<Value>, Vec<Diagnostic>> {
        let variable = match value {
            Value::Number(_) => return Ok(None),
            Value::Str(text) => return Ok(self.text(text)?.map(Value::Str)),
            Value::Variable(variable) => variable,
        };
        let span = variable.span;
        Ok(match self.variable(variable) {
            None => None,
            Some(Found::Text(text)) => Some(Value::Str(Str {
                value: text.into(),
                span,
                exact: false,
            })),
            Some(Found::Number(n)) => Some(Value::Number(Number {
                value: n as i32,
                span,
            })),
            Some(Found::Null) => {
                let message = "this has no value when the configuration is read";
                return Err(vec![Diagnostic::error("no-value", message).label(span, "")]);
            }
        })
    }

    /// A string with its variables replaced; `None` where one cannot be known.
    fn text(&self, text: &Str) -> Result<Option<Str>, Vec<Diagnostic>> {
        if !text.value.contains(&b'$') {
            return Ok(Some(text.clone()));
        }
        let pieces = parse_format(&text.value, &text.locator(self.sources)).map_err(|errors| {
            let finding = |error: super::pvar::VariableError| {
                Diagnostic::error("bad-format", error.message).label(error.span, "")
            };
            errors.into_iter().map(finding).collect::<Vec<_>>()
        })?;
        let mut value = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text { text, .. } => value.extend_from_slice(&text),
                Piece::Variable(variable) => match self.variable(&variable) {
                    None => return Ok(None),
                    Some(Found::Text(text)) => value.extend(text),
                    Some(Found::Number(n)) => value.extend(n.to_string().into_bytes()),
                    Some(Found::Null) => value.extend_from_slice(b"<null>"),
                },
            }
        }
        Ok(Some(Str {
            value: value.into(),
            span: text.span,
            exact: false,
        }))
    }

    /// The value of a variable; `None` where it is not known before a message.
    fn variable(&self, variable: &Variable) -> Option<Found> {
        if !variable.transformations.is_empty() || variable.index.is_some() {
            return None;
        }
        let inner = variable.inner.as_ref().map(|inner| &*inner.text);
        let define = |name: &[u8]| self.defines.value(name, self.sources);
        let environment = |name: &[u8]| {
            let name = std::str::from_utf8(name).ok()?;
            self.loader.environment(name)
        };
        let text = |text: Option<Vec<u8>>| text.map_or(Found::Null, Found::Text);
        Some(match (&*variable.name.text, inner) {
            ("def", Some(name)) => text(define(name)),
            ("defv", Some(name)) => text(define(name).map(|text| unquoted(&text).to_vec())),
            ("defs", Some(name)) => {
                text(define(name).map(|text| [b"\"", unquoted(&text), b"\""].concat()))
            }
            ("defn", Some(name)) => {
                let text = define(name).unwrap_or_default();
                Found::Number(parse_int(unquoted(&text)).unwrap_or(0))
            }
            ("env", Some(name)) => text(environment(name)),
            ("envn", Some(name)) => {
                let text = environment(name).unwrap_or_default();
                Found::Number(parse_int(&text).unwrap_or(0))
            }
            ("version", Some(b"num")) => {
                let (major, minor, patch) = self.release.version();
                Found::Text(format!("{major}.{minor}.{patch}").into_bytes())
            }
            ("true", None) => Found::Number(1),
            ("null", None) => Found::Null,
            _ => return None,
        })
    }
}

/// Text without the quotes around it.
fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        text => text,
    }
}
