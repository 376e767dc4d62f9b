//! Variables: those that compiled code keeps in slots, and those passed as arguments.

use crate::abi::Pair;
use crate::declare::Place;
use crate::run::Run;
use crate::value::{Owned, Val, Value};

impl Place<'_> {
    /// Whether the variable can be assigned.
    pub fn can_be_written(&self) -> bool {
        // SAFETY: as in `Run::read`.
        unsafe { (*self.place.as_ptr()).write.is_some() }
    }

    /// Whether the variable is text with an integer beside it (`$rm`, `$proto`).
    pub fn has_hidden_integer(&self) -> bool {
        // SAFETY: as in `Run::read`.
        unsafe { (*self.place.as_ptr()).read_int.is_some() }
    }
}

impl Run {
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

    /// Assigns a value that lies in scratch memory.
    pub fn assign(&mut self, place: Place<'_>, value: Val) -> bool {
        // SAFETY: scratch memory lives as long as the call.
        let value = unsafe { value.view() };
        self.write(place, value)
    }

    /// Gives a copy of the value of a slot of `$var` or `$vn` to `work`.
    pub fn with_var<T>(&mut self, slot: usize, work: impl FnOnce(&mut Run, Value<'_>) -> T) -> T {
        let val = match self.program.manifest.vars.get(slot) {
            // SAFETY: `head.vars` has as many slots as the manifest says.
            Some(_) => unsafe { (*self.head.vars.add(slot)).val },
            None => Val::NULL,
        };
        // SAFETY: the slot's text is alive, and is copied before anything else runs.
        let copy = Owned::copy(unsafe { val.view() });
        let value = copy.as_ref().map_or(Value::Null, Owned::as_value);
        work(self, value)
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
                let own = target.text.as_ptr_range();
                if own.contains(&text.as_ptr()) {
                    // The slot's own bytes, or a part of them.
                    let from = text.as_ptr().addr() - own.start.addr();
                    target.text.copy_within(from..from + text.len(), 0);
                    target.text.truncate(text.len());
                } else {
                    target.text.clear();
                    target.text.extend_from_slice(text);
                }
                Val::str(&target.text)
            }
        };
    }
}
