//! The contacts of one address-of-record, in the order in which they are called.
//!
//! **Invariant:** contacts stand in order of preference, those without one last, and the older
//! before the newer; with `desc_time_order` the newest stands first whatever its preference.
//! Every change of the location table goes through the methods here.

use super::contact::{Contact, Details};

/// What makes a contact of a request the same as a stored one (`matching_mode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// The URI, byte for byte.
    #[default]
    Uri,
    /// URI and Call-ID.
    CallId,
    /// URI and Path.
    Path,
    /// Call-ID alone.
    CallIdOnly,
}

impl Matching {
    /// The way with Kamailio's number, 0 to 3.
    pub fn from_number(number: i64) -> Option<Matching> {
        Some(match number {
            0 => Matching::Uri,
            1 => Matching::CallId,
            2 => Matching::Path,
            3 => Matching::CallIdOnly,
            _ => return None,
        })
    }

    fn agree(self, stored: &Contact, new: &Details<'_>) -> bool {
        let uri = || stored.uri() == new.uri;
        match self {
            Matching::Uri => uri(),
            Matching::CallId => uri() && stored.call_id() == new.call_id,
            Matching::Path => uri() && stored.path() == new.path,
            Matching::CallIdOnly => stored.call_id() == new.call_id,
        }
    }
}

/// How the REGISTER of a contact stands to the one that was stored (RFC 3261 §10.3 step 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It came later, or from another registration.
    Later,
    /// It is the same one again.
    Again,
    /// It came out of order.
    Earlier,
}

/// How contacts are ordered and matched.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// How a contact is found again.
    pub matching: Matching,
    /// The newest first.
    pub newest_first: bool,
    /// Seconds for which the same CSeq is a retransmission.
    pub cseq_delay: u64,
}

/// The contacts of one address-of-record.
#[derive(Debug, Default)]
pub struct Record {
    contacts: Vec<Contact>,
}

impl Record {
    /// The contacts.
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// Where the contact stands that `new` is about: the one of the same instance and `reg-id`
    /// (RFC 5626 §4.2), else the one that matches and is of no other instance.
    pub fn find(&self, new: &Details<'_>, rules: &Rules) -> Option<usize> {
        let same_instance =
            |contact: &Contact| contact.instance() == new.instance && contact.reg_id == new.reg_id;
        if !new.instance.is_empty()
            && let Some(place) = self.contacts.iter().position(same_instance)
        {
            return Some(place);
        }
        self.contacts.iter().position(|contact| {
            rules.matching.agree(contact, new)
                && (new.instance.is_empty() || contact.instance().is_empty())
        })
    }

    /// How a REGISTER with `call_id` and `cseq` stands to contact `n`.
    pub fn turn(&self, n: usize, call_id: &[u8], cseq: u32, now: u64, rules: &Rules) -> Turn {
        match self.contacts.get(n) {
            Some(stored) if stored.call_id() == call_id && cseq <= stored.cseq => {
                let recent = stored.modified + rules.cseq_delay > now;
                if cseq == stored.cseq && recent {
                    Turn::Again
                } else {
                    Turn::Earlier
                }
            }
            _ => Turn::Later,
        }
    }

    /// Adds a contact.
    pub fn insert(&mut self, contact: Contact, rules: &Rules) {
        let place = if rules.newest_first {
            0
        } else {
            self.place_of(contact.q())
        };
        if self.contacts.is_empty() {
            // Most users have one.
            self.contacts.reserve_exact(1);
        }
        self.contacts.insert(place, contact);
    }

    fn place_of(&self, q: Option<u16>) -> usize {
        self.contacts
            .iter()
            .position(|other| other.q() < q)
            .unwrap_or(self.contacts.len())
    }

    /// Puts `contact` in the place of number `n`. It moves where it would
    /// stand out of order.
    pub fn update(&mut self, n: usize, contact: Contact, rules: &Rules) {
        let q = contact.q();
        let Some(old) = self.contacts.get_mut(n) else {
            return;
        };
        *old = contact;
        let neighbour = |n: Option<usize>| self.contacts.get(n?).map(Contact::q);
        let stays = !rules.newest_first
            && neighbour(n.checked_sub(1)).is_none_or(|before| before >= q)
            && neighbour(n.checked_add(1)).is_none_or(|after| after <= q);
        if !stays {
            let contact = self.contacts.remove(n);
            self.insert(contact, rules);
        }
    }

    /// Removes contact `n`.
    pub fn remove(&mut self, n: usize) {
        if n < self.contacts.len() {
            self.contacts.remove(n);
        }
    }

    /// Removes the contacts for which `keep` is false; how many.
    pub fn retain(&mut self, keep: impl FnMut(&Contact) -> bool) -> usize {
        let before = self.contacts.len();
        self.contacts.retain(keep);
        before - self.contacts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usrloc::contact::tests::details;

    fn put(record: &mut Record, uri: &str, q: Option<u16>, rules: &Rules) {
        let new = Details {
            q,
            ..details(uri.as_bytes(), 100)
        };
        let contact = Contact::new(&new, 1, 1).unwrap();
        match record.find(&new, rules) {
            Some(n) => record.update(n, contact, rules),
            None => record.insert(contact, rules),
        }
    }

    fn order(record: &Record) -> String {
        let uris = record.contacts().iter().map(Contact::uri);
        String::from_utf8(uris.collect::<Vec<_>>().join(&b' ')).unwrap()
    }

    #[test]
    fn the_order_is_that_of_kamailio_5_6() {
        let (mut record, rules) = (Record::default(), Rules::default());
        for (uri, q, after) in [
            ("0", Some(500), "0"),
            ("1", Some(900), "1 0"),
            ("2", None, "1 0 2"),
            ("3", Some(500), "1 0 3 2"),
            ("4", Some(0), "1 0 3 4 2"),
            ("5", Some(1000), "5 1 0 3 4 2"),
            ("1", Some(900), "5 1 0 3 4 2"),
            ("3", Some(900), "5 1 3 0 4 2"),
            ("2", None, "5 1 3 0 4 2"),
            ("6", None, "5 1 3 0 4 2 6"),
            ("4", None, "5 1 3 0 4 2 6"),
        ] {
            put(&mut record, uri, q, &rules);
            assert_eq!(order(&record), after, "{uri}");
        }
    }

    #[test]
    fn the_newest_is_first_where_that_is_asked_for() {
        let rules = Rules {
            newest_first: true,
            ..Rules::default()
        };
        let mut record = Record::default();
        for (uri, after) in [("a", "a"), ("b", "b a"), ("a", "a b")] {
            put(&mut record, uri, Some(1), &rules);
            assert_eq!(order(&record), after);
        }
    }

    #[test]
    fn a_register_is_later_the_same_or_out_of_order() {
        let rules = Rules {
            cseq_delay: 20,
            ..Rules::default()
        };
        let mut record = Record::default();
        let new = Details {
            cseq: 5,
            ..details(b"sip:a@b", 100)
        };
        record.insert(Contact::new(&new, 1, 10).unwrap(), &rules);
        for (call_id, cseq, now, turn) in [
            ("call", 6, 11, Turn::Later),
            ("other", 1, 11, Turn::Later),
            ("call", 5, 11, Turn::Again),
            ("call", 5, 30, Turn::Earlier),
            ("call", 4, 11, Turn::Earlier),
        ] {
            assert_eq!(record.turn(0, call_id.as_bytes(), cseq, now, &rules), turn);
        }
    }
}
