//! Record-Route of this hop (RFC 3261 §16.6 step 4, RFC 5658): asked for by the script, written
//! when a branch's sending socket is known.

use crate::transport::{Protocol, Socket};

/// The Record-Route that the script asked for.
#[derive(Clone, Debug, Default)]
pub struct RecordRoute {
    wanted: bool,
    user: Vec<u8>,
    params: Vec<u8>,
}

impl RecordRoute {
    /// Asks for one with `params` (each with its `;`) after those of its own, and `user` in the
    /// URI unless it is empty; false where one was asked for before.
    pub fn ask(&mut self, user: &[u8], params: &[u8]) -> bool {
        if std::mem::replace(&mut self.wanted, true) {
            return false;
        }
        self.user.clear();
        self.user.extend_from_slice(user);
        let earlier = std::mem::take(&mut self.params);
        self.params.extend_from_slice(params);
        self.params.extend_from_slice(&earlier);
        true
    }

    /// Adds parameters (each with its `;`), before or after the request for the header.
    pub fn add_params(&mut self, params: &[u8]) {
        self.params.extend_from_slice(params);
    }

    /// Whether one was asked for.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Forgets it; keeps buffers.
    pub fn clear(&mut self) {
        self.wanted = false;
        self.user.clear();
        self.params.clear();
    }

    /// Writes the header lines of a request that came to `inbound` and leaves from `outbound`: two
    /// where these differ, that of the outbound side on top, both with `r2=on`.
    pub fn write(&self, inbound: &Socket, outbound: &Socket, out: &mut Vec<u8>) {
        if !self.wanted {
            return;
        }
        if inbound.id == outbound.id {
            self.write_one(inbound, false, out);
        } else {
            self.write_one(outbound, true, out);
            self.write_one(inbound, true, out);
        }
    }

    fn write_one(&self, socket: &Socket, double: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Record-Route: <sip:");
        if !self.user.is_empty() {
            out.extend_from_slice(&self.user);
            out.push(b'@');
        }
        out.extend_from_slice(socket.sent_host().as_bytes());
        if socket.sent_port() != socket.protocol.default_port() {
            out.push(b':');
            kcc_sip::build::write_number(out, u64::from(socket.sent_port()));
        }
        if socket.protocol != Protocol::Udp {
            out.extend_from_slice(b";transport=");
            out.extend_from_slice(socket.protocol.name().as_bytes());
        }
        out.extend_from_slice(if double { b";r2=on;lr" } else { b";lr" });
        out.extend_from_slice(&self.params);
        out.extend_from_slice(b">\r\n");
    }
}
