//! What a declaration is: everything that the checker, the code generator, the manual and the
//! editors know about a builtin, made by the macros of `kcc-macros` from the Rust function itself.

use std::any::Any;
use std::fmt;

use crate::abi::Shim;
use crate::value::Value;

mod args;
mod event;
mod params;
pub use args::*;
pub use event::{Event, EventDecl};
pub use params::{List, ParamValue};

/// The kinds of route block, as a set: a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Routes(pub u16);

impl Routes {
    /// `request_route` and `route[x]`.
    pub const REQUEST: Routes = Routes(1);
    /// `failure_route[x]`.
    pub const FAILURE: Routes = Routes(2);
    /// `onreply_route[x]`: replies of a transaction.
    pub const TM_ONREPLY: Routes = Routes(4);
    /// `branch_route[x]`.
    pub const BRANCH: Routes = Routes(8);
    /// `onsend_route`.
    pub const ONSEND: Routes = Routes(16);
    /// The error route of old configurations.
    pub const ERROR: Routes = Routes(32);
    /// `event_route[tm:local-request]`.
    pub const LOCAL: Routes = Routes(64);
    /// `reply_route`: all replies, before transactions.
    pub const CORE_ONREPLY: Routes = Routes(128);
    /// `event_route[tm:branch-failure:x]`.
    pub const BRANCH_FAILURE: Routes = Routes(256);
    /// Other `event_route[x]`.
    pub const EVENT: Routes = Routes(512);
    /// Both kinds of reply route.
    pub const ONREPLY: Routes = Routes(4 | 128);
    /// Every kind.
    pub const ANY: Routes = Routes(0x3ff);

    const NAMES: [(&'static str, Routes); 12] = [
        ("ANY", Routes::ANY),
        ("ONREPLY", Routes::ONREPLY),
        ("REQUEST", Routes::REQUEST),
        ("FAILURE", Routes::FAILURE),
        ("TM_ONREPLY", Routes::TM_ONREPLY),
        ("BRANCH", Routes::BRANCH),
        ("ONSEND", Routes::ONSEND),
        ("ERROR", Routes::ERROR),
        ("LOCAL", Routes::LOCAL),
        ("CORE_ONREPLY", Routes::CORE_ONREPLY),
        ("BRANCH_FAILURE", Routes::BRANCH_FAILURE),
        ("EVENT", Routes::EVENT),
    ];

    /// The set named by `text`: names of Kamailio's masks joined by `|`, in either case.
    /// An unknown name does not compile where this is used in a declaration.
    pub const fn parse(text: &str) -> Routes {
        let bytes = text.as_bytes();
        let (mut set, mut start, mut at) = (0, 0, 0);
        while at <= bytes.len() {
            if at == bytes.len() || bytes[at] == b'|' {
                let mut known = false;
                let mut n = 0;
                while n < Routes::NAMES.len() {
                    if same_word(bytes, start, at, Routes::NAMES[n].0.as_bytes()) {
                        set |= Routes::NAMES[n].1.0;
                        known = true;
                    }
                    n += 1;
                }
                assert!(known, "unknown kind of route");
                start = at + 1;
            }
            at += 1;
        }
        Routes(set)
    }

    /// Whether the two sets share a kind.
    pub const fn allows(self, kind: Routes) -> bool {
        self.0 & kind.0 != 0
    }
}

const fn same_word(text: &[u8], start: usize, end: usize, word: &[u8]) -> bool {
    let (mut from, mut to) = (start, end);
    while from < to && text[from] == b' ' {
        from += 1;
    }
    while to > from && text[to - 1] == b' ' {
        to -= 1;
    }
    if to - from != word.len() {
        return false;
    }
    let mut n = 0;
    while n < word.len() {
        if !text[from + n].eq_ignore_ascii_case(&word[n]) {
            return false;
        }
        n += 1;
    }
    true
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut rest, mut first) = (self.0, true);
        for (name, set) in Routes::NAMES {
            if rest & set.0 == set.0 && rest != 0 {
                if !first {
                    f.write_str(" | ")?;
                }
                f.write_str(name)?;
                rest &= !set.0;
                first = false;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One form of a function of a module: a name and a list of arguments.
#[derive(Debug)]
pub struct FunctionDecl {
    /// Name in the language.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// Name for the linker: unique over all modules and forms, e.g. `textops.append_hf/2`.
    pub symbol: &'static str,
    /// The manual, Markdown; its first line is the summary.
    pub doc: &'static str,
    /// Arguments; the optional ones come last.
    pub args: &'static [ArgDecl],
    /// In which blocks it may be called.
    pub routes: Routes,
    /// Whether it may suspend the message's fiber.
    pub suspends: bool,
    /// The code.
    pub shim: Shim,
    /// If given: called with the first argument (if there is more than one) before the others are evaluated; where
    /// it answers false nothing is evaluated and the function's result is 1.
    pub guard: Option<GuardDecl>,
}

impl FunctionDecl {
    /// Whether the language calls it `name`.
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// The least and the greatest number of arguments.
    pub fn arity(&self) -> (usize, usize) {
        (
            self.args.iter().filter(|arg| !arg.optional).count(),
            self.args.len(),
        )
    }
}

/// A test that spares the evaluation of arguments.
#[derive(Debug)]
pub struct GuardDecl {
    /// Name for the linker.
    pub symbol: &'static str,
    /// The code: returns non-zero as its value to go on.
    pub shim: Shim,
}

/// A pseudo-variable.
#[derive(Debug)]
pub struct PvDecl {
    /// Name without `$`.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// Name for the linker of the reader; `…/int` and `…/write` are the others.
    pub symbol: &'static str,
    /// The manual.
    pub doc: &'static str,
    /// What stands in `$name(…)`: `None` where nothing may.
    pub inner: Option<ArgDecl>,
    /// Whether `$(name[i])` is allowed.
    pub index: bool,
    /// Reads the value: arguments are inner name and index, where declared, in this order.
    pub read: Shim,
    /// For a variable that is a string with a hidden integer (`$rm`, `$proto`): reads the integer.
    pub read_int: Option<(&'static str, Shim)>,
    /// Assigns: the arguments of `read`, then the value.
    pub write: Option<(&'static str, Shim)>,
}

/// A transformation `{class.name,…}`.
#[derive(Debug)]
pub struct TransformationDecl {
    /// Class: `s`, `uri`, …
    pub class: &'static str,
    /// Operation, lower case.
    pub name: &'static str,
    /// Name for the linker.
    pub symbol: &'static str,
    /// The manual.
    pub doc: &'static str,
    /// What it takes as input: a string, or with [`ArgKind::Any`] the value as it is.
    pub input: ArgKind,
    /// Parameters after the input value.
    pub args: &'static [ArgDecl],
    /// Whether a null input is passed on instead of being an error.
    pub takes_null: bool,
    /// The code: arguments are the input, then the parameters.
    pub shim: Shim,
}

/// The type of value that `modparam()` accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// An integer.
    Int,
    /// A string.
    Str,
    /// Either.
    Either,
}

/// A parameter of a module.
#[derive(Debug)]
pub struct ParamDecl {
    /// Name.
    pub name: &'static str,
    /// The manual.
    pub doc: &'static str,
    /// Type of value.
    pub ty: ParamType,
    /// The default, as one writes it; empty where there is none.
    pub default: &'static str,
    /// Sets it in the module's `Params`.
    pub set: fn(&mut dyn Any, Value<'_>) -> Result<(), String>,
}

/// The parameters of a module and how to make them with their defaults.
#[derive(Debug)]
pub struct ParamsDecl {
    /// One entry a parameter.
    pub list: &'static [ParamDecl],
    /// A value with every default.
    pub new: fn() -> Box<dyn Any + Send + Sync>,
    /// Where the module's index is kept, for the lookup at run time.
    pub slot: &'static crate::program::Slot,
}

/// Sets a module up when the server starts; says what is wrong where it cannot.
pub type InitFn = fn(&mut crate::init::Init<'_>) -> Result<(), String>;

/// The parts of which a module is made: one Rust module each.
#[derive(Debug)]
pub struct Part {
    /// Functions, a form each.
    pub functions: &'static [FunctionDecl],
    /// Pseudo-variables.
    pub pvs: &'static [PvDecl],
    /// Transformations.
    pub transformations: &'static [TransformationDecl],
    /// Events.
    pub events: &'static [EventDecl],
}

/// A module as `loadmodule` names it.
#[derive(Debug)]
pub struct Module {
    /// Name.
    pub name: &'static str,
    /// The manual.
    pub doc: &'static str,
    /// Its parts, in order.
    pub parts: &'static [&'static Part],
    /// Its parameters.
    pub params: Option<&'static ParamsDecl>,
    /// Called once when the server starts, before any message.
    pub init: Option<InitFn>,
}

impl Module {
    /// All functions.
    pub fn functions(&self) -> impl Iterator<Item = &'static FunctionDecl> + use<> {
        self.parts.iter().flat_map(|part| part.functions)
    }

    /// All pseudo-variables.
    pub fn pvs(&self) -> impl Iterator<Item = &'static PvDecl> + use<> {
        self.parts.iter().flat_map(|part| part.pvs)
    }

    /// All transformations.
    pub fn transformations(&self) -> impl Iterator<Item = &'static TransformationDecl> + use<> {
        self.parts.iter().flat_map(|part| part.transformations)
    }

    /// All events.
    pub fn events(&self) -> impl Iterator<Item = &'static EventDecl> + use<> {
        self.parts.iter().flat_map(|part| part.events)
    }

    /// The parameter called `name`.
    pub fn param(&self, name: &str) -> Option<&'static ParamDecl> {
        self.params?.list.iter().find(|param| param.name == name)
    }

    /// Every entry point that compiled code may name, with its symbol.
    pub fn symbols(&self) -> impl Iterator<Item = (&'static str, Shim)> + use<> {
        let functions = self.functions().flat_map(|f| {
            [
                Some((f.symbol, f.shim)),
                f.guard.as_ref().map(|guard| (guard.symbol, guard.shim)),
            ]
        });
        let pvs = self
            .pvs()
            .flat_map(|pv| [Some((pv.symbol, pv.read)), pv.read_int, pv.write]);
        let transformations = self.transformations().map(|t| Some((t.symbol, t.shim)));
        functions.chain(pvs).chain(transformations).flatten()
    }
}
