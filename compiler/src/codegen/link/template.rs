//! The runtime template: a position-independent executable, dynamic or static, stripped or not.

use std::hash::Hasher;

use kcc_runtime::image::{self, SLOT_LEN};
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{LittleEndian as LE, pod};

use super::LinkError;
use super::layout::{Layout, SEGMENTS};
use super::relocate::store;
use super::room::Room;
use super::sections::{SectionTable, Sections};
use super::x86_64::{self, PAGE};

/// Bytes of an entry of the program header table.
pub(super) const PROGRAM_HEADER_LEN: u64 = size_of::<ProgramHeader64<LE>>() as u64;

/// Most zero bytes that may lie between the template's content and the image.
const MAX_HOLE: u64 = 64 << 20;

/// A template that can be linked with.
pub(super) struct Template<'a> {
    bytes: &'a [u8],
    header: &'a FileHeader64<LE>,
    pub segments: &'a [ProgramHeader64<LE>],
    /// What is added to a file offset of the first segment for its address.
    pub bias: u64,
    /// Where the program header table can grow; `None`: it has to move into the image.
    room: Option<Room>,
    /// Where the image slot is in the file, and its address.
    slot: (u64, u64),
}

fn unreadable(why: object::read::Error) -> LinkError {
    LinkError::Unreadable {
        what: "the runtime template",
        why,
    }
}

impl<'a> Template<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Template<'a>, LinkError> {
        let header = FileHeader64::<LE>::parse(bytes).map_err(unreadable)?;
        header.endian().map_err(unreadable)?;
        x86_64::check_machine("the runtime template", header.e_machine.get(LE))?;
        if header.e_type.get(LE) != elf::ET_DYN {
            return Err(LinkError::Template("not position-independent"));
        }
        let segments = header.program_headers(LE, bytes).map_err(unreadable)?;
        let mut loaded = loaded(segments);
        let first = loaded
            .next()
            .ok_or(LinkError::Template("nothing is loaded"))?;
        let bias = first.p_vaddr.get(LE).wrapping_sub(first.p_offset.get(LE));
        let mut template = Template {
            bytes,
            header,
            segments,
            bias,
            room: Room::find(header, segments, bytes),
            slot: (0, 0),
        };
        template.slot = template.find_slot()?;
        Ok(template)
    }

    /// The slot is the only place with its magic number: the bytes are looked for, as a stripped
    /// template has no name for it.
    fn find_slot(&self) -> Result<(u64, u64), LinkError> {
        let magic = image::slot_magic();
        let finder = memchr::memmem::Finder::new(&magic);
        let mut found = None;
        for segment in loaded(self.segments) {
            let content = segment
                .data(LE, self.bytes)
                .map_err(|()| LinkError::Template("a segment lies outside the file"))?;
            for at in finder.find_iter(content) {
                let slot = content
                    .get(at..at + SLOT_LEN)
                    .ok_or(LinkError::Template("its image slot is cut short"))?;
                let offset = segment.p_offset.get(LE) + at as u64;
                let address = segment.p_vaddr.get(LE).wrapping_add(at as u64);
                if found.replace((slot, offset, address)).is_some() {
                    return Err(LinkError::Template("it has two image slots"));
                }
            }
        }
        let (slot, offset, address) = found.ok_or(LinkError::Template("it has no image slot"))?;
        let (words, _) = slot.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        if word(3) != u64::from(image::ABI_VERSION) {
            return Err(LinkError::Abi {
                template: word(3),
                compiler: image::ABI_VERSION,
            });
        }
        match word(4) {
            0 => Ok((offset, address)),
            _ => Err(LinkError::Template("it already holds a program")),
        }
    }

    /// The file up to the end of the last segment.
    pub fn loaded_part(&self) -> &'a [u8] {
        let end = loaded(self.segments)
            .map(|segment| segment.p_offset.get(LE) + segment.p_filesz.get(LE))
            .max();
        let end = end.unwrap_or(0).min(self.bytes.len() as u64);
        &self.bytes[..end as usize]
    }

    /// Where an image can begin: behind the template, in the file and in memory.
    pub fn image_start(&self) -> Result<u64, LinkError> {
        let content = self.loaded_part().len() as u64;
        let memory = loaded(self.segments)
            .map(|segment| {
                let end = segment.p_vaddr.get(LE).checked_add(segment.p_memsz.get(LE));
                end.map_or(u64::MAX, |end| end.wrapping_sub(self.bias))
            })
            .max()
            .unwrap_or(0);
        let start = content.max(memory);
        if start - content > MAX_HOLE {
            return Err(LinkError::TooLarge("the template's data"));
        }
        Ok(start.next_multiple_of(PAGE))
    }

    /// Bytes that the image begins with for the program header table.
    pub fn table_len(&self) -> u64 {
        match self.room {
            Some(_) => 0,
            None => (self.segments.len() + SEGMENTS) as u64 * PROGRAM_HEADER_LEN,
        }
    }

    /// The sections, with those that are not loaded free to grow.
    pub fn sections(&self) -> Result<Sections<'a>, LinkError> {
        let headers = self.header.section_headers(LE, self.bytes);
        let headers = headers.map_err(unreadable)?;
        let names = match headers {
            [] => 0,
            _ => {
                self.header
                    .section_strings_index(LE, self.bytes)
                    .map_err(unreadable)?
                    .0
            }
        };
        let mut headers = headers.to_vec();
        if let Some(room) = &self.room {
            room.move_sections(&mut headers);
        }
        Ok(Sections::new(&headers, names, self.bytes))
    }

    /// Writes the program header table.
    pub fn store_segments(&self, file: &mut [u8], layout: &Layout) -> Result<(), LinkError> {
        let count = self.segments.len() + layout.segments.len();
        let len = count as u64 * PROGRAM_HEADER_LEN;
        let place = self.table_offset(layout);
        if let Some(room) = &self.room {
            room.move_content(file);
        }
        let mut table = Vec::with_capacity(count);
        let last = self
            .segments
            .iter()
            .rposition(|segment| segment.p_type.get(LE) == elf::PT_LOAD);
        for (index, segment) in self.segments.iter().enumerate() {
            match segment.p_type.get(LE) {
                elf::PT_PHDR => {
                    let kind = (elf::PT_PHDR, elf::PF_R);
                    table.push(new_segment(kind, place, self.bias, len, 8));
                }
                _ => table.push(match &self.room {
                    Some(room) => room.moved_segment(segment),
                    None => *segment,
                }),
            }
            // Loaders want loaded segments in the order of their addresses.
            if Some(index) == last {
                table.extend(layout.segments.iter().map(|new| {
                    let kind = (elf::PT_LOAD, new.flags);
                    let offset = layout.start + new.offset;
                    new_segment(kind, offset, self.bias, new.len, PAGE)
                }));
            }
        }
        store(file, place, pod::bytes_of_slice(&table)).ok_or(LinkError::TooLarge("the segments"))
    }

    fn table_offset(&self, layout: &Layout) -> u64 {
        match self.room {
            Some(_) => self.header.e_phoff.get(LE),
            None => layout.start,
        }
    }

    /// Writes the file header that says where the tables are now.
    pub fn store_file_header(
        &self,
        file: &mut [u8],
        layout: &Layout,
        table: SectionTable,
    ) -> Result<(), LinkError> {
        let mut header = *self.header;
        let count = self.segments.len() + layout.segments.len();
        let count = u16::try_from(count).map_err(|_| LinkError::TooLarge("the segments"))?;
        header.e_phoff.set(LE, self.table_offset(layout));
        header.e_phnum.set(LE, count);
        header.e_shoff.set(LE, table.offset);
        header
            .e_shentsize
            .set(LE, size_of::<elf::SectionHeader64<LE>>() as u16);
        header.e_shnum.set(LE, table.count);
        header.e_shstrndx.set(LE, table.names);
        store(file, 0, pod::bytes_of(&header)).ok_or(LinkError::Template("it has no header"))
    }

    /// Notes in the slot where the header will be.
    pub fn store_slot(&self, file: &mut [u8], header: u64) {
        let (offset, address) = self.slot;
        let distance = header.wrapping_sub(address);
        // `find_slot` saw the whole slot inside a segment.
        let _ = store(file, offset + 32, &distance.to_le_bytes());
    }

    /// Gives the file a build id of its own, so that no tool takes it for the template; a
    /// template without one gets none.
    pub fn store_build_id(&self, file: &mut [u8], object: &[u8]) {
        for segment in self.segments {
            let Ok(Some(mut notes)) = segment.notes(LE, self.bytes) else {
                continue;
            };
            while let Ok(Some(note)) = notes.next() {
                if note.n_type(LE) != elf::NT_GNU_BUILD_ID || note.name() != elf::ELF_NOTE_GNU {
                    continue;
                }
                let old = note.desc();
                let offset = (old.as_ptr().addr() - self.bytes.as_ptr().addr()) as u64;
                let offset = self.room.as_ref().map_or(offset, |room| room.moved(offset));
                let mut new = Vec::with_capacity(old.len() + 8);
                while new.len() < old.len() {
                    let mut hash = std::hash::DefaultHasher::new();
                    hash.write_usize(new.len());
                    hash.write(old);
                    hash.write(object);
                    new.extend_from_slice(&hash.finish().to_le_bytes());
                }
                let _ = store(file, offset, &new[..old.len()]);
            }
        }
    }
}

fn loaded(segments: &[ProgramHeader64<LE>]) -> impl Iterator<Item = &ProgramHeader64<LE>> {
    segments
        .iter()
        .filter(|segment| segment.p_type.get(LE) == elf::PT_LOAD)
}

fn new_segment(
    (kind, flags): (u32, u32),
    offset: u64,
    bias: u64,
    len: u64,
    align: u64,
) -> ProgramHeader64<LE> {
    let long = |n| object::U64::new(LE, n);
    let address = offset.wrapping_add(bias);
    ProgramHeader64 {
        p_type: object::U32::new(LE, kind),
        p_flags: object::U32::new(LE, flags),
        p_offset: long(offset),
        p_vaddr: long(address),
        p_paddr: long(address),
        p_filesz: long(len),
        p_memsz: long(len),
        p_align: long(align),
    }
}
