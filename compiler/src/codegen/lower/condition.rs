//! Conditions: branches that need no 0 or 1 in a register.

use std::rc::Rc;

use cranelift::prelude::{Block, InstBuilder, IntCC, Value, types};
use kcc_runtime::value::{parse_int_by, tag};

use super::{Loaded, Lowered, Lowering};
use crate::ir::{Expr, Operand, Own};

/// When an integer counts as true.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    /// `> 0`: conditions.
    Positive,
    /// `!= 0`: operands.
    NonZero,
}

impl Lowering<'_, '_, '_> {
    /// Goes to `yes` where `expr` is > 0, else to `no`.
    pub(super) fn branch(&mut self, expr: &Expr, yes: Block, no: Block) -> Lowered<()> {
        self.branch_on(expr, Truth::Positive, yes, no)
    }

    pub(super) fn branch_on(
        &mut self,
        expr: &Expr,
        truth: Truth,
        yes: Block,
        no: Block,
    ) -> Lowered<()> {
        match expr {
            Expr::Int(n) => {
                let holds = match truth {
                    Truth::Positive => *n > 0,
                    Truth::NonZero => *n != 0,
                };
                self.jump(if holds { yes } else { no }, &[]);
            }
            Expr::Not(inner) => self.branch_on(inner, Truth::NonZero, no, yes)?,
            Expr::Truth(inner) => self.branch_on(inner, Truth::Positive, yes, no)?,
            Expr::And(left, right) => {
                let next = self.builder.create_block();
                self.branch_on(left, Truth::NonZero, next, no)?;
                self.start(next);
                self.branch_on(right, Truth::NonZero, yes, no)?;
            }
            Expr::Or(left, right) => {
                let next = self.builder.create_block();
                self.branch_on(left, Truth::NonZero, yes, next)?;
                self.start(next);
                self.branch_on(right, Truth::NonZero, yes, no)?;
            }
            _ => {
                let flag = match self.test(expr)? {
                    Some(flag) => flag,
                    None => {
                        let n = self.integer(expr)?;
                        match truth {
                            Truth::Positive => self.is(IntCC::SignedGreaterThan, n, 0),
                            Truth::NonZero => n,
                        }
                    }
                };
                self.builder.ins().brif(flag, yes, &[], no, &[]);
            }
        }
        Ok(())
    }

    /// A condition as 0 or 1.
    pub(super) fn flag(&mut self, expr: &Expr) -> Lowered<Value> {
        if let Some(flag) = self.test(expr)? {
            return Ok(self.widened(flag));
        }
        let (yes, no, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.join(1),
        );
        self.branch_on(expr, Truth::NonZero, yes, no)?;
        for (block, n) in [(yes, 1), (no, 0)] {
            self.start(block);
            let n = self.int(n);
            self.jump(done, &[n]);
        }
        self.start(done);
        Ok(self.builder.block_params(done)[0])
    }

    /// The flag of a test, in a byte; `None` where the expression is none.
    fn test(&mut self, expr: &Expr) -> Lowered<Option<Value>> {
        Ok(Some(match expr {
            Expr::Compare(op, left, right) => self.compare(*op, left, right)?,
            Expr::Equal(left, right) => self.equal(left, right)?,
            Expr::SameText(left, right) => self.same_text(left, right)?,
            Expr::SameWord(left, right) => {
                let (l, r) = (self.text(left)?, self.text(right)?);
                let same = self.call_intrinsic("same_word", &[l.0, l.1, r.0, r.1])?[0];
                self.is(IntCC::NotEqual, same, 0)
            }
            Expr::Within(address, network) => {
                let (l, r) = (self.text(address)?, self.text(network)?);
                let within = self.call_intrinsic("within", &[l.0, l.1, r.0, r.1])?[0];
                self.is(IntCC::NotEqual, within, 0)
            }
            Expr::Matches(text, pattern) => self.constant_test("matches", text, *pattern)?,
            Expr::InNetwork(text, network) => self.constant_test("in_network", text, *network)?,
            Expr::MatchesText(text, pattern) => {
                let (l, r) = (self.text(text)?, self.text(pattern)?);
                self.note_place();
                let found = self.call_intrinsic("matches_text", &[l.0, l.1, r.0, r.1])?;
                let failed = self.is(IntCC::NotEqual, found[0], tag::INT as i64);
                self.give_up_if(failed, None)?;
                self.is(IntCC::NotEqual, found[1], 0)
            }
            Expr::IsOwn(own, text) => {
                let (tag, data) = self.text(text)?;
                let intrinsic = match own {
                    Own::Uri => "is_myself",
                    Own::Address => "is_my_address",
                };
                let found = self.call_intrinsic(intrinsic, &[tag, data])?[0];
                self.is(IntCC::NotEqual, found, 0)
            }
            Expr::Defined(inner) => {
                let value = self.expression(inner)?;
                self.is_defined(value)
            }
            _ => return Ok(None),
        }))
    }

    /// An intrinsic that tests a string against a constant.
    pub(super) fn constant_test(
        &mut self,
        intrinsic: &'static str,
        text: &Expr,
        constant: u32,
    ) -> Lowered<Value> {
        let (tag, data) = self.text(text)?;
        let address = self.constant(constant);
        let found = self.call_intrinsic(intrinsic, &[tag, data, address])?[0];
        Ok(self.is(IntCC::NotEqual, found, 0))
    }

    fn same_text(&mut self, left: &Expr, right: &Expr) -> Lowered<Value> {
        for (constant, other) in [(left, right), (right, left)] {
            if let Expr::Str(text) = constant {
                let (tag, data) = self.text(other)?;
                return self.is_text(tag, data, text);
            }
        }
        let (l, r) = (self.text(left)?, self.text(right)?);
        let same_length = self.builder.ins().icmp(IntCC::Equal, l.0, r.0);
        let (compare, done) = (self.builder.create_block(), self.join(1));
        let no = self.int(0);
        self.builder
            .ins()
            .brif(same_length, compare, &[], done, &[no.into()]);
        self.start(compare);
        let shift = self.int(i64::from(tag::LEN_SHIFT));
        let len = self.builder.ins().ushr(l.0, shift);
        let same = self.call_intrinsic("same_bytes", &[l.1, r.1, len])?;
        self.jump(done, &same);
        self.start(done);
        let same = self.builder.block_params(done)[0];
        Ok(self.is(IntCC::NotEqual, same, 0))
    }

    /// `==` whose left side decides.
    fn equal(&mut self, left: &Expr, right: &Operand) -> Lowered<Value> {
        if let (Expr::Pv(pv), Operand::Value(Expr::Str(text))) = (left, right)
            && let Some(flag) = self.method_equals(pv, text)
        {
            return Ok(flag);
        }
        let value = self.expression(left)?;
        let (tag, data) = self.words(value);
        match right {
            Operand::Value(Expr::Str(text)) => self.equals_text(tag, data, text),
            Operand::Value(Expr::Int(n)) => self.equals_int(tag, data, *n),
            Operand::Value(right) => {
                let value = self.expression(right)?;
                let (rtag, rdata) = self.words(value);
                let same = self.values_equal([tag, data], [rtag, rdata])?;
                Ok(self.is(IntCC::NotEqual, same, 0))
            }
            Operand::ByContext { int, value } => {
                let (ints, others) = (self.builder.create_block(), self.builder.create_block());
                let done = self.join(1);
                let is_int = self.has_kind(tag, tag::INT);
                self.builder.ins().brif(is_int, ints, &[], others, &[]);
                for (block, right) in [(ints, int), (others, value)] {
                    self.start(block);
                    let right = self.expression(right)?;
                    let (rtag, rdata) = self.words(right);
                    let same = self.values_equal([tag, data], [rtag, rdata])?;
                    self.jump(done, &[same]);
                }
                self.start(done);
                let same = self.builder.block_params(done)[0];
                Ok(self.is(IntCC::NotEqual, same, 0))
            }
        }
    }

    /// A value against a constant string: an integer compares as an integer, null is empty.
    fn equals_text(&mut self, tag: Value, data: Value, text: &Rc<[u8]>) -> Lowered<Value> {
        let same = self.is_text(tag, data, text)?;
        let is_int = self.has_kind(tag, tag::INT);
        let rule = self.unit.program.compat.int_rule;
        let number = parse_int_by(text, rule).unwrap_or(0);
        let same_int = self.is(IntCC::Equal, data, number);
        let by_int = self.builder.ins().band(is_int, same_int);
        let either = self.builder.ins().bor(same, by_int);
        if !text.is_empty() {
            return Ok(either);
        }
        let defined = self.is_defined(Loaded::Any(tag, data));
        let undefined = self.is(IntCC::Equal, defined, 0);
        Ok(self.builder.ins().bor(either, undefined))
    }

    /// A value against a constant integer: a string compares as text, null is 0.
    fn equals_int(&mut self, tag: Value, data: Value, n: i64) -> Lowered<Value> {
        let is_int = self.has_kind(tag, tag::INT);
        let (slow, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I8);
        let same_int = self.is(IntCC::Equal, data, n);
        self.builder
            .ins()
            .brif(is_int, done, &[same_int.into()], slow, &[]);
        self.start(slow);
        let decimal: Rc<[u8]> = n.to_string().into_bytes().into();
        let mut same = self.is_text(tag, data, &decimal)?;
        if n == 0 {
            let defined = self.is_defined(Loaded::Any(tag, data));
            let undefined = self.is(IntCC::Equal, defined, 0);
            same = self.builder.ins().bor(same, undefined);
        }
        self.jump(done, &[same]);
        self.start(done);
        Ok(self.builder.block_params(done)[0])
    }
}
