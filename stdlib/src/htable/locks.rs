//! `sht_lock()` and `sht_unlock()`: scripts that take turns.
//!
//! **Invariant:** a lock is given back at the latest when the run that holds it is over. Nobody waits
//! longer than [`LONGEST`] for one.

use std::time::Duration;

use kcc_runtime::run::{Local, Run};
use tokio::sync::OwnedMutexGuard;

use super::Tables;

/// How long a script waits for a lock. It is that long only where two scripts wait for one another, or
/// one waits for something else meanwhile.
const LONGEST: Duration = Duration::from_secs(10);

/// A lock that a run holds: its table and its number there, and how many times it was taken.
struct Held {
    table: usize,
    lock: usize,
    times: u32,
    _guard: OwnedMutexGuard<()>,
}

/// The locks of a run.
#[derive(Default)]
struct Locks(Vec<Held>);

impl Local for Locks {
    fn reset(&mut self) {
        self.0.clear();
    }
}

enum Outcome {
    NoTable,
    Late,
    Held,
}

async fn lock(run: &mut Run, name: &[u8], key: &[u8]) -> Outcome {
    let worker = run.worker().clone();
    let tables = worker.server.shared.get::<Tables>();
    let Some((number, table)) = tables.and_then(|tables| tables.find(name)) else {
        return Outcome::NoTable;
    };
    let (index, mutex) = table.lock_of(key);
    if let Some(held) = held(run, number, index) {
        held.times = held.times.saturating_add(1);
        return Outcome::Held;
    }
    let Ok(guard) = tokio::time::timeout(LONGEST, mutex.clone().lock_owned()).await else {
        return Outcome::Late;
    };
    run.locals.get::<Locks>().0.push(Held {
        table: number,
        lock: index,
        times: 1,
        _guard: guard,
    });
    Outcome::Held
}

fn held(run: &mut Run, table: usize, lock: usize) -> Option<&mut Held> {
    let mut held = run.locals.get::<Locks>().0.iter_mut();
    held.find(|held| held.table == table && held.lock == lock)
}

/// Gives a lock back; false where there is no such table.
fn unlock(run: &mut Run, name: &[u8], key: &[u8]) -> bool {
    let worker = run.worker().clone();
    let tables = worker.server.shared.get::<Tables>();
    let Some((number, table)) = tables.and_then(|tables| tables.find(name)) else {
        return false;
    };
    let (index, _) = table.lock_of(key);
    if let Some(held) = held(run, number, index) {
        held.times -= 1;
    }
    run.locals.get::<Locks>().0.retain(|held| held.times > 0);
    true
}

/// Scripts that take turns.
#[kcc_macros::part(module = "htable")]
pub mod exports {
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    use super::super::{Key, NoTable};
    use super::{Outcome, lock, unlock};

    /// The code where there is no such table.
    const NO_TABLE: Verdict = Verdict::Code(-11);

    /// Waits until no other script holds the lock of an item, and takes it: `sht_lock("table=>key")`.
    ///
    /// Scripts that all call it for an item take turns between it and `sht_unlock()`; other messages are
    /// worked on while one waits. It does not keep anyone from the item who does not call it (Kamailio
    /// does). A script may take a lock that it has, and gives it back as often; at its end it gives back
    /// what it has. An item shares its lock with those of the same slot.
    ///
    /// The code is -11 where there is no such table, and -1 after 10 seconds: two scripts that hold
    /// what the other waits for do not wait for ever.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_lock("calls=>$fU");
    ///     $sht(calls=>$fU) = $sht(calls=>$fU) + 1;
    ///     sht_unlock("calls=>$fU");
    /// }
    /// ```
    #[function(routes = "any")]
    async fn sht_lock(run: &mut Run, item: Key<'_>) -> Verdict {
        match lock(run, item.table, item.key).await {
            Outcome::Held => Verdict::TRUE,
            Outcome::NoTable => {
                run.report(&NoTable::new(item.table));
                NO_TABLE
            }
            Outcome::Late => {
                run.report(&"the lock was not free in 10 seconds");
                Verdict::FALSE
            }
        }
    }

    /// Gives back the lock that `sht_lock()` took: `sht_unlock("table=>key")`.
    ///
    /// True even where the script does not hold it; the code is -11 where there is no such table.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_lock("calls=>$fU");
    ///     $sht(calls=>$fU) = $Ts;
    ///     sht_unlock("calls=>$fU");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_unlock(run: &mut Run, item: Key) -> Verdict {
        match unlock(run, item.table, item.key) {
            true => Verdict::TRUE,
            false => {
                run.report(&NoTable::new(item.table));
                NO_TABLE
            }
        }
    }
}
