//! The class `line`: lines of a text, ended by LF or CRLF. Empty text is an error.

use crate::shim::Failed;

/// The lines of `input` without their ends; a last LF begins no further line.
fn lines(input: &[u8]) -> Result<impl Iterator<Item = &[u8]> + Clone, Failed> {
    if input.is_empty() {
        return Err(Failed);
    }
    let text = input.strip_suffix(b"\n").unwrap_or(input);
    Ok(text
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
}

/// The class `line`.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::{Number, Parameter};
    use crate::value::Val;

    use super::lines;

    /// How many lines there are, as text.
    #[transformation("line.count")]
    fn count(run: &mut Run, input: Text) -> Result<Val, Failed> {
        let n = lines(input)?.count();
        Ok(crate::variables::written::<20>(run, format_args!("{n}")))
    }

    /// Line number `index`: from 0, negative from the end. Empty where there is no such line.
    #[transformation("line.at")]
    fn at(_run: &mut Run, input: Text, index: Number) -> Result<Val, Failed> {
        let all = lines(input)?;
        let place = index.among(all.clone().count())?;
        Ok(Val::str(
            place
                .and_then(|place| all.clone().nth(place))
                .unwrap_or(&[]),
        ))
    }

    /// The first line that starts with `text`; empty where none does.
    ///
    /// ```cfg
    /// $var(media) = $(rb{line.sw,m=});
    /// ```
    #[transformation("line.sw")]
    fn starts_with(_run: &mut Run, input: Text, text: Parameter) -> Result<Val, Failed> {
        let text = text.get()?;
        let found = lines(input)?.find(|line| line.starts_with(&text));
        Ok(Val::str(found.unwrap_or(&[])))
    }
}
