//! Changed copies of a string.

use memchr::memmem;

use crate::run::Run;
use crate::shim::Failed;
use crate::transform::output;
use crate::value::Val;

/// The longest result, in bytes (Kamailio's limit, too).
const LONGEST: usize = 65_535;

/// `input` with every `from` written as `to`.
fn replaced(run: &mut Run, input: &[u8], from: &[u8], to: &[u8]) -> Result<Val, Failed> {
    if from.is_empty() {
        return Ok(Val::str(input));
    }
    let finder = memmem::Finder::new(from);
    let found = finder.find_iter(input).count();
    if found == 0 {
        return Ok(Val::str(input));
    }
    let size = found
        .checked_mul(to.len())
        .and_then(|added| added.checked_add(input.len() - found * from.len()))
        .filter(|size| *size <= LONGEST.max(input.len()))
        .ok_or(Failed)?;
    Ok(output(run, size, |out| {
        let mut at = 0;
        for place in finder.find_iter(input) {
            out.extend(&input[at..place]);
            out.extend(to);
            at = place + from.len();
        }
        out.extend(&input[at..]);
    }))
}

/// The bytes of `input` that `keep` holds for.
fn kept(run: &mut Run, input: &[u8], keep: impl Fn(u8) -> bool) -> Val {
    output(run, input.len(), |out| {
        input
            .iter()
            .filter(|byte| keep(**byte))
            .for_each(|byte| out.push(*byte));
    })
}

/// `input` with each line end and the blanks after it written as `space`.
fn unfolded(run: &mut Run, input: &[u8], space: &[u8]) -> Val {
    output(run, input.len(), |out| {
        let mut rest = input;
        while let [byte, tail @ ..] = rest {
            let after = match rest {
                [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => after,
                _ => {
                    out.push(*byte);
                    rest = tail;
                    continue;
                }
            };
            let blanks = after
                .iter()
                .take_while(|c| matches!(c, b' ' | b'\t'))
                .count();
            match blanks {
                0 => out.extend(&rest[..rest.len() - after.len()]),
                _ => out.extend(space),
            }
            rest = &after[blanks..];
        }
    })
}

/// A line break and `indent` blanks after every `width` characters.
fn lines(run: &mut Run, input: &[u8], width: i64, indent: i64, blank: u8) -> Result<Val, Failed> {
    let width = usize::try_from(width)
        .ok()
        .filter(|n| *n > 0)
        .ok_or(Failed)?;
    let indent = usize::try_from(indent)
        .ok()
        .filter(|n| *n <= LONGEST)
        .ok_or(Failed)?;
    let breaks = input.len().saturating_sub(1) / width;
    let size = breaks
        .checked_mul(indent + 2)
        .and_then(|added| added.checked_add(input.len()))
        .filter(|size| *size <= LONGEST.max(input.len()))
        .ok_or(Failed)?;
    Ok(output(run, size, |out| {
        for (n, line) in input.chunks(width).enumerate() {
            if n > 0 {
                out.extend(b"\r\n");
                (0..indent).for_each(|_| out.push(blank));
            }
            out.extend(line);
        }
    }))
}

/// The list of all prefixes, each between `quote`.
fn prefixes(run: &mut Run, input: &[u8], most: i64, quote: &[u8]) -> Result<Val, Failed> {
    let most = match usize::try_from(most) {
        Ok(0) | Err(_) => input.len(),
        Ok(n) => n.min(input.len()),
    };
    let size = most
        .checked_mul(most + 1)
        .map(|twice| twice / 2 + most * (1 + 2 * quote.len()))
        .filter(|size| *size <= LONGEST)
        .ok_or(Failed)?;
    Ok(output(run, size, |out| {
        for n in 1..=most {
            if n > 1 {
                out.push(b',');
            }
            out.extend(quote);
            out.extend(&input[..n]);
            out.extend(quote);
        }
    }))
}

/// The class `s`: changes.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use kcc_sip::token::is_lws;

    use crate::declare::{Parsed, Text};
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::string::{Escaped, text};
    use crate::transform::{Number, Parameter, output};
    use crate::value::Val;

    use super::{kept, lines, prefixes, replaced, unfolded};

    /// The text with every occurrence of `from` written as `to`, left to right. The case counts.
    ///
    /// ```cfg
    /// $var(x) = $(rU{s.replace,-,});
    /// ```
    #[transformation("s.replace")]
    fn replace(run: &mut Run, input: Text, from: Parameter, to: Parameter) -> Result<Val, Failed> {
        replaced(run, input, &from.get()?, &to.get()?)
    }

    /// The text without any occurrence of `text`; `\n`, `\r`, `\t` and `\\` may be written in it.
    #[transformation("s.rm")]
    fn rm(run: &mut Run, input: Text, unwanted: Parsed<Escaped>) -> Result<Val, Failed> {
        replaced(run, input, text(&unwanted), b"")
    }

    /// The text without white space.
    #[transformation("s.rmws")]
    fn rmws(run: &mut Run, input: Text) -> Val {
        kept(run, input, |byte| !is_lws(byte))
    }

    /// A folded header value on one line: each line end with blanks after it becomes one space.
    #[transformation("s.rmhdws")]
    fn rmhdws(run: &mut Run, input: Text) -> Val {
        unfolded(run, input, b" ")
    }

    /// A folded header value on one line: each line end with blanks after it is removed.
    #[transformation("s.rmhlws")]
    fn rmhlws(run: &mut Run, input: Text) -> Val {
        unfolded(run, input, b"")
    }

    /// The digits of the text.
    #[transformation("s.numeric")]
    fn numeric(run: &mut Run, input: Text) -> Val {
        kept(run, input, |byte| byte.is_ascii_digit())
    }

    /// The text in lower case (ASCII).
    #[transformation("s.tolower")]
    fn tolower(run: &mut Run, input: Text) -> Val {
        output(run, input.len(), |out| {
            input
                .iter()
                .for_each(|byte| out.push(byte.to_ascii_lowercase()));
        })
    }

    /// The text in upper case (ASCII).
    #[transformation("s.toupper")]
    fn toupper(run: &mut Run, input: Text) -> Val {
        output(run, input.len(), |out| {
            input
                .iter()
                .for_each(|byte| out.push(byte.to_ascii_uppercase()));
        })
    }

    /// All prefixes of the text, shortest first, joined by commas; at most `max` of them. More than
    /// 65,535 bytes is an error.
    #[transformation("s.prefixes")]
    fn all_prefixes(run: &mut Run, input: Text, max: Option<Number>) -> Result<Val, Failed> {
        prefixes(run, input, max.map_or(Ok(0), Number::get)?, b"")
    }

    /// As `s.prefixes`, each prefix in single quotes.
    #[transformation("s.prefixes.quoted")]
    fn quoted_prefixes(run: &mut Run, input: Text, max: Option<Number>) -> Result<Val, Failed> {
        prefixes(run, input, max.map_or(Ok(0), Number::get)?, b"'")
    }

    /// The text in lines of `width` characters, each but the first indented by `indent` spaces.
    /// (Kamailio 5.6 to 6.1 break after each of the first characters instead.)
    #[transformation("s.fmtlines")]
    fn fmtlines(run: &mut Run, input: Text, width: Number, indent: Number) -> Result<Val, Failed> {
        lines(run, input, width.get()?, indent.get()?, b' ')
    }

    /// As `s.fmtlines`, indented by tabs.
    #[transformation("s.fmtlinet")]
    fn fmtlinet(run: &mut Run, input: Text, width: Number, indent: Number) -> Result<Val, Failed> {
        lines(run, input, width.get()?, indent.get()?, b'\t')
    }
}
