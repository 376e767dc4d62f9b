//! Lowers the typed program to Cranelift functions, one for each route block.
//!
//! Values are pairs of machine words ([`Val`]). What is known to be an integer or a string is
//! handled as such; only where the type is open is the tag looked at.
//!
//! **Invariant:** a string that points into a slot of `$var` is copied to the run's scratch memory
//! before a builtin gets it, and before anything that may assign the slot runs.

mod builtins;
mod call;
mod condition;
mod expression;
mod integer;
mod slot;
mod statement;
mod switch;
mod text;

use std::mem::offset_of;

use cranelift::codegen::control::ControlPlane;
use cranelift::codegen::ir::{
    BlockArg, MemFlagsData, SourceLoc, StackSlot, StackSlotData, StackSlotKind,
};
use cranelift::codegen::{Context, ir::UserFuncName};
use cranelift::module::{FuncId, ModuleError, ModuleReloc};
use cranelift::prelude::{
    Block, FunctionBuilder, FunctionBuilderContext, InstBuilder, IntCC, Value, Variable, types,
};
use kcc_runtime::abi::{Head, status};
use kcc_runtime::value::{Val, tag};

use super::coverage::Counted;
use super::debuginfo::{Function, Line};
use super::unit::{Unit, route_signature};
use super::{CodegenFailure, debuginfo, target};
use crate::ir;

/// What lowering gives.
type Lowered<T> = Result<T, Box<ModuleError>>;

/// Lowers every route of the program and defines it in the unit's module.
pub fn lower(unit: &mut Unit<'_>) -> Result<Vec<(FuncId, Function)>, CodegenFailure> {
    let mut builder_context = FunctionBuilderContext::new();
    let mut context = unit.module.make_context();
    let mut functions = Vec::with_capacity(unit.routes.len());
    for n in 0..unit.routes.len() {
        let id = unit.routes[n];
        context.func.signature = route_signature(unit.module);
        context.func.name = UserFuncName::user(0, id.as_u32());
        lower_route(unit, &mut context, &mut builder_context, n)?;
        define(unit, id, &mut context)?;
        functions.push((id, describe(unit, &context, n)?));
        unit.module.clear_context(&mut context);
    }
    Ok(functions)
}

/// Instructions from which on a function is compiled with little effort.
const LARGE: usize = 60_000;

/// Compiles a function and adds it to the module.
fn define(unit: &mut Unit<'_>, id: FuncId, context: &mut Context) -> Result<(), CodegenFailure> {
    if context.func.dfg.num_insts() < LARGE {
        return Ok(unit.module.define_function(id, context)?);
    }
    let pic = unit.module.isa().flags().is_pic();
    let isa = target::hasty_isa(pic)?;
    context
        .compile(&*isa, &mut ControlPlane::default())
        .map_err(|error| error.inner)?;
    let Some(code) = context.compiled_code() else {
        return Ok(());
    };
    let relocations: Vec<ModuleReloc> = code
        .buffer
        .relocs()
        .iter()
        .map(|reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, id))
        .collect();
    let alignment = u64::from(isa.function_alignment().minimum);
    unit.module
        .define_function_bytes(id, alignment, code.buffer.data(), &relocations)?;
    Ok(())
}

/// What debuggers are told of a function that was just defined.
fn describe(unit: &Unit<'_>, context: &Context, n: usize) -> Result<Function, CodegenFailure> {
    let route = &unit.program.routes[n];
    let places = &unit.program.manifest.places;
    let line = |place: u32, offset: u32| {
        let (file, line) = places.get(place as usize).copied().unwrap_or((0, 0));
        Line { offset, file, line }
    };
    let mut function = Function {
        name: route.name.clone(),
        len: 0,
        declared: line(route.place, 0),
        lines: Vec::new(),
        unwind: None,
    };
    if let Some(code) = context.compiled_code() {
        function.len = code.buffer.total_size();
        function.lines = code
            .buffer
            .get_srclocs_sorted()
            .iter()
            .filter(|entry| !entry.loc.is_default())
            .map(|entry| line(entry.loc.bits(), entry.start))
            .collect::<Vec<debuginfo::Line>>();
        function.unwind = code.create_unwind_info(unit.module.isa())?;
    }
    Ok(function)
}

fn lower_route(
    unit: &mut Unit<'_>,
    context: &mut Context,
    builder_context: &mut FunctionBuilderContext,
    n: usize,
) -> Lowered<()> {
    let program = unit.program;
    let config = unit.module.target_config();
    let route = &program.routes[n];
    let mut lowering = Lowering::new(
        unit,
        FunctionBuilder::new(&mut context.func, builder_context),
    );
    lowering.enter(route.place)?;
    lowering.count(route.place, Counted::Ran);
    lowering.body(&route.body)?;
    lowering.leave();
    let Lowering {
        builder,
        area,
        area_max,
        ..
    } = lowering;
    builder.func.sized_stack_slots[area].size = area_max.max(1) * SLOT;
    builder.finalize(config);
    Ok(())
}

/// Bytes of a [`Val`].
const SLOT: u32 = size_of::<Val>() as u32;

/// A value in registers.
#[derive(Clone, Copy, Debug)]
enum Loaded {
    /// An integer.
    Int(Value),
    /// A string: its tag and address.
    Str(Value, Value),
    /// Anything: tag and data.
    Any(Value, Value),
}

/// One function while it is made.
struct Lowering<'u, 'm, 'f> {
    unit: &'u mut Unit<'m>,
    builder: FunctionBuilder<'f>,
    /// The run.
    run: Value,
    /// `Head::depth` at the call.
    depth: Value,
    /// How many action lists deep the current statement is inside the route.
    nesting: u32,
    /// Code of the last statement.
    last: Variable,
    /// Ends the script: parameters are status and value.
    exit: Block,
    /// Where `return` goes, with the code: the route's end, or that of a block as a value.
    returns: Vec<Block>,
    /// Where `break` goes inside of the current route or block as a value.
    breaks: Vec<Option<Block>>,
    /// Where an expression goes that is given up.
    fail: Option<Block>,
    /// Whether something jumps there.
    fail_used: bool,
    /// Strings of slots are copied when read.
    copy_slots: bool,
    /// The statement.
    place: u32,
    /// Space for the arguments of calls.
    area: StackSlot,
    /// Values of it in use.
    area_top: u32,
    /// The most values that were in use.
    area_max: u32,
}

impl<'u, 'm, 'f> Lowering<'u, 'm, 'f> {
    fn new(unit: &'u mut Unit<'m>, mut builder: FunctionBuilder<'f>) -> Self {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let run = builder.block_params(entry)[0];
        let last = builder.declare_var(types::I64);
        let exit = builder.create_block();
        builder.append_block_param(exit, types::I64);
        builder.append_block_param(exit, types::I64);
        builder.set_cold_block(exit);
        let end = builder.create_block();
        builder.append_block_param(end, types::I64);
        // Its size is known at the end.
        let area = builder.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            SLOT,
            4,
        ));
        Lowering {
            unit,
            builder,
            run,
            depth: run,
            nesting: 0,
            last,
            exit,
            returns: vec![end],
            breaks: vec![None],
            fail: None,
            fail_used: false,
            copy_slots: false,
            place: 0,
            area,
            area_top: 0,
            area_max: 0,
        }
    }

    /// Counts the nesting and refuses too much of it.
    fn enter(&mut self, place: u32) -> Lowered<()> {
        self.set_place(place);
        self.depth = self.head_u32(offset_of!(Head, depth));
        let most = self.head_u32(offset_of!(Head, max_depth));
        let fits = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, self.depth, most);
        let limit = self.head(offset_of!(Head, stack_limit));
        let pointer = self.builder.ins().get_stack_pointer(types::I64);
        let room = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, pointer, limit);
        let good = self.builder.ins().band(fits, room);
        let (body, refused) = (self.builder.create_block(), self.cold());
        self.builder.ins().brif(good, body, &[], refused, &[]);
        self.start(refused);
        self.call_intrinsic("too_deep", &[])?;
        let (ok, code) = (self.int(status::OK as i64), self.int(-1));
        self.builder.ins().return_(&[ok, code]);
        self.start(body);
        let one = self.builder.ins().iconst(types::I32, 1);
        let depth = self.builder.ins().iadd(self.depth, one);
        self.set_head_u32(offset_of!(Head, depth), depth);
        self.set_last(1);
        Ok(())
    }

    /// The two ends of the function.
    fn leave(&mut self) {
        let code = self.builder.use_var(self.last);
        let end = self.returns[0];
        self.jump(end, &[code]);
        self.start(end);
        let code = self.builder.block_params(end)[0];
        self.set_head_u32(offset_of!(Head, depth), self.depth);
        let ok = self.int(status::OK as i64);
        self.builder.ins().return_(&[ok, code]);
        let exit = self.exit;
        self.start(exit);
        let words = [0, 1].map(|n| self.builder.block_params(exit)[n]);
        self.set_head_u32(offset_of!(Head, depth), self.depth);
        self.builder.ins().return_(&words);
    }

    /// Counts what happens here, where that is asked for.
    fn count(&mut self, place: u32, counted: Counted) {
        let counter = self
            .unit
            .coverage
            .as_ref()
            .and_then(|counts| counts.counter(place, counted));
        if let Some(counter) = counter {
            let (address, one) = (self.int(counter.addr() as i64), self.int(1));
            let flags = MemFlagsData::trusted();
            self.builder.ins().atomic_rmw(
                types::I64,
                flags,
                cranelift::codegen::ir::AtomicRmwOp::Add,
                address,
                one,
            );
        }
    }

    fn set_place(&mut self, place: u32) {
        self.place = place;
        self.builder.set_srcloc(SourceLoc::new(place));
    }

    /// A new block off the usual path.
    fn cold(&mut self) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// Continues in `block`, to which all jumps are made.
    fn start(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    fn jump(&mut self, block: Block, values: &[Value]) {
        let args: Vec<BlockArg> = values.iter().map(|value| BlockArg::Value(*value)).collect();
        self.builder.ins().jump(block, &args);
    }

    /// A block that continues with one word for each.
    fn join(&mut self, words: usize) -> Block {
        let block = self.builder.create_block();
        for _ in 0..words {
            self.builder.append_block_param(block, types::I64);
        }
        block
    }

    fn int(&mut self, n: i64) -> Value {
        self.builder.ins().iconst(types::I64, n)
    }

    /// Compares with a constant.
    fn is(&mut self, condition: IntCC, value: Value, n: i64) -> Value {
        let ty = self.builder.func.dfg.value_type(value);
        let n = self.builder.ins().iconst(ty, n);
        self.builder.ins().icmp(condition, value, n)
    }

    /// The kind in a tag.
    fn kind(&mut self, tag: Value) -> Value {
        let mask = self.int(kcc_runtime::value::tag::MASK as i64);
        self.builder.ins().band(tag, mask)
    }

    fn has_kind(&mut self, tag: Value, kind: u64) -> Value {
        match kind {
            // Only the tag of a string holds more than the kind.
            tag::STR => {
                let own = self.kind(tag);
                self.is(IntCC::Equal, own, kind as i64)
            }
            _ => self.is(IntCC::Equal, tag, kind as i64),
        }
    }

    /// Memory that can be read and written without a fault, at any alignment.
    fn trusted() -> MemFlagsData {
        MemFlagsData::new().with_notrap()
    }

    fn head(&mut self, offset: usize) -> Value {
        self.builder
            .ins()
            .load(types::I64, Self::trusted(), self.run, offset as i32)
    }

    fn head_u32(&mut self, offset: usize) -> Value {
        self.builder
            .ins()
            .load(types::I32, Self::trusted(), self.run, offset as i32)
    }

    fn set_head(&mut self, offset: usize, value: Value) {
        self.builder
            .ins()
            .store(Self::trusted(), value, self.run, offset as i32);
    }

    fn set_head_u32(&mut self, offset: usize, value: Value) {
        self.builder
            .ins()
            .store(Self::trusted(), value, self.run, offset as i32);
    }

    /// Tells the runtime which statement runs.
    fn note_place(&mut self) {
        let place = self.builder.ins().iconst(types::I32, i64::from(self.place));
        self.set_head_u32(offset_of!(Head, place), place);
    }

    /// Ends the script.
    fn stop(&mut self, status: u64, value: Value) {
        let status = self.int(status as i64);
        let exit = self.exit;
        self.jump(exit, &[status, value]);
    }

    /// Leaves the expression where `bad` is not 0. Why is said by what found it, or here.
    fn give_up_if(&mut self, bad: Value, reason: Option<i64>) -> Lowered<()> {
        let (cold, go_on) = (self.cold(), self.builder.create_block());
        self.builder.ins().brif(bad, cold, &[], go_on, &[]);
        self.start(cold);
        self.give_up(reason)?;
        self.start(go_on);
        Ok(())
    }

    /// Leaves the expression; the current block ends.
    fn give_up(&mut self, reason: Option<i64>) -> Lowered<()> {
        if let Some(reason) = reason {
            self.note_place();
            let reason = self.int(reason);
            self.call_intrinsic("gave_up", &[reason])?;
        }
        self.fail_used = true;
        match self.fail {
            Some(fail) => self.jump(fail, &[]),
            None => {
                let value = self.int(-1);
                self.stop(status::ERROR, value);
            }
        }
        Ok(())
    }

    /// Evaluates with `f`. Where it may be given up, continues at the returned block then, which
    /// is not started yet.
    fn attempt<T>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Lowered<T>,
    ) -> Lowered<(T, Option<Block>)> {
        let fail = self.builder.create_block();
        let outer = self.fail.replace(fail);
        let used = std::mem::replace(&mut self.fail_used, false);
        let result = f(self);
        self.fail = outer;
        let used = std::mem::replace(&mut self.fail_used, used);
        Ok((result?, used.then_some(fail)))
    }

    /// Evaluates an integer with `f`; it is `failed` where that is given up.
    fn settled(
        &mut self,
        failed: i64,
        f: impl FnOnce(&mut Self) -> Lowered<Value>,
    ) -> Lowered<Value> {
        let (n, fail) = self.attempt(f)?;
        let Some(fail) = fail else {
            return Ok(n);
        };
        let done = self.join(1);
        self.jump(done, &[n]);
        self.start(fail);
        let n = self.int(failed);
        self.jump(done, &[n]);
        self.start(done);
        Ok(self.builder.block_params(done)[0])
    }

    fn body(&mut self, block: &ir::Block) -> Lowered<()> {
        for stmt in &block.stmts {
            self.statement(stmt)?;
        }
        Ok(())
    }
}
