//! From resolved expressions to typed ones: what the surroundings want decides (semantics
//! reference §2, "Context").

use std::rc::Rc;

use super::Resolver;
use super::node::{Node, NodeKind, Static, arithmetic, comparison};
use crate::diagnostic::Diagnostic;
use crate::ir::{Arithmetic, Comparison, Expr, Operand};
use crate::syntax::ast::{BinaryOp, UnaryOp};
use kcc_runtime::declare::Parse as _;
use kcc_runtime::intrinsics::Icase;
use kcc_runtime::value::{IntRule, parse_int_by};

/// Operands of one statement that may have a form for each context.
const MOST_FORMS: u32 = 20_000;

impl Resolver<'_> {
    /// An integer.
    pub(super) fn int(&mut self, node: &Node) -> Expr {
        match &node.kind {
            NodeKind::Int(n) => Expr::Int(*n),
            NodeKind::Str(text) => Expr::Int(parse_int_by(text, self.compat.int_rule).unwrap_or(0)),
            NodeKind::Null | NodeKind::Error => Expr::Int(0),
            NodeKind::Read(_, Some(hidden)) => hidden.clone(),
            NodeKind::Read(expr, None) | NodeKind::Select(expr) => {
                to_int_by(expr.clone(), self.compat.int_rule)
            }
            NodeKind::Code(expr) if self.compat.raw_codes => expr.clone(),
            NodeKind::Code(expr) => Expr::Truth(Box::new(expr.clone())),
            NodeKind::Number(expr) => expr.clone(),
            NodeKind::Raw(inner) => self.int(inner),
            NodeKind::Unary(op, operand) => self.unary_int(*op, operand),
            NodeKind::Binary(BinaryOp::Add, left, right)
                if node.static_type() != Some(Static::Str) =>
            {
                let (left, right) = (self.int(left), self.int(right));
                Expr::Arithmetic(Arithmetic::Add, Box::new(left), Box::new(right))
            }
            NodeKind::Binary(BinaryOp::Add, ..) => {
                to_int_by(self.value(node), self.compat.int_rule)
            }
            NodeKind::Binary(op, left, right) => self.binary_int(*op, left, right),
            // Kamailio's selval() fails where an integer is wanted, and so does this.
            NodeKind::Selval(_) => Expr::GiveUp,
        }
    }

    fn unary_int(&mut self, op: UnaryOp, operand: &Node) -> Expr {
        match op {
            UnaryOp::Not => Expr::Not(Box::new(self.int(operand))),
            UnaryOp::BitNot => Expr::BitNot(Box::new(self.int(operand))),
            UnaryOp::Minus => {
                let n = self.int(operand);
                Expr::Arithmetic(Arithmetic::Subtract, Box::new(Expr::Int(0)), Box::new(n))
            }
            UnaryOp::Int => self.int(operand),
            // The hidden integer of a variable shows through.
            UnaryOp::Str => match &operand.kind {
                NodeKind::Read(_, Some(hidden)) => hidden.clone(),
                NodeKind::Unary(UnaryOp::Str, inner) => self.unary_int(op, inner),
                _ => to_int_by(self.text_expr(operand), self.compat.int_rule),
            },
            UnaryOp::Strlen => Expr::Length(Box::new(self.text_expr(operand))),
            UnaryOp::Strempty => {
                let text = self.text_expr(operand);
                Expr::SameText(Box::new(text), Box::new(Expr::text(&b""[..])))
            }
            // Folding left nothing of it.
            UnaryOp::Defined => Expr::Int(1),
        }
    }

    fn binary_int(&mut self, op: BinaryOp, left: &Node, right: &Node) -> Expr {
        use BinaryOp::*;
        match op {
            And => Expr::And(Box::new(self.int(left)), Box::new(self.int(right))),
            Or => Expr::Or(Box::new(self.int(left)), Box::new(self.int(right))),
            Equal => self.equal(left, right),
            NotEqual => negated(self.equal(left, right)),
            StrEqual | StrNotEqual => {
                let (l, r) = (self.text_expr(left), self.text_expr(right));
                let same = Expr::SameText(Box::new(l), Box::new(r));
                if op == StrEqual { same } else { negated(same) }
            }
            Match => self.matches(left, right),
            _ => {
                let (l, r) = (Box::new(self.int(left)), Box::new(self.int(right)));
                match (arithmetic(op), comparison(op)) {
                    (Some(op), _) => Expr::Arithmetic(op, l, r),
                    (None, Some(op)) => Expr::Compare(op, l, r),
                    (None, None) => Expr::Int(0),
                }
            }
        }
    }

    /// `==`: the type of the left side decides.
    fn equal(&mut self, left: &Node, right: &Node) -> Expr {
        match left.static_type() {
            Some(Static::Int) => {
                let (l, r) = (self.int(left), self.int(right));
                Expr::Compare(Comparison::Equal, Box::new(l), Box::new(r))
            }
            Some(Static::Str) if !matches!(left.kind, NodeKind::Select(_)) => {
                let (l, r) = (self.text_expr(left), self.text_expr(right));
                Expr::SameText(Box::new(l), Box::new(r))
            }
            _ if matches!(left.kind, NodeKind::Selval(_)) => Expr::GiveUp,
            _ => {
                let l = self.value(left);
                let r = self.operand(right);
                Expr::Equal(Box::new(l), Box::new(r))
            }
        }
    }

    fn matches(&mut self, left: &Node, right: &Node) -> Expr {
        let text = Box::new(self.text_expr(left));
        let NodeKind::Str(pattern) = &right.kind else {
            return Expr::MatchesText(text, Box::new(self.text_expr(right)));
        };
        let span = right.span;
        let number = self.constant(Icase::KIND, pattern, |this, offset| {
            this.inside_source(span, pattern, offset)
        });
        match number {
            Some(number) => Expr::Matches(text, number),
            None => Expr::Int(0),
        }
    }

    /// An operand whose context is known when the other side was evaluated.
    fn operand(&mut self, node: &Node) -> Operand {
        let code = self.compat.raw_codes && node.is_code();
        if !code && same_in_all_contexts(node) {
            return Operand::Value(self.value(node));
        }
        // Each form holds its operands anew; nested, they would double at each level.
        self.forms += 1;
        if self.forms > MOST_FORMS {
            if self.forms == MOST_FORMS + 1 {
                let message = "this expression is too complex";
                let diagnostic = Diagnostic::error("too-complex", message).label(node.span, "");
                self.report(diagnostic.help("assign parts of it to variables first"));
            }
            return Operand::Value(Expr::Null);
        }
        Operand::ByContext {
            int: self.int(node),
            value: self.value(node),
        }
    }

    /// A string.
    pub(super) fn text_expr(&mut self, node: &Node) -> Expr {
        to_text(self.value(node))
    }

    /// Any value.
    pub(super) fn value(&mut self, node: &Node) -> Expr {
        match &node.kind {
            NodeKind::Str(text) => Expr::Str(text.clone()),
            NodeKind::Null | NodeKind::Error => Expr::Null,
            NodeKind::Read(expr, _) | NodeKind::Select(expr) => expr.clone(),
            NodeKind::Unary(UnaryOp::Str, operand) => self.text_expr(operand),
            // As a string the code of a call is 0 or 1 whatever `return_mode` says.
            NodeKind::Code(expr) => Expr::Truth(Box::new(expr.clone())),
            NodeKind::Binary(BinaryOp::Add, ..) if node.static_type() != Some(Static::Int) => {
                self.add(node)
            }
            NodeKind::Selval(parts) => {
                let parts = [
                    self.int(&parts[0]),
                    self.value(&parts[1]),
                    self.value(&parts[2]),
                ];
                let chosen = Expr::Choose(Box::new(parts));
                Expr::Else(Box::new(chosen), Box::new(Expr::text(&b""[..])))
            }
            _ => self.int(node),
        }
    }

    /// The value of an assignment: the code of a call as it is, also where folding left nothing
    /// but the call.
    pub(super) fn assigned(&mut self, node: &Node) -> Expr {
        match &node.kind {
            NodeKind::Code(expr) => expr.clone(),
            NodeKind::Raw(inner) if inner.is_code() => self.assigned(inner),
            // A select without a value is empty text.
            NodeKind::Select(expr) => {
                Expr::Else(Box::new(expr.clone()), Box::new(Expr::text(&b""[..])))
            }
            _ => self.value(node),
        }
    }

    /// `+` where no integer is wanted. The operands of a chain are laid side by side.
    fn add(&mut self, node: &Node) -> Expr {
        let mut rest = Vec::new();
        let mut first = node;
        while let NodeKind::Binary(BinaryOp::Add, left, right) = &first.kind {
            rest.push(&**right);
            first = left;
        }
        rest.reverse();
        if first.static_type() == Some(Static::Str) {
            let mut parts = vec![self.text_expr(first)];
            parts.extend(rest.into_iter().map(|node| self.text_expr(node)));
            return Expr::Concat(parts);
        }
        let first = Box::new(self.value(first));
        let rest = rest.into_iter().map(|node| self.operand(node)).collect();
        Expr::Add { first, rest }
    }
}

/// Whether the integer and the string that it is are those of its value.
fn same_in_all_contexts(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Read(_, hidden) => hidden.is_none(),
        NodeKind::Selval(_) => false,
        NodeKind::Unary(UnaryOp::Str, inner) => !is_enumerated(inner),
        NodeKind::Binary(BinaryOp::Add, ..) => node.static_type() == Some(Static::Int),
        _ => true,
    }
}

/// Whether it is a variable with a hidden integer, or such a one as `(str)`.
fn is_enumerated(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Read(_, hidden) => hidden.is_some(),
        NodeKind::Unary(UnaryOp::Str, inner) => is_enumerated(inner),
        _ => false,
    }
}

/// A value as an integer, a constant by the newest rule.
pub(super) fn to_int(expr: Expr) -> Expr {
    to_int_by(expr, IntRule::default())
}

/// A value as an integer; constants by `rule`.
fn to_int_by(expr: Expr, rule: IntRule) -> Expr {
    match expr {
        Expr::Str(text) => Expr::Int(parse_int_by(&text, rule).unwrap_or(0)),
        Expr::Null => Expr::Int(0),
        expr if expr.ty() == crate::ir::Type::Int => expr,
        expr => Expr::ToInt(Box::new(expr)),
    }
}

/// A value as a string.
pub(super) fn to_text(expr: Expr) -> Expr {
    match expr {
        Expr::Int(n) => Expr::Str(Rc::from(n.to_string().as_bytes())),
        Expr::Null => Expr::text(&b""[..]),
        expr if expr.ty() == crate::ir::Type::Str => expr,
        expr => Expr::ToStr(Box::new(expr)),
    }
}

fn negated(expr: Expr) -> Expr {
    match expr {
        Expr::Compare(Comparison::Equal, l, r) => Expr::Compare(Comparison::NotEqual, l, r),
        expr => Expr::Not(Box::new(expr)),
    }
}
