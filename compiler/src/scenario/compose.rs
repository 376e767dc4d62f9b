//! The messages that endpoints send (RFC 3261 §8.1.1, §8.2.6, §12.2.1.1, §9.1, §17.1.1.3).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use kcc_runtime::transport::Protocol;
use kcc_sip::{HeaderKind, Message, Method, Uri};

use super::agent::{Agent, Call, Sent, angle};
use super::model::{Content, Reply, Send, Which};
use super::plan::Plan;
use super::template::Names;
use super::{Fault, digest};

/// A message with its destination.
pub struct Outgoing {
    /// The message.
    pub data: Vec<u8>,
    /// Where it goes.
    pub to: SocketAddr,
    /// The connection that it answers on.
    pub connection: Option<u64>,
}

/// Methods that go on with the call in hand.
const CONTINUING: &[&str] = &[
    "ACK", "BYE", "CANCEL", "INFO", "NOTIFY", "PRACK", "REFER", "UPDATE",
];

/// Makes the request that a step sends. `acknowledge`: no step acknowledges a negative reply.
pub fn request(
    agent: &mut Agent,
    send: &Send,
    plan: &Plan,
    names: &dyn Names,
    line: u32,
    acknowledge: bool,
) -> Result<Outgoing, Fault> {
    let given = send.uri.as_ref().map(|uri| uri.expand(names)).transpose()?;
    let found = find(agent, send, line)?;
    let begins = found.is_none();
    let number = found.unwrap_or(agent.calls.len());
    if begins {
        let call = begin(agent, send, plan, given.clone(), line)?;
        agent.calls.push(call);
    }
    agent.current = Some(number);
    let branch = agent.number();
    let (protocol, address) = (agent.protocol, agent.address);
    let user = agent.name.clone();
    let credentials = agent.credentials.clone();
    let call = &mut agent.calls[number];
    if let Some(label) = &send.label {
        call.label = Some(label.clone());
    }
    let invite = match send.method.as_str() {
        "ACK" | "CANCEL" => Some(call.invite.clone().ok_or_else(|| {
            Fault::new(
                line,
                format!("no INVITE was sent that {} could be about", send.method),
            )
        })?),
        _ => None,
    };
    let negative = |invite: &Sent| {
        invite
            .reply
            .as_ref()
            .is_none_or(|reply| !(200..300).contains(&reply.status()))
    };
    let mut fields = Fields::default();
    let host = match protocol {
        Protocol::Ws | Protocol::Wss => format!("{user}.invalid"),
        _ => address.to_string(),
    };
    let via = |branch: &str| {
        format!(
            "SIP/2.0/{} {host};branch=z9hG4bK-{branch};rport",
            protocol.via_name()
        )
    };
    let (uri, to) = match &invite {
        // Hop by hop: the same transaction as the INVITE.
        Some(invite) if send.method == "CANCEL" || negative(invite) => {
            let message = &invite.message;
            let value = |kind| message.value(kind).unwrap_or_default().to_vec();
            let remote = match &invite.reply {
                Some(reply) if send.method == "ACK" => {
                    reply.value(HeaderKind::To).unwrap_or_default().to_vec()
                }
                _ => value(HeaderKind::To),
            };
            fields.add("Via", value(HeaderKind::Via));
            for route in message.headers_of(HeaderKind::Route) {
                fields.add("Route", route.value.to_vec());
            }
            fields.add("From", value(HeaderKind::From));
            fields.add("To", remote);
            fields.add("Call-ID", value(HeaderKind::CallId));
            let cseq = message.cseq().map_or(1, |cseq| cseq.number);
            fields.add("CSeq", format!("{cseq} {}", send.method));
            (message.request_uri().to_vec(), invite.to)
        }
        _ => {
            let cseq = match &invite {
                Some(invite) => invite.message.cseq().map_or(1, |cseq| cseq.number),
                None => {
                    call.cseq += 1;
                    call.cseq
                }
            };
            fields.add("Via", via(&branch));
            for route in &call.routes {
                fields.add("Route", route.clone());
            }
            fields.add("From", call.local.clone());
            fields.add("To", call.remote.clone());
            fields.add("Call-ID", call.id.clone());
            fields.add("CSeq", format!("{cseq} {}", send.method));
            let uri = given.unwrap_or_else(|| call.target.clone());
            let hop = call
                .routes
                .first()
                .map_or(uri.as_slice(), |route| within(route));
            let to = if begins || send.credentials {
                None
            } else {
                locate(hop)
            };
            // Over WebSocket there is no way but the connection to the server.
            let to = to.filter(|_| !matches!(protocol, Protocol::Ws | Protocol::Wss));
            (uri, to.unwrap_or(plan.server_for(protocol)))
        }
    };
    fields.add("Max-Forwards", "70");
    if matches!(
        send.method.as_str(),
        "INVITE" | "REGISTER" | "SUBSCRIBE" | "REFER" | "UPDATE"
    ) {
        fields.add("Contact", contact(&user, protocol, address));
    }
    if send.credentials {
        let challenge = call
            .challenge
            .as_ref()
            .ok_or_else(|| Fault::new(line, "no challenge (401 or 407) was received to answer"))?;
        let (user, password) = credentials.ok_or_else(|| {
            Fault::new(
                line,
                "the endpoint has no password: `endpoint NAME udp password WORD`",
            )
        })?;
        let (name, value) = digest::answer(challenge, &send.method, &uri, &user, &password)
            .ok_or_else(|| Fault::new(line, "the challenge is not understood"))?;
        fields.add(name, value);
    }
    let first = [send.method.as_bytes(), b" ", &uri, b" SIP/2.0"].concat();
    let data = fields.write(&first, &send.content, address, names)?;
    let to = send
        .towards
        .and_then(|who| plan.endpoints.get(who))
        .copied()
        .unwrap_or(to);
    if send.method == "INVITE"
        && let Ok(message) = Message::parse(Bytes::copy_from_slice(&data))
    {
        call.invite = Some(Sent {
            message,
            to,
            reply: None,
            acknowledge,
        });
    }
    Ok(Outgoing {
        data,
        to,
        connection: None,
    })
}

/// The call that a request goes on with; `None` begins one.
fn find(agent: &Agent, send: &Send, line: u32) -> Result<Option<usize>, Fault> {
    let last_of = |method: &str| agent.calls.iter().rposition(|call| call.method == method);
    Ok(match &send.call {
        Which::New => None,
        Which::Named(name) => {
            let found = |call: &Call| call.label.as_deref() == Some(name);
            let found =
                agent.calls.iter().rposition(found).ok_or_else(|| {
                    Fault::new(line, format!("{} has no call `{name}`", agent.name))
                });
            Some(found?)
        }
        Which::Current => Some(
            agent
                .current
                .ok_or_else(|| Fault::new(line, format!("{} has no call", agent.name)))?,
        ),
        Which::Usual if send.method == "REGISTER" => last_of("REGISTER"),
        Which::Usual if send.credentials => agent.current,
        Which::Usual if CONTINUING.contains(&send.method.as_str()) => agent.current,
        Which::Usual => None,
    })
}

fn begin(
    agent: &mut Agent,
    send: &Send,
    plan: &Plan,
    given: Option<Vec<u8>>,
    line: u32,
) -> Result<Call, Fault> {
    let server = plan.server_for(agent.protocol);
    let number = agent.number();
    let own = format!("sip:{}@{server}", agent.name);
    let uri = match (&send.callee, given) {
        (_, Some(uri)) => uri,
        (Some(callee), None) => format!("sip:{callee}@{server}").into_bytes(),
        (None, None) if send.method == "INVITE" => {
            return Err(Fault::new(
                line,
                "whom? `sends INVITE to NAME` or `sends INVITE sip:…`",
            ));
        }
        (None, None) => format!("sip:{server}").into_bytes(),
    };
    let remote = match (&send.callee, send.method.as_str()) {
        (_, "REGISTER") => angle(own.as_bytes()),
        (Some(callee), _) => format!("<sip:{callee}@{server}>").into_bytes(),
        (None, _) => angle(&uri),
    };
    Ok(Call {
        label: None,
        id: format!("{number}@{}", agent.address.ip()).into_bytes(),
        method: send.method.clone(),
        local: format!("<{own}>;tag={number}").into_bytes(),
        remote,
        cseq: 0,
        target: uri,
        routes: Vec::new(),
        invite: None,
        challenge: None,
    })
}

/// Makes the reply that a step sends.
pub fn reply(
    agent: &mut Agent,
    reply: &Reply,
    names: &dyn Names,
    line: u32,
) -> Result<Outgoing, Fault> {
    let (protocol, address) = (agent.protocol, agent.address);
    let wanted = |request: &super::agent::Request| match &reply.to {
        Some(to) => {
            request.label.as_deref() == Some(to) || request.message.method_name() == to.as_bytes()
        }
        None => request.message.method() != Method::Ack && !request.answered,
    };
    let found = agent.requests.iter().rposition(wanted).ok_or_else(|| {
        let what = reply.to.as_deref().unwrap_or("request without an answer");
        Fault::new(
            line,
            format!("{} received no {what} that it could answer", agent.name),
        )
    })?;
    let request = &mut agent.requests[found];
    request.answered |= reply.code >= 200;
    let message = &request.message;
    let call = &agent.calls[request.call];
    agent.current = Some(request.call);
    let mut fields = Fields::default();
    for header in message.headers() {
        if matches!(header.kind, HeaderKind::Via | HeaderKind::RecordRoute) {
            let name = if header.kind == HeaderKind::Via {
                "Via"
            } else {
                "Record-Route"
            };
            fields.add(name, header.value.to_vec());
        }
    }
    fields.add(
        "From",
        message.value(HeaderKind::From).unwrap_or_default().to_vec(),
    );
    let tagged = message.to_tag().is_some() || reply.code == 100;
    let to = message.value(HeaderKind::To).unwrap_or_default();
    let mut to = to.to_vec();
    if !tagged {
        let tag = memchr::memmem::rfind(&call.local, b";tag=").unwrap_or(call.local.len());
        to.extend_from_slice(&call.local[tag..]);
    }
    fields.add("To", to);
    fields.add("Call-ID", message.call_id().unwrap_or_default().to_vec());
    fields.add(
        "CSeq",
        message.value(HeaderKind::CSeq).unwrap_or_default().to_vec(),
    );
    let dialog = matches!(
        message.method(),
        Method::Invite | Method::Subscribe | Method::Update
    );
    if dialog && (101..300).contains(&reply.code) {
        fields.add("Contact", contact(&agent.name, protocol, address));
    }
    let reason = match &reply.reason {
        Some(reason) => reason.clone(),
        None => kcc_sip::reason_phrase(reply.code).to_owned(),
    };
    let first = format!("SIP/2.0 {} {reason}", reply.code);
    let data = fields.write(first.as_bytes(), &reply.content, address, names)?;
    Ok(Outgoing {
        data,
        to: back(message, request.source),
        connection: request.connection,
    })
}

/// Where replies to `request` go (RFC 3261 §18.2.2, RFC 3581).
fn back(request: &Message, source: SocketAddr) -> SocketAddr {
    let Some(via) = request.top_via() else {
        return source;
    };
    if via.has_rport() {
        return source;
    }
    SocketAddr::new(source.ip(), via.port().unwrap_or(5060))
}

fn contact(user: &str, protocol: Protocol, address: SocketAddr) -> String {
    match protocol {
        Protocol::Udp => format!("<sip:{user}@{address}>"),
        // Nothing can be sent to such an address (RFC 7118 §5.2).
        Protocol::Ws | Protocol::Wss => format!("<sip:{user}@{user}.invalid;transport=ws>"),
        other => format!("<sip:{user}@{address};transport={other}>"),
    }
}

/// The URI in `<uri>`.
fn within(address: &[u8]) -> &[u8] {
    let inner = address.strip_prefix(b"<").unwrap_or(address);
    inner.strip_suffix(b">").unwrap_or(inner)
}

/// The address that a URI's host is.
fn locate(uri: &[u8]) -> Option<SocketAddr> {
    let uri = Uri::parse(uri).ok()?;
    let host = std::str::from_utf8(uri.host).ok()?;
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(SocketAddr::new(ip, uri.port_or_default()))
}

/// Header fields in order.
#[derive(Default)]
struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    fn add(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// The whole message: what `content` gives takes the place of the usual.
    fn write(
        mut self,
        first: &[u8],
        content: &Content,
        address: SocketAddr,
        names: &dyn Names,
    ) -> Result<Vec<u8>, Fault> {
        let body = match &content.body {
            Some(body) => body.expand(names)?,
            None if content.sdp => session(address).into_bytes(),
            None => Vec::new(),
        };
        if content.sdp {
            self.add("Content-Type", "application/sdp");
        }
        self.add("Content-Length", body.len().to_string());
        self.0.retain(|(name, _)| {
            !content
                .without
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name))
        });
        let mut replaced: Vec<&str> = Vec::new();
        for (name, value) in &content.headers {
            let value = value.expand(names)?;
            let same = |(other, _): &(String, Vec<u8>)| other.eq_ignore_ascii_case(name);
            let place = self.0.iter().position(same);
            match place.filter(|_| !replaced.contains(&name.as_str())) {
                Some(place) => {
                    self.0[place] = (name.clone(), value);
                    let mut index = 0;
                    self.0.retain(|field| {
                        index += 1;
                        index - 1 <= place || !same(field)
                    });
                }
                None => {
                    // Beside its like, else before the body's fields.
                    let last = self.0.iter().rposition(same).map(|at| at + 1);
                    let tail = self
                        .0
                        .iter()
                        .position(|(name, _)| name == "Content-Type" || name == "Content-Length");
                    let at = last.or(tail).unwrap_or(self.0.len());
                    self.0.insert(at, (name.clone(), value));
                }
            }
            replaced.push(name);
        }
        let mut out = first.to_vec();
        out.extend_from_slice(b"\r\n");
        for (name, value) in &self.0 {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&body);
        Ok(out)
    }
}

/// A session description (RFC 4566) with one audio stream.
fn session(address: SocketAddr) -> String {
    let ip = address.ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )
}
