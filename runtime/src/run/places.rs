//! Variables: those that compiled code keeps in slots, and those passed as arguments.

use crate::abi::Pair;
use crate::declare::Place;
use crate::run::Run;
use crate::value::{Val, Value};

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
