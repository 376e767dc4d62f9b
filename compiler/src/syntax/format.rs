//! Format strings: text with variables (semantics reference §6.2).

use super::ast::{Str, Variable};
use super::literal::Locator;
use super::pvar::{self, VariableError};
use crate::source::{SourceMap, Span};

/// A piece of a format string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that is copied, `$$` already turned into `$`.
    Text {
        /// The bytes.
        text: Box<[u8]>,
        /// Their place.
        span: Span,
    },
    /// A variable. In a format every name stands for a variable, whatever the mode.
    Variable(Variable),
}

/// Takes a format string apart. All errors in it are given, each with its place.
pub fn parse_format(text: &[u8], locator: &Locator) -> Result<Vec<Piece>, Vec<VariableError>> {
    let mut pieces = Vec::new();
    let mut errors = Vec::new();
    let mut literal = Vec::new();
    let mut literal_start = 0;
    let mut at = 0;
    loop {
        let dollar = memchr::memchr(b'$', &text[at..]).map(|found| at + found);
        literal.extend_from_slice(&text[at..dollar.unwrap_or(text.len())]);
        at = dollar.unwrap_or(text.len());
        if text[at..].starts_with(b"$$") {
            literal.push(b'$');
            at += 2;
            continue;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text {
                text: std::mem::take(&mut literal).into(),
                span: locator.span(literal_start, at),
            });
        }
        if dollar.is_none() {
            break;
        }
        match pvar::variable_at(text, at, locator) {
            Ok((variable, length)) => {
                pieces.push(Piece::Variable(variable));
                at += length;
            }
            Err(error) => {
                // Each error moves on, and a string full of them is cut short.
                at = error.read.clamp(at + 1, text.len());
                errors.push(error);
                if errors.len() >= 10 {
                    break;
                }
            }
        }
        literal_start = at;
    }
    if errors.is_empty() {
        Ok(pieces)
    } else {
        Err(errors)
    }
}

impl Str {
    /// Gives the places of the value's bytes in the source.
    pub fn locator(&self, sources: &SourceMap) -> Locator {
        if self.exact {
            Locator::of_literals(sources.text(self.span), self.span)
        } else {
            Locator::whole(self.span)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let locator = Locator::direct(Span::new(0, text.len() as u32));
        match parse_format(text.as_bytes(), &locator) {
            Ok(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text { text, .. } => format!("{:?}", String::from_utf8_lossy(text)),
                    Piece::Variable(variable) => format!("<{}>", variable.name.text),
                })
                .collect(),
            Err(errors) => errors
                .iter()
                .map(|error| format!("error at {}", error.span.start))
                .collect(),
        }
    }

    #[test]
    fn text_and_variables_alternate() {
        assert_eq!(show("a $rU b$$c"), r#""a "<rU>" b$c""#);
        assert_eq!(show("$ruri.user$(rd{s.len}) "), r#"<ruri.user><rd>" ""#);
        // The longest run of name characters counts.
        assert_eq!(show("$rU. x"), r#"<rU.>" x""#);
        assert_eq!(show("$avp(x)[0]"), r#"<avp>"[0]""#);
        assert_eq!(show(""), "");
        assert_eq!(show("5$ and $( x)"), "error at 1error at 7");
    }

    #[test]
    fn places_are_those_in_the_source() {
        let raw = br#""\t$rU""#;
        let locator = Locator::of_literals(raw, Span::new(50, 57));
        let pieces = parse_format(b"\t$rU", &locator).expect("well formed");
        let Some(Piece::Variable(variable)) = pieces.get(1) else {
            panic!("a variable is expected");
        };
        assert_eq!(variable.span, Span::new(53, 56));
    }
}
