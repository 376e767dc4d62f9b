//! `@tm`: the transaction of the message in hand.

use kcc_runtime::declare::ConstantError;
use kcc_runtime::run::Run;
use kcc_runtime::select::{Path, Steps};
use kcc_runtime::value::Val;
use kcc_runtime::variables::decimal;

/// What follows `@tm`.
#[derive(Debug)]
pub enum TransactionPath {
    /// Whether there is one.
    Exists,
    /// `method`
    Method,
    /// `uas.status`
    Status,
    /// `uas.request`
    Request,
    /// `uac.count`
    Count,
    /// `uac.relayed`
    Relayed,
    /// `uac.last_status`
    LastStatus,
    /// `uac[n]` and a part of it.
    Branch(usize, BranchPart),
}

/// A part of a branch.
#[derive(Clone, Copy, Debug)]
pub enum BranchPart {
    /// `status`
    Status,
    /// `uri`
    Uri,
    /// `request`
    Request,
}

impl Path for TransactionPath {
    const NAME: &'static str = "select-tm";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let Some(step) = steps.step()? else {
            return Ok(TransactionPath::Exists);
        };
        if step.is("method") {
            return Ok(TransactionPath::Method);
        }
        if step.is("uas") {
            return match steps.step()? {
                None => Err(steps.incomplete()),
                Some(step) if step.is("status") => Ok(TransactionPath::Status),
                Some(step) if step.is("request") || step.is("req") => Ok(TransactionPath::Request),
                Some(_) => Err(steps.unknown()),
            };
        }
        if !step.is("uac") {
            return Err(steps.unknown());
        }
        let branch = steps.index()?;
        let step = steps.step()?.ok_or_else(|| steps.incomplete())?;
        let Some(branch) = branch else {
            return match step {
                step if step.is("count") => Ok(TransactionPath::Count),
                step if step.is("relayed") => Ok(TransactionPath::Relayed),
                step if step.is("last_status") => Ok(TransactionPath::LastStatus),
                _ => Err(steps.unknown()),
            };
        };
        let branch = usize::try_from(branch).map_err(|_| steps.unknown())?;
        let part = match step {
            step if step.is("status") => BranchPart::Status,
            step if step.is("uri") => BranchPart::Uri,
            step if step.is("request") || step.is("req") => BranchPart::Request,
            _ => return Err(steps.unknown()),
        };
        Ok(TransactionPath::Branch(branch, part))
    }
}

/// The Request-URI of a request as it was sent.
fn uri(request: &[u8]) -> Option<&[u8]> {
    request.split(|byte| *byte == b' ').nth(1)
}

/// What the path leads to, where there is a transaction.
fn read(run: &mut Run, path: &TransactionPath) -> Option<Val> {
    let transaction = run.transaction.clone()?;
    let core = transaction.lock();
    let branches = core.branches();
    let number = match path {
        TransactionPath::Exists => 1,
        TransactionPath::Method => {
            return Some(
                run.scratch
                    .copy(transaction.request().message.method_name()),
            );
        }
        TransactionPath::Request => {
            return Some(run.scratch.copy(transaction.request().message.bytes()));
        }
        TransactionPath::Status => i64::from(core.reply_code()),
        TransactionPath::Count => i64::try_from(branches.len()).ok()?,
        TransactionPath::Relayed => {
            let decided = core.decided();
            let found = branches
                .iter()
                .position(|branch| Some(branch.received) == decided);
            found.and_then(|n| i64::try_from(n).ok()).unwrap_or(-1)
        }
        TransactionPath::LastStatus => {
            let branch = branches.get(usize::from(run.branch?))?;
            i64::from(branch.code)
        }
        TransactionPath::Branch(n, part) => {
            let branch = branches.get(*n)?;
            match part {
                BranchPart::Status => i64::from(branch.received),
                BranchPart::Uri => return Some(run.scratch.copy(uri(&branch.request)?)),
                BranchPart::Request => return Some(run.scratch.copy(&branch.request)),
            }
        }
    };
    Some(run.scratch.copy(decimal(number, &mut [0; 20])))
}

/// Selects of transactions.
#[kcc_macros::part(module = "tm")]
pub mod exports {
    use super::{TransactionPath, read};
    use kcc_runtime::declare::Const;
    use kcc_runtime::run::Run;
    use kcc_runtime::select::Below;
    use kcc_runtime::value::Val;

    /// The transaction of the message: `1` where there is one, else `0`; its parts are null without.
    ///
    /// `method`; `uas.status` the status last sent back, 0 before the first; `uas.request` the request as
    /// received; `uac.count` how many branches there are, `uac.relayed` the one whose answer was
    /// sent back, -1 before; `uac.last_status` of the branch in hand; `uac[n].status` the last one
    /// received, `uac[n].uri`, `uac[n].request` as sent. Branches count from 0.
    ///
    /// ```cfg
    /// if (@tm.uas.status == "200") exit;
    /// ```
    #[pv(name = "@tm")]
    fn tm(run: &mut Run, path: Const<Below<TransactionPath>>) -> Option<Val> {
        match (&path.0, &run.transaction) {
            (TransactionPath::Exists, None) => Some(Val::str(b"0")),
            (path, _) => read(run, path),
        }
    }
}
