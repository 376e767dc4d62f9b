//! The edits of a message: what Kamailio calls lumps.
//!
//! **Invariant:** edits are in order of their offset, and those at one offset in the order in
//! which they were made; that is the order they are written in. An insertion within a deleted
//! range is still written, at the place of the deletion (as Kamailio 5.6 does).

use std::fmt;
use std::ops::Range;

use kcc_sip::message::{Header, Message};

/// The most edits that one message can have.
pub const MAX_EDITS: usize = 16_384;

/// The most bytes that the edits of one message can insert.
pub const MAX_EDIT_BYTES: usize = 1 << 20;

/// There are too many edits, or they insert too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many edits of one message")
    }
}

impl std::error::Error for Full {}

/// One edit: `delete` bytes at `offset` give way to `text`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    pub(super) offset: u32,
    pub(super) delete: u32,
    text: (u32, u32),
}

/// Edits on a received message, and what is to be added to replies to it.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    list: Vec<Edit>,
    bytes: Vec<u8>,
    reply_headers: Vec<u8>,
    reply_body: Option<ReplyBody>,
}

#[derive(Clone, Debug)]
struct ReplyBody {
    /// The Content-Type field within the reply's header fields.
    content_type: Range<usize>,
    bytes: Vec<u8>,
}

impl Edits {
    /// No edits.
    pub fn new() -> Edits {
        Edits::default()
    }

    /// Forgets all edits and keeps the buffers.
    pub fn clear(&mut self) {
        self.clear_message();
        self.reply_headers.clear();
        self.reply_body = None;
    }

    /// Forgets the edits of the message (they were applied) and keeps what is for replies.
    pub fn clear_message(&mut self) {
        self.list.clear();
        self.bytes.clear();
    }

    /// True when the message itself is not edited.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many edits of the message there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Deletes the bytes in `range` of the message's buffer.
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), Full> {
        self.replace(range, &[])
    }

    /// Inserts `text` before the byte at `offset`.
    pub fn insert(&mut self, offset: usize, text: &[u8]) -> Result<(), Full> {
        self.replace(offset..offset, text)
    }

    /// Puts `text` in the place of the bytes in `range`.
    pub fn replace(&mut self, range: Range<usize>, text: &[u8]) -> Result<(), Full> {
        self.replace_with(range, |out| out.extend_from_slice(text))
    }

    /// Puts what `write` appends in the place of the bytes in `range`.
    pub fn replace_with(
        &mut self,
        range: Range<usize>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Full> {
        if self.list.len() >= MAX_EDITS {
            return Err(Full);
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        if self.bytes.len() > MAX_EDIT_BYTES {
            self.bytes.truncate(start);
            return Err(Full);
        }
        // Messages and the inserted bytes are far below 4 GiB.
        let offset = u32::try_from(range.start).map_err(|_| Full)?;
        let edit = Edit {
            offset,
            delete: u32::try_from(range.end.saturating_sub(range.start)).map_err(|_| Full)?,
            text: (start as u32, self.bytes.len() as u32),
        };
        let at = match self.list.last() {
            Some(last) if last.offset > offset => self.list.partition_point(|e| e.offset <= offset),
            _ => self.list.len(),
        };
        self.list.insert(at, edit);
        Ok(())
    }

    /// Adds header fields after the last one (`append_hf`). A line end is added when `text` has
    /// none, for without it the message would lose the end of its header.
    pub fn append_header(&mut self, message: &Message, text: &[u8]) -> Result<(), Full> {
        self.insert_lines(message.headers_end(), text)
    }

    /// Adds header fields before the first one (`insert_hf`); like
    /// [`append_header`](Edits::append_header) with line ends.
    pub fn prepend_header(&mut self, message: &Message, text: &[u8]) -> Result<(), Full> {
        self.insert_lines(message.headers_start(), text)
    }

    /// Adds header fields after `header`.
    pub fn append_after(
        &mut self,
        message: &Message,
        header: &Header<'_>,
        text: &[u8],
    ) -> Result<(), Full> {
        let at = message
            .offset_of(header.line)
            .map_or(message.headers_end(), |r| r.end);
        self.insert_lines(at, text)
    }

    /// Adds header fields before `header`.
    pub fn insert_before(
        &mut self,
        message: &Message,
        header: &Header<'_>,
        text: &[u8],
    ) -> Result<(), Full> {
        let at = message
            .offset_of(header.line)
            .map_or(message.headers_start(), |r| r.start);
        self.insert_lines(at, text)
    }

    fn insert_lines(&mut self, offset: usize, text: &[u8]) -> Result<(), Full> {
        self.replace_with(offset..offset, |out| push_lines(out, text))
    }

    /// Deletes the whole field `header` (`remove_hf`).
    pub fn remove_header(&mut self, message: &Message, header: &Header<'_>) -> Result<(), Full> {
        match message.offset_of(header.line) {
            Some(range) => self.delete(range),
            None => Ok(()),
        }
    }

    /// Replaces the value of `header` and keeps its name and line end.
    pub fn set_value(
        &mut self,
        message: &Message,
        header: &Header<'_>,
        value: &[u8],
    ) -> Result<(), Full> {
        match message.offset_of(header.value) {
            Some(range) => self.replace(range, value),
            None => Ok(()),
        }
    }

    /// Replaces the whole body (`set_body`), and all edits of the body made before; Content-Type
    /// is the caller's to edit. An empty `body` removes it.
    pub fn set_body(&mut self, message: &Message, body: &[u8]) -> Result<(), Full> {
        let start = message.body_offset();
        self.list.retain(|e| (e.offset as usize) < start);
        self.replace(start..message.bytes().len(), body)
    }

    /// Notes that the first line grew by `bytes`, or shrank where negative: what the edits are at
    /// is that far away now.
    pub fn shift(&mut self, bytes: i32) {
        for edit in &mut self.list {
            edit.offset = edit.offset.saturating_add_signed(bytes);
        }
    }

    /// True when an edit deletes the byte at `offset`.
    pub fn deletes(&self, offset: usize) -> bool {
        self.list.iter().any(|e| {
            let start = e.offset as usize;
            start <= offset && offset < start + e.delete as usize
        })
    }

    pub(super) fn list(&self) -> &[Edit] {
        &self.list
    }

    pub(super) fn text(&self, edit: &Edit) -> &[u8] {
        self.bytes
            .get(edit.text.0 as usize..edit.text.1 as usize)
            .unwrap_or_default()
    }

    /// Adds header fields to every reply that this server makes (`append_to_reply`).
    pub fn append_to_reply(&mut self, text: &[u8]) -> Result<(), Full> {
        if self.reply_headers.len() + text.len() > MAX_EDIT_BYTES {
            return Err(Full);
        }
        push_lines(&mut self.reply_headers, text);
        Ok(())
    }

    /// Gives the replies that this server makes a body (`set_reply_body`), in place of one set
    /// before; Content-Type stands among the added header fields where this was called.
    pub fn set_reply_body(&mut self, content_type: &[u8], body: &[u8]) -> Result<(), Full> {
        if self.reply_headers.len() + content_type.len() + body.len() > MAX_EDIT_BYTES {
            return Err(Full);
        }
        let mut bytes = Vec::new();
        if let Some(old) = self.reply_body.take() {
            self.reply_headers.drain(old.content_type);
            bytes = old.bytes;
            bytes.clear();
        }
        bytes.extend_from_slice(body);
        let start = self.reply_headers.len();
        self.reply_headers.extend_from_slice(b"Content-Type: ");
        push_lines(&mut self.reply_headers, content_type);
        self.reply_body = Some(ReplyBody {
            content_type: start..self.reply_headers.len(),
            bytes,
        });
        Ok(())
    }

    /// The header fields added to replies, whole lines.
    pub fn reply_headers(&self) -> &[u8] {
        &self.reply_headers
    }

    /// The body of replies, when one was set.
    pub fn reply_body(&self) -> Option<&[u8]> {
        self.reply_body.as_ref().map(|b| b.bytes.as_slice())
    }

    /// Forgets what was to be added to replies (`remove_hf` and its like do not).
    pub fn clear_reply(&mut self) {
        self.reply_headers.clear();
        self.reply_body = None;
    }
}

fn push_lines(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    if !text.is_empty() && !text.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
}
