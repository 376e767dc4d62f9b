//! Kamailio's `corex`: further branches, sockets, raw data, extended flags.

mod address;
mod flags;
mod raw;

use kcc_runtime::run::Run;

/// The preference that `text` says, `0` to `1` with up to three digits after the point, in
/// thousandths.
fn preference(text: &[u8]) -> Option<u16> {
    let (whole, part) = match text.iter().position(|c| *c == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &text[..0]),
    };
    let whole = match whole {
        b"0" | b"" => 0,
        b"1" => 1000,
        _ => return None,
    };
    let mut thousandths = 0;
    for place in 0..3 {
        let digit = match part.get(place) {
            None => 0,
            Some(c @ b'0'..=b'9') => u16::from(c - b'0'),
            Some(_) => return None,
        };
        thousandths = thousandths * 10 + digit;
    }
    Some(whole + thousandths).filter(|q| *q <= 1000 && part.len() <= 3 && !text.is_empty())
}

/// Adds a branch to `uri`; where none is given, one that is all that the request's own branch is,
/// which keeps its URI alone.
fn append(run: &mut Run, uri: Option<&[u8]>, q: Option<u16>) -> Result<bool, &'static str> {
    const FULL: &str = "there are as many branches as max_branches allows";
    let limit = run.program.settings.branch_limit();
    let branch = run.branches.push(limit).ok_or(FULL)?;
    let own = &mut run.target;
    match uri {
        Some(uri) => {
            branch.uri.set(uri);
            if let Some(hop) = own.dst_uri.get() {
                branch.dst_uri.set(hop);
            }
            (branch.socket, branch.flags) = (own.socket, own.flags);
        }
        None => {
            branch.clone_from(own);
            if branch.uri.get().is_none() {
                branch.uri.set(run.message.request_uri());
            }
            own.forget_way();
        }
    }
    let branch_q = q.or(branch.q);
    branch.q = branch_q;
    Ok(true)
}

/// Further branches, sockets, raw data, extended flags.
#[kcc_macros::module(
    name = "corex",
    parts(
        super::raw::exports::PART,
        super::address::exports::PART,
        super::flags::exports::PART
    )
)]
pub mod exports {
    use super::{append, preference};
    use kcc_runtime::declare::Text;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::transport::SocketId;
    use kcc_runtime::variables::next_hop::socket_called;

    /// Adds a branch to `uri`, or to the Request-URI as it is now where none is given; `q` is its
    /// preference, 0 to 1. False beyond `max_branches`.
    ///
    /// ```cfg
    /// append_branch("sip:voicemail@example.com", "0.5");
    /// t_relay();
    /// ```
    #[function(routes = "request|failure")]
    fn append_branch(
        run: &mut Run,
        uri: Option<Text>,
        q: Option<Text>,
    ) -> Result<bool, &'static str> {
        let q = match q {
            Some(text) => Some(preference(text).ok_or("the preference is no number from 0 to 1")?),
            None => None,
        };
        append(run, uri.filter(|uri| !uri.is_empty()), q)
    }

    /// Warns that no socket was found; as in Kamailio the result is true all the same.
    fn found(run: &mut Run, socket: Option<SocketId>) -> Option<SocketId> {
        if socket.is_none() {
            run.warn(&"no listen socket is called that");
        }
        socket
    }

    fn named(run: &Run, name: &[u8]) -> Option<SocketId> {
        let mut sockets = run.worker().network.sockets().iter();
        let named = sockets.find(|s| s.name.as_deref().map(str::as_bytes) == Some(name));
        named.map(|socket| socket.id)
    }

    fn receive_on(run: &mut Run, socket: Option<SocketId>) {
        let protocol = |id| Some(run.worker().network.socket(id)?.protocol);
        let found = socket.and_then(|id| Some((id, protocol(id)?)));
        if let Some((id, protocol)) = found {
            (run.source.socket, run.source.protocol) = (id, protocol);
        }
    }

    /// Sends the request from the listen socket `socket`: `[proto:]host[:port]`. Where none is
    /// called that, a warning is logged and nothing changes; the result is true, too.
    ///
    /// ```cfg
    /// set_send_socket("udp:192.0.2.1:5060");
    /// ```
    #[function(routes = "any")]
    fn set_send_socket(run: &mut Run, socket: Text) -> Verdict {
        let socket = socket_called(run, socket);
        if let Some(socket) = found(run, socket) {
            run.target.socket = Some(socket);
        }
        Verdict::TRUE
    }

    /// As `set_send_socket`, with the name that `listen` gave the socket.
    ///
    /// ```cfg
    /// set_send_socket_name("inside");
    /// ```
    #[function(routes = "any")]
    fn set_send_socket_name(run: &mut Run, name: Text) -> Verdict {
        let socket = named(run, name);
        if let Some(socket) = found(run, socket) {
            run.target.socket = Some(socket);
        }
        Verdict::TRUE
    }

    /// Takes the listen socket `socket`, `[proto:]host[:port]`, as the one that the message came to:
    /// `$Ri`, `$Rp`, `$proto`; answers leave from it. Where none is called that, a warning is logged
    /// and nothing changes; the result is true, too.
    ///
    /// ```cfg
    /// set_recv_socket("udp:192.0.2.1:5060");
    /// ```
    #[function(routes = "any")]
    fn set_recv_socket(run: &mut Run, socket: Text) -> Verdict {
        let socket = socket_called(run, socket);
        let socket = found(run, socket);
        receive_on(run, socket);
        Verdict::TRUE
    }

    /// As `set_recv_socket`, with the name that `listen` gave the socket.
    ///
    /// ```cfg
    /// set_recv_socket_name("inside");
    /// ```
    #[function(routes = "any")]
    fn set_recv_socket_name(run: &mut Run, name: Text) -> Verdict {
        let socket = named(run, name);
        let socket = found(run, socket);
        receive_on(run, socket);
        Verdict::TRUE
    }

    /// True if `name` is the name of a listen socket.
    ///
    /// ```cfg
    /// if (is_socket_name("inside")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_socket_name(run: &mut Run, name: Text) -> bool {
        let sockets = run.worker().network.sockets();
        sockets
            .iter()
            .any(|socket| socket.name.as_deref().map(str::as_bytes) == Some(name))
    }
}
