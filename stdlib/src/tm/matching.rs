//! Which transaction a message belongs to: `t_newtran`, `t_check_trans` and their like.

use kcc_macros::part;
use kcc_runtime::proxy;
use kcc_runtime::run::Run;
use kcc_runtime::shim::Verdict;
use kcc_sip::Method;

/// What `t_check_trans()` makes of the request in hand.
fn check_request(run: &mut Run) -> Verdict {
    let worker = run.worker().clone();
    match run.message.method() {
        Method::Cancel => run.lookup_invite().is_some().into(),
        Method::Ack => {
            let Some(invite) = run.lookup_invite() else {
                return Verdict::FALSE;
            };
            let (absorbed, actions) = invite.acknowledge(worker.now());
            proxy::perform(&worker, &invite, actions, None);
            Verdict::Code(i64::from(!absorbed))
        }
        _ if run.transaction.is_some() => Verdict::TRUE,
        _ => match run.lookup() {
            Some(transaction) => {
                let actions = transaction.request_again(worker.now());
                proxy::perform(&worker, &transaction, actions, None);
                Verdict::Code(0)
            }
            None => Verdict::FALSE,
        },
    }
}

/// `t_newtran` and its like.
#[part(module = "tm")]
pub mod exports {
    use super::check_request;
    use kcc_runtime::proxy::Creation;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_sip::Method;

    /// Makes a transaction for the request, so that retransmissions are absorbed from here on. A
    /// retransmission ends the script. -10 where there is a transaction already, -400 where the
    /// Request-URI is malformed.
    ///
    /// ```cfg
    /// if (t_newtran()) {
    ///     t_reply("404", "Not Found");
    /// }
    /// ```
    #[function(routes = "request")]
    fn t_newtran(run: &mut Run) -> Verdict {
        if run.transaction.is_some() {
            return Verdict::Code(-10);
        }
        if run.message.method() == Method::Ack {
            return Verdict::TRUE;
        }
        match run.create_transaction() {
            Creation::Ready => Verdict::TRUE,
            Creation::Retransmission => Verdict::Code(0),
            Creation::NotPossible => Verdict::FALSE,
            Creation::BadUri => Verdict::Code(-400),
        }
    }

    /// Whether the message belongs to a transaction. For a CANCEL true if its INVITE is here. A
    /// retransmission is answered again and ends the script, as does an ACK to a failure answer;
    /// an ACK to a 2xx of this branch is true. In a reply true if it is to a branch of ours.
    ///
    /// ```cfg
    /// if (is_method("CANCEL")) {
    ///     if (t_check_trans()) {
    ///         t_relay();
    ///     }
    ///     exit;
    /// }
    /// t_check_trans();
    /// ```
    #[function(routes = "request|onreply|branch")]
    fn t_check_trans(run: &mut Run) -> Verdict {
        if run.message.is_request() {
            check_request(run)
        } else {
            (run.transaction.is_some() || run.is_to_transaction()).into()
        }
    }

    /// True if the request has a transaction: it is a retransmission, or the script made one.
    ///
    /// ```cfg
    /// if (t_lookup_request()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request")]
    fn t_lookup_request(run: &mut Run) -> bool {
        run.transaction.is_some()
            || match run.message.method() {
                Method::Ack => run.lookup_invite().is_some(),
                _ => run.lookup().is_some(),
            }
    }

    /// True if the request is a CANCEL whose INVITE is here.
    ///
    /// ```cfg
    /// if (is_method("CANCEL") && !t_lookup_cancel()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request")]
    fn t_lookup_cancel(run: &mut Run) -> Result<bool, &'static str> {
        if run.message.method() != Method::Cancel {
            return Err("this is no CANCEL");
        }
        Ok(run.lookup_invite().is_some())
    }
}
