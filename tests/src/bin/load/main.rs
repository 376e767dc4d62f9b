//! Load and probes for a SIP server on UDP:
//!
//! - `load options HOST:PORT COUNT OUTSTANDING` sends OPTIONS in a closed loop and checks each 200.
//! - `load calls HOST:PORT LOCAL COUNT OUTSTANDING [RATE]` makes calls through a proxy that sends
//!   them to `LOCAL`, an address and port here; with `RATE` no more than that many start a second.
//! - `load wait HOST:PORT SECONDS` asks until the server answers.
//! - `load malformed HOST:PORT COUNT` sends datagrams that are no SIP, or broken SIP.
//! - `load start RUNS HOST:PORT COMMAND…` starts the server `RUNS` times and prints the
//!   milliseconds from its start to its first answer, a line each.

mod calls;
mod malformed;
mod options;
mod start;

use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["options", target, count, outstanding] => options::load(target, count, outstanding),
        ["calls", target, local, count, outstanding] => {
            calls::load(target, local, count, outstanding, None)
        }
        ["calls", target, local, count, outstanding, rate] => {
            calls::load(target, local, count, outstanding, Some(rate))
        }
        ["wait", target, seconds] => options::wait(target, seconds),
        ["malformed", target, count] => malformed::send(target, count),
        ["start", runs, target, program, ref args @ ..] => {
            start::start(runs, target, program, args)
        }
        _ => Err("usage: load options|calls|wait|malformed|start …: see its source".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
