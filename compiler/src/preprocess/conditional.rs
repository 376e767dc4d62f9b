//! `#!ifdef`, `#!ifndef`, `#!ifexp`, `#!else`, `#!endif` (language reference §2.2).

use super::{FrameKind, Preprocessor};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::lexer::blank_prefix;

/// An open conditional.
pub(super) struct Conditional {
    /// The directive that opened it.
    opened: Span,
    /// Its `#!else`, once it was met.
    otherwise: Option<Span>,
}

/// How far skipping went.
enum Skipped {
    /// To an `#!else` of the conditional being skipped.
    Else(Span),
    /// To its `#!endif`.
    EndIf,
    /// To the end of everything.
    All,
}

impl Preprocessor<'_> {
    /// Opens a conditional and skips its text when the condition does not hold.
    pub(super) fn conditional(&mut self, opened: Span, holds: bool) {
        let most = self.release.conditionals();
        if self.conditionals.len() >= most {
            self.stop(
                Diagnostic::error("too-deep", "too many conditionals are nested")
                    .label(opened, format!("this is number {}", most + 1)),
            );
            return;
        }
        self.conditionals.push(Conditional {
            opened,
            otherwise: None,
        });
        if !holds {
            match self.skip() {
                Skipped::Else(span) => self.note_else(span),
                Skipped::EndIf => {
                    self.conditionals.pop();
                }
                Skipped::All => (),
            }
        }
    }

    /// An `#!else` met while the text before it was read: the text after it is skipped.
    pub(super) fn otherwise(&mut self, span: Span) {
        if self.conditionals.is_empty() {
            self.diagnostics.push(
                Diagnostic::warning("stray-else", "`#!else` without `#!ifdef`")
                    .label(span, "belongs to no conditional")
                    .help("remove it, or add the `#!ifdef` that it should turn"),
            );
            return;
        }
        self.note_else(span);
        match self.skip() {
            // A second one turns the conditional once more.
            Skipped::Else(again) => self.note_else(again),
            Skipped::EndIf => {
                self.conditionals.pop();
            }
            Skipped::All => (),
        }
    }

    fn note_else(&mut self, span: Span) {
        let Some(conditional) = self.conditionals.last_mut() else {
            return;
        };
        if let Some(first) = conditional.otherwise {
            self.diagnostics.push(
                Diagnostic::warning("stray-else", "a second `#!else` in one conditional")
                    .label(span, "turns the condition once more")
                    .label(first, "first")
                    .label(conditional.opened, "of this conditional"),
            );
        }
        conditional.otherwise = Some(span);
    }

    /// An `#!endif` met while reading.
    pub(super) fn end_if(&mut self, span: Span) {
        if self.conditionals.pop().is_none() {
            self.diagnostics.push(
                Diagnostic::error("stray-endif", "`#!endif` without `#!ifdef`")
                    .label(span, "belongs to no conditional")
                    .help("remove it, or add the `#!ifdef` that it should end"),
            );
        }
    }

    /// Reports the conditionals that are open at the end.
    pub(super) fn unclosed_conditionals(&mut self) {
        for conditional in std::mem::take(&mut self.conditionals) {
            self.diagnostics.push(
                Diagnostic::error("unclosed-conditional", "this conditional has no `#!endif`")
                    .label(conditional.opened, "opened here")
                    .note("`#!endif` counts only with nothing but blanks up to the line feed")
                    .help("add a line with `#!endif`"),
            );
        }
    }

    /// Passes text up to the `#!else` or `#!endif` of the innermost conditional. Comments and
    /// strings are not looked at; a conditional begun in a file may end in the one that includes it.
    fn skip(&mut self) -> Skipped {
        let mut depth = 0usize;
        while let Some(frame) = self.frames.last_mut() {
            if let FrameKind::Expansion(_) = frame.kind {
                self.frames.pop();
                continue;
            }
            let lexer = &mut frame.lexer;
            let Some(found) = find_directive(lexer.rest()) else {
                self.frames.pop();
                continue;
            };
            lexer.advance(found.at);
            let span = lexer.advance(2 + found.word.len());
            match found.word {
                "else" if depth == 0 => return Skipped::Else(span),
                "else" => (),
                "endif" if depth == 0 => return Skipped::EndIf,
                "endif" => depth -= 1,
                _ => depth += 1,
            }
        }
        Skipped::All
    }
}

struct Found {
    at: usize,
    word: &'static str,
}

/// The first directive in `text` that opens, turns or ends a conditional.
fn find_directive(text: &[u8]) -> Option<Found> {
    for at in memchr::memchr_iter(b'!', text) {
        let Some(start) = at.checked_sub(1) else {
            continue;
        };
        if !matches!(text[start], b'#' | b'!') {
            continue;
        }
        let rest = &text[at + 1..];
        for word in ["ifdef", "ifndef", "ifexp", "else", "endif"] {
            let Some(after) = rest.strip_prefix(word.as_bytes()) else {
                continue;
            };
            let blanks = blank_prefix(after, false);
            let counts = match word {
                "else" | "endif" => after.get(blanks) == Some(&b'\n'),
                _ => blanks > 0,
            };
            if counts {
                return Some(Found { at: start, word });
            }
        }
    }
    None
}
