//! The called end: 180 and 200 for INVITE, 200 for BYE. It keeps nothing, so a request that comes
//! again is answered again.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::OFFER;
use super::text::Text;

/// What a request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Answered with 180 and 200.
    Invite,
    /// The ACK of the call with this number.
    Ack(u64),
    /// Answered with 200.
    Bye,
}

/// Checks `request`, which the proxy passed on, and writes the answers to it into `answers`.
///
/// # Errors
/// The proxy has not done its part.
pub fn take(
    request: Text<'_>,
    local: SocketAddr,
    answers: &mut Vec<String>,
) -> Result<Taken, String> {
    let Some(call) = request.call() else {
        return Err(request.wrong("no Call-ID of ours"));
    };
    let via: Vec<&str> = request.values("Via").collect();
    request.check(
        via.len() == 2 && via[0].contains(";branch=z9hG4bK") && via[0] != via[1],
        "not two Via",
    )?;
    request.check(
        request.value("Max-Forwards") == Some("69"),
        "not 69 hops left",
    )?;
    request.check(request.value("Route").is_none(), "the proxy's own Route")?;
    let line = request.first_line();
    let to = request.value("To").unwrap_or_default();
    let method = line.split(' ').next().unwrap_or_default();
    let tag = format!(";tag=u{call}");
    if method != "INVITE" {
        request.check(
            line == format!("{method} sip:callee@{local} SIP/2.0"),
            "not the Contact",
        )?;
        request.check(to.ends_with(&tag), "not the tag of To")?;
    }
    match method {
        "INVITE" => {
            let recorded = request.values("Record-Route").any(|r| r.contains(";lr"));
            request.check(recorded, "no Record-Route")?;
            request.check(request.body == OFFER, "not the body")?;
            answers.push(answer(request, "180 Ringing", &tag, local, ""));
            answers.push(answer(request, "200 OK", &tag, local, OFFER));
            Ok(Taken::Invite)
        }
        "ACK" => Ok(Taken::Ack(call)),
        "BYE" => {
            answers.push(answer(request, "200 OK", "", local, ""));
            Ok(Taken::Bye)
        }
        _ => Err(request.wrong("a method that was not sent")),
    }
}

fn answer(request: Text<'_>, status: &str, tag: &str, local: SocketAddr, body: &str) -> String {
    let mut out = format!("SIP/2.0 {status}\r\n");
    let mut line = |name: &str, value: &str, tag: &str| {
        // Writing into a `String` does not fail.
        let _ = write!(out, "{name}: {value}{tag}\r\n");
    };
    for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
        for value in request.values(name) {
            line(name, value, if name == "To" { tag } else { "" });
        }
    }
    line("Contact", &format!("<sip:callee@{local}>"), "");
    if !body.is_empty() {
        line("Content-Type", "application/sdp", "");
    }
    line("Content-Length", &body.len().to_string(), "");
    out.push_str("\r\n");
    out.push_str(body);
    out
}
