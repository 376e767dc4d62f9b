//! The body: `has_body`, `set_body` and their like.

use kcc_macros::part;
use kcc_runtime::message::Full;
use kcc_runtime::run::Run;
use kcc_sip::HeaderKind;

use super::headers::remove;

/// The media type of a Content-Type value, without its parameters.
fn media_type(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|c| *c == b';').unwrap_or(value.len());
    kcc_sip::token::trim(&value[..end])
}

/// Puts `body` in the place of the body, with Content-Type where one is given.
fn set(run: &mut Run, body: &[u8], content_type: &[u8]) -> Result<(), Full> {
    let length = run.message.content_length().is_some();
    if !content_type.is_empty() {
        remove(run, |header| header.kind == HeaderKind::ContentType)?;
    }
    let (message, edits) = run.edit();
    edits.set_body(message, body)?;
    edits.replace_with(message.headers_end()..message.headers_end(), |out| {
        if !length {
            kcc_sip::build::write_content_length(out, body.len());
        }
        if !content_type.is_empty() {
            out.extend_from_slice(b"Content-Type: ");
            out.extend_from_slice(content_type);
            out.extend_from_slice(b"\r\n");
        }
    })
}

/// The bytes that hexadecimal digits stand for.
fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16);
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

/// `has_body` and its like.
#[part(module = "textops")]
pub mod exports {
    use super::{media_type, set, unhex};
    use kcc_runtime::declare::{Raw, Text};
    use kcc_runtime::message::Full;
    use kcc_runtime::run::Run;
    use kcc_sip::HeaderKind;

    /// True if the message has a body, of the type `mime` where that is given. Parameters of the
    /// type are not looked at.
    ///
    /// ```cfg
    /// if (has_body("application/sdp")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn has_body(run: &mut Run, mime: Option<Raw>) -> bool {
        let there = !run.message.payload().is_empty() && run.message.content_length() != Some(0);
        there
            && mime.is_none_or(|mime| {
                run.message
                    .value(HeaderKind::ContentType)
                    .is_some_and(|value| media_type(value).eq_ignore_ascii_case(media_type(mime.0)))
            })
    }

    /// Puts `body`, of the type `mime`, in the place of the body.
    ///
    /// ```cfg
    /// set_body("hello\r\n", "text/plain");
    /// ```
    #[function(routes = "request|failure|onreply|branch")]
    fn set_body(run: &mut Run, body: Text, mime: Text) -> Result<bool, Full> {
        set(run, body, mime)?;
        Ok(true)
    }

    /// As `set_body`, with the body in hexadecimal digits. False where it is not.
    ///
    /// ```cfg
    /// set_body_hex("68656c6c6f0d0a", "text/plain");
    /// ```
    #[function(routes = "any")]
    fn set_body_hex(run: &mut Run, body: Text, mime: Text) -> Result<bool, String> {
        let body = unhex(body).ok_or("the body is not in hexadecimal digits")?;
        set(run, &body, mime).map_err(|error| error.to_string())?;
        Ok(true)
    }

    /// Gives the answers that this server makes to the request the body `body` of the type `mime`.
    ///
    /// ```cfg
    /// set_reply_body("busy\r\n", "text/plain");
    /// sl_send_reply("486", "Busy Here");
    /// ```
    #[function(routes = "request|failure|branch")]
    fn set_reply_body(run: &mut Run, body: Text, mime: Text) -> Result<bool, Full> {
        run.edits.set_reply_body(mime, body)?;
        Ok(true)
    }

    /// True if a media stream of the body's SDP is on hold: it is `inactive` or `sendonly`, or its
    /// address is 0.0.0.0.
    ///
    /// ```cfg
    /// if (is_audio_on_hold()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_audio_on_hold(run: &mut Run) -> bool {
        let mut audio = true;
        run.message.body().split(|c| *c == b'\n').any(|line| {
            let line = kcc_sip::token::trim_end(line);
            if let Some(media) = line.strip_prefix(b"m=") {
                audio = media.starts_with(b"audio");
            }
            audio && matches!(line, b"a=sendonly" | b"a=inactive" | b"c=IN IP4 0.0.0.0")
        })
    }
}
