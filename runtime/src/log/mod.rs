//! The log: Kamailio's levels and line format, without a worker ever waiting for a terminal.
//!
//! A line is ` W(PID) LEVEL: ORIGIN: text`, W being the worker's number (0 outside of workers)
//! and ORIGIN `<script>`, `<core>` or a module's name. Lines go through a bounded queue to one
//! writer thread. Invariants: a suppressed line is not formatted and nothing is allocated for
//! it; a line that finds the queue full is dropped, counted, and the loss is told.
//!
//! The writer thread starts with the first line. A process that forks does so before.

mod capture;
mod level;
mod line;
mod queue;

pub use capture::Capture;
pub use level::{Level, enabled, set_threshold, threshold};
pub use line::{set_color, set_worker, write, write_args, write_prefixed};
pub use queue::{Sink, dropped, flush, set_sink};

pub use crate::{debug, error, info, log, notice, warn};

/// Takes one whole line.
fn deliver(line: &[u8]) {
    if !capture::push(line) {
        queue::push(line);
    }
}

/// The origin of the engine's own lines.
pub const CORE: &str = "<core>";
/// The origin of lines that a configuration writes.
pub const SCRIPT: &str = "<script>";

/// Writes a line of the engine: `log!(Level::Err, "text {x}")`, or of a module:
/// `log!(Level::Err, in "tm", "text {x}")`. The text has no newline at its end. Nothing is
/// evaluated when the level is suppressed.
#[macro_export]
macro_rules! log {
    ($level:expr, in $origin:expr, $($text:tt)+) => {{
        let level = $level;
        if $crate::log::enabled(level) {
            $crate::log::write_args(level, $origin, ::core::format_args!($($text)+));
        }
    }};
    ($level:expr, $($text:tt)+) => {
        $crate::log!($level, in $crate::log::CORE, $($text)+)
    };
}

/// [`log!`](crate::log!) at `L_ERR`.
#[macro_export]
macro_rules! error { ($($text:tt)+) => { $crate::log!($crate::log::Level::Err, $($text)+) }; }
/// [`log!`](crate::log!) at `L_WARN`.
#[macro_export]
macro_rules! warn { ($($text:tt)+) => { $crate::log!($crate::log::Level::Warn, $($text)+) }; }
/// [`log!`](crate::log!) at `L_NOTICE`.
#[macro_export]
macro_rules! notice { ($($text:tt)+) => { $crate::log!($crate::log::Level::Notice, $($text)+) }; }
/// [`log!`](crate::log!) at `L_INFO`.
#[macro_export]
macro_rules! info { ($($text:tt)+) => { $crate::log!($crate::log::Level::Info, $($text)+) }; }
/// [`log!`](crate::log!) at `L_DBG`.
#[macro_export]
macro_rules! debug { ($($text:tt)+) => { $crate::log!($crate::log::Level::Dbg, $($text)+) }; }
