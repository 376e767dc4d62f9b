//! Where everything comes to lie in the image.
//!
//! Offsets are bytes from the image's first byte unless they are said to be others.

use kcc_runtime::image::{self, Header, Span};
use object::elf;

use super::LinkError;
use super::input::{Input, Place, Use};
use super::plan::Plan;
use super::relocate::store;
use super::sections::{Sections, new_header};
use super::template::Template;
use super::x86_64::{PAGE, STUB_LEN};

/// Most segments that an image has.
pub(super) const SEGMENTS: usize = 3;

/// A section of the executable that the image consists of.
struct Part {
    name: &'static str,
    flags: u32,
    offset: u64,
    len: u64,
    align: u64,
}

/// A loaded stretch of whole pages (the last is cut where its content ends).
pub(super) struct Segment {
    pub flags: u32,
    pub offset: u64,
    pub len: u64,
}

/// The finished layout.
pub(super) struct Layout {
    /// Where the image begins in the file.
    pub start: u64,
    /// What is added to a file offset for the address.
    bias: u64,
    pub segments: Vec<Segment>,
    parts: Vec<Part>,
    /// By index of the input section: its part and its offset.
    places: Vec<Option<(usize, u64)>>,
    header: u64,
    names: u64,
    relocations: u64,
    slots: u64,
    stubs: u64,
    relro: u64,
    len: u64,
}

const READ: u32 = elf::SHF_ALLOC;
const CODE: u32 = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
const WRITE: u32 = elf::SHF_ALLOC | elf::SHF_WRITE;

impl Layout {
    pub fn new(template: &Template, input: &Input, plan: &Plan) -> Result<Layout, LinkError> {
        let mut layout = Layout {
            start: template.image_start()?,
            bias: template.bias,
            segments: Vec::new(),
            parts: Vec::new(),
            places: vec![None; input.sections.len()],
            header: 0,
            names: 0,
            relocations: 0,
            slots: 0,
            stubs: 0,
            relro: 0,
            len: template.table_len(),
        };
        let usage = |index: usize| input.sections[index].usage;
        let relro = |index: usize| plan.relro.contains(&index);

        let part = layout.open(".kcc.image", READ);
        layout.header = layout.grow(part, 8, Header::LEN as u64);
        let relocations = (image::Relocation::LEN * plan.relocations) as u64;
        layout.relocations = layout.grow(part, 8, relocations);
        let names: usize = plan.imports.iter().map(|name| name.len() + 1).sum();
        layout.names = layout.grow(part, 1, names as u64);
        layout.collect(input, ".kcc.rodata", READ, |at| {
            usage(at) == Use::Constant && !relro(at)
        });
        layout.collect_frames(input, |at| !relro(at));
        layout.segments.push(Segment {
            flags: elf::PF_R,
            offset: 0,
            len: layout.len,
        });

        let code = layout.open_segment();
        let part = layout.collect(input, ".kcc.text", CODE, |at| usage(at) == Use::Code);
        layout.stubs = layout.grow(part, 16, STUB_LEN * plan.stubs.len() as u64);
        layout.close_segment(code, elf::PF_R | elf::PF_X);

        let data = layout.open_segment();
        layout.relro = data;
        layout.collect(input, ".kcc.relro", WRITE, |at| {
            usage(at) == Use::Constant && relro(at)
        });
        layout.collect_frames(input, relro);
        let part = layout.open(".kcc.got", WRITE);
        layout.slots = layout.grow(part, 8, 8 * plan.slot_count() as u64);
        if layout.len > data {
            layout.len = layout.len.next_multiple_of(PAGE);
        }
        layout.relro = layout.len - data;
        layout.collect(input, ".kcc.data", WRITE, |at| usage(at) == Use::Data);
        layout.close_segment(data, elf::PF_R | elf::PF_W);

        let end = layout.start.checked_add(layout.len);
        end.filter(|&end| end <= i32::MAX as u64)
            .ok_or(LinkError::TooLarge("the image"))?;
        Ok(layout)
    }

    fn open(&mut self, name: &'static str, flags: u32) -> usize {
        self.parts.push(Part {
            name,
            flags,
            offset: self.len,
            len: 0,
            align: 1,
        });
        self.parts.len() - 1
    }

    /// Makes room at the end of the last part and returns where.
    fn grow(&mut self, part: usize, align: u64, len: u64) -> u64 {
        let at = self.len.next_multiple_of(align);
        if len > 0 {
            let part = &mut self.parts[part];
            if part.len == 0 {
                part.offset = at;
            }
            part.len = at + len - part.offset;
            part.align = part.align.max(align);
            self.len = at + len;
        }
        at
    }

    fn collect(
        &mut self,
        input: &Input,
        name: &'static str,
        flags: u32,
        wanted: impl Fn(usize) -> bool,
    ) -> usize {
        let part = self.open(name, flags);
        for (index, section) in input.sections.iter().enumerate() {
            if wanted(index) {
                let at = self.grow(part, section.align, section.bytes.len() as u64);
                self.places[index] = Some((part, at));
            }
        }
        part
    }

    /// Places the unwind tables of one segment, and the zero word that closes them.
    fn collect_frames(&mut self, input: &Input, wanted: impl Fn(usize) -> bool) {
        let flags = self.parts.last().map_or(READ, |part| part.flags);
        let part = self.collect(input, ".kcc.eh_frame", flags, |at| {
            input.sections[at].usage == Use::EhFrame && wanted(at)
        });
        if self.parts[part].len > 0 {
            self.grow(part, 4, 4);
        }
    }

    fn open_segment(&mut self) -> u64 {
        self.len = self.len.next_multiple_of(PAGE);
        self.len
    }

    fn close_segment(&mut self, offset: u64, flags: u32) {
        let len = self.len - offset;
        if len > 0 {
            self.segments.push(Segment { flags, offset, len });
        }
    }

    /// Where an input section begins; `None`: not in the image.
    pub fn place(&self, section: usize) -> Option<u64> {
        self.places.get(section).copied().flatten().map(|at| at.1)
    }

    /// Where a place of the object came to lie.
    pub fn offset(&self, place: Place) -> Option<u64> {
        self.place(place.section)?.checked_add(place.offset)
    }

    /// The address at which an offset is loaded when the executable is loaded where it says.
    pub fn address(&self, offset: u64) -> u64 {
        self.start.wrapping_add(self.bias).wrapping_add(offset)
    }

    pub fn header_address(&self) -> u64 {
        self.address(self.header)
    }

    /// Bytes from the header to `offset`.
    pub fn header_distance(&self, offset: u64) -> i64 {
        offset.wrapping_sub(self.header) as i64
    }

    pub fn slot(&self, index: usize) -> u64 {
        self.slots + 8 * index as u64
    }

    pub fn stub(&self, index: usize) -> u64 {
        self.stubs + STUB_LEN * index as u64
    }

    /// The image with the object's bytes in their places.
    pub fn copy(&self, input: &Input) -> Vec<u8> {
        let mut image = vec![0; self.len as usize];
        for (index, section) in input.sections.iter().enumerate() {
            if let Some(at) = self.place(index) {
                image[at as usize..][..section.bytes.len()].copy_from_slice(&section.bytes);
            }
        }
        image
    }

    /// Writes the header and the tables beside it.
    pub fn store_header(
        &self,
        image: &mut [u8],
        input: &Input,
        plan: &Plan,
        relocations: &[image::Relocation],
    ) -> Result<(), LinkError> {
        let span = |offset: u64, len: u64| Span {
            offset: self.header_distance(offset),
            len,
        };
        let symbol = |name: &'static str| {
            let mut defined = input.defined();
            let (symbol, place) = defined
                .find(|(symbol, _)| symbol.name == name)
                .ok_or(LinkError::MissingSymbol(name))?;
            let offset = self.offset(place).ok_or(LinkError::MissingSymbol(name))?;
            Ok(span(offset, symbol.size))
        };
        let relocations: Vec<u8> = relocations.iter().flat_map(|r| r.to_bytes()).collect();
        let names = image::store_import_names(plan.imports.iter().copied());
        let frames = self
            .parts
            .iter()
            .find(|part| part.name == ".kcc.eh_frame" && part.len > 0);
        let writable = self
            .segments
            .iter()
            .find(|segment| segment.flags & elf::PF_W != 0);
        let data = writable.map_or(0, |segment| segment.offset);
        let header = Header {
            abi: image::ABI_VERSION,
            span: span(0, self.len),
            manifest: symbol(image::MANIFEST_SYMBOL)?,
            entries: symbol(image::ENTRIES_SYMBOL)?,
            names: span(self.names, names.len() as u64),
            imports: span(self.slots, 8 * plan.imports.len() as u64),
            relocations: span(self.relocations, relocations.len() as u64),
            eh_frame: frames.map_or(Span::default(), |part| span(part.offset, part.len)),
            writable: writable.map_or(Span::default(), |segment| span(data, segment.len)),
            relro: span(data, self.relro),
        };
        for (offset, bytes) in [
            (self.header, header.to_bytes().as_slice()),
            (self.names, &names),
            (self.relocations, &relocations),
        ] {
            store(image, offset, bytes).ok_or(LinkError::TooLarge("the image"))?;
        }
        Ok(())
    }

    /// Adds a section header for each part that is not empty; returns the parts' section indexes.
    pub fn add_sections(&self, sections: &mut Sections) -> Result<Vec<Option<usize>>, LinkError> {
        let mut indexes = Vec::new();
        for part in &self.parts {
            if part.len == 0 {
                indexes.push(None);
                continue;
            }
            let mut header = new_header(elf::SHT_PROGBITS, part.flags, part.align);
            header
                .sh_addr
                .set(object::LittleEndian, self.address(part.offset));
            header
                .sh_offset
                .set(object::LittleEndian, self.start + part.offset);
            header.sh_size.set(object::LittleEndian, part.len);
            indexes.push(Some(sections.push(part.name, header, None)?));
        }
        Ok(indexes)
    }

    /// The part that a place of the object is in.
    pub fn part(&self, place: Place) -> Option<usize> {
        self.places.get(place.section)?.map(|at| at.0)
    }
}
