//! What the behaviour tests and the load generator share.

pub mod built;
pub mod folder;
pub mod options;
pub mod port;
pub mod program;
pub mod server;
