//! Parameter lists as fields: `xavp_params_explode` and its like.

use kcc_macros::part;
use kcc_runtime::run::{End, Id, Item, Run, Space, TooMany};
use kcc_runtime::value::Value;

/// A name and its value, empty where it has none.
type Parameter<'a> = (&'a [u8], &'a [u8]);

/// The parameters of `text`, as strictly as Kamailio reads them: a separator between each two, one at
/// the end may stand, values in single or double quotes without escapes. A comma ends the list.
fn parameters(text: &[u8], separator: u8) -> Option<Vec<Parameter<'_>>> {
    let blank = |c: &u8| matches!(c, b' ' | b'\t' | b'\r' | b'\n');
    let mut found = Vec::new();
    let mut rest = text;
    let upto = |text: &[u8], ends: &dyn Fn(u8) -> bool| {
        let end = text.iter().position(|c| ends(*c));
        end.unwrap_or(text.len())
    };
    loop {
        let name_end = upto(rest, &|c| {
            blank(&c) || c == separator || c == b'=' || c == b','
        });
        let (name, after) = rest.split_at(name_end);
        if name.is_empty() {
            return None;
        }
        rest = after.trim_ascii_start();
        let mut value = &b""[..];
        if let Some(after) = rest.strip_prefix(b"=") {
            rest = after.trim_ascii_start();
            let len;
            match rest.first() {
                Some(quote @ (b'"' | b'\'')) => {
                    len = memchr::memchr(*quote, &rest[1..])?;
                    value = &rest[1..=len];
                    rest = &rest[len + 2..];
                }
                _ => {
                    len = upto(rest, &|c| blank(&c) || c == separator || c == b',');
                    (value, rest) = rest.split_at(len);
                }
            }
            rest = rest.trim_ascii_start();
        }
        found.push((name, value));
        match rest.first() {
            None | Some(b',') if separator != b',' || rest.is_empty() => return Some(found),
            Some(c) if *c == separator => rest = rest[1..].trim_ascii_start(),
            _ => return None,
        }
        if rest.is_empty() {
            return Some(found);
        }
    }
}

/// Makes a new root with a field a parameter, in their order.
fn explode(run: &mut Run, text: &[u8], separator: u8, name: &[u8]) -> Result<bool, &'static str> {
    if name.is_empty() {
        return Err("the name is empty");
    }
    let found = parameters(text, separator).ok_or("these are no parameters")?;
    let xavps = &mut run.xavps;
    let mut add = || -> Result<(), TooMany> {
        let root = xavps.add_root(Space::Xavp, name, Value::Null)?;
        let mut end = End::Front;
        for (name, value) in &found {
            let field = xavps.add_field(root, end, name, Value::Str(value))?;
            end = End::After(field);
        }
        Ok(())
    };
    add().map_err(|_| "the message has too many values")?;
    Ok(true)
}

/// The fields of `root` as `name=value;`, values in quotes where `quoted` and they are text.
fn imploded(run: &Run, root: Id, quoted: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for field in run.xavps.all_fields(root) {
        let name = run.xavps.name(field);
        match run.xavps.item(field) {
            Item::List(_) => continue,
            Item::Int(n) => {
                out.extend_from_slice(name);
                out.extend_from_slice(format!("={n}").as_bytes());
            }
            Item::Text(text) => {
                out.extend_from_slice(name);
                if !text.is_empty() {
                    let quote: &[u8] = if quoted { b"\"" } else { b"" };
                    for part in [b"=", quote, text, quote] {
                        out.extend_from_slice(part);
                    }
                }
            }
        }
        out.push(b';');
    }
    out
}

/// The text of the first root called `name`, if it has fields.
fn implode(run: &mut Run, space: Space, name: &[u8], quoted: bool) -> Option<Vec<u8>> {
    let root = run.xavps.roots(space, name).next()?;
    let text = imploded(run, root, quoted);
    (!text.is_empty()).then_some(text)
}

/// Parameter lists as fields.
#[part(module = "pv")]
pub mod exports {
    use kcc_runtime::declare::{Place, Text};
    use kcc_runtime::run::{Run, Space};
    use kcc_runtime::value::Value;

    use super::{explode, implode, parameters};

    /// Makes of a list of parameters `a=1;b="two"` a new root `$xavp(name)` with a field each. The values
    /// are text.
    ///
    /// False where the text is no such list.
    ///
    /// ```cfg
    /// xavp_params_explode("a=1;b=two", "x");
    /// if ($xavp(x=>b) == "two") exit;
    /// ```
    #[function(routes = "any")]
    fn xavp_params_explode(run: &mut Run, list: Text, name: Text) -> Result<bool, &'static str> {
        explode(run, list, b';', name)
    }

    /// As `xavp_params_explode`, with another separator: the first character of `separator`.
    ///
    /// ```cfg
    /// xavp_xparams_explode("a=1&b=two", "&", "x");
    /// ```
    #[function(routes = "any")]
    fn xavp_xparams_explode(
        run: &mut Run,
        list: Text,
        separator: Text,
        name: Text,
    ) -> Result<bool, &'static str> {
        let separator = *separator.first().ok_or("the separator is empty")?;
        explode(run, list, separator, name)
    }

    /// As `xavp_params_explode`, into fields of `$xavu(name)`, which stay beside those that are there. Of
    /// a parameter that is given twice the first counts.
    ///
    /// ```cfg
    /// xavu_params_explode("a=1;b=two", "x");
    /// if ($xavu(x=>b) == "two") exit;
    /// ```
    #[function(routes = "any")]
    fn xavu_params_explode(run: &mut Run, list: Text, name: Text) -> Result<bool, &'static str> {
        if name.is_empty() {
            return Err("the name is empty");
        }
        let found = parameters(list, b';').ok_or("these are no parameters")?;
        for (field, value) in found.into_iter().rev() {
            let set = run
                .xavps
                .set_field(Space::Xavu, name, field, Value::Str(value));
            set.map_err(|_| "the message has too many values")?;
        }
        Ok(true)
    }

    /// Assigns the fields of the newest `$xavp(name)` to `target` as parameters: `a=1;b=two;`.
    ///
    /// False where there is no such root or it has no fields.
    ///
    /// ```cfg
    /// $xavp(x=>b) = "two";
    /// xavp_params_implode("x", "$var(list)");
    /// ```
    #[function(routes = "any")]
    fn xavp_params_implode(run: &mut Run, name: Text, target: Place) -> bool {
        match implode(run, Space::Xavp, name, false) {
            Some(text) => run.write(target, Value::Str(&text)),
            None => false,
        }
    }

    /// As `xavp_params_implode`, with values that are text in double quotes: `a=1;b="two";`.
    ///
    /// ```cfg
    /// $xavp(x=>b) = "two";
    /// xavp_params_implode_qval("x", "$var(list)");
    /// ```
    #[function(routes = "any")]
    fn xavp_params_implode_qval(run: &mut Run, name: Text, target: Place) -> bool {
        match implode(run, Space::Xavp, name, true) {
            Some(text) => run.write(target, Value::Str(&text)),
            None => false,
        }
    }

    /// As `xavp_params_implode`, of `$xavu(name)`.
    ///
    /// ```cfg
    /// $xavu(x=>b) = "two";
    /// xavu_params_implode("x", "$var(list)");
    /// ```
    #[function(routes = "any")]
    fn xavu_params_implode(run: &mut Run, name: Text, target: Place) -> bool {
        match implode(run, Space::Xavu, name, false) {
            Some(text) => run.write(target, Value::Str(&text)),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_kamailio_reads_them() {
        let shown = |text: &str| {
            let found = parameters(text.as_bytes(), b';')?;
            let one = |(name, value): &Parameter<'_>| {
                format!("{}={}", name.escape_ascii(), value.escape_ascii())
            };
            Some(found.iter().map(one).collect::<Vec<_>>().join("|"))
        };
        for (text, expected) in [
            ("a=1;b=\"two words\";c", "a=1|b=two words|c="),
            ("d=x=y; e = 5 ;f='q'", "d=x=y|e=5|f=q"),
            ("a=1,b=2", "a=1"),
            ("a=1;", "a=1"),
            ("a=", "a="),
            ("a=1;a=2", "a=1|a=2"),
            ("a=<x;y>;b=2", "a=<x|y>=|b=2"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "   ",
            ";;",
            "=x",
            "a=1;;b=2",
            ";a=1",
            "  a=1",
            "a=1 b;c=2",
            "a b=1",
            "a=\"x",
            "a=\"x\\\"y\"",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
