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

/// What the AVPs of one message may take, in bytes.
const LIMIT: usize = 16 << 20;

/// The AVPs of the message take as much memory as they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message has too many AVPs: the value is not stored")]
pub struct TooMany;

/// All AVPs of a message, newest last.
#[derive(Clone, Debug, Default)]
pub struct Avps {
    list: Vec<(AvpName, Owned)>,
    /// What they take, in bytes.
    size: usize,
}

/// What a value takes, in bytes.
fn size(value: &Owned) -> usize {
    let text = match value {
        Owned::Int(_) => 0,
        Owned::Str(text) => text.len(),
    };
    text + size_of::<(AvpName, Owned)>()
}

impl Avps {
    /// Adds a value on top; null removes the newest.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn push(&mut self, name: &AvpName, value: Value<'_>) -> Result<(), TooMany> {
        match Owned::copy(value) {
            Some(value) => {
                let size = self.size + size(&value);
                if size > LIMIT {
                    return Err(TooMany);
                }
                self.size = size;
                self.list.push((name.clone(), value));
            }
            None => {
                if let Some(place) = self.list.iter().rposition(|(other, _)| other == name) {
                    let (_, value) = self.list.remove(place);
                    self.size -= size(&value);
                }
            }
        }
        Ok(())
    }

    /// Removes all values of `name`, then adds `value` unless it is null.
    ///
    /// # Errors
    /// There is no room for it; the older values are gone.
    pub fn replace(&mut self, name: &AvpName, value: Value<'_>) -> Result<(), TooMany> {
        let kept = &mut self.size;
        self.list.retain(|(other, value)| {
            if other == name {
                *kept -= size(value);
            }
            other != name
        });
        self.push(name, value)
    }

    /// The values of `name`, newest first.
    pub fn values<'a>(&'a self, name: &'a AvpName) -> impl Iterator<Item = &'a Owned> {
        self.list
            .iter()
            .rev()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.list.clear();
        self.size = 0;
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
        let values: Vec<_> = avps.values(&name).map(Owned::as_value).collect();
        assert_eq!(values, [Value::Str(b"two"), Value::Int(1)]);
        avps.push(&name, Value::Null).unwrap();
        assert_eq!(avps.values(&name).count(), 1);
        avps.replace(&name, Value::Null).unwrap();
        assert_eq!(avps.values(&name).count(), 0);
    }

    #[test]
    fn a_message_has_a_bounded_amount_of_avps() {
        let name = AvpName::parse(b"x").unwrap();
        let mut avps = Avps::default();
        let text = vec![b'x'; LIMIT / 4];
        for _ in 0..3 {
            avps.push(&name, Value::Str(&text)).unwrap();
        }
        assert_eq!(avps.push(&name, Value::Str(&text)), Err(TooMany));
        avps.replace(&name, Value::Str(&text)).unwrap();
        assert_eq!(avps.values(&name).count(), 1);
        avps.push(&name, Value::Null).unwrap();
        assert_eq!(avps.size, 0);
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
