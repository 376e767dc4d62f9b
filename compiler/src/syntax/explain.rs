//! Says in words what a syntax error is.

mod hints;

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

    /// True if nothing but the terminal of that name was acceptable.
    pub fn is_only(&self, name: &str) -> bool {
        self.names == [name]
    }

    /// In words; `None` when there is too much to be of use.
    ///
    /// After an operand the parser may have closed expressions before it saw the error, and no
    /// longer tells that an operator could have followed.
    fn words(&self, after_operand: bool) -> Option<String> {
        let mut words: Vec<String> = Vec::new();
        let closes = [")", ";", ",", ":", "{"].iter().any(|sign| self.has(sign));
        if after_operand && closes && !self.has("operator") {
            words.push("an operator".to_owned());
        }
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
        if !self.has("select") && !self.has("leave") {
            group("id", "a name", &["id", "numid"]);
        }
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
                "word" | "core call" | "bare call" | "subject" | "uri part" | "name" | "numid" => {
                    continue;
                }
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
    "core call",
    "bare call",
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
    "core call",
    "bare call",
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
    "core call",
    "bare call",
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

    /// The sign `sign` is missing before the token at `at`.
    pub fn missing(&self, sign: &str, at: usize) -> Diagnostic {
        let code = match sign {
            ";" => "missing-semicolon",
            _ => "syntax",
        };
        Diagnostic::error(code, format!("`{sign}` is missing"))
            .label(self.span(at - 1).after(), format!("`{sign}` expected here"))
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
        // The end of a list has no text of its own: what follows it came too early.
        let at = at + usize::from(self.kind(at) == Some(Kind::EndList));
        let text = self.text(at);
        let place = self.span(at);
        if let Some(diagnostic) = self.hint(at, begin, expected) {
            return diagnostic;
        }
        let reserved = matches!(
            self.kind(at),
            Some(
                Kind::Word
                    | Kind::CoreCall
                    | Kind::BareCall
                    | Kind::Subject
                    | Kind::Name
                    | Kind::Protocol
                    | Kind::Description
            )
        );
        let mut diagnostic = Diagnostic::error("syntax", format!("`{text}` is not expected here"));
        diagnostic = match expected.words(self.after_operand(at)) {
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

    /// True if what comes before `at` can be the end of an operand.
    fn after_operand(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|index| self.kind(index));
        matches!(
            before,
            Some(
                Kind::Number
                    | Kind::Str
                    | Kind::Variable
                    | Kind::Attribute
                    | Kind::Select
                    | Kind::ParenClose
                    | Kind::BracketClose
                    | Kind::BareCall
            )
        )
    }

    /// True if the token at `at` follows the one before it without a blank.
    fn touches(&self, at: usize) -> bool {
        at > 0 && self.span(at - 1).end == self.span(at).start
    }
}
