//! `$avp`: lists of values by name that belong to a message, and with it to its transaction.

use std::sync::Arc;

use crate::declare::{ConstantError, Parse};
use crate::value::{Owned, Value};

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

/// All AVPs of a message, newest last.
#[derive(Clone, Debug, Default)]
pub struct Avps(Vec<(AvpName, Owned)>);

impl Avps {
    /// Adds a value on top; null removes the newest.
    pub fn push(&mut self, name: &AvpName, value: Value<'_>) {
        match Owned::copy(value) {
            Some(value) => self.0.push((name.clone(), value)),
            None => {
                if let Some(place) = self.0.iter().rposition(|(other, _)| other == name) {
                    self.0.remove(place);
                }
            }
        }
    }

    /// Removes all values of `name`, then adds `value` unless it is null.
    pub fn replace(&mut self, name: &AvpName, value: Value<'_>) {
        self.0.retain(|(other, _)| other != name);
        self.push(name, value);
    }

    /// The values of `name`, newest first.
    pub fn values<'a>(&'a self, name: &'a AvpName) -> impl Iterator<Item = &'a Owned> {
        self.0
            .iter()
            .rev()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignment_pushes_and_null_pops() {
        let name = AvpName::parse(b"x").unwrap();
        let mut avps = Avps::default();
        avps.push(&name, Value::Int(1));
        avps.push(&name, Value::Str(b"two"));
        let values: Vec<_> = avps.values(&name).map(Owned::as_value).collect();
        assert_eq!(values, [Value::Str(b"two"), Value::Int(1)]);
        avps.push(&name, Value::Null);
        assert_eq!(avps.values(&name).count(), 1);
        avps.replace(&name, Value::Null);
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
    }
}
