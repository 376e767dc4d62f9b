//! Kamailio's `kex`: script flags, branch flags, the next hop, and what else was once in the core.

use kcc_runtime::run::Run;
use kcc_sip::Uri;

fn bit(flag: i64) -> Result<u32, &'static str> {
    match flag {
        0..=31 => Ok(1 << flag),
        _ => Err("a flag is a number from 0 to 31"),
    }
}

/// The flags of branch `branch`: 0 is the request's own, 1 the first further one.
fn branch_flags(run: &mut Run, branch: Option<i64>) -> Result<&mut u32, &'static str> {
    let target = match branch.unwrap_or(0) {
        0 => Some(&mut run.target),
        n => usize::try_from(n)
            .ok()
            .and_then(|n| run.branches.as_mut_slice().get_mut(n - 1)),
    };
    Ok(&mut target.ok_or("there is no such branch")?.flags)
}

/// Whether `text`, a URI or `[proto:]host[:port]`, is this server.
fn is_mine(run: &Run, text: &[u8]) -> bool {
    let Some(worker) = run.try_worker() else {
        return false;
    };
    let myself = &worker.server.myself;
    if let Ok(uri) = Uri::parse(text) {
        let protocol = uri
            .transport()
            .and_then(kcc_runtime::transport::Protocol::from_name);
        return myself.contains(uri.host, uri.port, protocol);
    }
    let first = text.split(|c| *c == b':').next().unwrap_or_default();
    let protocol = kcc_runtime::transport::Protocol::from_name(first);
    let rest = match protocol {
        Some(_) => text.get(first.len() + 1..).unwrap_or_default(),
        None => text,
    };
    let (host, port) = match rest.iter().rposition(|c| *c == b':') {
        Some(colon) if !rest[colon..].contains(&b']') => (
            &rest[..colon],
            kcc_sip::token::parse_port(&rest[colon + 1..]),
        ),
        _ => (rest, None),
    };
    myself.contains(host, port, protocol)
}

/// Script flags, branch flags, the next hop, and what else was once in the core.
#[kcc_macros::module(name = "kex")]
pub mod exports {
    use super::{bit, branch_flags, is_mine};
    use kcc_runtime::declare::{Int, Place, Text};
    use kcc_runtime::log;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::Value;

    /// Sets script flag `flag`, 0 to 31. Script flags last as long as the script.
    ///
    /// ```cfg
    /// setsflag(3);
    /// ```
    #[function(routes = "any")]
    fn setsflag(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        run.head.script_flags |= bit(flag)?;
        Ok(true)
    }

    /// Clears script flag `flag`, 0 to 31.
    ///
    /// ```cfg
    /// resetsflag(3);
    /// ```
    #[function(routes = "any")]
    fn resetsflag(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        run.head.script_flags &= !bit(flag)?;
        Ok(true)
    }

    /// True if script flag `flag`, 0 to 31, is set.
    ///
    /// ```cfg
    /// if (issflagset(3)) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn issflagset(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        Ok(run.head.script_flags & bit(flag)? != 0)
    }

    /// Sets branch flag `flag`, 0 to 31, of the request's own branch, or of branch `branch`, the
    /// further ones counted from 1.
    ///
    /// ```cfg
    /// setbflag(6);
    /// ```
    #[function(routes = "any")]
    fn setbflag(run: &mut Run, flag: Int, branch: Option<Int>) -> Result<bool, &'static str> {
        let bit = bit(flag)?;
        *branch_flags(run, branch)? |= bit;
        Ok(true)
    }

    /// Clears branch flag `flag`. See `setbflag`.
    ///
    /// ```cfg
    /// resetbflag(6);
    /// ```
    #[function(routes = "any")]
    fn resetbflag(run: &mut Run, flag: Int, branch: Option<Int>) -> Result<bool, &'static str> {
        let bit = bit(flag)?;
        *branch_flags(run, branch)? &= !bit;
        Ok(true)
    }

    /// True if branch flag `flag` is set. See `setbflag`.
    ///
    /// ```cfg
    /// if (isbflagset(6)) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn isbflagset(run: &mut Run, flag: Int, branch: Option<Int>) -> Result<bool, &'static str> {
        let bit = bit(flag)?;
        Ok(*branch_flags(run, branch)? & bit != 0)
    }

    /// Sets the next hop, `$du`, to `uri`.
    ///
    /// ```cfg
    /// setdsturi("sip:192.0.2.1:5080");
    /// ```
    #[function(routes = "any")]
    fn setdsturi(run: &mut Run, uri: Text) -> Verdict {
        run.target.dst_uri.set(uri);
        Verdict::TRUE
    }

    /// Unsets the next hop, `$du`.
    ///
    /// ```cfg
    /// resetdsturi();
    /// ```
    #[function(routes = "any")]
    fn resetdsturi(run: &mut Run) -> Verdict {
        run.target.dst_uri.clear();
        Verdict::TRUE
    }

    /// True if the next hop, `$du`, is set.
    ///
    /// ```cfg
    /// if (!isdsturiset()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn isdsturiset(run: &mut Run) -> bool {
        run.target.dst_uri.get().is_some()
    }

    /// True if `uri`, a URI or `[proto:]host[:port]`, is this server: a listen socket or an alias.
    /// Without a port or protocol any will do.
    ///
    /// ```cfg
    /// if (is_myself("$fu")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_myself(run: &mut Run, uri: Text) -> bool {
        is_mine(run, uri)
    }

    /// True if `host` is a host of this server.
    ///
    /// ```cfg
    /// if (is_myhost("$fd")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_myhost(run: &mut Run, host: Text) -> bool {
        run.try_worker()
            .is_some_and(|worker| worker.server.myself.contains(host, None, None))
    }

    /// Sets the least level of log lines of the server, -5 to 3, until `resetdebug()`.
    ///
    /// ```cfg
    /// setdebug(3);
    /// ```
    #[function(routes = "any")]
    fn setdebug(_run: &mut Run, level: Int) -> Verdict {
        log::set_threshold(i32::try_from(level).unwrap_or(0));
        Verdict::TRUE
    }

    /// Sets the least level of log lines back to the parameter `debug`.
    ///
    /// ```cfg
    /// resetdebug();
    /// ```
    #[function(routes = "any")]
    fn resetdebug(run: &mut Run) -> Verdict {
        log::set_threshold(i32::try_from(run.program.settings.debug).unwrap_or(0));
        Verdict::TRUE
    }

    /// Assigns `text`, its variables replaced, to `target`.
    ///
    /// ```cfg
    /// pv_printf("$var(x)", "$rU@$rd");
    /// ```
    #[function(routes = "any", aliases("avp_printf"))]
    fn pv_printf(run: &mut Run, target: Place, text: Text) -> bool {
        run.write(target, Value::Str(text))
    }
}
