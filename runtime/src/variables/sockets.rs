//! The listen socket that the message came to, and what it is advertised as.

use crate::run::Run;
use crate::transport::Socket;

fn receiving(run: &Run) -> Option<&Socket> {
    run.try_worker()?.network.socket(run.source.socket)
}

/// Variables of the receiving socket. All are null where there is none, as in timers.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::run::Run;
    use crate::transport::Protocol;
    use crate::value::Val;
    use crate::variables::network::{address_text, socket_uri};
    use crate::variables::written;

    use super::receiving;

    /// The address that the message came to.
    ///
    /// ```cfg
    /// if ($Ri == "192.0.2.1") exit;
    /// ```
    #[pv(name = "Ri")]
    fn address(run: &mut Run) -> Option<Val> {
        let address = receiving(run)?.address.ip();
        Some(address_text(run, address, false))
    }

    /// The port that the message came to.
    #[pv(name = "Rp")]
    fn port(run: &mut Run) -> Option<i64> {
        Some(i64::from(receiving(run)?.address.port()))
    }

    /// The receiving socket as `sip:address:port`, with `;transport=` where it is not UDP.
    #[pv(name = "Ru")]
    fn uri(run: &mut Run) -> Option<Val> {
        let socket = receiving(run)?;
        let (protocol, address) = (socket.protocol, socket.address);
        Some(socket_uri(run, protocol, address, false))
    }

    /// The receiving socket as `sip:address:port;transport=proto`.
    #[pv(name = "Rut")]
    fn full_uri(run: &mut Run) -> Option<Val> {
        let socket = receiving(run)?;
        let (protocol, address) = (socket.protocol, socket.address);
        Some(socket_uri(run, protocol, address, true))
    }

    /// The receiving socket as `proto:address:port`.
    #[pv(name = "Ras")]
    fn text(run: &mut Run) -> Option<Val> {
        let socket = receiving(run)?;
        let (protocol, address) = (socket.protocol, socket.address);
        Some(written::<128>(run, format_args!("{protocol}:{address}")))
    }

    /// The name of the receiving socket; null where it has none.
    #[pv(name = "Rn")]
    fn name(run: &mut Run) -> Option<Val> {
        Some(Val::str(receiving(run)?.name.as_ref()?.as_bytes()))
    }

    /// The host that the receiving socket is advertised as; its address where it is not.
    #[pv(name = "RAi")]
    fn advertised_host(run: &mut Run) -> Option<Val> {
        match &receiving(run)?.advertised {
            Some((host, _)) => Some(Val::str(host.as_bytes())),
            None => address(run),
        }
    }

    /// The port that the receiving socket is advertised as; its port where it is not.
    #[pv(name = "RAp")]
    fn advertised_port(run: &mut Run) -> Option<i64> {
        Some(i64::from(receiving(run)?.sent_port()))
    }

    /// The receiving socket as it is advertised, `sip:host:port`, with `;transport=` where it is not
    /// UDP; `$Ru` where it is not advertised.
    #[pv(name = "RAu")]
    fn advertised_uri(run: &mut Run) -> Option<Val> {
        advertised(run, false)
    }

    /// The receiving socket as it is advertised, `sip:host:port;transport=proto`; `$Rut` where it is
    /// not advertised.
    #[pv(name = "RAut")]
    fn advertised_full_uri(run: &mut Run) -> Option<Val> {
        advertised(run, true)
    }

    fn advertised(run: &mut Run, full: bool) -> Option<Val> {
        let worker = run.try_worker()?.clone();
        let socket = worker.network.socket(run.source.socket)?;
        let protocol = socket.protocol;
        let Some((host, port)) = &socket.advertised else {
            return Some(socket_uri(run, protocol, socket.address, full));
        };
        Some(if full || protocol != Protocol::Udp {
            written::<512>(run, format_args!("sip:{host}:{port};transport={protocol}"))
        } else {
            written::<512>(run, format_args!("sip:{host}:{port}"))
        })
    }
}
