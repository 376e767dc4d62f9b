//! A module of the tests, `probe`: a variable whose values no message has by chance.
//!
//! Values belong to the thread: a simulated server runs on the thread of the test that sets them.

use std::cell::RefCell;
use std::sync::LazyLock;

use kcc_runtime::declare::Module;
use kcc_runtime::value::Value;
use kcc_stdlib::MODULES;

/// The modules of the runtime, and `probe`.
pub static WITH_PROBE: LazyLock<Vec<&'static Module>> =
    LazyLock::new(|| MODULES.iter().copied().chain([&exports::MODULE]).collect());

/// A value with a name for messages.
pub type Named = (&'static str, Value<'static>);

static HUGE: [u8; 65_536] = [b'a'; 65_536];

static BINARY: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut n = 0;
    while n < 256 {
        bytes[n] = n as u8;
        n += 1;
    }
    bytes
};

/// Values that a builtin may stumble over.
pub static BAD: &[Named] = &[
    ("null", Value::Null),
    ("empty", Value::Str(b"")),
    ("64 KiB", Value::Str(&HUGE)),
    ("binary", Value::Str(&BINARY)),
    ("nul", Value::Str(b"\0")),
    ("line ends", Value::Str(b"\r\n\r\n: \r\n")),
    ("quotes", Value::Str(b"\"'\"\\\"<<>>;;==,,((")),
    ("format", Value::Str(b"$(ru{s.len}$var(x)$$ %s %n %1")),
    ("expression", Value::Str(b"(((a*)*)*|[[:x:]{9999999999})\\")),
    ("substitution", Value::Str(b"/a*/\\9&/gggg")),
    ("half a URI", Value::Str(b"sip:@[::1:99999;x=;=y?")),
    ("escapes", Value::Str(b"sip:%00%g%ff%@h%;a=%?b=%")),
    ("not UTF-8", Value::Str(b"\xff\xfe\xc3\x28\xf0\x9f")),
    ("hexadecimal", Value::Str(b"0x")),
    ("a long number", Value::Str(b"99999999999999999999999999")),
    ("0", Value::Int(0)),
    ("-1", Value::Int(-1)),
    ("2^31", Value::Int(1 << 31)),
    ("2^63-1", Value::Int(i64::MAX)),
    ("-2^63", Value::Int(i64::MIN)),
];

thread_local! {
    static CASE: RefCell<Vec<Value<'static>>> = const { RefCell::new(Vec::new()) };
}

/// From now on `$probe(n)` is element `n` of `values`, and null beyond.
pub fn set(values: impl IntoIterator<Item = Value<'static>>) {
    CASE.set(values.into_iter().collect());
}

fn value(n: usize) -> Value<'static> {
    CASE.with_borrow(|case| case.get(n).copied().unwrap_or(Value::Null))
}

/// What the tests give to builtins.
#[kcc_macros::module(name = "probe")]
pub mod exports {
    use kcc_runtime::declare::{Const, ConstantError, Parse};
    use kcc_runtime::run::Run;
    use kcc_runtime::value::{Val, Value};

    /// The position of a value.
    pub struct Position(usize);

    impl Parse for Position {
        const NAME: &'static str = "probe-position";
        const WHAT: &'static str = "a position";

        fn parse(text: &[u8]) -> Result<Position, ConstantError> {
            let text = str::from_utf8(text).map_err(|_| ConstantError::new("no number"))?;
            let number = text.parse().map_err(|_| ConstantError::new("no number"))?;
            Ok(Position(number))
        }
    }

    /// A value that the test chose.
    #[pv(name = "probe")]
    fn probe(_run: &mut Run, position: Const<Position>) -> Val {
        match super::value(position.0) {
            Value::Null => Val::NULL,
            Value::Int(n) => Val::int(n),
            Value::Str(text) => Val::str(text),
        }
    }
}
