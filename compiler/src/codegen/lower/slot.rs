//! Slots of `$var` and `$vn`: integers are read and written in place.

use std::mem::offset_of;

use cranelift::prelude::{InstBuilder, Value, types};
use kcc_runtime::abi::{Head, VarSlot};
use kcc_runtime::value::{Val, tag};

use super::{Loaded, Lowered, Lowering};
use crate::ir::Expr;

/// Where the parts of a slot's value lie in it.
const TAG: usize = offset_of!(VarSlot, val) + offset_of!(Val, tag);
const DATA: usize = offset_of!(VarSlot, val) + offset_of!(Val, data);

impl Lowering<'_, '_, '_> {
    /// The table of slots and the offset in it.
    fn slot(&mut self, slot: u32, part: usize) -> (Value, i32) {
        let offset = slot as usize * size_of::<VarSlot>() + part;
        // The checker keeps the number of slots far below what an offset can hold.
        (self.head(offset_of!(Head, vars)), offset as i32)
    }

    /// Reads a slot.
    pub(super) fn read_slot(&mut self, slot: u32) -> Lowered<Loaded> {
        let (base, offset) = self.slot(slot, TAG);
        let tag = self
            .builder
            .ins()
            .load(types::I64, Self::trusted(), base, offset);
        let (base, offset) = self.slot(slot, DATA);
        let data = self
            .builder
            .ins()
            .load(types::I64, Self::trusted(), base, offset);
        if self.copy_slots {
            return self.hold(tag, data);
        }
        Ok(Loaded::Any(tag, data))
    }

    /// A value whose string, if it is one, lies in scratch memory.
    fn hold(&mut self, tag: Value, data: Value) -> Lowered<Loaded> {
        let is_text = self.has_kind(tag, tag::STR);
        let (copy, done) = (self.builder.create_block(), self.join(2));
        let words = [tag.into(), data.into()];
        self.builder.ins().brif(is_text, copy, &[], done, &words);
        self.start(copy);
        let copied = self.call_intrinsic("hold", &[tag, data])?;
        self.jump(done, &copied);
        self.start(done);
        let params = self.builder.block_params(done);
        Ok(Loaded::Any(params[0], params[1]))
    }

    /// Evaluates an expression for a builtin, which must not get a slot's own bytes.
    pub(super) fn for_builtin(&mut self, expr: &Expr) -> Lowered<Loaded> {
        if !shows_slot(expr) {
            return self.expression(expr);
        }
        let outer = std::mem::replace(&mut self.copy_slots, true);
        let value = self.expression(expr);
        self.copy_slots = outer;
        value
    }

    /// Assigns a slot.
    pub(super) fn write_slot(&mut self, slot: u32, value: Loaded) -> Lowered<()> {
        if let Loaded::Int(n) = value {
            let n = self.cut(n);
            let tag = self.int(tag::INT as i64);
            let (base, offset) = self.slot(slot, TAG);
            self.builder.ins().store(Self::trusted(), tag, base, offset);
            let (base, offset) = self.slot(slot, DATA);
            self.builder.ins().store(Self::trusted(), n, base, offset);
            return Ok(());
        }
        let (tag, data) = self.words(value);
        let number = self.int(i64::from(slot));
        if let Loaded::Str(..) = value {
            self.call_intrinsic("set_var", &[number, tag, data])?;
            return Ok(());
        }
        let is_int = self.has_kind(tag, tag::INT);
        let (fast, slow, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        self.builder.ins().brif(is_int, fast, &[], slow, &[]);
        self.start(fast);
        self.write_slot(slot, Loaded::Int(data))?;
        self.jump(done, &[]);
        self.start(slow);
        self.call_intrinsic("set_var", &[number, tag, data])?;
        self.jump(done, &[]);
        self.start(done);
        Ok(())
    }
}

/// Whether the value can be the very bytes of a slot.
fn shows_slot(expr: &Expr) -> bool {
    match expr {
        Expr::Var(_) => true,
        Expr::ToStr(inner) | Expr::Worded(inner) => shows_slot(inner),
        Expr::Choose(parts) => shows_slot(&parts[1]) || shows_slot(&parts[2]),
        Expr::Else(first, second) => shows_slot(first) || shows_slot(second),
        Expr::Add { first, .. } => shows_slot(first),
        _ => false,
    }
}
