//! The preprocessor: texts in, one stream of tokens out (language reference part 2).
//!
//! It owns the stack of texts being read (files and define values), the defines, the substitutions
//! and the open conditionals. Directives take effect as they are met, also in the middle of a
//! statement.
//!
//! Invariants: whatever the input, reading ends. Texts are limited in size and number, a define is
//! never expanded inside its own expansion, expansions are limited in number and in bytes, and the
//! tokens are limited in number; beyond a limit one error is reported and reading stops.

mod conditional;
mod defines;
mod directive;
mod evaluate;
mod include;
mod output;
mod remark;
mod subst;

pub use defines::{Define, Defines};

use std::sync::Arc;

use conditional::Conditional;
use output::Output;
use subst::Rule;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::release::Release;
use crate::source::{ExpansionId, SourceLoader, SourceMap, Span, TextOrigin};
use crate::syntax::lexer::{Lexeme, Lexer, Mode, Open};
use crate::syntax::literal;
use crate::syntax::token::{Kind, StrValue, Tokens, VariableText};

/// Most bytes that the main file and all included files may have together.
pub const MAX_SOURCE_BYTES: usize = 16 << 20;
/// Most bytes of define values that may be read by expansions.
const MAX_EXPANDED_BYTES: usize = 16 << 20;
/// Most expansions of defines.
const MAX_EXPANSIONS: usize = 1 << 18;

/// What preprocessing gives.
pub struct Preprocessed {
    /// The tokens.
    pub tokens: Tokens,
    /// The texts.
    pub sources: SourceMap,
    /// The defines as they stand at the end.
    pub defines: Defines,
    /// What was found wrong.
    pub diagnostics: Diagnostics,
    /// True when reading stopped early; the end of the tokens is then not the end of the
    /// configuration.
    pub stopped: bool,
}

/// Reads the configuration that starts with the file `main`. `defines` are those of the command
/// line (`-A NAME[=VALUE]`); the newest release's names are predefined.
pub fn preprocess(
    loader: &dyn SourceLoader,
    main: &str,
    defines: &[(String, Option<String>)],
) -> Preprocessed {
    preprocess_as(Release::default(), loader, main, defines)
}

/// As [`preprocess`], by the rules of `release`.
pub fn preprocess_as(
    release: Release,
    loader: &dyn SourceLoader,
    main: &str,
    defines: &[(String, Option<String>)],
) -> Preprocessed {
    let mut preprocessor = Preprocessor {
        loader,
        release,
        sources: SourceMap::default(),
        diagnostics: Diagnostics::default(),
        defines: Defines::default(),
        rules: Vec::new(),
        conditionals: Vec::new(),
        frames: Vec::new(),
        mode: Mode::default(),
        output: Output::default(),
        file_bytes: 0,
        includes: 0,
        expansions: 0,
        expanded_bytes: 0,
        searched_bytes: 0,
        stopped: false,
    };
    if preprocessor.open_main(main) {
        preprocessor.predefine(defines);
        preprocessor.run();
    }
    Preprocessed {
        tokens: preprocessor.output.finish(),
        sources: preprocessor.sources,
        defines: preprocessor.defines,
        diagnostics: preprocessor.diagnostics,
        stopped: preprocessor.stopped,
    }
}

/// A text being read.
struct Frame {
    lexer: Lexer,
    kind: FrameKind,
}

enum FrameKind {
    /// A file, with the path it was opened by.
    File(String),
    /// The value of the define of that name.
    Expansion(Box<[u8]>),
}

struct Preprocessor<'a> {
    loader: &'a dyn SourceLoader,
    release: Release,
    sources: SourceMap,
    diagnostics: Diagnostics,
    defines: Defines,
    rules: Vec<Rule>,
    conditionals: Vec<Conditional>,
    frames: Vec<Frame>,
    mode: Mode,
    output: Output,
    file_bytes: usize,
    includes: usize,
    expansions: usize,
    expanded_bytes: usize,
    searched_bytes: usize,
    stopped: bool,
}

impl Preprocessor<'_> {
    fn run(&mut self) {
        while !self.stopped {
            let Some(frame) = self.frames.last_mut() else {
                break;
            };
            let (lexeme, span) = frame.lexer.next(self.mode);
            match lexeme {
                Lexeme::End => self.close_frame(),
                Lexeme::Token(Kind::Variable, strict) => self.variable(strict != 0, span),
                Lexeme::Token(kind, value) => self.token(kind, value, span),
                Lexeme::Id => self.identifier(span),
                Lexeme::Str => self.string(span),
                Lexeme::Directive(directive) => self.directive(directive, span),
                Lexeme::Include(kind) => self.include(kind, span),
                Lexeme::Mode(mode) => self.mode = mode,
                Lexeme::Remark(remark) => self.remark(remark, span),
            }
        }
        if !self.stopped {
            self.unclosed_conditionals();
        }
    }

    /// Ends the reading of everything, after an error that leaves no sense in what follows.
    fn stop(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        self.frames.clear();
        self.stopped = true;
    }

    fn token(&mut self, kind: Kind, value: i32, span: Span) {
        if let Err(diagnostic) = self.output.push(kind, value, span) {
            self.stop(diagnostic);
        }
    }

    fn close_frame(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let Some((open, start)) = frame.lexer.open else {
            return;
        };
        let is_file = matches!(frame.kind, FrameKind::File(_));
        match (open, self.frames.last_mut()) {
            (Open::Line, Some(outer)) if !is_file => {
                // The value ended in a comment, and so does the line that uses it.
                outer.lexer.resume(open, start);
            }
            (Open::Line, _) => (),
            (Open::Block(_), outer) => {
                if let Some(outer) = outer {
                    outer.lexer.resume(open, start);
                }
                if is_file {
                    self.diagnostics.push(
                        Diagnostic::warning("unclosed-comment", "this comment is never closed")
                            .label(start, "opened here")
                            .note("comments nest: each `/*` needs a `*/` of its own")
                            .help("close it with `*/`"),
                    );
                }
            }
        }
    }

    fn identifier(&mut self, span: Span) {
        if self.defines.is_empty() || !self.expand(span) {
            let mut span = span;
            let mut kind = Kind::Id;
            if self.output.wants_host()
                && let Some(tail) = self.frames.last_mut().and_then(|f| f.lexer.host_tail())
            {
                span.end = tail.end;
                kind = Kind::Host;
            }
            self.token(kind, 0, span);
        }
    }

    /// Starts reading the value of the define that is named at `span`, if there is one.
    fn expand(&mut self, span: Span) -> bool {
        let name = self.sources.text(span);
        let Some(define) = self.defines.get_entry(name) else {
            return false;
        };
        let name: Box<[u8]> = name.into();
        let text: Box<str> = String::from_utf8_lossy(&name).into();
        if self.is_expanding(&name) {
            let diagnostic = Diagnostic::error(
                "define-cycle",
                format!("the define `{text}` contains itself"),
            )
            .label(span, "expands without end")
            .label(define.defined_at, "defined here")
            .note("a value is read again for further defines, and that leads back to this one")
            .help("rename one of the defines in the circle");
            self.diagnostics.push(diagnostic);
            self.token(Kind::Bad, 0, span);
            return true;
        }
        let Some(value) = define.value_span else {
            return true;
        };
        self.expansions += 1;
        self.expanded_bytes += value.len();
        if self.expansions > MAX_EXPANSIONS || self.expanded_bytes > MAX_EXPANDED_BYTES {
            let diagnostic = Diagnostic::error("too-large", "the defines expand to too much text")
                .label(span, "reading stops here")
                .label(define.defined_at, "this define was being expanded");
            self.stop(diagnostic);
            return true;
        }
        let expansion = self.sources.expand(crate::source::Expansion {
            name: text,
            defined_at: define.defined_at,
            call_site: span,
        });
        if let Some(lexer) = self.lexer_for(value, expansion) {
            self.frames.push(Frame {
                lexer,
                kind: FrameKind::Expansion(name),
            });
        }
        true
    }

    fn is_expanding(&self, name: &[u8]) -> bool {
        self.frames
            .iter()
            .any(|frame| matches!(&frame.kind, FrameKind::Expansion(each) if **each == *name))
    }

    fn lexer_for(&self, part: Span, expansion: ExpansionId) -> Option<Lexer> {
        let file = self.sources.file(self.sources.file_of(part)?);
        let text = Arc::clone(&file.text);
        Some(Lexer::new(text, file.base(), part, expansion))
    }

    /// Reads the string literals that follow the one at `span` directly, and makes one token.
    fn string(&mut self, span: Span) {
        if let Some((value, span)) = self.string_value(span) {
            let index = self.output.tokens.strings.len() as i32;
            if self.output.names_a_module() {
                self.defines.module_loaded(&mut self.sources, &value.value);
            }
            self.output.tokens.strings.push(value);
            self.token(Kind::Str, index, span);
        }
    }

    /// Value of the string literal at `span` with those that merge with it. `None` after an error
    /// that was reported.
    fn string_value(&mut self, span: Span) -> Option<(StrValue, Span)> {
        let mut span = span;
        let mut exact = true;
        let mut value = Vec::new();
        let raw = self.sources.text(span);
        let body = &raw[1..raw.len() - 1];
        if raw[0] == b'\'' {
            value.extend_from_slice(body);
        } else {
            literal::unescape(body, &mut value, |_, _| ());
            while let Some(next) = self.next_merging_string()? {
                let raw = self.sources.text(next);
                literal::unescape(&raw[1..raw.len() - 1], &mut value, |_, _| ());
                exact &= next.expansion == span.expansion;
                span = self.sources.join(span, next);
            }
        }
        exact &= !self.substitute(&mut value, span);
        let value = value.into_boxed_slice();
        Some((StrValue { value, exact }, span))
    }

    /// The double-quoted literal that comes next with only blanks before it. `None` outside if one
    /// begins and does not end, which was reported.
    fn next_merging_string(&mut self) -> Option<Option<Span>> {
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return Some(None);
            };
            if frame.lexer.at_next_string() {
                let (lexeme, span) = frame.lexer.next(self.mode);
                if let Lexeme::Remark(remark) = lexeme {
                    self.remark(remark, span);
                    return None;
                }
                return Some(Some(span));
            }
            // A value that ends with the string merges with what follows its use.
            let ends =
                matches!(frame.kind, FrameKind::Expansion(_)) && frame.lexer.is_blank_to_end();
            if !ends {
                return Some(None);
            }
            self.frames.pop();
        }
    }

    fn variable(&mut self, strict: bool, span: Span) {
        let mut text = self.sources.text(span).to_vec();
        let changed = self.substitute(&mut text, span).then(|| text.into());
        let index = self.output.tokens.variables.len() as i32;
        let text = VariableText { changed, strict };
        self.output.tokens.variables.push(text);
        self.token(Kind::Variable, index, span);
    }

    fn in_expansion(&self) -> bool {
        self.frames
            .last()
            .is_some_and(|frame| matches!(frame.kind, FrameKind::Expansion(_)))
    }

    /// Adds a text that stands in no file and gives its span.
    fn computed(&mut self, name: &str, text: &[u8], origin: TextOrigin) -> Span {
        let id = self.sources.add(name, text, origin, None);
        self.sources.file(id).span()
    }
}

#[cfg(test)]
mod tests;
