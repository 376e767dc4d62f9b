//! The linker of standalone executables: adds an object file to the runtime template as ELF
//! segments of its own, in milliseconds and without tools or libraries on the machine.
//!
//! What comes out is the template, byte for byte up to the end of its last segment (but for the
//! program headers, the image slot and the build id), then the *image*, then sections that are not
//! loaded: the template's and the object's symbols and debugging information, merged.
//!
//! The image has three segments. Read-only: the program header table where it had to move, the
//! [`Header`](kcc_runtime::image::Header) by which the template finds the rest, import names,
//! relocations, constants, unwind tables. Executable: the code, and stubs for direct calls of
//! imported functions. Writable: import slots and constants with addresses (made read-only once
//! loaded), then data.
//!
//! An object's undefined symbols are runtime functions, bound by name when the executable starts:
//! the template may be stripped of its own symbols.
//!
//! **Invariant**: a file offset in the image and the address it is loaded to differ by the same
//! constant as in the template's first segment, so that every loader finds the moved program
//! headers, and every profiler the symbols.

mod debug;
mod input;
mod layout;
mod plan;
mod relocate;
mod room;
mod sections;
mod symbols;
mod template;
mod x86_64;

use input::Input;
use layout::Layout;
use plan::Plan;
use template::Template;

/// Why an executable could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The template or the object is not what it has to be.
    #[error("{what} cannot be read: {why}")]
    Unreadable {
        /// The runtime template or the object file.
        what: &'static str,
        /// What the reader says.
        why: object::read::Error,
    },
    /// The template or the object is for a machine that this linker does not know.
    #[error("{what} is for {machine}; executables can be built for x86-64 only")]
    Machine {
        /// The runtime template or the object file.
        what: &'static str,
        /// Name, or ELF number, of the machine.
        machine: String,
    },
    /// The template is no position-independent executable, or not one of kcc's.
    #[error("not a runtime template: {0}")]
    Template(&'static str),
    /// The template belongs to another version of the compiler.
    #[error("the runtime template has interface version {template}, the compiler {compiler}")]
    Abi {
        /// The template's version.
        template: u64,
        /// The compiler's version.
        compiler: u32,
    },
    /// The object lacks a symbol that every program has.
    #[error("the object file does not define `{0}`")]
    MissingSymbol(&'static str),
    /// The object asks for something that is not supported here.
    #[error("relocation type {kind} against `{symbol}` in section {section} is not supported")]
    Relocation {
        /// ELF number of the relocation type.
        kind: u32,
        /// Its symbol.
        symbol: String,
        /// The section that it applies to.
        section: String,
    },
    /// A distance does not fit its field, or a place is outside its section.
    #[error("relocation at {section}+{offset:#x} is out of range")]
    Range {
        /// The section that it applies to.
        section: String,
        /// Bytes from the section's start.
        offset: u64,
    },
    /// The result breaks a limit of the ELF format.
    #[error("too large for an executable: {0}")]
    TooLarge(&'static str),
}

/// Makes a standalone executable of `template`, a position-independent executable that calls
/// [`kcc_runtime::image::find`], and `object`, a relocatable file as `cranelift-object` writes it
/// that defines [`MANIFEST_SYMBOL`](kcc_runtime::image::MANIFEST_SYMBOL) and
/// [`ENTRIES_SYMBOL`](kcc_runtime::image::ENTRIES_SYMBOL).
///
/// The same inputs give the same bytes.
pub fn link(template: &[u8], object: &[u8]) -> Result<Vec<u8>, LinkError> {
    let template = Template::parse(template)?;
    let input = Input::parse(object)?;
    let plan = Plan::new(&input)?;
    let layout = Layout::new(&template, &input, &plan)?;

    let mut image = layout.copy(&input);
    let relocations = relocate::relocate(&mut image, &input, &plan, &layout)?;
    layout.store_header(&mut image, &input, &plan, &relocations)?;

    let mut sections = template.sections()?;
    let parts = layout.add_sections(&mut sections)?;
    symbols::add(&mut sections, &input, &layout, &parts)?;
    debug::add(&mut sections, &input, &layout)?;

    let mut file = template.loaded_part().to_vec();
    file.resize(layout.start as usize, 0);
    file.extend_from_slice(&image);
    template.store_segments(&mut file, &layout)?;
    let table = sections.write(&mut file)?;
    template.store_file_header(&mut file, &layout, table)?;
    template.store_slot(&mut file, layout.header_address());
    template.store_build_id(&mut file, object);
    Ok(file)
}
