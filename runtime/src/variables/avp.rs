//! `$avp`: lists of values that belong to the message and its transaction.

use crate::arena::Arena;
use crate::declare::{Arg, ArgKind, Parse};
use crate::run::{AvpName, Key, Run, TooMany};
use crate::value::{Val, Value, tag};

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
pub struct Name<'a>(Option<Key<'a>>);

impl<'a> Arg<'a> for Name<'a> {
    const KIND: ArgKind = ArgKind::Parsed(AvpName::KIND);

    unsafe fn take(val: Val) -> Self {
        if val.kind() == tag::CONSTANT {
            // SAFETY: the address of a constant of this type, alive while the program is.
            let name = unsafe { &*(val.data as *const AvpName) };
            return Name(Some(name.into()));
        }
        // SAFETY: the caller's promise.
        Name(match unsafe { val.view() } {
            Value::Int(n) => Some(Key::Number(n)),
            Value::Str(text) if !text.is_empty() => Some(Key::Text(text)),
            _ => None,
        })
    }
}

fn value(run: &mut Run, value: Option<usize>, name: Key<'_>) -> Option<Val> {
    match run.avps.values(name).nth(value?)? {
        Value::Str(text) => Some(run.scratch.copy(text)),
        value => Some(value.into()),
    }
}

/// All values, newest first, joined by `, `; none stands before the first that has text, as in
/// Kamailio.
fn joined(run: &mut Run, name: Key<'_>) -> Option<Val> {
    join(&mut run.scratch, run.avps.values(name))
}

/// Values joined by `, ` in scratch memory; null where there are none. None stands before the first
/// that has text, as in Kamailio.
pub(super) fn join<'a>(
    scratch: &mut Arena,
    values: impl Iterator<Item = Value<'a>> + Clone,
) -> Option<Val> {
    let size = |value: Value<'_>| match value {
        Value::Null => 0,
        Value::Int(_) => 20,
        Value::Str(text) => text.len(),
    };
    let room: usize = values.clone().map(|value| size(value) + 2).sum();
    if room == 0 {
        return None;
    }
    let space = scratch.alloc(room)?;
    let mut rest = &mut space[..];
    for value in values {
        use std::io::Write;
        let comma: &[u8] = if rest.len() == room { b"" } else { b", " };
        rest.write_all(comma).ok()?;
        match value {
            Value::Int(n) => write!(rest, "{n}").ok()?,
            Value::Str(text) => rest.write_all(text).ok()?,
            Value::Null => {}
        }
    }
    let len = room - rest.len();
    space.get(..len).map(Val::str)
}

/// AVPs.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Index;
    use crate::run::Run;
    use crate::value::{Val, Value};

    use super::{AvpError, Name, joined, value};

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
            Index::All => return joined(run, name),
            Index::Absent => Some(0),
            index => index.among(run.avps.values(name).count()),
        };
        value(run, place, name)
    }

    #[pv_write("avp")]
    fn set_avp(run: &mut Run, name: Name, index: Index, value: Value) -> Result<(), AvpError> {
        let name = name.0.ok_or(AvpError::Name)?;
        match index {
            Index::All => run.avps.replace(name, value)?,
            _ => run.avps.push(name, value)?,
        }
        Ok(())
    }
}
