//! A hashed, hierarchical timer wheel: six levels of 64 slots, one millisecond at the bottom.
//!
//! Adding, cancelling and finding the next deadline cost the same for ten timers and for a
//! million. Entries live in a slab that is reused, so a steady load allocates nothing. The wheel
//! reads no clock: the caller says what time it is.
//!
//! Invariant: an entry is in exactly one list (a slot's, the ready list or the free list), and a
//! slot's bit in `occupied` is set if and only if its list is not empty.

use super::timer::NEVER;

const LEVELS: usize = 6;
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// The longest time ahead that the levels tell apart; later deadlines wait at this distance.
const SPAN: u64 = (1 << (BITS * LEVELS as u32)) - 1;
const NONE: u32 = u32::MAX;
const READY: u16 = (LEVELS * SLOTS) as u16;
const FREE: u16 = READY + 1;

/// Names a timer in its wheel, for [`Wheel::cancel`]. A key of a timer that has fired or was
/// cancelled matches nothing, also when its place was reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKey {
    index: u32,
    generation: u32,
}

struct Entry<T> {
    at: u64,
    next: u32,
    previous: u32,
    generation: u32,
    place: u16,
    item: T,
}

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
}

/// The timers of one worker thread. `T` is what a timer carries.
pub struct Wheel<T> {
    now: u64,
    entries: Vec<Entry<T>>,
    free: u32,
    live: usize,
    lists: Box<[List; LEVELS * SLOTS + 1]>,
    occupied: [u64; LEVELS],
}

impl<T: Copy> Wheel<T> {
    /// An empty wheel whose clock stands at `now` milliseconds.
    pub fn new(now: u64) -> Self {
        let empty = List {
            head: NONE,
            tail: NONE,
        };
        Self {
            now,
            entries: Vec::new(),
            free: NONE,
            live: 0,
            lists: Box::new([empty; LEVELS * SLOTS + 1]),
            occupied: [0; LEVELS],
        }
    }

    /// How many timers run.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no timer runs.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Adds a timer that fires at `at` milliseconds, at the next [`Wheel::pop`] if that is past.
    ///
    /// More than four thousand million timers at once are not possible; the process would be out
    /// of memory before.
    pub fn insert(&mut self, at: u64, item: T) -> TimerKey {
        let index = if self.free == NONE {
            self.entries.push(Entry {
                at,
                next: NONE,
                previous: NONE,
                generation: 0,
                place: FREE,
                item,
            });
            (self.entries.len() - 1) as u32
        } else {
            let index = self.free;
            let entry = &mut self.entries[index as usize];
            self.free = entry.next;
            entry.at = at;
            entry.item = item;
            index
        };
        self.live += 1;
        self.place(index);
        TimerKey {
            index,
            generation: self.entries[index as usize].generation,
        }
    }

    /// Ends a timer before it fires; false if it already has, or was cancelled.
    pub fn cancel(&mut self, key: TimerKey) -> bool {
        match self.entries.get(key.index as usize) {
            Some(entry) if entry.generation == key.generation && entry.place != FREE => {
                self.unlink(key.index);
                self.release(key.index);
                true
            }
            _ => false,
        }
    }

    /// Moves the clock to `now` and takes one timer that has fired, in the order of deadlines.
    /// Call until it answers `None`.
    pub fn pop(&mut self, now: u64) -> Option<T> {
        loop {
            let index = self.lists[READY as usize].head;
            if index != NONE {
                self.unlink(index);
                let item = self.entries[index as usize].item;
                self.release(index);
                return Some(item);
            }
            match self.next_slot() {
                Some((level, slot, start)) if start <= now => {
                    self.now = self.now.max(start);
                    self.empty(level, slot);
                }
                _ => {
                    self.now = self.now.max(now);
                    return None;
                }
            }
        }
    }

    /// A time by which [`Wheel::pop`] must be called: never later than the earliest deadline, and
    /// exact when that is less than 64 ms away. [`NEVER`] if no timer runs.
    pub fn next_deadline(&self) -> u64 {
        if self.lists[READY as usize].head != NONE {
            return self.now;
        }
        self.next_slot().map_or(NEVER, |(_, _, start)| start)
    }

    /// The earliest slot that holds timers, with the time at which it begins.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let mut best: Option<(usize, usize, u64)> = None;
        for (level, &bits) in self.occupied.iter().enumerate() {
            if bits == 0 {
                continue;
            }
            let shift = BITS * level as u32;
            let position = ((self.now >> shift) & (SLOTS as u64 - 1)) as u32;
            let ahead = bits.rotate_right(position).trailing_zeros();
            let slot = (position + ahead) as usize % SLOTS;
            let start = ((self.now >> shift) + u64::from(ahead)) << shift;
            if best.is_none_or(|(_, _, earliest)| start < earliest) {
                best = Some((level, slot, start));
            }
        }
        best
    }

    /// Moves a slot's timers to where they belong now: a lower level or the ready list.
    fn empty(&mut self, level: usize, slot: usize) {
        let place = level * SLOTS + slot;
        let mut index = std::mem::replace(
            &mut self.lists[place],
            List {
                head: NONE,
                tail: NONE,
            },
        )
        .head;
        self.occupied[level] &= !(1 << slot);
        while index != NONE {
            let next = self.entries[index as usize].next;
            self.place(index);
            index = next;
        }
    }

    /// Puts an entry, which is in no list, into the list that its deadline asks for.
    fn place(&mut self, index: u32) {
        let at = self.entries[index as usize].at;
        let place = if at <= self.now {
            READY
        } else {
            let at = at.min(self.now.saturating_add(SPAN - SLOTS as u64));
            let differ = (self.now ^ at) | (SLOTS as u64 - 1);
            let level = (((63 - differ.leading_zeros()) / BITS) as usize).min(LEVELS - 1);
            let slot = ((at >> (BITS * level as u32)) & (SLOTS as u64 - 1)) as usize;
            self.occupied[level] |= 1 << slot;
            (level * SLOTS + slot) as u16
        };
        let list = &mut self.lists[place as usize];
        let previous = std::mem::replace(&mut list.tail, index);
        if previous == NONE {
            list.head = index;
        } else {
            self.entries[previous as usize].next = index;
        }
        let entry = &mut self.entries[index as usize];
        entry.place = place;
        entry.previous = previous;
        entry.next = NONE;
    }

    fn unlink(&mut self, index: u32) {
        let Entry {
            next,
            previous,
            place,
            ..
        } = self.entries[index as usize];
        let list = &mut self.lists[place as usize];
        if previous == NONE {
            list.head = next;
        } else {
            self.entries[previous as usize].next = next;
        }
        let list = &mut self.lists[place as usize];
        if next == NONE {
            list.tail = previous;
        } else {
            self.entries[next as usize].previous = previous;
        }
        if self.lists[place as usize].head == NONE && place < READY {
            self.occupied[place as usize / SLOTS] &= !(1 << (place as usize % SLOTS));
        }
    }

    fn release(&mut self, index: u32) {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.place = FREE;
        entry.next = self.free;
        self.free = index;
        self.live -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    #[test]
    fn fires_exactly_the_timers_that_are_due_in_any_order_of_use() {
        for seed in 0..20 {
            let mut state = seed;
            let mut now = random(&mut state) >> 24;
            let mut wheel = Wheel::new(now);
            let mut model: Vec<(u64, u32, TimerKey)> = Vec::new();
            for id in 0..3_000u32 {
                let span = 1 << (random(&mut state) % 24);
                let at = now + random(&mut state) % span;
                model.push((at, id, wheel.insert(at, id)));
                if random(&mut state).is_multiple_of(4) {
                    let victim = random(&mut state) as usize % model.len();
                    let (_, _, key) = model.swap_remove(victim);
                    assert!(wheel.cancel(key));
                    assert!(!wheel.cancel(key));
                }
                if random(&mut state).is_multiple_of(8) {
                    let earliest = model.iter().map(|t| t.0).min();
                    assert!(earliest.is_none_or(|at| wheel.next_deadline() <= at.max(now)));
                    now += random(&mut state) % 100_000;
                    let mut fired = Vec::new();
                    while let Some(id) = wheel.pop(now) {
                        fired.push(id);
                    }
                    let mut expected: Vec<u32> =
                        model.iter().filter(|t| t.0 <= now).map(|t| t.1).collect();
                    model.retain(|t| t.0 > now);
                    fired.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(fired, expected, "seed {seed}");
                }
                assert_eq!(wheel.len(), model.len(), "seed {seed}");
            }
        }
    }

    #[test]
    fn sleeping_until_the_next_deadline_meets_each_timer_on_time() {
        let mut wheel = Wheel::new(17);
        for at in [
            18,
            63,
            64,
            65,
            4_095,
            4_096,
            30_017,
            180_000,
            100_000_000_000,
        ] {
            wheel.insert(at, at);
        }
        let mut fired = Vec::new();
        while !wheel.is_empty() {
            let now = wheel.next_deadline();
            while let Some(at) = wheel.pop(now) {
                assert_eq!(at, now);
                fired.push(at);
            }
        }
        assert_eq!(fired.len(), 9);
        assert_eq!(wheel.next_deadline(), NEVER);
    }

    #[test]
    fn a_steady_load_reuses_its_entries() {
        let mut wheel = Wheel::new(0);
        for now in 0..10_000u64 {
            while wheel.pop(now).is_some() {}
            wheel.insert(now + 100, ());
        }
        assert!(wheel.entries.len() <= 101);
    }

    #[test]
    fn a_key_of_a_reused_place_cancels_nothing() {
        let mut wheel = Wheel::new(0);
        let old = wheel.insert(5, 1);
        assert_eq!(wheel.pop(5), Some(1));
        wheel.insert(9, 2);
        assert!(!wheel.cancel(old));
        assert_eq!(wheel.pop(9), Some(2));
    }
}
