//! The class `param`: lists of parameters `a=1;b;c="x"`, with another separator if need be. Empty
//! text is an error.

use kcc_sip::token::{trim, unquote};

use crate::shim::Failed;
use crate::transform::Parameter;

/// One parameter: its name and its value without quotes.
type Entry<'a> = (&'a [u8], &'a [u8]);

/// The parameters of `input`; the empty text after a last separator is none.
fn entries(input: &[u8], separator: u8) -> impl Iterator<Item = Entry<'_>> + Clone {
    let mut rest = input;
    std::iter::from_fn(move || {
        if trim(rest).is_empty() {
            return None;
        }
        let end = kcc_sip::token::find_unquoted(rest, 0, |c| c == separator).unwrap_or(rest.len());
        let one = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(match memchr::memchr(b'=', one) {
            Some(eq) => (trim(&one[..eq]), unquoted(trim(&one[eq + 1..]))),
            None => (trim(one), &one[..0]),
        })
    })
}

fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'\'', inner @ .., b'\''] => inner,
        text => unquote(text),
    }
}

/// The list's separator; an error for empty input.
fn separator(input: &[u8], given: Option<Parameter<'_>>) -> Result<u8, Failed> {
    if input.is_empty() {
        return Err(Failed);
    }
    match given {
        // A comma ends the parameter and so cannot be the separator.
        Some(text) => Ok(text.first()?.filter(|c| *c != b',').unwrap_or(b';')),
        None => Ok(b';'),
    }
}

/// The class `param`.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::{Number, Parameter};
    use crate::value::Val;

    use super::{entries, separator};

    /// The value of parameter `name`, in any case and without quotes; the last one of a name.
    /// Empty where it has none or is not there.
    ///
    /// ```cfg
    /// $var(tag) = $(hdr(To){tobody.params}{param.value,tag});
    /// ```
    #[transformation("param.value")]
    fn value(
        _run: &mut Run,
        input: Text,
        name: Parameter,
        separator: Option<Parameter>,
    ) -> Result<Val, Failed> {
        let (separator, name) = (super::separator(input, separator)?, name.get()?);
        let found =
            entries(input, separator).filter(|(other, _)| other.eq_ignore_ascii_case(&name));
        Ok(Val::str(found.last().map_or(&[], |(_, value)| value)))
    }

    /// The value of parameter number `index`: from 0, negative from the end. Empty where it has none
    /// or is not there.
    #[transformation("param.valueat")]
    fn valueat(
        _run: &mut Run,
        input: Text,
        index: Number,
        separator: Option<Parameter>,
    ) -> Result<Val, Failed> {
        let all = entries(input, super::separator(input, separator)?);
        let place = index.among(all.clone().count())?;
        let found = place.and_then(|place| all.clone().nth(place));
        Ok(Val::str(found.map_or(&[], |(_, value)| value)))
    }

    /// The name of parameter number `index`: as `param.valueat`.
    #[transformation("param.name")]
    fn name(
        _run: &mut Run,
        input: Text,
        index: Number,
        separator: Option<Parameter>,
    ) -> Result<Val, Failed> {
        let all = entries(input, super::separator(input, separator)?);
        let place = index.among(all.clone().count())?;
        let found = place.and_then(|place| all.clone().nth(place));
        Ok(Val::str(found.map_or(&[], |(name, _)| name)))
    }

    /// How many parameters there are.
    #[transformation("param.count")]
    fn count(_run: &mut Run, input: Text, separator: Option<Parameter>) -> Result<i64, Failed> {
        Ok(entries(input, super::separator(input, separator)?).count() as i64)
    }

    /// 1 where there is a parameter `name`, in any case, else 0.
    #[transformation("param.in")]
    fn present(
        _run: &mut Run,
        input: Text,
        name: Parameter,
        given: Option<Parameter>,
    ) -> Result<i64, Failed> {
        let (separator, name) = (separator(input, given)?, name.get()?);
        let mut all = entries(input, separator);
        Ok(i64::from(
            all.any(|(other, _)| other.eq_ignore_ascii_case(&name)),
        ))
    }
}
