//! State that a module keeps with a message: armed handlers, parameters of a Record-Route to come.

use std::any::{Any, TypeId};

/// Per-message state of a module.
pub trait Local: Any + Default {
    /// Makes it as new, keeping buffers.
    fn reset(&mut self) {
        *self = Self::default();
    }
}

trait AnyLocal: Any {
    fn reset_any(&mut self);
}

impl<T: Local> AnyLocal for T {
    fn reset_any(&mut self) {
        self.reset();
    }
}

/// The states of all modules that asked for one, kept from message to message and reset between.
#[derive(Default)]
pub struct Locals(Vec<(TypeId, Box<dyn AnyLocal>)>);

impl Locals {
    /// The state of type `T`.
    pub fn get<T: Local>(&mut self) -> &mut T {
        let id = TypeId::of::<T>();
        let place = self
            .0
            .iter()
            .position(|(other, _)| *other == id)
            .unwrap_or_else(|| {
                self.0.push((id, Box::<T>::default()));
                self.0.len() - 1
            });
        let state: &mut dyn Any = &mut *self.0[place].1;
        match state.downcast_mut() {
            Some(state) => state,
            None => unreachable!("stored under its own type"),
        }
    }

    /// The state of type `T`, if a builtin asked for it on this or an earlier message.
    pub fn peek<T: Local>(&self) -> Option<&T> {
        let id = TypeId::of::<T>();
        let (_, state) = self.0.iter().find(|(other, _)| *other == id)?;
        let state: &dyn Any = &**state;
        state.downcast_ref()
    }

    /// Resets all.
    pub fn reset(&mut self) {
        for (_, state) in &mut self.0 {
            state.reset_any();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Armed(u32);

    impl Local for Armed {}

    #[test]
    fn state_lasts_until_the_reset() {
        let mut locals = Locals::default();
        locals.get::<Armed>().0 = 7;
        assert_eq!(locals.peek::<Armed>().unwrap().0, 7);
        locals.reset();
        assert_eq!(locals.get::<Armed>().0, 0);
    }
}
