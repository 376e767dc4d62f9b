//! Statements.

use std::mem::offset_of;

use cranelift::prelude::{Block, InstBuilder, Value, types};
use kcc_runtime::abi::{Head, status};

use super::condition::Truth;
use super::{Lowered, Lowering};
use crate::codegen::coverage::Counted;
use crate::ir::{self, Arm, Expr, Stmt, StmtKind};

/// What `return` gives when its value is given up (Kamailio 5.6 and 6).
const RETURN_FAILED: i64 = -5;

impl Lowering<'_, '_, '_> {
    pub(super) fn statement(&mut self, stmt: &Stmt) -> Lowered<()> {
        self.set_place(stmt.place);
        self.count(stmt.place, Counted::Ran);
        match &stmt.kind {
            StmtKind::Nothing => self.set_last(1),
            StmtKind::Call(call) => {
                let code = self.call(call)?;
                self.builder.def_var(self.last, code);
            }
            StmtKind::Assign(assign) => {
                let outer = std::mem::replace(&mut self.copy_slots, assign.value.may_assign());
                let code = self.assign(assign);
                self.copy_slots = outer;
                self.builder.def_var(self.last, code?);
            }
            StmtKind::If { arms, otherwise } => self.conditional(arms, otherwise)?,
            StmtKind::While { condition, body } => self.repeat(condition, body)?,
            StmtKind::Switch(switch) => self.switch(switch)?,
            StmtKind::Return(value) => {
                let n = self.leaving_value(value)?;
                self.return_value(value, n);
                self.dead();
            }
            StmtKind::Exit(value) => {
                let n = self.leaving_value(value)?;
                self.set_head(offset_of!(Head, rc), n);
                self.stop(status::EXIT, n);
                self.dead();
            }
            StmtKind::Drop(value) => {
                let n = self.leaving_value(value)?;
                self.stop(status::DROP, n);
                self.dead();
            }
            StmtKind::Break => {
                self.set_last(0);
                match self.breaks.last().copied().flatten() {
                    Some(target) => self.jump(target, &[]),
                    None => {
                        let zero = self.int(0);
                        self.return_to(zero);
                    }
                }
                self.dead();
            }
        }
        Ok(())
    }

    /// Sets the code of the last statement.
    pub(super) fn set_last(&mut self, code: i64) {
        let code = self.int(code);
        self.builder.def_var(self.last, code);
    }

    /// Continues where nothing comes.
    fn dead(&mut self) {
        let block = self.builder.create_block();
        self.start(block);
    }

    /// A list of statements one level deeper.
    pub(super) fn nested(&mut self, block: &ir::Block) -> Lowered<()> {
        self.nesting += 1;
        let done = self.body(block);
        self.nesting -= 1;
        done
    }

    fn conditional(&mut self, arms: &[Arm], otherwise: &ir::Block) -> Lowered<()> {
        let done = self.builder.create_block();
        for arm in arms {
            let (yes, no) = (self.builder.create_block(), self.builder.create_block());
            self.set_place(arm.place);
            let truth = match self.unit.program.compat.negative_holds {
                true => Truth::NonZero,
                false => Truth::Positive,
            };
            self.decide(&arm.condition, truth, yes, no)?;
            self.start(yes);
            self.count(arm.place, Counted::Held);
            self.branch_body(&arm.body, done)?;
            self.start(no);
            self.count(arm.place, Counted::Failed);
        }
        self.branch_body(otherwise, done)?;
        self.start(done);
        Ok(())
    }

    fn branch_body(&mut self, body: &ir::Block, done: Block) -> Lowered<()> {
        if body.stmts.is_empty() {
            self.set_last(1);
        }
        self.nested(body)?;
        self.jump(done, &[]);
        Ok(())
    }

    /// Branches on the condition of a statement; given up counts as `no`.
    fn decide(&mut self, condition: &Expr, truth: Truth, yes: Block, no: Block) -> Lowered<()> {
        let fail = self.fail.replace(no);
        let copy = std::mem::replace(&mut self.copy_slots, condition.may_assign());
        let done = self.branch_on(condition, truth, yes, no);
        self.copy_slots = copy;
        self.fail = fail;
        done
    }

    fn repeat(&mut self, condition: &Expr, body: &ir::Block) -> Lowered<()> {
        let limit = i64::from(self.unit.program.max_while_loops);
        self.set_last(1);
        let rounds = self.builder.declare_var(types::I64);
        let zero = self.int(0);
        self.builder.def_var(rounds, zero);
        let mark = self.call_intrinsic("mark", &[])?;
        let [header, round, done] = [(); 3].map(|()| self.builder.create_block());
        self.jump(header, &[]);
        self.builder.switch_to_block(header);
        let compat = self.unit.program.compat;
        let truth = match compat.while_negative || compat.negative_holds {
            true => Truth::NonZero,
            false => Truth::Positive,
        };
        let place = self.place;
        let left = self.builder.create_block();
        self.decide(condition, truth, round, left)?;
        self.start(left);
        self.count(place, Counted::Failed);
        self.jump(done, &[]);
        self.start(round);
        self.count(place, Counted::Held);
        let count = self.builder.use_var(rounds);
        if limit > 0 {
            let (over, go_on) = (self.cold(), self.builder.create_block());
            let all = self.int(limit);
            let left = self.builder.ins().isub(all, count);
            self.builder.ins().brif(left, go_on, &[], over, &[]);
            self.start(over);
            self.note_place();
            self.call_intrinsic("too_many_rounds", &[all])?;
            self.set_last(-1);
            self.jump(done, &[]);
            self.start(go_on);
        }
        let one = self.int(1);
        let count = self.builder.ins().iadd(count, one);
        self.builder.def_var(rounds, count);
        self.breaks.push(Some(done));
        self.nested(body)?;
        self.breaks.pop();
        self.set_place(place);
        self.pass_time()?;
        self.call_intrinsic("reset", &mark)?;
        self.jump(header, &[]);
        self.builder.seal_block(header);
        self.start(done);
        Ok(())
    }

    /// Lets other messages run after many rounds.
    fn pass_time(&mut self) -> Lowered<()> {
        let fuel = self.head_u32(offset_of!(Head, fuel));
        let (empty, go_on) = (self.cold(), self.builder.create_block());
        let one = self.builder.ins().iconst(types::I32, 1);
        let less = self.builder.ins().isub(fuel, one);
        self.set_head_u32(offset_of!(Head, fuel), less);
        self.builder.ins().brif(fuel, go_on, &[], empty, &[]);
        self.start(empty);
        let words = self.call_intrinsic("refuel", &[])?;
        let exit = self.exit;
        let args = [words[0].into(), words[1].into()];
        self.builder.ins().brif(words[0], exit, &args, go_on, &[]);
        self.start(go_on);
        Ok(())
    }

    /// The value of `return`, `exit`, `drop`.
    fn leaving_value(&mut self, value: &Expr) -> Lowered<Value> {
        let copy = std::mem::replace(&mut self.copy_slots, value.may_assign());
        let n = self.settled(RETURN_FAILED, |this| this.integer(value));
        self.copy_slots = copy;
        n
    }

    /// `return`: 0 ends the script.
    fn return_value(&mut self, value: &Expr, n: Value) {
        if !self.unit.program.compat.return_zero_exits {
            return self.return_to(n);
        }
        match value {
            Expr::Int(0) => self.stop(status::EXIT, n),
            Expr::Int(_) => self.return_to(n),
            _ => {
                let zero = self.cold();
                let target = self.return_target();
                self.builder.ins().brif(n, target, &[n.into()], zero, &[]);
                self.start(zero);
                self.stop(status::EXIT, n);
            }
        }
    }

    fn return_target(&self) -> Block {
        // The route's own end is always there.
        self.returns[self.returns.len() - 1]
    }

    fn return_to(&mut self, n: Value) {
        let target = self.return_target();
        self.jump(target, &[n]);
    }

    /// The value of a block: what `return` in it gives, or the code of its last statement. The code
    /// of the statement before the one around it stays what it was.
    pub(super) fn block_value(&mut self, block: &ir::Block) -> Lowered<Value> {
        let done = self.join(1);
        let before = self.builder.use_var(self.last);
        let place = self.place;
        self.returns.push(done);
        self.breaks.push(None);
        self.set_last(1);
        self.nested(block)?;
        self.breaks.pop();
        self.returns.pop();
        self.set_place(place);
        let code = self.builder.use_var(self.last);
        self.jump(done, &[code]);
        self.start(done);
        self.builder.def_var(self.last, before);
        Ok(self.builder.block_params(done)[0])
    }
}
