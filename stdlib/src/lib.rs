//! Kamailio's modules, one file or folder each, by Kamailio's name.

mod avp_param;
mod cfgutils;
mod core;
mod corex;
pub mod htable;
mod ipops;
mod kex;
mod math;
mod maxfwd;
mod pv;
mod registrar;
mod rr;
mod siputils;
mod sl;
mod textops;
mod textopsx;
mod tls;
mod tm;
mod tmx;
mod usrloc;
mod uuid;
mod websocket;
mod xhttp;
mod xlog;

use kcc_runtime::declare::Module;

/// Every module of the runtime; `core` needs no `loadmodule`.
pub static MODULES: &[&Module] = &[
    &cfgutils::exports::MODULE,
    &core::exports::MODULE,
    &corex::exports::MODULE,
    &htable::exports::MODULE,
    &ipops::exports::MODULE,
    &kex::exports::MODULE,
    &math::exports::MODULE,
    &maxfwd::exports::MODULE,
    &pv::exports::MODULE,
    &registrar::exports::MODULE,
    &rr::exports::MODULE,
    &siputils::exports::MODULE,
    &sl::exports::MODULE,
    &textops::exports::MODULE,
    &textopsx::exports::MODULE,
    &tls::exports::MODULE,
    &tm::exports::MODULE,
    &tmx::exports::MODULE,
    &usrloc::exports::MODULE,
    &uuid::exports::MODULE,
    &websocket::exports::MODULE,
    &xhttp::exports::MODULE,
    &xlog::exports::MODULE,
];

#[cfg(test)]
mod tests {
    use super::MODULES;
    use std::collections::HashSet;

    #[test]
    fn kinds_of_constants_have_names_of_their_own() {
        assert_eq!(kcc_runtime::program::ambiguous_constant(MODULES), None);
    }

    #[test]
    fn symbols_are_unique() {
        let mut seen = HashSet::new();
        for (symbol, _) in MODULES.iter().flat_map(|module| module.symbols()) {
            assert!(seen.insert(symbol), "{symbol}");
        }
    }
}
