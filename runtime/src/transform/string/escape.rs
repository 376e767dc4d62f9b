//! Escapes of a string: for quotes, for URIs (RFC 3261 §25.1), for CSV (RFC 4180).

use crate::transform::{Output, digit};

/// Writes `%` and two hexadecimal digits for the bytes that `plain` does not hold for.
fn percent(input: &[u8], out: &mut Output<'_>, plain: impl Fn(u8) -> bool) {
    for byte in input {
        if plain(*byte) {
            out.push(*byte);
        } else {
            out.push(b'%');
            out.hex(*byte);
        }
    }
}

/// `unreserved` of RFC 3261.
fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')'
        )
}

/// What may stand in the user part of a URI.
fn in_user(byte: u8) -> bool {
    unreserved(byte) || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

/// What may stand in a parameter of a URI.
fn in_param(byte: u8) -> bool {
    unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$')
}

/// Writes the bytes that `%` and two digits stand for; `None` for a bad or a zero byte.
fn unpercent(input: &[u8], out: &mut Output<'_>) -> Option<()> {
    let mut rest = input;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                out.push(digit(*high)? << 4 | digit(*low)?);
                rest = tail;
            }
            (b'%', _) => return None,
            _ => out.push(*byte),
        }
    }
    Some(())
}

/// The class `s`: escapes.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::{digit, output, try_output};
    use crate::value::Val;

    use super::{in_param, in_user, percent, unpercent};

    /// A backslash before quotes and backslashes; a zero byte is written `\0`.
    ///
    /// ```cfg
    /// $var(name) = $(fn{s.escape.common});
    /// ```
    #[transformation("s.escape.common")]
    fn escape_common(run: &mut Run, input: Text) -> Val {
        output(run, input.len() * 2, |out| {
            for byte in input {
                match byte {
                    b'\'' | b'"' | b'\\' => out.extend(&[b'\\', *byte]),
                    0 => out.extend(b"\\0"),
                    _ => out.push(*byte),
                }
            }
        })
    }

    /// The text that `s.escape.common` was made from.
    #[transformation("s.unescape.common")]
    fn unescape_common(run: &mut Run, input: Text) -> Val {
        output(run, input.len(), |out| {
            let mut rest = input;
            while let [byte, tail @ ..] = rest {
                let (byte, tail) = match (byte, tail) {
                    (b'\\', [quoted @ (b'\'' | b'"' | b'\\'), tail @ ..]) => (*quoted, tail),
                    (b'\\', [b'0', tail @ ..]) => (0, tail),
                    _ => (*byte, tail),
                };
                out.push(byte);
                rest = tail;
            }
        })
    }

    /// The text as the user part of a URI: other characters as `%` and two digits.
    #[transformation("s.escape.user")]
    fn escape_user(run: &mut Run, input: Text) -> Val {
        output(run, input.len() * 3, |out| percent(input, out, in_user))
    }

    /// The text with `%` and two hexadecimal digits decoded; a bad escape is an error.
    #[transformation("s.unescape.user")]
    fn unescape_user(run: &mut Run, input: Text) -> Result<Val, Failed> {
        try_output(run, input.len(), |out| unpercent(input, out))
    }

    /// The text as a parameter of a URI: other characters as `%` and two digits.
    #[transformation("s.escape.param")]
    fn escape_param(run: &mut Run, input: Text) -> Val {
        output(run, input.len() * 3, |out| percent(input, out, in_param))
    }

    /// The text with `%` and two hexadecimal digits decoded; a bad escape is an error.
    #[transformation("s.unescape.param")]
    fn unescape_param(run: &mut Run, input: Text) -> Result<Val, Failed> {
        try_output(run, input.len(), |out| unpercent(input, out))
    }

    /// The text as a field of CSV: in double quotes, those inside doubled (RFC 4180).
    #[transformation("s.escape.csv")]
    fn escape_csv(run: &mut Run, input: Text) -> Val {
        output(run, input.len() * 2 + 2, |out| {
            out.push(b'"');
            for byte in input {
                match byte {
                    b'"' => out.extend(b"\"\""),
                    _ => out.push(*byte),
                }
            }
            out.push(b'"');
        })
    }

    /// CR and LF written as `\r` and `\n`.
    #[transformation("s.escape.crlf")]
    fn escape_crlf(run: &mut Run, input: Text) -> Val {
        output(run, input.len() * 2, |out| {
            for byte in input {
                match byte {
                    b'\r' => out.extend(b"\\r"),
                    b'\n' => out.extend(b"\\n"),
                    _ => out.push(*byte),
                }
            }
        })
    }

    /// `\r` and `\n` as CR and LF.
    #[transformation("s.unescape.crlf")]
    fn unescape_crlf(run: &mut Run, input: Text) -> Val {
        output(run, input.len(), |out| {
            let mut rest = input;
            while let [byte, tail @ ..] = rest {
                let (byte, tail) = match (byte, tail) {
                    (b'\\', [b'r', tail @ ..]) => (b'\r', tail),
                    (b'\\', [b'n', tail @ ..]) => (b'\n', tail),
                    _ => (*byte, tail),
                };
                out.push(byte);
                rest = tail;
            }
        })
    }

    /// The text for a query of a URL: letters, digits and `-_.~` as they are, other characters as
    /// `%` and two digits.
    #[transformation("s.urlencode.param")]
    fn urlencode(run: &mut Run, input: Text) -> Val {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        output(run, input.len() * 3, |out| percent(input, out, plain))
    }

    /// The text of a query of a URL: `+` is a space, `%` and two digits are decoded; the `%` of a
    /// bad escape is left out. (Kamailio makes some character of it.)
    #[transformation("s.urldecode.param")]
    fn urldecode(run: &mut Run, input: Text) -> Val {
        output(run, input.len(), |out| {
            let mut rest = input;
            while let [byte, tail @ ..] = rest {
                rest = tail;
                match (byte, tail) {
                    (b'+', _) => out.push(b' '),
                    (b'%', [high, low, tail @ ..]) => {
                        if let (Some(high), Some(low)) = (digit(*high), digit(*low)) {
                            out.push(high << 4 | low);
                            rest = tail;
                        }
                    }
                    (b'%', _) => {}
                    _ => out.push(*byte),
                }
            }
        })
    }
}
