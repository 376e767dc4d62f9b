//! An OPTIONS client over UDP (RFC 3261 §11) that checks each answer against its request.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Result};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// After how long a request counts as lost and is sent again.
const LOST: Duration = Duration::from_millis(500);
/// How often one request is sent before the server counts as gone.
const ATTEMPTS: u32 = 8;
/// How long to wait between two tries to reach a server that is starting.
const PAUSE: Duration = Duration::from_micros(200);

/// Sends OPTIONS to one server.
#[derive(Debug)]
pub struct Client {
    socket: UdpSocket,
    target: SocketAddr,
    local: SocketAddr,
    next: u64,
}

/// What a [`Client::load`] did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Requests that got their 200.
    pub answered: u64,
    /// Requests that were sent again because no answer had come.
    pub resent: u64,
    /// From the first request to the last answer.
    pub time: Duration,
}

impl Client {
    /// A client of `target` on a port of its own.
    ///
    /// # Errors
    /// No socket can be had.
    pub fn new(target: SocketAddr) -> Result<Client> {
        let any = if target.is_ipv6() {
            "[::]:0"
        } else {
            "0.0.0.0:0"
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(target)?;
        let local = socket.local_addr()?;
        Ok(Client {
            socket,
            target,
            local,
            next: 0,
        })
    }

    /// The request with this number. The Request-URI has no user, as a keepalive's has not.
    pub fn request(&self, number: u64) -> String {
        let (target, local) = (self.target, self.local);
        format!(
            "OPTIONS sip:{target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch=z9hG4bK-{number};rport\r\n\
             Max-Forwards: 70\r\n\
             From: \"Probe\" <sip:probe@{local}>;tag=f{number}\r\n\
             To: <sip:{target}>\r\n\
             Call-ID: {number}@{local}\r\n\
             CSeq: 1 OPTIONS\r\n\
             Contact: <sip:probe@{local}>\r\n\
             User-Agent: kcc load\r\n\
             Accept: application/sdp\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    /// Asks until a 200 comes, and gives up after `limit`. Gives the time of the answer.
    ///
    /// # Errors
    /// No answer within `limit`, or a wrong one.
    pub fn wait(&mut self, limit: Duration) -> Result<Instant> {
        let end = Instant::now() + limit;
        self.socket
            .set_read_timeout(Some(Duration::from_millis(20)))?;
        let mut buffer = [0; 4096];
        while Instant::now() < end {
            self.next += 1;
            let sent = self.socket.send(self.request(self.next).as_bytes());
            match sent.and_then(|_| self.socket.recv(&mut buffer)) {
                Ok(length) => {
                    let now = Instant::now();
                    number_of(&buffer[..length]).map_err(wrong)?;
                    return Ok(now);
                }
                // Nobody listens yet.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    std::thread::sleep(PAUSE);
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let what = format!("{} did not answer OPTIONS within {limit:?}", self.target);
        Err(Error::new(ErrorKind::TimedOut, what))
    }

    /// Sends `count` requests, `outstanding` of them at a time without an answer.
    ///
    /// # Errors
    /// A wrong answer, or none to a request that was sent [`ATTEMPTS`] times.
    pub fn load(&mut self, count: u64, outstanding: u64) -> Result<Load> {
        self.socket.set_read_timeout(Some(LOST))?;
        let started = Instant::now();
        let (first, end) = (self.next + 1, self.next + 1 + count);
        self.next = end;
        let mut waiting: HashMap<u64, u32> = HashMap::new();
        let (mut next, mut load) = (
            first,
            Load {
                answered: 0,
                resent: 0,
                time: Duration::ZERO,
            },
        );
        let mut buffer = [0; 4096];
        while load.answered < count {
            while next < end && (waiting.len() as u64) < outstanding {
                self.socket.send(self.request(next).as_bytes())?;
                waiting.insert(next, 1);
                next += 1;
            }
            match self.socket.recv(&mut buffer) {
                Ok(length) => {
                    let number = number_of(&buffer[..length]).map_err(wrong)?;
                    // A second answer to a request that was sent twice is no news.
                    if waiting.remove(&number).is_some() {
                        load.answered += 1;
                    }
                }
                Err(error) if is_timeout(&error) => load.resent += self.resend(&mut waiting)?,
                Err(error) => return Err(error),
            }
        }
        load.time = started.elapsed();
        Ok(load)
    }

    fn resend(&self, waiting: &mut HashMap<u64, u32>) -> Result<u64> {
        for (number, attempts) in waiting.iter_mut() {
            *attempts += 1;
            if *attempts > ATTEMPTS {
                let what = format!("request {number} was sent {ATTEMPTS} times without an answer");
                return Err(Error::new(ErrorKind::TimedOut, what));
            }
            self.socket.send(self.request(*number).as_bytes())?;
        }
        Ok(waiting.len() as u64)
    }
}

fn is_timeout(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// The number of the request that `answer` is the 200 of: Via, From, Call-ID and CSeq are the
/// request's, and To has got a tag (RFC 3261 §8.2.6.2).
fn number_of(answer: &[u8]) -> std::result::Result<u64, String> {
    let text = std::str::from_utf8(answer).map_err(|_| "an answer that is no text".to_owned())?;
    let fail = |what: &str| Err(format!("{what} in the answer\n{text}"));
    if !text.starts_with("SIP/2.0 200 ") {
        return fail("no 200");
    }
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let Some(number) = value("Call-ID: ").and_then(|id| id.split('@').next()?.parse().ok()) else {
        return fail("no Call-ID of ours");
    };
    let branch = format!("branch=z9hG4bK-{number};");
    if !value("Via: ").is_some_and(|via| via.contains(&branch)) {
        return fail("no Via of ours");
    }
    if !value("From: ").is_some_and(|from| from.ends_with(&format!(";tag=f{number}"))) {
        return fail("no From of ours");
    }
    if !value("To: ").is_some_and(|to| to.contains(";tag=")) {
        return fail("no tag of To");
    }
    if value("CSeq: ") != Some("1 OPTIONS") {
        return fail("no CSeq of ours");
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-7;rport=9\r\n\
        From: \"Probe\" <sip:probe@127.0.0.1:9>;tag=f7\r\n\
        To: <sip:127.0.0.1>;tag=a\r\nCall-ID: 7@127.0.0.1:9\r\nCSeq: 1 OPTIONS\r\n\r\n";

    #[test]
    fn an_answer_is_told_from_a_wrong_one() {
        assert_eq!(number_of(ANSWER.as_bytes()), Ok(7));
        for (part, other) in [
            ("200", "404"),
            ("K-7", "K-8"),
            ("f7", "f8"),
            (";tag=a", ""),
            ("7@", "x@"),
            ("1 OPTIONS", "2 OPTIONS"),
        ] {
            let answer = ANSWER.replace(part, other);
            assert!(number_of(answer.as_bytes()).is_err(), "{other}");
        }
    }
}
