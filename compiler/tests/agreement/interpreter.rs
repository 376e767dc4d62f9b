//! What a program means: statements and calls, one after the other, straight from the language
//! reference. Small, slow, and with nothing of how compiled code does it.

use kcc::ir::{Block, Call, Callee, Label, Program, Stmt, StmtKind, Switch};
use kcc_runtime::abi::status;
use kcc_runtime::declare::Parse as _;
use kcc_runtime::declare::Routes;
use kcc_runtime::intrinsics::{Case, Icase};

use crate::outcome::{self, AVPS, Message, Outcome};
use crate::values::Value;

/// Why what comes next does not run.
pub enum Leave {
    /// The expression is given up; the statement goes on without its value.
    GivenUp,
    /// `break`.
    Break,
    /// `return`: the code.
    Return(i64),
    /// The script is over: status and value.
    Script(u64, i64),
    /// The program takes too long to be of use here.
    TooLong,
}

/// What the evaluation of something gives.
pub type Step<T> = Result<T, Leave>;

/// What `return` gives when its value is given up.
const RETURN_FAILED: i64 = -5;

/// The code of a function that is not called because an argument is given up.
const ARGUMENT_FAILED: i64 = -5;

/// Statements and expressions that a program may run.
const PATIENCE: usize = 20_000;

/// A program on its way.
pub struct Interpreter<'p> {
    /// The program.
    pub program: &'p Program,
    /// Slots of `$var` and `$vn`; they outlive a message.
    pub vars: Vec<Value>,
    /// `$rc`.
    pub rc: i64,
    /// What belongs to the message.
    pub message: Message,
    /// The calls of functions of modules.
    pub calls: Vec<String>,
    /// Lines of level error in the log.
    pub errors: usize,
    /// Lists of statements that were entered and not left.
    depth: i64,
    /// `max_recursive_level`
    max_depth: i64,
    left: usize,
}

impl<'p> Interpreter<'p> {
    /// A program before its first message.
    pub fn new(program: &'p Program, max_depth: i64) -> Self {
        let vars = program.manifest.vars.iter();
        let begin = |null: bool| if null { Value::Null } else { Value::Int(0) };
        Interpreter {
            program,
            vars: vars.map(|var| begin(var.null)).collect(),
            rc: 0,
            message: Message::default(),
            calls: Vec::new(),
            errors: 0,
            depth: 0,
            max_depth,
            left: PATIENCE,
        }
    }

    /// Runs `request_route` for another message; none where it takes too long.
    pub fn run(&mut self) -> Option<Outcome> {
        let main = self.program.manifest.routes.iter().position(|r| r.main)?;
        self.rc = 0;
        self.message = Message::default();
        self.depth = 0;
        self.errors = 0;
        let (status, value) = match self.route(main) {
            Ok(code) => (status::OK, code),
            Err(Leave::Script(status, value)) => (status, value),
            Err(Leave::TooLong) => return None,
            Err(_) => unreachable!("a route catches all but the end of the script"),
        };
        Some(Outcome {
            status,
            value,
            rc: outcome::rc(status, self.rc),
            vars: self.vars.clone(),
            avps: AVPS.map(|name| self.message.values(name)).to_vec(),
            flags: self.message.flags,
            user: self.message.user.clone(),
            calls: std::mem::take(&mut self.calls),
            errors: self.errors,
        })
    }

    /// Counts a step of a size.
    pub fn takes(&mut self, size: usize) -> Step<()> {
        self.left = self.left.checked_sub(size + 1).ok_or(Leave::TooLong)?;
        Ok(())
    }

    /// Logs an error.
    pub fn error(&mut self) {
        self.errors += 1;
    }

    /// Runs a route block and gives its code.
    fn route(&mut self, n: usize) -> Step<i64> {
        if self.depth >= self.max_depth {
            self.error();
            return Ok(-1);
        }
        match self.nested(&self.program.routes[n].body) {
            Ok(code) | Err(Leave::Return(code)) => Ok(code),
            Err(Leave::Break) => Ok(0),
            Err(other) => Err(other),
        }
    }

    /// Runs a list of statements, one level deeper.
    fn nested(&mut self, block: &Block) -> Step<i64> {
        self.depth += 1;
        let code = self.block(block);
        self.depth -= 1;
        code
    }

    /// The code of a list of statements is that of the last.
    fn block(&mut self, block: &Block) -> Step<i64> {
        let mut code = 1;
        for stmt in &block.stmts {
            code = self.statement(stmt)?;
        }
        Ok(code)
    }

    /// The value of a block as an operand.
    pub fn block_as_operand(&mut self, block: &Block) -> Step<i64> {
        self.rc = 0;
        match self.nested(block) {
            Ok(code) | Err(Leave::Return(code)) => Ok(code),
            Err(Leave::Break) => Ok(0),
            Err(other) => Err(other),
        }
    }

    /// Runs a statement and gives its code.
    fn statement(&mut self, stmt: &Stmt) -> Step<i64> {
        self.takes(0)?;
        match &stmt.kind {
            StmtKind::Nothing => Ok(1),
            StmtKind::Call(call) => self.call(call),
            StmtKind::Assign(assign) => self.assign(assign),
            StmtKind::If { arms, otherwise } => {
                for arm in arms {
                    let negative = self.program.compat.negative_holds;
                    let holds = |n: i64| n > 0 || negative && n != 0;
                    if self.condition(&arm.condition)?.is_some_and(holds) {
                        return self.nested(&arm.body);
                    }
                }
                self.nested(otherwise)
            }
            StmtKind::While { condition, body } => {
                let limit = self.program.max_while_loops;
                let (mut rounds, mut code) = (0, 1);
                let compat = self.program.compat;
                let negative = compat.while_negative || compat.negative_holds;
                let holds = |n: i64| n > 0 || negative && n != 0;
                loop {
                    if !self.condition(condition)?.is_some_and(holds) {
                        return Ok(code);
                    }
                    if limit > 0 && rounds == limit {
                        self.error();
                        return Ok(-1);
                    }
                    rounds += 1;
                    code = match self.nested(body) {
                        Err(Leave::Break) => return Ok(0),
                        code => code?,
                    };
                }
            }
            StmtKind::Switch(switch) => self.switch(switch),
            StmtKind::Return(value) => match self.leaving(value)? {
                0 if self.program.compat.return_zero_exits => Err(Leave::Script(status::EXIT, 0)),
                code => Err(Leave::Return(code)),
            },
            StmtKind::Exit(value) => {
                let code = self.leaving(value)?;
                self.rc = code;
                Err(Leave::Script(status::EXIT, code))
            }
            StmtKind::Drop(value) => {
                let code = self.leaving(value)?;
                Err(Leave::Script(status::DROP, code))
            }
            StmtKind::Break => Err(Leave::Break),
        }
    }

    /// The value of `return`, `exit`, `drop`.
    fn leaving(&mut self, value: &kcc::ir::Expr) -> Step<i64> {
        Ok(self.condition(value)?.unwrap_or(RETURN_FAILED))
    }

    /// An integer; none where it is given up.
    fn condition(&mut self, expr: &kcc::ir::Expr) -> Step<Option<i64>> {
        match self.int(expr) {
            Err(Leave::GivenUp) => Ok(None),
            n => n.map(Some),
        }
    }

    fn switch(&mut self, switch: &Switch) -> Step<i64> {
        let cases = &switch.cases;
        let selector = match self.value(&switch.selector) {
            Err(Leave::GivenUp) => None,
            value => Some(value?),
        };
        let holds = |label: &Label| match (label, &selector) {
            (Label::Default, _) | (_, None) => false,
            (Label::Int(n), Some(value)) => *n == value.int(self.program.compat),
            (Label::Str(text), Some(value)) => text[..] == value.text(),
            (Label::Pattern(n), Some(value)) => {
                let pattern = Case::parse(self.constant(*n)).expect("it was checked");
                pattern.0.is_match(&value.text())
            }
        };
        let default = |label: &Label| *label == Label::Default;
        let found = cases.iter().position(|case| holds(&case.label));
        let found = found.or(cases.iter().position(|case| default(&case.label)));
        let mut code = if selector.is_some() { 1 } else { -1 };
        for case in found.map_or(&[][..], |first| &cases[first..]) {
            if case.body.stmts.is_empty() {
                continue;
            }
            code = match self.nested(&case.body) {
                Err(Leave::Break) => return Ok(0),
                code => code?,
            };
        }
        Ok(code)
    }

    /// Makes a call and gives its code, which is a failure where an argument is given up.
    pub fn call(&mut self, call: &Call) -> Step<i64> {
        let code = match &call.callee {
            Callee::Core(decl) => return self.function(decl, &call.args),
            Callee::Function(decl) => match self.function(decl, &call.args) {
                Err(Leave::GivenUp) => return Ok(ARGUMENT_FAILED),
                code => code?,
            },
            Callee::Route(n) => self.route(*n as usize)?,
            Callee::RouteNamed(name) => {
                let name = match self.text(name) {
                    Err(Leave::GivenUp) => return Ok(-1),
                    name => name?,
                };
                let routes = &self.program.manifest.routes;
                let found = routes.iter().position(|route| {
                    !route.main && route.kind == Routes::REQUEST.0 && route.name.as_bytes() == name
                });
                match found {
                    Some(n) => self.route(n)?,
                    None => {
                        self.error();
                        return Ok(-10);
                    }
                }
            }
        };
        self.rc = code;
        Ok(code)
    }

    /// The text of a constant.
    pub fn constant(&self, n: u32) -> &'p [u8] {
        &self.program.manifest.constants[n as usize].text
    }

    /// Whether text matches a pattern, whatever the case of letters; none where it is no pattern.
    pub fn matches(&self, text: &[u8], pattern: &[u8]) -> Option<bool> {
        Some(Icase::parse(pattern).ok()?.0.is_match(text))
    }
}
