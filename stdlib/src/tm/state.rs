//! What a transaction has seen: `t_check_status` and its like.

use kcc_macros::part;
use kcc_runtime::proxy::Sip;
use kcc_runtime::run::Run;
use kcc_runtime::transaction::{Branch, BranchIndex};

const NO_TRANSACTION: &str = "there is no transaction";

/// The status of the message in hand: that of a reply, in a failure route that of the answer that
/// would be forwarded, else that of the last answer sent.
pub fn status(run: &Run) -> Option<u16> {
    if !run.message.is_request() {
        return Some(run.message.status());
    }
    match (&run.failure, &run.transaction) {
        (Some(failure), _) => Some(failure.code),
        (None, Some(transaction)) => Some(transaction.lock().reply_code()),
        (None, None) => None,
    }
}

/// Whether `branch` got an answer before the one in hand.
fn answered_before(run: &Run, index: usize, branch: &Branch<Sip>) -> bool {
    let in_hand = run.branch.map(usize::from) == Some(index)
        && match &run.failure {
            Some(_) => branch.reply.is_some(),
            None => !run.message.is_request(),
        };
    branch.answers > u32::from(in_hand)
}

fn timed_out(branch: &Branch<Sip>) -> bool {
    branch.code == 408 && branch.reply.is_none()
}

fn any(run: &Run, test: impl Fn(usize, &Branch<Sip>) -> bool) -> Result<bool, &'static str> {
    let transaction = run.transaction.as_ref().ok_or(NO_TRANSACTION)?;
    let core = transaction.lock();
    Ok(core.branches().iter().enumerate().any(|(n, b)| test(n, b)))
}

fn current(run: &Run, test: impl Fn(usize, &Branch<Sip>) -> bool) -> Result<bool, &'static str> {
    let branch: Option<BranchIndex> = run.failure.as_ref().map(|failure| failure.branch);
    let wanted = branch
        .map(usize::from)
        .ok_or("only a failed branch can be asked about")?;
    any(run, |n, branch| n == wanted && test(n, branch))
}

/// `t_check_status` and its like.
#[part(module = "tm")]
pub mod exports {
    use super::{NO_TRANSACTION, answered_before, any, current, status, timed_out};
    use kcc_runtime::declare::{Int, Parsed};
    use kcc_runtime::intrinsics::Icase;
    use kcc_runtime::pattern::{self, Flags};
    use kcc_runtime::run::Run;

    /// True if the status matches `pattern`, a regular expression: in a reply its own, in a
    /// failure route that of the answer that would be forwarded, else that of the last answer
    /// sent. False where there is no transaction.
    ///
    /// ```cfg
    /// failure_route[BUSY] {
    ///     if (t_check_status("486|408")) {
    ///         t_reply("480", "Temporarily Unavailable");
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|onreply")]
    fn t_check_status(run: &mut Run, pattern: Parsed<Icase>) -> Result<bool, String> {
        let status = status(run).ok_or(NO_TRANSACTION)?;
        let digits;
        let text: &[u8] = match status {
            0 => b"0",
            status => {
                digits = [status / 100, status / 10 % 10, status % 10]
                    .map(|digit| b'0' + (digit % 10) as u8);
                &digits
            }
        };
        match pattern {
            Parsed::Constant(pattern) => Ok(pattern.0.is_match(text)),
            Parsed::Text(pattern) => pattern::recent(pattern, Flags { icase: true })
                .map(|pattern| pattern.is_match(text))
                .map_err(|error| error.to_string()),
        }
    }

    /// True if one of the branches was answered with `code` before the answer in hand.
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     if (t_grep_status("486")) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_grep_status(run: &mut Run, code: Int) -> Result<bool, &'static str> {
        any(run, |n, branch| {
            i64::from(branch.received) == code && answered_before(run, n, branch)
        })
    }

    /// True if one of the branches was answered before, the answer in hand not counted.
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     if (!t_any_replied()) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_any_replied(run: &mut Run) -> Result<bool, &'static str> {
        any(run, |n, branch| answered_before(run, n, branch))
    }

    /// True if one of the branches had no final answer in time.
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     if (t_any_timeout()) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_any_timeout(run: &mut Run) -> Result<bool, &'static str> {
        any(run, |_, branch| timed_out(branch))
    }

    /// True if the failed branch was answered before its failure: it rang, say.
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     if (t_branch_timeout() && !t_branch_replied()) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|event")]
    fn t_branch_replied(run: &mut Run) -> Result<bool, &'static str> {
        current(run, |n, branch| answered_before(run, n, branch))
    }

    /// True if the failed branch had no final answer in time.
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     if (t_branch_timeout()) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|event")]
    fn t_branch_timeout(run: &mut Run) -> Result<bool, &'static str> {
        current(run, |_, branch| timed_out(branch))
    }

    /// True if the sender has cancelled the request.
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     if (t_is_canceled()) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_is_canceled(run: &mut Run) -> Result<bool, &'static str> {
        let transaction = run.transaction.as_ref().ok_or(NO_TRANSACTION)?;
        Ok(transaction.lock().is_cancelled())
    }

    /// True if the transaction is past its lifetime (`max_inv_lifetime`, `max_noninv_lifetime`).
    ///
    /// ```cfg
    /// failure_route[F] {
    ///     if (t_is_expired()) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_is_expired(run: &mut Run) -> Result<bool, &'static str> {
        let now = run.worker().now();
        let transaction = run.transaction.as_ref().ok_or(NO_TRANSACTION)?;
        Ok(transaction.lock().is_expired(now))
    }
}
