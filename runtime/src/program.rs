//! A program: what the compiler made of a configuration, ready to run, whether it was just
//! compiled or came with a standalone executable.

use std::any::Any;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::abi::{RouteFn, VarSlot};
use crate::custom::Custom;
use crate::declare::{Constant, ConstantKind, Event, Module, PvDecl, Routes, TransformationDecl};
use crate::settings::Settings;
use crate::variables::preset::Preset;

/// All of a configuration but its code. It is written into standalone executables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The main file's name, for messages.
    pub file: String,
    /// Names of all source files, main file first.
    pub files: Vec<String>,
    /// Global parameters in order, by their canonical name.
    pub globals: Vec<(String, Setting)>,
    /// `listen` and `socket` statements.
    pub sockets: Vec<SocketSpec>,
    /// `alias` and `domain` statements.
    pub aliases: Vec<AliasSpec>,
    /// Names of loaded modules, in order.
    pub modules: Vec<String>,
    /// `modparam` statements, one entry a module and parameter, in order.
    pub params: Vec<ParamSetting>,
    /// Constants that builtins want parsed.
    pub constants: Vec<ConstantSpec>,
    /// How many slots `$var` and `$vn` take, and which of them begin as null.
    pub vars: Vec<VarSpec>,
    /// Route blocks; the index is the route's number, and that of its code.
    pub routes: Vec<RouteInfo>,
    /// Places of statements: file (index into `files`) and line. Index 0 is "nowhere".
    pub places: Vec<(u32, u32)>,
    /// Names of declared flags.
    pub flags: Vec<(String, u8)>,
    /// Defines, for `$def`.
    pub defines: Vec<(String, Option<String>)>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    /// A number.
    Int(i64),
    /// Text.
    Str(Vec<u8>),
}

/// A `listen` statement's socket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SocketSpec {
    /// `udp`, `tcp`, …; `None` is every protocol in use.
    pub protocol: Option<String>,
    /// Host, interface or address as written, brackets kept off.
    pub host: String,
    /// Port; `None` is the protocol's default.
    pub port: Option<u16>,
    /// `advertise`.
    pub advertise: Option<(String, Option<u16>)>,
    /// `name`.
    pub name: Option<String>,
    /// `virtual`.
    pub is_virtual: bool,
    /// File and line, for messages.
    pub place: (u32, u32),
}

/// An `alias` statement's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AliasSpec {
    /// Protocol; `None` is any.
    pub protocol: Option<String>,
    /// Host.
    pub host: String,
    /// Port; `None` is any.
    pub port: Option<u16>,
}

/// One module parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParamSetting {
    /// Module.
    pub module: String,
    /// Parameter.
    pub name: String,
    /// Value.
    pub value: Setting,
    /// File and line, for messages.
    pub place: (u32, u32),
}

/// A constant to be parsed at load.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConstantSpec {
    /// [`ConstantKind::name`].
    pub kind: String,
    /// The text.
    pub text: Vec<u8>,
}

/// A slot of `$var` or `$vn`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VarSpec {
    /// Name.
    pub name: String,
    /// `$vn`: begins as null.
    pub null: bool,
}

impl VarSpec {
    /// The slot as it begins.
    pub fn slot(&self) -> VarSlot {
        if self.null {
            VarSlot::null()
        } else {
            VarSlot::default()
        }
    }
}

/// A route block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteInfo {
    /// The kind: one bit of [`Routes`].
    pub kind: u16,
    /// What `route[NAME]` says; empty for the unnamed block of a kind.
    pub name: String,
    /// `request_route` and not `route[x]`: run by the engine.
    pub main: bool,
    /// File and line.
    pub place: (u32, u32),
}

/// Where a module's index among the loaded modules' parameters is kept.
#[derive(Debug)]
pub struct Slot(AtomicUsize);

impl Slot {
    /// Not set.
    pub const fn new() -> Slot {
        Slot(AtomicUsize::new(usize::MAX))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Slot {
    fn default() -> Slot {
        Slot::new()
    }
}

/// A module's parameters, found in a [`Program`] by type.
pub trait Params: Any + Send + Sync {
    /// Where the module's index is kept.
    fn slot() -> &'static Slot;
}

/// Keeps the code alive: JIT memory, or nothing for code that is part of the executable.
pub type CodeOwner = Box<dyn Any + Send + Sync>;

/// Why a program cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A module that this runtime does not have.
    #[error("module {0} is not part of this runtime")]
    UnknownModule(String),
    /// A parameter that the module does not have or that refuses the value.
    #[error("{file}:{line}: modparam {module}.{name}: {message}")]
    Param {
        /// File.
        file: String,
        /// Line.
        line: u32,
        /// Module.
        module: String,
        /// Parameter.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A constant that does not parse.
    #[error("constant {kind} {text:?}: {message}")]
    Constant {
        /// Kind.
        kind: String,
        /// Text.
        text: String,
        /// What is wrong.
        message: String,
    },
}

/// A program ready to run.
pub struct Program {
    /// What is known about it.
    pub manifest: Manifest,
    /// The code of each route.
    entries: Vec<RouteFn>,
    /// Addresses of `constants`, for compiled code.
    addresses: Vec<*const ()>,
    constants: Vec<Constant>,
    params: Vec<Box<dyn Any + Send + Sync>>,
    /// Modules that are loaded, in order.
    pub modules: Vec<&'static Module>,
    /// The core, which is loaded always.
    core: Option<&'static Module>,
    /// Variables by name, for formats made at run time.
    pvs: OnceLock<HashMap<&'static str, &'static PvDecl>>,
    index: RouteIndex,
    /// The block of each event of the loaded modules, by the event's number.
    events: Vec<Option<u32>>,
    /// Global parameters.
    pub settings: Settings,
    /// Parameters that the configuration declares for itself.
    pub custom: Custom,
    _code: CodeOwner,
}

// SAFETY: the addresses point into `constants`, which is `Send + Sync` and never changes.
unsafe impl Send for Program {}
// SAFETY: as above.
unsafe impl Sync for Program {}

/// The routes that the engine itself runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct RouteIndex {
    /// `request_route`.
    pub request: Option<u32>,
    /// `reply_route`.
    pub reply: Option<u32>,
    /// `onsend_route`.
    pub onsend: Option<u32>,
}

impl Program {
    /// Makes a program of its manifest and code.
    ///
    /// `available` is every module of the runtime; the core counts as one and is always loaded.
    pub fn load(
        manifest: Manifest,
        entries: Vec<RouteFn>,
        code: CodeOwner,
        available: &[&'static Module],
    ) -> Result<Program, LoadError> {
        let mut params = Vec::with_capacity(available.len());
        for (n, module) in available.iter().enumerate() {
            if let Some(decl) = module.params {
                decl.slot.0.store(n, Ordering::Relaxed);
            }
            params.push(
                module
                    .params
                    .map_or_else(|| Box::new(()) as _, |decl| (decl.new)()),
            );
        }
        let mut modules = Vec::new();
        for name in &manifest.modules {
            let module = available.iter().find(|module| module.name == name);
            modules.push(*module.ok_or_else(|| LoadError::UnknownModule(name.clone()))?);
        }
        for setting in &manifest.params {
            set_param(&manifest, setting, available, &mut params)?;
        }
        let kinds = constant_kinds(available);
        let constants = manifest
            .constants
            .iter()
            .map(|spec| parse_constant(spec, &kinds))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Program {
            addresses: constants.iter().map(Constant::address).collect(),
            core: available
                .iter()
                .find(|module| module.name == "core")
                .copied(),
            pvs: OnceLock::new(),
            index: index_routes(&manifest),
            events: index_events(&manifest, available),
            settings: Settings::new(&manifest),
            custom: Custom::new(&manifest),
            manifest,
            entries,
            constants,
            params,
            modules,
            _code: code,
        })
    }

    /// The slots of `$var` and `$vn` as they begin, some `$var`s with values of their own.
    pub fn fresh_vars(&self, presets: &[Preset]) -> Vec<VarSlot> {
        let vars = &self.manifest.vars;
        let mut slots: Vec<VarSlot> = vars.iter().map(VarSpec::slot).collect();
        for preset in presets {
            let named = |spec: &VarSpec| !spec.null && spec.name.as_bytes() == &*preset.name;
            if let Some(slot) = vars.iter().position(named) {
                slots[slot] = VarSlot::holding(preset.value.as_value());
            }
        }
        slots
    }

    /// The code of route number `route`.
    pub fn entry(&self, route: u32) -> Option<RouteFn> {
        self.entries.get(route as usize).copied()
    }

    /// The routes that the engine runs.
    pub fn routes(&self) -> RouteIndex {
        self.index
    }

    /// The block of an event, where the configuration has one and loads the event's module.
    pub fn event(&self, event: &Event) -> Option<u32> {
        *self.events.get(event.number())?
    }

    /// The number of the block `kind[name]`.
    pub fn route(&self, kind: Routes, name: &str) -> Option<u32> {
        let found = self.manifest.routes.iter().position(|route| {
            let own = match kind {
                Routes::BRANCH_FAILURE => route.name.strip_prefix("tm:branch-failure:"),
                _ => Some(&*route.name),
            };
            route.kind == kind.0 && !route.main && own == Some(name)
        });
        found.map(|n| n as u32)
    }

    /// Addresses of the parsed constants.
    pub fn constants(&self) -> *const *const () {
        debug_assert_eq!(self.addresses.len(), self.constants.len());
        self.addresses.as_ptr()
    }

    /// The parameters of a module, by their type.
    ///
    /// # Panics
    /// Where the module is not part of the runtime that loaded this program: the type then has no
    /// business in it.
    pub fn params<P: Params>(&self) -> &P {
        let found = self
            .params
            .get(P::slot().get())
            .and_then(|params| (**params).downcast_ref::<P>());
        match found {
            Some(params) => params,
            None => panic!("parameters of a module that is not registered"),
        }
    }

    /// The variable called `name` that a loaded module or the core has.
    pub fn pv(&self, name: &str) -> Option<&'static PvDecl> {
        let library = || self.core.into_iter().chain(self.modules.iter().copied());
        let by_name = self.pvs.get_or_init(|| {
            let pvs = library().flat_map(Module::pvs);
            pvs.flat_map(|pv| {
                let names = std::iter::once(&pv.name).chain(pv.aliases);
                names.map(move |name| (*name, pv))
            })
            .collect()
        });
        by_name.get(name).copied()
    }

    /// The forms of a transformation that loaded modules and the core have; the name is given in any
    /// case.
    pub fn transformations(
        &self,
        class: &[u8],
        name: &[u8],
    ) -> impl Iterator<Item = &'static TransformationDecl> {
        let library = self.core.into_iter().chain(self.modules.iter().copied());
        library
            .flat_map(Module::transformations)
            .filter(move |decl| {
                decl.class.as_bytes() == class && decl.name.as_bytes().eq_ignore_ascii_case(name)
            })
    }

    /// File name and line of a statement.
    pub fn place(&self, place: u32) -> Option<(&str, u32)> {
        let (file, line) = *self.manifest.places.get(place as usize)?;
        Some((self.manifest.files.get(file as usize)?, line))
    }
}

fn set_param(
    manifest: &Manifest,
    setting: &ParamSetting,
    available: &[&'static Module],
    params: &mut [Box<dyn Any + Send + Sync>],
) -> Result<(), LoadError> {
    let fail = |message: String| LoadError::Param {
        file: manifest
            .files
            .get(setting.place.0 as usize)
            .cloned()
            .unwrap_or_default(),
        line: setting.place.1,
        module: setting.module.clone(),
        name: setting.name.clone(),
        message,
    };
    let module = available
        .iter()
        .position(|module| module.name == setting.module)
        .ok_or_else(|| LoadError::UnknownModule(setting.module.clone()))?;
    let decl = available[module]
        .param(&setting.name)
        .ok_or_else(|| fail("the module has no such parameter".into()))?;
    let value = match &setting.value {
        Setting::Int(n) => crate::value::Value::Int(*n),
        Setting::Str(text) => crate::value::Value::Str(text),
    };
    (decl.set)(&mut *params[module], value).map_err(fail)
}

/// Every kind of constant that the modules' arguments name.
fn constant_kinds(available: &[&'static Module]) -> Vec<&'static ConstantKind> {
    use crate::declare::{ArgDecl, ArgKind};
    let kind = |arg: &ArgDecl| match arg.kind {
        ArgKind::Constant(kind) | ArgKind::Parsed(kind) => Some(kind),
        _ => None,
    };
    let mut kinds: Vec<&'static ConstantKind> = Vec::new();
    for module in available {
        kinds.extend(module.functions().flat_map(|f| f.args).filter_map(kind));
        kinds.extend(
            module
                .pvs()
                .filter_map(|pv| pv.inner.as_ref())
                .filter_map(kind),
        );
        kinds.extend(
            module
                .transformations()
                .flat_map(|t| t.args)
                .filter_map(kind),
        );
    }
    kinds.extend(crate::intrinsics::CONSTANT_KINDS);
    kinds
}

/// The name of a kind of constant that two types share, which would take one for the other; no
/// runtime is to have any.
pub fn ambiguous_constant(available: &[&'static Module]) -> Option<&'static str> {
    let kinds = constant_kinds(available);
    let same = |a: &ConstantKind| {
        let other = |b: &&&'static ConstantKind| a.name == b.name && (a.ty)() != (b.ty)();
        kinds.iter().find(other).is_some()
    };
    kinds.iter().find(|kind| same(kind)).map(|kind| kind.name)
}

fn parse_constant(
    spec: &ConstantSpec,
    kinds: &[&'static ConstantKind],
) -> Result<Constant, LoadError> {
    let fail = |message: String| LoadError::Constant {
        kind: spec.kind.clone(),
        text: String::from_utf8_lossy(&spec.text).into_owned(),
        message,
    };
    let kind = kinds
        .iter()
        .find(|kind| kind.name == spec.kind)
        .ok_or_else(|| fail("this runtime does not know that kind of constant".into()))?;
    (kind.parse)(&spec.text).map_err(|error| fail(error.message))
}

fn index_events(manifest: &Manifest, available: &[&'static Module]) -> Vec<Option<u32>> {
    let is_loaded = |module: &Module| {
        module.name == "core" || manifest.modules.iter().any(|name| name == module.name)
    };
    let events = available.iter().flat_map(|module| {
        let loaded = is_loaded(module);
        module.events().map(move |event| (loaded, event))
    });
    let block = |(number, (loaded, decl)): (usize, (bool, &'static crate::declare::EventDecl))| {
        decl.event.set_number(number);
        let kinds = Routes(Routes::EVENT.0 | Routes::LOCAL.0 | Routes::BRANCH_FAILURE.0);
        let found = manifest
            .routes
            .iter()
            .position(|route| kinds.allows(Routes(route.kind)) && decl.is_named(&route.name));
        found.filter(|_| loaded).map(|found| found as u32)
    };
    events.enumerate().map(block).collect()
}

fn index_routes(manifest: &Manifest) -> RouteIndex {
    let main = |kind: Routes| {
        let found = manifest
            .routes
            .iter()
            .position(|route| route.main && route.kind == kind.0);
        found.map(|n| n as u32)
    };
    RouteIndex {
        request: main(Routes::REQUEST),
        reply: main(Routes::CORE_ONREPLY),
        onsend: main(Routes::ONSEND),
    }
}
