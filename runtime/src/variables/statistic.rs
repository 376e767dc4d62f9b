//! `$stat`: what the server counts.

use crate::server::Server;
use crate::transport::Counter;

/// A counter by its name: Kamailio's names of what is counted here, and the transports' own.
pub fn statistic(server: &Server, name: &[u8]) -> Option<u64> {
    let counters = server.transport.counters();
    let get = |counter| counters.get(counter);
    Some(match name {
        b"passive_open" => get(Counter::TcpAccepted),
        b"connect_success" => get(Counter::TcpConnected),
        b"established" => get(Counter::TcpAccepted) + get(Counter::TcpConnected),
        b"connect_failed" => get(Counter::TcpConnectFailed) + get(Counter::TcpConnectTimeout),
        b"con_timeout" => get(Counter::TcpIdle),
        b"local_reject" => get(Counter::TcpRefused),
        b"sendq_full" => get(Counter::TcpWriteQueueFull),
        b"current_opened_connections" => (get(Counter::TcpAccepted) + get(Counter::TcpConnected))
            .saturating_sub(get(Counter::TcpClosed)),
        b"ws_current_connections" => {
            get(Counter::WsHandshakes).saturating_sub(get(Counter::WsClosed))
        }
        name => {
            let own = |counter: &&Counter| counter.name().as_bytes() == name;
            get(*Counter::ALL.iter().find(own)?)
        }
    })
}

/// Counters.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Raw;
    use crate::run::Run;

    use super::statistic;

    /// A counter of the server; null, with a warning, where nothing is counted under the name.
    ///
    /// Of the TCP connections: `established`, `passive_open`, `connect_success`, `connect_failed`,
    /// `con_timeout`, `local_reject`, `sendq_full`, `current_opened_connections`. Of all transports:
    /// `received`, `sent`, `parse_errors`, `receive_errors`, `send_errors`, `dropped_short`.
    ///
    /// ```cfg
    /// if ($stat(current_opened_connections) > 1000) exit;
    /// ```
    #[pv(name = "stat")]
    fn stat(run: &mut Run, name: Raw) -> Option<i64> {
        let found = run
            .try_worker()
            .and_then(|worker| statistic(&worker.server, name.0));
        if found.is_none() {
            let name = String::from_utf8_lossy(name.0);
            run.warn(&format_args!("nothing is counted as {name:?}"));
        }
        found.and_then(|n| i64::try_from(n).ok())
    }
}
