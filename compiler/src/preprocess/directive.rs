//! What each `#!directive` does with its line.

use super::Preprocessor;
use super::defines::{Define, IfDefined};
use super::evaluate::{self, Value};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, TextOrigin};
use crate::syntax::lexer::{Directive, Lexeme, Lexer, Remark, blank_prefix};
use crate::syntax::literal::Locator;

impl Preprocessor<'_> {
    /// Carries out the directive whose word was just read.
    pub(super) fn directive(&mut self, directive: Directive, word: Span) {
        if self.in_expansion() {
            self.diagnostics.push(
                Diagnostic::error("directive-in-define", "a define cannot hold a directive")
                    .label(word, "comes from a define"),
            );
            self.frames.pop();
            return;
        }
        match directive {
            Directive::Define => self.define(word, IfDefined::Refuse),
            Directive::TryDefine => self.define(word, IfDefined::Keep),
            Directive::Redefine => self.define(word, IfDefined::Replace),
            Directive::Undefine => self.undefine(word, false),
            Directive::TryUndefine => self.undefine(word, true),
            Directive::IfDef => self.if_defined(word, true),
            Directive::IfNotDef => self.if_defined(word, false),
            Directive::IfExp => {
                let line = self.rest_of_line();
                let value = self.evaluate(line);
                self.conditional(word, value.is_some_and(|value| value.is_true()));
            }
            Directive::Else => self.otherwise(word),
            Directive::EndIf => self.end_if(word),
            Directive::DefExp { quoted } => self.define_expression(word, quoted),
            Directive::DefEnv { quoted, optional } => {
                self.define_environment(word, quoted, optional);
            }
            Directive::Subst => self.subst(word, None),
            Directive::SubstDef { quoted } => self.subst(word, Some(quoted)),
        }
    }

    fn lexer(&mut self) -> Option<&mut Lexer> {
        self.frames.last_mut().map(|frame| &mut frame.lexer)
    }

    /// The rest of the line without blanks before it.
    fn rest_of_line(&mut self) -> Span {
        let Some(lexer) = self.lexer() else {
            return Span::default();
        };
        let blanks = blank_prefix(lexer.rest(), false);
        lexer.advance(blanks);
        let length = lexer.line_length();
        lexer.advance(length)
    }

    /// The identifier that comes next on the line. A missing one is reported when `required`.
    fn name(&mut self, word: Span, required: bool) -> Option<Span> {
        let lexer = self.lexer()?;
        let blanks = blank_prefix(lexer.rest(), false);
        let rest = &lexer.rest()[blanks..];
        let is_name = rest
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        let length = rest
            .iter()
            .take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'_')
            .count();
        if is_name && blanks > 0 {
            lexer.advance(blanks);
            let name = lexer.advance(length);
            self.no_dash(name);
            return Some(name);
        }
        let shown = lexer.line_length();
        let line = lexer.advance(shown);
        let text = String::from_utf8_lossy(self.sources.text(word)).into_owned();
        let diagnostic = if required {
            Diagnostic::error("bad-directive", format!("`{text}` needs a name"))
        } else {
            Diagnostic::warning(
                "bad-directive",
                format!("`{text}` without a name has no effect"),
            )
        };
        let place = self.sources.join(word, line);
        self.diagnostics.push(
            diagnostic
                .label(place, "a name is expected after the word")
                .note("a name has letters, digits and underscores and starts with no digit"),
        );
        None
    }

    /// A dash right after the name of a define is refused.
    fn no_dash(&mut self, name: Span) {
        let Some(lexer) = self.lexer() else {
            return;
        };
        if lexer.rest().first() == Some(&b'-') {
            let dash = lexer.advance(1);
            self.diagnostics.push(
                Diagnostic::error("bad-directive", "a define's name cannot have a dash")
                    .label(self.sources.join(name, dash), "not allowed")
                    .help("use an underscore"),
            );
        }
    }

    fn text_of(&self, span: Span) -> Box<[u8]> {
        self.sources.text(span).into()
    }

    fn define(&mut self, word: Span, if_defined: IfDefined) {
        let Some(defined_at) = self.name(word, false) else {
            return;
        };
        let name = self.text_of(defined_at);
        // The end of an included file is followed by what stands after its name.
        let included = self.frames.len() > 1;
        let Some(lexer) = self.lexer() else {
            return;
        };
        let blanks = blank_prefix(lexer.rest(), false);
        lexer.advance(blanks);
        // A backslash before the line feed carries the value on to the next line.
        let rest = lexer.rest();
        let end = memchr::memchr_iter(b'\n', rest).find(|&at| at == 0 || rest[at - 1] != b'\\');
        let complete = end.is_some() || included;
        let value = lexer.advance(end.unwrap_or(rest.len()));
        if !complete && !value.is_empty() {
            self.diagnostics.push(
                Diagnostic::warning("lost-value", "the value of this define is lost")
                    .label(value, "not taken")
                    .note("a value counts only if a line feed ends it")
                    .help("end the file with a line feed"),
            );
        }
        let value_span = (complete && !value.is_empty()).then_some(value);
        let define = Define {
            defined_at,
            value_span,
        };
        self.add_define(&name, define, if_defined);
    }

    fn undefine(&mut self, word: Span, optional: bool) {
        let Some(span) = self.name(word, false) else {
            return;
        };
        let name = self.text_of(span);
        if !self.defines.remove(&name) && !optional {
            let name = String::from_utf8_lossy(&name);
            self.diagnostics.push(
                Diagnostic::warning("not-defined", format!("`{name}` is not defined"))
                    .label(span, "nothing to remove")
                    .help("use `#!tryundef` where that may be so"),
            );
        }
    }

    fn if_defined(&mut self, word: Span, expected: bool) {
        let name = self.name(word, true);
        let defined = name.is_some_and(|span| self.defines.contains(self.sources.text(span)));
        // Whatever follows the name on its line counts for nothing.
        self.rest_of_line();
        self.conditional(word, defined == expected);
    }

    /// Value of the expression at `line`; errors are reported as warnings, since they only make a
    /// condition false.
    fn evaluate(&mut self, line: Span) -> Option<Value> {
        let text = self.sources.text(line);
        let lookup = |name: &[u8]| self.defines.value(name, &self.sources);
        match evaluate::evaluate(text, &lookup) {
            Ok(value) => Some(value),
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::warning("bad-expression", "this expression cannot be evaluated")
                        .label(line.sub(error.at, error.at + 1), error.message)
                        .note("a condition that cannot be evaluated does not hold"),
                );
                None
            }
        }
    }

    fn define_expression(&mut self, word: Span, quoted: bool) {
        let Some(defined_at) = self.name(word, true) else {
            return;
        };
        let name = self.text_of(defined_at);
        let line = self.rest_of_line();
        let Some(value) = self.evaluate(line) else {
            return;
        };
        let text = value.to_text();
        let value = quote(text.as_bytes(), quoted);
        let span = self.computed("<computed value>", &value, TextOrigin::Computed);
        let define = Define {
            defined_at,
            value_span: Some(span),
        };
        self.add_define(&name, define, IfDefined::Refuse);
    }

    fn define_environment(&mut self, word: Span, quoted: bool, optional: bool) {
        let Some(defined_at) = self.name(word, true) else {
            return;
        };
        let name = self.text_of(defined_at);
        let mut variable = defined_at;
        if let Some(lexer) = self.lexer()
            && lexer.rest().first() == Some(&b'=')
        {
            lexer.advance(1);
            let length = lexer
                .rest()
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            variable = lexer.advance(length);
            self.no_dash(variable);
        }
        let variable_name = String::from_utf8_lossy(self.sources.text(variable)).into_owned();
        let Some(value) = self.loader.environment(&variable_name) else {
            if !optional {
                self.diagnostics.push(
                    Diagnostic::error(
                        "unset-environment",
                        format!("the environment variable `{variable_name}` is not set"),
                    )
                    .label(variable, "not set")
                    .help("set it, or use `#!trydefenv` where it may be unset"),
                );
            }
            return;
        };
        let value = quote(&value, quoted);
        let label = format!("<environment: {variable_name}>");
        let span = self.computed(&label, &value, TextOrigin::Environment);
        let define = Define {
            defined_at,
            value_span: (!value.is_empty()).then_some(span),
        };
        self.add_define(&name, define, IfDefined::Refuse);
    }

    /// `#!subst` and, with `define` saying whether to quote, `#!substdef` and `#!substdefs`.
    fn subst(&mut self, word: Span, define: Option<bool>) {
        self.output.end_statement();
        if self.output.in_block() {
            self.diagnostics.push(
                Diagnostic::error("bad-directive", "a substitution cannot stand in a block")
                    .label(word, "in a block")
                    .help("move it to the top of the file"),
            );
        }
        let Some(span) = self.rule_string() else {
            if self.stopped {
                return;
            }
            self.diagnostics.push(
                Diagnostic::error("bad-directive", "a substitution needs a string")
                    .label(word, "after this")
                    .help("write it as #!subst \"/search/replacement/\""),
            );
            self.rest_of_line();
            return;
        };
        let Some((value, span)) = self.string_value(span) else {
            return;
        };
        let locator = if value.exact {
            Locator::of_literals(self.sources.text(span), span)
        } else {
            Locator::whole(span)
        };
        self.add_rule(&value.value, span, &locator, define);
    }

    /// The string literal that comes next, which a define may give. Nothing is passed when
    /// something else comes.
    fn rule_string(&mut self) -> Option<Span> {
        let mode = self.mode;
        loop {
            let mut ahead = self.lexer()?.clone();
            match ahead.next(mode) {
                (Lexeme::Str, span) => {
                    *self.lexer()? = ahead;
                    return Some(span);
                }
                (Lexeme::Id, span) if self.defines.get_entry(self.sources.text(span)).is_some() => {
                    *self.lexer()? = ahead;
                    if !self.expand(span) || self.stopped {
                        return None;
                    }
                }
                (Lexeme::End, _) if self.in_expansion() => self.close_frame(),
                (Lexeme::Remark(remark @ Remark::UnterminatedString), span) => {
                    *self.lexer()? = ahead;
                    self.remark(remark, span);
                    return None;
                }
                _ => return None,
            }
        }
    }

    /// Adds the define of a `#!substdef`.
    pub(super) fn define_substituted(
        &mut self,
        name: &[u8],
        value: &[u8],
        span: Span,
        quoted: bool,
    ) {
        let value = quote(value, quoted);
        let value_span = self.computed("<substituted value>", &value, TextOrigin::Computed);
        let define = Define {
            defined_at: span,
            value_span: (!value.is_empty()).then_some(value_span),
        };
        self.add_define(name, define, IfDefined::Refuse);
    }
}

fn quote(value: &[u8], quoted: bool) -> Vec<u8> {
    if quoted {
        [b"\"", value, b"\""].concat()
    } else {
        value.to_vec()
    }
}
