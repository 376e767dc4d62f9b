//! File-level statements (language reference §3.1, §3.2, §4).

use super::{Block, Host, Name, Number, Protocol, SocketId, Span, Str, Variable};

/// A file-level statement.
#[derive(Debug)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of file-level statements.
#[derive(Debug)]
pub enum ItemKind {
    /// `name = value`, a global parameter; the name may be unknown.
    Parameter(Parameter),
    /// `kemi.callback = "name"`
    Kemi(Kemi),
    /// `coreparam[name] = value`
    CoreParameter(CoreParameter),
    /// `group.name = value`
    Custom(Custom),
    /// `listen = …`
    Listen(Listen),
    /// `alias = …`, `domain = …`
    Alias(Vec<SocketId>),
    /// `socket = { … }`
    Socket(SocketBlock),
    /// `flags a, b:3`, `bool a`
    Flags(Vec<FlagDeclaration>),
    /// `avpflags a, b`
    AvpFlags(Vec<FlagDeclaration>),
    /// `loadmodule "name"`, `loadmodulex "name"`
    LoadModule(LoadModule),
    /// `mpath "dirs"`, `loadpath "dirs"`
    LoadPath(Str),
    /// `modparam("modules", "name", value)`, `modparamx(…)`
    ModParam(ModParam),
    /// `cfgengine "name"`
    CfgEngine(Str),
    /// A route block.
    Route(Route),
    /// Text that was not understood; reported.
    Error,
}

/// A global parameter.
#[derive(Debug)]
pub struct Parameter {
    /// The name as written, synonyms not resolved.
    pub name: Name,
    /// False when the name is none of the language's own; the name is then unknown.
    pub known: bool,
    /// The value; whether the parameter takes its kind is not checked.
    pub value: ParameterValue,
    /// Place of the value.
    pub value_span: Span,
}

/// Value of a global parameter.
#[derive(Debug)]
pub enum ParameterValue {
    /// A number or one of the words for numbers.
    Number(i32),
    /// A string.
    Str(Str),
    /// A bare word, with dots and dashes as in a host name.
    Word(Box<str>),
    /// An IP address.
    Ip(std::net::IpAddr),
    /// A protocol word.
    Protocol(Protocol),
}

/// Value of a custom parameter, a module parameter and their like.
#[derive(Debug)]
pub enum Value {
    /// A number.
    Number(Number),
    /// A string.
    Str(Str),
    /// A variable; for `modparamx` only.
    Variable(Box<Variable>),
}

/// `kemi.callback = "name"`.
#[derive(Debug)]
pub struct Kemi {
    /// Name of the callback, as `request_route_callback`.
    pub callback: Name,
    /// The function; `"none"` for not called.
    pub function: Str,
}

/// `coreparam[name] = value`.
#[derive(Debug)]
pub struct CoreParameter {
    /// The name.
    pub name: Name,
    /// The value.
    pub value: Value,
}

/// A custom global parameter.
#[derive(Debug)]
pub struct Custom {
    /// The group.
    pub group: Name,
    /// The instance of `group[n].name`.
    pub instance: Option<Number>,
    /// The name.
    pub name: Name,
    /// The value: a number or a string.
    pub value: Value,
    /// The text after `desc`.
    pub description: Option<Str>,
}

/// `listen = sockets [advertise …] [name "id"] [virtual]`.
#[derive(Debug)]
pub struct Listen {
    /// The sockets, at least one.
    pub sockets: Vec<SocketId>,
    /// What is advertised instead of the address.
    pub advertise: Option<SocketId>,
    /// The socket's name.
    pub name: Option<Str>,
    /// True with `virtual`.
    pub is_virtual: bool,
}

/// `socket = { attributes }`.
#[derive(Debug, Default)]
pub struct SocketBlock {
    /// `bind`; absent only where an error was reported.
    pub bind: Option<SocketId>,
    /// `advertise`.
    pub advertise: Option<SocketId>,
    /// `name`.
    pub name: Option<Str>,
    /// `agname`, an async group.
    pub agname: Option<Str>,
    /// `vrf`.
    pub vrf: Option<Str>,
    /// `virtual`.
    pub is_virtual: Option<Number>,
}

/// One flag of a declaration.
#[derive(Debug)]
pub struct FlagDeclaration {
    /// The name.
    pub name: Name,
    /// The bit asked for.
    pub bit: Option<Number>,
}

/// `loadmodule` and its variants.
#[derive(Debug)]
pub struct LoadModule {
    /// The module: a name, `name.so` or a path.
    pub module: Str,
    /// The second string of the parenthesised form.
    pub options: Option<Str>,
    /// True for `loadmodulex`: variables in the name are evaluated.
    pub evaluated: bool,
}

/// `modparam` and `modparamx`.
#[derive(Debug)]
pub struct ModParam {
    /// The modules: a regular expression over loaded modules.
    pub modules: Str,
    /// The parameter.
    pub name: Str,
    /// The value.
    pub value: Value,
    /// Place of the value.
    pub value_span: Span,
    /// True for `modparamx`: variables in a string value are evaluated.
    pub evaluated: bool,
}

/// A route block.
#[derive(Debug)]
pub struct Route {
    /// Which kind of block.
    pub kind: RouteKind,
    /// Place of the keyword.
    pub kind_span: Span,
    /// The name; numbers in decimal. `None` for the unnamed block, also when written `route[0]`.
    pub name: Option<Name>,
    /// The body.
    pub body: Block,
}

/// The kinds of route blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteKind {
    /// `request_route`, `route`, `route[name]`
    Request,
    /// `reply_route`, `onreply_route`, `onreply_route[name]`
    Reply,
    /// `failure_route[name]`
    Failure,
    /// `branch_route[name]`
    Branch,
    /// `onsend_route`
    Onsend,
    /// `event_route[name]`
    Event,
}

impl RouteKind {
    /// The keyword that a named block of this kind is written with.
    pub const fn keyword(self) -> &'static str {
        match self {
            RouteKind::Request => "route",
            RouteKind::Reply => "onreply_route",
            RouteKind::Failure => "failure_route",
            RouteKind::Branch => "branch_route",
            RouteKind::Onsend => "onsend_route",
            RouteKind::Event => "event_route",
        }
    }
}

impl Host {
    /// The address as text, without brackets.
    pub fn to_text(&self) -> String {
        match &self.kind {
            super::HostKind::Ip(address) => address.to_string(),
            super::HostKind::Name(name) => name.to_string(),
            super::HostKind::Str(string) => string.lossy().into_owned(),
        }
    }
}
