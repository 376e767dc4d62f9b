//! Fibers: a message's script runs on a stack of its own, so that a builtin can wait without
//! keeping the worker.
//!
//! A fiber starts inline. A builtin that waits hands its future to [`Fiber::wait`]: it is
//! polled once on the worker's stack; while it is pending the fiber is suspended, and a task of the worker
//! polls on and resumes it. A fiber never leaves its thread.
//!
//! **Invariant:** a suspended fiber holds no lock and no borrow of worker state.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

/// Address space of a fiber's stack, in bytes. Pages are taken when first touched.
const STACK_SIZE: usize = 256 * 1024;
/// What is kept free of it for the builtins that a script calls, in bytes.
const RESERVE: usize = 96 * 1024;
/// Stacks kept for the next message.
const POOL: usize = 1024;

/// Why a wait did not end with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The server is stopping.
    #[error("the wait was cancelled")]
    Cancelled,
    /// The future panicked.
    #[error("the operation that was waited for panicked")]
    Panicked,
}

#[derive(Clone, Copy)]
enum Resume {
    Go,
    Panicked,
    Cancel,
}

type Pending = *mut (dyn Future<Output = ()> + 'static);

/// The lowest address to which a script may use the stack of the fiber that calls this: asked near the start of
/// the fiber.
pub(crate) fn script_limit() -> u64 {
    let here = 0u8;
    (&raw const here).addr().saturating_sub(STACK_SIZE - RESERVE) as u64
}

/// The side of a fiber that runs on it: suspends it.
#[derive(Clone, Copy)]
pub struct Link(*const Yielder<Resume, Pending>);

impl Link {
    /// Runs `future` to its end. The worker goes on with other messages while it is pending.
    pub fn wait<F: Future>(self, future: F) -> Result<F::Output, WaitError> {
        // SAFETY: a link is used on the fiber it was made for, whose yielder lives as long as it.
        let yielder = unsafe { &*self.0 };
        let mut future = pin!(future);
        let poll = SameThread(|| {
            catch_unwind(AssertUnwindSafe(|| {
                future
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            }))
        });
        let first = yielder.on_parent_stack(move || poll.call());
        match first {
            Ok(Poll::Ready(output)) => return Ok(output),
            Ok(Poll::Pending) => {}
            Err(_) => return Err(WaitError::Panicked),
        }
        let mut output = None;
        let resumed = {
            let store = pin!(async { output = Some(future.await) });
            // SAFETY: `Pin` is a pointer; the future stays where it is until `suspend` returns, and
            // the worker does not use it after it resumed the fiber.
            let pending = unsafe {
                let store: &mut (dyn Future<Output = ()> + '_) = Pin::get_unchecked_mut(store);
                std::mem::transmute::<*mut (dyn Future<Output = ()> + '_), Pending>(store)
            };
            yielder.suspend(pending)
        };
        match (resumed, output) {
            (Resume::Go, Some(output)) => Ok(output),
            (Resume::Cancel, _) => Err(WaitError::Cancelled),
            _ => Err(WaitError::Panicked),
        }
    }
}

/// A closure for the other stack of the same thread.
struct SameThread<F>(F);

// SAFETY: a fiber and its worker's stack belong to one thread.
unsafe impl<F> Send for SameThread<F> {}

impl<T, F: FnOnce() -> T> SameThread<F> {
    fn call(self) -> T {
        (self.0)()
    }
}

/// A fiber that was suspended, with what it waits for.
pub struct Suspended {
    coroutine: Coroutine<Resume, Pending, (), DefaultStack>,
    pending: Pending,
}

impl Suspended {
    /// Waits and resumes until the fiber's work is done.
    pub async fn finish(mut self, stacks: &Stacks) {
        loop {
            let pending = self.pending;
            let outcome = std::future::poll_fn(|cx| {
                // SAFETY: the future lies on the suspended fiber's stack, where it was pinned.
                let future = unsafe { Pin::new_unchecked(&mut *pending) };
                match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(())) => Poll::Ready(Resume::Go),
                    Err(_) => Poll::Ready(Resume::Panicked),
                }
            })
            .await;
            match self.coroutine.resume(outcome) {
                CoroutineResult::Yield(pending) => self.pending = pending,
                CoroutineResult::Return(()) => return stacks.give(self.coroutine.into_stack()),
            }
        }
    }

    /// Ends the wait without an answer: the builtin sees [`WaitError::Cancelled`].
    pub fn cancel(mut self, stacks: &Stacks) {
        while let CoroutineResult::Yield(_) = self.coroutine.resume(Resume::Cancel) {}
        stacks.give(self.coroutine.into_stack());
    }
}

/// A worker's stacks that wait for the next message.
#[derive(Default)]
pub struct Stacks(RefCell<Vec<DefaultStack>>);

impl Stacks {
    fn take(&self) -> std::io::Result<DefaultStack> {
        match self.0.borrow_mut().pop() {
            Some(stack) => Ok(stack),
            None => DefaultStack::new(STACK_SIZE),
        }
    }

    fn give(&self, stack: DefaultStack) {
        let mut stacks = self.0.borrow_mut();
        if stacks.len() < POOL {
            stacks.push(stack);
        }
    }

    /// Runs `body` on a fiber until it is done or waits.
    ///
    /// # Errors
    /// No memory for a stack.
    pub fn run(&self, body: impl FnOnce(Link) + 'static) -> std::io::Result<Option<Suspended>> {
        let mut coroutine =
            Coroutine::with_stack(self.take()?, |yielder: &Yielder<Resume, Pending>, _| {
                body(Link(yielder));
            });
        match coroutine.resume(Resume::Go) {
            CoroutineResult::Yield(pending) => Ok(Some(Suspended { coroutine, pending })),
            CoroutineResult::Return(()) => {
                self.give(coroutine.into_stack());
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn a_ready_future_does_not_suspend() {
        let stacks = Stacks::default();
        let suspended = stacks
            .run(|link| assert_eq!(link.wait(async { 7 }), Ok(7)))
            .unwrap();
        assert!(suspended.is_none());
    }

    #[test]
    fn a_wait_suspends_and_resumes_with_the_answer() {
        block_on(async {
            let stacks = Stacks::default();
            let seen = Rc::new(Cell::new(0));
            let inner = seen.clone();
            let suspended = stacks.run(move |link| {
                for n in 1..=3u64 {
                    let waited = link.wait(async move {
                        tokio::time::sleep(Duration::from_secs(n)).await;
                        n
                    });
                    inner.set(inner.get() + waited.unwrap());
                }
            });
            let suspended = suspended.unwrap().unwrap();
            assert_eq!(seen.get(), 0);
            suspended.finish(&stacks).await;
            assert_eq!(seen.get(), 6);
        });
    }

    #[test]
    fn a_panic_in_the_future_is_an_error_of_the_wait() {
        block_on(async {
            let stacks = Stacks::default();
            let suspended = stacks.run(|link| {
                let waited = link.wait(async {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    panic!("on purpose");
                });
                assert_eq!(waited, Err::<(), _>(WaitError::Panicked));
            });
            suspended.unwrap().unwrap().finish(&stacks).await;
        });
    }

    #[test]
    fn a_cancelled_wait_runs_the_rest_of_the_fiber() {
        block_on(async {
            let stacks = Stacks::default();
            let seen = Rc::new(Cell::new(false));
            let inner = seen.clone();
            let suspended = stacks.run(move |link| {
                let waited = link.wait(tokio::time::sleep(Duration::from_secs(9)));
                inner.set(waited == Err(WaitError::Cancelled));
            });
            suspended.unwrap().unwrap().cancel(&stacks);
            assert!(seen.get());
        });
    }
}
