//! The scripts of a transaction after its request's: reply routes, failure routes.

use std::rc::Rc;

use kcc_sip::Method;

use crate::abi::status;
use crate::declare::Routes;
use crate::proxy::perform::{Hand, Wanted, perform_arrived};
use crate::proxy::{BranchIndex, Kept, Ticket, Transaction, perform};
use crate::run::{Failure, Run};
use crate::transaction::{Answered, Arrival, TransactionId};
use crate::worker::Worker;

/// The end of a request's script: its transaction is left to itself, and what arrived meanwhile is
/// taken.
pub fn finish(run: &mut Run) {
    let Some(transaction) = run.transaction.clone() else {
        return;
    };
    run.leave_script_state();
    run.reply_to_failed_relay();
    let worker = run.worker().clone();
    perform(
        &worker,
        &transaction,
        transaction.release(worker.now()),
        None,
    );
    if let Some(ticket) = run.ticket.take() {
        drain(run, ticket);
    }
}

/// The reply in hand, which its top Via says is to a branch of ours, goes to that transaction;
/// false where there is none.
pub fn take_reply(run: &mut Run) -> bool {
    let Some((transaction, branch)) = find(run) else {
        return false;
    };
    let worker = run.worker().clone();
    let method = run.message.method();
    let invite = transaction.lock().is_invite();
    let answered = match (method, invite) {
        (Method::Cancel, true) => Answered::Cancel,
        _ => Answered::Request,
    };
    let code = run.message.status();
    let keep = || Kept {
        message: run.message.detach(),
        source: run.source,
        edits: (!run.edits.is_empty()).then(|| Box::new(run.edits.clone())),
    };
    let arrived = transaction.reply(branch, answered, code, keep, worker.now());
    let hand = Hand::of_answer(run);
    perform(&worker, &transaction, arrived.actions, Some(hand));
    if arrived.at_once {
        let edits = std::mem::take(&mut run.edits);
        run.reset_for_script();
        run.edits = edits;
        let wanted = on_reply(run, &transaction, branch);
        follow(run, &transaction, wanted);
    }
    if let Some(ticket) = arrived.ticket {
        drain(run, ticket);
    }
    true
}

fn find(run: &Run) -> Option<(Transaction, BranchIndex)> {
    let via = run.message.top_via()?;
    run.transactions().table().find_branch(via.branch()?)
}

impl Run {
    /// Whether the reply in hand is to a branch of one of our transactions.
    pub fn is_to_transaction(&self) -> bool {
        !self.message.is_request() && find(self).is_some()
    }
}

/// A transaction's time has come.
pub fn wake(worker: &Rc<Worker>, id: TransactionId) {
    let Some(transaction) = worker.server.transactions.table().get(id) else {
        return;
    };
    let arrived = transaction.wake(worker.now());
    perform_arrived(worker, &transaction, arrived);
}

/// Runs the scripts of what has arrived, until nothing waits.
pub(crate) fn drain(run: &mut Run, ticket: Ticket) {
    let transaction = ticket.transaction().clone();
    for arrival in ticket {
        let wanted = match arrival {
            Arrival::Reply {
                branch, message, ..
            } => {
                run.reset_for_script();
                run.set_message(message.message, message.source);
                if let Some(edits) = message.edits {
                    run.edits.clone_from(&edits);
                }
                on_reply(run, &transaction, branch)
            }
            Arrival::Failed { branch, code } => {
                let worker = run.worker().clone();
                let actions = transaction.relay(branch, code, None, worker.now());
                perform(&worker, &transaction, actions, Some(Hand::of_script(run)))
            }
        };
        follow(run, &transaction, wanted);
    }
}

/// Runs the scripts that steps ask for, one after the other.
fn follow(run: &mut Run, transaction: &Transaction, mut wanted: Option<Wanted>) {
    while let Some(script) = wanted {
        run_failure(run, transaction, script);
        let worker = run.worker().clone();
        let actions = if script.of_branch {
            transaction.branch_failure_done(worker.now())
        } else {
            transaction.failure_done(worker.now())
        };
        let hand = Hand::of_script(run);
        wanted = perform(&worker, transaction, actions, Some(hand));
    }
}

/// The scripts of the reply that `run`, else clean, has in hand.
fn on_reply(run: &mut Run, transaction: &Transaction, branch: BranchIndex) -> Option<Wanted> {
    let code = run.message.status();
    run.transaction = Some(transaction.clone());
    run.branch = Some(branch);
    let route = transaction.lock().on_reply(branch);
    if let Some(route) = route {
        run.take_script_state();
        run.target.flags = transaction.lock().branch_flags(branch);
        let outcome = run.enter(Routes::TM_ONREPLY, route);
        transaction
            .lock()
            .set_branch_flags(branch, run.target.flags);
        run.leave_script_state();
        if outcome.status == status::DROP && code < 200 {
            return None;
        }
    }
    // The script may have changed it (`change_reply_status`).
    let code = run.message.status();
    let worker = run.worker().clone();
    let stored = (code >= 300).then(|| Kept {
        message: run.message.detach(),
        source: run.source,
        edits: (!run.edits.is_empty()).then(|| Box::new(run.edits.clone())),
    });
    let actions = transaction.relay(branch, code, stored, worker.now());
    perform(&worker, transaction, actions, Some(Hand::of_answer(run)))
}

fn run_failure(run: &mut Run, transaction: &Transaction, script: Wanted) {
    run.reset_for_script();
    let request = transaction.request();
    let changed = transaction.lock().settings.script.changed.clone();
    let message = changed.map_or_else(|| request.message.clone(), |message| *message);
    run.set_message(message, request.source);
    run.transaction = Some(transaction.clone());
    run.branch = Some(script.branch);
    run.failure = Some(Failure {
        code: script.code,
        branch: script.branch,
    });
    {
        let core = transaction.lock();
        let state = &core.settings.script;
        run.edits.clone_from(&state.edits);
        run.record_route.clone_from(&state.record_route);
        if let Some(uri) = &state.uri {
            run.target.uri.set(uri);
        }
        run.target.flags = core.branch_flags(script.branch);
    }
    run.target.consume();
    run.take_script_state();
    let kind = if script.of_branch {
        Routes::BRANCH_FAILURE
    } else {
        Routes::FAILURE
    };
    run.enter(kind, script.route);
    run.leave_script_state();
    run.reply_to_failed_branches();
}
