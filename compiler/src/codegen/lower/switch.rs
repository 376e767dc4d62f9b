//! `switch`.

use cranelift::frontend::Switch as JumpTable;
use cranelift::prelude::{Block, InstBuilder};

use super::{Loaded, Lowered, Lowering};
use crate::ir::{Case, Label, Switch};

impl Lowering<'_, '_, '_> {
    pub(super) fn switch(&mut self, switch: &Switch) -> Lowered<()> {
        let done = self.builder.create_block();
        let bodies: Vec<Block> = switch
            .cases
            .iter()
            .map(|_| self.builder.create_block())
            .collect();
        let default = switch
            .cases
            .iter()
            .zip(&bodies)
            .find(|(case, _)| case.label == Label::Default)
            .map_or(done, |(_, body)| *body);
        let (selector, fail) = self.attempt(|this| this.whole(&switch.selector))?;
        self.set_last(1);
        match selector {
            Loaded::Int(n) => {
                let mut table = JumpTable::new();
                for (case, body) in switch.cases.iter().zip(&bodies) {
                    if let Label::Int(label) = case.label {
                        table.set_entry(u128::from(label as u64), *body);
                    }
                }
                table.emit(&mut self.builder, n, default);
            }
            _ => self.choose_text(selector, &switch.cases, &bodies, default)?,
        }
        if let Some(fail) = fail {
            self.start(fail);
            self.set_last(-1);
            self.jump(default, &[]);
        }
        self.breaks.push(Some(done));
        for (n, case) in switch.cases.iter().enumerate() {
            self.start(bodies[n]);
            self.nested(&case.body)?;
            let next = bodies.get(n + 1).copied().unwrap_or(done);
            self.jump(next, &[]);
        }
        self.breaks.pop();
        self.start(done);
        Ok(())
    }

    fn choose_text(
        &mut self,
        selector: Loaded,
        cases: &[Case],
        bodies: &[Block],
        default: Block,
    ) -> Lowered<()> {
        let text = self.as_text(selector)?;
        let (tag, data) = self.words(text);
        for (case, body) in cases.iter().zip(bodies) {
            let flag = match &case.label {
                Label::Str(label) => self.is_text(tag, data, label)?,
                Label::Pattern(pattern) => {
                    let address = self.constant(*pattern);
                    self.call_intrinsic("matches_case", &[tag, data, address])?[0]
                }
                Label::Default | Label::Int(_) => continue,
            };
            let next = self.builder.create_block();
            self.builder.ins().brif(flag, *body, &[], next, &[]);
            self.start(next);
        }
        self.jump(default, &[]);
        Ok(())
    }
}
