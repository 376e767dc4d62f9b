//! Damaged configurations through the whole compiler: whatever is cut out of them, doubled or put into
//! them, there is an answer, soon, and no panic. `KCC_MUTATIONS` and `KCC_SEED` make it look longer
//! and elsewhere.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kcc::codegen::jit::Tools;
use kcc::compile::{self, Failure, Input};
use kcc::diagnostic::render_text;
use kcc::resolve::Options;
use kcc::source::MemoryLoader;

/// What one configuration may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Pieces that stand where they should not.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    ";",
    ",",
    "$",
    "$(",
    "@",
    "#!define A A\n",
    "A",
    "\\",
    "#!ifdef X\n",
    "#!else\n",
    "#!endif\n",
    "#!subst \"/a/b/\"\n",
    "/*",
    "*/",
    "//",
    "if (1) ",
    "else ",
    "while (1) ",
    "switch ($var(x)) { case 1: ",
    "case 2:",
    "default:",
    "break;",
    "return",
    "exit;",
    "drop;",
    "route(",
    "route[x] {",
    "request_route {",
    "=",
    "==",
    "=~",
    "!",
    "-",
    "~",
    "+",
    "* 0",
    "/ 0",
    "mod",
    "<<",
    "0",
    "1",
    "2147483648",
    "0x",
    "$null",
    "$rU",
    "$var(x)",
    "$avp(a)",
    "$(avp(a)[*])",
    "{s.len}",
    "{s.substr,1,",
    "(int)",
    "(str)",
    "defined ",
    "strlen(",
    "selval(",
    "is_method(\"INVITE\")",
    "isflagset(1)",
    "uri == myself",
    "src_ip == 10.0.0.0/8",
    "method",
    "listen=udp:127.0.0.1:5060\n",
    "modparam(\"tm\", \"fr_timer\", 5)",
    "loadmodule \"tm.so\"\n",
    "include_file \"main.cfg\"\n",
    "t_relay()",
    "xlog(\"$ru\\n\");",
    "\0",
    "\u{ff}",
    "\n",
    " ",
];

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((n ^ (n >> 31)) % limit.max(1) as u64) as usize
    }

    fn range(&mut self, text: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(text.len() + 1);
        let longest = [1, 8, 80, 800][self.below(4)];
        start..(start + self.below(longest + 1)).min(text.len())
    }
}

fn configurations() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![
        root.join("../examples"),
        root.join("tests/syntax"),
        root.join("../../shared/corpus"),
    ];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == "cfg") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: PathBuf| std::fs::read(path).ok();
    files.into_iter().filter_map(read).collect()
}

fn damaged(random: &mut Random, all: &[Vec<u8>]) -> Vec<u8> {
    let mut text = all[random.below(all.len())].clone();
    for _ in 0..1 + random.below(4) {
        let range = random.range(&text);
        let piece: Vec<u8> = match random.below(5) {
            0 => Vec::new(),
            1 => text[range.clone()].repeat(2 + random.below(3)),
            2 => {
                let other = &all[random.below(all.len())];
                other[random.range(other)].to_vec()
            }
            3 => vec![random.below(256) as u8],
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                piece.as_bytes().to_vec()
            }
        };
        let inserted = random.below(2) == 0;
        let end = if inserted { range.start } else { range.end };
        text.splice(range.start..end, piece);
    }
    text
}

#[test]
fn a_damaged_configuration_gets_an_answer() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let count: u64 = number("KCC_MUTATIONS").unwrap_or(2000);
    let seed: u64 = number("KCC_SEED").unwrap_or(1);
    let all = configurations();
    assert!(!all.is_empty());
    for n in 0..count {
        let mut random = Random(seed.wrapping_mul(1 << 32).wrapping_add(n));
        let text = damaged(&mut random, &all);
        let loader = MemoryLoader::with("main.cfg", text.clone());
        let input = Input {
            loader: &loader,
            main: "main.cfg",
            defines: &[],
            modules: kcc_stdlib::MODULES,
            options: Options {
                allow_unsupported: n % 2 == 0,
                ..Options::default()
            },
        };
        let start = Instant::now();
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
            match compile::jit(input, &Tools::default()) {
                Ok((_, findings)) | Err(Failure::Configuration(findings)) => findings,
                Err(Failure::Codegen(_, findings)) => findings,
            }
        }));
        let shown = outcome.map(|found| render_text(&found.diagnostics, &found.sources, false));
        let taken = start.elapsed();
        if !matches!(&shown, Ok(shown) if shown.len() < 200_000) || taken > LONGEST {
            let file = std::env::temp_dir().join(format!("kcc-mutation-{seed}-{n}.cfg"));
            std::fs::write(&file, &text).unwrap();
            let length = shown.map_or(0, |shown| shown.len());
            let file = file.display();
            panic!("number {n} of seed {seed}: {length} bytes after {taken:?}; see {file}");
        }
    }
}
