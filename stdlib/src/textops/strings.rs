//! Comparing and searching strings: `starts_with`, `in_list` and their like.

use kcc_macros::part;
use kcc_runtime::declare::{ConstantError, Parse};
use kcc_sip::token::trim;

/// One character.
#[derive(Debug)]
pub struct Separator(u8);

impl Parse for Separator {
    const NAME: &'static str = "one-character";
    const WHAT: &'static str = "one character";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            [c] => Ok(Separator(*c)),
            _ => Err(ConstantError::new("one character is expected")),
        }
    }
}

impl Separator {
    /// The items of `list`, without the blanks around them.
    fn items<'a>(&self, list: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = self.0;
        list.split(move |c| *c == separator).map(trim)
    }
}

/// Where `needle` is in `text`, counted from 1.
fn find(text: &[u8], needle: &[u8]) -> Option<i64> {
    let at = memchr::memmem::find(text, needle)?;
    i64::try_from(at + 1).ok()
}

/// `starts_with` and its like.
#[part(module = "textops")]
pub mod exports {
    use super::super::headers::Lines;
    use super::{Separator, find};
    use kcc_runtime::declare::{Const, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// True if `text` starts with `prefix`, upper and lower case being different.
    ///
    /// ```cfg
    /// if (starts_with("$rU", "+49")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn starts_with(_run: &mut Run, text: Text, prefix: Text) -> bool {
        text.starts_with(prefix)
    }

    /// True if `text` ends with `suffix`, upper and lower case being different.
    ///
    /// ```cfg
    /// if (ends_with("$rd", ".example.com")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn ends_with(_run: &mut Run, text: Text, suffix: Text) -> bool {
        text.ends_with(suffix)
    }

    /// True if both are the same.
    ///
    /// ```cfg
    /// if (cmp_str("$rU", "$fU")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn cmp_str(_run: &mut Run, first: Text, second: Text) -> bool {
        first == second
    }

    /// True if both are the same but for the case of letters.
    ///
    /// ```cfg
    /// if (cmp_istr("$rd", "Example.com")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn cmp_istr(_run: &mut Run, first: Text, second: Text) -> bool {
        first.eq_ignore_ascii_case(second)
    }

    /// True if `item` is in `list`, whose items stand between `separator`s, blanks around them
    /// left out. An empty item is in no list.
    ///
    /// ```cfg
    /// if (in_list("$rU", "100, 110, 112", ",")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn in_list(_run: &mut Run, item: Text, list: Text, separator: Const<Separator>) -> bool {
        !item.is_empty() && separator.items(list).any(|other| other == item)
    }

    /// True if `text` starts with an item of `list`. See `in_list`.
    ///
    /// ```cfg
    /// if (in_list_prefix("$rU", "+49,+43,+41", ",")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn in_list_prefix(_run: &mut Run, text: Text, list: Text, separator: Const<Separator>) -> bool {
        !text.is_empty()
            && separator
                .items(list)
                .any(|item| !item.is_empty() && text.starts_with(item))
    }

    /// Where `needle` is first in `text`, counted from 1; -1 where it is not.
    ///
    /// ```cfg
    /// if (str_find("$ua", "friendly-scanner")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn str_find(_run: &mut Run, text: Text, needle: Text) -> Verdict {
        find(text, needle).map_or(Verdict::FALSE, Verdict::Code)
    }

    /// As `str_find`, without regard to the case of letters.
    ///
    /// ```cfg
    /// if (str_ifind("$ua", "scanner")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn str_ifind(_run: &mut Run, text: Text, needle: Text) -> Verdict {
        if needle.is_empty() {
            return Verdict::TRUE;
        }
        let found = text
            .windows(needle.len())
            .position(|part| part.eq_ignore_ascii_case(needle));
        match found.and_then(|at| i64::try_from(at + 1).ok()) {
            Some(at) => Verdict::Code(at),
            None => Verdict::FALSE,
        }
    }

    /// True if `text` matches `pattern`, a regular expression, without regard to the case of
    /// letters.
    ///
    /// ```cfg
    /// if (search_str("$rU", "^[0-9]+$$")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn search_str(_run: &mut Run, text: Text, pattern: Text) -> Result<bool, String> {
        if text.is_empty() {
            return Ok(false);
        }
        Lines::at_run_time(pattern).map(|pattern| pattern.0.is_match(text))
    }
}
