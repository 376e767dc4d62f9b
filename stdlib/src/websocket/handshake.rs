//! The opening handshake as the server sees it (RFC 6455 §4.2, RFC 7118 §4).

use kcc_sip::Message;
use tungstenite::handshake::derive_accept_key;

/// The version of the protocol.
const VERSION: &[u8] = b"13";

/// What comes of a request to open a WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub enum Handshake<'a> {
    /// It is granted; the text is what `Sec-WebSocket-Accept` answers.
    Granted(String),
    /// Something is missing or of no use here: 400.
    Bad(&'a str),
    /// Another version of the protocol: 426.
    Version,
}

/// The values of all fields called `name`.
fn values<'a>(request: &'a Message, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    request.headers_named(name).map(|header| header.value)
}

/// Whether a comma list in a field called `name` has the element `wanted`, in any case.
fn lists(request: &Message, name: &[u8], wanted: &[u8]) -> bool {
    values(request, name)
        .flat_map(|value| value.split(|c| *c == b','))
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(wanted))
}

/// Looks at a request; `sip` tells whether the sub-protocol `sip` is served.
pub fn handshake(request: &Message, sip: bool) -> Handshake<'static> {
    let version = values(request, b"Sec-WebSocket-Version").next();
    if version.is_some_and(|version| version != VERSION) {
        return Handshake::Version;
    }
    let key = values(request, b"Sec-WebSocket-Key").next();
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Handshake::Bad("no Sec-WebSocket-Key");
    };
    if version.is_none() {
        return Handshake::Bad("no Sec-WebSocket-Version");
    }
    if !lists(request, b"Upgrade", b"websocket") || !lists(request, b"Connection", b"upgrade") {
        return Handshake::Bad("it does not ask for an upgrade to WebSocket");
    }
    if !sip || !lists(request, b"Sec-WebSocket-Protocol", b"sip") {
        return Handshake::Bad("no sub-protocol that is served");
    }
    Handshake::Granted(derive_accept_key(key))
}

/// The first value of `Origin`.
pub fn origin(request: &Message) -> Option<&[u8]> {
    values(request, b"Origin").next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(from: &str, to: &str, sip: bool) -> Handshake<'static> {
        let text = "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\
            Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: xmpp, SIP\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let text = text.replace(from, to).into_bytes();
        handshake(&Message::parse(text.into()).unwrap(), sip)
    }

    #[test]
    fn the_sample_of_the_rfc_is_granted_and_what_lacks_something_is_not() {
        let granted = Handshake::Granted("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into());
        assert_eq!(answer("", "", true), granted);
        assert_eq!(
            answer("Version: 13", "Version: 8", true),
            Handshake::Version
        );
        for (from, to, sip) in [
            ("", "", false),
            ("SIP", "msrp", true),
            ("Upgrade: websocket\r\n", "", true),
            ("keep-alive, Upgrade", "close", true),
            ("Sec-WebSocket-Key", "X", true),
            ("Sec-WebSocket-Version", "X", true),
            ("dGhlIHNhbXBsZSBub25jZQ==", "", true),
        ] {
            let got = answer(from, to, sip);
            assert!(matches!(got, Handshake::Bad(_)), "{from}: {got:?}");
        }
    }
}
