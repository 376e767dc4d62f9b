//! Kamailio's `siputils`: questions about messages, URIs and numbers.

mod kinds;

/// Questions about messages, URIs and numbers.
#[kcc_macros::module(name = "siputils", parts(super::kinds::exports::PART))]
pub mod exports {}
