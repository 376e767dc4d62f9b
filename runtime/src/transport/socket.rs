//! The table of listen sockets: what a script names them by and what a message says of them.
//!
//! The table is fixed when the server starts, so a [`SocketId`] is a plain number that may be
//! kept anywhere, in a transaction too, without counting references.

use std::net::SocketAddr;

use super::Protocol;

/// A listen socket's number in the table, in the order of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u16);

/// A listen socket as the configuration gave it and as it was bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its number in the table.
    pub id: SocketId,
    /// Its transport.
    pub protocol: Protocol,
    /// The address that it is bound to, the port known even where 0 was asked.
    pub address: SocketAddr,
    /// The host as written in the configuration, or the address of an interface; an IPv6
    /// address in brackets.
    pub host: Box<str>,
    /// `address` alone as text, an IPv6 address in brackets (`$Ri` without brackets).
    pub address_text: Box<str>,
    /// What `advertise` gave: host and port (the bound port where it gave none).
    pub advertised: Option<(Box<str>, u16)>,
    /// What `name` gave, for `$fsn` and the like.
    pub name: Option<Box<str>>,
    /// Whether the address may be absent from this machine for now (`virtual`).
    pub is_virtual: bool,
    /// `host:port` as Via and Record-Route carry it: advertised where given; the port always.
    pub sent_by: Box<str>,
    /// `proto:host:port`, the form that `force_send_socket`, `$fs` and `$RAu` use.
    pub text: Box<str>,
}

impl Socket {
    /// A socket; the derived texts are made here.
    pub fn new(id: SocketId, protocol: Protocol, address: SocketAddr, host: Option<&str>) -> Self {
        let address_text: Box<str> = match address {
            SocketAddr::V4(v4) => v4.ip().to_string().into(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()).into(),
        };
        let host: Box<str> = host.map_or_else(|| address_text.clone(), Into::into);
        let sent_by = format!("{host}:{}", address.port()).into();
        let text = format!("{protocol}:{host}:{}", address.port()).into();
        Socket {
            id,
            protocol,
            address,
            host,
            address_text,
            advertised: None,
            name: None,
            is_virtual: false,
            sent_by,
            text,
        }
    }

    /// The same socket with `host` (and `port`, if given) told to the world in place of its own.
    #[must_use]
    pub fn advertise(mut self, host: &str, port: Option<u16>) -> Self {
        let port = port.unwrap_or(self.address.port());
        self.sent_by = format!("{host}:{port}").into();
        self.advertised = Some((host.into(), port));
        self
    }

    /// The host that Via, Record-Route and Contact carry: advertised where given.
    pub fn sent_host(&self) -> &str {
        self.advertised
            .as_ref()
            .map_or(&self.host, |(host, _)| host)
    }

    /// The port that Via, Record-Route and Contact carry: advertised where given.
    pub fn sent_port(&self) -> u16 {
        self.advertised
            .as_ref()
            .map_or(self.address.port(), |(_, port)| *port)
    }
}
