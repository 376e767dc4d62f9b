//! `$avp`: lists of values by name that belong to a message, and with it to its transaction.

use std::sync::Arc;

use super::lists::{End, Id, Item, Key, Lists, Owner, TooMany};
use crate::declare::{ConstantError, Parse};
use crate::value::Value;

/// The name of an AVP: text or a number, which are different names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AvpName {
    /// `$avp(name)` or `$avp(s:name)`.
    Text(Arc<[u8]>),
    /// `$avp(i:5)`.
    Number(i64),
}

impl Parse for AvpName {
    const NAME: &'static str = "avp";
    const WHAT: &'static str = "the name of an AVP";
    const BY_VALUE: bool = true;

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        if let Some(digits) = text.strip_prefix(b"i:") {
            let number = std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok());
            return number.map(AvpName::Number).ok_or_else(|| ConstantError {
                offset: 2,
                message: "a number is expected".into(),
            });
        }
        let name = text.strip_prefix(b"s:").unwrap_or(text);
        if name.is_empty() {
            return Err(ConstantError::new("the name is empty"));
        }
        if let Some(dot) = name.iter().position(|c| *c == b'.') {
            let offset = text.len() - name.len() + dot;
            return Err(ConstantError {
                offset,
                message: "a name has no dots".into(),
            });
        }
        Ok(AvpName::Text(name.into()))
    }
}

impl<'a> From<&'a AvpName> for Key<'a> {
    fn from(name: &'a AvpName) -> Key<'a> {
        match name {
            AvpName::Text(text) => Key::Text(text),
            AvpName::Number(n) => Key::Number(*n),
        }
    }
}

/// Where AVPs are looked for: those of the caller's or the callee's side, which belong to a URI or a
/// user. `$avp` has those of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The caller's, of the URI before those of the user.
    From,
    /// The callee's.
    To,
    /// Of the caller's URI.
    FromUri,
    /// Of the callee's URI.
    ToUri,
    /// Of the calling user.
    FromUser,
    /// Of the called user.
    ToUser,
    /// There are none: of domains, global.
    Nowhere,
}

impl Scope {
    /// The lists that are looked into, in this order; new values go to the first.
    fn lists(self) -> &'static [usize] {
        match self {
            Scope::From => &[0, 1],
            Scope::To => &[2, 3],
            Scope::FromUri => &[0],
            Scope::FromUser => &[1],
            Scope::ToUri => &[2],
            Scope::ToUser => &[3],
            Scope::Nowhere => &[],
        }
    }
}

/// All AVPs of a message.
#[derive(Clone, Debug)]
pub struct Avps {
    lists: Lists<4>,
    /// Flags of values that have any (`setavpflag`).
    flags: Vec<(Id, u32)>,
}

impl Default for Avps {
    fn default() -> Avps {
        Avps {
            lists: Lists::new([false; 4]),
            flags: Vec::new(),
        }
    }
}

impl Avps {
    /// The first list of the scope that has a value of this name.
    fn found(&self, scope: Scope, name: Key<'_>) -> Option<Owner> {
        let mut lists = scope.lists().iter().map(|list| Owner::Root(*list));
        lists.find(|list| self.lists.named(*list, name, false).next().is_some())
    }

    fn remove(&mut self, list: Owner, id: Id) {
        self.flags.retain(|(other, _)| *other != id);
        self.lists.remove(list, id);
    }

    fn add(&mut self, list: usize, name: Key<'_>, value: Value<'_>) -> Result<(), TooMany> {
        let item = match value {
            Value::Int(n) => Item::Int(n),
            Value::Str(text) => Item::Text(text),
            Value::Null => return Ok(()),
        };
        let list = Owner::Root(list);
        self.lists.add(list, End::Front, name, item).map(|_| ())
    }

    /// Adds a value on top; null removes the newest.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn push<'a>(&mut self, name: impl Into<Key<'a>>, value: Value<'_>) -> Result<(), TooMany> {
        let name = name.into();
        if value != Value::Null {
            return self.add(0, name, value);
        }
        if let Some(list) = self.found(Scope::From, name) {
            let newest = self.lists.named(list, name, false).next();
            if let Some(newest) = newest {
                self.remove(list, newest);
            }
        }
        Ok(())
    }

    /// Removes all values of `name`, then adds `value` unless it is null.
    ///
    /// # Errors
    /// There is no room for it; the older values are gone.
    pub fn replace<'a>(
        &mut self,
        name: impl Into<Key<'a>>,
        value: Value<'_>,
    ) -> Result<(), TooMany> {
        self.replace_key(Scope::From, name.into(), value)
    }

    /// As [`Avps::replace`], of a scope; only in the list that has values of the name.
    ///
    /// # Errors
    /// As [`Avps::replace`].
    pub fn replace_in(
        &mut self,
        scope: Scope,
        name: &[u8],
        value: Value<'_>,
    ) -> Result<(), TooMany> {
        self.replace_key(scope, Key::Text(name), value)
    }

    fn replace_key(
        &mut self,
        scope: Scope,
        name: Key<'_>,
        value: Value<'_>,
    ) -> Result<(), TooMany> {
        if let Some(list) = self.found(scope, name) {
            loop {
                let next = self.lists.named(list, name, false).next();
                match next {
                    Some(id) => self.remove(list, id),
                    None => break,
                }
            }
        }
        match scope.lists().first() {
            Some(list) => self.add(*list, name, value),
            None => Ok(()),
        }
    }

    /// The values of `name`, newest first.
    pub fn values<'a>(
        &'a self,
        name: impl Into<Key<'a>>,
    ) -> impl Iterator<Item = Value<'a>> + Clone {
        self.of(Scope::From, name.into())
    }

    /// As [`Avps::values`], of a scope.
    pub fn values_in<'a>(
        &'a self,
        scope: Scope,
        name: &'a [u8],
    ) -> impl Iterator<Item = Value<'a>> + Clone {
        self.of(scope, Key::Text(name))
    }

    fn of<'a>(&'a self, scope: Scope, name: Key<'a>) -> impl Iterator<Item = Value<'a>> + Clone {
        let list = self.found(scope, name);
        list.into_iter().flat_map(move |list| {
            self.lists
                .named(list, name, false)
                .filter_map(|id| self.lists.item(id).value())
        })
    }

    /// The flags of the value of `name`; `None` where there is none or several.
    pub fn flags_in(&mut self, scope: Scope, name: &[u8]) -> Option<&mut u32> {
        let name = Key::Text(name);
        let list = self.found(scope, name)?;
        let mut all = self.lists.named(list, name, false);
        let id = all.next().filter(|_| all.next().is_none())?;
        let place = match self.flags.iter().position(|(other, _)| *other == id) {
            Some(place) => place,
            None => {
                self.flags.push((id, 0));
                self.flags.len() - 1
            }
        };
        self.flags.get_mut(place).map(|(_, flags)| flags)
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.lists.clear();
        self.flags.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignment_pushes_and_null_pops() {
        let name = AvpName::parse(b"x").unwrap();
        let mut avps = Avps::default();
        avps.push(&name, Value::Int(1)).unwrap();
        avps.push(&name, Value::Str(b"two")).unwrap();
        let values: Vec<_> = avps.values(&name).collect();
        assert_eq!(values, [Value::Str(b"two"), Value::Int(1)]);
        avps.push(&name, Value::Null).unwrap();
        assert_eq!(avps.values(&name).count(), 1);
        avps.replace(&name, Value::Null).unwrap();
        assert_eq!(avps.values(&name).count(), 0);
    }

    #[test]
    fn a_number_is_another_name_than_its_digits() {
        assert_ne!(
            AvpName::parse(b"i:5").unwrap(),
            AvpName::parse(b"5").unwrap()
        );
        assert_eq!(
            AvpName::parse(b"s:5").unwrap(),
            AvpName::parse(b"5").unwrap()
        );
        assert_eq!(AvpName::parse(b"a.b").unwrap_err().offset, 1);
        let mut avps = Avps::default();
        avps.push(Key::Number(5), Value::Int(1)).unwrap();
        assert_eq!(avps.values(Key::Text(b"5")).count(), 0);
        assert_eq!(avps.values(&AvpName::Number(5)).count(), 1);
    }

    #[test]
    fn sides_and_kinds_have_lists_of_their_own() {
        let mut avps = Avps::default();
        for (scope, text) in [
            (Scope::FromUri, "fr"),
            (Scope::FromUser, "fu"),
            (Scope::To, "t"),
        ] {
            avps.replace_in(scope, b"x", Value::Str(text.as_bytes()))
                .unwrap();
        }
        let value = |avps: &Avps, scope| {
            let text = |value| match value {
                Value::Str(text) => String::from_utf8_lossy(text).into_owned(),
                value => format!("{value:?}"),
            };
            avps.values_in(scope, b"x")
                .map(text)
                .collect::<Vec<_>>()
                .join(",")
        };
        assert_eq!(value(&avps, Scope::From), "fr");
        assert_eq!(value(&avps, Scope::ToUri), "t");
        assert_eq!(value(&avps, Scope::ToUser), "");
        avps.replace_in(Scope::From, b"x", Value::Null).unwrap();
        assert_eq!(value(&avps, Scope::From), "fu");
        avps.replace_in(Scope::Nowhere, b"x", Value::Int(1))
            .unwrap();
        assert_eq!(value(&avps, Scope::Nowhere), "");
    }

    #[test]
    fn flags_belong_to_the_only_value() {
        let mut avps = Avps::default();
        assert_eq!(avps.flags_in(Scope::From, b"x"), None);
        avps.push(Key::Text(b"x"), Value::Int(1)).unwrap();
        *avps.flags_in(Scope::From, b"x").unwrap() |= 2;
        assert_eq!(avps.flags_in(Scope::From, b"x"), Some(&mut 2));
        avps.push(Key::Text(b"x"), Value::Int(2)).unwrap();
        assert_eq!(avps.flags_in(Scope::From, b"x"), None);
        avps.replace(Key::Text(b"x"), Value::Int(3)).unwrap();
        assert_eq!(avps.flags_in(Scope::From, b"x"), Some(&mut 0));
    }
}
