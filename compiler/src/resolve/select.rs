//! Selects, `@a.b[1].c` and `$sel(a.b[1].c)`, and the parameters that a configuration declares for
//! itself (semantics reference §9, language reference §4.2).
//!
//! A select is the variable whose name is `@` and the first name of the path; the rest of the path
//! is its inner name. A path that nobody knows has no value, which is worth a warning, as in
//! Kamailio; inside `$sel(…)` it is an error there and here.

use kcc_runtime::custom::{Custom, taken_apart};
use kcc_runtime::declare::{ArgKind, PvDecl};

use super::names::{Missing, suggest};
use super::node::NodeKind;
use super::{Resolver, lossy};
use crate::diagnostic::{Diagnostic, nearest};
use crate::ir::{Arg, Expr, PvRef};
use crate::source::Span;
use crate::syntax::ast::{Inner, Select, SelectIndex, Variable};
use crate::syntax::literal::Locator;

/// Groups of parameters that modules of Kamailio have.
const GROUPS: [&str; 20] = [
    "carrierroute",
    "core",
    "dbg",
    "dispatcher",
    "malloc_test",
    "maxfwd",
    "misctest",
    "outbound",
    "p_usrloc",
    "pdb",
    "registrar",
    "rtpengine",
    "sctp",
    "siputils",
    "stun",
    "tcp",
    "tls",
    "tm",
    "websocket",
    "xlog",
];

/// The first name of a path, and the rest of it.
struct Path<'a> {
    head: &'a str,
    head_span: Span,
    rest: &'a [u8],
    whole: Span,
    /// An unknown path is an error.
    strict: bool,
}

impl Resolver<'_> {
    /// A select in an expression.
    pub(super) fn select_node(&mut self, select: &Select) -> NodeKind {
        let Some((head, parts)) = select.parts.split_first() else {
            return NodeKind::Error;
        };
        let mut rest = Vec::new();
        // Where in `rest` each part starts.
        let mut marks = vec![(0, head.name.span)];
        push_index(&mut rest, head.index.as_ref());
        for part in parts {
            marks.push((rest.len(), part.name.span));
            rest.push(b'.');
            rest.extend_from_slice(part.name.text.as_bytes());
            push_index(&mut rest, part.index.as_ref());
        }
        let path = Path {
            head: &head.name.text,
            head_span: head.name.span,
            rest: &rest,
            whole: select.span,
            strict: false,
        };
        let at = |offset: usize| {
            let before = marks.iter().rev().find(|(start, _)| *start <= offset);
            before.map_or(select.span, |(_, span)| *span)
        };
        match self.select(&path, at) {
            Some(expr) => NodeKind::Select(expr),
            None => NodeKind::Error,
        }
    }

    /// `$sel(path)`: null where the select is empty.
    pub(super) fn sel(&mut self, decl: &'static PvDecl, variable: &Variable) -> Option<PvRef> {
        let Some(inner) = &variable.inner else {
            let message = "`$sel` needs a path: `$sel(ruri.user)`";
            self.error("missing-name", message, variable.span);
            return None;
        };
        let locator = locator(inner);
        let text = String::from_utf8_lossy(&inner.text);
        let at_sign = usize::from(text.starts_with('@'));
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let len = text[at_sign..]
            .bytes()
            .take_while(|byte| word(byte))
            .count();
        let end = at_sign + len;
        let path = Path {
            head: &text[at_sign..end],
            head_span: locator.span(at_sign, end),
            rest: &text.as_bytes()[end..],
            whole: inner.span,
            strict: true,
        };
        let value = self.select(&path, |offset| locator.span(end + offset, end + offset + 1))?;
        // A parameter has a value also where that is empty.
        if let Expr::Pv(pv) = &value
            && pv.decl.name.starts_with("@cfg_")
        {
            return Some(pv.clone());
        }
        let args = vec![Arg::Value(value)];
        Some(PvRef { decl, args })
    }

    /// The value of a path; `None` after an error.
    fn select(&mut self, path: &Path<'_>, at: impl Fn(usize) -> Span) -> Option<Expr> {
        let head = path.head.to_ascii_lowercase();
        match &*head {
            "cfg_get" => return self.cfg_get(path),
            "cfg_selected" => return self.cfg_selected(path),
            _ => {}
        }
        let name = format!("@{head}");
        let Some(decl) = self.names.pv(&name) else {
            return self.unknown_select(path, &name);
        };
        let Some(ArgKind::Constant(kind)) = decl.inner.as_ref().map(|inner| inner.kind) else {
            return self.unknown_select(path, &name);
        };
        if let Err(error) = (kind.parse)(path.rest) {
            let message = format!("select `@{}{}` is not known", path.head, lossy(path.rest));
            let diagnostic = self
                .select_finding(path, message)
                .label(at(error.offset), error.message);
            self.report(diagnostic);
            return (!path.strict).then_some(Expr::Null);
        }
        let number = self.constant(kind, path.rest, |_, offset| at(offset))?;
        let args = vec![Arg::Constant(number)];
        Some(Expr::Pv(PvRef { decl, args }))
    }

    fn select_finding(&self, path: &Path<'_>, message: String) -> Diagnostic {
        match path.strict {
            true => Diagnostic::error("unknown-select", message),
            false => Diagnostic::warning("unknown-select", message)
                .note("it never has a value; Kamailio only logs this, too"),
        }
    }

    fn unknown_select(&mut self, path: &Path<'_>, name: &str) -> Option<Expr> {
        let message = format!("there is no select `{name}`");
        let diagnostic = self.select_finding(path, message).label(path.head_span, "");
        let diagnostic = match self.names.missing_pv(name) {
            Missing::NotLoaded(module) => {
                diagnostic.help(format!("add `loadmodule \"{module}.so\"`"))
            }
            _ => suggest(diagnostic, self.names.like_select(name)),
        };
        self.report(diagnostic);
        (!path.strict).then_some(Expr::Null)
    }

    /// `@cfg_get.group.name`
    fn cfg_get(&mut self, path: &Path<'_>) -> Option<Expr> {
        let names = names(path.rest);
        let (group, name) = match &names[..] {
            [group, name] => (&**group, &**name),
            [_, _, ..] => {
                let message = format!("select `@cfg_get{}` is not known", lossy(path.rest));
                let diagnostic = self.select_finding(path, message).label(path.whole, "");
                self.report(diagnostic);
                return (!path.strict).then_some(Expr::Null);
            }
            _ => {
                let message = "group and name are expected: `cfg_get.group.name`";
                self.error("unknown-parameter", message, path.whole);
                return None;
            }
        };
        let decl = self.names.pv("@cfg_get")?;
        let number = self.parameter_number(group, name, path.whole)?;
        Some(numbered(decl, number))
    }

    /// `@cfg_selected.group`
    fn cfg_selected(&mut self, path: &Path<'_>) -> Option<Expr> {
        let names = names(path.rest);
        let [group] = &names[..] else {
            let message = "a group is expected: `cfg_selected.group`";
            self.error("unknown-parameter", message, path.whole);
            return None;
        };
        let decl = self.names.pv("@cfg_selected")?;
        let number = self.group_number(group, path.whole)?;
        Some(numbered(decl, number))
    }

    /// The parameters that the configuration declares. They are all known after the file level was
    /// read.
    fn declared(&mut self) -> &Custom {
        let manifest = &self.manifest;
        self.custom.get_or_insert_with(|| Custom::new(manifest))
    }

    fn parameter_number(&mut self, group: &str, name: &str, span: Span) -> Option<u32> {
        let custom = self.declared();
        if let Some(number) = custom.find(group, name) {
            return Some(number);
        }
        let all = custom
            .all()
            .map(|(group, name, _)| format!("{group}.{name}"));
        let all: Vec<String> = all.collect();
        let written = format!("{group}.{name}");
        if GROUPS.contains(&group) {
            let message = format!("parameter `{written}` is one of Kamailio's");
            self.unsupported("unsupported-parameter", message, span);
            return None;
        }
        let like = nearest(&written, all.iter().map(String::as_str)).map(str::to_owned);
        let message = format!("there is no parameter `{written}`");
        let diagnostic = Diagnostic::error("unknown-parameter", message).label(span, "");
        self.report(match &like {
            Some(_) => suggest(diagnostic, like),
            None => diagnostic.help(format!("declare it: {written} = \"value\"")),
        });
        None
    }

    /// The number of a group of parameters.
    pub(super) fn group_number(&mut self, group: &str, span: Span) -> Option<u32> {
        if let Some(number) = self.declared().group(group) {
            return Some(number);
        }
        let message = format!("there is no group of parameters `{group}`");
        self.error("unknown-parameter", message, span);
        None
    }

    /// `$ccp(group.name)`: the instance is the variable's index.
    pub(super) fn ccp(&mut self, decl: &'static PvDecl, variable: &Variable) -> Option<PvRef> {
        let written = variable.inner.as_ref().map(|inner| lossy(&inner.text));
        let Some((group, instance, name)) = written.as_deref().and_then(taken_apart) else {
            let message = "`$ccp` needs a parameter: `$ccp(group.name)`";
            self.error("missing-name", message, variable.span);
            return None;
        };
        let known = self.declared().find(group, name);
        let number = known.map_or(-1, i64::from);
        if known.is_none() {
            let message = format!("there is no parameter `{group}.{name}`");
            self.report(
                Diagnostic::warning("unknown-parameter", message)
                    .label(variable.span, "this is always null"),
            );
        }
        let instance = match instance {
            Some(n) => Arg::Value(Expr::Int(n)),
            None => Arg::Absent,
        };
        let args = vec![Arg::Value(Expr::Int(number)), instance];
        Some(PvRef { decl, args })
    }
}

/// A variable whose only argument is a number.
fn numbered(decl: &'static PvDecl, number: u32) -> Expr {
    let args = vec![Arg::Value(Expr::Int(number.into()))];
    Expr::Pv(PvRef { decl, args })
}

fn locator(inner: &Inner) -> Locator {
    match inner.exact {
        true => Locator::direct(inner.span),
        false => Locator::whole(inner.span),
    }
}

fn push_index(text: &mut Vec<u8>, index: Option<&SelectIndex>) {
    match index {
        None => {}
        Some(SelectIndex::Number(n)) => text.extend_from_slice(format!("[{n}]").as_bytes()),
        Some(SelectIndex::Key(key)) => {
            text.extend_from_slice(b"[\"");
            text.extend_from_slice(key);
            text.extend_from_slice(b"\"]");
        }
    }
}

/// The names of a path without indices; none where it has any.
fn names(rest: &[u8]) -> Vec<String> {
    let mut steps = kcc_runtime::select::Steps::new(rest);
    let mut names = Vec::new();
    while let Ok(Some(step)) = steps.step() {
        match step {
            kcc_runtime::select::Step::Name(name) => names.push(lossy(name).into_owned()),
            kcc_runtime::select::Step::Index(_) => return Vec::new(),
        }
    }
    names
}
