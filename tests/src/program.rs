//! Programs that run to their end within a limit, with what they said.

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use crate::folder::Folder;
use crate::server::Server;

/// How long a program that does not serve may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Ended {
    /// Checks the exit code, and that nothing of a panic was shown.
    ///
    /// # Panics
    /// They differ.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        assert!(!self.err.contains("backtrace"), "{self:#?}");
        self
    }

    /// Checks that standard error says `what`.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn says(self, what: &str) -> Ended {
        assert!(self.err.contains(what), "no {what:?} in {self:#?}");
        self
    }
}

/// Runs `command` with `input` as its standard input.
///
/// # Panics
/// It cannot be started or does not end within half a minute.
#[track_caller]
pub fn run(command: &mut Command, input: &[u8]) -> Ended {
    let folder = Folder::new();
    let stdin = File::open(folder.write("in", input)).expect("the file was just written");
    let stream = |name: &str| File::create(folder.path(name)).expect("the folder was just made");
    command
        .stdin(stdin)
        .stdout(stream("out"))
        .stderr(stream("err"));
    let ended = Server::start(command).and_then(|mut started| started.wait(LIMIT));
    let text = |name: &str| {
        let bytes = std::fs::read(folder.path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    match ended {
        Ok(status) => Ended {
            code: status.code(),
            out: text("out"),
            err: text("err"),
        },
        Err(error) => panic!("{command:?}: {error}\n{}{}", text("out"), text("err")),
    }
}
