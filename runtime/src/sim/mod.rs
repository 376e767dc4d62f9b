//! A whole server in one thread, in virtual time, on a network in memory.
//!
//! Time moves only while everybody waits, so what takes half a minute on the wire takes no time
//! here. The server is the real one but for its sockets: see [`crate::transport::Memory`].

mod rng;
mod sockets;

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use tokio::task::JoinHandle;

pub use rng::Rng;
pub use sockets::sockets;

use crate::program::Program;
use crate::server::{Server, StartError, WallClock};
use crate::transport::{Conditions, Memory, Wire};
use crate::worker::Worker;

/// How a server is simulated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What the network does comes from this number.
    pub seed: u64,
    /// How the network treats what is sent.
    pub conditions: Conditions,
}

/// A server that runs on a network in memory.
pub struct World {
    /// The network, for whoever speaks with the server.
    pub memory: Rc<Memory>,
    /// The server.
    pub server: Arc<Server>,
    workers: Vec<(Rc<Worker>, Rc<Wire>, JoinHandle<()>)>,
}

/// Runs `program` as a server, with as many workers as it asks for, while `body` runs. All of it
/// happens on this thread; its log lines are written on it.
///
/// # Errors
/// The server does not start; `body` is not run then.
pub fn run<T, F: Future<Output = T>>(
    program: Arc<Program>,
    options: &Options,
    body: impl FnOnce(World) -> F,
) -> Result<T, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let memory = Memory::new(options.seed, options.conditions);
        let server = Server::over(program.clone(), sockets(&program)?, WallClock::Runtime)?;
        let begun: Vec<_> = (1..=program.settings.workers())
            .map(|index| {
                let wire = Wire::simulated(server.transport.clone(), memory.clone());
                let worker = Worker::new(server.clone(), index, wire.clone());
                (worker, wire)
            })
            .collect();
        let mut workers = Vec::with_capacity(begun.len());
        for (worker, wire) in begun {
            worker.begin().await;
            wire.start(worker.handler());
            let timers = worker.start_timers();
            worker.started();
            workers.push((worker, wire, timers));
        }
        let world = World {
            memory,
            server,
            workers,
        };
        Ok(body(world).await)
    })
}

impl World {
    /// Transactions that live now.
    pub fn transactions(&self) -> usize {
        self.server.transactions.table().len()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.memory.clear();
        for (worker, wire, timers) in &self.workers {
            wire.stop();
            timers.abort();
            worker.end();
        }
    }
}
