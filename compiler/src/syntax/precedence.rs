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

#[cfg(test)]
mod tests {
    use crate::source::MemoryLoader;
    use crate::syntax::ast::*;
    use crate::syntax::parse;

    fn show(expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Number(number) => number.to_string(),
            ExprKind::Str(string) => format!("{:?}", string.lossy()),
            ExprKind::Variable(variable) => format!("${}", variable.name.text),
            ExprKind::Call(call) => format!("{}()", call.callee.text),
            ExprKind::Unary(unary) => format!("({:?} {})", unary.op, show(&unary.operand)),
            ExprKind::Binary(binary) => {
                let (left, right) = (show(&binary.left), show(&binary.right));
                format!("({left} {:?} {right})", binary.op)
            }
            ExprKind::Assign(assign) => format!("(= {})", show(&assign.value)),
            ExprKind::Test(test) => {
                let value = match &test.value {
                    TestValue::Expr(expr) => show(expr),
                    TestValue::Word(name) => name.text.to_string(),
                    TestValue::Network(network) => network.address.to_string(),
                    other => format!("{other:?}")
                        .split('(')
                        .next()
                        .unwrap_or("")
                        .to_owned(),
                };
                format!("({:?} {:?} {value})", test.subject, test.op)
            }
            other => format!("{other:?}"),
        }
    }

    fn shape(text: &str) -> String {
        let loader = MemoryLoader::with("t.cfg", format!("route {{ $x = {text}; }}"));
        let parsed = parse(&loader, "t.cfg", &[]);
        if let Some(first) = parsed.diagnostics.iter().next() {
            return first.message.clone();
        }
        let ItemKind::Route(route) = &parsed.file.items[0].kind else {
            return "no route".to_owned();
        };
        match &route.body.stmts[0].kind {
            StmtKind::Assign(assign) => show(&assign.value),
            _ => "no assignment".to_owned(),
        }
    }

    #[test]
    fn operators_bind_as_in_kamailio() {
        for (text, expected) in [
            ("1|2==2", "(1 BitOr (2 Equal 2))"),
            ("3<<1==2", "(3 ShiftLeft (1 Equal 2))"),
            ("1==2<3", "(1 Equal (2 Less 3))"),
            ("1^3&2", "((1 BitXor 3) BitAnd 2)"),
            ("1<<4>>2", "(1 ShiftLeft (4 ShiftRight 2))"),
            ("16>>1<<1", "((16 ShiftRight 1) ShiftLeft 1)"),
            ("1 or 2 and 3", "(1 Or (2 And 3))"),
            ("1-2-3", "((1 Subtract 2) Subtract 3)"),
            ("2*-3", "(2 Multiply (Minus 3))"),
            ("!0==0", "((Not 0) Equal 0)"),
            ("!1+1", "((Not 1) Add 1)"),
            ("defined $a==0", "((Defined $a) Equal 0)"),
            ("not defined $a", "(Not (Defined $a))"),
            ("(int)\"2\"*3", "((Int \"2\") Multiply 3)"),
            ("(1 or 2) and 3", "((1 Or 2) And 3)"),
            ("7 mod -3", "(7 Modulo (Minus 3))"),
            ("($y = 5) + 1", "((= 5) Add 1)"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }

    #[test]
    fn a_test_is_one_operand_and_takes_what_binds_tighter() {
        for (text, expected) in [
            ("!method==\"A\"", "(Not (Method Equal \"A\"))"),
            ("method==\"A\"+\"B\"", "(Method Equal (\"A\" Add \"B\"))"),
            (
                "1 + method==\"A\"+\"B\"",
                "(1 Add (Method Equal (\"A\" Add \"B\")))",
            ),
            (
                "method==INVITE && uri=~\"x\"",
                "((Method Equal INVITE) And (Uri Match \"x\"))",
            ),
            (
                "uri==myself || myself==to_uri",
                "((Uri Equal Myself) Or (ToUri Equal Myself))",
            ),
            ("src_port > 5 == 1", "((SrcPort Greater 5) Equal 1)"),
            (
                "src_ip == 10.0.0.0/8 - 1",
                "((SrcIp Equal 10.0.0.0) Subtract 1)",
            ),
            ("src_ip == my-host.example", "(SrcIp Equal my-host.example)"),
            ("method == f(1)", "(Method Equal f())"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }

    #[test]
    fn an_else_if_chain_is_flat() {
        let text = "route { if (1) { a(); } else if (2) b(); else if (3) if (4) c(); else d(); }";
        let parsed = parse(&MemoryLoader::with("t.cfg", text), "t.cfg", &[]);
        let ItemKind::Route(route) = &parsed.file.items[0].kind else {
            panic!("a route is expected");
        };
        let StmtKind::If(chain) = &route.body.stmts[0].kind else {
            panic!("an if is expected");
        };
        let conditions: Vec<String> = chain.arms.iter().map(|arm| show(&arm.condition)).collect();
        assert_eq!(conditions, ["1", "2", "3"]);
        assert!(chain.otherwise.is_none());
        let StmtKind::If(inner) = &chain.arms[2].body.stmts[0].kind else {
            panic!("the else belongs to the inner if");
        };
        assert!(inner.otherwise.is_some());
    }
}
