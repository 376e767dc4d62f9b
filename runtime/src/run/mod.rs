//! A run: one message on its way through the configuration, with all that builtins work on.
//!
//! **Invariant:** a run belongs to one worker and one fiber; it is taken from the worker's pool and
//! given back clean, so that the next message allocates nothing.

mod avps;
mod locals;
mod target;

use std::any::Any;
use std::fmt::Display;
use std::sync::Arc;

use crate::abi::{Head, Pair, VarSlot, status};
use crate::arena::Arena;
use crate::declare::{Place, Routes};
use crate::fiber::Link;
use crate::log;
use crate::program::{Params, Program};
use crate::value::{Val, Value};

pub use avps::{AvpName, Avps};
pub use locals::{Local, Locals};
pub use target::{Branches, Slot, Target};

/// State of one message in its script.
#[repr(C)]
pub struct Run {
    /// What compiled code reads and writes. It stands first.
    pub head: Head,
    /// A builtin panicked or a limit was passed: nothing more is executed.
    pub failed: bool,
    /// Temporaries of expressions.
    pub scratch: Arena,
    /// The kind of the block that the engine called.
    pub kind: Routes,
    /// The program that runs.
    pub program: Arc<Program>,
    /// The fiber.
    link: Option<Link>,
    /// Slots of `$var` for a run that has no worker.
    vars: Vec<VarSlot>,
}

impl Run {
    /// A run of `program` with variables of its own.
    pub fn new(program: Arc<Program>) -> Box<Run> {
        let slot = |spec: &crate::program::VarSpec| {
            if spec.null {
                VarSlot::null()
            } else {
                VarSlot::default()
            }
        };
        let mut vars: Vec<VarSlot> = program.manifest.vars.iter().map(slot).collect();
        let head = Head {
            vars: vars.as_mut_ptr(),
            constants: program.constants(),
            rc: 1,
            depth: 0,
            max_depth: u32::try_from(program.settings.max_recursive_level).unwrap_or(256),
            fuel: 0,
            message_flags: 0,
            script_flags: 0,
            place: 0,
            method: 0,
            has_totag: 0,
        };
        Box::new(Run {
            head,
            failed: false,
            scratch: Arena::default(),
            kind: Routes::REQUEST,
            program,
            link: None,
            vars,
        })
    }

    /// Runs route number `route`.
    pub fn call(&mut self, route: u32) -> Pair {
        match self.program.entry(route) {
            Some(entry) => entry(self).into(),
            None => Pair {
                status: status::ERROR,
                value: -1,
            },
        }
    }

    /// The way to suspend this run's fiber.
    ///
    /// # Panics
    /// Outside of a fiber, where nothing can wait.
    pub fn link(&self) -> Link {
        match self.link {
            Some(link) => link,
            None => panic!("a function that waits was called outside of a fiber"),
        }
    }

    /// Sets the fiber that the run is on.
    pub fn set_link(&mut self, link: Link) {
        self.link = Some(link);
    }

    /// A copy of `text` as a value that lives until the statement ends.
    pub fn text(&mut self, text: &[u8]) -> Val {
        self.scratch.copy(text)
    }

    /// The parameters of a module.
    pub fn params<P: Params>(&self) -> &P {
        self.program.params()
    }

    /// Logs an error with the place of the statement.
    pub fn report(&self, error: &dyn Display) {
        let (file, line) = self.program.place(self.head.place).unwrap_or(("", 0));
        log::log!(log::Level::Err, "{file}:{line}: {error}");
    }

    /// Logs a warning with the place of the statement.
    pub fn warn(&self, text: &dyn Display) {
        let (file, line) = self.program.place(self.head.place).unwrap_or(("", 0));
        log::log!(log::Level::Warn, "{file}:{line}: {text}");
    }

    /// Ends the run for `error`, which is logged with the place of the statement.
    pub fn fail(&mut self, error: &dyn Display) {
        self.failed = true;
        self.report(error);
    }

    /// Ends the run for a panic.
    pub(crate) fn fail_by_panic(&mut self, panic: &(dyn Any + Send)) {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("panic");
        self.fail(&format_args!("internal error: {text}"));
    }

    /// The value of a variable that was passed as an argument.
    pub fn read(&mut self, place: Place<'_>) -> Val {
        // SAFETY: compiled code made the place on its stack and waits for the call to end.
        let place = unsafe { *place.place.as_ptr() };
        match place.read {
            Some(read) => read(self, place.args.as_ptr()).into(),
            None => Val::NULL,
        }
    }

    /// Assigns a variable that was passed as an argument; false where it refuses the value, which
    /// is then logged.
    pub fn write(&mut self, place: Place<'_>, value: Value<'_>) -> bool {
        // SAFETY: as in `read`.
        let mut place = unsafe { *place.place.as_ptr() };
        let Some(write) = place.write else {
            return false;
        };
        let Some(slot) = place.args.get_mut(place.len as usize) else {
            return false;
        };
        *slot = value.into();
        Pair::from(write(self, place.args.as_ptr())).value > 0
    }

    /// Assigns a slot of `$var` or `$vn`.
    pub fn set_var(&mut self, slot: usize, value: Value<'_>) {
        let Some(spec) = self.program.manifest.vars.get(slot) else {
            return;
        };
        // SAFETY: `head.vars` has as many slots as the manifest says.
        let target = unsafe { &mut *self.head.vars.add(slot) };
        target.val = match value {
            Value::Null if spec.null => Val::NULL,
            Value::Null => Val::int(0),
            Value::Int(n) => Val::int(n),
            Value::Str(text) => {
                target.text.clear();
                target.text.extend_from_slice(text);
                Val::str(&target.text)
            }
        };
    }
}
