//! The compiled program inside a standalone executable: its format, and how the executable
//! finds and starts it.
//!
//! The executable is this workspace's runtime (the *template*) with the program's sections added
//! as further ELF segments. What the two agree on is [`Header`]: the linker writes one into the
//! image and its distance into [`SLOT`]; the template reads it from there at start, fills the
//! image's import slots with the addresses of runtime functions **by name**, applies the
//! relocations, and registers the unwind tables.
//!
//! All distances are relative to the header, so an image works wherever the executable is loaded.
//!
//! **Invariant**: nothing outside [`Header::span`] is read or written, whatever the header says.

mod load;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub use load::{Image, ImageError, LoadedImage, find};

/// Version of everything compiled code and the runtime agree on. An image and a template of
/// different versions refuse each other.
pub const ABI_VERSION: u32 = crate::abi::VERSION;

/// First eight bytes of an image: `kccimage`.
pub const HEADER_MAGIC: u64 = u64::from_le_bytes(*b"kccimage");

/// Data symbol of the object file that holds the serialized manifest.
pub const MANIFEST_SYMBOL: &str = "kcc_manifest";

/// Data symbol of the object file that holds the array of pointers to compiled functions.
pub const ENTRIES_SYMBOL: &str = "kcc_entries";

/// Where the linker notes the place of the image.
///
/// The values are atomic only so that no compiler takes them for constants: the linker changes
/// the bytes in the file. Nothing stores to them at run time.
#[used]
static SLOT: Slot = Slot {
    magic: [
        AtomicU64::new(0x9c1f_6b0e_b3d2_70a5),
        AtomicU64::new(0x51e8_d94a_07c6_3f2b),
        AtomicU64::new(0xe637_82fd_145b_a98c),
    ],
    abi: AtomicU64::new(ABI_VERSION as u64),
    header: AtomicI64::new(0),
};

#[repr(C)]
struct Slot {
    magic: [AtomicU64; 3],
    abi: AtomicU64,
    header: AtomicI64,
}

/// Type of the ELF note with owner [`ROOM_NOTE_OWNER`] whose content is room to grow the program
/// header table into: linkers put notes right behind that table, where otherwise is no room.
pub const ROOM_NOTE_TYPE: u32 = 1;

/// Owner of the note of type [`ROOM_NOTE_TYPE`].
pub const ROOM_NOTE_OWNER: &[u8; 4] = b"kcc\0";

/// An ELF note: lengths of owner and content, type, owner, content.
#[repr(C)]
struct Note<const LEN: usize> {
    owner_len: u32,
    len: u32,
    kind: u32,
    owner: [u8; 4],
    content: [u8; LEN],
}

#[used]
#[unsafe(link_section = ".note.kcc")]
static ROOM: Note<256> = Note {
    owner_len: ROOM_NOTE_OWNER.len() as u32,
    len: 256,
    kind: ROOM_NOTE_TYPE,
    owner: *ROOM_NOTE_OWNER,
    content: [0; 256],
};

/// Bytes of a slot in the file: 24 of [`slot_magic`], the ABI version (`u64`), the distance from
/// the slot's first byte to the header (`i64`, 0 in a template).
pub const SLOT_LEN: usize = size_of::<Slot>();

/// The bytes by which a linker recognises the slot in a template.
pub fn slot_magic() -> [u8; 24] {
    let mut bytes = [0; 24];
    for (to, word) in bytes.chunks_exact_mut(8).zip(&SLOT.magic) {
        to.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
    }
    bytes
}

/// A stretch of the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Bytes from the header to the first byte.
    pub offset: i64,
    /// Length in bytes.
    pub len: u64,
}

/// What the linker says about an image. Stored as little-endian 64-bit words in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Version of the runtime interface that the code was compiled for: [`ABI_VERSION`].
    pub abi: u32,
    /// The whole image.
    pub span: Span,
    /// The serialized manifest.
    pub manifest: Span,
    /// Array of 64-bit pointers to the compiled functions, in the manifest's order.
    pub entries: Span,
    /// Names of the imported runtime functions, one for each slot of `imports`: see
    /// [`import_names`].
    pub names: Span,
    /// Array of 64-bit slots that receive the addresses of the imported functions.
    pub imports: Span,
    /// Array of [`Relocation`].
    pub relocations: Span,
    /// Call frame information, closed by a zero word.
    pub eh_frame: Span,
    /// What relocations and import slots lie in.
    pub writable: Span,
    /// Whole pages that are read-only once the image is loaded.
    pub relro: Span,
}

impl Header {
    const SPANS: usize = 9;
    /// Length of a stored header in bytes.
    pub const LEN: usize = 8 * (2 + 2 * Self::SPANS);

    fn spans(&self) -> [Span; Self::SPANS] {
        [
            self.span,
            self.manifest,
            self.entries,
            self.names,
            self.imports,
            self.relocations,
            self.eh_frame,
            self.writable,
            self.relro,
        ]
    }

    /// The stored form.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let words = [HEADER_MAGIC, u64::from(self.abi)].into_iter().chain(
            self.spans()
                .into_iter()
                .flat_map(|span| [span.offset as u64, span.len]),
        );
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads the stored form. `None`: it does not begin with [`HEADER_MAGIC`].
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Header> {
        let mut words = [0u64; Self::LEN / 8];
        for (word, from) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*from);
        }
        let span = |at: usize| Span {
            offset: words[2 + 2 * at] as i64,
            len: words[3 + 2 * at],
        };
        (words[0] == HEADER_MAGIC).then(|| Header {
            abi: words[1] as u32,
            span: span(0),
            manifest: span(1),
            entries: span(2),
            names: span(3),
            imports: span(4),
            relocations: span(5),
            eh_frame: span(6),
            writable: span(7),
            relro: span(8),
        })
    }
}

/// A 64-bit word of the image that receives an address at load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// Bytes from the header to the word.
    pub offset: i64,
    /// Index of the import that `addend` counts from; `None`: the header.
    pub import: Option<u32>,
    /// What is added to that address.
    pub addend: i64,
}

impl Relocation {
    /// Length of a stored relocation in bytes.
    pub const LEN: usize = 24;

    /// The stored form.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let import = self.import.map_or(0, |index| u64::from(index) + 1);
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&import.to_le_bytes());
        bytes[16..].copy_from_slice(&self.addend.to_le_bytes());
        bytes
    }

    /// Reads the stored form.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Relocation {
        let [offset, import, addend] = [0, 8, 16].map(|at| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        });
        Relocation {
            offset: offset as i64,
            import: import.checked_sub(1).map(|index| index as u32),
            addend: addend as i64,
        }
    }
}

/// Stores import names: each is followed by a zero byte.
pub fn store_import_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Reads what [`store_import_names`] stored; a name that is not UTF-8 reads as empty.
pub fn import_names(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes
        .split_inclusive(|&byte| byte == 0)
        .map(|name| str::from_utf8(name.strip_suffix(&[0]).unwrap_or(name)).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_survives_storage() {
        let header = Header {
            abi: 7,
            span: Span {
                offset: -4096,
                len: 8192,
            },
            manifest: Span { offset: 1, len: 2 },
            relro: Span {
                offset: 4096,
                len: 4096,
            },
            ..Header::default()
        };
        assert_eq!(Header::from_bytes(&header.to_bytes()), Some(header));
        assert_eq!(Header::from_bytes(&[0; Header::LEN]), None);
    }

    #[test]
    fn relocation_survives_storage() {
        for import in [None, Some(0), Some(41)] {
            let relocation = Relocation {
                offset: -8,
                import,
                addend: -1,
            };
            assert_eq!(Relocation::from_bytes(&relocation.to_bytes()), relocation);
        }
    }

    #[test]
    fn import_names_survive_storage() {
        let names = ["kcc_log", "", "memcpy"];
        let bytes = store_import_names(names);
        assert!(import_names(&bytes).eq(names));
    }

    #[test]
    fn a_program_that_was_not_linked_has_no_image() {
        assert!(find().is_none());
    }
}
