//! The statements of the core that are written like calls (`setflag(1)`, `rewritehost("h")`), a
//! file a family. Their arguments are literals: nothing in them is a variable.
//!
//! **Invariant:** a statement that cannot do its work changes nothing, logs why and gives -1.

pub mod branches;
pub mod config;
pub mod exec;
pub mod flags;
pub mod forward;
pub mod log;
pub mod network;
pub mod tests;
pub mod uri;
