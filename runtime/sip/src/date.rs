//! `Date` (RFC 3261 §20.17): the fixed form of RFC 1123, always in GMT.
//!
//! Invariant: a [`Date`] is a day that exists in the Gregorian calendar, years 1 to 9999.

use crate::token::{parse_u32, trim};

const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A point in time of a `Date` header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Seconds since 1970-01-01 00:00:00 UTC; negative before.
    pub unix: i64,
}

impl Date {
    /// Parses `Sat, 13 Nov 2010 23:29:00 GMT`. The name of the day must be one, but is not
    /// compared with the date; any case is taken.
    pub fn parse(value: &[u8]) -> Option<Date> {
        let (day_name, rest) = trim(value).split_first_chunk::<3>()?;
        DAYS.iter().find(|d| d.eq_ignore_ascii_case(day_name))?;
        let mut words = rest
            .strip_prefix(b",")?
            .split(|c| *c == b' ')
            .filter(|w| !w.is_empty());
        let day = number(words.next()?, 1..=2)?;
        let name = words.next()?;
        let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name))? + 1;
        let year = number(words.next()?, 4..=4)?;
        let mut clock = words.next()?.split(|c| *c == b':');
        let (hour, minute, second) = (
            number(clock.next()?, 2..=2)?,
            number(clock.next()?, 2..=2)?,
            number(clock.next()?, 2..=2)?,
        );
        let zone = words.next()?;
        let whole = clock.next().is_none() && words.next().is_none();
        let month = month as i64;
        // A leap second is 60.
        (whole
            && zone.eq_ignore_ascii_case(b"GMT")
            && year >= 1
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60)
            .then(|| Date {
                unix: days_from_epoch(year, month, day) * 86_400
                    + hour * 3_600
                    + minute * 60
                    + second,
            })
    }

    /// Writes the 29 bytes of the date; years outside 1 to 9999 are cut to that range.
    pub fn write(self, out: &mut Vec<u8>) {
        let unix = self.unix.clamp(-62_135_596_800, 253_402_300_799);
        let (days, clock) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        // The first of January 1970 was a Thursday.
        out.extend_from_slice(DAYS[(days + 3).rem_euclid(7) as usize]);
        out.extend_from_slice(b", ");
        digits(out, day, 2);
        out.push(b' ');
        out.extend_from_slice(MONTHS[(month - 1) as usize % 12]);
        out.push(b' ');
        digits(out, year, 4);
        for (separator, n) in [
            (b' ', clock / 3_600),
            (b':', clock / 60 % 60),
            (b':', clock % 60),
        ] {
            out.push(separator);
            digits(out, n, 2);
        }
        out.extend_from_slice(b" GMT");
    }
}

fn number(word: &[u8], len: std::ops::RangeInclusive<usize>) -> Option<i64> {
    parse_u32(word)
        .filter(|_| len.contains(&word.len()))
        .map(i64::from)
}

fn digits(out: &mut Vec<u8>, n: i64, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (n / 10_i64.pow(place) % 10) as u8);
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years begin in March here, so that
/// the day that a leap year adds is the last.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468
}

/// The year, month and day that lie `days` after 1970-01-01; from the year 1 on.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let mut year = (10_000 * days + 14_780) / 3_652_425;
    let start = |year: i64| 365 * year + year / 4 - year / 100 + year / 400;
    if days < start(year) {
        year -= 1;
    }
    let day = days - start(year);
    let month = (100 * day + 52) / 3_060;
    (
        year + (month + 2) / 12,
        (month + 2) % 12 + 1,
        day - (month * 306 + 5) / 10 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_both_ways() {
        // RFC 3261 §20.17; the number is what `date -u -d … +%s` prints.
        let text = b"Sat, 13 Nov 2010 23:29:00 GMT";
        let date = Date::parse(text).unwrap();
        assert_eq!(date.unix, 1_289_690_940);
        let mut out = Vec::new();
        date.write(&mut out);
        assert_eq!(out, text);
    }

    #[test]
    fn every_day_comes_back() {
        let mut out = Vec::new();
        let mut unix = -62_135_596_800;
        while unix < 253_402_300_799 {
            out.clear();
            Date { unix }.write(&mut out);
            assert_eq!(Date::parse(&out), Some(Date { unix }));
            unix += 86_400 * 13 + 7;
        }
    }

    #[test]
    fn what_is_no_date() {
        for bad in [
            &b""[..],
            b"Sat, 13 Nov 2010 23:29:00 CET",
            b"Sat, 31 Nov 2010 23:29:00 GMT",
            b"Sat, 29 Feb 2100 00:00:00 GMT",
            b"Sat, 13 Nov 2010 24:00:00 GMT",
            b"Sat 13 Nov 2010 23:29:00 GMT",
            b"Sat, 13 Nov 2010 23:29:00 GMT x",
            b"Sat, 13 Nov 10 23:29:00 GMT",
        ] {
            assert_eq!(Date::parse(bad), None, "{}", bad.escape_ascii());
        }
    }
}
