//! Everything that the modules of the runtime declare, one entry each.

use kcc_runtime::declare::{
    ArgKind, FunctionDecl, Module, ParamDecl, PvDecl, Routes, TransformationDecl,
};
use kcc_stdlib::MODULES;

/// What is declared.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// The module itself.
    Module,
    /// A form of a function.
    Function(&'static FunctionDecl),
    /// A variable.
    Variable(&'static PvDecl),
    /// A transformation.
    Transformation(&'static TransformationDecl),
    /// A parameter.
    Param(&'static ParamDecl),
}

/// One declaration.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// Its module.
    pub module: &'static Module,
    /// Itself.
    pub what: What,
}

impl Declared {
    /// The manual.
    pub fn doc(&self) -> &'static str {
        match self.what {
            What::Module => self.module.doc,
            What::Function(decl) => decl.doc,
            What::Variable(decl) => decl.doc,
            What::Transformation(decl) => decl.doc,
            What::Param(decl) => decl.doc,
        }
    }

    /// A name of its own: `tm`, `tm.t_relay/0`, `pv.$ru`, `pv.{s.len}`, `tm.fr_timer`.
    pub fn name(&self) -> String {
        match self.what {
            What::Module => self.module.name.to_owned(),
            What::Function(decl) => decl.symbol.to_owned(),
            What::Variable(decl) => decl.symbol.to_owned(),
            What::Transformation(decl) => decl.symbol.to_owned(),
            What::Param(decl) => format!("{}.{}", self.module.name, decl.name),
        }
    }
}

/// All declarations, by module.
pub fn all() -> impl Iterator<Item = Declared> {
    MODULES.iter().flat_map(|&module| {
        let params = module.params.map_or(&[][..], |params| params.list);
        std::iter::once(What::Module)
            .chain(module.functions().map(What::Function))
            .chain(module.pvs().map(What::Variable))
            .chain(module.transformations().map(What::Transformation))
            .chain(params.iter().map(What::Param))
            .map(move |what| Declared { module, what })
    })
}

/// `loadmodule` lines for every module.
pub fn load_all() -> String {
    let loaded = MODULES.iter().filter(|module| module.name != "core");
    loaded
        .map(|module| format!("loadmodule \"{}.so\"\n", module.name))
        .collect()
}

/// The functions whose argument names a block, with the argument's position and kind of block.
pub fn block_arguments() -> impl Iterator<Item = (&'static FunctionDecl, usize, Routes)> {
    let functions = MODULES.iter().flat_map(|module| module.functions());
    functions.flat_map(|decl| {
        let args = decl.args.iter().enumerate();
        args.filter_map(move |(n, arg)| match arg.kind {
            ArgKind::Route(kind) => Some((decl, n, kind)),
            _ => None,
        })
    })
}
