//! Creating and finding the transaction of a request.

use kcc_sip::{HeaderKind, Message, Method};

use crate::proxy::{Kept, Script, Transaction, perform};
use crate::run::Run;
use crate::transaction::{self, Inserted, ServerKey, Settings};

/// What became of creating a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// There is one: it is new, or the run had it already.
    Ready,
    /// The request is a retransmission: the last answer was sent again.
    Retransmission,
    /// Requests of this kind have none (ACK), or it lacks what identifies one.
    NotPossible,
    /// The Request-URI is malformed.
    BadUri,
}

/// The key of a request's transaction, or of that of another method with the same branch.
fn key<'a>(message: &'a Message, method: &'a [u8]) -> Option<ServerKey<'a>> {
    let via = message.top_via()?;
    Some(match via.branch() {
        Some(branch) if branch.starts_with(transaction::MAGIC_COOKIE.as_bytes()) => {
            ServerKey::new(method, branch, via.sent_by())
        }
        _ => ServerKey::legacy(
            method,
            message.request_uri(),
            message.call_id()?,
            message.from_tag().unwrap_or_default(),
            message
                .value(HeaderKind::CSeq)?
                .split(|c| *c == b' ')
                .next()?,
            via.raw(),
        ),
    })
}

impl Run {
    /// The transaction that the request in hand belongs to: it is a retransmission.
    pub fn lookup(&self) -> Option<Transaction> {
        self.find(self.message.method_name())
    }

    /// The INVITE transaction that the CANCEL or ACK in hand is about.
    pub fn lookup_invite(&self) -> Option<Transaction> {
        self.find(b"INVITE")
    }

    fn find(&self, method: &[u8]) -> Option<Transaction> {
        self.transactions()
            .table()
            .find(&key(&self.message, method)?)
    }

    /// Makes sure that the request in hand has a transaction (`t_newtran`).
    pub fn create_transaction(&mut self) -> Creation {
        if self.transaction.is_some() {
            return Creation::Ready;
        }
        let method = self.message.method();
        let Some(key) = key(&self.message, self.message.method_name()) else {
            return Creation::NotPossible;
        };
        if method == Method::Ack {
            return Creation::NotPossible;
        }
        if self.parsed_uri().is_none() {
            return Creation::BadUri;
        }
        let worker = self.worker().clone();
        let (now, invite) = (worker.now(), method == Method::Invite);
        let defaults = &worker.server.proxy;
        let armed = self.armed();
        let settings = Settings {
            timeouts: armed.timeouts,
            handlers: armed.handlers,
            disable_6xx: armed.disable_6xx,
            relay_100: defaults.relay_100,
            script: Script::default(),
        };
        let reliable = self.source.protocol.reliable();
        let (message, source) = (&self.message, self.source);
        let inserted = worker.server.transactions.table().insert(&key, |id| {
            let kept = Kept {
                message: message.detach(),
                source,
                edits: None,
            };
            transaction::Transaction::new(id, kept, invite, reliable, settings, now)
        });
        match inserted {
            Inserted::Present(transaction) => {
                perform(&worker, &transaction, transaction.request_again(now), None);
                Creation::Retransmission
            }
            Inserted::New(transaction) => {
                self.ticket = transaction.claim();
                self.transaction = Some(transaction);
                Creation::Ready
            }
        }
    }

    /// Leaves with the transaction what later handlers find: the state of the script.
    pub(crate) fn leave_script_state(&mut self) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        let mut core = transaction.lock();
        let script = &mut core.settings.script;
        script.avps = std::mem::take(&mut self.avps);
        script.xavps = std::mem::take(&mut self.xavps);
        script.flags = self.head.message_flags;
    }

    /// Takes what earlier handlers left with the transaction.
    pub(crate) fn take_script_state(&mut self) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        let mut core = transaction.lock();
        let script = &mut core.settings.script;
        self.avps = std::mem::take(&mut script.avps);
        self.xavps = std::mem::take(&mut script.xavps);
        self.head.message_flags = script.flags;
        self.force_rport = script.force_rport;
    }
}
