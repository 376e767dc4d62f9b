//! The C library's `regcomp` and `regexec`, to hold the dialect against them in tests.
//!
//! They are not used otherwise: `regexec` can loop for ever, and `regcomp` recurses over what it is
//! given. The only unsafe code of the pattern engine is in this file.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::syntax::Syntax;

/// An expression compiled by the C library. Boxed: nothing says that the struct may be moved.
pub(super) struct PosixRegex(Box<libc::regex_t>);

impl PosixRegex {
    /// Compiles `pattern` up to its first NUL; `None` if the C library refuses it.
    pub(super) fn new(pattern: &[u8], syntax: Syntax) -> Option<PosixRegex> {
        let end = pattern
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(pattern.len());
        let pattern = CString::new(&pattern[..end]).ok()?;
        let mut options = libc::REG_EXTENDED;
        if syntax.icase {
            options |= libc::REG_ICASE;
        }
        if syntax.newline {
            options |= libc::REG_NEWLINE;
        }
        let mut compiled = Box::new(MaybeUninit::<libc::regex_t>::zeroed());
        // SAFETY: the pattern ends with NUL and lives through the call; the struct is ours alone,
        // and `regcomp` writes it without reading what it held.
        let status = unsafe { libc::regcomp(compiled.as_mut_ptr(), pattern.as_ptr(), options) };
        if status != 0 {
            // A failed `regcomp` has released its memory.
            return None;
        }
        // SAFETY: `regcomp` returned 0, so it has filled the struct.
        Some(PosixRegex(unsafe { compiled.assume_init() }))
    }

    /// Searches `text[start..]` for the leftmost-longest match and gives its place in `text`;
    /// `not_bol` keeps `^` from matching at `start`. Asks for no parentheses, because finding them
    /// is what can take for ever.
    pub(super) fn search(&self, text: &[u8], start: usize, not_bol: bool) -> Option<Range<usize>> {
        let rest = text.get(start..)?;
        let length = libc::regoff_t::try_from(rest.len()).ok()?;
        let mut span = libc::regmatch_t {
            rm_so: 0,
            rm_eo: length,
        };
        let mut options = libc::REG_STARTEND;
        if not_bol {
            options |= libc::REG_NOTBOL;
        }
        // SAFETY: `REG_STARTEND` makes `regexec` read exactly the bytes from `rm_so` to `rm_eo`,
        // which are those of `rest`, so no NUL is needed at the end; it writes at most the one
        // element that it is told of. The expression was compiled.
        let status =
            unsafe { libc::regexec(&*self.0, rest.as_ptr().cast(), 1, &raw mut span, options) };
        if status != 0 {
            return None;
        }
        let (from, to) = (
            usize::try_from(span.rm_so).ok()?,
            usize::try_from(span.rm_eo).ok()?,
        );
        Some(start + from..start + to)
    }
}

impl Drop for PosixRegex {
    fn drop(&mut self) {
        // SAFETY: the struct was filled by `regcomp` and is released only here.
        unsafe { libc::regfree(&mut *self.0) };
    }
}
