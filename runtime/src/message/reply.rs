//! Replies that this server makes to a received request (RFC 3261 §8.2.6), with what the script
//! added to them.

use kcc_sip::build::{Body, Reply, ViaStamp};
use kcc_sip::message::Message;

use super::edits::Edits;

/// A reply to a request.
#[derive(Clone, Copy)]
pub struct OwnReply<'a> {
    /// The request.
    pub request: &'a Message,
    /// The status code, 100 to 699.
    pub code: u16,
    /// The reason phrase.
    pub reason: &'a [u8],
    /// The tag for To, used when To has none. A 100 needs none (RFC 3261 §8.2.6.2).
    pub to_tag: Option<&'a [u8]>,
    /// `received` and `rport` for the top Via.
    pub stamp: ViaStamp,
    /// The script's edits: their header fields and body for replies are added.
    pub edits: &'a Edits,
    /// Header fields of the server, whole lines: those of the reply itself, and `Server`. They
    /// come after the script's.
    pub server: &'a [u8],
}

impl OwnReply<'_> {
    /// Appends the reply to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut reply = Reply::new(self.request, self.code, self.reason);
        reply.to_tag = self.to_tag;
        reply.stamp = self.stamp;
        reply.extra = self.edits.reply_headers();
        reply.more = self.server;
        reply.body = self.edits.reply_body().map(|bytes| Body {
            content_type: b"",
            bytes,
        });
        reply.write(out);
    }
}
