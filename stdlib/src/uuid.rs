//! Kamailio's `uuid`: identifiers that nobody else has (RFC 4122, RFC 9562).

use std::sync::Mutex;
use std::time::Duration;

use kcc_runtime::declare::{ConstantError, Parse};

/// Which kind of identifier `$uuid` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All random: version 4.
    Random,
    /// Of the time and a random node: version 1.
    Time,
}

impl Parse for Kind {
    const NAME: &'static str = "uuid-kind";
    const WHAT: &'static str = "a kind of UUID";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        match text.first() {
            None => Err(ConstantError::new("`g`, `r`, `t` or `s` is expected")),
            Some(b't' | b'T' | b's' | b'S') => Ok(Kind::Time),
            // As in Kamailio any other letter is `g`.
            Some(_) => Ok(Kind::Random),
        }
    }
}

/// 100 nanoseconds from the beginning of the Gregorian calendar to 1970 (RFC 4122 §4.1.4).
const TO_1970: u64 = 0x01b2_1dd2_1381_4000;

/// The time of the last identifier of a time, in 100 nanoseconds since 1582, and what this process
/// has in all of them.
struct Clock {
    last: u64,
    /// The clock sequence and the node.
    tail: Option<[u8; 8]>,
}

static CLOCK: Mutex<Clock> = Mutex::new(Clock {
    last: 0,
    tail: None,
});

/// No random bytes are to be had.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// An identifier of `kind`, made `now` after 1970: 36 characters.
fn make(kind: Kind, now: Duration) -> Result<[u8; 36], NoRandomness> {
    let mut bytes = [0; 16];
    match kind {
        Kind::Random => {
            bytes = random()?;
            bytes[6] = bytes[6] & 0x0f | 0x40;
        }
        Kind::Time => {
            let mut clock = CLOCK.lock().unwrap_or_else(|broken| broken.into_inner());
            let tail = match clock.tail {
                Some(tail) => tail,
                None => {
                    let mut tail: [u8; 8] = random()?;
                    // No network card has such an address (RFC 4122 §4.5).
                    tail[2] |= 1;
                    *clock.tail.insert(tail)
                }
            };
            let ticks = u64::try_from(now.as_nanos() / 100).unwrap_or(u64::MAX);
            clock.last = ticks.wrapping_add(TO_1970).max(clock.last + 1);
            let time = clock.last;
            bytes[..4].copy_from_slice(&(time as u32).to_be_bytes());
            bytes[4..6].copy_from_slice(&((time >> 32) as u16).to_be_bytes());
            bytes[6..8].copy_from_slice(&((time >> 48) as u16 & 0x0fff | 0x1000).to_be_bytes());
            bytes[8..].copy_from_slice(&tail);
        }
    }
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(written(&bytes))
}

fn written(bytes: &[u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let places = (0..36).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (place, digit) in places.zip(digits) {
        text[place] = b"0123456789abcdef"[usize::from(digit)];
    }
    text
}

/// Identifiers that nobody else has.
#[kcc_macros::module(name = "uuid")]
pub mod exports {
    use kcc_runtime::declare::Const;
    use kcc_runtime::run::Run;
    use kcc_runtime::value::Val;

    use super::{Kind, make};

    /// A new UUID at each reading, 36 characters in lower case.
    ///
    /// `$uuid(g)` and `$uuid(r)` are random (version 4), `$uuid(t)` and `$uuid(s)` made of the time
    /// (version 1), never the same twice in a process. Null where the system has no random bytes.
    ///
    /// ```cfg
    /// xlog("$uuid(g)\n");
    /// ```
    #[pv(name = "uuid")]
    fn uuid(run: &mut Run, kind: Const<Kind>) -> Option<Val> {
        match make(*kind, run.time_of_day()) {
            Ok(text) => Some(run.text(&text)),
            Err(error) => {
                run.report(&error);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: Kind, now: Duration) -> String {
        String::from_utf8(make(kind, now).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_time_of_1970_reads_as_in_the_rfc() {
        let first = text(Kind::Time, Duration::ZERO);
        assert!(first.starts_with("13814000-1dd2-11b2-"), "{first}");
        // The clock does not go back, and no time comes twice.
        let second = text(Kind::Time, Duration::ZERO);
        assert!(second.starts_with("13814001-1dd2-11b2-"), "{second}");
        assert_eq!(first[18..], second[18..]);
        let node = u8::from_str_radix(&first[24..26], 16).unwrap();
        assert_eq!(node & 1, 1);
    }

    #[test]
    fn version_and_variant_stand_at_their_places() {
        let one = text(Kind::Random, Duration::ZERO);
        assert_ne!(one, text(Kind::Random, Duration::ZERO));
        assert_eq!(&one[14..15], "4");
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"));
        let dashes: Vec<usize> = one.match_indices('-').map(|(place, _)| place).collect();
        assert_eq!(dashes, [8, 13, 18, 23]);
    }

    #[test]
    fn the_first_letter_says_the_kind() {
        for (name, kind) in [
            ("g", Some(Kind::Random)),
            ("time", Some(Kind::Time)),
            ("S", Some(Kind::Time)),
            ("x", Some(Kind::Random)),
            ("", None),
        ] {
            assert_eq!(Kind::parse(name.as_bytes()).ok(), kind, "{name}");
        }
    }
}
