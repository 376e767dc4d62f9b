//! Replies: `reply_route`, then their transaction, else on by their Via.

use crate::abi::status;
use crate::declare::Routes;
use crate::proxy;
use crate::run::Run;

/// Runs the reply in hand through the configuration.
pub fn handle(run: &mut Run) {
    if let Some(route) = run.program.routes().reply {
        let outcome = run.enter(Routes::CORE_ONREPLY, route);
        if outcome.status == status::DROP || outcome.value <= 0 {
            return;
        }
    }
    if proxy::take_reply(run) {
        return;
    }
    if let Err(error) = proxy::forward_reply(run) {
        crate::error!("reply from {} not forwarded: {error}", run.source.address);
    }
}
