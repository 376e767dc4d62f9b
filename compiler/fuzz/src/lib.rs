//! What the fuzz targets have in common: how an input becomes files, and what reading one may take.
//!
//! Invariant: an input that takes more than [`LONGEST`] of processor time or [`MOST_MEMORY`] of
//! memory fails, as does one with a panic, whatever it does else.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kcc::diagnostic::{Diagnostics, render_json, render_text};
use kcc::source::{MemoryLoader, SourceMap};

/// Processor time that an input may take. Instrumented code is some ten times slower than a release
/// build, and the largest tables may be filled.
pub const LONGEST: Duration = Duration::from_secs(20);
/// Bytes of memory that an input may hold at one time.
pub const MOST_MEMORY: usize = 1 << 30;
/// Findings are shown in at most this many bytes.
const LONGEST_REPORT: usize = 1 << 20;

/// Counts what is allocated.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn took(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(address, layout) }
    }

    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        took(size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(address, layout, size) }
    }
}

/// Processor time of this process so far.
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for the call to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Runs `read` and fails if it took too much.
pub fn bounded(read: impl FnOnce()) {
    let held = HELD.load(Ordering::Relaxed);
    MOST.store(held, Ordering::Relaxed);
    let start = processor_time();
    read();
    let taken = processor_time() - start;
    let most = MOST.load(Ordering::Relaxed).saturating_sub(held);
    assert!(taken < LONGEST, "took {taken:?}");
    assert!(most < MOST_MEMORY, "held {most} bytes");
}

/// The files of an input: `main.cfg`, and after each line `#--- NAME` a file of that name.
pub fn files(input: &[u8]) -> MemoryLoader {
    const MARK: &[u8] = b"#--- ";
    let mut loader = MemoryLoader::default();
    loader
        .variables
        .insert("HOME".to_owned(), b"/root".to_vec());
    let (mut name, mut text) = ("main.cfg".to_owned(), Vec::new());
    for line in input.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_prefix(MARK) {
            None => text.extend_from_slice(line),
            Some(next) => {
                loader.files.insert(name, std::mem::take(&mut text));
                name = String::from_utf8_lossy(next.trim_ascii()).into_owned();
            }
        }
    }
    loader.files.insert(name, text);
    loader
}

/// Shows the findings as the command would, and looks at what comes out.
pub fn show(diagnostics: &Diagnostics, sources: &SourceMap) {
    let text = render_text(diagnostics, sources, false);
    let json = render_json(diagnostics, sources);
    assert!(text.len() < LONGEST_REPORT, "shown in {} bytes", text.len());
    assert!(json.len() < LONGEST_REPORT, "shown in {} bytes", json.len());
}
