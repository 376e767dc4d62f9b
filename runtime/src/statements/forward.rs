//! `forward` and its like: sending a request on without a transaction (RFC 3261 §16.11).

use kcc_macros::part;

use crate::declare::{ConstantError, Parse};
use crate::proxy::{ForwardError, NextHop, NextHopError};
use crate::run::Run;
use crate::shim::Verdict;
use crate::transport::Protocol;

/// Where to: a host, or `uri:host`.
#[derive(Debug)]
pub enum Host {
    /// The host of the Request-URI.
    OfUri,
    /// This one.
    Named(Box<[u8]>),
}

impl Parse for Host {
    const NAME: &'static str = "forward-host";
    const WHAT: &'static str = "a host, or uri:host";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            [] => Err(ConstantError::new("the host is missing")),
            b"uri:host" => Ok(Host::OfUri),
            _ => Ok(Host::Named(text.into())),
        }
    }
}

/// To which port: a number, or `uri:port`.
#[derive(Debug)]
pub enum Port {
    /// The port of the Request-URI.
    OfUri,
    /// This one; 0 is the default.
    Number(u16),
}

impl Parse for Port {
    const NAME: &'static str = "forward-port";
    const WHAT: &'static str = "a port, or uri:port";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            b"uri:port" => Ok(Port::OfUri),
            _ => kcc_sip::token::parse_u32(text)
                .and_then(|n| u16::try_from(n).ok())
                .map(Port::Number)
                .ok_or_else(|| ConstantError::new("this is no port")),
        }
    }
}

fn hop(
    run: &Run,
    protocol: Option<Protocol>,
    host: &Host,
    port: Option<&Port>,
) -> Result<NextHop, NextHopError> {
    let uri = match (host, port) {
        (Host::OfUri, _) | (_, Some(Port::OfUri)) => Some(NextHop::of(run.uri())?),
        _ => None,
    };
    Ok(NextHop {
        host: match (host, &uri) {
            (Host::Named(host), _) => host.to_vec(),
            (Host::OfUri, Some(uri)) => uri.host.clone(),
            (Host::OfUri, None) => Vec::new(),
        },
        port: match port {
            Some(Port::Number(port)) => Some(*port).filter(|port| *port != 0),
            Some(Port::OfUri) => uri.as_ref().and_then(|uri| uri.port),
            None => None,
        },
        protocol: protocol.or_else(|| uri.and_then(|uri| uri.protocol)),
    })
}

fn send(run: &mut Run, hop: Result<NextHop, NextHopError>) -> Verdict {
    let sent = match hop {
        Ok(hop) => run.forward(Some(hop)),
        Err(error) => Err(error.into()),
    };
    outcome(run, sent)
}

fn outcome(run: &mut Run, sent: Result<(), ForwardError>) -> Verdict {
    match sent {
        Ok(()) => Verdict::TRUE,
        Err(ForwardError::Wait(error)) => {
            run.fail_wait(error);
            Verdict::FALSE
        }
        Err(error) => {
            run.report(&error);
            Verdict::Code(error.code())
        }
    }
}

/// `forward` and its like.
#[part(module = "core")]
pub mod exports {
    use super::{Host, Port, hop, outcome, send};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::shim::Verdict;
    use crate::transport::Protocol;

    /// Sends the request on to `$du`, or to the Request-URI where that is not set, without a
    /// transaction. Less than 0 if it cannot be sent: -478 if the host has no address.
    ///
    /// ```cfg
    /// forward();
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        name = "forward",
        waits
    )]
    fn forward_on(run: &mut Run) -> Verdict {
        let sent = run.forward(None);
        outcome(run, sent)
    }

    /// Sends the request on to `host` at `port` without a transaction. `uri:host` and `uri:port`
    /// are those of the Request-URI. Less than 0 if it cannot be sent.
    ///
    /// ```cfg
    /// forward("192.0.2.1", 5080);
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        name = "forward",
        waits
    )]
    fn forward_to(run: &mut Run, host: Const<'_, Host>, port: Option<Const<'_, Port>>) -> Verdict {
        let hop = hop(run, None, &host, port.as_deref());
        send(run, hop)
    }

    /// As `forward`, over UDP.
    ///
    /// ```cfg
    /// forward_udp("192.0.2.1", 5080);
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        waits
    )]
    fn forward_udp(run: &mut Run, host: Const<'_, Host>, port: Option<Const<'_, Port>>) -> Verdict {
        let hop = hop(run, Some(Protocol::Udp), &host, port.as_deref());
        send(run, hop)
    }

    /// As `forward`, over TCP.
    ///
    /// ```cfg
    /// forward_tcp("192.0.2.1", 5080);
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        waits
    )]
    fn forward_tcp(run: &mut Run, host: Const<'_, Host>, port: Option<Const<'_, Port>>) -> Verdict {
        let hop = hop(run, Some(Protocol::Tcp), &host, port.as_deref());
        send(run, hop)
    }

    /// As `forward`, over TLS.
    ///
    /// ```cfg
    /// forward_tls("192.0.2.1", 5061);
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        waits
    )]
    fn forward_tls(run: &mut Run, host: Const<'_, Host>, port: Option<Const<'_, Port>>) -> Verdict {
        let hop = hop(run, Some(Protocol::Tls), &host, port.as_deref());
        send(run, hop)
    }

    /// As `forward`, over SCTP.
    ///
    /// ```cfg
    /// forward_sctp("192.0.2.1", 5060);
    /// ```
    #[function(
        routes = "request|failure|onreply|branch|error|local|branch_failure|event",
        waits
    )]
    fn forward_sctp(
        run: &mut Run,
        host: Const<'_, Host>,
        port: Option<Const<'_, Port>>,
    ) -> Verdict {
        let hop = hop(run, Some(Protocol::Sctp), &host, port.as_deref());
        send(run, hop)
    }
}
