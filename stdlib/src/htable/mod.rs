//! Hash tables that all workers share (Kamailio `htable`).

mod events;
mod item;
mod items;
mod iterators;
mod locks;
mod matching;
mod rank;
mod shard;
pub mod spec;
pub mod table;
#[cfg(test)]
mod tests;
mod variables;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kcc_macros::module;
use kcc_runtime::declare::{Arg, ArgKind, Family};
use kcc_runtime::run::Run;
use kcc_runtime::value::Val;

use spec::Spec;
use table::{Memory, Table};

/// The tables of a server.
pub struct Tables {
    list: Vec<Table>,
    /// Time between two sweeps, in milliseconds.
    interval: u64,
    /// When the next sweep is due, in milliseconds since the server started.
    next: AtomicU64,
}

impl Tables {
    /// Empty tables, swept every `interval` milliseconds, that may take `limit` bytes together.
    ///
    /// # Errors
    /// A table is declared twice.
    pub fn new(specs: &[Spec], interval: u64, limit: usize) -> Result<Tables, String> {
        let memory = Arc::new(Memory::new(limit));
        let mut list: Vec<Table> = Vec::with_capacity(specs.len());
        for spec in specs {
            if list.iter().any(|table| table.spec.name == spec.name) {
                let name = String::from_utf8_lossy(&spec.name);
                return Err(format!("hash table `{name}` is declared twice"));
            }
            list.push(Table::new(spec.clone(), memory.clone()));
        }
        Ok(Tables {
            list,
            interval,
            next: AtomicU64::new(interval),
        })
    }

    /// The table called `name`, and its number.
    pub fn find(&self, name: &[u8]) -> Option<(usize, &Table)> {
        let mut tables = self.list.iter().enumerate();
        tables.find(|(_, table)| *table.spec.name == *name)
    }

    /// Whether a sweep is due at `now`; then the next is that of a full interval later.
    fn is_due(&self, now: u64) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        if now < next {
            return false;
        }
        let later = now - (now - next) % self.interval + self.interval;
        self.next.store(later, Ordering::Relaxed);
        true
    }

    /// Has the sweep of `now` go on as soon as may be.
    fn go_on(&self, now: u64) {
        self.next.store(now, Ordering::Relaxed);
    }
}

/// `table=>key`, as variables and functions name an item.
pub struct Key<'a> {
    /// The table's name.
    pub table: &'a [u8],
    /// The key, or what the function makes of it.
    pub key: &'a [u8],
}

impl<'a> Arg<'a> for Key<'a> {
    const KIND: ArgKind = ArgKind::Keyed(&Family {
        what: "hash table",
        module: "htable",
        param: "htable",
        name: Spec::name_in,
    });

    unsafe fn take(val: Val) -> Self {
        // SAFETY: the caller's promise.
        let text = unsafe { <&[u8]>::take(val) };
        let arrow = text.windows(2).position(|two| two == b"=>");
        let (table, key) = match arrow {
            Some(arrow) => (&text[..arrow], &text[arrow + 2..]),
            None => (text, &b""[..]),
        };
        Key {
            table: table.trim_ascii(),
            key,
        }
    }
}

/// Calls `work` with the table called `name`, its number and the time of the server in milliseconds,
/// which is 0 for a table whose items do not age. `None` where there is no such table.
fn with<T>(run: &mut Run, name: &[u8], work: impl FnOnce(&mut Run, &Table, u64) -> T) -> Option<T> {
    let worker = run.try_worker()?.clone();
    let (_, table) = worker.server.shared.get::<Tables>()?.find(name)?;
    let now = match table.spec.autoexpire {
        0 => 0,
        _ => worker.now(),
    };
    Some(work(run, table, now))
}

/// There is no table of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no hash table `{0}`")]
pub struct NoTable(String);

impl NoTable {
    fn new(name: &[u8]) -> NoTable {
        NoTable(String::from_utf8_lossy(name).into_owned())
    }
}

/// Hash tables that all workers share.
///
/// A table is declared by a parameter and holds any number of items; an item is a key with an integer
/// or a string. What a script writes in one message it reads in all others, in every worker.
///
/// ```cfg
/// loadmodule "htable.so"
/// modparam("htable", "htable", "failures=>size=8;autoexpire=900;initval=0")
///
/// request_route {
///     $sht(failures=>$si) = $sht(failures=>$si) + 1;
///     if ($sht(failures=>$si) > 3) {
///         exit;
///     }
/// }
/// ```
///
/// `size` is the number of slots as a power of two. It decides the order in which items are met, and up
/// to 8 how many workers can work in the table at once; how fast an item is found does not depend on
/// it. Everything of a table lives in memory: databases and DMQ are not served yet.
#[module(
    name = "htable",
    parts(
        super::events::exports::PART,
        super::items::exports::PART,
        super::iterators::exports::PART,
        super::locks::exports::PART,
        super::matching::exports::PART,
        super::variables::exports::PART
    )
)]
pub mod exports {
    use std::time::Duration;

    use kcc_runtime::declare::List;
    use kcc_runtime::init::{Init, Periodic};

    use super::Tables;
    use super::events::{mod_init, sweep};
    use super::spec::Spec;

    /// Parameters of `htable`.
    #[params]
    pub struct Params {
        /// Declares a table: `name=>size=4;autoexpire=300;initval=0;updateexpire=1`. May be given
        /// several times.
        ///
        /// `size`: slots as a power of two, 2 to 31; 4 where none is given. `autoexpire`: seconds for
        /// which an item lives, 0 for ever. `updateexpire`: 0 where changing an item does not let it
        /// live anew. `initval`: an integer, what an item that does not exist reads as.
        #[param]
        pub htable: List<Spec>,
        /// Seconds between two looks for items that are over.
        #[param(default = 20)]
        pub timer_interval: i64,
        /// Without effect: items are looked at in the first worker.
        #[param(default = 0)]
        pub timer_procs: i64,
        /// Without effect: `event_route[htable:mod-init]` is always run before the first message, and may
        /// wait.
        #[param(default = 0)]
        pub event_callback_mode: i64,
        /// The most memory that all tables take together, in MiB. Kamailio has no such parameter: there
        /// `-m` limits it.
        #[param(default = 1024)]
        pub max_memory: i64,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        let params: &Params = init.program.params();
        let interval = match u64::try_from(params.timer_interval) {
            Ok(seconds @ 1..=86_400) => seconds * 1000,
            _ => return Err("timer_interval: 1 to 86400 seconds are expected".to_owned()),
        };
        let limit = match usize::try_from(params.max_memory) {
            Ok(mebibytes @ 1..=16_777_216) => mebibytes << 20,
            _ => return Err("max_memory: 1 to 16777216 MiB are expected".to_owned()),
        };
        init.shared
            .provide(Tables::new(&params.htable.0, interval, limit)?);
        init.starts.push(mod_init);
        init.periodic.push(Periodic {
            every: Duration::from_millis(100),
            work: sweep,
        });
        Ok(())
    }
}
