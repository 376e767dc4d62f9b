//! Runtime functions that compiled code calls and that no configuration names: conversions,
//! concatenation, comparison, limits.
//!
//! Each is one entry of the table below; its Cranelift signature, its address for the JIT and its
//! name for standalone programs come from it.

mod constants;
mod slots;

pub(crate) use constants::CONSTANT_KINDS;
pub use constants::{Case, Icase, Network};
pub use slots::{READ_SLOT, SHIMS, WRITE_SLOT};

use crate::abi::{Pair, status};
use crate::arena::Mark;
use crate::declare::Routes;
use crate::pattern::{self, Flags};
use crate::run::Run;
use crate::value::{IntRule, Val, Value, parse_int_by, tag};

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
                const { assert!((0 $(+ <$ty as Abi>::WORDS)*) < 6) }
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

/// Loop rounds until other messages are let in.
const FUEL: u32 = 10_000;

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

fn to_number(run: &mut Run, val: Val, rule: IntRule) -> i64 {
    // SAFETY: compiled code's values live during the call.
    match unsafe { val.view() } {
        Value::Null => 0,
        Value::Int(n) => n,
        Value::Str(text) => parse_int_by(text, rule).unwrap_or_else(|| {
            let text = String::from_utf8_lossy(text);
            run.warn(&format_args!("{text:?} is not a number: 0 is used"));
            0
        }),
    }
}

/// `==` where the type of the left side decides at run time.
fn equals(run: &mut Run, left: Val, right: Val, rule: IntRule) -> i64 {
    // SAFETY: compiled code's values live during the call.
    let (l, r) = unsafe { (left.view(), right.view()) };
    let equal = match (l, r) {
        (Value::Null, Value::Null) => true,
        (Value::Int(l), _) => l == to_number(run, right, rule),
        (Value::Null, Value::Int(r)) => r == 0,
        (Value::Str(l), Value::Str(r)) => l == r,
        (Value::Str(l), Value::Int(r)) => l == decimal(r, &mut [0; 20]),
        (Value::Str(l), Value::Null) => l.is_empty(),
        (Value::Null, Value::Str(r)) => r.is_empty(),
    };
    i64::from(equal)
}

intrinsics! {
    /// A format: the pieces one after the other; null prints `<null>`, a failed piece nothing.
    /// Fails beyond the limit that `pv_buffer_size` sets.
    fn format(run, list: *const Val, n: i64) -> Val {
        let limit = run.program.settings.format_limit();
        concat_with(run, list, n, b"<null>", limit)
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
        to_number(run, val, IntRule::Wide)
    }

    /// A value as an integer by the rule of 5.6.
    fn to_int_narrow(run, val: Val) -> i64 {
        to_number(run, val, IntRule::Narrow)
    }

    /// A value as an integer by the rule of 4.2.
    fn to_int_wrapping(run, val: Val) -> i64 {
        to_number(run, val, IntRule::Wrapping)
    }

    /// `==` where the type of the left side decides at run time.
    fn equal(run, left: Val, right: Val) -> i64 {
        equals(run, left, right, IntRule::Wide)
    }

    /// `==` where the type of the left side decides at run time, by the rule of 5.6.
    fn equal_narrow(run, left: Val, right: Val) -> i64 {
        equals(run, left, right, IntRule::Narrow)
    }

    /// `==` where the type of the left side decides at run time, by the rule of 4.2.
    fn equal_wrapping(run, left: Val, right: Val) -> i64 {
        equals(run, left, right, IntRule::Wrapping)
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
        let (text, source) = unsafe { (text.view(), pattern.view()) };
        match pattern::recent(&source.text(), Flags { icase: true }) {
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

    /// A value whose string, if it is one, lies in scratch memory.
    fn hold(run, val: Val) -> Val {
        // SAFETY: compiled code's values live during the call.
        match unsafe { val.view() } {
            Value::Str(text) => run.scratch.copy(text),
            _ => val,
        }
    }

    /// Whether the `len` bytes at both addresses are the same.
    fn same_bytes(_run, left: i64, right: i64, len: i64) -> i64 {
        // SAFETY: compiled code passes the addresses of two strings of this length.
        let text = |address: i64| unsafe { std::slice::from_raw_parts(address as *const u8, len as usize) };
        i64::from(text(left) == text(right))
    }

    /// Whether two strings are the same but for the case of letters.
    fn same_word(_run, left: Val, right: Val) -> i64 {
        // SAFETY: compiled code's values live during the call.
        let (left, right) = unsafe { (left.view(), right.view()) };
        i64::from(left.text().eq_ignore_ascii_case(&right.text()))
    }

    /// Whether `text` is an address in the network at `address`, a constant of the program.
    fn in_network(_run, text: Val, address: i64) -> i64 {
        // SAFETY: compiled code passes the address of a constant of this type.
        let network = unsafe { &*(address as *const Network) };
        // SAFETY: compiled code's values live during the call.
        let text = unsafe { text.view() };
        i64::from(network.contains(&text.text()))
    }

    /// Whether the address `text` lies in the network that `network` says; in none where that is
    /// no network.
    fn within(_run, text: Val, network: Val) -> i64 {
        // SAFETY: compiled code's values live during the call.
        let (text, network) = unsafe { (text.view(), network.view()) };
        let found = <Network as crate::declare::Parse>::parse(&network.text());
        i64::from(found.is_ok_and(|network| network.contains(&text.text())))
    }

    /// Whether the host of the URI is this server.
    fn is_myself(run, uri: Val) -> i64 {
        // SAFETY: compiled code's values live during the call.
        let uri = unsafe { uri.view() };
        i64::from(crate::statements::tests::is_myself(run, &uri.text()))
    }

    /// Whether the address is this server's, at any port.
    fn is_my_address(run, text: Val) -> i64 {
        // SAFETY: compiled code's values live during the call.
        let text = unsafe { text.view() };
        let own = constants::address(&text.text())
            .is_some_and(|address| crate::statements::tests::is_my_address(run, address, None));
        i64::from(own)
    }

    /// The number of the block of kind `kind` that is called `name`; `u32::MAX` with a warning
    /// where there is none.
    fn route_number(run, kind: i64, name: Val) -> i64 {
        // SAFETY: compiled code's values live during the call.
        let name = unsafe { name.view() }.text();
        let name = String::from_utf8_lossy(&name);
        let found = run.program.route(Routes(kind as u16), &name);
        if found.is_none() {
            run.warn(&format_args!("there is no block [{name}] of this kind"));
        }
        i64::from(found.unwrap_or(u32::MAX))
    }

    /// A loop ran for long: other messages are let in.
    fn refuel(run) -> Pair {
        run.head.fuel = FUEL;
        let waited = run.try_link().map(|link| link.pass());
        let status = match waited {
            Some(Err(error)) => {
                run.fail_wait(error);
                status::ERROR
            }
            _ => status::OK,
        };
        Pair { status, value: 0 }
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
            .and_then(|name| run.program.route(Routes::REQUEST, name));
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

/// The runtime function or shim of the language itself that is called `name` by the linker.
pub fn address(name: &str) -> Option<*const ()> {
    let shim =
        |(symbol, shim): &(&str, crate::abi::Shim)| (*symbol == name).then_some(*shim as *const ());
    let intrinsic = INTRINSICS.iter().find(|entry| entry.name == name);
    intrinsic
        .map(|entry| entry.address)
        .or_else(|| SHIMS.iter().find_map(shim))
}
