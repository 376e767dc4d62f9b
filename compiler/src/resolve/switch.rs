//! `switch`: the kind of the first label decides how labels are compared (semantics reference §5).

use std::collections::HashMap;

use kcc_runtime::declare::Parse as _;
use kcc_runtime::intrinsics::Case as CasePattern;

use super::Resolver;
use super::node::NodeKind;
use crate::diagnostic::Diagnostic;
use crate::ir::{Case, Label, StmtKind, Switch};
use crate::source::Span;
use crate::syntax::ast;

/// A label as it is known once.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Int(i64),
    Str(Box<[u8]>),
    Pattern(Box<[u8]>),
    Default,
}

impl Resolver<'_> {
    pub(super) fn switch(&mut self, switch: &ast::Switch, span: Span) -> StmtKind {
        let selector = self.node(&switch.selector);
        let mut texts = None;
        let mut seen: HashMap<Key, Span> = HashMap::new();
        let mut cases = Vec::with_capacity(switch.cases.len());
        for case in &switch.cases {
            let label = self.label(&case.label, case.span, &mut texts, &mut seen);
            let body = self.statements(&case.stmts);
            cases.push(Case {
                label: label.unwrap_or(Label::Default),
                body,
            });
        }
        if texts == Some(true)
            && let (Some(first), true) = (switch.cases.first(), switch.cases.len() > 1)
            && matches!(first.label, ast::CaseLabel::Default)
        {
            self.report(
                Diagnostic::error("default-first", "`default` cannot be the first label here")
                    .label(first.span, "")
                    .note("the other labels are strings; Kamailio does not start with this")
                    .help("move `default` behind them"),
            );
        }
        let only_default =
            switch.cases.len() == 1 && matches!(switch.cases[0].label, ast::CaseLabel::Default);
        if only_default && !selector.is_constant() && !selector.is_error() {
            self.report(
                Diagnostic::error("switch-without-case", "this `switch` has no `case`")
                    .label(span, "")
                    .note("Kamailio does not start with this"),
            );
        }
        let selector = match texts {
            Some(true) => self.text_expr(&selector),
            _ => self.int(&selector),
        };
        StmtKind::Switch(Switch { selector, cases })
    }

    /// A label; `texts` tells the kind of the labels before.
    fn label(
        &mut self,
        label: &ast::CaseLabel,
        span: Span,
        texts: &mut Option<bool>,
        seen: &mut HashMap<Key, Span>,
    ) -> Option<Label> {
        let (expr, pattern) = match label {
            ast::CaseLabel::Default => {
                self.unique(Key::Default, span, seen);
                return Some(Label::Default);
            }
            ast::CaseLabel::Value(expr) => (expr, false),
            ast::CaseLabel::Pattern(expr) => (expr, true),
        };
        let node = self.node(expr);
        let is_text = match &node.kind {
            NodeKind::Error => return None,
            NodeKind::Int(_) if !pattern => false,
            NodeKind::Str(_) => true,
            NodeKind::Int(_) => {
                self.error("type-mismatch", "a pattern is a string", node.span);
                return None;
            }
            _ => {
                self.error("not-constant", "a label must be constant", node.span);
                return None;
            }
        };
        if *texts.get_or_insert(is_text) != is_text {
            let message = "labels of one `switch` are either integers or strings";
            self.error("type-mismatch", message, node.span);
            return None;
        }
        match node.kind {
            NodeKind::Int(n) => {
                self.unique(Key::Int(n), node.span, seen);
                Some(Label::Int(n))
            }
            NodeKind::Str(text) if pattern => {
                self.unique(Key::Pattern(text.to_vec().into()), node.span, seen);
                let number = self.constant(CasePattern::KIND, &text, |this, offset| {
                    this.inside_source(node.span, &text, offset)
                });
                number.map(Label::Pattern)
            }
            NodeKind::Str(text) => {
                self.unique(Key::Str(text.to_vec().into()), node.span, seen);
                Some(Label::Str(text))
            }
            _ => None,
        }
    }

    fn unique(&mut self, key: Key, span: Span, seen: &mut HashMap<Key, Span>) {
        if let Some(before) = seen.insert(key, span) {
            self.report(
                Diagnostic::error("duplicate-label", "this label stands here twice")
                    .label(span, "")
                    .label(before, "it was given here"),
            );
        }
    }

    /// The place of a byte of a string that stands at `span`, as far as it can be told.
    pub(super) fn inside_source(&self, span: Span, text: &[u8], offset: usize) -> Span {
        let literal = ast::Str {
            value: text.into(),
            span,
            exact: self
                .sources
                .text(span)
                .first()
                .is_some_and(|byte| matches!(byte, b'"' | b'\'')),
        };
        self.inside(&literal, offset)
    }
}
