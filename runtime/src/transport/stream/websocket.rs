//! WebSocket on a connection that was upgraded (RFC 6455, RFC 7118): frames to messages and back.
//!
//! tungstenite reads the frames: it is fed with what the connection read, and what it answers
//! (pongs, close frames) goes into the connection's queue. Messages to be sent get their frame
//! header as they are queued, so that any worker can send.
//!
//! Invariants: a message is limited in size as on any stream, and in time from the first byte that
//! no message followed; control and empty frames are limited in number a second; a ping without an
//! answer and a close frame without an answer end the connection after a time. Each limit has a
//! counter.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::time::Instant;
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, FrameHeader, Utf8Bytes};
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use super::super::connections::Connection;
use super::super::{CloseReason, Counter, Counters, SendError};

/// The longest frame header that a server writes: it masks nothing.
pub(in super::super) const LONGEST_HEAD: usize = 10;
/// Bytes that an idle WebSocket holds for reading.
const READ_BUFFER: usize = 2048;
/// Control and empty frames that a peer may send in a second.
const CONTROL_FRAMES: u32 = 100;
/// The longest reason of a close frame, in bytes (RFC 6455 §5.5).
const LONGEST_REASON: usize = 123;
/// Time that the peer has to answer a close frame.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);
/// A keepalive in a message, and its answer (RFC 7118 §6 with RFC 5626 §3.5.1).
const PING: &[u8] = b"\r\n\r\n";
const PONG: &[u8] = b"\r\n";

/// How a connection is carried that became one of WebSocket with the sub-protocol `sip`.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Keeps it alive, where that is wanted.
    pub keepalive: Option<Keepalive>,
}

/// Frames on a silent WebSocket.
#[derive(Clone, Debug)]
pub struct Keepalive {
    /// True: a ping, which the peer has to answer within the same time. False: a pong, which it
    /// does not answer.
    pub ping: bool,
    /// Silence before it.
    pub after: Duration,
    /// What the frame carries, at most 125 bytes.
    pub data: Arc<[u8]>,
}

/// How a WebSocket is closed (RFC 6455 §7.4).
#[derive(Clone, Debug)]
pub struct Farewell {
    /// The status, 1000 to 4999.
    pub code: u16,
    /// Why, at most 123 bytes; what is beyond is left out.
    pub reason: String,
}

impl Farewell {
    fn frame(&self) -> CloseFrame {
        let mut end = self.reason.len().min(LONGEST_REASON);
        while !self.reason.is_char_boundary(end) {
            end -= 1;
        }
        CloseFrame {
            code: CloseCode::from(self.code),
            reason: Utf8Bytes::from(self.reason.get(..end).unwrap_or_default()),
        }
    }
}

/// Writes the header of the frame that carries `data` to `out`; the answer is its length. Text
/// where it is text, as browsers want it.
pub(in super::super) fn head(data: &[u8], out: &mut [u8; LONGEST_HEAD]) -> usize {
    let kind = match std::str::from_utf8(data) {
        Ok(_) => Data::Text,
        Err(_) => Data::Binary,
    };
    let header = FrameHeader {
        opcode: OpCode::Data(kind),
        ..FrameHeader::default()
    };
    let mut rest = &mut out[..];
    // A header without a mask has room.
    let _ = header.format(data.len() as u64, &mut rest);
    LONGEST_HEAD - rest.len()
}

/// The reading side of a WebSocket.
pub(super) struct WebSocket {
    context: WebSocketContext,
    /// Control and empty frames since `second` began.
    control: u32,
    second: Instant,
    /// Frames so far, those of one message counted once.
    pub(super) frames: u64,
    /// A ping was sent and nothing came since.
    awaiting: bool,
    /// When this side sent its close frame.
    pub(super) closing: Option<Instant>,
}

/// What a connection is to tungstenite: what was read of it, and its queue.
struct Duplex<'a> {
    input: &'a mut BytesMut,
    connection: &'a Connection,
}

impl Read for Duplex<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = self.input.len().min(buffer.len());
        self.input.split_to(n).copy_to_slice(&mut buffer[..n]);
        Ok(n)
    }
}

impl Write for Duplex<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.connection.send_frames(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(SendError::QueueFull) => Err(io::ErrorKind::OutOfMemory.into()),
            Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WebSocket {
    /// The server's side; messages have at most `largest` bytes.
    pub(super) fn new(largest: usize, now: Instant) -> Box<WebSocket> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(largest))
            .max_frame_size(Some(largest));
        Box::new(WebSocket {
            context: WebSocketContext::new(Role::Server, Some(config)),
            control: 0,
            second: now,
            frames: 0,
            awaiting: false,
            closing: None,
        })
    }

    /// The next message in `input`; `None` when more bytes are needed. All bytes are taken.
    ///
    /// # Errors
    /// Why the connection ends, once its queue is written.
    pub(super) fn next(
        &mut self,
        input: &mut BytesMut,
        connection: &Connection,
        counters: &Counters,
        now: Instant,
    ) -> Result<Option<Bytes>, CloseReason> {
        self.awaiting = false;
        loop {
            let mut stream = Duplex { input, connection };
            let message = match self.context.read(&mut stream) {
                Ok(message) => message,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(None);
                }
                Err(error) => return Err(self.ends(&error, connection, counters)),
            };
            counters.count(Counter::WsReceived);
            self.frames += 1;
            let data = match message {
                Message::Text(text) => Bytes::from(text),
                Message::Binary(data) => data,
                _ => Bytes::new(),
            };
            if !data.is_empty() {
                match &data[..] {
                    PING => {
                        counters.count(Counter::TcpPings);
                        if connection.send(PONG) == Err(SendError::QueueFull) {
                            return Err(CloseReason::WriteQueueFull);
                        }
                    }
                    PONG => {}
                    _ => return Ok(Some(data)),
                }
            }
            if now >= self.second + Duration::from_secs(1) {
                (self.second, self.control) = (now, 0);
            }
            self.control += 1;
            if self.control > CONTROL_FRAMES {
                counters.count(Counter::WsFlooded);
                crate::error!(
                    "closing the WebSocket from {}: more than {CONTROL_FRAMES} control frames in a second",
                    connection.peer
                );
                self.say(connection, 1008, "Too many control frames");
                return Err(CloseReason::Malformed);
            }
        }
    }

    /// What follows from an error of reading; the peer is told.
    fn ends(&mut self, error: &Error, connection: &Connection, counters: &Counters) -> CloseReason {
        let (code, reason) = match error {
            Error::ConnectionClosed | Error::AlreadyClosed if self.closing.is_some() => {
                return CloseReason::Local;
            }
            Error::ConnectionClosed | Error::AlreadyClosed => return CloseReason::PeerFarewell,
            Error::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                return CloseReason::WriteQueueFull;
            }
            Error::Io(_) => return CloseReason::Local,
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                counters.count(Counter::WsOversized);
                (1009, "Message too big")
            }
            Error::Utf8(_) => (1007, "Invalid frame payload data"),
            Error::Protocol(
                ProtocolError::InvalidOpcode(_)
                | ProtocolError::UnknownDataFrameType(_)
                | ProtocolError::UnknownControlFrameType(_),
            ) => (1008, "Unsupported opcode"),
            _ => (1002, "Protocol error"),
        };
        if code != 1009 {
            counters.count(Counter::WsMalformed);
        }
        crate::error!("closing the WebSocket from {}: {error}", connection.peer);
        self.say(connection, code, reason);
        CloseReason::Malformed
    }

    /// Sends a close frame, unless one was sent.
    fn say(&mut self, connection: &Connection, code: u16, reason: &str) {
        let frame = Farewell {
            code,
            reason: reason.to_owned(),
        };
        let mut input = BytesMut::new();
        let mut stream = Duplex {
            input: &mut input,
            connection,
        };
        // The connection ends either way.
        let _ = self.context.close(&mut stream, Some(frame.frame()));
    }

    /// Begins to close, as the script asked.
    pub(super) fn begin_farewell(
        &mut self,
        farewell: &Farewell,
        connection: &Connection,
        now: Instant,
    ) {
        if self.closing.is_none() {
            self.closing = Some(now);
            self.say(connection, farewell.code, &farewell.reason);
        }
    }

    /// Sends what keeps the connection alive; an error where the peer has not answered before.
    pub(super) fn keep_alive(
        &mut self,
        keepalive: &Keepalive,
        connection: &Connection,
        counters: &Counters,
    ) -> Result<(), CloseReason> {
        if self.awaiting {
            counters.count(Counter::WsSilent);
            return Err(CloseReason::Silent);
        }
        self.awaiting = keepalive.ping;
        let data = Bytes::copy_from_slice(keepalive.data.get(..125).unwrap_or(&keepalive.data));
        let message = match keepalive.ping {
            true => Message::Ping(data),
            false => Message::Pong(data),
        };
        let mut input = BytesMut::new();
        let mut stream = Duplex {
            input: &mut input,
            connection,
        };
        let sent = self.context.write(&mut stream, message);
        let sent = sent.and_then(|()| self.context.flush(&mut stream));
        sent.map_err(|error| self.ends(&error, connection, counters))
    }
}

#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;
