//! A server in virtual time on a network in memory.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kcc_runtime::declare::Module;
use kcc_runtime::log::Capture;
use kcc_runtime::program::Program;
use kcc_runtime::sim::World;
use kcc_runtime::transport::{Conditions, Listener, Memory, Pipe, Port, Protocol};

use super::streams::Streams;
use super::{Arrival, Inbox, Stage};
use crate::codegen::coverage::Counts;
use crate::codegen::jit::Tools;
use crate::compile::{Failure, Findings, Input, in_memory};
use crate::resolve::Options;
use crate::scenario::journal::Log;
use crate::scenario::plan::{Plan, Text};
use crate::source::{LoadError, SourceLoader};

/// Why a server does not start.
#[derive(Clone, Debug, Default)]
pub struct StartFailure {
    /// What was said, for people.
    pub text: String,
    /// The line of the first error in the main file, where it is known.
    pub line: Option<u32>,
}

/// The configuration with the place of its main file taken by the prepared text.
struct Loader<'a>(&'a Text);

impl SourceLoader for Loader<'_> {
    fn load(&self, path: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        if path == self.0.path.to_string_lossy() {
            return Ok(self.0.text.clone());
        }
        let folder = self.0.path.parent().unwrap_or(Path::new(""));
        let beside =
            |(name, _): &&(String, Vec<u8>)| name == path || folder.join(name) == Path::new(path);
        if let Some((_, text)) = self.0.files.iter().find(beside) {
            return Ok(text.clone());
        }
        match std::fs::read(path) {
            Ok(text) if text.len() > limit => Err(LoadError::TooLarge),
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(LoadError::NotFound),
            Err(error) => Err(LoadError::Other(error.to_string())),
        }
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        use std::os::unix::ffi::OsStringExt;
        if let Some((_, value)) = self.0.environment.iter().find(|(own, _)| own == name) {
            return Some(value.clone().into_bytes());
        }
        std::env::var_os(name).map(OsStringExt::into_vec)
    }
}

/// Compiles a configuration, with counters of what runs where `coverage` is wanted.
///
/// # Errors
/// Its errors.
pub fn compile(
    text: &Text,
    modules: &[&'static Module],
    coverage: bool,
) -> Result<(Program, Option<Arc<Counts>>), StartFailure> {
    let main = text.path.to_string_lossy();
    let input = Input {
        loader: &Loader(text),
        main: &main,
        defines: &text.defines,
        modules,
        options: Options {
            release: text.release,
            ..Options::default()
        },
    };
    let tools = Tools {
        coverage,
        ..Tools::default()
    };
    match in_memory(input, &tools) {
        Ok((compiled, _)) => {
            let counts = compiled.coverage.clone();
            let program = compiled.load(modules).map_err(|error| StartFailure {
                text: error.to_string(),
                line: None,
            })?;
            Ok((program, counts))
        }
        Err(Failure::Configuration(findings)) => Err(failure(&findings, &main, None)),
        Err(Failure::Codegen(error, findings)) => {
            Err(failure(&findings, &main, Some(error.to_string())))
        }
    }
}

fn failure(findings: &Findings, main: &str, codegen: Option<String>) -> StartFailure {
    let mut text = crate::diagnostic::render_text(&findings.diagnostics, &findings.sources, false);
    text.extend(codegen);
    let place = format!("{main}:");
    let line = text.split(&place).nth(1).and_then(|rest| {
        rest.split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    });
    StartFailure { text, line }
}

/// The stage.
pub struct Simulated {
    world: World,
    inbox: Rc<Inbox>,
    capture: Capture,
    seats: Vec<Rc<Seat>>,
}

impl Simulated {
    /// The server of `world` and the endpoints of `plan`.
    pub fn new(world: World, capture: Capture, plan: &Plan, protocols: &[Protocol]) -> Simulated {
        let inbox = Rc::<Inbox>::default();
        let seat = |(who, (address, protocol)): (usize, (&SocketAddr, &Protocol))| {
            let seat = Rc::new(Seat {
                who,
                address: *address,
                protocol: *protocol,
                inbox: inbox.clone(),
                streams: Streams::new(who, *protocol, inbox.clone()),
            });
            match protocol {
                Protocol::Udp => world.memory.bind(*address, seat.clone()),
                _ => world.memory.listen(*address, seat.clone()),
            }
            seat
        };
        let seats = plan
            .endpoints
            .iter()
            .zip(protocols)
            .enumerate()
            .map(seat)
            .collect();
        Simulated {
            world,
            inbox,
            capture,
            seats,
        }
    }

    /// The program's settings of the log, to be made before the server starts.
    pub fn capture(program: &Arc<Program>) -> Capture {
        Capture::start(program.settings.debug.clamp(-9, 9) as i32)
    }
}

struct Seat {
    who: usize,
    address: SocketAddr,
    protocol: Protocol,
    inbox: Rc<Inbox>,
    streams: Rc<Streams>,
}

impl Port for Seat {
    fn datagram(&self, source: SocketAddr, data: Bytes) {
        self.inbox.push(Arrival {
            who: self.who,
            source,
            connection: None,
            data: Some(data),
        });
    }
}

impl Listener for Seat {
    fn accept(&self, peer: SocketAddr, stream: Pipe) {
        self.streams.accepted(peer, stream);
    }
}

impl Seat {
    fn open(
        &self,
        memory: &Rc<Memory>,
        to: SocketAddr,
    ) -> impl Future<Output = std::io::Result<(SocketAddr, Pipe)>> + use<> {
        let (memory, source) = (memory.clone(), SocketAddr::new(self.address.ip(), 0));
        async move { memory.connect(source, to).await }
    }
}

impl Stage for Simulated {
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
        let seat = self.seats.get(who).ok_or("no such endpoint")?;
        let memory = &self.world.memory;
        match seat.protocol {
            Protocol::Udp => memory.send(seat.address, to, data),
            _ => seat
                .streams
                .send(to, connection, data, || seat.open(memory, to)),
        }
        Ok(())
    }

    fn connect(&self, who: usize, to: SocketAddr) {
        if let Some(seat) = self.seats.get(who) {
            seat.streams
                .connect(to, || seat.open(&self.world.memory, to));
        }
    }

    fn close(&self, who: usize) {
        if let Some(seat) = self.seats.get(who) {
            seat.streams.close();
        }
    }

    fn set_conditions(&self, conditions: Conditions) {
        self.world.memory.set_conditions(conditions);
    }

    fn log(&self, log: &mut Log) {
        log.add(&self.capture.take());
    }

    fn slack(&self) -> Duration {
        Duration::from_millis(2)
    }

    fn settle(&self) -> Duration {
        Duration::from_millis(200)
    }

    fn ended(&self) -> Option<String> {
        None
    }

    fn connections(&self) -> Vec<(SocketAddr, String)> {
        let of = |seat: &Rc<Seat>| {
            let name = move |n: usize| format!("connection-{}-{n}", seat.who);
            seat.streams
                .locals()
                .into_iter()
                .enumerate()
                .map(|(n, a)| (a, name(n)))
                .collect()
        };
        self.seats
            .iter()
            .flat_map(|seat| -> Vec<_> { of(seat) })
            .collect()
    }
}
