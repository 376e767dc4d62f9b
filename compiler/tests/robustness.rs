//! Hostile configurations: whatever the text, reading it ends soon, in bounded memory, and with few
//! clear errors.

use std::time::{Duration, Instant};

use kcc::source::MemoryLoader;
use kcc::syntax::{Parsed, parse};

/// Parses `text` and gives the codes of the findings, each once.
fn codes_of(loader: &MemoryLoader) -> Vec<&'static str> {
    let start = Instant::now();
    let parsed: Parsed = parse(loader, "main.cfg", &[]);
    let mut codes: Vec<&str> = parsed.diagnostics.iter().map(|each| each.code).collect();
    drop(parsed);
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(10), "took {taken:?}");
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn codes(text: impl Into<Vec<u8>>) -> Vec<&'static str> {
    codes_of(&MemoryLoader::with("main.cfg", text))
}

fn in_route(body: &str) -> String {
    format!("request_route {{\n{body}\n}}\n")
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = |open: &str, n: usize| in_route(&format!("$var(x) = {}1;", open.repeat(n)));
    assert_eq!(codes(deep("(", 10_000)), ["too-deep"]);
    assert_eq!(codes(deep("{ $var(y) = ", 10_000)), ["too-deep"]);
    assert_eq!(codes(deep("!", 10_000)), ["too-deep"]);
    assert_eq!(codes(deep("-", 100_000)), ["too-deep"]);
    assert_eq!(codes(deep("(int)", 100_000)), ["too-deep"]);
    assert_eq!(codes(deep("f(", 10_000)), ["too-deep"]);
    assert_eq!(codes(in_route(&"if (1) {\n".repeat(1000))), ["too-deep"]);
    let chain = in_route(&format!("{} exit;", "if (1) ".repeat(10_000)));
    assert_eq!(codes(chain), ["too-deep"]);
    let chain = in_route(&format!("{} exit;", "while (1) ".repeat(10_000)));
    assert_eq!(codes(chain), ["too-deep"]);
    assert_eq!(codes("(".repeat(100_000)), ["syntax", "too-deep"]);
    assert_eq!(
        codes(in_route(&format!("$var(x) = $({});", "a(".repeat(50_000)))),
        ["unterminated-variable"]
    );
    let variable = format!("$(a{}{})", "($a".repeat(5_000), ")".repeat(5_000));
    assert!(codes(in_route(&format!("$var(x) = {variable};"))).is_empty());
}

#[test]
fn what_is_long_but_flat_is_read() {
    let sum = in_route(&format!("$var(x) = 1{};", " + 1".repeat(900)));
    assert!(codes(sum).is_empty());
    let sum = in_route(&format!("$var(x) = 1{};", " + 1".repeat(200_000)));
    assert_eq!(codes(sum), ["too-deep"]);
    let chain = "if ($var(x) == 1) { exit; } else ".repeat(20_000);
    assert!(codes(in_route(&format!("{chain} exit;"))).is_empty());
    let nested = "if (1) { ".repeat(200) + "exit;" + &" }".repeat(200);
    assert!(codes(in_route(&nested)).is_empty());
    let string = format!("$var(x) = \"{}\";", "\\\"".repeat(1_000_000));
    assert!(codes(in_route(&string)).is_empty());
    assert!(codes(in_route(&"xlog(\"x\");".repeat(100_000))).is_empty());
}

#[test]
fn what_never_ends_is_reported_once() {
    assert_eq!(codes("request_route { xlog(\"abc"), ["unterminated-string"]);
    assert_eq!(codes("request_route { xlog('abc"), ["unterminated-string"]);
    assert_eq!(
        codes("request_route { exit; }\n/* /* */"),
        ["unclosed-comment"]
    );
    assert_eq!(codes("#!ifdef X\n".repeat(400)), ["unclosed-conditional"]);
    assert_eq!(
        codes("#!ifdef X\n#!else\n".repeat(400)),
        ["unclosed-conditional"]
    );
    assert_eq!(codes("#!ifndef X\n".repeat(10_000)), ["too-deep"]);
    assert_eq!(
        codes("request_route {\n".to_owned() + &"exit;\n".repeat(1000)),
        ["unclosed-block"]
    );
    assert_eq!(codes("request_route"), ["syntax"]);
}

#[test]
fn no_construct_that_is_cut_off_is_more_than_a_few_errors() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            in_route("$var(x) = $(ru{s.len"),
            &["unterminated-variable"][..],
        ),
        (
            "request_route { $var(x) = $var(a".to_owned(),
            &["unclosed-block", "unterminated-variable"],
        ),
        (in_route("$var(x) = @msg.header[\"X"), &["bad-select"]),
        (in_route("$var(x) = @"), &["bad-select"]),
        (
            "request_route { switch ($rU) { case 1: exit;".to_owned(),
            &["unclosed-block"],
        ),
        (
            "request_route { switch ($rU) {".to_owned(),
            &["unclosed-block"],
        ),
        ("request_route { switch".to_owned(), &["unclosed-block"]),
        ("request_route { if (1".to_owned(), &["unclosed-block"]),
        ("request_route { f(1,".to_owned(), &["unclosed-block"]),
        ("request_route { $f.x[".to_owned(), &["unclosed-block"]),
        ("event_route[a:b".to_owned(), &["syntax"]),
        ("modparam(\"tm\", ".to_owned(), &["syntax"]),
        ("listen=udp:".to_owned(), &["syntax"]),
        ("socket={ bind=".to_owned(), &["unclosed-block"]),
        ("#!subst \"/a/b".to_owned(), &["unterminated-string"]),
        ("#!subst".to_owned(), &["bad-directive"]),
        ("#!define".to_owned(), &["bad-directive"]),
        ("#!define A 1".to_owned(), &["lost-value"]),
        ("#!defenv A=".to_owned(), &["unset-environment"]),
        (
            "#!ifexp (1 +".to_owned(),
            &["bad-expression", "unclosed-conditional"],
        ),
        ("#!defexp A (1".to_owned(), &["bad-expression"]),
        ("include_file \"a".to_owned(), &["bad-include"]),
        ("include_file".to_owned(), &["bad-include"]),
    ] {
        let found = codes(text.clone());
        if found != expected {
            wrong.push((text, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_text_of_any_size_is_refused_before_it_is_read() {
    assert_eq!(codes(vec![b' '; 100 << 20]), ["unreadable-file"]);
    // Many files that are small enough each.
    let mut loader = MemoryLoader::with("main.cfg", "include_file \"f\"\n".repeat(100));
    loader = loader.and("f", vec![b'\n'; 1 << 20]);
    assert_eq!(codes_of(&loader), ["unreadable-file"]);
}

#[test]
fn strings_and_comments_may_hold_any_byte_but_nul() {
    let bytes: Vec<u8> = (1..=255)
        .filter(|byte| !b"\"\\'\n".contains(byte))
        .collect();
    let text = [
        b"# ",
        &bytes[..],
        b"\nrequest_route { xlog(\"",
        &bytes,
        b"\"); xlog('",
        &bytes,
    ];
    let text = [&text.concat()[..], b"'); }\n", &b"\n".repeat(8000)].concat();
    assert!(codes(text).is_empty());
}

#[test]
fn files_that_are_no_text_give_one_error() {
    assert_eq!(codes(b"children=4\n\0\0\0".to_vec()), ["binary-file"]);
    let noise: Vec<u8> = (0..100_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert_eq!(codes(noise.clone()), ["binary-file"]);
    let no_nul: Vec<u8> = noise.into_iter().filter(|&byte| byte != 0).collect();
    assert_eq!(codes(no_nul), ["binary-file"]);
    assert_eq!(codes(vec![b'a'; 20 << 20]), ["unreadable-file"]);
    assert_eq!(codes(vec![b';'; 3 << 20]), ["too-large"]);
    assert!(codes(vec![b' '; 15 << 20]).is_empty());
    assert!(codes("").is_empty());
    assert_eq!(codes(vec![0x80; 1 << 20]), ["dropped-characters"]);
}

#[test]
fn defines_cannot_blow_up() {
    let mut text = String::from("#!define D0 1+1+1+1+1+1+1+1\n");
    for n in 1..40 {
        text += &format!("#!define D{n} D{0}+D{0}+D{0}+D{0}\n", n - 1);
    }
    assert_eq!(codes(text + &in_route("$var(x) = D39;")), ["too-large"]);
    let mut empty = String::from("#!define E0\n");
    for n in 1..40 {
        empty += &format!("#!define E{n} E{0} E{0} E{0} E{0}\n", n - 1);
    }
    assert_eq!(codes(empty + &in_route("$var(x) = E39 1;")), ["too-large"]);
    let blank = format!("#!define B {}1\n", " \\\n".repeat(300_000));
    assert_eq!(
        codes(blank + &in_route(&"$var(x) = B;\n".repeat(1000))),
        ["too-large"]
    );
    let text = "#!define A B\n#!define B C\n#!define C A\n".to_owned() + &in_route("$var(x) = A;");
    assert_eq!(codes(text), ["define-cycle"]);
    let text = "#!subst \"/a/aa/g\"\n".repeat(64) + &in_route("$var(x) = \"a\";");
    assert_eq!(codes(text), ["bad-substitution"]);
}

#[test]
fn includes_cannot_blow_up() {
    let mut loader = MemoryLoader::with("main.cfg", "include_file \"f0\"\n");
    for n in 0..12 {
        loader = loader.and(&format!("f{n}"), format!("include_file \"f{}\"\n", n + 1));
    }
    assert_eq!(codes_of(&loader), ["too-deep"]);
    let mut loader = MemoryLoader::with("main.cfg", "include_file \"f0\"\n".repeat(10));
    for n in 0..9 {
        loader = loader.and(
            &format!("f{n}"),
            format!("include_file \"f{}\"\n", n + 1).repeat(10),
        );
    }
    loader = loader.and("f9", "children=4\n");
    assert_eq!(codes_of(&loader), ["too-deep"]);
    let loader = MemoryLoader::with("main.cfg", "include_file \"a\"\n")
        .and("a", "include_file \"main.cfg\"\n");
    assert_eq!(codes_of(&loader), ["include-loop"]);
}

#[test]
fn a_file_of_nonsense_gives_at_most_fifty_errors() {
    for text in [
        "foo bar baz ( { ;\n".repeat(10_000),
        "} ".repeat(100_000),
        "a:b:c:d:1:".repeat(100_000),
        in_route(&"$var(x) = = 1;\n".repeat(10_000)),
        in_route(&"if ( { ) } else case\n".repeat(10_000)),
        "route[x] {".repeat(10_000),
        "listen=".repeat(100_000),
        "$(((((((\n".repeat(100_000),
        "event_route[".repeat(100_000),
        "@a[\"".repeat(100_000),
        "#!ifdef X\nfoo(\n#!else\n)\n#!endif\n".repeat(50_000),
    ] {
        let start = Instant::now();
        let parsed = parse(
            &MemoryLoader::with("main.cfg", text.clone()),
            "main.cfg",
            &[],
        );
        let taken = start.elapsed();
        let shown = kcc::diagnostic::render_text(&parsed.diagnostics, &parsed.sources, false);
        assert!(
            taken < Duration::from_secs(10),
            "{:.40}: took {taken:?}",
            text
        );
        assert!(parsed.diagnostics.has_errors(), "{:.40}", text);
        assert!(shown.len() < 200_000, "{:.40}: {}", text, shown.len());
    }
}

#[test]
fn no_prefix_of_a_configuration_and_no_changed_byte_makes_the_reader_fail() {
    let text = include_bytes!("syntax/correct.cfg");
    for end in 0..text.len() {
        codes(text[..end].to_vec());
    }
    for at in 0..text.len() {
        for byte in [b'{', b'(', b'"', b';', 0xff] {
            let mut changed = text.to_vec();
            changed[at] = byte;
            codes(changed);
        }
    }
}
