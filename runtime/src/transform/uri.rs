//! The class `uri`: parts of a SIP or tel URI. A part that is not there is empty text; an input
//! that is no URI is an error.

use kcc_sip::Uri;
use kcc_sip::uri::Scheme;

use crate::run::Run;
use crate::shim::Failed;
use crate::transform::output;
use crate::transport::Protocol;
use crate::value::Val;

fn parsed(input: &[u8]) -> Result<Uri<'_>, Failed> {
    Uri::parse(input).map_err(|_| Failed)
}

/// A parameter's value.
fn param(input: &[u8], name: &[u8]) -> Result<Val, Failed> {
    Ok(Val::str(parsed(input)?.param(name).unwrap_or_default()))
}

/// The scheme as written, with its colon.
fn scheme<'a>(uri: &Uri<'a>) -> &'a [u8] {
    let len = uri.scheme.as_str().len() + 1;
    uri.raw.get(..len).unwrap_or_default()
}

/// A shortened URI: scheme, host, and what is asked for.
fn short(run: &mut Run, input: &[u8], user: bool, place: bool) -> Result<Val, Failed> {
    let uri = parsed(input)?;
    let room = input.len() + 8;
    Ok(output(run, room, |out| {
        out.extend(scheme(&uri));
        if matches!(uri.scheme, Scheme::Tel | Scheme::Tels | Scheme::Urn) {
            out.extend(uri.user_or_empty());
            if uri.scheme == Scheme::Urn {
                out.push(b':');
            }
        } else if let (true, Some(name)) = (user, uri.user) {
            out.extend(name);
            out.push(b'@');
        }
        out.extend(uri.host);
        if !place {
            return;
        }
        if let Some(port) = uri.port {
            out.push(b':');
            let mut digits = [0; 20];
            let text = crate::variables::decimal(i64::from(port), &mut digits);
            out.extend(text);
        }
        if let Some(transport) = uri.transport().filter(|text| !text.is_empty()) {
            out.extend(b";transport=");
            out.extend(transport);
        }
    }))
}

/// The class `uri`.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use kcc_sip::params::Params;

    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::{Parameter, output};
    use crate::value::Val;

    use super::{Protocol, param, parsed, scheme, short};

    /// The user part.
    ///
    /// ```cfg
    /// $var(user) = $(ct{nameaddr.uri}{uri.user});
    /// ```
    #[transformation("uri.user")]
    fn user(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(parsed(input)?.user_or_empty()))
    }

    /// The host; an IPv6 address with its brackets; empty for `tel:`.
    #[transformation("uri.host")]
    fn host(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(parsed(input)?.host))
    }

    /// The host: the same as `uri.host`.
    #[transformation("uri.domain")]
    fn domain(run: &mut Run, input: Text) -> Result<Val, Failed> {
        host(run, input)
    }

    /// The password.
    #[transformation("uri.passwd")]
    fn passwd(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(parsed(input)?.password.unwrap_or_default()))
    }

    /// The port as an integer; 0 where there is none.
    #[transformation("uri.port")]
    fn port(_run: &mut Run, input: Text) -> Result<i64, Failed> {
        Ok(i64::from(parsed(input)?.port.unwrap_or(0)))
    }

    /// All parameters: the text between the first `;` and `?`.
    #[transformation("uri.params")]
    fn params(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        let raw = parsed(input)?.params.raw();
        Ok(Val::str(raw.strip_prefix(b";").unwrap_or(raw)))
    }

    /// The value of parameter `name`, in any case; empty where it has none or is not there.
    ///
    /// ```cfg
    /// $var(line) = $(ru{uri.param,line});
    /// ```
    #[transformation("uri.param")]
    fn named_param(_run: &mut Run, input: Text, name: Parameter) -> Result<Val, Failed> {
        param(input, &name.get()?)
    }

    /// The headers: the text after `?`.
    #[transformation("uri.headers")]
    fn headers(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        Ok(Val::str(parsed(input)?.headers))
    }

    /// The value of the parameter `transport`.
    #[transformation("uri.transport")]
    fn transport(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        param(input, b"transport")
    }

    /// The value of the parameter `ttl`.
    #[transformation("uri.ttl")]
    fn ttl(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        param(input, b"ttl")
    }

    /// The value of the parameter `user`.
    #[transformation("uri.uparam")]
    fn uparam(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        param(input, b"user")
    }

    /// The value of the parameter `maddr`.
    #[transformation("uri.maddr")]
    fn maddr(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        param(input, b"maddr")
    }

    /// The value of the parameter `method`.
    #[transformation("uri.method")]
    fn method(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        param(input, b"method")
    }

    /// The value of the parameter `lr`; empty where it has none, which is usual.
    #[transformation("uri.lr")]
    fn lr(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        param(input, b"lr")
    }

    /// The value of the parameter `r2`.
    #[transformation("uri.r2")]
    fn r2(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        param(input, b"r2")
    }

    /// The scheme as written.
    #[transformation("uri.scheme")]
    fn written_scheme(_run: &mut Run, input: Text) -> Result<Val, Failed> {
        let text = scheme(&parsed(input)?);
        Ok(Val::str(text.strip_suffix(b":").unwrap_or(text)))
    }

    /// `proto:host:port` of a URI with a transport parameter, the port by default 5060; empty for
    /// one without.
    #[transformation("uri.tosocket")]
    fn tosocket(run: &mut Run, input: Text) -> Result<Val, Failed> {
        let uri = parsed(input)?;
        let Some(protocol) = uri.transport().and_then(Protocol::from_name) else {
            return Ok(Val::str(b""));
        };
        Ok(output(run, input.len() + 16, |out| {
            out.extend(protocol.name().as_bytes());
            out.push(b':');
            out.extend(uri.host);
            out.push(b':');
            let port = i64::from(uri.port.unwrap_or(5060));
            out.extend(crate::variables::decimal(port, &mut [0; 20]));
        }))
    }

    /// Where to send to: `scheme:host[:port][;transport=…]`.
    #[transformation("uri.duri")]
    fn duri(run: &mut Run, input: Text) -> Result<Val, Failed> {
        short(run, input, false, true)
    }

    /// The address of record: `scheme:[user@]host`.
    #[transformation("uri.saor")]
    fn saor(run: &mut Run, input: Text) -> Result<Val, Failed> {
        short(run, input, true, false)
    }

    /// The short URI: `scheme:[user@]host[:port][;transport=…]`.
    #[transformation("uri.suri")]
    fn suri(run: &mut Run, input: Text) -> Result<Val, Failed> {
        short(run, input, true, true)
    }

    /// The URI without the parameter `name`.
    #[transformation("uri.rmparam")]
    fn rmparam(run: &mut Run, input: Text, name: Parameter) -> Result<Val, Failed> {
        let uri = parsed(input)?;
        let range = uri
            .params
            .find(&name.get()?)
            .and_then(|param| Params::range_with_semicolon(input, &param));
        let Some(range) = range else {
            return Ok(Val::str(input));
        };
        Ok(output(run, input.len(), |out| {
            out.extend(&input[..range.start]);
            out.extend(&input[range.end..]);
        }))
    }
}
