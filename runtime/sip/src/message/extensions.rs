//! Typed access to the header fields of RFC 3261's extensions, and to bodies by their type.

use super::Message;
use crate::body::{Disposition, MediaType, Multipart, Sdp};
use crate::date::Date;
use crate::digest::AuthParams;
use crate::error::ParseError;
use crate::event::{Event, SubscriptionState};
use crate::header::HeaderKind;
use crate::identity::Identity;
use crate::name_addr::NameAddr;
use crate::privacy::Privacy;
use crate::rack::RAck;
use crate::reason::{Reason, reasons};
use crate::session::SessionExpires;
use crate::token::{List, list, parse_u32};

macro_rules! address_lists {
    ($( $(#[$doc:meta])* $name:ident $kind:ident; )*) => {
        impl Message {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
                    self.all_addresses(HeaderKind::$kind)
                }
            )*
        }
    };
}

address_lists! {
    /// All Path values in order (RFC 3327).
    paths Path;
    /// All Service-Route values in order (RFC 3608).
    service_routes ServiceRoute;
    /// All P-Asserted-Identity values (RFC 3325).
    asserted_identities PAssertedIdentity;
    /// All P-Preferred-Identity values (RFC 3325).
    preferred_identities PPreferredIdentity;
    /// All Diversion values, the latest first (RFC 5806).
    diversions Diversion;
    /// All History-Info values in order (RFC 7044).
    history HistoryInfo;
    /// All Remote-Party-ID values.
    remote_parties RemotePartyId;
}

macro_rules! single {
    ($( $(#[$doc:meta])* $name:ident $kind:ident -> $type:ty = $parse:path; )*) => {
        impl Message {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> Option<$type> {
                    $parse(self.value(HeaderKind::$kind)?)
                }
            )*
        }
    };
}

single! {
    /// Expires, in seconds.
    expires Expires -> u32 = parse_u32;
    /// Min-Expires, in seconds.
    min_expires MinExpires -> u32 = parse_u32;
    /// Session-Expires (RFC 4028).
    session_expires SessionExpires -> SessionExpires<'_> = SessionExpires::parse;
    /// Min-SE (RFC 4028).
    min_se MinSe -> SessionExpires<'_> = SessionExpires::parse;
    /// Date.
    date Date -> Date = Date::parse;
    /// RSeq (RFC 3262).
    rseq RSeq -> u32 = parse_u32;
    /// RAck (RFC 3262).
    rack RAck -> RAck<'_> = RAck::parse;
    /// Event (RFC 6665).
    event Event -> Event<'_> = Event::parse;
    /// Subscription-State (RFC 6665).
    subscription_state SubscriptionState -> SubscriptionState<'_> = SubscriptionState::parse;
    /// Privacy (RFC 3323); `None` when a value is unknown, too.
    privacy Privacy -> Privacy = Privacy::parse;
    /// Content-Type.
    content_type ContentType -> MediaType<'_> = MediaType::parse;
    /// Content-Disposition.
    content_disposition ContentDisposition -> Disposition<'_> = Disposition::parse;
}

impl Message {
    /// Refer-To (RFC 3515); `None` when missing or malformed.
    pub fn refer_to(&self) -> Option<NameAddr<'_>> {
        self.address(HeaderKind::ReferTo)
    }

    /// Referred-By (RFC 3892); `None` when missing or malformed.
    pub fn referred_by(&self) -> Option<NameAddr<'_>> {
        self.address(HeaderKind::ReferredBy)
    }

    /// The values of all Identity header fields (RFC 8224).
    pub fn identities(&self) -> impl Iterator<Item = Identity<'_>> {
        self.headers_of(HeaderKind::Identity)
            .filter_map(|h| Identity::parse(h.value))
    }

    /// The values of all Reason header fields (RFC 3326).
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'_>> {
        self.headers_of(HeaderKind::Reason)
            .flat_map(|h| reasons(h.value))
    }

    /// What stands in all header fields of `kind`: Authorization, Proxy-Authorization,
    /// WWW-Authenticate or Proxy-Authenticate.
    pub fn auth(&self, kind: HeaderKind) -> impl Iterator<Item = AuthParams<'_>> {
        self.headers_of(kind)
            .filter_map(|h| AuthParams::parse(h.value))
    }

    /// The credentials for `realm` in the header fields of `kind`.
    pub fn credentials(&self, kind: HeaderKind, realm: &[u8]) -> Option<AuthParams<'_>> {
        self.auth(kind).find(|a| a.realm() == Some(realm))
    }

    /// The elements of a list of tokens over all header fields of `kind`: Supported, Require,
    /// Allow and their like.
    pub fn tokens(&self, kind: HeaderKind) -> impl Iterator<Item = &[u8]> {
        self.headers_of(kind)
            .flat_map(|h| -> List<'_> { list(h.value) })
    }

    /// True when the header fields of `kind` name `token`, in any case.
    pub fn names(&self, kind: HeaderKind, token: &[u8]) -> bool {
        self.tokens(kind).any(|t| t.eq_ignore_ascii_case(token))
    }

    /// The session description: the body, or the first part of it that is one.
    pub fn sdp(&self) -> Option<Sdp<'_>> {
        let kind = self.content_type()?;
        if kind.is_sdp() {
            return Sdp::parse(self.body());
        }
        Multipart::new(self.body(), &kind)?
            .parts()
            .filter(|part| part.content_type().is_some_and(|t| t.is_sdp()))
            .find_map(|part| Sdp::parse(part.body))
    }

    /// The parts of a multipart body.
    pub fn multipart(&self) -> Option<Multipart<'_>> {
        Multipart::new(self.body(), &self.content_type()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn message(fields: &str, body: &str) -> Message {
        let text = format!(
            "INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n{fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Message::parse(Bytes::from(text)).unwrap()
    }

    #[test]
    fn lists_go_over_several_fields() {
        let m = message(
            "Path: <sip:p1;lr>, <sip:p2;lr>\r\nDiversion: <sip:a@b>;reason=user-busy\r\n\
             Path: <sip:p3;lr>\r\nk: Path, 100rel\r\nSupported: gruu\r\nPrivacy: id\r\n\
             Reason: SIP;cause=200\r\nRefer-To: <sip:c@d?Replaces=x>\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\n",
            "",
        );
        let paths: Vec<_> = m.paths().map(|p| p.unwrap().uri).collect();
        assert_eq!(paths, [&b"sip:p1;lr"[..], b"sip:p2;lr", b"sip:p3;lr"]);
        let diversion = m.diversions().next().unwrap().unwrap();
        assert_eq!(diversion.params.get(b"reason"), Some(&b"user-busy"[..]));
        assert!(m.names(HeaderKind::Supported, b"GRUU") && m.names(HeaderKind::Supported, b"path"));
        assert_eq!(m.privacy(), Some(Privacy::ID));
        assert_eq!(m.reasons().next().unwrap().cause(), Some(200));
        assert_eq!(m.refer_to().unwrap().uri, b"sip:c@d?Replaces=x");
        assert_eq!(m.date().unwrap().unix, 1_289_690_940);
    }

    #[test]
    fn credentials_are_those_of_the_realm() {
        let m = message(
            "Authorization: Digest username=\"a\", realm=\"x\"\r\n\
             Authorization: Digest username=\"b\", realm=\"y\"\r\n",
            "",
        );
        let found = m.credentials(HeaderKind::Authorization, b"y").unwrap();
        assert_eq!(found.username(), Some(&b"b"[..]));
        assert!(m.credentials(HeaderKind::Authorization, b"z").is_none());
    }

    #[test]
    fn sdp_alone_and_in_a_part() {
        let alone = message("c: application/sdp\r\n", "v=0\r\nm=audio 1 RTP/AVP 0\r\n");
        assert_eq!(alone.sdp().unwrap().media().count(), 1);
        let inside = message(
            "Content-Type: multipart/mixed;boundary=z\r\n",
            "--z\r\nContent-Type: text/plain\r\n\r\nx\r\n--z\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--z--\r\n",
        );
        assert_eq!(inside.sdp().unwrap().lines().count(), 1);
        assert_eq!(inside.multipart().unwrap().parts().count(), 2);
        assert!(message("", "v=0\r\n").sdp().is_none());
    }
}
