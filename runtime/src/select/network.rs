//! `@src`, `@dst` and `@received`: between which addresses the message came.

use std::net::SocketAddr;

use super::{Path, Steps};
use crate::declare::ConstantError;
use crate::run::Run;
use crate::transport::Protocol;
use crate::value::Val;
use crate::variables::written;

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndPart {
    /// `ip`
    Ip,
    /// `port`
    Port,
    /// `ip_port`
    IpPort,
}

impl EndPart {
    fn of(steps: &mut Steps<'_>) -> Result<EndPart, ConstantError> {
        match steps.step()? {
            None => Err(steps.incomplete()),
            Some(step) if step.is("ip") => Ok(EndPart::Ip),
            Some(step) if step.is("port") => Ok(EndPart::Port),
            Some(step) if step.is("ip_port") => Ok(EndPart::IpPort),
            Some(_) => Err(steps.unknown()),
        }
    }
}

impl Path for EndPart {
    const NAME: &'static str = "select-end-part";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        EndPart::of(steps)
    }
}

/// A part of the socket that the message came to.
#[derive(Clone, Copy, Debug)]
pub enum SocketPart {
    /// `proto`
    Protocol,
    /// `proto_ip_port`
    Whole,
    /// A part of its address.
    End(EndPart),
}

impl Path for SocketPart {
    const NAME: &'static str = "select-socket-part";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let mut ahead = *steps;
        let part = match ahead.step()? {
            Some(step) if step.is("proto") => SocketPart::Protocol,
            Some(step) if step.is("proto_ip_port") => SocketPart::Whole,
            _ => return EndPart::of(steps).map(SocketPart::End),
        };
        *steps = ahead;
        Ok(part)
    }
}

fn end(run: &mut Run, address: SocketAddr, part: EndPart) -> Val {
    let (ip, port) = (address.ip(), address.port());
    match part {
        EndPart::Ip => written::<64>(run, format_args!("{ip}")),
        EndPart::Port => written::<8>(run, format_args!("{port}")),
        EndPart::IpPort => written::<64>(run, format_args!("{ip}:{port}")),
    }
}

/// Address and transport of the socket that the message came to.
fn receiving(run: &Run) -> Option<(SocketAddr, Protocol)> {
    let socket = run.try_worker()?.network.socket(run.source.socket)?;
    Some((socket.address, run.source.protocol))
}

/// Selects of addresses of the network.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use super::{EndPart, SocketPart, end, receiving};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::select::Below;
    use crate::value::Val;
    use crate::variables::written;

    /// Where the message came from: `ip`, `port`, `ip_port`.
    ///
    /// ```cfg
    /// if (@src.ip == "192.0.2.7") exit;
    /// ```
    #[pv(name = "@src")]
    fn src(run: &mut Run, part: Const<Below<EndPart>>) -> Val {
        end(run, run.source.address, part.0)
    }

    /// The address that the message came to: `ip`, `port`, `ip_port`.
    #[pv(name = "@dst")]
    fn dst(run: &mut Run, part: Const<Below<EndPart>>) -> Option<Val> {
        let (address, _) = receiving(run)?;
        Some(end(run, address, part.0))
    }

    /// The socket that the message came to: `proto`, `ip`, `port`, `ip_port`, `proto_ip_port`.
    #[pv(name = "@received")]
    fn received(run: &mut Run, part: Const<Below<SocketPart>>) -> Option<Val> {
        let (address, protocol) = receiving(run)?;
        Some(match part.0 {
            SocketPart::Protocol => Val::str(protocol.name().as_bytes()),
            SocketPart::End(part) => end(run, address, part),
            SocketPart::Whole => {
                let (ip, port) = (address.ip(), address.port());
                written::<96>(run, format_args!("{}:{ip}:{port}", protocol.name()))
            }
        })
    }
}
