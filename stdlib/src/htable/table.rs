//! A hash table that all workers share.
//!
//! **Invariant:** a shard's lock is held for the step with one item, or for a look at the items of one
//! shard; never while a script runs, waits or sends. What is stored counts against the memory that
//! all tables may take together.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use kcc_runtime::value::{Owned, Value};
use parking_lot::Mutex;

use super::item::{Item, Position};
use super::rank::rank;
use super::shard::Shard;
use super::spec::Spec;

/// The most shards of a table, as a power of two.
const MOST_SHARD_BITS: u32 = 8;

/// The memory that tables share.
#[derive(Debug)]
pub struct Memory {
    used: AtomicUsize,
    limit: usize,
}

/// The tables may take no more memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hash tables have no memory left: see the parameter `max_memory`")]
pub struct Full;

impl Memory {
    /// Room for `limit` bytes.
    pub fn new(limit: usize) -> Memory {
        Memory {
            used: AtomicUsize::new(0),
            limit,
        }
    }

    /// What is in use, in bytes.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Room for what takes `to` bytes in the place of `from`.
    fn exchange(&self, from: usize, to: usize) -> Result<(), Full> {
        if to <= from {
            self.give(from - to);
            return Ok(());
        }
        let more = to - from;
        let before = self.used.fetch_add(more, Ordering::Relaxed);
        if before + more > self.limit {
            self.give(more);
            return Err(Full);
        }
        Ok(())
    }

    fn give(&self, size: usize) {
        self.used.fetch_sub(size, Ordering::Relaxed);
    }
}

/// An item that is over and was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its key.
    pub key: Box<[u8]>,
    /// Its value.
    pub value: Owned,
}

/// A hash table.
pub struct Table {
    /// Its declaration.
    pub spec: Spec,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    memory: Arc<Memory>,
    /// What `sht_lock()` takes: one for a slot, or for several.
    locks: Box<[OnceLock<Arc<tokio::sync::Mutex<()>>>]>,
}

impl Table {
    /// An empty table.
    pub fn new(spec: Spec, memory: Arc<Memory>) -> Table {
        let parts = 1usize << spec.bits.min(MOST_SHARD_BITS);
        Table {
            shards: (0..parts).map(|_| Mutex::default()).collect(),
            locks: (0..parts).map(|_| OnceLock::new()).collect(),
            hasher: RandomState::default(),
            memory,
            spec,
        }
    }

    fn index(&self, rank: u32) -> usize {
        (rank >> (u32::BITS - self.shards.len().trailing_zeros())) as usize
    }

    fn rank(&self, key: &[u8]) -> u32 {
        rank(key, self.spec.bits)
    }

    fn shard(&self, rank: u32) -> &Mutex<Shard> {
        &self.shards[self.index(rank)]
    }

    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// When an item that is written at `now` is over.
    fn expires(&self, now: u64) -> u64 {
        match self.spec.autoexpire {
            0 => 0,
            seconds => now + u64::from(seconds) * 1000,
        }
    }

    /// Which of the table's locks is that of `key`, and the lock.
    pub fn lock_of(&self, key: &[u8]) -> (usize, &Arc<tokio::sync::Mutex<()>>) {
        let index = self.index(self.rank(key));
        (index, self.locks[index].get_or_init(Arc::default))
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `read` with the value of `key`, unless its time is over at `now`.
    pub fn get<T>(&self, key: &[u8], now: u64, read: impl FnOnce(Value<'_>) -> T) -> Option<T> {
        let hash = self.hash(key);
        let shard = self.shard(self.rank(key)).lock();
        let item = shard.find(hash, key).filter(|item| !item.is_over(now))?;
        Some(read(item.value()))
    }

    /// Gives `key` a value, which is not null. It lives for `seconds`, or where that is not above 0 as
    /// the table's declaration says.
    ///
    /// # Errors
    /// There is no memory.
    pub fn set(&self, key: &[u8], value: Value<'_>, seconds: i64, now: u64) -> Result<(), Full> {
        let (rank, hash) = (self.rank(key), self.hash(key));
        let own = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        let own = own.filter(|_| self.spec.autoexpire != 0);
        let own = own.map(|seconds| now.saturating_add(seconds.saturating_mul(1000)));
        let size = Item::size_of(key, value);
        let mut shard = self.shard(rank).lock();
        let changed = shard.change(hash, key, |item| {
            self.memory.exchange(item.size(), size)?;
            let anew = self.spec.updateexpire || item.is_over(now);
            item.set(value);
            match own {
                Some(expires) => item.expires = expires,
                None if anew => item.expires = self.expires(now),
                None => {}
            }
            Ok(())
        });
        if let Some(changed) = changed {
            return changed;
        }
        self.memory.exchange(0, size)?;
        let expires = own.unwrap_or_else(|| self.expires(now));
        shard.insert(rank, key, value, expires, &|key| self.hash(key));
        Ok(())
    }

    /// Adds `n` to the integer of `key`; the sum. An item that does not exist or is over begins with
    /// the table's `initval`. `None` where it has no such value, or a string.
    ///
    /// # Errors
    /// There is no memory.
    pub fn add(&self, key: &[u8], n: i64, now: u64) -> Result<Option<i64>, Full> {
        let (rank, hash) = (self.rank(key), self.hash(key));
        let mut shard = self.shard(rank).lock();
        let changed = shard.change(hash, key, |item| {
            let over = item.is_over(now);
            let before = match (over, item.value()) {
                (true, _) => self.spec.initval,
                (false, Value::Int(n)) => Some(n),
                (false, _) => None,
            };
            let sum = before?.wrapping_add(n);
            let size = item.size();
            item.set(Value::Int(sum));
            // An integer takes no more than what it stands for.
            self.memory.give(size - item.size());
            if over || self.spec.updateexpire {
                item.expires = self.expires(now);
            }
            Some(sum)
        });
        if let Some(sum) = changed {
            return Ok(sum);
        }
        let Some(before) = self.spec.initval else {
            return Ok(None);
        };
        let sum = before.wrapping_add(n);
        let value = Value::Int(sum);
        self.memory.exchange(0, Item::size_of(key, value))?;
        shard.insert(rank, key, value, self.expires(now), &|key| self.hash(key));
        Ok(Some(sum))
    }

    /// Seconds, rounded up, for which `key` goes on to live; 0 where there is no such item, where it
    /// is over or lives for ever.
    pub fn remaining(&self, key: &[u8], now: u64) -> i64 {
        let hash = self.hash(key);
        let shard = self.shard(self.rank(key)).lock();
        let expires = shard.find(hash, key).map_or(0, |item| item.expires);
        let seconds = expires.saturating_sub(now).div_ceil(1000);
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    /// Lets `key` live for `seconds` from `now`; for ever where they are not above 0. Without effect in
    /// a table without `autoexpire`.
    pub fn set_remaining(&self, key: &[u8], seconds: i64, now: u64) {
        if self.spec.autoexpire == 0 {
            return;
        }
        let hash = self.hash(key);
        let mut shard = self.shard(self.rank(key)).lock();
        shard.change(hash, key, |item| item.expires = after(seconds, now));
    }

    /// Takes `key` out; whether it was there.
    pub fn remove(&self, key: &[u8]) -> bool {
        let hash = self.hash(key);
        let removed = self.shard(self.rank(key)).lock().remove(hash, key);
        removed.is_some_and(|item| {
            self.memory.give(item.size());
            true
        })
    }

    /// Takes everything out.
    pub fn clear(&self) {
        self.retain(|_, _| false);
    }

    /// Takes out the items that `keep` does not want.
    pub fn retain(&self, mut keep: impl FnMut(&[u8], Value<'_>) -> bool) {
        for shard in &self.shards {
            let gone = shard.lock().retain(|item| keep(item.key(), item.value()));
            self.memory.give(gone);
        }
    }

    /// Calls `see` with each item in order, those too that are over and were not taken out yet, until
    /// it answers false.
    pub fn visit(&self, mut see: impl FnMut(&[u8], Value<'_>) -> bool) {
        for shard in &self.shards {
            let shard = shard.lock();
            if !shard.iter().all(|item| see(item.key(), item.value())) {
                return;
            }
        }
    }

    /// Calls `read` with the first item after `position`, or of all; its position. Whatever is changed
    /// meanwhile, each item that stays is met once on the way through the table.
    pub fn after(
        &self,
        position: Option<Position>,
        mut read: impl FnMut(&[u8], Value<'_>),
    ) -> Option<Position> {
        let first = position.map_or(0, |position| self.index(position.rank));
        for (index, shard) in self.shards.iter().enumerate().skip(first) {
            let shard = shard.lock();
            let from = position.filter(|_| index == first);
            if let Some(item) = shard.after(from) {
                read(item.key(), item.value());
                return Some(item.position);
            }
        }
        None
    }

    /// Calls `read` with the value of the item at `position`, if it is still there.
    pub fn at<T>(&self, position: Position, read: impl FnOnce(Value<'_>) -> T) -> Option<T> {
        let shard = self.shard(position.rank).lock();
        shard.at(position).map(|item| read(item.value()))
    }

    /// Gives the item at `position` a value; whether it is still there.
    ///
    /// # Errors
    /// There is no memory.
    pub fn set_at(&self, position: Position, value: Value<'_>, now: u64) -> Result<bool, Full> {
        let changed = self
            .shard(position.rank)
            .lock()
            .change_at(position, |item| {
                self.memory
                    .exchange(item.size(), Item::size_of(item.key(), value))?;
                item.set(value);
                if self.spec.updateexpire {
                    item.expires = self.expires(now);
                }
                Ok(true)
            });
        changed.unwrap_or(Ok(false))
    }

    /// As [`set_remaining`](Table::set_remaining), for the item at `position`; whether it is still
    /// there.
    pub fn set_remaining_at(&self, position: Position, seconds: i64, now: u64) -> bool {
        let lasting = self.spec.autoexpire == 0;
        let changed = self
            .shard(position.rank)
            .lock()
            .change_at(position, |item| {
                if !lasting {
                    item.expires = after(seconds, now);
                }
            });
        changed.is_some()
    }

    /// Takes the item at `position` out; whether it was still there.
    pub fn remove_at(&self, position: Position) -> bool {
        let removed = self.shard(position.rank).lock().remove_at(position);
        removed.is_some_and(|item| {
            self.memory.give(item.size());
            true
        })
    }

    /// Takes out at most `most` items that are over at `now`; how many. Where `gone` is given they are
    /// added to it, in order of their shards.
    pub fn sweep(&self, now: u64, most: usize, mut gone: Option<&mut Vec<Gone>>) -> usize {
        let mut count = 0;
        for shard in &self.shards {
            let mut over = Vec::new();
            while count < most {
                let Some(item) = shard.lock().pop_over(now) else {
                    break;
                };
                count += 1;
                self.memory.give(item.size());
                if gone.is_some() {
                    over.push(item);
                }
            }
            if let Some(gone) = &mut gone {
                over.sort_unstable_by_key(|item| item.position);
                gone.extend(over.into_iter().filter_map(|item| {
                    Some(Gone {
                        key: item.key().into(),
                        value: Owned::copy(item.value())?,
                    })
                }));
            }
        }
        count
    }
}

/// The time `seconds` after `now`, in milliseconds; 0 where they are not above 0.
fn after(seconds: i64, now: u64) -> u64 {
    match u64::try_from(seconds) {
        Ok(seconds @ 1..) => now.saturating_add(seconds.saturating_mul(1000)),
        _ => 0,
    }
}
