//! Time: of the message (one moment for all of its script) and of now.

use std::time::Duration;

use super::calendar::{LONGEST, Moment};
use super::key::keys;
use crate::run::{Local, Run};
use crate::value::Val;

keys! {
    /// What `$TV(…)` tells.
    ValueKey("tv-key", "a key of $TV") {
        /// Seconds, of the message.
        Seconds = "s",
        /// Microseconds, of the message.
        Micros = "u",
        /// Seconds, now.
        SecondsNow = "sn",
        /// Microseconds of the last `sn`.
        MicrosNow = "un",
        /// Both now, with a point between.
        TextNow = "Sn",
        /// Both of the message, with a point between.
        Text = "Sm",
        /// Date and time now.
        DateNow = "Fn",
    }
}

keys! {
    /// A part of date and time.
    PartKey("time-key", "a key of $time") {
        /// 0 to 60.
        Second = "sec",
        /// 0 to 59.
        Minute = "min",
        /// 0 to 23.
        Hour = "hour",
        /// 1 to 31.
        Day = "mday",
        /// 1 to 12.
        Month = "mon",
        /// The year.
        Year = "year",
        /// 1 is Sunday.
        Weekday = "wday",
        /// 1 to 366.
        Yearday = "yday",
        /// 1 in summer time.
        Summer = "isdst",
    }
}

/// The moments that the variables of one message remember.
#[derive(Default)]
struct Remembered {
    /// The moment of the message: that of the first look at the clock.
    message: Option<Duration>,
    /// The moment of the last `$TV(sn)`.
    last: Option<Duration>,
}

impl Local for Remembered {}

/// The moment of the message.
fn of_message(run: &mut Run) -> Duration {
    let remembered = run.locals.get::<Remembered>().message;
    remembered.unwrap_or_else(|| {
        let moment = run.time_of_day();
        run.locals.get::<Remembered>().message = Some(moment);
        moment
    })
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn local(time: Duration) -> Option<Moment> {
    Moment::local(seconds(time))
}

fn utc(time: Duration) -> Option<Moment> {
    Moment::utc(seconds(time))
}

/// The moment in a format of strftime.
fn formatted(run: &mut Run, moment: Option<Moment>, format: &[u8]) -> Option<Val> {
    let mut space = [0; LONGEST];
    let text = moment?.format(format, &mut space)?;
    Some(run.text(text))
}

fn part(moment: Option<Moment>, key: PartKey) -> Option<i64> {
    let moment = moment?;
    let tm = moment.parts();
    Some(i64::from(match key {
        PartKey::Second => tm.tm_sec,
        PartKey::Minute => tm.tm_min,
        PartKey::Hour => tm.tm_hour,
        PartKey::Day => tm.tm_mday,
        PartKey::Month => tm.tm_mon + 1,
        PartKey::Year => tm.tm_year + 1900,
        PartKey::Weekday => tm.tm_wday + 1,
        PartKey::Yearday => tm.tm_yday + 1,
        PartKey::Summer => tm.tm_isdst,
    }))
}

/// Variables of time.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use std::time::UNIX_EPOCH;

    use crate::declare::{Const, Raw};
    use crate::run::Run;
    use crate::value::Val;
    use crate::variables::calendar::LONGEST;
    use crate::variables::written;

    use super::{PartKey, Remembered, ValueKey, formatted, local, of_message, part, seconds, utc};

    /// Seconds since 1970, the same for the whole script of a message.
    #[pv(name = "Ts")]
    fn message_seconds(run: &mut Run) -> i64 {
        seconds(of_message(run))
    }

    /// Seconds since 1970, now.
    ///
    /// ```cfg
    /// $var(started) = $TS;
    /// ```
    #[pv(name = "TS")]
    fn seconds_now(run: &mut Run) -> i64 {
        seconds(run.time_of_day())
    }

    /// Local date and time as `Mon Nov 23 07:21:10 2026`, the same for the whole script of a message.
    #[pv(name = "Tf")]
    fn message_date(run: &mut Run) -> Option<Val> {
        let moment = local(of_message(run));
        formatted(run, moment, b"%a %b %e %H:%M:%S %Y")
    }

    /// Local date and time as `Mon Nov 23 07:21:10 2026`, now.
    #[pv(name = "TF")]
    fn date_now(run: &mut Run) -> Option<Val> {
        formatted(run, local(run.time_of_day()), b"%a %b %e %H:%M:%S %Y")
    }

    /// Seconds since 1970 of the server's start.
    #[pv(name = "Tb")]
    fn start(run: &mut Run) -> Option<i64> {
        let started = run.try_worker()?.server.started;
        Some(seconds(
            started.duration_since(UNIX_EPOCH).unwrap_or_default(),
        ))
    }

    /// Time to the microsecond.
    ///
    /// Keys: `s` seconds since 1970 and `u` microseconds, the same for the whole script of a message;
    /// `sn` seconds now, `un` microseconds of the last `sn` (0 before one); `Sn` now and `Sm` of the
    /// message as `seconds.microseconds`; `Fn` now as `2026-11-24 07:54:53.248075`, local time.
    #[pv(name = "TV")]
    fn tv(run: &mut Run, key: Const<ValueKey>) -> Option<Val> {
        let time = match *key {
            ValueKey::Seconds => return Some(Val::int(seconds(of_message(run)))),
            ValueKey::Micros => return Some(Val::int(i64::from(of_message(run).subsec_micros()))),
            ValueKey::SecondsNow => {
                let now = run.time_of_day();
                run.locals.get::<Remembered>().last = Some(now);
                return Some(Val::int(seconds(now)));
            }
            ValueKey::MicrosNow => {
                let last = run.locals.get::<Remembered>().last;
                return Some(Val::int(
                    last.map_or(0, |last| i64::from(last.subsec_micros())),
                ));
            }
            ValueKey::Text => of_message(run),
            ValueKey::TextNow => run.time_of_day(),
            ValueKey::DateNow => {
                let now = run.time_of_day();
                let mut space = [0; LONGEST];
                let moment = local(now)?;
                let date = moment.format(b"%Y-%m-%d %H:%M:%S", &mut space)?;
                let date = std::str::from_utf8(date).ok()?;
                let micros = now.subsec_micros();
                return Some(written::<64>(run, format_args!("{date}.{micros:06}")));
            }
        };
        let (seconds, micros) = (time.as_secs(), time.subsec_micros());
        Some(written::<32>(run, format_args!("{seconds}.{micros:06}")))
    }

    /// A part of the local date and time: `sec`, `min`, `hour`, `mday`, `mon` (1 to 12), `year`,
    /// `wday` (1 is Sunday), `yday` (1 to 366), `isdst`.
    ///
    /// ```cfg
    /// if ($time(hour) < 8) exit;
    /// ```
    #[pv(name = "time")]
    fn time(run: &mut Run, key: Const<PartKey>) -> Option<i64> {
        part(local(run.time_of_day()), *key)
    }

    /// A part of the date and time in UTC: as `$time`.
    #[pv(name = "utime")]
    fn utime(run: &mut Run, key: Const<PartKey>) -> Option<i64> {
        part(utc(run.time_of_day()), *key)
    }

    /// The local date and time in a format of strftime.
    ///
    /// ```cfg
    /// $var(day) = $timef(%Y-%m-%d);
    /// ```
    #[pv(name = "timef")]
    fn timef(run: &mut Run, format: Raw) -> Option<Val> {
        formatted(run, local(run.time_of_day()), format.0)
    }

    /// The date and time in UTC in a format of strftime.
    #[pv(name = "utimef")]
    fn utimef(run: &mut Run, format: Raw) -> Option<Val> {
        formatted(run, utc(run.time_of_day()), format.0)
    }
}
