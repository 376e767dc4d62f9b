//! `$avp`: lists of values that belong to the message and its transaction, and `$cnt`.

use std::borrow::Cow;

use crate::declare::{Arg, ArgKind, Parse};
use crate::run::{AvpName, Run, TooMany};
use crate::value::{Owned, Val, Value, tag};

/// Why `$avp` is not assigned.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum AvpError {
    /// The name that a variable gave.
    #[error("this is no name of an AVP")]
    Name,
    /// No room.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// A name as it is written, or what a variable holds: an integer is the name `i:n`, text is the name
/// itself.
pub struct Name<'a>(Option<Cow<'a, AvpName>>);

impl<'a> Arg<'a> for Name<'a> {
    const KIND: ArgKind = ArgKind::Parsed(AvpName::KIND);

    unsafe fn take(val: Val) -> Self {
        if val.kind() == tag::CONSTANT {
            // SAFETY: the address of a constant of this type, alive while the program is.
            return Name(Some(Cow::Borrowed(unsafe {
                &*(val.data as *const AvpName)
            })));
        }
        // SAFETY: the caller's promise.
        Name(match unsafe { val.view() } {
            Value::Int(n) => Some(Cow::Owned(AvpName::Number(n))),
            Value::Str(text) if !text.is_empty() => Some(Cow::Owned(AvpName::Text(text.into()))),
            _ => None,
        })
    }
}

fn value(run: &mut Run, value: Option<usize>, name: &AvpName) -> Option<Val> {
    match run.avps.values(name).nth(value?)? {
        Owned::Int(n) => Some(Val::int(*n)),
        Owned::Str(text) => Some(run.scratch.copy(text)),
    }
}

/// All values, newest first, joined by `, `; none stands before the first that has text, as in
/// Kamailio.
fn joined(run: &mut Run, name: &AvpName) -> Option<Val> {
    let size = |value: &Owned| match value {
        Owned::Int(_) => 20,
        Owned::Str(text) => text.len(),
    };
    let room: usize = run.avps.values(name).map(|value| size(value) + 2).sum();
    if room == 0 {
        return None;
    }
    let space = run.scratch.alloc(room)?;
    let mut rest = &mut space[..];
    for value in run.avps.values(name) {
        use std::io::Write;
        let comma: &[u8] = if rest.len() == room { b"" } else { b", " };
        rest.write_all(comma).ok()?;
        match value.as_value() {
            Value::Int(n) => write!(rest, "{n}").ok()?,
            Value::Str(text) => rest.write_all(text).ok()?,
            Value::Null => {}
        }
    }
    let len = room - rest.len();
    space.get(..len).map(Val::str)
}

/// The AVP that the argument of `$cnt` names: `$avp(name)` or `name`.
fn counted(text: &[u8]) -> Option<AvpName> {
    let text = kcc_sip::token::trim(text);
    let text = text.strip_prefix(b"$").unwrap_or(text);
    let name = match text.strip_prefix(b"avp(") {
        Some(rest) => rest.strip_suffix(b")")?,
        None => text,
    };
    AvpName::parse(name).ok()
}

/// AVPs.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::{Index, Raw};
    use crate::run::Run;
    use crate::value::{Val, Value};

    use super::{AvpError, Name, counted, joined, value};

    /// A list of values that belongs to the message and its transaction.
    ///
    /// Assigning adds a value on top; reading without an index gives the newest. `[n]` counts from
    /// the newest, 0; a negative index from the oldest, -1 (Kamailio gets that wrong); `[*]` is all
    /// values, newest first, joined by `, `. Assigning to `[*]` replaces all; null removes the newest,
    /// or with `[*]` all. Null where there is no such value. `$avp(i:5)` is named by a number.
    ///
    /// ```cfg
    /// $avp(caller) = $fU;
    /// $(avp(caller)[*]) = $null;
    /// ```
    #[pv(name = "avp")]
    fn avp(run: &mut Run, name: Name, index: Index) -> Option<Val> {
        let name = name.0?;
        let place = match index {
            Index::All => return joined(run, &name),
            Index::Absent => Some(0),
            index => index.among(run.avps.values(&name).count()),
        };
        value(run, place, &name)
    }

    #[pv_write("avp")]
    fn set_avp(run: &mut Run, name: Name, index: Index, value: Value) -> Result<(), AvpError> {
        let name = name.0.ok_or(AvpError::Name)?;
        match index {
            Index::All => run.avps.replace(&name, value)?,
            _ => run.avps.push(&name, value)?,
        }
        Ok(())
    }

    /// How many values `$avp(name)` has.
    ///
    /// ```cfg
    /// if ($cnt($avp(caller)) > 1) exit;
    /// ```
    #[pv(name = "cnt")]
    fn cnt(run: &mut Run, variable: Raw) -> i64 {
        counted(variable.0).map_or(0, |name| run.avps.values(&name).count() as i64)
    }
}
