//! The front end on small configurations: each `tests/syntax/NAME.cfg` must give what stands in
//! `NAME.expected`, the findings as a person sees them.
//!
//! `KCC_BLESS=1` writes the expected files anew; look at the difference before you keep it.

use std::path::{Path, PathBuf};

use kcc::diagnostic::render_text;
use kcc::source::{LoadError, SourceLoader};
use kcc::syntax::parse;

/// Reads files beside the test data.
struct Beside(PathBuf);

impl SourceLoader for Beside {
    fn load(&self, path: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        match std::fs::read(self.0.join(path)) {
            Ok(text) if text.len() > limit => Err(LoadError::TooLarge),
            Ok(text) => Ok(text),
            Err(_) => Err(LoadError::NotFound),
        }
    }

    fn environment(&self, name: &str) -> Option<Vec<u8>> {
        (name == "KTV").then(|| b"77".to_vec())
    }
}

#[test]
fn findings_are_as_expected() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax");
    let bless = std::env::var_os("KCC_BLESS").is_some();
    let mut names: Vec<String> = std::fs::read_dir(&directory)
        .expect("the test data")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".cfg").map(str::to_owned))
        .collect();
    names.sort();
    let mut failures = Vec::new();
    for name in &names {
        let parsed = parse(&Beside(directory.clone()), &format!("{name}.cfg"), &[]);
        let mut found = render_text(&parsed.diagnostics, &parsed.sources, false);
        if found.is_empty() {
            found = "nothing found\n".to_owned();
        }
        let path = directory.join(format!("{name}.expected"));
        if bless {
            std::fs::write(&path, &found).expect("the expected file can be written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            failures.push(format!("{name}.cfg gives\n{found}\nand not\n{expected}"));
        }
    }
    assert!(!names.is_empty());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
