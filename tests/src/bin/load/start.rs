//! How long a server takes from its start to its first answer.

use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kcc_tests::server::Server;

use crate::Result;
use crate::options::client;

/// How long a server may take to start, and to end.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a server is left alone after its first answer: Kamailio is still starting processes
/// then, and does not end well when told so early.
const SETTLE: Duration = Duration::from_millis(300);

/// Starts the server `runs` times and prints the milliseconds to its first answer.
pub fn start(runs: &str, target: &str, program: &str, args: &[&str]) -> Result<()> {
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
