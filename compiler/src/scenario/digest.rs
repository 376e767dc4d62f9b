//! Answers of endpoints to digest challenges (RFC 7616, RFC 3261 §22.4).

use kcc_sip::{HeaderKind, Message, Params};
use md5::{Digest, Md5};
use sha2::Sha256;

/// The header field that answers the challenge in `reply`: its name and value. `None` where
/// there is no digest challenge with an algorithm that is known.
pub fn answer(
    reply: &Message,
    method: &str,
    uri: &[u8],
    user: &str,
    password: &str,
) -> Option<(&'static str, String)> {
    let (kind, name) = match reply.status() {
        407 => (HeaderKind::ProxyAuthenticate, "Proxy-Authorization"),
        _ => (HeaderKind::WwwAuthenticate, "Authorization"),
    };
    let value = reply.value(kind)?;
    let rest = value
        .get(..6)
        .filter(|scheme| scheme.eq_ignore_ascii_case(b"digest"))?;
    let params = challenge(value.get(rest.len()..)?);
    let get = |name: &str| {
        params
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    let (realm, nonce) = (get("realm")?, get("nonce")?);
    let algorithm = get("algorithm").unwrap_or("MD5");
    let hash: fn(&str) -> String = match algorithm.to_ascii_uppercase().as_str() {
        "MD5" => |text| hex(&Md5::digest(text)),
        "SHA-256" => |text| hex(&Sha256::digest(text)),
        _ => return None,
    };
    let uri = String::from_utf8_lossy(uri);
    let secret = hash(&format!("{user}:{realm}:{password}"));
    let what = hash(&format!("{method}:{uri}"));
    let qop = get("qop").is_some_and(|qop| qop.split(',').any(|word| word.trim() == "auth"));
    let mut out =
        format!("Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\"");
    let response = if qop {
        out.push_str(", qop=auth, nc=00000001, cnonce=\"0a4f113b\"");
        hash(&format!("{secret}:{nonce}:00000001:0a4f113b:auth:{what}"))
    } else {
        hash(&format!("{secret}:{nonce}:{what}"))
    };
    out.push_str(&format!(", response=\"{response}\""));
    if get("algorithm").is_some() {
        out.push_str(&format!(", algorithm={algorithm}"));
    }
    if let Some(opaque) = get("opaque") {
        out.push_str(&format!(", opaque=\"{opaque}\""));
    }
    Some((name, out))
}

/// The parameters of a challenge, which commas separate.
fn challenge(text: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in kcc_sip::token::list(text) {
        let joined = [b";".as_slice(), item].concat();
        if let Some(param) = Params::new(&joined).iter().next() {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push((
                text(param.name).to_ascii_lowercase(),
                text(param.unquoted()),
            ));
        }
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_2617() {
        let reply = "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"\r\n\r\n";
        let reply = Message::parse(reply.into()).unwrap();
        let (name, value) = answer(
            &reply,
            "GET",
            b"/dir/index.html",
            "Mufasa",
            "Circle Of Life",
        )
        .unwrap();
        assert_eq!(name, "Authorization");
        assert!(
            value.contains("response=\"6629fae49393a05397450978507c4ef1\""),
            "{value}"
        );
    }
}
