//! Raw data: text, or the message as it came, to any address.

use kcc_runtime::proxy::{ForwardError, NextHop, NextHopError};
use kcc_runtime::run::Run;
use kcc_runtime::transport::{Protocol, SocketId};

use super::address::Address;

/// Sends `data` to `hop`, from `socket` where one is given. Waits for the address of the host.
fn send(
    run: &mut Run,
    hop: Result<NextHop, NextHopError>,
    socket: Option<SocketId>,
    data: &[u8],
) -> Result<bool, ForwardError> {
    let hop = hop?;
    let located = run.link().wait(run.locate(&hop, socket));
    let destination = match located {
        Ok(found) => found?,
        Err(error) => {
            run.fail(&error);
            return Ok(false);
        }
    };
    if socket.is_some() && destination.socket != socket {
        let (protocol, address) = (destination.protocol, destination.address);
        return Err(NextHopError::NoSocket(protocol, address).into());
    }
    run.worker().network.send(&destination, data)?;
    Ok(true)
}

/// Sends the message as it came over `protocol` to `host[:port]`, or to its next hop.
fn send_message(
    run: &mut Run,
    protocol: Protocol,
    to: Option<&[u8]>,
) -> Result<bool, ForwardError> {
    let hop = match to.filter(|to| !to.is_empty()) {
        Some(text) => Address::parse(text)
            .map(|address| NextHop {
                host: address.host.to_vec(),
                port: address.port,
                protocol: None,
            })
            .ok_or_else(|| NextHopError::BadUri(String::from_utf8_lossy(text).into_owned())),
        None => NextHop::of(run.next_hop()),
    };
    let hop = hop.map(|hop| NextHop {
        protocol: Some(protocol),
        ..hop
    });
    // It shares its bytes with the message.
    let data = run.message.bytes().clone();
    send(run, hop, None, &data)
}

/// `send_data` and its like.
#[kcc_macros::part(module = "corex")]
pub mod exports {
    use kcc_runtime::declare::Text;
    use kcc_runtime::proxy::{ForwardError, NextHop};
    use kcc_runtime::run::Run;
    use kcc_runtime::transport::Protocol;
    use kcc_runtime::variables::next_hop::socket_called;

    use super::{send, send_message};

    /// Sends `data` to `uri`, as it is: over UDP one datagram, over TCP and TLS what the connection
    /// carries next. Both may hold variables.
    ///
    /// True when it is on its way; -1 where `uri` is no SIP URI, its host has no address, or it
    /// cannot be sent.
    ///
    /// ```cfg
    /// send_data("sip:192.0.2.7:9000", "call $ci from $si\n");
    /// send_data("sip:192.0.2.7:9001;transport=tcp", "call $ci\n");
    /// ```
    #[function(routes = "any", waits)]
    fn send_data(run: &mut Run, uri: Text, data: Text) -> Result<bool, ForwardError> {
        send(run, NextHop::of(uri), None, data)
    }

    /// As `send_data`, from the listen socket `socket`, `[proto:]host[:port]`; where none is called
    /// that, a warning is logged and the server chooses.
    ///
    /// -1, too, where the socket is of another transport than `uri`.
    ///
    /// ```cfg
    /// sendx("sip:192.0.2.7:9000", "udp:192.0.2.1:5060", "call $ci\n");
    /// ```
    #[function(routes = "any", waits)]
    fn sendx(run: &mut Run, uri: Text, socket: Text, data: Text) -> Result<bool, ForwardError> {
        let found = socket_called(run, socket);
        if found.is_none() && !socket.is_empty() {
            run.warn(&"no listen socket is called that");
        }
        send(run, NextHop::of(uri), found, data)
    }

    /// Sends the request as it came, byte for byte, over UDP to `host[:port]`, or to `$du` or the
    /// Request-URI where none is given. No Via is added.
    ///
    /// ```cfg
    /// send_udp("192.0.2.7:9060");
    /// ```
    #[function(routes = "request|failure", waits)]
    fn send_udp(run: &mut Run, to: Option<Text>) -> Result<bool, ForwardError> {
        send_message(run, Protocol::Udp, to)
    }

    /// As `send_udp`, over TCP.
    ///
    /// ```cfg
    /// send_tcp("192.0.2.7:9060");
    /// ```
    #[function(routes = "request|failure", waits)]
    fn send_tcp(run: &mut Run, to: Option<Text>) -> Result<bool, ForwardError> {
        send_message(run, Protocol::Tcp, to)
    }

    /// Sends the reply on to where its second Via points, at once.
    ///
    /// ```cfg
    /// reply_route {
    ///     forward_reply();
    ///     drop;
    /// }
    /// ```
    #[function(routes = "core_onreply", waits)]
    fn forward_reply(run: &mut Run) -> Result<bool, ForwardError> {
        kcc_runtime::proxy::forward_reply(run).map(|()| true)
    }
}
