//! The message that is being sent, and the one that arrived and is not parsed yet.

use std::net::SocketAddr;

use super::key::keys;
use super::network::{address_text, family};
use crate::run::Run;
use crate::transport::Protocol;
use crate::value::Val;

keys! {
    /// What `$snd(…)` tells of a message that is being sent.
    SentKey("snd-key", "a key of $snd") {
        /// The address.
        Ip = "ip",
        /// The port.
        Port = "port",
        /// The transport as a number.
        Protocol = "proto",
        /// The transport.
        ProtocolName = "sproto",
        /// The bytes.
        Buffer = "buf",
        /// Their number.
        Length = "len",
        /// The address family.
        Family = "af",
    }
}

keys! {
    /// What `$rcv(…)` tells of a message that arrived.
    ArrivedKey("rcv-key", "a key of $rcv") {
        /// The bytes.
        Buffer = "buf",
        /// Their number.
        Length = "len",
        /// The transport as a number.
        Protocol = "proto",
        /// The transport.
        ProtocolName = "sproto",
        /// The sender's address.
        SourceIp = "srcip",
        /// The address that it came to.
        ReceivedIp = "rcvip",
        /// The sender's port.
        SourcePort = "srcport",
        /// The port that it came to.
        ReceivedPort = "rcvport",
        /// The address family.
        Family = "af",
    }
}

/// Which end of the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    From,
    To,
}

/// What `key` tells of the message that is being sent; null where none is.
fn sent(run: &mut Run, key: SentKey, end: End) -> Val {
    let Some(sending) = &run.sending else {
        return Val::NULL;
    };
    let destination = sending.destination;
    let own = || -> Option<SocketAddr> {
        let network = &run.try_worker()?.network;
        Some(network.socket(destination.socket?)?.address)
    };
    let address = match end {
        End::To => Some(destination.address),
        End::From => own(),
    };
    match (key, address) {
        (SentKey::Buffer, _) => {
            let data = sending.data.clone();
            run.text(&data)
        }
        (SentKey::Length, _) => Val::int(sending.data.len() as i64),
        (SentKey::Protocol, _) => Val::int(destination.protocol as i64),
        (SentKey::ProtocolName, _) => Val::str(destination.protocol.name().as_bytes()),
        (_, None) => Val::NULL,
        (SentKey::Ip, Some(address)) => address_text(run, address.ip(), false),
        (SentKey::Port, Some(address)) => Val::int(i64::from(address.port())),
        (SentKey::Family, Some(address)) => Val::int(family(address)),
    }
}

/// What `key` tells of the message that arrived; null where the script has a parsed one.
fn arrived(run: &mut Run, key: ArrivedKey) -> Val {
    let Some(data) = &run.arrived else {
        return Val::NULL;
    };
    let source = run.source;
    let own = || -> Option<SocketAddr> {
        let network = &run.try_worker()?.network;
        Some(network.socket(source.socket)?.address)
    };
    let protocol: Protocol = source.protocol;
    match key {
        ArrivedKey::Buffer => {
            let data = data.clone();
            run.text(&data)
        }
        ArrivedKey::Length => Val::int(data.len() as i64),
        ArrivedKey::Protocol => Val::int(protocol as i64),
        ArrivedKey::ProtocolName => Val::str(protocol.name().as_bytes()),
        ArrivedKey::SourceIp => address_text(run, source.address.ip(), false),
        ArrivedKey::SourcePort => Val::int(i64::from(source.address.port())),
        ArrivedKey::Family => Val::int(family(source.address)),
        ArrivedKey::ReceivedIp => match own() {
            Some(address) => address_text(run, address.ip(), false),
            None => Val::NULL,
        },
        ArrivedKey::ReceivedPort => own().map_or(Val::NULL, |a| Val::int(i64::from(a.port()))),
    }
}

/// Variables of messages on their way.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use super::{ArrivedKey, End, SentKey, arrived, sent};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::value::{Val, Value};
    use crate::variables::Refused;

    /// The message that is being sent and where it goes, in `onsend_route` and in the events of
    /// answers made here; null elsewhere.
    ///
    /// Keys: `ip`, `port`, `af` address family, `proto` transport as a number, `sproto` its name,
    /// `buf` the bytes, `len` their number.
    ///
    /// ```cfg
    /// onsend_route {
    ///     if ($snd(len) > 1300) xlog("L_WARN", "$snd(len) bytes to $snd(ip)\n");
    /// }
    /// ```
    #[pv(name = "snd", aliases("sndto"))]
    fn snd(run: &mut Run, key: Const<SentKey>) -> Val {
        sent(run, *key, End::To)
    }

    /// As `$snd`, with the address and port of the socket that the message is sent from.
    #[pv(name = "sndfrom")]
    fn sndfrom(run: &mut Run, key: Const<SentKey>) -> Val {
        sent(run, *key, End::From)
    }

    /// The message that arrived, in `event_route[core:msg-received]`; null elsewhere. It is written
    /// `$(rcv(key))`.
    ///
    /// Keys: `buf` the bytes, which can be assigned, `len` their number, `srcip`, `srcport` its
    /// sender, `rcvip`, `rcvport` where it came to, `af` address family, `proto` transport as a
    /// number, `sproto` its name.
    #[pv(name = "rcv", aliases("recv"))]
    fn rcv(run: &mut Run, key: Const<ArrivedKey>) -> Val {
        arrived(run, *key)
    }

    #[pv_write("rcv")]
    fn set_rcv(run: &mut Run, key: Const<ArrivedKey>, value: Value) -> Result<(), Refused> {
        match (*key, value) {
            (ArrivedKey::Buffer, Value::Str(text)) => {
                // The transports carry no more.
                if text.len() > kcc_sip::MAX_MESSAGE {
                    return Err(Refused::TooLarge);
                }
                let text = bytes::Bytes::copy_from_slice(text);
                if let Some(data) = &mut run.arrived {
                    *data = text;
                }
                Ok(())
            }
            (ArrivedKey::Buffer, _) => Err(Refused::NotText),
            _ => Err(Refused::ReadOnly),
        }
    }
}
