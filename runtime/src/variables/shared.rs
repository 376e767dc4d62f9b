//! `$shv`: variables that all workers share.
//!
//! **Invariant:** names come from the configuration alone, so there are no more than it has; a lock is
//! held for one read or write.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::preset::Preset;
use crate::value::{Owned, Value};

const SHARDS: usize = 16;

type Shard = HashMap<Box<[u8]>, Owned>;

/// The variables that workers share, on locks of their own by name.
pub struct SharedVars {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

impl SharedVars {
    /// Variables with these first values.
    pub fn new(presets: &[Preset]) -> SharedVars {
        let vars = SharedVars {
            shards: Default::default(),
            hasher: RandomState::new(),
        };
        for preset in presets {
            vars.set(&preset.name, preset.value.as_value());
        }
        vars
    }

    fn shard(&self, name: &[u8]) -> MutexGuard<'_, Shard> {
        let n = self.hasher.hash_one(name) as usize % SHARDS;
        // Nothing panics while it holds the lock; the values are whole in any case.
        self.shards[n]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the value to `read`; one that was never assigned is 0.
    pub fn read<T>(&self, name: &[u8], read: impl FnOnce(Value<'_>) -> T) -> T {
        match self.shard(name).get(name) {
            Some(value) => read(value.as_value()),
            None => read(Value::Int(0)),
        }
    }

    /// Assigns; null is empty text, as on Kamailio.
    pub fn set(&self, name: &[u8], value: Value<'_>) {
        let value = Owned::copy(value).unwrap_or_else(|| Owned::Str(Box::default()));
        let mut shard = self.shard(name);
        match shard.get_mut(name) {
            Some(slot) => *slot = value,
            None => {
                shard.insert(name.into(), value);
            }
        }
    }

    /// Adds 1 and gives the sum; 0 where the variable holds text.
    pub fn increment(&self, name: &[u8]) -> i64 {
        let mut shard = self.shard(name);
        match shard.get_mut(name) {
            Some(Owned::Int(n)) => {
                *n = n.wrapping_add(1);
                *n
            }
            Some(Owned::Str(_)) => 0,
            None => {
                shard.insert(name.into(), Owned::Int(1));
                1
            }
        }
    }
}

/// Why a shared variable is not assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no server whose workers share it")]
pub struct NoServer;

/// Shared variables.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Raw;
    use crate::run::Run;
    use crate::value::{Val, Value};

    use super::{NoServer, SharedVars};

    /// A variable that all workers share; 0 until it is assigned.
    ///
    /// The parameter `shvset` gives first values. Assigning null makes it empty text. Between reading
    /// and assigning another worker may assign: count with `$shvinc(name)`.
    ///
    /// ```cfg
    /// $shv(mode) = "night";
    /// if ($shv(mode) == "day") exit;
    /// ```
    #[pv(name = "shv")]
    fn shv(run: &mut Run, name: Raw) -> Val {
        let Some(worker) = run.try_worker().cloned() else {
            return Val::int(0);
        };
        match worker.server.shared.get::<SharedVars>() {
            Some(vars) => vars.read(name.0, |value| match value {
                Value::Str(text) => run.text(text),
                value => value.into(),
            }),
            None => Val::int(0),
        }
    }

    #[pv_write("shv")]
    fn set_shv(run: &mut Run, name: Raw, value: Value) -> Result<(), NoServer> {
        let worker = run.try_worker().ok_or(NoServer)?;
        let vars = worker.server.shared.get::<SharedVars>().ok_or(NoServer)?;
        vars.set(name.0, value);
        Ok(())
    }

    /// Adds 1 to `$shv(name)` and gives the sum, which no other worker gets; 0 where it holds text.
    /// Each reading counts.
    ///
    /// ```cfg
    /// $var(number) = $shvinc(calls);
    /// ```
    #[pv(name = "shvinc")]
    fn shvinc(run: &mut Run, name: Raw) -> i64 {
        let vars = run
            .try_worker()
            .and_then(|worker| worker.server.shared.get::<SharedVars>());
        vars.map_or(0, |vars| vars.increment(name.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_assigned_and_counted() {
        let vars = SharedVars::new(&[Preset {
            name: (*b"p").into(),
            value: Owned::Int(10),
        }]);
        let read = |name: &[u8]| vars.read(name, Owned::copy);
        assert_eq!(read(b"p"), Some(Owned::Int(10)));
        assert_eq!(read(b"none"), Some(Owned::Int(0)));
        assert_eq!(vars.increment(b"p"), 11);
        assert_eq!(vars.increment(b"none"), 1);
        vars.set(b"p", Value::Null);
        assert_eq!(read(b"p"), Some(Owned::Str(Box::default())));
        assert_eq!(vars.increment(b"p"), 0);
    }
}
