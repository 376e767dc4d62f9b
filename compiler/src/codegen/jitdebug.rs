//! Makes code in memory known to the tools: the unwinder (backtraces), gdb (its JIT interface),
//! and perf (a map file, on request).
//!
//! **Invariant**: what is registered is taken back before the code's memory is given back.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::ptr;
use std::sync::Mutex;

use kcc_runtime::unwind::{RegisteredFrames, UnwindError};
use object::write::elf::{FileHeader, SectionHeader, Sym, Writer};
use object::{Endianness, elf};

use super::debuginfo::{Absolute, Function};

/// Code that the tools know of, as long as this lives.
#[derive(Debug)]
pub struct Registration {
    // Fields are dropped in this order.
    _gdb: Option<GdbEntry>,
    _frames: RegisteredFrames,
}

impl Registration {
    /// Registers compiled functions and what [`absolute`](super::debuginfo::absolute) says of
    /// them. `for_debuggers` costs a copy of the debugging information; without it only the
    /// unwinder is told.
    ///
    /// # Safety
    /// The functions are finished code at their addresses, which stays mapped and unchanged until
    /// the result is dropped.
    pub unsafe fn new(
        functions: &[(*const u8, Function)],
        debug: Absolute,
        for_debuggers: bool,
    ) -> Result<Registration, UnwindError> {
        // SAFETY: the caller's promise; `debug` was made from these functions' unwind information.
        let frames = unsafe { RegisteredFrames::register(Cow::Owned(debug.eh_frame)) }?;
        let gdb = for_debuggers.then(|| GdbEntry::new(elf_image(functions, &debug.sections)));
        Ok(Registration {
            _gdb: gdb,
            _frames: frames,
        })
    }
}

/// Appends the functions to `/tmp/perf-PID.map`, where perf looks for the names of code that is
/// in no file. The file belongs to whoever asked for it; nothing takes entries back.
pub fn write_perf_map(functions: &[(*const u8, Function)]) -> io::Result<()> {
    let mut map = String::new();
    for (address, function) in functions {
        let name = function.name.replace(['\n', '\0'], "?");
        // Writing to a string does not fail.
        let _ = writeln!(map, "{:x} {:x} {name}", address.addr(), function.len);
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(format!("/tmp/perf-{}.map", std::process::id()))?
        .write_all(map.as_bytes())
}

/// An ELF file without code, whose symbols and debugging sections describe code in memory.
fn elf_image(functions: &[(*const u8, Function)], debug: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let start = |function: &(*const u8, Function)| function.0.addr() as u64;
    let end = |function: &(*const u8, Function)| start(function) + u64::from(function.1.len);
    let low = functions.iter().map(start).min().unwrap_or(0);
    let high = functions.iter().map(end).max().unwrap_or(low);

    let mut bytes = Vec::new();
    let mut writer = Writer::new(Endianness::Little, true, &mut bytes);
    writer.reserve_null_section_index();
    let text_name = writer.add_section_name(b".text");
    let text = writer.reserve_section_index();
    let names: Vec<_> = debug
        .iter()
        .map(|(name, _)| {
            writer.reserve_section_index();
            writer.add_section_name(name.as_bytes())
        })
        .collect();
    writer.reserve_symtab_section_index();
    writer.reserve_strtab_section_index();
    writer.reserve_shstrtab_section_index();

    writer.reserve_null_symbol_index();
    let symbols: Vec<_> = functions
        .iter()
        .map(|(_, function)| {
            writer.reserve_symbol_index(Some(text));
            writer.add_string(function.name.as_bytes())
        })
        .collect();

    writer.reserve_file_header();
    let offsets: Vec<_> = debug
        .iter()
        .map(|(_, content)| writer.reserve(content.len(), 1))
        .collect();
    writer.reserve_symtab();
    writer.reserve_strtab();
    writer.reserve_shstrtab();
    writer.reserve_section_headers();

    let header = FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_EXEC,
        e_machine: match cfg!(target_arch = "aarch64") {
            true => elf::EM_AARCH64,
            false => elf::EM_X86_64,
        },
        e_entry: 0,
        e_flags: 0,
    };
    // Fails for tables that were not reserved in order; they were.
    if writer.write_file_header(&header).is_err() {
        return Vec::new();
    }
    for (_, content) in debug {
        writer.write(content);
    }
    writer.write_null_symbol();
    for (function, name) in functions.iter().zip(symbols) {
        writer.write_symbol(&Sym {
            name: Some(name),
            section: Some(text),
            st_info: (elf::STB_GLOBAL << 4) | elf::STT_FUNC,
            st_other: 0,
            st_shndx: 0,
            st_value: start(function),
            st_size: u64::from(function.1.len),
        });
    }
    writer.write_strtab();
    writer.write_shstrtab();

    writer.write_null_section_header();
    let section = |name, kind, flags: u32, addr, offset, size| SectionHeader {
        name: Some(name),
        sh_type: kind,
        sh_flags: u64::from(flags),
        sh_addr: addr,
        sh_offset: offset as u64,
        sh_size: size,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: 1,
        sh_entsize: 0,
    };
    let flags = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    writer.write_section_header(&section(
        text_name,
        elf::SHT_NOBITS,
        flags,
        low,
        0,
        high - low,
    ));
    for (((_, content), name), offset) in debug.iter().zip(names).zip(offsets) {
        let size = content.len() as u64;
        writer.write_section_header(&section(name, elf::SHT_PROGBITS, 0, 0, offset, size));
    }
    writer.write_symtab_section_header(1);
    writer.write_strtab_section_header();
    writer.write_shstrtab_section_header();
    drop(writer);
    bytes
}

/// `struct jit_code_entry` of gdb's JIT interface (gdb manual, "JIT Compilation Interface").
#[repr(C)]
struct CodeEntry {
    next: *mut CodeEntry,
    prev: *mut CodeEntry,
    file: *const u8,
    len: u64,
}

/// `struct jit_descriptor`.
#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut CodeEntry,
    first: *mut CodeEntry,
}

const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

/// The list that gdb reads. Only touched with [`LIST`] held.
#[unsafe(no_mangle)]
static mut __jit_debug_descriptor: Descriptor = Descriptor {
    version: 1,
    action: 0,
    relevant: ptr::null_mut(),
    first: ptr::null_mut(),
};

static LIST: Mutex<()> = Mutex::new(());

/// gdb has a breakpoint here, and reads the list when it is hit.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn __jit_debug_register_code() {
    std::hint::black_box(());
}

/// An entry in gdb's list.
#[derive(Debug)]
struct GdbEntry {
    entry: *mut CodeEntry,
    _file: Vec<u8>,
}

// SAFETY: the entry is reached only through gdb's list, with `LIST` held.
unsafe impl Send for GdbEntry {}
// SAFETY: a shared `GdbEntry` gives access to nothing.
unsafe impl Sync for GdbEntry {}

impl GdbEntry {
    fn new(file: Vec<u8>) -> GdbEntry {
        let entry = Box::into_raw(Box::new(CodeEntry {
            next: ptr::null_mut(),
            prev: ptr::null_mut(),
            file: file.as_ptr(),
            len: file.len() as u64,
        }));
        let _held = LIST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let list = &raw mut __jit_debug_descriptor;
        // SAFETY: `LIST` is held, so no one else touches the list; all entries in it are boxes
        // that are taken out before they are freed.
        unsafe {
            (*entry).next = (*list).first;
            if !(*list).first.is_null() {
                (*(*list).first).prev = entry;
            }
            (*list).first = entry;
            (*list).relevant = entry;
            (*list).action = REGISTER;
        }
        __jit_debug_register_code();
        GdbEntry { entry, _file: file }
    }
}

impl Drop for GdbEntry {
    fn drop(&mut self) {
        let _held = LIST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let list = &raw mut __jit_debug_descriptor;
        // SAFETY: `LIST` is held; this entry is in the list since `new`, its neighbours are alive,
        // and gdb is done with it when the call returns.
        unsafe {
            let CodeEntry { next, prev, .. } = *self.entry;
            if prev.is_null() {
                (*list).first = next;
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
            (*list).relevant = self.entry;
            (*list).action = UNREGISTER;
            __jit_debug_register_code();
            (*list).relevant = ptr::null_mut();
            drop(Box::from_raw(self.entry));
        }
    }
}
