//! Loading: the only code that touches an image's memory.
//!
//! The kernel has mapped the image's segments with the rest of the executable; nothing is
//! allocated or mapped here, and what is loaded stays for the life of the process.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{ABI_VERSION, Header, Relocation, SLOT, Span, import_names};
use crate::unwind::{RegisteredFrames, UnwindError};

/// The image of this executable, found and not yet loaded.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    base: *const u8,
    header: Header,
}

/// A program that is ready to run.
#[derive(Debug)]
pub struct LoadedImage {
    /// The serialized manifest.
    pub manifest: &'static [u8],
    /// The compiled functions, in the manifest's order.
    pub entries: Vec<*const ()>,
}

/// Why an image cannot be started.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The code was compiled for another version of the runtime.
    #[error("the program was compiled for runtime interface {image}, this is {runtime}")]
    Abi {
        /// The version that the image asks for.
        image: u32,
        /// The version of this runtime.
        runtime: u32,
    },
    /// The image asks for functions that this runtime does not have.
    #[error("the program needs functions that this runtime does not have: {}", .0.join(", "))]
    MissingImports(Vec<String>),
    /// The image contradicts itself.
    #[error("the program inside this executable is damaged: {0}")]
    Damaged(&'static str),
    /// The image was loaded before.
    #[error("the program is already loaded")]
    AlreadyLoaded,
    /// The call frame information was refused.
    #[error(transparent)]
    Unwind(#[from] UnwindError),
    /// The kernel refused to protect the image.
    #[error("cannot make the program's tables read-only: {0}")]
    Protect(std::io::ErrorKind),
}

/// The image that was linked into this executable; `None` in a bare template, or in the compiler.
pub fn find() -> Option<Image> {
    let distance = SLOT.header.load(Ordering::Relaxed);
    if distance == 0 {
        return None;
    }
    let slot = std::ptr::from_ref(&SLOT).expose_provenance();
    let base = std::ptr::with_exposed_provenance::<u8>(slot.wrapping_add_signed(distance as isize));
    // SAFETY: only the linker stores a distance, and it is that of a `Header` in a readable
    // segment of this executable; bytes have no alignment and no invalid values.
    let bytes = unsafe { base.cast::<[u8; Header::LEN]>().read() };
    Header::from_bytes(&bytes).map(|header| Image { base, header })
}

impl Image {
    /// Makes the program ready to run: `resolve` gives the address of a runtime function by name.
    ///
    /// A process loads its image once; a second call is [`ImageError::AlreadyLoaded`].
    pub fn load(
        self,
        resolve: &dyn Fn(&str) -> Option<*const ()>,
    ) -> Result<LoadedImage, ImageError> {
        static LOADED: AtomicBool = AtomicBool::new(false);
        if self.header.abi != ABI_VERSION {
            return Err(ImageError::Abi {
                image: self.header.abi,
                runtime: ABI_VERSION,
            });
        }
        let imports = self.resolve_imports(resolve)?;
        let manifest = self.bytes(self.header.manifest, "manifest")?;
        let eh_frame = self.bytes(self.header.eh_frame, "unwind table")?;
        if LOADED.swap(true, Ordering::SeqCst) {
            return Err(ImageError::AlreadyLoaded);
        }
        self.bind(&imports)?;
        self.protect()?;
        let entries = self.entries()?;
        if !eh_frame.is_empty() {
            // SAFETY: the linker relocated the table against the image's own text, which stays
            // mapped for the life of the process, and so does the table.
            let frames = unsafe { RegisteredFrames::register(Cow::Borrowed(eh_frame)) }?;
            std::mem::forget(frames);
        }
        Ok(LoadedImage { manifest, entries })
    }

    fn resolve_imports(
        &self,
        resolve: &dyn Fn(&str) -> Option<*const ()>,
    ) -> Result<Vec<u64>, ImageError> {
        let names = self.bytes(self.header.names, "import names")?;
        let mut addresses = Vec::new();
        let mut missing = Vec::new();
        for name in import_names(names) {
            match resolve(name) {
                Some(address) => addresses.push(address.addr() as u64),
                None => missing.push(name.to_owned()),
            }
        }
        if !missing.is_empty() {
            return Err(ImageError::MissingImports(missing));
        }
        if self.header.imports.len != 8 * addresses.len() as u64 {
            return Err(ImageError::Damaged("imports and their names differ"));
        }
        Ok(addresses)
    }

    /// Writes the imports' addresses and applies the relocations.
    fn bind(&self, imports: &[u64]) -> Result<(), ImageError> {
        for (index, &address) in imports.iter().enumerate() {
            self.write(self.header.imports.offset + 8 * index as i64, address)?;
        }
        let relocations = self.bytes(self.header.relocations, "relocations")?;
        for bytes in relocations.as_chunks::<{ Relocation::LEN }>().0 {
            let relocation = Relocation::from_bytes(bytes);
            let from = match relocation.import {
                None => self.base.addr() as u64,
                Some(index) => *imports
                    .get(index as usize)
                    .ok_or(ImageError::Damaged("relocation against no import"))?,
            };
            self.write(
                relocation.offset,
                from.wrapping_add_signed(relocation.addend),
            )?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<*const ()>, ImageError> {
        let table = self.bytes(self.header.entries, "entry table")?;
        let span = self.header.span;
        table
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| {
                let address = u64::from_le_bytes(*word);
                let distance = address.wrapping_sub(self.base.addr() as u64) as i64;
                if distance < span.offset || distance - span.offset >= span.len as i64 {
                    return Err(ImageError::Damaged("entry outside the program"));
                }
                Ok(self.base.wrapping_offset(distance as isize).cast())
            })
            .collect()
    }

    /// Takes the right to write from the pages that only loading writes to.
    fn protect(&self) -> Result<(), ImageError> {
        let relro = self.header.relro;
        if relro.len == 0 {
            return Ok(());
        }
        self.check(relro, "read-only pages")?;
        let start = self.base.wrapping_offset(relro.offset as isize).cast_mut();
        // SAFETY: the pages belong to the image (checked), which nothing writes to after `bind`;
        // mprotect refuses an address that does not begin a page.
        let failed = unsafe { libc::mprotect(start.cast(), relro.len as usize, libc::PROT_READ) };
        match failed {
            0 => Ok(()),
            _ => Err(ImageError::Protect(std::io::Error::last_os_error().kind())),
        }
    }

    /// `span` lies within the image.
    fn check(&self, span: Span, what: &'static str) -> Result<(), ImageError> {
        Self::check_within(self.header.span, span, what)
    }

    fn check_within(whole: Span, span: Span, what: &'static str) -> Result<(), ImageError> {
        let end = |span: Span| span.offset.checked_add(i64::try_from(span.len).ok()?);
        match (end(span), end(whole)) {
            (Some(end), Some(limit)) if span.offset >= whole.offset && end <= limit => Ok(()),
            _ => Err(ImageError::Damaged(what)),
        }
    }

    /// Bytes that no one writes to while the result is in use: those in read-only segments, or
    /// any after `bind`.
    fn bytes(&self, span: Span, what: &'static str) -> Result<&'static [u8], ImageError> {
        if span.len == 0 {
            return Ok(&[]);
        }
        self.check(span, what)?;
        let start = self.base.wrapping_offset(span.offset as isize);
        // SAFETY: the stretch is inside the image (checked), which is mapped readable for the
        // life of the process. Names, relocations, manifest and unwind table are in read-only
        // segments or in pages that `bind` writes only at words that the relocations name, before
        // any of those bytes is looked at; the entry table is read after `bind`.
        Ok(unsafe { std::slice::from_raw_parts(start, span.len as usize) })
    }

    fn write(&self, offset: i64, value: u64) -> Result<(), ImageError> {
        let writable = self.header.writable;
        self.check(writable, "writable part")?;
        Self::check_within(writable, Span { offset, len: 8 }, "relocated word")?;
        let word = self.base.wrapping_offset(offset as isize).cast_mut();
        // SAFETY: the word is inside the image's writable part (checked), and nothing runs in the
        // image before it is loaded.
        unsafe { word.cast::<u64>().write_unaligned(value) };
        Ok(())
    }
}
