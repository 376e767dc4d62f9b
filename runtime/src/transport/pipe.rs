//! A stream in memory: what a TCP connection is on the simulated network.
//!
//! Bytes arrive in order, each piece after its delay. Invariant: at most [`CAPACITY`] bytes are
//! on the way in one direction; the writer waits for the reader beyond that.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Bytes on the way in one direction, as in a kernel's socket buffers.
const CAPACITY: usize = 256 << 10;

/// How long the next piece of a stream travels.
pub type Latency = Rc<dyn Fn() -> Duration>;

/// One end of a stream. Dropping it ends the stream for the other end, once it has read what was
/// written.
pub struct Pipe {
    incoming: Rc<RefCell<Lane>>,
    outgoing: Rc<RefCell<Lane>>,
    latency: Latency,
    waiting: Pin<Box<Sleep>>,
}

/// One direction.
#[derive(Default)]
struct Lane {
    pieces: VecDeque<(Instant, Bytes)>,
    length: usize,
    /// When the last piece arrives: none overtakes another.
    last: Option<Instant>,
    ended: bool,
    reader_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    /// Both ends of a new stream.
    pub fn pair(latency: Latency) -> (Pipe, Pipe) {
        let (one, other) = (
            Rc::<RefCell<Lane>>::default(),
            Rc::<RefCell<Lane>>::default(),
        );
        let end = |incoming: &Rc<RefCell<Lane>>, outgoing: &Rc<RefCell<Lane>>| Pipe {
            incoming: incoming.clone(),
            outgoing: outgoing.clone(),
            latency: latency.clone(),
            waiting: Box::pin(tokio::time::sleep(Duration::ZERO)),
        };
        (end(&one, &other), end(&other, &one))
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let incoming = self.incoming.clone();
        let mut lane = incoming.borrow_mut();
        let now = Instant::now();
        let mut took = false;
        while buffer.remaining() > 0
            && let Some((at, piece)) = lane.pieces.front_mut()
            && *at <= now
        {
            let n = piece.len().min(buffer.remaining());
            buffer.put_slice(&piece.split_to(n));
            if !piece.has_remaining() {
                lane.pieces.pop_front();
            }
            lane.length -= n;
            took = true;
        }
        if took {
            if let Some(writer) = lane.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Ok(()));
        }
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        match lane.pieces.front() {
            Some((at, _)) => {
                let at = *at;
                lane.reader = Some(cx.waker().clone());
                drop(lane);
                self.waiting.as_mut().reset(at);
                // Woken at that time; what came earlier was taken above.
                if self.waiting.as_mut().poll(cx).is_ready() {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            None if lane.ended => Poll::Ready(Ok(())),
            None => {
                lane.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut lane = self.outgoing.borrow_mut();
        if lane.reader_gone || lane.ended {
            return Poll::Ready(Err(io::Error::from_raw_os_error(libc::EPIPE)));
        }
        let room = CAPACITY.saturating_sub(lane.length).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let arrives = Instant::now() + (self.latency)();
        let arrives = lane.last.map_or(arrives, |last| last.max(arrives));
        lane.last = Some(arrives);
        let piece = bytes.get(..room).unwrap_or_default();
        lane.pieces
            .push_back((arrives, Bytes::copy_from_slice(piece)));
        lane.length += room;
        if let Some(reader) = lane.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(room))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.borrow_mut().end();
        Poll::Ready(Ok(()))
    }
}

impl Lane {
    fn end(&mut self) {
        self.ended = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.outgoing.borrow_mut().end();
        let mut lane = self.incoming.borrow_mut();
        lane.reader_gone = true;
        if let Some(writer) = lane.writer.take() {
            writer.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_arrive_in_order_after_their_delay_and_the_end_is_seen() {
        let delays = RefCell::new(vec![10, 0, 30]);
        let latency = move || Duration::from_millis(delays.borrow_mut().pop().unwrap_or(0));
        let (mut one, mut other) = Pipe::pair(Rc::new(latency));
        let start = Instant::now();
        for text in [b"ab", b"cd", b"ef"] {
            one.write_all(text).await.unwrap();
        }
        drop(one);
        let mut all = Vec::new();
        other.read_to_end(&mut all).await.unwrap();
        assert_eq!(
            (all.as_slice(), start.elapsed().as_millis()),
            (&b"abcdef"[..], 30)
        );
        assert!(other.write_all(b"x").await.is_err());
    }

    #[tokio::test]
    async fn a_writer_waits_for_a_reader() {
        let (mut one, mut other) = Pipe::pair(Rc::new(|| Duration::ZERO));
        let bytes = vec![7; CAPACITY + 10];
        let write = async { one.write_all(&bytes).await.map(|()| one) };
        let mut read = vec![0; CAPACITY + 10];
        let (written, _) = tokio::join!(write, other.read_exact(&mut read));
        assert!(written.is_ok() && read == bytes);
    }
}
