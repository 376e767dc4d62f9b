//! Bodies: what kind they are, parts of parts, session descriptions.

pub mod content;
pub mod multipart;
pub mod sdp;

pub use content::{Disposition, MediaType};
pub use multipart::{Multipart, Part};
pub use sdp::Sdp;
