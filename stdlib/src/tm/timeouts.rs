//! How long a transaction lasts: `t_set_fr` and its like. Times are milliseconds.

use kcc_macros::part;
use kcc_runtime::run::Run;
use kcc_runtime::shim::Verdict;
use kcc_runtime::transaction::Timeouts;

/// Changes the durations of the transaction in hand or to come.
fn set(run: &mut Run, change: impl FnOnce(&mut Timeouts, Timeouts)) -> Verdict {
    let defaults = run.worker().server.proxy.timeouts;
    run.arm(|armed| change(&mut armed.timeouts, defaults));
    Verdict::TRUE
}

/// A duration; 0 keeps what there is.
fn given(ms: i64, now: u32) -> Result<u32, &'static str> {
    match u32::try_from(ms) {
        Ok(0) => Ok(now),
        Ok(ms) => Ok(ms),
        Err(_) => Err("this is no time in milliseconds"),
    }
}

/// `t_set_fr` and its like.
#[part(module = "tm")]
pub mod exports {
    use super::{given, set};
    use kcc_runtime::declare::Int;
    use kcc_runtime::proxy::Trying;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// Sets how long this transaction waits for an answer, in milliseconds: `fr_inv` for the final
    /// answer to an INVITE after a provisional one, `fr` for any other. 0 keeps what there is.
    /// Branches that were sent before keep theirs.
    ///
    /// ```cfg
    /// t_set_fr("30000", "3000");
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_set_fr(run: &mut Run, fr_inv: Int, fr: Option<Int>) -> Result<Verdict, &'static str> {
        let now = run.armed().timeouts;
        let fr_inv = given(fr_inv, now.fr_inv_timer)?;
        let fr = given(fr.unwrap_or(0), now.fr_timer)?;
        Ok(set(run, |timeouts, _| {
            (timeouts.fr_inv_timer, timeouts.fr_timer) = (fr_inv, fr);
        }))
    }

    /// Takes `t_set_fr` back.
    ///
    /// ```cfg
    /// t_reset_fr();
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_reset_fr(run: &mut Run) -> Verdict {
        set(run, |timeouts, defaults| {
            timeouts.fr_inv_timer = defaults.fr_inv_timer;
            timeouts.fr_timer = defaults.fr_timer;
        })
    }

    /// Sets the intervals of retransmissions, in milliseconds: the first one and the longest. 0
    /// keeps what there is.
    ///
    /// ```cfg
    /// t_set_retr("300", "2000");
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_set_retr(run: &mut Run, first: Int, longest: Int) -> Result<Verdict, &'static str> {
        let now = run.armed().timeouts;
        let first = given(first, now.retr_timer1)?;
        let longest = given(longest, now.retr_timer2)?;
        Ok(set(run, |timeouts, _| {
            (timeouts.retr_timer1, timeouts.retr_timer2) = (first, longest);
        }))
    }

    /// Takes `t_set_retr` back.
    ///
    /// ```cfg
    /// t_reset_retr();
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_reset_retr(run: &mut Run) -> Verdict {
        set(run, |timeouts, defaults| {
            timeouts.retr_timer1 = defaults.retr_timer1;
            timeouts.retr_timer2 = defaults.retr_timer2;
        })
    }

    /// Sets how long the transaction may last without a final answer, in milliseconds: that of an
    /// INVITE and that of another request. 0 keeps what there is.
    ///
    /// ```cfg
    /// t_set_max_lifetime("60000", "20000");
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_set_max_lifetime(run: &mut Run, invite: Int, other: Int) -> Result<Verdict, &'static str> {
        let now = run.armed().timeouts;
        let invite = given(invite, now.max_inv_lifetime)?;
        let other = given(other, now.max_noninv_lifetime)?;
        Ok(set(run, |timeouts, _| {
            timeouts.max_inv_lifetime = invite;
            timeouts.max_noninv_lifetime = other;
        }))
    }

    /// Takes `t_set_max_lifetime` back.
    ///
    /// ```cfg
    /// t_reset_max_lifetime();
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_reset_max_lifetime(run: &mut Run) -> Verdict {
        set(run, |timeouts, defaults| {
            timeouts.max_inv_lifetime = defaults.max_inv_lifetime;
            timeouts.max_noninv_lifetime = defaults.max_noninv_lifetime;
        })
    }

    /// Whether this INVITE is answered with 100 when it is relayed: 1 or 0.
    ///
    /// ```cfg
    /// t_set_auto_inv_100("0");
    /// ```
    #[function(routes = "request")]
    fn t_set_auto_inv_100(run: &mut Run, on: Int) -> Verdict {
        run.locals.get::<Trying>().0 = Some(on != 0);
        Verdict::TRUE
    }

    /// Whether a 6xx leaves the other branches alone (1) or ends them (0).
    ///
    /// ```cfg
    /// t_set_disable_6xx("1");
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_set_disable_6xx(run: &mut Run, on: Int) -> Verdict {
        run.arm(|armed| armed.disable_6xx = on != 0);
        Verdict::TRUE
    }
}
