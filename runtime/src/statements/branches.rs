//! The further destinations of a request: `remove_branch`, `clear_branches`.

use kcc_macros::part;

/// `remove_branch` and `clear_branches`.
#[part(module = "core")]
pub mod exports {
    use crate::declare::Int;
    use crate::run::Run;
    use crate::shim::Verdict;

    /// Removes the further branch number `branch`, counted from 0; the first one where none is
    /// given. A number that is not there is no error.
    ///
    /// ```cfg
    /// remove_branch(1);
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn remove_branch(run: &mut Run, branch: Option<Int>) -> Verdict {
        if let Ok(branch) = usize::try_from(branch.unwrap_or(0)) {
            run.branches.remove(branch);
        }
        Verdict::TRUE
    }

    /// Removes all further branches.
    ///
    /// ```cfg
    /// clear_branches();
    /// ```
    #[function(routes = "request|failure|onreply|branch|error|local|branch_failure|event")]
    fn clear_branches(run: &mut Run) -> Verdict {
        run.branches.clear();
        Verdict::TRUE
    }
}
