//! OPTIONS in a closed loop, and waiting for a server by them.

use std::net::SocketAddr;
use std::time::Duration;

use kcc_tests::options::Client;

use crate::Result;

/// A client of `target`, an address and port.
pub fn client(target: &str) -> Result<Client> {
    let target: SocketAddr = target
        .parse()
        .map_err(|_| format!("{target}: no address and port"))?;
    Ok(Client::new(target)?)
}

/// Sends `count` requests, `outstanding` at a time, and checks each answer.
pub fn load(target: &str, count: &str, outstanding: &str) -> Result<()> {
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

/// Asks until the server answers, for `seconds` at most.
pub fn wait(target: &str, seconds: &str) -> Result<()> {
    client(target)?.wait(Duration::from_secs_f64(seconds.parse()?))?;
    Ok(())
}
