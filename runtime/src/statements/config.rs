//! Instances of groups of parameters, chosen for one message; see [`crate::custom`].

use kcc_macros::part;

/// `cfg_select` and `cfg_reset`.
#[part(module = "core")]
pub mod exports {
    use crate::custom::Selected;
    use crate::run::Run;

    /// Chooses instance `instance` of a group of parameters for this message: `@cfg_get` then gives
    /// the values of `group[instance].name`. An error where the group has no such instance.
    ///
    /// ```cfg
    /// gateway.host = "192.0.2.1"
    /// gateway[2].host = "192.0.2.2"
    /// request_route {
    ///     cfg_select("gateway", 2);
    ///     $rd = @cfg_get.gateway.host;
    /// }
    /// ```
    #[function(routes = "any")]
    fn cfg_select(run: &mut Run, group: i64, instance: i64) -> Result<bool, String> {
        if !run.program.custom.has_instance(group, instance) {
            return Err(format!("the group has no instance {instance}"));
        }
        let selected = run.locals.get::<Selected>();
        selected.choose(group, Some(instance));
        Ok(true)
    }

    /// Goes back to the values of the group itself.
    ///
    /// ```cfg
    /// gateway.host = "192.0.2.1"
    /// request_route {
    ///     cfg_reset("gateway");
    /// }
    /// ```
    #[function(routes = "any")]
    fn cfg_reset(run: &mut Run, group: i64) -> bool {
        run.locals.get::<Selected>().choose(group, None);
        true
    }
}
