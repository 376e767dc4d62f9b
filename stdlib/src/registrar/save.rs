//! Storing what a REGISTER asks for (RFC 3261 §10.3 steps 6 to 8).
//!
//! **Invariant:** a REGISTER is stored as a whole or not at all.

use super::reject::Reject;
use super::request::{Request, Wish, write_q};
use crate::usrloc::contact::{Contact, Details};
use crate::usrloc::record::{Record, Turn};
use crate::usrloc::store::{Room, Store};
use crate::usrloc::table::Table;

/// The most bytes of contacts that an answer lists; the rest is left out.
const MOST_LISTED: usize = 48 * 1024;

/// What became of the contacts, with the code of `save()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The last one was added, or nothing changed.
    Inserted = 1,
    /// The last one was refreshed.
    Updated = 2,
    /// The last one was removed.
    Deleted = 3,
    /// Nothing was asked for.
    Queried = 4,
}

/// How to store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The contact takes the place of all others.
    pub only: bool,
    /// The most contacts; 0 is no limit but the store's own.
    pub max_contacts: usize,
}

/// Stores what `request` asks for under `aor`, and appends the contacts that are then there to
/// `listed`, as the value of a Contact header field.
///
/// # Errors
/// Why nothing was stored.
pub fn save(
    store: &Store,
    table: Table,
    aor: &[u8],
    request: &Request<'_>,
    options: &Options,
    received_param: &[u8],
    listed: &mut Vec<u8>,
) -> Result<Saved, Reject> {
    let wish = request.wish()?;
    let now = request.now;
    if wish == Wish::Query {
        store.read(table, aor, now, |record| {
            list(record, now, received_param, listed);
        });
        return Ok(Saved::Queried);
    }
    let changed = store.change(table, aor, now, |record, room| {
        let outcome = match wish {
            Wish::RemoveAll => {
                record.retain(|_| false);
                Ok(Saved::Deleted)
            }
            _ => check(record, request, options, room)
                .and_then(|()| apply(record, request, options, room)),
        };
        list(record, now, received_param, listed);
        outcome
    });
    changed.unwrap_or(Err(Reject::NoStore))
}

/// Whether all contacts of the request can be stored.
fn check(
    record: &Record,
    request: &Request<'_>,
    options: &Options,
    room: &Room<'_>,
) -> Result<(), Reject> {
    let rules = room.rules();
    let mut count = record.contacts().len();
    for new in request.contacts() {
        let new = new?;
        match record.find(&new, rules) {
            Some(n) => {
                let turn = record.turn(n, new.call_id, new.cseq, request.now, rules);
                if turn == Turn::Earlier {
                    return Err(Reject::CSeq);
                }
                if new.expires == 0 {
                    count = count.saturating_sub(1);
                }
            }
            None if new.expires != 0 => count += 1,
            None => {}
        }
    }
    let most = options.max_contacts;
    let grows = count > record.contacts().len();
    if !options.only && grows && ((most > 0 && count > most) || !room.has_room_for(count)) {
        return Err(Reject::TooMany);
    }
    Ok(())
}

fn apply(
    record: &mut Record,
    request: &Request<'_>,
    options: &Options,
    room: &Room<'_>,
) -> Result<Saved, Reject> {
    let mut saved = Saved::Inserted;
    for new in request.contacts() {
        if let Some(done) = store_one(record, &new?, request.now, options, room)? {
            saved = done;
        }
    }
    Ok(saved)
}

fn store_one(
    record: &mut Record,
    new: &Details<'_>,
    now: u64,
    options: &Options,
    room: &Room<'_>,
) -> Result<Option<Saved>, Reject> {
    let rules = room.rules();
    let place = record.find(new, rules);
    let again =
        place.is_some_and(|n| record.turn(n, new.call_id, new.cseq, now, rules) == Turn::Again);
    let done = match place {
        // Sent again, or named twice in one request.
        Some(_) if again => return Ok(None),
        Some(n) if new.expires == 0 => {
            record.remove(n);
            return Ok(Some(Saved::Deleted));
        }
        None if new.expires == 0 => return Ok(None),
        Some(n) => {
            let id = record.contacts().get(n).map_or(0, |contact| contact.id);
            let contact = Contact::new(new, id, now).ok_or(Reject::ContactTooLong)?;
            record.update(n, contact, rules);
            (id, Saved::Updated)
        }
        None => {
            let id = room.ids().next();
            let contact = Contact::new(new, id, now).ok_or(Reject::ContactTooLong)?;
            record.insert(contact, rules);
            (id, Saved::Inserted)
        }
    };
    if options.only {
        record.retain(|contact| contact.id == done.0);
    }
    Ok(Some(done.1))
}

/// Appends the contacts as the value of a Contact header field; nothing where there are none.
fn list(record: &Record, now: u64, received_param: &[u8], out: &mut Vec<u8>) {
    for (n, contact) in record.contacts().iter().enumerate() {
        if out.len() > MOST_LISTED {
            return;
        }
        out.extend_from_slice(if n == 0 { b"<" } else { b", <" });
        out.extend_from_slice(contact.uri());
        out.push(b'>');
        if let Some(q) = contact.q() {
            out.extend_from_slice(b";q=");
            write_q(q, out);
        }
        out.extend_from_slice(b";expires=");
        kcc_sip::build::write_number(out, contact.expires.saturating_sub(now));
        if !contact.received().is_empty() {
            out.push(b';');
            out.extend_from_slice(received_param);
            out.extend_from_slice(b"=\"");
            out.extend_from_slice(contact.received());
            out.push(b'"');
        }
        if !contact.instance().is_empty() {
            out.extend_from_slice(b";+sip.instance=\"");
            out.extend_from_slice(contact.instance());
            out.push(b'"');
        }
        if contact.reg_id > 0 {
            out.extend_from_slice(b";reg-id=");
            kcc_sip::build::write_number(out, u64::from(contact.reg_id));
        }
    }
}
