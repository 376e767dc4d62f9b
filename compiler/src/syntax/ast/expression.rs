//! Expressions (language reference §3.4, §3.5).

use std::net::IpAddr;

use super::{Assign, Attribute, Block, Name, Select, Span, Str, Variable};

/// An expression. Parentheses leave no trace but in the span.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place, enclosing parentheses not included.
    pub span: Span,
    /// Levels of expressions and statements below and including this one.
    pub depth: u16,
}

/// The kinds of expressions.
#[derive(Debug)]
pub enum ExprKind {
    /// A number; the minus of a negative literal is a [`UnaryOp::Minus`].
    Number(i32),
    /// A string literal. Never interpolated here.
    Str(Str),
    /// A pseudo-variable, or an old-style attribute that looks like one (see [`super::VariableForm`]).
    Variable(Box<Variable>),
    /// An old-style attribute.
    Attribute(Box<Attribute>),
    /// A select.
    Select(Box<Select>),
    /// A call of a function, core statement or route.
    Call(Box<Call>),
    /// A test of a keyword: `method == "INVITE"`, `src_ip == 10.0.0.0/8`.
    Test(Box<Test>),
    /// A block as a value: that of its last action, or what `return` gives.
    Block(Box<Block>),
    /// `( lval = expr )`; its value is 1.
    Assign(Box<Assign>),
    /// An operator before its operand.
    Unary(Unary),
    /// An operator between two operands.
    Binary(Binary),
    /// `selval(condition, then, otherwise)`.
    Selval(Box<[Expr; 3]>),
    /// Text that was not understood; reported.
    Error,
}

/// An operator with one operand.
#[derive(Debug)]
pub struct Unary {
    /// The operator.
    pub op: UnaryOp,
    /// Place of the operator.
    pub op_span: Span,
    /// The operand.
    pub operand: Box<Expr>,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`, `not`
    Not,
    /// `~`
    BitNot,
    /// `-`
    Minus,
    /// `defined`
    Defined,
    /// `(int)`
    Int,
    /// `(str)`
    Str,
    /// `strlen(…)`
    Strlen,
    /// `strempty(…)`
    Strempty,
}

/// An operator with two operands.
#[derive(Debug)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Place of the operator.
    pub op_span: Span,
    /// The left operand.
    pub left: Box<Expr>,
    /// The right operand.
    pub right: Box<Expr>,
}

/// Operators with two operands, lowest precedence first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`, `or`
    Or,
    /// `&&`, `and`
    And,
    /// `|`
    BitOr,
    /// `&`
    BitAnd,
    /// `^`
    BitXor,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Match,
    /// `eq`
    StrEqual,
    /// `ne`
    StrNotEqual,
    /// `ieq`
    IntEqual,
    /// `ine`
    IntNotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    LessEqual,
    /// `>=`
    GreaterEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `mod`
    Modulo,
}

/// A call: `name(args)`, or `name` alone where `parenthesised` is false.
#[derive(Debug)]
pub struct Call {
    /// What is called, as written: a module function, a core statement (`setflag`), or `route`.
    pub callee: Name,
    /// The arguments, however many.
    pub args: Vec<Arg>,
    /// True when the name is one of the language's own statements.
    pub core: bool,
    /// False for `force_rport;`, written without parentheses.
    pub parenthesised: bool,
    /// The whole call.
    pub span: Span,
}

/// An argument of a call.
#[derive(Debug)]
pub struct Arg {
    /// What it is.
    pub kind: ArgKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of arguments. All but `Expr` are for core statements only.
#[derive(Debug)]
pub enum ArgKind {
    /// An expression.
    Expr(Expr),
    /// A bare word: a route or flag name, or a host (`sip.example.com`).
    Word(Name),
    /// `[proto:]address[:port]` with at least one part beyond a bare word, or an IP address.
    Socket(SocketId),
    /// A bare protocol name.
    Protocol(Protocol),
    /// `uri:host`.
    UriHost,
    /// `uri:port`.
    UriPort,
}

/// A test of a keyword against a value; it stands as a single operand.
#[derive(Debug)]
pub struct Test {
    /// What is tested.
    pub subject: TestSubject,
    /// Place of the keyword.
    pub subject_span: Span,
    /// How: one of `Equal NotEqual StrEqual StrNotEqual Match Less Greater LessEqual GreaterEqual`.
    pub op: BinaryOp,
    /// Place of the operator.
    pub op_span: Span,
    /// Against what. `myself == uri` is given as `uri == myself`.
    pub value: TestValue,
}

/// Keywords that can be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestSubject {
    /// `method`
    Method,
    /// `uri`
    Uri,
    /// `status`: the same thing to Kamailio as `uri`
    Status,
    /// `from_uri`
    FromUri,
    /// `to_uri`
    ToUri,
    /// `src_ip`
    SrcIp,
    /// `dst_ip`
    DstIp,
    /// `snd_ip`, in `onsend_route` only
    SndIp,
    /// `to_ip`, in `onsend_route` only
    ToIp,
    /// `src_port`
    SrcPort,
    /// `dst_port`
    DstPort,
    /// `snd_port`, in `onsend_route` only
    SndPort,
    /// `to_port`, in `onsend_route` only
    ToPort,
    /// `proto`
    Proto,
    /// `snd_proto`, `to_proto`, in `onsend_route` only
    SndProto,
    /// `af`
    Af,
    /// `snd_af`, `to_af`, in `onsend_route` only
    SndAf,
    /// `msg:len`
    MsgLen,
}

/// Right side of a test.
#[derive(Debug)]
pub enum TestValue {
    /// An expression.
    Expr(Expr),
    /// `myself`.
    Myself(Span),
    /// A bare word: a method name or a host name.
    Word(Name),
    /// A protocol word.
    Protocol(Protocol, Span),
    /// `address`, `address/bits` or `address/mask`.
    Network(Network),
}

/// An address with an optional prefix length or mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address.
    pub address: IpAddr,
    /// What follows `/`.
    pub mask: Option<NetworkMask>,
    /// Its place.
    pub span: Span,
}

/// What follows the `/` of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkMask {
    /// A number of bits, as written.
    Bits(i32),
    /// A mask in address form.
    Mask(IpAddr),
}

/// A transport protocol word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `udp`
    Udp,
    /// `tcp`
    Tcp,
    /// `tls`
    Tls,
    /// `sctp`
    Sctp,
    /// `ws`
    Ws,
    /// `wss`
    Wss,
    /// `*`: all enabled ones
    Any,
}

/// `[proto:]host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketId {
    /// The protocol, if given.
    pub protocol: Option<Protocol>,
    /// The addresses; more than one only for the list form `(a, b)`.
    pub hosts: Vec<Host>,
    /// The port, if given.
    pub port: Option<Port>,
    /// Its place.
    pub span: Span,
}

/// A port in a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// A number, as written.
    Number(i32),
    /// `first-last` in `socket = {…}`.
    Range(i32, i32),
    /// `*`
    Any,
}

/// An address in a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// What it is.
    pub kind: HostKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// An IP address.
    Ip(IpAddr),
    /// A host or interface name written bare.
    Name(Box<str>),
    /// A string.
    Str(Str),
}
