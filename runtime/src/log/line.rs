//! The form of a line, made in a buffer that the thread keeps.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::Level;
use super::level::COLOR_END;

static COLOR: AtomicBool = AtomicBool::new(false);

thread_local! {
    static WORKER: Cell<u32> = const { Cell::new(0) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Colours lines by their level (`log_color=1`) if standard error is a terminal.
pub fn set_color(wanted: bool) {
    COLOR.store(wanted && std::io::stderr().is_terminal(), Relaxed);
}

/// Sets the number that the lines of this thread carry; workers count from 1.
pub fn set_worker(number: u32) {
    WORKER.set(number);
}

/// Writes one line if its level is enabled. A newline is added where `text` does not end with
/// one (Kamailio lets the next line follow on the same one). `text` may hold any bytes.
pub fn write(level: Level, origin: &str, text: &[u8]) {
    if super::enabled(level) {
        with_buffer(|line| {
            open(line, level, origin);
            line.extend_from_slice(text);
            close(line);
        });
    }
}

/// As [`write`], with all of `prefix`, such as `<script>: `, in place of an origin.
pub fn write_prefixed(level: Level, prefix: &[u8], text: &[u8]) {
    if super::enabled(level) {
        with_buffer(|line| {
            open_before_origin(line, level);
            line.extend_from_slice(prefix);
            line.extend_from_slice(text);
            close(line);
        });
    }
}

/// Writes one line whatever its level: the macros have tested it.
pub fn write_args(level: Level, origin: &str, text: fmt::Arguments<'_>) {
    with_buffer(|line| append(line, level, origin, text));
}

/// Appends a whole line to `out`.
pub(super) fn append(out: &mut Vec<u8>, level: Level, origin: &str, text: fmt::Arguments<'_>) {
    open(out, level, origin);
    // A Vec takes all; a Display that fails leaves a shorter line.
    let _ = out.write_fmt(text);
    close(out);
}

fn open(line: &mut Vec<u8>, level: Level, origin: &str) {
    open_before_origin(line, level);
    // A Vec takes all.
    let _ = write!(line, "{origin}: ");
}

fn open_before_origin(line: &mut Vec<u8>, level: Level) {
    if COLOR.load(Relaxed) {
        line.extend_from_slice(level.color().as_bytes());
    }
    let (worker, pid, word) = (WORKER.get(), std::process::id(), level.word());
    // A Vec takes all.
    let _ = write!(line, "{worker:2}({pid}) {word}: ");
}

fn close(line: &mut Vec<u8>) {
    let newline = line.last() == Some(&b'\n');
    if COLOR.load(Relaxed) {
        if newline {
            line.pop();
        }
        line.extend_from_slice(COLOR_END.as_bytes());
        line.push(b'\n');
    } else if !newline {
        line.push(b'\n');
    }
}

fn with_buffer(make: impl FnOnce(&mut Vec<u8>)) {
    BUFFER.with(|buffer| match buffer.try_borrow_mut() {
        Ok(mut line) => {
            line.clear();
            make(&mut line);
            super::deliver(&line);
            line.shrink_to(16 << 10);
        }
        // A Display that logs while it is being logged.
        Err(_) => {
            let mut line = Vec::new();
            make(&mut line);
            super::deliver(&line);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{SCRIPT, Sink, set_sink};

    #[test]
    fn lines_have_kamailios_form_and_respect_the_threshold() {
        let memory = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
        set_sink(Sink::Memory(memory.clone()));
        set_worker(1);
        write(Level::Alert, SCRIPT, b"alert hello\n");
        write(Level::Err, SCRIPT, b"no newline");
        write(Level::Info, SCRIPT, b"suppressed\n");
        crate::error!("number {}", 7);
        crate::warn!(in "tm", "in a module");
        crate::info!("{}", unreachable_text());
        set_sink(Sink::Stderr);
        let pid = std::process::id();
        let expected = format!(
            " 1({pid}) ALERT: <script>: alert hello\n 1({pid}) ERROR: <script>: no newline\n \
             1({pid}) ERROR: <core>: number 7\n 1({pid}) WARNING: tm: in a module\n"
        );
        assert_eq!(String::from_utf8_lossy(&memory.lock()), expected);
    }

    fn unreachable_text() -> &'static str {
        unreachable!("a suppressed line is not evaluated")
    }
}
