//! Message flags: bits 0 to 31, which go with the message and its transaction.

use kcc_macros::part;

/// `setflag` and its like.
#[part(module = "core")]
pub mod exports {
    use crate::declare::Flag;
    use crate::run::Run;
    use crate::shim::Verdict;

    /// Sets message flag `flag`, a number from 0 to 31 or a declared name.
    ///
    /// ```cfg
    /// setflag(5);
    /// ```
    #[function(routes = "any")]
    fn setflag(run: &mut Run, flag: Flag) -> Verdict {
        run.head.message_flags |= 1 << flag.0;
        Verdict::TRUE
    }

    /// Clears message flag `flag`, a number from 0 to 31 or a declared name.
    ///
    /// ```cfg
    /// resetflag(5);
    /// ```
    #[function(routes = "any")]
    fn resetflag(run: &mut Run, flag: Flag) -> Verdict {
        run.head.message_flags &= !(1 << flag.0);
        Verdict::TRUE
    }

    /// True if message flag `flag` is set, a number from 0 to 31 or a declared name.
    ///
    /// ```cfg
    /// if (isflagset(5)) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn isflagset(run: &mut Run, flag: Flag) -> bool {
        run.head.message_flags & (1 << flag.0) != 0
    }
}
