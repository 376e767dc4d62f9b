//! `Privacy` (RFC 3323, RFC 3325, RFC 7044): what a caller wants to be hidden.

use crate::token::trim;

macro_rules! values {
    ($( $(#[$doc:meta])* $name:ident $text:literal $bit:literal; )*) => {
        impl Privacy {
            $( $(#[$doc])* pub const $name: Privacy = Privacy(1 << $bit); )*
        }
        const VALUES: &[(&str, Privacy)] = &[ $( ($text, Privacy::$name) ),* ];
    };
}

/// A set of privacy values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privacy(u8);

values! {
    /// Nothing is to be hidden.
    NONE "none" 0;
    /// What the user put into the message.
    USER "user" 1;
    /// Header fields that the user cannot hide.
    HEADER "header" 2;
    /// The session's media.
    SESSION "session" 3;
    /// P-Asserted-Identity (RFC 3325 §9.3).
    ID "id" 4;
    /// History-Info (RFC 7044 §10.1).
    HISTORY "history" 5;
    /// Refuse the request rather than fail to hide.
    CRITICAL "critical" 6;
}

impl Privacy {
    /// Parses `id;critical`. `None` when a value is not known or none is given.
    pub fn parse(value: &[u8]) -> Option<Privacy> {
        value
            .split(|c| matches!(c, b';' | b','))
            .map(|word| {
                let word = trim(word);
                VALUES
                    .iter()
                    .find(|(text, _)| text.as_bytes().eq_ignore_ascii_case(word))
                    .map(|(_, bit)| *bit)
            })
            .try_fold(Privacy(0), |all, each| Some(Privacy(all.0 | each?.0)))
    }

    /// True when all values of `other` are in this set.
    pub const fn has(self, other: Privacy) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_values() {
        let privacy = Privacy::parse(b"ID ; critical").unwrap();
        assert!(privacy.has(Privacy::ID) && privacy.has(Privacy::CRITICAL));
        assert!(!privacy.has(Privacy::NONE));
        assert_eq!(Privacy::parse(b"id;unknown"), None);
        assert_eq!(Privacy::parse(b""), None);
    }
}
