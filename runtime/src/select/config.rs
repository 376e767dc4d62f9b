//! `@cfg_get` and `@cfg_selected`: the configuration's own parameters; see [`crate::custom`].
//!
//! The compiler finds a parameter by its group and name, and passes its number.

use crate::declare::Index;

/// Selects of the configuration.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use crate::custom::{Selected, read};
    use crate::run::Run;
    use crate::value::{Val, tag};
    use crate::variables::written;

    /// A parameter of the configuration: `@cfg_get.group.name`.
    ///
    /// The value is text, in the instance of the group that `cfg_select()` chose for this message.
    /// A parameter that is not declared is an error when the configuration is read.
    ///
    /// ```cfg
    /// gateway.host = "192.0.2.1" desc "where calls go"
    /// request_route {
    ///     $rd = @cfg_get.gateway.host;
    /// }
    /// ```
    #[pv(name = "@cfg_get")]
    fn cfg_get(run: &mut Run, parameter: i64) -> Option<Val> {
        let value = read(run, parameter, None)?;
        match value.kind() {
            tag::INT => {
                let n = value.data as i64;
                Some(written::<20>(run, format_args!("{n}")))
            }
            _ => Some(value),
        }
    }

    /// The instance of a group of parameters that `cfg_select()` chose for this message; empty
    /// without one: `@cfg_selected.group`.
    #[pv(name = "@cfg_selected")]
    fn cfg_selected(run: &mut Run, group: i64) -> Val {
        match run.locals.get::<Selected>().of(group) {
            Some(instance) => written::<20>(run, format_args!("{instance}")),
            None => Val::str(b""),
        }
    }
}

fn instance_of(index: Index) -> Option<i64> {
    match index {
        Index::At(n) => Some(n),
        _ => None,
    }
}

/// Selects and parameters as variables.
#[kcc_macros::part(module = "pv")]
pub mod variables {
    use super::instance_of;
    use crate::custom::{self, Selected, read};
    use crate::declare::Index;
    use crate::run::Run;
    use crate::value::{Val, Value};

    /// A select as a variable: `$sel(ruri.user)` is `@ruri.user`, but null where that is empty.
    ///
    /// A select that is not known is an error.
    ///
    /// ```cfg
    /// xlog("$sel(via[1].host)\n");
    /// ```
    #[pv(name = "sel")]
    fn sel(_run: &mut Run, value: Value) -> Val {
        match value {
            Value::Str([]) => Val::NULL,
            value => value.into(),
        }
    }

    /// A parameter of the configuration: `$ccp(group.name)`, `$ccp(group[2].name)`.
    ///
    /// An integer or text, as it was declared; in the instance that is written, else in the one that
    /// `cfg_select()` chose. Null where there is no such parameter. Assigning changes it for all
    /// workers.
    ///
    /// ```cfg
    /// limit.calls = 100
    /// request_route {
    ///     $var(left) = $ccp(limit.calls) - 1;
    /// }
    /// ```
    #[pv(name = "ccp")]
    fn ccp(run: &mut Run, parameter: i64, instance: Index) -> Option<Val> {
        read(run, parameter, instance_of(instance))
    }

    #[pv_write("ccp")]
    fn set_ccp(
        run: &mut Run,
        parameter: i64,
        instance: Index,
        value: Value,
    ) -> Result<(), custom::Refused> {
        let instance = instance_of(instance).or_else(|| {
            let group = run.program.custom.group_of(parameter)?;
            run.locals.get::<Selected>().of(group)
        });
        run.program.custom.set(parameter, instance, value)
    }
}
