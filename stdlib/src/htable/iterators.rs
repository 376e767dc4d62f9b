//! Going through a table item by item.
//!
//! **Invariant:** an iterator holds no lock: it knows the place of its item in the table's order, and a
//! copy of the item. Whatever others write meanwhile, each item that stays is met once.

use kcc_runtime::run::{Local, Run};
use kcc_runtime::value::{Val, Value};

use super::Tables;
use super::item::Position;
use super::table::{Full, Table};

/// The most iterators of a run.
const MOST: usize = 4;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 31;

/// An iterator of a run.
#[derive(Default)]
struct Iterator {
    name: Vec<u8>,
    /// The table's number.
    table: usize,
    /// The last item met.
    position: Option<Position>,
    /// Whether that is the current one.
    current: bool,
    /// No item is left.
    ended: bool,
    key: Vec<u8>,
    value: Held,
}

/// A copy of a value, in a buffer that is used again.
#[derive(Default)]
struct Held {
    int: Option<i64>,
    text: Vec<u8>,
}

impl Held {
    fn set(&mut self, value: Value<'_>) {
        self.text.clear();
        self.int = match value {
            Value::Int(n) => Some(n),
            Value::Str(text) => {
                self.text.extend_from_slice(text);
                None
            }
            Value::Null => None,
        };
    }

    fn get(&self) -> Value<'_> {
        match self.int {
            Some(n) => Value::Int(n),
            None => Value::Str(&self.text),
        }
    }
}

/// The iterators of a run.
#[derive(Default)]
struct Iterators {
    /// Those after `used` are kept for their buffers.
    list: Vec<Iterator>,
    used: usize,
}

impl Local for Iterators {
    fn reset(&mut self) {
        self.used = 0;
        for iterator in &mut self.list {
            iterator.key.shrink_to(1024);
            iterator.value.text.shrink_to(1024);
        }
    }
}

/// Why an iterator does nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No table.
    #[error(transparent)]
    NoTable(#[from] super::NoTable),
    /// No memory.
    #[error(transparent)]
    Full(#[from] Full),
    /// A name that is none.
    #[error("an iterator's name has 1 to 31 bytes")]
    Name,
    /// Too many.
    #[error("there are 4 iterators at once")]
    TooMany,
    /// One that was not started.
    #[error("there is no iterator `{0}`")]
    Unknown(String),
    /// One without item.
    #[error("iterator `{0}` has no item")]
    NoItem(String),
}

impl Iterators {
    fn find(&self, name: &[u8]) -> Option<usize> {
        let used = self.list.get(..self.used)?;
        used.iter().position(|iterator| iterator.name == name)
    }
}

impl Iterator {
    /// Goes to the next item; false where none is left.
    fn advance(&mut self, table: &Table) -> bool {
        self.current = false;
        if self.ended {
            return false;
        }
        let Iterator { key, value, .. } = self;
        let found = table.after(self.position, |next, held| {
            key.clear();
            key.extend_from_slice(next);
            value.set(held);
        });
        match found {
            Some(position) => {
                self.position = Some(position);
                self.current = true;
            }
            None => self.ended = true,
        }
        self.current
    }
}

fn start(run: &mut Run, name: &[u8], table: &[u8]) -> Result<(), Refused> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(Refused::Name);
    }
    let worker = run.worker().clone();
    let tables = worker.server.shared.get::<Tables>();
    let iterators = run.locals.get::<Iterators>();
    let known = iterators.find(name);
    if known.is_none() && iterators.used == MOST {
        return Err(Refused::TooMany);
    }
    let found = tables.and_then(|tables| tables.find(table));
    let (number, _) = found.ok_or_else(|| super::NoTable::new(table))?;
    let place = known.unwrap_or(iterators.used);
    if place == iterators.list.len() {
        iterators.list.push(Iterator::default());
    }
    iterators.used = iterators.used.max(place + 1);
    let iterator = &mut iterators.list[place];
    iterator.name.clear();
    iterator.name.extend_from_slice(name);
    iterator.table = number;
    (iterator.position, iterator.current, iterator.ended) = (None, false, false);
    Ok(())
}

fn end(run: &mut Run, name: &[u8]) -> Result<(), Refused> {
    let iterators = run.locals.get::<Iterators>();
    let place = iterators.find(name).ok_or_else(|| unknown(name))?;
    iterators.used -= 1;
    iterators.list.swap(place, iterators.used);
    Ok(())
}

fn unknown(name: &[u8]) -> Refused {
    Refused::Unknown(String::from_utf8_lossy(name).into_owned())
}

/// Calls `work` with the iterator and its table.
fn with<T>(
    run: &mut Run,
    name: &[u8],
    work: impl FnOnce(&mut Iterator, &Table) -> T,
) -> Result<T, Refused> {
    let Some(worker) = run.try_worker().cloned() else {
        return Err(unknown(name));
    };
    let iterators = run.locals.get::<Iterators>();
    let place = iterators.find(name).ok_or_else(|| unknown(name))?;
    let iterator = &mut iterators.list[place];
    let tables = worker.server.shared.get::<Tables>();
    let table = tables.and_then(|tables| tables.list.get(iterator.table));
    let table = table.ok_or_else(|| unknown(name))?;
    Ok(work(iterator, table))
}

/// As [`with`], where the iterator has a current item.
fn with_item<T>(
    run: &mut Run,
    name: &[u8],
    work: impl FnOnce(&mut Iterator, &Table, Position) -> T,
) -> Result<T, Refused> {
    with(run, name, |iterator, table| {
        let position = iterator.position.filter(|_| iterator.current)?;
        Some(work(iterator, table, position))
    })?
    .ok_or_else(|| Refused::NoItem(String::from_utf8_lossy(name).into_owned()))
}

/// Gives the current item a value, and the iterator's copy.
fn set(run: &mut Run, name: &[u8], value: Value<'_>) -> Result<bool, Refused> {
    let now = run.worker().now();
    with_item(run, name, |iterator, table, position| {
        let there = table.set_at(position, value, now)?;
        if there {
            iterator.value.set(value);
        }
        Ok(there)
    })?
}

/// The value of the current item as it is now; as it was where the item is no longer there.
fn value(run: &mut Run, name: &[u8]) -> Option<Val> {
    let worker = run.try_worker()?.clone();
    let iterators = run.locals.peek::<Iterators>()?;
    let iterator = iterators.list.get(iterators.find(name)?)?;
    let position = iterator.position.filter(|_| iterator.current)?;
    let tables = worker.server.shared.get::<Tables>()?;
    let table = tables.list.get(iterator.table)?;
    let scratch = &mut run.scratch;
    let mut copy = |value: Value<'_>| match value {
        Value::Str(text) => scratch.copy(text),
        value => value.into(),
    };
    let found = table.at(position, &mut copy);
    Some(found.unwrap_or_else(|| copy(iterator.value.get())))
}

fn key(run: &mut Run, name: &[u8]) -> Option<Val> {
    let iterators = run.locals.peek::<Iterators>()?;
    let iterator = iterators.list.get(iterators.find(name)?)?;
    let key = &iterator.key;
    iterator.current.then(|| run.scratch.copy(key))
}

/// Going through a table item by item.
#[kcc_macros::part(module = "htable")]
pub mod exports {
    use kcc_runtime::declare::{Int, Raw, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::{Val, Value};

    use super::{Refused, end, key, set, start, value, with, with_item};

    /// Starts an iterator called `name` over `table`, before its first item.
    ///
    /// A script has 4 of them at once; one that is not ended ends with the script. One of the same name
    /// begins again. An iterator holds nothing: others write to the table meanwhile, and each item that
    /// stays is met once. False where there is no such table, too many iterators, or the name has not
    /// 1 to 31 bytes.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     while (sht_iterator_next("i")) {
    ///         xlog("$shtitkey(i) is $shtitval(i)\n");
    ///     }
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_iterator_start(run: &mut Run, name: Text, table: Text) -> Result<bool, Refused> {
        start(run, name, table)?;
        Ok(true)
    }

    /// Goes to the next item; false where none is left or the iterator was not started.
    ///
    /// Items that are over are met until they are taken out.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     while (sht_iterator_next("i")) {
    ///         xlog("$shtitkey(i)\n");
    ///     }
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_iterator_next(run: &mut Run, name: Text) -> Result<bool, Refused> {
        with(run, name, |iterator, table| iterator.advance(table))
    }

    /// Ends an iterator; false where it was not started.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_iterator_end(run: &mut Run, name: Text) -> Result<bool, Refused> {
        end(run, name)?;
        Ok(true)
    }

    /// Takes the current item out of the table and goes to the next one.
    ///
    /// The code is -2 where no item is left, -1 where there was no current one. As the next item is the
    /// current one then, `sht_iterator_next()` passes over it.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     while (sht_iterator_next("i")) {
    ///         while ($shtitkey(i) =~ "^$si" and sht_iterator_rm("i")) {
    ///             xlog("removed\n");
    ///         }
    ///     }
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_iterator_rm(run: &mut Run, name: Text) -> Result<Verdict, Refused> {
        let more = with_item(run, name, |iterator, table, position| {
            table.remove_at(position);
            iterator.advance(table)
        })?;
        Ok(Verdict::Code(if more { 1 } else { -2 }))
    }

    /// Gives the current item a string. False where there is none, or it was taken out meanwhile.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     if (sht_iterator_next("i")) {
    ///         sht_iterator_sets("i", "$ci");
    ///     }
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_iterator_sets(run: &mut Run, name: Text, value: Text) -> Result<bool, Refused> {
        set(run, name, Value::Str(value))
    }

    /// Gives the current item an integer. False where there is none, or it was taken out meanwhile.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     if (sht_iterator_next("i")) {
    ///         sht_iterator_seti("i", "10");
    ///     }
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_iterator_seti(run: &mut Run, name: Text, value: Int) -> Result<bool, Refused> {
        set(run, name, Value::Int(value))
    }

    /// Lets the current item live for `seconds`, for ever where they are not above 0. False where there
    /// is none, or it was taken out meanwhile.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>autoexpire=60")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     if (sht_iterator_next("i")) {
    ///         sht_iterator_setex("i", "120");
    ///     }
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[function(routes = "any")]
    fn sht_iterator_setex(run: &mut Run, name: Text, seconds: Int) -> Result<bool, Refused> {
        let now = run.worker().now();
        with_item(run, name, |_, table, position| {
            table.set_remaining_at(position, seconds, now)
        })
    }

    /// The key of an iterator's current item: `$shtitkey(name)`. Null where there is none.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     sht_iterator_next("i");
    ///     xlog("$shtitkey(i)\n");
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[pv(name = "shtitkey")]
    fn shtitkey(run: &mut Run, name: Raw) -> Option<Val> {
        key(run, name.0)
    }

    /// The value of an iterator's current item: `$shtitval(name)`. Null where there is none.
    ///
    /// ```cfg
    /// modparam("htable", "htable", "calls=>size=8")
    /// request_route {
    ///     sht_iterator_start("i", "calls");
    ///     sht_iterator_next("i");
    ///     xlog("$shtitval(i)\n");
    ///     sht_iterator_end("i");
    /// }
    /// ```
    #[pv(name = "shtitval")]
    fn shtitval(run: &mut Run, name: Raw) -> Option<Val> {
        value(run, name.0)
    }
}
