//! Patterns that come up at run time, such as `$ru =~ $var(pattern)`: compiled once and kept while
//! they are in use.
//!
//! Invariant: a thread keeps a fixed number of them, and none is longer than a fixed length.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Flags, Pattern, PatternError, until_nul};

/// The longest expression, in bytes.
const LONGEST: usize = 4096;
/// How many expressions a thread keeps.
const KEPT: usize = 16;

struct Entry {
    source: Box<[u8]>,
    flags: Flags,
    compiled: Result<Rc<Pattern>, PatternError>,
}

thread_local! {
    /// The one used last comes first.
    static RECENT: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The pattern that `text` is, as [`Pattern::new`] gives it; compiled anew only where it was not
/// among the last 16 that this thread asked for.
///
/// # Errors
/// What [`Pattern::new`] refuses, and expressions longer than 4096 bytes.
pub fn recent(text: &[u8], flags: Flags) -> Result<Rc<Pattern>, PatternError> {
    let text = until_nul(text);
    if text.len() > LONGEST {
        let message = "an expression made at run time has at most 4096 bytes";
        return Err(PatternError::new(LONGEST, message));
    }
    RECENT.with_borrow_mut(|kept| {
        let known = kept
            .iter()
            .position(|entry| entry.flags == flags && *entry.source == *text);
        match known {
            Some(at) => kept[..=at].rotate_right(1),
            None => {
                kept.truncate(KEPT - 1);
                let compiled = Pattern::new(text, flags).map(Rc::new);
                let source = text.into();
                kept.insert(
                    0,
                    Entry {
                        source,
                        flags,
                        compiled,
                    },
                );
            }
        }
        kept[0].compiled.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ICASE: Flags = Flags { icase: true };

    #[test]
    fn a_pattern_in_use_is_compiled_once() {
        let first = recent(b"^sip:[0-9]+", ICASE).unwrap();
        for n in 0..10 {
            recent(format!("x{n}").as_bytes(), ICASE).unwrap();
        }
        assert!(Rc::ptr_eq(
            &first,
            &recent(b"^sip:[0-9]+\0x", ICASE).unwrap()
        ));
        let other = recent(b"^sip:[0-9]+", Flags { icase: false }).unwrap();
        assert!(!Rc::ptr_eq(&first, &other));
        for n in 0..KEPT {
            recent(format!("y{n}").as_bytes(), ICASE).unwrap();
        }
        assert!(!Rc::ptr_eq(&first, &recent(b"^sip:[0-9]+", ICASE).unwrap()));
        RECENT.with_borrow(|kept| assert_eq!(kept.len(), KEPT));
    }

    #[test]
    fn what_is_no_pattern_or_too_long_is_refused_each_time() {
        for _ in 0..2 {
            assert!(recent(b"(", ICASE).is_err());
            assert!(recent(&[b'a'; LONGEST + 1], ICASE).is_err());
            assert!(recent(&[b'a'; LONGEST], ICASE).is_ok());
        }
    }

    #[test]
    fn the_worst_pattern_costs_little() {
        let long = |piece: &str| piece.repeat(LONGEST / piece.len());
        for text in [
            long("[^x]{250}"),
            long("(a|b|c){1,255}"),
            long("(a*)*"),
            long("[[:alpha:]]?"),
            long("(abc|abd|abe)+"),
            long(".*"),
            long(".{9}|"),
            long("x|"),
            "(((x{1,99}){1,99}){1,99}){1,99}".to_owned(),
            long("(a)\\1"),
        ] {
            let start = std::time::Instant::now();
            let outcome = recent(text.as_bytes(), ICASE).map(|p| p.is_match(&[b'a'; 4096]));
            let taken = start.elapsed();
            assert!(
                taken.as_millis() < 3000,
                "{text:.20}: {outcome:?} after {taken:?}"
            );
        }
    }
}
