//! Statements and blocks.

use super::value::{arg_depth, block_depth};
use super::{Body, Builder};
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::*;

impl Builder<'_> {
    /// A statement without statements in it.
    pub(in crate::syntax) fn stmt(&mut self, kind: StmtKind, first: u32, end: u32) -> Stmt {
        let depth = match &kind {
            StmtKind::Call(call) => call.args.iter().map(arg_depth).max().unwrap_or(0),
            StmtKind::Assign(assign) => assign.value.depth,
            StmtKind::Leave(leave) => leave.value.as_ref().map_or(0, |value| value.depth),
            _ => 0,
        };
        self.stmt_above(kind, first, end, depth)
    }

    /// A statement one level above one of depth `depth`. One that is too deep is reported and
    /// replaced.
    fn stmt_above(&mut self, kind: StmtKind, first: u32, end: u32, depth: u16) -> Stmt {
        let span = self.span(first, end);
        let depth = depth.saturating_add(1);
        if depth > MAX_DEPTH {
            self.report(
                Diagnostic::error("too-deep", "statements are nested too deep")
                    .label(span, "too deep")
                    .note(format!("at most {MAX_DEPTH} levels are allowed"))
                    .help("move the inner part to a route of its own"),
            );
            return Stmt {
                kind: StmtKind::Error,
                span,
                depth: 1,
            };
        }
        Stmt { kind, span, depth }
    }

    /// Adds a complete statement to a list.
    pub(in crate::syntax) fn add(&mut self, list: &mut Vec<Stmt>, stmt: Stmt) {
        list.push(finished(stmt));
    }

    /// The block in braces; one without statements is reported.
    pub(in crate::syntax) fn block(&mut self, stmts: Vec<Stmt>, first: u32, end: u32) -> Body {
        let span = self.span(first, end);
        if stmts.is_empty() {
            self.report(
                Diagnostic::error("empty-block", "a block cannot be empty")
                    .label(span, "nothing in it")
                    .note("Kamailio refuses blocks without a statement")
                    .help("put a `;` in it"),
            );
        }
        Body {
            block: Block { stmts, span },
            braced: true,
        }
    }

    /// A single statement as a body. An `if` stays unfinished: it may be the `else` of another.
    pub(in crate::syntax) fn single(&mut self, stmt: Stmt) -> Body {
        let span = stmt.span;
        Body {
            block: Block {
                stmts: vec![stmt],
                span,
            },
            braced: false,
        }
    }

    /// An `if`. Its arms are kept last first until it is known where the chain begins.
    pub(in crate::syntax) fn if_stmt(
        &mut self,
        condition: Expr,
        then: Body,
        otherwise: Option<Body>,
        first: u32,
        end: u32,
    ) -> Stmt {
        let body = finished_block(then);
        let mut depth = condition.depth.max(block_depth(&body));
        let span = self.sources.join(self.token_span(first), body.span);
        let arm = Arm {
            condition,
            body,
            span,
        };
        let chain = match otherwise {
            None => If {
                arms: vec![arm],
                otherwise: None,
            },
            Some(mut body) => {
                let nested = if body.braced {
                    None
                } else {
                    body.block
                        .stmts
                        .pop_if(|stmt| matches!(stmt.kind, StmtKind::If(_)))
                };
                match nested {
                    Some(Stmt {
                        kind: StmtKind::If(mut chain),
                        depth: inner,
                        ..
                    }) => {
                        depth = depth.max(inner.saturating_sub(1));
                        chain.arms.push(arm);
                        chain
                    }
                    _ => {
                        let block = finished_block(body);
                        depth = depth.max(block_depth(&block));
                        If {
                            arms: vec![arm],
                            otherwise: Some(block),
                        }
                    }
                }
            }
        };
        self.stmt_above(StmtKind::If(chain), first, end, depth)
    }

    pub(in crate::syntax) fn while_stmt(
        &mut self,
        condition: Expr,
        body: Body,
        first: u32,
        end: u32,
    ) -> Stmt {
        let body = finished_block(body);
        let depth = condition.depth.max(block_depth(&body));
        self.stmt_above(
            StmtKind::While(While { condition, body }),
            first,
            end,
            depth,
        )
    }

    pub(in crate::syntax) fn switch_stmt(
        &mut self,
        selector: Expr,
        cases: Vec<Case>,
        first: u32,
        end: u32,
    ) -> Stmt {
        let mut depth = selector.depth;
        for case in &cases {
            if let CaseLabel::Value(label) | CaseLabel::Pattern(label) = &case.label {
                depth = depth.max(label.depth);
            }
            depth = case
                .stmts
                .iter()
                .fold(depth, |depth, stmt| depth.max(stmt.depth));
        }
        self.stmt_above(
            StmtKind::Switch(Switch { selector, cases }),
            first,
            end,
            depth,
        )
    }

    pub(in crate::syntax) fn case(
        &self,
        label: CaseLabel,
        stmts: Vec<Stmt>,
        first: u32,
        end: u32,
    ) -> Case {
        Case {
            label,
            stmts,
            span: self.span(first, end),
        }
    }

    pub(in crate::syntax) fn assign_stmt(
        &mut self,
        target: Lvalue,
        operator: u32,
        value: Expr,
        first: u32,
        end: u32,
    ) -> Stmt {
        let assign = Assign {
            target,
            op_span: self.token_span(operator),
            value,
        };
        let reported = matches!(&assign.target, Lvalue::Variable(v) if v.name.text.is_empty());
        let kind = if reported {
            StmtKind::Error
        } else {
            StmtKind::Assign(assign)
        };
        self.stmt(kind, first, end)
    }

    pub(in crate::syntax) fn leave(&mut self, word: u32, value: Option<Expr>, end: u32) -> Stmt {
        let kind = self.leave_kind(word);
        self.stmt(StmtKind::Leave(Leave { kind, value }), word, end)
    }

    pub(in crate::syntax) fn break_stmt(&mut self, word: u32, end: u32) -> Stmt {
        let leave = Leave {
            kind: LeaveKind::Break,
            value: None,
        };
        self.stmt(StmtKind::Leave(leave), word, end)
    }
}

/// Puts the arms of a complete `if` in the order they were written.
fn finished(mut stmt: Stmt) -> Stmt {
    if let StmtKind::If(chain) = &mut stmt.kind {
        chain.arms.reverse();
    }
    stmt
}

fn finished_block(body: Body) -> Block {
    let mut block = body.block;
    if !body.braced {
        block.stmts = block.stmts.into_iter().map(finished).collect();
    }
    block
}
