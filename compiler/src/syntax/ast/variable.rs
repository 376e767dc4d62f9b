//! `$variables`, old-style attributes and selects (language reference §1.6, §3.6; semantics §6.1).

use super::{Name, Span};

/// A pseudo-variable, as a token in code or inside a format string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name without `$`: `var`, `rU`, `ruri.user`, `?`.
    pub name: Name,
    /// The text in parentheses after the name: `x` of `$var(x)`.
    pub inner: Option<Inner>,
    /// The index of `$(name[index])`.
    pub index: Option<Index>,
    /// The transformations, leftmost applied first.
    pub transformations: Vec<Transformation>,
    /// How it was written.
    pub form: VariableForm,
    /// From the `$` to the end.
    pub span: Span,
}

/// How a variable was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableForm {
    /// `$name`. In code and in the default mode, a name that no variable has is an old-style
    /// attribute; with `strict` (after `#!KAMAILIO`) it is an error.
    Bare {
        /// Read after `#!KAMAILIO`.
        strict: bool,
    },
    /// `$name(inner)`.
    Inner,
    /// `$(name…)`.
    Enclosed,
}

/// The text in parentheses after a variable's name. Each variable has its own grammar for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner {
    /// The text between the parentheses, blanks included.
    pub text: Box<[u8]>,
    /// Set when the whole text is one well-formed variable. It counts only for variables that take
    /// a computed name (`$avp`, `$hdr`, …); for `$var` the text is the name.
    pub variable: Option<Box<Variable>>,
    /// Place of the text.
    pub span: Span,
    /// True when byte n of `text` stands at byte n of `span`.
    pub exact: bool,
}

/// The index of `$(name[index])`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its value.
    pub kind: IndexKind,
    /// Place of the text between the brackets.
    pub span: Span,
}

/// Value of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// A literal.
    Number(i32),
    /// `*`: all values.
    All,
    /// A variable, which must have an int value.
    Variable(Box<Variable>),
}

/// One `{class.operation,parameters}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transformation {
    /// Case-sensitive.
    pub class: Name,
    /// Case-insensitive; kept as written.
    pub operation: Name,
    /// The parameters.
    pub parameters: Vec<TransformationParameter>,
    /// From `{` to `}`.
    pub span: Span,
}

/// A parameter of a transformation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformationParameter {
    /// Its value.
    pub value: TransformationValue,
    /// Place of the text after the comma.
    pub span: Span,
}

/// Value of a transformation's parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransformationValue {
    /// Literal text exactly as it stands after the comma: blanks kept, escapes not resolved. Each
    /// operation trims as it needs.
    Text(Box<[u8]>),
    /// A variable, evaluated each time.
    Variable(Box<Variable>),
}

/// An old-style attribute: `$name`, `$f.name`, `%name`, `$name[1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The list it is in, if named: `f t fr tr fu tu fd td g`.
    pub class: Option<Name>,
    /// The attribute's name.
    pub name: Name,
    /// What stood in brackets.
    pub index: Option<AttributeIndex>,
    /// From the mark to the end.
    pub span: Span,
}

/// The brackets after an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeIndex {
    /// `[]`.
    All,
    /// `[n]`: 1 is the oldest value, -1 the newest.
    Number(i32),
}

/// `@name.name[1].name["key"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// The path, at least one part.
    pub parts: Vec<SelectPart>,
    /// From the `@` to the end.
    pub span: Span,
}

/// One step of a select's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectPart {
    /// The name.
    pub name: Name,
    /// What stood in brackets.
    pub index: Option<SelectIndex>,
}

/// The brackets of a select's step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectIndex {
    /// `[n]`: occurrence, 1-based, negative from the end.
    Number(i32),
    /// `["key"]`.
    Key(Box<[u8]>),
}
