//! How a message leaves: Via, ports, sockets, connections.

use kcc_macros::part;

use crate::declare::{ConstantError, Parse};
use crate::transport::{Protocol, Socket};

/// The name of a listen socket: `[proto:]host[:port]`.
#[derive(Debug)]
pub struct SocketName {
    protocol: Option<Protocol>,
    host: Box<[u8]>,
    port: Option<u16>,
}

impl Parse for SocketName {
    const NAME: &'static str = "socket";
    const WHAT: &'static str = "a listen socket: [proto:]host[:port]";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let first = text.split(|c| *c == b':').next().unwrap_or_default();
        let (protocol, rest) = match Protocol::from_name(first) {
            Some(protocol) if text.len() > first.len() => {
                (Some(protocol), &text[first.len() + 1..])
            }
            _ => (None, text),
        };
        let host_end = if rest.starts_with(b"[") {
            rest.iter().position(|c| *c == b']').map(|end| end + 1)
        } else {
            Some(rest.iter().position(|c| *c == b':').unwrap_or(rest.len()))
        };
        let host_end = host_end.ok_or_else(|| ConstantError::new("the ] is missing"))?;
        let (host, port) = rest.split_at(host_end);
        if host.is_empty() {
            return Err(ConstantError::new("the host is missing"));
        }
        let port = match port {
            [] => None,
            [b':', port @ ..] => Some(
                kcc_sip::token::parse_port(port)
                    .ok_or_else(|| ConstantError::new("this is no port"))?,
            ),
            _ => return Err(ConstantError::new("this is no listen socket")),
        };
        Ok(SocketName {
            protocol,
            host: host.into(),
            port,
        })
    }
}

impl SocketName {
    /// Whether `socket` is called that. A name without a port or protocol means any.
    pub fn is(&self, socket: &Socket) -> bool {
        let host = |name: &str| name.as_bytes().eq_ignore_ascii_case(&self.host);
        let advertised = socket.advertised.as_ref();
        self.protocol.is_none_or(|p| p == socket.protocol)
            && ((self.port.is_none_or(|port| port == socket.address.port())
                && (host(&socket.host) || host(&socket.address_text)))
                || advertised.is_some_and(|(name, port)| {
                    host(name) && self.port.is_none_or(|wanted| wanted == *port)
                }))
    }
}

/// `force_rport` and its like.
#[part(module = "core")]
pub mod exports {
    use super::SocketName;
    use crate::declare::{Const, Int, Raw};
    use crate::proxy::Wishes;
    use crate::run::Run;
    use crate::shim::Verdict;

    /// Answers go back to the address and port that the request came from, as if its Via had
    /// `rport` (RFC 3581).
    ///
    /// ```cfg
    /// force_rport();
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("add_rport")
    )]
    fn force_rport(run: &mut Run) -> Verdict {
        run.force_rport = true;
        Verdict::TRUE
    }

    /// Adds `rport` to the Via of this server in the request that goes on (RFC 3581).
    ///
    /// ```cfg
    /// add_local_rport();
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn add_local_rport(run: &mut Run) -> Verdict {
        run.locals.get::<Wishes>().rport = true;
        Verdict::TRUE
    }

    /// Sets the host that the Via of this server carries in this message.
    ///
    /// ```cfg
    /// set_advertised_address("sip.example.com");
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn set_advertised_address(run: &mut Run, host: Raw) -> Verdict {
        run.locals.get::<Wishes>().host.set(host.0);
        Verdict::TRUE
    }

    /// Sets the port that the Via of this server carries in this message, 1 to 65535.
    ///
    /// ```cfg
    /// set_advertised_port(5080);
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn set_advertised_port(run: &mut Run, port: Int) -> Result<bool, &'static str> {
        let port = u16::try_from(port).map_err(|_| "this is no port")?;
        run.locals.get::<Wishes>().port = Some(port);
        Ok(true)
    }

    /// Sends the request from the listen socket `socket`: `[proto:]host[:port]`.
    /// -1 if there is none of that name.
    ///
    /// ```cfg
    /// force_send_socket(udp:192.0.2.1:5060);
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn force_send_socket(run: &mut Run, socket: Const<SocketName>) -> Result<bool, &'static str> {
        let network = &run.worker().network;
        let found = network
            .sockets()
            .iter()
            .find(|candidate| socket.is(candidate));
        let id = found.ok_or("no listen socket is called that")?.id;
        run.target.socket = Some(id);
        Ok(true)
    }

    /// Lets requests to the peer's Via port, or to `port`, use the connection that this message
    /// came on (RFC 5923). Nothing happens where there is no connection.
    ///
    /// ```cfg
    /// force_tcp_alias();
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        aliases("add_tcp_alias")
    )]
    fn force_tcp_alias(run: &mut Run, port: Option<Int>) -> Result<bool, &'static str> {
        let port = match port {
            Some(port) => u16::try_from(port).map_err(|_| "this is no port")?,
            None => run
                .message
                .top_via()
                .and_then(|via| via.port())
                .unwrap_or(run.source.protocol.default_port()),
        };
        match run.source.connection {
            Some(connection) => Ok(run.worker().network.alias(connection, port)),
            None => Ok(true),
        }
    }

    /// The request goes on over a connection that is open, or not at all.
    ///
    /// ```cfg
    /// set_forward_no_connect();
    /// ```
    #[function(routes = "any")]
    fn set_forward_no_connect(run: &mut Run) -> Verdict {
        run.locals.get::<Wishes>().forward.existing_only = true;
        Verdict::TRUE
    }

    /// Answers go back over a connection that is open, or not at all.
    ///
    /// ```cfg
    /// set_reply_no_connect();
    /// ```
    #[function(routes = "any")]
    fn set_reply_no_connect(run: &mut Run) -> Verdict {
        run.locals.get::<Wishes>().reply.existing_only = true;
        Verdict::TRUE
    }

    /// The connection that the request goes on over is closed after it.
    ///
    /// ```cfg
    /// set_forward_close();
    /// ```
    #[function(routes = "any")]
    fn set_forward_close(run: &mut Run) -> Verdict {
        run.locals.get::<Wishes>().forward.close = true;
        Verdict::TRUE
    }

    /// The connection that an answer goes back over is closed after it.
    ///
    /// ```cfg
    /// set_reply_close();
    /// ```
    #[function(routes = "any")]
    fn set_reply_close(run: &mut Run) -> Verdict {
        run.locals.get::<Wishes>().reply.close = true;
        Verdict::TRUE
    }
}
