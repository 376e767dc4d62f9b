//! Kamailio's modules, one file or folder each, by Kamailio's name.

mod avp_param;
mod core;
mod pv;
mod rr;

use kcc_runtime::declare::Module;

/// Every module of the runtime; `core` needs no `loadmodule`.
pub static MODULES: &[&Module] = &[
    &core::exports::MODULE,
    &pv::exports::MODULE,
    &rr::exports::MODULE,
];
