//! Extended flags of the message, 0 to 63, and its internal flags.

use kcc_runtime::run::{Local, Run};

/// The flags of one message.
#[derive(Default)]
struct Flags {
    extended: u64,
    internal: u8,
}

impl Local for Flags {}

fn bit(flag: i64) -> Result<u64, &'static str> {
    match flag {
        0..=63 => Ok(1 << flag),
        _ => Err("an extended flag is a number from 0 to 63"),
    }
}

fn flags(run: &mut Run) -> &mut Flags {
    run.locals.get()
}

/// The bit of the internal flag called `name`.
fn internal(name: &[u8]) -> Option<u8> {
    match name {
        b"USE_UAC_FROM" => Some(1),
        b"USE_UAC_TO" => Some(2),
        _ => None,
    }
}

/// `setxflag`, `msg_iflag_set` and their like.
#[kcc_macros::part(module = "corex")]
pub mod exports {
    use kcc_runtime::declare::{Int, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    use super::{bit, flags, internal};

    const UNKNOWN: &str = "this is no internal flag: USE_UAC_FROM, USE_UAC_TO";

    /// Sets extended flag `flag` of the message, 0 to 63.
    ///
    /// ```cfg
    /// setxflag("40");
    /// ```
    #[function(routes = "any")]
    fn setxflag(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        flags(run).extended |= bit(flag)?;
        Ok(true)
    }

    /// Clears extended flag `flag` of the message, 0 to 63.
    ///
    /// ```cfg
    /// resetxflag("40");
    /// ```
    #[function(routes = "any")]
    fn resetxflag(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        flags(run).extended &= !bit(flag)?;
        Ok(true)
    }

    /// True if extended flag `flag` of the message, 0 to 63, is set.
    ///
    /// ```cfg
    /// if (isxflagset("40")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn isxflagset(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        let bit = bit(flag)?;
        Ok(flags(run).extended & bit != 0)
    }

    /// Sets the internal flag `name` of the message: `USE_UAC_FROM`, `USE_UAC_TO`. Of another name
    /// a warning is logged, and the result is true, too.
    ///
    /// ```cfg
    /// msg_iflag_set("USE_UAC_FROM");
    /// ```
    #[function(routes = "any")]
    fn msg_iflag_set(run: &mut Run, name: Text) -> Verdict {
        match internal(name) {
            Some(bit) => flags(run).internal |= bit,
            None => run.warn(&UNKNOWN),
        }
        Verdict::TRUE
    }

    /// Clears the internal flag `name` of the message.
    ///
    /// ```cfg
    /// msg_iflag_reset("USE_UAC_FROM");
    /// ```
    #[function(routes = "any")]
    fn msg_iflag_reset(run: &mut Run, name: Text) -> Result<bool, &'static str> {
        flags(run).internal &= !internal(name).ok_or(UNKNOWN)?;
        Ok(true)
    }

    /// True if the internal flag `name` of the message is set; -2 if not, -1 if there is none of
    /// that name.
    ///
    /// ```cfg
    /// if (msg_iflag_is_set("USE_UAC_FROM")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn msg_iflag_is_set(run: &mut Run, name: Text) -> Result<Verdict, &'static str> {
        let bit = internal(name).ok_or(UNKNOWN)?;
        let set = flags(run).internal & bit != 0;
        Ok(if set {
            Verdict::TRUE
        } else {
            Verdict::Code(-2)
        })
    }

    /// True where there is no message, and the one in hand stands in for it, as in timers.
    ///
    /// ```cfg
    /// if (is_faked_msg()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_faked_msg(run: &mut Run) -> bool {
        let address = run.source.address;
        address.port() == 0 && address.ip().is_unspecified() && run.sending.is_none()
    }
}
