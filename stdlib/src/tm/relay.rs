//! Sending a request on: `t_relay` and its like.

use kcc_macros::part;
use kcc_runtime::declare::{ConstantError, Parse, Routes};
use kcc_runtime::proxy::{NextHop, RelayOptions};
use kcc_runtime::run::Run;
use kcc_runtime::shim::Verdict;
use kcc_runtime::transport::Protocol;
use kcc_runtime::value::parse_int;

/// Flag 0x01 of `t_relay_to`: no 100. 0x02: no answer at once where nothing
/// could be sent.
fn with_flags(flags: i64) -> RelayOptions {
    RelayOptions {
        no_trying: flags & 1 != 0,
        no_error_reply: flags & 2 != 0,
        ..RelayOptions::default()
    }
}

/// Where to: `[proto:]host[:port]`, or flags where a number stands alone.
#[derive(Debug)]
pub enum To {
    /// The place.
    Hop(NextHop),
    /// Flags.
    Flags(i64),
}

impl Parse for To {
    const NAME: &'static str = "t_relay_to";
    const WHAT: &'static str = "flags, or [proto:]host[:port]";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        if let Some(flags) = parse_int(text) {
            return Ok(To::Flags(flags));
        }
        let first = text.split(|c| *c == b':').next().unwrap_or_default();
        let (protocol, rest) = match Protocol::from_name(first) {
            Some(protocol) if text.len() > first.len() => {
                (Some(protocol), &text[first.len() + 1..])
            }
            _ => (None, text),
        };
        let (host, port) = match rest.iter().rposition(|c| *c == b':') {
            Some(colon) if !rest[colon..].contains(&b']') => {
                let port = kcc_sip::token::parse_port(&rest[colon + 1..])
                    .ok_or_else(|| ConstantError::new("this is no port"))?;
                (&rest[..colon], Some(port))
            }
            _ => (rest, None),
        };
        if host.is_empty() {
            return Err(ConstantError::new("the host is missing"));
        }
        Ok(To::Hop(NextHop {
            host: host.to_vec(),
            port,
            protocol,
        }))
    }
}

fn hop(host: &[u8], port: i64, protocol: Option<Protocol>) -> Result<RelayOptions, &'static str> {
    let port = u16::try_from(port).map_err(|_| "this is no port")?;
    Ok(RelayOptions {
        hop: Some(NextHop {
            host: host.to_vec(),
            port: Some(port).filter(|port| *port != 0),
            protocol,
        }),
        ..RelayOptions::default()
    })
}

fn over(protocol: Protocol) -> RelayOptions {
    RelayOptions {
        protocol: Some(protocol),
        ..RelayOptions::default()
    }
}

fn relay(run: &mut Run, options: RelayOptions) -> Verdict {
    match run.relay(options) {
        Ok(code) => Verdict::Code(code),
        Err(error) => {
            run.report(&error);
            // In a failure route Kamailio tells no reason.
            match run.kind == Routes::FAILURE {
                true => Verdict::FALSE,
                false => Verdict::Code(error.code()),
            }
        }
    }
}

/// `t_relay` and its like.
#[part(module = "tm")]
pub mod exports {
    use super::{To, hop, over, relay, with_flags};
    use kcc_runtime::declare::{Const, Int, Raw};
    use kcc_runtime::proxy::RelayOptions;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::transport::Protocol;

    /// Relays the request to `$du`, or to the Request-URI where that is not set, and to the further
    /// branches, in a transaction. A retransmission is absorbed and ends the script; an ACK to a
    /// 2xx is forwarded, another one absorbed; a CANCEL cancels its INVITE.
    ///
    /// Less than 0 if nothing could be sent: -478 the host has no address, -7 no socket to send
    /// from, -6 the branch route dropped every branch, -400 the Request-URI is malformed. The
    /// request is then answered at the end of the script where the script does not answer.
    ///
    /// ```cfg
    /// if (!t_relay()) {
    ///     sl_reply_error();
    /// }
    /// ```
    #[function(routes = "request|failure", name = "t_relay", waits)]
    fn t_relay(run: &mut Run) -> Verdict {
        relay(run, RelayOptions::default())
    }

    /// Relays the request to `host` at `port`, whatever its URI says. See `t_relay()`.
    ///
    /// ```cfg
    /// t_relay("192.0.2.1", "5080");
    /// ```
    #[function(routes = "request|failure", name = "t_relay", waits)]
    fn t_relay_host(run: &mut Run, host: Raw<'_>, port: Int) -> Result<Verdict, &'static str> {
        Ok(relay(run, hop(host.0, port, None)?))
    }

    /// Relays the request as `t_relay()` does, to `to` (`[proto:]host[:port]`) where that is
    /// given, with `flags`: 0x01 no 100, 0x02 no answer at once where nothing could be sent and
    /// `delayed_reply` is off.
    ///
    /// ```cfg
    /// t_relay_to("udp:192.0.2.1:5080", "1");
    /// ```
    #[function(routes = "request|failure", waits)]
    fn t_relay_to(run: &mut Run, to: Option<Const<'_, To>>, flags: Option<Int>) -> Verdict {
        let mut options = with_flags(flags.unwrap_or(0));
        match to.as_deref() {
            Some(To::Flags(flags)) => options = with_flags(*flags),
            Some(To::Hop(hop)) => options.hop = Some(hop.clone()),
            None => {}
        }
        relay(run, options)
    }

    /// Relays the request over UDP. See `t_relay()`.
    ///
    /// ```cfg
    /// t_relay_to_udp();
    /// ```
    #[function(routes = "request|failure", name = "t_relay_to_udp", waits)]
    fn t_relay_to_udp(run: &mut Run) -> Verdict {
        relay(run, over(Protocol::Udp))
    }

    /// Relays the request over UDP to `host` at `port`. See `t_relay()`.
    ///
    /// ```cfg
    /// t_relay_to_udp("192.0.2.1", "5080");
    /// ```
    #[function(routes = "request|failure", name = "t_relay_to_udp", waits)]
    fn t_relay_to_udp_host(
        run: &mut Run,
        host: Raw<'_>,
        port: Int,
    ) -> Result<Verdict, &'static str> {
        Ok(relay(run, hop(host.0, port, Some(Protocol::Udp))?))
    }

    /// Relays the request over TCP. See `t_relay()`.
    ///
    /// ```cfg
    /// t_relay_to_tcp();
    /// ```
    #[function(routes = "request|failure", name = "t_relay_to_tcp", waits)]
    fn t_relay_to_tcp(run: &mut Run) -> Verdict {
        relay(run, over(Protocol::Tcp))
    }

    /// Relays the request over TCP to `host` at `port`. See `t_relay()`.
    ///
    /// ```cfg
    /// t_relay_to_tcp("192.0.2.1", "5080");
    /// ```
    #[function(routes = "request|failure", name = "t_relay_to_tcp", waits)]
    fn t_relay_to_tcp_host(
        run: &mut Run,
        host: Raw<'_>,
        port: Int,
    ) -> Result<Verdict, &'static str> {
        Ok(relay(run, hop(host.0, port, Some(Protocol::Tcp))?))
    }

    /// Relays the request to `proxy`, a SIP URI, whatever its own URI says. See `t_relay()`.
    ///
    /// ```cfg
    /// t_relay_to_proxy("sip:192.0.2.1:5080");
    /// ```
    #[function(routes = "request|failure", waits)]
    fn t_relay_to_proxy(run: &mut Run, proxy: kcc_runtime::declare::Text<'_>) -> Verdict {
        match kcc_runtime::proxy::NextHop::of(proxy) {
            Ok(hop) => {
                let options = RelayOptions {
                    hop: Some(hop),
                    ..RelayOptions::default()
                };
                relay(run, options)
            }
            Err(error) => {
                run.report(&error);
                Verdict::Code(error.code())
            }
        }
    }

    /// Relays a CANCEL whose INVITE is here, and ends the script. True for a CANCEL without its
    /// INVITE, so that the script can deal with it.
    ///
    /// ```cfg
    /// if (is_method("CANCEL")) {
    ///     t_relay_cancel();
    ///     xlog("L_INFO", "nothing to cancel\n");
    /// }
    /// ```
    #[function(routes = "request", waits)]
    fn t_relay_cancel(run: &mut Run) -> Verdict {
        let cancel = run.message.method() == kcc_sip::Method::Cancel;
        if !cancel {
            return Verdict::FALSE;
        }
        if run.lookup_invite().is_none() {
            return Verdict::TRUE;
        }
        match relay(run, RelayOptions::default()) {
            Verdict::Code(code) if code < 0 => Verdict::Code(code),
            _ => Verdict::Code(0),
        }
    }
}
