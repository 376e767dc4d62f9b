//! Typed access to header fields and body, parsed when asked for.

use super::Message;
use crate::cseq::CSeq;
use crate::error::ParseError;
use crate::header::HeaderKind;
use crate::name_addr::{Contact, Contacts, NameAddr, NameAddrs, addresses, contacts};
use crate::token::parse_u32;
use crate::via::{Via, ViaSpans};

/// How the body compares with Content-Length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no Content-Length: the body is all that came.
    Undeclared,
    /// As many bytes came as declared.
    Exact,
    /// More bytes came than declared: that many. Kamailio forwards them all on UDP.
    Excess(usize),
    /// Fewer bytes came than declared: that many are missing. Kamailio's core forwards such a
    /// datagram; its `sanity` module answers 400.
    Missing(usize),
}

impl Message {
    /// The top Via; parsed with the message.
    #[inline]
    pub fn top_via(&self) -> Option<Via<'_>> {
        self.via.map(|v| v.view(&self.buf))
    }

    /// All Via values in order, over all Via header fields; ends at the first malformed one.
    pub fn vias(&self) -> impl Iterator<Item = Via<'_>> {
        self.headers_of(HeaderKind::Via).flat_map(move |h| {
            let range = self.offset_of(h.value).unwrap_or(0..0);
            let mut at = range.start;
            std::iter::from_fn(move || {
                if at >= range.end {
                    return None;
                }
                match ViaSpans::parse(&self.buf, at, range.end) {
                    Ok((via, next)) => {
                        at = next;
                        Some(via.view(&self.buf))
                    }
                    Err(_) => {
                        at = range.end;
                        None
                    }
                }
            })
        })
    }

    /// CSeq; `None` when it is missing or malformed.
    #[inline]
    pub fn cseq(&self) -> Option<CSeq<'_>> {
        self.cseq.map(|c| CSeq {
            number: c.number,
            method: c.method,
            method_name: c.name.of(&self.buf),
        })
    }

    /// The Call-ID.
    #[inline]
    pub fn call_id(&self) -> Option<&[u8]> {
        self.value(HeaderKind::CallId)
    }

    pub(super) fn address(&self, kind: HeaderKind) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.value(kind)?).ok()
    }

    /// The From address; `None` when missing or malformed.
    pub fn from(&self) -> Option<NameAddr<'_>> {
        self.address(HeaderKind::From)
    }

    /// The To address; `None` when missing or malformed.
    pub fn to(&self) -> Option<NameAddr<'_>> {
        self.address(HeaderKind::To)
    }

    /// The From tag.
    pub fn from_tag(&self) -> Option<&[u8]> {
        self.from().and_then(|a| a.tag())
    }

    /// The To tag: present in requests within a dialog.
    pub fn to_tag(&self) -> Option<&[u8]> {
        self.to().and_then(|a| a.tag())
    }

    /// All Contact values, over all Contact header fields.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'_>, ParseError>> {
        self.headers_of(HeaderKind::Contact)
            .flat_map(|h| -> Contacts<'_> { contacts(h.value) })
    }

    pub(super) fn all_addresses(
        &self,
        kind: HeaderKind,
    ) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.headers_of(kind)
            .flat_map(|h| -> NameAddrs<'_> { addresses(h.value) })
    }

    /// All Route values in order.
    pub fn routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.all_addresses(HeaderKind::Route)
    }

    /// All Record-Route values in order.
    pub fn record_routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.all_addresses(HeaderKind::RecordRoute)
    }

    /// Max-Forwards; `None` when missing or not a number.
    pub fn max_forwards(&self) -> Option<u32> {
        self.value(HeaderKind::MaxForwards).and_then(parse_u32)
    }

    /// Content-Length as declared, in bytes.
    #[inline]
    pub fn content_length(&self) -> Option<u32> {
        self.content_length
    }

    /// The body: what follows the header, cut to Content-Length when more came (RFC 3261 §18.3).
    pub fn body(&self) -> &[u8] {
        let all = self.payload();
        match self.content_length {
            Some(n) => all.get(..n as usize).unwrap_or(all),
            None => all,
        }
    }

    /// All that follows the header, whatever Content-Length says.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        self.buf.get(self.body as usize..).unwrap_or_default()
    }

    /// How the body compares with Content-Length.
    pub fn body_length(&self) -> BodyLength {
        let came = self.payload().len();
        match self.content_length.map(|n| n as usize) {
            None => BodyLength::Undeclared,
            Some(n) if n == came => BodyLength::Exact,
            Some(n) if n < came => BodyLength::Excess(came - n),
            Some(n) => BodyLength::Missing(n - came),
        }
    }
}
