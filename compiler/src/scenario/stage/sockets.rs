//! Endpoints on loopback sockets, in real time, with a server that is a process of its own.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use kcc_runtime::transport::{Conditions, Protocol};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

use super::process::Process;
use super::streams::Streams;
use super::{Arrival, Inbox, Stage};
use crate::scenario::journal::Log;
use crate::scenario::plan::Plan;

/// The stage.
pub struct Sockets {
    inbox: Rc<Inbox>,
    ends: Vec<End>,
    process: RefCell<Process>,
}

struct End {
    who: usize,
    address: SocketAddr,
    udp: Option<std::net::UdpSocket>,
    streams: Rc<Streams>,
}

impl Sockets {
    /// The endpoints of `plan` beside the server `process`.
    ///
    /// # Errors
    /// An address that cannot be bound.
    pub fn new(process: Process, plan: &Plan, protocols: &[Protocol]) -> Result<Sockets, String> {
        let inbox = Rc::<Inbox>::default();
        let mut ends = Vec::new();
        for (who, (address, protocol)) in plan.endpoints.iter().zip(protocols).enumerate() {
            let bind = match protocol {
                Protocol::Udp => udp(who, *address, &inbox),
                protocol => tcp(who, *protocol, *address, &inbox),
            };
            ends.push(bind.map_err(|error| format!("cannot bind {protocol}:{address}: {error}"))?);
        }
        Ok(Sockets {
            inbox,
            ends,
            process: RefCell::new(process),
        })
    }
}

fn udp(who: usize, address: SocketAddr, inbox: &Rc<Inbox>) -> io::Result<End> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    let receiving = UdpSocket::from_std(socket.try_clone()?)?;
    let into = inbox.clone();
    kcc_runtime::local::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        loop {
            // An error here is ICMP's word on an earlier send.
            if let Ok((n, source)) = receiving.recv_from(&mut buffer).await {
                let data = Bytes::copy_from_slice(buffer.get(..n).unwrap_or_default());
                into.push(Arrival {
                    who,
                    source,
                    connection: None,
                    data: Some(data),
                });
            }
        }
    });
    let streams = Streams::new(who, Protocol::Udp, inbox.clone());
    Ok(End {
        who,
        address,
        udp: Some(socket),
        streams,
    })
}

fn tcp(who: usize, protocol: Protocol, address: SocketAddr, inbox: &Rc<Inbox>) -> io::Result<End> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener: TcpListener = socket.listen(16)?;
    let streams = Streams::new(who, protocol, inbox.clone());
    let accepting = streams.clone();
    kcc_runtime::local::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            accepting.accepted(peer, stream);
        }
    });
    Ok(End {
        who,
        address,
        udp: None,
        streams,
    })
}

async fn open(source: SocketAddr, to: SocketAddr) -> io::Result<(SocketAddr, TcpStream)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(source.ip(), 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok((stream.local_addr()?, stream))
}

impl Stage for Sockets {
    fn inbox(&self) -> &Rc<Inbox> {
        &self.inbox
    }

    fn send(
        &self,
        who: usize,
        to: SocketAddr,
        connection: Option<u64>,
        data: &[u8],
    ) -> Result<(), String> {
        let end = self.ends.get(who).ok_or("no such endpoint")?;
        match &end.udp {
            Some(socket) => {
                let sent = socket.send_to(data, to);
                sent.map(drop).map_err(|error| error.to_string())
            }
            None => {
                let source = end.address;
                end.streams.send(to, connection, data, || open(source, to));
                Ok(())
            }
        }
    }

    fn connect(&self, who: usize, to: SocketAddr) {
        if let Some(end) = self.ends.get(who) {
            let source = end.address;
            end.streams.connect(to, || open(source, to));
        }
    }

    fn close(&self, who: usize) {
        if let Some(end) = self.ends.get(who) {
            end.streams.close();
        }
    }

    fn set_conditions(&self, _: Conditions) {}

    fn log(&self, log: &mut Log) {
        log.add(&self.process.borrow_mut().log());
    }

    fn slack(&self) -> Duration {
        Duration::from_millis(1500)
    }

    fn settle(&self) -> Duration {
        Duration::from_millis(150)
    }

    fn ended(&self) -> Option<String> {
        self.process.borrow_mut().ended()
    }

    fn connections(&self) -> Vec<(SocketAddr, String)> {
        let mut all = Vec::new();
        for end in &self.ends {
            for (n, address) in end.streams.locals().into_iter().enumerate() {
                all.push((address, format!("connection-{}-{n}", end.who)));
            }
        }
        all
    }
}
