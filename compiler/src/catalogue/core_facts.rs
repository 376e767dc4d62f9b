//! What is known about one name of Kamailio's core: its functions, parameters and words.

use super::facts::{Arity, Versions, signature, words};
use super::table::Row;

/// One form of a function of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreFunctionFact {
    /// The function's name.
    pub name: &'static str,
    /// How many arguments this form takes.
    pub arity: Arity,
    kinds: &'static str,
    synonyms: &'static str,
    /// In which versions this form is so.
    pub versions: Versions,
}

impl CoreFunctionFact {
    pub(super) fn read(row: Row) -> CoreFunctionFact {
        let [_, name, arity, kinds, synonyms, _, mask, span] = row.columns();
        CoreFunctionFact {
            name,
            arity: Arity::read(arity),
            kinds,
            synonyms,
            versions: Versions::new(mask, span),
        }
    }

    /// What each argument may be (`str`, `int`, `expr`, `flag`, `host|ip|str|uri:host` …).
    pub fn kinds(self) -> impl Iterator<Item = &'static str> {
        words(self.kinds)
    }

    /// Other names of the same function.
    pub fn synonyms(self) -> impl Iterator<Item = &'static str> {
        words(self.synonyms)
    }

    /// The form as a person writes it; without parentheses for [`Arity::Bare`].
    pub fn signature(self) -> String {
        signature(self.name, self.arity, self.kinds)
    }
}

/// A parameter of the core: `children = 4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalFact {
    /// Its name.
    pub name: &'static str,
    values: &'static str,
    synonyms: &'static str,
    default: &'static str,
    /// In which versions it is so.
    pub versions: Versions,
}

impl GlobalFact {
    pub(super) fn read(row: Row) -> GlobalFact {
        let [_, name, _, values, synonyms, default, mask, span] = row.columns();
        GlobalFact {
            name,
            values,
            synonyms,
            default,
            versions: Versions::new(mask, span),
        }
    }

    /// The kinds of value it takes: `int` (numbers and bool words), `str` (quoted), `id` (a bare
    /// word), `ipv4`, `ipv6`, `proto`, `socket`, `socket-list`, or the word itself.
    pub fn kinds(self) -> impl Iterator<Item = &'static str> {
        words(self.values)
    }

    /// Other spellings of the same parameter.
    pub fn synonyms(self) -> impl Iterator<Item = &'static str> {
        words(self.synonyms)
    }

    /// Whether `name` is another spelling of this parameter.
    pub fn is_synonym_of(self, name: &str) -> bool {
        self.synonyms().any(|synonym| synonym == name)
    }

    /// The value it has when it is not set; `None` when not known.
    pub fn default(self) -> Option<&'static str> {
        self.default.strip_prefix('=')
    }
}

/// What a word of the core's grammar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// A keyword or an operator.
    Keyword,
    /// A truth value: `yes`, `off`.
    Bool,
    /// A kind of route block: `request_route`.
    RouteBlock,
    /// A preprocessor directive, without `#!`.
    Directive,
    /// Another block: `socket`.
    Block,
}

/// A word of the core's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordFact {
    /// The word.
    pub name: &'static str,
    /// What it is.
    pub kind: WordKind,
    /// Its meaning, the same for words that are interchangeable; `1` or `0` for a truth value.
    pub meaning: &'static str,
    /// In which versions it exists.
    pub versions: Versions,
}

impl WordFact {
    pub(super) fn read(kind: WordKind, row: Row) -> WordFact {
        let [_, name, _, meaning, _, _, mask, span] = row.columns();
        WordFact {
            name,
            kind,
            meaning,
            versions: Versions::new(mask, span),
        }
    }
}
