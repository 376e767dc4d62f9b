//! Expected values are what Kamailio 5.6.3 did with the same requests.

use bytes::Bytes;
use kcc_runtime::message::{Builder, Edits, OutgoingRequest};
use kcc_runtime::run::Target;
use kcc_sip::build::ViaStamp;
use kcc_sip::{Message, Uri};

use super::loose::{NoWay, View, follow};

const OWN: &str = "<sip:127.0.7.1;lr;ftag=ft>";
const TCP: &str = "<sip:127.0.7.1;transport=tcp;r2=on;lr;ftag=ft>";
const UDP: &str = "<sip:127.0.7.1;r2=on;lr;ftag=ft>";

fn own(uri: &Uri<'_>) -> bool {
    uri.host == b"127.0.7.1" && matches!(uri.port, None | Some(5060 | 5090))
}

fn request(uri: &str, routes: &[&str], dialog: bool) -> Message {
    let tag = if dialog { ";tag=tt" } else { "" };
    let lines: String = routes
        .iter()
        .map(|value| format!("Route: {value}\r\n"))
        .collect();
    let text = format!(
        "MESSAGE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{lines}\
         From: <sip:a@x>;tag=ft\r\nTo: <sip:b@x>{tag}\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\r\n"
    );
    Message::parse(Bytes::from(text)).unwrap()
}

/// Request-URI, next hop, the routes that are sent, and whether no route was left; or why not.
fn routed(
    uri: &str,
    routes: &[&str],
    dialog: bool,
) -> Result<(String, Option<String>, Vec<String>, bool), NoWay> {
    let message = request(uri, routes, dialog);
    let view = View {
        uri: uri.as_bytes(),
        own: &own,
        double: true,
        strict: true,
    };
    let way = view.way(&message)?;
    let (mut edits, mut target) = (Edits::new(), Target::default());
    follow(&way, &message, &mut edits, &mut target).unwrap();
    let mut out = Vec::new();
    assert!(Builder::new().request(
        &OutgoingRequest {
            message: &message,
            uri: target.uri.get(),
            via: None,
            stamp: ViaStamp::default(),
            edits: &edits,
            branch_edits: None,
            stream: false,
        },
        &mut out,
    ));
    let sent = Message::parse(Bytes::from(out)).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let left = sent
        .headers_named(b"Route")
        .map(|header| text(header.value))
        .collect();
    Ok((
        text(sent.request_uri()),
        target.dst_uri.get().map(text),
        left,
        way.alone,
    ))
}

#[test]
fn the_way_is_that_of_kamailio_5_6() {
    let b = "sip:b@h";
    let own_uri = "sip:127.0.7.1;lr;ftag=ft";
    let own_tcp = "sip:127.0.7.1;transport=tcp;r2=on;lr;ftag=ft";
    /// Request-URI and routes; then Request-URI, next hop, routes and whether none was left.
    type Case<'a> = (
        &'a str,
        &'a [&'a str],
        &'a str,
        Option<&'a str>,
        &'a [&'a str],
        bool,
    );
    #[rustfmt::skip]
    let table: &[Case<'_>] = &[
        // Loose routing.
        (b, &[OWN], b, None, &[], true),
        (b, &[OWN, "<sip:n;lr>", "<sip:m;lr>"], b, Some("sip:n;lr"), &["<sip:n;lr>", "<sip:m;lr>"], false),
        (b, &["<sip:127.0.7.1;lr> , <sip:n;lr>,<sip:m;lr>"], b, Some("sip:n;lr"), &["<sip:n;lr>,<sip:m;lr>"], false),
        (b, &["<sip:127.0.7.1;lr>;a=b, \"d\" <sip:n;lr=on>;c=d"], b, Some("sip:n;lr=on"), &["\"d\" <sip:n;lr=on>;c=d"], false),
        (b, &["<sip:n;lr>"], b, Some("sip:n;lr"), &["<sip:n;lr>"], false),
        (b, &["<sip:127.0.7.1:5061;lr>"], b, Some("sip:127.0.7.1:5061;lr"), &["<sip:127.0.7.1:5061;lr>"], false),
        (b, &[OWN, OWN], b, Some("sip:127.0.7.1;lr;ftag=ft"), &[OWN], false),
        ("tel:+1", &[OWN, "<sip:n;lr>"], "tel:+1", Some("sip:n;lr"), &["<sip:n;lr>"], false),
        // Two routes of this server as one.
        (b, &[TCP, UDP], b, None, &[], true),
        (b, &[TCP, UDP, "<sip:n;lr>"], b, Some("sip:n;lr"), &["<sip:n;lr>"], false),
        (b, &[UDP, OWN, "<sip:n;lr>"], b, Some("sip:n;lr"), &["<sip:n;lr>"], false),
        (b, &[UDP], b, None, &[], true),
        // The next hop is a strict router.
        ("sip:c@h", &[OWN, "<sip:n>"], "sip:n", None, &["<sip:c@h>"], false),
        ("sip:c@h", &[OWN, "<sip:n>,<sip:m;lr>"], "sip:n", None, &["<sip:m;lr>", "<sip:c@h>"], false),
        ("sip:c@h", &[OWN, "<sip:n>", "<sip:m;lr>"], "sip:n", None, &["<sip:m;lr>", "<sip:c@h>"], false),
        // The previous hop is a strict router.
        (own_uri, &["<sip:n;lr>", "<sip:c@h>"], "sip:c@h", Some("sip:n;lr"), &["<sip:n;lr>"], false),
        (own_uri, &["<sip:n;lr>", "<sip:m;lr>, <sip:c@h>;q=1"], "sip:c@h", Some("sip:n;lr"), &["<sip:n;lr>", "<sip:m;lr>"], false),
        (own_uri, &["<sip:c@h>"], "sip:c@h", None, &[], false),
        (own_uri, &["<sip:n;lr>"], "sip:n;lr", Some("sip:n;lr"), &[], false),
        (own_uri, &["<sip:n>, <sip:c@h>"], "sip:n", None, &["<sip:c@h>"], false),
        (own_tcp, &["<sip:127.0.7.1;r2=on;lr>,<sip:n;lr>,<sip:c@h>"], "sip:c@h", Some("sip:n;lr"), &["<sip:n;lr>"], false),
        (own_tcp, &[UDP, "<sip:c@h>"], "sip:c@h", None, &[], false),
    ];
    for (uri, routes, to, next, left, alone) in table {
        let (ruri, hop, sent, none_left) = routed(uri, routes, true).unwrap();
        assert_eq!(
            (ruri.as_str(), hop.as_deref(), none_left),
            (*to, *next, *alone),
            "{uri} {routes:?}"
        );
        assert_eq!(&sent, left, "{uri} {routes:?}");
    }
}

#[test]
fn outside_of_a_dialog_nobody_is_a_strict_router() {
    let (uri, next, left, alone) = routed("sip:127.0.7.1", &[OWN], false).unwrap();
    assert_eq!(
        (uri.as_str(), next, left.len(), alone),
        ("sip:127.0.7.1", None, 0, true)
    );
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let (b, own_tcp) = ("sip:b@h", "sip:127.0.7.1;transport=tcp;r2=on;lr");
    for (uri, routes, why) in [
        (b, &[][..], NoWay::NoRoute),
        (b, &["<foo"][..], NoWay::Malformed),
        (b, &[""], NoWay::Malformed),
        (b, &["<foo:bar>"], NoWay::Malformed),
        (b, &["sip:127.0.7.1;lr"], NoWay::Malformed),
        (b, &["<sip:127.0.7.1;lr>,<foo"], NoWay::Malformed),
        (b, &["<sip:127.0.7.1;lr>,<foo:bar;lr>"], NoWay::Malformed),
        ("sip:127.0.7.1", &["<sip:n;lr>,<foo:c>"], NoWay::Malformed),
        (own_tcp, &[UDP], NoWay::NoTarget),
    ] {
        assert_eq!(routed(uri, routes, true).err(), Some(why), "{routes:?}");
    }
}
