//! CANCEL (RFC 3261 §9.2, §16.10) and the Reason that goes on with it (RFC 3326).

use kcc_sip::HeaderKind;

use crate::message::Edits;
use crate::proxy::{Creation, Transaction, perform, respond};
use crate::run::Run;

/// The most bytes of Reason header fields that are kept of a CANCEL.
const LONGEST_REASON: usize = 1024;

impl Run {
    /// Cancels the branches of `invite` for the CANCEL in hand, and answers it.
    pub(super) fn cancel(&mut self, invite: &Transaction) -> i64 {
        if self.create_transaction() == Creation::Retransmission {
            return 1;
        }
        let worker = self.worker().clone();
        let reason = self.reason_lines();
        let (open, pending) = {
            let mut core = invite.lock();
            core.settings.script.cancel_reason = reason;
            let pending = core.branches().iter().any(|b| b.client().is_pending());
            (core.decided().is_none(), pending)
        };
        perform(&worker, invite, invite.cancel(), None);
        if open && !pending {
            let none = Edits::new();
            let actions = respond::make(&worker, invite, 487, b"Request canceled", &none);
            perform(&worker, invite, actions, None);
        }
        let answer: &[u8] = if open && pending {
            b"canceling"
        } else {
            b"ok -- no more pending branches"
        };
        self.answer_in_transaction(200, answer);
        1
    }

    /// The Reason header fields of the message in hand, as lines.
    fn reason_lines(&self) -> Option<Box<[u8]>> {
        let mut lines = Vec::new();
        for header in self.message.headers_of(HeaderKind::Reason) {
            if lines.len() + header.value.len() > LONGEST_REASON {
                break;
            }
            lines.extend_from_slice(b"Reason: ");
            lines.extend_from_slice(header.value);
            lines.extend_from_slice(b"\r\n");
        }
        (!lines.is_empty()).then(|| lines.into_boxed_slice())
    }
}

/// The Reason of the CANCELs that `transaction` sends: that of the CANCEL that came, else the
/// answer that is the cause; Kamailio writes the same. Nothing where there is neither.
pub(super) fn reason(transaction: &Transaction) -> Vec<u8> {
    let core = transaction.lock();
    if core.is_cancelled() {
        let given = core.settings.script.cancel_reason.as_deref();
        return given.unwrap_or_default().to_vec();
    }
    let codes = core.branches().iter().map(|branch| branch.code);
    let answer = codes
        .filter(|code| matches!(code, 200..300 | 600..))
        .min()
        .or_else(|| core.decided());
    match answer {
        Some(200..300) => b"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n".to_vec(),
        Some(code) => format!("Reason: SIP;cause={code}\r\n").into_bytes(),
        None => Vec::new(),
    }
}
