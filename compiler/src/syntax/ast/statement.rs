//! Statements and blocks (language reference §3.3).

use super::{Attribute, Call, Expr, Span, Variable};

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Its place, with the closing `;`.
    pub span: Span,
    /// Levels of expressions and statements below and including this one.
    pub depth: u16,
}

/// The kinds of statements.
#[derive(Debug)]
pub enum StmtKind {
    /// `;`
    Empty,
    /// A call whose code becomes the statement's.
    Call(Call),
    /// `lval = expr;`
    Assign(Assign),
    /// `if … else if … else …`
    If(If),
    /// `while expr stm`
    While(While),
    /// `switch expr { … }`
    Switch(Switch),
    /// `drop`, `exit`, `return`, `break`
    Leave(Leave),
    /// Text that was not understood; reported.
    Error,
}

/// A list of statements: a body in braces, or the single statement after a condition.
#[derive(Debug)]
pub struct Block {
    /// The statements. Empty only where an error was reported.
    pub stmts: Vec<Stmt>,
    /// Its place, with the braces.
    pub span: Span,
}

/// An assignment.
#[derive(Debug)]
pub struct Assign {
    /// What is written to.
    pub target: Lvalue,
    /// Place of the `=`.
    pub op_span: Span,
    /// What is written.
    pub value: Expr,
}

/// What can stand left of `=`.
#[derive(Debug)]
pub enum Lvalue {
    /// A pseudo-variable, or an old-style attribute that looks like one.
    Variable(Box<Variable>),
    /// An old-style attribute.
    Attribute(Box<Attribute>),
}

impl Lvalue {
    /// Place of the target.
    pub fn span(&self) -> Span {
        match self {
            Lvalue::Variable(variable) => variable.span,
            Lvalue::Attribute(attribute) => attribute.span,
        }
    }
}

/// A conditional. Kamailio sees each arm after the first as an `if` in the `else` of the one before.
#[derive(Debug)]
pub struct If {
    /// The conditions with their bodies, in the order they are tried; at least one.
    pub arms: Vec<Arm>,
    /// The last `else`.
    pub otherwise: Option<Block>,
}

/// One condition of an `if` and its body.
#[derive(Debug)]
pub struct Arm {
    /// The condition.
    pub condition: Expr,
    /// What runs when it holds.
    pub body: Block,
    /// From the `if` to the end of the body.
    pub span: Span,
}

/// A loop.
#[derive(Debug)]
pub struct While {
    /// The condition.
    pub condition: Expr,
    /// The body.
    pub body: Block,
}

/// A `switch`.
#[derive(Debug)]
pub struct Switch {
    /// What is compared.
    pub selector: Expr,
    /// The cases in order; may be empty.
    pub cases: Vec<Case>,
}

/// One `case` or `default`.
#[derive(Debug)]
pub struct Case {
    /// The label.
    pub label: CaseLabel,
    /// Statements up to the next label; may be empty. Control falls through at the end.
    pub stmts: Vec<Stmt>,
    /// The whole case.
    pub span: Span,
}

/// Label of a case.
#[derive(Debug)]
pub enum CaseLabel {
    /// `case expr:`
    Value(Expr),
    /// `case /expr:`, a regular expression
    Pattern(Expr),
    /// `default:`
    Default,
}

/// A statement that leaves a block.
#[derive(Debug)]
pub struct Leave {
    /// Which.
    pub kind: LeaveKind,
    /// The value given, if any; none for `return`, `return()`. Never for `break`.
    pub value: Option<Expr>,
}

/// Statements that leave a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveKind {
    /// `drop`
    Drop,
    /// `exit`
    Exit,
    /// `return`
    Return,
    /// `break`
    Break,
}
