//! The configuration that a command works on: a file, standard input, and defines.

use std::cell::RefCell;
use std::io::Read;
use std::net::{IpAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use clap::Args;
use kcc::release::Release;
use kcc::source::{LoadError, SourceLoader};

use super::version::Version;

/// What every command that reads a configuration takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Input {
    /// The configuration; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "option")]
    file: Option<PathBuf>,
    /// The same, as Kamailio writes it
    #[arg(
        short = 'f',
        value_name = "FILE",
        id = "option",
        conflicts_with = "file"
    )]
    option: Option<PathBuf>,
    /// Define NAME before the configuration is read, as `#!define` does
    #[arg(short = 'A', value_name = "NAME[=VALUE]")]
    defines: Vec<String>,
    #[command(flatten)]
    version: Version,
}

impl Input {
    /// By whose rules it is read.
    pub fn release(&self) -> Release {
        self.version.given().unwrap_or_default()
    }

    /// The configuration `file` with `defines`.
    pub fn new(file: PathBuf, defines: Vec<String>) -> Input {
        Input {
            file: Some(file),
            option: None,
            defines,
            version: Version::default(),
        }
    }

    /// The path, `-` for standard input.
    pub fn path(&self) -> String {
        let path = self.file.as_ref().or(self.option.as_ref());
        path.map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// The defines as name and value.
    pub fn defines(&self) -> Vec<(String, Option<String>)> {
        let split = |define: &String| match define.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (define.clone(), None),
        };
        self.defines.iter().map(split).collect()
    }
}

/// Files of this machine and the environment of this process.
#[derive(Debug, Default)]
pub struct Disk {
    /// Standard input, which can be read once only.
    stdin: RefCell<Option<Vec<u8>>>,
}

impl SourceLoader for Disk {
    fn load(&self, path: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        if path == "-" {
            return self.load_stdin(limit);
        }
        let file = std::fs::File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => LoadError::NotFound,
            _ => LoadError::Other(error.to_string()),
        })?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(LoadError::Directory);
        }
        read_at_most(file, limit)
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        std::env::var_os(name).map(OsStringExt::into_vec)
    }

    fn host_name(&self) -> Option<String> {
        let name = std::fs::read_to_string(Self::HOST_NAME).ok()?;
        Some(name.trim_end().to_owned()).filter(|name| !name.is_empty())
    }

    fn host_address(&self) -> Option<IpAddr> {
        let mut found = (&*self.host_name()?, 0).to_socket_addrs().ok()?;
        found.next().map(|address| address.ip())
    }
}

impl Disk {
    /// Where the kernel tells the host's name.
    const HOST_NAME: &str = "/proc/sys/kernel/hostname";

    fn load_stdin(&self, limit: usize) -> Result<Vec<u8>, LoadError> {
        let mut kept = self.stdin.borrow_mut();
        if let Some(text) = &*kept {
            return Ok(text.clone());
        }
        let text = read_at_most(std::io::stdin().lock(), limit)?;
        Ok(kept.insert(text).clone())
    }
}

fn read_at_most(from: impl Read, limit: usize) -> Result<Vec<u8>, LoadError> {
    let mut text = Vec::new();
    from.take((limit as u64).saturating_add(1))
        .read_to_end(&mut text)
        .map_err(|error| LoadError::Other(error.to_string()))?;
    if text.len() > limit {
        Err(LoadError::TooLarge)
    } else {
        Ok(text)
    }
}
