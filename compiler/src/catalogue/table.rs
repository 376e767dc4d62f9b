//! A sorted table of tab-separated lines, searched where it lies.
//!
//! Invariant: the lines are sorted bytewise by their key columns (the first one, or the first
//! two), so a lookup is a binary search on the text and nothing is built when the program starts.
//! The first line names the columns.

use std::cmp::Ordering;

/// One table: its text without the heading line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    text: &'static str,
}

/// One line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row(&'static str);

impl Row {
    /// The column `index`, counted from 0; empty when the line is shorter.
    pub(super) fn column(self, index: usize) -> &'static str {
        self.0.split('\t').nth(index).unwrap_or("")
    }

    /// All columns of the line, missing ones empty.
    pub(super) fn columns<const N: usize>(self) -> [&'static str; N] {
        let mut columns = [""; N];
        for (slot, text) in columns.iter_mut().zip(self.0.split('\t')) {
            *slot = text;
        }
        columns
    }

    /// How the first `key.len()` columns compare with `key`.
    fn compare(self, key: &[&str]) -> Ordering {
        let mut columns = self.0.split('\t');
        for wanted in key {
            let order = columns.next().unwrap_or("").cmp(wanted);
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl Table {
    /// A table from the text of its file, heading included.
    pub(super) const fn new(file: &'static str) -> Table {
        let bytes = file.as_bytes();
        let mut start = 0;
        while start < bytes.len() && bytes[start] != b'\n' {
            start += 1;
        }
        if start < bytes.len() {
            start += 1;
        }
        Table {
            text: file.split_at(start).1,
        }
    }

    /// All lines, in order.
    pub(super) fn rows(self) -> impl Iterator<Item = Row> + use<> {
        self.text.lines().map(Row)
    }

    /// The lines whose first columns are `key`, in order.
    pub(super) fn find(self, key: &[&str]) -> impl Iterator<Item = Row> + use<> {
        let start = self.lower_bound(key);
        let rest = self.text.get(start..).unwrap_or("");
        let count = rest
            .lines()
            .take_while(|line| Row(line).compare(key) == Ordering::Equal)
            .count();
        rest.lines().take(count).map(Row)
    }

    /// The offset of the first line that is not below `key`.
    fn lower_bound(self, key: &[&str]) -> usize {
        let bytes = self.text.as_bytes();
        let (mut low, mut high) = (0, bytes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let start = bytes[low..middle]
                .iter()
                .rposition(|&byte| byte == b'\n')
                .map_or(low, |at| low + at + 1);
            let end = bytes[middle..high]
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(high, |at| middle + at);
            let line = self.text.get(start..end).unwrap_or("");
            if Row(line).compare(key) == Ordering::Less {
                low = (end + 1).min(high);
            } else {
                high = start;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table::new("#name\tvalue\na\t1\nb\t2\nb\t3\nbb\t4\nd\n");

    fn values(key: &[&str]) -> Vec<&'static str> {
        TABLE.find(key).map(|row| row.column(1)).collect()
    }

    #[test]
    fn finds_every_line_of_a_key_and_nothing_else() {
        assert_eq!(values(&["a"]), ["1"]);
        assert_eq!(values(&["b"]), ["2", "3"]);
        assert_eq!(values(&["b", "3"]), ["3"]);
        assert_eq!(values(&["bb"]), ["4"]);
        assert_eq!(values(&["d"]), [""]);
        for missing in ["", "0", "ba", "c", "e", "d\t", "\u{fffd}"] {
            assert!(values(&[missing]).is_empty(), "{missing:?}");
        }
    }

    #[test]
    fn an_empty_file_has_no_lines() {
        for file in ["", "#name", "#name\n"] {
            assert_eq!(Table::new(file).rows().count(), 0);
            assert_eq!(Table::new(file).find(&["a"]).count(), 0);
        }
    }
}
