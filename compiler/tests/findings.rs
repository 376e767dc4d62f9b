//! What the checker says: `diagnostics/*.case` hold a configuration, a line `----`, and the text that a person
//! sees. With `KCC_BLESS=1` the texts are written anew.

mod support;

use std::path::PathBuf;

use kcc::compile;
use kcc::resolve::Options;
use support::{show, with_input};

const RULE: &str = "\n----\n";

#[test]
fn mistakes_are_found_and_explained() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut wrong = String::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let (configuration, expected) = text.split_once(RULE).unwrap_or((&text, ""));
        let options = Options {
            allow_unsupported: configuration.contains("# allow unsupported"),
            ..Options::default()
        };
        let found = with_input(configuration, options, |input| show(&compile::check(input)));
        if std::env::var_os("KCC_BLESS").is_some() {
            std::fs::write(&path, format!("{configuration}{RULE}{found}")).unwrap();
        } else if found != expected {
            wrong += &format!("{}:\n{found}\n", path.display());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_is_only_unsupported_gives_no_code() {
    let text = "loadmodule \"dispatcher.so\"\nrequest_route { ds_select_dst(\"1\", \"4\"); }\n";
    let options = Options {
        allow_unsupported: true,
        ..Options::default()
    };
    with_input(text, options, |input| {
        let findings = compile::check(input);
        assert!(!findings.diagnostics.has_errors(), "{}", show(&findings));
        let compiled = compile::jit(input, &Default::default());
        assert!(matches!(compiled, Err(compile::Failure::Codegen(..))));
    });
}

#[test]
fn an_expression_with_too_many_forms_is_refused() {
    let nested = |levels: usize| {
        let open = "$var(a) == ($var(b) + (".repeat(levels);
        format!(
            "request_route {{ $var(x) = {open}1{}; }}\n",
            "))".repeat(levels)
        )
    };
    with_input(&nested(5), Options::default(), |input| {
        assert!(!compile::check(input).diagnostics.has_errors());
    });
    with_input(&nested(60), Options::default(), |input| {
        let findings = compile::check(input);
        assert!(
            show(&findings).contains("too-complex"),
            "{}",
            show(&findings)
        );
    });
}
