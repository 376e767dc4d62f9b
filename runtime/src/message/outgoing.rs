//! Building what goes on: the request of a branch, and a reply on its way back
//! (RFC 3261 §16.6, §16.7).
//!
//! The result is byte for byte what Kamailio 5.6 sends, but for two mends: a Content-Length that
//! the script removed is not half written when the body changed, and edits cannot reach over the
//! end of the header.

use kcc_sip::HeaderKind;
use kcc_sip::build::{NewVia, ViaStamp, write_content_length, write_number};
use kcc_sip::message::Message;
use kcc_sip::params::Params;

use super::edits::Edits;
use super::splice::Layers;

/// The request of one branch.
#[derive(Clone, Copy)]
pub struct OutgoingRequest<'a> {
    /// The request as received.
    pub message: &'a Message,
    /// The Request-URI, when it is another.
    pub uri: Option<&'a [u8]>,
    /// The Via of this hop; `None` to rebuild the message for its own script
    /// (`msg_apply_changes`).
    pub via: Option<NewVia<'a>>,
    /// `received` and `rport` of the previous hop's Via.
    pub stamp: ViaStamp,
    /// The edits that all branches share.
    pub edits: &'a Edits,
    /// The edits of this branch.
    pub branch_edits: Option<&'a Edits>,
    /// True on a stream, where Content-Length must be there and right.
    pub stream: bool,
}

/// A reply that goes on to the previous hop.
#[derive(Clone, Copy)]
pub struct OutgoingReply<'a> {
    /// The reply as received.
    pub message: &'a Message,
    /// Takes the top Via off; false to rebuild the message for its own script.
    pub remove_top_via: bool,
    /// The edits of the reply.
    pub edits: &'a Edits,
    /// True on a stream, where Content-Length must be there and right.
    pub stream: bool,
}

/// Builds messages; keeps the buffer for the edits that building makes.
#[derive(Debug, Default)]
pub struct Builder {
    own: Edits,
    none: Edits,
}

impl Builder {
    /// A builder with empty buffers.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Appends the request to `out`. False, and `out` as it was, when the message is no request
    /// or the result would pass [`kcc_sip::MAX_MESSAGE`].
    pub fn request(&mut self, request: &OutgoingRequest<'_>, out: &mut Vec<u8>) -> bool {
        let message = request.message;
        let Some(line) = message.request_line() else {
            return false;
        };
        self.own.clear_message();
        let own = &mut self.own;
        let first_via = message
            .header(HeaderKind::Via)
            .and_then(|h| message.offset_of(h.line))
            .map_or(message.headers_start(), |r| r.start);
        // The few edits of a builder never fill `Edits`.
        if let Some(via) = &request.via {
            let _ = own.replace_with(first_via..first_via, |out| via.write(out));
        }
        stamp_via(message, request.stamp, own);
        let start = out.len();
        out.extend_from_slice(line.method_name);
        out.push(b' ');
        out.extend_from_slice(request.uri.unwrap_or(line.uri));
        out.push(b' ');
        out.extend_from_slice(line.version);
        out.extend_from_slice(b"\r\n");
        let layers = [request.edits, request.branch_edits.unwrap_or(&self.none)];
        finish(message, layers, &mut self.own, request.stream, start, out)
    }

    /// Appends the reply to `out`. False, and `out` as it was, when the message is no reply or
    /// the result would pass [`kcc_sip::MAX_MESSAGE`].
    pub fn reply(&mut self, reply: &OutgoingReply<'_>, out: &mut Vec<u8>) -> bool {
        let message = reply.message;
        if message.is_request() {
            return false;
        }
        self.own.clear_message();
        if reply.remove_top_via {
            remove_top_via(message, &mut self.own);
        }
        let start = out.len();
        out.extend_from_slice(message.first_line());
        out.extend_from_slice(b"\r\n");
        let layers = [reply.edits, &self.none];
        finish(message, layers, &mut self.own, reply.stream, start, out)
    }
}

/// Appends header and body as edited, with Content-Length corrected.
fn finish(
    message: &Message,
    [shared, branch]: [&Edits; 2],
    own: &mut Edits,
    stream: bool,
    start: usize,
    out: &mut Vec<u8>,
) -> bool {
    let buf = message.bytes();
    let body = message.body_offset()..buf.len();
    let given = Layers([shared, branch, own]);
    let body_len = given.len(buf, body.clone(), usize::MAX);
    let changed = given.any_within(body.start..usize::MAX);
    let value = message
        .value(HeaderKind::ContentLength)
        .and_then(|v| message.offset_of(v))
        .filter(|r| !given.deletes(r.start));
    let right = value.is_some() && message.content_length().map(|n| n as usize) == Some(body_len);
    if changed || (stream && !right) {
        let _ = match value {
            Some(range) => own.replace_with(range, |out| write_number(out, body_len as u64)),
            None if stream => {
                let end = message.headers_end();
                own.replace_with(end..end, |out| write_content_length(out, body_len))
            }
            None => Ok(()),
        };
    }
    let layers = Layers([shared, branch, own]);
    let header = message.headers_start()..message.headers_end();
    layers.write(buf, header, body.start, out);
    if !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    layers.write(buf, body, usize::MAX, out);
    let fits = out.len() - start <= kcc_sip::MAX_MESSAGE;
    if !fits {
        out.truncate(start);
    }
    fits
}

/// Notes `stamp` in the top Via, as edits: parameters that are there are replaced in place, new
/// ones stand after the sent-by.
fn stamp_via(message: &Message, stamp: ViaStamp, own: &mut Edits) {
    if stamp.is_empty() {
        return;
    }
    let Some(via) = message.top_via() else { return };
    let Some(sent_by) = message.offset_of(via.sent_by()) else {
        return;
    };
    let one = |received: bool| ViaStamp {
        received: stamp.received.filter(|_| received),
        rport: stamp.rport.filter(|_| !received),
    };
    for (part, name, there) in [
        (one(false), &b"rport"[..], via.has_rport()),
        (one(true), &b"received"[..], via.received().is_some()),
    ] {
        if part.is_empty() {
            continue;
        }
        if !there {
            let _ = own.replace_with(sent_by.end..sent_by.end, |out| part.write_params(out));
            continue;
        }
        for param in via.params().iter() {
            if param.name.eq_ignore_ascii_case(name)
                && let Some(range) = Params::range_with_semicolon(message.bytes(), &param)
            {
                let _ = own.replace_with(range, |out| part.write_params(out));
            }
        }
    }
}

/// Deletes the top Via: the whole field when it is alone in it, else the value with its comma.
fn remove_top_via(message: &Message, own: &mut Edits) {
    let (Some(via), Some(header)) = (message.top_via(), message.header(HeaderKind::Via)) else {
        return;
    };
    let (Some(line), Some(value), Some(top)) = (
        message.offset_of(header.line),
        message.offset_of(header.value),
        message.offset_of(via.raw()),
    ) else {
        return;
    };
    let rest = message.bytes().get(top.end..value.end).unwrap_or_default();
    let range = match rest.iter().position(|c| *c == b',') {
        Some(comma) => {
            let next = &rest[comma + 1..];
            let spaces = next.len() - kcc_sip::token::trim_start(next).len();
            if spaces == next.len() {
                line
            } else {
                top.start..top.end + comma + 1 + spaces
            }
        }
        None => line,
    };
    let _ = own.delete(range);
}
