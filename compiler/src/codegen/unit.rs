//! What the functions of one program share while they are lowered: imported runtime functions, the
//! route functions, and the bytes of all string constants.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use cranelift::codegen::ir::{AbiParam, Function, Signature, types};
use cranelift::module::{DataDescription, DataId, FuncId, Linkage, Module, ModuleError};
use kcc_runtime::intrinsics::{INTRINSICS, Intrinsic};

use super::coverage::Counts;
use crate::ir;

/// What a declaration gives.
pub type Declared<T> = Result<T, Box<ModuleError>>;

/// Name of the data object that holds the string constants.
const TEXTS: &str = "kcc_texts";

/// The program being lowered.
pub struct Unit<'a> {
    /// Where code goes.
    pub module: &'a mut dyn Module,
    /// Where the code counts what runs, if it does.
    pub coverage: Option<Arc<Counts>>,
    /// What is lowered.
    pub program: &'a ir::Program,
    /// The function of each route.
    pub routes: Vec<FuncId>,
    imports: HashMap<&'static str, FuncId>,
    intrinsics: HashMap<&'static str, &'static Intrinsic>,
    texts: DataId,
    offsets: HashMap<Rc<[u8]>, i64>,
    bytes: Vec<u8>,
}

impl<'a> Unit<'a> {
    /// Declares the functions of all routes.
    pub fn new(module: &'a mut dyn Module, program: &'a ir::Program) -> Declared<Unit<'a>> {
        let signature = route_signature(module);
        let mut routes = Vec::with_capacity(program.routes.len());
        let mut taken = HashMap::new();
        for route in &program.routes {
            // Two blocks may have names that differ only in what a symbol cannot hold.
            let name = route.name.replace('\0', "?");
            let count = taken.entry(name.clone()).or_insert(0u32);
            *count += 1;
            let symbol = match *count {
                1 => name,
                n => format!("{name}#{n}"),
            };
            routes.push(module.declare_function(&symbol, Linkage::Local, &signature)?);
        }
        let texts = module.declare_data(TEXTS, Linkage::Local, false, false)?;
        Ok(Unit {
            module,
            coverage: None,
            program,
            routes,
            imports: HashMap::new(),
            intrinsics: INTRINSICS
                .iter()
                .map(|entry| (entry.name.trim_start_matches("kcc."), entry))
                .collect(),
            texts,
            offsets: HashMap::new(),
            bytes: Vec::new(),
        })
    }

    /// The builtin with this symbol, in the one signature of builtins.
    pub fn shim(&mut self, symbol: &'static str) -> Declared<FuncId> {
        if let Some(id) = self.imports.get(symbol) {
            return Ok(*id);
        }
        let mut signature = self.module.make_signature();
        signature.params.extend([AbiParam::new(types::I64); 2]);
        signature.returns.extend([AbiParam::new(types::I64); 2]);
        self.import(symbol, &signature)
    }

    /// The runtime function with this name, without `kcc.`.
    pub fn intrinsic(&mut self, name: &'static str) -> Declared<FuncId> {
        let Some(entry) = self.intrinsics.get(name) else {
            return Err(Box::new(ModuleError::Undeclared(format!("kcc.{name}"))));
        };
        if let Some(id) = self.imports.get(entry.name) {
            return Ok(*id);
        }
        let mut signature = self.module.make_signature();
        let words = 1 + entry.args.iter().sum::<usize>();
        signature
            .params
            .extend((0..words).map(|_| AbiParam::new(types::I64)));
        signature
            .returns
            .extend((0..entry.result).map(|_| AbiParam::new(types::I64)));
        self.import(entry.name, &signature)
    }

    fn import(&mut self, symbol: &'static str, signature: &Signature) -> Declared<FuncId> {
        let id = self
            .module
            .declare_function(symbol, Linkage::Import, signature)?;
        self.imports.insert(symbol, id);
        Ok(id)
    }

    /// The object of string constants, and where in it `text` lies.
    pub fn text(&mut self, text: &Rc<[u8]>) -> (DataId, i64) {
        if let Some(offset) = self.offsets.get(text) {
            return (self.texts, *offset);
        }
        let offset = self.bytes.len() as i64;
        self.bytes.extend_from_slice(text);
        self.offsets.insert(text.clone(), offset);
        (self.texts, offset)
    }

    /// Makes `id` callable from `func`.
    pub fn callable(&mut self, id: FuncId, func: &mut Function) -> cranelift::codegen::ir::FuncRef {
        self.module.declare_func_in_func(id, func)
    }

    /// Writes the string constants; nothing more is lowered after it.
    pub fn finish(self) -> Declared<()> {
        let mut data = DataDescription::new();
        let mut bytes = self.bytes;
        // An object without bytes has no address.
        bytes.push(0);
        data.define(bytes.into_boxed_slice());
        Ok(self.module.define_data(self.texts, &data)?)
    }
}

/// The signature of [`kcc_runtime::abi::RouteFn`].
pub fn route_signature(module: &dyn Module) -> Signature {
    let mut signature = module.make_signature();
    signature.params.push(AbiParam::new(types::I64));
    signature.returns.extend([AbiParam::new(types::I64); 2]);
    signature
}
