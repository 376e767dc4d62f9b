//! The Route header fields of a request (RFC 3261 §20.34) as one list, and the edits that shorten
//! it.
//!
//! **Invariant:** a header field is read as a whole before any of its routes is looked at, so that
//! a malformed one is never half used.

use kcc_runtime::message::{Edits, Full};
use kcc_sip::{HeaderKind, Message, NameAddr, addresses};

/// A Route header field that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed Route header field")]
pub struct Malformed;

/// All routes in order. A malformed or empty header field gives one error.
pub fn routes(message: &Message) -> impl Iterator<Item = Result<NameAddr<'_>, Malformed>> {
    message.headers_of(HeaderKind::Route).flat_map(|header| {
        let mut bad = !readable(header.value);
        let value = if bad { &b""[..] } else { header.value };
        let mut list = addresses(value);
        std::iter::from_fn(move || {
            if std::mem::take(&mut bad) {
                return Some(Err(Malformed));
            }
            Some(list.next()?.map_err(|_| Malformed))
        })
    })
}

/// Whether all of a header field's value is routes, in the angle brackets that they must have.
fn readable(value: &[u8]) -> bool {
    let mut list = addresses(value).peekable();
    list.peek().is_some() && list.all(|route| route.is_ok_and(|route| route.bracketed))
}

/// Removes the first `first` routes, and the last one where `last` says so.
///
/// # Errors
/// There are too many edits.
pub fn remove(message: &Message, edits: &mut Edits, first: usize, last: bool) -> Result<(), Full> {
    let total = routes(message).count();
    let end = if last { total.saturating_sub(1) } else { total };
    let mut number = 0;
    for header in message.headers_of(HeaderKind::Route) {
        let (mut kept, mut cut) = (None::<(NameAddr<'_>, NameAddr<'_>)>, false);
        for address in addresses(header.value).flatten() {
            if (first..end).contains(&number) {
                kept = Some((kept.map_or(address, |kept| kept.0), address));
            } else {
                cut = true;
            }
            number += 1;
        }
        if !cut {
            continue;
        }
        let Some((head, tail)) = kept else {
            edits.remove_header(message, &header)?;
            continue;
        };
        let (Some(value), Some(head), Some(tail)) = (
            message.offset_of(header.value),
            message.offset_of(head.raw),
            message.offset_of(tail.raw),
        ) else {
            continue;
        };
        if head.start > value.start {
            edits.delete(value.start..head.start)?;
        }
        if value.end > tail.end {
            edits.delete(tail.end..value.end)?;
        }
    }
    Ok(())
}
