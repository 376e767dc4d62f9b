//! Doing what a step of a transaction asks for.

use std::rc::Rc;

use bytes::Bytes;
use kcc_sip::{Message, build};

use crate::message::{Edits, OutgoingReply};
use crate::proxy::{BranchIndex, Kept, Transaction, cancel, respond, scripts};
use crate::run::Run;
use crate::transaction::{Action, Actions, Arrived, RouteId};
use crate::transport::SendError;
use crate::worker::Worker;

/// The run on whose fiber a step is done.
pub struct Hand<'a> {
    run: &'a mut Run,
    /// Whether the message in hand is the answer that the step is about, with the edits that
    /// scripts made on it.
    answer: bool,
}

impl<'a> Hand<'a> {
    /// With the answer in hand.
    pub(super) fn of_answer(run: &'a mut Run) -> Hand<'a> {
        Hand { run, answer: true }
    }

    /// Without one.
    pub(super) fn of_script(run: &'a mut Run) -> Hand<'a> {
        Hand { run, answer: false }
    }

    fn answer(&self) -> Option<&Message> {
        self.answer.then_some(&self.run.message)
    }
}

/// A script that a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The route.
    pub route: RouteId,
    /// The branch that it is about.
    pub branch: BranchIndex,
    /// Its status.
    pub code: u16,
    /// A branch failure; else the failure of all.
    pub of_branch: bool,
}

/// Does what `actions` ask for, and what follows from it; a script that is asked for is left to
/// the caller.
pub fn perform(
    worker: &Rc<Worker>,
    transaction: &Transaction,
    actions: Actions,
    mut hand: Option<Hand<'_>>,
) -> Option<Wanted> {
    let mut wanted = None;
    for action in actions {
        let more = match action {
            Action::SendRequest { branch } => {
                send_request(worker, transaction, branch);
                continue;
            }
            Action::SendAck { branch } => {
                let answer = hand.as_ref().and_then(Hand::answer);
                send_ack(worker, transaction, branch, answer);
                continue;
            }
            Action::BuildCancel { branch } => build_cancel(worker, transaction, branch),
            Action::SendCancel { branch } => {
                send_cancel(worker, transaction, branch);
                continue;
            }
            Action::SendReply => {
                send_reply(worker, transaction);
                continue;
            }
            Action::ForwardProvisional { branch, code } | Action::ForwardFinal { branch, code } => {
                forward(worker, transaction, branch, code, hand.as_mut())
            }
            Action::RunBranchFailure {
                route,
                branch,
                code,
            } => {
                wanted = Some(Wanted {
                    route,
                    branch,
                    code,
                    of_branch: true,
                });
                continue;
            }
            Action::RunFailure {
                route,
                branch,
                code,
            } => {
                wanted = Some(Wanted {
                    route,
                    branch,
                    code,
                    of_branch: false,
                });
                continue;
            }
            Action::Wake { at } => {
                worker.wake_at(at, transaction.id());
                continue;
            }
            Action::Terminated => {
                worker.server.transactions.table().remove(transaction.id());
                continue;
            }
        };
        // Neither a CANCEL nor an answer asks for a script.
        perform(worker, transaction, more, None);
    }
    wanted
}

/// Does what an arrival asks for at once; its scripts run on a fiber of their own.
pub fn perform_arrived(
    worker: &Rc<Worker>,
    transaction: &Transaction,
    arrived: Arrived<super::Sip>,
) {
    perform(worker, transaction, arrived.actions, None);
    if let Some(ticket) = arrived.ticket {
        worker.spawn(move |run| scripts::drain(run, ticket));
    }
}

fn send_request(worker: &Rc<Worker>, transaction: &Transaction, branch: BranchIndex) {
    // A failure is logged there; the request is sent again, or the branch ends by its timer.
    let _ = send_branch(worker, transaction, branch);
}

/// Sends the request of `branch`.
pub fn send_branch(
    worker: &Worker,
    transaction: &Transaction,
    branch: BranchIndex,
) -> Result<(), SendError> {
    let (destination, request, connect) = {
        let core = transaction.lock();
        let Some(found) = core.branches().get(usize::from(branch)) else {
            return Ok(());
        };
        let connect = core.settings.script.forward;
        (found.destination, found.request.clone(), connect)
    };
    worker.send_with(&destination, &request, connect)
}

fn send_cancel(worker: &Worker, transaction: &Transaction, branch: BranchIndex) {
    let found = of_branch(transaction, branch, |branch| {
        (branch.destination, branch.cancel_request.clone())
    });
    if let Some((destination, cancel)) = found {
        // A failure is logged there; the branch ends by its timer.
        let _ = worker.send(&destination, &cancel);
    }
}

fn send_ack(
    worker: &Worker,
    transaction: &Transaction,
    branch: BranchIndex,
    answer: Option<&Message>,
) {
    let (Some(answer), Some((destination, request))) = (
        answer,
        of_branch(transaction, branch, |branch| {
            (branch.destination, branch.request.clone())
        }),
    ) else {
        return;
    };
    let Ok(request) = Message::parse(request) else {
        return;
    };
    worker.with_buffer(|buffer| {
        if build::ack_for_negative(&request, answer, b"", buffer) {
            // A failure is logged there; the answer comes again and so does the ACK.
            let _ = worker.send(&destination, buffer);
        }
    });
}

fn build_cancel(worker: &Worker, transaction: &Transaction, branch: BranchIndex) -> Actions {
    let request = of_branch(transaction, branch, |branch| branch.request.clone());
    let Some(request) = request.and_then(|request| Message::parse(request).ok()) else {
        return Actions::new();
    };
    let reason = cancel::reason(transaction);
    worker.with_buffer(|buffer| {
        if build::cancel(&request, &reason, buffer) {
            transaction.cancel_built(branch, Bytes::copy_from_slice(buffer), worker.now())
        } else {
            Actions::new()
        }
    })
}

fn send_reply(worker: &Worker, transaction: &Transaction) {
    let (reply, force_rport, connect) = {
        let core = transaction.lock();
        let script = &core.settings.script;
        (core.reply().clone(), script.force_rport, script.reply)
    };
    // `onsend_route` dropped it.
    if reply.is_empty() {
        return;
    }
    let request = transaction.request();
    let back = super::reply_destination(&request.message, &request.source, force_rport);
    // A failure is logged there; the answer is stored and goes out on the next retransmission.
    let _ = worker.send_with(&back, &reply, connect);
}

fn forward(
    worker: &Worker,
    transaction: &Transaction,
    branch: BranchIndex,
    code: u16,
    hand: Option<&mut Hand<'_>>,
) -> Actions {
    let stored: Option<Box<Kept>> = if code >= 300 {
        of_branch(transaction, branch, |branch| branch.reply.clone()).flatten()
    } else {
        None
    };
    let none = Edits::new();
    let defaults = &worker.server.proxy;
    let in_hand = hand.as_deref().filter(|hand| hand.answer);
    let answer = match (&stored, code) {
        // RFC 3261 §16.7 step 6: a 503 says nothing of this proxy.
        (_, 503) if defaults.remap_503_500 => None,
        (Some(kept), _) => Some((&kept.message, kept.edits.as_deref().unwrap_or(&none))),
        (None, ..300) => in_hand.map(|hand| (&hand.run.message, &hand.run.edits)),
        (None, _) => None,
    };
    let Some((message, edits)) = answer else {
        let (code, reason) = match code {
            503 if defaults.remap_503_500 => (500, &b"Service Unavailable"[..]),
            408 => (defaults.timeout_code, &*defaults.timeout_reason),
            code => (code, &b""[..]),
        };
        return respond::make(worker, transaction, code, reason, &none);
    };
    let stream = transaction.request().source.protocol.reliable();
    let reply = worker.with_buffer(|buffer| {
        let reply = OutgoingReply {
            message,
            remove_top_via: true,
            edits,
            stream,
        };
        let built = worker.builder().reply(&reply, buffer);
        built.then(|| Bytes::copy_from_slice(buffer))
    });
    let Some(reply) = reply else {
        return Actions::new();
    };
    if hand.is_none_or(|hand| lets_out(hand.run, transaction, stored, &reply)) {
        transaction.respond(code, reply, worker.now())
    } else if code < 200 {
        Actions::new()
    } else {
        // It stays without an answer, but ends.
        transaction.respond(code, Bytes::new(), worker.now())
    }
}

/// Whether `onsend_route` lets the answer go on that is built as `reply`, from what a branch stored
/// or from the message in hand.
fn lets_out(
    run: &mut Run,
    transaction: &Transaction,
    stored: Option<Box<Kept>>,
    reply: &Bytes,
) -> bool {
    let settings = &run.program.settings;
    let onsend = run.program.routes().onsend;
    let Some(route) = onsend.filter(|_| settings.onsend_route_reply) else {
        return true;
    };
    let force_rport = transaction.lock().settings.script.force_rport;
    let request = transaction.request();
    let back = super::reply_destination(&request.message, &request.source, force_rport);
    match stored {
        Some(kept) => run.with_message(kept.message, kept.source, |run| {
            run.run_onsend(route, back, reply.clone())
        }),
        None => run.run_onsend(route, back, reply.clone()),
    }
}

fn of_branch<T>(
    transaction: &Transaction,
    branch: BranchIndex,
    take: impl FnOnce(&crate::transaction::Branch<super::Sip>) -> T,
) -> Option<T> {
    transaction
        .lock()
        .branches()
        .get(usize::from(branch))
        .map(take)
}
