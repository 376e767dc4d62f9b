//! Which routes a transaction runs: `t_on_failure` and its like.

use kcc_macros::part;
use kcc_runtime::declare::{ConstantError, Parse, RouteRef};
use kcc_runtime::run::Run;
use kcc_runtime::transaction::RouteId;

/// The route's number; `None` for a name that no block has, which disarms.
fn number<const KIND: u16>(route: RouteRef<KIND>) -> Option<RouteId> {
    Some(route.0).filter(|route| *route != u32::MAX)
}

/// What `t_is_set` asks about.
#[derive(Debug)]
pub enum Target {
    /// `branch_route`
    Branch,
    /// `failure_route`
    Failure,
    /// `onreply_route`
    Reply,
    /// `branch_failure_route`
    BranchFailure,
}

impl Parse for Target {
    const NAME: &'static str = "t_is_set-target";
    const WHAT: &'static str = "branch_route, failure_route, onreply_route or branch_failure";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            b"branch_route" => Ok(Target::Branch),
            b"failure_route" => Ok(Target::Failure),
            b"onreply_route" => Ok(Target::Reply),
            b"branch_failure" | b"branch_failure_route" => Ok(Target::BranchFailure),
            _ => Err(ConstantError::new(format!("expected {}", Self::WHAT))),
        }
    }
}

fn is_set(run: &Run, target: &Target) -> bool {
    let handlers = run.armed().handlers;
    match target {
        Target::Branch => handlers.on_branch,
        Target::Failure => handlers.on_failure,
        Target::Reply => handlers.on_reply,
        Target::BranchFailure => handlers.on_branch_failure,
    }
    .is_some()
}

/// `t_on_failure` and its like.
#[part(module = "tm")]
pub mod exports {
    use super::{Target, is_set, number};
    use kcc_runtime::declare::{Const, RouteRef, Routes};
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// Arms `failure_route[route]`: it runs when all branches have failed. It is disarmed when it
    /// runs; arm it again there for further branches. The name `"0"` disarms.
    ///
    /// ```cfg
    /// request_route {
    ///     t_on_failure("BUSY");
    ///     t_relay();
    /// }
    /// failure_route[BUSY] {
    ///     t_reply("480", "Temporarily Unavailable");
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_on_failure(run: &mut Run, route: RouteRef<{ Routes::FAILURE.0 }>) -> Verdict {
        run.arm(|armed| armed.handlers.on_failure = number(route));
        Verdict::TRUE
    }

    /// Arms `branch_route[route]`: it runs for each branch before its request is sent. The name
    /// `"0"` disarms.
    ///
    /// ```cfg
    /// request_route {
    ///     t_on_branch("EACH");
    ///     t_relay();
    /// }
    /// branch_route[EACH] {
    ///     xlog("L_INFO", "to $ru\n");
    /// }
    /// ```
    #[function(routes = "request|failure")]
    fn t_on_branch(run: &mut Run, route: RouteRef<{ Routes::BRANCH.0 }>) -> Verdict {
        run.arm(|armed| armed.handlers.on_branch = number(route));
        Verdict::TRUE
    }

    /// Arms `onreply_route[route]`: it runs for each answer to the branches to come. The name
    /// `"0"` disarms.
    ///
    /// ```cfg
    /// request_route {
    ///     t_on_reply("ANSWER");
    ///     t_relay();
    /// }
    /// onreply_route[ANSWER] {
    ///     xlog("L_INFO", "answered $rs\n");
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_on_reply(run: &mut Run, route: RouteRef<{ Routes::TM_ONREPLY.0 }>) -> Verdict {
        run.arm(|armed| armed.handlers.on_reply = number(route));
        Verdict::TRUE
    }

    /// Arms `event_route[tm:branch-failure:route]`: it runs when one of the branches to come has
    /// failed. The name `"0"` disarms.
    ///
    /// ```cfg
    /// request_route {
    ///     t_on_branch_failure("one");
    ///     t_relay();
    /// }
    /// event_route[tm:branch-failure:one] {
    ///     xlog("L_INFO", "a branch failed\n");
    /// }
    /// ```
    #[function(routes = "request|failure|tm_onreply|branch")]
    fn t_on_branch_failure(
        run: &mut Run,
        route: RouteRef<{ Routes::BRANCH_FAILURE.0 }>,
    ) -> Verdict {
        run.arm(|armed| armed.handlers.on_branch_failure = number(route));
        Verdict::TRUE
    }

    /// True if a route of the kind `target` is armed: `branch_route`, `failure_route`,
    /// `onreply_route` or `branch_failure`.
    ///
    /// ```cfg
    /// if (!t_is_set("failure_route")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn t_is_set(run: &mut Run, target: Const<Target>) -> bool {
        is_set(run, &target)
    }
}
