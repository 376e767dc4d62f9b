//! Functions for one item or a whole table.

use kcc_runtime::log::{Level, log};
use kcc_runtime::value::Value;

use super::Tables;

/// Writes all that is in the tables to the log.
fn print(tables: &Tables) {
    for table in &tables.list {
        let name = table.spec.name.escape_ascii();
        let count = table.len();
        log!(Level::Err, "htable {name}: {count} items");
        table.visit(|key, value| {
            let key = key.escape_ascii();
            match value {
                Value::Int(n) => log!(Level::Err, "htable {name}: {key} = {n}"),
                value => {
                    let text = value.text();
                    log!(
                        Level::Err,
                        "htable {name}: {key} = \"{}\"",
                        text.escape_ascii()
                    );
                }
            }
            true
        });
    }
}

/// Functions for one item or a whole table.
#[kcc_macros::part(module = "htable")]
pub mod exports {
    use kcc_runtime::declare::{Int, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::Value;

    use super::super::variables::add;
    use super::super::{NoTable, Tables, with};
    use super::print;

    /// Writes all items of all tables to the log.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_print();
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_print(run: &mut Run) -> bool {
        if let Some(tables) = run.worker().server.shared.get::<Tables>() {
            print(tables);
        }
        true
    }

    /// Takes the item `key` out of `table`. True whether it was there or not; false where there is no
    /// such table.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_rm("calls", "$ci");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_rm(run: &mut Run, table: Text, key: Text) -> Result<bool, NoTable> {
        let found = with(run, table, |_, table, _| table.remove(key));
        found.map(|_| true).ok_or_else(|| NoTable::new(table))
    }

    /// Takes all items out of `table`. False where there is no such table.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_reset("calls");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_reset(run: &mut Run, table: Text) -> Result<bool, NoTable> {
        let found = with(run, table, |_, table, _| table.clear());
        found.map(|()| true).ok_or_else(|| NoTable::new(table))
    }

    /// Gives the item `key` of `table` a string and lets it live for `seconds`.
    ///
    /// Where `seconds` is not above 0 it lives as the table says; in a table without `autoexpire` for
    /// ever. False where there is no such table or no memory.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "banned=>autoexpire=300")
    /// request_route {
    ///     sht_setxs("banned", "$si", "$ua", "60");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_setxs(
        run: &mut Run,
        table: Text,
        key: Text,
        value: Text,
        seconds: Int,
    ) -> Result<bool, String> {
        set(run, table, key, Value::Str(value), seconds)
    }

    /// Gives the item `key` of `table` an integer and lets it live for `seconds`.
    ///
    /// As `sht_setxs` otherwise.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "banned=>autoexpire=300")
    /// request_route {
    ///     sht_setxi("banned", "$si", "1", "60");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_setxi(
        run: &mut Run,
        table: Text,
        key: Text,
        value: Int,
        seconds: Int,
    ) -> Result<bool, String> {
        set(run, table, key, Value::Int(value), seconds)
    }

    fn set(
        run: &mut Run,
        name: &[u8],
        key: &[u8],
        value: Value,
        seconds: i64,
    ) -> Result<bool, String> {
        match with(run, name, |_, table, now| {
            table.set(key, value, seconds, now)
        }) {
            Some(Ok(())) => Ok(true),
            Some(Err(full)) => Err(full.to_string()),
            None => Err(NoTable::new(name).to_string()),
        }
    }

    /// Adds 1 to the item `key` of `table` in one step, as `$shtinc` does.
    ///
    /// False where there is no integer to add to, or no such table.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>initval=0")
    /// request_route {
    ///     sht_inc("calls", "$si");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_inc(run: &mut Run, table: Text, key: Text) -> bool {
        add(run, table, key, 1).is_some()
    }

    /// Takes 1 from the item `key` of `table` in one step, as `$shtdec` does.
    ///
    /// False where there is no integer to take from, or no such table.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>initval=0")
    /// request_route {
    ///     sht_dec("calls", "$si");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_dec(run: &mut Run, table: Text, key: Text) -> bool {
        add(run, table, key, -1).is_some()
    }

    /// True if `table` has no item `key`.
    ///
    /// The code is 1 where there is none, 2 where there is no such table, 3 where a name is empty; -1
    /// where there is one, -2 where the table has an `initval`, so that no item of it is null.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     if (sht_is_null("calls", "$ci")) {
    ///         exit;
    ///     }
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_is_null(run: &mut Run, table: Text, key: Text) -> Verdict {
        if table.is_empty() || key.is_empty() {
            return Verdict::Code(3);
        }
        let code = with(run, table, |_, table, now| {
            if table.spec.initval.is_some() {
                return -2;
            }
            table.get(key, now, |_| -1).unwrap_or(1)
        });
        Verdict::Code(code.unwrap_or(2))
    }
}
