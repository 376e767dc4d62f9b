//! Types that a module's parameter may have.

use super::ParamType;
use crate::value::Value;

/// A type that a field of a module's `Params` may have.
pub trait ParamValue {
    /// What `modparam()` takes.
    const TYPE: ParamType;

    /// Sets it to the value of one `modparam()`.
    ///
    /// # Errors
    /// What is wrong with the value.
    fn assign(&mut self, value: Value<'_>) -> Result<(), String>;
}

impl ParamValue for i64 {
    const TYPE: ParamType = ParamType::Int;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        match value {
            Value::Int(n) => *self = n,
            _ => return Err("a number is expected".to_owned()),
        }
        Ok(())
    }
}

impl ParamValue for bool {
    const TYPE: ParamType = ParamType::Int;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        match value {
            Value::Int(n) => *self = n != 0,
            _ => return Err("a number is expected".to_owned()),
        }
        Ok(())
    }
}

impl ParamValue for Vec<u8> {
    const TYPE: ParamType = ParamType::Str;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        match value {
            Value::Str(text) => *self = text.to_vec(),
            _ => return Err("a string is expected".to_owned()),
        }
        Ok(())
    }
}

impl<T: ParamValue + Default> ParamValue for Option<T> {
    const TYPE: ParamType = T::TYPE;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        self.insert(T::default()).assign(value)
    }
}

/// A parameter that may be given several times: each value is added.
#[derive(Clone, Debug)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T: ParamValue + Default> ParamValue for List<T> {
    const TYPE: ParamType = T::TYPE;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        let mut item = T::default();
        item.assign(value)?;
        self.0.push(item);
        Ok(())
    }
}
