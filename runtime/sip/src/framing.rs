//! Finding messages in a byte stream (RFC 3261 §18.3, RFC 5626 §3.5.1 keep-alives).
//!
//! Invariant: each byte of the header is looked at once, however it arrives: the [`Scan`]
//! remembers how far it came.

use crate::header::HeaderKind;
use crate::token::{parse_u32, trim};

/// Bounds and habits of the framing.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest first line and header fields together, in bytes.
    pub header: usize,
    /// Longest message with its body, in bytes.
    pub message: usize,
    /// Takes a message without Content-Length as one without a body (Kamailio
    /// `tcp_accept_no_cl`), instead of as invalid.
    pub accept_no_content_length: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            header: 65_535,
            message: 1 << 20,
            accept_no_content_length: false,
        }
    }
}

/// What stands at the beginning of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// More bytes are needed.
    Incomplete,
    /// A keep-alive `CRLFCRLF` of that many bytes: take them and answer with `CRLF`.
    Ping(usize),
    /// That many bytes of line ends that mean nothing (a pong): take them.
    Pong(usize),
    /// A message of `len` bytes.
    Message {
        /// Its length with the body, in bytes.
        len: usize,
    },
    /// The stream is not SIP from here on: close it.
    Invalid(Invalid),
}

/// Why a stream cannot be framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The header is longer than [`Limits::header`].
    HeaderTooLong,
    /// Header and body are longer than [`Limits::message`].
    MessageTooLong,
    /// There is no Content-Length.
    NoContentLength,
    /// Content-Length is not a number, or there are two that differ.
    BadContentLength,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Invalid::HeaderTooLong => "header too long",
            Invalid::MessageTooLong => "message too long",
            Invalid::NoContentLength => "no Content-Length on a stream",
            Invalid::BadContentLength => "bad Content-Length",
        })
    }
}

/// How far the message at the beginning of the buffer was scanned. Kept between calls while they
/// answer [`Frame::Incomplete`]; resets itself with any other answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    /// Offset up to which no line end is left to find.
    scanned: usize,
    /// Start of the line that `scanned` is in.
    line: usize,
    /// Content-Length, when it was seen.
    content_length: Option<usize>,
    /// Length of the header with the empty line, when its end was seen.
    header: Option<usize>,
}

/// Looks at the beginning of `buf`, which holds what was received and not yet taken.
pub fn frame(buf: &[u8], scan: &mut Scan, limits: &Limits) -> Frame {
    let answer = step(buf, scan, limits);
    if answer != Frame::Incomplete {
        *scan = Scan::default();
    }
    answer
}

fn step(buf: &[u8], scan: &mut Scan, limits: &Limits) -> Frame {
    if scan.header.is_none() {
        if scan.scanned == 0
            && let Some(answer) = line_ends(buf)
        {
            return answer;
        }
        match scan_header(buf, scan) {
            Ok(true) => {}
            Ok(false) if buf.len() > limits.header => {
                return Frame::Invalid(Invalid::HeaderTooLong);
            }
            Ok(false) => return Frame::Incomplete,
            Err(invalid) => return Frame::Invalid(invalid),
        }
    }
    let header = scan.header.unwrap_or_default();
    if header > limits.header {
        return Frame::Invalid(Invalid::HeaderTooLong);
    }
    let body = match scan.content_length {
        Some(n) => n,
        None if limits.accept_no_content_length => 0,
        None => return Frame::Invalid(Invalid::NoContentLength),
    };
    match header.checked_add(body) {
        Some(len) if len <= limits.message => {
            if buf.len() >= len {
                Frame::Message { len }
            } else {
                Frame::Incomplete
            }
        }
        _ => Frame::Invalid(Invalid::MessageTooLong),
    }
}

/// Line ends before a message; `None` when a message begins.
fn line_ends(buf: &[u8]) -> Option<Frame> {
    match buf {
        [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => Some(Frame::Incomplete),
        [b'\r', b'\n', b'\r', b'\n', ..] => Some(Frame::Ping(4)),
        [b'\r', b'\n', ..] => Some(Frame::Pong(2)),
        [b'\n' | b'\r' | b' ' | b'\t' | 0, ..] => Some(Frame::Pong(1)),
        _ => None,
    }
}

/// Scans lines up to the empty one; true when it was found.
fn scan_header(buf: &[u8], scan: &mut Scan) -> Result<bool, Invalid> {
    while let Some(n) = buf
        .get(scan.scanned..)
        .and_then(|rest| memchr::memchr(b'\n', rest))
    {
        let end = scan.scanned + n;
        let line = &buf[scan.line..end];
        scan.scanned = end + 1;
        scan.line = end + 1;
        if matches!(line, [] | [b'\r']) {
            scan.header = Some(end + 1);
            return Ok(true);
        }
        if !matches!(line[0] | 0x20, b'c' | b'l') {
            continue;
        }
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        if HeaderKind::parse(trim(&line[..colon])) == HeaderKind::ContentLength {
            let value = parse_u32(trim(&line[colon + 1..])).map(|n| n as usize);
            if value.is_none() || scan.content_length.is_some_and(|n| Some(n) != value) {
                return Err(Invalid::BadContentLength);
            }
            scan.content_length = value;
        }
    }
    scan.scanned = buf.len();
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl : 3\r\n\r\nabc";

    fn once(buf: &[u8]) -> Frame {
        frame(buf, &mut Scan::default(), &Limits::default())
    }

    #[test]
    fn a_message_that_comes_byte_by_byte() {
        let mut scan = Scan::default();
        for n in 1..MESSAGE.len() {
            assert_eq!(
                frame(&MESSAGE[..n], &mut scan, &Limits::default()),
                Frame::Incomplete
            );
        }
        let two = [MESSAGE, MESSAGE].concat();
        let whole = Frame::Message { len: MESSAGE.len() };
        assert_eq!(frame(&two, &mut scan, &Limits::default()), whole);
        assert_eq!(
            frame(&two[MESSAGE.len()..], &mut scan, &Limits::default()),
            whole
        );
    }

    #[test]
    fn keep_alives() {
        assert_eq!(once(b"\r\n\r\nOPT"), Frame::Ping(4));
        assert_eq!(once(b"\r\n\r"), Frame::Incomplete);
        assert_eq!(once(b"\r\nOPT"), Frame::Pong(2));
        assert_eq!(once(b""), Frame::Incomplete);
    }

    #[test]
    fn what_ends_the_connection() {
        let no = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n\r\n";
        assert_eq!(once(no), Frame::Invalid(Invalid::NoContentLength));
        let limits = Limits {
            accept_no_content_length: true,
            ..Limits::default()
        };
        assert_eq!(
            frame(no, &mut Scan::default(), &limits),
            Frame::Message { len: no.len() }
        );
        for bad in [
            &b"x\r\nContent-Length: -1\r\n\r\n"[..],
            b"x\r\nl: 1\r\nl: 2\r\n",
        ] {
            assert_eq!(once(bad), Frame::Invalid(Invalid::BadContentLength));
        }
        assert_eq!(
            once(b"x\r\nl: 4294967295\r\n\r\n"),
            Frame::Invalid(Invalid::MessageTooLong)
        );
        assert_eq!(
            once(&vec![b'a'; 70_000]),
            Frame::Invalid(Invalid::HeaderTooLong)
        );
    }
}
