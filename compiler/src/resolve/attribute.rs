//! Old-style attributes (`$name`, `$f.name`, `%name`), their flags, and `cfg_select` (semantics
//! reference §8, §10).

use kcc_runtime::declare::{FunctionDecl, Parse as _};
use kcc_runtime::variables::attribute::AttributeName;

use super::Resolver;
use super::names::{ATTRIBUTE, suggest};
use super::node::NodeKind;
use crate::diagnostic::{Diagnostic, nearest};
use crate::ir::{Arg, Call, Callee, Expr, PvRef};
use crate::source::Span;
use crate::syntax::ast::{self, Attribute, AttributeIndex, ExprKind};

impl Resolver<'_> {
    /// An old-style attribute in an expression.
    pub(super) fn attribute_node(&mut self, attribute: &Attribute) -> NodeKind {
        match self.attribute(attribute, false) {
            Some(pv) => NodeKind::Read(Expr::Pv(pv), None),
            None => NodeKind::Error,
        }
    }

    /// An attribute, to read or to assign.
    pub(super) fn attribute(&mut self, attribute: &Attribute, write: bool) -> Option<PvRef> {
        let class = attribute.class.as_ref().map(|class| &*class.text);
        if write && matches!(class, Some("fd" | "td" | "g")) {
            let message = "attributes of domains and global ones cannot be assigned";
            self.error("not-assignable", message, attribute.span);
            return None;
        }
        if write && let Some(AttributeIndex::Number(_)) = attribute.index {
            let message = "a single value of an attribute cannot be assigned";
            self.error("not-assignable", message, attribute.span);
            return None;
        }
        let name = written(attribute);
        let index = match attribute.index {
            None => Arg::Absent,
            Some(AttributeIndex::All) => Arg::All,
            Some(AttributeIndex::Number(n)) => Arg::Value(Expr::Int(i64::from(n))),
        };
        self.named_attribute(name.as_bytes(), index, attribute.span)
    }

    /// The attribute of this name.
    pub(super) fn named_attribute(&mut self, name: &[u8], index: Arg, span: Span) -> Option<PvRef> {
        let decl = self.names.any_pv(ATTRIBUTE)?;
        let number = self.constant(AttributeName::KIND, name, |_, _| span)?;
        let args = vec![Arg::Constant(number), index];
        Some(PvRef { decl, args })
    }

    /// A statement of the core whose arguments are names that only the configuration knows; `None`
    /// for all others.
    pub(super) fn named_call(
        &mut self,
        decl: &'static FunctionDecl,
        call: &ast::Call,
    ) -> Option<Option<Call>> {
        let args = match decl.name {
            "cfg_select" | "cfg_reset" => self.group_arguments(call),
            "setavpflag" | "resetavpflag" | "isavpflagset" => self.avpflag_arguments(call),
            _ => return None,
        };
        let callee = Callee::Core(decl);
        Some(args.map(|args| Call { callee, args }))
    }

    /// `("group"[, n])`
    fn group_arguments(&mut self, call: &ast::Call) -> Option<Vec<Arg>> {
        let (group, rest) = call.args.split_first()?;
        let Some(name) = literal(group) else {
            let message = "the name of a group of parameters is expected";
            self.error("bad-argument", message, group.span);
            return None;
        };
        let number = self.group_number(&name, group.span)?;
        let mut args = vec![Arg::Value(Expr::Int(number.into()))];
        for arg in rest {
            let ast::ArgKind::Expr(expr) = &arg.kind else {
                self.error("bad-argument", "a number is expected", arg.span);
                return None;
            };
            let node = self.node(expr);
            if node.is_error() {
                return None;
            }
            args.push(Arg::Value(self.int(&node)));
        }
        Some(args)
    }

    /// `($attribute, "flag")`
    fn avpflag_arguments(&mut self, call: &ast::Call) -> Option<Vec<Arg>> {
        let [attribute, flag] = &call.args[..] else {
            return None;
        };
        let name = match &attribute.kind {
            ast::ArgKind::Expr(expr) => match &expr.kind {
                ExprKind::Attribute(attribute) if attribute.index.is_none() => {
                    Some(written(attribute))
                }
                ExprKind::Variable(variable)
                    if variable.inner.is_none()
                        && variable.index.is_none()
                        && variable.transformations.is_empty()
                        && self.names.is_attribute(&variable.name.text) =>
                {
                    Some(variable.name.text.to_string())
                }
                ExprKind::Str(_) => literal(attribute).map(|text| {
                    let text = text.strip_prefix('$').unwrap_or(&text);
                    text.strip_prefix("s:").unwrap_or(text).to_owned()
                }),
                _ => None,
            },
            _ => None,
        };
        let Some(name) = name else {
            let message = "an attribute is expected: `$name`, `$f.name` or \"name\"";
            self.error("bad-argument", message, attribute.span);
            return None;
        };
        let number = self.constant(AttributeName::KIND, name.as_bytes(), |_, _| attribute.span)?;
        let bit = self.avpflag(flag)?;
        Some(vec![
            Arg::Constant(number),
            Arg::Value(Expr::Int(bit.into())),
        ])
    }

    /// The number of a flag that `avpflags` declared; the name matches in any case.
    fn avpflag(&mut self, flag: &ast::Arg) -> Option<u8> {
        let Some(name) = literal(flag) else {
            let message = "the name of a flag of AVPs is expected";
            self.error("bad-flag", message, flag.span);
            return None;
        };
        let mut all = self.avpflags.iter();
        if let Some((_, (bit, _))) = all.find(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            return Some(*bit);
        }
        let like = nearest(&name, self.avpflags.keys().map(|name| &**name)).map(str::to_owned);
        let message = format!("no flag of AVPs is called `{name}`");
        let diagnostic = Diagnostic::error("bad-flag", message).label(flag.span, "");
        self.report(match &like {
            Some(_) => suggest(diagnostic, like),
            None => diagnostic.help(format!("declare it: avpflags {name}")),
        });
        None
    }
}

/// Class and name as they are written, without `$`.
fn written(attribute: &Attribute) -> String {
    match &attribute.class {
        Some(class) => format!("{}.{}", class.text, attribute.name.text),
        None => attribute.name.text.to_string(),
    }
}

/// A string or a word.
fn literal(arg: &ast::Arg) -> Option<String> {
    match &arg.kind {
        ast::ArgKind::Expr(expr) => match &expr.kind {
            ExprKind::Str(text) => Some(text.lossy().into_owned()),
            _ => None,
        },
        ast::ArgKind::Word(name) => Some(name.text.to_string()),
        _ => None,
    }
}
