//! Where a scenario is played: a server, and the endpoints' side of the network.

mod layers;
mod process;
mod simulated;
mod sockets;
mod streams;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use kcc_runtime::transport::Conditions;
use tokio::sync::Notify;

use super::journal::Log;

pub use layers::{certificate_files, remove_certificate_files};
pub use process::{Kamailio, Process, ProcessError};
pub use simulated::{Simulated, StartFailure, compile};
pub use sockets::Sockets;

/// Something that happened at an endpoint.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The endpoint.
    pub who: usize,
    /// From where.
    pub source: SocketAddr,
    /// On which connection.
    pub connection: Option<u64>,
    /// What; `None` is the end of the connection.
    pub data: Option<Bytes>,
}

/// What arrived at all endpoints and was not looked at yet.
#[derive(Default)]
pub struct Inbox {
    waiting: RefCell<VecDeque<Arrival>>,
    filled: Notify,
}

impl Inbox {
    /// Adds an arrival.
    pub fn push(&self, arrival: Arrival) {
        self.waiting.borrow_mut().push_back(arrival);
        self.filled.notify_one();
    }

    /// The first arrival, if there is one.
    pub fn take(&self) -> Option<Arrival> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Waits until there may be one.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }
}

/// The endpoints' side of a network, and a server.
pub trait Stage {
    /// What arrives.
    fn inbox(&self) -> &Rc<Inbox>;

    /// Sends a message of endpoint `who`, on `connection` where that is open.
    ///
    /// # Errors
    /// What is known at once.
    fn send(
        &self,
        who: usize,
        to: SocketAddr,
        connection: Option<u64>,
        data: &[u8],
    ) -> Result<(), String>;

    /// Opens a connection of endpoint `who`.
    fn connect(&self, who: usize, to: SocketAddr);

    /// Closes all connections of endpoint `who`.
    fn close(&self, who: usize);

    /// Changes the network, where that is possible.
    fn set_conditions(&self, conditions: Conditions);

    /// Adds what the server has logged since the last call.
    fn log(&self, log: &mut Log);

    /// How much later, and earlier, than asked something may happen.
    fn slack(&self) -> Duration;

    /// How long to listen at the end for what nobody expects.
    fn settle(&self) -> Duration;

    /// Why the server has ended, where it has.
    fn ended(&self) -> Option<String>;

    /// Addresses of connections, with names.
    fn connections(&self) -> Vec<(SocketAddr, String)>;
}
