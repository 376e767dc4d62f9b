//! What the lexer remarks, put in words.

use super::Preprocessor;
use crate::diagnostic::{Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::lexer::{DIRECTIVES, Remark};
use crate::syntax::literal;
use crate::syntax::token::Kind;

impl Preprocessor<'_> {
    /// Reports what the lexer found at `span`, and puts a token there if the text needs one.
    pub(super) fn remark(&mut self, remark: Remark, span: Span) {
        let text = String::from_utf8_lossy(self.sources.text(span)).into_owned();
        match remark {
            Remark::Dropped => self.diagnostics.push(
                Diagnostic::warning("dropped-characters", "these characters mean nothing here")
                    .label(span, "ignored")
                    .note("Kamailio drops characters that start no word or sign, and says nothing")
                    .help("remove them"),
            ),
            Remark::NumberCut => self.number_cut(&text, span),
            Remark::UnknownDirective => self.unknown_directive(&text, span),
            Remark::IgnoredDirective => self.diagnostics.push(
                Diagnostic::warning("ignored-directive", "this directive is read as a comment")
                    .label(span, "has no effect")
                    .note(
                        "`#!else` and `#!endif` count only with nothing but blanks up to a line \
                         feed, which must be there",
                    )
                    .help("end the line right after the word"),
            ),
            Remark::IgnoredMode => self.ignored_mode(&text, span),
            Remark::UnterminatedString => self.unterminated_string(span),
            Remark::UnterminatedVariable => {
                self.diagnostics.push(
                    Diagnostic::error("unterminated-variable", "this variable is never closed")
                        .label(span, "no closing parenthesis on its line")
                        .note("parentheses are counted, also those inside quotes")
                        .help("add the `)`"),
                );
                self.token(Kind::Bad, 0, span);
            }
            Remark::BadSelect => {
                self.diagnostics.push(
                    Diagnostic::error("bad-select", "this select is not complete")
                        .label(span, "a name is missing or a bracket is not closed")
                        .help("write it as `@name.name[1].name`, without blanks"),
                );
                self.token(Kind::Bad, 0, span);
            }
        }
    }

    fn number_cut(&mut self, text: &str, span: Span) {
        let value = literal::number(text.as_bytes()).map_or(0, |number| number.value);
        self.diagnostics.push(
            Diagnostic::warning("number-cut", "this number does not fit 32 bits")
                .label(span, format!("read as {value}"))
                .note("number literals are cut to 32 bits in every version of the language")
                .help("write it as a string where a larger number is meant"),
        );
        self.token(Kind::Number, value, span);
    }

    fn unknown_directive(&mut self, text: &str, span: Span) {
        let word = text.trim_start_matches(['#', '!']);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let names = DIRECTIVES.iter().map(|(name, _)| *name);
        let word = &word[..end.unwrap_or(word.len())];
        if let Some(near) = nearest(word, names) {
            self.diagnostics.push(
                Diagnostic::warning("unknown-directive", "this directive does not exist")
                    .label(span, "read as a comment")
                    .help(format!("did you mean `#!{near}`?")),
            );
        }
    }

    fn ignored_mode(&mut self, text: &str, span: Span) {
        // A word that only begins like a mode is a comment like any other.
        let word = text.trim_start_matches(['#', '!', '/']);
        let next = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
        if next.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return;
        }
        self.diagnostics.push(
            Diagnostic::warning("ignored-mode", "this mode line is read as a comment")
                .label(span, "has no effect")
                .note("it counts only when a line feed follows the word at once")
                .help("end the line right after the word, without a blank or carriage return"),
        );
    }

    fn unterminated_string(&mut self, span: Span) {
        let diagnostic = Diagnostic::error("unterminated-string", "this string is never closed")
            .label(span.sub(0, 1), "opened here")
            .note("a string may go on over lines, so all that follows is part of it")
            .help("add the closing quote");
        if self.in_expansion() {
            self.diagnostics.push(diagnostic);
            self.token(Kind::Bad, 0, span);
        } else {
            self.stop(diagnostic);
        }
    }
}
