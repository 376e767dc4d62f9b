//! What a script does to a received message, and what is sent because of it: edits (Kamailio's
//! lumps), the request of a branch, the reply that goes on, the reply to the request.
//!
//! **Invariant:** edits are invisible to whoever reads the message until they are applied; a
//! message is built into a buffer of the caller, and nothing here allocates once its buffers have
//! grown.

mod edits;
mod outgoing;
mod reply;
mod splice;
#[cfg(test)]
mod tests;

pub use edits::{Edits, Full, MAX_EDIT_BYTES, MAX_EDITS};
pub use outgoing::{Builder, OutgoingReply, OutgoingRequest};
pub use reply::OwnReply;
