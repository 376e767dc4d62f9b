//! The calling end: INVITE, then ACK and BYE along the recorded route (RFC 3261 §12.2.1.1).

use std::net::SocketAddr;

use super::OFFER;
use super::text::Text;

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// INVITE was sent.
    Inviting,
    /// ACK and BYE were sent.
    Ending,
}

/// What an answer was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 100 or 180 for INVITE.
    Provisional(u16),
    /// 200 for INVITE: the ACK and BYE that follow.
    Established {
        /// The ACK.
        ack: String,
        /// The BYE.
        bye: String,
    },
    /// 200 for BYE.
    Ended,
}

/// The INVITE of call `number`.
pub fn invite(number: u64, target: SocketAddr, local: SocketAddr) -> String {
    format!(
        "INVITE sip:callee@{target} SIP/2.0\r\n\
         Via: {}\r\n\
         Max-Forwards: 70\r\n\
         From: \"Caller\" <sip:caller@{local}>;tag=f{number}\r\n\
         To: <sip:callee@{target}>\r\n\
         Call-ID: {number}@{local}\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:caller@{local}>\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{OFFER}",
        via("i", number, local),
        OFFER.len(),
    )
}

fn via(kind: &str, number: u64, local: SocketAddr) -> String {
    format!("SIP/2.0/UDP {local};branch=z9hG4bK-{kind}{number}")
}

/// Checks `answer` to a request of call `number`, which the proxy passed back or made.
///
/// # Errors
/// It is not what the request deserves, or the proxy has not done its part.
pub fn take(
    answer: Text<'_>,
    number: u64,
    target: SocketAddr,
    local: SocketAddr,
) -> Result<Answer, String> {
    let status = answer.first_line().strip_prefix("SIP/2.0 ");
    let code = status.and_then(|status| status.get(..3)?.parse::<u16>().ok());
    let (cseq, to) = (answer.value("CSeq"), answer.value("To").unwrap_or_default());
    let kind = match cseq {
        Some("1 INVITE") => "i",
        Some("2 BYE") => "b",
        _ => return Err(answer.wrong("no CSeq of ours")),
    };
    answer.check(
        answer.values("Via").eq([via(kind, number, local).as_str()]),
        "not our Via alone",
    )?;
    let from = answer.value("From").unwrap_or_default();
    answer.check(from.ends_with(&format!(";tag=f{number}")), "not our From")?;
    let tagged = to.ends_with(&format!(";tag=u{number}"));
    match (kind, code) {
        ("i", Some(100)) => return Ok(Answer::Provisional(100)),
        ("i", Some(180)) if tagged => return Ok(Answer::Provisional(180)),
        ("i", Some(200)) if tagged => {}
        ("b", Some(200)) if tagged => return Ok(Answer::Ended),
        _ => return Err(answer.wrong("not the status or the tag of To")),
    }
    answer.check(answer.body == OFFER, "not the body")?;
    let contact = answer.value("Contact").unwrap_or_default();
    let contact = contact.trim_start_matches('<').trim_end_matches('>');
    let route: Vec<&str> = answer.values("Record-Route").rev().collect();
    answer.check(!route.is_empty(), "no Record-Route")?;
    let route = route.join(", ");
    let request = |method: &str, cseq: u32, kind: &str| {
        format!(
            "{method} {contact} SIP/2.0\r\n\
             Via: {}\r\n\
             Max-Forwards: 70\r\n\
             Route: {route}\r\n\
             From: \"Caller\" <sip:caller@{local}>;tag=f{number}\r\n\
             To: <sip:callee@{target}>;tag=u{number}\r\n\
             Call-ID: {number}@{local}\r\n\
             CSeq: {cseq} {method}\r\n\
             Content-Length: 0\r\n\r\n",
            via(kind, number, local),
        )
    };
    Ok(Answer::Established {
        ack: request("ACK", 1, "a"),
        bye: request("BYE", 2, "b"),
    })
}
