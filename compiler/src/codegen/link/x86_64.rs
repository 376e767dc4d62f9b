//! What the linker knows of x86-64 (System V ABI, AMD64 supplement, §4.4): relocation types and
//! stubs.

use object::elf;

use super::LinkError;
use super::input::Use;

/// What a relocation stores. S: the symbol, A: the addend, P: the place, G: the symbol's slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relocation {
    /// S + A, in 64 bits.
    Address64,
    /// S + A, in 32 bits: offsets between debugging sections.
    Address32,
    /// S + A - P, in 32 bits.
    Relative32,
    /// G + A - P, in 32 bits.
    Slot32,
}

impl Relocation {
    pub fn from_elf(kind: u32) -> Option<Relocation> {
        Some(match kind {
            elf::R_X86_64_64 => Relocation::Address64,
            elf::R_X86_64_32 => Relocation::Address32,
            elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => Relocation::Relative32,
            elf::R_X86_64_GOTPCREL | elf::R_X86_64_GOTPCRELX | elf::R_X86_64_REX_GOTPCRELX => {
                Relocation::Slot32
            }
            _ => return None,
        })
    }

    /// Bytes that are stored.
    pub fn len(self) -> usize {
        match self {
            Relocation::Address64 => 8,
            _ => 4,
        }
    }

    /// Whether sections of this use may have it. Code with absolute addresses cannot be shared
    /// between processes, and a 32-bit address does not exist in an executable that is loaded
    /// anywhere.
    pub fn allowed(self, usage: Use) -> bool {
        match self {
            Relocation::Address64 => usage != Use::Code,
            Relocation::Address32 => usage == Use::Debug,
            Relocation::Relative32 | Relocation::Slot32 => usage != Use::Debug,
        }
    }
}

/// Pages are this large, and segments begin with one.
pub(super) const PAGE: u64 = 4096;

/// Bytes of a stub.
pub(super) const STUB_LEN: u64 = 8;

/// Code that jumps to the address in a slot, `distance` bytes after the stub's start:
/// `jmp *slot(%rip)` and padding.
pub(super) fn stub(distance: i32) -> [u8; STUB_LEN as usize] {
    let [a, b, c, d] = distance.wrapping_sub(6).to_le_bytes();
    [0xff, 0x25, a, b, c, d, 0x66, 0x90]
}

/// Refuses other machines than this one.
pub(super) fn check_machine(what: &'static str, machine: u16) -> Result<(), LinkError> {
    let machine = match machine {
        elf::EM_X86_64 => return Ok(()),
        elf::EM_AARCH64 => "aarch64".to_owned(),
        elf::EM_RISCV => "riscv".to_owned(),
        other => format!("ELF machine {other}"),
    };
    Err(LinkError::Machine { what, machine })
}
