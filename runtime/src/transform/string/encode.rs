//! Encodings of bytes as text: hexadecimal, base64 (RFC 4648), base58, and the 7-bit alphabet of
//! GSM 03.38.

use crate::transform::Output;

/// How base64 is written.
#[derive(Clone, Copy)]
struct Base64 {
    digits: &'static [u8; 64],
    padded: bool,
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The longest text for base58, which takes time by the square of the length.
const LONGEST_BASE58: usize = 2048;

impl Base64 {
    fn encode(self, input: &[u8], out: &mut Output<'_>) {
        for group in input.chunks(3) {
            let bits = group
                .iter()
                .zip([16, 8, 0])
                .fold(0u32, |bits, (byte, shift)| bits | u32::from(*byte) << shift);
            for n in 0..4 {
                if n <= group.len() {
                    out.push(self.digits[(bits >> (18 - 6 * n) & 63) as usize]);
                } else if self.padded {
                    out.push(b'=');
                }
            }
        }
    }

    fn decode(self, input: &[u8], out: &mut Output<'_>) -> Option<()> {
        let digits = match self.padded {
            true if !input.len().is_multiple_of(4) => return None,
            true => {
                let text = input.strip_suffix(b"=").unwrap_or(input);
                text.strip_suffix(b"=").unwrap_or(text)
            }
            false => input,
        };
        for group in digits.chunks(4) {
            let mut bits = 0u32;
            for n in 0..4 {
                bits <<= 6;
                if let Some(c) = group.get(n) {
                    bits |= self.digits.iter().position(|digit| digit == c)? as u32;
                }
            }
            let bytes = bits.to_be_bytes();
            match group.len() {
                1 => return None,
                n => out.extend(&bytes[1..n]),
            }
        }
        Some(())
    }
}

/// Writes `input`, digits of base `from` most significant first, in base `to` into `out`.
fn convert(input: impl Iterator<Item = u8>, from: u32, to: u32, out: &mut [u8]) {
    for digit in input {
        let mut carry = u32::from(digit);
        for place in out.iter_mut().rev() {
            carry += u32::from(*place) * from;
            *place = (carry % to) as u8;
            carry /= to;
        }
    }
}

/// Writes leading zeros as `zero`, then the digits of `number` through `digit`.
fn write_number(
    zeros: usize,
    zero: u8,
    number: &[u8],
    digit: impl Fn(u8) -> u8,
    out: &mut Output<'_>,
) {
    (0..zeros).for_each(|_| out.push(zero));
    let significant = number.iter().skip_while(|n| **n == 0);
    significant.for_each(|n| out.push(digit(*n)));
}

fn encode_base58(input: &[u8], out: &mut Output<'_>) {
    let zeros = input.iter().take_while(|byte| **byte == 0).count();
    // A byte takes log 256 / log 58 = 1.37 digits.
    let mut number = vec![0; (input.len() - zeros) * 138 / 100 + 1];
    convert(input[zeros..].iter().copied(), 256, 58, &mut number);
    write_number(zeros, b'1', &number, |n| BASE58[usize::from(n)], out);
}

fn decode_base58(input: &[u8], out: &mut Output<'_>) -> Option<()> {
    let zeros = input.iter().take_while(|c| **c == b'1').count();
    let digit = |c: &u8| BASE58.iter().position(|digit| digit == c).map(|n| n as u8);
    if !input.iter().all(|c| digit(c).is_some()) {
        return None;
    }
    let mut number = vec![0; input.len() - zeros];
    convert(
        input[zeros..].iter().filter_map(digit),
        58,
        256,
        &mut number,
    );
    write_number(zeros, 0, &number, |n| n, out);
    Some(())
}

/// The class `s`: encodings.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::{digit, output, try_output};
    use crate::value::Val;

    use super::{Base64, LONGEST_BASE58, STANDARD, URL, decode_base58, encode_base58};

    fn encoded(run: &mut Run, input: &[u8], form: Base64) -> Val {
        output(run, input.len().div_ceil(3) * 4, |out| {
            form.encode(input, out)
        })
    }

    fn decoded(run: &mut Run, input: &[u8], form: Base64) -> Result<Val, Failed> {
        try_output(run, input.len(), |out| form.decode(input, out))
    }

    /// Two hexadecimal digits a byte.
    #[transformation("s.encode.hexa")]
    fn encode_hexa(run: &mut Run, input: Text) -> Val {
        output(run, input.len() * 2, |out| {
            input.iter().for_each(|byte| out.hex(*byte))
        })
    }

    /// The bytes that two hexadecimal digits each stand for; an odd last digit is left out, another
    /// character is an error.
    #[transformation("s.decode.hexa")]
    fn decode_hexa(run: &mut Run, input: Text) -> Result<Val, Failed> {
        try_output(run, input.len() / 2, |out| {
            for pair in input.chunks_exact(2) {
                out.push(digit(pair[0])? << 4 | digit(pair[1])?);
            }
            Some(())
        })
    }

    /// Base64 (RFC 4648 §4).
    #[transformation("s.encode.base64")]
    fn encode_base64(run: &mut Run, input: Text) -> Val {
        encoded(
            run,
            input,
            Base64 {
                digits: STANDARD,
                padded: true,
            },
        )
    }

    /// The bytes of padded base64; other text is an error.
    #[transformation("s.decode.base64")]
    fn decode_base64(run: &mut Run, input: Text) -> Result<Val, Failed> {
        decoded(
            run,
            input,
            Base64 {
                digits: STANDARD,
                padded: true,
            },
        )
    }

    /// Base64 without padding.
    #[transformation("s.encode.base64t")]
    fn encode_base64t(run: &mut Run, input: Text) -> Val {
        encoded(
            run,
            input,
            Base64 {
                digits: STANDARD,
                padded: false,
            },
        )
    }

    /// The bytes of base64 without padding.
    #[transformation("s.decode.base64t")]
    fn decode_base64t(run: &mut Run, input: Text) -> Result<Val, Failed> {
        decoded(
            run,
            input,
            Base64 {
                digits: STANDARD,
                padded: false,
            },
        )
    }

    /// Base64 with the alphabet for URLs (RFC 4648 §5).
    #[transformation("s.encode.base64url")]
    fn encode_base64url(run: &mut Run, input: Text) -> Val {
        encoded(
            run,
            input,
            Base64 {
                digits: URL,
                padded: true,
            },
        )
    }

    /// The bytes of padded base64 with the alphabet for URLs.
    #[transformation("s.decode.base64url")]
    fn decode_base64url(run: &mut Run, input: Text) -> Result<Val, Failed> {
        decoded(
            run,
            input,
            Base64 {
                digits: URL,
                padded: true,
            },
        )
    }

    /// Base64 with the alphabet for URLs, without padding.
    #[transformation("s.encode.base64urlt")]
    fn encode_base64urlt(run: &mut Run, input: Text) -> Val {
        encoded(
            run,
            input,
            Base64 {
                digits: URL,
                padded: false,
            },
        )
    }

    /// The bytes of base64 with the alphabet for URLs, without padding.
    #[transformation("s.decode.base64urlt")]
    fn decode_base64urlt(run: &mut Run, input: Text) -> Result<Val, Failed> {
        decoded(
            run,
            input,
            Base64 {
                digits: URL,
                padded: false,
            },
        )
    }

    /// Base58. More than 2048 bytes are an error.
    #[transformation("s.encode.base58")]
    fn to_base58(run: &mut Run, input: Text) -> Result<Val, Failed> {
        if input.len() > LONGEST_BASE58 {
            return Err(Failed);
        }
        Ok(output(run, input.len() * 138 / 100 + 1, |out| {
            encode_base58(input, out)
        }))
    }

    /// The bytes of base58; other text, or more than 2048 bytes, is an error.
    #[transformation("s.decode.base58")]
    fn from_base58(run: &mut Run, input: Text) -> Result<Val, Failed> {
        if input.len() > LONGEST_BASE58 {
            return Err(Failed);
        }
        try_output(run, input.len(), |out| decode_base58(input, out))
    }

    /// The GSM 7-bit packing of short messages, as upper-case hexadecimal digits: eight characters
    /// in seven bytes. The eighth bit of a character is lost.
    #[transformation("s.encode.7bit")]
    fn encode_7bit(run: &mut Run, input: Text) -> Val {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        output(run, (input.len() * 7).div_ceil(8) * 2, |out| {
            let (mut bits, mut have) = (0u32, 0);
            let mut write = |byte: u32| {
                out.push(DIGITS[(byte >> 4 & 15) as usize]);
                out.push(DIGITS[(byte & 15) as usize]);
            };
            for byte in input {
                bits |= u32::from(byte & 127) << have;
                have += 7;
                if have >= 8 {
                    write(bits);
                    bits >>= 8;
                    have -= 8;
                }
            }
            if have > 0 {
                write(bits);
            }
        })
    }

    /// The characters of a GSM 7-bit packing in hexadecimal digits; other text is an error.
    #[transformation("s.decode.7bit")]
    fn decode_7bit(run: &mut Run, input: Text) -> Result<Val, Failed> {
        try_output(run, input.len() / 2 * 8 / 7, |out| {
            let (mut bits, mut have) = (0u32, 0);
            for pair in input.chunks_exact(2) {
                bits |= u32::from(digit(pair[0])? << 4 | digit(pair[1])?) << have;
                have += 8;
                while have >= 7 {
                    out.push((bits & 127) as u8);
                    bits >>= 7;
                    have -= 7;
                }
            }
            Some(())
        })
    }
}
