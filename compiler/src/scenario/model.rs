//! What a scenario file says, each thing with its line.

use std::time::Duration;

use kcc_runtime::transport::{Conditions, Protocol};
use regex::bytes::Regex;

use super::template::Template;
use crate::release::Release;

/// A scenario: what is set up, and what happens.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file, as it was named.
    pub file: String,
    /// The line that it begins on.
    pub line: u32,
    /// Its name, unique in the file.
    pub name: String,
    /// What is set up.
    pub setup: Setup,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// What stands before the first step.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Pieces of configuration, in order.
    pub config: Vec<Config>,
    /// Files beside the configuration: name and text.
    pub files: Vec<(String, Vec<u8>)>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Messages that have a name.
    pub messages: Vec<(String, Template)>,
    /// Defines, as `-A` gives them.
    pub defines: Vec<String>,
    /// Addresses that take the place of the configuration's own.
    pub server: Vec<String>,
    /// Who speaks with the server.
    pub endpoints: Vec<Endpoint>,
    /// How the network treats what is sent.
    pub network: Conditions,
    /// The seed of what the network does, where the file gives one.
    pub seed: Option<u64>,
    /// Modules that Kamailio needs for it.
    pub needs: Vec<String>,
    /// Why Kamailio answers otherwise, where it does on purpose.
    pub differs: Option<Reason>,
    /// Why kcc does not do it yet, where it does not: the scenario has to fail.
    pub pending: Option<Reason>,
    /// The releases that it holds for, each once; none given is all.
    pub compat: Vec<Release>,
    /// Header fields that are not compared with Kamailio's, in lower case.
    pub not_compared: Vec<String>,
    /// How long it may take, in its own time.
    pub limit: Option<Duration>,
}

/// Why something is as it is.
#[derive(Clone, Debug)]
pub struct Reason {
    /// Where it is said.
    pub line: u32,
    /// The reason.
    pub text: String,
}

/// A piece of configuration.
#[derive(Clone, Debug)]
pub enum Config {
    /// Text in the scenario file, from `line` on.
    Inline {
        /// The line of its first line.
        line: u32,
        /// The text.
        text: String,
    },
    /// Text in double quotes, taken as it is.
    Exact {
        /// The line that it stands on.
        line: u32,
        /// The text.
        text: Vec<u8>,
    },
    /// A file, relative to the scenario file.
    File {
        /// The line that names it.
        line: u32,
        /// Its path.
        path: String,
    },
}

/// One who speaks with the server.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The line that declares it.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// What it speaks over.
    pub protocol: Protocol,
    /// Its port, where the file gives one.
    pub port: Option<u16>,
    /// Repeats what got lost.
    pub resends: bool,
    /// User name and password for digest authentication.
    pub credentials: Option<(String, String)>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its line.
    pub line: u32,
    /// What happens.
    pub action: Action,
}

/// What happens in a step.
#[derive(Clone, Debug)]
pub enum Action {
    /// An endpoint sends a request.
    Send(Send),
    /// An endpoint sends bytes.
    SendRaw {
        /// Who.
        who: usize,
        /// What.
        data: Template,
    },
    /// An endpoint answers a request that it received.
    Reply(Reply),
    /// An endpoint receives a message.
    Receive(Receive),
    /// An endpoint receives nothing for a time.
    Nothing {
        /// Who; `None` is everybody.
        who: Option<usize>,
        /// How long.
        time: Duration,
        /// Whether retransmissions count, too.
        at_all: bool,
    },
    /// What an endpoint still receives does not matter; `None` is everybody.
    Ignore(Option<usize>),
    /// An endpoint opens its connection.
    Connect(usize),
    /// An endpoint closes its connection.
    Close(usize),
    /// Time passes.
    Wait(Duration),
    /// The network changes.
    Network(Conditions),
    /// The script wrote these lines next.
    Prints(Vec<Text>),
    /// The script wrote nothing more.
    PrintsNothing,
    /// The log so far has a line that matches, this often where a number is given.
    Log {
        /// What.
        pattern: Pattern,
        /// How often: at least once without a number.
        count: Option<usize>,
    },
    /// The server does not start.
    Refuses {
        /// The line of the error.
        at: Option<u32>,
        /// What kcc says of it.
        says: Option<Pattern>,
    },
    /// Receives that may happen in any order.
    AnyOrder(Vec<Step>),
}

/// Which exchange a message belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The one that the method makes likely.
    #[default]
    Usual,
    /// The endpoint's current call.
    Current,
    /// A new one.
    New,
    /// The one that was given this name.
    Named(String),
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Send {
    /// Who.
    pub who: usize,
    /// Method.
    pub method: String,
    /// Request-URI, where it is given.
    pub uri: Option<Template>,
    /// Who is called, where only the name is given.
    pub callee: Option<String>,
    /// The exchange.
    pub call: Which,
    /// A name for it.
    pub label: Option<String>,
    /// Answers the challenge that was received.
    pub credentials: bool,
    /// Sends it to this endpoint and not to where it belongs.
    pub towards: Option<usize>,
    /// Header fields and body.
    pub content: Content,
}

/// A reply to be sent.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Who.
    pub who: usize,
    /// Status.
    pub code: u16,
    /// Reason phrase, where it is given.
    pub reason: Option<String>,
    /// Method or label of the request, where it is given.
    pub to: Option<String>,
    /// Header fields and body.
    pub content: Content,
}

/// What a message to be sent carries besides the usual.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Header fields: they take the place of the usual ones of the same name.
    pub headers: Vec<(String, Template)>,
    /// Names of usual header fields that are left out, in lower case.
    pub without: Vec<String>,
    /// Body.
    pub body: Option<Template>,
    /// A session description as body.
    pub sdp: bool,
}

/// A message to be received.
#[derive(Clone, Debug)]
pub struct Receive {
    /// Who.
    pub who: usize,
    /// What.
    pub first: First,
    /// The time in which it comes, counted from the step before.
    pub window: Option<(Duration, Duration)>,
    /// It is a retransmission.
    pub again: bool,
    /// The exchange that it belongs to.
    pub call: Which,
    /// A name for the request, or for the exchange of a reply.
    pub label: Option<String>,
    /// The method that the reply is about.
    pub about: Option<String>,
    /// What is wanted of it.
    pub checks: Vec<Check>,
}

/// The first line that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// A request.
    Request(String),
    /// A reply with a status from the first to the second number.
    Reply(u16, u16),
    /// A reply with this reason phrase.
    Reason(u16, String),
    /// Anything.
    Any,
}

/// Something that is wanted of a received message.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its line.
    pub line: u32,
    /// What of the message.
    pub part: Part,
    /// What is wanted.
    pub want: Want,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The values of a header field: all of them, or one by number from 0.
    Header(String, Option<usize>),
    /// The body.
    Body,
    /// The Request-URI.
    Uri,
    /// The reason phrase.
    Reason,
    /// Everything, to the byte.
    Raw,
    /// The address that it came from.
    Source,
}

/// What is wanted of a part.
#[derive(Clone, Debug)]
pub enum Want {
    /// Exactly this.
    Equal(Text),
    /// A match (false: no match).
    Match(Pattern, bool),
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// That many values.
    Count(usize),
    /// It stands before this header field.
    Before(String),
    /// Its value gets this name.
    Capture(String),
}

/// Text to compare with, in which `{*}` stands for anything.
pub type Text = Template;

/// A regular expression, in which placeholders may stand.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Without placeholders.
    Fixed(Regex),
    /// With placeholders.
    Open(Template),
}
