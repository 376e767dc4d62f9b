//! What a run has to say, with the place of the statement that says it.

use std::any::Any;
use std::fmt::Display;

use crate::fiber::WaitError;
use crate::log::{self, Level};
use crate::run::Run;

impl Run {
    /// Logs an error with the place of the statement.
    pub fn report(&self, error: &dyn Display) {
        self.say(Level::Err, error);
    }

    /// Logs a warning with the place of the statement.
    pub fn warn(&self, text: &dyn Display) {
        self.say(Level::Warn, text);
    }

    fn say(&self, level: Level, text: &dyn Display) {
        match self.program.place(self.head.place) {
            Some((file, line)) if line > 0 => log::log!(level, "{file}:{line}: {text}"),
            _ => log::log!(level, "{text}"),
        }
    }

    /// Ends the run for `error`, which is logged with the place of the statement.
    pub fn fail(&mut self, error: &dyn Display) {
        self.failed = true;
        self.report(error);
    }

    /// Ends the run for a wait without an answer.
    pub(crate) fn fail_wait(&mut self, error: WaitError) {
        if matches!(error, WaitError::TooMany | WaitError::Cancelled) {
            self.fault = 503;
        }
        self.fail(&error);
    }

    /// Ends the run for a panic.
    pub(crate) fn fail_by_panic(&mut self, panic: &(dyn Any + Send)) {
        self.fail(&format_args!("internal error: {}", panic_text(panic)));
    }
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic")
}
