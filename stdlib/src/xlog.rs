//! Kamailio's `xlog`: log lines with variables in them.
//!
//! **Invariant:** what a suppressed line would say is not evaluated.

use std::io::Write;

use kcc_runtime::declare::{ConstantError, Parse, Parsed};
use kcc_runtime::log::{self, Level};
use kcc_runtime::run::Run;
use kcc_runtime::shim::Verdict;
use kcc_runtime::value::parse_int;

/// A log level: `L_ERR` and its like, or a number from -5 to 3.
#[derive(Debug)]
pub struct LevelName(Level);

fn level(text: &[u8]) -> Option<Level> {
    let name = std::str::from_utf8(text).ok()?;
    let number = || {
        parse_int(text)
            .filter(|_| !text.is_empty())
            .map(Level::nearest)
    };
    Level::like_name(name).or_else(number)
}

impl Parse for LevelName {
    const NAME: &'static str = "log-level";
    const WHAT: &'static str = "a log level: L_ERR, L_INFO, …, or a number from -5 to 3";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        level(text)
            .map(LevelName)
            .ok_or_else(|| ConstantError::new(format!("expected {}", Self::WHAT)))
    }
}

fn chosen(level: &Parsed<'_, LevelName>) -> Option<Level> {
    match level {
        Parsed::Constant(level) => Some(level.0),
        Parsed::Text(text) => self::level(text),
    }
}

/// Whether a line of that level is written; where it is none, the call says so.
fn wanted(_run: &mut Run, level: Option<Parsed<'_, LevelName>>) -> bool {
    level
        .and_then(|level| chosen(&level))
        .is_none_or(log::enabled)
}

/// Writes `text`; `place` is whether file and line of the statement stand before it.
fn write(run: &mut Run, level: Level, place: bool, text: &[u8]) -> Result<Verdict, String> {
    if !log::enabled(level) {
        return Ok(Verdict::TRUE);
    }
    let program = run.program.clone();
    let params = program.params::<exports::Params>();
    let limit = usize::try_from(params.buf_size).unwrap_or(0);
    if text.len() >= limit {
        return Err(format!("the text is longer than buf_size, {limit} bytes"));
    }
    match program
        .place(run.head.place)
        .filter(|_| place || params.long_format)
    {
        None => log::write_prefixed(level, &params.prefix, text),
        Some((file, line)) => run.worker().with_buffer(|whole| {
            // A Vec takes all.
            let _ = write!(whole, "{file}:{line}:");
            whole.extend_from_slice(text);
            log::write_prefixed(level, &params.prefix, whole);
        }),
    }
    Ok(Verdict::TRUE)
}

fn write_at(
    run: &mut Run,
    level: &Parsed<'_, LevelName>,
    place: bool,
    text: &[u8],
) -> Result<Verdict, String> {
    let level = chosen(level).ok_or("this is no log level")?;
    write(run, level, place, text)
}

macro_rules! guards {
    ($($name:ident: $level:ident;)*) => {$(
        fn $name(_run: &mut Run, _first: Option<()>) -> bool {
            log::enabled(Level::$level)
        }
    )*};
}

guards! {
    alert_wanted: Alert;
    bug_wanted: Bug;
    crit_wanted: Crit;
    err_wanted: Err;
    warn_wanted: Warn;
    notice_wanted: Notice;
    info_wanted: Info;
    dbg_wanted: Dbg;
}

/// Log lines with variables in them. Each gives 1, -1 where the text is longer than `buf_size`.
#[kcc_macros::module(name = "xlog")]
pub mod exports {
    use super::{
        LevelName, alert_wanted, bug_wanted, crit_wanted, dbg_wanted, err_wanted, info_wanted,
        notice_wanted, wanted, warn_wanted, write, write_at,
    };
    use kcc_runtime::declare::{Parsed, Text};
    use kcc_runtime::log::Level;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// Parameters of `xlog`.
    #[params]
    pub struct Params {
        /// The longest text, in bytes, counted with a byte for its end.
        #[param(default = 4096)]
        pub buf_size: i64,
        /// What stands before each text.
        #[param(default = "<script>: ")]
        pub prefix: Vec<u8>,
        /// File and line of the statement stand before each text.
        #[param(default = false)]
        pub long_format: bool,
    }

    /// Writes `text` to the log as an error.
    ///
    /// ```cfg
    /// xlog("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", name = "xlog", guard = err_wanted)]
    fn xlog_error(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Err, false, text)
    }

    /// Writes `text` to the log at `level`: `L_ALERT`, `L_BUG`, `L_CRIT`, `L_ERR`, `L_WARN`,
    /// `L_NOTICE`, `L_INFO`, `L_DBG`, or a number from -5 to 3.
    ///
    /// ```cfg
    /// xlog("L_INFO", "$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = wanted, aliases("xlogm"))]
    fn xlog(run: &mut Run, level: Parsed<LevelName>, text: Text) -> Result<Verdict, String> {
        write_at(run, &level, false, text)
    }

    /// Writes `text` to the log as an error, with file and line of the statement before it.
    ///
    /// ```cfg
    /// xlogl("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", name = "xlogl", guard = err_wanted)]
    fn xlogl_error(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Err, true, text)
    }

    /// Writes `text` to the log at `level`, with file and line of the statement before it.
    ///
    /// ```cfg
    /// xlogl("L_INFO", "$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = wanted)]
    fn xlogl(run: &mut Run, level: Parsed<LevelName>, text: Text) -> Result<Verdict, String> {
        write_at(run, &level, true, text)
    }

    /// Writes `text` to the log as an alert.
    ///
    /// ```cfg
    /// xalert("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = alert_wanted)]
    fn xalert(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Alert, false, text)
    }

    /// Writes `text` to the log as a bug.
    ///
    /// ```cfg
    /// xbug("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = bug_wanted)]
    fn xbug(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Bug, false, text)
    }

    /// Writes `text` to the log as a critical error.
    ///
    /// ```cfg
    /// xcrit("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = crit_wanted)]
    fn xcrit(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Crit, false, text)
    }

    /// Writes `text` to the log as an error.
    ///
    /// ```cfg
    /// xerr("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = err_wanted)]
    fn xerr(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Err, false, text)
    }

    /// Writes `text` to the log as a warning.
    ///
    /// ```cfg
    /// xwarn("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = warn_wanted)]
    fn xwarn(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Warn, false, text)
    }

    /// Writes `text` to the log as a notice.
    ///
    /// ```cfg
    /// xnotice("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = notice_wanted)]
    fn xnotice(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Notice, false, text)
    }

    /// Writes `text` to the log as information.
    ///
    /// ```cfg
    /// xinfo("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = info_wanted)]
    fn xinfo(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Info, false, text)
    }

    /// Writes `text` to the log as a line for debugging.
    ///
    /// ```cfg
    /// xdbg("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = dbg_wanted)]
    fn xdbg(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Dbg, false, text)
    }

    /// Writes `text` to the log as a line for debugging, with file and line of the statement
    /// before it.
    ///
    /// ```cfg
    /// xdbgl("$rm from $si:$sp\n");
    /// ```
    #[function(routes = "any", guard = dbg_wanted)]
    fn xdbgl(run: &mut Run, text: Text) -> Result<Verdict, String> {
        write(run, Level::Dbg, true, text)
    }
}
