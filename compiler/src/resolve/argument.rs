//! Arguments of functions: what is written, as what the declaration asks for (semantics reference
//! §6.3).
//!
//! A computed argument is passed as it is and not read as a format again, as Kamailio does: text
//! that came in a message is never expanded.

use kcc_runtime::declare::{ArgDecl, ArgKind, Routes};
use kcc_runtime::value::parse_int;

use super::node::{Node, NodeKind};
use super::{Resolver, lossy};
use crate::diagnostic::Diagnostic;
use crate::ir::{Arg, Expr};
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind};
use crate::syntax::literal::Locator;
use crate::syntax::pvar::parse_variable;

impl Resolver<'_> {
    /// An argument of a module's function.
    pub(super) fn argument(&mut self, wanted: &ArgDecl, expr: &ast::Expr) -> Option<Arg> {
        match &expr.kind {
            ExprKind::Str(literal) => {
                let locator = literal.locator(self.sources);
                return self.literal_argument(wanted, &literal.value, &locator, literal.span);
            }
            ExprKind::Variable(variable) if matches!(wanted.kind, ArgKind::Place) => {
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
            _ => self.computed_argument(wanted, &node),
        }
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
        let name = lossy(text);
        if let Some((bit, _)) = self.flags.get(&*name) {
            return Some(*bit);
        }
        match parse_int(text) {
            Some(n @ 0..32) if !text.is_empty() => Some(n as u8),
            Some(n) if !text.is_empty() => {
                let message = format!("there is no flag {n}: flags are 0 to 31");
                self.error("bad-flag", message, span);
                None
            }
            _ => {
                let like = crate::diagnostic::nearest(&name, self.flags.keys().map(|name| &**name));
                let like = like.map(str::to_owned);
                let diagnostic =
                    Diagnostic::error("unknown-flag", format!("there is no flag `{name}`"))
                        .label(span, "")
                        .help(format!("declare it: `flags {name};`"));
                let diagnostic = match like {
                    Some(like) => super::names::suggest(diagnostic, Some(like)),
                    None => diagnostic,
                };
                self.report(diagnostic);
                None
            }
        }
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
