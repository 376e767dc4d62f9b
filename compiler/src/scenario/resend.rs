//! Endpoints that repeat what got lost, as the client and server transactions of RFC 3261 §17
//! and the 2xx of §13.3.1.4 do over UDP. Only where an endpoint is declared with `resends`.

use std::net::SocketAddr;
use std::time::Duration;

use kcc_sip::{Message, Method};
use tokio::time::Instant;

/// RFC 3261 §17.1.1.1.
const T1: Duration = Duration::from_millis(500);
/// The longest pause.
const T2: Duration = Duration::from_secs(4);
/// 64·T1.
const GIVE_UP: Duration = Duration::from_secs(32);

/// What an endpoint repeats.
#[derive(Default)]
pub struct Resends {
    pending: Vec<Pending>,
    /// Replies by the branch and method of their request.
    replies: Vec<(Vec<u8>, Method, Vec<u8>, SocketAddr)>,
    /// ACKs by Call-ID.
    acks: Vec<(Vec<u8>, Vec<u8>, SocketAddr)>,
}

struct Pending {
    /// The branch of a request, the Call-ID of a 2xx.
    key: Vec<u8>,
    is_reply: bool,
    data: Vec<u8>,
    to: SocketAddr,
    next: Instant,
    pause: Duration,
    end: Instant,
}

impl Resends {
    /// The endpoint sent `data`.
    pub fn sent(&mut self, data: &[u8], to: SocketAddr) {
        let Ok(message) = Message::parse(bytes::Bytes::copy_from_slice(data)) else {
            return;
        };
        let branch = branch(&message);
        let invite = message
            .cseq()
            .is_some_and(|cseq| cseq.method == Method::Invite);
        let status = message.status();
        let key = if message.is_request() {
            if message.method() == Method::Ack {
                let id = message.call_id().unwrap_or_default().to_vec();
                self.acks.push((id, data.to_vec(), to));
                return;
            }
            branch
        } else {
            let method = message.cseq().map_or(Method::Other, |cseq| cseq.method);
            self.replies
                .retain(|known| known.0 != branch || known.1 != method);
            self.replies.push((branch, method, data.to_vec(), to));
            if !(invite && status >= 200) {
                return;
            }
            message.call_id().unwrap_or_default().to_vec()
        };
        let now = Instant::now();
        self.pending.push(Pending {
            key,
            is_reply: !message.is_request(),
            data: data.to_vec(),
            to,
            next: now + T1,
            pause: T1,
            end: now + GIVE_UP,
        });
    }

    /// A message arrived; the answer is a reply or an ACK to send once more.
    pub fn arrived(&mut self, message: &Message, again: bool) -> Option<(Vec<u8>, SocketAddr)> {
        if !message.is_request() {
            let branch = branch(message);
            self.pending
                .retain(|pending| pending.is_reply || pending.key != branch);
            let invite = message
                .cseq()
                .is_some_and(|cseq| cseq.method == Method::Invite);
            if !(again && invite && (200..300).contains(&message.status())) {
                return None;
            }
            // RFC 3261 §13.2.2.4.
            let id = message.call_id().unwrap_or_default();
            let ack = self.acks.iter().rev().find(|ack| ack.0 == id)?;
            return Some((ack.1.clone(), ack.2));
        }
        if message.method() == Method::Ack {
            let id = message.call_id().unwrap_or_default();
            self.pending
                .retain(|pending| !pending.is_reply || pending.key != id);
            return None;
        }
        let branch = branch(message);
        let mut known = self.replies.iter().filter(|_| again);
        let reply = known.find(|known| known.0 == branch && known.1 == message.method())?;
        Some((reply.2.clone(), reply.3))
    }

    /// When something is due next.
    pub fn next(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.next).min()
    }

    /// What is due now.
    pub fn due(&mut self) -> Vec<(Vec<u8>, SocketAddr)> {
        let now = Instant::now();
        self.pending.retain(|pending| pending.end > now);
        let mut due = Vec::new();
        for pending in self
            .pending
            .iter_mut()
            .filter(|pending| pending.next <= now)
        {
            due.push((pending.data.clone(), pending.to));
            pending.pause = (pending.pause * 2).min(T2);
            pending.next = now + pending.pause;
        }
        due
    }
}

fn branch(message: &Message) -> Vec<u8> {
    let via = message.top_via();
    via.and_then(|via| via.branch())
        .unwrap_or_default()
        .to_vec()
}
