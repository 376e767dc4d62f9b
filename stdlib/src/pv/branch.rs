//! What is done with the branch that `$sbranch` puts together.

use kcc_macros::part;

/// The static branch.
#[part(module = "pv")]
pub mod exports {
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::variables::static_branch::StaticBranch;

    /// Adds the branch of `$sbranch` to the destinations; it stays as it is.
    ///
    /// False where `$sbranch(uri)` is not set, or there are as many branches as `max_branches` allows.
    ///
    /// ```cfg
    /// sbranch_reset();
    /// $sbranch(uri) = "sip:200@192.0.2.7";
    /// sbranch_append();
    /// ```
    #[function(routes = "any")]
    fn sbranch_append(run: &mut Run) -> Result<bool, &'static str> {
        let target = run.locals.get::<StaticBranch>().target.clone();
        if target.uri.get().is_none() {
            return Err("$sbranch(uri) is not set");
        }
        let limit = run.program.settings.branch_limit();
        let branch = run
            .branches
            .push(limit)
            .ok_or("there are as many branches as max_branches allows")?;
        *branch = target;
        Ok(true)
    }

    /// Makes the branch of `$sbranch` the first destination: Request-URI, `$du`, path, socket, flags.
    ///
    /// False where `$sbranch(uri)` is not set.
    ///
    /// ```cfg
    /// sbranch_reset();
    /// $sbranch(uri) = "sip:200@192.0.2.7";
    /// sbranch_set_ruri();
    /// ```
    #[function(routes = "any")]
    fn sbranch_set_ruri(run: &mut Run) -> Result<bool, String> {
        let branch = run.locals.get::<StaticBranch>().target.clone();
        let uri = branch.uri.get().ok_or("$sbranch(uri) is not set")?;
        run.set_uri(uri).map_err(|error| error.to_string())?;
        let target = &mut run.target;
        target.forget_way();
        for (slot, given) in [
            (&mut target.dst_uri, &branch.dst_uri),
            (&mut target.path, &branch.path),
            (&mut target.instance, &branch.instance),
            (&mut target.ruid, &branch.ruid),
            (&mut target.location_ua, &branch.location_ua),
        ] {
            if let Some(text) = given.get() {
                slot.set(text);
            }
        }
        target.socket = branch.socket;
        target.flags = branch.flags;
        target.connection = branch.connection;
        Ok(true)
    }

    /// Empties the branch of `$sbranch`.
    ///
    /// ```cfg
    /// sbranch_reset();
    /// ```
    #[function(routes = "any")]
    fn sbranch_reset(run: &mut Run) -> Verdict {
        run.locals.get::<StaticBranch>().target.clear();
        Verdict::TRUE
    }
}
