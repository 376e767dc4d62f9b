//! The lines of one thread kept apart, for servers that are simulated side by side.

use std::cell::{Cell, RefCell};

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static THRESHOLD: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Bytes that are kept; what comes later is lost.
const LIMIT: usize = 16 << 20;

/// While it lives, the lines of this thread go to it, and the threshold is its own.
pub struct Capture(());

impl Capture {
    /// Captures lines whose level is at most `threshold`.
    pub fn start(threshold: i32) -> Capture {
        THRESHOLD.set(Some(threshold));
        LINES.take();
        Capture(())
    }

    /// The lines since the last call.
    pub fn take(&self) -> Vec<u8> {
        LINES.take()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        THRESHOLD.set(None);
        LINES.take();
    }
}

/// The threshold of a thread that is captured.
#[inline]
pub(super) fn threshold() -> Option<i32> {
    THRESHOLD.get()
}

/// Keeps a line; false where the thread is not captured.
pub(super) fn push(line: &[u8]) -> bool {
    if THRESHOLD.get().is_none() {
        return false;
    }
    LINES.with_borrow_mut(|lines| {
        if lines.len() + line.len() <= LIMIT {
            lines.extend_from_slice(line);
        }
    });
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{self, Level, SCRIPT};

    #[test]
    fn a_thread_has_its_own_lines_and_threshold() {
        let capture = Capture::start(Level::Info as i32);
        std::thread::spawn(|| assert!(!log::enabled(Level::Info)))
            .join()
            .unwrap();
        log::write(Level::Info, SCRIPT, b"kept");
        log::write(Level::Dbg, SCRIPT, b"suppressed");
        let lines = String::from_utf8(capture.take()).unwrap();
        assert!(lines.ends_with("INFO: <script>: kept\n"), "{lines}");
        assert_eq!(lines.lines().count(), 1);
        drop(capture);
        assert!(!log::enabled(Level::Info));
    }
}
