//! A matcher that tries one way after the other: for back-references, which no automaton can
//! follow, and for the rare search in the middle of a text that must not see what is before.
//!
//! Invariant: a search takes at most [`MOST_STEPS`] steps, and memory in proportion to them. One
//! that would take more ends without a match.

use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::util::pool::Pool;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::byteset::ByteSet;
use super::syntax::{FIRST_BACK_REFERENCE, Syntax};

/// The steps of one search: some ten milliseconds at most.
const MOST_STEPS: u32 = 1_000_000;

#[derive(Debug)]
enum Step {
    /// One byte of the set.
    Byte(u16),
    /// Goes on at the first place, and if that fails at the second.
    Fork(u32, u32),
    Jump(u32),
    /// Stores the position in a slot.
    Save(u32),
    /// Goes back to the place unless the position is still the one in the slot.
    Again(u32, u32),
    Assert(Look),
    /// The text that group n matched.
    Group(u32),
    Match,
}

pub(super) struct Backtracker {
    steps: Vec<Step>,
    sets: Vec<ByteSet>,
    slots: usize,
    syntax: Syntax,
    memories: Pool<Memory, Box<dyn Fn() -> Memory + Send + Sync + UnwindSafe + RefUnwindSafe>>,
}

/// What a search writes, kept for the next one.
#[derive(Default)]
struct Memory {
    /// For each group where it begins and ends, then where loops began.
    slots: Vec<usize>,
    best: Vec<usize>,
    pending: Vec<Pending>,
}

enum Pending {
    /// Another way to go on: the step and the position.
    Way(u32, usize),
    /// The value that a slot had.
    Restore(u32, usize),
}

const UNSET: usize = usize::MAX;

impl Backtracker {
    /// `groups` is the number of pairs of parentheses.
    pub(super) fn new(hir: &Hir, groups: usize, syntax: Syntax) -> Backtracker {
        let mut compiler = Compiler {
            steps: Vec::new(),
            sets: Vec::new(),
            slots: 2 * (groups + 1),
        };
        compiler.compile(hir);
        compiler.steps.push(Step::Match);
        let Compiler { steps, sets, slots } = compiler;
        Backtracker {
            steps,
            sets,
            slots,
            syntax,
            memories: Pool::new(Box::new(Memory::default)),
        }
    }

    /// Whether there is a match anywhere.
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        let mut memory = self.memories.get();
        let mut left = MOST_STEPS;
        (0..=text.len()).any(|start| {
            self.run(text, start, false, true, &mut memory, &mut left)
                .is_some()
        })
    }

    /// Searches `text[from..]` and looks at nothing before; `not_bol` keeps `^` from matching at
    /// `from`. `None` when that takes too many steps.
    pub(super) fn search(
        &self,
        text: &[u8],
        from: usize,
        not_bol: bool,
        groups: &mut [Option<Range<usize>>],
    ) -> Option<bool> {
        groups.fill(None);
        let Some(text) = text.get(from..) else {
            return Some(false);
        };
        let mut memory = self.memories.get();
        let mut left = MOST_STEPS;
        for start in 0..=text.len() {
            let Some(end) = self.run(text, start, not_bol, false, &mut memory, &mut left) else {
                if left == 0 {
                    return None;
                }
                continue;
            };
            memory.best[0] = start;
            memory.best[1] = end;
            for (group, span) in groups.iter_mut().zip(memory.best.chunks_exact(2)) {
                if let [start, end] = *span
                    && start != UNSET
                    && end != UNSET
                {
                    *group = Some(from + start..from + end);
                }
            }
            return Some(true);
        }
        Some(false)
    }

    /// The farthest end of a match that begins at `start`, or the first one that comes.
    fn run(
        &self,
        text: &[u8],
        start: usize,
        not_bol: bool,
        any_end: bool,
        memory: &mut Memory,
        left: &mut u32,
    ) -> Option<usize> {
        let Memory {
            slots,
            best,
            pending,
        } = memory;
        slots.clear();
        slots.resize(self.slots, UNSET);
        pending.clear();
        let mut longest = None;
        let (mut next, mut at) = (0u32, start);
        loop {
            *left = left.checked_sub(1)?;
            let went_on = match self.steps[next as usize] {
                Step::Byte(set) => {
                    let found = text
                        .get(at)
                        .is_some_and(|&b| self.sets[usize::from(set)].contains(b));
                    at += usize::from(found);
                    next += 1;
                    found
                }
                Step::Fork(first, second) => {
                    pending.push(Pending::Way(second, at));
                    next = first;
                    true
                }
                Step::Jump(to) => {
                    next = to;
                    true
                }
                Step::Save(slot) => {
                    let value = std::mem::replace(&mut slots[slot as usize], at);
                    pending.push(Pending::Restore(slot, value));
                    next += 1;
                    true
                }
                Step::Again(slot, to) => {
                    next = if slots[slot as usize] == at {
                        next + 1
                    } else {
                        to
                    };
                    true
                }
                Step::Assert(look) => {
                    next += 1;
                    self.holds(look, text, at, not_bol)
                }
                Step::Group(group) => {
                    next += 1;
                    let span = slots[2 * group as usize]..slots[2 * group as usize + 1];
                    let length = self.repeated(text, span, at);
                    at += length.unwrap_or(0);
                    length.is_some()
                }
                Step::Match => {
                    if longest.is_none_or(|end| at > end) {
                        longest = Some(at);
                        best.clone_from(slots);
                    }
                    if any_end || at == text.len() {
                        return longest;
                    }
                    false
                }
            };
            if went_on {
                continue;
            }
            (next, at) = loop {
                match pending.pop() {
                    None => return longest,
                    Some(Pending::Way(next, at)) => break (next, at),
                    Some(Pending::Restore(slot, value)) => slots[slot as usize] = value,
                }
            };
        }
    }

    /// The length of `text[span]` if the same text stands at `at`.
    fn repeated(&self, text: &[u8], span: Range<usize>, at: usize) -> Option<usize> {
        let earlier = text.get(span)?;
        let here = text.get(at..at + earlier.len())?;
        let same = if self.syntax.icase {
            earlier.eq_ignore_ascii_case(here)
        } else {
            earlier == here
        };
        same.then_some(earlier.len())
    }

    fn holds(&self, look: Look, text: &[u8], at: usize, not_bol: bool) -> bool {
        let is_word = |index: usize| {
            text.get(index)
                .is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let (before, after) = (at > 0 && is_word(at - 1), is_word(at));
        let line = self.syntax.newline;
        match look {
            Look::Start if line => at == 0,
            Look::StartLF if !line => at == 0,
            Look::StartLF if at > 0 => text[at - 1] == b'\n',
            Look::Start | Look::StartLF => at == 0 && !not_bol,
            Look::EndLF if line => text.get(at).is_none_or(|&b| b == b'\n'),
            Look::End | Look::EndLF => at == text.len(),
            Look::WordAscii => before != after,
            Look::WordAsciiNegate => before == after,
            Look::WordStartAscii => !before && after,
            Look::WordEndAscii => before && !after,
            // The parser makes no other.
            _ => false,
        }
    }
}

struct Compiler {
    steps: Vec<Step>,
    sets: Vec<ByteSet>,
    slots: usize,
}

impl Compiler {
    /// The place of the next step. Expressions are bounded far below 2³² steps.
    fn here(&self) -> u32 {
        self.steps.len() as u32
    }

    fn byte(&mut self, set: ByteSet) {
        let index = self
            .sets
            .iter()
            .position(|known| *known == set)
            .unwrap_or_else(|| {
                self.sets.push(set);
                self.sets.len() - 1
            });
        self.steps.push(Step::Byte(index as u16));
    }

    fn compile(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                for &byte in &literal.0 {
                    self.byte(ByteSet::single(byte));
                }
            }
            HirKind::Class(class) => {
                let mut set = ByteSet::EMPTY;
                match class {
                    Class::Bytes(class) => {
                        for range in class.ranges() {
                            set.insert_range(range.start(), range.end());
                        }
                    }
                    // Classes of ASCII alone may be held this way.
                    Class::Unicode(class) => {
                        for range in class.ranges() {
                            let end = range.end().min('\x7f');
                            if range.start() <= end {
                                set.insert_range(range.start() as u8, end as u8);
                            }
                        }
                    }
                }
                self.byte(set);
            }
            HirKind::Look(look) => self.steps.push(Step::Assert(*look)),
            HirKind::Repetition(repetition) => self.repetition(repetition),
            HirKind::Capture(capture) if capture.index >= FIRST_BACK_REFERENCE => {
                self.steps
                    .push(Step::Group(capture.index - FIRST_BACK_REFERENCE));
            }
            HirKind::Capture(capture) => {
                self.steps.push(Step::Save(2 * capture.index));
                self.compile(&capture.sub);
                self.steps.push(Step::Save(2 * capture.index + 1));
            }
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.compile(part)),
            HirKind::Alternation(branches) => self.alternation(branches),
        }
    }

    fn alternation(&mut self, branches: &[Hir]) {
        let mut ends = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let fork = self.steps.len();
            let last = index + 1 == branches.len();
            if !last {
                self.steps.push(Step::Fork(self.here() + 1, 0));
            }
            self.compile(branch);
            if !last {
                ends.push(self.steps.len());
                self.steps.push(Step::Jump(0));
                self.steps[fork] = Step::Fork(fork as u32 + 1, self.here());
            }
        }
        for end in ends {
            self.steps[end] = Step::Jump(self.here());
        }
    }

    fn repetition(&mut self, repetition: &Repetition) {
        for _ in 0..repetition.min {
            self.compile(&repetition.sub);
        }
        let Some(max) = repetition.max else {
            let slot = self.slots as u32;
            self.slots += 1;
            let top = self.here();
            self.steps.push(Step::Fork(top + 1, 0));
            self.steps.push(Step::Save(slot));
            self.compile(&repetition.sub);
            self.steps.push(Step::Again(slot, top));
            self.steps[top as usize] = Step::Fork(top + 1, self.here());
            return;
        };
        let mut forks = Vec::new();
        for _ in repetition.min..max {
            forks.push(self.here());
            self.steps.push(Step::Fork(self.here() + 1, 0));
            self.compile(&repetition.sub);
        }
        for fork in forks {
            self.steps[fork as usize] = Step::Fork(fork + 1, self.here());
        }
    }
}
