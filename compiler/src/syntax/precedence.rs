//! Shapes a chain of operands and operators into a tree (language reference §3.5).
//!
//! Kamailio's levels differ from those of C: comparisons bind tighter than `| & ^ << >>`, and `^`
//! tighter than `&`. Works with stacks of its own, so that no chain is too long for it.

use super::ast::*;
use super::builder::{Builder, Chain, Prefix, Term};

/// How tight an operator binds; higher binds tighter.
type Level = u8;

fn binary_level(op: BinaryOp) -> Level {
    match op {
        BinaryOp::Or => 2,
        BinaryOp::And => 3,
        BinaryOp::BitOr => 4,
        BinaryOp::BitAnd => 5,
        BinaryOp::BitXor => 6,
        BinaryOp::ShiftLeft => 7,
        BinaryOp::ShiftRight => 8,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Match
        | BinaryOp::StrEqual
        | BinaryOp::StrNotEqual
        | BinaryOp::IntEqual
        | BinaryOp::IntNotEqual => 9,
        BinaryOp::Less | BinaryOp::Greater | BinaryOp::LessEqual | BinaryOp::GreaterEqual => 10,
        BinaryOp::Add | BinaryOp::Subtract => 11,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => 12,
    }
}

fn unary_level(op: UnaryOp) -> Level {
    match op {
        UnaryOp::Not | UnaryOp::BitNot | UnaryOp::Minus => 13,
        UnaryOp::Defined => 14,
        UnaryOp::Int | UnaryOp::Str | UnaryOp::Strlen | UnaryOp::Strempty => 15,
    }
}

/// An operator that waits for its right operand.
enum Waiting {
    Binary(u32, BinaryOp),
    Unary(u32, UnaryOp),
    Test(u32, u32, BinaryOp),
}

impl Waiting {
    fn level(&self) -> Level {
        match self {
            Waiting::Binary(_, op) | Waiting::Test(_, _, op) => binary_level(*op),
            Waiting::Unary(_, op) => unary_level(*op),
        }
    }
}

impl Builder<'_> {
    /// The expression that a chain stands for.
    pub(super) fn shape(&mut self, chain: Chain) -> Expr {
        if chain.rest.is_empty() && chain.first.prefixes.is_empty() {
            return chain.first.operand;
        }
        let mut operands: Vec<Expr> = Vec::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        self.take(chain.first, &mut operands, &mut waiting);
        for (index, term) in chain.rest {
            let op = self.binary_op(index);
            let level = binary_level(op);
            // All binary operators are left-associative.
            while waiting.last().is_some_and(|each| each.level() >= level) {
                self.apply(&mut operands, &mut waiting);
            }
            waiting.push(Waiting::Binary(index, op));
            self.take(term, &mut operands, &mut waiting);
        }
        while !waiting.is_empty() {
            self.apply(&mut operands, &mut waiting);
        }
        // One operand is left: each operator took as many as its kind needs and gave one back.
        operands.pop().unwrap_or_else(|| self.error_expr(0))
    }

    fn take(&mut self, term: Term, operands: &mut Vec<Expr>, waiting: &mut Vec<Waiting>) {
        for prefix in term.prefixes.into_iter().rev() {
            waiting.push(match prefix {
                Prefix::Unary(index) => Waiting::Unary(index, self.unary_op(index)),
                Prefix::Test(subject, index) => {
                    Waiting::Test(subject, index, self.binary_op(index))
                }
            });
        }
        operands.push(term.operand);
    }

    /// Gives the innermost waiting operator its operands.
    fn apply(&mut self, operands: &mut Vec<Expr>, waiting: &mut Vec<Waiting>) {
        let (Some(operator), Some(right)) = (waiting.pop(), operands.pop()) else {
            return;
        };
        let depth = right.depth;
        let expr = match operator {
            Waiting::Unary(index, op) => {
                let op_span = self.token_span(index);
                let span = self.sources.join(op_span, right.span);
                let unary = Unary {
                    op,
                    op_span,
                    operand: Box::new(right),
                };
                self.expr(ExprKind::Unary(unary), span, depth)
            }
            Waiting::Test(subject, index, op) => {
                let subject_span = self.token_span(subject);
                let span = self.sources.join(subject_span, right.span);
                let test = Test {
                    subject: self.subject(subject),
                    subject_span,
                    op,
                    op_span: self.token_span(index),
                    value: TestValue::Expr(right),
                };
                self.expr(ExprKind::Test(Box::new(test)), span, depth)
            }
            Waiting::Binary(index, op) => {
                let Some(left) = operands.pop() else {
                    operands.push(right);
                    return;
                };
                let span = self.sources.join(left.span, right.span);
                let depth = depth.max(left.depth);
                let binary = Binary {
                    op,
                    op_span: self.token_span(index),
                    left: Box::new(left),
                    right: Box::new(right),
                };
                self.expr(ExprKind::Binary(binary), span, depth)
            }
        };
        operands.push(expr);
    }
}
