//! Each variable on a request and on a reply, as Kamailio 5.6 gives it.

mod written;

use std::sync::Arc;

use bytes::Bytes;
use kcc_sip::Message;

use crate::message::Builder;
use crate::program::{Manifest, Program};
use crate::run::{Run, Source};
use crate::value::Value;
use written::{read, read_int, write};

const INVITE: &str = "INVITE sip:bob;x=1:secret@127.0.0.1:5099;transport=tcp;lr?h1=v1 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1\r\n\
    To: \"Bob B\" <sip:bob@example.com;p=q>;tag=totag1\r\n\
    From: Alice <sip:alice@example.org:5070>;tag=1928301774\r\n\
    i: a84b4c76e66710@pc33\r\n\
    CSeq: 314159 INVITE\r\n\
    Contact: <sip:alice@pc33.example.org>;expires=300, <sip:a@b>;expires=60\r\n\
    X-A: one\r\n\
    X-B: b1, b2;q=1\r\n\
    x-a: two\r\n\
    Record-Route: <sip:r1;lr>, <sip:r2;lr>\r\n\
    Record-Route: <sip:r3;lr>\r\n\
    P-Preferred-Identity: \"C\" <sip:c@d>, <sip:e@f>\r\n\
    Diversion: <sip:d@e>;reason=busy;counter=2;privacy=full\r\n\
    User-Agent: kt/1.0\r\n\
    Authorization: Digest username=\"au@dom\", realm=\"r, 1\", nonce=\"n1\", uri=\"sip:u\", \
    response=\"00\", algorithm=MD5\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 4\r\n\
    \r\n\
    body";

const REPLY: &str = "SIP/2.0 180 Ringing now\r\n\
    Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
    Via: SIP/2.0/TCP client.example;branch=z9hG4bK2;rport=777;received=192.0.2.77\r\n\
    From: <sip:alice@example.org>;tag=1\r\n\
    To: sip:bob@example.com\r\n\
    Call-ID: x\r\n\
    CSeq: 7 INVITE\r\n\
    Content-Length: 0\r\n\
    \r\n";

fn run_of(message: &str) -> Box<Run> {
    let manifest = Manifest {
        defines: vec![
            ("PLAIN".into(), None),
            ("SEVEN".into(), Some("7".into())),
            ("NAME".into(), Some("\"x\"".into())),
        ],
        ..Manifest::default()
    };
    let program = Program::load(manifest, vec![], Box::new(()), &[]).unwrap();
    let mut run = Run::new(Arc::new(program), None);
    let message = Message::parse(Bytes::copy_from_slice(message.as_bytes())).unwrap();
    let address = "192.0.2.1:5070".parse().unwrap();
    run.set_message(
        message,
        Source {
            address,
            ..Source::default()
        },
    );
    run
}

fn check(message: &str, table: &[(&'static str, &str)]) {
    let mut run = run_of(message);
    for (variable, expected) in table {
        assert_eq!(read(&mut run, variable), *expected, "{variable}");
    }
}

#[test]
fn variables_of_a_request() {
    check(
        INVITE,
        &[
            (
                "$ru",
                "sip:bob;x=1:secret@127.0.0.1:5099;transport=tcp;lr?h1=v1",
            ),
            ("$ruri.user", "bob;x=1"),
            ("$rd", "127.0.0.1"),
            ("$rp", "5099"),
            ("$rP", "tcp"),
            ("$rz", "sip"),
            ("$rUl", "#7"),
            (
                "$ou",
                "sip:bob;x=1:secret@127.0.0.1:5099;transport=tcp;lr?h1=v1",
            ),
            ("$od", "127.0.0.1"),
            ("$op", "5099"),
            ("$du", "<null>"),
            ("$dp", "<null>"),
            ("$nh(d)", "127.0.0.1"),
            ("$nh(i)", "#4"),
            ("$rm", "INVITE"),
            ("$rmid", "#1"),
            ("$rv", "SIP/2.0"),
            ("$rs", "<null>"),
            ("$rr", "<null>"),
            ("$rsi", "#0"),
            ("$mt", "#1"),
            ("$mts", "rq"),
            ("$fu", "sip:alice@example.org:5070"),
            ("$from.user", "alice"),
            ("$fd", "example.org"),
            ("$fn", "Alice"),
            ("$ft", "1928301774"),
            ("$fUl", "#5"),
            ("$tu", "sip:bob@example.com;p=q"),
            ("$tn", "\"Bob B\""),
            ("$tt", "totag1"),
            ("$tts", "#1"),
            ("$ci", "a84b4c76e66710@pc33"),
            ("$cs", "314159"),
            ("$csb", "314159 INVITE"),
            (
                "$ct",
                "<sip:alice@pc33.example.org>;expires=300, <sip:a@b>;expires=60",
            ),
            ("$ctu", "sip:alice@pc33.example.org"),
            ("$cts", "#0"),
            ("$expires(min)", "#60"),
            ("$expires(max)", "#300"),
            ("$cT", "text/plain"),
            ("$cl", "#4"),
            ("$ua", "kt/1.0"),
            ("$re", "<null>"),
            ("$di", "sip:d@e"),
            ("$dir", "busy"),
            ("$dic", "2"),
            ("$dip", "full"),
            ("$ai", "<null>"),
            ("$pu", "sip:c@d"),
            ("$(pu[1])", "sip:e@f"),
            ("$(pu[2])", "<null>"),
            ("$pn", "\"C\""),
            ("$pd", "d"),
            ("$hdr(X-A)", "one"),
            ("$(hdr(x-a)[1])", "two"),
            ("$(hdr(X-A)[-1])", "two"),
            ("$(hdr(X-A)[-3])", "<null>"),
            ("$(hdr(X-A)[*])", "one,two"),
            ("$hdr(Call-ID)", "a84b4c76e66710@pc33"),
            ("$hdr(i)", "a84b4c76e66710@pc33"),
            ("$hdr(Nope)", "<null>"),
            ("$(hdr(Nope)[*])", "<null>"),
            ("$hdrc(x-a)", "#2"),
            ("$hdrc(Record-Route)", "#2"),
            ("$hflc(Record-Route)", "#3"),
            ("$(hfl(Record-Route)[1])", "<sip:r2;lr>"),
            ("$(hfl(Record-Route)[2])", "<sip:r3;lr>"),
            ("$(hfl(X-B)[0])", "b1, b2;q=1"),
            ("$si", "192.0.2.1"),
            ("$sp", "#5070"),
            ("$su", "sip:192.0.2.1:5070"),
            ("$sut", "sip:192.0.2.1:5070;transport=udp"),
            ("$sas", "udp:192.0.2.1:5070"),
            ("$pr", "udp"),
            ("$prid", "#1"),
            ("$af(name)", "IPv4"),
            ("$conid", "<null>"),
            ("$K(TLS)", "#3"),
            ("$Ri", "<null>"),
            ("$fs", "<null>"),
            ("$fsp", "#0"),
            ("$mF", "00000000"),
            ("$au", "au"),
            ("$aU", "au@dom"),
            ("$ad", "dom"),
            ("$ar", "r, 1"),
            ("$aa", "MD5"),
            ("$adc", "<null>"),
            ("$Au", "alice@example.org"),
            ("$AU", "alice"),
            ("$ds", "<null>"),
            ("$br", "<null>"),
            ("$(branch(count))", "<null>"),
            ("$via1(host)", "<null>"),
            ("$rpl(duri)", "<null>"),
            ("$TV(un)", "#0"),
            ("$err.class", "<null>"),
            ("$retcode", "#0"),
            ("$null", "<null>"),
            ("$true", "#1"),
            ("$def(PLAIN)", ""),
            ("$def(NONE)", "<null>"),
            ("$def(NAME)", "\"x\""),
            ("$defv(NAME)", "x"),
            ("$defs(SEVEN)", "\"7\""),
            ("$defn(SEVEN)", "#7"),
            ("$env(KCC_NOT_SET)", "<null>"),
            ("$envn(KCC_NOT_SET)", "#0"),
            ("$_s(a b)", "a b"),
            ("$Eq", "\""),
            (
                "$msg(fline)",
                "INVITE sip:bob;x=1:secret@127.0.0.1:5099;transport=tcp;lr?h1=v1 SIP/2.0",
            ),
            ("$rb", "body"),
            ("$bs", "#4"),
            ("$msgbuf(1)", "N"),
            ("$avp(x)", "<null>"),
            ("$cnt($avp(x))", "#0"),
        ],
    );
}

#[test]
fn variables_of_a_reply() {
    check(
        REPLY,
        &[
            ("$ru", "<null>"),
            ("$rU", "<null>"),
            ("$rp", "<null>"),
            ("$ou", "<null>"),
            ("$oP", "<null>"),
            ("$rs", "#180"),
            ("$rr", "Ringing now"),
            ("$rm", "INVITE"),
            ("$mt", "#2"),
            ("$tu", "sip:bob@example.com"),
            ("$tn", "<null>"),
            ("$tt", "<null>"),
            ("$nh(d)", "192.0.2.77"),
            ("$nh(p)", "#777"),
            ("$nh(U)", "<null>"),
            ("$ct", "<null>"),
            ("$expires(min)", "<null>"),
            ("$nh(u)", "sip:192.0.2.77:777;transport=tcp"),
            ("$nh(P)", "tcp"),
            ("$nh(i)", "#4"),
            ("$via0(host)", "192.0.2.9"),
            ("$via0(port)", "5060"),
            ("$via1(rport)", "777"),
            ("$via1(protoid)", "#2"),
            ("$viaZ(received)", "192.0.2.77"),
            ("$via1(branch)", "z9hG4bK2"),
            ("$rpl(duri)", "sip:192.0.2.77:777;transport=tcp"),
            ("$rpl(dprotoid)", "#2"),
            ("$rpl(cntvia)", "#2"),
            ("$rpl(cntrr)", "#0"),
            ("$au", "<null>"),
        ],
    );
}

#[test]
fn parts_of_the_request_uri_are_rewritten() {
    let mut run = run_of(INVITE);
    let cases: [(&str, Value, &str); 9] = [
        (
            "$ru",
            Value::Str(b"sip:bob@127.0.0.1:5099"),
            "sip:bob@127.0.0.1:5099",
        ),
        ("$rU", Value::Null, "sip:127.0.0.1:5099"),
        ("$rU", Value::Str(b"u"), "sip:u@127.0.0.1:5099"),
        ("$rd", Value::Str(b"d.com"), "sip:u@d.com:5099"),
        ("$rp", Value::Int(5080), "sip:u@d.com:5080"),
        ("$rp", Value::Null, "sip:u@d.com"),
        ("$rp", Value::Int(0), "sip:u@d.com:0"),
        (
            "$ru",
            Value::Str(b"sip:bob:pw@h:1;lr?h1=v1"),
            "sip:bob:pw@h:1;lr?h1=v1",
        ),
        ("$rU", Value::Str(b"z"), "sip:z:pw@h:1;lr?h1=v1"),
    ];
    for (variable, value, uri) in cases {
        assert!(write(&mut run, variable, value), "{variable}");
        assert_eq!(read(&mut run, "$ru"), uri);
    }
    for (variable, value) in [
        ("$ru", Value::Null),
        ("$ru", Value::Int(5)),
        ("$rU", Value::Int(57)),
        ("$rd", Value::Null),
        ("$rp", Value::Int(65536)),
        ("$rp", Value::Str(b"x")),
    ] {
        assert!(!write(&mut run, variable, value), "{variable}");
    }
    assert_eq!(read(&mut run, "$ru"), "sip:z:pw@h:1;lr?h1=v1");
    assert!(write(&mut run, "$ru", Value::Str(b"bad")));
    assert_eq!(read(&mut run, "$ru"), "<null>");
    assert!(!write(&mut run, "$rU", Value::Str(b"u")));
    assert_eq!(read(&mut run, "$oU"), "bob;x=1");
}

#[test]
fn hidden_integers() {
    let mut run = run_of(INVITE);
    for (variable, n) in [
        ("$rm", "#1"),
        ("$proto", "#1"),
        ("$rP", "#2"),
        ("$rp", "#5099"),
        ("$rz", "#1"),
        ("$oP", "#2"),
        ("$mF", "#0"),
    ] {
        assert_eq!(read_int(&mut run, variable), n, "{variable}");
    }
    write(&mut run, "$du", Value::Str(b"sip:h;transport=tls"));
    assert_eq!(
        (read(&mut run, "$dp"), read_int(&mut run, "$dp")),
        ("5061".into(), "#5061".into())
    );
    assert_eq!(
        (read(&mut run, "$dP"), read_int(&mut run, "$dP")),
        ("tls".into(), "#3".into())
    );
    assert_eq!(read(&mut run, "$nh(u)"), "sip:h;transport=tls");
    write(&mut run, "$du", Value::Null);
    assert_eq!(read(&mut run, "$du"), "<null>");
}

#[test]
fn header_assignments_are_edits() {
    for (variable, value, line) in [
        (
            "$fu",
            Value::Str(b"sip:x@y"),
            "From: Alice <sip:x@y>;tag=1928301774",
        ),
        (
            "$fU",
            Value::Str(b"zz"),
            "From: Alice <sip:zz@example.org:5070>;tag=1928301774",
        ),
        (
            "$fU",
            Value::Null,
            "From: Alice <sip:example.org:5070>;tag=1928301774",
        ),
        (
            "$fd",
            Value::Str(b"h"),
            "From: Alice <sip:alice@h:5070>;tag=1928301774",
        ),
        (
            "$fn",
            Value::Str(b"\"N\""),
            "From: \"N\" <sip:alice@example.org:5070>;tag=1928301774",
        ),
        (
            "$tn",
            Value::Null,
            "To: <sip:bob@example.com;p=q>;tag=totag1",
        ),
        (
            "$tu",
            Value::Str(b"sip:t@u"),
            "To: \"Bob B\" <sip:t@u>;tag=totag1",
        ),
    ] {
        let mut run = run_of(INVITE);
        let before = read(&mut run, variable);
        assert!(write(&mut run, variable, value), "{variable}");
        assert_eq!(read(&mut run, variable), before);
        assert!(
            edited(&run).contains(&format!("\r\n{line}\r\n")),
            "{}",
            edited(&run)
        );
    }
    let mut run = run_of(REPLY);
    assert!(write(&mut run, "$tn", Value::Str(b"\"N\"")));
    assert!(edited(&run).contains("\r\nTo: \"N\" <sip:bob@example.com>\r\n"));
    assert!(!write(&mut run, "$tu", Value::Null));
}

fn edited(run: &Run) -> String {
    let mut out = Vec::new();
    assert!(super::body::edited(run, &mut Builder::new(), &mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn flags_are_set_one_by_one_and_all_at_once() {
    let mut run = run_of(INVITE);
    assert!(write(&mut run, "$Mf(3)", Value::Int(1)));
    assert!(write(&mut run, "$Mf(31)", Value::Int(1)));
    assert_eq!(read(&mut run, "$mf"), "#2147483656");
    assert_eq!(read(&mut run, "$mF"), "80000008");
    assert!(write(&mut run, "$Mf(31)", Value::Int(0)));
    assert!(!write(&mut run, "$mf", Value::Str(b"8")));
    assert_eq!(
        (read(&mut run, "$mf"), read(&mut run, "$Mf(3)")),
        ("#8".into(), "#1".into())
    );
    assert!(write(&mut run, "$bf", Value::Int(2)));
    assert!(write(&mut run, "$sF", Value::Int(4)));
    assert_eq!(
        (read(&mut run, "$bF"), read(&mut run, "$Sf(2)")),
        ("00000002".into(), "#1".into())
    );
}

#[test]
fn an_avp_is_a_stack() {
    let mut run = run_of(INVITE);
    for value in [Value::Int(1), Value::Int(2), Value::Str(b"three")] {
        write(&mut run, "$avp(x)", value);
    }
    for (variable, expected) in [
        ("$avp(x)", "three"),
        ("$avp(s:x)", "three"),
        ("$(avp(x)[1])", "#2"),
        ("$(avp(x)[-1])", "#1"),
        ("$(avp(x)[3])", "<null>"),
        ("$(avp(x)[*])", "three, 2, 1"),
        ("$cnt($avp(x))", "#3"),
    ] {
        assert_eq!(read(&mut run, variable), expected, "{variable}");
    }
    write(&mut run, "$(avp(x)[1])", Value::Str(b"new"));
    assert_eq!(read(&mut run, "$(avp(x)[*])"), "new, three, 2, 1");
    write(&mut run, "$(avp(x)[*])", Value::Str(b"only"));
    write(&mut run, "$avp(x)", Value::Str(b"b"));
    write(&mut run, "$avp(x)", Value::Null);
    assert_eq!(read(&mut run, "$(avp(x)[*])"), "only");
    write(&mut run, "$avp(x)", Value::Str(b""));
    assert_eq!(read(&mut run, "$(avp(x)[*])"), "only");
    write(&mut run, "$avp(x)", Value::Str(b"last"));
    assert_eq!(read(&mut run, "$(avp(x)[*])"), "last, , only");
}

#[test]
fn branches_are_listed_and_changed() {
    let mut run = run_of(INVITE);
    assert!(write(&mut run, "$br", Value::Str(b"sip:b1@h")));
    assert_eq!(read(&mut run, "$ds"), "Contact: <sip:b1@h>");
    assert!(write(&mut run, "$ru", Value::Str(b"sip:new@x")));
    assert!(write(&mut run, "$br", Value::Str(b"sip:b2@h")));
    run.branches.as_mut_slice()[1].q = Some(500);
    for (variable, expected) in [
        ("$ds", "Contact: <sip:new@x>, <sip:b1@h>, <sip:b2@h>;q=0.5"),
        ("$br", "sip:b1@h"),
        ("$bR", "sip:b1@h, <sip:b2@h>;q=0.5"),
        ("$(branch(flags)[0])", "#0"),
        ("$(branch(dst_uri)[0])", "<null>"),
        ("$(branch(count))", "#2"),
        ("$(branch(uri)[-1])", "sip:b2@h"),
        ("$(branch(uri)[2])", "<null>"),
    ] {
        assert_eq!(read(&mut run, variable), expected, "{variable}");
    }
    assert!(write(
        &mut run,
        "$(branch(uri)[1])",
        Value::Str(b"sip:b3@h")
    ));
    assert!(write(&mut run, "$(branch(flags)[1])", Value::Int(6)));
    assert!(write(&mut run, "$(branch(uri)[0])", Value::Null));
    assert_eq!(read(&mut run, "$(branch(uri)[0])"), "sip:b3@h");
    assert_eq!(read(&mut run, "$(branch(flags)[0])"), "#6");
    assert!(!write(&mut run, "$(branch(uri)[1])", Value::Str(b"x")));
    assert!(!write(&mut run, "$(branch(count))", Value::Int(1)));
    assert!(!write(&mut run, "$br", Value::Null));
}

#[test]
fn the_time_of_a_message_stands_still() {
    let mut run = run_of(INVITE);
    let (seconds, micros) = (read(&mut run, "$Ts"), read(&mut run, "$TV(u)"));
    let start = std::time::Instant::now();
    while start.elapsed() < std::time::Duration::from_micros(2) {}
    assert_eq!(
        (read(&mut run, "$TV(s)"), read(&mut run, "$TV(u)")),
        (seconds, micros)
    );
    let text = |moment: &super::calendar::Moment, format: &[u8]| {
        let mut space = [0; super::calendar::LONGEST];
        moment
            .format(format, &mut space)
            .map(|text| String::from_utf8_lossy(text).into_owned())
    };
    let moment = super::calendar::Moment::utc(1_795_506_893).unwrap();
    assert_eq!(
        text(&moment, b"%a %b %e %H:%M:%S %Y").as_deref(),
        Some("Tue Nov 24 07:54:53 2026")
    );
    assert_eq!((moment.parts().tm_yday, moment.parts().tm_wday), (327, 2));
    assert_eq!(text(&moment, b""), Some(String::new()));
    assert_eq!(text(&moment, b"%n%0999999d"), None);
    assert_eq!(text(&moment, b"a\0b"), None);
}

#[test]
fn accepted_credentials_name_the_account() {
    let mut run = run_of(INVITE);
    let accepted = run.locals.get::<super::credentials::Accepted>();
    accepted.is_set = true;
    accepted.user.extend_from_slice(b"bob");
    accepted.realm.extend_from_slice(b"realm");
    assert_eq!(read(&mut run, "$Au"), "bob@realm");
    assert_eq!(read(&mut run, "$AU"), "bob");
}
