//! Integers: conversions, arithmetic, comparison.

use cranelift::prelude::{InstBuilder, IntCC, Value, types};
use kcc_runtime::value::{IntRule, tag};

use super::{Loaded, Lowered, Lowering};
use crate::ir::{Arithmetic, Comparison, Expr};

/// Reasons that the intrinsic `gave_up` knows.
const DIVISION_BY_ZERO: i64 = 0;

impl Lowering<'_, '_, '_> {
    /// Evaluates an expression to an integer in a register.
    pub(super) fn integer(&mut self, expr: &Expr) -> Lowered<Value> {
        let value = self.expression(expr)?;
        self.as_int(value)
    }

    /// A value as an integer.
    pub(super) fn as_int(&mut self, value: Loaded) -> Lowered<Value> {
        match value {
            Loaded::Int(n) => Ok(n),
            Loaded::Str(tag, data) => self.text_as_int(tag, data),
            Loaded::Any(tag, data) => {
                let is_int = self.has_kind(tag, tag::INT);
                let (slow, done) = (self.builder.create_block(), self.join(1));
                self.builder
                    .ins()
                    .brif(is_int, done, &[data.into()], slow, &[]);
                self.start(slow);
                let n = self.text_as_int(tag, data)?;
                self.jump(done, &[n]);
                self.start(done);
                let n = self.builder.block_params(done)[0];
                // A builtin may have given more than older versions hold.
                Ok(self.cut(n))
            }
        }
    }

    fn text_as_int(&mut self, tag: Value, data: Value) -> Lowered<Value> {
        let intrinsic = match self.unit.program.compat.int_rule {
            IntRule::Wide => "to_int",
            IntRule::Narrow => "to_int_narrow",
            IntRule::Wrapping => "to_int_wrapping",
        };
        Ok(self.call_intrinsic(intrinsic, &[tag, data])?[0])
    }

    /// `==` of two values where the type of the left one decides.
    pub(super) fn values_equal(&mut self, left: [Value; 2], right: [Value; 2]) -> Lowered<Value> {
        let intrinsic = match self.unit.program.compat.int_rule {
            IntRule::Wide => "equal",
            IntRule::Narrow => "equal_narrow",
            IntRule::Wrapping => "equal_wrapping",
        };
        let words = [left[0], left[1], right[0], right[1]];
        Ok(self.call_intrinsic(intrinsic, &words)?[0])
    }

    /// Cuts an integer to the width of the version.
    pub(super) fn cut(&mut self, n: Value) -> Value {
        if !self.unit.program.compat.narrow {
            return n;
        }
        let low = self.builder.ins().ireduce(types::I32, n);
        self.builder.ins().sextend(types::I64, low)
    }

    pub(super) fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: &Expr,
        right: &Expr,
    ) -> Lowered<Value> {
        let l = self.integer(left)?;
        let r = self.integer(right)?;
        let width = if self.unit.program.compat.narrow {
            31
        } else {
            63
        };
        let result = match op {
            Arithmetic::Add => self.builder.ins().iadd(l, r),
            Arithmetic::Subtract => self.builder.ins().isub(l, r),
            Arithmetic::Multiply => self.builder.ins().imul(l, r),
            Arithmetic::And => self.builder.ins().band(l, r),
            Arithmetic::Or => self.builder.ins().bor(l, r),
            Arithmetic::Xor => self.builder.ins().bxor(l, r),
            Arithmetic::ShiftLeft | Arithmetic::ShiftRight => {
                let mask = self.int(width);
                let count = self.builder.ins().band(r, mask);
                match op {
                    Arithmetic::ShiftLeft => self.builder.ins().ishl(l, count),
                    _ => self.builder.ins().sshr(l, count),
                }
            }
            Arithmetic::Divide | Arithmetic::Modulo => self.divide(op, l, r, right)?,
        };
        Ok(self.cut(result))
    }

    /// The machine's division traps for 0, and for the smallest integer by -1.
    fn divide(&mut self, op: Arithmetic, l: Value, r: Value, right: &Expr) -> Lowered<Value> {
        if !matches!(right, Expr::Int(n) if *n != 0) {
            let zero = self.is(IntCC::Equal, r, 0);
            self.give_up_if(zero, Some(DIVISION_BY_ZERO))?;
        }
        let by = match right {
            Expr::Int(n) if *n != -1 => r,
            _ => {
                // l / -1 is -l, wrapping; l mod -1 is 0. Dividing by 1 instead never traps.
                let minus = self.is(IntCC::Equal, r, -1);
                let one = self.int(1);
                let by = self.builder.ins().select(minus, one, r);
                let negated = self.builder.ins().ineg(l);
                let l = self.builder.ins().select(minus, negated, l);
                return Ok(match op {
                    Arithmetic::Divide => self.builder.ins().sdiv(l, by),
                    _ => self.builder.ins().srem(l, by),
                });
            }
        };
        Ok(match op {
            Arithmetic::Divide => self.builder.ins().sdiv(l, by),
            _ => self.builder.ins().srem(l, by),
        })
    }

    /// The flag of a comparison: 0 or 1 in a byte.
    pub(super) fn compare(&mut self, op: Comparison, left: &Expr, right: &Expr) -> Lowered<Value> {
        let l = self.integer(left)?;
        let r = self.integer(right)?;
        let condition = match op {
            Comparison::Equal => IntCC::Equal,
            Comparison::NotEqual => IntCC::NotEqual,
            Comparison::Less => IntCC::SignedLessThan,
            Comparison::Greater => IntCC::SignedGreaterThan,
            Comparison::LessEqual => IntCC::SignedLessThanOrEqual,
            Comparison::GreaterEqual => IntCC::SignedGreaterThanOrEqual,
        };
        Ok(self.builder.ins().icmp(condition, l, r))
    }

    /// A flag as an integer.
    pub(super) fn widened(&mut self, flag: Value) -> Value {
        self.builder.ins().uextend(types::I64, flag)
    }
}
