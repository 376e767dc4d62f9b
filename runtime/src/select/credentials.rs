//! `@authorization` and `@proxy_authorization`: digest credentials by their realm (RFC 7616).

use kcc_sip::header::HeaderKind;
use kcc_sip::token::{list, trim_start, unquote};

use super::{Path, Steps};
use crate::declare::ConstantError;
use crate::run::Run;

/// A part of credentials.
#[derive(Debug)]
enum Part {
    Whole,
    Field(&'static str),
    /// The user name up to an `@`.
    User,
    /// What follows the `@`.
    Domain,
}

/// The realm and a part of its credentials.
#[derive(Debug)]
pub struct Credentials {
    realm: Box<[u8]>,
    part: Part,
}

impl Path for Credentials {
    const NAME: &'static str = "select-credentials";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let realm = steps.name()?;
        if realm.contains(&b'$') {
            return Err(ConstantError {
                offset: 0,
                message: "a realm that is a variable is not supported".into(),
            });
        }
        let part = match steps.step()? {
            None => Part::Whole,
            Some(step) if step.is("username") => match steps.step()? {
                None => Part::Field("username"),
                Some(step) if step.is("user") => Part::User,
                Some(step) if step.is("domain") => Part::Domain,
                Some(_) => return Err(steps.unknown()),
            },
            Some(step) => {
                let known = [
                    "realm",
                    "nonce",
                    "uri",
                    "cnonce",
                    "nc",
                    "response",
                    "opaque",
                    "algorithm",
                    "qop",
                ];
                let field = known.into_iter().find(|word| step.is(word));
                Part::Field(field.ok_or_else(|| steps.unknown())?)
            }
        };
        let realm = realm.into();
        Ok(Credentials { realm, part })
    }
}

/// A field of the parameters after `Digest`, without its quotes.
fn field<'a>(digest: &'a [u8], name: &str) -> Option<&'a [u8]> {
    list(digest).find_map(|field| {
        let equals = memchr::memchr(b'=', field)?;
        let (other, text) = (
            field[..equals].trim_ascii(),
            field[equals + 1..].trim_ascii(),
        );
        other
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| unquote(text))
    })
}

fn read<'a>(run: &'a Run, kind: HeaderKind, path: &Credentials) -> Option<&'a [u8]> {
    let mut values = run.message.headers_of(kind).map(|header| header.value);
    let (value, digest) = values.find_map(|value| {
        let (scheme, rest) = value.split_at_checked(6)?;
        let rest = trim_start(rest);
        let found = scheme.eq_ignore_ascii_case(b"Digest")
            && field(rest, "realm")?.eq_ignore_ascii_case(&path.realm);
        found.then_some((value, rest))
    })?;
    let user = || field(digest, "username").unwrap_or_default();
    let at = memchr::memchr(b'@', user());
    Some(match path.part {
        Part::Whole => value,
        Part::Field(name) => field(digest, name).unwrap_or_default(),
        Part::User => at.map_or(user(), |at| &user()[..at]),
        Part::Domain => at.map_or(&[], |at| &user()[at + 1..]),
    })
}

/// Selects of credentials.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use kcc_sip::header::HeaderKind;

    use super::{Credentials, read};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::select::Below;

    /// The Authorization header field for a realm, and parts of its credentials; null without.
    ///
    /// Parts: `username` with `user` and `domain`, `realm`, `nonce`, `uri`, `cnonce`, `nc`,
    /// `response`, `opaque`, `algorithm`, `qop`; empty where a part is missing.
    ///
    /// ```cfg
    /// if (@authorization["example.com"].username == "alice") exit;
    /// ```
    #[pv(name = "@authorization")]
    fn authorization<'a>(run: &'a mut Run, path: Const<Below<Credentials>>) -> Option<&'a [u8]> {
        read(run, HeaderKind::Authorization, &path.0)
    }

    /// The Proxy-Authorization header field for a realm: as `@authorization`.
    #[pv(name = "@proxy_authorization")]
    fn proxy_authorization<'a>(
        run: &'a mut Run,
        path: Const<Below<Credentials>>,
    ) -> Option<&'a [u8]> {
        read(run, HeaderKind::ProxyAuthorization, &path.0)
    }
}
