//! What expressions mean (semantics reference §2): the value of each kind of node.

use kcc::ir::{Assign, Expr, Operand};

use crate::interpreter::{Interpreter, Leave, Step};
use crate::values::{self, Value};

impl Interpreter<'_> {
    /// An expression as an integer.
    pub fn int(&mut self, expr: &Expr) -> Step<i64> {
        Ok(self.value(expr)?.int(self.program.compat))
    }

    /// An expression as text.
    pub fn text(&mut self, expr: &Expr) -> Step<Vec<u8>> {
        Ok(self.value(expr)?.text())
    }

    /// Longest result of a format, in bytes.
    fn longest_format(&self) -> usize {
        if self.program.compat.narrow {
            8191
        } else {
            32_767
        }
    }

    /// Given up, with an error in the log.
    fn give_up<T>(&mut self) -> Step<T> {
        self.error();
        Err(Leave::GivenUp)
    }

    /// The value of an expression.
    pub fn value(&mut self, expr: &Expr) -> Step<Value> {
        let value = self.node(expr)?;
        let size = match &value {
            Value::Str(text) => text.len(),
            _ => 0,
        };
        self.takes(size)?;
        Ok(value)
    }

    fn node(&mut self, expr: &Expr) -> Step<Value> {
        Ok(match expr {
            Expr::Int(n) => Value::Int(*n),
            Expr::Str(text) => Value::Str(text.to_vec()),
            Expr::Null => Value::Null,
            Expr::Var(slot) => self.vars[*slot as usize].clone(),
            Expr::ReturnCode => Value::Int(self.rc),
            Expr::Pv(pv) => {
                let variable = self.located(pv)?;
                self.read(&variable)
            }
            Expr::PvInt(pv) => {
                let variable = self.located(pv)?;
                Value::Int(self.hidden(&variable))
            }
            Expr::Transform { decl, input, args } => {
                let input = self.value(input)?;
                if !input.is_defined() && !decl.takes_null {
                    return Ok(Value::Failed);
                }
                self.transformation(decl, input, args)?
            }
            Expr::Format(pieces) => {
                let mut all = Vec::new();
                for piece in pieces {
                    match self.value(piece)? {
                        Value::Null => all.extend(b"<null>"),
                        value => all.extend(value.text()),
                    }
                }
                if all.len() > self.longest_format() {
                    return self.give_up();
                }
                Value::Str(all)
            }
            Expr::ToInt(inner) => Value::Int(self.int(inner)?),
            Expr::ToStr(inner) => Value::Str(self.text(inner)?),
            Expr::Worded(inner) => match self.value(inner)? {
                Value::Int(n) => Value::Str(n.to_string().into_bytes()),
                value => value,
            },
            Expr::Arithmetic(op, left, right) => {
                let (l, r) = (self.int(left)?, self.int(right)?);
                match values::arithmetic(*op, l, r, self.program.compat) {
                    Some(n) => Value::Int(n),
                    None => return self.give_up(),
                }
            }
            Expr::BitNot(inner) => Value::Int(-1 - self.int(inner)?),
            Expr::Compare(op, left, right) => {
                let (l, r) = (self.int(left)?, self.int(right)?);
                Value::truth(values::compare(*op, l, r))
            }
            Expr::Not(inner) => Value::truth(self.int(inner)? == 0),
            Expr::And(left, right) => Value::truth(self.int(left)? != 0 && self.int(right)? != 0),
            Expr::Or(left, right) => Value::truth(self.int(left)? != 0 || self.int(right)? != 0),
            Expr::Truth(inner) => Value::truth(self.int(inner)? > 0),
            Expr::Concat(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.text(part)?);
                }
                Value::Str(all)
            }
            Expr::Add { first, rest } => {
                let mut sum = self.value(first)?;
                for operand in rest {
                    sum = self.add(sum, operand)?;
                }
                sum
            }
            Expr::SameText(left, right) => Value::truth(self.text(left)? == self.text(right)?),
            Expr::SameWord(left, right) => {
                let (l, r) = (self.text(left)?, self.text(right)?);
                Value::truth(l.eq_ignore_ascii_case(&r))
            }
            Expr::Equal(left, right) => {
                let left = self.value(left)?;
                let right = self.operand(&left, right)?;
                Value::truth(self.equal(&left, &right))
            }
            Expr::Matches(text, pattern) => {
                let text = self.text(text)?;
                let found = self.matches(&text, self.constant(*pattern));
                Value::truth(found.expect("the pattern was checked"))
            }
            Expr::MatchesText(text, pattern) => {
                let (text, pattern) = (self.text(text)?, self.text(pattern)?);
                match self.matches(&text, &pattern) {
                    Some(found) => Value::truth(found),
                    None => return self.give_up(),
                }
            }
            Expr::Defined(inner) => Value::truth(self.value(inner)?.is_defined()),
            Expr::Length(inner) => Value::Int(self.text(inner)?.len() as i64),
            Expr::Choose(parts) => {
                let [condition, then, otherwise] = &**parts;
                if self.int(condition)? > 0 {
                    self.value(then)?
                } else {
                    self.value(otherwise)?
                }
            }
            Expr::Else(first, second) => match self.value(first)? {
                value if value.is_defined() => value,
                _ => self.value(second)?,
            },
            Expr::Call(call) => {
                self.rc = 0;
                Value::Int(self.call(call)?)
            }
            Expr::Block(block) => Value::Int(self.block_as_operand(block)?),
            Expr::Assign(assign) => {
                self.rc = 0;
                Value::truth(self.assign(assign)? > 0)
            }
            Expr::GiveUp => return self.give_up(),
            Expr::InNetwork(..) | Expr::Within(..) | Expr::IsOwn(..) => {
                unreachable!("no generated program asks for addresses")
            }
        })
    }

    /// An operand of `+` or `==` to the right of `left`, whose type decides what is evaluated.
    fn operand(&mut self, left: &Value, operand: &Operand) -> Step<Value> {
        match (operand, left) {
            (Operand::Value(expr), _) => self.value(expr),
            (Operand::ByContext { int, .. }, Value::Int(_)) => self.value(int),
            (Operand::ByContext { value, .. }, _) => self.value(value),
        }
    }

    /// `+`: an integer on the left adds, all else concatenates.
    fn add(&mut self, left: Value, operand: &Operand) -> Step<Value> {
        let compat = self.program.compat;
        let right = self.operand(&left, operand)?;
        Ok(match left {
            Value::Int(l) => {
                let sum = i128::from(l) + i128::from(right.int(compat));
                Value::Int(values::cut(sum as i64, compat))
            }
            left => Value::Str([left.text(), right.text()].concat()),
        })
    }

    /// `==`: the type of the left side decides, that of the right where there is nothing on the left.
    fn equal(&self, left: &Value, right: &Value) -> bool {
        let compat = self.program.compat;
        match (left, right) {
            (Value::Int(l), _) => *l == right.int(compat),
            (Value::Str(l), _) => *l == right.text(),
            (_, Value::Int(r)) => *r == 0,
            (_, Value::Str(r)) => r.is_empty(),
            _ => true,
        }
    }

    /// Assigns; the code is 1, or -1 where there is no value or the target refuses it.
    pub fn assign(&mut self, assign: &Assign) -> Step<i64> {
        let value = match self.value(&assign.value) {
            Err(Leave::GivenUp) => return Ok(-1),
            value => value?,
        };
        let target = self.target(&assign.target)?;
        Ok(if self.write(&target, value) { 1 } else { -1 })
    }
}
