//! What takes effect at once: `msg_apply_changes`, `change_reply_status`.

use bytes::Bytes;
use kcc_macros::part;
use kcc_runtime::message::{OutgoingReply, OutgoingRequest};
use kcc_runtime::run::Run;
use kcc_sip::Message;
use kcc_sip::build::{ViaStamp, write_number};

/// The message with its edits.
fn edited(run: &Run) -> Option<Bytes> {
    let worker = run.worker();
    let stream = run.source.protocol.reliable();
    worker.with_buffer(|out| {
        let built = if run.message.is_request() {
            worker.builder().request(
                &OutgoingRequest {
                    message: &run.message,
                    uri: run.target.uri.get(),
                    via: None,
                    stamp: ViaStamp::default(),
                    edits: &run.edits,
                    branch_edits: None,
                    stream,
                },
                out,
            )
        } else {
            worker.builder().reply(
                &OutgoingReply {
                    message: &run.message,
                    remove_top_via: false,
                    edits: &run.edits,
                    stream,
                },
                out,
            )
        };
        built.then(|| Bytes::copy_from_slice(out))
    })
}

fn replace(run: &mut Run, message: Message) -> Result<(), &'static str> {
    let replaced = run.replace_message(message);
    replaced
        .then_some(())
        .ok_or("the message was changed too often")
}

/// Takes the edited message in hand.
fn apply(run: &mut Run) -> Result<bool, String> {
    let text = edited(run).ok_or("the message cannot be built")?;
    let message = Message::parse(text).map_err(|error| error.to_string())?;
    replace(run, message)?;
    run.edits.clear_message();
    run.target.uri.clear();
    Ok(true)
}

/// Gives the reply in hand another status.
fn change_status(run: &mut Run, code: i64, reason: Option<&[u8]>) -> Result<bool, String> {
    let (old, line_end, reason_start) = {
        let line = run.message.status_line().ok_or("this is no reply")?;
        let reason = run.message.offset_of(line.reason);
        let start = reason.ok_or("this is no reply")?.start;
        (i64::from(line.code), run.message.headers_start(), start)
    };
    if !(100..700).contains(&code) {
        return Err(format!("{code} is no status"));
    }
    if (old < 300 || code < 300) && old / 100 != code / 100 {
        return Err("a provisional or positive answer stays of its class".to_owned());
    }
    let bytes = run.message.bytes();
    let mut text = Vec::with_capacity(bytes.len() + 64);
    text.extend_from_slice(b"SIP/2.0 ");
    write_number(&mut text, code.unsigned_abs());
    text.push(b' ');
    match reason {
        Some(reason) => {
            text.extend(reason.iter().filter(|c| !matches!(c, b'\r' | b'\n')));
            text.extend_from_slice(b"\r\n");
        }
        None => text.extend_from_slice(bytes.get(reason_start..line_end).unwrap_or_default()),
    }
    let grown = i32::try_from(text.len())
        .ok()
        .zip(i32::try_from(line_end).ok())
        .map(|(new, old)| new - old);
    let grown = grown.ok_or("the reason is too long")?;
    text.extend_from_slice(bytes.get(line_end..).unwrap_or_default());
    let message = Message::parse(text.into()).map_err(|error| error.to_string())?;
    replace(run, message)?;
    run.edits.shift(grown);
    Ok(true)
}

/// `msg_apply_changes` and its like.
#[part(module = "textopsx")]
pub mod exports {
    use super::{apply, change_status, replace};
    use kcc_runtime::declare::{Int, Text};
    use kcc_runtime::run::Run;
    use kcc_sip::Message;

    /// Applies the edits made so far: whoever reads the message sees them from here on.
    ///
    /// ```cfg
    /// append_hf("X-Seen: yes\r\n");
    /// msg_apply_changes();
    /// xlog("L_INFO", "$hdr(X-Seen)\n");
    /// ```
    #[function(routes = "request|onreply")]
    fn msg_apply_changes(run: &mut Run) -> Result<bool, String> {
        apply(run)
    }

    /// Puts `text` in the place of the whole message, its edits and rewritten Request-URI with it.
    /// False where it is no SIP message; the old one then stays.
    ///
    /// ```cfg
    /// msg_set_buffer("$mb");
    /// ```
    #[function(routes = "request|onreply")]
    fn msg_set_buffer(run: &mut Run, text: Text) -> Result<bool, String> {
        let parsed = Message::parse(bytes::Bytes::copy_from_slice(text));
        let message = parsed.map_err(|error| error.to_string())?;
        if message.is_request() != run.message.is_request() {
            return Err("a request stays a request and a reply a reply".to_owned());
        }
        replace(run, message)?;
        run.edits.clear_message();
        run.target.uri.clear();
        Ok(true)
    }

    /// Gives the reply the status `code` and the reason phrase `reason`, at once. A provisional or
    /// positive answer stays of its class, a negative one negative.
    ///
    /// ```cfg
    /// onreply_route[R] {
    ///     if (t_check_status("603")) {
    ///         change_reply_status("404", "Not Found");
    ///     }
    /// }
    /// ```
    #[function(routes = "onreply")]
    fn change_reply_status(run: &mut Run, code: Int, reason: Text) -> Result<bool, String> {
        change_status(run, code, Some(reason))
    }

    /// As `change_reply_status`; the reason phrase stays.
    ///
    /// ```cfg
    /// onreply_route[R] {
    ///     if (t_check_status("603")) {
    ///         change_reply_status_code("404");
    ///     }
    /// }
    /// ```
    #[function(routes = "onreply")]
    fn change_reply_status_code(run: &mut Run, code: Int) -> Result<bool, String> {
        change_status(run, code, None)
    }
}
