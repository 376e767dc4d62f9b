//! Call frame information of code that the dynamic loader does not know, registered with the
//! unwinder: with it a backtrace goes through compiled routes.
//!
//! Nothing relies on it for correctness: no unwinding passes through compiled frames.

use std::borrow::Cow;

unsafe extern "C" {
    fn __register_frame(begin: *const u8);
    fn __deregister_frame(begin: *const u8);
}

/// LLVM's libunwind (musl, macOS) takes one frame description at a time, libgcc a whole section.
const ONE_BY_ONE: bool = cfg!(any(target_env = "musl", target_vendor = "apple"));

/// Why a table was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed call frame information at byte {offset}")]
pub struct UnwindError {
    /// Where the record begins that is cut short, or where the closing zero word is missing.
    pub offset: usize,
}

/// An `.eh_frame` section that the unwinder knows as long as this lives.
#[derive(Debug)]
pub struct RegisteredFrames {
    section: Cow<'static, [u8]>,
    descriptions: Vec<usize>,
}

impl RegisteredFrames {
    /// Registers `section`: relocated records, closed by a zero word.
    ///
    /// # Safety
    /// The code that the records describe stays mapped, and its frames are as described, until
    /// the result is dropped.
    pub unsafe fn register(section: Cow<'static, [u8]>) -> Result<Self, UnwindError> {
        let descriptions = frame_descriptions(&section)?;
        let frames = RegisteredFrames {
            section,
            descriptions,
        };
        for begin in frames.registrations() {
            // SAFETY: the section is well formed and closed (checked), does not move while
            // `frames` lives, and describes live code (the caller's promise).
            unsafe { __register_frame(begin) };
        }
        Ok(frames)
    }

    /// The pointers that this platform's unwinder wants.
    fn registrations(&self) -> impl DoubleEndedIterator<Item = *const u8> {
        let whole = (!ONE_BY_ONE && !self.descriptions.is_empty()).then_some(0);
        let single = ONE_BY_ONE.then_some(self.descriptions.as_slice());
        let start = self.section.as_ptr();
        whole
            .into_iter()
            .chain(single.into_iter().flatten().copied())
            .map(move |offset| start.wrapping_add(offset))
    }
}

impl Drop for RegisteredFrames {
    fn drop(&mut self) {
        for begin in self.registrations().rev() {
            // SAFETY: registered by `register` with this same pointer, and not yet deregistered.
            unsafe { __deregister_frame(begin) };
        }
    }
}

/// Offsets of the frame descriptions (the records that are not common information entries).
fn frame_descriptions(section: &[u8]) -> Result<Vec<usize>, UnwindError> {
    let word = |at: usize| {
        let bytes = section.get(at..)?.first_chunk()?;
        Some(u32::from_ne_bytes(*bytes))
    };
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        let malformed = UnwindError { offset };
        // A length of all ones announces 64-bit DWARF, which no compiler here writes.
        let len = match word(offset) {
            Some(0) => return Ok(found),
            None | Some(u32::MAX) => return Err(malformed),
            Some(len) => len as usize,
        };
        let next = offset + 4 + len;
        if len < 4 || next > section.len() {
            return Err(malformed);
        }
        if word(offset + 4) != Some(0) {
            found.push(offset);
        }
        offset = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_descriptions_are_found_up_to_the_closing_word() {
        let words = [8u32, 0, 7, 8, 12, 7, 0];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(frame_descriptions(&bytes), Ok(vec![12]));
    }

    #[test]
    fn a_table_that_is_cut_short_is_refused() {
        let bytes = [20, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(frame_descriptions(&bytes), Err(UnwindError { offset: 0 }));
        assert_eq!(frame_descriptions(&[]), Err(UnwindError { offset: 0 }));
    }
}
