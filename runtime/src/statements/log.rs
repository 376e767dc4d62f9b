//! `log` and `error`: plain text to the log.

use kcc_macros::part;

/// `log` and `error`.
#[part(module = "core")]
pub mod exports {
    use crate::declare::{Int, Raw};
    use crate::log::{Level, SCRIPT, write};
    use crate::run::Run;
    use crate::shim::Verdict;

    /// Writes `text` to the log at level 4, which is `L_DBG`: below what is usually written.
    /// Nothing in it is a variable; see `xlog` for that.
    ///
    /// ```cfg
    /// log("a request came\n");
    /// ```
    #[function(routes = "any", name = "log")]
    fn log_debug(_run: &mut Run, text: Raw) -> Verdict {
        write(Level::Dbg, SCRIPT, text.0);
        Verdict::TRUE
    }

    /// Writes `text` to the log at `level`: -1 is an error, 0 a warning, 1 a notice, 2
    /// information, 3 for debugging.
    ///
    /// ```cfg
    /// log(1, "a request came\n");
    /// ```
    #[function(routes = "any", name = "log")]
    fn log_at(_run: &mut Run, level: Int, text: Raw) -> Verdict {
        write(Level::nearest(level), SCRIPT, text.0);
        Verdict::TRUE
    }

    /// Writes both texts to the log and does nothing else.
    ///
    /// ```cfg
    /// error("what", "why");
    /// ```
    #[function(routes = "any")]
    fn error(_run: &mut Run, what: Raw, why: Raw) -> Verdict {
        crate::notice!(
            "{}: {}",
            String::from_utf8_lossy(what.0),
            String::from_utf8_lossy(why.0)
        );
        Verdict::TRUE
    }
}
