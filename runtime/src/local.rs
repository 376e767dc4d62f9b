//! Tasks that stay on their worker's thread.
//!
//! A worker's runtime runs every task on the thread that drives it, so a task need not be `Send`.
//! tokio's own `LocalSet` is not used for it: a task of a `LocalSet` that the network wakes costs a
//! write to the runtime's wake-up descriptor and one more round through the kernel; a plain task of
//! the runtime does not.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;

/// A future that its runtime polls and drops on one thread.
struct OnThread<F>(F);

// SAFETY: `spawn` makes it for a current-thread runtime only, which polls its tasks inside
// `block_on` and drops them there or with the runtime; workers do both on the thread that called
// `spawn`.
unsafe impl<F> Send for OnThread<F> {}

impl<F: Future<Output = ()>> Future for OnThread<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the field is pinned with the whole and never moved out.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}

/// Runs `future` as a task of the current thread's runtime.
///
/// # Panics
/// Outside of a runtime, or in one with several threads.
pub fn spawn(future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
    let handle = Handle::current();
    assert!(
        handle.runtime_flavor() == RuntimeFlavor::CurrentThread,
        "a task of a worker was started in a runtime with several threads"
    );
    handle.spawn(OnThread(future))
}
