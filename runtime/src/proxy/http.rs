//! Answers to HTTP requests (RFC 9112) that came to a port of SIP.
//!
//! As Kamailio's they carry a field `Sia` with the Via that a SIP answer would have, and what the
//! script appended to replies.

use std::io::Write;

use kcc_sip::build::{write_content_length, write_number};

use crate::proxy::{Connect, reply_destination};
use crate::run::Run;

/// An answer to an HTTP request.
#[derive(Clone, Copy, Debug)]
pub struct HttpReply<'a> {
    /// The status, 100 to 999.
    pub code: u16,
    /// The reason phrase; line ends in it are left out.
    pub reason: &'a [u8],
    /// Content-Type; without one there is no such field. Line ends in it are left out.
    pub content_type: &'a [u8],
    /// The body.
    pub body: &'a [u8],
    /// Header fields besides, whole lines.
    pub headers: &'a [u8],
    /// Closes the connection after it.
    pub close: bool,
}

impl<'a> HttpReply<'a> {
    /// An answer without a body.
    pub fn new(code: u16, reason: &'a [u8]) -> HttpReply<'a> {
        HttpReply {
            code,
            reason,
            content_type: b"",
            body: b"",
            headers: b"",
            close: false,
        }
    }
}

impl Run {
    /// Answers the HTTP request in hand; false where that is none, and where sending fails.
    pub fn reply_http(&mut self, reply: &HttpReply<'_>) -> bool {
        let Some(line) = self.message.request_line() else {
            return false;
        };
        if self.message.is_sip() {
            return false;
        }
        let worker = self.worker().clone();
        let source = self.source;
        let back = reply_destination(&self.message, &source, self.force_rport);
        let sent = worker.with_buffer(|out| {
            out.extend_from_slice(line.version);
            out.push(b' ');
            write_number(out, u64::from(reply.code));
            out.push(b' ');
            write_text(reply.reason, out);
            // Writing to memory does not fail.
            let _ = write!(
                out,
                "\r\nSia: SIP/2.0/{} {}\r\n",
                source.protocol.via_name(),
                source.address
            );
            out.extend_from_slice(self.edits.reply_headers());
            out.extend_from_slice(reply.headers);
            if !reply.content_type.is_empty() {
                out.extend_from_slice(b"Content-Type: ");
                write_text(reply.content_type, out);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(worker.server.server_header());
            write_content_length(out, reply.body.len());
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(reply.body);
            let wished = self.wishes().map_or(Connect::default(), |w| w.reply);
            let connect = Connect {
                close: wished.close || reply.close,
                ..wished
            };
            worker.send_with(&back, out, connect).is_ok()
        });
        self.settled |= sent && reply.code >= 200;
        sent
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend(text.iter().filter(|c| !matches!(c, b'\r' | b'\n')));
}
