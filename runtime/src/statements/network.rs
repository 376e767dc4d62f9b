//! How a message leaves: Via, ports, sockets, connections.

use kcc_macros::part;

/// `force_rport` and its like.
#[part(module = "core")]
pub mod exports {
    use crate::declare::{Int, Raw};
    use crate::proxy::Wishes;
    use crate::run::Run;
    use crate::shim::Verdict;
    use crate::transport::Protocol;

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
    fn force_send_socket(run: &mut Run, socket: Raw) -> Result<bool, &'static str> {
        let found = crate::variables::next_hop::socket_called(run, socket.0);
        run.target.socket = Some(found.ok_or("no listen socket is called that")?);
        Ok(true)
    }

    /// A request that is larger than `udp_mtu` goes over `protocol` and not over UDP: `TCP`, `TLS`,
    /// `SCTP`, or `UDP` to let it be.
    ///
    /// ```cfg
    /// udp_mtu_try_proto(TCP);
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn udp_mtu_try_proto(run: &mut Run, protocol: Raw) -> Result<bool, &'static str> {
        let protocol = Protocol::from_name(protocol.0).ok_or("this is no protocol")?;
        run.locals.get::<Wishes>().large = Some(protocol);
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
