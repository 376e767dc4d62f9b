//! Why a message or one of its parts could not be parsed, and where.

use std::fmt;

/// A parse error with the offset into the parsed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Byte offset where it was found.
    pub offset: u32,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// There is nothing but white space.
    Empty,
    /// Larger than [`crate::MAX_MESSAGE`].
    TooLarge,
    /// The first line is neither a request line nor a status line.
    BadStartLine,
    /// A header field without a name or a colon.
    BadHeader,
    /// A second header field of a kind that a message has once.
    DuplicateHeader,
    /// More header fields than can be indexed.
    TooManyHeaders,
    /// The end of the message stands inside its header.
    Truncated,
    /// The top Via value is malformed.
    BadVia,
    /// Content-Length is not a number.
    BadContentLength,
    /// A URI is malformed.
    BadUri,
    /// A name-addr or addr-spec is malformed.
    BadAddress,
}

impl ParseError {
    /// An error of `kind` at byte `offset`.
    pub fn new(kind: ParseErrorKind, offset: usize) -> ParseError {
        ParseError {
            kind,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
        }
    }
}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseErrorKind::Empty => "empty message",
            ParseErrorKind::TooLarge => "message too large",
            ParseErrorKind::BadStartLine => "malformed first line",
            ParseErrorKind::BadHeader => "malformed header field",
            ParseErrorKind::DuplicateHeader => "a second header field of its kind",
            ParseErrorKind::TooManyHeaders => "too many header fields",
            ParseErrorKind::Truncated => "the message ends inside its header",
            ParseErrorKind::BadVia => "malformed Via",
            ParseErrorKind::BadContentLength => "malformed Content-Length",
            ParseErrorKind::BadUri => "malformed URI",
            ParseErrorKind::BadAddress => "malformed address",
        })
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.offset)
    }
}

impl std::error::Error for ParseError {}
