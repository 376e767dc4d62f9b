//! Sockets, hosts and the arguments of core statements that are written like them.

use super::{Builder, ListenOption, SocketAttribute};
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::*;
use crate::syntax::token::Kind;

impl Builder<'_> {
    pub(in crate::syntax) fn ip_host(&mut self, index: u32) -> Host {
        let span = self.token_span(index);
        let kind = match self.address(index) {
            Some(address) => HostKind::Ip(address),
            None => HostKind::Name(self.text(index, index + 1)),
        };
        Host { kind, span }
    }

    pub(in crate::syntax) fn string_host(&self, string: Str) -> Host {
        Host {
            span: string.span,
            kind: HostKind::Str(string),
        }
    }

    pub(in crate::syntax) fn named_host(&self, first: u32, end: u32) -> Host {
        Host {
            kind: HostKind::Name(self.text(first, end)),
            span: self.span(first, end),
        }
    }

    pub(in crate::syntax) fn socket(
        &self,
        protocol: Option<u32>,
        hosts: Vec<Host>,
        port: Option<u32>,
        first: u32,
        end: u32,
    ) -> SocketId {
        let port = port.map(|index| match self.token(index) {
            token if token.kind == Kind::Number => Port::Number(token.value),
            _ => Port::Any,
        });
        SocketId {
            protocol: protocol.map(|index| self.protocol(index)),
            hosts,
            port,
            span: self.span(first, end),
        }
    }

    pub(in crate::syntax) fn listen(
        &mut self,
        sockets: Vec<SocketId>,
        options: Vec<(u32, ListenOption)>,
    ) -> ItemKind {
        let mut listen = Listen {
            sockets: self.no_websockets(sockets),
            advertise: None,
            name: None,
            is_virtual: false,
        };
        let mut place = 0;
        for (word, option) in options {
            let own = match &option {
                ListenOption::Advertise(_) => 1,
                ListenOption::Name(_) => 2,
                ListenOption::Virtual => 3,
            };
            if own <= place {
                let span = self.token_span(word);
                self.report(
                    Diagnostic::error("syntax", "this is given twice, or out of order")
                        .label(span, "not expected here")
                        .help("the order is: advertise, name, virtual"),
                );
            }
            place = own;
            match option {
                ListenOption::Advertise(socket) => {
                    self.check_advertised(&socket);
                    listen.advertise = Some(socket);
                }
                ListenOption::Name(name) => listen.name = Some(name),
                ListenOption::Virtual => listen.is_virtual = true,
            }
        }
        ItemKind::Listen(listen)
    }

    pub(in crate::syntax) fn alias(&mut self, sockets: Vec<SocketId>) -> ItemKind {
        ItemKind::Alias(self.no_websockets(sockets))
    }

    /// The sockets, after saying that WebSocket is no transport to listen on.
    fn no_websockets(&mut self, sockets: Vec<SocketId>) -> Vec<SocketId> {
        for socket in &sockets {
            if let Some(Protocol::Ws | Protocol::Wss) = socket.protocol {
                self.report(
                    Diagnostic::error("bad-socket", "nothing listens on `ws` or `wss` itself")
                        .label(socket.span, "not a transport")
                        .help("listen on tcp or tls: WebSocket begins there as HTTP"),
                );
            }
        }
        sockets
    }

    /// `host[:port]` or `protocol:host:port`.
    fn check_advertised(&mut self, socket: &SocketId) {
        let bracketed = self.sources.text(socket.span).starts_with(b"(");
        let message = match (socket.protocol, socket.port) {
            (_, Some(Port::Any)) => "an advertised port is a number",
            _ if bracketed || socket.hosts.len() != 1 => "one address is advertised",
            (Some(Protocol::Any), _) => "`*` cannot be advertised",
            (Some(_), None) => "with a protocol, a port is needed",
            _ => return,
        };
        self.report(
            Diagnostic::error("bad-socket", message)
                .label(socket.span, "here")
                .help("write host, host:port or protocol:host:port"),
        );
    }

    pub(in crate::syntax) fn socket_attribute(
        &self,
        name: u32,
        value: SocketId,
        last_port: Option<u32>,
    ) -> SocketAttribute {
        SocketAttribute {
            name,
            value,
            last_port: last_port.map(|index| self.token(index).value),
        }
    }

    /// `socket = { … }`; `name` is the token before the `=` and `close` the brace.
    pub(in crate::syntax) fn socket_block(
        &mut self,
        name: u32,
        attributes: Vec<Option<SocketAttribute>>,
        close: u32,
    ) -> ItemKind {
        let span = self.span(name, close + 1);
        if &*self.text(name, name + 1) != "socket" {
            self.report(
                Diagnostic::error("syntax", "a value is expected here, not a block")
                    .label(span, "only `socket` has a block as its value"),
            );
            return ItemKind::Error;
        }
        let mut block = SocketBlock::default();
        for attribute in attributes.into_iter().flatten() {
            self.set_attribute(&mut block, attribute);
        }
        if block.bind.is_none() {
            self.report(
                Diagnostic::error("bad-socket", "this socket has no address")
                    .label(span, "`bind` is missing")
                    .help("add: bind = udp:192.0.2.1:5060;"),
            );
        }
        ItemKind::Socket(block)
    }

    fn set_attribute(&mut self, block: &mut SocketBlock, attribute: SocketAttribute) {
        let SocketAttribute {
            name,
            mut value,
            last_port,
        } = attribute;
        if let (Some(last), Some(Port::Number(first))) = (last_port, value.port) {
            value.port = Some(Port::Range(first, last));
        }
        let word = self.text(name, name + 1);
        let known = match &*word {
            "bind" => {
                block.bind = Some(value);
                return;
            }
            "advertise" | "ADVERTISE" => {
                self.check_advertised(&value);
                block.advertise = Some(value);
                return;
            }
            "virtual" => {
                if let Some(number) = self.attribute_number(&value) {
                    block.is_virtual = Some(number);
                    return;
                }
                Some("a number")
            }
            "name" | "NAME" | "agname" | "AGNAME" | "vrf" | "VRF" => {
                if let Some(string) = attribute_string(&value) {
                    match &*word.to_ascii_lowercase() {
                        "name" => block.name = Some(string),
                        "agname" => block.agname = Some(string),
                        _ => block.vrf = Some(string),
                    }
                    return;
                }
                Some("a string")
            }
            _ => None,
        };
        let diagnostic = match known {
            Some(kind) => Diagnostic::error("bad-socket", format!("`{word}` takes {kind}"))
                .label(value.span, "not of that kind"),
            None => Diagnostic::error("bad-socket", format!("a socket has no `{word}`"))
                .label(self.token_span(name), "unknown")
                .help("a socket has bind, advertise, name, agname, vrf and virtual"),
        };
        self.report(diagnostic);
    }

    fn attribute_number(&self, value: &SocketId) -> Option<Number> {
        let [host] = value.hosts.as_slice() else {
            return None;
        };
        let HostKind::Name(text) = &host.kind else {
            return None;
        };
        let number = match crate::syntax::token::keyword(text.as_bytes()) {
            Some((Kind::Number, number)) => number,
            _ => crate::syntax::literal::number(text.as_bytes())?.value,
        };
        let plain = value.port.is_none() && value.protocol.is_none();
        plain.then_some(Number {
            value: number,
            span: host.span,
        })
    }

    pub(in crate::syntax) fn arg(&self, kind: ArgKind, first: u32, end: u32) -> Arg {
        Arg {
            kind,
            span: self.span(first, end),
        }
    }

    pub(in crate::syntax) fn word_arg(&self, first: u32, end: u32) -> Arg {
        let name = Name {
            text: self.text(first, end),
            span: self.span(first, end),
        };
        self.arg(ArgKind::Word(name), first, end)
    }

    pub(in crate::syntax) fn host_arg(
        &self,
        protocol: Option<u32>,
        first: u32,
        end: u32,
        port: Option<u32>,
    ) -> Arg {
        let host = self.named_host(first, end);
        self.socket_arg(protocol, host, port)
    }

    pub(in crate::syntax) fn socket_arg(
        &self,
        protocol: Option<u32>,
        host: Host,
        port: Option<u32>,
    ) -> Arg {
        let mut span = host.span;
        if let Some(protocol) = protocol {
            span = self.sources.join(self.token_span(protocol), span);
        }
        if let Some(port) = port {
            span = self.sources.join(span, self.token_span(port));
        }
        let socket = SocketId {
            protocol: protocol.map(|index| self.protocol(index)),
            hosts: vec![host],
            port: port.map(|index| Port::Number(self.token(index).value)),
            span,
        };
        Arg {
            kind: ArgKind::Socket(socket),
            span,
        }
    }

    pub(in crate::syntax) fn ip_arg(&mut self, index: u32, port: Option<u32>) -> Arg {
        let host = self.ip_host(index);
        self.socket_arg(None, host, port)
    }

    pub(in crate::syntax) fn protocol_arg(&self, index: u32) -> Arg {
        self.arg(ArgKind::Protocol(self.protocol(index)), index, index + 1)
    }

    pub(in crate::syntax) fn uri_arg(&self, index: u32) -> Arg {
        let kind = match self.token(index).value {
            0 => ArgKind::UriHost,
            _ => ArgKind::UriPort,
        };
        self.arg(kind, index, index + 1)
    }
}

fn attribute_string(value: &SocketId) -> Option<Str> {
    match value.hosts.as_slice() {
        [
            Host {
                kind: HostKind::Str(string),
                ..
            },
        ] if value.port.is_none() && value.protocol.is_none() => Some(string.clone()),
        _ => None,
    }
}
