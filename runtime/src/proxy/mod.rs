//! The proxy core (RFC 3261 §16) on the machines of [`crate::transaction`]: creating a
//! transaction, relaying a request on its branches, taking answers back, failure handling,
//! CANCEL and ACK.
//!
//! **Invariant:** whoever holds a transaction's ticket runs its scripts; no lock is held while a
//! script runs or a message is sent.

mod armed;
mod cancel;
mod create;
mod destination;
pub mod events;
mod http;
mod large;
mod perform;
pub mod record_route;
mod relay;
mod respond;
mod scripts;
mod stateless;
mod wishes;

use std::sync::Arc;

use kcc_sip::Message;
use kcc_sip::build::ToTag;

use crate::message::Edits;
use crate::run::{Avps, Run, Source, Xavps};
use crate::transaction::{self, Payload, Table};
use crate::transport::Destination;

pub use crate::transaction::BranchIndex;
pub use armed::{Armed, Defaults, UnmatchedCancel};
pub use create::Creation;
pub use destination::{NextHop, NextHopError, reply_destination};
pub use http::HttpReply;
pub use perform::perform;
pub use record_route::RecordRoute;
pub use relay::{RelayError, RelayOptions, Trying};
pub use scripts::{finish, take_reply, wake};
pub use stateless::{ForwardError, forward_reply};
pub use wishes::{Connect, Wishes};

/// A message that a transaction keeps, with its origin.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The message.
    pub message: Message,
    /// Where it came from.
    pub source: Source,
    /// Edits that reply routes made on it; absent where there are none.
    pub edits: Option<Box<Edits>>,
}

/// What scripts keep in a transaction between their handlers.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// `$avp`.
    pub avps: Avps,
    /// `$xavp`, `$xavi`, `$xavu`.
    pub xavps: Xavps,
    /// Message flags.
    pub flags: u32,
    /// `force_rport`.
    pub force_rport: bool,
    /// How answers use connections.
    pub reply: Connect,
    /// How branches use connections.
    pub forward: Connect,
    /// The request as it was relayed first, where a script changed it after the transaction was made.
    pub changed: Option<Box<Message>>,
    /// The request's edits, which new branches of failure routes carry, too.
    pub edits: Edits,
    /// The Request-URI when the request was first relayed, where it was rewritten.
    pub uri: Option<Box<[u8]>>,
    /// The Reason header fields of the CANCEL that came, whole lines.
    pub cancel_reason: Option<Box<[u8]>>,
    /// The Record-Route that branches carry.
    pub record_route: RecordRoute,
}

/// What the transactions of this server carry.
#[derive(Debug)]
pub enum Sip {}

impl Payload for Sip {
    type Message = Kept;
    type Destination = Destination;
    type State = Script;
}

/// A transaction.
pub type Transaction = Arc<transaction::Transaction<Sip>>;
/// The right to run a transaction's scripts.
pub type Ticket = transaction::Ticket<Sip>;

/// All transactions of a server, and the secrets of the tags it makes.
pub struct Transactions {
    table: Table<Sip>,
    stateful_tags: [u64; 2],
    stateless_tags: [u64; 2],
}

impl Default for Transactions {
    fn default() -> Transactions {
        use std::hash::{BuildHasher, RandomState};
        // Each `RandomState` is seeded by the system.
        let random = || RandomState::new().hash_one(0u8);
        Transactions {
            table: Table::new(6, random()),
            stateful_tags: [random(), random()],
            stateless_tags: [random(), random()],
        }
    }
}

impl Transactions {
    /// The table.
    pub fn table(&self) -> &Table<Sip> {
        &self.table
    }

    /// The To tag of answers that a transaction makes to `request`.
    pub fn stateful_tag(&self, request: &Message) -> ToTag {
        tag(self.stateful_tags, request)
    }

    /// The To tag of stateless answers to `request`; an ACK with it ends here (RFC 3261 §8.2.7).
    pub fn stateless_tag(&self, request: &Message) -> ToTag {
        tag(self.stateless_tags, request)
    }
}

fn tag(key: [u64; 2], request: &Message) -> ToTag {
    let branch = request
        .top_via()
        .and_then(|via| via.branch())
        .unwrap_or_default();
    ToTag::new(key, &[branch, request.call_id().unwrap_or_default()])
}

impl Run {
    /// The server's transactions.
    pub fn transactions(&self) -> &Transactions {
        &self.worker().server.transactions
    }
}
