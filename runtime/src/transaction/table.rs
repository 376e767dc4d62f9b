//! The table of live transactions, in shards, each under a lock of its own.
//!
//! A shard is a slab with hash chains through it. A request is found by its [`ServerKey`], an
//! answer by the index and label in our Via branch. Lookups allocate nothing.
//!
//! Invariant: a slot's transaction is in the chain of its hash if and only if the slot is in use;
//! a removed transaction leaves nothing behind but the slot, which is used again under another
//! label.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::FixedState;
use parking_lot::Mutex;

use super::action::BranchIndex;
use super::key::{BranchParam, ServerKey, StoredKey, TransactionId};
use super::{Payload, Transaction};

const NONE: u32 = u32::MAX;

struct Slot<P: Payload> {
    label: u32,
    next: u32,
    hash: u64,
    live: Option<(StoredKey, Arc<Transaction<P>>)>,
}

struct Shard<P: Payload> {
    slots: Vec<Slot<P>>,
    free: u32,
    chains: Vec<u32>,
    live: usize,
    labels: u64,
}

/// All transactions of the process.
pub struct Table<P: Payload> {
    shards: Box<[Mutex<Shard<P>>]>,
    bits: u32,
    hasher: FixedState,
}

/// What [`Table::insert`] found.
pub enum Inserted<P: Payload> {
    /// The transaction is new.
    New(Arc<Transaction<P>>),
    /// One with that key was there: the request is a retransmission.
    Present(Arc<Transaction<P>>),
}

impl<P: Payload> Table<P> {
    /// A table of 2^`bits` shards (at most 2^12). `seed` should come from the system's random
    /// source: it keeps senders from making keys collide and from guessing labels.
    pub fn new(bits: u32, seed: u64) -> Self {
        let bits = bits.min(12);
        let shard = |number: u64| {
            Mutex::new(Shard {
                slots: Vec::new(),
                free: NONE,
                chains: vec![NONE; 64],
                live: 0,
                labels: mix(seed ^ mix(number)),
            })
        };
        Self {
            shards: (0..1u64 << bits).map(shard).collect(),
            bits,
            hasher: FixedState::with_seed(seed),
        }
    }

    /// How many transactions live.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().live).sum()
    }

    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The transaction with `key`, made by `make` if there is none. Of two copies of a request
    /// that two workers take at the same instant exactly one is new. `make` runs under the
    /// shard's lock.
    pub fn insert(
        &self,
        key: &ServerKey<'_>,
        make: impl FnOnce(TransactionId) -> Transaction<P>,
    ) -> Inserted<P> {
        let (hash, number) = self.locate(key);
        let mut shard = self.shards[number].lock();
        if let Some(present) = shard.find(hash, key) {
            return Inserted::Present(Arc::clone(present));
        }
        let slot = shard.reserve();
        let id = TransactionId {
            index: slot << self.bits | number as u32,
            label: shard.slots[slot as usize].label,
        };
        let transaction = Arc::new(make(id));
        shard.link(slot, hash, StoredKey::new(key), Arc::clone(&transaction));
        Inserted::New(transaction)
    }

    /// The transaction of a request with `key`.
    pub fn find(&self, key: &ServerKey<'_>) -> Option<Arc<Transaction<P>>> {
        let (hash, number) = self.locate(key);
        self.shards[number].lock().find(hash, key).cloned()
    }

    /// The transaction and branch that an answer's first Via branch, as written, leads to.
    pub fn find_branch(&self, branch: &[u8]) -> Option<(Arc<Transaction<P>>, BranchIndex)> {
        let param = BranchParam::parse(branch)?;
        Some((self.get(param.id)?, param.branch))
    }

    /// The transaction named `id`.
    pub fn get(&self, id: TransactionId) -> Option<Arc<Transaction<P>>> {
        let (number, slot) = self.split(id);
        let shard = self.shards[number].lock();
        let slot = shard.slots.get(slot as usize)?;
        let (_, transaction) = slot.live.as_ref()?;
        (slot.label == id.label).then(|| Arc::clone(transaction))
    }

    /// Removes a transaction that has terminated; false if it was not there.
    pub fn remove(&self, id: TransactionId) -> bool {
        let (number, slot) = self.split(id);
        // Dropped after the lock is: what a transaction carries may be large.
        let removed = self.shards[number].lock().unlink(slot, id.label);
        removed.is_some()
    }

    /// Calls `visit` with every live transaction, shard by shard, outside the shard's lock.
    pub fn for_each(&self, mut visit: impl FnMut(&Arc<Transaction<P>>)) {
        for shard in &self.shards {
            let live: Vec<_> = shard
                .lock()
                .slots
                .iter()
                .filter_map(|slot| slot.live.as_ref())
                .map(|(_, transaction)| Arc::clone(transaction))
                .collect();
            live.iter().for_each(&mut visit);
        }
    }

    fn locate(&self, key: &ServerKey<'_>) -> (u64, usize) {
        let mut hasher = self.hasher.build_hasher();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        (hash, (hash as usize) & (self.shards.len() - 1))
    }

    fn split(&self, id: TransactionId) -> (usize, u32) {
        (
            id.index as usize & (self.shards.len() - 1),
            id.index >> self.bits,
        )
    }
}

impl<P: Payload> Shard<P> {
    fn chain(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.chains.len() - 1)
    }

    fn find(&self, hash: u64, key: &ServerKey<'_>) -> Option<&Arc<Transaction<P>>> {
        let mut index = self.chains[self.chain(hash)];
        while let Some(slot) = self.slots.get(index as usize) {
            if slot.hash == hash
                && let Some((stored, transaction)) = &slot.live
                && stored.matches(key)
            {
                return Some(transaction);
            }
            index = slot.next;
        }
        None
    }

    /// A slot in no list, with a new label.
    fn reserve(&mut self) -> u32 {
        self.labels = self.labels.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let label = (mix(self.labels) >> 32) as u32;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let index = self.free;
            self.free = slot.next;
            slot.label = if slot.label == label { !label } else { label };
            index
        } else {
            self.slots.push(Slot {
                label,
                next: NONE,
                hash: 0,
                live: None,
            });
            (self.slots.len() - 1) as u32
        }
    }

    fn link(&mut self, index: u32, hash: u64, key: StoredKey, transaction: Arc<Transaction<P>>) {
        if self.live >= self.chains.len() {
            self.grow();
        }
        let chain = self.chain(hash);
        let next = std::mem::replace(&mut self.chains[chain], index);
        let slot = &mut self.slots[index as usize];
        slot.hash = hash;
        slot.next = next;
        slot.live = Some((key, transaction));
        self.live += 1;
    }

    fn unlink(&mut self, index: u32, label: u32) -> Option<(StoredKey, Arc<Transaction<P>>)> {
        let slot = self.slots.get(index as usize)?;
        if slot.label != label || slot.live.is_none() {
            return None;
        }
        let (hash, next) = (slot.hash, slot.next);
        let chain = self.chain(hash);
        if self.chains[chain] == index {
            self.chains[chain] = next;
        } else {
            let mut before = self.chains[chain];
            while let Some(slot) = self.slots.get_mut(before as usize) {
                if slot.next == index {
                    slot.next = next;
                    break;
                }
                before = slot.next;
            }
        }
        let slot = &mut self.slots[index as usize];
        slot.next = self.free;
        self.free = index;
        self.live -= 1;
        slot.live.take()
    }

    /// Doubles the chains.
    fn grow(&mut self) {
        let size = self.chains.len() * 2;
        self.chains.clear();
        self.chains.resize(size, NONE);
        for index in 0..self.slots.len() {
            if self.slots[index].live.is_some() {
                let chain = self.chain(self.slots[index].hash);
                let next = std::mem::replace(&mut self.chains[chain], index as u32);
                self.slots[index].next = next;
            }
        }
    }
}

/// The finalizer of splitmix64: spreads a counter over all bits.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    struct Nothing;
    impl Payload for Nothing {
        type Message = ();
        type Destination = ();
        type State = ();
    }

    fn insert(table: &Table<Nothing>, branch: &str) -> Inserted<Nothing> {
        let key = ServerKey::new(b"INVITE", branch.as_bytes(), b"host");
        table.insert(&key, |id| {
            Transaction::new(id, (), true, false, Settings::default(), 0)
        })
    }

    #[test]
    fn a_request_and_its_copy_are_one_transaction() {
        let table = Table::new(2, 1);
        let Inserted::New(first) = insert(&table, "z9hG4bKa") else {
            panic!("nothing was there")
        };
        let Inserted::Present(again) = insert(&table, "z9hG4bKa") else {
            panic!("one was there")
        };
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn every_transaction_is_found_both_ways_until_it_is_removed() {
        let table = Table::new(3, 7);
        let names: Vec<_> = (0..5_000).map(|n| format!("z9hG4bK{n}")).collect();
        let mut ids = Vec::new();
        for name in &names {
            let Inserted::New(transaction) = insert(&table, name) else {
                panic!("{name} is new")
            };
            ids.push(transaction.id());
        }
        assert_eq!(table.len(), 5_000);
        for (name, id) in names.iter().zip(&ids) {
            let key = ServerKey::new(b"ACK", name.as_bytes(), b"HOST");
            assert_eq!(table.find(&key).map(|t| t.id()), Some(*id));
            let branch = id.branch_param(3).to_string();
            let (found, number) = table.find_branch(branch.as_bytes()).unwrap();
            assert_eq!((found.id(), number), (*id, 3));
        }
        for (name, id) in names.iter().zip(&ids) {
            assert!(table.remove(*id));
            assert!(!table.remove(*id));
            assert!(table.get(*id).is_none());
            let key = ServerKey::new(b"INVITE", name.as_bytes(), b"host");
            assert!(table.find(&key).is_none());
        }
        assert!(table.is_empty());
        // A place that is used again answers to its new label only.
        let Inserted::New(_again) = insert(&table, "z9hG4bK0") else {
            panic!("nothing was there")
        };
        assert!(ids.iter().all(|id| table.get(*id).is_none()));
    }

    #[test]
    fn a_live_transaction_is_small() {
        assert!(
            size_of::<Transaction<Nothing>>() + size_of::<super::super::Branch<Nothing>>() < 1_024
        );
    }
}
