//! Findings for people, with the source lines they are about.
//!
//! Places in macro expansions are shown where the define is used and in its value, and files that
//! were included say from where. Source text is shown with control characters and bytes that are not UTF-8 replaced,
//! and only a part of a very long line, so that a hostile file cannot write to a terminal what it
//! likes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use codespan_reporting::diagnostic as codespan;
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term;

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::{ExpansionId, FileId, SourceMap, Span, TextOrigin};

/// Bytes of a line shown before and after a label when the line is longer than both.
const WINDOW: usize = 160;

/// Renders all findings, sorted by place, and a closing line when some were not kept.
///
/// With `color`, the text has ANSI escape sequences.
pub fn render_text(diagnostics: &Diagnostics, sources: &SourceMap, color: bool) -> String {
    let mut out = String::new();
    let mut texts = Texts::default();
    for diagnostic in diagnostics.sorted() {
        render_one(diagnostic, sources, &mut texts, color, &mut out);
    }
    let dropped = diagnostics.dropped_errors();
    if dropped > 0 {
        let _ = writeln!(out, "and {dropped} more errors");
    }
    out
}

/// Source texts made fit for display, one for each file shown. Every byte keeps its offset.
#[derive(Default)]
struct Texts(HashMap<FileId, String>);

impl Texts {
    fn prepare(&mut self, sources: &SourceMap, id: FileId) {
        self.0.entry(id).or_insert_with(|| {
            let mut bytes = sources.file(id).text.to_vec();
            for byte in &mut bytes {
                match *byte {
                    b'\n' | b'\t' => (),
                    b'\r' => *byte = b' ',
                    0..=0x1f | 0x7f => *byte = b'?',
                    _ => (),
                }
            }
            match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => error
                    .into_bytes()
                    .into_iter()
                    .map(|byte| if byte.is_ascii() { byte as char } else { '?' })
                    .collect(),
            }
        });
    }
}

fn render_one(
    diagnostic: &Diagnostic,
    sources: &SourceMap,
    texts: &mut Texts,
    color: bool,
    out: &mut String,
) {
    let mut notes = diagnostic.notes.clone();
    let in_value = diagnostic
        .labels
        .first()
        .and_then(|label| value_place(sources, label.span));
    if let Some(id) = in_value.and_then(|span| sources.file_of(span)) {
        texts.prepare(sources, id);
    }
    for (index, label) in diagnostic.labels.iter().enumerate() {
        if let Some(id) = sources.file_of(sources.call_site(label.span)) {
            texts.prepare(sources, id);
        }
        if index == 0 {
            notes.extend(origin_notes(sources, label.span));
        }
    }
    if let Some(help) = &diagnostic.help {
        notes.push(format!("help: {help}"));
    }

    let mut view = View {
        sources,
        texts,
        windows: HashMap::new(),
    };
    let mut labels: Vec<_> = diagnostic
        .labels
        .iter()
        .enumerate()
        .filter_map(|(index, label)| {
            let (id, range) = view.show(sources.call_site(label.span))?;
            let style = if index == 0 {
                codespan::LabelStyle::Primary
            } else {
                codespan::LabelStyle::Secondary
            };
            Some(codespan::Label::new(style, id, range).with_message(&label.text))
        })
        .collect();
    if let Some((id, range)) = in_value.and_then(|span| view.show(span)) {
        labels.push(codespan::Label::secondary(id, range).with_message("in the define"));
    }
    let severity = match diagnostic.severity {
        Severity::Note => codespan::Severity::Note,
        Severity::Warning => codespan::Severity::Warning,
        Severity::Error => codespan::Severity::Error,
    };
    let shown = codespan::Diagnostic::new(severity)
        .with_code(diagnostic.code)
        .with_message(&diagnostic.message)
        .with_labels(labels)
        .with_notes(notes);

    let config = term::Config {
        chars: term::Chars::ascii(),
        ..term::Config::default()
    };
    let rendered = if color {
        let mut buffer = term::termcolor::Ansi::new(Vec::new());
        term::emit_to_write_style(&mut buffer, &config, &view, &shown)
            .map(|()| String::from_utf8_lossy(&buffer.into_inner()).into_owned())
    } else {
        term::emit_into_string(&config, &view, &shown)
    };
    match rendered {
        Ok(text) => out.push_str(&text),
        // Without its excerpt a finding is still worth its line.
        Err(_) => {
            let _ = writeln!(
                out,
                "{}[{}]: {}",
                diagnostic.severity.word(),
                diagnostic.code,
                diagnostic.message
            );
        }
    }
}

/// Where the text at `span` stands in the value of the define that it came from, if a file has it.
fn value_place(sources: &SourceMap, span: Span) -> Option<Span> {
    sources.expansion(span.expansion)?;
    let place = Span {
        expansion: ExpansionId::NONE,
        ..span
    };
    let file = sources.file(sources.file_of(place)?);
    (file.origin == TextOrigin::File).then_some(place)
}

/// How the text at `span` got there: through which defines, and through which includes.
pub(super) fn origin_notes(sources: &SourceMap, span: Span) -> Vec<String> {
    let mut notes = Vec::new();
    for expansion in sources.expansions(span).take(8) {
        notes.push(format!(
            "in the expansion of `{}`, defined at {}",
            expansion.name,
            place_text(sources, expansion.defined_at)
        ));
    }
    let mut outer = sources.call_site(span);
    while let Some(from) = sources
        .file_of(outer)
        .and_then(|id| sources.file(id).included_from)
    {
        notes.push(format!("included from {}", place_text(sources, from)));
        outer = sources.call_site(from);
    }
    notes
}

/// `file:line` of the start of `span`.
fn place_text(sources: &SourceMap, span: Span) -> String {
    match sources.literal_place(span) {
        Some(place) => {
            let file = sources.file(place.file);
            if file.origin == TextOrigin::File {
                format!("{}:{}", file.name, place.line)
            } else {
                file.name.clone()
            }
        }
        None => "an unknown place".to_owned(),
    }
}

/// The files as one finding shows them.
struct View<'a> {
    sources: &'a SourceMap,
    texts: &'a Texts,
    /// Shown part of lines that are too long to be shown whole.
    windows: HashMap<(FileId, usize), Range<usize>>,
}

impl View<'_> {
    fn text(&self, id: FileId) -> Result<&str, Error> {
        self.texts
            .0
            .get(&id)
            .map(String::as_str)
            .ok_or(Error::FileMissing)
    }

    /// The whole line without its line feed.
    fn full_line(&self, id: FileId, line_index: usize) -> Range<usize> {
        let file = self.sources.file(id);
        let start = file.line_start(line_index) as usize;
        let mut end = file.line_start(line_index + 1) as usize;
        if end > start && file.text.get(end - 1) == Some(&b'\n') {
            end -= 1;
        }
        start..end
    }

    /// Range of `span` in its file, cut to its first line and to what is shown of that line.
    fn show(&mut self, span: Span) -> Option<(FileId, Range<usize>)> {
        let id = self.sources.file_of(span)?;
        let file = self.sources.file(id);
        let text = self.texts.0.get(&id)?;
        let start = (span.start - file.base()) as usize;
        let line_index = file.line_index(start as u32);
        let line = self.full_line(id, line_index);
        let start = start.min(line.end);
        let end = (span.end.saturating_sub(file.base()) as usize).clamp(start, line.end);
        let shown = if line.len() > 2 * WINDOW {
            self.windows
                .entry((id, line_index))
                .or_insert_with(|| {
                    let from = start.saturating_sub(WINDOW).max(line.start);
                    let to = (start + WINDOW).min(line.end);
                    floor(text, from)..floor(text, to)
                })
                .clone()
        } else {
            line
        };
        let start = floor(text, start.clamp(shown.start, shown.end));
        let end = floor(text, end.clamp(start, shown.end));
        Some((id, start..end))
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

impl<'a> Files<'a> for View<'_> {
    type FileId = FileId;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: FileId) -> Result<&'a str, Error> {
        Ok(&self.sources.file(id).name)
    }

    fn source(&'a self, id: FileId) -> Result<&'a str, Error> {
        self.text(id)
    }

    fn line_index(&'a self, id: FileId, byte_index: usize) -> Result<usize, Error> {
        Ok(self.sources.file(id).line_index(byte_index as u32))
    }

    fn column_number(
        &'a self,
        id: FileId,
        line_index: usize,
        byte_index: usize,
    ) -> Result<usize, Error> {
        let line = self.full_line(id, line_index);
        Ok(byte_index.saturating_sub(line.start) + 1)
    }

    fn line_range(&'a self, id: FileId, line_index: usize) -> Result<Range<usize>, Error> {
        let file = self.sources.file(id);
        if line_index >= file.line_count() {
            return Err(Error::LineTooLarge {
                given: line_index,
                max: file.line_count(),
            });
        }
        let line = self.full_line(id, line_index);
        if let Some(window) = self.windows.get(&(id, line_index)) {
            return Ok(window.clone());
        }
        let text = self.text(id)?;
        let end = floor(text, line.end.min(line.start + 2 * WINDOW));
        Ok(line.start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_in_part_and_controls_are_replaced() {
        let mut sources = SourceMap::default();
        let mut text = vec![b'a'; 100_000];
        text[50_000] = b'X';
        text[50_001] = 0x1b;
        text[50_002] = 0xff;
        sources.add("long.cfg", text, TextOrigin::File, None);
        let mut sink = Diagnostics::default();
        sink.push(Diagnostic::error("test", "here").label(Span::new(50_000, 50_001), "this"));
        let shown = render_text(&sink, &sources, false);
        assert!(shown.len() < 2000, "{shown}");
        assert!(shown.contains("long.cfg:1:50001"), "{shown}");
        assert!(shown.contains("aX??a"), "{shown}");
    }

    #[test]
    fn includes_and_expansions_are_named() {
        let mut sources = SourceMap::default();
        sources.add(
            "main.cfg",
            *b"include_file \"a.cfg\"\n",
            TextOrigin::File,
            None,
        );
        let inner = *b"#!define X 5\nX\n";
        let id = sources.add("a.cfg", inner, TextOrigin::File, Some(Span::new(0, 12)));
        let base = sources.file(id).base();
        let expansion = sources.expand(crate::source::Expansion {
            name: "X".into(),
            defined_at: Span::new(base + 9, base + 10),
            call_site: Span::new(base + 13, base + 14),
        });
        let span = Span {
            expansion,
            ..Span::new(base + 11, base + 12)
        };
        let mut sink = Diagnostics::default();
        sink.push(
            Diagnostic::error("test", "wrong")
                .label(span, "this")
                .help("do not"),
        );
        let shown = render_text(&sink, &sources, false);
        for part in [
            "a.cfg:2:1",
            "2 | X\n",
            "1 | #!define X 5\n",
            "in the expansion of `X`, defined at a.cfg:1",
            "included from main.cfg:1",
            "help: do not",
        ] {
            assert!(shown.contains(part), "{part} is missing in:\n{shown}");
        }
    }
}
