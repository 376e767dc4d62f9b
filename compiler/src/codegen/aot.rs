//! Object files and standalone executables.

use cranelift::module::{DataDescription, Linkage, Module as _, default_libcall_names};
use cranelift::object::{ObjectBuilder, ObjectModule};
use kcc_runtime::image::{ENTRIES_SYMBOL, MANIFEST_SYMBOL};

use super::debuginfo::{self, Sources};
use super::{CodegenFailure, link, lower, target, unit::Unit};
use crate::ir;

/// Compiles a program to a relocatable object file. `directory` is what relative file names are
/// relative to.
pub fn object(program: &ir::Program, directory: &str) -> Result<Vec<u8>, CodegenFailure> {
    if program.incomplete {
        return Err(CodegenFailure::Incomplete);
    }
    let isa = target::isa(true)?;
    let mut builder =
        ObjectBuilder::new(isa, program.manifest.file.clone(), default_libcall_names())?;
    // `debuginfo` writes the unwind tables, for the debugger as well.
    builder.unwind_info(false);
    let mut module = ObjectModule::new(builder);
    let mut unit = Unit::new(&mut module, program)?;
    let functions = lower::lower(&mut unit)?;
    let routes = unit.routes.clone();
    unit.finish()?;

    let manifest = postcard::to_stdvec(&program.manifest)?;
    let id = module.declare_data(MANIFEST_SYMBOL, Linkage::Export, false, false)?;
    let mut data = DataDescription::new();
    data.define(manifest.into_boxed_slice());
    module.define_data(id, &data)?;

    let id = module.declare_data(ENTRIES_SYMBOL, Linkage::Export, false, false)?;
    let mut data = DataDescription::new();
    data.define(vec![0; (routes.len() * 8).max(8)].into_boxed_slice());
    data.set_align(8);
    for (n, route) in routes.iter().enumerate() {
        let function = module.declare_func_in_data(*route, &mut data);
        data.write_function_addr(n as u32 * 8, function);
    }
    module.define_data(id, &data)?;

    let isa = target::isa(true)?;
    let mut product = module.finish();
    let functions: Vec<_> = functions
        .into_iter()
        .map(|(id, function)| (product.function_symbol(id), function))
        .collect();
    let sources = Sources {
        directory: directory.to_owned(),
        files: program.manifest.files.clone(),
    };
    if !functions.is_empty() {
        debuginfo::add_to_object(&mut product.object, &*isa, &functions, &sources)?;
    }
    Ok(product.emit()?)
}

/// Compiles a program to an executable: `template` is the runtime without a program.
pub fn standalone(
    program: &ir::Program,
    template: &[u8],
    directory: &str,
) -> Result<Vec<u8>, CodegenFailure> {
    Ok(link::link(template, &object(program, directory)?)?)
}
