//! Kamailio's `siputils`: questions about messages, URIs and numbers.

mod kinds;
mod numbers;
mod options;
mod uris;

/// Questions about messages, URIs and numbers.
#[kcc_macros::module(
    name = "siputils",
    parts(
        super::kinds::exports::PART,
        super::numbers::exports::PART,
        super::options::exports::PART,
        super::uris::exports::PART
    )
)]
pub mod exports {
    /// Parameters of `siputils`.
    #[params]
    pub struct Params {
        /// The most characters of a number of E.164, its plus counted.
        #[param(default = 16)]
        pub e164_max_len: i64,
        /// The value of Accept in the answer of `options_reply()`.
        #[param(default = "*/*")]
        pub options_accept: Vec<u8>,
        /// The value of Accept-Encoding.
        #[param(default = "")]
        pub options_accept_encoding: Vec<u8>,
        /// The value of Accept-Language.
        #[param(default = "en")]
        pub options_accept_language: Vec<u8>,
        /// The value of Supported.
        #[param(default = "")]
        pub options_support: Vec<u8>,
    }
}
