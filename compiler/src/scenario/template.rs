//! Text with placeholders: `{alice}`, `{server.port}`, `{*}`.
//!
//! Braces that do not hold a name stand for themselves; `{{` is a brace always.

use std::fmt;

use super::Fault;

/// Text with placeholders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Where it stands.
    pub line: u32,
    parts: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Name(String),
    Anything,
}

/// What names stand for.
pub trait Names {
    /// The value of `name`.
    fn value(&self, name: &str) -> Option<String>;
}

impl Template {
    /// Reads the placeholders of `text`.
    pub fn parse(line: u32, text: &[u8]) -> Template {
        let mut parts = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            if byte != b'{' {
                plain.push(byte);
                rest = after;
                continue;
            }
            if after.first() == Some(&b'{') {
                plain.push(b'{');
                rest = &after[1..];
                continue;
            }
            let found = after
                .iter()
                .position(|b| *b == b'}')
                .map(|end| after.split_at(end));
            match found {
                Some((name, tail)) if name == b"*" || is_name(name) => {
                    if !plain.is_empty() {
                        parts.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(match name {
                        b"*" => Piece::Anything,
                        name => Piece::Name(String::from_utf8_lossy(name).into_owned()),
                    });
                    rest = &tail[1..];
                }
                _ => {
                    plain.push(byte);
                    rest = after;
                }
            }
        }
        if !plain.is_empty() {
            parts.push(Piece::Text(plain));
        }
        Template { line, parts }
    }

    /// Names of its placeholders.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Piece::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text with every name's value. `{*}` stays.
    ///
    /// # Errors
    /// A name without a value.
    pub fn expand(&self, names: &dyn Names) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Anything => out.extend_from_slice(b"{*}"),
                Piece::Name(name) => out.extend_from_slice(self.value(name, names)?.as_bytes()),
            }
        }
        Ok(out)
    }

    /// The text for a configuration, where a name without a value stands for itself.
    pub fn expand_known(&self, names: &dyn Names) -> Vec<u8> {
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Anything => out.extend_from_slice(b"{*}"),
                Piece::Name(name) => match names.value(name) {
                    Some(value) => out.extend_from_slice(value.as_bytes()),
                    None => out.extend_from_slice(format!("{{{name}}}").as_bytes()),
                },
            }
        }
        out
    }

    /// A regular expression in which the text matches itself and `{*}` anything.
    ///
    /// # Errors
    /// A name without a value.
    pub fn to_regex(&self, names: &dyn Names) -> Result<String, Fault> {
        let mut out = String::from("(?s-u)^");
        for part in &self.parts {
            match part {
                Piece::Text(text) => escape(text, &mut out),
                Piece::Anything => out.push_str(".*"),
                Piece::Name(name) => escape(self.value(name, names)?.as_bytes(), &mut out),
            }
        }
        out.push('$');
        Ok(out)
    }

    /// The regular expression that the text is, names standing for their values literally.
    ///
    /// # Errors
    /// A name without a value.
    pub fn as_regex(&self, names: &dyn Names) -> Result<String, Fault> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Piece::Text(text) => out.push_str(&String::from_utf8_lossy(text)),
                Piece::Anything => out.push_str(".*"),
                Piece::Name(name) => escape(self.value(name, names)?.as_bytes(), &mut out),
            }
        }
        Ok(out)
    }

    fn value(&self, name: &str, names: &dyn Names) -> Result<String, Fault> {
        names
            .value(name)
            .ok_or_else(|| Fault::new(self.line, format!("{{{name}}} stands for nothing here")))
    }
}

/// Writes `bytes` as a regular expression of single bytes.
fn escape(bytes: &[u8], out: &mut String) {
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b':' | b';' | b'=' | b'@' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(|b| b.is_ascii_alphabetic())
        && name
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Piece::Text(text) => write!(f, "{}", String::from_utf8_lossy(text))?,
                Piece::Anything => f.write_str("{*}")?,
                Piece::Name(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Alice;

    impl Names for Alice {
        fn value(&self, name: &str) -> Option<String> {
            (name == "alice").then(|| "1.2.3.4".into())
        }
    }

    #[test]
    fn names_are_replaced_and_other_braces_stay() {
        let expand = |text: &str| {
            let text = Template::parse(3, text.as_bytes()).expand(&Alice);
            text.map(|text| String::from_utf8(text).unwrap())
                .map_err(|fault| fault.to_string())
        };
        assert_eq!(
            expand("<sip:a@{alice}>{s.x{").unwrap(),
            "<sip:a@1.2.3.4>{s.x{"
        );
        assert_eq!(expand("{ a }{1}{{alice}").unwrap(), "{ a }{1}{alice}");
        assert_eq!(
            expand("{bob}").unwrap_err(),
            "{bob} stands for nothing here"
        );
        let text = Template::parse(1, b"$(ru{s.len}) {alice}");
        assert_eq!(text.expand_known(&Alice), b"$(ru{s.len}) 1.2.3.4");
    }

    #[test]
    fn anything_matches_anything() {
        let text = Template::parse(1, b"<{alice}.{*}>");
        let regex = regex::bytes::Regex::new(&text.to_regex(&Alice).unwrap()).unwrap();
        assert!(regex.is_match(b"<1.2.3.4.\xff\n>"));
        assert!(!regex.is_match(b"<1x2.3.4.>"));
    }
}
