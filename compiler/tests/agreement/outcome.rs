//! What a run leaves behind, and how compiled code gets there.

use std::sync::Arc;

use bytes::Bytes;
use kcc_runtime::abi::status;
use kcc_runtime::declare::{Parse as _, Routes};
use kcc_runtime::log::{Capture, Level};
use kcc_runtime::program::Program;
use kcc_runtime::run::{AvpName, Run, Source};
use kcc_runtime::value::Value as Runtime;
use kcc_sip::Message as SipMessage;
use kcc_sip::uri::Uri;

use crate::values::Value;
use crate::witness::CALLS;

/// A header field of the message.
pub const HEADER: &str = "X-A";
/// Its value.
pub const HEADER_VALUE: &str = "head";
/// The names of AVPs that are compared.
pub const AVPS: [&str; 6] = ["x", "y", "i:5", "abc", "i:1", "5"];

/// All that can be told of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How the script ended: see [`kcc_runtime::abi::status`].
    pub status: u64,
    /// Its code.
    pub value: i64,
    /// `$rc`.
    pub rc: i64,
    /// Slots of `$var` and `$vn`.
    pub vars: Vec<Value>,
    /// The values of each of [`AVPS`], newest first.
    pub avps: Vec<Vec<Value>>,
    /// Flags of the message.
    pub flags: u32,
    /// The user part of the Request-URI.
    pub user: Option<Vec<u8>>,
    /// The calls of functions of modules.
    pub calls: Vec<String>,
    /// Lines of level error in the log.
    pub errors: usize,
}

impl Outcome {
    /// What differs between what was interpreted and what was compiled.
    pub fn differences(&self, compiled: &Outcome) -> String {
        let mut all = String::new();
        let mut look = |what: &str, interpreted: String, compiled: String| {
            if interpreted != compiled {
                all.push_str(&format!(
                    "{what}\n  interpreted: {interpreted}\n  compiled:    {compiled}\n"
                ));
            }
        };
        let end = |of: &Outcome| format!("status {} value {}", of.status, of.value);
        look("end", end(self), end(compiled));
        look("$rc", self.rc.to_string(), compiled.rc.to_string());
        look("slots", shown(&self.vars), shown(&compiled.vars));
        let avps = |of: &Outcome| of.avps.iter().map(|own| shown(own)).collect::<Vec<_>>();
        look(
            "AVPs",
            format!("{:?}", avps(self)),
            format!("{:?}", avps(compiled)),
        );
        look("flags", self.flags.to_string(), compiled.flags.to_string());
        look(
            "user",
            format!("{:?}", self.user),
            format!("{:?}", compiled.user),
        );
        look("calls", self.calls.join("; "), compiled.calls.join("; "));
        look(
            "errors",
            self.errors.to_string(),
            compiled.errors.to_string(),
        );
        all
    }
}

fn shown(values: &[Value]) -> String {
    let values: Vec<String> = values.iter().map(Value::to_string).collect();
    values.join(" ")
}

/// The name of an AVP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Avp {
    /// `$avp(i:5)`
    Number(i64),
    /// `$avp(x)`
    Text(Vec<u8>),
}

impl Avp {
    /// A name as it is written.
    pub fn written(text: &[u8]) -> Avp {
        match text.strip_prefix(b"i:") {
            Some(digits) => Avp::Number(String::from_utf8_lossy(digits).parse().unwrap()),
            None => Avp::Text(text.to_vec()),
        }
    }
}

/// What a script can change of a message.
pub struct Message {
    /// AVPs, newest last.
    pub avps: Vec<(Avp, Value)>,
    /// Flags.
    pub flags: u32,
    /// The user part of the Request-URI.
    pub user: Option<Vec<u8>>,
}

impl Default for Message {
    /// As it is received.
    fn default() -> Message {
        Message {
            avps: Vec::new(),
            flags: 0,
            user: Some(b"bob".to_vec()),
        }
    }
}

impl Message {
    /// The values of an AVP, newest first.
    pub fn avp(&self, name: &Avp) -> impl Iterator<Item = &Value> {
        let own = self
            .avps
            .iter()
            .rev()
            .filter(move |(other, _)| other == name);
        own.map(|(_, value)| value)
    }

    /// The values of an AVP by its written name, newest first.
    pub fn values(&self, name: &str) -> Vec<Value> {
        self.avp(&Avp::written(name.as_bytes())).cloned().collect()
    }

    /// Puts a value on top, or in the place of all; nothing takes away the newest, or all.
    pub fn set_avp(&mut self, name: &Avp, all: bool, value: Value) {
        if all {
            self.avps.retain(|(other, _)| other != name);
        }
        if value.is_defined() {
            self.avps.push((name.clone(), value));
        } else if let Some(newest) = self.avps.iter().rposition(|(other, _)| other == name) {
            self.avps.remove(newest);
        }
    }
}

/// Runs `request_route` of a compiled program for a number of messages.
pub fn run(program: Program, messages: usize) -> Vec<Outcome> {
    let route = program.routes().request.expect("there is a request_route");
    let capture = Capture::start(Level::Err as i32);
    let mut run = Run::new(Arc::new(program), None);
    let text = format!(
        "INVITE sip:bob@127.0.0.1:5099 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
         From: <sip:alice@127.0.0.1>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: 1\r\n\
         CSeq: 1 INVITE\r\n{HEADER}: {HEADER_VALUE}\r\nContent-Length: 0\r\n\r\n"
    );
    let message = SipMessage::parse(Bytes::from(text)).expect("it is a message");
    let mut outcomes = Vec::new();
    for _ in 0..messages {
        run.reset();
        run.set_message(message.clone(), Source::default());
        let pair = run.enter(Routes::REQUEST, route);
        let log = String::from_utf8_lossy(&capture.take()).into_owned();
        outcomes.push(Outcome {
            status: pair.status,
            value: pair.value,
            rc: rc(pair.status, run.head.rc),
            vars: slots(&run),
            avps: AVPS.map(|name| avp(&run, name)).to_vec(),
            flags: run.head.message_flags,
            user: user(&run),
            calls: CALLS.take(),
            errors: log.matches(" ERROR: ").count(),
        });
    }
    outcomes
}

/// `$rc` as it is compared: nothing can read it where a function ends the script.
pub fn rc(status: u64, rc: i64) -> i64 {
    if status == status::OK { rc } else { 0 }
}

fn value(value: Runtime<'_>) -> Value {
    match value {
        Runtime::Null => Value::Null,
        Runtime::Int(n) => Value::Int(n),
        Runtime::Str(text) => Value::Str(text.to_vec()),
    }
}

fn slots(run: &Run) -> Vec<Value> {
    (0..run.program.manifest.vars.len())
        // SAFETY: the head has as many slots as the manifest says, and nothing else runs.
        .map(|slot| value(unsafe { (*run.head.vars.add(slot)).val.view() }))
        .collect()
}

fn avp(run: &Run, name: &str) -> Vec<Value> {
    let name = AvpName::parse(name.as_bytes()).expect("it is a name");
    let own = run.avps.values(&name);
    own.map(value).collect()
}

fn user(run: &Run) -> Option<Vec<u8>> {
    let uri = run.target.uri.get().unwrap_or(run.message.request_uri());
    let user = Uri::parse(uri).ok()?.user?;
    (!user.is_empty()).then(|| user.to_vec())
}
