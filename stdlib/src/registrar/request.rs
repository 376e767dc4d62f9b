//! What a REGISTER asks for (RFC 3261 §10.2): its contacts with their times and preferences.
//!
//! **Invariant:** all contacts are checked before the first is stored.

use kcc_runtime::run::Source;
use kcc_sip::token::{list, parse_u32, unfold};
use kcc_sip::{Contact, HeaderKind, Message, Method, NameAddr};

use super::reject::Reject;
use crate::usrloc::contact::Details;

/// The longest Call-ID, in bytes.
const LONGEST_CALL_ID: usize = 255;
/// The longest URI of a source, in bytes.
const LONGEST_RECEIVED: usize = 255;
/// How much of a User-Agent is kept, in bytes.
const LONGEST_USER_AGENT: usize = 255;

/// What the parameters of the module say of contacts.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Seconds where a contact names none.
    pub default_expires: u32,
    /// The least seconds.
    pub min_expires: u32,
    /// Less is refused; else it is raised.
    pub refuse_brief: bool,
    /// The most seconds; 0 is no limit.
    pub max_expires: u32,
    /// Preference where a contact names none.
    pub default_q: Option<u16>,
    /// The longest URI, in bytes.
    pub contact_max_size: usize,
    /// The contact's parameter that names its source.
    pub received_param: &'a [u8],
    /// The source, where the script set one.
    pub received: Option<&'a [u8]>,
    /// Branch flags of the contacts.
    pub branch_flags: u32,
}

/// A REGISTER.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The message: a request, or in a reply route the answer to one.
    pub message: &'a Message,
    /// Where it came from.
    pub source: Source,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// What is to be applied.
    pub terms: Terms<'a>,
}

/// What is asked for as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// No Contact: list what is there.
    Query,
    /// `Contact: *`: remove all.
    RemoveAll,
    /// Add, refresh and remove the contacts.
    Contacts,
}

impl<'a> Request<'a> {
    /// What is asked for; everything that is wrong with it, whatever is stored, comes out here.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn wish(&self) -> Result<Wish, Reject> {
        let (mut stars, mut others) = (0, 0);
        for header in self.message.headers_of(HeaderKind::Contact) {
            let mut values = kcc_sip::contacts(header.value).peekable();
            if values.peek().is_none() {
                return Err(Reject::Contact);
            }
            for value in values {
                match value.map_err(|_| Reject::Contact)? {
                    Contact::Star => stars += 1,
                    Contact::Address(address) => {
                        others += 1;
                        self.check(&address)?;
                    }
                }
            }
        }
        match (stars, others) {
            (0, 0) => Ok(Wish::Query),
            (0, _) => Ok(Wish::Contacts),
            _ if self.header_expires() != Some(0) => Err(Reject::StarExpires),
            (1, 0) => Ok(Wish::RemoveAll),
            _ => Err(Reject::StarMixed),
        }
    }

    fn check(&self, contact: &NameAddr<'_>) -> Result<(), Reject> {
        // A space or line end in it would break the requests that are sent to it.
        if contact.uri.iter().any(|c| *c <= b' ' || *c == 0x7f) {
            return Err(Reject::Contact);
        }
        let received = self.received(contact);
        if contact.uri.len() > self.terms.contact_max_size || received.len() > LONGEST_RECEIVED {
            return Err(Reject::ContactTooLong);
        }
        if received
            .iter()
            .any(|c| *c <= b' ' || matches!(c, b'"' | b'<' | b'>' | 0x7f))
        {
            return Err(Reject::Contact);
        }
        Ok(())
    }

    /// The contacts, as they are to be stored.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Details<'a>, Reject>> + use<'a> {
        let request = *self;
        request
            .message
            .contacts()
            .filter_map(Result::ok)
            .filter_map(move |contact| match contact {
                Contact::Star => None,
                Contact::Address(address) => Some(request.details(&address)),
            })
    }

    fn details(&self, contact: &NameAddr<'a>) -> Result<Details<'a>, Reject> {
        let call_id = self.message.call_id().unwrap_or_default();
        if call_id.len() > LONGEST_CALL_ID {
            return Err(Reject::CallIdTooLong);
        }
        let q = match contact.params.get(b"q") {
            None | Some(b"") => self.terms.default_q,
            Some(text) => Some(thousandths(text).ok_or(Reject::Q)?),
        };
        let user_agent = self
            .message
            .value(HeaderKind::UserAgent)
            .unwrap_or_default();
        let instance = contact.params.get(b"+sip.instance").unwrap_or_default();
        let reg_id = contact.params.get(b"reg-id").and_then(parse_u32);
        let length = user_agent.len().min(LONGEST_USER_AGENT);
        Ok(Details {
            uri: contact.uri,
            received: self.received(contact),
            path: b"",
            call_id,
            user_agent: user_agent.get(..length).unwrap_or_default(),
            instance: if instance.iter().all(|c| *c > b' ') {
                instance
            } else {
                b""
            },
            cseq: self.message.cseq().map_or(0, |cseq| cseq.number),
            reg_id: reg_id.unwrap_or(0),
            q,
            expires: match self.expires(contact)? {
                0 => 0,
                seconds => self.now + u64::from(seconds),
            },
            methods: self.methods(contact),
            branch_flags: self.terms.branch_flags,
            socket: Some(self.source.socket),
        })
    }

    fn received(&self, contact: &NameAddr<'a>) -> &'a [u8] {
        let param = || contact.params.get(self.terms.received_param);
        self.terms.received.or_else(param).unwrap_or_default()
    }

    /// The Expires header field in seconds; `None` where there is none or a malformed one.
    fn header_expires(&self) -> Option<u32> {
        parse_u32(self.message.value(HeaderKind::Expires)?)
    }

    /// How long the contact is to live, in seconds; 0 removes it.
    fn expires(&self, contact: &NameAddr<'_>) -> Result<u32, Reject> {
        let terms = &self.terms;
        let asked = match contact.params.get(b"expires") {
            None | Some(b"") => self.header_expires(),
            Some(text) => parse_u32(text),
        };
        let mut seconds = asked.unwrap_or(terms.default_expires);
        if seconds == 0 {
            return Ok(0);
        }
        if seconds < terms.min_expires {
            if terms.refuse_brief {
                return Err(Reject::TooBrief);
            }
            seconds = terms.min_expires;
        }
        if terms.max_expires > 0 {
            seconds = seconds.min(terms.max_expires);
        }
        Ok(seconds)
    }

    /// The methods that the contact takes (RFC 3840 `methods`), else those of Allow.
    fn methods(&self, contact: &NameAddr<'_>) -> u32 {
        let own = contact.params.get(b"methods");
        match own.or_else(|| self.message.value(HeaderKind::Allow)) {
            Some(names) => {
                list(&unfold(names)).fold(0, |set, name| set | Method::parse(name).bit())
            }
            None => u32::MAX,
        }
    }
}

/// The preference in thousandths, rounded down; `None` for anything but 0 to 1.
fn thousandths(text: &[u8]) -> Option<u16> {
    let dot = text.iter().position(|c| *c == b'.').unwrap_or(text.len());
    let whole = text.get(..dot)?;
    let fraction = text.get(dot + 1..).unwrap_or_default();
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digit = |c: &u8| c.is_ascii_digit().then(|| u16::from(c - b'0'));
    let whole = whole
        .iter()
        .try_fold(0u16, |n, c| Some((n * 10 + digit(c)?).min(2)))?;
    let mut sum = whole * 1000;
    let mut weight = 100;
    for c in fraction {
        sum += digit(c)? * weight;
        weight /= 10;
    }
    (sum <= 1000).then_some(sum)
}

/// Appends a preference as a decimal number.
pub fn write_q(q: u16, out: &mut Vec<u8>) {
    if q >= 1000 {
        out.push(b'1');
        return;
    }
    out.push(b'0');
    let mut rest = q;
    let mut weight = 100;
    while rest > 0 {
        if weight == 100 {
            out.push(b'.');
        }
        out.push(b'0' + (rest / weight) as u8);
        rest %= weight;
        weight = (weight / 10).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_read_and_written() {
        for (text, q, shown) in [
            ("0.5", Some(500), "0.5"),
            ("0.50", Some(500), "0.5"),
            (".5", Some(500), "0.5"),
            ("0.5555", Some(555), "0.555"),
            ("0.05", Some(50), "0.05"),
            ("0.001", Some(1), "0.001"),
            ("1", Some(1000), "1"),
            ("1.000", Some(1000), "1"),
            ("0", Some(0), "0"),
            ("1.5", None, ""),
            ("99999999999999", None, ""),
            ("-1", None, ""),
            ("abc", None, ""),
            ("0.5x", None, ""),
            (".", None, ""),
        ] {
            assert_eq!(thousandths(text.as_bytes()), q, "{text}");
            let mut out = Vec::new();
            if let Some(q) = q {
                write_q(q, &mut out);
            }
            assert_eq!(out, shown.as_bytes(), "{text}");
        }
    }
}
