//! The SIP engine that programs compiled by kcc run on.
//!
//! It knows no compiler: it gets a [`program::Program`] and agrees with its code on [`abi`].

// The macros name this crate from inside it, too.
extern crate self as kcc_runtime;

pub mod abi;
pub mod arena;
pub mod command;
pub mod custom;
pub mod declare;
pub mod dns;
pub mod engine;
pub mod fiber;
pub mod image;
pub mod init;
pub mod intrinsics;
pub mod local;
pub mod log;
pub mod message;
pub mod pattern;
pub mod program;
pub mod proxy;
pub mod run;
pub mod select;
pub mod server;
pub mod settings;
pub mod shim;
pub mod sim;
pub mod statements;
pub mod transaction;
pub mod transform;
pub mod transport;
pub mod unwind;
pub mod value;
pub mod variables;
pub mod worker;
