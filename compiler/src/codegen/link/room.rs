//! Room for more program headers where the table is: behind it linkers put notes and the loader's
//! name, and among the notes is one of kcc's that is nothing but room. What lies between moves
//! up into it.
//!
//! A table that stays where it is survives `strip` and `objcopy`, which put it there.

use kcc_runtime::image::{ROOM_NOTE_OWNER, ROOM_NOTE_TYPE};
use object::LittleEndian as LE;
use object::elf::{self, FileHeader64, ProgramHeader64, SectionHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::layout::SEGMENTS;
use super::relocate::store;
use super::template::PROGRAM_HEADER_LEN;

/// How far things move: a multiple of their alignment.
const SHIFT: u64 = SEGMENTS as u64 * PROGRAM_HEADER_LEN;

/// A template's room.
pub(super) struct Room {
    /// File offset of the end of the program header table.
    start: u64,
    /// File offset of the note that gives room.
    note: u64,
    /// Length of its content.
    len: u32,
    /// File offset of that content's end.
    end: u64,
}

impl Room {
    /// `None`: no room, or something else lies between the table and the note.
    pub fn find(
        header: &FileHeader64<LE>,
        segments: &[ProgramHeader64<LE>],
        bytes: &[u8],
    ) -> Option<Room> {
        let start = header.e_phoff.get(LE) + segments.len() as u64 * PROGRAM_HEADER_LEN;
        let (content, len) = segments.iter().find_map(|segment| {
            let mut notes = segment.notes(LE, bytes).ok()??;
            while let Ok(Some(note)) = notes.next() {
                let owner = note.name_bytes() == ROOM_NOTE_OWNER;
                if owner && note.n_type(LE) == ROOM_NOTE_TYPE {
                    let content = note.desc().as_ptr().addr() - bytes.as_ptr().addr();
                    return Some((content as u64, note.desc().len() as u32));
                }
            }
            None
        })?;
        let note = content.checked_sub(12 + ROOM_NOTE_OWNER.len() as u64)?;
        let end = content + u64::from(len);
        let room = Room {
            start,
            note,
            len,
            end,
        };
        let sections = header.section_headers(LE, bytes).ok()?;
        let movable = sections.iter().all(|section| {
            let (from, len) = (section.sh_offset.get(LE), section.sh_size.get(LE));
            let outside = len == 0 || from >= end || from.saturating_add(len) <= start;
            let movable = match section.sh_type.get(LE) {
                elf::SHT_NULL | elf::SHT_NOBITS | elf::SHT_NOTE => true,
                // The loader's name, which only the program header refers to.
                elf::SHT_PROGBITS => segments.iter().any(|segment| {
                    segment.p_type.get(LE) == elf::PT_INTERP && segment.p_offset.get(LE) == from
                }),
                _ => false,
            };
            outside || movable
        });
        let fits = u64::from(len) >= SHIFT && start <= note && !sections.is_empty();
        (movable && fits).then_some(room)
    }

    /// Where what was at a file offset is now.
    pub fn moved(&self, offset: u64) -> u64 {
        match (self.start..self.end).contains(&offset) {
            true => offset + SHIFT,
            false => offset,
        }
    }

    /// How much shorter a stretch is now.
    fn shrunk(&self, offset: u64, len: u64) -> u64 {
        match (offset..offset.saturating_add(len)).contains(&self.note) {
            true => SHIFT.min(len),
            false => 0,
        }
    }

    pub fn move_sections(&self, headers: &mut [SectionHeader64<LE>]) {
        for header in headers {
            let (offset, len) = (header.sh_offset.get(LE), header.sh_size.get(LE));
            let kind = header.sh_type.get(LE);
            if !(self.start..self.end).contains(&offset) || kind == elf::SHT_NOBITS {
                continue;
            }
            header.sh_offset.set(LE, offset + SHIFT);
            let address = header.sh_addr.get(LE).wrapping_add(SHIFT);
            header.sh_addr.set(LE, address);
            header.sh_size.set(LE, len - self.shrunk(offset, len));
        }
    }

    /// A segment of the template as it is now.
    pub fn moved_segment(&self, segment: &ProgramHeader64<LE>) -> ProgramHeader64<LE> {
        let mut segment = *segment;
        let (offset, len) = (segment.p_offset.get(LE), segment.p_filesz.get(LE));
        let kind = segment.p_type.get(LE);
        if kind == elf::PT_LOAD || !(self.start..self.end).contains(&offset) {
            return segment;
        }
        let shrunk = self.shrunk(offset, len);
        segment.p_offset.set(LE, offset + SHIFT);
        for address in [&mut segment.p_vaddr, &mut segment.p_paddr] {
            address.set(LE, address.get(LE).wrapping_add(SHIFT));
        }
        for len in [&mut segment.p_filesz, &mut segment.p_memsz] {
            len.set(LE, len.get(LE).saturating_sub(shrunk));
        }
        segment
    }

    /// Moves the bytes, and shortens the note.
    pub fn move_content(&self, file: &mut [u8]) {
        let (start, end) = (self.start as usize, (self.end - SHIFT) as usize);
        if file.len() as u64 >= self.end && start <= end {
            file.copy_within(start..end, start + SHIFT as usize);
            let len = self.len - SHIFT as u32;
            // Inside the file, as its end is.
            let _ = store(file, self.note + SHIFT + 4, &len.to_le_bytes());
        }
    }
}
