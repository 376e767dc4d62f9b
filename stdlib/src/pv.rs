//! Pseudo-variables and transformations (Kamailio `pv`).

/// Pseudo-variables of the message, the network, time and flags, `$avp`, and the transformations.
#[kcc_macros::module(
    name = "pv",
    parts(
        kcc_runtime::transform::address::exports::PART,
        kcc_runtime::transform::alias::exports::PART,
        kcc_runtime::transform::line::exports::PART,
        kcc_runtime::transform::param::exports::PART,
        kcc_runtime::transform::string::change::exports::PART,
        kcc_runtime::transform::string::cut::exports::PART,
        kcc_runtime::transform::string::digest::exports::PART,
        kcc_runtime::transform::string::encode::exports::PART,
        kcc_runtime::transform::string::escape::exports::PART,
        kcc_runtime::transform::string::measure::exports::PART,
        kcc_runtime::transform::uri::exports::PART,
        kcc_runtime::transform::value::exports::PART,
        kcc_runtime::variables::avp::exports::PART,
        kcc_runtime::variables::body::exports::PART,
        kcc_runtime::variables::branches::exports::PART,
        kcc_runtime::variables::common::exports::PART,
        kcc_runtime::variables::credentials::exports::PART,
        kcc_runtime::variables::flags::exports::PART,
        kcc_runtime::variables::from_to::exports::PART,
        kcc_runtime::variables::header::exports::PART,
        kcc_runtime::variables::network::exports::PART,
        kcc_runtime::variables::next_hop::exports::PART,
        kcc_runtime::variables::process::exports::PART,
        kcc_runtime::variables::request_uri::exports::PART,
        kcc_runtime::variables::sending::exports::PART,
        kcc_runtime::variables::sockets::exports::PART,
        kcc_runtime::variables::start_line::exports::PART,
        kcc_runtime::variables::time::exports::PART,
        kcc_runtime::variables::via::exports::PART,
    )
)]
pub mod exports {}
