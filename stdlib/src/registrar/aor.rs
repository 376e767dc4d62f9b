//! Addresses-of-record: what a user is known by in the location table (RFC 3261 §10.3 step 5).

use kcc_sip::Uri;
use kcc_sip::uri::{Scheme, unescape};

/// The longest address-of-record, in bytes.
pub const LONGEST: usize = 255;

/// How an address-of-record is made of a URI.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// With the domain; else the user alone.
    pub domain: bool,
    /// The user keeps its case.
    pub case_sensitive: bool,
    /// What is taken off the start of the domain.
    pub realm_prefix: &'a [u8],
}

/// Why there is no address-of-record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAor {
    /// No SIP or tel URI.
    Malformed,
    /// Longer than [`LONGEST`].
    TooLong,
}

impl Form<'_> {
    /// Appends the address-of-record of `uri` to `out`.
    ///
    /// # Errors
    /// There is none; what was appended has no meaning.
    pub fn write(&self, uri: &[u8], out: &mut Vec<u8>) -> Result<(), NoAor> {
        let uri = Uri::parse(uri).map_err(|_| NoAor::Malformed)?;
        if uri.scheme == Scheme::Urn {
            return Err(NoAor::Malformed);
        }
        let start = out.len();
        out.extend(unescape(uri.user_or_empty()).take(LONGEST + 1));
        if !self.case_sensitive
            && let Some(user) = out.get_mut(start..)
        {
            user.make_ascii_lowercase();
        }
        if self.domain {
            let prefix = self.realm_prefix;
            let host = match uri.host.get(..prefix.len()) {
                Some(begin) if begin.eq_ignore_ascii_case(prefix) => &uri.host[prefix.len()..],
                _ => uri.host,
            };
            out.push(b'@');
            out.extend(host.iter().map(u8::to_ascii_lowercase));
        }
        if out.len() - start > LONGEST {
            return Err(NoAor::TooLong);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_kamailio_5_6() {
        let plain = Form {
            domain: false,
            case_sensitive: false,
            realm_prefix: b"",
        };
        let domain = Form {
            domain: true,
            realm_prefix: b"sip.",
            ..plain
        };
        let sensitive = Form {
            case_sensitive: true,
            ..domain
        };
        for (form, uri, aor) in [
            (plain, "sip:UpPer@x.org", "upper"),
            (plain, "sip:a%62c:secret@x.org;a=b", "abc"),
            (plain, "sip:x.org", ""),
            (plain, "tel:+123;x=y", "+123"),
            (domain, "sip:q@sip.Z.org:5070", "q@z.org"),
            (domain, "sips:q@sip", "q@sip"),
            (sensitive, "sip:Q@SIP.z.org", "Q@z.org"),
        ] {
            let mut out = Vec::new();
            form.write(uri.as_bytes(), &mut out).unwrap();
            assert_eq!(out, aor.as_bytes(), "{uri}");
        }
        let long = format!("sip:{}@x", "a".repeat(256));
        for (uri, why) in [
            ("foo:x.org", NoAor::Malformed),
            ("urn:service:sos", NoAor::Malformed),
            ("", NoAor::Malformed),
            (long.as_str(), NoAor::TooLong),
        ] {
            assert_eq!(plain.write(uri.as_bytes(), &mut Vec::new()), Err(why));
        }
    }
}
