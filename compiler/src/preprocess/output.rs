//! The stream of tokens that preprocessing makes, and what can be said about it token by token:
//! limits, the ends of socket lists, host names after `src_ip ==`.

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::token::{Kind, Token, Tokens};

/// Most tokens of a configuration.
const MAX_TOKENS: usize = 2_000_000;
/// Deepest nesting of parentheses and brackets.
const MAX_PARENS: usize = 256;
/// Deepest nesting of braces.
const MAX_BRACES: usize = 256;

#[derive(Default)]
pub(super) struct Output {
    pub(super) tokens: Tokens,
    /// Inside the list of `listen`, `alias` or `domain`, which goes on to the first token that
    /// cannot be part of it.
    in_list: bool,
    parens: usize,
    braces: usize,
}

impl Output {
    pub(super) fn push(&mut self, kind: Kind, value: i32, span: Span) -> Result<(), Diagnostic> {
        if self.in_list && !continues_list(kind) {
            self.end_list();
        } else if kind == Kind::Assign && matches!(self.last(0), Some(Kind::Listen | Kind::Alias)) {
            self.in_list = true;
        }
        match kind {
            Kind::ParenOpen | Kind::BracketOpen => self.parens += 1,
            Kind::ParenClose | Kind::BracketClose => self.parens = self.parens.saturating_sub(1),
            Kind::BraceOpen => self.braces += 1,
            Kind::BraceClose => {
                self.braces = self.braces.saturating_sub(1);
                if self.braces == 0 {
                    self.parens = 0;
                }
            }
            _ => (),
        }
        if self.parens > MAX_PARENS || self.braces > MAX_BRACES {
            return Err(
                Diagnostic::error("too-deep", "brackets are nested too deep")
                    .label(span, format!("this is level {}", MAX_PARENS + 1))
                    .note("reading stops here")
                    .help("move the inner part to a route or a variable of its own"),
            );
        }
        if self.tokens.list.len() >= MAX_TOKENS {
            return Err(
                Diagnostic::error("too-large", "the configuration is too long")
                    .label(span, "reading stops here")
                    .note(format!("at most {MAX_TOKENS} words and signs are read")),
            );
        }
        self.tokens.list.push(Token { kind, value, span });
        Ok(())
    }

    /// Inside the braces of a block.
    pub(super) fn in_block(&self) -> bool {
        self.braces > 0
    }

    /// Ends the list that is open, if one is: a directive that is a statement stands here.
    pub(super) fn end_statement(&mut self) {
        if self.in_list {
            self.end_list();
        }
    }

    fn end_list(&mut self) {
        self.in_list = false;
        let span = self.tokens.list.last().map_or(Span::default(), |t| t.span);
        self.tokens.list.push(Token {
            kind: Kind::EndList,
            value: 0,
            span: span.after(),
        });
    }

    /// Kind of the token that many before the last.
    fn last(&self, back: usize) -> Option<Kind> {
        let index = self.tokens.list.len().checked_sub(back + 1)?;
        self.tokens.list.get(index).map(|token| token.kind)
    }

    /// True when a string now would be the name of a module to load.
    pub(super) fn names_a_module(&self) -> bool {
        match self.last(0) {
            Some(Kind::LoadModule) => true,
            Some(Kind::ParenOpen) => self.last(1) == Some(Kind::LoadModule),
            _ => false,
        }
    }

    /// True when an identifier now may go on with dots and dashes as a host name does.
    pub(super) fn wants_host(&self) -> bool {
        const ADDRESSES: std::ops::Range<i32> = 5..9;
        if self.last(0) != Some(Kind::EqOp) {
            return false;
        }
        let subject = self.tokens.list.iter().rev().nth(1);
        subject.is_some_and(|t| t.kind == Kind::Subject && ADDRESSES.contains(&t.value))
    }

    pub(super) fn finish(mut self) -> Tokens {
        if self.in_list {
            self.end_list();
        }
        self.tokens
    }
}

fn continues_list(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Id
            | Kind::NumId
            | Kind::Number
            | Kind::Str
            | Kind::Ip
            | Kind::Protocol
            | Kind::Star
            | Kind::Colon
            | Kind::Comma
            | Kind::Dot
            | Kind::Minus
            | Kind::ParenOpen
            | Kind::ParenClose
            | Kind::BracketOpen
            | Kind::BracketClose
            | Kind::Bad
    )
}
