//! Session descriptions (RFC 8866): lines, and what proxies look at in them.
//!
//! Lenient as proxies are: lines may end in LF or CR alone, unknown lines are kept, a wrong line
//! hides only itself. Every accessor returns a subslice of the description.

use crate::token::{parse_port, parse_u32, trim};

/// A session description.
#[derive(Clone, Copy, Debug)]
pub struct Sdp<'a> {
    raw: &'a [u8],
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its end.
    pub raw: &'a [u8],
    /// Its letter.
    pub kind: u8,
    /// What follows the `=`, trimmed.
    pub value: &'a [u8],
}

/// The session's lines before the first `m=`, or one `m=` line and those that belong to it.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// The lines with their ends.
    pub raw: &'a [u8],
}

/// An `o=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The user, or `-`.
    pub user: &'a [u8],
    /// The session's number.
    pub session: &'a [u8],
    /// The version of the description.
    pub version: &'a [u8],
    /// Where it was made.
    pub address: Connection<'a>,
}

/// The value of a `c=` line, and the end of an `o=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection<'a> {
    /// `IN`.
    pub network: &'a [u8],
    /// `IP4` or `IP6`.
    pub family: &'a [u8],
    /// The address or name, without `/ttl`.
    pub address: &'a [u8],
}

/// An `m=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// `audio`, `video`, …
    pub kind: &'a [u8],
    /// The port; 0 refuses the stream.
    pub port: u16,
    /// How many ports follow one another; 1 as a rule.
    pub ports: u32,
    /// `RTP/AVP`, …
    pub protocol: &'a [u8],
    /// The formats, separated by blanks.
    pub formats: &'a [u8],
}

/// Which way a stream flows (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways; the default.
    SendRecv,
    /// From the one who describes.
    SendOnly,
    /// To the one who describes.
    RecvOnly,
    /// No way.
    Inactive,
}

impl<'a> Sdp<'a> {
    /// A description; `None` when it does not begin with a `v=` line.
    pub fn parse(body: &'a [u8]) -> Option<Sdp<'a>> {
        body.starts_with(b"v=").then_some(Sdp { raw: body })
    }

    /// All lines.
    pub fn lines(&self) -> Lines<'a> {
        Lines { rest: self.raw }
    }

    /// The lines before the first `m=`.
    pub fn session(&self) -> Section<'a> {
        let end = next_media(self.raw, 0);
        Section {
            raw: &self.raw[..end],
        }
    }

    /// The media sections in order.
    pub fn media(&self) -> Sections<'a> {
        Sections {
            rest: &self.raw[next_media(self.raw, 0)..],
        }
    }

    /// The `o=` line.
    pub fn origin(&self) -> Option<Origin<'a>> {
        let mut words = words(self.session().value(b'o')?);
        Some(Origin {
            user: words.next()?,
            session: words.next()?,
            version: words.next()?,
            address: Connection::from_words(words)?,
        })
    }

    /// The address of a media section: its own `c=` line, or the session's.
    pub fn connection_of(&self, media: &Section<'a>) -> Option<Connection<'a>> {
        media.connection().or_else(|| self.session().connection())
    }

    /// The direction of a media section: its own, or the session's, or both ways.
    pub fn direction_of(&self, media: &Section<'a>) -> Direction {
        media
            .direction()
            .or_else(|| self.session().direction())
            .unwrap_or(Direction::SendRecv)
    }
}

impl<'a> Section<'a> {
    /// The lines.
    pub fn lines(&self) -> Lines<'a> {
        Lines { rest: self.raw }
    }

    /// The value of the first line with this letter.
    pub fn value(&self, kind: u8) -> Option<&'a [u8]> {
        self.lines().find(|l| l.kind == kind).map(|l| l.value)
    }

    /// The `m=` line of a media section.
    pub fn media(&self) -> Option<Media<'a>> {
        let mut words = words(self.value(b'm')?);
        let kind = words.next()?;
        let mut port = words.next()?.splitn(2, |c| *c == b'/');
        let first = parse_port(port.next()?)?;
        let protocol = words.next()?;
        Some(Media {
            kind,
            port: first,
            ports: match port.next() {
                Some(n) => parse_u32(n)?,
                None => 1,
            },
            protocol,
            formats: trim(words.rest),
        })
    }

    /// The `c=` line.
    pub fn connection(&self) -> Option<Connection<'a>> {
        Connection::from_words(words(self.value(b'c')?))
    }

    /// The attributes: names, and values where they have one.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        self.lines()
            .filter(|l| l.kind == b'a')
            .map(|l| match memchr::memchr(b':', l.value) {
                Some(at) => (&l.value[..at], Some(&l.value[at + 1..])),
                None => (l.value, None),
            })
    }

    /// The value of the first attribute of this name, which is compared byte by byte; empty where
    /// it has none.
    pub fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.attributes()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The direction that is said here.
    pub fn direction(&self) -> Option<Direction> {
        self.attributes().find_map(|(name, _)| match name {
            b"sendrecv" => Some(Direction::SendRecv),
            b"sendonly" => Some(Direction::SendOnly),
            b"recvonly" => Some(Direction::RecvOnly),
            b"inactive" => Some(Direction::Inactive),
            _ => None,
        })
    }
}

impl<'a> Connection<'a> {
    fn from_words(mut words: Words<'a>) -> Option<Connection<'a>> {
        let (network, family) = (words.next()?, words.next()?);
        let address = words.next()?.split(|c| *c == b'/').next()?;
        Some(Connection {
            network,
            family,
            address,
        })
    }

    /// True for the address that says "do not send" (RFC 3264 §8.4).
    pub fn is_hold(&self) -> bool {
        matches!(self.address, b"0.0.0.0" | b"::")
    }
}

impl<'a> Media<'a> {
    /// The formats in order.
    pub fn formats(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        words(self.formats)
    }
}

/// Where the first `m=` line at or after `from`, the start of a line, begins; else the end.
fn next_media(raw: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < raw.len() {
        if raw[at..].starts_with(b"m=") {
            return at;
        }
        at += line_end(&raw[at..]).1;
    }
    raw.len()
}

/// The length of the first line of `raw` without its end, and with it.
fn line_end(raw: &[u8]) -> (usize, usize) {
    match memchr::memchr2(b'\r', b'\n', raw) {
        Some(n) if raw[n..].starts_with(b"\r\n") => (n, n + 2),
        Some(n) => (n, n + 1),
        None => (raw.len(), raw.len()),
    }
}

/// See [`Sdp::lines`].
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while !self.rest.is_empty() {
            let (end, next) = line_end(self.rest);
            let raw = &self.rest[..end];
            self.rest = &self.rest[next..];
            if let [kind, b'=', value @ ..] = raw {
                return Some(Line {
                    raw,
                    kind: *kind,
                    value: trim(value),
                });
            }
        }
        None
    }
}

/// See [`Sdp::media`].
#[derive(Clone, Debug)]
pub struct Sections<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = next_media(self.rest, line_end(self.rest).1);
        let (raw, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Section { raw })
    }
}

fn words(text: &[u8]) -> Words<'_> {
    Words { rest: text }
}

struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|c| *c != b' ')?;
        let rest = &self.rest[start..];
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        self.rest = &rest[end..];
        Some(&rest[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8866 §5, shortened.
    const TEXT: &[u8] = b"v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n\
        s=Call to John Smith\r\nc=IN IP4 233.252.0.1/127\r\nt=0 0\r\na=recvonly\r\n\
        m=audio 49170 RTP/AVP 0 8\r\nm=video 51372/2 RTP/AVP 99\r\nc=IN IP6 2001:db8::2\r\n\
        a=rtpmap:99 h263-1998/90000\r\na=sendonly\r\n";

    #[test]
    fn session_and_media() {
        let sdp = Sdp::parse(TEXT).unwrap();
        let origin = sdp.origin().unwrap();
        assert_eq!(
            (origin.user, origin.version),
            (&b"jdoe"[..], &b"3724394405"[..])
        );
        assert_eq!(origin.address.address, b"198.51.100.1");
        let media: Vec<_> = sdp.media().collect();
        assert_eq!(media.len(), 2);
        let audio = media[0].media().unwrap();
        assert_eq!(
            (audio.kind, audio.port, audio.ports),
            (&b"audio"[..], 49170, 1)
        );
        assert!(audio.formats().eq([&b"0"[..], b"8"]));
        assert_eq!(
            sdp.connection_of(&media[0]).unwrap().address,
            b"233.252.0.1"
        );
        assert_eq!(sdp.direction_of(&media[0]), Direction::RecvOnly);
        assert_eq!(media[1].media().unwrap().ports, 2);
        assert_eq!(sdp.connection_of(&media[1]).unwrap().family, b"IP6");
        assert_eq!(sdp.direction_of(&media[1]), Direction::SendOnly);
        assert_eq!(
            media[1].attribute(b"rtpmap"),
            Some(&b"99 h263-1998/90000"[..])
        );
        assert_eq!(sdp.lines().count(), 11);
    }

    #[test]
    fn odd_lines_hide_themselves_only() {
        let sdp = Sdp::parse(b"v=0\nx\nm=audio x RTP/AVP\rm=audio 0 RTP/AVP 0\nc=IN IP4 0.0.0.0")
            .unwrap();
        let media: Vec<_> = sdp.media().collect();
        assert_eq!(media.len(), 2);
        assert_eq!(media[0].media(), None);
        assert_eq!(media[1].media().unwrap().port, 0);
        assert!(media[1].connection().unwrap().is_hold());
        assert!(sdp.origin().is_none());
        assert!(Sdp::parse(b"").is_none());
    }
}
