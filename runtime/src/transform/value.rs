//! The classes `val` and `num`: null, JSON, digits.

use crate::transform::Output;

/// Writes `text` with the escapes of a JSON string (RFC 8259 §7).
fn json(text: &[u8], out: &mut Output<'_>) {
    for byte in text {
        match byte {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            8 => out.extend(b"\\b"),
            12 => out.extend(b"\\f"),
            0..32 => {
                out.extend(b"\\u00");
                out.hex(*byte);
            }
            _ => out.push(*byte),
        }
    }
}

/// The classes `val` and `num`.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::output;
    use crate::value::{Val, Value, parse_int};

    use super::json;

    /// The value; 0 where it is null.
    ///
    /// ```cfg
    /// $var(n) = $(avp(count){val.n0});
    /// ```
    #[transformation("val.n0", null)]
    fn zero(_run: &mut Run, input: Value) -> Val {
        match input {
            Value::Null => Val::int(0),
            value => value.into(),
        }
    }

    /// The value; "" where it is null.
    #[transformation("val.ne", null)]
    fn empty(_run: &mut Run, input: Value) -> Val {
        match input {
            Value::Null => Val::str(b""),
            value => value.into(),
        }
    }

    /// The text with the escapes of a JSON string, without quotes; "" where it is null. An integer is
    /// unchanged.
    #[transformation("val.json", null)]
    fn escaped(run: &mut Run, input: Value) -> Val {
        match input {
            Value::Null => Val::str(b""),
            Value::Int(n) => Val::int(n),
            Value::Str(text) => output(run, text.len() * 6, |out| json(text, out)),
        }
    }

    /// The text as a JSON string in double quotes; two quotes where it is null. An integer is
    /// unchanged. (Kamailio leaves the quotes out where nothing needs an escape.)
    #[transformation("val.jsonqe", null)]
    fn quoted(run: &mut Run, input: Value) -> Val {
        let text = match input {
            Value::Null => return Val::str(b"\"\""),
            Value::Int(n) => return Val::int(n),
            Value::Str(text) => text,
        };
        output(run, text.len() * 6 + 2, |out| {
            out.push(b'"');
            json(text, out);
            out.push(b'"');
        })
    }

    /// The first digit of an integer.
    #[transformation("num.fdigit")]
    fn first_digit(_run: &mut Run, input: Text) -> Result<i64, Failed> {
        let n = parse_int(input).ok_or(Failed)?.unsigned_abs();
        let first = std::iter::successors(Some(n), |n| (*n >= 10).then_some(n / 10)).last();
        Ok(first.unwrap_or(0) as i64)
    }

    /// The last digit of an integer.
    #[transformation("num.ldigit")]
    fn last_digit(_run: &mut Run, input: Text) -> Result<i64, Failed> {
        Ok((parse_int(input).ok_or(Failed)?.unsigned_abs() % 10) as i64)
    }
}
