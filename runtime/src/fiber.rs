//! Fibers: a message's script runs on a stack of its own, so that a builtin can wait without
//! keeping the worker.
//!
//! A fiber starts inline. A builtin that waits hands its future to [`Fiber::wait`]: it is
//! polled once on the worker's stack; while it is pending the fiber is suspended, and a task of the worker
//! polls on and resumes it. A fiber never leaves its thread.
//!
//! **Invariant:** a suspended fiber holds no lock and no borrow of worker state. A fiber waits only
//! from its own stack: what it waits for runs on the worker's, and must not run scripts.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

/// Address space of a fiber's stack, in bytes. Pages are taken when first touched.
const STACK_SIZE: usize = 256 * 1024;
/// What is kept free of it for the builtins that a script calls, in bytes.
const RESERVE: usize = 96 * 1024;
/// Stacks kept for the next message.
const POOL: usize = 1024;
/// Fibers that may be suspended at once, where [`Stacks::with_limit`] does not say otherwise.
const MOST_SUSPENDED: usize = 4096;

/// Why a wait did not end with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The server is stopping.
    #[error("the wait was cancelled")]
    Cancelled,
    /// The future panicked.
    #[error("the operation that was waited for panicked")]
    Panicked,
    /// As many fibers are suspended as may be.
    #[error("too many messages wait already")]
    TooMany,
    /// It was asked for in the middle of another wait of the same fiber.
    #[error("a wait inside of a wait")]
    Nested,
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
    (&raw const here)
        .addr()
        .saturating_sub(STACK_SIZE - RESERVE) as u64
}

/// The side of a fiber that runs on it: suspends it.
#[derive(Clone, Copy)]
pub struct Link(*const Side<'static>);

/// What a link leads to; lies at the beginning of the fiber's stack.
struct Side<'f> {
    yielder: &'f Yielder<Resume, Pending>,
    /// Set while the worker's stack runs for this fiber, or in its stead.
    away: Cell<bool>,
    load: Rc<Load>,
}

/// How many fibers are suspended, and how many may be.
struct Load {
    suspended: Cell<usize>,
    limit: usize,
}

/// Leaves the fiber's stack for as long as it lives.
struct Away<'f>(&'f Cell<bool>);

impl<'f> Away<'f> {
    fn go(away: &'f Cell<bool>) -> Option<Away<'f>> {
        (!away.replace(true)).then(|| Away(away))
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Counts a fiber while it is suspended.
struct Counted<'f>(&'f Load);

impl<'f> Counted<'f> {
    fn enter(load: &'f Load) -> Option<Counted<'f>> {
        let n = load.suspended.get();
        (n < load.limit).then(|| {
            load.suspended.set(n + 1);
            Counted(load)
        })
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0
            .suspended
            .set(self.0.suspended.get().saturating_sub(1));
    }
}

impl Link {
    /// Runs `future` to its end. The worker goes on with other messages while it is pending.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub fn wait<F: Future>(self, future: F) -> Result<F::Output, WaitError> {
        // SAFETY: a link is used while its fiber lives, and with it the side.
        let side = unsafe { &*self.0 };
        let _away = Away::go(&side.away).ok_or(WaitError::Nested)?;
        let mut future = pin!(future);
        let poll = SameThread(|| {
            catch_unwind(AssertUnwindSafe(|| {
                future
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            }))
        });
        // `away` was not set, so this is the fiber's stack.
        let first = side.yielder.on_parent_stack(move || poll.call());
        match first {
            Ok(Poll::Ready(output)) => return Ok(output),
            Ok(Poll::Pending) => {}
            Err(_) => return Err(WaitError::Panicked),
        }
        let _counted = Counted::enter(&side.load).ok_or(WaitError::TooMany)?;
        let mut output = None;
        let resumed = {
            let store = pin!(async { output = Some(future.await) });
            // SAFETY: `Pin` is a pointer; the future stays where it is until `suspend` returns, and
            // the worker does not use it after it resumed the fiber.
            let pending = unsafe {
                let store: &mut (dyn Future<Output = ()> + '_) = Pin::get_unchecked_mut(store);
                std::mem::transmute::<*mut (dyn Future<Output = ()> + '_), Pending>(store)
            };
            side.yielder.suspend(pending)
        };
        match (resumed, output) {
            (Resume::Go, Some(output)) => Ok(output),
            (Resume::Cancel, _) => Err(WaitError::Cancelled),
            _ => Err(WaitError::Panicked),
        }
    }
}

impl Link {
    /// Lets the worker go on with other messages, and with what the network has.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub fn pass(self) -> Result<(), WaitError> {
        self.wait(async {
            // The first poll is that of `wait`, before the fiber is suspended: yielding in it would
            // yield nothing.
            let mut polled = false;
            std::future::poll_fn(|_| {
                if std::mem::replace(&mut polled, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            tokio::task::yield_now().await;
        })
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

/// A fiber that was suspended, with what it waits for. Dropped before its end it is cancelled.
pub struct Suspended {
    /// Absent once the fiber has ended.
    coroutine: Option<Coroutine<Resume, Pending, (), DefaultStack>>,
    pending: Pending,
}

impl Suspended {
    /// Waits and resumes until the fiber's work is done.
    pub async fn finish(mut self, stacks: &Stacks) {
        while self.coroutine.is_some() {
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
            self.resume(outcome, stacks);
        }
    }

    /// Ends the wait, and all that follow, without an answer: the builtin sees
    /// [`WaitError::Cancelled`].
    pub fn cancel(mut self, stacks: &Stacks) {
        while self.coroutine.is_some() {
            self.resume(Resume::Cancel, stacks);
        }
    }

    fn resume(&mut self, outcome: Resume, stacks: &Stacks) {
        let Some(mut coroutine) = self.coroutine.take() else {
            return;
        };
        match coroutine.resume(outcome) {
            CoroutineResult::Yield(pending) => {
                self.pending = pending;
                self.coroutine = Some(coroutine);
            }
            CoroutineResult::Return(()) => stacks.give(coroutine.into_stack()),
        }
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        // Not unwound: nothing unwinds through compiled code.
        if let Some(mut coroutine) = self.coroutine.take() {
            while let CoroutineResult::Yield(_) = coroutine.resume(Resume::Cancel) {}
        }
    }
}

/// A worker's stacks that wait for the next message.
pub struct Stacks {
    free: RefCell<Vec<DefaultStack>>,
    load: Rc<Load>,
}

impl Default for Stacks {
    fn default() -> Stacks {
        Stacks::with_limit(MOST_SUSPENDED)
    }
}

impl Stacks {
    /// Stacks of which `limit` may be suspended at once; a wait beyond it is refused with
    /// [`WaitError::TooMany`].
    pub fn with_limit(limit: usize) -> Stacks {
        Stacks {
            free: RefCell::default(),
            load: Rc::new(Load {
                suspended: Cell::new(0),
                limit,
            }),
        }
    }

    /// How many fibers are suspended.
    pub fn suspended(&self) -> usize {
        self.load.suspended.get()
    }

    fn take(&self) -> std::io::Result<DefaultStack> {
        match self.free.borrow_mut().pop() {
            Some(stack) => Ok(stack),
            None => DefaultStack::new(STACK_SIZE),
        }
    }

    fn give(&self, stack: DefaultStack) {
        let mut stacks = self.free.borrow_mut();
        if stacks.len() < POOL {
            stacks.push(stack);
        }
    }

    /// Runs `body` on a fiber until it is done or waits.
    ///
    /// # Errors
    /// No memory for a stack.
    pub fn run(&self, body: impl FnOnce(Link) + 'static) -> std::io::Result<Option<Suspended>> {
        let load = self.load.clone();
        let mut coroutine =
            Coroutine::with_stack(self.take()?, |yielder: &Yielder<Resume, Pending>, _| {
                let side = Side {
                    yielder,
                    away: Cell::new(false),
                    load,
                };
                body(Link((&raw const side).cast()));
            });
        match coroutine.resume(Resume::Go) {
            CoroutineResult::Yield(pending) => Ok(Some(Suspended {
                coroutine: Some(coroutine),
                pending,
            })),
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

    #[test]
    fn a_suspended_fiber_that_is_dropped_runs_to_its_end() {
        block_on(async {
            let stacks = Stacks::default();
            let seen = Rc::new(Cell::new(0));
            let inner = seen.clone();
            let suspended = stacks.run(move |link| {
                for _ in 0..2 {
                    let waited = link.wait(tokio::time::sleep(Duration::from_secs(9)));
                    assert_eq!(waited, Err(WaitError::Cancelled));
                    inner.set(inner.get() + 1);
                }
            });
            drop(suspended);
            assert_eq!((seen.get(), stacks.suspended()), (2, 0));
        });
    }

    #[test]
    fn a_fiber_that_passes_lets_others_run_each_time() {
        block_on(async {
            let stacks = Stacks::default();
            let turns = Rc::new(Cell::new(0));
            let inner = turns.clone();
            let suspended = stacks.run(move |link| {
                while inner.get() < 3 {
                    link.pass().unwrap();
                }
            });
            let others = async {
                for _ in 0..3 {
                    turns.set(turns.get() + 1);
                    tokio::task::yield_now().await;
                }
            };
            tokio::join!(suspended.unwrap().unwrap().finish(&stacks), others);
        });
    }

    #[test]
    fn no_more_fibers_are_suspended_than_the_limit_says() {
        block_on(async {
            let stacks = Stacks::with_limit(1);
            let sleep = || tokio::time::sleep(Duration::from_secs(1));
            let first = stacks.run(move |link| assert_eq!(link.wait(sleep()), Ok(())));
            let second = stacks.run(move |link| {
                assert_eq!(link.wait(sleep()), Err(WaitError::TooMany));
            });
            assert!(second.unwrap().is_none());
            assert_eq!(stacks.suspended(), 1);
            first.unwrap().unwrap().finish(&stacks).await;
            assert_eq!(stacks.suspended(), 0);
        });
    }

    #[test]
    fn a_wait_inside_of_a_wait_is_refused() {
        block_on(async {
            let stacks = Stacks::default();
            let suspended = stacks.run(|link| {
                let inner = link.wait(async move {
                    let first = link.wait(async {});
                    tokio::task::yield_now().await;
                    (first, link.wait(async {}))
                });
                let refused = Err(WaitError::Nested);
                assert_eq!(inner, Ok((refused, refused)));
            });
            suspended.unwrap().unwrap().finish(&stacks).await;
        });
    }
}
