//! The object file, reduced to what is linked: sections by use, symbols by place, relocations.

use std::borrow::Cow;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader as _};
use object::{LittleEndian, Object, ObjectSection, ObjectSymbol, RelocationFlags};
use object::{RelocationTarget, SectionIndex, SymbolIndex};

use super::{LinkError, x86_64};

/// What a section's bytes are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Constants.
    Constant,
    /// Call frame information for the unwinder.
    EhFrame,
    /// Instructions.
    Code,
    /// Data that the program writes to.
    Data,
    /// DWARF; not loaded.
    Debug,
}

/// A section that is linked.
pub(super) struct InputSection<'a> {
    pub name: &'a str,
    pub usage: Use,
    pub align: u64,
    pub flags: u64,
    pub bytes: Cow<'a, [u8]>,
    pub relocations: Vec<InputRelocation>,
}

/// A place that depends on where things come to lie.
pub(super) struct InputRelocation {
    /// Bytes from the section's start.
    pub offset: u64,
    pub kind: x86_64::Relocation,
    pub symbol: SymbolIndex,
    pub addend: i64,
}

/// A name, or a section's start.
pub(super) struct InputSymbol<'a> {
    pub name: &'a str,
    /// `None`: not in this object, hence a runtime function.
    pub place: Option<Place>,
    pub size: u64,
    pub function: bool,
}

/// A place in the object.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Index into [`Input::sections`].
    pub section: usize,
    /// Bytes from the section's start.
    pub offset: u64,
}

/// The object file.
pub(super) struct Input<'a> {
    pub sections: Vec<InputSection<'a>>,
    /// By index in the object's symbol table; `None`: takes no part in linking.
    pub symbols: Vec<Option<InputSymbol<'a>>>,
}

fn unreadable(why: object::read::Error) -> LinkError {
    LinkError::Unreadable {
        what: "the object file",
        why,
    }
}

impl<'a> Input<'a> {
    pub fn parse(object: &'a [u8]) -> Result<Input<'a>, LinkError> {
        let file = ElfFile64::<LittleEndian>::parse(object).map_err(unreadable)?;
        let header = file.elf_header();
        x86_64::check_machine("the object file", header.e_machine(LittleEndian))?;

        let mut input = Input {
            sections: Vec::new(),
            symbols: Vec::new(),
        };
        let mut linked: Vec<(SectionIndex, usize)> = Vec::new();
        for section in file.sections() {
            let name = section.name().map_err(unreadable)?;
            let header = section.elf_section_header();
            let flags = header.sh_flags.get(LittleEndian);
            let Some(usage) = usage(name, header.sh_type.get(LittleEndian), flags) else {
                continue;
            };
            let size = usize::try_from(section.size())
                .ok()
                .filter(|&size| size <= u32::MAX as usize)
                .ok_or(LinkError::TooLarge("a section of the object file"))?;
            let bytes = match header.sh_type.get(LittleEndian) {
                elf::SHT_NOBITS => Cow::Owned(vec![0; size]),
                _ => Cow::Borrowed(section.data().map_err(unreadable)?),
            };
            linked.push((section.index(), input.sections.len()));
            input.sections.push(InputSection {
                name,
                usage,
                align: section.align().clamp(1, 4096).next_power_of_two(),
                flags,
                bytes,
                relocations: Vec::new(),
            });
        }
        let place_of = |index| linked.iter().find(|at| at.0 == index).map(|at| at.1);
        input.add_symbols(&file, place_of)?;
        for &(index, at) in &linked {
            let section = file.section_by_index(index).map_err(unreadable)?;
            input.sections[at].relocations = input.relocations(&section, at)?;
        }
        Ok(input)
    }

    fn add_symbols(
        &mut self,
        file: &ElfFile64<'a, LittleEndian>,
        place_of: impl Fn(SectionIndex) -> Option<usize>,
    ) -> Result<(), LinkError> {
        for symbol in file.symbols() {
            let place = match symbol.section_index() {
                _ if symbol.is_undefined() => None,
                Some(index) => match place_of(index) {
                    Some(section) => Some(Place {
                        section,
                        offset: symbol.address(),
                    }),
                    None => continue,
                },
                None => continue,
            };
            let index = symbol.index().0;
            if self.symbols.len() <= index {
                self.symbols.resize_with(index + 1, || None);
            }
            self.symbols[index] = Some(InputSymbol {
                name: symbol.name().map_err(unreadable)?,
                place,
                size: symbol.size(),
                function: symbol.elf_symbol().st_type() == elf::STT_FUNC,
            });
        }
        Ok(())
    }

    fn relocations<'f>(
        &self,
        section: &impl ObjectSection<'f>,
        at: usize,
    ) -> Result<Vec<InputRelocation>, LinkError> {
        let to = &self.sections[at];
        let mut found = Vec::new();
        for (offset, relocation) in section.relocations() {
            let RelocationFlags::Elf { r_type } = relocation.flags() else {
                continue;
            };
            let symbol = match relocation.target() {
                RelocationTarget::Symbol(index) => index,
                _ => SymbolIndex(0),
            };
            let known = self.symbols.get(symbol.0).and_then(Option::as_ref);
            let unsupported = || LinkError::Relocation {
                kind: r_type,
                symbol: known.map_or("", |symbol| symbol.name).to_owned(),
                section: to.name.to_owned(),
            };
            let kind = x86_64::Relocation::from_elf(r_type).ok_or_else(unsupported)?;
            let import = known.ok_or_else(unsupported)?.place.is_none();
            if !kind.allowed(to.usage) || (import && to.usage == Use::Debug) {
                return Err(unsupported());
            }
            if offset.saturating_add(kind.len() as u64) > to.bytes.len() as u64 {
                return Err(LinkError::Range {
                    section: to.name.to_owned(),
                    offset,
                });
            }
            found.push(InputRelocation {
                offset,
                kind,
                symbol,
                addend: relocation.addend(),
            });
        }
        Ok(found)
    }

    /// The symbol of a relocation. Never fails: `parse` refused relocations without one.
    pub fn symbol(&self, index: SymbolIndex) -> &InputSymbol<'a> {
        const NONE: InputSymbol<'static> = InputSymbol {
            name: "",
            place: None,
            size: 0,
            function: false,
        };
        self.symbols
            .get(index.0)
            .and_then(Option::as_ref)
            .unwrap_or(&NONE)
    }

    /// The symbols that are defined here.
    pub fn defined(&self) -> impl Iterator<Item = (&InputSymbol<'a>, Place)> {
        let symbols = self.symbols.iter().flatten();
        symbols.filter_map(|symbol| symbol.place.map(|place| (symbol, place)))
    }
}

fn usage(name: &str, kind: u32, flags: u64) -> Option<Use> {
    let has = |flag: u32| flags & u64::from(flag) != 0;
    match kind {
        elf::SHT_PROGBITS | elf::SHT_NOBITS | elf::SHT_X86_64_UNWIND => {}
        _ => return None,
    }
    if !has(elf::SHF_ALLOC) {
        return name.starts_with(".debug_").then_some(Use::Debug);
    }
    Some(match name {
        ".eh_frame" => Use::EhFrame,
        _ if has(elf::SHF_EXECINSTR) => Use::Code,
        // What is writable only until it is relocated is told apart by `Plan`.
        ".data.rel.ro" | ".data.rel.ro.local" => Use::Constant,
        _ if has(elf::SHF_WRITE) => Use::Data,
        _ => Use::Constant,
    })
}
