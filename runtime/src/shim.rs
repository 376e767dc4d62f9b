//! What stands between compiled code and a builtin's Rust function: the macros of `kcc-macros`
//! make each shim of these.
//!
//! **Invariant:** no panic leaves a shim. It is logged with the statement's place, the run is
//! marked as failed, and compiled code is told to stop.

use std::fmt::Display;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::{Pair, Words, status};
use crate::declare::Arg;
use crate::fiber::WaitError;
use crate::run::Run;
use crate::value::{Val, Value, tag};

/// The outcome of a function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its code: > 0 true, < 0 false, 0 ends the script.
    Code(i64),
    /// Ends the script as `exit` does.
    Exit,
    /// Ends the script as `drop` does.
    Drop,
}

impl Verdict {
    /// Code 1.
    pub const TRUE: Verdict = Verdict::Code(1);
    /// Code -1.
    pub const FALSE: Verdict = Verdict::Code(-1);
}

impl From<bool> for Verdict {
    fn from(truth: bool) -> Verdict {
        if truth { Verdict::TRUE } else { Verdict::FALSE }
    }
}

impl From<Verdict> for Pair {
    fn from(verdict: Verdict) -> Pair {
        match verdict {
            Verdict::Code(0) | Verdict::Exit => Pair {
                status: status::EXIT,
                value: 0,
            },
            Verdict::Code(value) => Pair {
                status: status::OK,
                value,
            },
            Verdict::Drop => Pair {
                status: status::DROP,
                value: 0,
            },
        }
    }
}

/// What a function may return.
pub trait IntoVerdict {
    /// The verdict; an error is logged with the place of the statement and counts as -1.
    fn into_verdict(self, run: &mut Run) -> Verdict;
}

impl<V: Into<Verdict>> IntoVerdict for V {
    fn into_verdict(self, _: &mut Run) -> Verdict {
        self.into()
    }
}

impl<V: Into<Verdict>, E: Display> IntoVerdict for Result<V, E> {
    fn into_verdict(self, run: &mut Run) -> Verdict {
        match self {
            Ok(verdict) => verdict.into(),
            Err(error) => {
                run.report(&error);
                Verdict::FALSE
            }
        }
    }
}

/// What the reader of a variable may return.
pub trait IntoVal {
    /// The value.
    fn into_val(self) -> Val;
}

impl IntoVal for Val {
    fn into_val(self) -> Val {
        self
    }
}

impl IntoVal for Value<'_> {
    fn into_val(self) -> Val {
        self.into()
    }
}

impl IntoVal for &[u8] {
    fn into_val(self) -> Val {
        Val::str(self)
    }
}

impl IntoVal for &str {
    fn into_val(self) -> Val {
        Val::str(self.as_bytes())
    }
}

impl IntoVal for i64 {
    fn into_val(self) -> Val {
        Val::int(self)
    }
}

impl<T: IntoVal> IntoVal for Option<T> {
    fn into_val(self) -> Val {
        self.map_or(Val::NULL, T::into_val)
    }
}

/// The evaluation failed: the expression around it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl<T: IntoVal> IntoVal for Result<T, Failed> {
    fn into_val(self) -> Val {
        self.map_or(Val::FAIL, T::into_val)
    }
}

/// The arguments of one call.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    base: *const Val,
    life: PhantomData<&'a [Val]>,
}

impl<'a> Args<'a> {
    /// Argument number `n`.
    ///
    /// # Safety
    /// Compiled code passed more than `n` arguments, and that one is of the kind of `A`.
    pub unsafe fn get<A: Arg<'a>>(&self, n: usize) -> A {
        // SAFETY: the caller's promise; compiled code keeps the values alive during the call.
        unsafe { A::take(*self.base.add(n)) }
    }

    /// Whether argument number `n`, an index, came out of a variable that holds no integer.
    ///
    /// # Safety
    /// Compiled code passed more than `n` arguments.
    pub unsafe fn is_wrong_index(&self, n: usize) -> bool {
        // SAFETY: the caller's promise.
        let kind = unsafe { (*self.base.add(n)).kind() };
        !matches!(kind, tag::NULL | tag::INT | tag::CONSTANT)
    }
}

fn contain<'a>(
    run: *mut Run,
    args: *const Val,
    stop: Words,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> Words,
) -> Words {
    let place = run;
    // SAFETY: compiled code passes the run it was given, which nobody else uses meanwhile.
    let run = unsafe { &mut *place };
    if run.failed {
        return stop;
    }
    match catch_unwind(AssertUnwindSafe(|| {
        body(
            run,
            Args {
                base: args,
                life: PhantomData,
            },
        )
    })) {
        Ok(words) => words,
        Err(panic) => {
            // SAFETY: the borrow of `body` ended with the panic.
            unsafe { &mut *place }.fail_by_panic(&*panic);
            stop
        }
    }
}

const STOP_PAIR: Words = Words(status::ERROR, 0);

/// The body of a function's shim.
pub fn function<'a, V: IntoVerdict>(
    run: *mut Run,
    args: *const Val,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> V,
) -> Words {
    contain(run, args, STOP_PAIR, |inner, args| {
        let outer: *mut Run = inner;
        let verdict = body(inner, args);
        // SAFETY: `body` is over, and with it its borrow of the run.
        let run = unsafe { &mut *outer };
        let pair = Pair::from(verdict.into_verdict(run));
        if run.failed { STOP_PAIR } else { pair.into() }
    })
}

/// The body of the shim of a function that may wait.
pub fn waiting<'a, V: IntoVerdict>(
    run: *mut Run,
    args: *const Val,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> Result<V, WaitError>,
) -> Words {
    contain(run, args, STOP_PAIR, |inner, args| {
        let outer: *mut Run = inner;
        let outcome = body(inner, args);
        // SAFETY: `body` is over, and with it its borrow of the run.
        let run = unsafe { &mut *outer };
        match outcome {
            Ok(verdict) => Pair::from(verdict.into_verdict(run)).into(),
            Err(error) => {
                run.fail_wait(error);
                STOP_PAIR
            }
        }
    })
}

/// The body of a guard's shim: whether the call is to be made.
pub fn guard<'a>(
    run: *mut Run,
    args: *const Val,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> bool,
) -> Words {
    contain(run, args, STOP_PAIR, |run, args| {
        Pair {
            status: status::OK,
            value: i64::from(body(run, args)),
        }
        .into()
    })
}

/// An index is a variable that holds no integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the index is not an integer")]
pub struct WrongIndex;

/// The body of the shim of a reader that has indices: `indices` says whether they are integers.
pub fn indexed_reader<'a, V: IntoVal>(
    run: *mut Run,
    args: *const Val,
    indices: impl FnOnce(Args<'a>) -> bool,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> V,
) -> Words {
    contain(run, args, Val::STOP.into_words(), |run, args| {
        if indices(args) {
            return body(run, args).into_val().into();
        }
        run.report(&WrongIndex);
        Val::FAIL.into()
    })
}

/// The body of the shim of a writer that has indices.
pub fn indexed_writer<'a, E: Display>(
    run: *mut Run,
    args: *const Val,
    indices: impl FnOnce(Args<'a>) -> bool,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> Result<(), E>,
) -> Words {
    writer(run, args, |run, args| {
        if !indices(args) {
            return Err(WriteError::Index(WrongIndex));
        }
        body(run, args).map_err(WriteError::Own)
    })
}

/// Why an indexed variable was not assigned.
enum WriteError<E> {
    Index(WrongIndex),
    Own(E),
}

impl<E: Display> Display for WriteError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WriteError::Index(error) => error.fmt(f),
            WriteError::Own(error) => error.fmt(f),
        }
    }
}

/// The body of a reader's or a transformation's shim.
pub fn reader<'a, V: IntoVal>(
    run: *mut Run,
    args: *const Val,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> V,
) -> Words {
    contain(run, args, Val::STOP.into_words(), |run, args| {
        body(run, args).into_val().into()
    })
}

impl Val {
    const fn into_words(self) -> Words {
        Words(self.tag, self.data)
    }
}

/// The body of a writer's shim: an error leaves the variable unchanged and is logged.
pub fn writer<'a, E: Display>(
    run: *mut Run,
    args: *const Val,
    body: impl FnOnce(&'a mut Run, Args<'a>) -> Result<(), E>,
) -> Words {
    contain(run, args, STOP_PAIR, |inner, args| {
        let outer: *mut Run = inner;
        let value = match body(inner, args) {
            Ok(()) => 1,
            Err(error) => {
                // SAFETY: `body` is over, and with it its borrow of the run.
                unsafe { &mut *outer }.report(&error);
                -1
            }
        };
        Pair {
            status: status::OK,
            value,
        }
        .into()
    })
}
