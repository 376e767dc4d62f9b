//! Profiles from the module's parameters, or from the file that `config` names.
//!
//! The file has sections `[server:default]`, `[server:ADDRESS:PORT]`, `[server:any]` and the same
//! with `client`, and lines `name = value` in them; `#` begins a comment.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use kcc_runtime::program::Program;
use kcc_runtime::transport::{Profile, ProfilePlace, Role, Versions};

use super::exports::Params;
use super::folder;

/// Says which parameters that are given have no effect, and refuses those whose effect would be
/// missed.
pub(super) fn without_effect(params: &Params) -> Result<(), String> {
    let Params {
        verify_depth,
        connection_timeout,
        con_ct_wq_max,
        ct_wq_blk_size,
        ct_wq_max,
        init_mode,
        low_mem_threshold1,
        low_mem_threshold2,
        renegotiation,
        send_close_notify,
        session_cache,
        ssl_freelist_max_len,
        ssl_max_send_fragment,
        ssl_read_ahead,
        ssl_release_buffers,
        tls_debug,
        tls_disable_compression,
        tls_force_run,
        tls_log,
        session_id,
        engine,
        engine_algorithms,
        engine_config,
        keylog_file,
        private_key_password,
        rand_engine,
        key_password_mode,
        ..
    } = params;
    let refused = [
        ("engine", engine.is_some()),
        ("engine_algorithms", engine_algorithms.is_some()),
        ("engine_config", engine_config.is_some()),
        ("keylog_file", keylog_file.is_some()),
        ("private_key_password", private_key_password.is_some()),
        ("rand_engine", rand_engine.is_some()),
        (
            "key_password_mode",
            key_password_mode.is_some_and(|mode| mode != 0),
        ),
    ];
    if let Some((name, _)) = refused.iter().find(|(_, given)| *given) {
        return Err(format!("the parameter {name} of tls is not supported"));
    }
    let idle = [
        ("verify_depth", verify_depth.is_some()),
        ("connection_timeout", connection_timeout.is_some()),
        ("con_ct_wq_max", con_ct_wq_max.is_some()),
        ("ct_wq_blk_size", ct_wq_blk_size.is_some()),
        ("ct_wq_max", ct_wq_max.is_some()),
        ("init_mode", init_mode.is_some()),
        ("low_mem_threshold1", low_mem_threshold1.is_some()),
        ("low_mem_threshold2", low_mem_threshold2.is_some()),
        ("renegotiation", renegotiation.is_some()),
        ("send_close_notify", send_close_notify.is_some()),
        ("session_cache", session_cache.is_some()),
        ("ssl_freelist_max_len", ssl_freelist_max_len.is_some()),
        ("ssl_max_send_fragment", ssl_max_send_fragment.is_some()),
        ("ssl_read_ahead", ssl_read_ahead.is_some()),
        ("ssl_release_buffers", ssl_release_buffers.is_some()),
        ("tls_debug", tls_debug.is_some()),
        ("tls_disable_compression", tls_disable_compression.is_some()),
        ("tls_force_run", tls_force_run.is_some()),
        ("tls_log", tls_log.is_some()),
        ("session_id", session_id.is_some()),
    ];
    for (name, _) in idle.iter().filter(|(_, given)| *given) {
        kcc_runtime::warn!("the parameter {name} of tls has no effect");
    }
    Ok(())
}

/// The profiles that a program asks for.
pub(super) fn of(program: &Program) -> Result<Vec<Profile>, String> {
    let params: &Params = program.params();
    let folder = folder(program);
    if let Some(config) = &params.config {
        let path = folder.join(text(config));
        let content = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        return parse(&content, &folder).map_err(|error| format!("{}:{error}", path.display()));
    }
    let mut profiles = [Role::Server, Role::Client].map(|role| of_params(params, role, &folder));
    if let (Some(wanted), [server, _]) = (&params.verify_client, &mut profiles) {
        verify_client(server, &text(wanted))?;
    }
    Ok(profiles.into())
}

fn of_params(params: &Params, role: Role, folder: &Path) -> Profile {
    let file = |name: &Option<Vec<u8>>| name.as_ref().map(|name| folder.join(text(name)));
    let word = |name: &Option<Vec<u8>>| name.as_ref().map(|name| text(name));
    let mut profile = Profile::new(role, ProfilePlace::Default);
    profile.certificate = Some(folder.join(text(&params.certificate)));
    profile.private_key = Some(folder.join(text(&params.private_key)));
    profile.ca_list = file(&params.ca_list);
    profile.ca_path = file(&params.ca_path);
    profile.crl = file(&params.crl);
    profile.cipher_list = word(&params.cipher_list);
    profile.server_name = word(&params.server_name);
    profile.verify_certificate = params.verify_certificate;
    profile.require_certificate = params.require_certificate;
    profile.versions = versions(&text(&params.tls_method));
    profile
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// The versions that `method` allows of those that there are.
fn versions(method: &str) -> Versions {
    match method {
        "TLSv1.3" | "TLSv1.3+" => Versions::Tls13,
        "TLSv1.2" => Versions::Tls12,
        "TLSv1.2+" => Versions::Tls12Plus,
        older => {
            kcc_runtime::notice!("tls_method {older}: TLS 1.2 and 1.3 are spoken, nothing older");
            Versions::Tls12Plus
        }
    }
}

/// Reads a file of profiles; an error begins with the number of its line.
fn parse(content: &str, folder: &Path) -> Result<Vec<Profile>, String> {
    let mut profiles: Vec<Profile> = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let at = |message: String| format!("{}: {message}", index + 1);
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            let (role, place) = section(name).map_err(at)?;
            if profiles.iter().any(|p| same_section(p, role, place)) {
                return Err(at(format!("a second section [{name}]")));
            }
            profiles.push(Profile::new(role, place));
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| at("neither a section nor name = value".to_owned()))?;
        let profile = profiles
            .last_mut()
            .ok_or_else(|| at("a value before the first section".to_owned()))?;
        assign(profile, name.trim(), unquote(value.trim()), folder).map_err(at)?;
    }
    Ok(profiles)
}

/// `[server:any]` may stand several times, once for each name.
fn same_section(profile: &Profile, role: Role, place: ProfilePlace) -> bool {
    place == ProfilePlace::Default && profile.role == role && profile.place == place
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

fn unquote(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

fn section(name: &str) -> Result<(Role, ProfilePlace), String> {
    let (role, place) = name
        .split_once(':')
        .ok_or_else(|| format!("[{name}] is neither [server:…] nor [client:…]"))?;
    let role = match role.trim() {
        "server" => Role::Server,
        "client" => Role::Client,
        other => return Err(format!("{other} is neither server nor client")),
    };
    let place = match place.trim() {
        "default" => ProfilePlace::Default,
        "any" => ProfilePlace::Any,
        address => ProfilePlace::Address(self::address(address)?),
    };
    Ok((role, place))
}

/// An address with its port; without one, any port.
fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = |text: &str| {
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        inner.unwrap_or(text).parse::<IpAddr>()
    };
    text.parse()
        .or_else(|_| bare(text).map(|ip| SocketAddr::new(ip, 0)))
        .map_err(|_| format!("{text} is neither default, any, nor an address with a port"))
}

fn assign(profile: &mut Profile, name: &str, value: &str, folder: &Path) -> Result<(), String> {
    let file = || -> Option<PathBuf> { (!value.is_empty()).then(|| folder.join(value)) };
    let word = || -> Option<String> { (!value.is_empty()).then(|| value.to_owned()) };
    match name {
        "method" | "tls_method" => profile.versions = versions(value),
        "certificate" => profile.certificate = file(),
        "private_key" => profile.private_key = file(),
        "ca_list" => profile.ca_list = file(),
        "ca_path" => profile.ca_path = file(),
        "crl" => profile.crl = file(),
        "verify_certificate" => profile.verify_certificate = truth(name, value)?,
        "require_certificate" => profile.require_certificate = truth(name, value)?,
        "verify_client" => verify_client(profile, value)?,
        "cipher_list" => profile.cipher_list = word(),
        "server_name" => profile.server_name = word(),
        "server_name_mode" => {
            profile.server_name_mode = value
                .parse()
                .ok()
                .filter(|mode| *mode <= 2)
                .ok_or_else(|| format!("server_name_mode {value}: it is 0 to 2"))?;
        }
        "server_id" => profile.server_id = word(),
        "verify_depth" => {
            kcc_runtime::notice!("verify_depth has no effect: chains are checked to their root");
        }
        other => return Err(format!("{other} is no value of a profile")),
    }
    Ok(())
}

/// What `verify_client` asks of clients.
fn verify_client(profile: &mut Profile, value: &str) -> Result<(), String> {
    (profile.verify_certificate, profile.require_certificate) = match value {
        "off" => (false, false),
        "optional" => (true, false),
        "on" => (true, true),
        other => {
            return Err(format!(
                "verify_client {other}: it is off, optional or on here"
            ));
        }
    };
    Ok(())
}

fn truth(name: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" | "enabled" => Ok(true),
        "0" | "no" | "false" | "off" | "disabled" => Ok(false),
        other => Err(format!("{name} {other}: it is yes or no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_values_quotes_and_comments() {
        let profiles = parse(
            "# profiles\n[server:default]\nmethod = TLSv1.3\ncertificate = a.pem # own\n\
             private_key = \"/k#.pem\"\nverify_client = on\n\n[server:[::1]:5061]\nserver_name=x.example\n\
             server_name_mode = 1\n[client:192.0.2.1]\nverify_certificate = yes\nca_list = ca.pem\n",
            Path::new("/etc/k"),
        )
        .unwrap();
        assert_eq!(profiles.len(), 3);
        assert_eq!(profiles[0].versions, Versions::Tls13);
        assert_eq!(profiles[0].certificate, Some("/etc/k/a.pem".into()));
        assert_eq!(profiles[0].private_key, Some("/k#.pem".into()));
        assert!(profiles[0].require_certificate);
        let here = ProfilePlace::Address("[::1]:5061".parse().unwrap());
        assert_eq!((profiles[1].role, profiles[1].place), (Role::Server, here));
        assert_eq!(profiles[1].server_name_mode, 1);
        let peer = ProfilePlace::Address("192.0.2.1:0".parse().unwrap());
        assert_eq!((profiles[2].role, profiles[2].place), (Role::Client, peer));
    }

    #[test]
    fn errors_have_their_line() {
        let refused = |text| parse(text, Path::new("")).unwrap_err();
        assert!(refused("\nx = 1").starts_with("2: a value before"));
        assert!(refused("[server:default]\nfoo = 1").starts_with("2: foo is no value"));
        assert!(refused("[both:default]").contains("neither server nor client"));
        assert!(refused("[server:nowhere]").contains("nor an address"));
        assert!(refused("[server:default]\nverify_certificate = maybe").contains("yes or no"));
        assert!(refused("[server:default]\n[server:default]").starts_with("2: a second"));
    }
}
