//! Expressions without back-references, run as automata: time is linear in the text.
//!
//! Automata of the `regex-automata` crate prefer the first alternative, POSIX the longest match.
//! Both begin at the same place. So the start comes from the preferring automaton, and a second
//! one, which keeps every thread, goes from there to the farthest end. Among the ways to match
//! that span, parentheses take the one that a greedy reader finds first.

use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;

use regex_automata::dfa::onepass;
use regex_automata::meta;
use regex_automata::nfa::thompson::{self, pikevm};
use regex_automata::util::look::LookMatcher;
use regex_automata::util::pool::Pool;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;
use smallvec::SmallVec;

use super::syntax::Syntax;
use super::{built, on_large_stack};

/// The memory that an automaton may take, in bytes, whatever the length of its expression.
const BASE_SIZE: usize = 256 * 1024;
/// The memory that it may take besides for each byte of the expression.
const SIZE_PER_BYTE: usize = 128;
/// The memory of a lazy automaton's states, one for each thread that searches at once.
const CACHE_SIZE: usize = 512 * 1024;

type Slots = SmallVec<[Option<NonMaxUsize>; 20]>;
type CacheMaker<C> = Box<dyn Fn() -> C + Send + Sync + UnwindSafe + RefUnwindSafe>;

pub(super) struct Automaton {
    search: meta::Regex,
    hir: Hir,
    size_limit: usize,
    syntax: Syntax,
    longest: OnceLock<Longest>,
}

impl Automaton {
    /// Builds the automaton of an expression whose text has `length` bytes; `None` if it would be
    /// too large.
    pub(super) fn new(hir: Hir, length: usize, syntax: Syntax) -> Option<Automaton> {
        let size_limit = BASE_SIZE + SIZE_PER_BYTE * length;
        let config = meta::Config::new()
            .utf8_empty(false)
            .line_terminator(line_end(syntax))
            .which_captures(thompson::WhichCaptures::Implicit)
            .nfa_size_limit(Some(size_limit))
            .hybrid_cache_capacity(CACHE_SIZE);
        let search = meta::Builder::new()
            .configure(config)
            .build_from_hir(&hir)
            .ok()?;
        Some(Automaton {
            search,
            hir,
            size_limit,
            syntax,
            longest: OnceLock::new(),
        })
    }

    pub(super) fn hir(&self) -> &Hir {
        &self.hir
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.search.is_match(text)
    }

    /// Searches from `start` on, with `text[..start]` as what comes before. `groups[0]` becomes the
    /// span of the match, the others those of the parentheses.
    pub(super) fn search(
        &self,
        text: &[u8],
        start: usize,
        groups: &mut [Option<Range<usize>>],
    ) -> bool {
        groups.fill(None);
        if start > text.len() {
            return false;
        }
        let Some(found) = self.search.find(Input::new(text).range(start..)) else {
            return false;
        };
        let Some(first) = groups.first_mut() else {
            return true;
        };
        *first = Some(found.range());
        // Built when first needed: most expressions are only asked whether they match. It has four
        // times the room of the first build, so it fails only without memory for its stack.
        let build = || Longest::new(&self.hir, self.size_limit, self.syntax);
        if let Some(longest) = built(&self.longest, || on_large_stack(build).flatten()) {
            let input = Input::new(text)
                .range(found.start()..)
                .anchored(Anchored::Yes);
            longest.groups(&input, groups);
        }
        true
    }
}

/// Finds the farthest end of a match that begins at a given place.
enum Longest {
    /// The expression can be read in one way only: fast, with all parentheses.
    OnePass {
        dfa: Box<onepass::DFA>,
        caches: Pool<onepass::Cache, CacheMaker<onepass::Cache>>,
    },
    /// All ways are followed at once.
    Threads {
        vm: pikevm::PikeVM,
        caches: Pool<pikevm::Cache, CacheMaker<pikevm::Cache>>,
    },
}

impl Longest {
    fn new(hir: &Hir, size_limit: usize, syntax: Syntax) -> Option<Longest> {
        let mut looks = LookMatcher::new();
        looks.set_line_terminator(line_end(syntax));
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .look_matcher(looks)
                    .which_captures(thompson::WhichCaptures::All)
                    .nfa_size_limit(Some(size_limit * 4)),
            )
            .build_from_hir(hir)
            .ok()?;
        let config = onepass::Config::new()
            .match_kind(MatchKind::All)
            .size_limit(Some(size_limit));
        if let Ok(dfa) = onepass::Builder::new()
            .configure(config)
            .build_from_nfa(nfa.clone())
        {
            let shared = dfa.clone();
            let make: CacheMaker<_> = Box::new(move || shared.create_cache());
            return Some(Longest::OnePass {
                dfa: Box::new(dfa),
                caches: Pool::new(make),
            });
        }
        let config = pikevm::Config::new().match_kind(MatchKind::All);
        let vm = pikevm::Builder::new()
            .configure(config)
            .build_from_nfa(nfa)
            .ok()?;
        let shared = vm.clone();
        let make: CacheMaker<_> = Box::new(move || shared.create_cache());
        Some(Longest::Threads {
            vm,
            caches: Pool::new(make),
        })
    }

    fn groups(&self, input: &Input<'_>, groups: &mut [Option<Range<usize>>]) {
        let mut slots: Slots = SmallVec::from_elem(None, groups.len() * 2);
        let found = match self {
            Longest::OnePass { dfa, caches } => dfa
                .try_search_slots(&mut caches.get(), input, &mut slots)
                .ok()
                .flatten(),
            Longest::Threads { vm, caches } => {
                vm.search_slots(&mut caches.get(), input, &mut slots)
            }
        };
        if found.is_none() {
            return;
        }
        for (group, span) in groups.iter_mut().zip(slots.chunks_exact(2)) {
            *group = match span {
                [Some(from), Some(to)] => Some(from.get()..to.get()),
                _ => None,
            };
        }
    }
}

/// What ends a line. A text read as one line has no NUL, so nothing in it does.
fn line_end(syntax: Syntax) -> u8 {
    if syntax.newline { b'\n' } else { 0 }
}
