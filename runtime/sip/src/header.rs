//! The header fields that are known by kind: their names and compact forms (RFC 3261 §7.3.3 and
//! the IANA registry of header fields). One line of the table adds a header.

macro_rules! headers {
    ($( $kind:ident $name:literal $($compact:literal)? ; )*) => {
        /// The kind of a header field; [`HeaderKind::Other`] for names not in the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum HeaderKind {
            $(
                #[doc = concat!("`", $name, "`")]
                $kind,
            )*
            /// A header field that the table does not hold.
            Other,
        }

        const KINDS: &[(HeaderKind, &str, u8)] = &[
            $( (HeaderKind::$kind, $name, 0 $(+ $compact)?), )*
        ];
    };
}

headers! {
    Via                   "Via"                    b'v';
    From                  "From"                   b'f';
    To                    "To"                     b't';
    CallId                "Call-ID"                b'i';
    CSeq                  "CSeq";
    MaxForwards           "Max-Forwards";
    Contact               "Contact"                b'm';
    Route                 "Route";
    RecordRoute           "Record-Route";
    ContentLength         "Content-Length"         b'l';
    ContentType           "Content-Type"           b'c';
    Expires               "Expires";
    MinExpires            "Min-Expires";
    Authorization         "Authorization";
    ProxyAuthorization    "Proxy-Authorization";
    WwwAuthenticate       "WWW-Authenticate";
    ProxyAuthenticate     "Proxy-Authenticate";
    AuthenticationInfo    "Authentication-Info";
    Supported             "Supported"              b'k';
    Require               "Require";
    ProxyRequire          "Proxy-Require";
    Unsupported           "Unsupported";
    Allow                 "Allow";
    AllowEvents           "Allow-Events"           b'u';
    Event                 "Event"                  b'o';
    SubscriptionState     "Subscription-State";
    Accept                "Accept";
    AcceptLanguage        "Accept-Language";
    AcceptEncoding        "Accept-Encoding";
    AcceptContact         "Accept-Contact"         b'a';
    RejectContact         "Reject-Contact"         b'j';
    RequestDisposition    "Request-Disposition"    b'd';
    ContentEncoding       "Content-Encoding"       b'e';
    ContentDisposition    "Content-Disposition";
    ContentLanguage       "Content-Language";
    MimeVersion           "MIME-Version";
    Subject               "Subject"                b's';
    UserAgent             "User-Agent";
    Server                "Server";
    Organization          "Organization";
    Priority              "Priority";
    ReferTo               "Refer-To"               b'r';
    ReferredBy            "Referred-By"            b'b';
    Replaces              "Replaces";
    Join                  "Join";
    Diversion             "Diversion";
    HistoryInfo           "History-Info";
    PAssertedIdentity     "P-Asserted-Identity";
    PPreferredIdentity    "P-Preferred-Identity";
    PAssociatedUri        "P-Associated-URI";
    PCalledPartyId        "P-Called-Party-ID";
    PVisitedNetworkId     "P-Visited-Network-ID";
    PAccessNetworkInfo    "P-Access-Network-Info";
    PChargingVector       "P-Charging-Vector";
    RemotePartyId         "Remote-Party-ID";
    Privacy               "Privacy";
    Path                  "Path";
    ServiceRoute          "Service-Route";
    SessionExpires        "Session-Expires"        b'x';
    MinSe                 "Min-SE";
    SessionId             "Session-ID";
    SipIfMatch            "SIP-If-Match";
    SipEtag               "SIP-ETag";
    Identity              "Identity"               b'y';
    IdentityInfo          "Identity-Info"          b'n';
    Reason                "Reason";
    Date                  "Date";
    Timestamp             "Timestamp";
    RetryAfter            "Retry-After";
    Warning               "Warning";
    ErrorInfo             "Error-Info";
    AlertInfo             "Alert-Info";
    CallInfo              "Call-Info";
    InReplyTo             "In-Reply-To";
    ReplyTo               "Reply-To";
    RSeq                  "RSeq";
    RAck                  "RAck";
    SecurityClient        "Security-Client";
    SecurityServer        "Security-Server";
    SecurityVerify        "Security-Verify";
    Host                  "Host";
    Connection            "Connection";
    Upgrade               "Upgrade";
    Origin                "Origin";
    SecWebSocketKey       "Sec-WebSocket-Key";
    SecWebSocketProtocol  "Sec-WebSocket-Protocol";
    SecWebSocketVersion   "Sec-WebSocket-Version";
}

impl HeaderKind {
    /// How many known kinds there are.
    pub const COUNT: usize = KINDS.len();

    /// The kind of the header called `name`, in any case, long or compact.
    #[inline]
    pub fn parse(name: &[u8]) -> HeaderKind {
        match name {
            [] => HeaderKind::Other,
            [c] => *COMPACT
                .get((c | 0x20) as usize)
                .unwrap_or(&HeaderKind::Other),
            _ => {
                let Some(len) = BY_LENGTH.get(name.len()) else {
                    return HeaderKind::Other;
                };
                let first = name[0] | 0x20;
                for &(start, index) in len {
                    if start == first {
                        let (kind, known, _) = KINDS[index as usize];
                        if known.as_bytes().eq_ignore_ascii_case(name) {
                            return kind;
                        }
                    } else if start == 0 {
                        break;
                    }
                }
                HeaderKind::Other
            }
        }
    }

    /// The long name; empty for [`HeaderKind::Other`].
    pub fn name(self) -> &'static str {
        KINDS.get(self as usize).map_or("", |k| k.1)
    }

    /// The compact name, when there is one.
    pub fn compact(self) -> Option<u8> {
        KINDS.get(self as usize).map(|k| k.2).filter(|c| *c != 0)
    }

    /// All known kinds.
    pub fn all() -> impl Iterator<Item = HeaderKind> {
        KINDS.iter().map(|k| k.0)
    }
}

/// Compact names: letter to kind. A letter with bit 5 set is itself; other bytes that `| 0x20`
/// maps to a letter are upper-case letters.
const COMPACT: [HeaderKind; 128] = {
    let mut table = [HeaderKind::Other; 128];
    let mut i = 0;
    while i < KINDS.len() {
        if KINDS[i].2 != 0 {
            table[KINDS[i].2 as usize] = KINDS[i].0;
        }
        i += 1;
    }
    table
};

const LONGEST: usize = 22;
const SLOTS: usize = 12;

/// For each length of name: the first letters (lower case) and rows of [`KINDS`], ended by 0.
const BY_LENGTH: [[(u8, u8); SLOTS]; LONGEST + 1] = {
    let mut table = [[(0, 0); SLOTS]; LONGEST + 1];
    let mut used = [0; LONGEST + 1];
    let mut i = 0;
    while i < KINDS.len() {
        let name = KINDS[i].1.as_bytes();
        let len = name.len();
        table[len][used[len]] = (name[0] | 0x20, i as u8);
        used[len] += 1;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_both_names_in_any_case() {
        for kind in HeaderKind::all() {
            assert_eq!(HeaderKind::parse(kind.name().as_bytes()), kind);
            assert_eq!(
                HeaderKind::parse(kind.name().to_uppercase().as_bytes()),
                kind
            );
            if let Some(c) = kind.compact() {
                assert_eq!(HeaderKind::parse(&[c]), kind);
                assert_eq!(HeaderKind::parse(&[c.to_ascii_uppercase()]), kind);
            }
        }
    }

    #[test]
    fn unknown_names_are_other() {
        for name in [&b""[..], b"z", b"\xd6", b"X-Foo", b"Vib", &[b'a'; 100]] {
            assert_eq!(HeaderKind::parse(name), HeaderKind::Other);
        }
    }
}
