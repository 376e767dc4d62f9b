//! What ran: counters that compiled code adds to, where it is asked for.
//!
//! Invariant: the counters live as long as the code that knows their addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of one program: a statement, and two ways out of a condition, for each place.
#[derive(Debug)]
pub struct Counts {
    cells: Box<[AtomicU64]>,
    /// Which of them the code has.
    used: Box<[AtomicU64]>,
}

/// What is counted at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A statement or route began.
    Ran,
    /// A condition held.
    Held,
    /// A condition did not hold.
    Failed,
}

impl Counts {
    /// Counters for places up to `places`, all 0.
    pub fn new(places: usize) -> Arc<Counts> {
        let zeros = || {
            (0..places.saturating_mul(3))
                .map(|_| AtomicU64::new(0))
                .collect()
        };
        Arc::new(Counts {
            cells: zeros(),
            used: zeros(),
        })
    }

    /// The address of a counter, which the code is to add to.
    pub(super) fn counter(&self, place: u32, counted: Counted) -> Option<*const AtomicU64> {
        let index = place as usize * 3 + counted as usize;
        self.used.get(index)?.store(1, Relaxed);
        self.cells.get(index).map(std::ptr::from_ref)
    }

    /// How often it happened; `None` where the code does not count it.
    pub fn count(&self, place: u32, counted: Counted) -> Option<u64> {
        let index = place as usize * 3 + counted as usize;
        let used = self.used.get(index)?.load(Relaxed) != 0;
        used.then(|| self.cells.get(index).map_or(0, |cell| cell.load(Relaxed)))
    }
}
