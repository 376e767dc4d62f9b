//! What happened while a scenario was played: the messages with their times, and the log.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

/// All that happened.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Messages that endpoints sent and received.
    pub messages: Vec<Entry>,
    /// What the server logged.
    pub log: Log,
}

/// A message of an endpoint.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, from the start of the scenario.
    pub at: Duration,
    /// The endpoint.
    pub who: usize,
    /// Whether the endpoint sent it.
    pub sent: bool,
    /// The other side.
    pub peer: SocketAddr,
    /// It is a retransmission.
    pub again: bool,
    /// The message.
    pub data: Bytes,
}

/// The lines of a log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: Vec<Line>,
    partial: Vec<u8>,
    /// Lines of the script that a step has taken.
    printed: usize,
}

#[derive(Clone, Debug)]
struct Line {
    /// As it was written, further lines of the same text included.
    whole: Vec<u8>,
    /// The text, where the script wrote it.
    script: Option<usize>,
}

impl Log {
    /// Adds what was read.
    pub fn add(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        while let Some(end) = memchr::memchr(b'\n', &self.partial) {
            let rest = self.partial.split_off(end + 1);
            let mut line = std::mem::replace(&mut self.partial, rest);
            line.pop();
            self.line(line);
        }
    }

    fn line(&mut self, whole: Vec<u8>) {
        match (text_start(&whole), self.lines.last_mut()) {
            (None, Some(before)) => {
                before.whole.push(b'\n');
                before.whole.extend_from_slice(&whole);
            }
            (None, None) => self.lines.push(Line {
                whole,
                script: None,
            }),
            (Some(start), _) => self.lines.push(Line {
                whole,
                script: start,
            }),
        }
    }

    /// The next line that the script wrote and no step has taken.
    pub fn take_printed(&mut self) -> Option<&[u8]> {
        let line = self
            .lines
            .iter()
            .filter_map(Line::printed)
            .nth(self.printed)?;
        self.printed += 1;
        Some(line)
    }

    /// Whether the script wrote something that no step has taken.
    pub fn has_printed(&self) -> bool {
        self.lines
            .iter()
            .filter_map(Line::printed)
            .nth(self.printed)
            .is_some()
    }

    /// All lines.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.lines.iter().map(|line| line.whole.as_slice())
    }

    /// All that the script wrote.
    pub fn printed(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().filter_map(Line::printed)
    }
}

impl Line {
    fn printed(&self) -> Option<&[u8]> {
        self.whole.get(self.script?..)
    }
}

/// Whether `line` begins a text, in the form ` 1(23) NOTICE: <script>: text` that kcc and
/// Kamailio write, and where the script's text begins if it is the script's.
fn text_start(line: &[u8]) -> Option<Option<usize>> {
    let text = line.trim_ascii_start();
    let skipped = line.len() - text.len();
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let worker = digits(text);
    let rest = text.get(worker..)?.strip_prefix(b"(")?;
    let pid = digits(rest);
    let after = rest.get(pid..)?.strip_prefix(b") ")?;
    if worker == 0 || pid == 0 {
        return None;
    }
    let word = after.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let origin = after.get(word..)?.strip_prefix(b": ")?;
    // With `log_prefix` it stands between braces before the origin.
    let mut at = skipped + worker + 1 + pid + 2 + word + 2;
    let mut origin = origin;
    if origin.first() == Some(&b'{')
        && let Some(end) = memchr::memmem::find(origin, b"} ")
    {
        at += end + 2;
        origin = &origin[end + 2..];
    }
    const SCRIPT: &[u8] = b"<script>: ";
    Some(origin.starts_with(SCRIPT).then_some(at + SCRIPT.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_script_are_told_from_others() {
        let mut log = Log::default();
        log.add(b" 0(77) NOTICE: <script>: one\n 1(78) ERROR: <core> [core/x.c:1]: f(): bad");
        log.add(b"\n 1(78) INFO: {1 2 INVITE x} <script>: two\nmore\n");
        log.add(b" 0(77) NOTICE: <script>: \n");
        assert_eq!(log.take_printed(), Some(&b"one"[..]));
        assert_eq!(log.take_printed(), Some(&b"two\nmore"[..]));
        assert_eq!(log.take_printed(), Some(&b""[..]));
        assert!(!log.has_printed() && log.take_printed().is_none());
        assert_eq!(log.lines().count(), 4);
    }
}
