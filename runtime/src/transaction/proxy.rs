//! The response context of RFC 3261 §16.7: what the answers of the branches come to. A 2xx goes
//! on at once and cancels the others, a 6xx cancels them and waits, failures are picked from when
//! all have come, and the failure route is run before one is forwarded.
//!
//! Invariant: at most one final answer is decided, but for further 2xx to an INVITE. Once one is,
//! no branch keeps the transaction for longer than `fr_timer`.

use bytes::Bytes;

use super::action::{Action, Actions, BranchIndex};
use super::branch::{Branch, Cancel};
use super::state::{Core, Failing, ask_cancel};
use super::{Payload, pick};

impl<P: Payload> Core<P> {
    /// The branch whose answer would be forwarded now; `None` while one is pending.
    pub fn winner(&self) -> Option<(BranchIndex, u16)> {
        let leg = self.branches.get(self.leg..).unwrap_or_default();
        let (from, considered) = if leg.iter().any(Branch::is_started) {
            (self.leg, leg)
        } else {
            (0, &*self.branches)
        };
        let best = pick::pick(
            considered
                .iter()
                .map(|branch| branch.is_started().then_some(branch.code)),
        )?;
        // MAX_BRANCHES is below 256.
        let index = (from + best) as BranchIndex;
        Some((index, considered.get(best)?.code))
    }

    /// Takes an answer, or with `message` absent the failure of a branch, into the context.
    pub(crate) fn relay(
        &mut self,
        index: BranchIndex,
        code: u16,
        message: Option<P::Message>,
        now: u64,
        actions: &mut Actions,
    ) {
        let invite = self.server.is_invite();
        let Some(branch) = self.branches.get_mut(usize::from(index)) else {
            return;
        };
        match code {
            ..200 => {
                if branch.code >= 200 {
                    return;
                }
                branch.code = code;
                // Whoever cancels has no use for it.
                let cancelled = !matches!(branch.cancel, Cancel::No);
                if self.decided == 0 && !cancelled && (code > 100 || self.settings.relay_100) {
                    actions.push(Action::ForwardProvisional {
                        branch: index,
                        code,
                    });
                }
            }
            200..300 => {
                if !invite && (branch.code >= 200 || self.decided != 0) {
                    return;
                }
                branch.code = code;
                branch.request = Bytes::new();
                self.forward_final(index, code, now, actions);
            }
            300.. => {
                if branch.code >= 200 {
                    return;
                }
                branch.code = code;
                branch.reply = message.map(Box::new);
                let handler = branch.on_branch_failure.take();
                if code >= 600 && invite && !self.settings.disable_6xx {
                    self.cancel_pending(Some(index), actions);
                }
                if self.decided != 0 {
                    return;
                }
                match handler {
                    Some(route) => actions.push(Action::RunBranchFailure {
                        route,
                        branch: index,
                        code,
                    }),
                    None => self.conclude(now, actions),
                }
            }
        }
    }

    /// If all branches have failed: runs the failure route, or forwards the best answer.
    pub(crate) fn conclude(&mut self, now: u64, actions: &mut Actions) {
        if self.decided != 0 || self.failing.is_some() {
            return;
        }
        let Some((branch, code)) = self.winner() else {
            return;
        };
        match self.settings.handlers.on_failure.take() {
            Some(route) => {
                self.failing = Some(Failing {
                    branches: self.branches.len(),
                });
                actions.push(Action::RunFailure {
                    route,
                    branch,
                    code,
                });
            }
            None => self.forward_final(branch, code, now, actions),
        }
    }

    /// The failure route has ended.
    pub(crate) fn failure_done(&mut self, now: u64, actions: &mut Actions) {
        let Some(failing) = self.failing.take() else {
            return;
        };
        let forked = self
            .branches
            .iter()
            .skip(failing.branches)
            .any(Branch::is_started);
        if forked {
            self.conclude(now, actions);
        } else if self.decided == 0
            && let Some((branch, code)) = self.winner()
        {
            self.forward_final(branch, code, now, actions);
        }
    }

    pub(super) fn forward_final(
        &mut self,
        index: BranchIndex,
        code: u16,
        now: u64,
        actions: &mut Actions,
    ) {
        let local = code >= 300
            && self
                .branches
                .get(usize::from(index))
                .is_none_or(|branch| branch.reply.is_none());
        let code = if local && code == 408 && self.cancelled {
            487
        } else {
            code
        };
        self.decided = code;
        actions.push(Action::ForwardFinal {
            branch: index,
            code,
        });
        self.settle_branches(now, actions);
    }

    /// A final answer is decided: nothing that is still pending is of use.
    pub(super) fn settle_branches(&mut self, now: u64, actions: &mut Actions) {
        if self.server.is_invite() {
            self.cancel_pending(None, actions);
            // RFC 3261 §9.1: a cancelled request is given up when no final answer follows.
            let limit = now.saturating_add(u64::from(self.settings.timeouts.fr_timer));
            for branch in &mut self.branches {
                branch.client.hush();
                branch.limit = branch.limit.min(limit);
                branch.client.bound(branch.limit);
            }
        } else {
            for branch in &mut self.branches {
                branch.client.stop();
            }
        }
    }

    /// Cancels every pending branch but `except`: at once where a provisional answer has come,
    /// else when it comes.
    pub(crate) fn cancel_pending(&mut self, except: Option<BranchIndex>, actions: &mut Actions) {
        if !self.server.is_invite() {
            return;
        }
        for (index, branch) in (0..).zip(&mut self.branches) {
            if Some(index) != except {
                cancel_branch(index, branch, actions);
            }
        }
    }

    pub(crate) fn cancel_one(&mut self, index: BranchIndex, actions: &mut Actions) {
        if !self.server.is_invite() {
            return;
        }
        if let Some(branch) = self.branches.get_mut(usize::from(index)) {
            cancel_branch(index, branch, actions);
        }
    }

    /// The sender's CANCEL came. True if the request was still open.
    pub(crate) fn cancel(&mut self, actions: &mut Actions) -> bool {
        if self.decided != 0 || self.terminated || !self.server.is_invite() {
            return false;
        }
        self.cancelled = true;
        self.cancel_pending(None, actions);
        true
    }

    /// Decides the answer of a transaction whose scripts have not come to one in time. False if
    /// it has nothing to forward, or was told before and nothing was sent.
    pub(super) fn answer_late(&mut self, now: u64, actions: &mut Actions) -> bool {
        if self.decided != 0 {
            return false;
        }
        let unanswered = (0..)
            .zip(&self.branches)
            .find(|(_, branch)| branch.is_started() && branch.reply.is_none())
            .map(|(index, _)| (index, 408));
        let Some((branch, code)) = unanswered.or_else(|| self.winner()) else {
            return false;
        };
        self.lifetime_at = now;
        self.forward_final(branch, code, now, actions);
        true
    }
}

fn cancel_branch<P: Payload>(index: BranchIndex, branch: &mut Branch<P>, actions: &mut Actions) {
    if branch.client.is_proceeding() {
        ask_cancel(index, branch, actions);
    } else if branch.client.is_pending() && matches!(branch.cancel, Cancel::No) {
        branch.cancel = Cancel::Waiting;
    }
}
