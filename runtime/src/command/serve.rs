//! Serving until a signal ends it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::daemon::{self, Waiting};
use crate::command::Options;
use crate::log;
use crate::program::Program;
use crate::server::{Server, StartError};

/// How long workers may take to end.
const LONGEST_END: Duration = Duration::from_secs(5);

/// Why a command does not serve.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Option(String),
}

/// Serves `program` until SIGINT or SIGTERM and gives the exit code: 2 where the server does not
/// start, which is shown. Each socket is named in one line on standard output.
///
/// To be called before any other thread is started, where `background` is asked for.
pub fn run(program: Program, options: &Options, background: bool) -> ExitCode {
    name_options_without_effect(options);
    // Dropped after the error is shown, so that who waits ends after it.
    let mut waiting = None;
    let code = match serve(program, options, background, &mut waiting) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    };
    log::flush();
    code
}

fn name_options_without_effect(options: &Options) {
    let named: Vec<String> = options
        .without_effect
        .iter()
        .map(|(option, why)| format!("{option} ({why})"))
        .collect();
    if !named.is_empty() {
        eprintln!("accepted without effect: {}", named.join(", "));
    }
}

/// `waiting` is set once the process is in the background and until it is ready: whoever started it
/// waits until then, or until that is dropped.
fn serve(
    program: Program,
    options: &Options,
    background: bool,
    waiting: &mut Option<Waiting>,
) -> Result<(), ServeError> {
    if let Some(directory) = &options.directory {
        std::env::set_current_dir(directory).map_err(|error| at(directory, &error))?;
    }
    if let Some(root) = &options.chroot {
        std::os::unix::fs::chroot(root).map_err(|error| at(root, &error))?;
        std::env::set_current_dir("/")?;
    }
    if background {
        *waiting = Some(daemon::detach()?);
    }
    log::set_threshold(program.settings.debug.clamp(-9, 9) as i32);
    log::set_color(program.settings.log_color);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Before the sockets are announced, so that a signal sent on the announcement is not lost.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let running = Server::start(program)?;
        daemon::change_user(options.user.as_deref(), options.group.as_deref())
            .map_err(ServeError::Option)?;
        let pid_file = options
            .pid_file
            .as_deref()
            .map(PidFile::write)
            .transpose()?;
        announce(&running.server)?;
        if let Some(waiting) = waiting.take() {
            daemon::close_streams(options.log_stderr)?;
            waiting.ready();
        }
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = hangup.recv() => {
                    let server = running.server.clone();
                    tokio::task::spawn_blocking(move || server.reload());
                }
            }
        }
        let (stopped, mut ended) = tokio::sync::oneshot::channel();
        std::thread::Builder::new().spawn(move || {
            running.stop();
            // Nobody listens where a second signal came first.
            let _ = stopped.send(());
        })?;
        tokio::select! {
            _ = &mut ended => {}
            _ = interrupt.recv() => crate::warn!("ended by a second signal, with work unfinished"),
            _ = terminate.recv() => crate::warn!("ended by a second signal, with work unfinished"),
            () = tokio::time::sleep(LONGEST_END) => {
                crate::warn!("ended with work unfinished: a worker does not stop");
            }
        }
        drop(pid_file);
        Ok(())
    })
}

fn at(path: &str, error: &std::io::Error) -> ServeError {
    ServeError::Option(format!("{path}: {error}"))
}

fn announce(server: &Server) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    for socket in server.transport.sockets() {
        writeln!(out, "listening on {}", socket.text)?;
    }
    out.flush()
}

/// The file that holds this process's id; removed at the end.
struct PidFile<'a>(&'a Path);

impl<'a> PidFile<'a> {
    fn write(path: &'a str) -> Result<PidFile<'a>, ServeError> {
        std::fs::write(path, format!("{}\n", std::process::id()))
            .map_err(|error| at(path, &error))?;
        Ok(PidFile(Path::new(path)))
    }
}

impl Drop for PidFile<'_> {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(self.0) {
            crate::warn!("{}: {error}", self.0.display());
        }
    }
}
