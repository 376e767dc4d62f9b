//! Runtime functions that compiled code calls and that no configuration names: conversions,
//! concatenation, comparison, limits.
//!
//! Each is one entry of the table below; its Cranelift signature, its address for the JIT and its
//! name for standalone programs come from it.

use crate::abi::{Pair, status};
use crate::arena::Mark;
use crate::declare::{ConstantKind, Parse};
use crate::pattern::{Flags, Pattern};
use crate::run::Run;
use crate::value::{Val, Value, tag};

/// A type that compiled code passes or gets, as machine words.
pub trait Abi: Copy {
    /// How many registers it takes.
    const WORDS: usize;
    /// What a contained panic answers.
    const STOPPED: Self;
}

impl Abi for () {
    const WORDS: usize = 0;
    const STOPPED: Self = ();
}

impl Abi for i64 {
    const WORDS: usize = 1;
    const STOPPED: Self = 0;
}

impl Abi for *const Val {
    const WORDS: usize = 1;
    const STOPPED: Self = std::ptr::null();
}

impl Abi for Val {
    const WORDS: usize = 2;
    const STOPPED: Self = Val::STOP;
}

impl Abi for Pair {
    const WORDS: usize = 2;
    const STOPPED: Self = Pair {
        status: status::ERROR,
        value: -1,
    };
}

/// One runtime function, for the code generator.
#[derive(Clone, Copy, Debug)]
pub struct Intrinsic {
    /// Name for the linker.
    pub name: &'static str,
    /// Registers of each argument after the run.
    pub args: &'static [usize],
    /// Registers of the result.
    pub result: usize,
    /// The code.
    pub address: *const (),
}

// SAFETY: the address is that of a function.
unsafe impl Sync for Intrinsic {}

macro_rules! intrinsics {
    ($($(#[doc = $doc:literal])+ fn $name:ident($run:ident $(, $arg:ident: $ty:ty)*) $(-> $result:ty)? $body:block)*) => {
        $(
            $(#[doc = $doc])+
            pub extern "C" fn $name(run: *mut Run $(, $arg: $ty)*) $(-> $result)? {
                // Registers past the sixth would go to the stack, where a two-word value is laid out otherwise.
                const { assert!(1 $(+ <$ty as Abi>::WORDS)* <= 6) }
                contained(run, |$run| $body)
            }
        )*

        /// Every runtime function that compiled code may call.
        pub static INTRINSICS: &[Intrinsic] = &[$(Intrinsic {
            name: concat!("kcc.", stringify!($name)),
            args: &[$(<$ty as Abi>::WORDS),*],
            result: <intrinsics!(@result $($result)?) as Abi>::WORDS,
            address: $name as *const (),
        },)*];
    };
    (@result) => { () };
    (@result $result:ty) => { $result };
}

fn contained<R: Abi>(run: *mut Run, body: impl FnOnce(&mut Run) -> R) -> R {
    // SAFETY: compiled code passes the run it was given, which nobody else uses meanwhile.
    let run = unsafe { &mut *run };
    let outer: *mut Run = run;
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(run))) {
        Ok(result) => result,
        Err(panic) => {
            // SAFETY: the borrow of `body` ended with the panic.
            unsafe { &mut *outer }.fail_by_panic(&*panic);
            R::STOPPED
        }
    }
}

/// The values of an array that compiled code made.
///
/// # Safety
/// `values` points to `n` values that live during the call.
unsafe fn values<'a>(values: *const Val, n: i64) -> impl Iterator<Item = Val> + 'a {
    (0..n as usize).map(move |i| {
        // SAFETY: the caller's promise.
        unsafe { *values.add(i) }
    })
}

/// Longest result of a format, in bytes (`pv_buffer_size` of Kamailio 6).
const FORMAT_LIMIT: usize = 32_768;

fn concat_with(run: &mut Run, list: *const Val, n: i64, null: &[u8], limit: usize) -> Val {
    let mut digits = [[0u8; 20]; 2];
    let mut len = 0usize;
    // SAFETY: both passes read the array that compiled code made for this call.
    for val in unsafe { values(list, n) } {
        // SAFETY: as above.
        len += match unsafe { val.view() } {
            _ if val.kind() == tag::STOP => return Val::STOP,
            _ if val.kind() == tag::FAIL => 0,
            Value::Null => null.len(),
            Value::Int(n) => decimal(n, &mut digits[0]).len(),
            Value::Str(text) => text.len(),
        };
    }
    if len > limit {
        return Val::FAIL;
    }
    let Some(space) = run.scratch.alloc(len) else {
        return Val::FAIL;
    };
    let mut at = 0;
    // SAFETY: as above.
    for val in unsafe { values(list, n) } {
        // SAFETY: as above.
        let text: &[u8] = match unsafe { val.view() } {
            _ if val.kind() == tag::FAIL => b"",
            Value::Null => null,
            Value::Int(n) => decimal(n, &mut digits[1]),
            Value::Str(text) => text,
        };
        space[at..at + text.len()].copy_from_slice(text);
        at += text.len();
    }
    Val::str(space)
}

/// `n` in decimal, written into the end of `buffer`.
fn decimal(n: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut rest = n.unsigned_abs();
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

fn to_text(run: &mut Run, val: Val) -> Val {
    // SAFETY: compiled code's values live during the call.
    match unsafe { val.view() } {
        Value::Null => Val::str(b""),
        Value::Int(n) => {
            let mut buffer = [0; 20];
            run.scratch.copy(decimal(n, &mut buffer))
        }
        Value::Str(_) => val,
    }
}

fn to_number(run: &mut Run, val: Val) -> i64 {
    // SAFETY: compiled code's values live during the call.
    let value = unsafe { val.view() };
    value.int().unwrap_or_else(|| {
        if let Value::Str(text) = value {
            let text = String::from_utf8_lossy(text);
            run.warn(&format_args!("{text:?} is not a number: 0 is used"));
        }
        0
    })
}

intrinsics! {
    /// A format: the pieces one after the other; null prints `<null>`, a failed piece nothing.
    /// Fails beyond the limit of 32 KiB.
    fn format(run, list: *const Val, n: i64) -> Val {
        concat_with(run, list, n, b"<null>", FORMAT_LIMIT)
    }

    /// The `+` of strings: null is empty.
    fn concat(run, list: *const Val, n: i64) -> Val {
        concat_with(run, list, n, b"", usize::MAX)
    }

    /// A value as a string.
    fn to_str(run, val: Val) -> Val {
        to_text(run, val)
    }

    /// A value as an integer; what is not a number is 0, with a warning.
    fn to_int(run, val: Val) -> i64 {
        to_number(run, val)
    }

    /// `==` where the type of the left side decides at run time.
    fn equal(run, left: Val, right: Val) -> i64 {
        // SAFETY: compiled code's values live during the call.
        let (l, r) = unsafe { (left.view(), right.view()) };
        let equal = match (l, r) {
            (Value::Null, Value::Null) => true,
            (Value::Int(l), _) => l == to_number(run, right),
            (Value::Null, Value::Int(r)) => r == 0,
            (Value::Str(l), Value::Str(r)) => l == r,
            (Value::Str(l), Value::Int(r)) => l == decimal(r, &mut [0; 20]),
            (Value::Str(l), Value::Null) => l.is_empty(),
            (Value::Null, Value::Str(r)) => r.is_empty(),
        };
        i64::from(equal)
    }

    /// Whether `text` matches the pattern at `address`, a constant of the program.
    fn matches(_run, text: Val, address: i64) -> i64 {
        // SAFETY: compiled code passes the address of a constant of this type.
        let pattern = unsafe { &*(address as *const Icase) };
        // SAFETY: compiled code's values live during the call.
        let text = unsafe { text.view() };
        i64::from(pattern.0.is_match(&text.text()))
    }

    /// Whether `text` matches a pattern made at run time; fails the expression where it is none.
    fn matches_text(run, text: Val, pattern: Val) -> Val {
        // SAFETY: compiled code's values live during the call.
        let (text, pattern) = unsafe { (text.view(), pattern.view()) };
        match Pattern::new(&pattern.text(), Flags { icase: true, ..Flags::default() }) {
            Ok(pattern) => Val::int(i64::from(pattern.is_match(&text.text()))),
            Err(error) => {
                run.report(&format_args!("bad regular expression: {}", error.message));
                Val::FAIL
            }
        }
    }

    /// Whether `text` matches the pattern of a `case /…/:`, which minds case.
    fn matches_case(_run, text: Val, address: i64) -> i64 {
        // SAFETY: compiled code passes the address of a constant of this type.
        let pattern = unsafe { &*(address as *const Case) };
        // SAFETY: compiled code's values live during the call.
        let text = unsafe { text.view() };
        i64::from(pattern.0.is_match(&text.text()))
    }

    /// Assigns slot `slot` of `$var` or `$vn`.
    fn set_var(run, slot: i64, val: Val) {
        // SAFETY: compiled code's values live during the call.
        run.set_var(slot as usize, unsafe { val.view() });
    }

    /// Where the scratch memory stands.
    fn mark(run) -> i64 {
        run.scratch.mark().to_bits() as i64
    }

    /// Gives scratch memory back.
    fn reset(run, mark: i64) {
        run.scratch.reset(Mark::from_bits(mark as u64));
    }

    /// The index of the block `route[name]`, or -1 with an error in the log.
    fn route_index(run, name: Val) -> i64 {
        // SAFETY: compiled code's values live during the call.
        let name = unsafe { name.view() }.text();
        let found = std::str::from_utf8(&name)
            .ok()
            .and_then(|name| run.program.route(crate::declare::Routes::REQUEST, name));
        match found {
            Some(route) => i64::from(route),
            None => {
                run.report(&format_args!("no route[{}]", String::from_utf8_lossy(&name)));
                -1
            }
        }
    }

    /// Calls route number `route`.
    fn call_route(run, route: i64) -> Pair {
        run.call(route as u32)
    }

    /// An expression was given up: says why. 0 division by zero, 1 failed evaluation.
    fn gave_up(run, reason: i64) {
        let reason = match reason {
            0 => "division by zero",
            _ => "the expression cannot be evaluated",
        };
        run.report(&reason);
    }

    /// `max_recursive_level` was passed.
    fn too_deep(run) {
        let limit = run.head.max_depth;
        run.report(&format_args!("more than {limit} nested blocks (max_recursive_level)"));
    }

    /// `max_while_loops` was passed.
    fn too_many_rounds(run, limit: i64) {
        run.report(&format_args!("more than {limit} rounds (max_while_loops)"));
    }
}

/// A pattern of `=~`: ignores case.
pub struct Icase(pub Pattern);

/// A pattern of `case /…/:`: minds case.
pub struct Case(pub Pattern);

impl Parse for Icase {
    const NAME: &'static str = "regex-icase";
    const WHAT: &'static str = "a regular expression";

    fn parse(text: &[u8]) -> Result<Self, crate::declare::ConstantError> {
        parse_pattern(text, true).map(Icase)
    }
}

impl Parse for Case {
    const NAME: &'static str = "regex-case";
    const WHAT: &'static str = "a regular expression";

    fn parse(text: &[u8]) -> Result<Self, crate::declare::ConstantError> {
        parse_pattern(text, false).map(Case)
    }
}

fn parse_pattern(text: &[u8], icase: bool) -> Result<Pattern, crate::declare::ConstantError> {
    Pattern::new(
        text,
        Flags {
            icase,
            ..Flags::default()
        },
    )
    .map_err(|error| crate::declare::ConstantError {
        offset: error.offset,
        message: error.message.to_string(),
    })
}

/// Kinds of constant that the language itself uses.
pub(crate) const CONSTANT_KINDS: [&ConstantKind; 2] = [Icase::KIND, Case::KIND];
