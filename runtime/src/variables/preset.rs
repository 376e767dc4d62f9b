//! First values of variables, as parameters give them: `name=i:5` or `name=s:text`.

use crate::declare::{ParamType, ParamValue};
use crate::value::{Owned, Value, parse_int};

/// A variable's name and its first value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name.
    pub name: Box<[u8]>,
    /// The value.
    pub value: Owned,
}

impl Default for Preset {
    fn default() -> Preset {
        Preset {
            name: Box::default(),
            value: Owned::Int(0),
        }
    }
}

impl ParamValue for Preset {
    const TYPE: ParamType = ParamType::Str;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        let Value::Str(text) = value else {
            return Err("name=i:number or name=s:text is expected".to_owned());
        };
        *self = Preset::parse(text).ok_or("name=i:number or name=s:text is expected")?;
        Ok(())
    }
}

impl Preset {
    fn parse(text: &[u8]) -> Option<Preset> {
        let eq = memchr::memchr(b'=', text).filter(|eq| *eq > 0)?;
        let value = match text.get(eq + 1..)? {
            [b'i' | b'I', b':', digits @ ..] => Owned::Int(parse_int(digits)?),
            [b's' | b'S', b':', text @ ..] => Owned::Str(text.into()),
            _ => return None,
        };
        Some(Preset {
            name: text[..eq].into(),
            value,
        })
    }
}

/// The first values of `$var`s, which each worker begins with; a module provides them at the start.
#[derive(Debug)]
pub struct VarPresets(pub Vec<Preset>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_an_integer_or_text() {
        let value = |text: &str| Preset::parse(text.as_bytes()).map(|preset| preset.value);
        assert_eq!(value("a=i:-5"), Some(Owned::Int(-5)));
        assert_eq!(value("a=i:"), Some(Owned::Int(0)));
        assert_eq!(value("a=s:x = y"), Some(Owned::Str(b"x = y"[..].into())));
        for bad in ["a", "a=5", "a=i:x", "a= i:3", "=i:3", ""] {
            assert_eq!(value(bad), None, "{bad}");
        }
    }
}
