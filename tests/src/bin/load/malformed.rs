//! Datagrams that are no SIP, or broken SIP.

use std::net::{SocketAddr, UdpSocket};

use crate::Result;
use crate::options::client;

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
pub fn send(target: &str, count: &str) -> Result<()> {
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
