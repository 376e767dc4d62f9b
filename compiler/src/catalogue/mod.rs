//! What Kamailio knows: names, shapes and versions of its modules and its core, as facts.
//!
//! With these the checker tells a name that Kamailio has and this server has not yet from a name
//! that nobody has, and editors complete both. Described are 4.2.8, 5.6.3, 6.1.4 and the coming
//! 6.2; [`Versions`] says which.
//!
//! The tables in `data/` are embedded text, one fact a line, sorted. A lookup is a binary search
//! on that text.
//!
//! Invariant: nothing here is built, read or allocated before it is asked for.

mod core_facts;
mod facts;
mod table;

pub use core_facts::{CoreFunctionFact, GlobalFact, WordFact, WordKind};
pub use facts::{
    Arity, EventRouteFact, FunctionFact, ModuleFact, ParamFact, PvFact, RpcFact,
    TransformationFact, Version, Versions,
};
use table::Table;

const FUNCTIONS: Table = Table::new(include_str!("data/functions.tsv"));
const PARAMS: Table = Table::new(include_str!("data/params.tsv"));
const PVS: Table = Table::new(include_str!("data/pvs.tsv"));
const TRANSFORMATIONS: Table = Table::new(include_str!("data/transformations.tsv"));
const MODULES: Table = Table::new(include_str!("data/modules.tsv"));
const RPC: Table = Table::new(include_str!("data/rpc.tsv"));
const EVENT_ROUTES: Table = Table::new(include_str!("data/event_routes.tsv"));
const CORE: Table = Table::new(include_str!("data/core.tsv"));

/// All forms of the module function `name`, grouped by module; of forms that differ only between
/// versions the newest comes first.
pub fn functions(name: &str) -> impl Iterator<Item = FunctionFact> + use<> {
    FUNCTIONS.find(&[name]).map(FunctionFact::read)
}

/// All forms of all module functions, by name.
pub fn all_functions() -> impl Iterator<Item = FunctionFact> + use<> {
    FUNCTIONS.rows().map(FunctionFact::read)
}

/// The names of all module functions, sorted, each once.
pub fn function_names() -> impl Iterator<Item = &'static str> + use<> {
    once(FUNCTIONS.rows().map(|row| row.column(0)))
}

/// All forms of the core function `name`; a core function needs no module.
pub fn core_function(name: &str) -> impl Iterator<Item = CoreFunctionFact> + use<> {
    CORE.find(&["function", name]).map(CoreFunctionFact::read)
}

/// All forms of all core functions, by name.
pub fn all_core_functions() -> impl Iterator<Item = CoreFunctionFact> + use<> {
    CORE.find(&["function"]).map(CoreFunctionFact::read)
}

/// The names of all core functions, sorted, each once.
pub fn core_function_names() -> impl Iterator<Item = &'static str> + use<> {
    once(CORE.find(&["function"]).map(|row| row.column(1)))
}

/// The module that `loadmodule` finds as `name` (without `.so`).
pub fn module(name: &str) -> Option<ModuleFact> {
    MODULES.find(&[name]).next().map(ModuleFact::read)
}

/// The modules that `modparam()` knows as `name`; where there are several only one can be loaded.
pub fn modules_registered_as(name: &str) -> impl Iterator<Item = ModuleFact> {
    all_modules().filter(move |module| module.registers_as == name)
}

/// All modules, by file name.
pub fn all_modules() -> impl Iterator<Item = ModuleFact> + use<> {
    MODULES.rows().map(ModuleFact::read)
}

/// The file names of all modules, sorted.
pub fn module_names() -> impl Iterator<Item = &'static str> + use<> {
    MODULES.rows().map(|row| row.column(0))
}

/// The parameter `name` of the module with the file name `module`, as the newest version has it.
pub fn param(module: &str, name: &str) -> Option<ParamFact> {
    param_history(module, name).next()
}

/// All descriptions of one parameter, the newest first.
pub fn param_history(module: &str, name: &str) -> impl Iterator<Item = ParamFact> + use<> {
    PARAMS.find(&[module, name]).map(ParamFact::read)
}

/// All parameters of the module with the file name `module`, by name, each as the newest version
/// has it.
pub fn params_of(module: &str) -> impl Iterator<Item = ParamFact> + use<> {
    newest(PARAMS.find(&[module]).map(ParamFact::read), |fact| {
        (fact.module, fact.name)
    })
}

/// All parameters of all modules, by module and name, each as the newest version has it.
pub fn all_params() -> impl Iterator<Item = ParamFact> + use<> {
    newest(PARAMS.rows().map(ParamFact::read), |fact| {
        (fact.module, fact.name)
    })
}

/// The pseudo-variable class `name`, without `$`; several modules may have it. Of descriptions
/// that differ between versions the newest comes first.
pub fn pv(name: &str) -> impl Iterator<Item = PvFact> + use<> {
    PVS.find(&[name]).map(PvFact::read)
}

/// All pseudo-variable classes, by name and module.
pub fn all_pvs() -> impl Iterator<Item = PvFact> + use<> {
    newest(PVS.rows().map(PvFact::read), |fact| {
        (fact.name, fact.module)
    })
}

/// The names of all pseudo-variable classes, sorted, each once.
pub fn pv_names() -> impl Iterator<Item = &'static str> + use<> {
    once(PVS.rows().map(|row| row.column(0)))
}

/// The transformation `{class.name}`; capital and small letters are the same.
pub fn transformation(class: &str, name: &str) -> Option<TransformationFact> {
    let row = TRANSFORMATIONS.find(&[class, name]).next();
    row.map(TransformationFact::read).or_else(|| {
        all_transformations().find(|fact| {
            fact.class.eq_ignore_ascii_case(class) && fact.name.eq_ignore_ascii_case(name)
        })
    })
}

/// All transformations, by class and name.
pub fn all_transformations() -> impl Iterator<Item = TransformationFact> + use<> {
    TRANSFORMATIONS.rows().map(TransformationFact::read)
}

/// The core parameter `name`, as the newest version has it.
pub fn global(name: &str) -> Option<GlobalFact> {
    CORE.find(&["param", name]).next().map(GlobalFact::read)
}

/// All core parameters, by name, each as the newest version has it.
pub fn all_globals() -> impl Iterator<Item = GlobalFact> + use<> {
    newest(CORE.find(&["param"]).map(GlobalFact::read), |fact| {
        (fact.name, "")
    })
}

/// The names of all core parameters, sorted, each once.
pub fn global_names() -> impl Iterator<Item = &'static str> + use<> {
    once(CORE.find(&["param"]).map(|row| row.column(1)))
}

/// The value `name` of `coreparam["name"] = value`.
pub fn core_param(name: &str) -> Option<GlobalFact> {
    CORE.find(&["coreparam", name]).next().map(GlobalFact::read)
}

/// The event route that a block `event_route[name]` is, free parts of the name included.
pub fn event_route(name: &str) -> Option<EventRouteFact> {
    let row = EVENT_ROUTES.find(&[name]).next();
    row.map(EventRouteFact::read)
        .or_else(|| all_event_routes().find(|fact| fact.matches(name)))
}

/// All event routes, by name.
pub fn all_event_routes() -> impl Iterator<Item = EventRouteFact> + use<> {
    EVENT_ROUTES.rows().map(EventRouteFact::read)
}

/// The names of all event routes, sorted, each once.
pub fn event_route_names() -> impl Iterator<Item = &'static str> + use<> {
    once(EVENT_ROUTES.rows().map(|row| row.column(0)))
}

/// The commands of the control interface with this name; several modules may have it.
pub fn rpc(name: &str) -> impl Iterator<Item = RpcFact> + use<> {
    RPC.find(&[name]).map(RpcFact::read)
}

/// All commands of the control interface, by name.
pub fn all_rpc() -> impl Iterator<Item = RpcFact> + use<> {
    RPC.rows().map(RpcFact::read)
}

/// The word `name` of the core's grammar, of kind `kind`.
pub fn word(kind: WordKind, name: &str) -> Option<WordFact> {
    let row = CORE.find(&[word_column(kind), name]).next();
    row.map(|row| WordFact::read(kind, row))
}

/// All words of kind `kind`, sorted.
pub fn words(kind: WordKind) -> impl Iterator<Item = WordFact> + use<> {
    CORE.find(&[word_column(kind)])
        .map(move |row| WordFact::read(kind, row))
}

fn word_column(kind: WordKind) -> &'static str {
    match kind {
        WordKind::Keyword => "word",
        WordKind::Bool => "bool",
        WordKind::RouteBlock => "route-block",
        WordKind::Directive => "directive",
        WordKind::Block => "block",
    }
}

/// Neighbours that are equal, once.
fn once(names: impl Iterator<Item = &'static str>) -> impl Iterator<Item = &'static str> {
    newest(names, |name| (name, ""))
}

/// The first of neighbours with the same key.
fn newest<T: Copy>(
    facts: impl Iterator<Item = T>,
    key: impl Fn(&T) -> (&'static str, &'static str),
) -> impl Iterator<Item = T> {
    let mut last = None;
    facts.filter(move |fact| {
        let key = key(fact);
        last.replace(key) != Some(key)
    })
}

#[cfg(test)]
mod tests;
