//! Arguments of functions: what is written, as what the declaration asks for (semantics reference
//! §6.3).
//!
//! A computed argument is passed as it is. Kamailio reads it as a format again and expands what a
//! `$` in it says; here text that came in a message is never expanded.

use kcc_runtime::declare::{ArgDecl, ArgKind, Routes};
use kcc_runtime::value::parse_int;

use super::node::{Node, NodeKind};
use super::{Resolver, lossy};
use crate::catalogue::{self, Version};
use crate::diagnostic::Diagnostic;
use crate::ir::{Arg, Expr};
use crate::release::Release;
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind};
use crate::syntax::literal::Locator;
use crate::syntax::pvar::parse_variable;

impl Resolver<'_> {
    /// An argument of a module's function. `prepared`: the function takes constants only.
    pub(super) fn argument(
        &mut self,
        wanted: &ArgDecl,
        expr: &ast::Expr,
        prepared: bool,
    ) -> Option<Arg> {
        match &expr.kind {
            ExprKind::Str(literal) => {
                let locator = literal.locator(self.sources);
                return self.literal_argument(wanted, &literal.value, &locator, literal.span);
            }
            ExprKind::Variable(variable) if matches!(wanted.kind, ArgKind::Place) && !prepared => {
                return self.target(variable, false).map(Arg::Place);
            }
            _ => {}
        }
        let node = self.node(expr);
        match &node.kind {
            NodeKind::Error => None,
            NodeKind::Str(text) => {
                self.literal_argument(wanted, &text.clone(), &Locator::whole(node.span), node.span)
            }
            NodeKind::Int(n) => self.number_argument(wanted, *n, node.span),
            _ if prepared => {
                self.not_constant(wanted, expr);
                None
            }
            _ => self.computed_argument(wanted, &node),
        }
    }

    /// Whether the arguments of a function have to be constant: Kamailio prepares them once, and
    /// its function cannot do it again at each call (semantics reference §6.3).
    pub(super) fn takes_constants(&self, name: &str, count: usize) -> bool {
        let version = match self.options.release {
            Release::V4_2 => Version::V4_2,
            Release::V5_6 => Version::V5_6,
            Release::V6_1 => Version::V6,
        };
        catalogue::functions(name).any(|fact| {
            fact.constant
                && fact.arity.takes(count)
                && fact.versions.has(version)
                && self.names.is_loaded(fact.module)
        })
    }

    /// Says that an argument of a function that takes constants is not one.
    fn not_constant(&mut self, wanted: &ArgDecl, expr: &ast::Expr) {
        let message = format!("`{}` must be constant", wanted.name);
        let diagnostic = Diagnostic::error("not-constant", message)
            .label(expr.span, "this is evaluated at each call")
            .note("Kamailio prepares the arguments of this function once, when it starts");
        let in_text = matches!(
            wanted.kind,
            ArgKind::Text
                | ArgKind::Any
                | ArgKind::Int
                | ArgKind::Place
                | ArgKind::Parsed(_)
                | ArgKind::Route(_)
        );
        let written = lossy(self.sources.text(expr.span)).into_owned();
        self.report(match &expr.kind {
            ExprKind::Variable(_) if in_text => {
                diagnostic.help(format!("put the variable into a string: \"{written}\""))
            }
            _ if in_text => diagnostic.help("assign it to a variable, and put that into a string"),
            _ => diagnostic,
        });
    }

    /// A string literal.
    pub(super) fn literal_argument(
        &mut self,
        wanted: &ArgDecl,
        text: &[u8],
        locator: &Locator,
        span: Span,
    ) -> Option<Arg> {
        match wanted.kind {
            ArgKind::Text | ArgKind::Any => Some(Arg::Value(self.format(text, locator)?)),
            ArgKind::Raw => Some(Arg::Value(Expr::text(text))),
            ArgKind::Int if text.contains(&b'$') => {
                let value = self.format(text, locator)?;
                Some(Arg::Value(super::context::to_int(value)))
            }
            ArgKind::Int => match parse_int(text) {
                Some(n) if !text.is_empty() => Some(Arg::Value(Expr::Int(n))),
                _ => {
                    let message = format!("`{}` takes a number", wanted.name);
                    self.error("not-a-number", message, span);
                    None
                }
            },
            ArgKind::Place => match parse_variable(text, locator, true) {
                Ok(variable) => self.target(&variable, false).map(Arg::Place),
                Err(error) => {
                    let message = format!("`{}` takes one variable", wanted.name);
                    self.report(
                        Diagnostic::error("not-a-variable", message)
                            .label(error.span, error.message),
                    );
                    None
                }
            },
            ArgKind::Constant(kind) => {
                let number = self.constant(kind, text, |_, at| locator.span(at, at + 1))?;
                Some(Arg::Constant(number))
            }
            ArgKind::Parsed(kind) => {
                if holds_variable(text, locator) {
                    return Some(Arg::Value(self.format(text, locator)?));
                }
                let number = self.constant(kind, text, |_, at| locator.span(at, at + 1))?;
                Some(Arg::Constant(number))
            }
            ArgKind::Keyed(family) => self.keyed(family, text, locator, span),
            ArgKind::Route(kind) => match self.format(text, locator)? {
                Expr::Str(name) => self.route_argument(kind, &name, span),
                name => Some(Arg::RouteNumber(kind, name)),
            },
            ArgKind::Flag => self.flag(text, span).map(flag_arg),
            ArgKind::Index => Some(Arg::Absent),
        }
    }

    /// A number.
    pub(super) fn number_argument(&mut self, wanted: &ArgDecl, n: i64, span: Span) -> Option<Arg> {
        let decimal = n.to_string();
        match wanted.kind {
            ArgKind::Int | ArgKind::Any => Some(Arg::Value(Expr::Int(n))),
            ArgKind::Text | ArgKind::Raw => Some(Arg::Value(Expr::text(decimal.as_bytes()))),
            ArgKind::Place => {
                let message = format!("`{}` takes a variable", wanted.name);
                self.error("not-a-variable", message, span);
                None
            }
            _ => self.literal_argument(wanted, decimal.as_bytes(), &Locator::whole(span), span),
        }
    }

    /// Something to evaluate at each call.
    pub(super) fn computed_argument(&mut self, wanted: &ArgDecl, node: &Node) -> Option<Arg> {
        Some(match wanted.kind {
            ArgKind::Text | ArgKind::Parsed(_) | ArgKind::Keyed(_) => {
                Arg::Value(self.text_expr(node))
            }
            ArgKind::Int => Arg::Value(self.int(node)),
            ArgKind::Any => Arg::Value(self.value(node)),
            ArgKind::Route(kind) => Arg::RouteNumber(kind, self.text_expr(node)),
            ArgKind::Place => {
                let message = format!("`{}` takes one variable", wanted.name);
                self.error("not-a-variable", message, node.span);
                return None;
            }
            ArgKind::Raw | ArgKind::Constant(_) | ArgKind::Flag | ArgKind::Index => {
                let message = format!("`{}` must be constant", wanted.name);
                self.error("not-constant", message, node.span);
                return None;
            }
        })
    }

    /// The number of a block that is named in an argument. As in Kamailio a block that does not
    /// exist is only warned of.
    fn route_argument(&mut self, kind: Routes, name: &[u8], span: Span) -> Option<Arg> {
        let event = if kind == Routes::BRANCH_FAILURE {
            "tm:branch-failure:"
        } else {
            ""
        };
        let key = (kind.0, format!("{event}{}", lossy(name)));
        let number = self.routes.get(&key).copied();
        // "0" takes a route back.
        if number.is_none() && name != b"0" {
            let block = super::routes::keyword(kind);
            let message = format!("there is no `{block}[{}]`", key.1);
            let like = crate::diagnostic::nearest(
                &key.1,
                self.routes
                    .keys()
                    .filter(|(of, _)| *of == kind.0)
                    .map(|(_, name)| name.as_str()),
            );
            let diagnostic = Diagnostic::warning("unknown-route", message).label(span, "");
            let diagnostic = super::names::suggest(diagnostic, like.map(str::to_owned));
            self.report(diagnostic);
        }
        Some(Arg::Value(Expr::Int(i64::from(number.unwrap_or(u32::MAX)))))
    }

    /// The number of a flag that is given by number or name.
    pub(super) fn flag(&mut self, text: &[u8], span: Span) -> Option<u8> {
        match parse_int(text) {
            Some(n @ 0..32) if !text.is_empty() => Some(n as u8),
            Some(n) if !text.is_empty() => {
                let message = format!("there is no flag {n}: flags are 0 to 31");
                self.error("bad-flag", message, span);
                None
            }
            _ => self.flag_name(text, span),
        }
    }

    /// The number of a flag that is given by name.
    pub(super) fn flag_name(&mut self, text: &[u8], span: Span) -> Option<u8> {
        let name = lossy(text);
        if let Some((bit, _)) = self.flags.get(&*name) {
            return Some(*bit);
        }
        let like = crate::diagnostic::nearest(&name, self.flags.keys().map(|name| &**name));
        let like = like.map(str::to_owned);
        let diagnostic =
            Diagnostic::error("unknown-flag", format!("there is no flag `{name}`")).label(span, "");
        let is_word = !text.first().is_none_or(u8::is_ascii_digit)
            && text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let diagnostic = match is_word {
            true => diagnostic.help(format!("declare it: `flags {name};`")),
            false => diagnostic,
        };
        self.report(super::names::suggest(diagnostic, like));
        None
    }
}

/// A flag as an argument.
pub(super) fn flag_arg(bit: u8) -> Arg {
    Arg::Value(Expr::Int(i64::from(bit)))
}

/// Whether a text that is no format as a rule, such as a regular expression, has variables in it:
/// it is a format then, and no `$` of it stands for itself.
fn holds_variable(text: &[u8], locator: &Locator) -> bool {
    use crate::syntax::format::{Piece, parse_format};
    text.contains(&b'$')
        && parse_format(text, locator).is_ok_and(|pieces| {
            pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Variable(_)))
        })
}
