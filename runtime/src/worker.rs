//! A worker: one thread with its sockets, fibers, timers and pools.
//!
//! **Invariant:** everything here stays on its thread; what workers share is in
//! [`Server`](crate::server::Server).

use std::cell::{Cell, RefCell, RefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::abi::VarSlot;
use crate::dns::Resolver;
use crate::engine;
use crate::fiber::Stacks;
use crate::init::Periodic;
use crate::message::Builder;
use crate::proxy::{self, Connect};
use crate::run::Run;
use crate::server::Server;
use crate::transaction::{NEVER, TransactionId, Wheel};
use crate::transport::{
    Closed, Destination, Handler, Network, Received, SendError, Wire, WorkerSockets,
};
use crate::variables::preset::VarPresets;

/// Runs kept for the next message.
const POOL: usize = 256;
/// Messages that may wait in their scripts at once, on all workers together. Each takes two memory
/// mappings, of which Linux allows a process 65,530 where nothing else is set.
const MOST_SUSPENDED: usize = 16_384;

/// Timers of transactions run at multiples of it, in milliseconds; never early. Of many transactions
/// each would else wake the worker at a millisecond of its own.
const TICK: u64 = 16;

/// One worker.
pub struct Worker {
    /// What the workers share.
    pub server: Arc<Server>,
    /// The network.
    pub network: Rc<dyn Network>,
    /// Asynchronous resolution of host names.
    pub resolver: Resolver,
    /// Number of this worker, from 1.
    pub index: usize,
    /// Messages received so far (`$mi`).
    pub messages: Cell<u64>,
    stacks: Stacks,
    // A run is large, and compiled code holds its address.
    #[expect(clippy::vec_box)]
    runs: RefCell<Vec<Box<Run>>>,
    vars: RefCell<Vec<VarSlot>>,
    buffers: RefCell<Vec<Vec<u8>>>,
    builder: RefCell<Builder>,
    wheel: RefCell<Wheel<TransactionId>>,
    /// When the timer task wakes next, in milliseconds.
    wakes: Cell<u64>,
    /// The timer task wakes at multiples of it, in milliseconds.
    tick: Cell<u64>,
    earlier: Notify,
    ending: Cell<bool>,
    end: Notify,
}

impl Worker {
    /// A worker over `network`.
    pub fn new(server: Arc<Server>, index: usize, network: Rc<dyn Network>) -> Rc<Worker> {
        let presets = server.shared.get::<VarPresets>();
        let vars = server
            .program
            .fresh_vars(presets.map_or(&[], |presets| &presets.0));
        let now = milliseconds(&server);
        let resolver = match server.is_simulated() {
            true => Resolver::without_servers(),
            false => Resolver::new(),
        };
        Rc::new(Worker {
            network,
            resolver,
            index,
            messages: Cell::new(0),
            stacks: Stacks::with_limit(MOST_SUSPENDED / server.program.settings.workers().max(1)),
            runs: RefCell::default(),
            vars: RefCell::new(vars),
            buffers: RefCell::default(),
            builder: RefCell::default(),
            wheel: RefCell::new(Wheel::new(now)),
            wakes: Cell::new(NEVER),
            tick: Cell::new(1),
            earlier: Notify::new(),
            ending: Cell::new(false),
            end: Notify::new(),
            server,
        })
    }

    /// Milliseconds since the server started, on the runtime's clock.
    pub fn now(&self) -> u64 {
        milliseconds(&self.server)
    }

    /// Runs `job` with a clean run on a fiber of its own.
    pub fn spawn(self: &Rc<Self>, job: impl FnOnce(&mut Run) + 'static) {
        let worker = self.clone();
        let started = self.stacks.run(move |link| {
            let mut run = worker.take_run();
            run.set_link(link);
            // A run whose job panicked is not used again.
            if contained(|| job(&mut run)).is_some() {
                worker.give_run(run);
            }
        });
        match started {
            Ok(None) => {}
            Ok(Some(suspended)) => {
                // The fiber keeps the variables that it points to; others go on with a copy.
                let kept = self.fork_vars();
                let worker = self.clone();
                crate::local::spawn(async move {
                    tokio::select! {
                        () = suspended.finish(&worker.stacks) => {}
                        // Dropped there, the fiber is cancelled.
                        () = worker.ended() => {}
                    }
                    drop(kept);
                });
            }
            Err(error) => crate::error!("no memory for a fiber's stack: {error}"),
        }
    }

    /// Lends a buffer to build a message in.
    pub fn with_buffer<T>(&self, body: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut buffer = self.buffers.borrow_mut().pop().unwrap_or_default();
        buffer.clear();
        let result = body(&mut buffer);
        if buffer.capacity() <= 1 << 16 {
            self.buffers.borrow_mut().push(buffer);
        }
        result
    }

    /// What builds the messages that go on.
    pub fn builder(&self) -> RefMut<'_, Builder> {
        self.builder.borrow_mut()
    }

    /// Sends a message; what fails is logged.
    pub fn send(&self, to: &Destination, data: &[u8]) -> Result<(), SendError> {
        let sent = self.network.send(to, data);
        if let Err(error) = &sent {
            crate::error!("cannot send to {}:{}: {error}", to.protocol, to.address);
        }
        sent
    }

    /// As [`send`](Worker::send), over connections as `connect` says.
    pub fn send_with(
        &self,
        to: &Destination,
        data: &[u8],
        connect: Connect,
    ) -> Result<(), SendError> {
        let network = &self.network;
        if connect == Connect::default() || !to.protocol.connected() {
            return self.send(to, data);
        }
        let open = || network.connection_to(to.protocol, to.address);
        if connect.existing_only && to.connection.or_else(open).is_none() {
            return Err(SendError::NotConnected);
        }
        self.send(to, data)?;
        if connect.close
            && let Some(connection) = to.connection.or_else(open)
        {
            network.close(connection);
        }
        Ok(())
    }

    /// Has the transaction woken at `at` milliseconds, or at the next multiple of the worker's tick.
    pub fn wake_at(&self, at: u64, transaction: TransactionId) {
        let at = self.tick(at);
        self.wheel.borrow_mut().insert(at, transaction);
        if at < self.wakes.get() {
            self.earlier.notify_one();
        }
    }

    fn tick(&self, at: u64) -> u64 {
        at.checked_next_multiple_of(self.tick.get())
            .unwrap_or(NEVER)
    }

    fn take_run(self: &Rc<Self>) -> Box<Run> {
        let mut run = match self.runs.borrow_mut().pop() {
            Some(run) => run,
            None => Run::new(self.server.program.clone(), Some(self.clone())),
        };
        run.head.vars = self.vars.borrow_mut().as_mut_ptr();
        run
    }

    fn give_run(&self, mut run: Box<Run>) {
        run.reset();
        run.message.clear();
        let mut runs = self.runs.borrow_mut();
        if runs.len() < POOL && !self.ending.get() {
            runs.push(run);
        }
    }

    fn fork_vars(&self) -> Vec<VarSlot> {
        let copy = self.vars.borrow().iter().map(VarSlot::copy).collect();
        self.vars.replace(copy)
    }

    /// The worker as the handler of its network.
    pub fn handler(self: &Rc<Self>) -> Rc<dyn Handler> {
        Rc::new(HandlerOf(self.clone()))
    }

    /// Returns when messages may be taken. The first worker runs what is to be run before; the others
    /// wait for it.
    pub async fn begin(self: &Rc<Self>) {
        let begun = &self.server.begun;
        if self.index == 1 {
            engine::events::start(self).await;
            begun.send_replace(true);
        } else {
            // The sender is in the server, which is still there.
            let _ = begun.subscribe().wait_for(|begun| *begun).await;
        }
    }

    /// Runs the timers of transactions in a task of the worker, and on the first worker the
    /// periodic work of modules.
    pub fn start_timers(self: &Rc<Self>) -> JoinHandle<()> {
        if self.index == 1 {
            for periodic in &self.server.periodic {
                crate::local::spawn(self.clone().repeat(*periodic));
            }
        }
        crate::local::spawn(self.clone().run_timers())
    }

    /// Its network has started: tells the configuration, on the first worker.
    pub fn started(self: &Rc<Self>) {
        if self.index == 1 {
            engine::events::worker_one_init(self);
        }
    }

    async fn repeat(self: Rc<Self>, periodic: Periodic) {
        let mut ticks = tokio::time::interval(periodic.every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            (periodic.work)(&self);
        }
    }

    /// Cancels what messages wait for, and lets go of what holds the worker. Each message's script
    /// ends in its task, at the latest when the runtime does.
    pub fn end(&self) {
        self.ending.set(true);
        self.end.notify_waiters();
        self.runs.borrow_mut().clear();
    }

    /// Lets the scripts end that [`end`](Worker::end) cancelled.
    async fn drained(&self) {
        for _ in 0..MOST_SUSPENDED {
            if self.stacks.suspended() == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn ended(&self) {
        if !self.ending.get() {
            self.end.notified().await;
        }
    }

    async fn run_timers(self: Rc<Self>) {
        loop {
            let next = self.tick(self.wheel.borrow().next_deadline());
            self.wakes.set(next);
            if next == NEVER {
                self.earlier.notified().await;
                continue;
            }
            let at = self.server.epoch + Duration::from_millis(next);
            tokio::select! {
                () = tokio::time::sleep_until(at) => {}
                () = self.earlier.notified() => continue,
            }
            self.wakes.set(0);
            let now = self.now();
            loop {
                let due = self.wheel.borrow_mut().pop(now);
                match due {
                    Some(transaction) => {
                        // What the transaction did not do it does at its next time, or ends.
                        let _ = contained(|| proxy::wake(&self, transaction));
                    }
                    None => break,
                }
            }
        }
    }
}

impl Handler for HandlerOf {
    fn receive(&self, received: Received) {
        let worker = &self.0;
        worker.messages.set(worker.messages.get() + 1);
        engine::receive(worker, received);
    }

    fn closed(&self, closed: Closed) {
        engine::closed(&self.0, closed);
    }

    fn unsent(&self, to: &Destination, error: SendError) {
        crate::error!("cannot send to {}:{}: {error}", to.protocol, to.address);
    }
}

/// The worker as the network's handler.
struct HandlerOf(Rc<Worker>);

/// The body of a worker's thread.
pub fn main(
    server: Arc<Server>,
    index: usize,
    sockets: WorkerSockets,
    mut stopped: watch::Receiver<bool>,
) {
    crate::log::set_worker(u32::try_from(index + 1).unwrap_or(u32::MAX));
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return crate::error!("worker {index} cannot start: {error}"),
    };
    runtime.block_on(async move {
        let wire = Wire::new(server.transport.clone(), sockets);
        let worker = Worker::new(server, index + 1, wire.clone());
        worker.tick.set(TICK);
        // An error means that the server is gone: the same as being told to stop.
        let begun = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => false,
            () = worker.begin() => true,
        };
        if begun {
            let timers = worker.start_timers();
            wire.start(worker.handler());
            worker.started();
            let _ = stopped.wait_for(|stopped| *stopped).await;
            timers.abort();
        }
        worker.end();
        worker.drained().await;
        wire.stop();
    });
}

/// Does `work`; a panic in it is logged and costs nothing but that work.
fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(panic) => {
            crate::error!("internal error: {}", crate::run::panic_text(&*panic));
            None
        }
    }
}

fn milliseconds(server: &Server) -> u64 {
    server.epoch.elapsed().as_millis() as u64
}
