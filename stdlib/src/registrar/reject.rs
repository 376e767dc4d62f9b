//! Why a REGISTER is refused, and what its answer says of it.

/// A reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// To, or the URI that the script gave, is no address of a user.
    #[error("Error while parsing AOR")]
    Aor,
    /// It is too long.
    #[error("Address Of Record too long")]
    AorTooLong,
    /// A Contact header field that cannot be read.
    #[error("Contact parse error")]
    Contact,
    /// `*` without `Expires: 0` (RFC 3261 §10.2.2).
    #[error("* used in contact and expires is not zero")]
    StarExpires,
    /// `*` beside others.
    #[error("* used in contact and more than 1 contact")]
    StarMixed,
    /// A URI longer than `contact_max_size`, or its source.
    #[error("Contact/received too long")]
    ContactTooLong,
    /// A Call-ID of more than 255 bytes.
    #[error("Callid too long")]
    CallIdTooLong,
    /// `q` that is no number from 0 to 1.
    #[error("Invalid q param in contact")]
    Q,
    /// CSeq is not above that of an earlier REGISTER (RFC 3261 §10.3 step 7).
    #[error("Invalid CSeq number")]
    CSeq,
    /// The time is below `min_expires` (RFC 3261 §10.3 step 7).
    #[error("Interval too brief")]
    TooBrief,
    /// There would be more than `max_contacts`.
    #[error("Too many registered contacts")]
    TooMany,
    /// There is no location table.
    #[error("usrloc_record_get failed")]
    NoStore,
}

impl Reject {
    /// Status and reason phrase of the answer.
    pub fn status(self) -> (u16, &'static [u8]) {
        match self {
            Reject::TooBrief => (423, b"Interval Too Brief"),
            Reject::TooMany => (503, b"Service Unavailable"),
            Reject::AorTooLong | Reject::NoStore => (500, b"Server Internal Error"),
            _ => (400, b"Bad Request"),
        }
    }

    /// What `save()` returns.
    pub fn code(self) -> i64 {
        match self {
            Reject::TooMany => -2,
            _ => -1,
        }
    }
}
