//! Ports that nobody listens on.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// First and count of the ports given: below those that the system gives to clients.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port of 127.0.0.1 that is free for UDP and TCP. Processes start at different places, so that
/// tests side by side seldom try the same.
///
/// # Panics
/// There is none.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..COUNT {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = std::process::id()
            .wrapping_mul(37)
            .wrapping_add(number.into());
        let port = FIRST + (place % u32::from(COUNT)) as u16;
        let udp = UdpSocket::bind(("127.0.0.1", port));
        if udp.is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on 127.0.0.1");
}
