//! The class `urialias`: the form `ip~port~proto` of an address in an `alias` parameter.

/// The class `urialias`.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use kcc_sip::Uri;

    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::output;
    use crate::transport::Protocol;
    use crate::value::Val;
    use crate::variables::decimal;

    /// A URI's host, port and transport as `ip~port~proto`, the transport by Kamailio's number.
    #[transformation("urialias.encode")]
    fn encode(run: &mut Run, input: Text) -> Result<Val, Failed> {
        let uri = Uri::parse(input).map_err(|_| Failed)?;
        let protocol = match uri.transport() {
            Some(name) => Protocol::from_name(name).ok_or(Failed)?,
            None => Protocol::Udp,
        };
        Ok(output(run, input.len() + 16, |out| {
            out.extend(uri.host);
            out.push(b'~');
            out.extend(decimal(i64::from(uri.port_or_default()), &mut [0; 20]));
            out.push(b'~');
            out.extend(decimal(protocol as i64, &mut [0; 20]));
        }))
    }

    /// The URI that `ip~port~proto` stands for, with a transport parameter where it is not UDP.
    #[transformation("urialias.decode")]
    fn decode(run: &mut Run, input: Text) -> Result<Val, Failed> {
        let mut parts = input.split(|byte| *byte == b'~');
        let (host, port, number) = match (parts.next(), parts.next(), parts.next()) {
            (Some(host), Some(port), Some(number)) => (host, port, number),
            _ => return Err(Failed),
        };
        let number = kcc_sip::token::parse_u32(number).and_then(|n| u8::try_from(n).ok());
        let protocol = number.and_then(Protocol::from_number).ok_or(Failed)?;
        if parts.next().is_some() || kcc_sip::token::parse_port(port).is_none() {
            return Err(Failed);
        }
        Ok(output(run, input.len() + 24, |out| {
            out.extend(b"sip:");
            out.extend(host);
            out.push(b':');
            out.extend(port);
            if protocol != Protocol::Udp {
                out.extend(b";transport=");
                out.extend(protocol.name().as_bytes());
            }
        }))
    }
}
