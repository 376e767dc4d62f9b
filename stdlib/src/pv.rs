//! Pseudo-variables and transformations (Kamailio `pv`).

mod branch;
mod lists;
mod params;
mod values;

use kcc_runtime::declare::{ParamType, ParamValue, Parse};
use kcc_runtime::run::AvpName;
use kcc_runtime::value::Value;

/// Names for AVPs: `email=s:email_addr;tmp=i:100`. No variable reads them by such a name, in Kamailio
/// either; they are checked.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    /// Whether there are any.
    given: bool,
}

impl ParamValue for Aliases {
    const TYPE: ParamType = ParamType::Str;

    fn assign(&mut self, value: Value<'_>) -> Result<(), String> {
        let Value::Str(text) = value else {
            return Err("name=avp;… is expected".to_owned());
        };
        for alias in text.split(|c| *c == b';') {
            let alias = alias.trim_ascii();
            if alias.is_empty() {
                continue;
            }
            let eq = alias.iter().position(|c| *c == b'=').filter(|eq| *eq > 0);
            let name = eq.and_then(|eq| alias.get(eq + 1..));
            let name = name.ok_or("name=avp;… is expected")?.trim_ascii();
            AvpName::parse(name).map_err(|error| error.message)?;
            self.given = true;
        }
        Ok(())
    }
}

/// Pseudo-variables of the message, the network, time and flags, `$avp`, `$xavp` and its like, `$shv`,
/// and the transformations.
#[kcc_macros::module(
    name = "pv",
    parts(
        kcc_runtime::select::config::variables::PART,
        kcc_runtime::transform::address::exports::PART,
        kcc_runtime::transform::alias::exports::PART,
        kcc_runtime::transform::line::exports::PART,
        kcc_runtime::transform::param::exports::PART,
        kcc_runtime::transform::string::change::exports::PART,
        kcc_runtime::transform::string::cut::exports::PART,
        kcc_runtime::transform::string::digest::exports::PART,
        kcc_runtime::transform::string::encode::exports::PART,
        kcc_runtime::transform::string::escape::exports::PART,
        kcc_runtime::transform::string::measure::exports::PART,
        kcc_runtime::transform::uri::exports::PART,
        kcc_runtime::transform::value::exports::PART,
        kcc_runtime::variables::avp::exports::PART,
        kcc_runtime::variables::body::exports::PART,
        kcc_runtime::variables::branches::exports::PART,
        kcc_runtime::variables::common::exports::PART,
        kcc_runtime::variables::credentials::exports::PART,
        kcc_runtime::variables::flags::exports::PART,
        kcc_runtime::variables::from_to::exports::PART,
        kcc_runtime::variables::header::exports::PART,
        kcc_runtime::variables::network::exports::PART,
        kcc_runtime::variables::next_hop::exports::PART,
        kcc_runtime::variables::process::exports::PART,
        kcc_runtime::variables::request_uri::exports::PART,
        kcc_runtime::variables::sending::exports::PART,
        kcc_runtime::variables::shared::exports::PART,
        kcc_runtime::variables::sockets::exports::PART,
        kcc_runtime::variables::start_line::exports::PART,
        kcc_runtime::variables::static_branch::exports::PART,
        kcc_runtime::variables::statistic::exports::PART,
        kcc_runtime::variables::time::exports::PART,
        kcc_runtime::variables::via::exports::PART,
        kcc_runtime::variables::xavp::exports::PART,
        super::branch::exports::PART,
        super::lists::exports::PART,
        super::params::exports::PART,
        super::values::exports::PART,
    )
)]
pub mod exports {
    use kcc_runtime::declare::List;
    use kcc_runtime::init::Init;
    use kcc_runtime::variables::preset::{Preset, VarPresets};
    use kcc_runtime::variables::shared::SharedVars;

    use super::Aliases;

    /// Parameters.
    #[params]
    pub struct Params {
        /// The first value of a `$shv`: `name=i:5` or `name=s:text`. May be given several times.
        #[param]
        pub shvset: List<Preset>,
        /// The first value of a `$var`: `name=i:5` or `name=s:text`. May be given several times.
        #[param]
        pub varset: List<Preset>,
        /// Names for AVPs: `email=s:email_addr;tmp=i:100`. They are checked and have no effect: no
        /// variable reads an AVP by such a name.
        #[param]
        pub avp_aliases: Aliases,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        let params = init.program.params::<Params>();
        init.shared.provide(SharedVars::new(&params.shvset.0));
        init.shared.provide(VarPresets(params.varset.0.clone()));
        if params.avp_aliases.given {
            kcc_runtime::warn!(
                "pv: avp_aliases has no effect: no variable reads an AVP by an alias"
            );
        }
        Ok(())
    }
}
