//! Says in words what a syntax error is.

use super::token::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::source::{SourceMap, Span};

/// What the parser would have accepted.
pub struct Expected<'a> {
    names: Vec<&'a str>,
}

impl<'a> Expected<'a> {
    /// From the grammar's names of terminals, which it gives in quotes.
    pub fn new(names: &'a [String]) -> Expected<'a> {
        Expected {
            names: names.iter().map(|name| name.trim_matches('"')).collect(),
        }
    }

    /// True if the terminal of that name was acceptable.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    /// In words; `None` when there is too much to be of use.
    fn words(&self) -> Option<String> {
        let mut words: Vec<String> = Vec::new();
        let mut hidden: Vec<&str> = vec!["bad", "end of list"];
        let mut group = |sign: &str, word: &str, members: &[&'static str]| {
            if self.has(sign) {
                words.push(word.to_owned());
                hidden.extend_from_slice(members);
            }
        };
        group("loadmodule", "a file-level statement", ITEM_STARTS);
        group("leave", "a statement", STATEMENT_STARTS);
        group("select", "an expression", OPERAND_STARTS);
        group("operator", "an operator", OPERATORS);
        group("id", "a name", &["id", "numid"]);
        for name in &self.names {
            if hidden.contains(name) {
                continue;
            }
            words.push(match *name {
                "number" => "a number".to_owned(),
                "string" => "a string".to_owned(),
                "ip" => "an address".to_owned(),
                "variable" | "attribute" => "a variable".to_owned(),
                "event name" => "an event's name with a colon".to_owned(),
                "equality" | "relation" => "a comparison".to_owned(),
                "protocol" => "a protocol".to_owned(),
                "word" | "subject" | "uri part" | "name" | "numid" => continue,
                sign => format!("`{sign}`"),
            });
        }
        words.sort_by_key(|word| !word.starts_with('`'));
        words.dedup();
        match words.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            [first @ .., last] if words.len() <= 5 => {
                Some(format!("{} or {last}", first.join(", ")))
            }
            _ => None,
        }
    }
}

const ITEM_STARTS: &[&str] = &[
    "loadmodule",
    "loadpath",
    "modparam",
    "cfgengine",
    "flags",
    "avpflags",
    "listen",
    "alias",
    "route",
    "route kind",
    "event_route",
    "id",
    "word",
    "default",
    ";",
];
const STATEMENT_STARTS: &[&str] = &[
    "leave",
    "break",
    "if",
    "while",
    "switch",
    "id",
    "word",
    "route",
    "variable",
    "attribute",
    ";",
];
const OPERAND_STARTS: &[&str] = &[
    "number",
    "string",
    "variable",
    "attribute",
    "select",
    "id",
    "word",
    "route",
    "(",
    "{",
    "strlen",
    "selval",
    "subject",
    "myself",
    "prefix",
    "-",
    "ip",
    "protocol",
    "uri part",
    "*",
];
const OPERATORS: &[&str] = &["equality", "relation", "operator", "-", "*", "/"];

/// Makes the messages.
pub struct Explainer<'a> {
    tokens: &'a [Token],
    sources: &'a SourceMap,
}

impl<'a> Explainer<'a> {
    pub fn new(tokens: &'a [Token], sources: &'a SourceMap) -> Explainer<'a> {
        Explainer { tokens, sources }
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    fn span(&self, index: usize) -> Span {
        match self.tokens.get(index) {
            Some(token) => token.span,
            None => self
                .tokens
                .last()
                .map_or(Span::default(), |t| t.span.after()),
        }
    }

    fn text(&self, index: usize) -> String {
        let bytes = self.sources.text(self.span(index));
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().next().unwrap_or("");
        if line.chars().count() > 30 || line.len() < text.len() {
            let short: String = line.chars().take(30).collect();
            format!("{short}…")
        } else {
            line.to_owned()
        }
    }

    /// True if no token before stands on the same line.
    pub fn first_on_line(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1) else {
            return true;
        };
        let line = |index| {
            self.sources
                .place(self.span(index))
                .map(|p| (p.file, p.line))
        };
        index >= self.tokens.len() || line(index) != line(before)
    }

    /// The configuration ended too early; `open` is the innermost brace that is open.
    pub fn at_end(&self, open: Option<usize>) -> Diagnostic {
        match open {
            Some(open) => Diagnostic::error("unclosed-block", "this block is never closed")
                .label(self.span(open), "opened here")
                .help("add the `}`"),
            None => Diagnostic::error(
                "syntax",
                "the configuration ends in the middle of a statement",
            )
            .label(self.span(self.tokens.len()), "something is missing here"),
        }
    }

    /// A route block begins at `route` while the brace at `open` is open.
    pub fn unclosed_block(&self, open: usize, route: usize) -> Diagnostic {
        Diagnostic::error("unclosed-block", "a file-level statement inside of a block")
            .label(self.span(route), "cannot stand in a block")
            .label(self.span(open), "this block is still open")
            .help("add the `}` that is missing before it")
    }

    /// A `;` is missing before the statement at `at`.
    pub fn missing_semicolon(&self, at: usize) -> Diagnostic {
        Diagnostic::error("missing-semicolon", "`;` is missing")
            .label(self.span(at - 1).after(), "`;` expected here")
            .label(self.span(at), "before this")
    }

    /// A statement stands at file level.
    pub fn outside_routes(&self, begin: usize) -> Diagnostic {
        if self.kind(begin) == Some(Kind::BraceClose) {
            return Diagnostic::error("stray-brace", "this `}` closes no block")
                .label(self.span(begin), "no block is open here")
                .note("what follows up to the next route or parameter was not checked")
                .help("remove it, or look for a `}` too many before it");
        }
        Diagnostic::error(
            "outside-routes",
            "this statement stands outside of any route block",
        )
        .label(self.span(begin), "not in a block")
        .note("what follows up to the next route or parameter was not checked")
        .help("move it into a route block, or look for a `}` too many before it")
    }

    /// The token at `at` was not expected. `begin` is where its statement begins.
    pub fn explain(&self, at: usize, begin: Option<usize>, expected: &Expected) -> Diagnostic {
        let text = self.text(at);
        let place = self.span(at);
        if let Some(diagnostic) = self.hint(at, begin, expected) {
            return diagnostic;
        }
        let reserved = matches!(
            self.kind(at),
            Some(Kind::Word | Kind::Subject | Kind::Name | Kind::Protocol | Kind::Description)
        );
        let mut diagnostic = Diagnostic::error("syntax", format!("`{text}` is not expected here"));
        diagnostic = match expected.words() {
            Some(words) => diagnostic.label(place, format!("expected {words}")),
            None => diagnostic.label(place, "unexpected"),
        };
        if reserved && expected.has("id") {
            diagnostic = diagnostic.note(format!(
                "`{text}` is a word of the language and cannot be a name"
            ));
        }
        diagnostic
    }

    /// Messages for mistakes that are often made.
    fn hint(&self, at: usize, begin: Option<usize>, expected: &Expected) -> Option<Diagnostic> {
        let text = self.text(at);
        let place = self.span(at);
        let before = at.checked_sub(1);
        let kind_before = before.and_then(|index| self.kind(index));
        let error = |message: &str| Diagnostic::error("syntax", message);
        let kind = self.kind(at)?;
        if kind_before == Some(Kind::EndList) {
            return Some(
                error("the list before this took its first word as one more address")
                    .label(place, "unexpected")
                    .note("`listen`, `alias` and `domain` go on reading names, strings and numbers up to a keyword or `;`")
                    .help("put a `;` after the list"),
            );
        }
        match (kind_before, kind) {
            (Some(Kind::Variable), Kind::Id) if self.text(at - 1) == "$rc" && self.touches(at) => {
                return Some(
                    error("`$rc` is read before anything that follows it")
                        .label(
                            self.sources.join(self.span(at - 1), place),
                            "read as `$rc` and a name",
                        )
                        .help(format!("put the name in parentheses: $(rc{text}…)")),
                );
            }
            (Some(Kind::Variable), Kind::Dot) if self.touches(at) => {
                return Some(
                    error("a variable's name has no dot here")
                        .label(place, "unexpected")
                        .note("outside of strings a name with dots needs parentheses")
                        .help(format!(
                            "write $({}.…)",
                            self.text(at - 1).trim_start_matches('$')
                        )),
                );
            }
            (Some(Kind::Variable), Kind::BracketOpen) if self.touches(at) => {
                return Some(
                    error("an index needs parentheses around the variable")
                        .label(place, "unexpected")
                        .help(format!(
                            "write $({}[…])",
                            self.text(at - 1).trim_start_matches('$')
                        )),
                );
            }
            (Some(Kind::Str), Kind::Str) => {
                return Some(
                    error("two strings without an operator between them")
                        .label(place, "expected an operator")
                        .label(self.span(at - 1), "after this")
                        .note("only double-quoted strings with nothing but blanks between them are one string")
                        .help("join them with `+`"),
                );
            }
            _ => (),
        }
        Some(match kind {
            Kind::Foreign => match text.as_str() {
                "+=" | "-=" | "*=" => error(&format!("there is no operator `{text}`"))
                    .label(place, "unknown")
                    .help(format!("write: $x = $x {} …", &text[..1])),
                "++" => error("there is no operator `++`")
                    .label(place, "unknown")
                    .help("write: $x = $x + 1"),
                "%" => error("there is no operator `%`")
                    .label(place, "unknown")
                    .help("the remainder of a division is `mod`"),
                _ => error("this sign alone means nothing").label(place, "unexpected"),
            },
            Kind::Attribute if text.starts_with('%') && expected.has("operator") => {
                error("there is no operator `%`")
                    .label(place, "read as an attribute")
                    .help("the remainder of a division is `mod`")
            }
            Kind::UnOp if text == "!" && expected.has("operator") => {
                let diagnostic = error("`!` stands before an operand, not between two").label(place, "unexpected");
                if self.text(at + 1) == "~" {
                    diagnostic.help("there is no `!~`: write !($x =~ …)")
                } else {
                    diagnostic
                }
            }
            Kind::Id if expected.has("operator") && matches!(text.as_str(), "AND" | "OR" | "NOT" | "EQ" | "NE") => {
                error(&format!("`{text}` is no operator in capitals"))
                    .label(place, "read as a name")
                    .help(format!("write `{}`", text.to_ascii_lowercase()))
            }
            Kind::Dot if expected.has("operator") => error("there is no operator `.`")
                .label(place, "unexpected")
                .help("strings are joined with `+`"),
            Kind::Assign if !expected.has("=") && expected.has("operator") => {
                error("an assignment cannot stand here")
                    .label(place, "unexpected")
                    .help("compare with `==`; an assignment inside of an expression needs a variable before it and parentheses around it")
            }
            Kind::Else if begin == Some(at) => {
                let diagnostic = error("this `else` belongs to no `if`").label(place, "unexpected");
                if kind_before == Some(Kind::Semicolon) && at >= 2 && self.kind(at - 2) == Some(Kind::BraceClose) {
                    diagnostic
                        .label(self.span(at - 1), "this `;` ends the `if`")
                        .help("remove the `;` between `}` and `else`")
                } else {
                    diagnostic
                }
            }
            Kind::BraceOpen if begin == Some(at) => error("a block alone is no statement")
                .label(place, "unexpected")
                .help("remove the braces, or put `if (1)` before them"),
            Kind::BraceOpen if self.is_word(begin, &["elsif", "elseif", "elif"]) => {
                error("there is no such word for a further condition")
                    .label(self.span(begin.unwrap_or(at)), "read as a call")
                    .help("write `else if`")
            }
            Kind::BraceOpen | Kind::Semicolon | Kind::Assign if self.is_word(begin, &["for", "foreach"]) => {
                error("the language has no `for`")
                    .label(self.span(begin.unwrap_or(at)), "read as a call")
                    .help("count in a `while`")
            }
            Kind::Semicolon if self.is_word(begin, &["continue"]) => error("the language has no `continue`")
                .label(self.span(begin.unwrap_or(at)), "unknown statement")
                .help("put the rest of the loop's body in an `if`"),
            Kind::Semicolon if begin.is_some_and(|begin| begin + 1 == at) && self.kind(at - 1) == Some(Kind::Id) => {
                error(&format!("`{}` is no statement", self.text(at - 1)))
                    .label(self.span(at - 1), "a function is called with parentheses")
                    .help(format!("write: {}();", self.text(at - 1)))
            }
            Kind::BracketClose if expected.has("event name") => {
                error("an event's name is missing or has no colon")
                    .label(place, "expected before this")
                    .help("write it as event_route[module:event]")
            }
            Kind::BraceOpen if kind_before == Some(Kind::EventRoute) => {
                error("an event route needs a name")
                    .label(place, "expected before this")
                    .help("write: event_route[module:event] {")
            }
            _ => return None,
        })
    }

    /// True if the token at `at` follows the one before it without a blank.
    fn touches(&self, at: usize) -> bool {
        at > 0 && self.span(at - 1).end == self.span(at).start
    }

    fn is_word(&self, index: Option<usize>, words: &[&str]) -> bool {
        index.is_some_and(|index| {
            self.kind(index) == Some(Kind::Id) && words.contains(&self.text(index).as_str())
        })
    }
}
