//! A parameter that names an AVP: `modparam("registrar", "received_avp", "$avp(received)")`.

use kcc_runtime::declare::{ParamType, ParamValue, Parse};
use kcc_runtime::run::{AvpName, Avps};
use kcc_runtime::value::Value;

/// The AVP that a parameter names, if it is set.
#[derive(Clone, Debug, Default)]
pub struct AvpParam(Option<AvpName>);

impl ParamValue for AvpParam {
    const TYPE: ParamType = ParamType::Str;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        let Value::Str(text) = value else {
            return Err("the name of an AVP is expected".to_owned());
        };
        self.0 = match text {
            [] => None,
            text => {
                let inner = text
                    .strip_prefix(b"$avp(")
                    .and_then(|rest| rest.strip_suffix(b")"))
                    .ok_or("an AVP is written $avp(name)")?;
                Some(AvpName::parse(inner).map_err(|error| error.message)?)
            }
        };
        Ok(())
    }
}

impl AvpParam {
    /// The AVP's newest value, where the parameter is set and the value is text.
    pub fn text<'a>(&'a self, avps: &'a Avps) -> Option<&'a [u8]> {
        match avps.values(self.0.as_ref()?).next()? {
            Value::Str(text) => Some(text),
            Value::Int(_) | Value::Null => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_and_anything_else_refused() {
        let mut param = AvpParam::default();
        assert!(param.assign(Value::Str(b"$avp(i:42)")).is_ok());
        assert!(matches!(param.0, Some(AvpName::Number(42))));
        for bad in [&b"received"[..], b"$avp()", b"$var(x)"] {
            assert!(param.assign(Value::Str(bad)).is_err());
        }
        assert!(param.assign(Value::Int(1)).is_err());
    }
}
