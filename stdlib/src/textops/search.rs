//! Searching and replacing in the text of the message: `search`, `replace` and their like. The
//! expressions are read line by line and without regard to the case of letters.

use std::ops::Range;

use kcc_macros::part;
use kcc_runtime::message::Full;
use kcc_runtime::run::Run;

use super::headers::Lines;

/// Which part of the message is searched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All but the first line.
    AfterFirstLine,
    /// The header fields.
    Headers,
    /// The body.
    Body,
}

impl Part {
    fn range(self, run: &Run) -> Range<usize> {
        let message = &run.message;
        let end = message.bytes().len();
        match self {
            Part::AfterFirstLine => message.headers_start()..end,
            Part::Headers => message.headers_start()..message.headers_end(),
            Part::Body => message.body_offset()..end,
        }
    }
}

/// What is done with a match.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// `text` stands in its place.
    Replace,
    /// `text` stands after it.
    Append,
}

/// Edits the first match of `pattern` in `part`, or all of them; false where there is none.
fn edit(
    run: &mut Run,
    part: Part,
    pattern: &Lines,
    text: &[u8],
    how: How,
    all: bool,
) -> Result<bool, Full> {
    let range = part.range(run);
    let (message, edits) = run.edit();
    let searched = message.bytes().get(range.clone()).unwrap_or_default();
    let mut at = 0;
    let mut found = false;
    let mut groups = [None];
    while (!found || all) && at <= searched.len() {
        let matched = if at == 0 {
            pattern.0.captures_into(searched, &mut groups)
        } else {
            pattern.0.captures_after(searched, at, &mut groups)
        };
        let [Some(place)] = &groups else { break };
        if !matched {
            break;
        }
        let (start, end) = (range.start + place.start, range.start + place.end);
        match how {
            How::Replace => edits.replace(start..end, text)?,
            How::Append => edits.insert(end, text)?,
        }
        found = true;
        at = if place.is_empty() {
            place.end + 1
        } else {
            place.end
        };
    }
    Ok(found)
}

/// Puts `text` in the place of the plain text `what`; false where it is not there.
fn edit_plain(
    run: &mut Run,
    part: Part,
    what: &[u8],
    text: &[u8],
    all: bool,
) -> Result<bool, Full> {
    if what.is_empty() {
        return Ok(false);
    }
    let range = part.range(run);
    let (message, edits) = run.edit();
    let searched = message.bytes().get(range.clone()).unwrap_or_default();
    let most = if all { usize::MAX } else { 1 };
    let mut found = false;
    for at in memchr::memmem::find_iter(searched, what).take(most) {
        let start = range.start + at;
        edits.replace(start..start + what.len(), text)?;
        found = true;
    }
    Ok(found)
}

/// Whether `mode` of the `replace_…_str` functions asks for all matches: `a`; `f` is the first.
fn all(mode: &[u8]) -> bool {
    mode.contains(&b'a')
}

/// `search` and its like.
#[part(module = "textops")]
pub mod exports {
    use super::{How, Lines, Part, all, edit, edit_plain};
    use kcc_runtime::declare::{Const, Raw, Text};
    use kcc_runtime::message::Full;
    use kcc_runtime::run::Run;

    /// True if `pattern` matches in the message, first line and body included.
    ///
    /// ```cfg
    /// if (search("^User-Agent:.*scanner")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn search(run: &mut Run, pattern: Const<Lines>) -> bool {
        pattern.0.is_match(run.message.bytes())
    }

    /// True if `pattern` matches in the body.
    ///
    /// ```cfg
    /// if (search_body("^m=video")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn search_body(run: &mut Run, pattern: Const<Lines>) -> bool {
        pattern.0.is_match(run.message.payload())
    }

    /// Adds `text` after the first match of `pattern`, the first line left out. False where
    /// nothing matches.
    ///
    /// ```cfg
    /// search_append("^Subject: ", "[external] ");
    /// ```
    #[function(routes = "any")]
    fn search_append(run: &mut Run, pattern: Const<Lines>, text: Raw) -> Result<bool, Full> {
        edit(
            run,
            Part::AfterFirstLine,
            &pattern,
            text.0,
            How::Append,
            false,
        )
    }

    /// Adds `text` after the first match of `pattern` in the body. False where nothing matches.
    ///
    /// ```cfg
    /// search_append_body("^a=sendrecv", "\r\na=x");
    /// ```
    #[function(routes = "any")]
    fn search_append_body(run: &mut Run, pattern: Const<Lines>, text: Raw) -> Result<bool, Full> {
        edit(run, Part::Body, &pattern, text.0, How::Append, false)
    }

    /// Puts `text` in the place of the first match of `pattern`, the first line left out. False
    /// where nothing matches. There are no groups in `text`; see `subst`.
    ///
    /// ```cfg
    /// replace("^User-Agent: .*", "User-Agent: hidden");
    /// ```
    #[function(routes = "any")]
    fn replace(run: &mut Run, pattern: Const<Lines>, text: Raw) -> Result<bool, Full> {
        edit(
            run,
            Part::AfterFirstLine,
            &pattern,
            text.0,
            How::Replace,
            false,
        )
    }

    /// Puts `text` in the place of all matches of `pattern`, the first line left out. False where
    /// nothing matches.
    ///
    /// ```cfg
    /// replace_all("192\.0\.2\.1", "198.51.100.1");
    /// ```
    #[function(routes = "any")]
    fn replace_all(run: &mut Run, pattern: Const<Lines>, text: Raw) -> Result<bool, Full> {
        edit(
            run,
            Part::AfterFirstLine,
            &pattern,
            text.0,
            How::Replace,
            true,
        )
    }

    /// Puts `text` in the place of all matches of `pattern` in the header fields. False where
    /// nothing matches.
    ///
    /// ```cfg
    /// replace_hdrs("192\.0\.2\.1", "198.51.100.1");
    /// ```
    #[function(routes = "any")]
    fn replace_hdrs(run: &mut Run, pattern: Const<Lines>, text: Raw) -> Result<bool, Full> {
        edit(run, Part::Headers, &pattern, text.0, How::Replace, true)
    }

    /// Puts `text` in the place of the first match of `pattern` in the body. False where nothing
    /// matches.
    ///
    /// ```cfg
    /// replace_body("^a=sendrecv", "a=sendonly");
    /// ```
    #[function(routes = "any")]
    fn replace_body(run: &mut Run, pattern: Const<Lines>, text: Raw) -> Result<bool, Full> {
        edit(run, Part::Body, &pattern, text.0, How::Replace, false)
    }

    /// Puts `text` in the place of all matches of `pattern` in the body. False where nothing
    /// matches.
    ///
    /// ```cfg
    /// replace_body_all("192\.0\.2\.1", "198.51.100.1");
    /// ```
    #[function(routes = "any", aliases("replace_body_atonce"))]
    fn replace_body_all(run: &mut Run, pattern: Const<Lines>, text: Raw) -> Result<bool, Full> {
        edit(run, Part::Body, &pattern, text.0, How::Replace, true)
    }

    /// Puts `text` in the place of `what`, the first line left out: the first one (`mode` is `f`)
    /// or all (`a`). False where it is not there.
    ///
    /// ```cfg
    /// replace_str("192.0.2.1", "$Ri", "a");
    /// ```
    #[function(routes = "any")]
    fn replace_str(run: &mut Run, what: Text, text: Text, mode: Text) -> Result<bool, Full> {
        edit_plain(run, Part::AfterFirstLine, what, text, all(mode))
    }

    /// As `replace_str`, in the header fields.
    ///
    /// ```cfg
    /// replace_hdrs_str("192.0.2.1", "$Ri", "a");
    /// ```
    #[function(routes = "any")]
    fn replace_hdrs_str(run: &mut Run, what: Text, text: Text, mode: Text) -> Result<bool, Full> {
        edit_plain(run, Part::Headers, what, text, all(mode))
    }

    /// As `replace_str`, in the body.
    ///
    /// ```cfg
    /// replace_body_str("192.0.2.1", "$Ri", "a");
    /// ```
    #[function(routes = "any")]
    fn replace_body_str(run: &mut Run, what: Text, text: Text, mode: Text) -> Result<bool, Full> {
        edit_plain(run, Part::Body, what, text, all(mode))
    }
}
