//! Work that must come to an end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use libtest_mimic::Trial;

/// How long a piece of work may take before it counts as one that hangs: far more than it needs on
/// the slowest machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Room for compilers and servers of a debug build, in bytes.
const STACK: usize = 16 << 20;

/// A test that does `work` on a thread of its own: it fails where that fails, panics or hangs.
pub fn watched(name: String, work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    Trial::test(name.clone(), move || {
        let (done, ended) = mpsc::channel();
        let thread = std::thread::Builder::new().name(name).stack_size(STACK);
        let started = thread.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(work));
            // The other side is gone when it took too long.
            let _ = done.send(result.unwrap_or_else(|_| Err("it panicked".to_owned())));
        });
        started.map_err(|error| error.to_string())?;
        let result = ended.recv_timeout(LIMIT);
        Ok(result.unwrap_or_else(|_| Err("it hangs".to_owned()))?)
    })
}
