//! Questions about an expression as a whole.

use super::{Arg, Callee, Expr, Operand};

impl Expr {
    /// Whether evaluating it may run statements or functions that assign variables: a string read
    /// from a slot of `$var` before must then be copied.
    pub fn may_assign(&self) -> bool {
        match self {
            Expr::Call(_) | Expr::Block(_) | Expr::Assign(_) => true,
            _ => {
                let mut found = false;
                self.each_child(&mut |child| found = found || child.may_assign());
                found
            }
        }
    }

    /// Calls `f` with each operand.
    pub fn each_child(&self, f: &mut dyn FnMut(&Expr)) {
        use Expr::*;
        match self {
            Int(_) | Str(_) | Null | Var(_) | ReturnCode | GiveUp | Block(_) => {}
            Pv(pv) | PvInt(pv) => args(&pv.args, f),
            Transform {
                input, args: list, ..
            } => {
                f(input);
                args(list, f);
            }
            Format(list) | Concat(list) => list.iter().for_each(f),
            ToInt(e)
            | ToStr(e)
            | Worded(e)
            | BitNot(e)
            | Not(e)
            | Defined(e)
            | Length(e)
            | Truth(e)
            | Matches(e, _)
            | InNetwork(e, _)
            | IsOwn(_, e) => f(e),
            Arithmetic(_, a, b)
            | Compare(_, a, b)
            | And(a, b)
            | Or(a, b)
            | SameText(a, b)
            | SameWord(a, b)
            | MatchesText(a, b)
            | Within(a, b)
            | Else(a, b) => {
                f(a);
                f(b);
            }
            Add { first, rest } => {
                f(first);
                rest.iter().for_each(|operand| each_form(operand, f));
            }
            Equal(left, right) => {
                f(left);
                each_form(right, f);
            }
            Choose(parts) => parts.iter().for_each(f),
            Call(call) => {
                if let Callee::RouteNamed(name) = &call.callee {
                    f(name);
                }
                args(&call.args, f);
            }
            Assign(assign) => f(&assign.value),
        }
    }
}

fn each_form(operand: &Operand, f: &mut dyn FnMut(&Expr)) {
    match operand {
        Operand::Value(e) => f(e),
        Operand::ByContext { int, value } => {
            f(int);
            f(value);
        }
    }
}

fn args(list: &[Arg], f: &mut dyn FnMut(&Expr)) {
    for arg in list {
        match arg {
            Arg::Value(e) | Arg::RouteNumber(_, e) => f(e),
            Arg::Absent | Arg::Constant(_) | Arg::Place(_) | Arg::All => {}
        }
    }
}
