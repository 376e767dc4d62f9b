//! The transformation `re.subst` of the module `textops`.

use std::sync::Arc;

use crate::declare::{ConstantError, Parse};
use crate::pattern::subst::{Piece, Substitution};
use crate::run::{FormatError, Run};
use crate::value::Val;

/// The longest result, in bytes (Kamailio's limit, too).
const LONGEST: usize = 65_535;

/// A substitution.
#[derive(Clone, Debug)]
pub struct Rule(Arc<Substitution>);

impl Parse for Rule {
    const NAME: &'static str = "re-subst";
    const WHAT: &'static str = "a substitution /search/replacement/flags";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let substitution = Substitution::parse(text).map_err(|error| ConstantError {
            offset: error.offset,
            message: error.message,
        })?;
        Ok(Rule(Arc::new(substitution)))
    }
}

/// The values of the variables in a replacement, in their order; none allocates nothing.
fn variables(run: &mut Run, rule: &Substitution) -> Result<Vec<Val>, FormatError> {
    let mut values = Vec::new();
    for piece in &rule.replacement {
        if let Piece::Variable { source, .. } = piece {
            values.push(run.format(source)?);
        }
    }
    Ok(values)
}

/// The class `re`.
#[kcc_macros::part(module = "textops")]
pub mod exports {
    use crate::declare::{Const, Text};
    use crate::pattern::subst::Piece;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::value::{Val, Value};

    use super::{LONGEST, Rule, variables};

    /// The text with the first match of `/search/replacement/flags` replaced.
    ///
    /// The search is a POSIX extended expression; any character but a backslash may separate the
    /// parts. `\0` to `\9` in the replacement are the match and its groups, variables in it their values
    /// (`$$` is a dollar). Flags: `g` all matches,
    /// `i` in any case, `s` the text as one line. Text that does not match is unchanged; empty text,
    /// an empty match, and a result of more than 65,535 bytes are errors.
    ///
    /// ```cfg
    /// $var(number) = $(rU{re.subst,/^00/+/});
    /// ```
    #[transformation("re.subst")]
    fn subst(run: &mut Run, input: Text, rule: Const<Rule>) -> Result<Val, Failed> {
        if input.is_empty() {
            return Err(Failed);
        }
        let rule = &rule.0;
        let values = match variables(run, rule) {
            Ok(values) => values,
            Err(error) => {
                run.report(&error);
                return Err(Failed);
            }
        };
        let worker = run.try_worker().cloned();
        let mut work = |out: &mut Vec<u8>| {
            let replaced = rule.replace(input, out, |groups, out| {
                let mut values = values.iter();
                for piece in &rule.replacement {
                    let text = match piece {
                        Piece::Text(text) => &text[..],
                        Piece::Group(n) => {
                            let group = groups.get(usize::from(*n)).cloned().flatten();
                            group.and_then(|group| input.get(group)).unwrap_or_default()
                        }
                        Piece::Variable { .. } => match values.next() {
                            // SAFETY: the value lies in scratch memory.
                            Some(value) => match unsafe { value.view() } {
                                Value::Str(text) => text,
                                _ => &[],
                            },
                            None => &[],
                        },
                    };
                    if out.len() <= LONGEST {
                        out.extend_from_slice(text);
                    }
                }
            });
            match replaced {
                Ok(0) => Ok(Val::str(input)),
                Ok(_) if out.len() <= LONGEST => Ok(run.text(out)),
                _ => Err(Failed),
            }
        };
        match worker {
            Some(worker) => worker.with_buffer(work),
            None => work(&mut Vec::new()),
        }
    }
}
