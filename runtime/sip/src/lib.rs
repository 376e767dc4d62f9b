//! SIP messages as data: parsing, typed access, and building (RFC 3261).
//!
//! No I/O, no clock, no `unsafe`. A [`Message`] is its bytes plus ranges into them; every
//! accessor returns a subslice of the buffer, and nothing is decoded or copied before it is asked
//! for. No input can make a function of this crate panic or take more than linear time.

#![forbid(unsafe_code)]

pub mod body;
pub mod build;
pub mod cseq;
pub mod date;
pub mod digest;
pub mod error;
pub mod event;
pub mod framing;
pub mod header;
pub mod hep;
pub mod identity;
pub mod message;
pub mod method;
pub mod name_addr;
pub mod params;
pub mod privacy;
pub mod rack;
pub mod reason;
pub mod session;
pub mod span;
pub mod status;
pub mod token;
pub mod uri;
pub mod via;

pub use body::{Disposition, MediaType, Multipart, Part, Sdp};
pub use cseq::CSeq;
pub use date::Date;
pub use digest::AuthParams;
pub use error::{ParseError, ParseErrorKind};
pub use event::{Event, SubscriptionState};
pub use header::HeaderKind;
pub use identity::Identity;
pub use message::{Header, Message, RequestLine, StatusLine};
pub use method::Method;
pub use name_addr::{Contact, NameAddr, addresses, contacts};
pub use params::{Param, Params};
pub use privacy::Privacy;
pub use rack::RAck;
pub use reason::Reason;
pub use session::SessionExpires;
pub use span::Span;
pub use status::reason_phrase;
pub use uri::{Scheme, Uri};
pub use via::Via;

/// The largest message that is parsed, in bytes (16 MiB). Transports have lower limits.
pub const MAX_MESSAGE: usize = 16 << 20;
