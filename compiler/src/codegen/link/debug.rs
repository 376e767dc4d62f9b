//! Debugging information: the object's DWARF sections are appended to the template's, as any
//! linker does.

use object::{LittleEndian as LE, elf};

use super::LinkError;
use super::input::{Input, Use};
use super::layout::Layout;
use super::relocate::relocate_debug;
use super::sections::{Sections, new_header};

/// Merges the object's debugging sections into the executable's.
pub(super) fn add(
    sections: &mut Sections,
    input: &Input,
    layout: &Layout,
) -> Result<(), LinkError> {
    let mut bases = vec![0; input.sections.len()];
    let mut targets = vec![0; input.sections.len()];
    for (index, section) in input.sections.iter().enumerate() {
        if section.usage != Use::Debug {
            continue;
        }
        let target = match sections.find(section.name) {
            Some(target) => target,
            None => {
                let keep = section.flags as u32 & (elf::SHF_MERGE | elf::SHF_STRINGS);
                let mut header = new_header(elf::SHT_PROGBITS, keep, section.align);
                if keep & elf::SHF_MERGE != 0 {
                    header.sh_entsize.set(LE, 1);
                }
                sections.push(section.name, header, Some(Vec::new()))?
            }
        };
        let compressed = u64::from(elf::SHF_COMPRESSED);
        if sections.header(target).sh_flags.get(LE) & compressed != 0 {
            return Err(LinkError::Template(
                "its debugging information is compressed",
            ));
        }
        let content = sections.content(target);
        let base = content.len().next_multiple_of(section.align as usize);
        content.resize(base + section.bytes.len(), 0);
        targets[index] = target;
        bases[index] = base as u64;
    }
    for (index, section) in input.sections.iter().enumerate() {
        if section.usage != Use::Debug {
            continue;
        }
        let mut bytes = section.bytes.to_vec();
        relocate_debug(&mut bytes, index, input, layout, &bases)?;
        let base = bases[index] as usize;
        sections.content(targets[index])[base..base + bytes.len()].copy_from_slice(&bytes);
    }
    Ok(())
}
