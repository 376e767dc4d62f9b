//! Builtins that are a few instructions instead of a call.

use std::mem::offset_of;

use cranelift::prelude::{InstBuilder, IntCC, Value, types};
use kcc_runtime::abi::Head;
use kcc_runtime::declare::FunctionDecl;
use kcc_sip::method::Method;

use super::Lowering;
use crate::ir::{Arg, Expr, PvRef};

/// What is known of a builtin's code.
#[derive(Clone, Copy)]
enum Inline {
    SetFlag,
    ResetFlag,
    IsFlagSet,
    IsMethod,
    HasToTag,
}

/// By symbol; the declarations have the same meaning as calls.
const TABLE: [(&str, Inline); 5] = [
    ("core.setflag/1", Inline::SetFlag),
    ("core.resetflag/1", Inline::ResetFlag),
    ("core.isflagset/1", Inline::IsFlagSet),
    ("textops.is_method/1", Inline::IsMethod),
    ("siputils.has_totag/0", Inline::HasToTag),
];

impl Lowering<'_, '_, '_> {
    /// The code of a call that is made in place; `None` where it has to be made.
    pub(super) fn inline(&mut self, decl: &FunctionDecl, args: &[Arg]) -> Option<Value> {
        let (_, how) = TABLE.iter().find(|(symbol, _)| *symbol == decl.symbol)?;
        match how {
            Inline::HasToTag => {
                let flag = self.head_u32(offset_of!(Head, has_totag));
                Some(self.code(flag))
            }
            Inline::IsMethod => {
                let mask = methods(self.text_of(args.first()?)?)?;
                let found = self.method_in(mask);
                Some(self.code(found))
            }
            Inline::SetFlag | Inline::ResetFlag | Inline::IsFlagSet => {
                let Arg::Value(Expr::Int(flag @ 0..32)) = args.first()? else {
                    return None;
                };
                let bit = 1u32 << flag;
                let flags = self.head_u32(offset_of!(Head, message_flags));
                let mask = match how {
                    Inline::ResetFlag => !bit,
                    _ => bit,
                };
                let mask = self.builder.ins().iconst(types::I32, i64::from(mask));
                if let Inline::IsFlagSet = how {
                    let found = self.builder.ins().band(flags, mask);
                    return Some(self.code(found));
                }
                let changed = match how {
                    Inline::SetFlag => self.builder.ins().bor(flags, mask),
                    _ => self.builder.ins().band(flags, mask),
                };
                self.set_head_u32(offset_of!(Head, message_flags), changed);
                Some(self.int(1))
            }
        }
    }

    /// The text of a constant argument.
    fn text_of<'a>(&'a self, arg: &'a Arg) -> Option<&'a [u8]> {
        match arg {
            Arg::Value(Expr::Str(text)) => Some(text),
            Arg::Constant(n) => {
                let spec = self.unit.program.manifest.constants.get(*n as usize)?;
                Some(&spec.text)
            }
            _ => None,
        }
    }

    /// The code 1 where `flag` is not 0, else -1.
    fn code(&mut self, flag: Value) -> Value {
        let holds = self.is(IntCC::NotEqual, flag, 0);
        let (yes, no) = (self.int(1), self.int(-1));
        self.builder.ins().select(holds, yes, no)
    }

    /// Not 0 where the message's method is in the set.
    fn method_in(&mut self, mask: u32) -> Value {
        let method = self.head_u32(offset_of!(Head, method));
        let mask = self.builder.ins().iconst(types::I32, i64::from(mask));
        self.builder.ins().band(method, mask)
    }

    /// The flag of `$rm == "NAME"` for a method that has a bit of its own.
    pub(super) fn method_equals(&mut self, pv: &PvRef, text: &[u8]) -> Option<Value> {
        if !pv.decl.symbol.ends_with(".$rm") {
            return None;
        }
        let method = Method::ALL
            .into_iter()
            .find(|method| method.as_str().as_bytes() == text)?;
        let found = self.method_in(method.bit());
        Some(self.is(IntCC::NotEqual, found, 0))
    }
}

/// The set of methods in `A|B|C`, where all have bits of their own.
fn methods(text: &[u8]) -> Option<u32> {
    let mut mask = 0;
    for name in text.split(|&byte| byte == b'|') {
        match Method::parse(name) {
            Method::Other => return None,
            method => mask |= method.bit(),
        }
    }
    Some(mask)
}
