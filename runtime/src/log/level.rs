//! Log levels with Kamailio's numbers: the smaller, the more urgent.

use super::capture;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// A log level. A line is written when its level is at most the threshold (`debug=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
#[allow(missing_docs)] // the names say it
pub enum Level {
    Alert = -5,
    Bug = -4,
    Crit2 = -3,
    Crit = -2,
    Err = -1,
    Warn = 0,
    Notice = 1,
    Info = 2,
    Dbg = 3,
}

impl Level {
    /// All levels, the most urgent first.
    pub const ALL: [Level; 9] = [
        Level::Alert,
        Level::Bug,
        Level::Crit2,
        Level::Crit,
        Level::Err,
        Level::Warn,
        Level::Notice,
        Level::Info,
        Level::Dbg,
    ];

    /// The level with Kamailio's number `number`, the nearest one when there is none.
    pub fn nearest(number: i64) -> Level {
        let index = number.clamp(-5, 3) + 5;
        // The index is in 0..=8, so the fallback never serves.
        Self::ALL.get(index as usize).copied().unwrap_or(Level::Dbg)
    }

    /// The level that the language calls `name` (`L_ERR`, …), exactly so written.
    pub fn from_name(name: &str) -> Option<Level> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The level that `xlog` takes for a name: the letter after `L_` decides (`L_ERROR` is `L_ERR`),
    /// the whole name only of `L_CRIT2`.
    pub fn like_name(name: &str) -> Option<Level> {
        Self::from_name(name).or_else(|| {
            let letter = name.strip_prefix('L')?.as_bytes().get(1)?;
            let own = |level: &Level| level.name().as_bytes().get(2) == Some(letter);
            Self::ALL.into_iter().rev().find(own)
        })
    }

    /// The name in the language.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Alert => "L_ALERT",
            Level::Bug => "L_BUG",
            Level::Crit2 => "L_CRIT2",
            Level::Crit => "L_CRIT",
            Level::Err => "L_ERR",
            Level::Warn => "L_WARN",
            Level::Notice => "L_NOTICE",
            Level::Info => "L_INFO",
            Level::Dbg => "L_DBG",
        }
    }

    /// The word in a line of the log.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Alert => "ALERT",
            Level::Bug => "BUG",
            Level::Crit2 | Level::Crit => "CRITICAL",
            Level::Err => "ERROR",
            Level::Warn => "WARNING",
            Level::Notice => "NOTICE",
            Level::Info => "INFO",
            Level::Dbg => "DEBUG",
        }
    }

    /// The terminal sequence of the level, Kamailio's default colours.
    pub const fn color(self) -> &'static str {
        match self {
            Level::Alert => "\x1b[1;31;49m",
            Level::Bug => "\x1b[1;35;49m",
            Level::Crit2 | Level::Crit => "\x1b[0;33;49m",
            Level::Err => "\x1b[0;31;49m",
            Level::Warn => "\x1b[0;35;49m",
            Level::Notice => "\x1b[0;32;49m",
            Level::Info => "\x1b[0;36;49m",
            Level::Dbg => "\x1b[0;39;49m",
        }
    }
}

/// What follows a coloured line.
pub const COLOR_END: &str = "\x1b[0;39;49m";

static THRESHOLD: AtomicI32 = AtomicI32::new(Level::Warn as i32);

/// Whether a line of `level` is written.
#[inline]
pub fn enabled(level: Level) -> bool {
    level as i32 <= threshold()
}

/// The threshold now: the thread's own while its lines are captured, else that of the process.
#[inline]
pub fn threshold() -> i32 {
    match capture::threshold() {
        None => THRESHOLD.load(Relaxed),
        Some(own) => own,
    }
}

/// Sets the threshold (`debug=`); any integer, as in Kamailio.
pub fn set_threshold(level: i32) {
    THRESHOLD.store(level, Relaxed);
}
