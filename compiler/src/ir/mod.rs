//! The typed program between the checker and the code generator.
//!
//! Names are resolved, constants folded, and every conversion is a node of its own: what an
//! expression gives is decided here and not by whoever runs it. The code generator and any
//! interpreter read the same tree.
//!
//! **Invariant:** an expression of type [`Type::Int`] or [`Type::Str`] has such a value whenever it
//! has one; it has none only where evaluation is given up (division by zero, a bad pattern, out of
//! memory), which ends the evaluation of the whole expression of the statement.

mod display;
mod walk;

use std::rc::Rc;

use kcc_runtime::declare::{FunctionDecl, PvDecl, Routes, TransformationDecl};
use kcc_runtime::program::Manifest;
use kcc_runtime::value::IntRule;

use crate::release::Release;

/// A configuration ready for the code generator.
#[derive(Debug, Default)]
pub struct Program {
    /// All but the code.
    pub manifest: Manifest,
    /// The code of each of the manifest's routes, in their order.
    pub routes: Vec<Route>,
    /// `max_while_loops`; 0 is no limit.
    pub max_while_loops: u32,
    /// What differs between versions.
    pub compat: Compat,
    /// Something was only accepted as unsupported: there is no code for it.
    pub incomplete: bool,
}

/// Rules that differ between Kamailio's versions, and those that `return_mode` chooses. The default
/// is the newest, and `return_mode` 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compat {
    /// `while` goes on for negative values (before 5.7).
    pub while_negative: bool,
    /// `return 0` ends the script (since 5.4.8, 5.5.4, 5.6.0).
    pub return_zero_exits: bool,
    /// Integers are cut to 32 bits (before 5.7).
    pub narrow: bool,
    /// How a string becomes an integer.
    pub int_rule: IntRule,
    /// `if` and `while` hold for all values but 0 (`return_mode` other than 0).
    pub negative_holds: bool,
    /// As an integer operand, a call is its code and not 0 or 1 (`return_mode` 1). Resolving sees
    /// to it.
    pub raw_codes: bool,
    /// A call may be an argument of a call (before 5.2.7 and 5.3.3). Resolving sees to it.
    pub calls_in_arguments: bool,
    /// `route()` may be called in `onsend_route` (since 6.1). Resolving sees to it.
    pub routes_in_onsend: bool,
}

impl From<Release> for Compat {
    fn from(release: Release) -> Compat {
        let old = release <= Release::V5_6;
        let oldest = release <= Release::V4_2;
        Compat {
            while_negative: old,
            return_zero_exits: !oldest,
            narrow: old,
            int_rule: match release {
                Release::V4_2 => IntRule::Wrapping,
                Release::V5_6 => IntRule::Narrow,
                Release::V6_1 => IntRule::Wide,
            },
            negative_holds: false,
            raw_codes: false,
            calls_in_arguments: oldest,
            routes_in_onsend: !old,
        }
    }
}

impl Default for Compat {
    fn default() -> Compat {
        Release::default().into()
    }
}

/// A route block.
#[derive(Debug)]
pub struct Route {
    /// What debuggers call it: `route[RELAY]`.
    pub name: String,
    /// Its kind.
    pub kind: Routes,
    /// Index into the manifest's places.
    pub place: u32,
    /// The statements.
    pub body: Block,
}

/// A list of statements. Its code is that of the last one, 1 where there is none.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The statements.
    pub stmts: Vec<Stmt>,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// Index into the manifest's places.
    pub place: u32,
}

/// The kinds of statement.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// Does nothing; code 1.
    Nothing,
    /// A call; its code is the statement's. Where an argument is given up that is -5, and where the
    /// name of a route is, -1.
    Call(Call),
    /// An assignment; code 1, or -1 where it failed.
    Assign(Assign),
    /// `if`: a condition holds where it is > 0, or not 0 ([`Compat::negative_holds`]). Code of the body, 1 where none ran.
    If {
        /// Conditions in the order they are tried.
        arms: Vec<Arm>,
        /// Runs where none holds.
        otherwise: Block,
    },
    /// `while`; given up ends the loop. Code of the last statement of the last round, 1 without
    /// any, -1 where the limit was passed.
    While {
        /// An integer.
        condition: Expr,
        /// A round.
        body: Block,
    },
    /// `switch`. Code of the last statement, without any 1, or -1 where the selector is given up.
    Switch(Switch),
    /// `return`: given up returns -5.
    Return(Expr),
    /// `exit`
    Exit(Expr),
    /// `drop`
    Drop(Expr),
    /// `break`: leaves the innermost loop or switch, outside of them the route with code 0.
    Break,
}

/// A condition of an `if` and its body.
#[derive(Clone, Debug)]
pub struct Arm {
    /// An integer; given up counts as not holding.
    pub condition: Expr,
    /// Runs where it holds.
    pub body: Block,
    /// Index into the manifest's places.
    pub place: u32,
}

/// A `switch`.
#[derive(Clone, Debug)]
pub struct Switch {
    /// An integer where there are integer labels, else a string. Given up goes to the default.
    pub selector: Expr,
    /// Labels and statements in order; control falls through.
    pub cases: Vec<Case>,
}

/// One label of a `switch` and the statements up to the next.
#[derive(Clone, Debug)]
pub struct Case {
    /// The label.
    pub label: Label,
    /// The statements.
    pub body: Block,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// `default`
    Default,
    /// An integer.
    Int(i64),
    /// A string, compared byte by byte.
    Str(Rc<[u8]>),
    /// A pattern: index of a constant of kind `regex-case`.
    Pattern(u32),
}

/// An assignment. Where the value is given up or refused, the target keeps its own.
#[derive(Clone, Debug)]
pub struct Assign {
    /// The target.
    pub target: Target,
    /// The value, of any type.
    pub value: Expr,
}

/// What can be assigned.
#[derive(Clone, Debug)]
pub enum Target {
    /// A slot of `$var` or `$vn`.
    Var(u32),
    /// A variable with a writer.
    Pv(PvRef),
}

/// A variable with its inner name and index.
#[derive(Clone, Debug)]
pub struct PvRef {
    /// Its declaration.
    pub decl: &'static PvDecl,
    /// Inner name and index, where declared.
    pub args: Vec<Arg>,
}

/// What a value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// An integer.
    Int,
    /// A string.
    Str,
    /// Null, an integer or a string.
    Any,
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// An integer.
    Int(i64),
    /// A string.
    Str(Rc<[u8]>),
    /// Null: any.
    Null,
    /// A slot of `$var` or `$vn`: any.
    Var(u32),
    /// `$rc`: an integer.
    ReturnCode,
    /// A variable: any. A failed reading counts as null.
    Pv(PvRef),
    /// The hidden integer of a variable that has one: an integer.
    PvInt(PvRef),
    /// A transformation of a value: any. Null in gives a failed value, which counts as null, where the
    /// transformation does not take it.
    Transform {
        /// The transformation.
        decl: &'static TransformationDecl,
        /// What is transformed: any.
        input: Box<Expr>,
        /// The parameters.
        args: Vec<Arg>,
    },
    /// A format: its pieces one after the other, a string. Null is `<null>`, a failed value nothing.
    Format(Vec<Expr>),
    /// A value as an integer.
    ToInt(Box<Expr>),
    /// A value as a string.
    ToStr(Box<Expr>),
    /// An integer as its decimal text, another value as it is.
    Worded(Box<Expr>),
    /// Arithmetic on two integers.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `~` of an integer.
    BitNot(Box<Expr>),
    /// Comparison of two integers: 0 or 1.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// Whether an integer is 0: 0 or 1.
    Not(Box<Expr>),
    /// Both integers are not 0; the right one is evaluated only where the left one is not 0.
    And(Box<Expr>, Box<Expr>),
    /// One of the integers is not 0; the right one is evaluated only where the left one is 0.
    Or(Box<Expr>, Box<Expr>),
    /// Strings one after the other: a string.
    Concat(Vec<Expr>),
    /// `+` whose left side decides at run time: an integer adds integers, all else
    /// concatenates.
    Add {
        /// The leftmost operand: any.
        first: Box<Expr>,
        /// The others.
        rest: Vec<Operand>,
    },
    /// Whether two strings have the same bytes.
    SameText(Box<Expr>, Box<Expr>),
    /// Whether two strings are equal but for the case of letters.
    SameWord(Box<Expr>, Box<Expr>),
    /// `==` whose left side decides at run time: 0 or 1.
    Equal(Box<Expr>, Box<Operand>),
    /// Whether a string matches a pattern: index of a constant of kind `regex-icase`.
    Matches(Box<Expr>, u32),
    /// Whether a string matches a pattern given as a string; given up where that is none.
    MatchesText(Box<Expr>, Box<Expr>),
    /// Whether an address given as text lies in a network: index of a constant of kind `network`.
    InNetwork(Box<Expr>, u32),
    /// Whether an address given as text is the address or lies in the network that is given as text:
    /// 0 or 1.
    Within(Box<Expr>, Box<Expr>),
    /// Whether a URI or an address, given as text, is this server's: 0 or 1.
    IsOwn(Own, Box<Expr>),
    /// Whether a value is not null: 0 or 1.
    Defined(Box<Expr>),
    /// Length of a string in bytes.
    Length(Box<Expr>),
    /// The second where the first, an integer, is > 0, else the third.
    Choose(Box<[Expr; 3]>),
    /// The second where the first is null, else the first.
    Else(Box<Expr>, Box<Expr>),
    /// The code of a call.
    Call(Box<Call>),
    /// The code of a block; `return` in it gives it.
    Block(Box<Block>),
    /// An assignment: 1, or 0 where it is refused.
    Assign(Box<Assign>),
    /// 1 where an integer is > 0, else 0.
    Truth(Box<Expr>),
    /// Gives up.
    GiveUp,
}

/// What is compared with `myself`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The host of a URI.
    Uri,
    /// An address.
    Address,
}

/// An operand whose context is known at run time only.
#[derive(Clone, Debug)]
pub enum Operand {
    /// Evaluated once, then converted.
    Value(Expr),
    /// Evaluated differently where an integer is wanted.
    ByContext {
        /// Where an integer is wanted: an integer.
        int: Expr,
        /// Elsewhere: any type.
        value: Expr,
    },
}

/// Arithmetic operators. Integers wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`: truncates toward zero; by zero is given up; the smallest integer by -1 is itself.
    Divide,
    /// `mod`: the sign of the dividend; by zero is given up; by -1 is 0.
    Modulo,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `<<`: the count modulo the width.
    ShiftLeft,
    /// `>>`: arithmetic; the count modulo the width.
    ShiftRight,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    LessEqual,
    /// `>=`
    GreaterEqual,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called.
    pub callee: Callee,
    /// Arguments of a function, one for each of its declaration.
    pub args: Vec<Arg>,
}

/// What is called.
#[derive(Clone, Debug)]
pub enum Callee {
    /// A function of a module: sets `$rc`.
    Function(&'static FunctionDecl),
    /// A core statement: leaves `$rc`.
    Core(&'static FunctionDecl),
    /// A route block, by number: sets `$rc`.
    Route(u32),
    /// A route block, by name, a string; code -10 where there is none.
    RouteNamed(Expr),
}

/// An argument of a builtin.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Left out.
    Absent,
    /// A value.
    Value(Expr),
    /// A parsed constant, by index.
    Constant(u32),
    /// A variable to read or assign.
    Place(Target),
    /// `[*]`
    All,
    /// The number of the block of this kind that has a name, a string; `u32::MAX` where there is none.
    RouteNumber(Routes, Expr),
}

impl Expr {
    /// What its value can be.
    pub fn ty(&self) -> Type {
        use Expr::*;
        match self {
            Int(_) | ReturnCode | PvInt(_) | ToInt(_) | Arithmetic(..) | BitNot(_)
            | Compare(..) | Not(_) | And(..) | Or(..) | SameText(..) | SameWord(..) | Equal(..)
            | Matches(..) | MatchesText(..) | InNetwork(..) | Within(..) | IsOwn(..)
            | Defined(_) | Length(_) | Call(_) | Block(_) | Assign(_) | Truth(_) => Type::Int,
            Str(_) | Format(_) | ToStr(_) | Concat(_) => Type::Str,
            Null | Var(_) | Pv(_) | Transform { .. } | Add { .. } | Worded(_) | GiveUp => Type::Any,
            Choose(parts) => join(parts[1].ty(), parts[2].ty()),
            Else(first, second) => join(first.ty(), second.ty()),
        }
    }

    /// A string constant.
    pub fn text(bytes: impl Into<Rc<[u8]>>) -> Expr {
        Expr::Str(bytes.into())
    }
}

fn join(a: Type, b: Type) -> Type {
    if a == b { a } else { Type::Any }
}
