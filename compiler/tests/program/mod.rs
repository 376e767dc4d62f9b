//! A program in miniature, built with the code generator alone: two routes that call imported
//! functions in every way that there is, and read and write data.
//!
//! `route[MAIN](x)` is `counter += x; counter + table() + route[SUB]()` (the table holds `seven`'s
//! address); `route[SUB]()` is `observe(greeting)`, at line 13 of `router.cfg`.

use std::backtrace::Backtrace;
use std::sync::Mutex;

use cranelift::codegen::ir::{FuncRef, SourceLoc, UserFuncName};
use cranelift::codegen::isa::OwnedTargetIsa;
use cranelift::module::{DataDescription, DataId, FuncId, Linkage, Module};
use cranelift::prelude::*;
use kcc::codegen::debuginfo::{Function, Line, Sources};
use kcc_runtime::image::{ENTRIES_SYMBOL, MANIFEST_SYMBOL};

/// What `kcc_manifest` holds.
pub const MANIFEST: &[u8] = b"a manifest";
/// The counter's first value.
pub const COUNTER: i64 = 30;

/// The last backtrace from inside a route.
pub static SEEN: Mutex<String> = Mutex::new(String::new());

/// Calls of `seven` and `observe` by their names.
pub fn resolve(name: &str) -> Option<*const ()> {
    match name {
        "seven" => Some(seven as *const ()),
        "observe" => Some(observe as *const ()),
        _ => None,
    }
}

extern "C" fn seven() -> i64 {
    7
}

extern "C" fn observe(text: *const u8) -> i64 {
    // SAFETY: the routes pass the address of `greeting`, five bytes.
    let text = unsafe { std::slice::from_raw_parts(text, 5) };
    assert_eq!(text, b"hello");
    *SEEN.lock().unwrap() = Backtrace::force_capture().to_string();
    1000
}

/// What `route[MAIN](x)` answers the first time.
pub fn expected(x: i64) -> i64 {
    COUNTER + x + 7 + 1000
}

/// Settings as the compiler has them, for this machine.
pub fn isa(pic: bool) -> OwnedTargetIsa {
    let mut flags = settings::builder();
    flags
        .set("is_pic", if pic { "true" } else { "false" })
        .unwrap();
    flags.set("preserve_frame_pointers", "true").unwrap();
    flags.set("opt_level", "speed").unwrap();
    let isa = cranelift::native::builder().unwrap();
    isa.finish(settings::Flags::new(flags)).unwrap()
}

pub fn sources() -> Sources {
    Sources {
        directory: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program").to_owned(),
        files: vec!["router.cfg".to_owned()],
    }
}

struct Data {
    counter: DataId,
    greeting: DataId,
    table: DataId,
}

/// Builds the program; the routes in the order of the entry table. `near`: the linker makes
/// imports reachable by direct calls.
pub fn build(module: &mut dyn Module, near: bool) -> Vec<(FuncId, Function)> {
    let mut imported = module.make_signature();
    imported.returns.push(AbiParam::new(types::I64));
    let seven = module
        .declare_function("seven", Linkage::Import, &imported)
        .unwrap();
    let sub_signature = imported.clone();
    imported.params.push(AbiParam::new(types::I64));
    let observe = module
        .declare_function("observe", Linkage::Import, &imported)
        .unwrap();
    let main = module
        .declare_function("route[MAIN]", Linkage::Export, &imported)
        .unwrap();
    let sub = module
        .declare_function("route[SUB]", Linkage::Local, &sub_signature)
        .unwrap();

    let mut data = |name: &str, bytes: Vec<u8>, writable, functions: &[FuncId]| {
        let id = module
            .declare_data(name, Linkage::Export, writable, false)
            .unwrap();
        let mut description = DataDescription::new();
        description.set_align(8);
        description.define(bytes.into_boxed_slice());
        for (index, &function) in functions.iter().enumerate() {
            let function = module.declare_func_in_data(function, &mut description);
            description.write_function_addr(8 * index as u32, function);
        }
        module.define_data(id, &description).unwrap();
        id
    };
    data(MANIFEST_SYMBOL, MANIFEST.to_vec(), false, &[]);
    data(ENTRIES_SYMBOL, vec![0; 16], false, &[main, sub]);
    let data = Data {
        counter: data("counter", COUNTER.to_le_bytes().to_vec(), true, &[]),
        greeting: data("greeting", b"hello".to_vec(), false, &[]),
        table: data("table", vec![0; 8], false, &[seven]),
    };

    let main_code = define(module, main, "route[MAIN]", 5, |module, builder, x| {
        builder.set_srcloc(SourceLoc::new(6));
        let counter = module.declare_data_in_func(data.counter, builder.func);
        let counter = builder.ins().symbol_value(types::I64, counter);
        let old = builder
            .ins()
            .load(types::I64, MemFlagsData::trusted(), counter, 0);
        let sum = builder.ins().iadd(old, x[0]);
        builder
            .ins()
            .store(MemFlagsData::trusted(), sum, counter, 0);
        builder.set_srcloc(SourceLoc::new(7));
        // Through a pointer in data that is reached through a slot.
        let table = module.declare_data_in_func(data.table, builder.func);
        builder.func.global_values[table] = far(&builder.func.global_values[table]);
        let table = builder.ins().symbol_value(types::I64, table);
        let callee = builder
            .ins()
            .load(types::I64, MemFlagsData::trusted(), table, 0);
        let signature = builder.import_signature(sub_signature.clone());
        let call = builder.ins().call_indirect(signature, callee, &[]);
        let table = builder.inst_results(call)[0];
        let sum = builder.ins().iadd(sum, table);
        builder.set_srcloc(SourceLoc::new(8));
        let sub = module.declare_func_in_func(sub, builder.func);
        let sub = result_of(builder, sub, &[]);
        builder.ins().iadd(sum, sub)
    });
    let sub_code = define(module, sub, "route[SUB]", 11, |module, builder, _| {
        builder.set_srcloc(SourceLoc::new(12));
        // A direct call of an import: the linker makes a stub.
        let seven = module.declare_func_in_func(seven, builder.func);
        builder.func.dfg.ext_funcs[seven].colocated = near;
        result_of(builder, seven, &[]);
        builder.set_srcloc(SourceLoc::new(13));
        let greeting = module.declare_data_in_func(data.greeting, builder.func);
        let greeting = builder.ins().symbol_value(types::I64, greeting);
        let observe = module.declare_func_in_func(observe, builder.func);
        result_of(builder, observe, &[greeting])
    });
    vec![(main, main_code), (sub, sub_code)]
}

fn far(data: &codegen::ir::GlobalValueData) -> codegen::ir::GlobalValueData {
    let mut data = data.clone();
    if let codegen::ir::GlobalValueData::Symbol { colocated, .. } = &mut data {
        *colocated = false;
    }
    data
}

fn result_of(builder: &mut FunctionBuilder, function: FuncRef, arguments: &[Value]) -> Value {
    let call = builder.ins().call(function, arguments);
    builder.inst_results(call)[0]
}

fn define(
    module: &mut dyn Module,
    id: FuncId,
    name: &str,
    line: u32,
    body: impl FnOnce(&mut dyn Module, &mut FunctionBuilder, &[Value]) -> Value,
) -> Function {
    let mut context = module.make_context();
    context.func.signature = module
        .declarations()
        .get_function_decl(id)
        .signature
        .clone();
    context.func.name = UserFuncName::user(0, id.as_u32());
    let mut builders = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut builders);
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    builder.seal_block(block);
    let parameters = builder.block_params(block).to_vec();
    let result = body(module, &mut builder, &parameters);
    builder.ins().return_(&[result]);
    builder.finalize(module.target_config());
    module.define_function(id, &mut context).unwrap();
    let code = context.compiled_code().unwrap();
    let declared = Line {
        offset: 0,
        file: 0,
        line,
    };
    Function::new(name.to_owned(), declared, code, module.isa(), |place| {
        Some((0, place.bits()))
    })
    .unwrap()
}
