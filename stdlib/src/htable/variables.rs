//! `$sht` and its like: items by table and key.

use kcc_runtime::declare::{ConstantError, Parse};
use kcc_runtime::run::Run;
use kcc_runtime::value::{Val, Value};

use super::with;

/// A value of a table, copied.
pub(super) fn copied(run: &mut Run, value: Value<'_>) -> Val {
    match value {
        Value::Str(text) => run.text(text),
        value => value.into(),
    }
}

/// Which part of an item that is over `$shtrecord` means.
pub enum Part {
    /// Its key.
    Key,
    /// Its value.
    Value,
}

impl Parse for Part {
    const NAME: &'static str = "htable-record";
    const WHAT: &'static str = "a part of a record";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text {
            b"key" => Ok(Part::Key),
            b"value" => Ok(Part::Value),
            _ => Err(ConstantError::new("`key` or `value` is expected")),
        }
    }
}

/// Adds `n` to an item; the sum.
pub(super) fn add(run: &mut Run, table: &[u8], key: &[u8], n: i64) -> Option<i64> {
    let sum = with(run, table, |_, table, now| table.add(key, n, now))?;
    sum.unwrap_or_else(|full| {
        run.report(&full);
        None
    })
}

/// Items by table and key.
#[kcc_macros::part(module = "htable")]
pub mod exports {
    use kcc_runtime::declare::Const;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Failed;
    use kcc_runtime::value::{Val, Value};

    use super::super::events::Record;
    use super::super::matching::count;
    use super::super::{Key, NoTable, with};
    use super::{Part, add, copied};

    /// The item of a table: `$sht(table=>key)`.
    ///
    /// The key is text with variables in it. Null where there is no such item, or its time is over; in
    /// a table with `initval` that number. Assigning makes the item or changes it, and null removes it.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     $sht(calls=>$ci::caller) = $fU;
    ///     if ($sht(calls=>$ci::caller) == "alice") {
    ///         $sht(calls=>$ci::caller) = $null;
    ///     }
    /// }
    /// ```
    #[pv(name = "sht")]
    fn sht(run: &mut Run, item: Key) -> Val {
        let value = with(run, item.table, |run, table, now| {
            let value = table.get(item.key, now, |value| copied(run, value));
            value.or_else(|| table.spec.initval.map(Val::int))
        });
        value.flatten().unwrap_or(Val::NULL)
    }

    #[pv_write("sht")]
    fn set_sht(run: &mut Run, item: Key, value: Value) -> Result<(), String> {
        let done = with(run, item.table, |_, table, now| match value {
            Value::Null => {
                table.remove(item.key);
                Ok(())
            }
            value => table.set(item.key, value, 0, now),
        });
        match done {
            Some(done) => done.map_err(|full| full.to_string()),
            None => Err(NoTable::new(item.table).to_string()),
        }
    }

    /// Seconds for which an item goes on to live: `$shtex(table=>key)`.
    ///
    /// 0 where there is no such item, where it is over or lives for ever. Assigning sets them; the item
    /// lives for ever with 0 and below, null, and a string that is no number (in Kamailio with any
    /// string). Without effect in a table without `autoexpire`.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "banned=>autoexpire=300")
    /// request_route {
    ///     $sht(banned=>$si) = 1;
    ///     $shtex(banned=>$si) = 3600;
    /// }
    /// ```
    #[pv(name = "shtex")]
    fn shtex(run: &mut Run, item: Key) -> Option<i64> {
        with(run, item.table, |_, table, now| {
            table.remaining(item.key, now)
        })
    }

    #[pv_write("shtex")]
    fn set_shtex(run: &mut Run, item: Key, value: Value) -> Result<(), NoTable> {
        let seconds = value.int().unwrap_or(0);
        with(run, item.table, |_, table, now| {
            table.set_remaining(item.key, seconds, now);
        })
        .ok_or_else(|| NoTable::new(item.table))
    }

    /// How many items have a key like this: `$shtcn(table=>operator text)`.
    ///
    /// The text begins with an operator: `~~` or none a regular expression in any case, `~%` the key
    /// ends with it, `%~` begins with it, `==` it is the same; `**` counts all items. Null where there
    /// is no such table.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     xlog("$shtcn(calls=>%~$si) calls from $si\n");
    /// }
    /// ```
    #[pv(name = "shtcn")]
    fn shtcn(run: &mut Run, item: Key) -> Option<i64> {
        with(run, item.table, |run, table, _| {
            count(run, table, item.key, true)
        })
    }

    /// How many items have a value like this: `$shtcv(table=>operator text)`.
    ///
    /// The operators are those of `$shtcn`, for strings; `eq` is an integer of this value. Null where
    /// there is no such table.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     xlog("$shtcv(calls=>eq1) calls wait\n");
    /// }
    /// ```
    #[pv(name = "shtcv")]
    fn shtcv(run: &mut Run, item: Key) -> Option<i64> {
        with(run, item.table, |run, table, _| {
            count(run, table, item.key, false)
        })
    }

    /// Adds 1 to an item in one step, and is the sum: `$shtinc(table=>key)`.
    ///
    /// Reading changes it. An item that does not exist begins with the table's `initval`; without one
    /// it is null and nothing is made. A string stays as it is, and the result is null.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>initval=0")
    /// request_route {
    ///     if ($shtinc(calls=>$si) > 10) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[pv(name = "shtinc")]
    fn shtinc(run: &mut Run, item: Key) -> Option<i64> {
        add(run, item.table, item.key, 1)
    }

    /// Takes 1 from an item in one step, and is what is left: `$shtdec(table=>key)`.
    ///
    /// As `$shtinc` but for the direction.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>initval=0")
    /// request_route {
    ///     $var(left) = $shtdec(calls=>$si);
    /// }
    /// ```
    #[pv(name = "shtdec")]
    fn shtdec(run: &mut Run, item: Key) -> Option<i64> {
        add(run, item.table, item.key, -1)
    }

    /// The item that is over, in `event_route[htable:expired:table]`: `$shtrecord(key)` and
    /// `$shtrecord(value)`.
    ///
    /// The expression fails anywhere else.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>autoexpire=10")
    /// request_route {
    ///     $sht(calls=>$ci) = $fU;
    /// }
    /// event_route[htable:expired:calls] {
    ///     xlog("$shtrecord(key) of $shtrecord(value) is over\n");
    /// }
    /// ```
    #[pv(name = "shtrecord")]
    fn shtrecord(run: &mut Run, part: Const<Part>) -> Result<Val, Failed> {
        let record = run.locals.get::<Record>().0.clone().ok_or(Failed)?;
        Ok(match *part {
            Part::Key => run.text(&record.key),
            Part::Value => copied(run, record.value.as_value()),
        })
    }
}
