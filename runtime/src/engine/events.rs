//! Events around a message's routes, and that of the start.

use std::rc::Rc;

use bytes::Bytes;
use kcc_macros::part;

use crate::abi::status;
use crate::declare::{Event, Routes};
use crate::proxy;
use crate::run::{Run, Source};
use crate::worker::Worker;

/// What is in hand in events that come without a message, as in Kamailio.
const FAKED: &[u8] = b"OPTIONS sip:you@kamailio.org SIP/2.0\r\n\
    Via: SIP/2.0/UDP 127.0.0.1\r\n\
    From: <sip:you@kamailio.org>;tag=123\r\n\
    To: <sip:you@kamailio.org>\r\n\
    Call-ID: 123\r\n\
    CSeq: 1 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";

/// Takes the faked message in hand.
fn fake(run: &mut Run, source: Source) {
    // The text is a message.
    let _ = run.message.parse_into(Bytes::from_static(FAKED));
    run.source = source;
    run.look_at_message();
}

/// The bytes of a message from `source` as `event_route[core:msg-received]` lets them through;
/// `None` where it discards them.
pub(super) fn message_received(run: &mut Run, source: Source, data: Bytes) -> Option<Bytes> {
    if run.program.settings.received_route_mode != 1 {
        return Some(data);
    }
    let Some(route) = run.program.event(&exports::MSG_RECEIVED) else {
        return Some(data);
    };
    fake(run, source);
    run.arrived = Some(data);
    let outcome = run.enter(Routes::EVENT, route);
    let discarded = outcome.status == status::DROP || outcome.value < 0 || run.failed;
    let data = run.arrived.take().filter(|_| !discarded);
    proxy::finish(run);
    let avps = std::mem::take(&mut run.avps);
    run.reset_for_script();
    run.avps = avps;
    data
}

/// Shows what cannot be parsed.
pub(super) fn receive_parse_error(run: &mut Run, source: Source, data: Bytes) {
    let Some(route) = run.program.event(&exports::RECEIVE_PARSE_ERROR) else {
        return;
    };
    run.message.parse_prefix(data);
    run.source = source;
    run.look_at_message();
    run.enter(Routes::EVENT, route);
    proxy::finish(run);
}

/// Whether the message in hand goes on to its route.
pub(super) fn pre_routing(run: &mut Run) -> bool {
    let Some(route) = run.program.event(&exports::PRE_ROUTING) else {
        return true;
    };
    let outcome = run.enter(Routes::EVENT, route);
    let goes_on = outcome.status != status::DROP && !run.failed;
    if !goes_on {
        if run.failed && run.message.is_request() {
            run.answer_failure();
        }
        proxy::finish(run);
    }
    goes_on
}

/// The first worker is up.
pub fn worker_one_init(worker: &Rc<Worker>) {
    if let Some(route) = worker.server.program.event(&exports::WORKER_ONE_INIT) {
        raise(worker, route, |_| {});
    }
}

/// Runs the block `route` of an event that comes without a message, with the faked one in hand and
/// after `prepare`.
pub fn raise(worker: &Rc<Worker>, route: u32, prepare: impl FnOnce(&mut Run) + 'static) {
    worker.spawn(move |run| {
        fake(run, Source::default());
        prepare(run);
        run.enter(Routes::EVENT, route);
        proxy::finish(run);
    });
}

/// Runs what modules want run before the first message, one after the other, each with the faked
/// message in hand.
pub async fn start(worker: &Rc<Worker>) {
    for script in worker.server.starts.iter().copied() {
        let (running, over) = tokio::sync::oneshot::channel::<()>();
        worker.spawn(move |run| {
            let _running = running;
            fake(run, Source::default());
            script(run);
            proxy::finish(run);
        });
        // Nothing is sent: the other side goes when the script is over.
        let _ = over.await;
    }
}

/// The core's events.
#[part(module = "core")]
pub mod exports {
    use super::Event;

    /// A message arrived and is not parsed yet; raised with `received_route_mode=1` only.
    ///
    /// `$rcv(…)` tells of it, and `$(rcv(buf))` can be assigned. The other variables are those of
    /// a faked OPTIONS request. `drop` and a negative result discard the message. `$avp` stays for
    /// the message's routes, flags do not.
    ///
    /// ```cfg
    /// received_route_mode=1
    /// event_route[core:msg-received] {
    ///     if ($(rcv(srcip)) == "192.0.2.66") drop;
    /// }
    /// ```
    #[event("core:msg-received")]
    pub static MSG_RECEIVED: Event = Event::new();

    /// A message was parsed and is about to enter `request_route` or `reply_route`. `drop` discards
    /// it; `$avp` and flags stay for the routes.
    ///
    /// ```cfg
    /// event_route[core:pre-routing] {
    ///     if ($ua =~ "scanner") drop;
    /// }
    /// ```
    #[event("core:pre-routing")]
    pub static PRE_ROUTING: Event = Event::new();

    /// A message that cannot be parsed arrived. Variables tell what stands before the fault, `$mb`
    /// the whole; no route follows.
    ///
    /// ```cfg
    /// event_route[core:receive-parse-error] {
    ///     xlog("L_WARN", "no SIP from $si: $mb\n");
    /// }
    /// ```
    #[event("core:receive-parse-error")]
    pub static RECEIVE_PARSE_ERROR: Event = Event::new();

    /// Raised once, on the first worker after the start, with a faked OPTIONS request in hand.
    ///
    /// ```cfg
    /// event_route[core:worker-one-init] {
    ///     xlog("L_INFO", "ready\n");
    /// }
    /// ```
    #[event("core:worker-one-init")]
    pub static WORKER_ONE_INIT: Event = Event::new();
}
