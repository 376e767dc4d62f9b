//! Variables in text: `$name`, `$name(inner)`, `$(name(inner)[index]{class.operation,…})` (semantics
//! reference §6.1).
//!
//! Whether a variable of that name exists, and what its inner text means, is for later passes.

use super::ast::{
    Index, IndexKind, Inner, Name, Transformation, TransformationParameter, TransformationValue,
    Variable, VariableForm,
};
use super::literal::Locator;
use crate::catalogue;
use crate::source::Span;

/// Deepest nesting of variables in variables.
const MAX_DEPTH: usize = 16;

/// A variable that is not well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// Where.
    pub span: Span,
    /// What is wrong there.
    pub message: String,
    /// The way out.
    pub help: Option<&'static str>,
    /// Bytes of the text up to which it was read.
    pub(super) read: usize,
}

/// Reads `text`, all of which must be one variable. `locator` gives the places of its bytes;
/// `strict` is the mode after `#!KAMAILIO`.
pub fn parse_variable(
    text: &[u8],
    locator: &Locator,
    strict: bool,
) -> Result<Variable, VariableError> {
    let mut reader = Reader::new(text, 0, locator, strict);
    let variable = reader.variable()?;
    if reader.at < text.len() {
        return Err(reader.error(
            reader.at,
            text.len(),
            "this does not belong to the variable",
        ));
    }
    Ok(variable)
}

/// Reads the variable at byte `at` of `text`; gives it and the number of bytes it takes.
pub(super) fn variable_at(
    text: &[u8],
    at: usize,
    locator: &Locator,
) -> Result<(Variable, usize), VariableError> {
    let mut reader = Reader::new(text, at, locator, true);
    let variable = reader.variable()?;
    Ok((variable, reader.at - at))
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    locator: &'a Locator,
    strict: bool,
    depth: usize,
}

type Read<T> = Result<T, VariableError>;

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], at: usize, locator: &'a Locator, strict: bool) -> Reader<'a> {
        Reader {
            text,
            at,
            locator,
            strict,
            depth: 0,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn error(&self, from: usize, to: usize, message: impl Into<String>) -> VariableError {
        VariableError {
            span: self.locator.span(from, to.min(self.text.len())),
            message: message.into(),
            help: None,
            read: to,
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Takes bytes while `belongs` holds, as a name.
    fn name(&mut self, belongs: impl Fn(u8) -> bool) -> Name {
        let from = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        Name {
            text: String::from_utf8_lossy(&self.text[from..self.at]).into(),
            span: self.locator.span(from, self.at),
        }
    }

    fn variable(&mut self) -> Read<Variable> {
        let from = self.at;
        if self.depth >= MAX_DEPTH {
            return Err(self.error(from, from + 1, "variables are nested too deep"));
        }
        self.depth += 1;
        let variable = self.variable_inside();
        self.depth -= 1;
        variable
    }

    fn variable_inside(&mut self) -> Read<Variable> {
        let from = self.at;
        if !self.take(b'$') {
            return Err(self.error(from, from + 1, "a variable starts with `$`"));
        }
        let enclosed = self.take(b'(');
        let name =
            self.name(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'?'));
        if name.text.is_empty() {
            let mut error = self.error(from, self.at + 1, "a variable's name is missing");
            if enclosed && matches!(self.peek(), Some(b' ' | b'\t')) {
                error.message = "no blank may stand before a variable's name".to_owned();
                error.help = Some("remove the blank");
            } else if !enclosed {
                error.span = self.locator.span(from, from + 1);
                error.read = from + 1;
                error.message = "a `$` alone is no variable".to_owned();
                error.help = Some("write `$$` for a dollar sign");
            }
            return Err(error);
        }
        let inner = match self.peek() {
            Some(b'(') => Some(self.inner(from)?),
            _ => None,
        };
        let mut index = None;
        let mut transformations = Vec::new();
        if enclosed {
            if self.take(b'[') {
                index = Some(self.index()?);
            }
            while self.take(b'{') {
                transformations.push(self.transformation()?);
                self.blanks();
            }
            if !self.take(b')') {
                return Err(self.unclosed(from));
            }
        }
        let form = match (enclosed, &inner) {
            (true, _) => VariableForm::Enclosed,
            (false, Some(_)) => VariableForm::Inner,
            (false, None) => VariableForm::Bare {
                strict: self.strict,
            },
        };
        Ok(Variable {
            name,
            inner,
            index,
            transformations,
            form,
            span: self.locator.span(from, self.at),
        })
    }

    /// What is wrong where the `)` of an enclosed variable is due.
    fn unclosed(&self, from: usize) -> VariableError {
        let (message, help) = match self.peek() {
            None => {
                let mut error = self.error(from, self.at, "this variable is not closed");
                error.help = Some("add the `)`");
                return error;
            }
            Some(b' ' | b'\t' | b'\r' | b'\n') => (
                "no blank may stand in a variable, save after a transformation",
                Some("remove the blank"),
            ),
            Some(b'[') => (
                "an index comes before the transformations, and there is only one",
                None,
            ),
            Some(_) => (
                "`)`, an index or a transformation is expected here",
                Some("write $(name(inner)[index]{class.operation})"),
            ),
        };
        let mut error = self.error(self.at, self.at + 1, message);
        error.help = help;
        error
    }

    /// At `(`: takes text with balanced parentheses.
    fn inner(&mut self, variable: usize) -> Read<Inner> {
        self.at += 1;
        let from = self.at;
        let mut depth = 1usize;
        while depth > 0 {
            match self.peek() {
                None => {
                    let mut error = self.error(variable, self.at, "this variable is not closed");
                    error.help = Some("add the `)`");
                    return Err(error);
                }
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                _ => (),
            }
            self.at += 1;
        }
        let to = self.at - 1;
        let text = &self.text[from..to];
        Ok(Inner {
            text: text.into(),
            variable: self.whole_variable(from, to),
            span: self.locator.span(from, to),
            exact: self.locator.is_direct(from, to),
        })
    }

    /// The variable that the text between `from` and `to` is, if it is exactly one.
    fn whole_variable(&self, from: usize, to: usize) -> Option<Box<Variable>> {
        if self.text.get(from) != Some(&b'$') {
            return None;
        }
        let mut reader = Reader {
            text: &self.text[..to],
            at: from,
            locator: self.locator,
            strict: self.strict,
            depth: self.depth,
        };
        let variable = reader.variable().ok()?;
        (reader.at == to).then(|| Box::new(variable))
    }

    /// After `[`.
    fn index(&mut self) -> Read<Index> {
        let from = self.at;
        let kind = if self.peek() == Some(b'$') {
            IndexKind::Variable(Box::new(self.variable()?))
        } else if self.take(b'*') {
            IndexKind::All
        } else {
            self.take(b'-');
            while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1;
            }
            let text = std::str::from_utf8(&self.text[from..self.at]).unwrap_or("");
            match text.parse() {
                Ok(number) => IndexKind::Number(number),
                Err(_) => {
                    let end = self.text[from..].iter().position(|&byte| byte == b']');
                    let end = end.map_or(self.text.len(), |length| from + length);
                    let mut error = self.error(from, end.max(from + 1), "this is no index");
                    error.help = Some("an index is a number, `*` or a variable, without blanks");
                    return Err(error);
                }
            }
        };
        let to = self.at;
        if !self.take(b']') {
            let mut error = self.error(to, to + 1, "`]` is expected here");
            error.help = Some("an index is a number, `*` or a variable, without blanks");
            return Err(error);
        }
        Ok(Index {
            kind,
            span: self.locator.span(from, to),
        })
    }

    /// After `{`.
    fn transformation(&mut self) -> Read<Transformation> {
        let open = self.at - 1;
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let class = self.name(word);
        if class.text.is_empty() || !self.take(b'.') {
            let mut error = self.error(
                self.at,
                self.at + 1,
                "a transformation is `class.operation`",
            );
            error.help = Some("write it without blanks, as in {s.len}");
            return Err(error);
        }
        let operation = self.name(|byte| word(byte) || matches!(byte, b'.' | b'-'));
        if operation.text.is_empty() {
            return Err(self.error(self.at, self.at + 1, "the operation's name is missing"));
        }
        let fact = catalogue::transformation(&class.text, &operation.text);
        let most = fact.and_then(|fact| fact.arities().max());
        let takes_rest = fact.is_some_and(|fact| fact.takes_rest());
        self.blanks();
        let mut parameters = Vec::new();
        while self.take(b',') {
            let last_kind = fact.and_then(|fact| fact.kinds().nth(parameters.len()));
            let parameter = if takes_rest {
                self.rest_parameter()
            } else if last_kind == Some("chr") {
                self.character_parameter()
            } else if most == Some(parameters.len() + 1) && self.text[self.at..].starts_with(b",}")
            {
                // Where none may follow, a lone comma is the parameter.
                self.at += 1;
                self.literal(self.at - 1, self.at)
            } else {
                self.parameter()?
            };
            parameters.push(parameter);
        }
        if !self.take(b'}') {
            let mut error = if self.at >= self.text.len() {
                self.error(open, self.at, "this transformation is not closed")
            } else {
                self.error(self.at, self.at + 1, "`,` or `}` is expected here")
            };
            error.help = Some("a transformation is written {class.operation,parameter,…}");
            return Err(error);
        }
        Ok(Transformation {
            class,
            operation,
            parameters,
            span: self.locator.span(open, self.at),
        })
    }

    fn literal(&self, from: usize, to: usize) -> TransformationParameter {
        TransformationParameter {
            value: TransformationValue::Text(self.text[from..to].into()),
            span: self.locator.span(from, to),
        }
    }

    /// A parameter up to the next comma or brace, without its leading blanks, or one variable.
    fn parameter(&mut self) -> Read<TransformationParameter> {
        self.blanks();
        if self.peek() == Some(b'$') {
            let start = self.at;
            let variable = self.variable()?;
            let span = self.locator.span(start, self.at);
            self.blanks();
            return Ok(TransformationParameter {
                value: TransformationValue::Variable(Box::new(variable)),
                span,
            });
        }
        let start = self.at;
        while self.peek().is_some_and(|byte| !matches!(byte, b',' | b'}')) {
            self.at += 1;
        }
        Ok(self.literal(start, self.at))
    }

    /// A separator character, which may itself be a comma or a brace.
    fn character_parameter(&mut self) -> TransformationParameter {
        let from = self.at;
        if self.peek() == Some(b'$')
            && let Ok(parameter) = self.parameter()
        {
            return parameter;
        }
        self.at = from + usize::from(self.peek() == Some(b'\\'));
        self.at = (self.at + 1).min(self.text.len());
        while self.peek().is_some_and(|byte| byte != b'}') {
            self.at += 1;
        }
        self.literal(from, self.at)
    }

    /// Everything up to the brace that closes the transformation.
    fn rest_parameter(&mut self) -> TransformationParameter {
        let from = self.at;
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 0 => break,
                b'}' => depth -= 1,
                _ => (),
            }
            self.at += 1;
        }
        self.literal(from, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Variable, VariableError> {
        let locator = Locator::direct(Span::new(0, text.len() as u32));
        parse_variable(text.as_bytes(), &locator, true)
    }

    #[test]
    fn all_parts_are_taken() -> Result<(), VariableError> {
        let variable = parse("$(avp($var(n))[$var(i)]{s.substr,1,$(var(m){s.len})} {s.len} )")?;
        assert_eq!(&*variable.name.text, "avp");
        let inner = variable.inner.as_ref().expect("an inner text");
        assert_eq!(&*inner.text, b"$var(n)");
        assert!(inner.variable.is_some());
        assert!(matches!(
            variable.index.as_ref().map(|index| &index.kind),
            Some(IndexKind::Variable(_))
        ));
        assert_eq!(variable.transformations.len(), 2);
        let parameters = &variable.transformations[0].parameters;
        assert_eq!(
            parameters[0].value,
            TransformationValue::Text((*b"1").into())
        );
        assert!(matches!(
            parameters[1].value,
            TransformationValue::Variable(_)
        ));
        assert_eq!(parameters[1].span, Span::new(35, 51));
        Ok(())
    }

    #[test]
    fn a_separator_may_be_a_comma_and_a_rule_may_hold_braces() {
        let text = |text: &str| match parse(text) {
            Ok(variable) => match &variable.transformations[0].parameters.last() {
                Some(TransformationParameter {
                    value: TransformationValue::Text(text),
                    ..
                }) => String::from_utf8_lossy(text).into_owned(),
                _ => "no text".to_owned(),
            },
            Err(error) => error.message,
        };
        assert_eq!(text("$(var(x){s.select,1,,})"), ",");
        assert_eq!(text("$(var(x){s.select,1,}})"), "}");
        assert_eq!(text("$(var(x){re.subst,/a{2},b/c/g})"), "/a{2},b/c/g");
        assert_eq!(text("$(var(x){s.rm, b })"), "b ");
        assert_eq!(text("$(var(x){s.count,,})"), ",");
        assert_eq!(text("$(var(x){s.replace,a,})"), "");
        assert_eq!(text("$(var(x){param.value,b,,})"), ",");
    }

    #[test]
    fn malformed_variables_are_refused_where_they_are_wrong() {
        for (text, at) in [
            ("$( rm )", 0),
            ("$(avp(x)[ 1 ])", 9),
            ("$(rm {s.len})", 4),
            ("$(rm{s.len)", 10),
            ("$(rm{len})", 8),
            ("$(var(x){s.rm,$rm x})", 18),
            ("$", 0),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.span.start, at, "{text}: {}", error.message);
        }
        assert!(parse(&"$(a(".repeat(5000)).is_err());
    }
}
