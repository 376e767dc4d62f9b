//! Requests: `request_route`, and ACKs that end here.

use kcc_sip::{HeaderKind, Method};

use crate::declare::Routes;
use crate::proxy::{self, events::sl::FILTERED_ACK};
use crate::run::Run;
use crate::transport::Counter;

/// The most Vias of a request. A path has at most 70 hops (RFC 3261 §8.1.1.6); what passed more
/// goes round in circles, in a configuration that does not look at Max-Forwards.
const MOST_HOPS: usize = 100;
/// The least bytes of a request with so many.
const BYTES_OF_MOST_HOPS: usize = MOST_HOPS * "v:SIP/2.0/UDP a\r\n".len();

/// Runs the request in hand through the configuration.
pub fn handle(run: &mut Run) {
    if let Some(missing) = missing(run) {
        run.worker()
            .server
            .transport
            .counters()
            .count(Counter::ParseErrors);
        return crate::error!(
            "request from {} without {missing} dropped",
            run.source.address
        );
    }
    if has_passed_too_many(run) {
        let counters = run.worker().server.transport.counters();
        counters.count(Counter::TooManyHops);
        // An ACK has no answer.
        run.reply_stateless(483, b"");
        return crate::error!(
            "request from {} refused: it has passed more than {MOST_HOPS} hops",
            run.source.address
        );
    }
    if is_ack_to_stateless_reply(run) {
        if let Some(route) = run.program.event(&FILTERED_ACK) {
            run.enter(Routes::EVENT, route);
            proxy::finish(run);
        }
        return;
    }
    match run.program.routes().request {
        Some(route) => {
            run.enter(Routes::REQUEST, route);
            if run.failed {
                run.answer_failure();
            }
        }
        None => crate::error!(
            "request from {} dropped: no request_route",
            run.source.address
        ),
    }
    proxy::finish(run);
}

/// The header field that no request can do without (RFC 3261 §8.1.1) and that this one lacks.
fn missing(run: &Run) -> Option<&'static str> {
    let message = &run.message;
    let needed = [
        (message.top_via().is_some(), "Via"),
        (message.cseq().is_some(), "CSeq"),
        (message.has(HeaderKind::CallId), "Call-ID"),
        (message.has(HeaderKind::From), "From"),
        (message.has(HeaderKind::To), "To"),
    ];
    needed
        .iter()
        .find(|(there, _)| !there)
        .map(|(_, name)| *name)
}

fn has_passed_too_many(run: &Run) -> bool {
    let message = &run.message;
    message.bytes().len() > BYTES_OF_MOST_HOPS && message.vias().nth(MOST_HOPS).is_some()
}

/// Whether the request acknowledges an answer that was sent without a transaction: its To tag is
/// the one that such an answer carries (RFC 3261 §8.2.7).
fn is_ack_to_stateless_reply(run: &Run) -> bool {
    run.message.method() == Method::Ack
        && run
            .message
            .to_tag()
            .is_some_and(|tag| tag == run.transactions().stateless_tag(&run.message).as_bytes())
}
