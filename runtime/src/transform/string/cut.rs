//! Parts of a string. All give a piece of the input and copy nothing.

use kcc_sip::token::is_lws;

/// Field number `n` of `fields`, or the empty text.
fn field<'a>(
    fields: impl Iterator<Item = &'a [u8]> + Clone,
    n: crate::transform::Number,
) -> Result<&'a [u8], crate::shim::Failed> {
    let place = n.among(fields.clone().count())?;
    Ok(place
        .and_then(|place| fields.clone().nth(place))
        .unwrap_or(&[]))
}

/// `n` as a count of bytes within `len`: negative is none.
fn within(n: i64, len: usize) -> usize {
    usize::try_from(n.max(0)).map_or(len, |n| n.min(len))
}

/// The place where the first character of `parameter` stands, from the start or from the end.
fn place(
    input: &[u8],
    parameter: crate::transform::Parameter<'_>,
    last: bool,
) -> Result<Option<usize>, crate::shim::Failed> {
    let Some(character) = parameter.first()? else {
        return Ok(None);
    };
    Ok(match last {
        false => memchr::memchr(character, input),
        true => memchr::memrchr(character, input),
    })
}

/// The class `s`: parts.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::{Parsed, Text};
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::string::{Bytes, Separator};
    use crate::transform::{Number, Parameter};
    use crate::value::Val;

    use super::{field, is_lws, place, within};

    /// `length` bytes from `start` on, which counts from 0 or, negative, from the end.
    ///
    /// Length 0 is to the end; too long a part is cut. A start outside of the text is an error, and
    /// so is a negative length.
    ///
    /// ```cfg
    /// $var(area) = $(rU{s.substr,0,3});
    /// ```
    #[transformation("s.substr")]
    fn substr(_run: &mut Run, input: Text, start: Number, length: Bytes) -> Result<Val, Failed> {
        let length = length.get()?;
        let start = start.among(input.len())?.ok_or(Failed)?;
        let rest = &input[start..];
        Ok(Val::str(match length {
            0 => rest,
            n => &rest[..n.min(rest.len())],
        }))
    }

    /// Field `index` of the text split by one character: from 0, negative from the end. Empty where
    /// there is no such field.
    ///
    /// ```cfg
    /// $var(second) = $(var(list){s.select,1,,});
    /// ```
    #[transformation("s.select")]
    fn select(
        _run: &mut Run,
        input: Text,
        index: Number,
        separator: Parsed<Separator>,
    ) -> Result<Val, Failed> {
        let separator = match separator {
            Parsed::Constant(Separator(byte)) => *byte,
            Parsed::Text(text) => *text.first().ok_or(Failed)?,
        };
        field(input.split(|byte| *byte == separator), index).map(Val::str)
    }

    /// Field `index` of the text split by runs of white space; as `s.select`.
    #[transformation("s.selectsw")]
    fn selectsw(_run: &mut Run, input: Text, index: Number) -> Result<Val, Failed> {
        let fields = input.split(|byte| is_lws(*byte));
        field(fields.filter(|field| !field.is_empty()), index).map(Val::str)
    }

    /// The character at `index`, from 0, negative from the end. Outside of the text is an error.
    #[transformation("s.charat")]
    fn charat(_run: &mut Run, input: Text, index: Number) -> Result<Val, Failed> {
        let place = index.among(input.len())?.ok_or(Failed)?;
        Ok(Val::str(&input[place..=place]))
    }

    /// The byte at `index` as an integer; as `s.charat`.
    #[transformation("s.byteat")]
    fn byteat(_run: &mut Run, input: Text, index: Number) -> Result<i64, Failed> {
        let place = index.among(input.len())?.ok_or(Failed)?;
        Ok(i64::from(input[place]))
    }

    /// The text without its first `n` bytes.
    #[transformation("s.strip")]
    fn strip(_run: &mut Run, input: Text, n: Number) -> Result<Val, Failed> {
        Ok(Val::str(&input[within(n.get()?, input.len())..]))
    }

    /// The text without its last `n` bytes.
    #[transformation("s.striptail")]
    fn striptail(_run: &mut Run, input: Text, n: Number) -> Result<Val, Failed> {
        Ok(Val::str(
            &input[..input.len() - within(n.get()?, input.len())],
        ))
    }

    /// The text from the first character of `text` on; empty where that does not occur.
    #[transformation("s.stripto")]
    fn stripto(_run: &mut Run, input: Text, text: Parameter) -> Result<Val, Failed> {
        let from = place(input, text, false)?.unwrap_or(input.len());
        Ok(Val::str(&input[from..]))
    }

    /// The text before the first occurrence of a character; all of it where that does not occur.
    #[transformation("s.before")]
    fn before(_run: &mut Run, input: Text, character: Parameter) -> Result<Val, Failed> {
        let to = place(input, character, false)?.unwrap_or(input.len());
        Ok(Val::str(&input[..to]))
    }

    /// The text after the first occurrence of a character; empty where that does not occur.
    #[transformation("s.after")]
    fn after(_run: &mut Run, input: Text, character: Parameter) -> Result<Val, Failed> {
        let from = place(input, character, false)?.map_or(input.len(), |n| n + 1);
        Ok(Val::str(&input[from..]))
    }

    /// The text before the last occurrence of a character; all of it where that does not occur.
    /// (Kamailio 5.6 to 6.1 read beyond the text instead.)
    #[transformation("s.rbefore")]
    fn rbefore(_run: &mut Run, input: Text, character: Parameter) -> Result<Val, Failed> {
        let to = place(input, character, true)?.unwrap_or(input.len());
        Ok(Val::str(&input[..to]))
    }

    /// The text after the last occurrence of a character; empty where that does not occur.
    /// (Kamailio 5.6 to 6.1 read beyond the text instead.)
    #[transformation("s.rafter")]
    fn rafter(_run: &mut Run, input: Text, character: Parameter) -> Result<Val, Failed> {
        let from = place(input, character, true)?.map_or(input.len(), |n| n + 1);
        Ok(Val::str(&input[from..]))
    }

    /// The text without white space (space, tab, CR, LF) at both ends.
    #[transformation("s.trim")]
    fn trim(_run: &mut Run, input: Text) -> Val {
        Val::str(kcc_sip::token::trim(input))
    }

    /// The text without white space at its start.
    #[transformation("s.ltrim")]
    fn ltrim(_run: &mut Run, input: Text) -> Val {
        Val::str(kcc_sip::token::trim_start(input))
    }

    /// The text without white space at its end.
    #[transformation("s.rtrim")]
    fn rtrim(_run: &mut Run, input: Text) -> Val {
        Val::str(kcc_sip::token::trim_end(input))
    }

    /// The text without one pair of double or single quotes around it.
    #[transformation("s.unquote")]
    fn unquote(_run: &mut Run, input: Text) -> Val {
        Val::str(match input {
            [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
            text => text,
        })
    }

    /// The text without one pair of `()`, `[]`, `{}` or `<>` around it.
    #[transformation("s.unbracket")]
    fn unbracket(_run: &mut Run, input: Text) -> Val {
        Val::str(match input {
            [b'(', inner @ .., b')']
            | [b'[', inner @ .., b']']
            | [b'{', inner @ .., b'}']
            | [b'<', inner @ .., b'>'] => inner,
            text => text,
        })
    }
}
