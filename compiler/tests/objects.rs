//! Object files, and the typed program as text.

mod support;

use kcc::compile;
use kcc::resolve::Options;
use object::{Object, ObjectSymbol};
use support::{LOAD, with_input};

const TEXT: &str = r#"route[HELLO] { L("hello $rm"); }
request_route { $var(a) = $var(b) + 1; if ($rm == "INVITE") { route(HELLO); } }
"#;

#[test]
fn an_object_file_names_routes_and_what_they_call() {
    let text = format!("{LOAD}{TEXT}");
    let make = || {
        with_input(&text, Options::default(), |input| {
            compile::object(input, "/somewhere").unwrap().0
        })
    };
    let bytes = make();
    assert!(bytes == make(), "the same text gives the same bytes");
    let file = object::File::parse(&*bytes).unwrap();
    let names = |undefined: bool| -> Vec<String> {
        file.symbols()
            .filter(|symbol| symbol.is_undefined() == undefined)
            .map(|symbol| symbol.name().unwrap().to_owned())
            .collect()
    };
    for name in [
        "route[HELLO]",
        "request_route",
        "kcc_manifest",
        "kcc_entries",
    ] {
        assert!(
            names(false).iter().any(|found| found == name),
            "{name} in {:?}",
            names(false)
        );
    }
    for name in ["probe.L/1", "core.$rm", "kcc.format"] {
        assert!(
            names(true).iter().any(|found| found == name),
            "{name} in {:?}",
            names(true)
        );
    }
}

#[test]
fn the_typed_program_can_be_read() {
    let text = format!("{LOAD}{TEXT}");
    let shown = with_input(&text, Options::default(), |input| {
        compile::program_text(input).unwrap().0
    });
    assert_eq!(
        shown,
        r#"route[HELLO] {
  probe.L/1(format("hello ", $rm))
}
request_route {
  $0 = ($1 + 1)
  if ($rm equals "INVITE") > 0 {
    route 0
  }
}
"#
    );
}
