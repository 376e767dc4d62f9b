//! Relaying a request on the branches of its transaction (RFC 3261 §16.6).

use bytes::Bytes;
use kcc_sip::Method;

use crate::abi::status;
use crate::declare::Routes;
use crate::proxy::destination::routing_uri;
use crate::proxy::{Creation, ForwardError, NextHop, NextHopError, Transaction, perform};
use crate::run::Run;
use crate::transaction::BranchError;
use crate::transport::SocketId;

/// What `t_relay()` and its like are told.
#[derive(Clone, Debug, Default)]
pub struct RelayOptions {
    /// Where to, in place of what the target says.
    pub hop: Option<NextHop>,
    /// Do not answer when nothing could be sent (flag 0x02).
    pub no_error_reply: bool,
}

/// Why nothing was relayed.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// No destination.
    #[error(transparent)]
    NextHop(#[from] NextHopError),
    /// A branch cannot be added or started.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// Stateless forwarding of an ACK failed.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// The branch route dropped every branch.
    #[error("no branch is left to send")]
    NoBranch,
    /// Nothing that can be built.
    #[error("the request cannot be built")]
    Build,
    /// The request lacks what identifies a transaction.
    #[error("the request has no usable Via, Call-ID or CSeq")]
    NoTransaction,
}

impl RelayError {
    /// The code that `t_relay()` returns.
    pub fn code(&self) -> i64 {
        match self {
            RelayError::NextHop(_) => -7,
            RelayError::NoBranch => -6,
            RelayError::Branch(BranchError::Full) => -3,
            _ => -1,
        }
    }

    /// Status and reason of the answer.
    fn answer(&self) -> (u16, &'static [u8]) {
        match self {
            RelayError::NextHop(_) => (478, b"Unresolvable destination (478/TM)"),
            RelayError::NoBranch => (500, b"I'm terribly sorry, server error occurred (6/TM)"),
            _ => (500, b"I'm terribly sorry, server error occurred (1/TM)"),
        }
    }
}

impl Run {
    /// Relays the request in hand, making its transaction where there is none. The answer is the
    /// code of `t_relay()`: 1 relayed, 0 a retransmission that was absorbed.
    ///
    /// # Errors
    /// See [`RelayError`]; the request was then answered unless the options say otherwise.
    pub async fn relay(&mut self, options: RelayOptions) -> Result<i64, RelayError> {
        match self.message.method() {
            Method::Ack => return self.relay_ack(options).await,
            Method::Cancel => {
                if let Some(invite) = self.lookup_invite() {
                    return Ok(self.cancel(&invite));
                }
            }
            _ => {}
        }
        match self.create_transaction() {
            Creation::Ready => {}
            Creation::Retransmission => return Ok(0),
            Creation::NotPossible => return Err(RelayError::NoTransaction),
        }
        match self.relay_branches(&options).await {
            Ok(()) => Ok(1),
            Err(error) => {
                self.report(&error);
                if !options.no_error_reply && self.kind != Routes::FAILURE {
                    let (code, reason) = error.answer();
                    self.reply_in_transaction(code, reason);
                }
                Err(error)
            }
        }
    }

    async fn relay_ack(&mut self, options: RelayOptions) -> Result<i64, RelayError> {
        if let Some(invite) = self.lookup_invite() {
            let worker = self.worker().clone();
            let (absorbed, actions) = invite.acknowledge(worker.now());
            perform(&worker, &invite, actions, None);
            if absorbed {
                return Ok(0);
            }
        }
        self.forward(options.hop).await?;
        Ok(1)
    }

    /// Cancels the branches of `invite` for the CANCEL in hand, and answers it.
    fn cancel(&mut self, invite: &Transaction) -> i64 {
        if self.create_transaction() == Creation::Retransmission {
            return 0;
        }
        let worker = self.worker().clone();
        let pending = !invite.lock().branches().is_empty();
        perform(&worker, invite, invite.cancel(), None);
        self.reply_in_transaction(200, b"canceling");
        if !pending {
            let none = crate::message::Edits::new();
            let actions = super::respond::make(&worker, invite, 487, b"Request Terminated", &none);
            perform(&worker, invite, actions, None);
        }
        1
    }

    async fn relay_branches(&mut self, options: &RelayOptions) -> Result<(), RelayError> {
        self.keep_request_state();
        let mut sent = 0;
        let mut failure = None;
        let extra = self.branches.as_slice().len();
        for branch in 0..=extra {
            if branch > 0 {
                self.swap_target(branch - 1);
            }
            match self.relay_branch(options).await {
                Ok(true) => sent += 1,
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
            if branch > 0 {
                self.swap_target(branch - 1);
            }
        }
        self.branches.clear();
        self.branch = None;
        match (sent, failure) {
            (0, Some(error)) => Err(error),
            (0, None) => Err(RelayError::NoBranch),
            (_, Some(error)) => {
                self.report(&error);
                Ok(())
            }
            (_, None) => Ok(()),
        }
    }

    fn swap_target(&mut self, branch: usize) {
        if let Some(other) = self.branches.as_mut_slice().get_mut(branch) {
            std::mem::swap(&mut self.target, other);
        }
    }

    /// What further branches of failure routes start from.
    fn keep_request_state(&mut self) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        if self.kind == Routes::FAILURE {
            return;
        }
        let mut core = transaction.lock();
        let script = &mut core.settings.script;
        script.force_rport = self.force_rport;
        script.edits.clone_from(&self.edits);
        script.uri = self.target.uri.get().map(Into::into);
        script.record_route.clone_from(&self.record_route);
    }

    /// Sends the request on one branch; false where the branch route dropped it.
    async fn relay_branch(&mut self, options: &RelayOptions) -> Result<bool, RelayError> {
        let Some(transaction) = self.transaction.clone() else {
            return Err(RelayError::NoTransaction);
        };
        self.branch_edits.clear();
        if !self.run_branch_route(&transaction) {
            return Ok(false);
        }
        let hop = match &options.hop {
            Some(hop) => hop.clone(),
            None => NextHop::of(routing_uri(&self.target, &self.message))?,
        };
        let forced: Option<SocketId> = self.target.socket;
        let destination = self.locate(&hop, forced).await?;
        self.add_hop_headers(&destination);
        let worker = self.worker().clone();
        let limit = self.program.settings.branch_limit();
        let reliable = destination.protocol.reliable();
        let branch = transaction.add_branch(destination, reliable, limit)?;
        let request = worker.with_buffer(|buffer| {
            let param = transaction.id().branch_param(branch);
            worker
                .with_buffer(|text| {
                    use std::io::Write as _;
                    // Writing into a `Vec` does not fail.
                    let _ = write!(text, "{param}");
                    self.build_request(&destination, text, buffer)
                })
                .then(|| Bytes::copy_from_slice(buffer))
        });
        let request = request.ok_or(RelayError::Build)?;
        let actions = transaction.start(branch, request, worker.now())?;
        perform(&worker, &transaction, actions, None);
        Ok(true)
    }

    /// Runs the armed branch route; false where it dropped the branch.
    fn run_branch_route(&mut self, transaction: &Transaction) -> bool {
        let (route, count) = {
            let core = transaction.lock();
            (core.settings.handlers.on_branch, core.branches().len())
        };
        self.branch = u8::try_from(count).ok();
        let Some(route) = route else { return true };
        let kind = self.kind;
        let outcome = self.enter(Routes::BRANCH, route);
        self.kind = kind;
        outcome.status != status::DROP
    }
}
