//! What kind of text this is: `is_numeric`, `is_e164` and their like.

use kcc_macros::part;
use kcc_runtime::run::Run;
use kcc_runtime::shim::Verdict;
use kcc_sip::Uri;

/// 1 where it is so, -2 where it is not, as Kamailio has it.
fn verdict(holds: bool) -> Verdict {
    if holds {
        Verdict::TRUE
    } else {
        Verdict::Code(-2)
    }
}

/// Whether `text` is all of characters that `test` holds for, and not empty.
fn all(text: &[u8], test: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.iter().all(|c| test(*c))
}

/// Whether `text` is a number of E.164: a plus and digits, at most `e164_max_len` characters.
fn is_number(run: &Run, text: &[u8]) -> bool {
    let most = usize::try_from(run.params::<super::exports::Params>().e164_max_len).unwrap_or(0);
    let digits = text.strip_prefix(b"+").unwrap_or_default();
    (3..=most).contains(&text.len()) && all(digits, |c| c.is_ascii_digit())
}

/// `is_numeric` and its like.
#[part(module = "siputils")]
pub mod exports {
    use super::{Uri, all, is_number, verdict};
    use kcc_runtime::declare::Text;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// True if `text` is all digits; -2 otherwise.
    ///
    /// ```cfg
    /// if (is_numeric("$rU")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_numeric(_run: &mut Run, text: Text) -> Verdict {
        verdict(all(text, |c| c.is_ascii_digit()))
    }

    /// True if `text` is all letters and digits; -2 otherwise.
    ///
    /// ```cfg
    /// if (is_alphanum("$rU")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_alphanum(_run: &mut Run, text: Text) -> Verdict {
        verdict(all(text, |c| c.is_ascii_alphanumeric()))
    }

    /// True if `text` is all letters, digits and characters of `others`; -2 otherwise.
    ///
    /// ```cfg
    /// if (is_alphanumex("$rU", "._-")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_alphanumex(_run: &mut Run, text: Text, others: Text) -> Verdict {
        verdict(all(text, |c| {
            c.is_ascii_alphanumeric() || others.contains(&c)
        }))
    }

    /// True if `text` is a telephone number: digits, after a plus perhaps; -2 otherwise.
    ///
    /// ```cfg
    /// if (is_tel_number("$rU")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_tel_number(_run: &mut Run, text: Text) -> Verdict {
        let digits = text.strip_prefix(b"+").unwrap_or(text);
        verdict(all(digits, |c| c.is_ascii_digit()))
    }

    /// True if `text` is a number of E.164: a plus and digits, at most `e164_max_len` characters.
    ///
    /// ```cfg
    /// if (is_e164("$fU")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request|failure|local")]
    fn is_e164(run: &mut Run, text: Text) -> bool {
        is_number(run, text)
    }

    /// True if the user of the URI `uri` is a number of E.164. See `is_e164`.
    ///
    /// ```cfg
    /// if (is_uri_user_e164("$fu")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_uri_user_e164(run: &mut Run, uri: Text) -> bool {
        Uri::parse(uri).is_ok_and(|uri| is_number(run, uri.user_or_empty()))
    }
}
