//! What the compiler may read: files by path and environment variables, through one trait.

use std::collections::HashMap;

/// Gives the compiler its texts. The compiler itself opens nothing.
pub trait SourceLoader {
    /// Reads the file at `path`, a path as written in the configuration or joined to the directory
    /// of the including file. `-` is standard input, for the main file only.
    ///
    /// `limit` is the largest size in bytes that is of use: a longer file should be refused with
    /// [`LoadError::TooLarge`] before it is read.
    fn load(&self, path: &str, limit: usize) -> Result<Vec<u8>, LoadError>;

    /// Value of the environment variable `name`, for `#!defenv` and `$env` in substitutions.
    fn environment(&self, name: &str) -> Option<Vec<u8>>;

    /// Full name of this host, for `$HN` in substitutions; `None` if it is not to be known.
    fn host_name(&self) -> Option<String> {
        None
    }

    /// Address that the host's name stands for, likewise.
    fn host_address(&self) -> Option<std::net::IpAddr> {
        None
    }
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is no such file. The only failure that `import_file` forgives.
    #[error("no such file")]
    NotFound,
    /// The path is a directory.
    #[error("it is a directory")]
    Directory,
    /// The file is longer than what was allowed.
    #[error("it is larger than a configuration may be (16 MiB)")]
    TooLarge,
    /// Anything else, in the words of the operating system.
    #[error("{0}")]
    Other(String),
}

/// Files and environment held in memory: for tests and for the language server.
#[derive(Clone, Debug, Default)]
pub struct MemoryLoader {
    /// Text by path.
    pub files: HashMap<String, Vec<u8>>,
    /// Environment variables.
    pub variables: HashMap<String, Vec<u8>>,
}

impl MemoryLoader {
    /// A loader that holds one file.
    pub fn with(path: &str, text: impl Into<Vec<u8>>) -> MemoryLoader {
        let mut loader = MemoryLoader::default();
        loader.files.insert(path.to_owned(), text.into());
        loader
    }

    /// Adds a file.
    pub fn and(mut self, path: &str, text: impl Into<Vec<u8>>) -> MemoryLoader {
        self.files.insert(path.to_owned(), text.into());
        self
    }
}

impl SourceLoader for MemoryLoader {
    fn load(&self, path: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        match self.files.get(path) {
            None => Err(LoadError::NotFound),
            Some(text) if text.len() > limit => Err(LoadError::TooLarge),
            Some(text) => Ok(text.clone()),
        }
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        self.variables.get(name).cloned()
    }
}
