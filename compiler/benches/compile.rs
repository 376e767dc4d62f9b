//! How long checking and compiling take, on one core: `taskset -c 1 cargo bench -p kcc`.
//!
//! `generated` is a configuration of 100 routes with 30 statements each; it is to be checked in
//! less than 50 ms and compiled in less than 250 ms. `registrar` is the example, `default` the
//! configuration that Kamailio brings, where it is at hand.

use std::fmt::Write as _;
use std::path::Path;

use divan::{Bencher, black_box};
use kcc::codegen::jit::Tools;
use kcc::compile::{self, Input};
use kcc::resolve::Options;
use kcc::source::MemoryLoader;

fn main() {
    divan::main();
}

const ROUTES: usize = 100;
const STATEMENTS: usize = 30;

/// Statements as configurations have them; `#` becomes a number, `?` the
/// next route's. Each counts with those inside it.
const KINDS: &[(usize, &str)] = &[
    (1, "$var(a#) = $var(b#) + #;"),
    (
        1,
        "xlog(\"L_INFO\", \"call $ci from $fU to $rU: $var(a#)\\n\");",
    ),
    (2, "if ($rU =~ \"^00#[0-9]{3,9}$\") { setflag(5); }"),
    (
        2,
        "if (is_method(\"INVITE|SUBSCRIBE\") && !has_totag()) { record_route(); }",
    ),
    (1, "$avp(d#) = $(ru{uri.user}{s.substr,2,0});"),
    (
        3,
        "if ($si == \"192.0.2.#\" || src_port == 5060) { append_hf(\"X-#: $fu\\r\\n\"); } else { remove_hf(\"X-#\"); }",
    ),
    (
        3,
        "switch ($rm) { case \"BYE\": $var(c#) = 1; break; case /\"^IN\": $var(c#) = 2; }",
    ),
    (
        2,
        "if ($avp(d#) == $null) { sl_send_reply(\"404\", \"Not Found\"); }",
    ),
    (1, "$du = \"sip:192.0.2.#:\" + $var(b#);"),
    (2, "while ($var(i#) < 3) { $var(i#) = $var(i#) + 1; }"),
    (1, "route(r?);"),
    (2, "if (uri == myself || !t_relay()) { sl_reply_error(); }"),
];

/// A configuration of [`ROUTES`] routes with [`STATEMENTS`] statements each.
fn generated() -> Vec<u8> {
    let mut text = String::from("debug=2\nlisten=udp:127.0.0.1:5060\n");
    for module in ["tm", "sl", "rr", "pv", "xlog", "textops", "siputils", "tmx"] {
        let _ = writeln!(text, "loadmodule \"{module}.so\"");
    }
    let mut kinds = KINDS.iter().cycle();
    for route in 0..ROUTES {
        let name = if route == 0 {
            "request_route".to_owned()
        } else {
            format!("route[r{route}]")
        };
        let _ = writeln!(text, "{name} {{");
        let mut left = STATEMENTS;
        while left > 0 {
            let Some((count, kind)) = kinds.next() else {
                break;
            };
            if *count > left {
                continue;
            }
            left -= count;
            let next = (route + 1).min(ROUTES - 1).to_string();
            let number = (route * 7 + left) % 250;
            let line = kind.replace('?', &next).replace('#', &number.to_string());
            let _ = writeln!(text, "    {line}");
        }
        text.push_str("    return 1;\n}\n");
    }
    text.into_bytes()
}

fn file(path: &str) -> Option<Vec<u8>> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// The configurations by name, those that are at hand.
fn configurations() -> Vec<&'static str> {
    let all = ["generated", "registrar", "default"];
    all.into_iter()
        .filter(|name| text(name).is_some())
        .collect()
}

fn text(name: &str) -> Option<Vec<u8>> {
    match name {
        "generated" => Some(generated()),
        "registrar" => file("../examples/registrar.cfg"),
        _ => file("../../shared/corpus/default/6.1.0/kamailio.cfg"),
    }
}

fn with_input(name: &str, run: impl FnOnce(Input<'_>)) {
    let loader = MemoryLoader::with("main.cfg", text(name).unwrap_or_default());
    run(Input {
        loader: &loader,
        main: "main.cfg",
        defines: &[],
        modules: kcc_stdlib::MODULES,
        options: Options {
            allow_unsupported: true,
            ..Options::default()
        },
    });
}

#[divan::bench(args = configurations())]
fn check(bencher: Bencher, name: &str) {
    with_input(name, |input| {
        let findings = compile::check(input);
        let shown = kcc::diagnostic::render_text(&findings.diagnostics, &findings.sources, false);
        assert!(!findings.diagnostics.has_errors(), "{shown}");
        bencher.bench_local(|| black_box(compile::check(input)));
    });
}

/// Checks, generates code, and loads the program.
#[divan::bench(args = configurations())]
fn compile(bencher: Bencher, name: &str) {
    with_input(name, |input| {
        bencher.bench_local(|| black_box(compile::jit(input, &Tools::default()).is_ok()));
    });
}
