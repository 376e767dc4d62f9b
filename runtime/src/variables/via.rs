//! Via header fields (RFC 3261 §20.42) and where a reply goes.

use kcc_sip::Via;

use super::key::keys;
use super::{next_hop, some};
use crate::transport::Protocol;
use crate::value::Val;

keys! {
    /// A part of a Via.
    ViaKey("via-key", "a key of $via0") {
        /// The host of sent-by.
        Host = "host",
        /// Its port.
        Port = "port",
        /// The transport.
        Protocol = "proto",
        /// The transport's number.
        ProtocolId = "protoid",
        /// The value of `rport`.
        Rport = "rport",
        /// The branch.
        Branch = "branch",
        /// The value of `received`.
        Received = "received",
        /// All parameters.
        Params = "params",
        /// The value of `oc`.
        Overload = "oc" | "ocval" | "oc-val",
        /// The value of `oc-algo`.
        OverloadAlgorithm = "ocalgo" | "oc-algo",
        /// The value of `oc-validity`.
        OverloadValidity = "ocvalidity" | "oc-validity",
        /// The value of `oc-seq`.
        OverloadSequence = "ocseq" | "oc-seq",
    }
}

keys! {
    /// What `$rpl(…)` tells of the way of a reply.
    ReplyKey("rpl-key", "a key of $rpl") {
        /// Where it goes, as a URI.
        Uri = "duri",
        /// The host.
        Host = "dhost",
        /// The port.
        Port = "dport",
        /// The transport.
        Protocol = "dproto",
        /// The transport's number.
        ProtocolId = "dprotoid",
        /// How many Via values there are.
        ViaCount = "cntvia",
        /// How many Record-Route values there are.
        RecordRouteCount = "cntrr",
    }
}

fn number(via: &Via<'_>) -> i64 {
    Protocol::from_name(via.transport()).map_or(0, |protocol| protocol as i64)
}

/// A part of a Via; its port is text, by default 5060.
fn part(
    run: &mut crate::run::Run,
    which: impl for<'a> Fn(&'a kcc_sip::Message) -> Option<Via<'a>>,
    key: ViaKey,
) -> Option<Val> {
    let via = which(&run.message)?;
    let param = |name: &[u8]| via.params().get(name).and_then(some);
    let text = match key {
        ViaKey::Host => via.host(),
        ViaKey::Port => {
            let port = i64::from(via.port().unwrap_or(5060));
            return Some(super::request_uri::port_text(run, port));
        }
        ViaKey::Protocol => via.transport(),
        ViaKey::ProtocolId => return Some(Val::int(number(&via))),
        ViaKey::Rport => some(via.params().get(b"rport")?)?,
        ViaKey::Branch => some(via.branch()?)?,
        ViaKey::Received => some(via.received()?)?,
        ViaKey::Params => {
            let raw = via.params().raw();
            some(raw.strip_prefix(b";").unwrap_or(raw))?
        }
        ViaKey::Overload => param(b"oc")?,
        ViaKey::OverloadAlgorithm => param(b"oc-algo")?,
        ViaKey::OverloadValidity => param(b"oc-validity")?,
        ViaKey::OverloadSequence => param(b"oc-seq")?,
    };
    Some(Val::str(text))
}

/// Variables of Via.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Const;
    use crate::run::Run;
    use crate::value::Val;

    use super::next_hop::{self, HopKey};
    use super::{ReplyKey, ViaKey, number, part};

    /// A part of the top Via; null where there is none.
    ///
    /// Keys: `host`, `port` (5060 where none is written), `proto` as written, `protoid` its number,
    /// `rport`, `branch`, `received`, `params` all parameters, `oc`, `ocalgo`, `ocvalidity`, `ocseq`
    /// (RFC 7339).
    #[pv(name = "via0")]
    fn via0(run: &mut Run, key: Const<ViaKey>) -> Option<Val> {
        part(run, |message| message.top_via(), *key)
    }

    /// A part of the second Via: as `$via0`.
    #[pv(name = "via1")]
    fn via1(run: &mut Run, key: Const<ViaKey>) -> Option<Val> {
        part(run, |message| message.vias().nth(1), *key)
    }

    /// A part of the last Via: as `$via0`.
    #[pv(name = "viaZ")]
    fn via_last(run: &mut Run, key: Const<ViaKey>) -> Option<Val> {
        part(run, |message| message.vias().last(), *key)
    }

    /// Where a reply goes, by its second Via; null in requests.
    ///
    /// Keys: `duri` the URI, `dhost`, `dport`, `dproto` the transport, `dprotoid` its number,
    /// `cntvia` and `cntrr` the number of Via and Record-Route values.
    ///
    /// ```cfg
    /// onreply_route {
    ///     if ($rpl(cntvia) < 2) exit;
    /// }
    /// ```
    #[pv(name = "rpl")]
    fn rpl(run: &mut Run, key: Const<ReplyKey>) -> Option<Val> {
        let message = &run.message;
        if message.is_request() {
            return None;
        }
        match *key {
            ReplyKey::ViaCount => Some(Val::int(message.vias().count() as i64)),
            ReplyKey::RecordRouteCount => Some(Val::int(message.record_routes().count() as i64)),
            ReplyKey::ProtocolId => Some(Val::int(number(&message.vias().nth(1)?))),
            ReplyKey::Uri => next_hop::reply_hop(run, HopKey::Uri),
            ReplyKey::Host => next_hop::reply_hop(run, HopKey::Host),
            ReplyKey::Port => next_hop::reply_hop(run, HopKey::Port),
            ReplyKey::Protocol => next_hop::reply_hop(run, HopKey::Transport),
        }
    }
}
