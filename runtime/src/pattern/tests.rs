//! The dialect, held against the C library: generated expressions and texts must give the same
//! answer and the same span.

use super::{Flags, Pattern};
use std::ops::Range;

use super::posix::PosixRegex;
use super::syntax::Syntax;

/// A small generator: the same seed gives the same run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, from: &[&'a [u8]]) -> &'a [u8] {
        from[self.below(from.len() as u64) as usize]
    }
}

const ATOMS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"A",
    b"B",
    b"_",
    b"-",
    b" ",
    b"1",
    b"\n",
    b".",
    b"^",
    b"$",
    b"\\w",
    b"\\W",
    b"\\s",
    b"\\S",
    b"\\b",
    b"\\<",
    b"\\>",
    b"\\`",
    b"\\'",
    b"\\.",
    b"\\d",
    b"\\a",
    b"\\(",
    b"\\\\",
    b"\\[",
    b"\\*",
    b"[abc]",
    b"[^a]",
    b"[]a]",
    b"[^]a]",
    b"[a-c]",
    b"[[:alpha:]]",
    b"[[:upper:]_]",
    b"[^[:digit:]]",
    b"[a-]",
    b"[-a]",
    b"[[=a=]b]",
    b"[[.-.]-1]",
    b"[B-b]",
    b"[_-a]",
    b"[\\w]",
    b"[\\d]",
    b"[---]",
    b"[[:space:]]",
    b"[!-~]",
    b"[\x80-\xff]",
    b"\xe9",
    b"}",
    b"]",
    b",",
];
const REPEATS: &[&[u8]] = &[
    b"*", b"+", b"?", b"{2}", b"{1,}", b"{0,2}", b"{,2}", b"{1,3}", b"{0}", b"**", b"*?",
];
const ODD: &[&[u8]] = &[
    b"(",
    b")",
    b"|",
    b"{",
    b"[",
    b"{1",
    b"{a}",
    b"{2,1}",
    b"\\",
    b"[b-a]",
    b"[[:foo:]]",
    b"[a",
    b"*",
    b"{,}",
    b"[[:alpha:]-z]",
    b"[[.ab.]]",
    b"[[=",
    b"[a-c-e]",
    b"{32768}",
    b"{1,2,3}",
];

fn contains(source: &[u8], part: &[u8]) -> bool {
    source.windows(part.len()).any(|each| each == part)
}

/// Whether the C library is wrong about some of the expressions like `source`: an anchor or a group
/// that is referred back to may stand in a repeated group.
fn is_doubtful(source: &[u8]) -> bool {
    let repeated = source
        .windows(2)
        .any(|pair| pair[0] == b')' && matches!(pair[1], b'*' | b'+' | b'?' | b'{'));
    let anchors: [&[u8]; 7] = [b"^", b"$", b"\\b", b"\\<", b"\\>", b"\\`", b"\\'"];
    let refers = source
        .windows(2)
        .any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit());
    repeated && (refers || anchors.into_iter().any(|anchor| contains(source, anchor)))
}

/// Appends an expression. Gives whether an anchor is in it: the C library loses matches where one
/// is repeated.
fn expression(random: &mut Random, depth: u32, out: &mut Vec<u8>) -> bool {
    let mut anchored = false;
    for _ in 0..random.below(4) + u64::from(depth == 0) {
        let mut repeatable = true;
        match random.below(40) {
            0..8 if depth < 3 => {
                out.push(b'(');
                let inside = expression(random, depth + 1, out);
                out.push(b')');
                repeatable = !inside;
                anchored |= inside;
            }
            8..11 => {
                out.push(b'|');
                repeatable = false;
            }
            11 => out.extend_from_slice(random.pick(ODD)),
            _ => {
                let atom = random.pick(ATOMS);
                let anchor = is_anchor(atom);
                repeatable = !anchor || random.below(50) == 0;
                anchored |= anchor;
                out.extend_from_slice(atom);
            }
        }
        if repeatable && random.below(3) == 0 {
            out.extend_from_slice(random.pick(REPEATS));
        }
    }
    anchored
}

fn is_anchor(atom: &[u8]) -> bool {
    matches!(
        atom,
        b"^" | b"$" | b"\\b" | b"\\B" | b"\\<" | b"\\>" | b"\\`" | b"\\'"
    )
}

/// A text. Read as one line it has no line feed: the C library lets anchors match beside one.
fn text(random: &mut Random, newline: bool) -> Vec<u8> {
    const BYTES: &[u8] = b"\naaabbbccABd_-. 1(*\\[\xe9,";
    let bytes = &BYTES[usize::from(!newline)..];
    (0..random.below(10))
        .map(|_| bytes[random.below(bytes.len() as u64) as usize])
        .collect()
}

#[test]
fn agrees_with_the_c_library() {
    let seed = std::env::var("KCC_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_240);
    let mut random = Random(seed);
    let (mut valid, mut matched) = (0, 0);
    for round in 0..20_000 {
        let mut source = Vec::new();
        expression(&mut random, 0, &mut source);
        // Odd pieces can put parentheses and repetitions where the generator does not see them.
        let doubtful = is_doubtful(&source) && ODD.iter().any(|odd| contains(&source, odd));
        let syntax = Syntax {
            icase: random.below(2) == 0,
            newline: random.below(3) == 0,
        };
        let ours = Pattern::compile(&source, syntax);
        let theirs = PosixRegex::new(&source, syntax);
        let shown = String::from_utf8_lossy(&source);
        let shown = format!("seed {seed}, round {round}, {shown:?} {syntax:?}");
        let (ours, theirs) = match (ours, theirs) {
            (Ok(ours), Some(theirs)) => (ours, theirs),
            (Err(_), None) => continue,
            (Ok(_), None) => panic!("only the C library refuses: {shown}"),
            (Err(error), Some(_)) => panic!("{error:?}: {shown}"),
        };
        valid += 1;
        if doubtful {
            continue;
        }
        for _ in 0..6 {
            let text = text(&mut random, syntax.newline);
            let start = random.below(text.len() as u64 + 1) as usize;
            let shown = format!("{shown}, text {:?}", String::from_utf8_lossy(&text));
            let expected = theirs.search(&text, 0, false);
            let mut span = [None];
            assert_eq!(ours.is_match(&text), expected.is_some(), "{shown}");
            assert_eq!(
                ours.captures_into(&text, &mut span),
                expected.is_some(),
                "{shown}"
            );
            assert_eq!(span[0], expected, "{shown}");
            matched += u32::from(expected.is_some());
            let expected = theirs.search(&text, start, true);
            ours.captures_after(&text, start, &mut span);
            assert_eq!(span[0], expected, "after {start}: {shown}");
        }
    }
    assert!(
        valid > 10_000 && matched > 20_000,
        "{valid} valid, {matched} matched"
    );
}

#[test]
fn back_references_agree_with_the_c_library() {
    const GROUPS: &[&[u8]] = &[
        b"([ab]+)",
        b"(a|ab)",
        b"([[:alnum:]]*)",
        b"(.{2})",
        b"(b?a)",
        b"(\\w+)",
    ];
    const AROUND: &[&[u8]] = &[
        b"", b"-", b".", b"^", b"$", b"[ab]*", b"(c|d)", b".*", b"\\s?",
    ];
    let mut random = Random(99);
    let mut matched = 0;
    for round in 0..4_000 {
        let around: Vec<_> = (0..3).map(|_| random.pick(AROUND)).collect();
        let source = [around[0], random.pick(GROUPS), around[1], b"\\1", around[2]].concat();
        let syntax = Syntax {
            icase: random.below(2) == 0,
            newline: false,
        };
        let shown = format!(
            "round {round}, {:?} {syntax:?}",
            String::from_utf8_lossy(&source)
        );
        let ours = Pattern::compile(&source, syntax).expect(&shown);
        let theirs = PosixRegex::new(&source, syntax).expect(&shown);
        let text = text(&mut random, false);
        let shown = format!("{shown}, text {:?}", String::from_utf8_lossy(&text));
        let expected = theirs.search(&text, 0, false);
        let mut span = [None];
        assert_eq!(ours.is_match(&text), expected.is_some(), "{shown}");
        ours.captures_into(&text, &mut span);
        assert_eq!(span[0], expected, "{shown}");
        matched += u32::from(expected.is_some());
    }
    assert!(matched > 200, "{matched}");
}

/// What the real C library says of parentheses that can share the match in several ways.
#[test]
fn parentheses_prefer_the_first_alternative() {
    type Case = (&'static str, &'static str, &'static [Option<Range<usize>>]);
    let cases: [Case; 6] = [
        (
            "(a|ab)(c|bcd)(d*)",
            "abcd",
            &[Some(0..4), Some(0..1), Some(1..4), Some(4..4)],
        ),
        ("(a*)(a|aa)", "aaaa", &[Some(0..4), Some(0..3), Some(3..4)]),
        (
            "(foo|foobar)(bar)?",
            "foobar",
            &[Some(0..6), Some(0..3), Some(3..6)],
        ),
        (
            r"^(00|\+|0)?([0-9]+)",
            "0049",
            &[Some(0..4), Some(0..2), Some(2..4)],
        ),
        (
            "(a|ab)*(b|c)*",
            "abac",
            &[Some(0..4), Some(2..3), Some(3..4)],
        ),
        ("x(y)?z(.*)", "xz", &[Some(0..2), None, Some(2..2)]),
    ];
    for (source, text, expected) in cases {
        let mut groups: [Option<Range<usize>>; 5] = Default::default();
        let pattern = Pattern::new(source.as_bytes(), Flags::default()).unwrap();
        assert!(pattern.captures_into(text.as_bytes(), &mut groups));
        assert_eq!(&groups[..expected.len()], expected, "{source}");
    }
}

#[test]
fn errors_point_into_the_expression() {
    for (source, offset, message) in [
        ("ab[c", 2, "this `[` has no matching `]`"),
        ("a(b(c)", 1, "this `(` has no matching `)`"),
        ("a|*", 2, "there is nothing here to repeat"),
        ("a{2,1}", 1, "the interval ends before it begins"),
        ("[[:digits:]]", 1, "there is no character class `digits`"),
        ("x\\", 1, "a `\\` cannot end the expression"),
    ] {
        let error = Pattern::new(source.as_bytes(), Flags::default()).unwrap_err();
        assert_eq!(
            (error.offset, error.message.as_str()),
            (offset, message),
            "{source}"
        );
    }
}

#[test]
fn what_is_not_at_the_edge_of_a_word() {
    for (source, text, expected) in [
        (r"\B", "ab", Some(1..1)),
        (r"\B", "a", None),
        (r"a\B", "aab", Some(0..1)),
        (r"\Bb", "ab b", Some(1..2)),
        // The C library says 2..2, which is at the edge.
        (r"a*\B", "ba", Some(1..1)),
    ] {
        let mut span = [None];
        let pattern = Pattern::new(source.as_bytes(), Flags::default()).unwrap();
        pattern.captures_into(text.as_bytes(), &mut span);
        assert_eq!(span[0], expected, "{source} in {text}");
    }
}

#[test]
fn going_on_after_a_match_does_not_depend_on_the_number_of_ways() {
    let pattern = Pattern::line_by_line(b"(|(b*)*)*?c|", Flags::default()).unwrap();
    let text = [&b"\n"[..], &b"b".repeat(2_000)].concat();
    for start in [0, 1] {
        let mut span = [None];
        assert!(pattern.captures_after(&text, start, &mut span));
        assert_eq!(span[0], Some(start..start));
    }
}

#[test]
fn text_and_expression_end_at_nul() {
    let pattern = Pattern::new(b"a$\0(", Flags::default()).unwrap();
    assert!(pattern.is_match(b"ba\0b"));
    assert!(!pattern.is_match(b"b\0a"));
}

#[test]
fn expensive_expressions_are_refused_or_bounded() {
    for source in [
        "(x{1,30000}){1,30000}",
        "((((.{99}){99}){99}){99}){99}",
        "(a*)\\1{9999}{99}",
    ] {
        assert!(
            Pattern::new(source.as_bytes(), Flags::default()).is_err(),
            "{source}"
        );
    }
    assert!(Pattern::new(&b"(".repeat(100_000), Flags::default()).is_err());
    assert!(Pattern::new(&b"a?".repeat(10_000), Flags::default()).is_ok());
    let exponential = Pattern::new(b"((a*)*)*\\1b", Flags::default()).unwrap();
    assert!(!exponential.is_match(&b"a".repeat(5_000)));
}

/// Scripts run on stacks of 64 KiB.
#[test]
fn the_deepest_expression_fits_a_small_stack() {
    let deepest = [b"(".repeat(59), b"a".to_vec(), b")*".repeat(59)].concat();
    let run = move || {
        let pattern = Pattern::new(&deepest, Flags { icase: true }).unwrap();
        assert!(pattern.captures_into(&b"A".repeat(500), &mut [None, None]));
        assert!(pattern.captures_after(b"aaa", 0, &mut [None, None]));
        let back = Pattern::new(&[&deepest[..], b"\\1"].concat(), Flags::default()).unwrap();
        back.is_match(b"aaaa");
    };
    std::thread::Builder::new()
        .stack_size(64 * 1024)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}
