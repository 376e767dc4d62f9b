//! `exec`: a command of the shell.

use kcc_macros::part;

/// `exec`.
#[part(module = "core")]
pub mod exports {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    use crate::declare::Raw;
    use crate::run::Run;
    use crate::shim::Verdict;

    /// Runs `command` with `/bin/sh -c` and waits until it has ended. The worker goes on with
    /// other messages meanwhile. True whatever the command's result is; that is logged.
    ///
    /// ```cfg
    /// exec("echo hello >>/tmp/hello");
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    async fn exec(run: &mut Run, command: Raw<'_>) -> Verdict {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(OsStr::from_bytes(command.0));
        let ended = tokio::task::spawn_blocking(move || shell.status()).await;
        match ended {
            Ok(Ok(status)) if status.success() => {}
            Ok(Ok(status)) => run.report(&format_args!("exec: {status}")),
            Ok(Err(error)) => run.report(&format_args!("exec: {error}")),
            Err(error) => run.report(&format_args!("exec: {error}")),
        }
        Verdict::TRUE
    }
}
