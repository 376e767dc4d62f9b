//! Statements and blocks.

use super::Resolver;
use super::node::{Node, NodeKind, Static};
use crate::diagnostic::Diagnostic;
use crate::ir::{self, Arm, Expr, Stmt, StmtKind};
use crate::syntax::ast::{self, LeaveKind};

/// Variables that take text: a variable that holds an integer gives its digits, a computed integer
/// is refused when it is assigned (semantics reference §10).
const TEXTS: [&str; 16] = [
    "ru", "rU", "rd", "du", "br", "fu", "fU", "fd", "fn", "tu", "tU", "td", "tn", "tUl", "fs",
    "fsn",
];

impl Resolver<'_> {
    /// A list of statements.
    pub(super) fn block(&mut self, block: &ast::Block) -> ir::Block {
        self.statements(&block.stmts)
    }

    pub(super) fn statements(&mut self, stmts: &[ast::Stmt]) -> ir::Block {
        ir::Block {
            stmts: stmts.iter().map(|stmt| self.statement(stmt)).collect(),
        }
    }

    fn statement(&mut self, stmt: &ast::Stmt) -> Stmt {
        let place = self.place(stmt.span);
        self.forms = 0;
        let kind = match &stmt.kind {
            ast::StmtKind::Empty | ast::StmtKind::Error => StmtKind::Nothing,
            ast::StmtKind::Call(call) => match self.call(call) {
                Some(call) => StmtKind::Call(call),
                None => StmtKind::Nothing,
            },
            ast::StmtKind::Assign(assign) => match self.assign(assign) {
                Some(assign) => StmtKind::Assign(assign),
                None => StmtKind::Nothing,
            },
            ast::StmtKind::If(conditional) => {
                let arms = conditional
                    .arms
                    .iter()
                    .map(|arm| {
                        let place = self.place(arm.span);
                        let condition = self.node(&arm.condition);
                        let condition = self.int(&condition);
                        Arm {
                            condition,
                            body: self.block(&arm.body),
                            place,
                        }
                    })
                    .collect();
                let otherwise = match &conditional.otherwise {
                    Some(block) => self.block(block),
                    None => ir::Block::default(),
                };
                StmtKind::If { arms, otherwise }
            }
            ast::StmtKind::While(repeat) => {
                let condition = self.node(&repeat.condition);
                self.refuse_text("while", &condition);
                StmtKind::While {
                    condition: self.int(&condition),
                    body: self.block(&repeat.body),
                }
            }
            ast::StmtKind::Switch(switch) => self.switch(switch, stmt.span),
            ast::StmtKind::Leave(leave) => self.leave(leave),
        };
        Stmt { kind, place }
    }

    /// An assignment.
    pub(super) fn assign(&mut self, assign: &ast::Assign) -> Option<ir::Assign> {
        let target = self.lvalue(&assign.target);
        let value = self.node(&assign.value);
        if value.is_error() {
            return None;
        }
        let target = target?;
        let text = matches!(&target, ir::Target::Pv(pv) if TEXTS.contains(&pv.decl.name));
        let assigned = self.assigned(&value);
        let assigned = match &value.kind {
            NodeKind::Read(..) if text => Expr::Worded(Box::new(assigned)),
            _ => assigned,
        };
        if text && value.static_type() == Some(Static::Int) {
            self.report(
                Diagnostic::warning("number-for-text", "this variable takes no number")
                    .label(value.span, "")
                    .note("the assignment fails each time, as it does on Kamailio")
                    .help("convert it with `(str)`"),
            );
        }
        Some(ir::Assign {
            target,
            value: assigned,
        })
    }

    fn leave(&mut self, leave: &ast::Leave) -> StmtKind {
        let value = leave.value.as_ref().map(|value| {
            let node = self.node(value);
            self.refuse_text("return", &node);
            self.int(&node)
        });
        match leave.kind {
            LeaveKind::Break => StmtKind::Break,
            LeaveKind::Return => StmtKind::Return(value.unwrap_or(Expr::Int(1))),
            LeaveKind::Exit => StmtKind::Exit(value.unwrap_or(Expr::Int(1))),
            LeaveKind::Drop => StmtKind::Drop(value.unwrap_or(Expr::Int(0))),
        }
    }

    /// Where a string makes no sense.
    fn refuse_text(&mut self, statement: &str, node: &Node) {
        if node.static_type() == Some(Static::Str) {
            let message = format!("`{statement}` takes an integer, and this is a string");
            self.report(
                Diagnostic::error("type-mismatch", message)
                    .label(node.span, "this is a string")
                    .help("convert it with `(int)`"),
            );
        }
    }
}
