//! Answers that this server makes (RFC 3261 §8.2.6), in a transaction or without one.

use bytes::Bytes;
use kcc_sip::Message;
use kcc_sip::build::ViaStamp;

use crate::message::{Edits, OwnReply};
use crate::proxy::events::{sl, tm};
use crate::proxy::{Connect, HttpReply, Transaction, perform, reply_destination};
use crate::run::{Run, Source};
use crate::transaction::Actions;
use crate::worker::Worker;

/// What is noted in the top Via of `request` before it goes on or back.
pub fn stamp(request: &Message, source: &Source, force_rport: bool) -> ViaStamp {
    request.top_via().map_or_else(ViaStamp::default, |via| {
        ViaStamp::new(
            &via,
            source.address.ip(),
            source.address.port(),
            force_rport,
        )
    })
}

/// Makes the answer `code` of `transaction` and hands it to it. An empty reason is the usual one.
pub fn make(
    worker: &Worker,
    transaction: &Transaction,
    code: u16,
    reason: &[u8],
    edits: &Edits,
) -> Actions {
    let request = transaction.request();
    let force_rport = transaction.lock().settings.script.force_rport;
    let tag = worker.server.transactions.stateful_tag(&request.message);
    worker.with_buffer(|buffer| {
        let reply = OwnReply {
            request: &request.message,
            code,
            reason: reason_or_usual(code, reason),
            to_tag: (code > 100).then(|| tag.as_bytes()),
            stamp: stamp(&request.message, &request.source, force_rport),
            edits,
            server: worker.server.server_header(),
        };
        reply.write(buffer);
        transaction.respond(code, Bytes::copy_from_slice(buffer), worker.now())
    })
}

fn reason_or_usual(code: u16, reason: &[u8]) -> &[u8] {
    if reason.is_empty() {
        kcc_sip::reason_phrase(code).as_bytes()
    } else {
        reason
    }
}

impl Run {
    /// Answers in the transaction in hand; false where there is none or it has its final answer.
    pub fn reply_in_transaction(&mut self, code: u16, reason: &[u8]) -> bool {
        if !self.answer_in_transaction(code, reason) {
            return false;
        }
        if let Some(transaction) = &self.transaction
            && self.program.event(&tm::LOCAL_RESPONSE).is_some()
        {
            let transaction = transaction.clone();
            let force_rport = transaction.lock().settings.script.force_rport;
            let request = transaction.request();
            let back = reply_destination(&request.message, &request.source, force_rport);
            self.raise_sent(&tm::LOCAL_RESPONSE, back, || {
                Some(transaction.lock().reply().clone())
            });
        }
        true
    }

    /// As [`reply_in_transaction`](Run::reply_in_transaction), without an event.
    pub(super) fn answer_in_transaction(&mut self, code: u16, reason: &[u8]) -> bool {
        let Some(transaction) = self.transaction.clone() else {
            return false;
        };
        let reply = self.wishes().map(|w| w.reply);
        {
            let mut core = transaction.lock();
            if core.reply_code() >= 200 {
                return false;
            }
            core.settings.script.force_rport |= self.force_rport;
            if let Some(reply) = reply {
                core.settings.script.reply = reply;
            }
        }
        let worker = self.worker().clone();
        let actions = make(&worker, &transaction, code, reason, &self.edits);
        perform(&worker, &transaction, actions, None);
        true
    }

    /// Answers without a transaction; false for an ACK, which has no answer, and where sending
    /// fails.
    pub fn reply_stateless(&mut self, code: u16, reason: &[u8]) -> bool {
        if !self.message.is_request() || self.message.method() == kcc_sip::Method::Ack {
            return false;
        }
        if !self.message.is_sip() {
            return self.reply_http(&HttpReply::new(code, reason_or_usual(code, reason)));
        }
        let worker = self.worker().clone();
        let tag = worker.server.transactions.stateless_tag(&self.message);
        let back = reply_destination(&self.message, &self.source, self.force_rport);
        let shown = self.program.event(&sl::LOCAL_RESPONSE).is_some();
        let mut copy = None;
        let sent = worker.with_buffer(|buffer| {
            let reply = OwnReply {
                request: &self.message,
                code,
                reason: reason_or_usual(code, reason),
                to_tag: (code > 100).then(|| tag.as_bytes()),
                stamp: stamp(&self.message, &self.source, self.force_rport),
                edits: &self.edits,
                server: worker.server.server_header(),
            };
            reply.write(buffer);
            copy = shown.then(|| Bytes::copy_from_slice(buffer));
            let connect = self.wishes().map_or(Connect::default(), |w| w.reply);
            worker.send_with(&back, buffer, connect).is_ok()
        });
        self.settled |= sent && code >= 200;
        if sent {
            self.raise_sent(&sl::LOCAL_RESPONSE, back, || copy);
        }
        sent
    }

    /// The script of the request in hand failed: the request is answered, unless it was before or
    /// goes on.
    pub(crate) fn answer_failure(&mut self) {
        let code = self.fault;
        if self.settled || self.has_branches() {
            return;
        }
        if self.transaction.is_some() {
            self.reply_in_transaction(code, b"");
        } else {
            self.reply_stateless(code, b"");
        }
    }
}
