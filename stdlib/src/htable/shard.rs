//! A part of a hash table that one lock guards.
//!
//! **Invariant:** each item stands in `items`, found by its key; in `order`, found by its position;
//! and in `due` once, where its `due` is not 0.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use hashbrown::HashTable;
use kcc_runtime::value::Value;

use super::item::{Item, Position};

/// Items whose ranks have the same first bits.
#[derive(Debug, Default)]
pub struct Shard {
    items: HashTable<Item>,
    /// The hash of each item by its position.
    order: BTreeMap<Position, u64>,
    /// Items by the time at which they may be over.
    due: BTreeSet<(u64, Position)>,
    next: u64,
}

/// How a key is hashed: with a seed that no one outside knows.
pub type Hasher<'a> = &'a dyn Fn(&[u8]) -> u64;

impl Shard {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The item of `key`, whose hash is `hash`.
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<&Item> {
        self.items.find(hash, |item| item.key() == key)
    }

    /// Changes the item of `key`; its time may be changed, too.
    pub fn change<T>(
        &mut self,
        hash: u64,
        key: &[u8],
        change: impl FnOnce(&mut Item) -> T,
    ) -> Option<T> {
        let item = self.items.find_mut(hash, |item| item.key() == key)?;
        let result = change(item);
        Shard::schedule(&mut self.due, item);
        Some(result)
    }

    /// As [`change`](Shard::change), for the item at `position`.
    pub fn change_at<T>(
        &mut self,
        position: Position,
        change: impl FnOnce(&mut Item) -> T,
    ) -> Option<T> {
        let hash = *self.order.get(&position)?;
        let item = self
            .items
            .find_mut(hash, |item| item.position == position)?;
        let result = change(item);
        Shard::schedule(&mut self.due, item);
        Some(result)
    }

    /// Has the item looked at when its time may be over, if that is earlier than was to be.
    fn schedule(due: &mut BTreeSet<(u64, Position)>, item: &mut Item) {
        let earlier = item.due == 0 || item.expires < item.due;
        if item.expires != 0 && earlier {
            if item.due != 0 {
                due.remove(&(item.due, item.position));
            }
            item.due = item.expires;
            due.insert((item.due, item.position));
        }
    }

    /// Adds an item of `key`, which there is none of. `hasher` gives the hash of any key.
    pub fn insert(
        &mut self,
        rank: u32,
        key: &[u8],
        value: Value<'_>,
        expires: u64,
        hasher: Hasher<'_>,
    ) {
        let number = self.next;
        self.next += 1;
        let position = Position { rank, number };
        let mut item = Item::new(position, key, value);
        item.expires = expires;
        Shard::schedule(&mut self.due, &mut item);
        let hash = hasher(key);
        self.order.insert(position, hash);
        self.items
            .insert_unique(hash, item, |item| hasher(item.key()));
    }

    /// Takes the item of `key` out.
    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Item> {
        let found = self.items.find_entry(hash, |item| item.key() == key);
        let (item, _) = found.ok()?.remove();
        self.forget(&item);
        Some(item)
    }

    /// Takes the item at `position` out.
    pub fn remove_at(&mut self, position: Position) -> Option<Item> {
        let hash = *self.order.get(&position)?;
        let found = self
            .items
            .find_entry(hash, |item| item.position == position);
        let (item, _) = found.ok()?.remove();
        self.forget(&item);
        Some(item)
    }

    fn forget(&mut self, item: &Item) {
        self.order.remove(&item.position);
        if item.due != 0 {
            self.due.remove(&(item.due, item.position));
        }
        if self.items.is_empty() {
            let next = self.next;
            *self = Shard::default();
            // A position is not given twice.
            self.next = next;
        }
    }

    /// The item at `position`.
    pub fn at(&self, position: Position) -> Option<&Item> {
        let hash = *self.order.get(&position)?;
        self.items.find(hash, |item| item.position == position)
    }

    /// The first item after `position`, or of all.
    pub fn after(&self, position: Option<Position>) -> Option<&Item> {
        let from = position.map_or(Bound::Unbounded, Bound::Excluded);
        let (position, hash) = self.order.range((from, Bound::Unbounded)).next()?;
        self.items.find(*hash, |item| item.position == *position)
    }

    /// All items in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.order.iter().filter_map(|(position, hash)| {
            self.items.find(*hash, |item| item.position == *position)
        })
    }

    /// Takes an item out that is over at `now`.
    pub fn pop_over(&mut self, now: u64) -> Option<Item> {
        loop {
            let (due, position) = *self.due.first()?;
            if due >= now {
                return None;
            }
            let over = self.change_at(position, |item| item.is_over(now))?;
            if over {
                return self.remove_at(position);
            }
            self.look_later(due, position)?;
        }
    }

    /// The item at `position` lives longer than was thought at `due`.
    fn look_later(&mut self, due: u64, position: Position) -> Option<()> {
        self.due.remove(&(due, position));
        let hash = *self.order.get(&position)?;
        let item = self
            .items
            .find_mut(hash, |item| item.position == position)?;
        item.due = 0;
        Shard::schedule(&mut self.due, item);
        Some(())
    }

    /// Takes out the items that `keep` does not want; gives their size together.
    pub fn retain(&mut self, mut keep: impl FnMut(&Item) -> bool) -> usize {
        let gone: Vec<Position> = self
            .iter()
            .filter(|item| !keep(item))
            .map(|item| item.position)
            .collect();
        gone.into_iter()
            .filter_map(|position| self.remove_at(position))
            .map(|item| item.size())
            .sum()
    }
}
