//! The location table: all contacts of all users, shared by the workers.
//!
//! **Invariant:** a shard's lock is held for one record's step or the sweep of one shard, never
//! while a script runs or something is sent. How much is stored is bounded.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::record::{Record, Rules};
use super::table::{MOST_TABLES, Table};

/// The most contacts of one user, whatever `max_contacts` says.
pub const MOST_CONTACTS: usize = 512;

/// The most contacts of all users together.
pub const MOST_TOTAL: usize = 8_000_000;

type Shard = Mutex<HashMap<Box<[u8]>, Record, RandomState>>;

/// Where record ids come from: `uloc-`, the time of the start, the process, and a number.
#[derive(Debug)]
pub struct Ids {
    prefix: Box<[u8]>,
    next: AtomicU64,
}

impl Ids {
    /// Ids of the server `server_id` (0 is left out), which started at `started`.
    pub fn new(server_id: i64, started: u64) -> Ids {
        let process = std::process::id();
        let prefix = if server_id == 0 {
            format!("uloc-{started:x}-{process:x}-")
        } else {
            format!("uloc-{server_id:x}-{started:x}-{process:x}-")
        };
        Ids {
            prefix: prefix.into_bytes().into_boxed_slice(),
            next: AtomicU64::new(1),
        }
    }

    /// A new number.
    pub fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Appends the id with number `id` to `out`.
    pub fn write(&self, id: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.prefix);
        // Writing into a `Vec` does not fail.
        let _ = write!(out, "{id:x}");
    }

    /// The number of the id `text`, if it is one of these.
    pub fn parse(&self, text: &[u8]) -> Option<u64> {
        let digits = text.strip_prefix(&*self.prefix)?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
}

/// How the store is laid out and kept.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Shards of a table, as a power of two.
    pub shards: u32,
    /// Seconds in which each shard is swept of expired contacts once.
    pub sweep: u64,
    /// How contacts are ordered and matched.
    pub rules: Rules,
}

/// The location table.
pub struct Store {
    tables: [OnceLock<Box<[Shard]>>; MOST_TABLES],
    hasher: RandomState,
    layout: Layout,
    total: AtomicUsize,
    /// Number of the next shard to sweep, over all time.
    swept: AtomicU64,
    /// When sweeping began, in seconds since 1970.
    started: u64,
    /// Record ids.
    pub ids: Ids,
}

impl Store {
    /// An empty store, made at `now`.
    pub fn new(layout: Layout, ids: Ids, now: u64) -> Store {
        Store {
            tables: [const { OnceLock::new() }; MOST_TABLES],
            hasher: RandomState::default(),
            layout,
            total: AtomicUsize::new(0),
            swept: AtomicU64::new(0),
            started: now,
            ids,
        }
    }

    /// How many contacts there are, expired ones that were not swept yet included.
    pub fn len(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    fn shards(&self, table: Table) -> Option<&[Shard]> {
        let cell = self.tables.get(table.index())?;
        Some(cell.get_or_init(|| {
            let shard = || Mutex::new(HashMap::with_hasher(self.hasher.clone()));
            (0..1usize << self.layout.shards).map(|_| shard()).collect()
        }))
    }

    fn shard(&self, table: Table, aor: &[u8]) -> Option<&Shard> {
        let shards = self.shards(table)?;
        // The map takes the low bits of the same hash.
        let high = self.hasher.hash_one(aor) >> 32;
        shards.get(high as usize & (shards.len() - 1))
    }

    /// Calls `read` with the record of `aor`, if it has contacts that are not over at `now`.
    pub fn read<T>(
        &self,
        table: Table,
        aor: &[u8],
        now: u64,
        read: impl FnOnce(&Record) -> T,
    ) -> Option<T> {
        let mut shard = self.shard(table, aor)?.lock();
        let record = shard.get_mut(aor)?;
        self.drop_expired(record, now);
        if record.contacts().is_empty() {
            shard.remove(aor);
            return None;
        }
        Some(read(record))
    }

    /// Calls `change` with the record of `aor`, which is made where there is none, and goes where
    /// it is left empty. `None` where the table does not exist.
    pub fn change<T>(
        &self,
        table: Table,
        aor: &[u8],
        now: u64,
        change: impl FnOnce(&mut Record, &Room<'_>) -> T,
    ) -> Option<T> {
        let room = Room { store: self };
        let mut shard = self.shard(table, aor)?.lock();
        if let Some(record) = shard.get_mut(aor) {
            self.drop_expired(record, now);
            let before = record.contacts().len();
            let result = change(record, &room);
            let after = record.contacts().len();
            self.count(before, after);
            if after == 0 {
                shard.remove(aor);
            }
            return Some(result);
        }
        let mut record = Record::default();
        let result = change(&mut record, &room);
        self.count(0, record.contacts().len());
        if !record.contacts().is_empty() {
            shard.insert(aor.into(), record);
        }
        Some(result)
    }

    fn count(&self, before: usize, after: usize) {
        if after >= before {
            self.total.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.total.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    fn drop_expired(&self, record: &mut Record, now: u64) {
        let gone = record.retain(|contact| !contact.is_expired(now));
        self.count(gone, 0);
    }

    /// Sweeps the shards whose turn has come by `now`; over the time of [`Layout::sweep`] that is
    /// each of them once.
    pub fn sweep(&self, now: u64) {
        while self.sweep_one(now) {}
    }

    /// Sweeps the shard whose turn it is, if one is due.
    fn sweep_one(&self, now: u64) -> bool {
        let shards = 1u64 << self.layout.shards;
        let due = now.saturating_sub(self.started) * shards / self.layout.sweep.max(1);
        let turn = self.swept.load(Ordering::Relaxed);
        if turn >= due {
            return false;
        }
        // After a quiet time one round is enough.
        let next = (turn + 1).max(due.saturating_sub(shards) + 1);
        let taken = self
            .swept
            .compare_exchange(turn, next, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_err() {
            return false;
        }
        let number = ((next - 1) & (shards - 1)) as usize;
        for table in self.tables.iter().filter_map(OnceLock::get) {
            let Some(mut shard) = table.get(number).and_then(Mutex::try_lock) else {
                continue;
            };
            shard.retain(|_, record| {
                self.drop_expired(record, now);
                !record.contacts().is_empty()
            });
            if shard.capacity() > 64 && shard.len() < shard.capacity() / 8 {
                shard.shrink_to_fit();
            }
        }
        true
    }
}

/// What a change of a record may take.
pub struct Room<'a> {
    store: &'a Store,
}

impl Room<'_> {
    /// Whether a user may have `count` contacts, which is more than there are.
    pub fn has_room_for(&self, count: usize) -> bool {
        count <= MOST_CONTACTS && self.store.len() < MOST_TOTAL
    }

    /// The record ids.
    pub fn ids(&self) -> &Ids {
        &self.store.ids
    }

    /// How contacts are ordered and matched.
    pub fn rules(&self) -> &Rules {
        &self.store.layout.rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usrloc::contact::Contact;
    use crate::usrloc::contact::tests::details;

    fn store() -> Store {
        let layout = Layout {
            shards: 4,
            sweep: 16,
            rules: Rules::default(),
        };
        Store::new(layout, Ids::new(0, 0), 0)
    }

    fn add(store: &Store, table: Table, aor: &str, expires: u64, now: u64) -> bool {
        let details = details(b"sip:a@b", expires);
        let added = store.change(table, aor.as_bytes(), now, |record, room| {
            let id = room.ids().next();
            let room = room.has_room_for(record.contacts().len() + 1);
            if room {
                let contact = Contact::new(&details, id, now).unwrap();
                record.insert(contact, &Rules::default());
            }
            room
        });
        added.unwrap()
    }

    #[test]
    fn tables_are_apart_and_expired_contacts_gone() {
        let store = store();
        let (location, other) = (Table::named(b"t-location"), Table::named(b"t-other"));
        let (location, other) = (location.unwrap(), other.unwrap());
        add(&store, location, "alice", 100, 0);
        let count = |table, now| {
            let count = store.read(table, b"alice", now, |record| record.contacts().len());
            count.unwrap_or(0)
        };
        assert_eq!((count(location, 99), count(other, 99)), (1, 0));
        assert_eq!((count(location, 100), store.len()), (0, 0));
    }

    #[test]
    fn the_sweep_frees_users_that_nobody_asks_for() {
        let store = store();
        let table = Table::named(b"t-sweep").unwrap();
        for n in 0..1000 {
            add(&store, table, &format!("user{n}"), 10, 0);
        }
        assert_eq!(store.len(), 1000);
        // A round takes 16 seconds.
        for now in 11..=30 {
            store.sweep(now);
        }
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn one_user_cannot_fill_the_store() {
        let store = store();
        let table = Table::named(b"t-bound").unwrap();
        let taken = (0..10_000).filter(|_| add(&store, table, "flood", 10, 0));
        assert_eq!(taken.count(), MOST_CONTACTS);
        assert_eq!(store.len(), MOST_CONTACTS);
    }

    #[test]
    fn ids_are_written_and_read() {
        let ids = Ids::new(0, 0x6b05_41f1);
        let mut text = Vec::new();
        ids.write(0x1d, &mut text);
        assert!(text.starts_with(b"uloc-6b0541f1-") && text.ends_with(b"-1d"));
        assert_eq!(ids.parse(&text), Some(0x1d));
        assert_eq!(ids.parse(b"uloc-1-1-1"), None);
        assert!(Ids::new(7, 1).prefix.starts_with(b"uloc-7-1-"));
    }
}
