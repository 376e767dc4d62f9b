//! Looking for items by what their key or value is like.

use std::rc::Rc;

use kcc_runtime::pattern::{Flags, Pattern, recent};
use kcc_runtime::run::Run;
use kcc_runtime::value::{Value, parse_int};
use memchr::memmem;

use super::table::Table;

/// Expressions match in any case.
const FLAGS: Flags = Flags { icase: true };

/// What a key or a value is like.
enum Like<'a> {
    Any,
    Same(&'a [u8]),
    Other(&'a [u8]),
    Starts(&'a [u8]),
    Ends(&'a [u8]),
    Holds(&'a [u8]),
    Expression(Rc<Pattern>),
    Number(i64),
}

impl Like<'_> {
    fn text(&self, text: &[u8]) -> bool {
        match self {
            Like::Any => true,
            Like::Same(other) => text == *other,
            Like::Other(other) => text != *other,
            Like::Starts(start) => text.starts_with(start),
            Like::Ends(end) => text.ends_with(end),
            Like::Holds(part) => memmem::find(text, part).is_some(),
            Like::Expression(pattern) => pattern.is_match(text),
            Like::Number(_) => false,
        }
    }

    /// Whether an item is like it, by key or by value; an integer is so only where a number is asked
    /// for.
    fn item(&self, key: &[u8], value: Value<'_>, by_key: bool) -> bool {
        match (by_key, value, self) {
            (_, _, Like::Any) => true,
            (true, ..) => self.text(key),
            (false, Value::Str(text), _) => self.text(text),
            (false, Value::Int(n), Like::Number(other)) => n == *other,
            (false, ..) => false,
        }
    }
}

/// Why nothing is looked for.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No table.
    #[error(transparent)]
    NoTable(#[from] super::NoTable),
    /// An operator that there is not.
    #[error("there is no operator `{0}`: {1}")]
    Operator(String, &'static str),
    /// An expression that is none.
    #[error("this is not a regular expression: {0}")]
    Expression(String),
}

fn expression(text: &[u8]) -> Result<Like<'static>, Refused> {
    match recent(text, FLAGS) {
        Ok(pattern) => Ok(Like::Expression(pattern)),
        Err(error) => Err(Refused::Expression(error.message.clone())),
    }
}

/// The operators of `sht_rm_name()` and its like.
fn to_remove<'a>(operator: &[u8], text: &'a [u8]) -> Result<Like<'a>, Refused> {
    match operator {
        b"re" => expression(text),
        b"sw" => Ok(Like::Starts(text)),
        b"ew" => Ok(Like::Ends(text)),
        b"in" => Ok(Like::Holds(text)),
        _ => Err(Refused::Operator(
            String::from_utf8_lossy(operator).into_owned(),
            "it is re, sw, ew or in",
        )),
    }
}

/// The operators of `sht_match_name()` and its like.
fn to_match<'a>(operator: &[u8], text: &'a [u8]) -> Result<Like<'a>, Refused> {
    match operator {
        b"eq" => Ok(Like::Same(text)),
        b"ne" => Ok(Like::Other(text)),
        b"re" => expression(text),
        b"sw" => Ok(Like::Starts(text)),
        _ => Err(Refused::Operator(
            String::from_utf8_lossy(operator).into_owned(),
            "it is eq, ne, re or sw",
        )),
    }
}

fn any(table: &Table, like: &Like<'_>, by_key: bool) -> bool {
    let mut found = false;
    table.visit(|key, value| {
        found = like.item(key, value, by_key);
        !found
    });
    found
}

fn remove(table: &Table, like: &Like<'_>, by_key: bool) {
    table.retain(|key, value| !like.item(key, value, by_key));
}

/// What `text` asks for: an operator and what follows it, which must not be empty. Text without an
/// operator is an expression.
fn like(text: &[u8]) -> Result<Option<Like<'_>>, Refused> {
    let (operator, rest) = text.split_at(text.len().min(2));
    let known = matches!(operator, b"~~" | b"~%" | b"%~" | b"==" | b"eq");
    if text.is_empty() || known && rest.is_empty() {
        return Ok(None);
    }
    Ok(match operator {
        b"~~" => Some(expression(rest)?),
        b"~%" => Some(Like::Ends(rest)),
        b"%~" => Some(Like::Starts(rest)),
        b"==" => Some(Like::Same(rest)),
        b"eq" => parse_int(rest).map(Like::Number),
        b"**" => Some(Like::Any),
        _ => Some(expression(text)?),
    })
}

/// How many items `text` asks for: `$shtcn` and `$shtcv`.
pub(super) fn count(run: &mut Run, table: &Table, text: &[u8], by_key: bool) -> i64 {
    let like = match like(text) {
        Ok(Some(like)) => like,
        Ok(None) => return 0,
        Err(error) => {
            run.report(&error);
            return 0;
        }
    };
    let mut count = 0;
    table.visit(|key, value| {
        count += i64::from(like.item(key, value, by_key));
        true
    });
    count
}

/// Looking for items by what their key or value is like.
#[kcc_macros::part(module = "htable")]
pub mod exports {
    use kcc_runtime::declare::Text;
    use kcc_runtime::run::Run;

    use super::super::{Key, NoTable, with};
    use super::{Like, Refused, any, expression, remove, to_match, to_remove};

    fn matched(run: &mut Run, name: &[u8], like: &Like, by_key: bool) -> Result<bool, Refused> {
        let found = with(run, name, |_, table, _| any(table, like, by_key));
        found.ok_or_else(|| NoTable::new(name).into())
    }

    fn removed(run: &mut Run, name: &[u8], like: &Like, by_key: bool) -> Result<bool, Refused> {
        let found = with(run, name, |_, table, _| remove(table, like, by_key));
        found
            .map(|()| true)
            .ok_or_else(|| NoTable::new(name).into())
    }

    /// Takes the items out whose key matches a regular expression, in any case:
    /// `sht_rm_name_re("table=>expression")`.
    ///
    /// True where none does, too; false where the expression is none. The text is a format: a `$` of
    /// the expression is written `$$`.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_rm_name_re("calls=>^$(si{re.subst,/\./\\./g}):");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_rm_name_re(run: &mut Run, items: Key) -> Result<bool, Refused> {
        by_expression(run, items, true)
    }

    /// Takes the items out whose value is a string that matches a regular expression, in any case:
    /// `sht_rm_value_re("table=>expression")`.
    ///
    /// As `sht_rm_name_re` otherwise.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_rm_value_re("calls=>^sip:.*@example[.]com$$");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_rm_value_re(run: &mut Run, items: Key) -> Result<bool, Refused> {
        by_expression(run, items, false)
    }

    /// As in Kamailio no table is nothing to do.
    fn by_expression(run: &mut Run, items: Key, by_key: bool) -> Result<bool, Refused> {
        let like = expression(items.key)?;
        with(run, items.table, |_, table, _| remove(table, &like, by_key));
        Ok(true)
    }

    /// Takes the items out of `table` whose key is like `text`.
    ///
    /// `operator` is `re` (a regular expression, in any case), `sw` (it begins so), `ew` (it ends so) or
    /// `in` (it holds it). True where none is, too; false where there is no such table or operator.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_rm_name("calls", "sw", "$si:");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_rm_name(
        run: &mut Run,
        table: Text,
        operator: Text,
        text: Text,
    ) -> Result<bool, Refused> {
        removed(run, table, &to_remove(operator, text)?, true)
    }

    /// Takes the items out of `table` whose value is a string like `text`.
    ///
    /// As `sht_rm_name` otherwise.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_rm_value("calls", "re", "^sip:.*@$fd");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_rm_value(
        run: &mut Run,
        table: Text,
        operator: Text,
        text: Text,
    ) -> Result<bool, Refused> {
        removed(run, table, &to_remove(operator, text)?, false)
    }

    /// True if `table` has an item whose key is like `text`.
    ///
    /// `operator` is `eq` (it is the same), `ne` (it is another), `re` (a regular expression, in any
    /// case) or `sw` (it begins so). False where there is no such table or operator, too.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     if (sht_match_name("calls", "sw", "$si:")) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "any", aliases("sht_has_name"))]
    fn sht_match_name(
        run: &mut Run,
        table: Text,
        operator: Text,
        text: Text,
    ) -> Result<bool, Refused> {
        matched(run, table, &to_match(operator, text)?, true)
    }

    /// True if `table` has an item whose value is a string like `text`.
    ///
    /// As `sht_match_name` otherwise.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     if (sht_match_str_value("calls", "eq", "$fu")) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "any", aliases("sht_has_str_value"))]
    fn sht_match_str_value(
        run: &mut Run,
        table: Text,
        operator: Text,
        text: Text,
    ) -> Result<bool, Refused> {
        matched(run, table, &to_match(operator, text)?, false)
    }
}
