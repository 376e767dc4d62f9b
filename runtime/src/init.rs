//! What modules set up when a server starts.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use crate::program::Program;
use crate::run::Run;
use crate::server::Server;
use crate::transport::Closed;
use crate::worker::Worker;

/// State that modules share between workers, one value a type.
#[derive(Default)]
pub struct Shared(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl Shared {
    /// Adds a value; a later one of the same type takes its place.
    pub fn provide<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
    }

    /// The value of type `T`, if a module provided one.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

/// Work that is done again and again, on the first worker. It must not take long: messages wait.
#[derive(Clone, Copy, Debug)]
pub struct Periodic {
    /// Time from one to the next; at least a millisecond.
    pub every: Duration,
    /// The work.
    pub work: fn(&Rc<Worker>),
}

/// Reads again what a module took from files when the server started. After an error nothing has
/// changed. It may wait for the disk: it runs on no worker.
pub type Reload = fn(&Server) -> Result<(), String>;

/// What is run once on the first worker, before any worker takes messages. It may wait.
pub type Start = fn(&mut Run);

/// What is done with a message that is no SIP but HTTP; provided by a module. False where it is not
/// taken: then it is dropped.
#[derive(Clone, Copy, Debug)]
pub struct OnHttp(pub fn(&mut Run) -> bool);

/// What is done when a WebSocket has ended; provided by a module.
#[derive(Clone, Copy, Debug)]
pub struct OnWebSocketClosed(pub fn(&Rc<Worker>, &Closed));

/// What a module may set up when the server starts.
pub struct Init<'a> {
    /// The program that will run.
    pub program: &'a Program,
    /// State for all workers.
    pub shared: &'a mut Shared,
    /// Work that is done again and again.
    pub periodic: &'a mut Vec<Periodic>,
    /// What is run before the first message, in this order.
    pub starts: &'a mut Vec<Start>,
    /// What is read again on SIGHUP.
    pub reloads: &'a mut Vec<Reload>,
}
