//! `include_file` and `import_file` (language reference §2.6), and the main file.

use super::{Frame, FrameKind, MAX_SOURCE_BYTES, Preprocessor};
use crate::diagnostic::Diagnostic;
use crate::source::{ExpansionId, LoadError, Span, TextOrigin};
use crate::syntax::lexer::{IncludeKind, blank_prefix};

/// Most files that may be inside one another, the main file not counted, as in Kamailio.
const MAX_DEPTH: usize = 10;
/// Most includes in one configuration.
const MAX_INCLUDES: usize = 10_000;
/// Longest name of an included file, as in Kamailio.
const MAX_NAME: usize = 128;

/// Place of a byte that shows that `text` is no text: any NUL, or the first control character when
/// there are many of them at the start.
fn first_binary_byte(text: &[u8]) -> Option<usize> {
    if let Some(at) = memchr::memchr(0, text) {
        return Some(at);
    }
    let head = &text[..text.len().min(4096)];
    let control = |byte: &u8| *byte < b' ' && !matches!(byte, 7..=13 | 27);
    let count = head.iter().filter(|byte| control(byte)).count();
    if count * 20 > head.len() {
        return head.iter().position(control);
    }
    None
}

/// Number of blanks at the start of `line`, and length of the name after them, with its quotes.
fn quoted_name(line: &[u8]) -> Option<(usize, usize)> {
    let blanks = blank_prefix(line, false);
    let quoted = line[blanks..].strip_prefix(b"\"")?;
    let length = memchr::memchr(b'"', quoted)?;
    let name = &quoted[..length];
    let bad = |byte: &u8| matches!(byte, b' ' | b'\t' | b';');
    let after = quoted.get(length + 1);
    let ends = after.is_none_or(u8::is_ascii_whitespace);
    let good = !name.is_empty() && name.len() <= MAX_NAME && !name.iter().any(bad) && ends;
    good.then_some((blanks, length + 2))
}

impl Preprocessor<'_> {
    /// Opens the main file. False if it cannot be read, which was reported.
    pub(super) fn open_main(&mut self, path: &str) -> bool {
        let shown = if path == "-" { "standard input" } else { path };
        match self.loader.load(path, MAX_SOURCE_BYTES) {
            Ok(text) => self.open(path.to_owned(), text, None),
            Err(error) => {
                self.stop(Diagnostic::error(
                    "unreadable-file",
                    format!("cannot read {shown}: {error}"),
                ));
                false
            }
        }
    }

    /// Puts a file on the stack. False if it is refused, which was reported.
    fn open(&mut self, path: String, text: Vec<u8>, from: Option<Span>) -> bool {
        self.file_bytes += text.len();
        if self.file_bytes > MAX_SOURCE_BYTES {
            let mut diagnostic = Diagnostic::error(
                "too-large",
                format!(
                    "the configuration is larger than {} MB",
                    MAX_SOURCE_BYTES >> 20
                ),
            );
            if let Some(from) = from {
                diagnostic = diagnostic.label(from, "this file goes beyond it");
            }
            self.stop(diagnostic);
            return false;
        }
        let binary = first_binary_byte(&text);
        let id = self
            .sources
            .add(path.as_str(), text, TextOrigin::File, from);
        let part = self.sources.file(id).span();
        if let Some(at) = binary {
            self.stop(
                Diagnostic::error("binary-file", format!("{path} is not a text file"))
                    .label(part.sub(at, at + 1), "a byte that no text has")
                    .help("give the path of a configuration file"),
            );
            return false;
        }
        if let Some(lexer) = self.lexer_for(part, ExpansionId::NONE) {
            self.frames.push(Frame {
                lexer,
                kind: FrameKind::File(path),
            });
        }
        true
    }

    /// At the name after `include_file` or `import_file`; `word` is the place of that word.
    pub(super) fn include(&mut self, kind: IncludeKind, word: Span) {
        if self.in_expansion() {
            self.diagnostics.push(
                Diagnostic::error("include-in-define", "a define cannot include a file")
                    .label(word, "comes from a define"),
            );
            self.frames.pop();
            return;
        }
        let Some((name, span)) = self.include_name() else {
            self.diagnostics.push(
                Diagnostic::error("bad-include", "a file name in double quotes is expected")
                    .label(word, "after this")
                    .note(
                        "the name has no blanks and no `;` after it, and cannot come from a define",
                    )
                    .help("write: include_file \"name.cfg\""),
            );
            return;
        };
        self.includes += 1;
        let depth = self.frames.len();
        if depth > MAX_DEPTH || self.includes > MAX_INCLUDES {
            let message = if depth > MAX_DEPTH {
                format!("files are included more than {MAX_DEPTH} deep")
            } else {
                format!("more than {MAX_INCLUDES} files are included")
            };
            self.stop(Diagnostic::error("too-deep", message).label(span, "not read"));
            return;
        }
        let place = Span {
            end: span.end,
            ..word
        };
        self.include_named(kind, &name, span, place);
    }

    /// Reads the quoted name on this line, substitutions applied. Without one the line is passed.
    fn include_name(&mut self) -> Option<(String, Span)> {
        let lexer = &mut self.frames.last_mut()?.lexer;
        // The name may stand on a later line.
        let blanks = blank_prefix(lexer.rest(), true);
        if lexer.rest().get(blanks) == Some(&b'"') {
            lexer.advance(blanks);
        }
        let line = &lexer.rest()[..lexer.line_length()];
        let Some((blanks, length)) = quoted_name(line) else {
            let length = line.len();
            lexer.advance(length);
            return None;
        };
        lexer.advance(blanks);
        let span = lexer.advance(length);
        let quoted = self.sources.text(span);
        let mut value = Vec::new();
        let mut rest = &quoted[1..quoted.len() - 1];
        while let [byte, after @ ..] = rest {
            let (byte, after) = match (byte, after) {
                (b'\\', [b't', after @ ..]) => (b'\t', after),
                (b'\\', [b'n', after @ ..]) => (b'\n', after),
                (b'\\', [b'r', after @ ..]) => (b'\r', after),
                _ => (*byte, after),
            };
            value.push(byte);
            rest = after;
        }
        self.substitute(&mut value, span);
        Some((String::from_utf8_lossy(&value).into_owned(), span))
    }

    fn include_named(&mut self, kind: IncludeKind, name: &str, span: Span, place: Span) {
        let mut paths = vec![name.to_owned()];
        if let Some(directory) = self.including_directory()
            && !name.starts_with('/')
        {
            paths.push(format!("{directory}/{name}"));
        }
        let left = MAX_SOURCE_BYTES - self.file_bytes.min(MAX_SOURCE_BYTES);
        let mut failure = LoadError::NotFound;
        for path in &paths {
            match self.loader.load(path, left) {
                Ok(text) => {
                    if self.is_open(path) {
                        self.diagnostics.push(
                            Diagnostic::error("include-loop", format!("{path} includes itself"))
                                .label(span, "is being read already")
                                .help("remove this include"),
                        );
                        return;
                    }
                    self.open(path.clone(), text, Some(place));
                    return;
                }
                Err(LoadError::NotFound) => (),
                Err(error) => {
                    failure = error;
                    break;
                }
            }
        }
        if kind == IncludeKind::Import && failure == LoadError::NotFound {
            return;
        }
        let mut diagnostic =
            Diagnostic::error("unreadable-file", format!("cannot read {name}: {failure}"))
                .label(span, "included here");
        if failure == LoadError::NotFound {
            diagnostic = diagnostic
                .note(format!("looked for {}", paths.join(" and ")))
                .help("use `import_file` for a file that may be missing");
        }
        self.diagnostics.push(diagnostic);
    }

    /// Directory of the innermost file, if its path has one.
    fn including_directory(&self) -> Option<&str> {
        self.frames
            .iter()
            .rev()
            .find_map(|frame| match &frame.kind {
                FrameKind::File(path) => {
                    Some(path.rsplit_once('/').map(|(directory, _)| directory))
                }
                FrameKind::Expansion(_) => None,
            })?
    }

    fn is_open(&self, path: &str) -> bool {
        self.frames
            .iter()
            .any(|frame| matches!(&frame.kind, FrameKind::File(open) if open == path))
    }
}
