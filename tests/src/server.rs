//! A server as a child process: found ready by its answer to OPTIONS, ended by SIGTERM.

use std::io::{Error, ErrorKind, Result};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// A child process that is ended when dropped.
#[derive(Debug)]
pub struct Server(Child);

impl Server {
    /// Starts `command`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command) -> Result<Server> {
        command.spawn().map(Server)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The child, for its streams.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// It lives on after `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        terminate(self.0.id())?;
        self.wait(limit)
    }

    /// Kills all processes of its group, which it must have been started as the leader of.
    ///
    /// # Errors
    /// There is no such group.
    pub fn kill_group(&mut self) -> Result<()> {
        signal("KILL", &format!("-{}", self.0.id()))
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// It lives on after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > end {
                let what = format!("process {} did not end within {limit:?}", self.0.id());
                return Err(Error::new(ErrorKind::TimedOut, what));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already cannot be ended again.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends SIGTERM to the process `id`.
///
/// # Errors
/// There is none, or it is somebody else's.
pub fn terminate(id: u32) -> Result<()> {
    signal("TERM", &id.to_string())
}

/// The shell's own `kill`: a program of this name is not installed everywhere.
fn signal(name: &str, target: &str) -> Result<()> {
    let kill = "kill -s \"$1\" -- \"$2\"";
    let status = Command::new("sh")
        .args(["-c", kill, "sh", name, target])
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::other(format!("no SIG{name} to {target}"))),
    }
}
