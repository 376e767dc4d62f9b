//! The symbol table: the template's, with the program's names added, or a new one where the
//! template was stripped.
//!
//! It is extended where it is in the section table, since perf reads no second one.

use object::elf::{self, Sym64};
use object::{LittleEndian as LE, pod};

use super::LinkError;
use super::input::Input;
use super::layout::Layout;
use super::sections::{Sections, new_header};

/// Adds the object's named symbols; `parts` are the section indexes of the layout's parts.
pub(super) fn add(
    sections: &mut Sections,
    input: &Input,
    layout: &Layout,
    parts: &[Option<usize>],
) -> Result<(), LinkError> {
    let (table, strings) = match sections.find_type(elf::SHT_SYMTAB) {
        Some(table) => (table, sections.header(table).sh_link.get(LE) as usize),
        None => new_table(sections)?,
    };
    if strings >= sections.len() {
        return Err(LinkError::Template("its symbol table has no names"));
    }
    for (symbol, place) in input.defined() {
        let section = layout.part(place).and_then(|part| parts[part]);
        let (Some(offset), Some(section)) = (layout.offset(place), section) else {
            continue;
        };
        if symbol.name.is_empty() {
            continue;
        }
        let kind = match symbol.function {
            true => elf::STT_FUNC,
            false => elf::STT_OBJECT,
        };
        let section =
            u16::try_from(section).map_err(|_| LinkError::TooLarge("the section table"))?;
        let name = sections.add_string(strings, symbol.name)?;
        // Global, as local symbols would have to come before the template's global ones.
        let entry = Sym64::<LE> {
            st_name: object::U32::new(LE, name),
            st_info: (elf::STB_GLOBAL << 4) | kind,
            st_other: elf::STV_HIDDEN,
            st_shndx: object::U16::new(LE, section),
            st_value: object::U64::new(LE, layout.address(offset)),
            st_size: object::U64::new(LE, symbol.size),
        };
        sections
            .content(table)
            .extend_from_slice(pod::bytes_of(&entry));
    }
    Ok(())
}

fn new_table(sections: &mut Sections) -> Result<(usize, usize), LinkError> {
    let strings = new_header(elf::SHT_STRTAB, 0, 1);
    let strings = sections.push(".strtab", strings, Some(vec![0]))?;
    let entry = size_of::<Sym64<LE>>();
    let mut header = new_header(elf::SHT_SYMTAB, 0, 8);
    header.sh_entsize.set(LE, entry as u64);
    header.sh_link.set(LE, strings as u32);
    // The first global symbol: after the null symbol.
    header.sh_info.set(LE, 1);
    let table = sections.push(".symtab", header, Some(vec![0; entry]))?;
    Ok((table, strings))
}
