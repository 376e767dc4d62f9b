//! The bounded queue between those who log and the one thread that writes.
//!
//! Two buffers: lines are appended to one under a short lock while the writer writes the other
//! outside of it, so the lock is never held across a system call on the sink.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::{CORE, Level, line};

/// Bytes that may wait for the writer; beyond, lines are dropped.
const LIMIT: usize = 1 << 20;
/// How long [`flush`] waits for a sink that takes nothing.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Where lines go.
#[derive(Clone, Debug)]
pub enum Sink {
    /// Standard error.
    Stderr,
    /// A buffer that whoever set it reads, for tests. It grows without limit.
    Memory(Arc<Mutex<Vec<u8>>>),
}

struct State {
    waiting: Vec<u8>,
    lost: u64,
    writing: bool,
    sink: Sink,
}

struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    written: Condvar,
}

static DROPPED: AtomicU64 = AtomicU64::new(0);

fn queue() -> &'static Queue {
    static QUEUE: OnceLock<&'static Queue> = OnceLock::new();
    QUEUE.get_or_init(|| {
        let queue: &'static Queue = Box::leak(Box::new(Queue {
            state: Mutex::new(State {
                waiting: Vec::with_capacity(16 << 10),
                lost: 0,
                writing: false,
                sink: Sink::Stderr,
            }),
            filled: Condvar::new(),
            written: Condvar::new(),
        }));
        let spawned = std::thread::Builder::new()
            .name("kcc-log".into())
            .spawn(move || write_for_ever(queue));
        if let Err(error) = spawned {
            // No thread, no log: the one place where the complaint can go.
            let _ = writeln!(std::io::stderr(), "cannot start the log writer: {error}");
        }
        queue
    })
}

/// Appends one whole line, newline included, or drops it.
pub(super) fn push(line: &[u8]) {
    let queue = queue();
    let mut state = queue.state.lock();
    if state.waiting.len() + line.len() > LIMIT {
        state.lost += 1;
        DROPPED.fetch_add(1, Relaxed);
        return;
    }
    state.waiting.extend_from_slice(line);
    let wake = !state.writing;
    drop(state);
    if wake {
        queue.filled.notify_one();
    }
}

/// Lines dropped since the start for want of room.
pub fn dropped() -> u64 {
    DROPPED.load(Relaxed)
}

/// Sends all further lines to `sink`; those that wait go to the old one first.
pub fn set_sink(sink: Sink) {
    flush();
    queue().state.lock().sink = sink;
}

/// Waits until all lines are written, 2 s at most. For the end of the process; a worker must
/// not call it.
pub fn flush() {
    let queue = queue();
    let end = std::time::Instant::now() + FLUSH_LIMIT;
    let mut state = queue.state.lock();
    while !state.waiting.is_empty() || state.writing || state.lost > 0 {
        if queue.written.wait_until(&mut state, end).timed_out() {
            return;
        }
    }
}

fn write_for_ever(queue: &'static Queue) {
    let mut taken = Vec::with_capacity(16 << 10);
    let mut state = queue.state.lock();
    loop {
        while state.waiting.is_empty() && state.lost == 0 {
            state.writing = false;
            queue.written.notify_all();
            queue.filled.wait(&mut state);
        }
        state.writing = true;
        std::mem::swap(&mut taken, &mut state.waiting);
        let lost = std::mem::take(&mut state.lost);
        let sink = state.sink.clone();
        drop(state);
        if lost > 0 {
            let told = format_args!("{lost} log lines dropped: the log is read too slowly");
            line::append(&mut taken, Level::Warn, CORE, told);
        }
        match sink {
            // A log that cannot be written has nowhere to say so.
            Sink::Stderr => drop(std::io::stderr().write_all(&taken)),
            Sink::Memory(buffer) => buffer.lock().extend_from_slice(&taken),
        }
        taken.clear();
        taken.shrink_to(64 << 10);
        state = queue.state.lock();
    }
}
