//! `listen`, `socket` and `alias`.

use std::net::IpAddr;

use kcc_runtime::program::{AliasSpec, SocketSpec};

use super::Resolver;
use super::core_call::protocol_text;
use crate::source::Span;
use crate::syntax::ast::{ArgKind, Call, HostKind, Listen, Port, Protocol, SocketBlock, SocketId};

impl Resolver<'_> {
    pub(super) fn listen(&mut self, listen: &Listen, span: Span) {
        let name = listen.name.as_ref().map(|name| name.lossy().into_owned());
        for socket in &listen.sockets {
            let advertise = listen.advertise.as_ref();
            self.add_socket(socket, advertise, name.clone(), listen.is_virtual, span);
        }
    }

    pub(super) fn socket(&mut self, block: &SocketBlock, span: Span) {
        let Some(bind) = &block.bind else {
            return;
        };
        let name = block.name.as_ref().map(|name| name.lossy().into_owned());
        let is_virtual = block.is_virtual.is_some_and(|number| number.value != 0);
        self.add_socket(bind, block.advertise.as_ref(), name, is_virtual, span);
        for (ignored, what) in [(&block.agname, "agname"), (&block.vrf, "vrf")] {
            if let Some(value) = ignored {
                let message = format!("`{what}` has no effect here");
                self.warning("parameter-without-effect", message, value.span);
            }
        }
    }

    fn add_socket(
        &mut self,
        socket: &SocketId,
        advertise: Option<&SocketId>,
        name: Option<String>,
        is_virtual: bool,
        span: Span,
    ) {
        let (first, last) = match socket.port {
            None | Some(Port::Any) => (None, None),
            Some(Port::Number(port)) => (self.port(port, socket.span), None),
            Some(Port::Range(first, last)) => {
                (self.port(first, socket.span), self.port(last, socket.span))
            }
        };
        let advertise = advertise.map(|socket| {
            let host = socket
                .hosts
                .first()
                .map(|host| host.to_text())
                .unwrap_or_default();
            let port = match socket.port {
                Some(Port::Number(port)) => self.port(port, socket.span),
                _ => None,
            };
            (host, port)
        });
        let ports = match (first, last) {
            (Some(first), Some(last)) => (first..=last.max(first)).map(Some).collect(),
            (port, _) => vec![port],
        };
        let place = self.file_and_line(span);
        for host in &socket.hosts {
            for port in &ports {
                self.manifest.sockets.push(SocketSpec {
                    protocol: protocol(socket.protocol),
                    host: host.to_text(),
                    port: *port,
                    advertise: advertise.clone(),
                    name: name.clone(),
                    is_virtual,
                    place,
                });
            }
        }
    }

    pub(super) fn alias(&mut self, names: &[SocketId]) {
        for socket in names {
            let port = match socket.port {
                Some(Port::Number(port)) => self.port(port, socket.span),
                _ => None,
            };
            for host in &socket.hosts {
                self.manifest.aliases.push(AliasSpec {
                    protocol: protocol(socket.protocol),
                    host: host.to_text(),
                    port,
                });
            }
        }
    }

    /// Reports a `force_send_socket` that names none of the listen sockets. Nothing is known of
    /// those that are given by a host's or an interface's name, or not given.
    pub(super) fn check_send_socket(&mut self, call: &Call) {
        let Some(ArgKind::Socket(wanted)) = call.args.first().map(|arg| &arg.kind) else {
            return;
        };
        let Some(HostKind::Ip(address)) = wanted.hosts.first().map(|host| &host.kind) else {
            return;
        };
        let port = match wanted.port {
            Some(Port::Number(port)) => u16::try_from(port).ok(),
            _ => None,
        };
        let wanted_protocol = protocol(wanted.protocol);
        let sockets = &self.manifest.sockets;
        let may_be = |socket: &SocketSpec| {
            let Ok(own) = socket.host.trim_matches(['[', ']']).parse::<IpAddr>() else {
                return true;
            };
            own == *address
                && port.unwrap_or(5060) == socket.port.unwrap_or(5060)
                && (socket.protocol.is_none()
                    || wanted_protocol.is_none()
                    || socket.protocol == wanted_protocol)
        };
        if sockets.is_empty() || sockets.iter().any(may_be) {
            return;
        }
        let message = "this is none of the listen sockets";
        self.error("unknown-socket", message, wanted.span);
    }

    fn port(&mut self, port: i32, span: Span) -> Option<u16> {
        let valid = u16::try_from(port).ok();
        if valid.is_none() {
            self.error(
                "bad-port",
                format!("{port} is no port: ports are 0 to 65535"),
                span,
            );
        }
        valid
    }
}

fn protocol(protocol: Option<Protocol>) -> Option<String> {
    protocol
        .filter(|protocol| *protocol != Protocol::Any)
        .map(|protocol| protocol_text(protocol).to_owned())
}
