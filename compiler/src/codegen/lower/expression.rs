//! Evaluates expressions.

use std::mem::offset_of;

use cranelift::prelude::{InstBuilder, IntCC, Value};
use kcc_runtime::abi::Head;
use kcc_runtime::value::tag;

use super::{Loaded, Lowered, Lowering};
use crate::ir::{Expr, Operand, Type};

impl Lowering<'_, '_, '_> {
    /// Evaluates an expression of a statement: what runs before all of it is known.
    pub(super) fn whole(&mut self, expr: &Expr) -> Lowered<Loaded> {
        let outer = std::mem::replace(&mut self.copy_slots, expr.may_assign());
        let value = self.expression(expr);
        self.copy_slots = outer;
        value
    }

    /// Evaluates an expression.
    pub(super) fn expression(&mut self, expr: &Expr) -> Lowered<Loaded> {
        Ok(match expr {
            Expr::Int(n) => Loaded::Int(self.int(*n)),
            Expr::Str(text) => self.constant_text(text),
            Expr::Null => {
                let zero = self.int(tag::NULL as i64);
                Loaded::Any(zero, zero)
            }
            Expr::Var(slot) => self.read_slot(*slot)?,
            Expr::ReturnCode => Loaded::Int(self.head(offset_of!(Head, rc))),
            Expr::Pv(pv) => self.read_pv(pv)?,
            Expr::PvInt(pv) => self.read_hidden(pv)?,
            Expr::Transform { decl, input, args } => self.transform(decl, input, args)?,
            Expr::Format(pieces) => self.format(pieces)?,
            Expr::ToInt(inner) => Loaded::Int(self.integer(inner)?),
            Expr::ToStr(inner) => {
                let value = self.expression(inner)?;
                self.as_text(value)?
            }
            Expr::Worded(inner) => {
                let value = self.expression(inner)?;
                self.worded(value)?
            }
            Expr::Arithmetic(op, left, right) => Loaded::Int(self.arithmetic(*op, left, right)?),
            Expr::BitNot(inner) => {
                let n = self.integer(inner)?;
                Loaded::Int(self.builder.ins().bnot(n))
            }
            Expr::Compare(op, left, right) => {
                let flag = self.compare(*op, left, right)?;
                Loaded::Int(self.widened(flag))
            }
            Expr::Not(inner) => {
                let n = self.integer(inner)?;
                let flag = self.is(IntCC::Equal, n, 0);
                Loaded::Int(self.widened(flag))
            }
            Expr::Truth(inner) => {
                let n = self.integer(inner)?;
                let flag = self.is(IntCC::SignedGreaterThan, n, 0);
                Loaded::Int(self.widened(flag))
            }
            Expr::And(..)
            | Expr::Or(..)
            | Expr::Equal(..)
            | Expr::SameText(..)
            | Expr::SameWord(..)
            | Expr::Matches(..)
            | Expr::MatchesText(..)
            | Expr::Within(..)
            | Expr::InNetwork(..)
            | Expr::IsOwn(..)
            | Expr::Defined(_) => Loaded::Int(self.flag(expr)?),
            Expr::Concat(parts) => self.concat(parts)?,
            Expr::Add { first, rest } => self.add(first, rest)?,
            Expr::Length(inner) => {
                let text = self.text(inner)?;
                let shift = self.int(i64::from(tag::LEN_SHIFT));
                Loaded::Int(self.builder.ins().ushr(text.0, shift))
            }
            Expr::Choose(parts) => self.choose(parts, expr.ty())?,
            Expr::Else(first, second) => self.otherwise(first, second, expr.ty())?,
            Expr::Call(call) => Loaded::Int(self.call_as_operand(call)?),
            Expr::Block(block) => {
                self.forget_code();
                Loaded::Int(self.block_value(block)?)
            }
            Expr::Assign(assign) => {
                self.forget_code();
                let code = self.assign(assign)?;
                let flag = self.is(IntCC::SignedGreaterThan, code, 0);
                Loaded::Int(self.widened(flag))
            }
            Expr::GiveUp => {
                self.give_up(Some(1))?;
                let dead = self.builder.create_block();
                self.start(dead);
                let zero = self.int(0);
                Loaded::Any(zero, zero)
            }
        })
    }

    /// The two words of a value.
    pub(super) fn words(&mut self, value: Loaded) -> (Value, Value) {
        match value {
            Loaded::Int(n) => (self.int(tag::INT as i64), n),
            Loaded::Str(tag, data) | Loaded::Any(tag, data) => (tag, data),
        }
    }

    /// A value from its two words.
    pub(super) fn typed(ty: Type, words: &[Value]) -> Loaded {
        match ty {
            Type::Int => Loaded::Int(words[1]),
            Type::Str => Loaded::Str(words[0], words[1]),
            Type::Any => Loaded::Any(words[0], words[1]),
        }
    }

    /// Evaluates `expr` and continues at `done` with its words.
    pub(super) fn value_to(&mut self, expr: &Expr, done: cranelift::prelude::Block) -> Lowered<()> {
        let value = self.expression(expr)?;
        let (tag, data) = self.words(value);
        self.jump(done, &[tag, data]);
        Ok(())
    }

    fn choose(&mut self, parts: &[Expr; 3], ty: Type) -> Lowered<Loaded> {
        let (yes, no, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.join(2),
        );
        self.branch(&parts[0], yes, no)?;
        self.start(yes);
        self.value_to(&parts[1], done)?;
        self.start(no);
        self.value_to(&parts[2], done)?;
        self.start(done);
        Ok(Self::typed(ty, self.builder.block_params(done)))
    }

    fn otherwise(&mut self, first: &Expr, second: &Expr, ty: Type) -> Lowered<Loaded> {
        let value = self.expression(first)?;
        let (tag, data) = self.words(value);
        let defined = self.is_defined(value);
        let (no, done) = (self.builder.create_block(), self.join(2));
        let words = [tag.into(), data.into()];
        self.builder.ins().brif(defined, done, &words, no, &[]);
        self.start(no);
        self.value_to(second, done)?;
        self.start(done);
        Ok(Self::typed(ty, self.builder.block_params(done)))
    }

    /// The flag that a value is neither null nor failed.
    pub(super) fn is_defined(&mut self, value: Loaded) -> Value {
        let (tag, _) = self.words(value);
        let kind = self.kind(tag);
        let one = self.int(1);
        let from_one = self.builder.ins().isub(kind, one);
        self.is(IntCC::UnsignedLessThan, from_one, 2)
    }

    /// `first + rest`: the type of the first decides.
    fn add(&mut self, first: &Expr, rest: &[Operand]) -> Lowered<Loaded> {
        let value = self.expression(first)?;
        let (tag, data) = self.words(value);
        let (ints, texts, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.join(2),
        );
        let is_int = self.has_kind(tag, tag::INT);
        self.builder.ins().brif(is_int, ints, &[], texts, &[]);
        self.start(ints);
        let mut sum = data;
        for operand in rest {
            let n = match operand {
                Operand::Value(expr) | Operand::ByContext { int: expr, .. } => {
                    self.integer(expr)?
                }
            };
            sum = self.builder.ins().iadd(sum, n);
        }
        sum = self.cut(sum);
        let int = self.int(tag::INT as i64);
        self.jump(done, &[int, sum]);
        self.start(texts);
        let list = self.reserve(1 + rest.len());
        self.put(list, Loaded::Any(tag, data));
        for (n, operand) in rest.iter().enumerate() {
            let part = match operand {
                Operand::Value(expr) | Operand::ByContext { value: expr, .. } => {
                    self.expression(expr)?
                }
            };
            self.put(list + 1 + n as u32, part);
        }
        let text = self.joined("concat", list, 1 + rest.len())?;
        self.release(list);
        let (tag, data) = self.words(text);
        self.jump(done, &[tag, data]);
        self.start(done);
        let params = self.builder.block_params(done);
        Ok(Loaded::Any(params[0], params[1]))
    }
}
