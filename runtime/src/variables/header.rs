//! Header fields by name: `$hdr`, `$hdrc`, and `$hfl`, `$hflc` for the elements of lists.

use kcc_sip::Message;
use kcc_sip::header::HeaderKind;

use crate::declare::{ConstantError, Index, Parse, Parsed};
use crate::run::Run;
use crate::value::Val;

/// The name of a header field: a known kind, or the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderName {
    /// One of the kinds that messages are indexed by.
    Kind(HeaderKind),
    /// Another name; matched in any case.
    Other(Box<[u8]>),
}

impl Parse for HeaderName {
    const NAME: &'static str = "header-name";
    const WHAT: &'static str = "the name of a header field";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let name = kcc_sip::token::trim(text);
        let name = name.strip_suffix(b":").unwrap_or(name);
        if name.is_empty() {
            return Err(ConstantError::new("the name is empty"));
        }
        Ok(match HeaderKind::parse(name) {
            HeaderKind::Other => HeaderName::Other(name.into()),
            kind => HeaderName::Kind(kind),
        })
    }
}

/// A header name for one look at a message.
#[derive(Clone, Copy)]
struct Sought<'a> {
    kind: HeaderKind,
    name: &'a [u8],
}

impl<'a> Sought<'a> {
    fn new(name: &'a Parsed<'_, HeaderName>) -> Sought<'a> {
        match name {
            Parsed::Constant(HeaderName::Kind(kind)) => Sought {
                kind: *kind,
                name: &[],
            },
            Parsed::Constant(HeaderName::Other(name)) => Sought {
                kind: HeaderKind::Other,
                name,
            },
            Parsed::Text(name) => Sought {
                kind: HeaderKind::parse(name),
                name,
            },
        }
    }

    fn values<'m>(
        self,
        message: &'m Message,
    ) -> impl DoubleEndedIterator<Item = &'m [u8]> + use<'m, 'a> {
        message
            .headers_of(self.kind)
            .filter(move |header| {
                self.kind != HeaderKind::Other || header.name.eq_ignore_ascii_case(self.name)
            })
            .map(|header| header.value)
    }

    /// Whether the values of this header are lists of elements.
    fn is_list(self) -> bool {
        matches!(
            self.kind,
            HeaderKind::Via | HeaderKind::Route | HeaderKind::RecordRoute | HeaderKind::Contact
        )
    }
}

/// The value that an index means, over the whole of an iterator that can be walked twice.
fn pick<'m, I: Iterator<Item = &'m [u8]>>(walk: impl Fn() -> I, index: Index) -> Option<&'m [u8]> {
    match index {
        Index::Absent => walk().next(),
        index => walk().nth(index.among(walk().count())?),
    }
}

/// All values, joined by commas.
fn joined(run: &mut Run, sought: Sought<'_>) -> Option<Val> {
    let message = &run.message;
    let size: usize = sought.values(message).map(|value| value.len() + 1).sum();
    if size == 0 {
        return None;
    }
    let space = run.scratch.alloc(size - 1)?;
    let mut at = 0;
    for value in sought.values(message) {
        if at > 0 {
            space[at] = b',';
            at += 1;
        }
        space[at..at + value.len()].copy_from_slice(value);
        at += value.len();
    }
    Some(Val::str(space))
}

/// Variables of header fields by name.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use kcc_sip::token::list;

    use crate::declare::{Index, Parsed};
    use crate::run::Run;
    use crate::value::Val;

    use super::{HeaderName, Sought, joined, pick};

    /// The value of the header field of this name.
    ///
    /// Without an index the first one; `[n]` counts from 0, `[-1]` is the last; `[*]` is all of them,
    /// joined by `,`. Null where there is none. The name is matched in any case, and a compact name
    /// finds the long one; it may be a variable. Shows the received message: edits are not seen
    /// before they are applied.
    ///
    /// ```cfg
    /// if ($hdr(X-Account) == "7") exit;
    /// ```
    #[pv(name = "hdr")]
    fn hdr(run: &mut Run, name: Parsed<HeaderName>, index: Index) -> Option<Val> {
        let sought = Sought::new(&name);
        match index {
            Index::All => joined(run, sought),
            index => pick(|| sought.values(&run.message), index).map(Val::str),
        }
    }

    /// How many header fields have this name.
    ///
    /// ```cfg
    /// if ($hdrc(Diversion) > 5) exit;
    /// ```
    #[pv(name = "hdrc")]
    fn hdrc(run: &mut Run, name: Parsed<HeaderName>) -> i64 {
        Sought::new(&name).values(&run.message).count() as i64
    }

    /// As `$hdr`, but where the header is a list of elements (Via, Route, Record-Route, Contact) the
    /// index counts elements over all header fields of the name.
    ///
    /// ```cfg
    /// if ($(hfl(Record-Route)[1]) == $null) exit;
    /// ```
    #[pv(name = "hfl")]
    fn hfl(run: &mut Run, name: Parsed<HeaderName>, index: Index) -> Option<Val> {
        let sought = Sought::new(&name);
        if index == Index::All || !sought.is_list() {
            return hdr(run, name, index);
        }
        let elements = || sought.values(&run.message).flat_map(list);
        pick(elements, index).map(Val::str)
    }

    /// How many elements the header fields of this name have together; for a header that is no list,
    /// how many header fields there are.
    #[pv(name = "hflc")]
    fn hflc(run: &mut Run, name: Parsed<HeaderName>) -> i64 {
        let sought = Sought::new(&name);
        let values = sought.values(&run.message);
        if !sought.is_list() {
            return values.count() as i64;
        }
        values.flat_map(list).count() as i64
    }
}
