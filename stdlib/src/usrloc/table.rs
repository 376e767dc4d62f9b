//! Names of location tables: `save("location")`.
//!
//! **Invariant:** a name keeps its number as long as the process lives.

use kcc_runtime::declare::{ConstantError, Parse};
use parking_lot::Mutex;

/// The most tables of a process.
pub const MOST_TABLES: usize = 64;

/// The longest name of a table, in bytes.
const LONGEST_NAME: usize = 64;

static NAMES: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// A location table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table(u8);

impl Table {
    /// The table called `name`; `None` where there are [`MOST_TABLES`] others, or the name is
    /// empty or too long.
    pub fn named(name: &[u8]) -> Option<Table> {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return None;
        }
        let mut names = NAMES.lock();
        let number = names.iter().position(|other| **other == *name);
        let number = number.or_else(|| {
            names.push(name.into());
            (names.len() <= MOST_TABLES).then(|| names.len() - 1)
        })?;
        names.truncate(MOST_TABLES);
        u8::try_from(number).ok().map(Table)
    }

    /// Its number, below [`MOST_TABLES`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Parse for Table {
    const NAME: &'static str = "usrloc-table";
    const WHAT: &'static str = "the name of a location table";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        Table::named(text).ok_or_else(|| {
            ConstantError::new("it is empty, too long, or there are too many tables")
        })
    }
}
