//! Selects of the message: its first line, header fields by name, body.

use kcc_sip::header::HeaderKind;

use super::address::{AnyPart, any_part};
use super::uri::{UriPart, uri_part};
use super::{End, Path, Steps, dashed};
use crate::declare::ConstantError;
use crate::run::Run;
use crate::value::Val;
use crate::variables::written;

/// Header fields of a name.
#[derive(Debug)]
pub struct Named {
    kind: HeaderKind,
    name: Box<[u8]>,
}

impl Named {
    /// The header called `name` in a path: `_` stands for `-`.
    pub fn new(name: &[u8]) -> Named {
        let name = dashed(name);
        let kind = HeaderKind::parse(&name);
        Named { kind, name }
    }

    /// The values of all header fields of the name, in order.
    pub fn values<'m>(
        &self,
        message: &'m kcc_sip::Message,
    ) -> impl DoubleEndedIterator<Item = &'m [u8]> + use<'m, '_> {
        let other = self.kind == HeaderKind::Other;
        let named = move |header: &kcc_sip::Header<'m>| {
            !other || header.name.eq_ignore_ascii_case(&self.name)
        };
        let all = message.headers_of(self.kind).filter(named);
        all.map(|header| header.value)
    }
}

/// `@msg` and what follows it.
#[derive(Debug)]
pub enum MessagePath {
    /// The whole message.
    Whole,
    /// `first_line`
    FirstLine,
    /// `flags`
    Flags,
    /// `len`
    Length,
    /// `id`
    Id,
    /// `id.hex`
    IdHex,
    /// `type`: 1 request, 2 reply.
    Type,
    /// `header`: all of them.
    Headers,
    /// `header.name[n]` and a part of it.
    Header(Named, i64, AnyPart),
    /// `body`
    Body,
    /// `body.sdp`
    Sdp,
    /// `body.sdp.line.c`
    SdpLine(u8),
    /// `request`
    Request,
    /// `request.method`
    Method,
    /// `request.uri`
    Uri(UriPart),
    /// `response`
    Response,
    /// `response.status`
    Status,
    /// `response.reason`
    Reason,
    /// `request.version`
    RequestVersion,
    /// `response.version`
    ResponseVersion,
}

impl Path for MessagePath {
    const NAME: &'static str = "select-message";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let Some(step) = steps.step()? else {
            return Ok(MessagePath::Whole);
        };
        let is = |word: &str| step.is(word);
        Ok(if is("first_line") {
            MessagePath::FirstLine
        } else if is("flags") {
            MessagePath::Flags
        } else if is("len") {
            MessagePath::Length
        } else if is("type") {
            MessagePath::Type
        } else if is("id") {
            match steps.step()? {
                None => MessagePath::Id,
                Some(step) if step.is("hex") => MessagePath::IdHex,
                Some(_) => return Err(steps.unknown()),
            }
        } else if is("header") || is("h") {
            header(steps)?
        } else if is("body") || is("content") {
            body(steps)?
        } else if is("request") || is("req") {
            match steps.step()? {
                None => MessagePath::Request,
                Some(step) if step.is("method") => MessagePath::Method,
                Some(step) if step.is("version") => MessagePath::RequestVersion,
                Some(step) if step.is("uri") => MessagePath::Uri(UriPart::read(steps)?),
                Some(_) => return Err(steps.unknown()),
            }
        } else if is("response") || is("res") {
            match steps.step()? {
                None => MessagePath::Response,
                Some(step) if step.is("version") => MessagePath::ResponseVersion,
                Some(step) if step.is("status") || step.is("code") => MessagePath::Status,
                Some(step) if step.is("reason") => MessagePath::Reason,
                Some(_) => return Err(steps.unknown()),
            }
        } else {
            return Err(steps.unknown());
        })
    }
}

fn header(steps: &mut Steps<'_>) -> Result<MessagePath, ConstantError> {
    let name = match steps.step()? {
        None => return Ok(MessagePath::Headers),
        Some(super::Step::Name(name)) => Named::new(name),
        Some(super::Step::Index(_)) => return Err(steps.unknown()),
    };
    let place = steps.index()?.unwrap_or(1);
    Ok(MessagePath::Header(name, place, AnyPart::read(steps)?))
}

fn body(steps: &mut Steps<'_>) -> Result<MessagePath, ConstantError> {
    match steps.step()? {
        None => return Ok(MessagePath::Body),
        Some(step) if step.is("sdp") => {}
        Some(_) => return Err(steps.unknown()),
    }
    match steps.step()? {
        None => Ok(MessagePath::Sdp),
        Some(step) if step.is("line") => match steps.name()? {
            [line] | [line, b'='] => Ok(MessagePath::SdpLine(*line)),
            _ => Err(steps.unknown()),
        },
        Some(_) => Err(steps.unknown()),
    }
}

/// The body, where it is a session description.
fn sdp(run: &Run) -> Option<&[u8]> {
    let kind = run.message.value(HeaderKind::ContentType)?;
    let kind = kind.split(|byte| *byte == b';').next()?.trim_ascii();
    let body = run.message.payload();
    (kind.eq_ignore_ascii_case(b"application/sdp") && !body.is_empty()).then_some(body)
}

/// The value of the first line of this type.
fn sdp_line(body: &[u8], line: u8) -> Option<&[u8]> {
    let mut lines = body.split_inclusive(|byte| *byte == b'\n');
    let found = lines.find(|text| text.first() == Some(&line))?;
    let value = found.get(1..)?.strip_prefix(b"=")?.strip_suffix(b"\n")?;
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    (!value.is_empty()).then_some(value)
}

/// What the path leads to.
fn read(run: &mut Run, path: &MessagePath) -> Option<Val> {
    let message = &run.message;
    let request = message.is_request();
    let bytes = message.bytes();
    let number = |run: &mut Run, n: i64| written::<20>(run, format_args!("{n}"));
    let text: &[u8] = match path {
        MessagePath::Whole => bytes,
        MessagePath::Request if request => bytes,
        MessagePath::Response if !request => bytes,
        MessagePath::FirstLine => message.first_line(),
        MessagePath::Headers => bytes.get(message.headers_start()..message.body_offset())?,
        MessagePath::Header(name, place, part) => {
            let mut values = name.values(message);
            let value = match usize::try_from(*place) {
                Ok(place) if place > 0 => values.nth(place - 1),
                _ => values.next_back(),
            };
            return any_part(value?, part)?.value(&mut run.scratch, false);
        }
        MessagePath::Body => message.payload(),
        MessagePath::Sdp => sdp(run)?,
        MessagePath::SdpLine(line) => sdp_line(sdp(run)?, *line)?,
        MessagePath::Method => message.request_line()?.method_name,
        MessagePath::Uri(part) => {
            let uri = message.request_line()?.uri;
            return uri_part(uri, part)?.value(&mut run.scratch, false);
        }
        MessagePath::RequestVersion => message.request_line()?.version,
        MessagePath::ResponseVersion => message.status_line()?.version,
        MessagePath::Reason => message.status_line()?.reason,
        MessagePath::Status => {
            let code = i64::from(message.status_line()?.code);
            return Some(number(run, code));
        }
        MessagePath::Flags => {
            let flags = i64::from(run.head.message_flags);
            return Some(number(run, flags));
        }
        MessagePath::Length => {
            let len = bytes.len() as i64;
            return Some(number(run, len));
        }
        MessagePath::Type => return Some(Val::str(if request { b"1" } else { b"2" })),
        MessagePath::Id => {
            let id = id(run);
            return Some(number(run, id as i64));
        }
        MessagePath::IdHex => {
            let id = id(run);
            return Some(written::<16>(run, format_args!("{id:08x}")));
        }
        MessagePath::Request | MessagePath::Response => return None,
    };
    Some(Val::str(text))
}

/// Number of the message in its worker.
fn id(run: &Run) -> u64 {
    run.try_worker().map_or(0, |worker| worker.messages.get())
}

/// `@cseq` and its parts.
#[derive(Debug)]
pub enum CSeqPart {
    /// The whole header field.
    Whole,
    /// `num`
    Number,
    /// `method`
    Method,
}

impl Path for CSeqPart {
    const NAME: &'static str = "select-cseq";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        Ok(match steps.step()? {
            None => CSeqPart::Whole,
            Some(step) if step.is("num") => CSeqPart::Number,
            Some(step) if step.is("method") => CSeqPart::Method,
            Some(_) => return Err(steps.unknown()),
        })
    }
}

/// Selects of the message and of single header fields.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use kcc_sip::header::HeaderKind;

    use super::{CSeqPart, End, MessagePath, read};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::select::Below;
    use crate::value::Val;

    /// The message as received, and its parts.
    ///
    /// `first_line`, `len`, `type` (1 request, 2 reply), `flags` (message flags), `id` and `id.hex`
    /// (its number in this worker); `header` (or `h`) all header fields, `header.name` the first of a name, `header.name[n]`
    /// the one at that place, from 1, negative the last, `_` in the name standing for `-`; of it
    /// `nameaddr.name`, `nameaddr.uri` and its parts (see `@ruri`), `nameaddr.params`,
    /// `nameaddr.params.x`, `params.x`; `body` (or `content`), `body.sdp`, `body.sdp.line.c`;
    /// `request` (or `req`) with `method`, `uri` and its parts, `version`; `response` (or `res`)
    /// with `status`, `reason`, `version`.
    ///
    /// ```cfg
    /// if (@msg.header.x_account[1] == "7") exit;
    /// ```
    #[pv(name = "@msg", aliases("@message"))]
    fn msg(run: &mut Run, path: Const<Below<MessagePath>>) -> Option<Val> {
        read(run, &path.0)
    }

    /// The method of a request; null in replies.
    #[pv(name = "@method")]
    fn method<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        Some(run.message.request_line()?.method_name)
    }

    /// The version in the first line: `SIP/2.0`.
    #[pv(name = "@version")]
    fn version<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        let request = run.message.request_line().map(|line| line.version);
        request.or_else(|| Some(run.message.status_line()?.version))
    }

    /// The status of a reply; null in requests.
    #[pv(name = "@status", aliases("@code"))]
    fn status(run: &mut Run, _end: Const<Below<End>>) -> Option<Val> {
        read(run, &MessagePath::Status)
    }

    /// The reason phrase of a reply; null in requests.
    #[pv(name = "@reason")]
    fn reason<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        Some(run.message.status_line()?.reason)
    }

    /// CSeq, and its parts `num` and `method`.
    ///
    /// ```cfg
    /// if (@cseq.method == "INVITE") exit;
    /// ```
    #[pv(name = "@cseq")]
    fn cseq<'a>(run: &'a mut Run, part: Const<Below<CSeqPart>>) -> Option<&'a [u8]> {
        let value = run.message.value(HeaderKind::CSeq)?;
        run.message.cseq()?;
        let gap = value.iter().position(|byte| !byte.is_ascii_digit())?;
        Some(match part.0 {
            CSeqPart::Whole => value,
            CSeqPart::Number => value.get(..gap)?,
            CSeqPart::Method => value.get(gap..)?.trim_ascii(),
        })
    }

    /// The event package of Event (RFC 6665), without its parameters.
    #[pv(name = "@event")]
    fn event<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        let value = run.message.value(HeaderKind::Event)?;
        Some(value.split(|byte| *byte == b';').next()?.trim_ascii())
    }

    /// Call-ID.
    #[pv(name = "@call_id")]
    fn call_id<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::CallId)
    }

    /// Expires.
    #[pv(name = "@expires")]
    fn expires<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::Expires)
    }

    /// Max-Forwards.
    #[pv(name = "@max_forwards")]
    fn max_forwards<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::MaxForwards)
    }

    /// Content-Type.
    #[pv(name = "@content_type")]
    fn content_type<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::ContentType)
    }

    /// Content-Length.
    #[pv(name = "@content_length")]
    fn content_length<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::ContentLength)
    }

    /// Subject.
    #[pv(name = "@subject")]
    fn subject<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::Subject)
    }

    /// Organization.
    #[pv(name = "@organization")]
    fn organization<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::Organization)
    }

    /// Priority.
    #[pv(name = "@priority")]
    fn priority<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::Priority)
    }

    /// Session-Expires.
    #[pv(name = "@session_expires")]
    fn session_expires<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::SessionExpires)
    }

    /// Min-SE.
    #[pv(name = "@min_se")]
    fn min_se<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::MinSe)
    }

    /// User-Agent.
    #[pv(name = "@user_agent")]
    fn user_agent<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::UserAgent)
    }

    /// SIP-If-Match.
    #[pv(name = "@sip_if_match")]
    fn sip_if_match<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::SipIfMatch)
    }

    /// Date.
    #[pv(name = "@date")]
    fn date<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::Date)
    }

    /// Identity.
    #[pv(name = "@identity")]
    fn identity<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::Identity)
    }

    /// Identity-Info.
    #[pv(name = "@identity_info")]
    fn identity_info<'a>(run: &'a mut Run, _end: Const<Below<End>>) -> Option<&'a [u8]> {
        run.message.value(HeaderKind::IdentityInfo)
    }
}
