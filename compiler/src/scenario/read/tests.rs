//! What is said of files that are wrong, and what of those that are not is understood.

use super::read;
use crate::scenario::model::{Action, First, Which};

const HEAD: &str = "config <<<\nroute { }\n>>>\nendpoint alice udp\n";

/// The faults of statements after [`HEAD`]: line, from that of the first statement on, and text.
fn faults(text: &str) -> Vec<String> {
    let lines = HEAD.lines().count() as u32;
    match read("x.scenario", &format!("{HEAD}{text}")) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .faults
            .iter()
            .map(|fault| format!("{}: {}", fault.line - lines, fault.text))
            .collect(),
    }
}

#[test]
fn each_fault_has_its_line_and_says_what_is_meant() {
    let cases = [
        (
            "bob sends X",
            "1: no endpoint `bob` is declared: `endpoint bob udp`",
        ),
        (
            "alcie sends X",
            "1: no endpoint `alcie` is declared: `endpoint alcie udp`; did you mean `alice`?",
        ),
        (
            "afterr 3s",
            "1: `afterr` is neither a statement nor an endpoint; did you mean `after`?",
        ),
        (
            "alice eats",
            "1: `eats`: an endpoint sends, replies, receives, connects, closes or `ignores the rest`",
        ),
        (
            "alice receives 99",
            "1: `99` is no status (100 to 699, or 2xx)",
        ),
        (
            "alice receives 200 within soon",
            "1: `soon` is no duration (such as 500ms, 2s or 3min)",
        ),
        (
            "alice receives 200\n  To ~ \"(\"",
            "2: regex parse error:\n    (\n    ^\nerror: unclosed group",
        ),
        (
            "alice receives 200\n  To",
            "2: `To` is followed by `: value`, `~ regex`, `!~ regex`, `absent`, `present`, `count N`, `before NAME` or `capture NAME`",
        ),
        (
            "alice sends X\n  no header",
            "2: `no header` is no header field (`Name: value`)",
        ),
        (
            "alice sends X sideways",
            "1: `sideways` is not understood: a URI, `to NAME`, `in CALL`, `as CALL`, `with sdp`, `with credentials`, `new` or `towards ENDPOINT`",
        ),
        ("  To: x", "1: nothing may be indented under this statement"),
        (
            "alice sends raw <<<\nX",
            "1: `<<<` is not closed by a line `>>>`",
        ),
        (
            "in any order\nalice receives 200",
            "1: `in any order` is not closed by a line `end`",
        ),
        (
            "after 1s\nendpoint bob udp",
            "2: this is set up before the first step",
        ),
        (
            "endpoint bob sctp\nafter 1s",
            "1: endpoints do not speak sctp (udp, tcp, tls, ws and wss)",
        ),
        (
            "endpoint after udp",
            "1: an endpoint cannot be called `after`",
        ),
        ("network loss 101%", "1: `101%` is no share (such as 10%)"),
        (
            "differs from kamailio",
            "1: say why: `differs from kamailio: the reason`",
        ),
        (
            "scenario a\nafter 1s\nscenario a\nafter 1s",
            "3: a scenario of this name stands on line 5",
        ),
    ];
    for (text, fault) in cases {
        // A block that is not closed makes lines of the whole file unknown.
        let found = faults(text);
        assert_eq!(found, [fault], "{text}");
    }
}

#[test]
fn several_faults_are_told_at_once() {
    assert_eq!(faults("x\ny\nalice sends OPTIONS\nz").len(), 3);
}

#[test]
fn no_text_panics_the_reader() {
    let text = format!(
        "{HEAD}alice sends INVITE to x with sdp\n  A: b\n  body <<<\n    x\n  >>>\nalice receives 1xx \"a b\" within 1s..2s\n  Via[1] ~ \"x\"\n"
    );
    for end in 0..text.len() {
        let _ = read("x", &text[..end]);
        let _ = read("x", &format!("{}\u{1f600}\"{}", &text[..end], &text[end..]));
    }
}

#[test]
fn steps_say_what_they_look_like() {
    let text =
        format!("{HEAD}alice sends BYE in first\nalice receives 200 Very Good for BYE again\n");
    let scenarios = read("folder/name.scenario", &text).unwrap();
    assert_eq!(scenarios[0].name, "name");
    let [send, receive] = scenarios[0].steps.as_slice() else {
        panic!("two steps");
    };
    assert!(
        matches!(&send.action, Action::Send(send) if send.call == Which::Named("first".into()))
    );
    let Action::Receive(receive) = &receive.action else {
        panic!("a receive");
    };
    assert_eq!(receive.first, First::Reason(200, "Very Good".into()));
    assert!(receive.again && receive.about.as_deref() == Some("BYE"));
}

#[test]
fn releases_are_named_once_each() {
    use crate::release::Release;
    let read = |line: &str| read("x.scenario", &format!("{line}\nscenario x\nserver starts"));
    let scenarios = read("compat 5.6 4.2 5.6").unwrap();
    let setup = &scenarios[0].setup;
    assert_eq!(setup.compat, [Release::V5_6, Release::V4_2]);
    for wrong in ["compat", "compat 7.0", "compat 5.6, 4.2"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
