//! Requests too large for UDP: above `udp_mtu` bytes they go over the transport that
//! `udp_mtu_try_proto` names (RFC 3261 §18.1.1).

use crate::proxy::Wishes;
use crate::run::Run;
use crate::transport::{Destination, Protocol};

/// A `branch` parameter as long as those that are sent.
const BRANCH: &[u8] = b"z9hG4bK0000.00000000000000000000000000000000.0";

impl Run {
    /// Where the request goes that would go to `destination`: the same address over another
    /// transport when it is too large for UDP and there is a socket for that.
    pub(crate) fn fitting(&mut self, destination: Destination) -> Destination {
        let settings = &self.program.settings;
        let limit = usize::try_from(settings.udp_mtu).unwrap_or(0);
        if limit == 0 || destination.protocol != Protocol::Udp {
            return destination;
        }
        let default = settings.udp_mtu_try_proto.as_deref();
        let wished = self.locals.peek::<Wishes>().and_then(|w| w.large);
        let Some(protocol) =
            wished.or_else(|| default.and_then(|name| Protocol::from_name(name.as_bytes())))
        else {
            return destination;
        };
        let edits = self.branch_edits.clone();
        self.add_hop_headers(&destination);
        let worker = self.worker().clone();
        let large = worker.with_buffer(|buffer| {
            self.build_request(&destination, BRANCH, buffer) && buffer.len() > limit
        });
        self.branch_edits = edits;
        if !large {
            return destination;
        }
        let received = Some(self.source.socket);
        let socket = worker
            .network
            .socket_for(protocol, destination.address, received);
        match socket {
            Some(socket) => Destination {
                protocol,
                socket: Some(socket),
                ..destination
            },
            None => destination,
        }
    }
}
