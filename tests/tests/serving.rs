//! `kcc run`, a standalone executable, and `kcc` under the name `kamailio`, serving.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kcc_tests::built::kcc;
use kcc_tests::folder::Folder;
use kcc_tests::options::Client;
use kcc_tests::port;
use kcc_tests::program::run;
use kcc_tests::server::{Server, terminate};

const LIMIT: Duration = Duration::from_secs(20);

const ANSWERS: &str =
    "loadmodule \"sl.so\"\nrequest_route {\n\tsl_send_reply(\"200\", \"OK\");\n}\n";

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Answers OPTIONS there.
#[track_caller]
fn answers(port: u16) {
    let answer = Client::new(address(port)).and_then(|mut client| client.wait(LIMIT));
    answer.unwrap_or_else(|error| panic!("{error}"));
}

/// Starts `command`, checks that its first lines name the UDP and, if `tcp`, the TCP socket and
/// that it answers, ends it, and gives what it said on standard error.
#[track_caller]
fn serves(command: &mut Command, port: u16, tcp: bool) -> String {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Server::start(command).unwrap();
    let out = server.child().stdout.take().unwrap();
    let mut err = server.child().stderr.take().unwrap();
    let mut lines = BufReader::new(out).lines();
    let protocols = if tcp { &["udp", "tcp"][..] } else { &["udp"] };
    for protocol in protocols {
        let line = lines.next().and_then(Result::ok);
        let wanted = format!("listening on {protocol}:127.0.0.1:{port}");
        if line.as_deref() != Some(&wanted) {
            let _ = server.child().kill();
            let mut said = String::new();
            let _ = err.read_to_string(&mut said);
            panic!("{line:?}, not {wanted}: {said}");
        }
    }
    answers(port);
    let status = server.terminate(LIMIT).unwrap();
    let mut said = String::new();
    err.read_to_string(&mut said).unwrap();
    assert!(status.success(), "{status}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// The configuration with a UDP and a TCP socket, in a folder.
fn configuration() -> (Folder, PathBuf, u16) {
    let (folder, port) = (Folder::new(), port::free());
    let sockets = format!("listen = udp:127.0.0.1:{port}\nlisten = tcp:127.0.0.1:{port}\n");
    let path = folder.write("router.cfg", sockets + ANSWERS);
    (folder, path, port)
}

/// A link named `kamailio` to `kcc`.
fn kamailio(folder: &Folder) -> PathBuf {
    let link = folder.path("kamailio");
    std::os::unix::fs::symlink(kcc().unwrap(), &link).unwrap();
    link
}

/// A process that is not a child, ended when dropped.
struct Background(u32);

impl Drop for Background {
    fn drop(&mut self) {
        // Where it has ended by itself, the test says so.
        let _ = terminate(self.0);
    }
}

#[test]
fn run_names_its_sockets_and_ends_on_sigterm() {
    let (_folder, path, port) = configuration();
    serves(
        Command::new(kcc().unwrap()).arg("run").arg(path),
        port,
        true,
    );
}

#[test]
fn a_standalone_executable_serves_from_a_folder_of_its_own() {
    let (folder, path, port) = configuration();
    let router = folder.path("router");
    let mut build = Command::new(kcc().unwrap());
    run(build.arg("build").arg(&path).arg("-o").arg(&router), b"").with(0);
    std::fs::remove_file(path).unwrap();
    let alone = Folder::new();
    std::fs::rename(&router, alone.path("router")).unwrap();
    let mut command = Command::new(alone.path("router"));
    serves(command.current_dir(&alone).env_clear(), port, true);
    // Its options are those of Kamailio.
    let other = port::free();
    let listen = format!("udp:127.0.0.1:{other}");
    let mut command = Command::new(alone.path("router"));
    serves(command.args(["-T", "-n", "1", "-l", &listen]), other, false);
    run(Command::new(alone.path("router")).arg("-Z"), b"")
        .with(2)
        .says("-Z");
}

#[test]
fn under_the_name_kamailio_it_checks() {
    let (folder, path, _) = configuration();
    let kamailio = kamailio(&folder);
    run(Command::new(&kamailio).arg("-f").arg(path).arg("-c"), b"").with(0);
    let wrong = folder.write("wrong.cfg", "request_route {\n\troute(NOWHERE);\n}\n");
    let ended = run(Command::new(&kamailio).arg("-c").arg("-f").arg(wrong), b"");
    // Kamailio's exit code is 255 here; any but 0 tells a unit the same.
    ended.with(1).says("wrong.cfg:2:");
    let version = run(Command::new(&kamailio).arg("-v"), b"").with(0);
    assert!(version.out.starts_with("version: k"), "{version:?}");
    run(Command::new(&kamailio).arg("-Z"), b"")
        .with(2)
        .says("-Z");
}

#[test]
fn under_the_name_kamailio_it_takes_a_unit_s_options() {
    let (folder, path, _) = configuration();
    let port = port::free();
    let listen = format!("udp:127.0.0.1:{port}");
    let pid_file = folder.path("kamailio.pid");
    let mut command = Command::new(kamailio(&folder));
    command.arg("-f").arg(path).arg("-P").arg(&pid_file).args([
        "-DD", "-E", "-e", "-m", "64", "-M", "8", "-L", "/x", "-T", "-n", "1", "-l", &listen,
    ]);
    let said = serves(&mut command, port, false);
    let named = said.lines().find(|line| line.contains("-m 64"));
    let named = named.unwrap_or_else(|| panic!("-m is not named: {said}"));
    assert!(named.contains("-M 8") && named.contains("-L /x"), "{named}");
    assert!(
        !pid_file.exists(),
        "the file with the process id is still there"
    );
}

#[test]
fn under_the_name_kamailio_it_goes_to_the_background() {
    let (folder, path, _) = configuration();
    let port = port::free();
    let listen = format!("udp:127.0.0.1:{port}");
    let pid_file = folder.path("kamailio.pid");
    let mut command = Command::new(kamailio(&folder));
    command.arg("-f").arg(path).arg("-P").arg(&pid_file);
    run(command.args(["-T", "-n", "1", "-l", &listen]), b"").with(0);
    // It serves by the time that the command has ended.
    let text = std::fs::read_to_string(&pid_file).unwrap();
    let background = Background(text.trim().parse().unwrap());
    answers(port);
    drop(background);
    let end = Instant::now() + LIMIT;
    while pid_file.exists() {
        assert!(Instant::now() < end, "it does not end on SIGTERM");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn in_the_background_a_port_in_use_is_an_exit_code() {
    let (folder, path, port) = configuration();
    let _taken = std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let mut command = Command::new(kamailio(&folder));
    run(command.arg("-f").arg(path), b"").with(2).says("in use");
}
