//! One contact of a user (RFC 3261 §10.2), kept compact.
//!
//! **Invariant:** all text of a contact lies in one allocation.

use kcc_runtime::transport::SocketId;

/// What is known of a contact when it is stored. All text is borrowed from the request.
#[derive(Clone, Copy, Debug)]
pub struct Details<'a> {
    /// Its URI.
    pub uri: &'a [u8],
    /// Where its REGISTER came from, as a URI; empty where that is not used.
    pub received: &'a [u8],
    /// The Path of the REGISTER (RFC 3327); empty for none.
    pub path: &'a [u8],
    /// Call-ID of the REGISTER.
    pub call_id: &'a [u8],
    /// User-Agent of the REGISTER; empty for none.
    pub user_agent: &'a [u8],
    /// `+sip.instance` (RFC 5626), without its quotes; empty for none.
    pub instance: &'a [u8],
    /// CSeq number of the REGISTER.
    pub cseq: u32,
    /// `reg-id` (RFC 5626); 0 for none.
    pub reg_id: u32,
    /// Preference in thousandths, 0 to 1000; `None` where the contact gave none.
    pub q: Option<u16>,
    /// When it ends, in seconds since 1970; 0 is never.
    pub expires: u64,
    /// Methods that it takes, a bit each; all bits where it does not say.
    pub methods: u32,
    /// Branch flags that it is called with.
    pub branch_flags: u32,
    /// The socket that its REGISTER came to.
    pub socket: Option<SocketId>,
}

/// The texts of a contact, in the order in which they are stored.
const TEXTS: usize = 6;

/// A stored contact.
#[derive(Debug)]
pub struct Contact {
    text: Box<[u8]>,
    /// Where each text but the last ends.
    ends: [u16; TEXTS - 1],
    /// Preference, as [`Details::q`]; -1 for none.
    q: i16,
    /// Number of its record id: see [`Ids`](super::Ids).
    pub id: u64,
    /// When it ends, in seconds since 1970; 0 is never.
    pub expires: u64,
    /// When it was last registered, in seconds since 1970.
    pub modified: u64,
    /// See [`Details::cseq`].
    pub cseq: u32,
    /// See [`Details::reg_id`].
    pub reg_id: u32,
    /// See [`Details::methods`].
    pub methods: u32,
    /// See [`Details::branch_flags`].
    pub branch_flags: u32,
    /// See [`Details::socket`].
    pub socket: Option<SocketId>,
}

impl Contact {
    /// A contact with record number `id`, registered at `now`; `None` where its texts together are
    /// longer than 64 KiB.
    pub fn new(details: &Details<'_>, id: u64, now: u64) -> Option<Contact> {
        let texts: [&[u8]; TEXTS] = [
            details.uri,
            details.received,
            details.path,
            details.call_id,
            details.user_agent,
            details.instance,
        ];
        let total = texts.iter().map(|text| text.len()).sum::<usize>();
        u16::try_from(total).ok()?;
        let mut text = Vec::with_capacity(total);
        let mut ends = [0; TEXTS - 1];
        for (n, part) in texts.iter().enumerate() {
            text.extend_from_slice(part);
            if let Some(end) = ends.get_mut(n) {
                *end = text.len() as u16;
            }
        }
        Some(Contact {
            text: text.into_boxed_slice(),
            ends,
            q: details.q.map_or(-1, |q| q.min(1000) as i16),
            id,
            expires: details.expires,
            modified: now,
            cseq: details.cseq,
            reg_id: details.reg_id,
            methods: details.methods,
            branch_flags: details.branch_flags,
            socket: details.socket,
        })
    }

    fn text(&self, n: usize) -> &[u8] {
        let start = match n.checked_sub(1) {
            Some(before) => self.ends.get(before).map_or(0, |end| usize::from(*end)),
            None => 0,
        };
        let end = self
            .ends
            .get(n)
            .map_or(self.text.len(), |end| usize::from(*end));
        self.text.get(start..end).unwrap_or_default()
    }

    /// See [`Details::uri`].
    pub fn uri(&self) -> &[u8] {
        self.text(0)
    }

    /// See [`Details::received`].
    pub fn received(&self) -> &[u8] {
        self.text(1)
    }

    /// See [`Details::path`].
    pub fn path(&self) -> &[u8] {
        self.text(2)
    }

    /// See [`Details::call_id`].
    pub fn call_id(&self) -> &[u8] {
        self.text(3)
    }

    /// See [`Details::user_agent`].
    pub fn user_agent(&self) -> &[u8] {
        self.text(4)
    }

    /// See [`Details::instance`].
    pub fn instance(&self) -> &[u8] {
        self.text(5)
    }

    /// See [`Details::q`].
    pub fn q(&self) -> Option<u16> {
        u16::try_from(self.q).ok()
    }

    /// Whether it is over at `now`.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires != 0 && self.expires <= now
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A contact of `uri` that ends at `expires`.
    pub fn details<'a>(uri: &'a [u8], expires: u64) -> Details<'a> {
        Details {
            uri,
            received: b"",
            path: b"",
            call_id: b"call",
            user_agent: b"",
            instance: b"",
            cseq: 1,
            reg_id: 0,
            q: None,
            expires,
            methods: u32::MAX,
            branch_flags: 0,
            socket: None,
        }
    }

    #[test]
    fn texts_come_back_as_they_were() {
        let full = Details {
            received: b"sip:r",
            user_agent: b"phone/1",
            instance: b"<urn:uuid:1>",
            q: Some(500),
            ..details(b"sip:a@b", 10)
        };
        let contact = Contact::new(&full, 1, 5).unwrap();
        assert_eq!(contact.uri(), b"sip:a@b");
        assert_eq!(contact.received(), b"sip:r");
        assert_eq!(contact.path(), b"");
        assert_eq!(contact.call_id(), b"call");
        assert_eq!(contact.user_agent(), b"phone/1");
        assert_eq!(contact.instance(), b"<urn:uuid:1>");
        assert_eq!(contact.q(), Some(500));
        assert!(!contact.is_expired(9) && contact.is_expired(10));
        let long = vec![b'x'; 70_000];
        assert!(Contact::new(&details(&long, 1), 1, 1).is_none());
        // A million contacts are to fit into 600 MB, with their text and index.
        assert!(size_of::<Contact>() <= 88, "{}", size_of::<Contact>());
    }
}
