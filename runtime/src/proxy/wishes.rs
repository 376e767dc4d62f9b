//! What a script wishes of the way a message leaves: the text of our Via, and how connections are
//! used.

use crate::run::{Local, Slot};
use crate::transport::Protocol;

/// How a message may use connections (`set_reply_no_connect` and its like).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// Do not open a connection: without one the message is not sent.
    pub existing_only: bool,
    /// Close the connection after the message.
    pub close: bool,
}

/// What the script wishes of requests that go on and of replies that go back.
#[derive(Debug, Default)]
pub struct Wishes {
    /// `rport` in our Via (`add_local_rport`).
    pub rport: bool,
    /// The host in our Via (`set_advertised_address`).
    pub host: Slot,
    /// The port in our Via (`set_advertised_port`).
    pub port: Option<u16>,
    /// Transport of requests too large for UDP (`udp_mtu_try_proto`).
    pub large: Option<Protocol>,
    /// Of requests.
    pub forward: Connect,
    /// Of replies.
    pub reply: Connect,
}

impl Local for Wishes {
    fn reset(&mut self) {
        self.rport = false;
        self.host.clear();
        self.port = None;
        self.large = None;
        self.forward = Connect::default();
        self.reply = Connect::default();
    }
}
