//! Debugging information of compiled routes: with it gdb stops at `router.cfg:120`, perf
//! annotates lines of the configuration, and a backtrace names routes.
//!
//! DWARF 5: one compilation unit, a subprogram for each function, one line table; call frame
//! information for the unwinder (`.eh_frame`) and for debuggers (`.debug_frame`). The same
//! builder serves object files, where addresses are symbols, and code in memory, where they are
//! numbers.

use std::collections::HashMap;

use cranelift::codegen::ir::SourceLoc;
use cranelift::codegen::isa::TargetIsa;
use cranelift::codegen::isa::unwind::UnwindInfo;
use cranelift::codegen::{CodegenResult, CompiledCode, Final, MachSrcLoc};
use gimli::write::{
    Address, AttributeValue, DwarfUnit, EndianVec, FrameTable, LineProgram, LineString, Range,
    RangeList, RelocateWriter, Relocation, RelocationTarget, Sections, Writer,
};
use gimli::{
    DW_EH_PE_absptr, DW_EH_PE_pcrel, DW_EH_PE_sdata4, DwEhPe, Encoding, Format, LineEncoding,
    LittleEndian, SectionId, constants as dw,
};
use object::write::{Object, StandardSection, SymbolId};
use object::{RelocationEncoding, RelocationFlags, RelocationKind, SectionKind};

/// Where a piece of code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Bytes from the function's start.
    pub offset: u32,
    /// Index into [`Sources::files`].
    pub file: u32,
    /// Line, from 1; 0: no line of the configuration.
    pub line: u32,
}

/// A compiled function.
#[derive(Clone, Debug)]
pub struct Function {
    /// What debuggers call it, as `route[RELAY]`.
    pub name: String,
    /// Length of its code in bytes.
    pub len: u32,
    /// Where it is declared; the offset is not looked at.
    pub declared: Line,
    /// Its lines, each valid up to the next one's offset; in any order.
    pub lines: Vec<Line>,
    /// What `CompiledCode::create_unwind_info` says of it.
    pub unwind: Option<UnwindInfo>,
}

impl Function {
    /// What the code generator says of a function it compiled: `place` gives file (index into
    /// [`Sources::files`]) and line of the locations that the function was built with.
    pub fn new(
        name: String,
        declared: Line,
        code: &CompiledCode,
        isa: &dyn TargetIsa,
        place: impl Fn(SourceLoc) -> Option<(u32, u32)>,
    ) -> CodegenResult<Function> {
        let line = |range: &MachSrcLoc<Final>| {
            let (file, line) = match range.loc.is_default() {
                true => (declared.file, 0),
                false => place(range.loc).unwrap_or((declared.file, 0)),
            };
            let offset = range.start;
            Line { offset, file, line }
        };
        Ok(Function {
            name,
            len: code.code_info().total_size,
            declared,
            lines: code.buffer.get_srclocs_sorted().iter().map(line).collect(),
            unwind: code.create_unwind_info(isa)?,
        })
    }
}

/// The files that lines refer to.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// What relative paths are relative to.
    pub directory: String,
    /// Paths; the first is the main file.
    pub files: Vec<String>,
}

/// Why debugging information could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DebugInfoError {
    /// The DWARF writer refused.
    #[error("cannot write debugging information: {0}")]
    Dwarf(#[from] gimli::write::Error),
    /// The object writer refused.
    #[error("cannot add debugging information to the object file: {0}")]
    Object(#[from] object::write::Error),
}

/// Debugging information of code that lies at its address.
#[derive(Clone, Debug, Default)]
pub struct Absolute {
    /// DWARF sections, by name.
    pub sections: Vec<(&'static str, Vec<u8>)>,
    /// Call frame information for the unwinder, closed by a zero word.
    pub eh_frame: Vec<u8>,
}

/// Adds debugging information and unwind tables for `functions` to an object file that defines
/// them: [`cranelift_object::ObjectProduct::object`] before it is emitted.
pub fn add_to_object(
    object: &mut Object<'_>,
    isa: &dyn TargetIsa,
    functions: &[(SymbolId, Function)],
    sources: &Sources,
) -> Result<(), DebugInfoError> {
    let placed = functions.iter().enumerate().map(|(symbol, (_, function))| {
        let addend = 0;
        (Address::Symbol { symbol, addend }, function)
    });
    let frame_address = DwEhPe(DW_EH_PE_pcrel.0 | DW_EH_PE_sdata4.0);
    let sections = write(isa, placed, sources, frame_address, Relocated::default())?;

    let mut ids = HashMap::new();
    sections.for_each(|id, section: &Relocated| {
        if section.writer.len() > 0 {
            ids.insert(id, add_section(object, id, section.writer.slice()));
        }
        Ok::<(), DebugInfoError>(())
    })?;
    sections.for_each(|id, section: &Relocated| {
        for relocation in &section.relocations {
            let symbol = match relocation.target {
                RelocationTarget::Symbol(index) => functions[index].0,
                RelocationTarget::Section(target) => match ids.get(&target) {
                    Some(&target) => object.section_symbol(target),
                    None => continue,
                },
            };
            let relative = relocation
                .eh_pe
                .is_some_and(|encoding| encoding.application() == DW_EH_PE_pcrel);
            let flags = RelocationFlags::Generic {
                kind: match relative {
                    true => RelocationKind::Relative,
                    false => RelocationKind::Absolute,
                },
                encoding: RelocationEncoding::Generic,
                size: relocation.size * 8,
            };
            let relocation = object::write::Relocation {
                offset: relocation.offset as u64,
                symbol,
                addend: relocation.addend,
                flags,
            };
            object.add_relocation(ids[&id], relocation)?;
        }
        Ok::<(), DebugInfoError>(())
    })
}

fn add_section(object: &mut Object<'_>, id: SectionId, bytes: &[u8]) -> object::write::SectionId {
    let (section, align) = match id {
        SectionId::EhFrame => (object.section_id(StandardSection::EhFrame), 8),
        SectionId::DebugStr | SectionId::DebugLineStr => {
            let name = id.name().as_bytes().to_vec();
            (
                object.add_section(Vec::new(), name, SectionKind::DebugString),
                1,
            )
        }
        _ => {
            let name = id.name().as_bytes().to_vec();
            (object.add_section(Vec::new(), name, SectionKind::Debug), 1)
        }
    };
    object.append_section_data(section, bytes, align);
    section
}

/// The debugging information of functions whose first instructions are at the given addresses.
pub fn absolute(
    isa: &dyn TargetIsa,
    functions: &[(*const u8, Function)],
    sources: &Sources,
) -> Result<Absolute, DebugInfoError> {
    let placed = functions
        .iter()
        .map(|(address, function)| (Address::Constant(address.addr() as u64), function));
    let writer = EndianVec::new(LittleEndian);
    let sections = write(isa, placed, sources, DW_EH_PE_absptr, writer)?;
    let mut absolute = Absolute::default();
    sections.for_each(|id, section: &EndianVec<LittleEndian>| {
        let bytes = section.slice().to_vec();
        match id {
            SectionId::EhFrame => absolute.eh_frame = bytes,
            _ if bytes.is_empty() => {}
            _ => absolute.sections.push((id.name(), bytes)),
        }
        Ok::<(), DebugInfoError>(())
    })?;
    absolute.eh_frame.extend_from_slice(&[0; 4]);
    Ok(absolute)
}

/// A section with what is to be relocated in it.
#[derive(Clone)]
struct Relocated {
    writer: EndianVec<LittleEndian>,
    relocations: Vec<Relocation>,
}

impl Default for Relocated {
    fn default() -> Self {
        Relocated {
            writer: EndianVec::new(LittleEndian),
            relocations: Vec::new(),
        }
    }
}

impl RelocateWriter for Relocated {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.writer
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.writer
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.relocations.push(relocation);
    }
}

fn write<'f, W: Writer + Clone>(
    isa: &dyn TargetIsa,
    functions: impl Iterator<Item = (Address, &'f Function)>,
    sources: &Sources,
    frame_address: DwEhPe,
    section: W,
) -> Result<Sections<W>, DebugInfoError> {
    let mut unit = UnitBuilder::new(isa, sources);
    let mut frames = Frames::new(isa, frame_address);
    for (address, function) in functions {
        unit.add(address, function);
        frames.add(address, function);
    }
    let mut sections = Sections::new(section);
    unit.finish().write(&mut sections)?;
    if let Some(frames) = frames.0 {
        frames.unwinder.1.write_eh_frame(&mut sections.eh_frame)?;
        frames
            .debugger
            .1
            .write_debug_frame(&mut sections.debug_frame)?;
    }
    Ok(sections)
}

/// The compilation unit and its line table.
struct UnitBuilder {
    dwarf: DwarfUnit,
    lines: LineProgram,
    files: Vec<gimli::write::FileId>,
    ranges: Vec<Range>,
}

impl UnitBuilder {
    fn new(isa: &dyn TargetIsa, sources: &Sources) -> UnitBuilder {
        let encoding = Encoding {
            format: Format::Dwarf32,
            version: 5,
            address_size: isa.pointer_bytes(),
        };
        let mut dwarf = DwarfUnit::new(encoding);
        let main = sources.files.first().map_or("", String::as_str);
        let mut text =
            |text: &str| LineString::new(printable(text), encoding, &mut dwarf.line_strings);
        let (directory, main_name) = (text(&sources.directory), text(main));
        let mut lines = LineProgram::new(
            encoding,
            LineEncoding::default(),
            directory,
            None,
            main_name,
            None,
        );
        let directory = lines.default_directory();
        let mut files: Vec<_> = sources
            .files
            .iter()
            .map(|file| lines.add_file(text(file), directory, None))
            .collect();
        if files.is_empty() {
            files.push(lines.add_file(text(main), directory, None));
        }

        let strings = [
            (dw::DW_AT_name, printable(main)),
            (dw::DW_AT_comp_dir, printable(&sources.directory)),
            (
                dw::DW_AT_producer,
                concat!("kcc ", env!("CARGO_PKG_VERSION")).into(),
            ),
        ];
        let root = dwarf.unit.root();
        for (attribute, string) in strings {
            let string = AttributeValue::StringRef(dwarf.strings.add(string));
            dwarf.unit.get_mut(root).set(attribute, string);
        }
        // Debuggers need to know some language to parse expressions.
        let language = AttributeValue::Language(dw::DW_LANG_C11);
        let root = dwarf.unit.get_mut(root);
        root.set(dw::DW_AT_language, language);
        root.set(
            dw::DW_AT_low_pc,
            AttributeValue::Address(Address::Constant(0)),
        );
        UnitBuilder {
            dwarf,
            lines,
            files,
            ranges: Vec::new(),
        }
    }

    fn file(&self, file: u32) -> gimli::write::FileId {
        *self.files.get(file as usize).unwrap_or(&self.files[0])
    }

    fn add(&mut self, address: Address, function: &Function) {
        let length = u64::from(function.len);
        self.ranges.push(Range::StartLength {
            begin: address,
            length,
        });

        let name = self.dwarf.strings.add(printable(&function.name));
        let declared = self.file(function.declared.file);
        let root = self.dwarf.unit.root();
        let id = self.dwarf.unit.add(root, dw::DW_TAG_subprogram);
        let entry = self.dwarf.unit.get_mut(id);
        let mut frame = gimli::write::Expression::new();
        frame.op(dw::DW_OP_call_frame_cfa);
        for (attribute, value) in [
            (dw::DW_AT_name, AttributeValue::StringRef(name)),
            (dw::DW_AT_external, AttributeValue::Flag(true)),
            (dw::DW_AT_prototyped, AttributeValue::Flag(true)),
            (dw::DW_AT_low_pc, AttributeValue::Address(address)),
            (dw::DW_AT_high_pc, AttributeValue::Udata(length)),
            (
                dw::DW_AT_decl_file,
                AttributeValue::FileIndex(Some(declared)),
            ),
            (
                dw::DW_AT_decl_line,
                AttributeValue::Udata(u64::from(function.declared.line)),
            ),
            (dw::DW_AT_frame_base, AttributeValue::Exprloc(frame)),
        ] {
            entry.set(attribute, value);
        }

        let mut rows = function.lines.clone();
        rows.retain(|row| row.offset < function.len);
        rows.sort_by_key(|row| row.offset);
        // The first row is the declaration's, so that a breakpoint on the function goes behind
        // the prologue.
        let first = Line {
            offset: 0,
            ..function.declared
        };
        self.lines.begin_sequence(Some(address));
        let mut prologue = true;
        for (index, row) in std::iter::once(first).chain(rows).enumerate() {
            let file = self.file(row.file);
            let to = self.lines.row();
            to.address_offset = u64::from(row.offset);
            to.file = file;
            to.line = u64::from(row.line);
            to.is_statement = true;
            to.prologue_end = index > 0 && std::mem::take(&mut prologue);
            self.lines.generate_row();
        }
        self.lines.end_sequence(length);
    }

    fn finish(mut self) -> DwarfUnit {
        let unit = &mut self.dwarf.unit;
        let ranges = unit.ranges.add(RangeList(self.ranges));
        let ranges = AttributeValue::RangeListRef(ranges);
        unit.get_mut(unit.root()).set(dw::DW_AT_ranges, ranges);
        unit.line_program = self.lines;
        self.dwarf
    }
}

/// Call frame information, in the two forms that unwinders and debuggers read.
struct Frames(Option<FrameTables>);

struct FrameTables {
    unwinder: (gimli::write::CieId, FrameTable),
    debugger: (gimli::write::CieId, FrameTable),
}

impl Frames {
    /// Nothing, on a machine whose code has no such information.
    fn new(isa: &dyn TargetIsa, address: DwEhPe) -> Frames {
        let table = |address| {
            let mut table = FrameTable::default();
            let mut common = isa.create_systemv_cie()?;
            common.fde_address_encoding = address;
            Some((table.add_cie(common), table))
        };
        let tables = table(address).zip(table(DW_EH_PE_absptr));
        Frames(tables.map(|(unwinder, debugger)| FrameTables { unwinder, debugger }))
    }

    fn add(&mut self, address: Address, function: &Function) {
        let (Some(tables), Some(UnwindInfo::SystemV(info))) = (&mut self.0, &function.unwind)
        else {
            return;
        };
        for (common, table) in [&mut tables.unwinder, &mut tables.debugger] {
            table.add_fde(*common, info.to_fde(address));
        }
    }
}

/// A string that DWARF can hold: not empty and without zero bytes.
fn printable(text: &str) -> Vec<u8> {
    match text {
        "" => b"?".to_vec(),
        text => text.replace('\0', "?").into_bytes(),
    }
}
