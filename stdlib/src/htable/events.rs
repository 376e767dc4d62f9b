//! Items whose time is over: taken out at intervals, each shown to the table's event route. And the
//! event of the start.

use std::rc::Rc;

use kcc_runtime::declare::{Event, Routes};
use kcc_runtime::engine::events::raise;
use kcc_runtime::run::{Local, Run};
use kcc_runtime::worker::Worker;

use super::Tables;
use super::table::Gone;

/// The most items that one sweep takes out: messages wait for it. It goes on a tenth of a second
/// later.
const MOST: usize = 20_000;

/// The item that an event route is about.
#[derive(Default)]
pub struct Record(pub Option<Rc<Gone>>);

impl Local for Record {}

/// Takes out what is over, if the time has come.
pub fn sweep(worker: &Rc<Worker>) {
    let Some(tables) = worker.server.shared.get::<Tables>() else {
        return;
    };
    let now = worker.now();
    if !tables.is_due(now) {
        return;
    }
    let mut room = MOST;
    for table in tables.list.iter().filter(|table| table.spec.autoexpire > 0) {
        let name = String::from_utf8_lossy(&table.spec.name);
        let name = format!("htable:expired:{name}");
        let route = worker.server.program.route(Routes::EVENT, &name);
        let mut gone = Vec::new();
        room -= table.sweep(now, room, route.is_some().then_some(&mut gone));
        for gone in gone {
            if let Some(route) = route {
                let record = Record(Some(Rc::new(gone)));
                raise(worker, route, |run| *run.locals.get::<Record>() = record);
            }
        }
    }
    if room == 0 {
        tables.go_on(now);
    }
}

/// Runs the block of the start, if there is one.
pub fn mod_init(run: &mut Run) {
    if let Some(route) = run.program.event(&exports::MOD_INIT) {
        run.enter(Routes::EVENT, route);
    }
}

/// Events of `htable`.
#[kcc_macros::part(module = "htable")]
pub mod exports {
    use super::Event;

    /// Runs once, before the first message is taken, with a faked OPTIONS request in hand.
    ///
    /// It may wait; messages are taken when it is over.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "prices=>size=4")
    /// request_route {
    ///     xlog("$sht(prices=>49)\n");
    /// }
    /// event_route[htable:mod-init] {
    ///     $sht(prices=>49) = 2;
    /// }
    /// ```
    #[event("htable:mod-init")]
    pub static MOD_INIT: Event = Event::new();

    /// Runs for each item of the table whose time is over, after the item was taken out, with a faked
    /// OPTIONS request in hand.
    ///
    /// `$shtrecord(key)` and `$shtrecord(value)` are the item. Items are looked at each
    /// `timer_interval` seconds.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>autoexpire=3600")
    /// request_route {
    ///     $sht(calls=>$ci) = $fU;
    /// }
    /// event_route[htable:expired:calls] {
    ///     xlog("$shtrecord(key) of $shtrecord(value) never ended\n");
    /// }
    /// ```
    #[event("htable:expired:*")]
    pub static EXPIRED: Event = Event::new();
}
