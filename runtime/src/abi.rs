//! All that compiled code and the runtime agree on.
//!
//! Compiled code sees a [`Head`] at the start of each run, calls every builtin through one
//! signature ([`Shim`]), and calls the [`crate::intrinsics`] by theirs.
//!
//! [`VERSION`] goes up by one with each change after which compiled code and a runtime from before
//! it would misunderstand each other: of a type or number in this file, of the layout of
//! [`Val`], of a signature or the meaning of an intrinsic, of what an argument's kind is passed as
//! ([`crate::declare::ArgKind`]), of the serialised [`crate::program::Manifest`]. A new intrinsic or
//! builtin is no such change: it is found by its name, or reported as missing.
//!
//! **Invariant:** nothing unwinds through compiled code. Each entry of the runtime contains panics
//! and answers with a [`status`], which compiled code tests after the call.

use crate::run::Run;
use crate::value::{Val, Value, tag};

/// Version of this agreement, checked when a standalone program is loaded.
pub const VERSION: u32 = 3;

/// What compiled code does after a call.
pub mod status {
    /// Go on.
    pub const OK: u64 = 0;
    /// End the script (`exit`, `return 0`).
    pub const EXIT: u64 = 1;
    /// End the script and mark the message as dropped.
    pub const DROP: u64 = 2;
    /// End the script: a builtin panicked or a limit was passed; already logged.
    pub const ERROR: u64 = 3;
}

/// A status and a value, in two registers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// One of [`status`].
    pub status: u64,
    /// The code of the call: > 0 true, < 0 false.
    pub value: i64,
}

/// Two registers returned by a [`Shim`]: a [`Pair`] from functions and writers, a [`Val`] from
/// readers and transformations.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words(pub u64, pub u64);

impl From<Pair> for Words {
    fn from(pair: Pair) -> Words {
        Words(pair.status, pair.value as u64)
    }
}

impl From<Val> for Words {
    fn from(val: Val) -> Words {
        Words(val.tag, val.data)
    }
}

impl From<Words> for Val {
    fn from(words: Words) -> Val {
        Val {
            tag: words.0,
            data: words.1,
        }
    }
}

impl From<Words> for Pair {
    fn from(words: Words) -> Pair {
        Pair {
            status: words.0,
            value: words.1 as i64,
        }
    }
}

/// The one signature of builtins: the run, and an array of as many values as the declaration has
/// arguments ([`Val::NULL`] for one left out).
pub type Shim = extern "C" fn(*mut Run, *const Val) -> Words;

/// The one signature of compiled route blocks. The answer is a [`Pair`].
pub type RouteFn = extern "C" fn(*mut Run) -> Words;

/// A variable as an argument: how to read and assign it. Compiled code makes it on its stack.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The reader.
    pub read: Option<Shim>,
    /// The writer, null where the variable cannot be assigned.
    pub write: Option<Shim>,
    /// The reader of the hidden integer, null where the variable has none.
    pub read_int: Option<Shim>,
    /// How many of `args` count: those of the declaration's inner name and indices.
    pub len: u64,
    /// Inner name and indices; room for the value to assign.
    pub args: [Val; 4],
}

/// A slot of `$var`: the value, and the buffer that holds its text.
///
/// Compiled code reads and writes `val` where it is an integer; a string is assigned through
/// [`crate::intrinsics`], which copies it.
#[repr(C)]
#[derive(Debug)]
pub struct VarSlot {
    /// The value; a string lies in `text`.
    pub val: Val,
    /// The bytes, kept for the next assignment.
    pub text: Vec<u8>,
}

impl Default for VarSlot {
    /// `$var` begins as the integer 0.
    fn default() -> VarSlot {
        VarSlot {
            val: Val::int(0),
            text: Vec::new(),
        }
    }
}

impl VarSlot {
    /// A slot of its own with the same value.
    pub fn copy(&self) -> VarSlot {
        let text = self.text.clone();
        let val = if self.val.kind() == tag::STR {
            Val::str(&text)
        } else {
            self.val
        };
        VarSlot { val, text }
    }

    /// A slot with this value.
    pub fn holding(value: Value<'_>) -> VarSlot {
        let text = match value {
            Value::Str(text) => text.to_vec(),
            Value::Null | Value::Int(_) => Vec::new(),
        };
        let val = match value {
            Value::Str(_) => Val::str(&text),
            value => value.into(),
        };
        VarSlot { val, text }
    }

    /// A slot of `$vn`, which begins as null.
    pub fn null() -> VarSlot {
        VarSlot {
            val: Val::NULL,
            text: Vec::new(),
        }
    }
}

/// The part of a [`Run`] that compiled code reads and writes, at fixed offsets.
#[repr(C)]
#[derive(Debug)]
pub struct Head {
    /// The worker's `$var` and `$vn` slots, `Manifest::vars` of them.
    pub vars: *mut VarSlot,
    /// Addresses of the program's parsed constants.
    pub constants: *const *const (),
    /// `$rc`.
    pub rc: i64,
    /// How deep action lists are nested.
    pub depth: u32,
    /// `max_recursive_level`.
    pub max_depth: u32,
    /// Loop rounds until the worker lets other messages run.
    pub fuel: u32,
    /// Message flags (`setflag`).
    pub message_flags: u32,
    /// Script flags (`setsflag`).
    pub script_flags: u32,
    /// Index into `Manifest::places` of the statement being run.
    pub place: u32,
    /// `Method::bit` of the current message: the request's method, or the CSeq method of a reply.
    pub method: u32,
    /// 1 where the current message's To has a tag.
    pub has_totag: u32,
    /// The lowest address that the stack pointer may have where a route is entered; 0 is no limit.
    pub stack_limit: u64,
}
