//! Addresses and event names: how far they reach at the start of a text.

use std::net::Ipv6Addr;

use super::is_word;

/// Length of the IP address at the start of `text`; an IPv6 address may stand in brackets.
pub(super) fn address_prefix(text: &[u8]) -> Option<usize> {
    if let Some(inner) = text.strip_prefix(b"[") {
        let length = ipv6_prefix(inner)?;
        return (inner.get(length) == Some(&b']')).then_some(length + 2);
    }
    ipv4_prefix(text).or_else(|| ipv6_prefix(text))
}

/// Length of the `/bits` or `/mask` at the start of `text`; 0 if there is none.
pub(super) fn mask_prefix(text: &[u8]) -> usize {
    let Some(mask) = text.strip_prefix(b"/") else {
        return 0;
    };
    if let Some(length) = address_prefix(mask) {
        return 1 + length;
    }
    match mask.iter().take_while(|b| b.is_ascii_digit()).count() {
        digits @ 1..=3 if !mask.get(digits).is_some_and(|&b| is_word(b)) => 1 + digits,
        _ => 0,
    }
}

/// Length of the IPv6 address at the start of `text`.
fn ipv6_prefix(text: &[u8]) -> Option<usize> {
    // Eight groups of four with their colons, or six and an IPv4 address.
    let run = text
        .iter()
        .take(46)
        .take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        .count();
    if run > 45 || text.get(run).is_some_and(|&byte| is_word(byte)) {
        return None;
    }
    let mut run = std::str::from_utf8(&text[..run]).ok()?;
    if run.bytes().filter(|&byte| byte == b':').count() < 2 {
        return None;
    }
    // A port may follow, or the colon of a case label.
    while !run.is_empty() {
        if run.parse::<Ipv6Addr>().is_ok() {
            return Some(run.len());
        }
        let shorter = run.trim_end_matches(|c| c != ':');
        run = if shorter.len() < run.len() {
            shorter
        } else {
            &run[..run.len() - 1]
        };
    }
    None
}

/// Length of the IPv4 address at the start of `text`.
fn ipv4_prefix(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for group in 0..4 {
        if group > 0 {
            if text.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let digits = text[at..]
            .iter()
            .take(5)
            .take_while(|b| b.is_ascii_digit())
            .count();
        // A number that starts with 0 is octal.
        let most = if text.get(at) == Some(&b'0') { 4 } else { 3 };
        if !(1..=most).contains(&digits) {
            return None;
        }
        at += digits;
    }
    let ends = text.get(at).is_none_or(|&byte| !is_word(byte));
    ends.then_some(at)
}

/// Length of the event route name at the start of `text`.
pub(super) fn event_name_prefix(text: &[u8]) -> Option<usize> {
    let part = |text: &[u8], underscore: bool| {
        if !text.first().is_some_and(u8::is_ascii_alphabetic) {
            return 0;
        }
        text.iter()
            .take_while(|&&byte| {
                byte.is_ascii_alphanumeric() || byte == b'-' || (underscore && byte == b'_')
            })
            .count()
    };
    let mut length = part(text, false);
    let mut parts = 0;
    while length > 0 && text.get(length) == Some(&b':') {
        let next = part(&text[length + 1..], true);
        if next == 0 {
            break;
        }
        length += 1 + next;
        parts += 1;
    }
    (parts > 0).then_some(length)
}
