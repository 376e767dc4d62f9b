//! Expected values are those of Kamailio 5.6.3.

use std::sync::Arc;

use bytes::Bytes;
use kcc_runtime::abi::Pair;
use kcc_runtime::declare::{ArgKind, Constant};
use kcc_runtime::program::{Manifest, Program};
use kcc_runtime::run::{Run, Source};
use kcc_runtime::value::{Val, tag};
use kcc_sip::Message;

use super::exports::MODULE;

const MESSAGE: &str = "MESSAGE sip:bob@127.0.0.1:5971 SIP/2.0\r\n\
    Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: 1 MESSAGE\r\nX-A: one\r\nX-B: two, three\r\n\
    X-A: second\r\nSubject: Hello\r\nContent-Type: text/plain\r\nContent-Length: 19\r\n\r\n\
    hello body\r\nline2\r\n";

fn run() -> Box<Run> {
    let program = Program::load(Manifest::default(), vec![], Box::new(()), &[&MODULE]);
    let mut run = Run::new(Arc::new(program.unwrap()), None);
    let message = Message::parse(Bytes::from_static(MESSAGE.as_bytes())).unwrap();
    run.set_message(message, Source::default());
    run
}

/// The code of a call as compiled code makes it.
fn call(run: &mut Run, name: &str, args: &[&str]) -> i64 {
    let decl = MODULE
        .functions()
        .find(|f| f.is_named(name) && (f.arity().0..=f.arity().1).contains(&args.len()))
        .unwrap_or_else(|| panic!("{name}"));
    let mut constants: Vec<Constant> = Vec::new();
    let mut values = vec![Val::NULL; decl.args.len()];
    for ((value, text), arg) in values.iter_mut().zip(args).zip(decl.args) {
        *value = match arg.kind {
            ArgKind::Constant(kind) | ArgKind::Parsed(kind) => {
                constants.push((kind.parse)(text.as_bytes()).unwrap());
                Val {
                    tag: tag::CONSTANT,
                    data: constants[constants.len() - 1].address() as u64,
                }
            }
            ArgKind::Int => Val::int(text.parse().unwrap()),
            _ => Val::str(text.as_bytes()),
        };
    }
    Pair::from((decl.shim)(run, values.as_ptr())).value
}

#[test]
fn functions_give_the_codes_of_kamailio() {
    let cases: &[(&str, &[&str], i64)] = &[
        ("is_method", &["MESSAGE|INVITE"], 1),
        ("is_method", &["foo"], -1),
        ("is_present_hf", &["x-a"], 1),
        ("is_present_hf", &["Nope"], -1),
        ("is_present_hf_re", &["^X-"], 1),
        ("remove_hf", &["X-A"], 1),
        ("remove_hf", &["Nope"], -1),
        ("remove_hf_re", &["^none"], -1),
        ("search_hf", &["X-A", "seco", "a"], 1),
        ("search_hf", &["X-A", "seco", "f"], -1),
        ("search_hf", &["X-A", "SECO", "l"], 1),
        ("search", &["message sip"], 1),
        ("search", &["^X-A"], 1),
        ("search", &["body.*line2"], -1),
        ("search_body", &["^hello"], 1),
        ("search_body", &["^line2$"], -1),
        ("search_body", &["line2.$"], 1),
        ("replace", &["NOPE", "x"], -1),
        ("replace", &["message", "x"], 1),
        ("replace_all", &["zzz", "y"], -1),
        ("subst", &["/nope/x/"], -1),
        ("subst_user", &["/zzz/c/"], -1),
        ("subst_hf", &["X-A", "/nomatch/0/g", "a"], -1),
        ("has_body", &[], 1),
        ("has_body", &["text/plain"], 1),
        ("has_body", &["application/sdp"], -1),
        ("starts_with", &["", "ab"], -1),
        ("starts_with", &["ab", ""], 1),
        ("ends_with", &["abc", "bc"], 1),
        ("cmp_istr", &["a", "A"], 1),
        ("in_list", &["b", "a, b ,c", ","], 1),
        ("in_list", &["", "a,,c", ","], -1),
        ("in_list_prefix", &["xbcd", "a,b,c", ","], -1),
        ("str_find", &["hello", "ll"], 3),
        ("str_find", &["x", "yy"], -1),
        ("str_ifind", &["heLlo", "ll"], 3),
        ("search_str", &["hello", "L+"], 1),
        ("is_audio_on_hold", &[], -1),
        ("is_privacy", &["id"], -1),
    ];
    for (name, args, code) in cases {
        assert_eq!(call(&mut run(), name, args), *code, "{name}{args:?}");
    }
}

#[test]
fn substitutions_rewrite_the_request_uri_at_once() {
    let mut run = run();
    assert_eq!(call(&mut run, "subst_user", &["/b(.*)/c\\1/"]), 1);
    assert_eq!(run.uri(), b"sip:cob@127.0.0.1:5971");
    let expression = "/^sip:([^@]*)@(.*)$/sip:x\\1@\\2;y/i";
    assert_eq!(call(&mut run, "subst_uri", &[expression]), 1);
    assert_eq!(run.uri(), b"sip:xcob@127.0.0.1:5971;y");
    assert_eq!(call(&mut run, "subst_user", &["/.*//"]), 1);
    assert_eq!(run.uri(), b"sip:127.0.0.1:5971;y");
}

#[test]
fn arguments_without_meaning_do_no_harm() {
    let huge = "x".repeat(100_000);
    for text in ["", "\0\u{ff}", huge.as_str()] {
        for decl in MODULE.functions() {
            let texts = decl
                .args
                .iter()
                .all(|arg| matches!(arg.kind, ArgKind::Text | ArgKind::Raw));
            if texts {
                call(&mut run(), decl.name, &vec![text; decl.args.len()]);
            }
        }
    }
}
