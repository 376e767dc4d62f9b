//! Old-style attributes: `$name`, `$f.name`, `%name` (semantics reference §10). They are the AVPs
//! that `$avp` has, kept apart by side (caller, callee) and kind (URI, user).

use crate::declare::{ConstantError, Parse};
use crate::run::Scope;

/// A name with the lists that it is looked for in.
#[derive(Debug)]
pub struct AttributeName {
    /// Where.
    pub scope: Scope,
    /// The name.
    pub name: Box<[u8]>,
}

impl Parse for AttributeName {
    const NAME: &'static str = "attribute";
    const WHAT: &'static str = "the name of an attribute";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let (scope, name) = match memchr::memchr(b'.', text) {
            None => (Scope::From, text),
            Some(dot) => {
                let scope = match &text[..dot] {
                    b"f" => Scope::From,
                    b"t" => Scope::To,
                    b"fr" => Scope::FromUri,
                    b"tr" => Scope::ToUri,
                    b"fu" => Scope::FromUser,
                    b"tu" => Scope::ToUser,
                    b"fd" | b"td" | b"g" => Scope::Nowhere,
                    _ => return Err(ConstantError::new("there is no such class of attributes")),
                };
                (scope, &text[dot + 1..])
            }
        };
        if name.is_empty() {
            return Err(ConstantError::new("the name is empty"));
        }
        let name = name.into();
        Ok(AttributeName { scope, name })
    }
}

/// Attributes.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use super::AttributeName;
    use crate::declare::{Const, Index};
    use crate::run::{Run, TooMany};
    use crate::value::{Val, Value};

    /// An attribute: an AVP under its old name. `$f.name` is of the caller, `$t.name` of the callee,
    /// `$fr.`, `$tr.` of their URIs, `$fu.`, `$tu.` of the users; `$name` is `$f.name`, and so is
    /// `$avp(name)`. `$fd.`, `$td.` and `$g.` never have a value here.
    ///
    /// Reading gives the value where there is exactly one, else null; `[n]` counts from the oldest,
    /// 1, `[-1]` is the newest. Assigning replaces all values; null removes them.
    #[pv(name = "%")]
    fn attribute(run: &mut Run, name: Const<AttributeName>, index: Index) -> Option<Val> {
        let mut values = run.avps.values_in(name.scope, &name.name);
        let value = match index {
            Index::All => return None,
            Index::Absent => values.next().filter(|_| values.next().is_none()),
            Index::At(n) if n < 0 => values.nth(usize::try_from(-1 - n).ok()?),
            Index::At(n) => {
                let place = usize::try_from(n).ok()?;
                let count = values.clone().count();
                values.nth(count.checked_sub(place).filter(|_| place > 0)?)
            }
        };
        match value? {
            Value::Str(text) => Some(run.scratch.copy(text)),
            value => Some(value.into()),
        }
    }

    #[pv_write("%")]
    fn set_attribute(
        run: &mut Run,
        name: Const<AttributeName>,
        _index: Index,
        value: Value,
    ) -> Result<(), TooMany> {
        run.avps.replace_in(name.scope, &name.name, value)
    }

    /// Sets flag `flag`, declared by `avpflags`, of the only value of an attribute. False where it
    /// has none or several.
    ///
    /// ```cfg
    /// avpflags checked
    /// request_route {
    ///     $caller = $fU;
    ///     setavpflag($caller, "checked");
    /// }
    /// ```
    #[function(routes = "any")]
    fn setavpflag(run: &mut Run, attribute: Const<AttributeName>, flag: i64) -> bool {
        let flags = run.avps.flags_in(attribute.scope, &attribute.name);
        flags.map(|flags| *flags |= 1 << (flag & 31)).is_some()
    }

    /// Clears flag `flag` of the only value of an attribute. Always false, as on Kamailio.
    ///
    /// ```cfg
    /// avpflags checked
    /// request_route {
    ///     resetavpflag($caller, "checked");
    /// }
    /// ```
    #[function(routes = "any")]
    fn resetavpflag(run: &mut Run, attribute: Const<AttributeName>, flag: i64) -> bool {
        if let Some(flags) = run.avps.flags_in(attribute.scope, &attribute.name) {
            *flags &= !(1 << (flag & 31));
        }
        false
    }

    /// True where the only value of an attribute has flag `flag`.
    ///
    /// ```cfg
    /// avpflags checked
    /// request_route {
    ///     if (isavpflagset($caller, "checked")) exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn isavpflagset(run: &mut Run, attribute: Const<AttributeName>, flag: i64) -> bool {
        let flags = run.avps.flags_in(attribute.scope, &attribute.name);
        flags.is_some_and(|flags| *flags & 1 << (flag & 31) != 0)
    }
}
