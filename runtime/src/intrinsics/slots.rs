//! Slots of `$var` and `$vn` as variables that builtins read and assign.

use crate::abi::{Shim, Words};
use crate::run::Run;
use crate::shim;
use crate::value::{Val, Value};

/// Symbol of the reader: the argument is the slot.
pub const READ_SLOT: &str = "kcc.slot";
/// Symbol of the writer: the arguments are the slot and the value.
pub const WRITE_SLOT: &str = "kcc.slot/write";

/// The shims of the language itself.
pub static SHIMS: &[(&str, Shim)] = &[(READ_SLOT, read), (WRITE_SLOT, write)];

extern "C" fn read(run: *mut Run, args: *const Val) -> Words {
    shim::reader(run, args, |run, args| -> Val {
        // SAFETY: compiled code passes the number of a slot of the program.
        let slot = unsafe { args.get::<i64>(0) } as usize;
        if slot >= run.program.manifest.vars.len() {
            return Val::NULL;
        }
        // SAFETY: `head.vars` has as many slots as the manifest says, and the slot's string is
        // copied before anything else runs.
        let val = unsafe { (*run.head.vars.add(slot)).val };
        // SAFETY: as above.
        match unsafe { val.view() } {
            Value::Str(text) => run.scratch.copy(text),
            _ => val,
        }
    })
}

extern "C" fn write(run: *mut Run, args: *const Val) -> Words {
    shim::function(run, args, |run, args| -> bool {
        // SAFETY: compiled code and `Run::write` pass the number of a slot and a value.
        let (slot, value) = unsafe { (args.get::<i64>(0), args.get::<Value<'_>>(1)) };
        run.set_var(slot as usize, value);
        true
    })
}
