//! What the compiler has to say about a configuration: errors, warnings and notes with places.
//!
//! The rest of the compiler makes [`Diagnostic`]s and drops them into a [`Diagnostics`]; only the
//! renderers know what a terminal or a JSON reader wants. A message says what is wrong and where;
//! its notes say why; its help is the way out.

mod json;
mod nearest;
mod text;

pub use json::render_json;
pub use nearest::nearest;
pub use text::render_text;

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Information without judgement.
    Note,
    /// The configuration runs, but likely not as meant.
    Warning,
    /// The configuration is refused.
    Error,
}

impl Severity {
    /// The word shown for it.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of finding, in words joined by dashes: `unterminated-string`. Stable between
    /// versions.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Places; the first is the place of the finding, the others explain it.
    pub labels: Vec<Label>,
    /// Why it is wrong.
    pub notes: Vec<String>,
    /// The way out.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding of the given severity without a place.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            code,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message)
    }

    /// Adds a place. The first one added is the place of the finding.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a reason.
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// Sets the way out.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// The place of the finding, if it has one.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// Collects findings. Errors and warnings beyond [`LIMIT`](Self::LIMIT) of each are counted, not
/// kept, so that a file of nonsense costs bounded memory and is readable.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    errors: usize,
    others: usize,
}

impl Diagnostics {
    /// Most errors kept; the same number of warnings and notes is kept beside them.
    pub const LIMIT: usize = 50;

    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let count = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning | Severity::Note => &mut self.others,
        };
        *count += 1;
        if *count <= Self::LIMIT {
            self.kept.push(diagnostic);
        }
    }

    /// Adds all findings of another collection.
    pub fn append(&mut self, other: Diagnostics) {
        let dropped_errors = other.errors.saturating_sub(Self::LIMIT);
        let dropped_others = other.others.saturating_sub(Self::LIMIT);
        for diagnostic in other.kept {
            self.push(diagnostic);
        }
        self.errors += dropped_errors;
        self.others += dropped_others;
    }

    /// The findings kept, in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.kept.iter()
    }

    /// True when at least one error was added.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// True when no more errors are kept; a pass may then stop.
    pub fn is_full(&self) -> bool {
        self.errors >= Self::LIMIT
    }

    /// Number of errors added, kept or not.
    pub fn error_count(&self) -> usize {
        self.errors
    }

    /// Number of errors that were not kept.
    pub fn dropped_errors(&self) -> usize {
        self.errors.saturating_sub(Self::LIMIT)
    }

    /// The findings kept, sorted by place; findings without a place come first.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.kept.iter().collect();
        sorted.sort_by_key(|diagnostic| diagnostic.span().map(|span| span.start));
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_the_limit_are_counted_only() {
        let mut sink = Diagnostics::default();
        for n in 0..70 {
            sink.push(Diagnostic::error("test", n.to_string()));
        }
        sink.push(Diagnostic::warning("test", "kept"));
        assert_eq!(sink.iter().count(), 51);
        assert_eq!((sink.error_count(), sink.dropped_errors()), (70, 20));
        let mut all = Diagnostics::default();
        all.append(sink);
        assert_eq!(all.error_count(), 70);
    }
}
