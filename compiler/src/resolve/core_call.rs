//! The language's own statements: their arguments are literals, and never formats (semantics
//! reference §8).

use std::net::IpAddr;

use kcc_runtime::declare::{ArgDecl, ArgKind, FunctionDecl};

use super::Resolver;
use super::argument::flag_arg;
use super::call::signature;
use super::node::NodeKind;
use crate::catalogue;
use crate::diagnostic::Diagnostic;
use crate::ir::{Arg, Call, Callee, Expr};
use crate::source::Span;
use crate::syntax::ast::{self, ArgKind as Given, HostKind, Port, Protocol};
use crate::syntax::literal::Locator;

impl Resolver<'_> {
    /// A call of one of the language's own statements.
    pub(super) fn core_call(&mut self, call: &ast::Call) -> Option<Call> {
        let name = &*call.callee.text;
        let Some(decl) = self.core_form(name, call.args.len()) else {
            self.missing_core(call);
            return None;
        };
        self.check_kind(decl, call.span);
        if let Some(named) = self.named_call(decl, call) {
            return named;
        }
        let kinds = written_kinds(name, call.args.len());
        let mut args = Vec::with_capacity(decl.args.len());
        let mut good = true;
        for (n, wanted) in decl.args.iter().enumerate() {
            let kinds = kinds.get(n).copied();
            let arg = match call.args.get(n) {
                None => Some(Arg::Absent),
                Some(arg) if kinds.is_some_and(|kinds| !fits(&arg.kind, kinds)) => {
                    self.misfit(name, kinds.unwrap_or_default(), arg.span);
                    None
                }
                Some(arg) => self.core_argument(wanted, arg),
            };
            good &= arg.is_some();
            args.extend(arg);
        }
        if name == "force_send_socket" {
            self.check_send_socket(call);
        }
        good.then_some(Call {
            callee: Callee::Core(decl),
            args,
        })
    }

    /// The statement under this name or a synonym.
    fn core_form(&self, name: &str, count: usize) -> Option<&'static FunctionDecl> {
        self.form(name, count).or_else(|| {
            let synonyms =
                catalogue::core_function(name).flat_map(|fact| fact.synonyms().collect::<Vec<_>>());
            synonyms
                .into_iter()
                .find_map(|synonym| self.form(synonym, count))
        })
    }

    fn missing_core(&mut self, call: &ast::Call) {
        let name = &*call.callee.text;
        let own = self.names.functions(name);
        let known: Vec<_> = catalogue::core_function(name).collect();
        let count = call.args.len();
        let takes = known.iter().any(|fact| {
            fact.arity.takes(count)
                || (count == 0 && !call.parenthesised && fact.arity == catalogue::Arity::Bare)
        });
        if takes && own.is_empty() {
            let message = format!("`{name}` is a statement of Kamailio's core");
            let versions = known.first().map(|fact| fact.versions);
            self.unsupported_of("unsupported-function", message, call.callee.span, versions);
            return;
        }
        let mut forms: Vec<String> = own.iter().map(|decl| signature(decl)).collect();
        if forms.is_empty() {
            forms = known.iter().map(|fact| fact.signature()).collect();
        }
        let message = format!("`{name}` is not written so");
        self.report(
            Diagnostic::error("wrong-argument-count", message)
                .label(call.span, "")
                .note(format!("its forms: {}", forms.join(", "))),
        );
    }

    fn misfit(&mut self, name: &str, kinds: &str, span: Span) {
        let wanted: Vec<&str> = kinds.split('|').map(kind_text).collect();
        let message = format!("`{name}` does not take this");
        let diagnostic = Diagnostic::error("bad-argument", message)
            .label(span, format!("{} is expected", wanted.join(" or ")))
            .note("statements of the language take what is written, and no expressions");
        self.report(diagnostic);
    }

    fn core_argument(&mut self, wanted: &ArgDecl, arg: &ast::Arg) -> Option<Arg> {
        let span = arg.span;
        match &arg.kind {
            Given::Expr(expr) => {
                if let ast::ExprKind::Str(literal) = &expr.kind {
                    if matches!(wanted.kind, ArgKind::Flag) {
                        return self.flag_name(&literal.value, span).map(flag_arg);
                    }
                    let locator = literal.locator(self.sources);
                    return self.plain_argument(wanted, &literal.value, &locator, span);
                }
                let node = self.node(expr);
                match &node.kind {
                    NodeKind::Error => None,
                    NodeKind::Int(n) => self.number_argument(wanted, *n, span),
                    NodeKind::Str(text) => {
                        self.plain_argument(wanted, &text.clone(), &Locator::whole(span), span)
                    }
                    _ if matches!(wanted.kind, ArgKind::Int | ArgKind::Any) => {
                        self.computed_argument(wanted, &node)
                    }
                    _ => {
                        self.error("not-constant", "this statement takes literals only", span);
                        None
                    }
                }
            }
            Given::Word(name) => {
                let text = name.text.as_bytes();
                self.plain_argument(wanted, text, &Locator::whole(span), span)
            }
            Given::Socket(socket) => {
                let text = socket_text(socket);
                self.plain_argument(wanted, text.as_bytes(), &Locator::whole(span), span)
            }
            Given::Protocol(protocol) => {
                let text = protocol_text(*protocol);
                self.plain_argument(wanted, text.as_bytes(), &Locator::whole(span), span)
            }
            Given::UriHost => self.plain_argument(wanted, b"uri:host", &Locator::whole(span), span),
            Given::UriPort => self.plain_argument(wanted, b"uri:port", &Locator::whole(span), span),
        }
    }

    /// Text in which `$` means nothing.
    fn plain_argument(
        &mut self,
        wanted: &ArgDecl,
        text: &[u8],
        locator: &Locator,
        span: Span,
    ) -> Option<Arg> {
        match wanted.kind {
            ArgKind::Text | ArgKind::Any | ArgKind::Raw => Some(Arg::Value(Expr::text(text))),
            ArgKind::Parsed(kind) => {
                let number = self.constant(kind, text, |_, at| locator.span(at, at + 1))?;
                Some(Arg::Constant(number))
            }
            ArgKind::Flag => self.flag(text, span).map(flag_arg),
            _ => self.literal_argument(wanted, text, locator, span),
        }
    }
}

/// What the arguments of a statement may be, as the catalogue has it: `int`, `str|host` …
fn written_kinds(name: &str, count: usize) -> Vec<&'static str> {
    let form = catalogue::core_function(name).find(|fact| fact.arity.takes(count));
    form.map_or(Vec::new(), |fact| fact.kinds().collect())
}

/// Whether an argument is written as one of `kinds`.
fn fits(given: &Given, kinds: &str) -> bool {
    use ast::ExprKind::{Number, Str};
    let fits: &[&str] = match given {
        Given::Expr(expr) => match &expr.kind {
            ast::ExprKind::Error => return true,
            Number(_) => &["int", "expr"],
            Str(_) => &["str", "host", "flag", "socket", "expr"],
            _ => &["expr"],
        },
        Given::Word(_) => &["id", "host", "flag", "socket"],
        Given::Socket(socket) if socket.protocol.is_none() && socket.port.is_none() => {
            &["socket", "ip", "host"]
        }
        Given::Socket(_) => &["socket"],
        Given::Protocol(_) => &["proto"],
        Given::UriHost => &["uri:host"],
        Given::UriPort => &["uri:port"],
    };
    kinds.split('|').any(|kind| fits.contains(&kind))
}

/// A kind for people.
fn kind_text(kind: &str) -> &str {
    match kind {
        "int" => "a number",
        "str" => "a string",
        "expr" => "an expression",
        "flag" => "the name of a flag",
        "host" => "a host",
        "ip" => "an address",
        "socket" => "a socket",
        "proto" => "a protocol",
        "id" => "a name",
        other => other,
    }
}

/// A protocol as it is written.
pub(super) fn protocol_text(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "udp",
        Protocol::Tcp => "tcp",
        Protocol::Tls => "tls",
        Protocol::Sctp => "sctp",
        Protocol::Ws => "ws",
        Protocol::Wss => "wss",
        Protocol::Any => "*",
    }
}

/// `[proto:]host[:port]`, an IPv6 address in brackets.
pub(super) fn socket_text(socket: &ast::SocketId) -> String {
    let mut text = String::new();
    if let Some(protocol) = socket.protocol {
        text.push_str(protocol_text(protocol));
        text.push(':');
    }
    if let Some(host) = socket.hosts.first() {
        match &host.kind {
            HostKind::Ip(IpAddr::V6(address))
                if socket.protocol.is_some() || socket.port.is_some() =>
            {
                text.push_str(&format!("[{address}]"));
            }
            _ => text.push_str(&host.to_text()),
        }
    }
    match socket.port {
        Some(Port::Number(port)) => text.push_str(&format!(":{port}")),
        Some(Port::Range(first, last)) => text.push_str(&format!(":{first}-{last}")),
        Some(Port::Any) => text.push_str(":*"),
        None => {}
    }
    text
}
