//! The life of a message: from the network through the configuration's routes.

pub mod events;
mod reply;
mod request;

use std::rc::Rc;

use crate::init::{OnHttp, OnWebSocketClosed};
use crate::log::Level;
use crate::run::{Run, Source};
use crate::transport::{Closed, Counter, Protocol, Received};
use crate::worker::Worker;

/// A message arrived.
pub fn receive(worker: &Rc<Worker>, received: Received) {
    worker.spawn(move |run| take(run, received));
}

/// A connection ended.
pub fn closed(worker: &Rc<Worker>, closed: Closed) {
    if matches!(closed.protocol, Protocol::Ws | Protocol::Wss)
        && let Some(OnWebSocketClosed(tell)) = worker.server.shared.get()
    {
        tell(worker, &closed);
    }
    if closed.unsent > 0 {
        crate::error!(
            "{}:{}: connection ended ({:?}) with {} bytes unsent",
            closed.protocol,
            closed.peer,
            closed.reason,
            closed.unsent
        );
    }
}

fn take(run: &mut Run, received: Received) {
    let source = Source::from(&received);
    let Some(data) = events::message_received(run, source, received.data) else {
        return;
    };
    let shown = run.program.event(&events::exports::RECEIVE_PARSE_ERROR);
    let copy = shown.map(|_| data.clone());
    if let Err(error) = run.message.parse_into(data) {
        run.worker()
            .server
            .transport
            .counters()
            .count(Counter::ParseErrors);
        crate::log!(
            Level::Err,
            "message from {}:{} dropped: {error}",
            source.protocol,
            source.address
        );
        if let Some(data) = copy {
            events::receive_parse_error(run, source, data);
        }
        return;
    }
    run.source = source;
    run.look_at_message();
    if !run.message.is_sip()
        && let Some(OnHttp(take)) = run.worker().server.shared.get().copied()
    {
        if !take(run) {
            crate::debug!("HTTP from {} dropped", source.address);
        }
        return;
    }
    if !events::pre_routing(run) {
        return;
    }
    if run.message.is_request() {
        request::handle(run);
    } else {
        reply::handle(run);
    }
}
