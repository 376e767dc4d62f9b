//! The core of the language: what needs no `loadmodule`.

/// Statements and variables of the core.
#[kcc_macros::module(
    name = "core",
    parts(
        kcc_runtime::engine::events::exports::PART,
        kcc_runtime::select::address::exports::PART,
        kcc_runtime::select::config::exports::PART,
        kcc_runtime::select::credentials::exports::PART,
        kcc_runtime::select::message::exports::PART,
        kcc_runtime::select::network::exports::PART,
        kcc_runtime::select::server::exports::PART,
        kcc_runtime::select::uri::exports::PART,
        kcc_runtime::select::via::exports::PART,
        kcc_runtime::statements::branches::exports::PART,
        kcc_runtime::statements::config::exports::PART,
        kcc_runtime::statements::exec::exports::PART,
        kcc_runtime::statements::flags::exports::PART,
        kcc_runtime::statements::forward::exports::PART,
        kcc_runtime::statements::log::exports::PART,
        kcc_runtime::statements::network::exports::PART,
        kcc_runtime::statements::uri::exports::PART,
        kcc_runtime::variables::attribute::exports::PART,
        kcc_runtime::variables::process::core::PART
    )
)]
pub mod exports {}
