//! The table of texts and of macro expansions.

use std::sync::Arc;

use super::{ExpansionId, Span};

/// Number of a text in its [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

impl FileId {
    /// Index of the text, in order of addition; the main file is the first that is read.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a text came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOrigin {
    /// A file, or standard input.
    File,
    /// A define given by `-A`.
    CommandLine,
    /// A value taken from the environment by `#!defenv` and its kin.
    Environment,
    /// A value computed by a directive, or predefined.
    Computed,
}

/// One text: a file or a define value that stands in no file.
#[derive(Debug)]
pub struct SourceFile {
    /// Path as it was opened, or a name in angle brackets for other texts.
    pub name: String,
    /// The bytes; any bytes, not necessarily UTF-8.
    pub text: Arc<[u8]>,
    /// Where it came from.
    pub origin: TextOrigin,
    /// The `include_file` or `import_file` statement that brought it in.
    pub included_from: Option<Span>,
    base: u32,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// Position of the first byte.
    pub const fn base(&self) -> u32 {
        self.base
    }

    /// Span of the whole text.
    pub fn span(&self) -> Span {
        Span::new(self.base, self.base + self.text.len() as u32)
    }

    /// Number of lines, at least 1.
    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    /// Line of the byte at `offset` in this text, counted from 0.
    pub fn line_index(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|&start| start <= offset) - 1
    }

    /// Offset in this text of the first byte of a line counted from 0; the text's length past the
    /// last line.
    pub fn line_start(&self, line_index: usize) -> u32 {
        self.line_starts
            .get(line_index)
            .copied()
            .unwrap_or(self.text.len() as u32)
    }
}

/// One use of a define.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The define's name.
    pub name: Box<str>,
    /// Where the define was made.
    pub defined_at: Span,
    /// The identifier that was replaced; it may itself stand in another expansion.
    pub call_site: Span,
}

/// A place for people: file, line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub file: FileId,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in bytes, counted from 1.
    pub column: u32,
}

/// All texts of a configuration and all expansions made while reading them.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    expansions: Vec<Expansion>,
}

impl SourceMap {
    /// Most bytes that all texts together may have.
    pub const CAPACITY: usize = 1 << 30;

    /// Adds a text. The caller keeps the sum of all texts below [`CAPACITY`](Self::CAPACITY).
    pub fn add(
        &mut self,
        name: impl Into<String>,
        text: impl Into<Arc<[u8]>>,
        origin: TextOrigin,
        included_from: Option<Span>,
    ) -> FileId {
        let text: Arc<[u8]> = text.into();
        // One position more than the text has bytes, so that the end of a file is a place of its
        // own and differs from the start of the next.
        let base = self
            .files
            .last()
            .map_or(0, |file| file.base + file.text.len() as u32 + 1);
        let line_starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', &text).map(|at| at as u32 + 1))
            .collect();
        self.files.push(SourceFile {
            name: name.into(),
            text,
            origin,
            included_from,
            base,
            line_starts,
        });
        FileId(self.files.len() as u32 - 1)
    }

    /// Notes an expansion and gives its number.
    pub fn expand(&mut self, expansion: Expansion) -> ExpansionId {
        self.expansions.push(expansion);
        ExpansionId(self.expansions.len() as u32)
    }

    /// The texts in order of addition.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// One text.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    /// Bytes in all texts together.
    pub fn total_bytes(&self) -> usize {
        self.files
            .last()
            .map_or(0, |file| file.base as usize + file.text.len())
    }

    /// The text that holds the start of `span`. `None` only for a span of another map.
    pub fn file_of(&self, span: Span) -> Option<FileId> {
        let index = self
            .files
            .partition_point(|file| file.base <= span.start)
            .checked_sub(1)?;
        Some(FileId(index as u32))
    }

    /// The bytes of `span`; empty if the span is not of this map.
    pub fn text(&self, span: Span) -> &[u8] {
        let Some(id) = self.file_of(span) else {
            return &[];
        };
        let file = self.file(id);
        let start = (span.start - file.base) as usize;
        let end = (span.end.saturating_sub(file.base) as usize).min(file.text.len());
        file.text.get(start..end).unwrap_or(&[])
    }

    /// The expansion with this number.
    pub fn expansion(&self, id: ExpansionId) -> Option<&Expansion> {
        self.expansions.get((id.0 as usize).checked_sub(1)?)
    }

    /// The expansions `span` came through, innermost first.
    pub fn expansions(&self, span: Span) -> impl Iterator<Item = &Expansion> {
        let mut next = span.expansion;
        std::iter::from_fn(move || {
            let expansion = self.expansion(next)?;
            next = expansion.call_site.expansion;
            Some(expansion)
        })
    }

    /// The span in a file for which `span` stands: itself, or the outermost use of a define.
    pub fn call_site(&self, span: Span) -> Span {
        self.expansions(span)
            .last()
            .map_or(span, |expansion| expansion.call_site)
    }

    /// File, line and column of the start of `span`, at the outermost use of a define. Debug
    /// information and log lines use this place.
    pub fn place(&self, span: Span) -> Option<Place> {
        self.literal_place(self.call_site(span))
    }

    /// File, line and column of the start of `span` where its bytes stand, expansions not followed.
    pub fn literal_place(&self, span: Span) -> Option<Place> {
        let id = self.file_of(span)?;
        let file = self.file(id);
        let offset = span.start - file.base;
        let line = file.line_index(offset);
        Some(Place {
            file: id,
            line: line as u32 + 1,
            column: offset - file.line_start(line) + 1,
        })
    }

    /// The smallest span that covers both, `first` coming before `last`. Where the two were read
    /// through different expansions, the uses of the defines are taken; where they stand in
    /// different files, `first` alone is given.
    pub fn join(&self, first: Span, last: Span) -> Span {
        let (mut first, mut last) = (first, last);
        if first.expansion != last.expansion {
            (first, last) = self.common_level(first, last);
        }
        if last.end < first.start || self.file_of(first) != self.file_of(last) {
            return first;
        }
        Span {
            start: first.start.min(last.start),
            end: first.end.max(last.end),
            expansion: first.expansion,
        }
    }

    /// Lifts both spans out of the expansions that they do not share.
    fn common_level(&self, first: Span, last: Span) -> (Span, Span) {
        let (mut first, mut last) = (first, last);
        // A call site always has a smaller number than the expansion made at it.
        while first.expansion != last.expansion {
            let outer = if first.expansion > last.expansion {
                &mut first
            } else {
                &mut last
            };
            match self.expansion(outer.expansion) {
                Some(expansion) => *outer = expansion.call_site,
                None => break,
            }
        }
        (first, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_different_files_do_not_overlap() {
        let mut map = SourceMap::default();
        let a = map.add("a", *b"one\ntwo", TextOrigin::File, None);
        let b = map.add("b", *b"three", TextOrigin::File, None);
        let end_of_a = map.file(a).span().after();
        assert_eq!(map.file_of(end_of_a), Some(a));
        assert_eq!(map.file_of(map.file(b).span()), Some(b));
        assert_eq!(map.text(map.file(b).span().sub(1, 3)), b"hr");
        let place = map.place(Span::new(4, 7)).map(|p| (p.line, p.column));
        assert_eq!(place, Some((2, 1)));
    }

    #[test]
    fn joining_across_an_expansion_takes_its_use() {
        let mut map = SourceMap::default();
        map.add("a", *b"#!define X 5\nf(X);", TextOrigin::File, None);
        let call_site = Span::new(15, 16);
        let expansion = map.expand(Expansion {
            name: "X".into(),
            defined_at: Span::new(9, 10),
            call_site,
        });
        let value = Span {
            expansion,
            ..Span::new(11, 12)
        };
        assert_eq!(map.join(Span::new(13, 14), value), Span::new(13, 16));
        assert_eq!(map.call_site(value), call_site);
    }
}
