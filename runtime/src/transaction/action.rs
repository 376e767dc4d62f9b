//! What a step of a transaction asks the integration layer to do, in the order given.
//!
//! Invariant: an action names things (a branch, a handler) and carries no buffer; buffers are
//! read from the transaction when the action is done.

use smallvec::SmallVec;

/// The number of a branch in its transaction, 0 to [`super::MAX_BRANCHES`] − 1.
pub type BranchIndex = u8;

/// A route that a script armed, as the program numbers it.
pub type RouteId = u32;

/// The actions of one step. They stay inline for up to eight.
pub type Actions = SmallVec<[Action; 8]>;

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send the branch's request buffer to its destination, first or again.
    SendRequest {
        /// Which branch.
        branch: BranchIndex,
    },
    /// Build the ACK of the failure answer just received and send it where the request went.
    SendAck {
        /// Which branch.
        branch: BranchIndex,
    },
    /// Build the CANCEL of the branch's request and hand it to
    /// [`super::Transaction::cancel_built`].
    BuildCancel {
        /// Which branch.
        branch: BranchIndex,
    },
    /// Send the branch's CANCEL buffer, first or again.
    SendCancel {
        /// Which branch.
        branch: BranchIndex,
    },
    /// Send the stored answer to the request's sender, first or again.
    SendReply,
    /// Build the upstream form of the provisional answer at hand and hand it to
    /// [`super::Transaction::respond`].
    ForwardProvisional {
        /// Where it came from.
        branch: BranchIndex,
        /// Its status, 101 to 199.
        code: u16,
    },
    /// Build the upstream form of a final answer and hand it to [`super::Transaction::respond`].
    ///
    /// A 2xx is the answer at hand. Any other is the one stored in the branch
    /// ([`super::Branch::reply`]); if none is stored the answer is made here, with this status.
    /// Turning 503 into 500 and merging challenges is the builder's part.
    ForwardFinal {
        /// Where it came from.
        branch: BranchIndex,
        /// Its status, 200 to 699.
        code: u16,
    },
    /// Run `event_route[tm:branch-failure:…]`, then call
    /// [`super::Transaction::branch_failure_done`].
    RunBranchFailure {
        /// The handler.
        route: RouteId,
        /// The branch that failed.
        branch: BranchIndex,
        /// Its status, 300 to 699.
        code: u16,
    },
    /// All branches failed: run the failure route, then call
    /// [`super::Transaction::failure_done`].
    RunFailure {
        /// The handler.
        route: RouteId,
        /// The branch whose answer would be forwarded.
        branch: BranchIndex,
        /// Its status, 300 to 699.
        code: u16,
    },
    /// Call [`super::Transaction::wake`] at this time (milliseconds). It replaces the later wakes
    /// asked for before; those may as well be left to run, for a replaced wake does nothing. With
    /// several workers leave them: the actions of two steps may be done in the other order.
    Wake {
        /// When.
        at: u64,
    },
    /// Nothing more will happen: remove the transaction from its table. Always the last.
    Terminated,
}
