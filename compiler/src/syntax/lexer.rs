//! The lexer: one text in, lexemes out (language reference §1).
//!
//! It knows nothing of defines, includes or other texts: the preprocessor owns one lexer for each
//! file and for each expansion it is reading, and turns lexemes into tokens.
//!
//! Invariant: every call moves forward by at least one byte or returns [`Lexeme::End`], and looks at
//! each byte a bounded number of times.

mod address;
mod lexeme;
mod sigil;

use std::sync::Arc;

use address::{address_prefix, event_name_prefix, mask_prefix};
pub use lexeme::{DIRECTIVES, Directive, IncludeKind, Lexeme, Mode, Open, Remark};

use super::literal;
use super::token::{Kind, binary_op_index, keyword};
use crate::source::{ExpansionId, Span};
use crate::syntax::ast::BinaryOp;

/// Reads one text.
#[derive(Clone, Debug)]
pub struct Lexer {
    text: Arc<[u8]>,
    /// Next byte to read, and the end of the part to read.
    at: usize,
    end: usize,
    /// Position of the text's first byte.
    base: u32,
    expansion: ExpansionId,
    /// Inside `event_route[…]`.
    event_name: bool,
    /// The comment left open at the end, and where it began.
    pub open: Option<(Open, Span)>,
}

impl Lexer {
    /// A lexer for the bytes of `part`, which is inside the text that starts at position `base`.
    pub fn new(text: Arc<[u8]>, base: u32, part: Span, expansion: ExpansionId) -> Lexer {
        let end = (part.end.saturating_sub(base) as usize).min(text.len());
        Lexer {
            at: (part.start.saturating_sub(base) as usize).min(end),
            end,
            text,
            base,
            expansion,
            event_name: false,
            open: None,
        }
    }

    /// The span from byte `from` to byte `to` of the text.
    fn span(&self, from: usize, to: usize) -> Span {
        Span {
            start: self.base + from as u32,
            end: self.base + to as u32,
            expansion: self.expansion,
        }
    }

    /// The empty span where the lexer stands.
    pub fn here(&self) -> Span {
        self.span(self.at, self.at)
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &[u8] {
        &self.text[self.at..self.end]
    }

    /// The byte `ahead` of the next one; 0 at the end.
    fn peek(&self, ahead: usize) -> u8 {
        self.rest().get(ahead).copied().unwrap_or(0)
    }

    /// Moves forward; gives the span of the bytes passed.
    pub fn advance(&mut self, bytes: usize) -> Span {
        let from = self.at;
        self.at = (self.at + bytes).min(self.end);
        self.span(from, self.at)
    }

    /// Number of bytes to the end of the line, its line feed not counted.
    pub fn line_length(&self) -> usize {
        memchr::memchr(b'\n', self.rest()).unwrap_or(self.end - self.at)
    }

    /// True when the next byte is a double quote, blanks passed. Nothing is passed otherwise.
    pub fn at_next_string(&mut self) -> bool {
        let blanks = blank_prefix(self.rest(), true);
        let found = self.peek(blanks) == b'"';
        if found {
            self.at += blanks;
        }
        found
    }

    /// True when only blanks are left.
    pub fn is_blank_to_end(&self) -> bool {
        blank_prefix(self.rest(), true) == self.rest().len()
    }

    /// Goes on inside a comment that was opened in the text before.
    pub fn resume(&mut self, open: Open, start: Span) {
        match open {
            Open::Line => self.skip_line_comment(start),
            Open::Block(depth) => self.skip_block_comment(depth, start),
        }
    }

    /// If the text goes on with `.` or `-` and a letter or digit, takes the rest of a host name that
    /// started at the lexeme just read, and gives the span of that rest.
    pub fn host_tail(&mut self) -> Option<Span> {
        let from = self.at;
        while matches!(self.peek(0), b'.' | b'-') && is_word(self.peek(1)) {
            let word = self.rest()[1..].iter().take_while(|&&b| is_word(b));
            let length = 1 + word.count();
            self.at += length;
        }
        (self.at > from).then(|| self.span(from, self.at))
    }

    /// Reads the next lexeme and its place.
    pub fn next(&mut self, mode: Mode) -> (Lexeme, Span) {
        if self.event_name {
            return self.next_in_event_name();
        }
        loop {
            self.at += blank_prefix(self.rest(), true);
            let from = self.at;
            if from >= self.end {
                return (Lexeme::End, self.here());
            }
            match (self.peek(0), self.peek(1)) {
                (b'#' | b'!', b'!') => {
                    if let Some(lexeme) = self.directive() {
                        return (lexeme, self.span(from, self.at));
                    }
                    if self.at > from {
                        continue;
                    }
                }
                (b'#', _) => {
                    let start = self.span(from, from + 1);
                    self.skip_line_comment(start);
                    continue;
                }
                (b'/', b'/') => {
                    if self.peek(2) == b'!'
                        && let Some(lexeme) = self.mode_line(3)
                    {
                        return (lexeme, self.span(from, self.at));
                    }
                    let start = self.span(from, from + 2);
                    self.skip_line_comment(start);
                    continue;
                }
                (b'/', b'*') => {
                    let start = self.span(from, from + 2);
                    self.at += 2;
                    self.skip_block_comment(1, start);
                    continue;
                }
                (b'\\', b'\n') => {
                    self.at += 2;
                    continue;
                }
                _ => (),
            }
            let lexeme = self.token(mode);
            return (lexeme, self.span(from, self.at));
        }
    }

    fn skip_line_comment(&mut self, start: Span) {
        match memchr::memchr(b'\n', self.rest()) {
            Some(length) => self.at += length + 1,
            None => {
                self.at = self.end;
                self.open = Some((Open::Line, start));
            }
        }
    }

    fn skip_block_comment(&mut self, mut depth: u32, start: Span) {
        while depth > 0 {
            let Some(found) = memchr::memchr2(b'*', b'/', self.rest()) else {
                self.at = self.end;
                break;
            };
            self.at += found;
            match (self.peek(0), self.peek(1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                }
                (b'/', b'*') => {
                    depth = depth.saturating_add(1);
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        if depth > 0 {
            self.at = self.end;
            self.open = Some((Open::Block(depth), start));
        }
    }

    /// At `#!` or `!!`: reads a directive or a mode line. A comment or a line that only looks like a
    /// directive is passed. Nothing is passed when `!!` are two operators.
    fn directive(&mut self) -> Option<Lexeme> {
        let from = self.at;
        let comment = self.peek(0) == b'#';
        let word: usize = self.rest()[2..].iter().take_while(|&&b| is_word(b)).count();
        let word = &self.text[from + 2..from + 2 + word];
        let after = from + 2 + word.len();
        if word == b"include_file" || word == b"import_file" {
            let kind = if word == b"include_file" {
                IncludeKind::Include
            } else {
                IncludeKind::Import
            };
            self.at = after;
            return Some(Lexeme::Include(kind));
        }
        let known = DIRECTIVES
            .iter()
            .find(|(name, _)| name.as_bytes() == word)
            .or_else(|| subst_prefix(word));
        if let Some(&(name, directive)) = known {
            self.at = from + 2 + name.len();
            if matches!(directive, Directive::Else | Directive::EndIf) {
                let blanks = blank_prefix(self.rest(), false);
                if self.peek(blanks) == b'\n' && self.at + blanks < self.end {
                    self.at += blanks;
                } else {
                    self.at += self.line_length();
                    return Some(Lexeme::Remark(Remark::IgnoredDirective));
                }
            }
            return Some(Lexeme::Directive(directive));
        }
        let unknown = !word.is_empty();
        // With `!!` a mode's word is code after two operators.
        if comment && let Some(lexeme) = self.mode_line(2) {
            return Some(lexeme);
        }
        if comment {
            let start = self.span(from, from + 2);
            if unknown {
                self.at += self.line_length();
                return Some(Lexeme::Remark(Remark::UnknownDirective));
            }
            self.skip_line_comment(start);
        }
        None
    }

    /// A mode line whose word starts `skip` bytes ahead.
    fn mode_line(&mut self, skip: usize) -> Option<Lexeme> {
        let line = &self.rest()[skip.min(self.rest().len())..self.line_length().max(skip)];
        let letters = line.iter().take_while(|b| b.is_ascii_uppercase()).count();
        let mode = match &line[..letters] {
            b"KAMAILIO" | b"OPENSER" => Mode::Kamailio,
            b"SER" => Mode::Ser,
            b"MAXCOMPAT" | b"ALL" => Mode::MaxCompat,
            _ => return None,
        };
        let exact = letters == line.len() && self.peek(skip + letters) == b'\n';
        self.at += self.line_length();
        Some(if exact {
            Lexeme::Mode(mode)
        } else {
            Lexeme::Remark(Remark::IgnoredMode)
        })
    }

    fn token(&mut self, mode: Mode) -> Lexeme {
        let first = self.peek(0);
        if (matches!(first, b':' | b'[') || first.is_ascii_hexdigit())
            && let Some(length) = address_prefix(self.rest())
        {
            self.at += length + mask_prefix(&self.rest()[length..]);
            return Lexeme::Token(Kind::Ip, 0);
        }
        match first {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.word(),
            b'0'..=b'9' => self.number(),
            b'"' | b'\'' => match literal::literal_length(self.rest()) {
                Some(length) => {
                    self.at += length;
                    Lexeme::Str
                }
                None => {
                    self.at = self.end;
                    Lexeme::Remark(Remark::UnterminatedString)
                }
            },
            b'$' => self.dollar(mode),
            b'%' => self.percent(),
            b'@' => self.select(),
            _ => self.punctuation(),
        }
    }

    fn word(&mut self) -> Lexeme {
        let length = self.rest().iter().take_while(|&&b| is_word(b)).count();
        let word = &self.text[self.at..self.at + length];
        self.at += length;
        match word {
            b"include_file" => return Lexeme::Include(IncludeKind::Include),
            b"import_file" => return Lexeme::Include(IncludeKind::Import),
            // Keywords since 5.7; as names they stay usable.
            b"domain" | b"socket" => {
                let blanks = blank_prefix(self.rest(), true);
                if self.peek(blanks) != b'=' || matches!(self.peek(blanks + 1), b'=' | b'~') {
                    return Lexeme::Id;
                }
            }
            _ => (),
        }
        for (part, kind, value) in [
            (b":len".as_slice(), Kind::Subject, 19),
            (b":host", Kind::UriPart, 0),
            (b":port", Kind::UriPart, 1),
        ] {
            let head: &[u8] = if kind == Kind::Subject {
                b"msg"
            } else {
                b"uri"
            };
            if word == head && self.rest().starts_with(part) && !is_word(self.peek(part.len())) {
                self.at += part.len();
                return Lexeme::Token(kind, value);
            }
        }
        match keyword(word) {
            Some((Kind::EventRoute, value)) => {
                self.event_name = true;
                Lexeme::Token(Kind::EventRoute, value)
            }
            Some((kind, value)) => Lexeme::Token(kind, value),
            None => Lexeme::Id,
        }
    }

    fn number(&mut self) -> Lexeme {
        let length = self.rest().iter().take_while(|&&b| is_word(b)).count();
        let word = &self.text[self.at..self.at + length];
        let number = literal::number(word);
        self.at += length;
        match number {
            Some(number) if number.cut => Lexeme::Remark(Remark::NumberCut),
            Some(number) => Lexeme::Token(Kind::Number, number.value),
            None => Lexeme::Token(Kind::NumId, 0),
        }
    }

    fn punctuation(&mut self) -> Lexeme {
        let rest = self.rest();
        for (text, kind, value) in LONG_SIGNS {
            if rest.starts_with(text.as_bytes()) {
                self.at += text.len();
                return Lexeme::Token(kind, value);
            }
        }
        let op = |op| (Kind::BinOp, binary_op_index(op));
        let (kind, value) = match rest.first() {
            Some(b'{') => (Kind::BraceOpen, 0),
            Some(b'}') => (Kind::BraceClose, 0),
            Some(b'(') => (Kind::ParenOpen, 0),
            Some(b')') => (Kind::ParenClose, 0),
            Some(b'[') => (Kind::BracketOpen, 0),
            Some(b']') => (Kind::BracketClose, 0),
            Some(b';') => (Kind::Semicolon, 0),
            Some(b',') => (Kind::Comma, 0),
            Some(b':') => (Kind::Colon, 0),
            Some(b'.') => (Kind::Dot, 0),
            Some(b'=') => (Kind::Assign, 0),
            Some(b'<') => (Kind::RelOp, binary_op_index(BinaryOp::Less)),
            Some(b'>') => (Kind::RelOp, binary_op_index(BinaryOp::Greater)),
            Some(b'-') => (Kind::Minus, 0),
            Some(b'*') => (Kind::Star, 0),
            Some(b'/') => (Kind::Slash, 0),
            Some(b'!') => (Kind::UnOp, 0),
            Some(b'~') => (Kind::UnOp, 1),
            Some(b'|') => op(BinaryOp::BitOr),
            Some(b'&') => op(BinaryOp::BitAnd),
            Some(b'^') => op(BinaryOp::BitXor),
            Some(b'+') => op(BinaryOp::Add),
            _ => return self.dropped(),
        };
        self.at += 1;
        Lexeme::Token(kind, value)
    }

    /// Passes a run of bytes that start no token.
    fn dropped(&mut self) -> Lexeme {
        let run = self.rest().iter().take_while(|&&byte| {
            !byte.is_ascii()
                || matches!(byte, b'?' | b'`' | b'\\' | 0x7f)
                || (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 8))
        });
        self.at += run.count().max(1);
        Lexeme::Remark(Remark::Dropped)
    }

    /// Between `event_route` and `]` only brackets and names count.
    fn next_in_event_name(&mut self) -> (Lexeme, Span) {
        let mut dropped: Option<usize> = None;
        loop {
            let from = self.at;
            let byte = self.peek(0);
            let found = if from >= self.end {
                Some((Lexeme::End, 0))
            } else if byte == b'[' {
                Some((Lexeme::Token(Kind::BracketOpen, 0), 1))
            } else if byte == b']' {
                self.event_name = false;
                Some((Lexeme::Token(Kind::BracketClose, 0), 1))
            } else if matches!(byte, b'{' | b'}' | b';') {
                // The name is missing; what follows is code again.
                self.event_name = false;
                return self.next(Mode::default());
            } else {
                event_name_prefix(self.rest())
                    .map(|length| (Lexeme::Token(Kind::EventName, 0), length))
            };
            if let Some((lexeme, length)) = found {
                let named = matches!(lexeme, Lexeme::Token(Kind::EventName, _));
                if let Some(start) = dropped
                    && named
                {
                    return (Lexeme::Remark(Remark::Dropped), self.span(start, from));
                }
                self.at += length;
                return (lexeme, self.span(from, self.at));
            }
            self.at += 1;
            // Quotes around the name are common and harmless.
            let silent = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 8 | b'"' | b'\'');
            if !silent && dropped.is_none() {
                dropped = Some(from);
            }
        }
    }
}

/// Signs of more than one character, longest first.
const LONG_SIGNS: [(&str, Kind, i32); 15] = [
    ("(int)", Kind::UnOp, 3),
    ("(str)", Kind::UnOp, 4),
    ("!=", Kind::EqOp, 8),
    ("==", Kind::EqOp, 7),
    ("=~", Kind::EqOp, 9),
    ("<<", Kind::BinOp, 5),
    (">>", Kind::BinOp, 6),
    ("<=", Kind::RelOp, 16),
    (">=", Kind::RelOp, 17),
    ("&&", Kind::BinOp, 1),
    ("||", Kind::BinOp, 0),
    ("+=", Kind::Foreign, 0),
    ("-=", Kind::Foreign, 0),
    ("++", Kind::Foreign, 0),
    ("*=", Kind::Foreign, 0),
];

/// The `subst` directive at the start of `word`: what follows these words need not be apart.
fn subst_prefix(word: &[u8]) -> Option<&'static (&'static str, Directive)> {
    let starts = |(name, _): &&(&str, Directive)| {
        name.starts_with("subst") && word.starts_with(name.as_bytes())
    };
    DIRECTIVES
        .iter()
        .filter(starts)
        .max_by_key(|(name, _)| name.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Number of blanks at the start of `text`, with line feeds if `lines`.
pub fn blank_prefix(text: &[u8], lines: bool) -> usize {
    text.iter()
        .take_while(|&&byte| matches!(byte, b' ' | b'\t' | b'\r' | 8) || (lines && byte == b'\n'))
        .count()
}

#[cfg(test)]
mod tests;
