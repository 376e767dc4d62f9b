//! Calendar time of the system: seconds since 1970 as date and time, local or UTC, and their text.

use std::ffi::CString;
use std::mem::MaybeUninit;

/// The longest text that [`Moment::format`] makes, in bytes.
pub const LONGEST: usize = 512;

/// A point in time as date and time of day.
pub struct Moment(libc::tm);

impl Moment {
    /// The local time of `seconds` since 1970; `None` beyond what the system can tell.
    pub fn local(seconds: i64) -> Option<Moment> {
        Moment::taken_apart(seconds, libc::localtime_r)
    }

    /// The same in UTC.
    pub fn utc(seconds: i64) -> Option<Moment> {
        Moment::taken_apart(seconds, libc::gmtime_r)
    }

    fn taken_apart(
        seconds: i64,
        apart: unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm,
    ) -> Option<Moment> {
        let mut tm = MaybeUninit::zeroed();
        // SAFETY: both addresses are of values that are alive; all-zero bytes are a valid `tm`.
        let found = unsafe { apart(&seconds, tm.as_mut_ptr()) };
        // SAFETY: as above.
        (!found.is_null()).then(|| Moment(unsafe { tm.assume_init() }))
    }

    /// Date and time in parts.
    pub fn parts(&self) -> &libc::tm {
        &self.0
    }

    /// The text that `format` (strftime) makes of it, in the C locale; `None` where it holds a zero
    /// byte or is longer than [`LONGEST`]. A format that makes no text gives the empty text.
    pub fn format<'a>(&self, format: &[u8], space: &'a mut [u8; LONGEST]) -> Option<&'a [u8]> {
        if format.is_empty() {
            return Some(&[]);
        }
        // The blank tells the empty result from one that does not fit.
        let mut marked = Vec::with_capacity(format.len() + 1);
        marked.extend_from_slice(format);
        marked.push(b' ');
        let format = CString::new(marked).ok()?;
        // SAFETY: `space` has as many bytes as is said, the format ends with a zero byte, and the
        // `tm` was made by the system.
        let len =
            unsafe { libc::strftime(space.as_mut_ptr().cast(), LONGEST, format.as_ptr(), &self.0) };
        space.get(..len.checked_sub(1)?)
    }
}
