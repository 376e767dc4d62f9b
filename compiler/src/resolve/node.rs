//! Expressions with their names resolved, before it is decided what their surroundings want of
//! them: an integer, a string or any value (semantics reference §2).

use std::rc::Rc;

use kcc_runtime::declare::Parse as _;
use kcc_runtime::intrinsics::Icase;

use crate::diagnostic::Diagnostic;
use crate::ir::{self, Expr};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, ExprKind, UnaryOp};

use super::Resolver;

/// A resolved expression.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub span: Span,
}

/// The kinds of resolved expressions.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// An integer constant.
    Int(i64),
    /// A string constant.
    Str(Rc<[u8]>),
    /// `$null`
    Null,
    /// A variable, and its hidden integer if it has one.
    Read(Expr, Option<Expr>),
    /// A select: a string or null.
    Select(Expr),
    /// The code of a call or of a block: 0 or 1 as an operand.
    Code(Expr),
    /// Another integer: a test, an assignment.
    Number(Expr),
    /// What folding leaves of `x && 1` and its like: `x` as an integer. Assigned, the code of a call
    /// stays as it is.
    Raw(Box<Node>),
    /// An operator with one operand.
    Unary(UnaryOp, Box<Node>),
    /// An operator with two operands.
    Binary(BinaryOp, Box<Node>, Box<Node>),
    /// `selval`
    Selval(Box<[Node; 3]>),
    /// An error was reported.
    Error,
}

/// Types known without running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Static {
    Int,
    Str,
}

impl Node {
    pub fn new(kind: NodeKind, span: Span) -> Node {
        Node { kind, span }
    }

    /// Its type, where that is known without running.
    pub fn static_type(&self) -> Option<Static> {
        match &self.kind {
            NodeKind::Int(_) | NodeKind::Code(_) | NodeKind::Number(_) | NodeKind::Raw(_) => {
                Some(Static::Int)
            }
            NodeKind::Str(_) | NodeKind::Select(_) => Some(Static::Str),
            NodeKind::Unary(UnaryOp::Str, _) => Some(Static::Str),
            NodeKind::Unary(..) => Some(Static::Int),
            NodeKind::Binary(BinaryOp::Add, left, _) => left.static_type(),
            NodeKind::Binary(..) => Some(Static::Int),
            NodeKind::Null | NodeKind::Read(..) | NodeKind::Selval(_) | NodeKind::Error => None,
        }
    }

    pub fn is_error(&self) -> bool {
        matches!(self.kind, NodeKind::Error)
    }

    /// Whether it is the code of a call, or what folding left of one.
    pub fn is_code(&self) -> bool {
        match &self.kind {
            NodeKind::Code(_) => true,
            NodeKind::Raw(inner) => inner.is_code(),
            _ => false,
        }
    }

    /// Whether it is a constant.
    pub fn is_constant(&self) -> bool {
        matches!(self.kind, NodeKind::Int(_) | NodeKind::Str(_))
    }
}

impl Resolver<'_> {
    /// Resolves an expression.
    pub(super) fn node(&mut self, expr: &ast::Expr) -> Node {
        let span = expr.span;
        let kind = match &expr.kind {
            ExprKind::Number(n) => NodeKind::Int(i64::from(*n)),
            ExprKind::Str(literal) => NodeKind::Str(super::text(&literal.value)),
            ExprKind::Variable(variable) => self.variable_node(variable),
            ExprKind::Attribute(attribute) => self.attribute_node(attribute),
            ExprKind::Select(select) => self.select_node(select),
            ExprKind::Call(call) => {
                if self.in_argument && !self.compat.calls_in_arguments {
                    self.report(
                        Diagnostic::error(
                            "call-in-argument",
                            format!("`{}` is called inside an argument", call.callee.text),
                        )
                        .label(call.span, "")
                        .help("assign its result to a variable first"),
                    );
                    return Node::new(NodeKind::Error, span);
                }
                match self.call(call) {
                    Some(call) => NodeKind::Code(Expr::Call(Box::new(call))),
                    None => NodeKind::Error,
                }
            }
            ExprKind::Test(test) => match self.keyword_test(test) {
                Some(expr) => NodeKind::Number(expr),
                None => NodeKind::Error,
            },
            ExprKind::Block(block) => {
                let outer = std::mem::replace(&mut self.in_argument, false);
                let block = self.block(block);
                self.in_argument = outer;
                NodeKind::Code(Expr::Block(Box::new(block)))
            }
            ExprKind::Assign(assign) => match self.assign(assign) {
                Some(assign) => NodeKind::Number(Expr::Assign(Box::new(assign))),
                None => NodeKind::Error,
            },
            ExprKind::Unary(unary) => {
                let operand = self.node(&unary.operand);
                return self.unary(unary.op, unary.op_span, operand, span);
            }
            ExprKind::Binary(binary) => {
                let left = self.node(&binary.left);
                let right = self.node(&binary.right);
                return self.binary(binary.op, binary.op_span, left, right, span);
            }
            ExprKind::Selval(parts) => {
                let [a, b, c] = &**parts;
                let parts = [self.node(a), self.node(b), self.node(c)];
                return super::fold::selval(parts, span, self.compat);
            }
            ExprKind::Error => NodeKind::Error,
        };
        Node::new(kind, span)
    }

    fn unary(&mut self, op: UnaryOp, op_span: Span, operand: Node, span: Span) -> Node {
        if operand.is_error() {
            return operand;
        }
        let refused = match op {
            UnaryOp::Not | UnaryOp::BitNot | UnaryOp::Minus => Some(Static::Str),
            UnaryOp::Defined | UnaryOp::Strlen | UnaryOp::Strempty => Some(Static::Int),
            UnaryOp::Int | UnaryOp::Str => None,
        };
        if refused.is_some() && operand.static_type() == refused {
            self.type_mismatch(unary_text(op), op_span, &operand);
            return Node::new(NodeKind::Error, span);
        }
        super::fold::unary(op, operand, span, self.compat)
    }

    fn binary(&mut self, op: BinaryOp, op_span: Span, left: Node, right: Node, span: Span) -> Node {
        if left.is_error() || right.is_error() {
            return Node::new(NodeKind::Error, span);
        }
        let null = matches!(right.kind, NodeKind::Null) && super::fold::compares(op);
        let (l, r) = (left.static_type(), right.static_type());
        use BinaryOp::*;
        let (bad_left, bad_right) = match op {
            Add | Equal | NotEqual => (false, l == Some(Static::Int) && r == Some(Static::Str)),
            StrEqual | StrNotEqual => (l == Some(Static::Int), false),
            Match => (l == Some(Static::Int), r == Some(Static::Int)),
            _ => (l == Some(Static::Str), r == Some(Static::Str)),
        };
        let (bad_left, bad_right) = match null {
            // It is `defined` then.
            true => (l == Some(Static::Int), false),
            false => (bad_left, bad_right),
        };
        if bad_left || bad_right {
            let negated = matches!(left.kind, NodeKind::Unary(UnaryOp::Not, _));
            if negated && super::fold::compares(op) && r != Some(Static::Int) {
                self.not_of_one_side(binary_text(op), left.span, right.span);
                return Node::new(NodeKind::Error, span);
            }
            let operand = if bad_left { &left } else { &right };
            self.type_mismatch(binary_text(op), op_span, operand);
            return Node::new(NodeKind::Error, span);
        }
        if matches!(op, Divide | Modulo) && matches!(right.kind, NodeKind::Int(0)) {
            self.report(
                Diagnostic::warning("division-by-zero", "this divides by zero")
                    .label(span, "")
                    .note("the whole expression is given up each time it is evaluated"),
            );
        }
        if null {
            return super::fold::against_null(op, left, span);
        }
        if let (BinaryOp::Match, NodeKind::Str(text), NodeKind::Str(pattern)) =
            (op, &left.kind, &right.kind)
            && let Ok(pattern) = Icase::parse(pattern)
        {
            let holds = pattern.0.is_match(text);
            return Node::new(NodeKind::Int(i64::from(holds)), span);
        }
        super::fold::binary(op, left, right, span, self.compat)
    }

    /// `!$rm == "INVITE"`
    fn not_of_one_side(&mut self, op: &str, left: Span, right: Span) {
        let message = format!("`!` belongs to the left side of `{op}` alone");
        self.report(
            Diagnostic::error("type-mismatch", message)
                .label(left, "this is 0 or 1")
                .label(right, "this is not compared with 0 or 1")
                .help(format!("put the comparison in parentheses: !(… {op} …)")),
        );
    }

    fn type_mismatch(&mut self, op: &str, op_span: Span, operand: &Node) {
        let (found, way_out) = match operand.static_type() {
            Some(Static::Str) => ("a string", "(int)"),
            _ => ("an integer", "(str)"),
        };
        let message = format!("`{op}` does not take {found} here");
        let diagnostic = Diagnostic::error("type-mismatch", message)
            .label(operand.span, format!("this is {found}"))
            .label(op_span, "")
            .help(format!("convert it with `{way_out}`"));
        self.report(diagnostic);
    }
}

/// The operator as it is written.
fn unary_text(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Not => "!",
        UnaryOp::BitNot => "~",
        UnaryOp::Minus => "-",
        UnaryOp::Defined => "defined",
        UnaryOp::Int => "(int)",
        UnaryOp::Str => "(str)",
        UnaryOp::Strlen => "strlen",
        UnaryOp::Strempty => "strempty",
    }
}

/// The operator as it is written.
pub(super) fn binary_text(op: BinaryOp) -> &'static str {
    use BinaryOp::*;
    match op {
        Or => "||",
        And => "&&",
        BitOr => "|",
        BitAnd => "&",
        BitXor => "^",
        ShiftLeft => "<<",
        ShiftRight => ">>",
        Equal => "==",
        NotEqual => "!=",
        Match => "=~",
        StrEqual => "eq",
        StrNotEqual => "ne",
        IntEqual => "ieq",
        IntNotEqual => "ine",
        Less => "<",
        Greater => ">",
        LessEqual => "<=",
        GreaterEqual => ">=",
        Add => "+",
        Subtract => "-",
        Multiply => "*",
        Divide => "/",
        Modulo => "mod",
    }
}

/// The arithmetic of an operator, if it is one.
pub(super) fn arithmetic(op: BinaryOp) -> Option<ir::Arithmetic> {
    use ir::Arithmetic as A;
    Some(match op {
        BinaryOp::Add => A::Add,
        BinaryOp::Subtract => A::Subtract,
        BinaryOp::Multiply => A::Multiply,
        BinaryOp::Divide => A::Divide,
        BinaryOp::Modulo => A::Modulo,
        BinaryOp::BitAnd => A::And,
        BinaryOp::BitOr => A::Or,
        BinaryOp::BitXor => A::Xor,
        BinaryOp::ShiftLeft => A::ShiftLeft,
        BinaryOp::ShiftRight => A::ShiftRight,
        _ => return None,
    })
}

/// The comparison of integers of an operator, if it is one.
pub(super) fn comparison(op: BinaryOp) -> Option<ir::Comparison> {
    use ir::Comparison as C;
    Some(match op {
        BinaryOp::Equal | BinaryOp::IntEqual => C::Equal,
        BinaryOp::NotEqual | BinaryOp::IntNotEqual => C::NotEqual,
        BinaryOp::Less => C::Less,
        BinaryOp::Greater => C::Greater,
        BinaryOp::LessEqual => C::LessEqual,
        BinaryOp::GreaterEqual => C::GreaterEqual,
        _ => return None,
    })
}
