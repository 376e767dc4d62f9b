//! Tokens that start with `$`, `%` or `@` (language reference §1.6, §3.6).

use super::{Lexeme, Lexer, Mode, Remark, is_word};
use crate::catalogue;
use crate::syntax::token::Kind;

/// Lists an old-style attribute can be in.
const ATTRIBUTE_CLASSES: [&[u8]; 9] = [b"f", b"t", b"fr", b"tr", b"fu", b"tu", b"fd", b"td", b"g"];

impl Lexer {
    /// At `$`. The value of a variable token is 1 after `#!KAMAILIO`.
    pub(super) fn dollar(&mut self, mode: Mode) -> Lexeme {
        let variable = Lexeme::Token(Kind::Variable, i32::from(mode == Mode::Kamailio));
        let attribute = Lexeme::Token(Kind::Attribute, 0);
        if self.peek(1) == b'(' {
            return self.parenthesised(1, variable);
        }
        if self.peek(1) == b'?' {
            self.at += 2;
            return variable;
        }
        let rest = self.rest();
        for code in [b"retcode".as_slice(), b"rc"] {
            // Read first whatever follows, so that `$rcv` is `$rc` and `v`.
            if rest[1..].starts_with(code) {
                self.at += 1 + code.len();
                return variable;
            }
        }
        let name = name_length(&rest[1..]);
        if name == 0 {
            self.at += 1;
            return Lexeme::Token(Kind::Foreign, 0);
        }
        let after = 1 + name;
        match self.peek(after) {
            b'(' if mode != Mode::Ser => self.parenthesised(after, variable),
            b'.' if mode != Mode::Kamailio && self.is_class(1, after) => {
                self.at += after + 1 + name_length(&self.rest()[after + 1..]);
                attribute
            }
            b'[' if mode == Mode::MaxCompat => {
                let known = std::str::from_utf8(&self.rest()[1..after])
                    .is_ok_and(|name| catalogue::pv(name).next().is_some());
                self.at += after;
                if known { variable } else { attribute }
            }
            _ => {
                self.at += after;
                if mode == Mode::Ser {
                    attribute
                } else {
                    variable
                }
            }
        }
    }

    /// True when the name from byte `from` to byte `to` ahead is a class, and `.name` follows.
    fn is_class(&self, from: usize, to: usize) -> bool {
        ATTRIBUTE_CLASSES.contains(&&self.rest()[from..to])
            && name_length(&self.rest()[to + 1..]) > 0
    }

    /// Takes everything to the parenthesis that closes the one `open` bytes ahead.
    fn parenthesised(&mut self, open: usize, lexeme: Lexeme) -> Lexeme {
        let mut depth = 0usize;
        let mut at = open;
        while let Some(found) = self.rest()[at..]
            .iter()
            .position(|byte| matches!(byte, b'(' | b')' | b'\n'))
        {
            at += found;
            match self.rest()[at] {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => break,
            }
            at += 1;
            if depth == 0 {
                self.at += at;
                return lexeme;
            }
        }
        // What ends the statement on this line most likely still does.
        let line = &self.rest()[..self.line_length()];
        self.at += memchr::memchr(b';', line).unwrap_or(line.len());
        Lexeme::Remark(Remark::UnterminatedVariable)
    }

    /// At `%`.
    pub(super) fn percent(&mut self) -> Lexeme {
        let name = name_length(&self.rest()[1..]);
        if name == 0 {
            self.at += 1;
            return Lexeme::Token(Kind::Foreign, 0);
        }
        let mut length = 1 + name;
        if self.peek(length) == b'.' && self.is_class(1, length) {
            length += 1 + name_length(&self.rest()[length + 1..]);
        }
        self.at += length;
        Lexeme::Token(Kind::Attribute, 0)
    }

    /// At `@`: takes the whole path, brackets included.
    pub(super) fn select(&mut self) -> Lexeme {
        self.at += 1;
        loop {
            let name = name_length(self.rest());
            if name == 0 {
                return Lexeme::Remark(Remark::BadSelect);
            }
            self.at += name;
            if self.peek(0) == b'[' {
                let line = self.line_length();
                // A key in quotes may hold a bracket.
                let quoted = match self.peek(1) {
                    quote @ (b'"' | b'\'') => {
                        memchr::memchr(quote, &self.rest()[2..line.max(2)]).map(|at| at + 3)
                    }
                    _ => Some(1),
                };
                let close = quoted.and_then(|from| {
                    let found = memchr::memchr(b']', self.rest().get(from..line)?)?;
                    Some(from + found + 1)
                });
                match close {
                    Some(length) => self.at += length,
                    None => {
                        if matches!(self.peek(1), b'"' | b'\'') {
                            // The quote is not to open a string that never ends.
                            self.at += line;
                        }
                        return Lexeme::Remark(Remark::BadSelect);
                    }
                }
            }
            if self.peek(0) != b'.' {
                return Lexeme::Token(Kind::Select, 0);
            }
            self.at += 1;
        }
    }
}

/// Length of the identifier at the start of `text`.
fn name_length(text: &[u8]) -> usize {
    match text.first() {
        Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
            text.iter().take_while(|&&byte| is_word(byte)).count()
        }
        _ => 0,
    }
}
