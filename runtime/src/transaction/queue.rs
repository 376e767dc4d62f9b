//! The script queue of a transaction: its handlers (onreply, branch failure, failure) run one at
//! a time. Whoever takes the ticket runs them; what arrives meanwhile waits here and is taken by
//! the holder.
//!
//! Invariant: at most one ticket of a transaction is out. The queue is bounded: answers that the
//! sender repeats may be refused, failures (at most one from each branch) never are.

use std::collections::VecDeque;
use std::sync::Arc;

use super::action::BranchIndex;
use super::{Payload, Transaction};

/// How many repeatable arrivals may wait.
const CAPACITY: usize = 64;

/// What has arrived on a branch and awaits the scripts.
#[derive(Debug)]
pub enum Arrival<M> {
    /// An answer.
    Reply {
        /// Where it came from.
        branch: BranchIndex,
        /// Its status, 100 to 699.
        code: u16,
        /// The answer itself.
        message: M,
    },
    /// The branch failed without an answer.
    Failed {
        /// Which branch.
        branch: BranchIndex,
        /// The status it counts as: 408 for a timeout.
        code: u16,
    },
}

pub(crate) struct Queue<M> {
    running: bool,
    waiting: VecDeque<Arrival<M>>,
}

impl<M> Queue<M> {
    pub(crate) const fn new() -> Self {
        Self {
            running: false,
            waiting: VecDeque::new(),
        }
    }

    /// Whether an answer that its sender may repeat is still taken.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < CAPACITY
    }

    pub(crate) fn push(&mut self, arrival: Arrival<M>) {
        self.waiting.push_back(arrival);
    }

    /// Whether something waits; else the queue's memory is given back.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the right to run scripts, if nobody has it.
    pub(crate) fn claim(&mut self) -> bool {
        !std::mem::replace(&mut self.running, true)
    }

    /// The next arrival for the holder. Without one the right is given back.
    pub(crate) fn next(&mut self) -> Option<Arrival<M>> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.release();
        }
        next
    }

    pub(crate) fn release(&mut self) {
        self.running = false;
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.waiting = VecDeque::new();
    }
}

/// The right to run a transaction's scripts. It is given back when its iteration answers
/// `None`, or when the ticket is dropped.
#[must_use = "what has arrived waits until the ticket's holder takes it"]
pub struct Ticket<P: Payload> {
    transaction: Arc<Transaction<P>>,
    held: bool,
}

impl<P: Payload> Ticket<P> {
    /// For a queue whose right was just claimed.
    pub(crate) fn new(transaction: &Arc<Transaction<P>>) -> Self {
        Self {
            transaction: Arc::clone(transaction),
            held: true,
        }
    }

    /// The transaction whose scripts may be run.
    pub fn transaction(&self) -> &Arc<Transaction<P>> {
        &self.transaction
    }
}

/// The arrivals to run scripts for. After `None` the ticket is spent.
impl<P: Payload> Iterator for Ticket<P> {
    type Item = Arrival<P::Message>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.held {
            return None;
        }
        let next = self.transaction.lock().queue.next();
        self.held = next.is_some();
        next
    }
}

impl<P: Payload> Drop for Ticket<P> {
    fn drop(&mut self) {
        if self.held {
            self.transaction.lock().queue.release();
        }
    }
}
