//! Kamailio's `textopsx`: applying edits, changing a reply's status, keeping header fields.

mod apply;
mod fields;
mod select;

/// More editing of the text of a message.
#[kcc_macros::module(
    name = "textopsx",
    parts(
        super::apply::exports::PART,
        super::fields::exports::PART,
        super::select::exports::PART
    )
)]
pub mod exports {}
