//! Kamailio's `textops`: reading and editing the text of a message. Edits show when the message
//! is sent or after `msg_apply_changes()`; whoever reads sees what was received.

mod headers;
mod methods;

/// Reading and editing the text of a message.
#[kcc_macros::module(
    name = "textops",
    parts(super::headers::exports::PART, super::methods::exports::PART)
)]
pub mod exports {}
