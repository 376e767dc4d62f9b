//! Kamailio's modules, one file or folder each, by Kamailio's name.

mod avp_param;
mod core;
mod maxfwd;
mod pv;
mod rr;
mod siputils;
mod sl;
mod textops;
mod tm;
mod xlog;

use kcc_runtime::declare::Module;

/// Every module of the runtime; `core` needs no `loadmodule`.
pub static MODULES: &[&Module] = &[
    &core::exports::MODULE,
    &maxfwd::exports::MODULE,
    &pv::exports::MODULE,
    &rr::exports::MODULE,
    &siputils::exports::MODULE,
    &sl::exports::MODULE,
    &textops::exports::MODULE,
    &tm::exports::MODULE,
    &xlog::exports::MODULE,
];
