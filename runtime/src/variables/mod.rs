//! The pseudo-variables of the core and of the module `pv`, a file a family.
//!
//! **Invariant:** a value that a reader gives lies in static data, in the received message or in
//! the run's scratch memory; what a script can rewrite (the Request-URI, AVPs, …) is copied.

mod key;
pub mod rewrite;
#[cfg(test)]
mod tests;

pub mod attribute;
pub mod avp;
pub mod body;
pub mod branches;
pub(crate) mod calendar;
pub mod common;
pub mod credentials;
pub mod flags;
pub mod from_to;
pub mod header;
pub mod network;
pub mod next_hop;
pub mod preset;
pub mod process;
pub mod request_uri;
pub mod sending;
pub mod shared;
pub mod sockets;
pub mod start_line;
pub mod static_branch;
pub mod statistic;
pub mod time;
pub mod via;
pub mod xavp;

use std::io::Write;

use crate::run::Run;
use crate::value::Val;

/// Why a variable does not take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It takes text.
    #[error("the variable takes a string")]
    NotText,
    /// It takes a number.
    #[error("the variable takes an integer")]
    NotNumber,
    /// Not a port.
    #[error("the variable takes a port, 0 to 65535")]
    NotPort,
    /// It cannot be without a value.
    #[error("the variable cannot be null")]
    Null,
    /// A reply has none.
    #[error("a reply has no Request-URI")]
    Reply,
    /// The URI in hand cannot be taken apart.
    #[error("the URI cannot be parsed")]
    BadUri,
    /// The header field to change is not there.
    #[error("the message has no such header field")]
    NoHeader,
    /// No listen socket is called that.
    #[error("no listen socket is called that")]
    NoSocket,
    /// There is no such branch.
    #[error("there is no such branch")]
    NoBranch,
    /// `max_branches` is reached.
    #[error("there are as many branches as max_branches allows")]
    TooManyBranches,
    /// The key cannot be assigned.
    #[error("this key cannot be assigned")]
    ReadOnly,
    /// Out of scratch memory.
    #[error("the value is too large")]
    TooLarge,
    /// Too many edits.
    #[error(transparent)]
    Full(#[from] crate::message::Full),
}

/// A text with its length known to fit: what `write!` puts into a stack buffer, copied to scratch.
pub(crate) fn written<const N: usize>(run: &mut Run, text: std::fmt::Arguments<'_>) -> Val {
    let mut buffer = [0u8; N];
    let mut rest = &mut buffer[..];
    if rest.write_fmt(text).is_err() {
        return Val::FAIL;
    }
    let unused = rest.len();
    let len = N - unused;
    run.text(&buffer[..len])
}

/// A number in decimal, written into `digits`.
pub fn decimal(n: i64, digits: &mut [u8; 20]) -> &[u8] {
    let mut rest = &mut digits[..];
    // Twenty bytes hold every 64-bit number.
    let _ = write!(rest, "{n}");
    let unused = rest.len();
    let len = digits.len() - unused;
    &digits[..len]
}

/// An empty part counts as none.
fn some(text: &[u8]) -> Option<&[u8]> {
    (!text.is_empty()).then_some(text)
}
