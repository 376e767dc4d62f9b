//! Writing Via values: our own, and the received one with `received` and `rport` filled in
//! (RFC 3261 §18.2.1, RFC 3581 §4).

use super::write_number;
use crate::params::Params;
use crate::span::offset_in;
use crate::via::Via;
use std::io::Write;
use std::net::IpAddr;

/// The Via that this hop puts on a request.
#[derive(Clone, Copy, Debug)]
pub struct NewVia<'a> {
    /// The transport's name as it stands in a Via: `UDP`, `TCP`, `TLS`, `WS`, …
    pub transport: &'a [u8],
    /// The host, an IPv6 reference with brackets.
    pub host: &'a [u8],
    /// The port; `None` leaves it out, as Kamailio does with 5060.
    pub port: Option<u16>,
    /// The branch with its magic cookie.
    pub branch: &'a [u8],
    /// The id of the connection that the request came on, for `;i=` (hexadecimal).
    pub instance: Option<u64>,
    /// Adds `;rport` (Kamailio `add_local_rport`).
    pub rport: bool,
    /// More parameters, each with its `;`.
    pub extra: &'a [u8],
}

impl NewVia<'_> {
    /// Appends the whole header field with its line end. The order of parameters is that of
    /// Kamailio 5.6: `branch`, `i`, `rport`, extra.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Via: SIP/2.0/");
        out.extend_from_slice(self.transport);
        out.push(b' ');
        out.extend_from_slice(self.host);
        if let Some(port) = self.port {
            out.push(b':');
            write_number(out, u64::from(port));
        }
        out.extend_from_slice(b";branch=");
        out.extend_from_slice(self.branch);
        if let Some(id) = self.instance {
            out.extend_from_slice(b";i=");
            super::write_hex(out, id);
        }
        if self.rport {
            out.extend_from_slice(b";rport");
        }
        out.extend_from_slice(self.extra);
        out.extend_from_slice(b"\r\n");
    }
}

/// What is noted in the top Via of a received request before it goes on or back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViaStamp {
    /// Sets `received` to this address.
    pub received: Option<IpAddr>,
    /// Sets `rport` to this port.
    pub rport: Option<u16>,
}

/// Where the parameters go that the received Via does not hold yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// After the sent-by: what Kamailio does in requests.
    AfterSentBy,
    /// After the last parameter: what Kamailio does in replies.
    AtEnd,
}

impl ViaStamp {
    /// The stamp for a request whose top Via is `via` and that came from `source`:`port`.
    /// `received` is set when the sent-by is not the source's address, and always when the Via
    /// holds `rport` or `received` already; `rport` when the Via asks for it or with
    /// `force_rport`.
    pub fn new(via: &Via<'_>, source: IpAddr, port: u16, force_rport: bool) -> ViaStamp {
        let received = via.has_rport() || via.received().is_some() || !host_is(via.host(), source);
        ViaStamp {
            received: received.then_some(source),
            rport: (via.has_rport() || force_rport).then_some(port),
        }
    }

    /// True when nothing is to be set.
    pub fn is_empty(&self) -> bool {
        self.received.is_none() && self.rport.is_none()
    }

    /// Appends the parameters alone, `;rport=…` then `;received=…`.
    pub fn write_params(&self, out: &mut Vec<u8>) {
        if let Some(port) = self.rport {
            write_rport(out, port);
        }
        if let Some(address) = self.received {
            write_received(out, address);
        }
    }

    /// Appends `via` with this stamp to `out`. Parameters that are there already are replaced
    /// where they stand.
    pub fn write(&self, via: &Via<'_>, place: Place, out: &mut Vec<u8>) {
        let raw = via.raw();
        if self.is_empty() {
            out.extend_from_slice(raw);
            return;
        }
        let sent_by = offset_in(raw, via.sent_by()).map_or(raw.len(), |r| r.end);
        out.extend_from_slice(raw.get(..sent_by).unwrap_or(raw));
        let new = ViaStamp {
            received: self.received.filter(|_| via.received().is_none()),
            rport: self.rport.filter(|_| !via.has_rport()),
        };
        if place == Place::AfterSentBy {
            new.write_params(out);
        }
        let mut copied = sent_by;
        for param in via.params() {
            let received = self
                .received
                .filter(|_| param.name.eq_ignore_ascii_case(b"received"));
            let rport = self
                .rport
                .filter(|_| param.name.eq_ignore_ascii_case(b"rport"));
            if received.is_none() && rport.is_none() {
                continue;
            }
            let Some(range) = Params::range_with_semicolon(raw, &param) else {
                continue;
            };
            out.extend_from_slice(raw.get(copied..range.start).unwrap_or_default());
            copied = range.end;
            if let Some(address) = received {
                write_received(out, address);
            }
            if let Some(port) = rport {
                write_rport(out, port);
            }
        }
        out.extend_from_slice(raw.get(copied..).unwrap_or_default());
        if place == Place::AtEnd {
            new.write_params(out);
        }
    }
}

fn write_received(out: &mut Vec<u8>, address: IpAddr) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, ";received={address}");
}

fn write_rport(out: &mut Vec<u8>, port: u16) {
    out.extend_from_slice(b";rport=");
    write_number(out, u64::from(port));
}

/// True when `host` is the text of `address`, with or without brackets.
pub fn host_is(host: &[u8], address: IpAddr) -> bool {
    let inner = match host {
        [b'[', inner @ .., b']'] => inner,
        _ => host,
    };
    std::str::from_utf8(inner)
        .ok()
        .and_then(|h| h.parse::<IpAddr>().ok())
        == Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1));

    fn stamped(via: &str, force: bool, place: Place) -> String {
        let via = Via::parse(via.as_bytes()).unwrap();
        let mut out = Vec::new();
        ViaStamp::new(&via, SOURCE, 49559, force).write(&via, place, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Expected values come from Kamailio 5.6.3.
    #[test]
    fn requests_are_stamped_as_kamailio_does() {
        for (via, force, expected) in [
            ("127.0.0.1:5060;branch=x", false, "127.0.0.1:5060;branch=x"),
            ("foo;branch=x", false, "foo;received=127.0.0.1;branch=x"),
            (
                "10.0.0.1:1;branch=x;x=1;rport;y=2",
                false,
                "10.0.0.1:1;received=127.0.0.1;branch=x;x=1;rport=49559;y=2",
            ),
            (
                "10.0.0.1:1;branch=x;x=1;received=9.9.9.9;rport=77;y=2",
                false,
                "10.0.0.1:1;branch=x;x=1;received=127.0.0.1;rport=49559;y=2",
            ),
            (
                "127.0.0.1:1;branch=x;received=9.9.9.9",
                false,
                "127.0.0.1:1;branch=x;received=127.0.0.1",
            ),
            (
                "foo.example:5099;branch=x",
                true,
                "foo.example:5099;rport=49559;received=127.0.0.1;branch=x",
            ),
            (
                "127.0.0.1;branch=x;x=1",
                true,
                "127.0.0.1;rport=49559;branch=x;x=1",
            ),
        ] {
            let got = stamped(&format!("SIP/2.0/UDP {via}"), force, Place::AfterSentBy);
            assert_eq!(got, format!("SIP/2.0/UDP {expected}"));
        }
    }

    #[test]
    fn replies_are_stamped_at_the_end() {
        assert_eq!(
            stamped("SIP/2.0/UDP foo;rport;branch=x;y=2", false, Place::AtEnd),
            "SIP/2.0/UDP foo;rport=49559;branch=x;y=2;received=127.0.0.1"
        );
        assert_eq!(
            stamped("SIP/2.0/UDP foo;branch=x", true, Place::AtEnd),
            "SIP/2.0/UDP foo;branch=x;rport=49559;received=127.0.0.1"
        );
    }

    #[test]
    fn own_via() {
        let mut out = Vec::new();
        NewVia {
            transport: b"UDP",
            host: b"127.0.0.1",
            port: Some(5060),
            branch: b"z9hG4bKab.0",
            instance: Some(3),
            rport: false,
            extra: b"",
        }
        .write(&mut out);
        assert_eq!(
            out,
            b"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKab.0;i=3\r\n"
        );
        assert!(host_is(b"[::1]", "::1".parse().unwrap()));
    }
}
