//! Requests: `request_route`.

use kcc_sip::{HeaderKind, Method};

use crate::declare::Routes;
use crate::proxy;
use crate::run::Run;
use crate::transport::Counter;

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
    if is_ack_to_stateless_reply(run) {
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

/// Whether the request acknowledges an answer that was sent without a transaction: its To tag is
/// the one that such an answer carries (RFC 3261 §8.2.7).
fn is_ack_to_stateless_reply(run: &Run) -> bool {
    run.message.method() == Method::Ack
        && run
            .message
            .to_tag()
            .is_some_and(|tag| tag == run.transactions().stateless_tag(&run.message).as_bytes())
}
