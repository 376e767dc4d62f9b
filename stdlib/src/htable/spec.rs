//! What `modparam("htable", "htable", "…")` declares: one table, its size and how its items age.

use kcc_runtime::declare::{ParamType, ParamValue};
use kcc_runtime::value::Value;

/// Bits of the number of slots where no `size` is given.
const USUAL_BITS: u32 = 4;

/// One table, as `name=>attribute=value;…` declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// Its name.
    pub name: Box<[u8]>,
    /// Slots, as a power of two; 2 to 31.
    pub bits: u32,
    /// Seconds for which an item lives; 0 is for ever.
    pub autoexpire: u32,
    /// Whether a change of an item lets it live anew.
    pub updateexpire: bool,
    /// What an item that does not exist reads as.
    pub initval: Option<i64>,
}

impl Spec {
    /// Reads `name=>size=4;autoexpire=300;initval=0;updateexpire=1`.
    ///
    /// `dbtable`, `dbmode`, `cols`, `colnull`, `coldelim` and `dmqreplicate` are read and have no
    /// effect without a database and replication.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Spec, String> {
        let arrow = text.windows(2).position(|two| two == b"=>");
        let arrow = arrow.ok_or("`name=>attribute=value;…` is expected")?;
        let name = text[..arrow].trim_ascii();
        if let Some(odd) = name.iter().find(|c| c.is_ascii_whitespace() || **c == b'=') {
            return Err(format!("a table's name has no `{}`", odd.escape_ascii()));
        }
        let mut spec = Spec {
            name: name.into(),
            bits: USUAL_BITS,
            updateexpire: true,
            ..Spec::default()
        };
        for attribute in attributes(&text[arrow + 2..]) {
            spec.set(attribute)?;
        }
        Ok(spec)
    }

    fn set(&mut self, attribute: &[u8]) -> Result<(), String> {
        let equals = attribute.iter().position(|c| *c == b'=');
        let (name, value) = attribute.split_at(equals.unwrap_or(attribute.len()));
        let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
        let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
        let value = value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
            .unwrap_or(value);
        let wrong = |what: &str| {
            let value = String::from_utf8_lossy(value);
            format!("`{name}={value}`: {what} is expected")
        };
        let count = || {
            let number: Option<u32> = number(value);
            number.ok_or_else(|| wrong("a number from 0"))
        };
        match &*name {
            // What Kamailio makes of sizes out of range.
            "size" => {
                self.bits = match count()? {
                    0 | 1 => 3,
                    bits @ 2..=31 => bits,
                    _ => 14,
                };
            }
            "autoexpire" => self.autoexpire = count()?,
            "updateexpire" => self.updateexpire = count()? != 0,
            "initval" => {
                self.initval = Some(number(value).ok_or_else(|| wrong("a number"))?);
            }
            "cols" if value.split(|c| *c == b',').count() < 2 => {
                return Err(wrong("a column for keys and one for values"));
            }
            "dmqreplicate" | "dbmode" => {
                count()?;
            }
            "dbtable" | "cols" | "colnull" | "coldelim" => {}
            _ => return Err(format!("a table has no attribute `{name}`")),
        }
        Ok(())
    }

    /// The name of the table that `text` declares.
    pub fn name_in(text: &[u8]) -> Option<&[u8]> {
        let arrow = text.windows(2).position(|two| two == b"=>")?;
        Some(text[..arrow].trim_ascii())
    }
}

/// The attributes between semicolons, which quotes keep together; empty ones left out.
fn attributes(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= *c == b'"';
        *c == b';' && !quoted
    })
    .map(<[u8]>::trim_ascii)
    .filter(|attribute| !attribute.is_empty())
}

/// A decimal number; empty text is 0, as for Kamailio.
fn number<N: std::str::FromStr + Default>(text: &[u8]) -> Option<N> {
    if text.is_empty() {
        return Some(N::default());
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl ParamValue for Spec {
    const TYPE: ParamType = ParamType::Str;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        let Value::Str(text) = value else {
            return Err("a string is expected".to_owned());
        };
        *self = Spec::parse(text)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_reads_as_kamailio_reads_it() {
        for (text, bits, autoexpire, updateexpire, initval) in [
            ("t=>", 4, 0, true, None),
            ("t=>size=8;", 8, 0, true, None),
            ("t=>size=0", 3, 0, true, None),
            ("t=>size=1", 3, 0, true, None),
            ("t=>size=31", 31, 0, true, None),
            ("t=>size=40", 14, 0, true, None),
            ("t=>size = 5 ; autoexpire = 3", 5, 3, true, None),
            ("t=>size=\"5\"", 5, 0, true, None),
            ("t=>autoexpire=3;updateexpire=0", 4, 3, false, None),
            ("t=>initval=-5;dbtable=x", 4, 0, true, Some(-5)),
            ("t=>initval=", 4, 0, true, Some(0)),
            ("t=>cols=\"a,b\";coldelim=\";\"", 4, 0, true, None),
        ] {
            let spec = Spec {
                name: (*b"t").into(),
                bits,
                autoexpire,
                updateexpire,
                initval,
            };
            assert_eq!(Spec::parse(text.as_bytes()), Ok(spec), "{text}");
        }
        for text in [
            "t",
            "t=size=3",
            "a b=>size=4",
            "t=>size=-1",
            "t=>size=a",
            "t=>size=0x8",
            "t=>size=4;foo=1",
            "t=>autoexpire=-1",
            "t=>initval=5abc",
            "t=>initval=abc",
            "t=>size=8autoexpire=4",
            "t=>cols=a",
        ] {
            assert!(Spec::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(Spec::name_in(b" t:x => size=3"), Some(&b"t:x"[..]));
    }
}
