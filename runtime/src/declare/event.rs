//! Events: what runs the blocks `event_route[NAME]`.

use std::sync::atomic::{AtomicUsize, Ordering};

/// An event that a module raises; the place of its block in a program is found through it.
#[derive(Debug)]
pub struct Event(AtomicUsize);

impl Event {
    /// Not yet known to a program.
    pub const fn new() -> Event {
        Event(AtomicUsize::new(usize::MAX))
    }

    /// Its number among the events of all modules of the runtime.
    pub(crate) fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets its number, which is the same whenever the same modules make a runtime.
    pub(crate) fn set_number(&self, number: usize) {
        self.0.store(number, Ordering::Relaxed);
    }
}

impl Default for Event {
    fn default() -> Event {
        Event::new()
    }
}

/// The declaration of an event.
#[derive(Debug)]
pub struct EventDecl {
    /// What `event_route[NAME]` says; a `*` at the end stands for a name of the user's choice.
    pub name: &'static str,
    /// The manual.
    pub doc: &'static str,
    /// The event.
    pub event: &'static Event,
}

impl EventDecl {
    /// Whether a block `event_route[name]` is of this event.
    pub fn is_named(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => name.len() > start.len() && name.starts_with(start),
            None => self.name == name,
        }
    }
}
