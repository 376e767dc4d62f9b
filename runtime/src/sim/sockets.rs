//! The listen sockets that a program has on the network in memory.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::program::Program;
use crate::server::{StartError, listen_spec};
use crate::transport::{Protocol, Socket, SocketId};

/// The table of listen sockets as [`listen`](crate::transport::listen) would make it on a machine
/// that has every address: names and interfaces stand for 127.0.0.1.
///
/// # Errors
/// A protocol that is not known.
pub fn sockets(program: &Program) -> Result<Vec<Socket>, StartError> {
    let settings = &program.settings;
    let specs = program
        .manifest
        .sockets
        .iter()
        .map(listen_spec)
        .collect::<Result<Vec<_>, _>>()?;
    let every = [crate::transport::ListenSpec {
        host: "*".into(),
        ..Default::default()
    }];
    let mut sockets: Vec<Socket> = Vec::new();
    for spec in if specs.is_empty() {
        &every
    } else {
        specs.as_slice()
    } {
        let both = [Protocol::Udp, Protocol::Tcp];
        let protocols = spec
            .protocol
            .as_ref()
            .map_or(&both[..], std::slice::from_ref);
        for &protocol in protocols {
            if protocol != Protocol::Udp && settings.disable_tcp {
                continue;
            }
            let host = spec.host.trim_matches(['[', ']']);
            let ip = host.parse::<IpAddr>();
            let name = ip.is_err().then_some(host).filter(|host| *host != "*");
            let ip = ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let port = spec.port.unwrap_or_else(|| match protocol {
                Protocol::Tls | Protocol::Wss => Protocol::Tls.default_port(),
                _ => u16::try_from(settings.port).unwrap_or(Protocol::Udp.default_port()),
            });
            let address = SocketAddr::new(ip, port);
            let same = |s: &Socket| s.protocol == protocol && s.address == address;
            let Ok(number) = u16::try_from(sockets.len()) else {
                break;
            };
            if sockets.iter().any(same) {
                continue;
            }
            let mut socket = Socket::new(SocketId(number), protocol, address, name);
            if let Some((host, port)) = &spec.advertise {
                socket = socket.advertise(host, *port);
            }
            socket.name = spec.name.as_deref().map(Into::into);
            socket.is_virtual = spec.is_virtual;
            sockets.push(socket);
        }
    }
    Ok(sockets)
}
