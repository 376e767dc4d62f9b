//! The SIP engine that programs compiled by kcc run on.
//!
//! It knows no compiler: it gets a [`program::Program`] and agrees with its code on [`abi`].

// The macros name this crate from inside it, too.
extern crate self as kcc_runtime;

pub mod abi;
pub mod arena;
pub mod declare;
pub mod fiber;
pub mod image;
pub mod init;
pub mod intrinsics;
pub mod log;
pub mod message;
pub mod pattern;
pub mod program;
pub mod run;
pub mod settings;
pub mod shim;
pub mod transport;
pub mod unwind;
pub mod value;
pub mod transaction;
