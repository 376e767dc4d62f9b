//! From the syntax tree to the typed program: every name is looked up, every argument checked,
//! every constant folded. What can be found wrong before a message comes is found here.
//!
//! The rules of types, contexts and folding are those of the semantics reference §1 to §3; names
//! come from the declarations of the runtime's modules, and from the catalogue of what Kamailio
//! knows for the messages.
//!
//! **Invariant:** all errors of a configuration are found in one run; after an error the program is
//! still well formed, but has no meaning.

mod argument;
mod attribute;
mod call;
mod context;
mod core_call;
mod fold;
mod items;
mod keyed;
mod keyword;
mod modules;
mod names;
mod never_run;
mod node;
mod routes;
mod select;
mod sockets;
mod statement;
mod switch;
mod variable;

use std::collections::HashMap;
use std::rc::Rc;

use kcc_runtime::custom::Custom;
use kcc_runtime::declare::{ConstantKind, Module, Routes};
use kcc_runtime::program::{ConstantSpec, Manifest, Setting, VarSpec};

use crate::catalogue::Versions;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::ir;
use crate::release::Release;
use crate::source::{SourceMap, Span};
use crate::syntax::ast;
use names::Names;

/// How a configuration is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// By whose rules it is read.
    pub release: Release,
    /// Names that Kamailio knows and this server does not are warnings; there is no code then.
    pub allow_unsupported: bool,
    /// The text had errors: what is missing in it is not missed. The compiler sets it.
    pub after_errors: bool,
}

/// The most slots of variables; each is an offset in compiled code.
const MAX_SLOTS: usize = 1 << 20;

/// Resolves a configuration. `available` is every module of the runtime; the one called `core` is
/// always loaded.
pub fn resolve(
    file: &ast::File,
    sources: &SourceMap,
    available: &[&'static Module],
    options: Options,
) -> (ir::Program, Diagnostics) {
    let mut resolver = Resolver {
        sources,
        options,
        compat: options.release.into(),
        names: Names::new(available),
        diagnostics: Diagnostics::default(),
        manifest: Manifest {
            file: sources
                .files()
                .first()
                .map(|file| file.name.clone())
                .unwrap_or_default(),
            files: sources
                .files()
                .iter()
                .map(|file| file.name.clone())
                .collect(),
            places: vec![(0, 0)],
            globals: defaults(options.release),
            ..Manifest::default()
        },
        places: HashMap::new(),
        constants: HashMap::new(),
        slots: HashMap::new(),
        flags: HashMap::new(),
        avpflags: HashMap::new(),
        customs: HashMap::new(),
        custom: None,
        routes: HashMap::new(),
        kind: Routes::REQUEST,
        in_argument: false,
        incomplete: false,
        forms: 0,
    };
    resolver.items(file);
    resolver.choose_return_mode();
    let routes = resolver.all_routes(file);
    let mut program = ir::Program {
        routes,
        max_while_loops: resolver.max_while_loops(),
        compat: resolver.compat,
        incomplete: resolver.incomplete,
        manifest: resolver.manifest,
    };
    if program.manifest.modules.is_empty() && program.manifest.routes.is_empty() {
        program.manifest.places.truncate(1);
    }
    (program, resolver.diagnostics)
}

/// The pass.
struct Resolver<'a> {
    sources: &'a SourceMap,
    options: Options,
    /// The rules that hold.
    compat: ir::Compat,
    names: Names,
    diagnostics: Diagnostics,
    manifest: Manifest,
    places: HashMap<(u32, u32), u32>,
    constants: HashMap<ConstantSpec, u32>,
    /// Slots of `$var` (false) and `$vn` (true).
    slots: HashMap<(bool, Box<[u8]>), u32>,
    flags: HashMap<Box<str>, (u8, Span)>,
    avpflags: HashMap<Box<str>, (u8, Span)>,
    customs: HashMap<String, Span>,
    /// What the configuration declares of them, once all are known.
    custom: Option<Custom>,
    /// Numbers of route blocks.
    routes: HashMap<(u16, String), u32>,
    /// The kind of the block that is resolved.
    kind: Routes,
    /// Inside of an argument of a call.
    in_argument: bool,
    incomplete: bool,
    /// Operands of the current statement that have a form for each context.
    forms: u32,
}

impl Resolver<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.report(Diagnostic::error(code, message).label(span, ""));
    }

    fn warning(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.report(Diagnostic::warning(code, message).label(span, ""));
    }

    /// Reports what Kamailio knows and this server does not.
    fn unsupported(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.unsupported_of(code, message, span, None);
    }

    /// As [`Self::unsupported`]; says which versions of Kamailio have it.
    fn unsupported_of(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        versions: Option<Versions>,
    ) {
        let severity = match self.options.allow_unsupported {
            true => Severity::Warning,
            false => Severity::Error,
        };
        self.incomplete = true;
        let diagnostic =
            Diagnostic::new(severity, code, message).label(span, "not supported by kcc yet");
        self.report(match versions.and_then(Versions::in_words) {
            Some(versions) => diagnostic.note(versions),
            None => diagnostic,
        });
    }

    /// File and line of `span`.
    fn file_and_line(&self, span: Span) -> (u32, u32) {
        let place = self.sources.place(span);
        place.map_or((0, 0), |place| (place.file.index() as u32, place.line))
    }

    /// Index into the manifest's places.
    fn place(&mut self, span: Span) -> u32 {
        let place = self.file_and_line(span);
        let next = self.manifest.places.len() as u32;
        let number = *self.places.entry(place).or_insert(next);
        if number == next {
            self.manifest.places.push(place);
        }
        number
    }

    /// Parses a constant; `at` gives the place of an error at an offset of the text.
    fn constant(
        &mut self,
        kind: &'static ConstantKind,
        text: &[u8],
        at: impl FnOnce(&Self, usize) -> Span,
    ) -> Option<u32> {
        let spec = ConstantSpec {
            kind: kind.name.to_owned(),
            text: text.to_vec(),
        };
        if let Some(number) = self.constants.get(&spec) {
            return Some(*number);
        }
        if let Err(error) = (kind.parse)(text) {
            let span = at(self, error.offset);
            let message = format!("this is not {}: {}", kind.what, error.message);
            self.report(Diagnostic::error("bad-constant", message).label(span, ""));
            return None;
        }
        let number = self.manifest.constants.len() as u32;
        self.manifest.constants.push(spec.clone());
        self.constants.insert(spec, number);
        Some(number)
    }

    /// The place of the byte at `offset` of a string's value.
    fn inside(&self, text: &ast::Str, offset: usize) -> Span {
        text.locator(self.sources).span(offset, offset + 1)
    }

    /// The slot of `$var(name)` or `$vn(name)`.
    fn slot(&mut self, null: bool, name: &[u8], span: Span) -> u32 {
        let next = self.manifest.vars.len();
        let number = *self.slots.entry((null, name.into())).or_insert(next as u32);
        if number as usize == next {
            if next >= MAX_SLOTS {
                self.error("too-many-variables", "there are too many variables", span);
                return 0;
            }
            let name = String::from_utf8_lossy(name).into_owned();
            self.manifest.vars.push(VarSpec { name, null });
        }
        number
    }

    /// `max_while_loops`, by default 100.
    fn max_while_loops(&self) -> u32 {
        self.global("max_while_loops")
            .map_or(100, |n| u32::try_from(n).unwrap_or(0))
    }

    /// `return_mode`: it holds for all blocks, wherever it is set.
    fn choose_return_mode(&mut self) {
        let mode = self.global("return_mode").unwrap_or(0);
        self.compat.negative_holds = mode != 0;
        self.compat.raw_codes = mode == 1;
    }

    /// The last value of a global parameter that is an integer.
    fn global(&self, name: &str) -> Option<i64> {
        let found = self.manifest.globals.iter().rev();
        found
            .filter(|(own, _)| own == name)
            .find_map(|(_, value)| match value {
                Setting::Int(n) => Some(*n),
                Setting::Str(_) => None,
            })
    }
}

/// Parameters that the runtime takes otherwise where the configuration does not set them.
fn defaults(release: Release) -> Vec<(String, Setting)> {
    let size = release.format_buffer();
    let newest = Release::default().format_buffer();
    let buffer = ("pv_buffer_size".to_owned(), Setting::Int(size));
    (size != newest).then_some(buffer).into_iter().collect()
}

/// Text as a person reads it.
fn lossy(text: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// A string of the typed program.
fn text(bytes: &[u8]) -> Rc<[u8]> {
    Rc::from(bytes)
}
