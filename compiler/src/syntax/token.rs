//! Tokens and the words of the language (language reference §1.3, §1.4, §1.7).
//!
//! A token is small and has no text of its own: its text stands at its span, and what cannot be
//! read from there is in a side table that `value` points into.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::catalogue;
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, LeaveKind, Protocol, RouteKind, TestSubject, UnaryOp};

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its kind, all that the grammar sees.
    pub kind: Kind,
    /// Meaning by kind: the number; the operator, keyword or protocol of a kind that has several;
    /// for strings and variables an index, see [`Tokens`].
    pub value: i32,
    /// Its place.
    pub span: Span,
}

/// All tokens of a configuration.
#[derive(Debug, Default)]
pub struct Tokens {
    /// The tokens in order.
    pub list: Vec<Token>,
    /// Values of [`Kind::Str`] tokens, by `value`.
    pub strings: Vec<StrValue>,
    /// For [`Kind::Variable`] tokens, by `value`.
    pub variables: Vec<VariableText>,
}

/// Value of a string token.
#[derive(Debug)]
pub struct StrValue {
    /// The bytes.
    pub value: Box<[u8]>,
    /// Reading the text at the token's span again gives the same bytes.
    pub exact: bool,
}

/// Text of a variable token.
#[derive(Debug)]
pub struct VariableText {
    /// The text if it is not the one at the span, because a `#!subst` changed it.
    pub changed: Option<Box<[u8]>>,
    /// Read after `#!KAMAILIO`.
    pub strict: bool,
}

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An identifier that is no keyword.
    Id,
    /// Letters and digits that are neither identifier nor number.
    NumId,
    /// A number or a word for one.
    Number,
    /// A string literal, adjacent ones merged.
    Str,
    /// An IP address, brackets and mask included.
    Ip,
    /// A host name with dots or dashes, after `src_ip ==` and its like.
    Host,
    /// `$variable`.
    Variable,
    /// `$f.name`, `%name`; without brackets.
    Attribute,
    /// `@select.path`.
    Select,
    /// Name of an event route.
    EventName,

    /// `{`
    BraceOpen,
    /// `}`
    BraceClose,
    /// `(`
    ParenOpen,
    /// `)`
    ParenClose,
    /// `[`
    BracketOpen,
    /// `]`
    BracketClose,
    /// `;`
    Semicolon,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `.`
    Dot,
    /// `=`
    Assign,

    /// `== != =~ eq ne ieq ine`; `value` indexes [`BINARY_OPS`].
    EqOp,
    /// `< > <= >=`; `value` indexes [`BINARY_OPS`].
    RelOp,
    /// Any other operator that is only ever binary; `value` indexes [`BINARY_OPS`].
    BinOp,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `! not ~ defined (int) (str)`; `value` indexes [`UNARY_OPS`].
    UnOp,
    /// `strlen strempty`; `value` indexes [`UNARY_OPS`].
    StrTest,
    /// `selval`
    Selval,

    /// `if`
    If,
    /// `else`
    Else,
    /// `while`
    While,
    /// `switch`
    Switch,
    /// `case`
    Case,
    /// `default`
    Default,
    /// `drop exit return`; `value` indexes [`LEAVES`].
    Leave,
    /// `break`
    Break,
    /// `route`
    Route,
    /// The other route blocks' keywords but `event_route`; `value` indexes [`ROUTE_KEYWORDS`].
    RouteKind,
    /// `event_route`
    EventRoute,

    /// `loadmodule`; `value` 1 for `loadmodulex`.
    LoadModule,
    /// `loadpath mpath`
    LoadPath,
    /// `modparam`; `value` 1 for `modparamx`.
    ModParam,
    /// `cfgengine`
    CfgEngine,
    /// `flags bool`
    Flags,
    /// `avpflags`
    AvpFlags,
    /// `listen`
    Listen,
    /// `alias domain`
    Alias,
    /// `advertise`
    Advertise,
    /// `name`
    Name,
    /// `virtual`
    Virtual,
    /// `desc descr description`
    Description,
    /// A keyword that can be tested; `value` indexes [`SUBJECTS`].
    Subject,
    /// `myself`
    Myself,
    /// `udp tcp tls sctp ws wss`; `value` indexes [`PROTOCOLS`].
    Protocol,
    /// `uri:host`; `value` 1 for `uri:port`.
    UriPart,
    /// The name of a global parameter.
    Word,
    /// A statement of the core that needs parentheses; may name a parameter too.
    CoreCall,
    /// A statement of the core that is also written without parentheses; may name a parameter too.
    BareCall,

    /// Stands after the last token of a `listen`, `alias` or `domain` list.
    EndList,
    /// Characters that form no token, or text that was found wrong and reported.
    Bad,
    /// A sign that other languages have and this one has not: `+=`, `%`, a lone `$`.
    Foreign,
}

/// Meaning of the value of [`Kind::EqOp`], [`Kind::RelOp`] and [`Kind::BinOp`].
pub const BINARY_OPS: [BinaryOp; 20] = [
    BinaryOp::Or,
    BinaryOp::And,
    BinaryOp::BitOr,
    BinaryOp::BitAnd,
    BinaryOp::BitXor,
    BinaryOp::ShiftLeft,
    BinaryOp::ShiftRight,
    BinaryOp::Equal,
    BinaryOp::NotEqual,
    BinaryOp::Match,
    BinaryOp::StrEqual,
    BinaryOp::StrNotEqual,
    BinaryOp::IntEqual,
    BinaryOp::IntNotEqual,
    BinaryOp::Less,
    BinaryOp::Greater,
    BinaryOp::LessEqual,
    BinaryOp::GreaterEqual,
    BinaryOp::Add,
    BinaryOp::Modulo,
];

/// Meaning of the value of [`Kind::UnOp`] and [`Kind::StrTest`].
pub const UNARY_OPS: [UnaryOp; 7] = [
    UnaryOp::Not,
    UnaryOp::BitNot,
    UnaryOp::Defined,
    UnaryOp::Int,
    UnaryOp::Str,
    UnaryOp::Strlen,
    UnaryOp::Strempty,
];

/// Meaning of the value of [`Kind::Leave`].
pub const LEAVES: [LeaveKind; 3] = [LeaveKind::Drop, LeaveKind::Exit, LeaveKind::Return];

/// Meaning of the value of [`Kind::RouteKind`]: the keyword, its kind, and whether it takes a name.
pub const ROUTE_KEYWORDS: [(&str, RouteKind, bool); 6] = [
    ("request_route", RouteKind::Request, false),
    ("reply_route", RouteKind::Reply, false),
    ("onreply_route", RouteKind::Reply, true),
    ("failure_route", RouteKind::Failure, true),
    ("branch_route", RouteKind::Branch, true),
    ("onsend_route", RouteKind::Onsend, true),
];

/// Meaning of the value of [`Kind::Protocol`].
pub const PROTOCOLS: [Protocol; 6] = [
    Protocol::Udp,
    Protocol::Tcp,
    Protocol::Tls,
    Protocol::Sctp,
    Protocol::Ws,
    Protocol::Wss,
];

/// Meaning of the value of [`Kind::Subject`]: the keyword and what it tests.
pub const SUBJECTS: [(&str, TestSubject); 20] = [
    ("method", TestSubject::Method),
    ("uri", TestSubject::Uri),
    ("status", TestSubject::Status),
    ("from_uri", TestSubject::FromUri),
    ("to_uri", TestSubject::ToUri),
    ("src_ip", TestSubject::SrcIp),
    ("dst_ip", TestSubject::DstIp),
    ("snd_ip", TestSubject::SndIp),
    ("to_ip", TestSubject::ToIp),
    ("src_port", TestSubject::SrcPort),
    ("dst_port", TestSubject::DstPort),
    ("snd_port", TestSubject::SndPort),
    ("to_port", TestSubject::ToPort),
    ("proto", TestSubject::Proto),
    ("snd_proto", TestSubject::SndProto),
    ("to_proto", TestSubject::SndProto),
    ("af", TestSubject::Af),
    ("snd_af", TestSubject::SndAf),
    ("to_af", TestSubject::SndAf),
    ("msg:len", TestSubject::MsgLen),
];

/// Index of an operator in [`BINARY_OPS`].
pub fn binary_op_index(op: BinaryOp) -> i32 {
    let index = BINARY_OPS.iter().position(|&each| each == op);
    index.map_or(0, |index| index as i32)
}

/// Kind and value of `word`, or `None` if it is an identifier. `include_file` and `import_file` are
/// not here: the lexer knows them.
pub fn keyword(word: &[u8]) -> Option<(Kind, i32)> {
    // The longest name of a parameter has 27 letters.
    if word.len() > 40 {
        return None;
    }
    WORDS.get_or_init(words).get(word).copied()
}

/// True for a name that the language itself gives a meaning at the start of a line of the file.
pub fn is_parameter(word: &str) -> bool {
    catalogue::global(word).is_some()
}

type Words = HashMap<&'static [u8], (Kind, i32)>;

static WORDS: OnceLock<Words> = OnceLock::new();

fn words() -> Words {
    let mut words = Words::new();
    for name in catalogue::global_names() {
        if !name.contains('.') {
            words.insert(name.as_bytes(), (Kind::Word, 0));
        }
    }
    for function in catalogue::all_core_functions() {
        let entry = words.entry(function.name.as_bytes());
        let entry = entry.or_insert((Kind::CoreCall, 0));
        if function.arity == catalogue::Arity::Bare {
            entry.0 = Kind::BareCall;
        } else if entry.0 == Kind::Word {
            entry.0 = Kind::CoreCall;
        }
    }
    let mut add = |names: &'static str, kind: Kind, value: i32| {
        for name in names.split(' ') {
            words.insert(name.as_bytes(), (kind, value));
        }
    };
    add("socket statistics max_len", Kind::Word, 0);
    add("isavpflagset setavpflag resetavpflag", Kind::CoreCall, 0);
    add("yes true on enable", Kind::Number, 1);
    add("no false off disable", Kind::Number, 0);
    add("inet INET ipv4 IPv4 IPV4", Kind::Number, 2);
    add("inet6 INET6 ipv6 IPv6 IPV6", Kind::Number, 10);
    add("if", Kind::If, 0);
    add("else", Kind::Else, 0);
    add("while", Kind::While, 0);
    add("switch", Kind::Switch, 0);
    add("case", Kind::Case, 0);
    add("default", Kind::Default, 0);
    add("drop", Kind::Leave, 0);
    add("exit", Kind::Leave, 1);
    add("return", Kind::Leave, 2);
    add("break", Kind::Break, 0);
    add("route", Kind::Route, 0);
    add("event_route", Kind::EventRoute, 0);
    add("loadmodule", Kind::LoadModule, 0);
    add("loadmodulex", Kind::LoadModule, 1);
    add("loadpath mpath", Kind::LoadPath, 0);
    add("modparam", Kind::ModParam, 0);
    add("modparamx", Kind::ModParam, 1);
    add("cfgengine", Kind::CfgEngine, 0);
    add("flags bool", Kind::Flags, 0);
    add("avpflags", Kind::AvpFlags, 0);
    add("listen", Kind::Listen, 0);
    add("alias domain", Kind::Alias, 0);
    add("advertise ADVERTISE", Kind::Advertise, 0);
    add("name NAME", Kind::Name, 0);
    add("virtual", Kind::Virtual, 0);
    add("desc descr description", Kind::Description, 0);
    add("myself", Kind::Myself, 0);
    add("selval", Kind::Selval, 0);
    for (index, names) in [
        "udp UDP",
        "tcp TCP",
        "tls TLS",
        "sctp SCTP",
        "ws WS",
        "wss WSS",
    ]
    .into_iter()
    .enumerate()
    {
        add(names, Kind::Protocol, index as i32);
    }
    for (index, (name, ..)) in ROUTE_KEYWORDS.into_iter().enumerate() {
        add(name, Kind::RouteKind, index as i32);
    }
    for (index, (name, _)) in SUBJECTS.into_iter().enumerate() {
        add(name, Kind::Subject, index as i32);
    }
    add("not", Kind::UnOp, 0);
    add("defined", Kind::UnOp, 2);
    add("strlen", Kind::StrTest, 5);
    add("strempty", Kind::StrTest, 6);
    for (name, kind, op) in [
        ("or", Kind::BinOp, BinaryOp::Or),
        ("and", Kind::BinOp, BinaryOp::And),
        ("mod", Kind::BinOp, BinaryOp::Modulo),
        ("eq", Kind::EqOp, BinaryOp::StrEqual),
        ("ne", Kind::EqOp, BinaryOp::StrNotEqual),
        ("ieq", Kind::EqOp, BinaryOp::IntEqual),
        ("ine", Kind::EqOp, BinaryOp::IntNotEqual),
    ] {
        add(name, kind, binary_op_index(op));
    }
    words
}
