//! Strings: constants, conversion, joining, and the space in which lists of values are handed to
//! the runtime.

use std::rc::Rc;

use cranelift::prelude::{InstBuilder, IntCC, Value, types};
use kcc_runtime::value::tag;

use super::{Loaded, Lowered, Lowering, SLOT};
use crate::ir::Expr;

/// Strings up to this length are compared in place.
const SHORT: usize = 16;

impl Lowering<'_, '_, '_> {
    /// A constant.
    pub(super) fn constant_text(&mut self, text: &Rc<[u8]>) -> Loaded {
        let tag = self.int(text_tag(text.len()) as i64);
        Loaded::Str(tag, self.constant_bytes(text))
    }

    fn constant_bytes(&mut self, text: &Rc<[u8]>) -> Value {
        let (object, offset) = self.unit.text(text);
        let global = self
            .unit
            .module
            .declare_data_in_func(object, self.builder.func);
        let base = self.builder.ins().symbol_value(types::I64, global);
        let offset = self.int(offset);
        self.builder.ins().iadd(base, offset)
    }

    /// Evaluates a string to its tag and address.
    pub(super) fn text(&mut self, expr: &Expr) -> Lowered<(Value, Value)> {
        let value = self.expression(expr)?;
        let text = self.as_text(value)?;
        Ok(self.words(text))
    }

    /// A value as a string.
    pub(super) fn as_text(&mut self, value: Loaded) -> Lowered<Loaded> {
        match value {
            Loaded::Str(..) => Ok(value),
            Loaded::Int(n) => {
                let tag = self.int(tag::INT as i64);
                let words = self.call_intrinsic("to_str", &[tag, n])?;
                Ok(Loaded::Str(words[0], words[1]))
            }
            Loaded::Any(tag, data) => {
                let is_text = self.has_kind(tag, tag::STR);
                let (slow, done) = (self.builder.create_block(), self.join(2));
                let words = [tag.into(), data.into()];
                self.builder.ins().brif(is_text, done, &words, slow, &[]);
                self.start(slow);
                let words = self.call_intrinsic("to_str", &[tag, data])?;
                self.jump(done, &words);
                self.start(done);
                let params = self.builder.block_params(done);
                Ok(Loaded::Str(params[0], params[1]))
            }
        }
    }

    /// An integer as a string, another value as it is.
    pub(super) fn worded(&mut self, value: Loaded) -> Lowered<Loaded> {
        let Loaded::Any(tag, data) = value else {
            return self.as_text(value);
        };
        let is_int = self.has_kind(tag, tag::INT);
        let (slow, done) = (self.builder.create_block(), self.join(2));
        let words = [tag.into(), data.into()];
        self.builder.ins().brif(is_int, slow, &[], done, &words);
        self.start(slow);
        let words = self.call_intrinsic("to_str", &[tag, data])?;
        self.jump(done, &words);
        self.start(done);
        let params = self.builder.block_params(done);
        Ok(Loaded::Any(params[0], params[1]))
    }

    /// A format.
    pub(super) fn format(&mut self, pieces: &[Expr]) -> Lowered<Loaded> {
        let list = self.list(pieces)?;
        let text = self.joined("format", list, pieces.len())?;
        self.release(list);
        Ok(text)
    }

    /// Strings one after the other.
    pub(super) fn concat(&mut self, parts: &[Expr]) -> Lowered<Loaded> {
        let list = self.list(parts)?;
        let text = self.joined("concat", list, parts.len())?;
        self.release(list);
        Ok(text)
    }

    fn list(&mut self, parts: &[Expr]) -> Lowered<u32> {
        let list = self.reserve(parts.len());
        for (n, part) in parts.iter().enumerate() {
            let value = self.expression(part)?;
            self.put(list + n as u32, value);
        }
        Ok(list)
    }

    /// What the intrinsic makes of `len` values from `list` on. Out of memory gives up.
    pub(super) fn joined(
        &mut self,
        intrinsic: &'static str,
        list: u32,
        len: usize,
    ) -> Lowered<Loaded> {
        let address = self.address(list);
        let len = self.int(len as i64);
        let words = self.call_intrinsic(intrinsic, &[address, len])?;
        let failed = self.has_kind(words[0], tag::FAIL);
        self.give_up_if(failed, Some(1))?;
        Ok(Loaded::Str(words[0], words[1]))
    }

    /// Takes space for `len` values.
    pub(super) fn reserve(&mut self, len: usize) -> u32 {
        let list = self.area_top;
        self.area_top += len as u32;
        self.area_max = self.area_max.max(self.area_top);
        list
    }

    /// Gives back the space from `list` on.
    pub(super) fn release(&mut self, list: u32) {
        self.area_top = list;
    }

    /// Stores a value.
    pub(super) fn put(&mut self, at: u32, value: Loaded) {
        let (tag, data) = self.words(value);
        self.put_words(at, tag, data);
    }

    /// Stores two words.
    pub(super) fn put_words(&mut self, at: u32, first: Value, second: Value) {
        let base = self.address(at);
        self.builder.ins().store(Self::trusted(), first, base, 0);
        self.builder.ins().store(Self::trusted(), second, base, 8);
    }

    /// The address of a value's space.
    pub(super) fn address(&mut self, at: u32) -> Value {
        let offset = (at * SLOT) as i32;
        self.builder.ins().stack_addr(types::I64, self.area, offset)
    }

    /// The flag that a string is exactly `text`.
    pub(super) fn is_text(&mut self, tag: Value, data: Value, text: &Rc<[u8]>) -> Lowered<Value> {
        let same_length = self.is(IntCC::Equal, tag, text_tag(text.len()) as i64);
        if text.is_empty() {
            return Ok(same_length);
        }
        let (compare, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I8);
        let no = self.builder.ins().iconst(types::I8, 0);
        self.builder
            .ins()
            .brif(same_length, compare, &[], done, &[no.into()]);
        self.start(compare);
        let flag = if text.len() <= SHORT {
            self.same_bytes(data, text)
        } else {
            let bytes = self.constant_bytes(text);
            let len = self.int(text.len() as i64);
            let same = self.call_intrinsic("same_bytes", &[data, bytes, len])?[0];
            self.is(IntCC::NotEqual, same, 0)
        };
        self.jump(done, &[flag]);
        self.start(done);
        Ok(self.builder.block_params(done)[0])
    }

    /// The flag that the bytes at `data` are those of a short text.
    fn same_bytes(&mut self, data: Value, text: &[u8]) -> Value {
        let mut at = 0;
        let mut differences: Option<Value> = None;
        while at < text.len() {
            let (ty, width) = match text.len() - at {
                8.. => (types::I64, 8),
                4.. => (types::I32, 4),
                2.. => (types::I16, 2),
                _ => (types::I8, 1),
            };
            let mut bytes = [0; 8];
            bytes[..width].copy_from_slice(&text[at..at + width]);
            let expected = i64::from_le_bytes(bytes);
            let mut flags = Self::trusted();
            flags.set_endianness(cranelift::codegen::ir::Endianness::Little);
            let found = self.builder.ins().load(ty, flags, data, at as i32);
            let wide = match width {
                8 => found,
                _ => self.builder.ins().uextend(types::I64, found),
            };
            let expected = self.int(expected);
            let difference = self.builder.ins().bxor(wide, expected);
            differences = Some(match differences {
                Some(before) => self.builder.ins().bor(before, difference),
                None => difference,
            });
            at += width;
        }
        match differences {
            Some(differences) => self.is(IntCC::Equal, differences, 0),
            None => self.builder.ins().iconst(types::I8, 1),
        }
    }
}

/// The tag of a string of this length.
pub(super) fn text_tag(len: usize) -> u64 {
    tag::STR | ((len as u64) << tag::LEN_SHIFT)
}
