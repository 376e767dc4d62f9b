//! Forwarding without a transaction (RFC 3261 §16.11).

use bytes::Bytes;
use kcc_sip::build::{NewVia, ToTag};

use crate::fiber::WaitError;
use crate::message::{OutgoingReply, OutgoingRequest};
use crate::proxy::destination::routing_uri;
use crate::proxy::record_route::Side;
use crate::proxy::{Connect, NextHop, NextHopError, Wishes, respond};
use crate::run::Run;
use crate::transport::{Destination, Protocol, SendError};

/// Why a message was not forwarded.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// No destination.
    #[error(transparent)]
    NextHop(#[from] NextHopError),
    /// Not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The wait for the host's address ended without it.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// `onsend_route` dropped it.
    #[error("onsend_route dropped the message")]
    Dropped,
    /// Nothing that can be built.
    #[error("the message cannot be built")]
    Build,
}

impl ForwardError {
    /// The code of `forward()`.
    pub fn code(&self) -> i64 {
        match self {
            ForwardError::NextHop(error) => error.code(),
            ForwardError::Send(_) => -477,
            _ => -1,
        }
    }
}

impl Run {
    /// Forwards the request in hand to `hop`, or to where its target says, without a transaction.
    /// Waits for the address of the host.
    ///
    /// # Errors
    /// See [`ForwardError`].
    pub fn forward(&mut self, hop: Option<NextHop>) -> Result<(), ForwardError> {
        let hop = match hop {
            Some(hop) => hop,
            None => NextHop::of(routing_uri(&self.target, &self.message))?,
        };
        let destination = self.link().wait(self.locate(&hop, self.target.socket))??;
        self.branch_edits.clear();
        let destination = self.fitting(destination);
        self.add_hop_headers(&destination);
        // The same for a retransmission: what goes into it is the same.
        let tag = self.transactions().stateless_tag(&self.message);
        let mut branch = [0u8; 48];
        let branch = stateless_branch(&tag, &mut branch);
        let worker = self.worker().clone();
        let connect = self.wishes().map_or(Connect::default(), |w| w.forward);
        worker.with_buffer(|buffer| {
            if !self.build_request(&destination, branch, buffer) {
                return Err(ForwardError::Build);
            }
            self.pass_onsend(&destination, buffer)?;
            worker.send_with(&destination, buffer, connect)?;
            Ok(())
        })?;
        self.settled = true;
        Ok(())
    }

    /// Runs `onsend_route` for the message in hand, built as `data`.
    fn pass_onsend(&mut self, destination: &Destination, data: &[u8]) -> Result<(), ForwardError> {
        match self.onsend() {
            Some(route) if !self.run_onsend(route, *destination, Bytes::copy_from_slice(data)) => {
                Err(ForwardError::Dropped)
            }
            _ => Ok(()),
        }
    }

    /// What the script wishes of the way the message leaves, if anything.
    pub(crate) fn wishes(&self) -> Option<&Wishes> {
        self.locals.peek::<Wishes>()
    }

    /// Appends the request as it goes to `destination` to `out`: with the edits of the message and
    /// of the branch, and our Via with `branch`.
    pub(crate) fn build_request(
        &self,
        destination: &Destination,
        branch: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let worker = self.worker();
        let Some(socket) = destination.socket.and_then(|id| worker.network.socket(id)) else {
            return false;
        };
        let wishes = self.wishes();
        let port = wishes.and_then(|w| w.port).unwrap_or(socket.sent_port());
        // A client of WebSocket is known by its address alone.
        let instance = self.source.connection.filter(|_| {
            let protocol = self.source.protocol;
            protocol.carrier() == protocol
        });
        // As Kamailio writes it: of WebSocket the port of SIP is left out, not that of HTTP.
        let implied = match destination.protocol {
            Protocol::Ws | Protocol::Wss => Protocol::Tcp.default_port(),
            _ => socket.protocol.default_port(),
        };
        let via = NewVia {
            transport: destination.protocol.via_name().as_bytes(),
            host: wishes
                .and_then(|w| w.host.get())
                .unwrap_or(socket.sent_host().as_bytes()),
            port: (port != implied).then_some(port),
            branch,
            instance: instance.map(|id| id.0.get()),
            rport: wishes.is_some_and(|w| w.rport),
            extra: b"",
        };
        worker.builder().request(
            &OutgoingRequest {
                message: &self.message,
                uri: self.target.uri.get(),
                via: Some(via),
                stamp: respond::stamp(&self.message, &self.source, self.force_rport),
                edits: &self.edits,
                branch_edits: Some(&self.branch_edits),
                stream: destination.protocol.reliable(),
            },
            out,
        )
    }

    /// Adds Record-Route and the Route of the contact's path to the edits of the branch.
    pub(crate) fn add_hop_headers(&mut self, destination: &Destination) {
        let worker = self.worker().clone();
        worker.with_buffer(|lines| {
            let network = &worker.network;
            let inbound = network.socket(self.source.socket);
            let outbound = destination.socket.and_then(|id| network.socket(id));
            if let (Some(inbound), Some(outbound)) = (inbound, outbound) {
                let inbound = Side {
                    socket: inbound,
                    protocol: self.source.protocol,
                };
                let outbound = Side {
                    socket: outbound,
                    protocol: destination.protocol,
                };
                self.record_route.write(inbound, outbound, lines);
            }
            if let Some(path) = self.target.path.get().filter(|path| !path.is_empty()) {
                lines.extend_from_slice(b"Route: ");
                lines.extend_from_slice(path);
                lines.extend_from_slice(b"\r\n");
            }
            if !lines.is_empty()
                && self
                    .branch_edits
                    .prepend_header(&self.message, lines)
                    .is_err()
            {
                self.report(&"too many edits: Record-Route is not added");
            }
        });
    }
}

/// A branch parameter that leads back to no transaction.
fn stateless_branch<'a>(tag: &ToTag, space: &'a mut [u8; 48]) -> &'a [u8] {
    const START: &[u8] = b"z9hG4bKsl.";
    let tag = tag.as_bytes();
    let len = START.len() + tag.len();
    space[..START.len()].copy_from_slice(START);
    space[START.len()..len].copy_from_slice(tag);
    &space[..len]
}

/// Forwards the reply in hand by its second Via (RFC 3261 §16.7 step 9, §18.2.2).
///
/// # Errors
/// See [`ForwardError`].
pub fn forward_reply(run: &mut Run) -> Result<(), ForwardError> {
    let hop = {
        let Some(via) = run.message.vias().nth(1) else {
            // The reply was to this server, and nothing here waits for it.
            return Ok(());
        };
        let host = via.received().unwrap_or_else(|| via.host());
        let port = via.rport().or_else(|| via.port());
        NextHop {
            host: host.to_vec(),
            port: Some(port.unwrap_or(5060)),
            protocol: Protocol::from_name(via.transport()),
        }
    };
    let mut destination = run.link().wait(run.locate(&hop, None))??;
    destination.connection = None;
    let worker = run.worker().clone();
    worker.with_buffer(|buffer| {
        let reply = OutgoingReply {
            message: &run.message,
            remove_top_via: true,
            edits: &run.edits,
            stream: destination.protocol.reliable(),
        };
        if !worker.builder().reply(&reply, buffer) {
            return Err(ForwardError::Build);
        }
        run.pass_onsend(&destination, buffer)?;
        worker.send(&destination, buffer)?;
        Ok(())
    })
}
