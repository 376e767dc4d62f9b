//! The declaration macros of kcc's builtins.
//!
//! `#[module(name = "…")]` on an inline Rust module makes a module of the language from the items
//! in it, `#[part]` a part of one that has several files. Inside them:
//!
//! | attribute | on | makes |
//! |---|---|---|
//! | `#[function(routes = "…", name = "…", aliases("…"), guard = f, waits)]` | `fn` or `async fn` | a function |
//! | `#[pv(name = "…", aliases("…"))]` | `fn` | a pseudo-variable: its reader |
//! | `#[pv_int("…")]`, `#[pv_write("…")]` | `fn` | the reader of its hidden integer, its writer |
//! | `#[transformation("class.name", null)]` | `fn` | a transformation |
//! | `#[params]` with `#[param(default = …, name = "…")]` | `struct`, its fields | parameters |
//! | `#[event("module:name")]` | `static` of type `Event` | an event: what runs `event_route[module:name]` |
//! | `#[init]` | `fn` | what runs once at the start |
//!
//! An `async fn` waits without keeping the worker. It runs on the worker's stack and must not run
//! scripts; a `fn` that does and waits by `run.link().wait(…)` says `waits`.
//!
//! The doc comments are the manual. The first parameter of each `fn` is the run; the types of the
//! others say what stands in the configuration: `kcc_runtime::declare::Arg`.

mod function;
mod input;
mod module;
mod params;
mod pv;
mod transformation;

use proc_macro::TokenStream;

/// A module of the language: `#[module(name = "textops", parts(search::PART))]`.
#[proc_macro_attribute]
pub fn module(attribute: TokenStream, item: TokenStream) -> TokenStream {
    module::expand(attribute.into(), item.into(), true).into()
}

/// A part of a module that has several: `#[part(module = "pv")]`; it makes a static `PART`.
#[proc_macro_attribute]
pub fn part(attribute: TokenStream, item: TokenStream) -> TokenStream {
    module::expand(attribute.into(), item.into(), false).into()
}
