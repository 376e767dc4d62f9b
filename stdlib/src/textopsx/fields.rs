//! Header fields and body: `keep_hf`, `remove_body`, `fnmatch`.

use kcc_macros::part;
use kcc_sip::HeaderKind;

/// What `keep_hf` never removes: without it there is no message.
fn is_needed(kind: HeaderKind) -> bool {
    use HeaderKind as H;
    matches!(
        kind,
        H::Via
            | H::From
            | H::To
            | H::CallId
            | H::CSeq
            | H::MaxForwards
            | H::ContentLength
            | H::ContentType
            | H::Contact
            | H::Route
            | H::RecordRoute
    )
}

/// Whether `text` matches the file name pattern: `*`, `?`, `[…]`, a backslash before a character
/// that stands for itself.
fn file_name_match(pattern: &[u8], text: &[u8], icase: bool) -> bool {
    let same = |a: u8, b: u8| {
        if icase {
            a.eq_ignore_ascii_case(&b)
        } else {
            a == b
        }
    };
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        let matched = match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
                continue;
            }
            Some(b'?') => Some(p + 1),
            Some(b'[') => in_set(pattern, p, text[t], icase),
            Some(b'\\') if p + 1 < pattern.len() => same(pattern[p + 1], text[t]).then_some(p + 2),
            Some(c) => same(*c, text[t]).then_some(p + 1),
            None => None,
        };
        match (matched, back) {
            (Some(next), _) => {
                p = next;
                t += 1;
            }
            (None, Some((star, from))) => {
                back = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// Where the set that begins at `at` ends, if `c` is in it.
fn in_set(pattern: &[u8], at: usize, c: u8, icase: bool) -> Option<usize> {
    let mut next = at + 1;
    let negated = matches!(pattern.get(next), Some(b'!' | b'^'));
    next += usize::from(negated);
    let first = next;
    let mut found = false;
    loop {
        let low = *pattern.get(next)?;
        if low == b']' && next > first {
            return (found != negated).then_some(next + 1);
        }
        let mut high = low;
        if pattern.get(next + 1) == Some(&b'-')
            && let Some(end) = pattern.get(next + 2).filter(|end| **end != b']')
        {
            high = *end;
            next += 2;
        }
        next += 1;
        found |= (low..=high).contains(&c)
            || (icase
                && ((low..=high).contains(&c.to_ascii_lowercase())
                    || (low..=high).contains(&c.to_ascii_uppercase())));
    }
}

/// `keep_hf` and its like.
#[part(module = "textopsx")]
pub mod exports {
    use super::{file_name_match, is_needed};
    use crate::textops::headers::{Lines, remove};
    use kcc_runtime::declare::{Const, Text};
    use kcc_runtime::message::Full;
    use kcc_runtime::run::Run;

    /// Removes all header fields but those whose name matches `pattern`, a regular expression, and
    /// those that a message cannot be without: Via, From, To, Call-ID, CSeq, Max-Forwards,
    /// Content-Length, Content-Type, Contact, Route, Record-Route.
    ///
    /// ```cfg
    /// keep_hf("^(User-Agent|Subject)$");
    /// ```
    #[function(routes = "any")]
    fn keep_hf(run: &mut Run, pattern: Option<Const<Lines>>) -> Result<bool, Full> {
        remove(run, |header| {
            !is_needed(header.kind) && !pattern.as_ref().is_some_and(|p| p.0.is_match(header.name))
        })?;
        Ok(true)
    }

    /// Removes the body.
    ///
    /// ```cfg
    /// remove_body();
    /// ```
    #[function(routes = "any")]
    fn remove_body(run: &mut Run) -> Result<bool, Full> {
        if !run.message.payload().is_empty() {
            let (message, edits) = run.edit();
            edits.set_body(message, b"")?;
        }
        Ok(true)
    }

    /// True if `text` matches the file name pattern `pattern`: `*`, `?`, `[a-z]`; with the flag
    /// `i` without regard to the case of letters.
    ///
    /// ```cfg
    /// if (fnmatch("$rU", "12*")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn fnmatch(_run: &mut Run, text: Text, pattern: Text, flags: Option<Text>) -> bool {
        let icase = flags.is_some_and(|flags| flags.contains(&b'i'));
        file_name_match(pattern, text, icase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_name_patterns() {
        for (pattern, text, icase, matches) in [
            ("a*", "abc", false, true),
            ("A*", "abc", false, false),
            ("A*", "abc", true, true),
            ("*", "", false, true),
            ("?", "", false, false),
            ("a?c*e", "abcdde", false, true),
            ("[a-c]x", "bx", false, true),
            ("[!a-c]x", "bx", false, false),
            ("[]x]", "]", false, true),
            ("[a", "a", false, false),
            ("\\*", "*", false, true),
            ("\\*", "a", false, false),
            ("*a*b*c", "xxaxxbxxc", false, true),
            ("*a*b*c", "xxaxxbxx", false, false),
        ] {
            let found = file_name_match(pattern.as_bytes(), text.as_bytes(), icase);
            assert_eq!(found, matches, "{pattern} {text}");
        }
    }
}
