//! What `kcc` makes of bad input and bad usage: exit code 1 for errors in the configuration, 2 for
//! usage and environment, each with a message that names the place.

use std::net::UdpSocket;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use kcc_tests::built::kcc;
use kcc_tests::folder::Folder;
use kcc_tests::program::{Ended, run};

const ROUTE: &str = "request_route {\n\texit;\n}\n";

#[track_caller]
fn kcc_with(args: &[&str], input: impl AsRef<[u8]>) -> Ended {
    let kcc = kcc().unwrap_or_else(|error| panic!("{error}"));
    run(Command::new(kcc).args(args), input.as_ref())
}

#[track_caller]
fn check(text: impl AsRef<[u8]>) -> Ended {
    let folder = Folder::new();
    let path = folder.write("router.cfg", text);
    kcc_with(&["check", &path.to_string_lossy()], "")
}

#[test]
fn a_configuration_without_mistakes_passes() {
    check(ROUTE).with(0);
}

#[test]
fn a_missing_file_is_named() {
    let ended = kcc_with(&["check", "/nonexistent/router.cfg"], "").with(2);
    ended.says("/nonexistent/router.cfg");
    kcc_with(&["run", "/nonexistent/router.cfg"], "")
        .with(2)
        .says("/nonexistent/router.cfg");
}

#[test]
fn a_directory_is_no_configuration() {
    let folder = Folder::new();
    let path = folder.path("");
    kcc_with(&["check", &path.to_string_lossy()], "")
        .with(2)
        .says("directory");
}

#[test]
fn a_binary_file_is_no_configuration() {
    let kcc = std::fs::read(kcc().unwrap()).unwrap();
    check(&kcc[..kcc.len().min(100_000)])
        .with(1)
        .says("not a text file");
    // Without a NUL byte it may be text of another encoding: what is no word of the language is
    // dropped, as Kamailio does.
    check(b"\xff\xfe\xfddebug = 2\n").with(0).says("warning");
}

#[test]
fn an_unknown_command_is_named() {
    kcc_with(&["cheque", "router.cfg"], "")
        .with(2)
        .says("cheque");
    kcc_with(&[], "").with(2).says("Usage");
    kcc_with(&["check"], "").with(2).says("Usage");
    kcc_with(&["check", "--nonsense", "router.cfg"], "")
        .with(2)
        .says("--nonsense");
}

#[test]
fn a_path_that_is_not_unicode_is_no_panic() {
    let kcc = kcc().unwrap();
    let path = std::ffi::OsStr::from_bytes(b"/nonexistent/\xff.cfg");
    run(Command::new(kcc).arg("check").arg(path), b"")
        .with(2)
        .says("/nonexistent/");
}

#[test]
fn a_syntax_error_has_its_place() {
    let ended =
        check("request_route {\n\tif (is_method(\"INVITE\") {\n\t\texit;\n\t}\n}\n").with(1);
    ended.says("router.cfg:2:");
}

#[test]
fn three_mistakes_on_three_lines_are_all_reported() {
    let text = "loadmodule \"sl.so\"\n\
        request_route {\n\
        \tsl_send_replay(\"200\", \"OK\");\n\
        \t$var(x) = ;\n\
        \troute(NOWHERE);\n\
        }\n";
    let ended = check(text).with(1);
    assert_eq!(
        ended.err.matches("error").count().max(3),
        ended.err.matches("error").count()
    );
    ended
        .says("router.cfg:3:")
        .says("router.cfg:4:")
        .says("router.cfg:5:")
        .says("sl_send_reply")
        .says("NOWHERE");
}

#[test]
fn a_configuration_without_a_route_is_accepted_with_a_warning() {
    check("debug = 2\n")
        .with(0)
        .says("router.cfg:1:1")
        .says("every request is discarded");
    check("").with(0).says("every request is discarded");
}

#[test]
fn the_name_of_the_host_stands_in_for_a_variable_of_a_rule() {
    let text = "#!substdef \"/HOST/$HN(n)/\"\nlisten = udp:127.0.0.1:HOST\n";
    let ended = check(text).with(1);
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    ended.says(name.trim_end().split('.').next().unwrap());
}

#[test]
fn a_missing_runtime_template_is_told_how_to_make() {
    let folder = Folder::new();
    let alone = folder.path("kcc");
    std::fs::copy(kcc().unwrap(), &alone).unwrap();
    let out = folder.path("router");
    let mut command = Command::new(&alone);
    command.args(["build", "-", "-o"]).arg(&out);
    run(&mut command, ROUTE.as_bytes())
        .with(2)
        .says("kcc-standalone is missing")
        .says("cargo build --release --workspace");
}

#[test]
fn the_configuration_may_come_from_standard_input() {
    for args in [&["check", "-"][..], &["check", "-f", "-"]] {
        kcc_with(args, ROUTE).with(0);
        kcc_with(args, "request_route {\n").with(1).says("error");
    }
}

#[test]
fn f_names_the_file_as_kamailio_does() {
    let folder = Folder::new();
    let path = folder.write("router.cfg", ROUTE);
    let path = path.to_string_lossy();
    kcc_with(&["check", "-f", &path], "").with(0);
    kcc_with(&["check", "-f", &path, &path], "").with(2);
}

#[test]
fn defines_come_from_the_command_line() {
    let text = "#!ifdef WITH_ROUTE\nrequest_route {\n\txlog(\"L_INFO\", GREETING);\n}\n#!endif\n";
    let text = format!("loadmodule \"xlog.so\"\n{text}");
    kcc_with(&["check", "-"], &text).with(0).says("warning");
    let with = ["check", "-", "-A", "WITH_ROUTE", "-A", "GREETING=\"kcc\""];
    let ended = kcc_with(&with, &text).with(0);
    assert!(!ended.err.contains("warning"), "{ended:#?}");
    kcc_with(&["check", "-", "-A", "WITH_ROUTE"], &text).with(1);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!("listen = udp:127.0.0.1:{port}\n{ROUTE}");
    let ended = kcc_with(&["run", "-"], text).with(2);
    ended.says("in use").says(&format!("127.0.0.1:{port}"));
}

#[test]
fn what_cannot_be_written_is_named() {
    let build = ["build", "-", "-o", "/nonexistent/router"];
    kcc_with(&build, ROUTE).with(2).says("/nonexistent/router");
    kcc_with(&["export", "vim", "-o", "/proc/kcc"], "")
        .with(2)
        .says("/proc/kcc");
    kcc_with(&["explain", "no_such_name"], "")
        .with(2)
        .says("no_such_name");
}

#[test]
fn warnings_fail_only_where_they_are_denied() {
    let folder = Folder::new();
    let path = folder.write("router.cfg", "debug = 2\n");
    let path = &*path.to_string_lossy();
    kcc_with(&["check", path], "").with(0).says("warning");
    kcc_with(&["check", "--deny", "warnings", path], "")
        .with(1)
        .says("warning");
    kcc_with(&["check", "--deny", "everything", path], "")
        .with(2)
        .says("everything");
}

#[test]
fn what_kamailio_has_is_told_from_what_nobody_has() {
    let text = "loadmodule \"evapi.so\"\nloadmodule \"tm.so\"\n\
        request_route {\n\tevapi_relay(\"x\");\n\tt_relai();\n}\n";
    let folder = Folder::new();
    let path = folder.write("router.cfg", text);
    let path = &*path.to_string_lossy();
    kcc_with(&["check", path], "")
        .with(1)
        .says("module `evapi` is known to Kamailio")
        .says("Kamailio has it since 4.2")
        .says("there is no function `t_relai`")
        .says("did you mean `t_relay`?");
    let allowed = text.replace("\tt_relai();\n", "");
    let path = folder.write("allowed.cfg", allowed);
    let path = &*path.to_string_lossy();
    kcc_with(&["check", path], "").with(1);
    kcc_with(&["check", "--allow-unsupported", path], "")
        .with(0)
        .says("warning[unsupported-module]");
}

#[test]
fn at_most_fifty_errors_are_shown_and_the_others_counted() {
    let calls: String = (0..70).map(|n| format!("\tnope{n}();\n")).collect();
    let ended = check(format!("request_route {{\n{calls}}}\n")).with(1);
    assert_eq!(ended.err.matches("error[").count(), 50);
    ended.says("20 more");
}

#[test]
fn one_mistake_is_one_error() {
    for (statement, code) in [
        ("if (is_method(\"ACK\") {\n\t\texit;\n\t}", "syntax"),
        ("$var(x) = nope($var(y)) + 1;", "unknown-function"),
        ("xlog($var(x));", "not-constant"),
        ("strip($var(x));", "bad-argument"),
        (
            "if ($nope(x) == 1 && $rm == \"ACK\") exit;",
            "unknown-variable",
        ),
        (
            "$var(x) = 5;\n\t$var(y) = \"a;\n\texit;",
            "unterminated-string",
        ),
    ] {
        let modules = ["pv", "textops", "xlog"].map(|name| format!("loadmodule \"{name}.so\"\n"));
        let text = format!("{}request_route {{\n\t{statement}\n}}\n", modules.concat());
        let ended = check(text).with(1);
        assert_eq!(ended.err.matches("error[").count(), 1, "{}", ended.err);
        assert!(
            ended.err.contains(&format!("error[{code}]")),
            "{}",
            ended.err
        );
    }
}
