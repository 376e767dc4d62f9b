//! Load and probes for a SIP server on UDP:
//!
//! - `load options HOST:PORT COUNT OUTSTANDING` sends OPTIONS in a closed loop and checks each 200.
//! - `load wait HOST:PORT SECONDS` asks until the server answers.
//! - `load malformed HOST:PORT COUNT` sends datagrams that are no SIP, or broken SIP.
//! - `load start RUNS HOST:PORT COMMAND…` starts the server `RUNS` times and prints the
//!   milliseconds from its start to its first answer, a line each.

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use kcc_tests::options::Client;
use kcc_tests::server::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long a server may take to start, and to end.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a server is left alone after its first answer: Kamailio is still starting processes
/// then, and does not end well when told so early.
const SETTLE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["options", target, count, outstanding] => options(target, count, outstanding),
        ["wait", target, seconds] => wait(target, seconds),
        ["malformed", target, count] => malformed(target, count),
        ["start", runs, target, program, ref args @ ..] => start(runs, target, program, args),
        _ => Err("usage: load options|wait|malformed|start …: see the head of its source".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn client(target: &str) -> Result<Client> {
    let target: SocketAddr = target
        .parse()
        .map_err(|_| format!("{target}: no address and port"))?;
    Ok(Client::new(target)?)
}

fn options(target: &str, count: &str, outstanding: &str) -> Result<()> {
    let load = client(target)?.load(count.parse()?, outstanding.parse()?)?;
    let rate = load.answered as f64 / load.time.as_secs_f64();
    println!(
        "answered {} in {:.3} s: {rate:.0}/s, {} sent again",
        load.answered,
        load.time.as_secs_f64(),
        load.resent
    );
    Ok(())
}

fn wait(target: &str, seconds: &str) -> Result<()> {
    client(target)?.wait(Duration::from_secs_f64(seconds.parse()?))?;
    Ok(())
}

fn start(runs: &str, target: &str, program: &str, args: &[&str]) -> Result<()> {
    for _ in 0..runs.parse()? {
        let mut client = client(target)?;
        // Another server there would answer in the place of this one.
        drop(UdpSocket::bind(target).map_err(|error| format!("{target}: {error}"))?);
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0);
        let started = Instant::now();
        let mut server = Server::start(&mut command)?;
        let answered = client.wait(LIMIT)?;
        println!("{:.2}", (answered - started).as_secs_f64() * 1000.0);
        std::thread::sleep(SETTLE);
        match server.terminate(LIMIT) {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("{program} ended with {status}").into()),
            Err(error) => {
                eprintln!("load: {error}: killed");
                server.kill_group()?;
            }
        }
    }
    Ok(())
}

/// What a parser may stumble over; none of it deserves an answer that matters.
const BROKEN: &[&[u8]] = &[
    b"",
    b"\0",
    b"\r\n\r\n",
    b"\xff\xfe\xfd\xfc\xfb\xfa",
    b"SIP/2.0",
    b"SIP/2.0 200 OK\r\n\r\n",
    b"SIP/2.0 99999999999999999999 OK\r\n\r\n",
    b"OPTIONS",
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n",
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n\r\n",
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: \r\nVia:\r\n: x\r\n\r\n",
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nContent-Length: 4294967296\r\n\r\nx",
    b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nContent-Length: -1\r\n\r\nx",
    b"OPTIONS sip:[::::::::::::::]:99999 SIP/2.0\r\nFrom: \"\\\r\nTo: <<<<>\r\n\r\n",
];

/// Sends [`BROKEN`], an OPTIONS cut at each place, and `count` OPTIONS with a few bytes changed
/// behind the first line. The changes are the same in each run.
fn malformed(target: &str, count: &str) -> Result<()> {
    let request = client(target)?.request(1);
    let target: SocketAddr = target.parse()?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    for datagram in BROKEN {
        socket.send_to(datagram, target)?;
    }
    let request = request.as_bytes();
    for end in 0..request.len() {
        socket.send_to(&request[..end], target)?;
    }
    let first_line = request.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..count.parse()? {
        let mut datagram = request.to_vec();
        for _ in 0..=random(6) {
            let place = first_line + 1 + random(datagram.len() - first_line - 1);
            match random(3) {
                0 => datagram[place] = random(256) as u8,
                1 => datagram[place] = b"\0\r\n :;<>\"\\,@[]\t"[random(15)],
                _ => datagram.truncate(place + 1),
            }
        }
        socket.send_to(&datagram, target)?;
    }
    Ok(())
}
