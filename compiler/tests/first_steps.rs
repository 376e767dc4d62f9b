//! The first configurations that ever ran.

mod support;

use support::lines;

#[test]
fn a_script_with_routes_and_strings_runs() {
    let text = r#"
route[HELLO] {
    $var(n) = $var(n) + 1;
    L("hello $var(n) from $rm");
    return 5;
}
request_route {
    if ($rm == "INVITE" && $var(n) == 0) {
        route(HELLO);
        L("rc=$rc");
    } else {
        L("else");
    }
    $var(s) = "sip:" + $rU + "@" + $var(n);
    L("$var(s) $(var(s){s.toupper}) $$");
    exit;
    L("never");
}
"#;
    assert_eq!(
        lines(text),
        ["hello 1 from INVITE", "rc=5", "sip:bob@1 SIP:BOB@1 $"]
    );
}
