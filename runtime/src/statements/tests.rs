//! What the test keywords ask of the server: `uri==myself` and its like.

use std::net::IpAddr;

use kcc_sip::Uri;

use crate::run::Run;

/// Whether the host of `uri` is this server: the keyword `myself` against a URI. A URI without a
/// port stands for its default port, its `transport` does not matter; a `tel:` URI is never this
/// server.
pub fn is_myself(run: &Run, uri: &[u8]) -> bool {
    let (Some(worker), Ok(uri)) = (run.try_worker(), Uri::parse(uri)) else {
        return false;
    };
    !uri.host.is_empty()
        && worker
            .server
            .myself
            .contains(uri.host, Some(uri.port_or_default()), None)
}

/// Whether `address` at `port` is this server: the keyword `myself` against an address.
pub fn is_my_address(run: &Run, address: IpAddr, port: Option<u16>) -> bool {
    run.try_worker()
        .is_some_and(|worker| worker.server.myself.contains_address(address, port, None))
}
