//! A network in memory: datagrams and streams between addresses, lost, doubled, delayed and
//! reordered as a seed decides.
//!
//! It stands below [`Wire`](super::Wire), so that framing, limits, keepalives and timeouts of
//! connections are the real ones. All of it belongs to one thread; time is tokio's.
//!
//! Invariant: of two datagrams with the same delay the first sent arrives first.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::pipe::Pipe;
use crate::sim::Rng;

/// Datagrams that may be on their way at once; more are lost.
const IN_FLIGHT: usize = 100_000;
/// The first port of connections that are opened without a port of their own.
const EPHEMERAL: u16 = 49_152;

/// How the network treats what is sent over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Datagrams in a thousand that are lost.
    pub loss: u32,
    /// Datagrams in a thousand that arrive twice.
    pub duplicate: u32,
    /// Datagrams in a thousand that are overtaken by later ones.
    pub reorder: u32,
    /// The shortest and the longest time that anything travels.
    pub delay: (Duration, Duration),
}

/// Who takes datagrams at an address.
pub trait Port {
    /// One datagram arrived.
    fn datagram(&self, source: SocketAddr, data: Bytes);
}

/// Who takes connections at an address.
pub trait Listener {
    /// A connection was opened by `peer`.
    fn accept(&self, peer: SocketAddr, stream: Pipe);
}

/// The network.
pub struct Memory {
    rng: RefCell<Rng>,
    conditions: Cell<Conditions>,
    ports: RefCell<HashMap<SocketAddr, Vec<Rc<dyn Port>>>>,
    listeners: RefCell<HashMap<SocketAddr, Vec<Rc<dyn Listener>>>>,
    flights: RefCell<BinaryHeap<Reverse<Flight>>>,
    sent: Cell<u64>,
    earlier: Notify,
    next_port: Cell<u16>,
}

/// A datagram on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    at: Instant,
    number: u64,
    from: SocketAddr,
    to: SocketAddr,
    data: Bytes,
}

impl Memory {
    /// A network without anyone on it. To be made inside the `LocalSet` that its users run in.
    pub fn new(seed: u64, conditions: Conditions) -> Rc<Memory> {
        let memory = Rc::new(Memory {
            rng: RefCell::new(Rng::new(seed)),
            conditions: Cell::new(conditions),
            ports: RefCell::default(),
            listeners: RefCell::default(),
            flights: RefCell::default(),
            sent: Cell::new(0),
            earlier: Notify::new(),
            next_port: Cell::new(EPHEMERAL),
        });
        crate::local::spawn(memory.clone().deliver());
        memory
    }

    /// Treats what is sent from now on otherwise.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.conditions.set(conditions);
    }

    /// Has `port` take the datagrams to `address`; several at one address share them.
    pub fn bind(&self, address: SocketAddr, port: Rc<dyn Port>) {
        self.ports
            .borrow_mut()
            .entry(address)
            .or_default()
            .push(port);
    }

    /// Has `listener` take the connections to `address`; several at one address share them.
    pub fn listen(&self, address: SocketAddr, listener: Rc<dyn Listener>) {
        self.listeners
            .borrow_mut()
            .entry(address)
            .or_default()
            .push(listener);
    }

    /// Takes everyone off the network who is at `address`.
    pub fn unbind(&self, address: SocketAddr) {
        self.ports.borrow_mut().remove(&address);
        self.listeners.borrow_mut().remove(&address);
    }

    /// Takes everyone off the network.
    pub fn clear(&self) {
        self.ports.borrow_mut().clear();
        self.listeners.borrow_mut().clear();
        self.flights.borrow_mut().clear();
    }

    /// Sends a datagram; nobody tells whether it arrives.
    pub fn send(&self, from: SocketAddr, to: SocketAddr, data: &[u8]) {
        let conditions = self.conditions.get();
        let mut rng = self.rng.borrow_mut();
        if rng.chance(conditions.loss) {
            return;
        }
        let copies = if rng.chance(conditions.duplicate) {
            2
        } else {
            1
        };
        let mut flights = self.flights.borrow_mut();
        for _ in 0..copies {
            if flights.len() >= IN_FLIGHT {
                return;
            }
            let mut at = Instant::now() + between(&mut rng, conditions.delay);
            if rng.chance(conditions.reorder) {
                at += conditions.delay.1.max(Duration::from_millis(20));
            }
            self.sent.set(self.sent.get() + 1);
            flights.push(Reverse(Flight {
                at,
                number: self.sent.get(),
                from,
                to,
                data: Bytes::copy_from_slice(data),
            }));
        }
        self.earlier.notify_one();
    }

    /// Opens a connection from `source` (any port of it where it is 0) to `peer`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn connect(
        self: &Rc<Self>,
        source: SocketAddr,
        peer: SocketAddr,
    ) -> io::Result<(SocketAddr, Pipe)> {
        let travel = between(&mut self.rng.borrow_mut(), self.conditions.get().delay);
        if !travel.is_zero() {
            tokio::time::sleep(travel).await;
        }
        let listener = {
            let listeners = self.listeners.borrow();
            let group = listeners.get(&peer).map(Vec::as_slice).unwrap_or_default();
            let chosen = self.rng.borrow_mut().below(group.len() as u64);
            group.get(chosen as usize).cloned()
        };
        let listener = listener.ok_or(io::Error::from_raw_os_error(libc::ECONNREFUSED))?;
        let source = match source.port() {
            0 => SocketAddr::new(source.ip(), self.ephemeral()),
            _ => source,
        };
        let memory = self.clone();
        let latency = move || between(&mut memory.rng.borrow_mut(), memory.conditions.get().delay);
        let (near, far) = Pipe::pair(Rc::new(latency));
        listener.accept(source, far);
        Ok((source, near))
    }

    fn ephemeral(&self) -> u16 {
        let port = self.next_port.get();
        self.next_port.set(port.checked_add(1).unwrap_or(EPHEMERAL));
        port
    }

    async fn deliver(self: Rc<Self>) {
        loop {
            let next = self.flights.borrow().peek().map(|flight| flight.0.at);
            let Some(at) = next else {
                self.earlier.notified().await;
                continue;
            };
            if at > Instant::now() {
                tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = self.earlier.notified() => continue,
                }
            }
            let flight = self.flights.borrow_mut().pop();
            if let Some(Reverse(flight)) = flight {
                self.arrive(flight);
            }
            // Whoever took it acts before the next one arrives.
            tokio::task::yield_now().await;
        }
    }

    fn arrive(&self, flight: Flight) {
        let port = {
            let ports = self.ports.borrow();
            let group = ports.get(&flight.to).map(Vec::as_slice).unwrap_or_default();
            let chosen = self.rng.borrow_mut().below(group.len() as u64);
            group.get(chosen as usize).cloned()
        };
        if let Some(port) = port {
            port.datagram(flight.from, flight.data);
        }
    }
}

fn between(rng: &mut Rng, (least, most): (Duration, Duration)) -> Duration {
    let spread = most.saturating_sub(least).as_micros() as u64;
    if spread == 0 {
        return least;
    }
    least + Duration::from_micros(rng.below(spread + 1))
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;

    struct Inbox(RefCell<Vec<(u128, Bytes)>>, Instant);

    impl Port for Inbox {
        fn datagram(&self, _: SocketAddr, data: Bytes) {
            let at = self.1.elapsed().as_millis();
            self.0.borrow_mut().push((at, data));
        }
    }

    async fn hundred(seed: u64, conditions: Conditions) -> Vec<(u128, Bytes)> {
        let memory = Memory::new(seed, conditions);
        let (from, to) = ([127, 0, 0, 1], [127, 0, 0, 2]);
        let (from, to) = (SocketAddr::from((from, 1)), SocketAddr::from((to, 2)));
        let inbox = Rc::new(Inbox(RefCell::default(), Instant::now()));
        memory.bind(to, inbox.clone());
        for n in 0..100u8 {
            memory.send(from, to, &[n]);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        inbox.0.take()
    }

    #[tokio::test(start_paused = true)]
    async fn a_seed_decides_what_is_lost_doubled_and_reordered() {
        let conditions = Conditions {
            loss: 200,
            duplicate: 100,
            reorder: 100,
            delay: (Duration::from_millis(5), Duration::from_millis(50)),
        };
        LocalSet::new()
            .run_until(async {
                let calm = hundred(1, Conditions::default()).await;
                let sent: Vec<u8> = (0..100).collect();
                assert_eq!(calm.iter().map(|got| got.1[0]).collect::<Vec<_>>(), sent);
                let one = hundred(7, conditions).await;
                let lost = (0..100)
                    .filter(|n| one.iter().all(|got| got.1[0] != *n))
                    .count();
                assert!((5..40).contains(&lost), "{lost} of 100 were lost");
                assert!(one.len() > 100 - lost, "none came twice");
                assert!(one.iter().all(|got| (5..=101).contains(&got.0)));
                assert_eq!(one, hundred(7, conditions).await, "the same seed");
                assert_ne!(one, hundred(8, conditions).await, "another seed");
            })
            .await;
    }
}
