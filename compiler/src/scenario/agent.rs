//! An endpoint: the calls that it takes part in and what it received (RFC 3261 §8, §12, §17).
//!
//! It numbers what it makes, so that a scenario sends the same bytes wherever it is played.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use kcc_runtime::transport::Protocol;
use kcc_sip::{HeaderKind, Message};

use super::model;
use super::resend::Resends;

/// An endpoint.
pub struct Agent {
    /// Its name.
    pub name: String,
    /// What it speaks over.
    pub protocol: Protocol,
    /// Where it is.
    pub address: SocketAddr,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// Its calls, in order.
    pub calls: Vec<Call>,
    /// The call in hand.
    pub current: Option<usize>,
    /// What it received and no step has taken.
    pub inbox: VecDeque<Arrived>,
    /// Requests that steps have taken.
    pub requests: Vec<Request>,
    /// What it repeats, where it does.
    pub resends: Option<Resends>,
    /// Nothing more that comes matters.
    pub ignoring: bool,
    seen: HashSet<Bytes>,
    numbers: u32,
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// When, from the start of the scenario.
    pub at: Duration,
    /// From where.
    pub source: SocketAddr,
    /// On which connection.
    pub connection: Option<u64>,
    /// What.
    pub data: Bytes,
    /// The same, parsed.
    pub message: Option<Message>,
    /// The same bytes arrived before.
    pub again: bool,
}

/// A request that a step has taken.
pub struct Request {
    /// The request.
    pub message: Message,
    /// From where.
    pub source: SocketAddr,
    /// On which connection.
    pub connection: Option<u64>,
    /// Its name.
    pub label: Option<String>,
    /// The call, by number.
    pub call: usize,
    /// A final reply was sent.
    pub answered: bool,
}

/// A call, registration or other exchange with one Call-ID.
pub struct Call {
    /// Its name.
    pub label: Option<String>,
    /// Call-ID.
    pub id: Vec<u8>,
    /// The method that began it.
    pub method: String,
    /// From or To of this side, tag included.
    pub local: Vec<u8>,
    /// To or From of the other side, tag included where known.
    pub remote: Vec<u8>,
    /// The last CSeq number of this side.
    pub cseq: u32,
    /// Where requests go: the Contact of the other side, the Request-URI before there is one.
    pub target: Vec<u8>,
    /// Route set.
    pub routes: Vec<Vec<u8>>,
    /// The last INVITE of this side.
    pub invite: Option<Sent>,
    /// The last challenge.
    pub challenge: Option<Message>,
}

/// A request that was sent.
#[derive(Clone)]
pub struct Sent {
    /// The request.
    pub message: Message,
    /// Where it went.
    pub to: SocketAddr,
    /// Its last reply.
    pub reply: Option<Message>,
    /// A negative reply is acknowledged without a step.
    pub acknowledge: bool,
}

impl Agent {
    /// The endpoint as declared.
    pub fn new(endpoint: &model::Endpoint, address: SocketAddr) -> Agent {
        Agent {
            name: endpoint.name.clone(),
            protocol: endpoint.protocol,
            address,
            credentials: endpoint.credentials.clone(),
            calls: Vec::new(),
            current: None,
            inbox: VecDeque::new(),
            requests: Vec::new(),
            resends: (endpoint.resends && !endpoint.protocol.reliable()).then(Resends::default),
            ignoring: false,
            seen: HashSet::new(),
            numbers: 0,
        }
    }

    /// The next number of this endpoint: `alice-7`.
    pub fn number(&mut self) -> String {
        self.numbers += 1;
        format!("{}-{}", self.name, self.numbers)
    }

    /// Takes a message in. The answer is an ACK to send, where its transaction owes one
    /// (RFC 3261 §17.1.1.2).
    pub fn arrive(&mut self, mut arrived: Arrived) -> Option<(Vec<u8>, SocketAddr)> {
        let known = !self.seen.insert(arrived.data.clone());
        arrived.again = known && !self.protocol.reliable();
        let owed = arrived
            .message
            .as_ref()
            .and_then(|message| self.acknowledgement(message));
        self.inbox.push_back(arrived);
        owed
    }

    fn acknowledgement(&self, reply: &Message) -> Option<(Vec<u8>, SocketAddr)> {
        let is_invite = reply
            .cseq()
            .is_some_and(|cseq| cseq.method == kcc_sip::Method::Invite);
        if reply.is_request() || reply.status() < 300 || !is_invite {
            return None;
        }
        let branch = reply.top_via()?.branch()?;
        let invites = self.calls.iter().filter_map(|call| call.invite.as_ref());
        let invite = invites
            .filter(|invite| invite.acknowledge)
            .find(|invite| invite.message.top_via().and_then(|via| via.branch()) == Some(branch))?;
        let mut ack = Vec::new();
        kcc_sip::build::ack_for_negative(&invite.message, reply, b"", &mut ack)
            .then_some((ack, invite.to))
    }

    /// A step takes `message`: the call that it belongs to becomes the one in hand.
    pub fn take(&mut self, arrived: &Arrived, label: Option<&str>) {
        let Some(message) = &arrived.message else {
            return;
        };
        let id = message.call_id().unwrap_or_default();
        let known = self.calls.iter().rposition(|call| call.id == id);
        if message.is_request() {
            let call = known.unwrap_or_else(|| self.called(message));
            self.current = Some(call);
            if let Some(call) = self.calls.get_mut(call) {
                call.heard(message);
            }
            self.requests.push(Request {
                message: message.clone(),
                source: arrived.source,
                connection: arrived.connection,
                label: label.map(str::to_owned),
                call,
                answered: false,
            });
        } else if let Some(call) = known {
            self.current = Some(call);
            let call = &mut self.calls[call];
            call.answered(message);
            if let Some(label) = label {
                call.label = Some(label.to_owned());
            }
        }
    }

    /// A request that begins a call with this endpoint.
    fn called(&mut self, request: &Message) -> usize {
        let text = |kind| request.value(kind).unwrap_or_default().to_vec();
        let mut local = text(HeaderKind::To);
        if request.to_tag().is_none() {
            let tag = self.number();
            local.extend_from_slice(format!(";tag={tag}").as_bytes());
        }
        let routes = request.record_routes().flatten();
        self.calls.push(Call {
            label: None,
            id: request.call_id().unwrap_or_default().to_vec(),
            method: String::from_utf8_lossy(request.method_name()).into_owned(),
            local,
            remote: text(HeaderKind::From),
            cseq: 0,
            target: Vec::new(),
            routes: routes.map(|route| angle(route.uri)).collect(),
            invite: None,
            challenge: None,
        });
        self.calls.len() - 1
    }

    /// Whether a message that nobody expects matters.
    pub fn unexpected(&self) -> Option<&Arrived> {
        if self.ignoring {
            return None;
        }
        self.inbox
            .iter()
            .find(|arrived| !arrived.again && !is_trying(arrived))
    }
}

/// Whether it is a 100 (Trying), which only matters to whoever waits for it.
pub fn is_trying(arrived: &Arrived) -> bool {
    arrived
        .message
        .as_ref()
        .is_some_and(|m| !m.is_request() && m.status() == 100)
}

/// `<uri>`
pub fn angle(uri: &[u8]) -> Vec<u8> {
    [b"<".as_slice(), uri, b">"].concat()
}

impl Call {
    /// A request of the other side.
    fn heard(&mut self, request: &Message) {
        if let Some(Ok(contact)) = request.contacts().next()
            && let kcc_sip::Contact::Address(contact) = contact
        {
            self.target = contact.uri.to_vec();
        }
    }

    /// A reply to a request of this side.
    fn answered(&mut self, reply: &Message) {
        let status = reply.status();
        let method = reply.cseq().map(|cseq| cseq.method);
        if matches!(status, 401 | 407) {
            self.challenge = Some(reply.clone());
        }
        if method == Some(kcc_sip::Method::Invite)
            && let Some(invite) = &mut self.invite
        {
            invite.reply = Some(reply.clone());
        }
        let dialog = matches!(
            method,
            Some(kcc_sip::Method::Invite | kcc_sip::Method::Subscribe | kcc_sip::Method::Refer)
        );
        if !dialog || status <= 100 || status >= 300 || reply.to_tag().is_none() {
            return;
        }
        let tagged = memchr::memmem::find(&self.remote, b"tag=").is_some();
        if let Some(to) = reply.value(HeaderKind::To) {
            self.remote = to.to_vec();
        }
        // The route set is fixed by the reply that makes the dialog (RFC 3261 §12.1.2).
        if !tagged || status >= 200 {
            let mut routes: Vec<_> = reply
                .record_routes()
                .flatten()
                .map(|route| angle(route.uri))
                .collect();
            routes.reverse();
            self.routes = routes;
        }
        if let Some(Ok(kcc_sip::Contact::Address(contact))) = reply.contacts().next() {
            self.target = contact.uri.to_vec();
        }
    }
}
