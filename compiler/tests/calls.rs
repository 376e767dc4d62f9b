//! What builtins are given by compiled code, and what of theirs compiled code does itself.

mod support;

use kcc_runtime::abi::status;
use support::{LOAD, compile, lines, run, run_all};

#[test]
fn text_arguments_are_formats() {
    assert_eq!(
        lines(r#"request_route { L("[$$] [$(rm)x] [$rm-x] [$hdr(no)] [$(hdr(no){s.len})]"); }"#),
        ["[$] [INVITEx] [INVITE-x] [<null>] []"]
    );
    assert_eq!(
        lines(r#"request_route { $var(i) = 3; L($var(i)); L("a" + $var(i)); L(7); L(""); }"#),
        ["3", "a3", "7", ""]
    );
}

#[test]
fn text_from_a_variable_is_not_read_as_a_format_again() {
    assert_eq!(
        lines(r#"request_route { $var(s) = "$rm"; L($var(s)); L("$var(s)"); }"#),
        ["$rm", "$rm"]
    );
}

#[test]
fn values_keep_their_types() {
    let text =
        r#"request_route { any(5); any("5"); any($var(x)); any($null); any("$rm"); any($rm); }"#;
    assert_eq!(
        lines(text),
        [
            "Int(5)",
            "Str([53])",
            "Int(0)",
            "Null",
            "Str([73, 78, 86, 73, 84, 69])",
            "Str([73, 78, 86, 73, 84, 69])",
        ]
    );
}

#[test]
fn a_variable_can_be_handed_over() {
    let text = r#"request_route {
        $var(s) = "a"; append("$var(s)", "b"); append($var(s), "$var(s)"); L("$var(s)");
        append("$avp(x)", "y"); L("$avp(x)"); append("$vn(n)", "z"); L("$vn(n)");
    }"#;
    assert_eq!(lines(text), ["abab", "y", "z"]);
}

#[test]
fn a_guard_spares_the_arguments_and_gives_1() {
    let text = r#"request_route { say(9, "no"); L("$rc"); say(1, "yes"); L("$rc"); }"#;
    assert_eq!(lines(text), ["1", "1 yes", "2"]);
}

#[test]
fn constants_are_parsed_once_and_variables_at_each_call() {
    let text = r#"request_route { find_any("a|b"); find_any("^a$"); find_any("$rm"); if (find("xay", "A")) L("found"); }"#;
    assert_eq!(lines(text), ["constant", "constant", "INVITE", "found"]);
}

#[test]
fn blocks_are_arguments_by_number() {
    let text = r#"failure_route[F] { exit; } request_route { arm("F"); $var(f) = "F"; arm("$var(f)"); arm("none"); }"#;
    assert_eq!(lines(text), ["F", "F", "none"]);
}

#[test]
fn core_statements_take_words_and_addresses() {
    let text = r#"request_route { forward(); forward(uri:host, uri:port); forward("a.b", 5060); forward(10.0.0.1); }"#;
    assert_eq!(
        lines(text),
        [
            "forward None None",
            r#"forward Some("uri:host") Some("uri:port")"#,
            r#"forward Some("a.b") Some("5060")"#,
            r#"forward Some("10.0.0.1") None"#,
        ]
    );
}

#[test]
fn flags_have_numbers_and_names() {
    let text = r#"flags F1:3, F2;
request_route { setflag(F1); setflag("F2"); setflag(31); resetflag(0); L("$mf"); if (isflagset(F1)) L("F1"); }"#;
    assert_eq!(lines(text), ["2147483656", "F1"]);
}

#[test]
fn methods_are_tested_without_a_call() {
    let text = r#"request_route {
        if (is_method("INVITE|ACK")) L("yes $rc"); if (is_method("BYE")) L("no"); else L("no $rc");
        if (is_method("FOO")) L("foo"); if ($rm == "INVITE") L("rm"); if ($rm != "BYE") L("not bye");
        if (method == INVITE && src_ip == 127.0.0.0/8 && src_port == 5060 && proto == udp) L("keywords");
        if (src_ip != 10.0.0.0/8 && uri != myself && src_ip != myself) L("more");
    }"#;
    assert_eq!(
        lines(text),
        ["yes 1", "no -1", "rm", "not bye", "keywords", "more"]
    );
}

#[test]
fn a_panic_ends_the_script_and_nothing_else() {
    let program = compile(&format!(
        "{LOAD}request_route {{ L(\"a\"); breaks(); L(\"b\"); }}"
    ))
    .unwrap();
    for outcome in run_all(program, 2) {
        assert_eq!(
            (outcome.lines, outcome.pair.status),
            (vec!["a".to_owned()], status::ERROR)
        );
    }
}

#[test]
fn ends_have_their_status_and_value() {
    for (body, expected) in [
        ("exit;", (status::EXIT, 1)),
        ("exit 5;", (status::EXIT, 5)),
        ("drop;", (status::DROP, 0)),
        ("return 0;", (status::EXIT, 0)),
        ("return -1;", (status::OK, -1)),
        ("break;", (status::OK, 0)),
        ("setflag(1);", (status::OK, 1)),
        ("code(-3);", (status::OK, -3)),
        ("code(0); setflag(1);", (status::EXIT, 0)),
    ] {
        let program = compile(&format!("{LOAD}request_route {{ {body} }}")).unwrap();
        let pair = run(program).pair;
        assert_eq!((pair.status, pair.value), expected, "{body}");
    }
}

#[test]
fn variables_live_on_from_message_to_message() {
    let text = format!(
        "{LOAD}request_route {{ $var(n) = $var(n) + 1; $vn(s) = $vn(s) + \"x\"; L(\"$var(n) $vn(s)\"); }}"
    );
    let lines: Vec<_> = run_all(compile(&text).unwrap(), 3)
        .into_iter()
        .flat_map(|outcome| outcome.lines)
        .collect();
    assert_eq!(lines, ["1 x", "2 xx", "3 xxx"]);
}

#[test]
fn long_loops_do_not_grow() {
    let text = format!(
        "{LOAD}max_while_loops=0\nrequest_route {{ $var(i) = 0; while ($var(i) < 300000) {{ \
         $var(s) = \"a longer text than that \" + $var(i); $var(i) = $var(i) + 1; }} L(\"$var(s)\"); }}"
    );
    assert_eq!(
        run(compile(&text).unwrap()).lines,
        ["a longer text than that 299999"]
    );
}

#[test]
fn a_text_that_outgrows_memory_gives_up() {
    let text = format!(
        "{LOAD}request_route {{ $var(s) = \"0123456789abcdef\"; $var(i) = 0; while ($var(i) < 40) {{ \
         $var(s) = $var(s) + $var(s); $var(i) = $var(i) + 1; }} L(\"end\"); }}"
    );
    assert_eq!(run(compile(&text).unwrap()).lines, ["end"]);
}

#[test]
fn recursion_without_end_is_an_error() {
    let text = format!(
        "{LOAD}max_recursive_level=1000000\nroute[R] {{ $var(i) = $var(i) + 1; route(R); }}\n\
         request_route {{ route(R); L(\"rc=$rc\"); }}"
    );
    let program = compile(&text).unwrap();
    let stacks = kcc_runtime::fiber::Stacks::default();
    let suspended = stacks.run(move |link| {
        let route = program.routes().request.unwrap();
        let mut run = kcc_runtime::run::Run::new(std::sync::Arc::new(program), None);
        run.set_link(link);
        run.enter(kcc_runtime::declare::Routes::REQUEST, route);
        let lines = support::modules::STATE.with_borrow(|state| state.lines.clone());
        assert_eq!(lines, ["rc=-1"]);
    });
    assert!(suspended.unwrap().is_none());
}

#[test]
fn nested_switches_and_strings_compare_by_bytes() {
    let text = r#"request_route {
        $var(s) = "sip:alice@example.com:5060;transport=tcp";
        if ($var(s) == "sip:alice@example.com:5060;transport=tcp") L("long");
        if ($var(s) == "sip:alice@example.com:5060;transport=tcq") L("wrong");
        $var(t) = "abcdefghijk"; if ($var(t) == "abcdefghijk") L("eleven"); if ($var(t) == "abcdefghijl") L("wrong");
        if ($var(t) eq "abcdefghijk" && !($var(t) ne "abcdefghijk")) L("eq");
        switch ($var(t)) { case "abc": L("wrong"); break; case "abcdefghijk": switch (2) { case 2: L("inner"); } break; default: L("wrong"); }
    }"#;
    assert_eq!(lines(text), ["long", "eleven", "eq", "inner"]);
}
