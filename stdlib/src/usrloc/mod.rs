//! The location table: which contacts a user registered (Kamailio `usrloc`), in memory.

pub mod contact;
pub mod record;
pub mod store;
pub mod table;

use std::time::UNIX_EPOCH;

use kcc_macros::module;
use kcc_runtime::run::Run;
use kcc_runtime::worker::Worker;

/// Keeps what `registrar` saves and looks up.
///
/// Nothing of it is called from a script. Contacts live in memory, at most 512 of a user; a contact
/// that is over is never found, and its memory is free within `timer_interval`.
#[module(name = "usrloc")]
pub mod exports {
    use std::time::Duration;

    use kcc_runtime::declare::List;
    use kcc_runtime::init::{Init, Periodic};

    use super::record::{Matching, Rules};
    use super::store::{Ids, Layout, Store};
    use super::table::Table;
    use super::{unix_seconds, worker_time};

    /// Parameters of `usrloc`.
    #[params]
    pub struct Params {
        /// Seconds for which a REGISTER with the same Call-ID and CSeq is a retransmission; later
        /// it is out of order.
        #[param(default = 20)]
        pub cseq_delay: i64,
        /// Where contacts are stored: 0 in memory alone.
        #[param(default = 0)]
        pub db_mode: i64,
        /// Calls the newest contact first, whatever its `q`.
        #[param(default = false)]
        pub desc_time_order: bool,
        /// Locks of a table, as a power of two; 0 to 14.
        #[param(default = 10)]
        pub hash_size: i64,
        /// What makes a contact the same as a stored one: 0 its URI, 1 URI and Call-ID, 2 URI and
        /// Path, 3 Call-ID.
        #[param(default = 0)]
        pub matching_mode: i64,
        /// A table that exists from the start; may be given several times.
        #[param]
        pub preload: List<Vec<u8>>,
        /// Seconds in which all contacts are once looked at for those that are over.
        #[param(default = 60)]
        pub timer_interval: i64,
        /// Users are told apart by their domain, too.
        #[param(default = false)]
        pub use_domain: bool,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        let params: &Params = init.program.params();
        if params.db_mode != 0 {
            return Err(format!(
                "db_mode {}: contacts are kept in memory only (db_mode 0)",
                params.db_mode
            ));
        }
        let matching = Matching::from_number(params.matching_mode)
            .ok_or_else(|| format!("matching_mode {}: it is 0 to 3", params.matching_mode))?;
        for name in &params.preload.0 {
            Table::named(name).ok_or("preload: it is empty, too long, or one of too many")?;
        }
        let seconds = |n: i64| u64::try_from(n).unwrap_or(0);
        let layout = Layout {
            shards: u32::try_from(params.hash_size).unwrap_or(0).min(14),
            sweep: seconds(params.timer_interval).max(1),
            rules: Rules {
                matching,
                newest_first: params.desc_time_order,
                cseq_delay: seconds(params.cseq_delay),
            },
        };
        let now = unix_seconds(std::time::SystemTime::now());
        let ids = Ids::new(init.program.settings.server_id, now);
        let store = Store::new(layout, ids, now);
        init.shared.provide(store);
        init.periodic.push(Periodic {
            every: Duration::from_secs(1),
            work: |worker| {
                if let Some(store) = worker.server.shared.get::<Store>() {
                    store.sweep(worker_time(worker));
                }
            },
        });
        Ok(())
    }
}

fn unix_seconds(time: std::time::SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The time of the run's server in seconds since 1970.
pub fn now(run: &Run) -> u64 {
    worker_time(run.worker())
}

fn worker_time(worker: &Worker) -> u64 {
    worker.server.time_of_day().as_secs()
}

/// The location table of the run's server; none where `usrloc` is not loaded.
pub fn store(run: &Run) -> Option<&store::Store> {
    run.worker().server.shared.get()
}
