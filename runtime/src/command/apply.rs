//! What the options of the command line change of a configuration.

use crate::command::Options;
use crate::declare::{Module, ParamType};
use crate::program::{AliasSpec, Manifest, ParamSetting, Setting, SocketSpec};

/// Changes `manifest` as `options` ask; they come before what the configuration says.
///
/// # Errors
/// An option's value that cannot be understood, in one line.
pub fn apply(
    options: &Options,
    manifest: &mut Manifest,
    modules: &[&'static Module],
) -> Result<(), String> {
    let mut sockets = Vec::new();
    for text in &options.listen {
        listen(text, &mut sockets).ok_or_else(|| format!("`-l {text}`: no socket to listen on"))?;
    }
    sockets.append(&mut manifest.sockets);
    manifest.sockets = sockets;
    for text in &options.aliases {
        let alias = alias(text).ok_or_else(|| format!("`--alias={text}`: no name"))?;
        manifest.aliases.push(alias);
    }
    for text in &options.params {
        manifest.params.push(param(text, modules)?);
    }
    let numbers = [
        ("auto_aliases", options.auto_aliases.map(i64::from)),
        ("children", options.children),
        ("debug", options.debug),
        ("disable_tcp", options.disable_tcp.then_some(1)),
        ("log_color", options.log_color.then_some(1)),
        ("server_id", options.server_id),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            manifest
                .globals
                .push((name.to_owned(), Setting::Int(value)));
        }
    }
    Ok(())
}

const PROTOCOLS: [&str; 6] = ["udp", "tcp", "tls", "sctp", "ws", "wss"];

/// `[proto:]address`: the protocol and the rest.
fn split_protocol(text: &str) -> (Option<String>, &str) {
    match text.split_once(':') {
        Some((name, rest)) if PROTOCOLS.contains(&name.to_ascii_lowercase().as_str()) => {
            (Some(name.to_ascii_lowercase()), rest)
        }
        _ => (None, text),
    }
}

/// `host[:port]`, an IPv6 address in brackets: host without them, and port.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (
                host,
                after.strip_prefix(':').or(after.is_empty().then_some(""))?,
            )
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    if host.is_empty() {
        return None;
    }
    let port = if port.is_empty() {
        None
    } else {
        Some(port.parse().ok()?)
    };
    Some((host, port))
}

/// `[proto:]address[:port][/advertised[:port]]`, the address also as a list `(a, b)`.
fn listen(text: &str, sockets: &mut Vec<SocketSpec>) -> Option<()> {
    let (text, advertised) = match text.split_once('/') {
        Some((text, advertised)) => {
            let (host, port) = split_port(advertised)?;
            (text, Some((host.to_owned(), port)))
        }
        None => (text, None),
    };
    let (protocol, rest) = split_protocol(text);
    let (hosts, port): (Vec<&str>, _) = match rest.strip_prefix('(') {
        Some(list) => {
            let (list, port) = list.split_once(')')?;
            let port = port.strip_prefix(':').map(str::parse).transpose().ok()?;
            (list.split(',').map(str::trim).collect(), port)
        }
        None => {
            let (host, port) = split_port(rest)?;
            (vec![host], port)
        }
    };
    for host in hosts {
        sockets.push(SocketSpec {
            protocol: protocol.clone(),
            host: host.to_owned(),
            port,
            advertise: advertised.clone(),
            ..SocketSpec::default()
        });
    }
    Some(())
}

fn alias(text: &str) -> Option<AliasSpec> {
    let (protocol, rest) = split_protocol(text);
    let (host, port) = split_port(rest)?;
    Some(AliasSpec {
        protocol,
        host: host.to_owned(),
        port,
    })
}

/// `module:parameter:type:value`.
fn param(text: &str, modules: &[&'static Module]) -> Result<ParamSetting, String> {
    let wrong = |what: &str| format!("`--modparam={text}`: {what}");
    let mut parts = text.splitn(4, ':');
    let (Some(module), Some(name), Some(kind), Some(value)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong("it is module:parameter:type:value"));
    };
    let value = match kind {
        "s" => Setting::Str(value.as_bytes().to_vec()),
        "i" => Setting::Int(value.parse().map_err(|_| wrong("the value is no number"))?),
        _ => return Err(wrong("the type is s or i")),
    };
    let module = modules.iter().find(|known| known.name == module);
    let module = module.ok_or_else(|| wrong("no such module"))?;
    let decl = module
        .param(name)
        .ok_or_else(|| wrong("the module has no such parameter"))?;
    let fits = match decl.ty {
        ParamType::Int => matches!(value, Setting::Int(_)),
        ParamType::Str => matches!(value, Setting::Str(_)),
        ParamType::Either => true,
    };
    if !fits {
        return Err(wrong("the parameter is of the other type"));
    }
    Ok(ParamSetting {
        module: module.name.to_owned(),
        name: name.to_owned(),
        value,
        place: (0, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protocol, host and port.
    type Parts = (Option<String>, String, Option<u16>);

    fn sockets(text: &str) -> Option<Vec<Parts>> {
        let mut sockets = Vec::new();
        listen(text, &mut sockets)?;
        Some(
            sockets
                .into_iter()
                .map(|s| (s.protocol, s.host, s.port))
                .collect(),
        )
    }

    fn one(protocol: Option<&str>, host: &str, port: Option<u16>) -> Vec<Parts> {
        vec![(protocol.map(str::to_owned), host.to_owned(), port)]
    }

    #[test]
    fn every_form_of_listen_is_understood() {
        assert_eq!(sockets("localhost"), Some(one(None, "localhost", None)));
        assert_eq!(
            sockets("udp:127.0.0.1:5080"),
            Some(one(Some("udp"), "127.0.0.1", Some(5080)))
        );
        assert_eq!(sockets("eth0:5062"), Some(one(None, "eth0", Some(5062))));
        assert_eq!(
            sockets("tcp:[::1]:5070"),
            Some(one(Some("tcp"), "::1", Some(5070)))
        );
        assert_eq!(
            sockets("(eth0, 127.0.0.1):5065").map(|list| list.len()),
            Some(2)
        );
        assert_eq!(sockets("udp:"), None);
        assert_eq!(sockets("udp:127.0.0.1:x"), None);
        let mut advertised = Vec::new();
        listen("udp:127.0.0.1:5080/1.2.3.4:5060", &mut advertised).unwrap();
        assert_eq!(
            advertised[0].advertise,
            Some(("1.2.3.4".to_owned(), Some(5060)))
        );
    }

    #[test]
    fn sockets_of_the_command_line_come_first_and_numbers_last() {
        let options = Options {
            listen: vec!["udp:127.0.0.1:1".into()],
            children: Some(3),
            ..Options::default()
        };
        let mut manifest = Manifest {
            sockets: vec![SocketSpec {
                host: "b".into(),
                ..SocketSpec::default()
            }],
            globals: vec![("children".into(), Setting::Int(8))],
            ..Manifest::default()
        };
        apply(&options, &mut manifest, &[]).unwrap();
        assert_eq!(manifest.sockets[0].host, "127.0.0.1");
        assert_eq!(crate::settings::Settings::new(&manifest).children, Some(3));
    }
}
