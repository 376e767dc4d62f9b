//! Makes the syntax tree for the grammar's actions.
//!
//! Locations are indices of tokens. Findings of the actions are held back until the file-level
//! statement they are in is complete, because an erroneous statement is read again after recovery.

mod item;
mod socket;
mod statement;
mod value;

use super::ast::*;
use super::token::{BINARY_OPS, LEAVES, Token, Tokens, UNARY_OPS};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceMap, Span};

/// State of the parse.
pub struct Builder<'a> {
    pub(super) tokens: &'a Tokens,
    pub(super) sources: &'a SourceMap,
    pub(super) diagnostics: &'a mut Diagnostics,
    /// Findings in the statement being read.
    pending: Vec<Diagnostic>,
    /// The file-level statements that are complete.
    pub(super) file: File,
    /// Index of the token after the last complete file-level statement.
    pub(super) done: u32,
}

/// A block and whether it has braces.
pub struct Body {
    block: Block,
    braced: bool,
}

/// Operands with the operators between them, not yet shaped by precedence.
pub struct Chain {
    pub(super) first: Term,
    pub(super) rest: Vec<(u32, Term)>,
}

impl Chain {
    pub(super) fn new(first: Term) -> Chain {
        Chain {
            first,
            rest: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, operator: u32, term: Term) {
        self.rest.push((operator, term));
    }
}

/// An operand with the operators before it, the innermost first.
pub struct Term {
    pub(super) prefixes: Vec<Prefix>,
    pub(super) operand: Expr,
}

/// An operator before an operand, by its token.
pub enum Prefix {
    /// `!` and its like.
    Unary(u32),
    /// `method ==` and its like: keyword and operator.
    Test(u32, u32),
}

impl Term {
    pub(super) fn new(operand: Expr) -> Term {
        Term {
            prefixes: Vec::new(),
            operand,
        }
    }

    pub(super) fn prefix(&mut self, operator: u32) {
        self.prefixes.push(Prefix::Unary(operator));
    }

    pub(super) fn test(&mut self, subject: u32, operator: u32) {
        self.prefixes.push(Prefix::Test(subject, operator));
    }
}

/// What may follow the sockets of a `listen`.
pub enum ListenOption {
    /// `advertise socket`
    Advertise(SocketId),
    /// `name "…"`
    Name(Str),
    /// `virtual`
    Virtual,
}

/// One attribute of a `socket` block: its name, its value, and the end of a port range.
pub struct SocketAttribute {
    name: u32,
    value: SocketId,
    last_port: Option<i32>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        tokens: &'a Tokens,
        sources: &'a SourceMap,
        diagnostics: &'a mut Diagnostics,
    ) -> Builder<'a> {
        Builder {
            tokens,
            sources,
            diagnostics,
            pending: Vec::new(),
            file: File::default(),
            done: 0,
        }
    }

    /// Forgets the findings of a statement that will be read again.
    pub(super) fn restart(&mut self) {
        self.pending.clear();
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.pending.len() < Diagnostics::LIMIT {
            self.pending.push(diagnostic);
        }
    }

    pub(super) fn token(&self, index: u32) -> Token {
        let token = self
            .tokens
            .list
            .get(index as usize)
            .or(self.tokens.list.last());
        token.copied().unwrap_or(Token {
            kind: super::token::Kind::Bad,
            value: 0,
            span: Span::default(),
        })
    }

    pub(super) fn token_span(&self, index: u32) -> Span {
        self.token(index).span
    }

    /// The span from token `first` to the token before `end`.
    pub(super) fn span(&self, first: u32, end: u32) -> Span {
        let last = end.saturating_sub(1).max(first);
        let list = &self.tokens.list;
        match (list.get(first as usize), list.get(last as usize)) {
            (Some(first), Some(last)) => self.sources.join(first.span, last.span),
            (Some(token), None) => token.span,
            _ => list
                .last()
                .map_or(Span::default(), |token| token.span.after()),
        }
    }

    /// Text of the tokens from `first` to the one before `end`, as one word. Tokens that come from
    /// different texts are put together.
    pub(super) fn text(&self, first: u32, end: u32) -> Box<str> {
        let list = &self.tokens.list;
        let tokens = list.get(first as usize..end as usize).unwrap_or(&[]);
        let text: Vec<u8> = tokens
            .iter()
            .flat_map(|token| self.sources.text(token.span))
            .copied()
            .collect();
        String::from_utf8_lossy(&text).into()
    }

    pub(super) fn name(&self, index: u32) -> Name {
        Name {
            text: self.text(index, index + 1),
            span: self.token_span(index),
        }
    }

    pub(super) fn protocol(&self, index: u32) -> Protocol {
        let token = self.token(index);
        match token.kind {
            super::token::Kind::Protocol => super::token::PROTOCOLS
                .get(token.value as usize)
                .copied()
                .unwrap_or(Protocol::Any),
            _ => Protocol::Any,
        }
    }

    pub(super) fn binary_op(&self, index: u32) -> BinaryOp {
        use super::token::Kind;
        let token = self.token(index);
        match token.kind {
            Kind::Minus => BinaryOp::Subtract,
            Kind::Star => BinaryOp::Multiply,
            Kind::Slash => BinaryOp::Divide,
            _ => BINARY_OPS
                .get(token.value as usize)
                .copied()
                .unwrap_or(BinaryOp::Add),
        }
    }

    pub(super) fn unary_op(&self, index: u32) -> UnaryOp {
        use super::token::Kind;
        let token = self.token(index);
        match token.kind {
            Kind::Minus => UnaryOp::Minus,
            _ => UNARY_OPS
                .get(token.value as usize)
                .copied()
                .unwrap_or(UnaryOp::Not),
        }
    }

    fn leave_kind(&self, index: u32) -> LeaveKind {
        LEAVES
            .get(self.token(index).value as usize)
            .copied()
            .unwrap_or(LeaveKind::Return)
    }

    /// Takes a complete file-level statement.
    pub(super) fn item(&mut self, first: u32, end: u32, kind: ItemKind) {
        for diagnostic in self.pending.drain(..) {
            self.diagnostics.push(diagnostic);
        }
        let span = self.span(first, end);
        self.file.items.push(Item { kind, span });
        self.done = end;
    }

    /// Notes that the tokens before `end` are done with.
    pub(super) fn passed(&mut self, end: u32) {
        self.done = end;
    }
}
