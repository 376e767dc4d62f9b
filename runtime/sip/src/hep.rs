//! HEP version 3, the Homer encapsulation protocol: copies of messages for a capture server.
//!
//! A packet is `HEP3`, its length in 2 bytes, then chunks: vendor, type and length in 2 bytes each
//! (the length counts these six), then the value. Numbers are big-endian. The chunks written here
//! are of vendor 0.
//!
//! **Invariant:** no packet is longer than 65,535 bytes; reading looks at no byte outside of it.

use std::net::{IpAddr, SocketAddr};

/// `HEP3`.
pub const MAGIC: &[u8; 4] = b"HEP3";
/// Type of a packet that carries SIP.
pub const SIP: u8 = 1;
/// Type of a packet that carries a line of a log.
pub const LOG: u8 = 100;

const HEADER: usize = 6;
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 10;

/// What one packet tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The number of the IP protocol: 17 UDP, 6 TCP, 132 SCTP.
    pub transport: u8,
    /// Who sent the payload.
    pub from: SocketAddr,
    /// Who received it.
    pub to: SocketAddr,
    /// When: seconds since 1970.
    pub seconds: u32,
    /// And microseconds, 0 to 999,999.
    pub microseconds: u32,
    /// What the payload is: [`SIP`], [`LOG`] or another number of the protocol.
    pub kind: u8,
    /// The id of who captured it.
    pub capture_id: u32,
    /// A key that the capture server asks for; empty where there is none.
    pub auth_key: &'a [u8],
    /// The message.
    pub payload: &'a [u8],
    /// What belongs together has the same; empty where there is none.
    pub correlation: &'a [u8],
}

fn chunk(kind: u16, value: &[u8], out: &mut Vec<u8>) {
    // `write` refuses what is longer.
    let length = u16::try_from(value.len() + HEADER).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
}

impl<'a> Packet<'a> {
    /// Appends the packet to `out`. False, and `out` as it was, where the two addresses are of
    /// different families or the packet is longer than 65,535 bytes.
    pub fn write(&self, out: &mut Vec<u8>) -> bool {
        let texts = self.payload.len() + self.correlation.len() + self.auth_key.len();
        // Below 200 bytes are the chunks of a fixed length and the headers.
        if texts > usize::from(u16::MAX) - 200 || self.from.is_ipv4() != self.to.is_ipv4() {
            return false;
        }
        let start = out.len();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[0, 0]);
        match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                chunk(1, &[FAMILY_V4], out);
                chunk(2, &[self.transport], out);
                chunk(3, &from.octets(), out);
                chunk(4, &to.octets(), out);
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                chunk(1, &[FAMILY_V6], out);
                chunk(2, &[self.transport], out);
                chunk(5, &from.octets(), out);
                chunk(6, &to.octets(), out);
            }
            _ => {
                out.truncate(start);
                return false;
            }
        }
        chunk(7, &self.from.port().to_be_bytes(), out);
        chunk(8, &self.to.port().to_be_bytes(), out);
        chunk(9, &self.seconds.to_be_bytes(), out);
        chunk(10, &self.microseconds.to_be_bytes(), out);
        chunk(11, &[self.kind], out);
        chunk(12, &self.capture_id.to_be_bytes(), out);
        if !self.correlation.is_empty() {
            chunk(17, self.correlation, out);
        }
        if !self.auth_key.is_empty() {
            chunk(14, self.auth_key, out);
        }
        chunk(15, self.payload, out);
        let length = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
        if let Some(place) = out.get_mut(start + 4..start + HEADER) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        true
    }

    /// Reads a packet. Chunks of other vendors and other types are passed over; of several of one
    /// type the last holds. `None` where it is no HEP 3, a chunk is cut short or of a wrong
    /// length, or addresses, ports or the protocol are missing.
    pub fn parse(data: &'a [u8]) -> Option<Packet<'a>> {
        let length = usize::from(u16::from_be_bytes(data.get(4..HEADER)?.try_into().ok()?));
        if !data.starts_with(MAGIC) {
            return None;
        }
        let mut rest = data.get(HEADER..length)?;
        let (mut transport, mut kind) = (None, None);
        let (mut from, mut to) = (None::<IpAddr>, None::<IpAddr>);
        let (mut from_port, mut to_port) = (None, None);
        let (mut seconds, mut microseconds, mut capture_id) = (0, 0, 0);
        let (mut auth_key, mut payload, mut correlation) = (&b""[..], &b""[..], &b""[..]);
        while !rest.is_empty() {
            let head: &[u8; HEADER] = rest.first_chunk()?;
            let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
            let value = rest.get(HEADER..usize::from(number(4)))?;
            rest = rest.get(usize::from(number(4))..)?;
            if number(0) != 0 {
                continue;
            }
            match number(2) {
                2 => transport = Some(*value.first()?),
                3 => from = Some(<[u8; 4]>::try_from(value).ok()?.into()),
                4 => to = Some(<[u8; 4]>::try_from(value).ok()?.into()),
                5 => from = Some(<[u8; 16]>::try_from(value).ok()?.into()),
                6 => to = Some(<[u8; 16]>::try_from(value).ok()?.into()),
                7 => from_port = Some(u16::from_be_bytes(value.try_into().ok()?)),
                8 => to_port = Some(u16::from_be_bytes(value.try_into().ok()?)),
                9 => seconds = u32::from_be_bytes(value.try_into().ok()?),
                10 => microseconds = u32::from_be_bytes(value.try_into().ok()?),
                11 => kind = Some(*value.first()?),
                12 => capture_id = u32::from_be_bytes(value.try_into().ok()?),
                14 => auth_key = value,
                15 => payload = value,
                17 => correlation = value,
                _ => {}
            }
        }
        Some(Packet {
            transport: transport?,
            from: SocketAddr::new(from?, from_port?),
            to: SocketAddr::new(to?, to_port?),
            seconds,
            microseconds,
            kind: kind?,
            capture_id,
            auth_key,
            payload,
            correlation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet<'a>(from: &str, to: &str) -> Packet<'a> {
        Packet {
            transport: 17,
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            seconds: 0x0102_0304,
            microseconds: 999_999,
            kind: SIP,
            capture_id: 42,
            auth_key: b"",
            payload: b"OPTIONS",
            correlation: b"a@b",
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let v4 = packet("192.0.2.1:5060", "192.0.2.2:5070");
        let v6 = Packet {
            auth_key: b"key",
            ..packet("[::1]:5060", "[2001:db8::2]:5070")
        };
        for packet in [v4, v6] {
            let mut out = b"before".to_vec();
            assert!(packet.write(&mut out));
            let data = &out[6..];
            assert_eq!(Packet::parse(data), Some(packet));
            for end in 0..data.len() {
                assert_eq!(Packet::parse(&data[..end]), None, "{end}");
            }
        }
    }

    #[test]
    fn the_bytes_of_a_packet() {
        let mut out = Vec::new();
        assert!(packet("192.0.2.1:5060", "192.0.2.2:5070").write(&mut out));
        assert_eq!(out.get(..13), Some(&b"HEP3\0\x73\0\0\0\x01\0\x07\x02"[..]));
        assert_eq!(out.len(), 0x73);
        assert!(out.ends_with(b"\0\0\0\x0f\0\x0dOPTIONS"));
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let mut out = Vec::new();
        assert!(!packet("192.0.2.1:5060", "[::1]:5060").write(&mut out));
        let long = vec![b'x'; 65_535];
        let packet = Packet {
            payload: &long,
            ..packet("192.0.2.1:5060", "192.0.2.2:5060")
        };
        assert!(!packet.write(&mut out));
        assert!(out.is_empty());
    }

    #[test]
    fn a_chunk_without_length_ends_the_reading() {
        assert_eq!(Packet::parse(b"HEP3\0\x0c\0\0\0\x01\0\0"), None);
    }
}
