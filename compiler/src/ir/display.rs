//! The program as text, for tests and for people who look inside.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{
    Arg, Arithmetic, Assign, Block, Call, Callee, Comparison, Expr, Label, Operand, Program, PvRef,
    Stmt, StmtKind, Target,
};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for route in &self.routes {
            writeln!(f, "{} {{", route.name)?;
            block(f, &route.body, 1)?;
            writeln!(f, "}}")?;
        }
        Ok(())
    }
}

fn indent(f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
    (0..depth).try_for_each(|_| f.write_str("  "))
}

fn block(f: &mut Formatter<'_>, block: &Block, depth: usize) -> fmt::Result {
    block
        .stmts
        .iter()
        .try_for_each(|stmt| statement(f, stmt, depth))
}

fn statement(f: &mut Formatter<'_>, stmt: &Stmt, depth: usize) -> fmt::Result {
    indent(f, depth)?;
    match &stmt.kind {
        StmtKind::Nothing => writeln!(f, "nothing"),
        StmtKind::Call(call) => writeln!(f, "{call}"),
        StmtKind::Assign(assign) => writeln!(f, "{assign}"),
        StmtKind::If { arms, otherwise } => {
            for (n, arm) in arms.iter().enumerate() {
                let word = if n == 0 { "if" } else { "} else if" };
                if n > 0 {
                    indent(f, depth)?;
                }
                writeln!(f, "{word} {} > 0 {{", arm.condition)?;
                block(f, &arm.body, depth + 1)?;
            }
            if !otherwise.stmts.is_empty() {
                indent(f, depth)?;
                writeln!(f, "}} else {{")?;
                block(f, otherwise, depth + 1)?;
            }
            indent(f, depth)?;
            writeln!(f, "}}")
        }
        StmtKind::While { condition, body } => {
            writeln!(f, "while {condition} {{")?;
            block(f, body, depth + 1)?;
            indent(f, depth)?;
            writeln!(f, "}}")
        }
        StmtKind::Switch(switch) => {
            writeln!(f, "switch {} {{", switch.selector)?;
            for case in &switch.cases {
                indent(f, depth)?;
                match &case.label {
                    Label::Default => writeln!(f, "default:")?,
                    Label::Int(n) => writeln!(f, "case {n}:")?,
                    Label::Str(text) => writeln!(f, "case {:?}:", String::from_utf8_lossy(text))?,
                    Label::Pattern(n) => writeln!(f, "case /const {n}/:")?,
                }
                block(f, &case.body, depth + 1)?;
            }
            indent(f, depth)?;
            writeln!(f, "}}")
        }
        StmtKind::Return(value) => writeln!(f, "return {value}"),
        StmtKind::Exit(value) => writeln!(f, "exit {value}"),
        StmtKind::Drop(value) => writeln!(f, "drop {value}"),
        StmtKind::Break => writeln!(f, "break"),
    }
}

impl Display for Assign {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.target, self.value)
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Target::Var(slot) => write!(f, "${slot}"),
            Target::Pv(pv) => write!(f, "{pv}"),
        }
    }
}

impl Display for PvRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.decl.name)?;
        list(f, &self.args)
    }
}

fn list(f: &mut Formatter<'_>, args: &[Arg]) -> fmt::Result {
    if args.is_empty() {
        return Ok(());
    }
    for (n, arg) in args.iter().enumerate() {
        f.write_str(if n == 0 { "(" } else { ", " })?;
        match arg {
            Arg::Absent => f.write_char('-')?,
            Arg::Value(expr) => write!(f, "{expr}")?,
            Arg::Constant(n) => write!(f, "const {n}")?,
            Arg::Place(target) => write!(f, "&{target}")?,
            Arg::All => f.write_char('*')?,
            Arg::RouteNumber(kind, name) => write!(f, "{kind}[{name}]")?,
        }
    }
    f.write_char(')')
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.callee {
            Callee::Function(decl) | Callee::Core(decl) => write!(f, "{}", decl.symbol)?,
            Callee::Route(n) => write!(f, "route {n}")?,
            Callee::RouteNamed(name) => write!(f, "route {name}")?,
        }
        list(f, &self.args)
    }
}

struct Forms<'a>(&'a Operand);

impl Display for Forms<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Value(expr) => write!(f, "{expr}"),
            Operand::ByContext { int, value } => write!(f, "{{{int} | {value}}}"),
        }
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Modulo => "mod",
            Arithmetic::And => "&",
            Arithmetic::Or => "|",
            Arithmetic::Xor => "^",
            Arithmetic::ShiftLeft => "<<",
            Arithmetic::ShiftRight => ">>",
        })
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::Greater => ">",
            Comparison::LessEqual => "<=",
            Comparison::GreaterEqual => ">=",
        })
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut Formatter<'_>, name: &str, parts: &[Expr]| {
            write!(f, "{name}(")?;
            for (n, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if n == 0 { "" } else { ", " })?;
            }
            f.write_char(')')
        };
        match self {
            Expr::Int(n) => write!(f, "{n}"),
            Expr::Str(text) => write!(f, "{:?}", String::from_utf8_lossy(text)),
            Expr::Null => f.write_str("null"),
            Expr::Var(slot) => write!(f, "${slot}"),
            Expr::ReturnCode => f.write_str("rc"),
            Expr::Pv(pv) => write!(f, "{pv}"),
            Expr::PvInt(pv) => write!(f, "hidden {pv}"),
            Expr::Transform { decl, input, args } => {
                write!(f, "{input}{{{}.{}", decl.class, decl.name)?;
                list(f, args)?;
                f.write_char('}')
            }
            Expr::Format(pieces) => joined(f, "format", pieces),
            Expr::ToInt(inner) => write!(f, "int({inner})"),
            Expr::ToStr(inner) => write!(f, "str({inner})"),
            Expr::Worded(inner) => write!(f, "worded({inner})"),
            Expr::Arithmetic(op, l, r) => write!(f, "({l} {op} {r})"),
            Expr::BitNot(inner) => write!(f, "~{inner}"),
            Expr::Compare(op, l, r) => write!(f, "({l} {op} {r})"),
            Expr::Not(inner) => write!(f, "!{inner}"),
            Expr::And(l, r) => write!(f, "({l} && {r})"),
            Expr::Or(l, r) => write!(f, "({l} || {r})"),
            Expr::Concat(parts) => joined(f, "concat", parts),
            Expr::Add { first, rest } => {
                write!(f, "({first}")?;
                rest.iter()
                    .try_for_each(|operand| write!(f, " + {}", Forms(operand)))?;
                f.write_char(')')
            }
            Expr::SameText(l, r) => write!(f, "({l} eq {r})"),
            Expr::SameWord(l, r) => write!(f, "({l} ieq-text {r})"),
            Expr::Equal(l, r) => write!(f, "({l} equals {})", Forms(r)),
            Expr::Matches(text, pattern) => write!(f, "({text} =~ const {pattern})"),
            Expr::MatchesText(l, r) => write!(f, "({l} =~ {r})"),
            Expr::Within(l, r) => write!(f, "({l} in {r})"),
            Expr::InNetwork(text, network) => write!(f, "({text} in const {network})"),
            Expr::IsOwn(_, text) => write!(f, "({text} == myself)"),
            Expr::Defined(inner) => write!(f, "defined({inner})"),
            Expr::Length(inner) => write!(f, "length({inner})"),
            Expr::Choose(parts) => joined(f, "choose", &parts[..]),
            Expr::Else(first, second) => write!(f, "({first} else {second})"),
            Expr::Call(call) => write!(f, "[{call}]"),
            Expr::Block(body) => {
                writeln!(f, "{{")?;
                block(f, body, 1)?;
                f.write_char('}')
            }
            Expr::Assign(assign) => write!(f, "({assign})"),
            Expr::Truth(inner) => write!(f, "({inner} > 0)"),
            Expr::GiveUp => f.write_str("give up"),
        }
    }
}
