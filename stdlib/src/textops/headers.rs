//! Header fields: `append_hf`, `remove_hf`, `is_present_hf` and their like.

use kcc_macros::part;
use kcc_runtime::declare::{ConstantError, Parse};
use kcc_runtime::message::Full;
use kcc_runtime::pattern::{Flags, Pattern, PatternError};
use kcc_runtime::run::Run;
use kcc_sip::message::Header;
use kcc_sip::{HeaderKind, Message};

/// The name of a header field, long or compact, in any case.
#[derive(Debug)]
pub struct HeaderName {
    /// Its kind.
    pub kind: HeaderKind,
    /// The name as written, for those without a kind.
    pub text: Box<[u8]>,
}

impl HeaderName {
    /// The name in `text`, which may end with a colon.
    pub fn new(text: &[u8]) -> HeaderName {
        let name = text.strip_suffix(b":").unwrap_or(text);
        HeaderName {
            kind: HeaderKind::parse(name),
            text: name.into(),
        }
    }

    /// Whether `header` is called that.
    pub fn is(&self, header: &Header<'_>) -> bool {
        match self.kind {
            HeaderKind::Other => header.name.eq_ignore_ascii_case(&self.text),
            kind => header.kind == kind,
        }
    }

    /// The first field of that name.
    pub fn first<'m>(&self, message: &'m Message) -> Option<Header<'m>> {
        match self.kind {
            HeaderKind::Other => message.headers().find(|header| self.is(header)),
            kind => message.header(kind),
        }
    }
}

impl HeaderName {
    /// The last field of that name.
    fn last<'m>(&self, message: &'m Message) -> Option<Header<'m>> {
        message.headers().rev().find(|header| self.is(header))
    }
}

impl Parse for HeaderName {
    const NAME: &'static str = "textops-header-name";
    const WHAT: &'static str = "the name of a header field";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        if text.is_empty() {
            return Err(ConstantError::new("the name is missing"));
        }
        Ok(HeaderName::new(text))
    }
}

/// A regular expression as `regcomp` reads it with REG_EXTENDED, REG_ICASE and REG_NEWLINE.
#[derive(Debug)]
pub struct Lines(pub Pattern);

/// The longest expression that is compiled while a message waits, in bytes: compiling takes time
/// that grows with the square of the length.
const LONGEST_AT_RUN_TIME: usize = 4096;

impl Lines {
    /// The expression in `text`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &[u8]) -> Result<Lines, PatternError> {
        Pattern::line_by_line(text, Flags { icase: true }).map(Lines)
    }

    /// The expression in `text`, which came out of variables.
    ///
    /// # Errors
    /// Why it is none; it may be 4096 bytes long.
    pub fn at_run_time(text: &[u8]) -> Result<Lines, String> {
        if text.len() > LONGEST_AT_RUN_TIME {
            return Err("the expression is too long".to_owned());
        }
        Lines::new(text).map_err(|error| error.to_string())
    }
}

impl Parse for Lines {
    const NAME: &'static str = "regex-lines";
    const WHAT: &'static str = "a regular expression";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        Lines::new(text).map_err(|error| ConstantError {
            offset: error.offset,
            message: error.message,
        })
    }
}

/// Removes the fields that `test` picks and were not removed before; whether there were any.
pub fn remove(run: &mut Run, test: impl Fn(&Header<'_>) -> bool) -> Result<bool, Full> {
    let (message, edits) = run.edit();
    let mut found = false;
    for header in message.headers().filter(|header| test(header)) {
        found = true;
        let gone = message
            .offset_of(header.line)
            .is_some_and(|range| edits.deletes(range.start));
        if !gone {
            edits.remove_header(message, &header)?;
        }
    }
    Ok(found)
}

/// `append_hf` and its like.
#[part(module = "textops")]
pub mod exports {
    use super::super::date::date_line;
    use super::{HeaderName, Lines, remove};
    use kcc_runtime::declare::{Const, Int, Parsed, Raw, Text};
    use kcc_runtime::message::Full;
    use kcc_runtime::run::Run;

    /// Adds the header field `text` after the last one, or after the last one named `after`. A
    /// line end is added where it has none.
    ///
    /// ```cfg
    /// append_hf("P-Hint: outbound\r\n");
    /// ```
    #[function(routes = "any")]
    fn append_hf(
        run: &mut Run,
        text: Text,
        after: Option<Const<HeaderName>>,
    ) -> Result<bool, Full> {
        let (message, edits) = run.edit();
        match after.and_then(|name| name.last(message)) {
            Some(header) => edits.append_after(message, &header, text)?,
            None => edits.append_header(message, text)?,
        }
        Ok(true)
    }

    /// Adds the header field `text` before the first one, or before the first one named `before`.
    /// A line end is added where it has none.
    ///
    /// ```cfg
    /// insert_hf("P-Hint: outbound\r\n", "Call-ID");
    /// ```
    #[function(routes = "any")]
    fn insert_hf(
        run: &mut Run,
        text: Text,
        before: Option<Const<HeaderName>>,
    ) -> Result<bool, Full> {
        let (message, edits) = run.edit();
        match before.and_then(|name| name.first(message)) {
            Some(header) => edits.insert_before(message, &header, text)?,
            None => edits.prepend_header(message, text)?,
        }
        Ok(true)
    }

    /// True if the header Privacy (RFC 3323) asks for `kind`: `id`, `user`, `header`, `session`,
    /// `none`, `critical`.
    ///
    /// ```cfg
    /// if (is_privacy("id")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_privacy(run: &mut Run, kind: Raw) -> bool {
        let mut kinds = run
            .message
            .headers_named(b"Privacy")
            .flat_map(|header| header.value.split(|c| matches!(c, b';' | b',')));
        kinds.any(|found| kcc_sip::token::trim(found).eq_ignore_ascii_case(kind.0))
    }

    /// Adds the header field `text` to the answers that this server makes to the request.
    ///
    /// ```cfg
    /// append_to_reply("Retry-After: 60\r\n");
    /// ```
    #[function(routes = "request|failure|branch")]
    fn append_to_reply(run: &mut Run, text: Text) -> Result<bool, Full> {
        run.edits.append_to_reply(text)?;
        Ok(true)
    }

    /// Removes all header fields called `name`. False if there is none.
    ///
    /// ```cfg
    /// remove_hf("User-Agent");
    /// ```
    #[function(routes = "any", aliases("remove_hf_pv"))]
    fn remove_hf(run: &mut Run, name: Parsed<HeaderName>) -> Result<bool, Full> {
        match name {
            Parsed::Constant(name) => remove(run, |header| name.is(header)),
            Parsed::Text(name) => remove(run, |header| header.is_named(name)),
        }
    }

    /// Removes all header fields whose name matches `pattern`, a regular expression. False if there
    /// is none.
    ///
    /// ```cfg
    /// remove_hf_re("^X-");
    /// ```
    #[function(routes = "any", aliases("remove_hf_re_pv"))]
    fn remove_hf_re(run: &mut Run, pattern: Parsed<Lines>) -> Result<bool, String> {
        let built;
        let pattern = match pattern {
            Parsed::Constant(pattern) => pattern,
            Parsed::Text(text) => {
                built = Lines::at_run_time(text)?;
                &built
            }
        };
        remove(run, |header| pattern.0.is_match(header.name)).map_err(|error| error.to_string())
    }

    /// Removes all header fields whose name matches `pattern`, but those whose name matches
    /// `keep`; both are regular expressions. False if none was removed.
    ///
    /// ```cfg
    /// remove_hf_exp("^X-", "^X-Billing");
    /// ```
    #[function(routes = "any")]
    fn remove_hf_exp(
        run: &mut Run,
        pattern: Const<Lines>,
        keep: Const<Lines>,
    ) -> Result<bool, Full> {
        remove(run, |header| {
            pattern.0.is_match(header.name) && !keep.0.is_match(header.name)
        })
    }

    /// True if there is a header field called `name`.
    ///
    /// ```cfg
    /// if (is_present_hf("Authorization")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any", aliases("is_present_hf_pv"))]
    fn is_present_hf(run: &mut Run, name: Parsed<HeaderName>) -> bool {
        match name {
            Parsed::Constant(name) => name.first(&run.message).is_some(),
            Parsed::Text(name) => run.message.headers().any(|header| header.is_named(name)),
        }
    }

    /// True if there is a header field whose name matches `pattern`, a regular expression.
    ///
    /// ```cfg
    /// if (is_present_hf_re("^X-")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any", aliases("is_present_hf_re_pv"))]
    fn is_present_hf_re(run: &mut Run, pattern: Parsed<Lines>) -> Result<bool, String> {
        let built;
        let pattern = match pattern {
            Parsed::Constant(pattern) => pattern,
            Parsed::Text(text) => {
                built = Lines::at_run_time(text)?;
                &built
            }
        };
        Ok(run
            .message
            .headers()
            .any(|header| pattern.0.is_match(header.name)))
    }

    /// True if `pattern` matches the value of a header field called `name`: of any (`which` is
    /// `a`), of the first (`f`) or the last (`l`).
    ///
    /// ```cfg
    /// if (search_hf("User-Agent", "scanner", "a")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn search_hf(
        run: &mut Run,
        name: Const<HeaderName>,
        pattern: Const<Lines>,
        which: Raw,
    ) -> bool {
        let mut values = run
            .message
            .headers()
            .filter(|header| name.is(header))
            .map(|header| header.value);
        match which.0 {
            b"f" => values.next().is_some_and(|v| pattern.0.is_match(v)),
            b"l" => values.next_back().is_some_and(|v| pattern.0.is_match(v)),
            _ => values.any(|v| pattern.0.is_match(v)),
        }
    }

    /// Removes header field number `index` of those called `name`, counted from 0 or, where
    /// negative, from the end. False if there is none.
    ///
    /// ```cfg
    /// remove_hf_idx("X-Trace", "-1");
    /// ```
    #[function(routes = "any")]
    fn remove_hf_idx(run: &mut Run, name: Text, index: Int) -> Result<bool, Full> {
        let named = || run.message.headers().filter(|header| header.is_named(name));
        let found = kcc_runtime::declare::Index::At(index).among(named().count());
        let found = found
            .and_then(|n| named().nth(n))
            .map(|header| header.index);
        match found {
            Some(index) => remove(run, |header| header.index == index),
            None => Ok(false),
        }
    }

    /// Adds a Date header to the request, with the time of now.
    ///
    /// ```cfg
    /// append_time_to_request();
    /// ```
    #[function(routes = "any")]
    fn append_time_to_request(run: &mut Run) -> Result<bool, Full> {
        let line = date_line(run.time_of_day().as_secs());
        let (message, edits) = run.edit();
        edits.append_header(message, line.as_bytes())?;
        Ok(true)
    }

    /// Adds a Date header to the answers that this server makes, with the time of now.
    ///
    /// ```cfg
    /// append_time();
    /// ```
    #[function(routes = "request|failure|branch")]
    fn append_time(run: &mut Run) -> Result<bool, Full> {
        let line = date_line(run.time_of_day().as_secs());
        run.edits.append_to_reply(line.as_bytes())?;
        Ok(true)
    }
}
