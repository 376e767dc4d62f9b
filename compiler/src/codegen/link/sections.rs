//! The section header table, and the sections that are not loaded: they follow the image and may
//! grow.

use std::borrow::Cow;

use object::elf::{self, SectionHeader64};
use object::{LittleEndian as LE, pod};

use super::LinkError;

/// A section of the executable.
struct Section<'a> {
    header: SectionHeader64<LE>,
    /// What is written behind the image; `None`: a part of the file that stays where it is.
    content: Option<Cow<'a, [u8]>>,
}

/// All sections of the executable. The template's keep their indexes.
pub(super) struct Sections<'a> {
    sections: Vec<Section<'a>>,
    /// Index of the section that holds the sections' names.
    names: usize,
}

/// Where the section header table is.
pub(super) struct SectionTable {
    pub offset: u64,
    pub count: u16,
    pub names: u16,
}

impl<'a> Sections<'a> {
    /// The template's sections; its names are in section `names` (0: it has no sections).
    pub fn new(headers: &[SectionHeader64<LE>], names: usize, file: &'a [u8]) -> Sections<'a> {
        let content = |header: &SectionHeader64<LE>| {
            let loaded = header.sh_flags.get(LE) & u64::from(elf::SHF_ALLOC) != 0;
            if loaded || matches!(header.sh_type.get(LE), elf::SHT_NULL | elf::SHT_NOBITS) {
                return None;
            }
            let start = usize::try_from(header.sh_offset.get(LE)).ok()?;
            let len = usize::try_from(header.sh_size.get(LE)).ok()?;
            file.get(start..start.checked_add(len)?).map(Cow::Borrowed)
        };
        let mut sections = Sections {
            sections: headers
                .iter()
                .map(|header| Section {
                    header: *header,
                    content: content(header),
                })
                .collect(),
            names,
        };
        if sections.sections.is_empty() {
            sections.sections.push(Section {
                header: new_header(elf::SHT_NULL, 0, 0),
                content: None,
            });
        }
        let named = sections.sections.get(names).map(|names| &names.content);
        if !matches!(named, Some(Some(_))) {
            sections.names = sections.sections.len();
            let mut header = new_header(elf::SHT_STRTAB, 0, 1);
            header.sh_name.set(LE, 1);
            sections.sections.push(Section {
                header,
                content: Some(Cow::Borrowed(b"\0.shstrtab\0")),
            });
        }
        sections
    }

    pub fn len(&self) -> usize {
        self.sections.len()
    }

    /// Adds a section; `content` is for those that are not loaded.
    pub fn push(
        &mut self,
        name: &str,
        mut header: SectionHeader64<LE>,
        content: Option<Vec<u8>>,
    ) -> Result<usize, LinkError> {
        let name = self.add_string(self.names, name)?;
        header.sh_name.set(LE, name);
        self.sections.push(Section {
            header,
            content: content.map(Cow::Owned),
        });
        Ok(self.sections.len() - 1)
    }

    /// The first section with this name that is not loaded.
    pub fn find(&self, name: &str) -> Option<usize> {
        let names = self.sections[self.names].content.as_deref()?;
        self.sections.iter().position(|section| {
            let start = section.header.sh_name.get(LE) as usize;
            section.content.is_some()
                && names
                    .get(start..)
                    .and_then(|rest| rest.strip_prefix(name.as_bytes()))
                    .is_some_and(|rest| rest.first() == Some(&0))
        })
    }

    /// The first section of this type that is not loaded.
    pub fn find_type(&self, kind: u32) -> Option<usize> {
        self.sections
            .iter()
            .position(|section| section.content.is_some() && section.header.sh_type.get(LE) == kind)
    }

    pub fn header(&self, index: usize) -> &SectionHeader64<LE> {
        &self.sections[index].header
    }

    /// The bytes of a section that is not loaded. Those that are have none here.
    pub fn content(&mut self, index: usize) -> &mut Vec<u8> {
        self.sections[index]
            .content
            .get_or_insert_default()
            .to_mut()
    }

    /// Appends to a string table and returns the string's offset.
    pub fn add_string(&mut self, table: usize, string: &str) -> Result<u32, LinkError> {
        let content = self.content(table);
        let offset = u32::try_from(content.len()).map_err(|_| LinkError::TooLarge("names"))?;
        content.extend_from_slice(string.as_bytes());
        content.push(0);
        Ok(offset)
    }

    /// Writes the sections that are not loaded, and the table.
    pub fn write(mut self, file: &mut Vec<u8>) -> Result<SectionTable, LinkError> {
        for section in &mut self.sections {
            if let Some(content) = &section.content {
                let align = section.header.sh_addralign.get(LE).clamp(1, 4096) as usize;
                file.resize(file.len().next_multiple_of(align), 0);
                section.header.sh_offset.set(LE, file.len() as u64);
                section.header.sh_size.set(LE, content.len() as u64);
                file.extend_from_slice(content);
            }
        }
        file.resize(file.len().next_multiple_of(8), 0);
        let offset = file.len() as u64;
        for section in &self.sections {
            file.extend_from_slice(pod::bytes_of(&section.header));
        }
        let number = |n: usize| match u16::try_from(n) {
            Ok(n) if n < elf::SHN_LORESERVE => Ok(n),
            _ => Err(LinkError::TooLarge("the section table")),
        };
        Ok(SectionTable {
            offset,
            count: number(self.sections.len())?,
            names: number(self.names)?,
        })
    }
}

/// A section header without a place.
pub(super) fn new_header(kind: u32, flags: u32, align: u64) -> SectionHeader64<LE> {
    let (word, long) = (
        |n| object::U32::new(LE, n),
        |n: u64| object::U64::new(LE, n),
    );
    SectionHeader64 {
        sh_name: word(0),
        sh_type: word(kind),
        sh_flags: long(u64::from(flags)),
        sh_addr: long(0),
        sh_offset: long(0),
        sh_size: long(0),
        sh_link: word(0),
        sh_info: word(0),
        sh_addralign: long(align),
        sh_entsize: long(0),
    }
}
