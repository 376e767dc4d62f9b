//! Messages for mistakes that are often made.

use super::{Expected, Explainer};
use crate::catalogue;
use crate::diagnostic::{Diagnostic, nearest};
use crate::syntax::literal::literal_length;
use crate::syntax::token::{Kind, ROUTE_KEYWORDS};

fn syntax(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error("syntax", message)
}

impl Explainer<'_> {
    /// The message for the error at `at`, if it is a mistake that is known. `begin` is where its
    /// statement begins.
    pub(super) fn hint(
        &self,
        at: usize,
        begin: Option<usize>,
        expected: &Expected<'_>,
    ) -> Option<Diagnostic> {
        let kind = self.kind(at)?;
        self.after_a_list(at, expected)
            .or_else(|| self.after_a_token(at, kind, expected))
            .or_else(|| self.foreign_word(at, begin?, kind))
            .or_else(|| self.bare_word(at, expected))
            .or_else(|| self.foreign_sign(at, kind))
            .or_else(|| self.misplaced(at, begin, kind, expected))
    }

    /// The first word of a statement was taken for one more element of a socket list.
    fn after_a_list(&self, at: usize, expected: &Expected<'_>) -> Option<Diagnostic> {
        let ended = self.kind(at.checked_sub(1)?) == Some(Kind::EndList);
        if !ended || expected.has("ip") {
            return None;
        }
        Some(
            syntax("the list before this took its first word as one more address")
                .label(self.span(at), "unexpected")
                .note(
                    "`listen`, `alias` and `domain` go on reading names, strings and numbers \
                     up to a keyword or `;`",
                )
                .help("put a `;` after the list"),
        )
    }

    /// A name that neither a call nor a define makes a value.
    fn bare_word(&self, at: usize, expected: &Expected<'_>) -> Option<Diagnostic> {
        // At the end of a line something else is missing.
        if self.first_on_line(at) {
            return None;
        }
        let at = at.checked_sub(1)?;
        if self.kind(at) != Some(Kind::Id) || !expected.is_only("(") {
            return None;
        }
        let word = self.text(at);
        let before = at.checked_sub(1).and_then(|index| self.kind(index));
        let is_statement = matches!(
            before,
            Some(Kind::Semicolon | Kind::BraceOpen | Kind::BraceClose | Kind::Colon)
        );
        let diagnostic = match is_statement {
            true => syntax(format!("`{word}` is no statement")),
            false => syntax(format!("`{word}` is no value")),
        };
        let diagnostic = diagnostic.label(self.span(at), "neither a define nor a call");
        Some(match is_statement {
            true => diagnostic.help(format!("a call has parentheses: {word}()")),
            false => diagnostic.help(format!("text stands in quotes: \"{word}\"")),
        })
    }

    /// Two tokens that look like one thing and are two.
    fn after_a_token(&self, at: usize, kind: Kind, expected: &Expected<'_>) -> Option<Diagnostic> {
        let before = at.checked_sub(1)?;
        let text = self.text(at);
        let variable = self.text(before);
        let variable = variable.trim_start_matches('$');
        let place = self.span(at);
        match (self.kind(before)?, kind) {
            (Kind::Variable, Kind::Id) if variable == "rc" && self.touches(at) => Some(
                syntax("`$rc` is read before anything that follows it")
                    .label(self.together(before, at), "read as `$rc` and a name")
                    .help(format!("put the name in parentheses: $(rc{text}…)")),
            ),
            (Kind::Variable, Kind::Dot) if self.touches(at) => Some(
                syntax("a variable's name has no dot here")
                    .label(place, "unexpected")
                    .note("outside of strings a name with dots needs parentheses")
                    .help(format!("write $({variable}.{})", self.text(at + 1))),
            ),
            (Kind::Variable, Kind::BracketOpen) if self.touches(at) => Some(
                syntax("an index needs parentheses around the variable")
                    .label(place, "unexpected")
                    .help(format!("write $({variable}[{}])", self.text(at + 1))),
            ),
            (Kind::Str, Kind::Str) => Some(
                syntax("two strings without an operator between them")
                    .label(place, "expected an operator")
                    .label(self.span(before), "after this")
                    .note("only double-quoted strings with nothing but blanks between are one")
                    .help("join them with `+`"),
            ),
            (Kind::Comma, _)
                if expected.has("string") && self.is_merged(before.checked_sub(1)?) =>
            {
                Some(
                    syntax("a comma is missing between two strings")
                        .label(self.span(before - 1), "read as one string")
                        .label(place, "expected one more string here")
                        .note("double-quoted strings with nothing but blanks between are one"),
                )
            }
            _ => None,
        }
    }

    /// Words that other languages have.
    fn foreign_word(&self, at: usize, begin: usize, kind: Kind) -> Option<Diagnostic> {
        let place = self.span(begin);
        let ends = matches!(kind, Kind::BraceOpen | Kind::Semicolon | Kind::Assign);
        if self.kind(begin) != Some(Kind::Id) {
            return None;
        }
        match self.text(begin).as_str() {
            "elsif" | "elseif" | "elif" if kind == Kind::BraceOpen => Some(
                syntax("there is no such word for a further condition")
                    .label(place, "read as a call")
                    .help("write `else if`"),
            ),
            "for" | "foreach" if ends => Some(
                syntax("the language has no `for`")
                    .label(place, "read as a call")
                    .help("count in a `while`"),
            ),
            "continue" if ends => Some(
                syntax("the language has no `continue`")
                    .label(place, "unknown statement")
                    .help("put the rest of the loop's body in an `if`"),
            ),
            name if kind == Kind::BraceOpen && self.heads_a_block(begin, at) => {
                let blocks = ROUTE_KEYWORDS.iter().map(|(name, ..)| *name);
                let blocks = blocks.chain(["route", "event_route"]);
                let diagnostic = syntax(format!("there is no block `{name}`"))
                    .label(place, "unknown")
                    .label(self.span(at), "the block begins here");
                Some(match nearest(name, blocks) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help("a block of your own is written route[NAME] {"),
                })
            }
            name if kind == Kind::Semicolon && begin + 1 == at => Some(
                syntax(format!("`{name}` is no statement"))
                    .label(place, "a function is called with parentheses")
                    .help(format!("write: {name}();")),
            ),
            name if self.kind(begin + 1) == Some(Kind::Assign) && at > begin + 1 => {
                let diagnostic = Diagnostic::error(
                    "unknown-parameter",
                    format!("there is no parameter `{name}`"),
                )
                .label(place, "unknown")
                .label(self.span(at), "and its value is not understood");
                Some(match nearest(name, catalogue::global_names()) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                })
            }
            _ => None,
        }
    }

    /// Signs that other languages have.
    fn foreign_sign(&self, at: usize, kind: Kind) -> Option<Diagnostic> {
        let text = self.text(at);
        let unknown = |help: String| {
            syntax(format!("there is no operator `{text}`"))
                .label(self.span(at), "unknown")
                .help(help)
        };
        let operand = self.after_operand(at);
        Some(match (kind, text.as_str()) {
            (Kind::Foreign, "+=" | "-=" | "*=") => {
                unknown(format!("write: $x = $x {} …", &text[..1]))
            }
            (Kind::Foreign, "++") => unknown("write: $x = $x + 1".to_owned()),
            (Kind::Foreign, "%") => unknown("the remainder of a division is `mod`".to_owned()),
            (Kind::Foreign, _) => {
                syntax("this sign alone means nothing").label(self.span(at), "unexpected")
            }
            (Kind::Attribute, _) if text.starts_with('%') && operand => {
                syntax("there is no operator `%`")
                    .label(self.span(at), "read as an attribute")
                    .help("the remainder of a division is `mod`")
            }
            (Kind::Dot, _) if operand => unknown("strings are joined with `+`".to_owned()),
            (Kind::UnOp, "!") if operand => {
                let diagnostic = syntax("`!` stands before an operand, not between two")
                    .label(self.span(at), "unexpected");
                if self.text(at + 1) == "~" {
                    diagnostic.help("there is no `!~`: write !($x =~ …)")
                } else {
                    diagnostic
                }
            }
            (Kind::Id, "AND" | "OR" | "NOT" | "EQ" | "NE") if operand => {
                syntax(format!("`{text}` is no operator in capitals"))
                    .label(self.span(at), "read as a name")
                    .help(format!("write `{}`", text.to_ascii_lowercase()))
            }
            _ => return None,
        })
    }

    /// Words and signs of the language in a place that is not theirs.
    fn misplaced(
        &self,
        at: usize,
        begin: Option<usize>,
        kind: Kind,
        expected: &Expected<'_>,
    ) -> Option<Diagnostic> {
        let place = self.span(at);
        let before = at.checked_sub(1).and_then(|index| self.kind(index));
        Some(match kind {
            Kind::Assign if !expected.has("=") && self.after_operand(at) => {
                syntax("an assignment cannot stand here")
                    .label(place, "unexpected")
                    .note(
                        "inside of an expression it needs a variable before it and parentheses \
                         around it",
                    )
                    .help("compare with `==`")
            }
            Kind::Else if begin == Some(at) => {
                let diagnostic =
                    syntax("this `else` belongs to no `if`").label(place, "unexpected");
                let closed = at >= 2 && self.kind(at - 2) == Some(Kind::BraceClose);
                if before == Some(Kind::Semicolon) && closed {
                    diagnostic
                        .label(self.span(at - 1), "this `;` ends the `if`")
                        .help("remove the `;` between `}` and `else`")
                } else {
                    diagnostic
                }
            }
            Kind::BraceOpen if begin == Some(at) => syntax("a block alone is no statement")
                .label(place, "unexpected")
                .help("remove the braces, or put `if (1)` before them"),
            Kind::BracketClose if expected.has("event name") => {
                syntax("an event's name is missing or has no colon")
                    .label(place, "expected before this")
                    .help("write it as event_route[module:event]")
            }
            Kind::BraceOpen if before == Some(Kind::EventRoute) => {
                syntax("an event route needs a name")
                    .label(place, "expected before this")
                    .help("write: event_route[module:event] {")
            }
            _ => return None,
        })
    }

    /// True for `name {` and `name[…] {`.
    fn heads_a_block(&self, begin: usize, at: usize) -> bool {
        at == begin + 1
            || (self.kind(begin + 1) == Some(Kind::BracketOpen)
                && self.kind(at - 1) == Some(Kind::BracketClose)
                && at - begin <= 4)
    }

    fn together(&self, first: usize, last: usize) -> crate::source::Span {
        self.sources.join(self.span(first), self.span(last))
    }

    /// True for a string that was written as more than one literal.
    fn is_merged(&self, index: usize) -> bool {
        let text = self.sources.text(self.span(index));
        self.kind(index) == Some(Kind::Str)
            && literal_length(text).is_some_and(|length| length < text.len())
    }
}
