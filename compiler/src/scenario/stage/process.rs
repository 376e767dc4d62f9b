//! A server that is a process of its own: kcc itself, or a Kamailio of this machine.

use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::scenario::plan::Plan;

/// How long a server may take until its sockets are bound.
const START: Duration = Duration::from_secs(20);
/// How long the sockets of the server before may take to go away.
const END: Duration = Duration::from_secs(3);
/// Bytes of its log that are kept until they are read.
const LOG: usize = 32 << 20;

/// A Kamailio that is installed.
#[derive(Clone, Debug)]
pub struct Kamailio {
    /// The program.
    pub path: PathBuf,
    /// What it says of itself: `kamailio 5.6.3 (x86_64/linux)`.
    pub version: String,
    modules: Option<PathBuf>,
}

impl Kamailio {
    /// The one that `PATH` finds.
    ///
    /// # Errors
    /// There is none; the text says how to install one.
    pub fn find() -> Result<Kamailio, String> {
        let missing = || {
            "no kamailio in PATH; install one: `apt-get install kamailio` (Debian, Ubuntu), or see https://www.kamailio.org/w/download/".to_owned()
        };
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let beside = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
        let path = std::env::split_paths(&paths)
            .chain(beside)
            .map(|folder| folder.join("kamailio"))
            .find(|path| path.is_file())
            .ok_or_else(missing)?;
        let output = Command::new(&path).arg("-v").output();
        let output = output.map_err(|error| format!("{}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let first = text.lines().next().unwrap_or_default();
        let version = first
            .strip_prefix("version: ")
            .unwrap_or(first)
            .trim()
            .to_owned();
        let folders = [
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64",
            "/usr/lib",
            "/usr/local/lib64",
            "/usr/local/lib",
        ];
        let modules = folders
            .iter()
            .map(|folder| Path::new(folder).join("kamailio/modules"));
        Ok(Kamailio {
            path,
            version,
            modules: modules.into_iter().find(|path| path.is_dir()),
        })
    }

    /// Whether it has the module `name`.
    pub fn has_module(&self, name: &str) -> bool {
        let Some(folder) = &self.modules else {
            return true;
        };
        folder.join(format!("{name}.so")).is_file()
            || folder.join(name).join(format!("{name}.so")).is_file()
    }

    /// Its release: `5.6`.
    pub fn release(&self) -> Option<&str> {
        let number = self.version.split_whitespace().nth(1)?;
        let end = number
            .match_indices('.')
            .nth(1)
            .map_or(number.len(), |(at, _)| at);
        number.get(..end)
    }

    /// Starts it with the configuration of `plan`.
    ///
    /// # Errors
    /// See [`Process::start`].
    pub fn start(&self, plan: &Plan) -> Result<Process, ProcessError> {
        let mut command = Command::new(&self.path);
        command.args(["-DD", "-E", "-m", "32", "-M", "4"]);
        Process::start(command, plan, |command, folder, file| {
            command.arg("-Y").arg(folder).arg("-f").arg(file);
        })
    }
}

/// Why a server is not there.
#[derive(Clone, Debug)]
pub enum ProcessError {
    /// The configuration is not accepted: what was said.
    Refused(String),
    /// Something else went wrong.
    Failed(String),
}

/// A server as a child process.
pub struct Process {
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
    _folder: Folder,
}

/// A folder of its own for a run, removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Process {
    /// kcc itself.
    ///
    /// # Errors
    /// See [`Process::start`].
    pub fn kcc(plan: &Plan) -> Result<Process, ProcessError> {
        let path = std::env::current_exe();
        let path = path.map_err(|error| ProcessError::Failed(error.to_string()))?;
        let mut command = Command::new(path);
        command.args(["run", "--compat", plan.config.release.name()]);
        Process::start(command, plan, |command, _, file| {
            command.arg("-f").arg(file);
        })
    }

    /// Starts `command` with the configuration of `plan` and waits until its sockets are bound.
    ///
    /// # Errors
    /// It ends, or the sockets are not bound in time.
    fn start(
        mut command: Command,
        plan: &Plan,
        arguments: impl FnOnce(&mut Command, &Path, &Path),
    ) -> Result<Process, ProcessError> {
        let failed =
            |what: &str, error: std::io::Error| ProcessError::Failed(format!("{what}: {error}"));
        let end = Instant::now() + END;
        while is_bound(plan.server) {
            if Instant::now() > end {
                let text = format!("{} is in use by another process", plan.server);
                return Err(ProcessError::Failed(text));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let folder = folder().map_err(|error| failed("no folder for the run", error))?;
        let text = &plan.config;
        let name = text
            .path
            .file_name()
            .map_or("kamailio.cfg".as_ref(), Path::new);
        let file = folder.0.join(name);
        std::fs::write(&file, &text.text).map_err(|error| failed("the configuration", error))?;
        for (name, text) in &text.files {
            let beside = folder
                .0
                .join(Path::new(name).file_name().unwrap_or_default());
            std::fs::write(beside, text).map_err(|error| failed(name, error))?;
        }
        command.envs(text.environment.iter().map(|(name, value)| (name, value)));
        arguments(&mut command, &folder.0, &file);
        for (name, value) in &text.defines {
            command.arg("-A").arg(match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            });
        }
        let near = text.path.parent().filter(|path| path.is_dir());
        let mut child = command
            .current_dir(near.unwrap_or(Path::new(".")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| failed(&command.get_program().to_string_lossy(), error))?;
        let log = Arc::<Mutex<Vec<u8>>>::default();
        if let Some(stderr) = child.stderr.take() {
            let log = log.clone();
            std::thread::spawn(move || read_log(stderr, &log));
        }
        let mut process = Process {
            child,
            log,
            _folder: folder,
        };
        process.wait_bound(plan)?;
        Ok(process)
    }

    fn wait_bound(&mut self, plan: &Plan) -> Result<(), ProcessError> {
        let end = Instant::now() + START;
        loop {
            if let Ok(Some(_)) = self.child.try_wait() {
                // The last lines are on their way.
                std::thread::sleep(Duration::from_millis(20));
                let said = self.log();
                return Err(ProcessError::Refused(
                    String::from_utf8_lossy(&said).into_owned(),
                ));
            }
            if is_bound(plan.server) {
                std::thread::sleep(Duration::from_millis(30));
                return Ok(());
            }
            if Instant::now() > end {
                let text = format!("its socket {} was not bound in time", plan.server);
                return Err(ProcessError::Failed(text));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it has logged since the last call.
    pub fn log(&mut self) -> Vec<u8> {
        let mut log = self
            .log
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        std::mem::take(&mut *log)
    }

    /// Why it has ended, where it has.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        Some(format!("the server ended: {status}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let group = self.child.id() as libc::pid_t;
            // SAFETY: a call without memory. The group is the child's own, made when it was
            // started; the child was not waited for yet, so its number is not used again.
            unsafe { libc::killpg(group, libc::SIGKILL) };
            // Nothing can be done about a process that cannot be waited for.
            let _ = self.child.wait();
        }
    }
}

fn read_log(mut from: impl Read, log: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 8192];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let mut log = log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if log.len() < LOG {
            log.extend_from_slice(buffer.get(..n).unwrap_or_default());
        }
    }
}

fn folder() -> std::io::Result<Folder> {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "kcc-test-{}-{}",
        std::process::id(),
        NUMBER.fetch_add(1, Relaxed)
    );
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir(&path)?;
    Ok(Folder(path))
}

/// Whether any process has bound `address`: the kernel's tables say so.
fn is_bound(address: SocketAddr) -> bool {
    let SocketAddr::V4(v4) = address else {
        return false;
    };
    let wanted = format!(
        "{:08X}:{:04X}",
        u32::from_ne_bytes(v4.ip().octets()),
        v4.port()
    );
    // Of TCP only what listens (state 0A): connections linger after their process.
    [("/proc/net/udp", ""), ("/proc/net/tcp", "0A")]
        .iter()
        .any(|(table, state)| {
            let table = std::fs::read_to_string(table).unwrap_or_default();
            table.lines().skip(1).any(|line| {
                let mut words = line.split_whitespace().skip(1);
                let bound = words.next() == Some(wanted.as_str());
                bound && words.nth(1).is_some_and(|found| found.ends_with(state))
            })
        })
}
