//! The `kcc` that the tests run.

use std::path::{Path, PathBuf};

/// The `kcc` of the same build as the running test; `KCC_BINARY` names another.
///
/// # Errors
/// It has not been built.
pub fn kcc() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("KCC_BINARY") {
        return Ok(path.into());
    }
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = test
        .parent()
        .and_then(Path::parent)
        .ok_or("no target folder")?;
    let kcc = folder.join("kcc");
    match kcc.is_file() {
        true => Ok(kcc),
        false => Err(format!("{} is missing: cargo build -p kcc", kcc.display())),
    }
}
