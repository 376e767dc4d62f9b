//! Kamailio's `tmx`: more of transactions: which route runs, cancelling branches, `$T…`.

use kcc_runtime::declare::{ConstantError, Parse, Place};
use kcc_runtime::proxy::{self, Kept, Transaction};
use kcc_runtime::run::Run;
use kcc_runtime::value::{Val, Value};
use kcc_sip::Method;

use crate::tm::status;

/// Which branches `t_cancel_branches` cancels.
#[derive(Debug)]
pub enum Which {
    /// All.
    All,
    /// All but that of the answer in hand.
    Others,
    /// That of the answer in hand.
    This,
}

impl Parse for Which {
    const NAME: &'static str = "t_cancel_branches-which";
    const WHAT: &'static str = "all, others or this";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            b"all" => Ok(Which::All),
            b"others" => Ok(Which::Others),
            b"this" => Ok(Which::This),
            _ => Err(ConstantError::new(format!("expected {}", Self::WHAT))),
        }
    }
}

/// The number of the branch in hand; in a failure route that of the next one, in `onsend_route` none.
fn branch_number(run: &Run) -> i64 {
    if run.kind == kcc_runtime::declare::Routes::ONSEND {
        return -1;
    }
    match (&run.failure, &run.transaction) {
        (Some(_), Some(transaction)) => {
            i64::try_from(transaction.lock().branches().len()).unwrap_or(0)
        }
        _ => run.branch.map_or(0, i64::from),
    }
}

/// What `$T(…)` tells.
#[derive(Debug)]
pub enum Key {
    /// The index of the transaction.
    IdIndex,
    /// Its label.
    IdLabel,
    /// The status.
    ReplyCode,
    /// 1 where the answer was made here.
    ReplyType,
    /// The branch in hand.
    BranchIndex,
}

impl Parse for Key {
    const NAME: &'static str = "T-key";
    const WHAT: &'static str = "id_index, id_label, reply_code, reply_type or branch_index";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            b"id_index" | b"id_index_n" => Ok(Key::IdIndex),
            b"id_label" | b"id_label_n" => Ok(Key::IdLabel),
            b"reply_code" => Ok(Key::ReplyCode),
            b"reply_type" => Ok(Key::ReplyType),
            b"branch_index" => Ok(Key::BranchIndex),
            _ => Err(ConstantError::new(format!("expected {}", Self::WHAT))),
        }
    }
}

/// The transaction of the message in hand: that of the script, or the one that a retransmission
/// belongs to.
fn transaction(run: &Run) -> Option<Transaction> {
    run.transaction.clone()
}

/// Whether the answer that the failure route is about was made here.
fn made_here(run: &Run) -> bool {
    let (Some(transaction), Some(failure)) = (&run.transaction, &run.failure) else {
        return false;
    };
    let core = transaction.lock();
    core.branches()
        .get(usize::from(failure.branch))
        .is_some_and(|branch| branch.reply.is_none())
}

/// Whether another copy of the request in hand is or was being worked on.
fn is_known(run: &Run) -> bool {
    match run.message.method() {
        _ if run.transaction.is_some() => false,
        Method::Ack => run.lookup_invite().is_some(),
        _ => run.lookup().is_some(),
    }
}

/// The reason phrase of the answer in hand.
fn reason(run: &mut Run) -> Option<Val> {
    if !run.message.is_request() {
        return Some(Val::str(run.message.status_line()?.reason));
    }
    let failure = run.failure.as_ref()?;
    let kept = {
        let core = run.transaction.as_ref()?.lock();
        let branch = core.branches().get(usize::from(failure.branch))?;
        branch.reply.as_ref().map(|kept| kept.message.clone())
    };
    match kept {
        Some(message) => Some(run.text(message.status_line()?.reason)),
        None => Some(Val::str(kcc_sip::reason_phrase(failure.code).as_bytes())),
    }
}

/// The value of `place` with `kept` as the message in hand.
fn read_in(run: &mut Run, kept: Option<Kept>, place: Place<'_>) -> Val {
    let Some(kept) = kept else { return Val::NULL };
    let own = (
        std::mem::replace(&mut run.message, kept.message),
        std::mem::replace(&mut run.source, kept.source),
    );
    run.look_at_message();
    let found = run.read(place);
    // SAFETY: a reader gave it: the message that it may point into is still in hand.
    let found = match unsafe { found.view() } {
        Value::Str(text) => {
            let text: *const [u8] = text;
            // SAFETY: copying into scratch memory moves neither the message nor earlier scratch.
            run.text(unsafe { &*text })
        }
        _ => found,
    };
    (run.message, run.source) = own;
    run.look_at_message();
    found
}

/// The answer that a failure route is about; `None` where it was made here.
fn failed_reply(run: &Run) -> Option<Kept> {
    let failure = run.failure.as_ref()?;
    let core = run.transaction.as_ref()?.lock();
    core.branches()
        .get(usize::from(failure.branch))?
        .reply
        .as_deref()
        .cloned()
}

/// More of transactions.
#[kcc_macros::module(name = "tmx")]
pub mod exports {
    use super::{
        Key, Which, branch_number, failed_reply, is_known, made_here, proxy, read_in, reason,
        status, transaction,
    };
    use kcc_runtime::declare::{Const, Place, Routes};
    use kcc_runtime::run::Run;
    use kcc_runtime::value::Val;

    /// True if the request is a retransmission of one that is or was being worked on. Cheaper than
    /// `t_check_trans()`, and nothing is sent.
    ///
    /// ```cfg
    /// if (t_precheck_trans()) {
    ///     t_check_trans();
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request")]
    fn t_precheck_trans(run: &mut Run) -> bool {
        is_known(run)
    }

    /// True in `request_route` and the routes that it calls.
    ///
    /// ```cfg
    /// if (t_is_request_route()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn t_is_request_route(run: &mut Run) -> bool {
        run.kind == Routes::REQUEST
    }

    /// True in a failure route and the routes that it calls.
    ///
    /// ```cfg
    /// if (t_is_failure_route()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn t_is_failure_route(run: &mut Run) -> bool {
        run.kind == Routes::FAILURE
    }

    /// True in a branch route and the routes that it calls.
    ///
    /// ```cfg
    /// if (t_is_branch_route()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn t_is_branch_route(run: &mut Run) -> bool {
        run.kind == Routes::BRANCH
    }

    /// True in a reply route and the routes that it calls.
    ///
    /// ```cfg
    /// if (t_is_reply_route()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn t_is_reply_route(run: &mut Run) -> bool {
        Routes::ONREPLY.allows(run.kind)
    }

    /// Leaves the message flags as they are now with the transaction. False where there is none.
    ///
    /// ```cfg
    /// t_newtran();
    /// setflag(5);
    /// t_flush_flags();
    /// ```
    #[function(routes = "any")]
    fn t_flush_flags(run: &mut Run) -> Result<bool, &'static str> {
        let transaction = transaction(run).ok_or("there is no transaction")?;
        transaction.lock().settings.script.flags = run.head.message_flags;
        Ok(true)
    }

    /// Cancels branches of the transaction: `all`, `this`, that of the answer in hand, or the
    /// `others`.
    ///
    /// ```cfg
    /// onreply_route[R] {
    ///     if (t_check_status("183")) {
    ///         t_cancel_branches("others");
    ///     }
    /// }
    /// ```
    #[function(routes = "onreply")]
    fn t_cancel_branches(run: &mut Run, which: Const<Which>) -> Result<bool, &'static str> {
        let transaction = transaction(run).ok_or("there is no transaction")?;
        let worker = run.worker().clone();
        let actions = match (&*which, run.branch) {
            (Which::All, _) => transaction.cancel_branches(None),
            (Which::Others, branch) => transaction.cancel_branches(branch),
            (Which::This, Some(branch)) => transaction.cancel_branch(branch),
            (Which::This, None) => return Err("no branch is in hand"),
        };
        proxy::perform(&worker, &transaction, actions, None);
        Ok(true)
    }

    /// What is known of the transaction: `id_index` and `id_label` name it; `reply_code` is the
    /// status; `reply_type` is 1 in a failure route for an answer that was made here;
    /// `branch_index` is the number of the branch in hand.
    #[pv(name = "T")]
    fn of_transaction(run: &mut Run, key: Const<Key>) -> Option<i64> {
        match *key {
            Key::IdIndex => transaction(run).map(|t| i64::from(t.id().index)),
            Key::IdLabel => transaction(run).map(|t| i64::from(t.id().label)),
            Key::ReplyCode => Some(i64::from(status(run).unwrap_or(0))),
            Key::ReplyType => Some(i64::from(made_here(run))),
            Key::BranchIndex => Some(branch_number(run)),
        }
    }

    /// The status: in a reply its own, in a failure route that of the answer that would be
    /// forwarded, else that of the last answer sent; 0 where there is none.
    #[pv(name = "T_reply_code")]
    fn reply_code(run: &mut Run) -> i64 {
        i64::from(status(run).unwrap_or(0))
    }

    /// The reason phrase of the answer that `$T_reply_code` is of.
    #[pv(name = "T_reply_reason")]
    fn reply_reason(run: &mut Run) -> Option<Val> {
        reason(run)
    }

    /// The number of the branch in hand, in a branch, reply or failure route; in a failure route
    /// it is the number of branches so far.
    #[pv(name = "T_branch_idx")]
    fn branch_index(run: &mut Run) -> i64 {
        branch_number(run)
    }

    /// A variable of the answer that a failure route is about; null where it was made here.
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     xlog("L_INFO", "$T_rpl($rs) $T_rpl($hdr(Server))\n");
    /// }
    /// ```
    #[pv(name = "T_rpl")]
    fn of_reply(run: &mut Run, variable: Place) -> Val {
        let kept = failed_reply(run);
        read_in(run, kept, variable)
    }

    /// A variable of the transaction's request.
    ///
    /// ```cfg
    /// onreply_route[R] {
    ///     xlog("L_INFO", "$T_req($ru)\n");
    /// }
    /// ```
    #[pv(name = "T_req")]
    fn of_request(run: &mut Run, variable: Place) -> Val {
        let kept = transaction(run).map(|t| t.request().clone());
        read_in(run, kept, variable)
    }

    /// A variable of the INVITE that the CANCEL in hand is about; null where it is not here.
    ///
    /// ```cfg
    /// if (is_method("CANCEL")) {
    ///     xlog("L_INFO", "$T_inv($ru)\n");
    /// }
    /// ```
    #[pv(name = "T_inv")]
    fn of_invite(run: &mut Run, variable: Place) -> Val {
        let cancel = run.message.method() == kcc_sip::Method::Cancel;
        let invite = cancel.then(|| run.lookup_invite()).flatten();
        let kept = invite.map(|t| t.request().clone());
        read_in(run, kept, variable)
    }
}
