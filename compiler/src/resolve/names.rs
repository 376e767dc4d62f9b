//! What names mean: the declarations of the loaded modules, and what to say of all other names.

use std::collections::{HashMap, HashSet};

use kcc_runtime::declare::{FunctionDecl, Module, PvDecl, TransformationDecl};

use crate::catalogue;
use crate::diagnostic::{Diagnostic, nearest};

/// The module whose builtins need no `loadmodule`.
pub(super) const CORE: &str = "core";
/// Name of the variable that old-style attributes are, for which no one can write it.
pub(super) const ATTRIBUTE: &str = "%";

/// The modules and the names that they bring.
pub(super) struct Names {
    available: Vec<&'static Module>,
    loaded: Vec<&'static Module>,
    /// Modules that Kamailio has and this server not, which the configuration loads.
    unsupported: HashSet<String>,
    functions: HashMap<&'static str, Vec<&'static FunctionDecl>>,
    pvs: HashMap<&'static str, &'static PvDecl>,
    /// By class and name.
    transformations: HashMap<&'static str, HashMap<&'static str, Forms>>,
}

type Forms = Vec<&'static TransformationDecl>;

/// Why a name has no declaration.
pub(super) enum Missing {
    /// A module of this server has it, which is not loaded.
    NotLoaded(&'static str),
    /// Kamailio has it, in this module.
    Unsupported(&'static str),
    /// Nobody has it.
    Unknown,
}

impl Names {
    /// With the core alone.
    pub fn new(available: &[&'static Module]) -> Names {
        let mut names = Names {
            available: available.to_vec(),
            loaded: Vec::new(),
            unsupported: HashSet::new(),
            functions: HashMap::new(),
            pvs: HashMap::new(),
            transformations: HashMap::new(),
        };
        if let Some(core) = names.find(CORE) {
            names.load(core);
        }
        names
    }

    /// The module `name` of this server.
    pub fn find(&self, name: &str) -> Option<&'static Module> {
        self.available
            .iter()
            .copied()
            .find(|module| module.name == name)
    }

    /// Brings in what a module declares.
    pub fn load(&mut self, module: &'static Module) {
        self.loaded.push(module);
        for function in module.functions() {
            for name in std::iter::once(function.name).chain(function.aliases.iter().copied()) {
                self.functions.entry(name).or_default().push(function);
            }
        }
        for pv in module.pvs() {
            for name in std::iter::once(pv.name).chain(pv.aliases.iter().copied()) {
                self.pvs.entry(name).or_insert(pv);
            }
        }
        for transformation in module.transformations() {
            let class = self
                .transformations
                .entry(transformation.class)
                .or_default();
            class
                .entry(transformation.name)
                .or_default()
                .push(transformation);
        }
    }

    /// Notes a module that is not supported.
    pub fn load_unsupported(&mut self, name: &str) {
        self.unsupported.insert(name.to_owned());
    }

    /// Loaded modules, the core included.
    pub fn loaded(&self) -> &[&'static Module] {
        &self.loaded
    }

    /// Whether the configuration loads `name`, supported or not.
    pub fn is_loaded(&self, name: &str) -> bool {
        name == CORE
            || self.unsupported.contains(name)
            || self.loaded.iter().any(|module| module.name == name)
    }

    /// Modules that the configuration loads and this server does not have.
    pub fn unsupported(&self) -> impl Iterator<Item = &str> {
        self.unsupported.iter().map(String::as_str)
    }

    /// Modules of this server.
    pub fn available(&self) -> impl Iterator<Item = &'static Module> + use<'_> {
        self.available.iter().copied()
    }

    /// All forms of a function.
    pub fn functions(&self, name: &str) -> &[&'static FunctionDecl] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// A variable.
    pub fn pv(&self, name: &str) -> Option<&'static PvDecl> {
        self.pvs.get(name).copied()
    }

    /// A variable that the language itself reads: of any module, loaded or not.
    pub fn any_pv(&self, name: &str) -> Option<&'static PvDecl> {
        let all = || self.available.iter().flat_map(|module| module.pvs());
        self.pv(name)
            .or_else(|| all().find(|pv| pv.name == name || pv.aliases.contains(&name)))
    }

    /// All forms of a transformation; the operation in lower case.
    pub fn transformation(&self, class: &str, name: &str) -> &[&'static TransformationDecl] {
        let class = self.transformations.get(class);
        class
            .and_then(|class| class.get(name))
            .map_or(&[], Vec::as_slice)
    }

    /// Why there is no such function.
    pub fn missing_function(&self, name: &str) -> Missing {
        let has = |module: &&'static Module| module.functions().any(|f| f.is_named(name));
        let known = catalogue::functions(name).map(|fact| fact.module);
        let core = catalogue::core_function(name).map(|_| CORE);
        self.missing(has, known.chain(core))
    }

    /// Why there is no such variable.
    pub fn missing_pv(&self, name: &str) -> Missing {
        let has = |module: &&'static Module| {
            module
                .pvs()
                .any(|pv| pv.name == name || pv.aliases.contains(&name))
        };
        self.missing(has, catalogue::pv(name).map(|fact| fact.module))
    }

    /// Why there is no such transformation.
    pub fn missing_transformation(&self, class: &str, name: &str) -> Missing {
        let has = |module: &&'static Module| {
            module
                .transformations()
                .any(|t| t.class == class && t.name == name)
        };
        let known = catalogue::transformation(class, name).map(|fact| fact.module);
        self.missing(has, known.into_iter())
    }

    fn missing(
        &self,
        has: impl Fn(&&'static Module) -> bool,
        known: impl Iterator<Item = &'static str>,
    ) -> Missing {
        let known: Vec<&'static str> = known.collect();
        if let Some(module) = known.iter().copied().find(|module| self.is_loaded(module)) {
            return Missing::Unsupported(module);
        }
        if let Some(module) = self.available.iter().copied().find(has) {
            return Missing::NotLoaded(module.name);
        }
        match known.first() {
            Some(module) => Missing::Unsupported(module),
            None => Missing::Unknown,
        }
    }

    /// The name of a function most like `name`.
    pub fn like_function(&self, name: &str) -> Option<String> {
        let own = self.functions.keys().copied();
        let own = nearest(name, own).map(str::to_owned);
        own.or_else(|| {
            let core = catalogue::core_function_names();
            nearest(name, catalogue::function_names().chain(core)).map(str::to_owned)
        })
    }

    /// The name of a variable most like `name`.
    pub fn like_pv(&self, name: &str) -> Option<String> {
        let own = self
            .pvs
            .keys()
            .copied()
            .filter(|name| is_writable_name(name));
        let own = own.chain(["var", "vn", "vz", "null", "rc", "retcode"]);
        // Two letters are too few to guess from.
        if name.len() < 3 {
            return None;
        }
        nearest(name, own).map(str::to_owned)
    }

    /// The first name of a select most like `name`, with its `@`.
    pub fn like_select(&self, name: &str) -> Option<String> {
        let own = self.pvs.keys().copied();
        nearest(name, own.filter(|other| other.starts_with('@'))).map(str::to_owned)
    }

    /// Whether `$name` in code is an attribute: no variable has the name.
    pub fn is_attribute(&self, name: &str) -> bool {
        self.pv(name).is_none() && matches!(self.missing_pv(name), Missing::Unknown)
    }

    /// The transformation most like this one, as `class.name`.
    pub fn like_transformation(&self, class: &str, name: &str) -> Option<String> {
        let all: Vec<String> = self
            .transformations
            .iter()
            .flat_map(|(class, names)| names.keys().map(move |name| format!("{class}.{name}")))
            .collect();
        nearest(&format!("{class}.{name}"), all.iter().map(String::as_str)).map(str::to_owned)
    }
}

/// Whether a person can write this name: the language itself uses others.
fn is_writable_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'?'))
}

/// Adds "did you mean".
pub(super) fn suggest(diagnostic: Diagnostic, name: Option<String>) -> Diagnostic {
    match name {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
        None => diagnostic,
    }
}
