//! Going on after a syntax error.
//!
//! The grammar has no error rules. At an error the tokens around it are patched, such that a
//! placeholder stands for what was not understood, and the file-level statement is parsed again
//! with the patch. What a mistake does not touch is so still checked: the body of an `if` whose
//! condition is wrong, the statements after one that lacks its `;`.
//!
//! Invariant: each repair moves the next possible error forward in the tokens, or gives up the
//! whole file-level statement.

mod view;

pub use view::{Patch, View};

use super::explain::{Expected, Explainer};
use super::token::{Kind, Token, Tokens};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;

/// What to do about an error.
#[derive(Default)]
pub struct Repair {
    /// What to report; nothing when the error only follows from one that was reported.
    pub diagnostic: Option<Diagnostic>,
    /// No sense is to be made of the rest.
    pub stop: bool,
    /// File-level statements are read from this token on.
    pub skip_to: Option<usize>,
}

/// The patches made so far.
pub struct Recovery<'a> {
    tokens: &'a [Token],
    explainer: Explainer<'a>,
    patches: Vec<Patch>,
    /// Where the last error was.
    last: Option<usize>,
}

/// A brace that is open at the error.
struct Level {
    open: usize,
    /// Where the current statement begins.
    statement: usize,
}

impl<'a> Recovery<'a> {
    pub fn new(tokens: &'a Tokens, sources: &'a SourceMap) -> Recovery<'a> {
        Recovery {
            tokens: &tokens.list,
            explainer: Explainer::new(&tokens.list, sources),
            patches: Vec::new(),
            last: None,
        }
    }

    /// All patches, in the order of the tokens.
    pub fn patches(&self) -> &[Patch] {
        &self.patches
    }

    /// Repairs the error at token `at` of the file-level statement that begins at `start`.
    pub fn repair(&mut self, start: usize, at: usize, expected: &[String]) -> Repair {
        let expected = Expected::new(expected);
        if self.last.is_some_and(|last| at <= last) {
            return self.give_up(start, at);
        }
        self.last = Some(at);
        let levels = self.levels(start, at);
        if at >= self.tokens.len() {
            let open = levels.last().map(|level| level.open);
            return Repair {
                diagnostic: Some(self.explainer.at_end(open)),
                stop: true,
                skip_to: None,
            };
        }
        match levels.last() {
            Some(level) => self.in_block(&levels, level.statement.max(start), at, &expected),
            None => self.at_file_level(start, at, &expected),
        }
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    fn first_on_line(&self, index: usize) -> bool {
        self.explainer.first_on_line(index)
    }

    fn patch(&mut self, from: usize, to: usize, kinds: Vec<Kind>) {
        self.patches
            .retain(|patch| patch.to <= from || patch.from >= to.max(from + 1));
        // What was put in before this token stays before it.
        let index = self
            .patches
            .partition_point(|patch| patch.from < from || patch.to == from);
        self.patches.insert(index, Patch { from, to, kinds });
    }

    /// The braces open at `at`.
    fn levels(&self, start: usize, at: usize) -> Vec<Level> {
        let mut levels: Vec<Level> = Vec::new();
        for (index, kind, end) in View::new(self.tokens, &self.patches, start) {
            let (index, end) = (index as usize, end as usize);
            if index >= at {
                break;
            }
            match kind {
                Kind::BraceOpen => levels.push(Level {
                    open: index,
                    statement: end,
                }),
                Kind::BraceClose => {
                    levels.pop();
                    if let Some(level) = levels.last_mut() {
                        level.statement = end;
                    }
                }
                Kind::Semicolon => {
                    if let Some(level) = levels.last_mut() {
                        level.statement = end;
                    }
                }
                Kind::Colon => {
                    if let Some(level) = levels.last_mut()
                        && matches!(self.kind(level.statement), Some(Kind::Case | Kind::Default))
                    {
                        level.statement = end;
                    }
                }
                _ => (),
            }
        }
        // A statement that was taken out is not the current one.
        for patch in &self.patches {
            if let Some(level) = levels.last_mut()
                && patch.kinds.is_empty()
                && patch.from == level.statement
            {
                level.statement = patch.to;
            }
        }
        levels
    }

    /// Replaces the whole statement without a word.
    fn give_up(&mut self, start: usize, at: usize) -> Repair {
        let mut depth = 0usize;
        let mut end = self.tokens.len();
        for index in start..self.tokens.len() {
            let past = index > at;
            match self.tokens[index].kind {
                Kind::BraceOpen => depth += 1,
                Kind::BraceClose => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && index >= at {
                        end = index + 1;
                        break;
                    }
                }
                Kind::Semicolon if depth == 0 && index >= at => {
                    end = index + 1;
                    break;
                }
                _ if past
                    && self.begins_item(index)
                    && (depth == 0 || self.begins_route(index)) =>
                {
                    end = index;
                    break;
                }
                _ => (),
            }
        }
        Repair {
            skip_to: Some(end.max(start + 1)),
            ..Repair::default()
        }
    }

    /// A token that can hardly be anything but the start of a file-level statement.
    fn begins_item(&self, index: usize) -> bool {
        if !self.first_on_line(index) {
            return false;
        }
        match self.kind(index) {
            Some(
                Kind::RouteKind
                | Kind::EventRoute
                | Kind::LoadModule
                | Kind::LoadPath
                | Kind::ModParam
                | Kind::CfgEngine
                | Kind::Listen
                | Kind::Alias
                | Kind::Flags
                | Kind::AvpFlags,
            ) => true,
            Some(Kind::Route) => self.begins_route(index),
            Some(Kind::Word | Kind::CoreCall | Kind::BareCall | Kind::Id) => {
                self.kind(index + 1) == Some(Kind::Assign)
            }
            _ => false,
        }
    }

    fn begins_route(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(Kind::RouteKind | Kind::EventRoute) => true,
            Some(Kind::Route) => matches!(
                self.kind(index + 1),
                Some(Kind::BracketOpen | Kind::BraceOpen)
            ),
            _ => false,
        }
    }

    fn at_file_level(&mut self, start: usize, at: usize, expected: &Expected) -> Repair {
        let new_statement = expected.has("loadmodule");
        let first = self.first_on_line(at);
        let mut begin = at;
        if new_statement && !first {
            // The value of an unknown parameter may go on in a way that is not understood.
            let mut line = at;
            while line > start && !self.first_on_line(line) {
                line -= 1;
            }
            if self.kind(line) == Some(Kind::Id) && self.kind(line + 1) == Some(Kind::Assign) {
                begin = line;
            }
        } else if !new_statement {
            if first && begin > start {
                begin -= 1;
            }
            while begin > start && !self.first_on_line(begin) {
                begin -= 1;
            }
        }
        if self.is_statement(begin) {
            return self.outside_routes(begin, at);
        }
        let diagnostic = self.explainer.explain(at, Some(begin), expected);
        if first && begin < at && self.begins_item(at) {
            self.patch(begin, at, vec![Kind::Bad]);
            return reported(diagnostic);
        }
        let mut end = self.tokens.len();
        for index in at..self.tokens.len() {
            match self.tokens[index].kind {
                Kind::BraceOpen => {
                    // The body is read for errors of its own.
                    self.patch(begin, index, vec![Kind::Bad]);
                    return reported(diagnostic);
                }
                Kind::Semicolon | Kind::BraceClose => {
                    end = index + 1;
                    break;
                }
                _ if index > at && self.first_on_line(index) && self.could_begin_item(index) => {
                    end = index;
                    break;
                }
                _ => (),
            }
        }
        self.patch(begin, end, vec![Kind::Bad]);
        reported(diagnostic)
    }

    fn could_begin_item(&self, index: usize) -> bool {
        self.begins_item(index)
            || matches!(
                (self.kind(index), self.kind(index + 1)),
                (Some(Kind::Word | Kind::Id), _)
            )
    }

    /// True if what begins here is a statement of a block.
    fn is_statement(&self, begin: usize) -> bool {
        match self.kind(begin) {
            Some(
                Kind::If
                | Kind::Else
                | Kind::While
                | Kind::Switch
                | Kind::Case
                | Kind::Leave
                | Kind::Break
                | Kind::Variable
                | Kind::Attribute
                | Kind::BraceClose
                | Kind::BraceOpen,
            ) => true,
            Some(Kind::BareCall) => self.kind(begin + 1) != Some(Kind::Assign),
            Some(Kind::Id | Kind::CoreCall | Kind::Route) => {
                self.kind(begin + 1) == Some(Kind::ParenOpen)
            }
            _ => false,
        }
    }

    /// Statements outside of any block, most often after a `}` too many: reported once, and skipped
    /// up to the next thing that belongs there.
    fn outside_routes(&mut self, begin: usize, at: usize) -> Repair {
        let diagnostic = self.explainer.outside_routes(begin);
        let next = (at.max(begin + 1)..self.tokens.len()).find(|&index| self.begins_item(index));
        Repair {
            diagnostic: Some(diagnostic),
            stop: false,
            skip_to: Some(next.unwrap_or(self.tokens.len())),
        }
    }

    fn in_block(
        &mut self,
        levels: &[Level],
        statement: usize,
        at: usize,
        expected: &Expected,
    ) -> Repair {
        if let Some(route) = self.route_inside(statement, at) {
            let mut kinds = vec![Kind::BraceClose; levels.len()];
            kinds.insert(0, Kind::Semicolon);
            let open = levels.last().map_or(0, |level| level.open);
            let diagnostic = self.explainer.unclosed_block(open, route);
            self.patch(route, route, kinds);
            return reported(diagnostic);
        }
        if at > statement && expected.has(";") && self.begins_statement(at) {
            let diagnostic = self.explainer.missing(";", at);
            self.patch(at, at, vec![Kind::Semicolon]);
            return Repair {
                // A placeholder may have taken the `;` with it.
                diagnostic: (self.kind(at - 1) != Some(Kind::Bad)).then_some(diagnostic),
                ..Repair::default()
            };
        }
        if self.kind(statement) == Some(Kind::Case) && at > statement + 1 && expected.has(":") {
            let diagnostic = self.explainer.missing(":", at);
            self.patch(at, at, vec![Kind::Colon]);
            return reported(diagnostic);
        }
        let diagnostic = self.explainer.explain(at, Some(statement), expected);
        if expected.has("case") && !expected.has("leave") {
            // Only labels are due here, right after the `{` of a `switch`.
            self.remove_statement(at);
            return reported(diagnostic);
        }
        match self.kind(at) {
            Some(Kind::Else) if at == statement => {
                let kinds = if self.kind(at + 1) == Some(Kind::If) {
                    Vec::new()
                } else {
                    vec![Kind::If, Kind::Bad]
                };
                self.patch(at, at + 1, kinds);
            }
            Some(Kind::BraceOpen) if at == statement => {
                self.patch(at, at, vec![Kind::If, Kind::Bad]);
            }
            _ => {
                let rest = match self.header(statement, at) {
                    Header::Inside(from, to) => {
                        self.patch(from, to, vec![Kind::Bad]);
                        return reported(diagnostic);
                    }
                    Header::Before(end) => end,
                    Header::None => statement,
                };
                self.replace_statement(rest, at);
            }
        }
        reported(diagnostic)
    }

    /// The start of a route block that stands where a statement is due.
    fn route_inside(&self, statement: usize, at: usize) -> Option<usize> {
        if at == statement && (self.begins_route(at) || self.begins_item(at)) {
            return Some(at);
        }
        let before = at.checked_sub(1)?;
        (before == statement && self.kind(before) == Some(Kind::Route) && self.begins_route(before))
            .then_some(before)
    }

    /// True if a statement most likely begins here, on a line of its own or after a missing `;`.
    fn begins_statement(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(Kind::BraceClose) => true,
            Some(Kind::If | Kind::While | Kind::Switch | Kind::Leave | Kind::Break) => true,
            Some(
                Kind::Id
                | Kind::CoreCall
                | Kind::BareCall
                | Kind::Route
                | Kind::Variable
                | Kind::Attribute
                | Kind::Case
                | Kind::Default,
            ) => self.first_on_line(index),
            _ => false,
        }
    }

    /// Finds the condition, selector or label that the error is in or behind.
    fn header(&self, statement: usize, at: usize) -> Header {
        let keyword = (statement..at).rev().find(|&index| {
            matches!(
                self.kind(index),
                Some(Kind::If | Kind::While | Kind::Switch | Kind::Case)
            )
        });
        let Some(keyword) = keyword else {
            return Header::None;
        };
        let case = self.kind(keyword) == Some(Kind::Case);
        let from = keyword + 1;
        let enclosed = self.kind(from) == Some(Kind::ParenOpen) && !case;
        let mut depth = 0usize;
        for index in from..self.tokens.len() {
            match self.tokens[index].kind {
                Kind::ParenOpen => depth += 1,
                Kind::ParenClose => {
                    depth = depth.saturating_sub(1);
                    if enclosed && depth == 0 {
                        if index < at {
                            return Header::Before(index + 1);
                        }
                        return Header::Inside(from, index + 1);
                    }
                }
                Kind::BraceOpen if !case => return Header::Inside(from, index),
                Kind::Colon if case && index >= at => return Header::Inside(from, index),
                Kind::Semicolon | Kind::BraceClose => break,
                _ => (),
            }
        }
        Header::None
    }

    /// Takes out the statement from `at` on, with a block that belongs to it.
    fn remove_statement(&mut self, at: usize) {
        let mut depth = 0usize;
        let mut end = self.tokens.len();
        for index in at..self.tokens.len() {
            match self.tokens[index].kind {
                Kind::BraceOpen => depth += 1,
                Kind::BraceClose if depth == 0 => {
                    end = index;
                    break;
                }
                Kind::BraceClose | Kind::Semicolon => {
                    depth -= usize::from(self.tokens[index].kind == Kind::BraceClose);
                    if depth == 0 {
                        end = index + 1;
                        break;
                    }
                }
                _ => (),
            }
        }
        self.patch(at, end, Vec::new());
    }

    /// Puts a placeholder for the statement from `from` on that the error at `at` is in.
    fn replace_statement(&mut self, from: usize, at: usize) {
        // A label must stay one, or the `switch` is lost.
        let head: &[Kind] = match self.kind(from) {
            Some(Kind::Case) => &[Kind::Case, Kind::Bad, Kind::Colon],
            Some(Kind::Default) => &[Kind::Default, Kind::Colon],
            _ => &[],
        };
        let with = |kinds: &[Kind]| [head, kinds].concat();
        let mut depth = 0usize;
        for index in from..self.tokens.len() {
            let past = index >= at;
            match self.tokens[index].kind {
                Kind::ParenOpen => depth += 1,
                Kind::ParenClose => depth = depth.saturating_sub(1),
                Kind::Semicolon if past && (depth == 0 || self.first_on_line(index + 1)) => {
                    self.patch(from, index + 1, with(&[Kind::Bad, Kind::Semicolon]));
                    return;
                }
                Kind::BraceOpen if past => {
                    self.patch(from, index, with(&[Kind::If, Kind::Bad]));
                    return;
                }
                Kind::BraceClose if past => {
                    self.patch(from, index, with(&[Kind::Bad, Kind::Semicolon]));
                    return;
                }
                _ => (),
            }
        }
        self.patch(from, self.tokens.len(), with(&[Kind::Bad, Kind::Semicolon]));
    }
}

/// Where an error is, seen from the condition of a statement.
enum Header {
    /// In the condition, whose tokens are these.
    Inside(usize, usize),
    /// After the condition, which ends before this token.
    Before(usize),
    /// There is no condition, or its end cannot be told.
    None,
}

fn reported(diagnostic: Diagnostic) -> Repair {
    Repair {
        diagnostic: Some(diagnostic),
        ..Repair::default()
    }
}
