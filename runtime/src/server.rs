//! The server: what its workers share, how it starts and how it ends.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::init::{Init, Periodic, Reload, Shared, Start};
use crate::program::{AliasSpec, Program, SocketSpec};
use crate::proxy::{Defaults, Transactions};
use crate::settings::Settings;
use crate::transport::{
    Alias, ListenError, ListenOptions, ListenSpec, Myself, Options, Protocol, Socket, Tls,
    Transport, WorkerSockets, listen,
};
use crate::worker;

/// What the workers of a server share.
pub struct Server {
    /// The program.
    pub program: Arc<Program>,
    /// Sockets, connections, counters.
    pub transport: Arc<Transport>,
    /// Which names are this server.
    pub myself: Myself,
    /// All transactions.
    pub transactions: Transactions,
    /// Parameters of transactions.
    pub proxy: Defaults,
    /// State of modules.
    pub shared: Shared,
    /// Work of modules that is done again and again.
    pub periodic: Vec<Periodic>,
    /// What modules want run before the first message.
    pub starts: Vec<Start>,
    /// Whether that is done.
    pub(crate) begun: watch::Sender<bool>,
    /// What modules read again on SIGHUP.
    pub reloads: Vec<Reload>,
    server_header: Vec<u8>,
    /// When it started.
    pub started: SystemTime,
    wall_clock: WallClock,
    /// The zero of the workers' clocks.
    pub epoch: tokio::time::Instant,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket that cannot be bound.
    #[error("{}{error}", place.as_ref().map(|(file, line)| format!("{file}:{line}: ")).unwrap_or_default())]
    Listen {
        /// File and line of the `listen`.
        place: Option<(String, u32)>,
        /// What is wrong.
        error: ListenError,
    },
    /// A socket of a protocol that is not known.
    #[error("{0}: unknown protocol")]
    Protocol(String),
    /// A module that refuses to start.
    #[error("module {module}: {message}")]
    Module {
        /// Its name.
        module: &'static str,
        /// What is wrong.
        message: String,
    },
    /// No thread.
    #[error("cannot start a worker: {0}")]
    Thread(#[from] std::io::Error),
}

/// A server that is up.
pub struct Running {
    /// What its workers share.
    pub server: Arc<Server>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Binds the sockets of `program`, lets its modules set up, and starts the workers.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left bound.
    pub fn start(program: Program) -> Result<Running, StartError> {
        let (server, sockets) = Server::prepare(Arc::new(program))?;
        let (stop, stopped) = watch::channel(false);
        let mut workers = Vec::with_capacity(sockets.len());
        for (index, sockets) in sockets.into_iter().enumerate() {
            let (server, stopped) = (server.clone(), stopped.clone());
            let thread = std::thread::Builder::new().name(format!("worker {index}"));
            workers.push(thread.spawn(move || worker::main(server, index, sockets, stopped))?);
        }
        Ok(Running {
            server,
            stop,
            workers,
        })
    }

    fn prepare(program: Arc<Program>) -> Result<(Arc<Server>, Vec<WorkerSockets>), StartError> {
        let settings = &program.settings;
        let specs = program
            .manifest
            .sockets
            .iter()
            .map(listen_spec)
            .collect::<Result<Vec<_>, _>>()?;
        let engine = program.modules.iter().any(|module| module.name == "tls");
        let secure = |spec: &ListenSpec| spec.protocol == Some(Protocol::Tls);
        match (settings.enable_tls, engine) {
            (true, false) => crate::warn!("no TLS: the module tls is not loaded"),
            (false, _) if specs.iter().any(secure) => {
                crate::warn!("no TLS: enable_tls is not set");
            }
            _ => {}
        }
        let options = ListenOptions {
            workers: settings.workers(),
            port: u16::try_from(settings.port).unwrap_or(5060),
            tcp: !settings.disable_tcp,
            tls: settings.enable_tls && engine,
            ..ListenOptions::default()
        };
        let bound = listen(&specs, &options).map_err(|error| {
            let spec = error.spec.and_then(|n| program.manifest.sockets.get(n));
            let place = spec.filter(|spec| spec.place.1 > 0).and_then(|spec| {
                let (file, line) = spec.place;
                Some((program.manifest.files.get(file as usize)?.clone(), line))
            });
            StartError::Listen { place, error }
        })?;
        let server = Server::over(program.clone(), bound.sockets, WallClock::System)?;
        Ok((server, bound.workers))
    }

    /// A server with the listen sockets `sockets`, whoever bound them, its modules set up. The
    /// caller starts its workers.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn over(
        program: Arc<Program>,
        sockets: Vec<Socket>,
        wall_clock: WallClock,
    ) -> Result<Arc<Server>, StartError> {
        let settings = &program.settings;
        let aliases = program
            .manifest
            .aliases
            .iter()
            .map(alias)
            .collect::<Result<Vec<_>, _>>()?;
        let hosts = settings
            .auto_aliases
            .then(|| std::fs::read_to_string("/etc/hosts").ok());
        let myself = Myself::new(&sockets, &aliases, hosts.flatten().as_deref());
        let mut shared = Shared::default();
        let (mut periodic, mut starts) = (Vec::new(), Vec::new());
        let mut reloads = Vec::new();
        for module in &program.modules {
            if let Some(init) = module.init {
                init(&mut Init {
                    program: &program,
                    shared: &mut shared,
                    periodic: &mut periodic,
                    starts: &mut starts,
                    reloads: &mut reloads,
                })
                .map_err(|message| StartError::Module {
                    module: module.name,
                    message,
                })?;
            }
        }
        let tls = shared.get::<Arc<Tls>>().cloned();
        let transport = Transport::new(sockets, transport_options(&program), tls);
        let server = Server {
            transport,
            myself,
            transactions: Transactions::default(),
            proxy: shared.get::<Defaults>().cloned().unwrap_or_default(),
            shared,
            periodic,
            starts,
            begun: watch::Sender::new(false),
            reloads,
            server_header: server_header(&program.settings),
            started: SystemTime::now(),
            wall_clock,
            epoch: tokio::time::Instant::now(),
            program,
        };
        Ok(Arc::new(server))
    }
}

/// Where the time of day comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WallClock {
    /// The system's clock.
    System,
    /// The system's clock at the start, and from then on the runtime's, which may be virtual.
    Runtime,
}

impl Server {
    /// Time since 1970.
    pub fn time_of_day(&self) -> Duration {
        let now = match self.wall_clock {
            WallClock::System => SystemTime::now(),
            WallClock::Runtime => self.started + self.epoch.elapsed(),
        };
        now.duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// Has the modules read again what they took from files; what fails is logged.
    pub fn reload(&self) {
        for reload in &self.reloads {
            if let Err(error) = reload(self) {
                crate::error!("{error}");
            }
        }
        crate::notice!("{} modules have read their files again", self.reloads.len());
    }

    /// Whether its time may be virtual: then it asks nobody outside of its own network.
    pub fn is_simulated(&self) -> bool {
        self.wall_clock == WallClock::Runtime
    }

    /// The `Server` header of replies made here, a whole line; empty where there is none.
    pub fn server_header(&self) -> &[u8] {
        &self.server_header
    }
}

fn server_header(settings: &Settings) -> Vec<u8> {
    let text = match &settings.server_header {
        _ if !settings.server_signature => return Vec::new(),
        Some(text) => text.clone(),
        None => format!(
            "Server: kcc ({} ({}/{}))",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH,
            std::env::consts::OS
        ),
    };
    format!("{}\r\n", text.trim_end()).into_bytes()
}

impl Running {
    /// Tells the workers to end and waits for them.
    pub fn stop(self) {
        // Fails only where every worker has ended.
        let _ = self.stop.send(true);
        for worker in self.workers {
            if worker.join().is_err() {
                crate::error!("a worker ended by a panic");
            }
        }
    }
}

pub(crate) fn listen_spec(spec: &SocketSpec) -> Result<ListenSpec, StartError> {
    Ok(ListenSpec {
        protocol: protocol(spec.protocol.as_deref())?,
        host: spec.host.clone(),
        port: spec.port,
        advertise: spec.advertise.clone(),
        name: spec.name.clone(),
        is_virtual: spec.is_virtual,
    })
}

fn alias(spec: &AliasSpec) -> Result<Alias, StartError> {
    Ok(Alias {
        host: spec.host.clone().into(),
        port: spec.port,
        protocol: protocol(spec.protocol.as_deref())?,
    })
}

fn protocol(name: Option<&str>) -> Result<Option<Protocol>, StartError> {
    let Some(name) = name else { return Ok(None) };
    match Protocol::from_name(name.as_bytes()) {
        Some(protocol) => Ok(Some(protocol)),
        None => Err(StartError::Protocol(name.to_owned())),
    }
}

fn transport_options(program: &Program) -> Options {
    let settings = &program.settings;
    let seconds = |n: i64| Duration::from_secs(u64::try_from(n).unwrap_or(0));
    let size = |n: i64| usize::try_from(n).unwrap_or(0);
    Options {
        mhomed: settings.mhomed,
        tcp_connection_lifetime: seconds(settings.tcp_connection_lifetime),
        tcp_connect_timeout: seconds(settings.tcp_connect_timeout),
        tcp_conn_wq_max: size(settings.tcp_conn_wq_max),
        tcp_max_connections: size(settings.tcp_max_connections),
        tcp_crlf_ping: settings.tcp_crlf_ping,
        tcp_accept_no_cl: settings.tcp_accept_no_cl,
        ..Options::default()
    }
}
