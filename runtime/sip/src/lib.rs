//! SIP messages as data: parsing, typed access, and building (RFC 3261).
//!
//! No I/O, no clock, no `unsafe`. A [`Message`] is its bytes plus ranges into them; every
//! accessor returns a subslice of the buffer, and nothing is decoded or copied before it is asked
//! for. No input can make a function of this crate panic or take more than linear time.

#![forbid(unsafe_code)]

pub mod build;
pub mod cseq;
pub mod error;
pub mod framing;
pub mod header;
pub mod message;
pub mod method;
pub mod name_addr;
pub mod params;
pub mod span;
pub mod status;
pub mod token;
pub mod uri;
pub mod via;

pub use cseq::CSeq;
pub use error::{ParseError, ParseErrorKind};
pub use header::HeaderKind;
pub use message::{Header, Message, RequestLine, StatusLine};
pub use method::Method;
pub use name_addr::{Contact, NameAddr, addresses, contacts};
pub use params::{Param, Params};
pub use span::Span;
pub use status::reason_phrase;
pub use uri::{Scheme, Uri};
pub use via::Via;

/// The largest message that is parsed, in bytes (16 MiB). Transports have lower limits.
pub const MAX_MESSAGE: usize = 16 << 20;
