//! The server: what its workers share.

/// What a module may set up when the server starts.
pub struct Init<'a> {
    /// The program that will run.
    pub program: &'a crate::program::Program,
}
