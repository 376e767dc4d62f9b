//! The body and the message as a whole.

use kcc_sip::build::ViaStamp;

use super::key::keys;
use crate::message::{Builder, OutgoingReply, OutgoingRequest};
use crate::run::Run;

keys! {
    /// What `$msg(…)` tells of the message.
    MessageKey("msg-key", "a key of $msg") {
        /// Length of the whole.
        Length = "len",
        /// The whole.
        Whole = "buf",
        /// The body.
        Body = "body",
        /// Length of the body.
        BodyLength = "body_len",
        /// All header fields.
        Headers = "hdrs",
        /// Their length.
        HeadersLength = "hdrs_len",
        /// Their number.
        HeaderCount = "hdrc",
        /// The first line.
        FirstLine = "fline",
        /// First line and header fields.
        FirstPart = "fpart",
        /// Header fields and body.
        LastPart = "lpart",
    }
}

/// Appends the message with the edits made so far to `out`; false where it is too large.
pub(super) fn edited(run: &Run, builder: &mut Builder, out: &mut Vec<u8>) -> bool {
    let message = &run.message;
    if !message.is_request() {
        return builder.reply(
            &OutgoingReply {
                message,
                remove_top_via: false,
                edits: &run.edits,
                stream: false,
            },
            out,
        );
    }
    builder.request(
        &OutgoingRequest {
            message,
            uri: run.target.uri.get(),
            via: None,
            stamp: ViaStamp::default(),
            edits: &run.edits,
            branch_edits: Some(&run.branch_edits),
            stream: false,
        },
        out,
    )
}

/// Variables of the whole message.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Const;
    use crate::message::Builder;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::value::Val;

    use super::{MessageKey, edited};

    /// The body as received; empty where there is none.
    #[pv(name = "rb")]
    fn rb(run: &mut Run) -> &[u8] {
        run.message.payload()
    }

    /// Size of the body in bytes.
    #[pv(name = "bs")]
    fn bs(run: &mut Run) -> i64 {
        run.message.payload().len() as i64
    }

    /// The whole message as received.
    #[pv(name = "mb")]
    fn mb(run: &mut Run) -> &[u8] {
        run.message.bytes()
    }

    /// The whole message with the edits made so far. It is built at each reading.
    #[pv(name = "mbu")]
    fn mbu(run: &mut Run) -> Result<Val, Failed> {
        let build = |out: &mut Vec<u8>, run: &mut Run, builder: &mut Builder| match edited(
            run, builder, out,
        ) {
            true => Ok(run.text(out)),
            false => Err(Failed),
        };
        match run.try_worker().cloned() {
            Some(worker) => worker.with_buffer(|out| build(out, run, &mut worker.builder())),
            None => build(&mut Vec::new(), run, &mut Builder::new()),
        }
    }

    /// Length of the message as received, in bytes.
    #[pv(name = "ml")]
    fn ml(run: &mut Run) -> i64 {
        run.message.bytes().len() as i64
    }

    /// Parts of the message as received.
    ///
    /// Keys: `len` length, `buf` the whole; `body`, `body_len`; `hdrs` all header fields, `hdrs_len`
    /// their length, `hdrc` their number; `fline` the first line; `fpart` first line and header
    /// fields, `lpart` header fields and body. `hdrs` and `fpart` end without a line end.
    ///
    /// ```cfg
    /// if ($msg(len) > 4000) exit;
    /// ```
    #[pv(name = "msg")]
    fn msg(run: &mut Run, key: Const<MessageKey>) -> Val {
        let message = &run.message;
        let bytes = message.bytes();
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        let headers = message.headers_start();
        let last = part(headers, message.headers_end()).trim_ascii_end().len();
        let text = match *key {
            MessageKey::Length => return Val::int(bytes.len() as i64),
            MessageKey::BodyLength => return Val::int(message.payload().len() as i64),
            MessageKey::HeadersLength => return Val::int(last as i64),
            MessageKey::HeaderCount => return Val::int(message.header_count() as i64),
            MessageKey::Whole => bytes,
            MessageKey::Body => message.payload(),
            MessageKey::Headers => part(headers, headers + last),
            MessageKey::FirstLine => message.first_line(),
            MessageKey::FirstPart => part(0, headers + last),
            MessageKey::LastPart => part(headers, bytes.len()),
        };
        Val::str(text)
    }

    /// A byte of the received message, as text of one character; null beyond its end.
    ///
    /// The place in parentheses counts from 0.
    #[pv(name = "msgbuf")]
    fn msgbuf(run: &mut Run, place: Const<Offset>) -> Option<Val> {
        let at = place.0;
        run.message
            .bytes()
            .get(at..at.checked_add(1)?)
            .map(Val::str)
    }

    /// A place in the message.
    pub struct Offset(usize);

    impl crate::declare::Parse for Offset {
        const NAME: &'static str = "msgbuf-offset";
        const WHAT: &'static str = "a place in the message";

        fn parse(text: &[u8]) -> Result<Self, crate::declare::ConstantError> {
            let n = kcc_sip::token::parse_u32(text);
            let n = n.ok_or_else(|| crate::declare::ConstantError::new("a number is expected"))?;
            Ok(Offset(n as usize))
        }
    }

    /// How many messages this worker has received.
    #[pv(name = "mi")]
    fn mi(run: &mut Run) -> i64 {
        run.try_worker()
            .map_or(0, |worker| worker.messages.get() as i64)
    }

    /// `server_id`.
    #[pv(name = "sid")]
    fn sid(run: &mut Run) -> i64 {
        run.program.settings.server_id
    }
}
