//! Calls of functions and routes.

use kcc_runtime::declare::{FunctionDecl, Routes};

use super::Resolver;
use super::names::{Missing, suggest};
use super::node::NodeKind;
use crate::catalogue;
use crate::diagnostic::{Diagnostic, nearest};
use crate::ir::{Arg, Call, Callee};
use crate::source::Span;
use crate::syntax::ast::{self, ArgKind as Given};

/// The most arguments of a call.
const MOST: usize = 6;

impl Resolver<'_> {
    /// A call; `None` after an error.
    pub(super) fn call(&mut self, call: &ast::Call) -> Option<Call> {
        let name = &*call.callee.text;
        if call.core && name == "route" {
            return self.route_call(call);
        }
        if call.core {
            return self.core_call(call);
        }
        if call.args.len() > MOST {
            let message = format!("a call has at most {MOST} arguments");
            self.error("too-many-arguments", message, call.span);
            return None;
        }
        let decl = match self.form(name, call.args.len()) {
            Some(decl) => decl,
            None => {
                self.missing_function(call);
                return None;
            }
        };
        self.check_kind(decl, call.span);
        let prepared = self.takes_constants(name, call.args.len());
        let outer = std::mem::replace(&mut self.in_argument, true);
        let mut args = Vec::with_capacity(decl.args.len());
        let mut good = true;
        for (n, wanted) in decl.args.iter().enumerate() {
            let arg = match call.args.get(n).map(|arg| (&arg.kind, arg.span)) {
                None => Some(Arg::Absent),
                Some((Given::Expr(expr), _)) => self.argument(wanted, expr, prepared),
                Some((_, span)) => {
                    self.error("bad-argument", "this is no argument of a function", span);
                    None
                }
            };
            good &= arg.is_some();
            args.extend(arg);
        }
        self.in_argument = outer;
        good.then_some(Call {
            callee: Callee::Function(decl),
            args,
        })
    }

    /// The form of a function for a number of arguments.
    pub(super) fn form(&self, name: &str, count: usize) -> Option<&'static FunctionDecl> {
        self.names.functions(name).iter().copied().find(|decl| {
            let (least, most) = decl.arity();
            (least..=most).contains(&count)
        })
    }

    /// A function may be called in some kinds of block only.
    pub(super) fn check_kind(&mut self, decl: &FunctionDecl, span: Span) {
        // An event_route takes what a request_route takes, too, whichever its event.
        const EVENTS: Routes = Routes(Routes::EVENT.0 | Routes::LOCAL.0 | Routes::BRANCH_FAILURE.0);
        let kind = if EVENTS.allows(self.kind) {
            Routes(self.kind.0 | Routes::EVENT.0 | Routes::REQUEST.0)
        } else {
            self.kind
        };
        if decl.routes.allows(kind) {
            return;
        }
        let block = super::routes::keyword(self.kind);
        let message = format!("`{}` cannot be called in a `{block}`", decl.name);
        let allowed = super::routes::keywords(decl.routes);
        self.report(
            Diagnostic::error("wrong-route-kind", message)
                .label(span, "")
                .note(format!("it can be called in: {allowed}")),
        );
    }

    /// Says why there is no such function.
    fn missing_function(&mut self, call: &ast::Call) {
        let name = &*call.callee.text;
        let count = call.args.len();
        let span = call.callee.span;
        let forms = self.names.functions(name);
        if !forms.is_empty() {
            let list: Vec<String> = forms.iter().map(|decl| signature(decl)).collect();
            let message = format!("no form of `{name}` takes {}", arguments(count));
            self.report(
                Diagnostic::error("wrong-argument-count", message)
                    .label(call.span, "")
                    .note(format!("its forms: {}", list.join(", "))),
            );
            return;
        }
        match self.names.missing_function(name) {
            Missing::NotLoaded(module) => {
                let message = format!("`{name}` belongs to module `{module}`, which is not loaded");
                self.report(
                    Diagnostic::error("module-not-loaded", message)
                        .label(span, "")
                        .help(format!("add `loadmodule \"{module}.so\"`")),
                );
            }
            Missing::Unsupported(module) => self.unsupported_function(call, module),
            Missing::Unknown => {
                let message = format!("there is no function `{name}`");
                let diagnostic = Diagnostic::error("unknown-function", message).label(span, "");
                self.report(suggest(diagnostic, self.names.like_function(name)));
            }
        }
    }

    fn unsupported_function(&mut self, call: &ast::Call, module: &'static str) {
        let name = &*call.callee.text;
        let span = call.callee.span;
        if !self.names.is_loaded(module) {
            let message = format!("`{name}` belongs to module `{module}`, which is not loaded");
            self.report(
                Diagnostic::error("module-not-loaded", message)
                    .label(span, "")
                    .note("kcc does not support it yet"),
            );
            return;
        }
        let forms: Vec<_> = catalogue::functions(name)
            .filter(|fact| fact.module == module)
            .collect();
        if !forms.is_empty() && !forms.iter().any(|fact| fact.arity.takes(call.args.len())) {
            let mut list: Vec<String> = forms.iter().map(|fact| fact.signature()).collect();
            list.dedup();
            let message = format!("no form of `{name}` takes {}", arguments(call.args.len()));
            self.report(
                Diagnostic::error("wrong-argument-count", message)
                    .label(call.span, "")
                    .note(format!("its forms: {}", list.join(", "))),
            );
            return;
        }
        let message = format!("`{name}` is known to Kamailio (module `{module}`)");
        let versions = forms.first().map(|fact| fact.versions);
        self.unsupported_of("unsupported-function", message, span, versions);
        // What stands in the arguments is checked all the same.
        let outer = std::mem::replace(&mut self.in_argument, true);
        for arg in &call.args {
            if let Given::Expr(expr) = &arg.kind {
                self.node(expr);
            }
        }
        self.in_argument = outer;
    }

    /// `route(X)`
    fn route_call(&mut self, call: &ast::Call) -> Option<Call> {
        if self.kind == Routes::ONSEND && !self.compat.routes_in_onsend {
            let message = "`route` cannot be called in `onsend_route`";
            let diagnostic = Diagnostic::error("wrong-route-kind", message).label(call.span, "");
            let note = "it can be since Kamailio 6.1; the rules are those of an older one";
            self.report(diagnostic.note(note));
            return None;
        }
        let [arg] = &call.args[..] else {
            self.error("wrong-argument-count", "`route` takes one name", call.span);
            return None;
        };
        let (name, span) = match &arg.kind {
            Given::Word(name) => (name.text.to_string(), name.span),
            Given::Expr(expr) => {
                let node = self.node(expr);
                match &node.kind {
                    NodeKind::Error => return None,
                    NodeKind::Int(n) => (n.to_string(), node.span),
                    NodeKind::Str(text) => (super::lossy(text).into_owned(), node.span),
                    _ => {
                        let name = self.text_expr(&node);
                        return Some(Call {
                            callee: Callee::RouteNamed(name),
                            args: Vec::new(),
                        });
                    }
                }
            }
            _ => {
                self.error("bad-argument", "`route` takes a name", arg.span);
                return None;
            }
        };
        let kind = kcc_runtime::declare::Routes::REQUEST.0;
        let key = (kind, name);
        if let Some(number) = self.routes.get(&key) {
            return Some(Call {
                callee: Callee::Route(*number),
                args: Vec::new(),
            });
        }
        let names = self
            .routes
            .keys()
            .filter(|(of, _)| *of == kind)
            .map(|(_, name)| name.as_str());
        let like = nearest(&key.1, names).map(str::to_owned);
        let message = format!("there is no `route[{}]`", key.1);
        let diagnostic = Diagnostic::error("unknown-route", message).label(span, "");
        self.report(suggest(diagnostic, like));
        None
    }
}

/// A form as a person writes it.
pub(super) fn signature(decl: &FunctionDecl) -> String {
    let (least, _) = decl.arity();
    let mut text = format!("{}(", decl.name);
    for (n, arg) in decl.args.iter().enumerate() {
        if n == least {
            text.push('[');
        }
        if n > 0 {
            text.push_str(", ");
        }
        text.push_str(arg.name);
    }
    text.push_str(if decl.args.len() > least { "])" } else { ")" });
    text
}

fn arguments(count: usize) -> String {
    match count {
        0 => "no argument".to_owned(),
        1 => "1 argument".to_owned(),
        n => format!("{n} arguments"),
    }
}
