//! Kamailio's `textops`: reading and editing the text of a message. Edits show when the message
//! is sent or after `msg_apply_changes()`; whoever reads sees what was received.

mod body;
mod date;
pub mod headers;
mod methods;
mod search;
mod strings;
mod subst;
#[cfg(test)]
mod tests;

/// Reading and editing the text of a message.
#[kcc_macros::module(
    name = "textops",
    parts(
        kcc_runtime::transform::substitute::exports::PART,
        super::body::exports::PART,
        super::headers::exports::PART,
        super::methods::exports::PART,
        super::search::exports::PART,
        super::strings::exports::PART,
        super::subst::exports::PART
    )
)]
pub mod exports {}
