//! Calls: builtins, routes, variables and transformations, and their arguments.

use std::mem::offset_of;

use cranelift::module::FuncId;
use cranelift::prelude::{InstBuilder, IntCC, Value, types};
use kcc_runtime::abi::{Head, Place, Shim, status};
use kcc_runtime::declare::{ArgKind, FunctionDecl, TransformationDecl};
use kcc_runtime::intrinsics::{READ_SLOT, WRITE_SLOT};
use kcc_runtime::value::{Val, tag};

use super::{Loaded, Lowered, Lowering, SLOT};
use crate::ir::{Arg, Assign, Call, Callee, Expr, PvRef, Target};

/// Values of space that an [`Place`] takes.
const PLACE: usize = size_of::<Place>().div_ceil(SLOT as usize);
/// The code of a call where an argument is given up, and of `route(expr)` where the name is.
const ARGUMENT_FAILED: i64 = -5;
const NAME_FAILED: i64 = -1;
/// The most arguments of a variable: its inner name and two indices.
const MOST_PLACE_ARGS: usize = 3;

impl Lowering<'_, '_, '_> {
    /// Calls a runtime function; `args` are the words after the run.
    pub(super) fn call_intrinsic(
        &mut self,
        name: &'static str,
        args: &[Value],
    ) -> Lowered<Vec<Value>> {
        let id = self.unit.intrinsic(name)?;
        let mut words = vec![self.run];
        words.extend_from_slice(args);
        Ok(self.call_function(id, &words))
    }

    fn call_function(&mut self, id: FuncId, words: &[Value]) -> Vec<Value> {
        let callee = self.unit.callable(id, self.builder.func);
        let call = self.builder.ins().call(callee, words);
        self.builder.inst_results(call).to_vec()
    }

    /// Calls a builtin with the values from `list` on.
    fn call_shim(&mut self, symbol: &'static str, list: u32) -> Lowered<(Value, Value)> {
        self.note_place();
        let id = self.unit.shim(symbol)?;
        let args = self.address(list);
        let words = self.call_function(id, &[self.run, args]);
        Ok((words[0], words[1]))
    }

    /// Ends the script where the status of a call is not 0.
    fn check(&mut self, status: Value, value: Value) {
        let go_on = self.builder.create_block();
        let exit = self.exit;
        let words = [status.into(), value.into()];
        self.builder.ins().brif(status, exit, &words, go_on, &[]);
        self.start(go_on);
    }

    /// A value that a reader or a transformation gave.
    fn read_value(&mut self, tag: Value, data: Value) -> Loaded {
        let stop = self.has_kind(tag, tag::STOP);
        let (ended, go_on) = (self.cold(), self.builder.create_block());
        self.builder.ins().brif(stop, ended, &[], go_on, &[]);
        self.start(ended);
        let value = self.int(0);
        self.stop(status::ERROR, value);
        self.start(go_on);
        Loaded::Any(tag, data)
    }

    /// The address of a parsed constant.
    pub(super) fn constant(&mut self, n: u32) -> Value {
        let table = self.head(offset_of!(Head, constants));
        let offset = (n as usize * size_of::<*const ()>()) as i32;
        self.builder
            .ins()
            .load(types::I64, Self::trusted(), table, offset)
    }

    /// Evaluates one argument into its place.
    fn argument(&mut self, at: u32, arg: &Arg) -> Lowered<()> {
        match arg {
            Arg::Absent => {
                let null = self.int(tag::NULL as i64);
                self.put_words(at, null, null);
            }
            Arg::Value(expr) => {
                let value = self.for_builtin(expr)?;
                self.put(at, value);
            }
            Arg::Constant(n) => {
                let kind = self.int(tag::CONSTANT as i64);
                let address = self.constant(*n);
                self.put_words(at, kind, address);
            }
            Arg::All => {
                let kind = self.int(tag::CONSTANT as i64);
                let zero = self.int(0);
                self.put_words(at, kind, zero);
            }
            Arg::Place(target) => {
                let place = self.place_of(target)?;
                let kind = self.int(tag::PLACE as i64);
                self.put_words(at, kind, place);
            }
            Arg::RouteNumber(kind, name) => {
                let (tag, data) = self.text(name)?;
                let kind = self.int(i64::from(kind.0));
                let number = self.call_intrinsic("route_number", &[kind, tag, data])?[0];
                self.put(at, Loaded::Int(number));
            }
        }
        Ok(())
    }

    /// Makes a variable that a builtin can read and assign; it lives until the call is over.
    fn place_of(&mut self, target: &Target) -> Lowered<Value> {
        let at = self.reserve(PLACE);
        let name = |given: Option<(&'static str, Shim)>| given.map(|(symbol, _)| symbol);
        let (read, write, read_int) = match target {
            Target::Var(_) => (READ_SLOT, Some(WRITE_SLOT), None),
            Target::Pv(pv) => {
                let decl = pv.decl;
                (decl.symbol, name(decl.write), name(decl.read_int))
            }
        };
        let list = self.reserve(MOST_PLACE_ARGS);
        let len = match target {
            Target::Var(slot) => {
                let slot = self.int(i64::from(*slot));
                self.put(list, Loaded::Int(slot));
                1
            }
            Target::Pv(pv) => {
                for (n, arg) in pv.args.iter().enumerate() {
                    self.argument(list + n as u32, arg)?;
                }
                pv.args.len()
            }
        };
        let read = self.address_of(read)?;
        let [write, read_int] = [
            self.address_or_null(write)?,
            self.address_or_null(read_int)?,
        ];
        let count = self.int(len as i64);
        let base = self.address(at);
        for (value, offset) in [
            (read, offset_of!(Place, read)),
            (write, offset_of!(Place, write)),
            (read_int, offset_of!(Place, read_int)),
            (count, offset_of!(Place, len)),
        ] {
            self.builder
                .ins()
                .store(Self::trusted(), value, base, offset as i32);
        }
        let from = self.address(list);
        for word in 0..len * 2 {
            let value = self
                .builder
                .ins()
                .load(types::I64, Self::trusted(), from, word as i32 * 8);
            let offset = offset_of!(Place, args) + word * 8;
            self.builder
                .ins()
                .store(Self::trusted(), value, base, offset as i32);
        }
        Ok(base)
    }

    fn address_of(&mut self, symbol: &'static str) -> Lowered<Value> {
        let id = self.unit.shim(symbol)?;
        let callee = self.unit.callable(id, self.builder.func);
        Ok(self.builder.ins().func_addr(types::I64, callee))
    }

    fn address_or_null(&mut self, symbol: Option<&'static str>) -> Lowered<Value> {
        match symbol {
            Some(symbol) => self.address_of(symbol),
            None => Ok(self.int(0)),
        }
    }

    /// Evaluates a list of arguments; the space is to be released.
    fn arguments(&mut self, args: &[Arg], room: usize) -> Lowered<u32> {
        let list = self.reserve(args.len() + room);
        for (n, arg) in args.iter().enumerate() {
            self.argument(list + n as u32, arg)?;
        }
        Ok(list)
    }

    /// Reads a variable.
    pub(super) fn read_pv(&mut self, pv: &PvRef) -> Lowered<Loaded> {
        self.read_with(pv.decl.symbol, pv)
    }

    fn read_with(&mut self, symbol: &'static str, pv: &PvRef) -> Lowered<Loaded> {
        let list = self.arguments(&pv.args, 0)?;
        let (tag, data) = self.call_shim(symbol, list)?;
        self.release(list);
        Ok(self.read_value(tag, data))
    }

    /// Reads the hidden integer of a variable.
    pub(super) fn read_hidden(&mut self, pv: &PvRef) -> Lowered<Loaded> {
        let symbol = pv
            .decl
            .read_int
            .map_or(pv.decl.symbol, |(symbol, _)| symbol);
        let value = self.read_with(symbol, pv)?;
        Ok(Loaded::Int(self.as_int(value)?))
    }

    /// Applies a transformation.
    pub(super) fn transform(
        &mut self,
        decl: &'static TransformationDecl,
        input: &Expr,
        args: &[Arg],
    ) -> Lowered<Loaded> {
        let value = self.for_builtin(input)?;
        let (tag, data) = self.words(value);
        let (apply, done) = (self.builder.create_block(), self.join(2));
        let defined = self.is_defined(value);
        if decl.takes_null {
            self.jump(apply, &[]);
        } else {
            let failed = self.int(tag::FAIL as i64);
            let words = [failed.into(), data.into()];
            self.builder.ins().brif(defined, apply, &[], done, &words);
        }
        self.start(apply);
        let list = self.reserve(1 + args.len());
        match decl.input {
            ArgKind::Any => self.put_value(list, value, tag, defined),
            _ => self.put_input(list, value, tag, defined)?,
        }
        for (n, arg) in args.iter().enumerate() {
            self.argument(list + 1 + n as u32, arg)?;
        }
        let (tag, data) = self.call_shim(decl.symbol, list)?;
        self.release(list);
        let value = self.read_value(tag, data);
        let (tag, data) = self.words(value);
        self.jump(done, &[tag, data]);
        self.start(done);
        let params = self.builder.block_params(done);
        Ok(Loaded::Any(params[0], params[1]))
    }

    /// The input of a transformation that takes any value; a failed one is null.
    fn put_value(&mut self, list: u32, value: Loaded, tag: Value, defined: Value) {
        let (_, data) = self.words(value);
        let null = self.int(tag::NULL as i64);
        let tag = self.builder.ins().select(defined, tag, null);
        self.put_words(list, tag, data);
    }

    /// The input of a transformation: text, or null.
    fn put_input(&mut self, list: u32, value: Loaded, tag: Value, defined: Value) -> Lowered<()> {
        if matches!(value, Loaded::Str(..)) {
            self.put(list, value);
            return Ok(());
        }
        let (some, none, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.join(2),
        );
        self.builder.ins().brif(defined, some, &[], none, &[]);
        self.start(none);
        let null = self.int(tag::NULL as i64);
        self.jump(done, &[null, tag]);
        self.start(some);
        let text = self.as_text(value)?;
        let (tag, data) = self.words(text);
        self.jump(done, &[tag, data]);
        self.start(done);
        let words = [0, 1].map(|n| self.builder.block_params(done)[n]);
        self.put_words(list, words[0], words[1]);
        Ok(())
    }

    /// Evaluates the value and assigns it; gives the code: 1, or -1 where the value is given up or
    /// refused.
    pub(super) fn assign(&mut self, assign: &Assign) -> Lowered<Value> {
        self.settled(-1, |this| this.evaluate_and_assign(assign))
    }

    fn evaluate_and_assign(&mut self, assign: &Assign) -> Lowered<Value> {
        match &assign.target {
            Target::Var(slot) => {
                let value = self.expression(&assign.value)?;
                self.write_slot(*slot, value)?;
                Ok(self.int(1))
            }
            Target::Pv(pv) => {
                let value = self.for_builtin(&assign.value)?;
                let list = self.arguments(&pv.args, 1)?;
                self.put(list + pv.args.len() as u32, value);
                let Some((symbol, _)) = pv.decl.write else {
                    return Ok(self.int(-1));
                };
                let (status, code) = self.call_shim(symbol, list)?;
                self.check(status, code);
                self.release(list);
                Ok(code)
            }
        }
    }

    /// A call as part of an expression: `$rc` is 0 while it runs.
    pub(super) fn call_as_operand(&mut self, call: &Call) -> Lowered<Value> {
        let sets = matches!(call.callee, Callee::Function(_)) && !needs_code(&call.args);
        if !sets {
            self.forget_code();
        }
        self.call(call)
    }

    /// What is run as part of an expression starts with 0 as `$rc`.
    pub(super) fn forget_code(&mut self) {
        let zero = self.int(0);
        self.set_head(offset_of!(Head, rc), zero);
    }

    /// Calls and gives the code; it is a failure where an argument is given up.
    pub(super) fn call(&mut self, call: &Call) -> Lowered<Value> {
        let failed = match call.callee {
            Callee::RouteNamed(_) => NAME_FAILED,
            _ => ARGUMENT_FAILED,
        };
        self.settled(failed, |this| this.evaluate_and_call(call))
    }

    fn evaluate_and_call(&mut self, call: &Call) -> Lowered<Value> {
        let code = match &call.callee {
            Callee::Core(decl) => return self.call_builtin(decl, &call.args),
            Callee::Function(decl) => self.call_builtin(decl, &call.args)?,
            Callee::Route(n) => {
                self.before_route();
                let id = self.unit.routes[*n as usize];
                let words = self.call_function(id, &[self.run]);
                self.check(words[0], words[1]);
                words[1]
            }
            Callee::RouteNamed(name) => return self.call_named(name),
        };
        self.set_head(offset_of!(Head, rc), code);
        Ok(code)
    }

    /// Notes place and depth.
    fn before_route(&mut self) {
        self.note_place();
        let own = self
            .builder
            .ins()
            .iconst(types::I32, i64::from(self.nesting) + 1);
        let depth = self.builder.ins().iadd(self.depth, own);
        self.set_head_u32(offset_of!(Head, depth), depth);
    }

    /// `route(expr)`.
    fn call_named(&mut self, name: &Expr) -> Lowered<Value> {
        let (tag, data) = self.text(name)?;
        self.before_route();
        let route = self.call_intrinsic("route_index", &[tag, data])?[0];
        let missing = self.is(IntCC::SignedLessThan, route, 0);
        let (found, done) = (self.builder.create_block(), self.join(1));
        let code = self.int(-10);
        self.builder
            .ins()
            .brif(missing, done, &[code.into()], found, &[]);
        self.start(found);
        let words = self.call_intrinsic("call_route", &[route])?;
        self.check(words[0], words[1]);
        self.set_head(offset_of!(Head, rc), words[1]);
        self.jump(done, &[words[1]]);
        self.start(done);
        Ok(self.builder.block_params(done)[0])
    }

    fn call_builtin(&mut self, decl: &'static FunctionDecl, args: &[Arg]) -> Lowered<Value> {
        if let Some(code) = self.inline(decl, args) {
            return Ok(code);
        }
        let list = self.reserve(args.len());
        let mut rest = args.iter().enumerate();
        let mut skipped = None;
        if let Some(guard) = &decl.guard {
            if args.len() > 1
                && let Some((n, first)) = rest.next()
            {
                self.argument(list + n as u32, first)?;
            }
            let (status, value) = self.call_shim(guard.symbol, list)?;
            self.check(status, value);
            let (go_on, done) = (self.builder.create_block(), self.join(1));
            let one = self.int(1);
            self.builder
                .ins()
                .brif(value, go_on, &[], done, &[one.into()]);
            self.start(go_on);
            skipped = Some(done);
        }
        for (n, arg) in rest {
            self.argument(list + n as u32, arg)?;
        }
        let (status, code) = self.call_shim(decl.symbol, list)?;
        self.release(list);
        self.check(status, code);
        let Some(done) = skipped else {
            return Ok(code);
        };
        self.jump(done, &[code]);
        self.start(done);
        Ok(self.builder.block_params(done)[0])
    }
}

/// Whether an argument reads `$rc`, or may be given up, which leaves it as it is.
fn needs_code(args: &[Arg]) -> bool {
    fn needs(expr: &Expr) -> bool {
        let mut found = !matches!(
            expr,
            Expr::Int(_) | Expr::Str(_) | Expr::Null | Expr::Var(_) | Expr::Pv(_) | Expr::PvInt(_)
        );
        expr.each_child(&mut |child| found = found || needs(child));
        found
    }
    args.iter().any(|arg| match arg {
        Arg::Value(expr) | Arg::RouteNumber(_, expr) => needs(expr),
        Arg::Place(Target::Pv(pv)) => needs_code(&pv.args),
        Arg::Place(Target::Var(_)) | Arg::Absent | Arg::Constant(_) | Arg::All => false,
    })
}

const _: () = assert!(size_of::<Val>() == 16);
