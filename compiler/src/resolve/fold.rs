//! Constant folding as Kamailio's optimiser does it, with what of it can be seen: operands that are
//! dropped are never evaluated, and a code that is left alone is no longer 0 or 1 (semantics
//! reference §2.1).

use kcc_runtime::value::parse_int_by;

use super::node::{Node, NodeKind, Static, arithmetic, comparison};
use crate::ir::{Arithmetic, Comparison, Compat, Expr};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, UnaryOp};

/// Whether a right side of `$null` turns the operator into `defined`.
pub(super) fn compares(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(
        op,
        Equal | NotEqual | StrEqual | StrNotEqual | IntEqual | IntNotEqual | Match
    )
}

/// `left == $null` and its like.
pub(super) fn against_null(op: BinaryOp, left: Node, span: Span) -> Node {
    use BinaryOp::*;
    let defined = match left.kind {
        NodeKind::Read(expr, _) | NodeKind::Select(expr) => Expr::Defined(Box::new(expr)),
        NodeKind::Null => Expr::Int(0),
        _ => Expr::Int(1),
    };
    let expr = match (op, defined) {
        (NotEqual | StrNotEqual | IntNotEqual, defined) => defined,
        (_, Expr::Int(n)) => Expr::Int(1 - n),
        (_, defined) => Expr::Not(Box::new(defined)),
    };
    Node::new(number(expr), span)
}

fn number(expr: Expr) -> NodeKind {
    match expr {
        Expr::Int(n) => NodeKind::Int(n),
        expr => NodeKind::Number(expr),
    }
}

/// A constant as an integer.
fn int_of(node: &Node, compat: Compat) -> Option<i64> {
    match &node.kind {
        NodeKind::Int(n) => Some(*n),
        NodeKind::Str(text) => Some(parse_int_by(text, compat.int_rule).unwrap_or(0)),
        _ => None,
    }
}

fn text_of(node: &Node) -> Option<Vec<u8>> {
    match &node.kind {
        NodeKind::Int(n) => Some(n.to_string().into_bytes()),
        NodeKind::Str(text) => Some(text.to_vec()),
        _ => None,
    }
}

fn cut(n: i64, compat: Compat) -> i64 {
    if compat.narrow {
        i64::from(n as i32)
    } else {
        n
    }
}

/// An operator with one operand.
pub(super) fn unary(op: UnaryOp, operand: Node, span: Span, compat: Compat) -> Node {
    let folded = match op {
        UnaryOp::Not => int_of(&operand, compat).map(|n| NodeKind::Int(i64::from(n == 0))),
        UnaryOp::BitNot => int_of(&operand, compat).map(|n| NodeKind::Int(!n)),
        UnaryOp::Minus => {
            int_of(&operand, compat).map(|n| NodeKind::Int(cut(n.wrapping_neg(), compat)))
        }
        UnaryOp::Int => int_of(&operand, compat).map(NodeKind::Int),
        UnaryOp::Str => text_of(&operand).map(|text| NodeKind::Str(text.into())),
        UnaryOp::Strlen => text_of(&operand).map(|text| NodeKind::Int(text.len() as i64)),
        UnaryOp::Strempty => {
            text_of(&operand).map(|text| NodeKind::Int(i64::from(text.is_empty())))
        }
        UnaryOp::Defined => match &operand.kind {
            NodeKind::Read(expr, _) | NodeKind::Select(expr) => {
                Some(NodeKind::Number(Expr::Defined(Box::new(expr.clone()))))
            }
            NodeKind::Null => Some(NodeKind::Int(0)),
            _ => Some(NodeKind::Int(1)),
        },
    };
    let kind = folded.unwrap_or_else(|| NodeKind::Unary(op, Box::new(operand)));
    Node::new(kind, span)
}

/// An operator with two operands.
pub(super) fn binary(op: BinaryOp, left: Node, right: Node, span: Span, compat: Compat) -> Node {
    if left.is_constant() && right.is_constant() {
        if let Some(kind) = constant(op, &left, &right, compat) {
            return Node::new(kind, span);
        }
    } else if let Some(known) = Identity::find(op, &left, &right) {
        let other = if left.is_constant() { right } else { left };
        let kind = match known {
            Identity::Operand => NodeKind::Raw(Box::new(other)),
            Identity::Constant(n) => NodeKind::Int(n),
            Identity::Empty if other.static_type() != Some(Static::Int) => {
                NodeKind::Unary(UnaryOp::Strempty, Box::new(other))
            }
            // `f() == ""` is a type error that was reported; `"" == f()` compares strings.
            Identity::Empty => NodeKind::Int(0),
        };
        return Node::new(kind, span);
    }
    Node::new(NodeKind::Binary(op, Box::new(left), Box::new(right)), span)
}

/// What is left of an operator with one constant operand.
enum Identity {
    /// The other operand, as an integer.
    Operand,
    /// A constant; the other operand is not evaluated.
    Constant(i64),
    /// Whether the other operand is the empty string.
    Empty,
}

impl Identity {
    fn find(op: BinaryOp, left: &Node, right: &Node) -> Option<Identity> {
        use BinaryOp::*;
        let (constant, other, on_right) = if right.is_constant() {
            (right, left, true)
        } else if left.is_constant() {
            (left, right, false)
        } else {
            return None;
        };
        if let (Equal, NodeKind::Str(text)) = (op, &constant.kind) {
            return text.is_empty().then_some(Identity::Empty);
        }
        let NodeKind::Int(n) = constant.kind else {
            return None;
        };
        Some(match (op, n, on_right) {
            (And, 1, _) | (Or, 0, _) | (Multiply, 1, _) | (BitOr, 0, _) => Identity::Operand,
            (Subtract, 0, true) | (Divide, 1, true) => Identity::Operand,
            (Add, 0, _) if other.static_type() == Some(Static::Int) => Identity::Operand,
            (And, 0, _) | (Multiply, 0, _) | (BitAnd, 0, _) => Identity::Constant(0),
            (Divide | Modulo, 0, false) => Identity::Constant(0),
            (Or, 1, _) => Identity::Constant(1),
            _ => return None,
        })
    }
}

/// Both operands are constant. `None` where there is no value: division by zero.
fn constant(op: BinaryOp, left: &Node, right: &Node, compat: Compat) -> Option<NodeKind> {
    use BinaryOp::*;
    let texts = || Some((text_of(left)?, text_of(right)?));
    let (l, r) = (int_of(left, compat)?, int_of(right, compat)?);
    let left_is_text = matches!(left.kind, NodeKind::Str(_));
    let truth = |holds: bool| Some(NodeKind::Int(i64::from(holds)));
    match op {
        Add if left_is_text => {
            let (mut a, b) = texts()?;
            a.extend_from_slice(&b);
            Some(NodeKind::Str(a.into()))
        }
        Equal | NotEqual if left_is_text => {
            let (a, b) = texts()?;
            truth((a == b) == (op == Equal))
        }
        StrEqual | StrNotEqual => {
            let (a, b) = texts()?;
            truth((a == b) == (op == StrEqual))
        }
        // Folded already, save for a bad pattern, which is reported where it stands.
        Match => None,
        And => truth(l != 0 && r != 0),
        Or => truth(l != 0 || r != 0),
        _ => match (arithmetic(op), comparison(op)) {
            (Some(op), _) => calculate(op, l, r, compat).map(NodeKind::Int),
            (None, Some(op)) => truth(compare(op, l, r)),
            (None, None) => None,
        },
    }
}

/// Arithmetic on constants. `None`: division by zero.
fn calculate(op: Arithmetic, l: i64, r: i64, compat: Compat) -> Option<i64> {
    let count = if compat.narrow { r & 31 } else { r & 63 } as u32;
    let n = match op {
        Arithmetic::Add => l.wrapping_add(r),
        Arithmetic::Subtract => l.wrapping_sub(r),
        Arithmetic::Multiply => l.wrapping_mul(r),
        Arithmetic::Divide | Arithmetic::Modulo if r == 0 => return None,
        Arithmetic::Divide => l.wrapping_div(r),
        Arithmetic::Modulo => l.wrapping_rem(r),
        Arithmetic::And => l & r,
        Arithmetic::Or => l | r,
        Arithmetic::Xor => l ^ r,
        Arithmetic::ShiftLeft => l.wrapping_shl(count),
        Arithmetic::ShiftRight => l.wrapping_shr(count),
    };
    Some(cut(n, compat))
}

fn compare(op: Comparison, l: i64, r: i64) -> bool {
    match op {
        Comparison::Equal => l == r,
        Comparison::NotEqual => l != r,
        Comparison::Less => l < r,
        Comparison::Greater => l > r,
        Comparison::LessEqual => l <= r,
        Comparison::GreaterEqual => l >= r,
    }
}

/// `selval(condition, then, otherwise)`: folded where all of it is constant.
pub(super) fn selval(parts: [Node; 3], span: Span, compat: Compat) -> Node {
    if parts.iter().any(Node::is_error) {
        return Node::new(NodeKind::Error, span);
    }
    if parts.iter().all(Node::is_constant)
        && let Some(condition) = int_of(&parts[0], compat)
    {
        let [_, then, otherwise] = parts;
        let kind = if condition > 0 {
            then.kind
        } else {
            otherwise.kind
        };
        return Node::new(kind, span);
    }
    Node::new(NodeKind::Selval(Box::new(parts)), span)
}
