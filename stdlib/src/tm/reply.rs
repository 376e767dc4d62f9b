//! Answers in a transaction: `t_reply` and its like.

use kcc_macros::part;
use kcc_runtime::run::Run;

fn reply(run: &mut Run, code: i64, reason: &[u8]) -> Result<bool, &'static str> {
    let valid = |code: i64| {
        u16::try_from(code)
            .ok()
            .filter(|code| (100..700).contains(code))
    };
    if run.transaction.is_none() {
        return Err("there is no transaction to answer in");
    }
    let program = run.program.clone();
    let params = program.params::<super::exports::Params>();
    let code = valid(code)
        .or_else(|| valid(params.default_code))
        .unwrap_or(500);
    let reason = if reason.is_empty() && kcc_sip::reason_phrase(code).is_empty() {
        &params.default_reason
    } else {
        reason
    };
    Ok(run.reply_in_transaction(code, reason))
}

/// `t_reply` and its like.
#[part(module = "tm")]
pub mod exports {
    use super::reply;
    use kcc_runtime::declare::{Int, Text};
    use kcc_runtime::proxy;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// Answers in the request's transaction with `code` and `reason`; pending branches are
    /// cancelled when the answer is final. False where there is no transaction or a final answer
    /// was sent before.
    ///
    /// ```cfg
    /// t_newtran();
    /// t_reply("404", "Not Found");
    /// ```
    #[function(routes = "request|failure|onreply", aliases("t_send_reply"))]
    fn t_reply(run: &mut Run, code: Int, reason: Text) -> Result<bool, &'static str> {
        reply(run, code, reason)
    }

    /// Answers in the request's transaction with the error that came up last.
    ///
    /// ```cfg
    /// t_reply_error();
    /// ```
    #[function(routes = "request|failure|onreply")]
    fn t_reply_error(run: &mut Run) -> Result<bool, &'static str> {
        reply(
            run,
            500,
            b"I'm terribly sorry, server error occurred (1/TM)",
        )
    }

    /// Sends the transaction's last answer again. False where there is no transaction.
    ///
    /// ```cfg
    /// t_retransmit_reply();
    /// ```
    #[function(routes = "request")]
    fn t_retransmit_reply(run: &mut Run) -> Result<bool, &'static str> {
        let transaction = run.transaction.clone().or_else(|| run.lookup());
        let transaction = transaction.ok_or("there is no transaction")?;
        let worker = run.worker().clone();
        proxy::perform(
            &worker,
            &transaction,
            transaction.request_again(worker.now()),
            None,
        );
        Ok(true)
    }

    /// Lets go of the transaction, which then absorbs retransmissions for `wt_timer` and ends.
    /// The same happens at the end of a script that neither answered nor relayed.
    ///
    /// ```cfg
    /// t_newtran();
    /// t_release();
    /// ```
    #[function(routes = "request")]
    fn t_release(run: &mut Run) -> Verdict {
        if let Some(transaction) = run.transaction.clone() {
            let worker = run.worker().clone();
            let actions = transaction.release(worker.now());
            proxy::perform(&worker, &transaction, actions, None);
        }
        Verdict::TRUE
    }
}
