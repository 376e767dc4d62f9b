//! Behaviour of whole transactions: forking, picking, cancelling, timing out. The expected steps
//! are RFC 3261's and were seen with Kamailio 5.6.

use std::sync::Arc;

use bytes::Bytes;

use super::*;

struct Test;
impl Payload for Test {
    type Message = &'static str;
    type Destination = u16;
    type State = ();
}

fn handlers(on_failure: Option<RouteId>) -> Settings<()> {
    Settings {
        handlers: Handlers {
            on_failure,
            ..Handlers::default()
        },
        ..Settings::default()
    }
}

/// A transaction at time 0 whose `branches` branches were just sent.
fn forked(invite: bool, branches: u8, settings: Settings<()>) -> Arc<Transaction<Test>> {
    let id = TransactionId { index: 0, label: 0 };
    let transaction = Arc::new(Transaction::new(id, "", invite, false, settings, 0));
    for _ in 0..branches {
        fork(&transaction, 0);
    }
    transaction
}

fn fork(transaction: &Transaction<Test>, now: u64) -> BranchIndex {
    let branch = transaction.add_branch(5060, false, 12).unwrap();
    let sent = transaction.start(branch, "INVITE".into(), now).unwrap();
    assert_eq!(sent[0], Action::SendRequest { branch });
    branch
}

/// What is left of `actions` without the wakes.
fn plain(actions: Actions) -> Vec<Action> {
    actions
        .into_iter()
        .filter(|action| !matches!(action, Action::Wake { .. }))
        .collect()
}

/// An answer arrives, and its scripts do nothing: the machine's actions, then the context's.
fn answer(
    transaction: &Arc<Transaction<Test>>,
    branch: BranchIndex,
    code: u16,
    now: u64,
) -> Vec<Action> {
    let arrived = transaction.reply(branch, Answered::Request, code, || "answer", now);
    let mut all = arrived.actions;
    if arrived.at_once {
        all.extend(transaction.relay(branch, code, Some("answer"), now));
    }
    run(transaction, arrived.ticket, now, &mut all);
    plain(all)
}

fn run(transaction: &Transaction<Test>, ticket: Option<Ticket<Test>>, now: u64, all: &mut Actions) {
    for arrival in ticket.into_iter().flatten() {
        all.extend(match arrival {
            Arrival::Reply {
                branch,
                code,
                message,
            } => transaction.relay(branch, code, Some(message), now),
            Arrival::Failed { branch, code } => transaction.relay(branch, code, None, now),
        });
    }
}

/// Wakes the transaction as often as it asks until `end`, with what it asked for and when.
fn wait(transaction: &Arc<Transaction<Test>>, from: u64, end: u64) -> Vec<(u64, Action)> {
    let mut all = Vec::new();
    for now in from..=end {
        let arrived = transaction.wake(now);
        let mut actions = arrived.actions;
        run(transaction, arrived.ticket, now, &mut actions);
        all.extend(plain(actions).into_iter().map(|action| (now, action)));
    }
    all
}

fn respond(transaction: &Transaction<Test>, code: u16, now: u64) -> Vec<Action> {
    plain(transaction.respond(code, Bytes::from_static(b"reply"), now))
}

fn forward(branch: BranchIndex, code: u16) -> Action {
    Action::ForwardFinal { branch, code }
}

#[test]
fn a_silent_callee_is_tried_until_fr_timer_and_counts_as_408() {
    let t = forked(true, 1, Settings::default());
    let seen = wait(&t, 0, 30_000);
    let times: Vec<_> = seen.iter().map(|(at, _)| *at).collect();
    assert_eq!(
        times,
        [
            500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 30_000
        ]
    );
    assert_eq!(seen.last(), Some(&(30_000, forward(0, 408))));
}

#[test]
fn a_ringing_callee_is_given_up_at_fr_inv_timer_with_a_cancel() {
    let t = forked(true, 1, Settings::default());
    let ringing = Action::ForwardProvisional {
        branch: 0,
        code: 180,
    };
    assert_eq!(answer(&t, 0, 180, 100), [ringing]);
    assert_eq!(respond(&t, 180, 100), [Action::SendReply]);
    assert_eq!(
        wait(&t, 100, 120_100),
        [
            (120_100, Action::BuildCancel { branch: 0 }),
            (120_100, forward(0, 408))
        ]
    );
    assert_eq!(respond(&t, 408, 120_100), [Action::SendReply]);
    // A 2xx that comes yet is forwarded, and ends the retransmission of the 408.
    assert_eq!(answer(&t, 0, 200, 121_000), [forward(0, 200)]);
    assert_eq!(respond(&t, 200, 121_000), [Action::SendReply]);
    assert_eq!(wait(&t, 121_000, 126_000), [(126_000, Action::Terminated)]);
}

#[test]
fn a_100_goes_no_further() {
    let t = forked(true, 1, Settings::default());
    assert_eq!(answer(&t, 0, 100, 10), []);
    t.lock().settings.relay_100 = true;
    assert_eq!(answer(&t, 0, 100, 20).len(), 1);
}

#[test]
fn every_2xx_to_an_invite_is_forwarded_and_the_first_cancels_the_others() {
    let t = forked(true, 3, Settings::default());
    answer(&t, 0, 180, 10);
    answer(&t, 1, 180, 20);
    assert_eq!(
        answer(&t, 0, 200, 1_000),
        [forward(0, 200), Action::BuildCancel { branch: 1 }]
    );
    respond(&t, 200, 1_000);
    assert_eq!(
        plain(t.cancel_built(1, "CANCEL".into(), 1_000)),
        [Action::SendCancel { branch: 1 }]
    );
    // The third has not answered: its CANCEL waits for a provisional answer.
    assert_eq!(
        answer(&t, 2, 180, 1_100),
        [Action::BuildCancel { branch: 2 }]
    );
    assert_eq!(answer(&t, 1, 200, 1_200), [forward(1, 200)]);
    assert_eq!(answer(&t, 0, 200, 1_500), [forward(0, 200)]);
    assert_eq!(answer(&t, 2, 487, 1_600), [Action::SendAck { branch: 2 }]);
}

#[test]
fn a_silent_branch_is_not_tried_again_after_a_2xx() {
    let t = forked(true, 2, Settings::default());
    assert_eq!(answer(&t, 1, 200, 100), [forward(1, 200)]);
    respond(&t, 200, 100);
    assert_eq!(wait(&t, 100, 4_000), []);
}

#[test]
fn a_6xx_cancels_the_others_and_waits_for_them() {
    let t = forked(true, 2, Settings::default());
    answer(&t, 0, 180, 10);
    assert_eq!(
        answer(&t, 1, 603, 500),
        [
            Action::SendAck { branch: 1 },
            Action::BuildCancel { branch: 0 }
        ]
    );
    assert_eq!(
        answer(&t, 0, 487, 900),
        [Action::SendAck { branch: 0 }, forward(1, 603)]
    );
}

#[test]
fn a_cancelled_call_that_is_never_answered_ends_with_487() {
    let t = forked(true, 2, Settings::default());
    answer(&t, 0, 180, 100);
    answer(&t, 1, 486, 200);
    assert_eq!(plain(t.cancel()), [Action::BuildCancel { branch: 0 }]);
    assert_eq!(t.add_branch(1, false, 12), Err(BranchError::Cancelled));
    assert_eq!(wait(&t, 1_000, 120_100), [(120_100, forward(0, 487))]);
}

#[test]
fn the_cancel_of_a_silent_branch_waits_for_a_provisional_answer() {
    let t = forked(true, 1, Settings::default());
    assert_eq!(plain(t.cancel()), []);
    assert_eq!(
        wait(&t, 1, 1_500).first(),
        Some(&(500, Action::SendRequest { branch: 0 }))
    );
    assert!(answer(&t, 0, 180, 2_000).contains(&Action::BuildCancel { branch: 0 }));
    t.cancel_built(0, "CANCEL".into(), 2_000);
    assert_eq!(
        wait(&t, 2_000, 3_500),
        [
            (2_500, Action::SendCancel { branch: 0 }),
            (3_500, Action::SendCancel { branch: 0 })
        ]
    );
    _ = t.reply(0, Answered::Cancel, 200, || "ok", 3_600);
    assert_eq!(wait(&t, 3_600, 9_000), []);
}

#[test]
fn a_failure_is_repeated_until_its_ack_and_the_ack_is_absorbed() {
    let t = forked(true, 1, Settings::default());
    let busy = answer(&t, 0, 486, 0);
    assert_eq!(busy, [Action::SendAck { branch: 0 }, forward(0, 486)]);
    respond(&t, 486, 0);
    // The callee repeats its answer: it gets its ACK again, the caller nothing.
    assert_eq!(answer(&t, 0, 486, 400), [Action::SendAck { branch: 0 }]);
    assert_eq!(
        wait(&t, 401, 1_600),
        [(500, Action::SendReply), (1_500, Action::SendReply)]
    );
    assert_eq!(plain(t.request_again(1_700)), [Action::SendReply]);
    assert!(t.acknowledge(2_000).0);
    assert_eq!(wait(&t, 2_000, 7_000), [(7_000, Action::Terminated)]);
}

#[test]
fn the_ack_of_a_2xx_goes_on() {
    let t = forked(true, 1, Settings::default());
    answer(&t, 0, 200, 0);
    respond(&t, 200, 0);
    assert!(!t.acknowledge(10).0);
}

#[test]
fn the_failure_route_runs_before_anything_is_forwarded() {
    let t = forked(true, 1, handlers(Some(7)));
    let run = |branch, code| Action::RunFailure {
        route: 7,
        branch,
        code,
    };
    assert_eq!(
        answer(&t, 0, 404, 100),
        [Action::SendAck { branch: 0 }, run(0, 404)]
    );
    // It forks again, and arms itself again.
    let second = fork(&t, 100);
    t.lock().settings.handlers.on_failure = Some(7);
    assert_eq!(plain(t.failure_done(100)), []);
    // Only the last leg counts, though 404 would win over 503.
    assert_eq!(answer(&t, second, 503, 300)[1], run(second, 503));
    assert_eq!(plain(t.failure_done(300)), [forward(second, 503)]);
}

#[test]
fn an_answer_given_by_the_failure_route_is_the_only_one() {
    let t = forked(true, 1, handlers(Some(7)));
    answer(&t, 0, 404, 100);
    assert_eq!(respond(&t, 480, 110), [Action::SendReply]);
    assert_eq!(plain(t.failure_done(120)), []);
    assert_eq!(respond(&t, 486, 130), []);
    // A branch that is added all the same goes on in silence.
    let second = fork(&t, 140);
    assert_eq!(plain(t.failure_done(150)), []);
    let acknowledged = [Action::SendAck { branch: second }];
    assert_eq!(answer(&t, second, 404, 160), acknowledged);
}

#[test]
fn the_answer_of_a_branch_ends_forking() {
    let t = forked(true, 1, Settings::default());
    answer(&t, 0, 404, 100);
    assert_eq!(t.add_branch(1, false, 12), Err(BranchError::Answered));
}

#[test]
fn a_failed_branch_may_be_replaced_before_the_others_end() {
    let mut settings = Settings::default();
    settings.handlers.on_branch_failure = Some(3);
    let t = forked(true, 1, settings);
    let run = Action::RunBranchFailure {
        route: 3,
        branch: 0,
        code: 500,
    };
    assert_eq!(answer(&t, 0, 500, 10), [Action::SendAck { branch: 0 }, run]);
    t.lock().settings.handlers.on_branch_failure = None;
    let second = fork(&t, 10);
    assert_eq!(plain(t.branch_failure_done(10)), []);
    assert_eq!(answer(&t, second, 486, 20)[1], forward(second, 486));
}

#[test]
fn a_non_invite_is_answered_once_and_its_copies_get_the_stored_answer() {
    let t = forked(false, 2, Settings::default());
    assert_eq!(plain(t.request_again(10)), []);
    assert_eq!(answer(&t, 0, 603, 100), []);
    assert_eq!(answer(&t, 1, 200, 1_000), [forward(1, 200)]);
    assert_eq!(respond(&t, 200, 1_000), [Action::SendReply]);
    assert_eq!(answer(&t, 1, 200, 1_100), []);
    assert_eq!(plain(t.request_again(1_200)), [Action::SendReply]);
    assert_eq!(wait(&t, 1_200, 6_000), [(6_000, Action::Terminated)]);
}

#[test]
fn an_arrival_waits_for_the_holder_of_the_ticket() {
    let t = forked(true, 2, Settings::default());
    let first = t.reply(0, Answered::Request, 180, || unreachable!(), 1);
    assert!(first.at_once);
    let second = t.reply(1, Answered::Request, 183, || "b", 2);
    assert!(!second.at_once && second.ticket.is_none());
    assert!(t.claim().is_none());
    let mut waiting = Vec::new();
    for arrival in first.ticket.unwrap() {
        if let Arrival::Reply { code, message, .. } = arrival {
            waiting.push((code, message));
        }
    }
    assert_eq!(waiting, [(183, "b")]);
    assert!(t.claim().is_some());
}

#[test]
fn a_dropped_ticket_does_not_stop_the_queue() {
    let t = forked(true, 3, Settings::default());
    let first = t.reply(0, Answered::Request, 486, || "a", 1);
    assert!(first.at_once);
    _ = t.reply(1, Answered::Request, 486, || "b", 2);
    drop(first);
    let third = t.reply(2, Answered::Request, 486, || "c", 3);
    assert!(!third.at_once);
    let mut ticket = third.ticket.unwrap();
    assert!(ticket.next().is_some() && ticket.next().is_some() && ticket.next().is_none());
}

#[test]
fn a_storm_of_answers_does_not_grow_the_queue_and_the_final_one_gets_in() {
    let t = forked(true, 1, Settings::default());
    let first = t.reply(0, Answered::Request, 180, || "", 1);
    let mut ticket = first.ticket.unwrap();
    for _ in 0..10_000 {
        _ = t.reply(0, Answered::Request, 180, || "", 1);
        _ = t.reply(0, Answered::Cancel, 200, || "", 1);
    }
    _ = t.reply(0, Answered::Request, 486, || "", 1);
    let mut waiting = Vec::new();
    while let Some(Arrival::Reply { code, .. }) = ticket.next() {
        waiting.push(code);
    }
    assert!(waiting.len() < 100);
    assert_eq!(waiting.last(), Some(&486));
}

#[test]
fn a_request_that_is_never_relayed_nor_answered_ends() {
    let t = forked(true, 0, Settings::default());
    t.release(0);
    assert_eq!(wait(&t, 0, 10_000), [(10_000, Action::Terminated)]);
}

#[test]
fn branches_are_limited() {
    let t = forked(true, 0, Settings::default());
    for _ in 0..MAX_BRANCHES {
        t.add_branch(1, false, 200).unwrap();
    }
    assert_eq!(t.add_branch(1, false, 200), Err(BranchError::Full));
    assert_eq!(
        t.start(200, Bytes::new(), 0).unwrap_err(),
        BranchError::NotIdle
    );
}
