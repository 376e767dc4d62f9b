//! The server as a command: Kamailio's options, the background, serving until a signal.
//!
//! It serves `kcc run`, `kcc` under the name of `kamailio`, and standalone executables alike.

mod apply;
mod daemon;
mod options;
mod serve;
mod standalone;

pub use apply::apply;
pub use options::{Options, parse};
pub use serve::run;
pub use standalone::main;
