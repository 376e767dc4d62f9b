//! Variables, their inner names, indices and transformations; attributes, selects and formats.

use kcc_runtime::declare::{ArgDecl, ArgKind, PvDecl};

use super::names::{Missing, suggest};
use super::node::NodeKind;
use super::{Resolver, context};
use crate::diagnostic::Diagnostic;
use crate::ir::{Arg, Expr, PvRef, Target};
use crate::source::Span;
use crate::syntax::ast::{
    IndexKind, Inner, Lvalue, Transformation, TransformationValue, Variable, VariableForm,
};
use crate::syntax::format::{Piece, parse_format};
use crate::syntax::literal::Locator;
use crate::syntax::pvar::parse_variable;

/// What a variable is before its transformations.
enum Base {
    Null,
    Code,
    Slot(u32),
    Pv(PvRef),
}

impl Resolver<'_> {
    /// A variable in an expression.
    pub(super) fn variable_node(&mut self, variable: &Variable) -> NodeKind {
        let Some(base) = self.base(variable) else {
            return NodeKind::Error;
        };
        if variable.transformations.is_empty() {
            return match base {
                Base::Null => NodeKind::Null,
                Base::Code => NodeKind::Read(Expr::ReturnCode, None),
                Base::Slot(slot) => NodeKind::Read(Expr::Var(slot), None),
                Base::Pv(pv) => {
                    let hidden = pv.decl.read_int.map(|_| Expr::PvInt(pv.clone()));
                    NodeKind::Read(Expr::Pv(pv), hidden)
                }
            };
        }
        match self.transformed(base, &variable.transformations) {
            Some(expr) => NodeKind::Read(expr, None),
            None => NodeKind::Error,
        }
    }

    /// A variable as a value.
    pub(super) fn variable_value(&mut self, variable: &Variable) -> Option<Expr> {
        match self.variable_node(variable) {
            NodeKind::Null => Some(Expr::Null),
            NodeKind::Read(expr, _) => Some(expr),
            _ => None,
        }
    }

    fn base(&mut self, variable: &Variable) -> Option<Base> {
        let name = &*variable.name.text;
        if let (Some(index), "null" | "rc" | "retcode" | "?" | "var" | "vz" | "vn") =
            (&variable.index, name)
        {
            self.no_index(name, index.span);
            return None;
        }
        match name {
            "null" => return Some(Base::Null),
            "rc" | "retcode" | "?" => return Some(Base::Code),
            "var" | "vz" | "vn" => {
                let Some(inner) = &variable.inner else {
                    let message = format!("`${name}` needs a name: `${name}(name)`");
                    self.error("missing-name", message, variable.span);
                    return None;
                };
                if inner.text.is_empty() {
                    self.error("missing-name", "the name is empty", variable.span);
                    return None;
                }
                return Some(Base::Slot(self.slot(
                    name == "vn",
                    &inner.text,
                    variable.span,
                )));
            }
            _ => {}
        }
        let Some(decl) = self.names.pv(name) else {
            return self.unknown_variable(variable);
        };
        match decl.name {
            "sel" => return self.sel(decl, variable).map(Base::Pv),
            "ccp" => return self.ccp(decl, variable).map(Base::Pv),
            _ => {}
        }
        Some(Base::Pv(self.pv_ref(decl, variable)?))
    }

    /// A declared variable with its inner name and index.
    fn pv_ref(&mut self, decl: &'static PvDecl, variable: &Variable) -> Option<PvRef> {
        let name = &variable.name.text;
        let mut args = Vec::new();
        match (&decl.inner, &variable.inner) {
            (Some(wanted), Some(inner)) => {
                args.push(self.inner(wanted, inner)?);
                self.holes(wanted, inner, &mut args)?;
            }
            (Some(wanted), None) if wanted.optional => args.push(Arg::Absent),
            (Some(wanted), None) => {
                let message = format!("`${name}` needs a name: `${name}({})`", wanted.name);
                self.error("missing-name", message, variable.span);
                return None;
            }
            (None, Some(inner)) => {
                let message = format!("`${name}` takes no name in parentheses");
                self.error("unexpected-name", message, inner.span);
                return None;
            }
            (None, None) => {}
        }
        let index = match &variable.index {
            None => Arg::Absent,
            Some(index) => match &index.kind {
                IndexKind::Number(n) => Arg::Value(Expr::Int(i64::from(*n))),
                IndexKind::All => Arg::All,
                IndexKind::Variable(inner) => Arg::Value(self.computed_index(inner)?),
            },
        };
        if decl.index {
            args.push(index);
        } else if let Some(index) = &variable.index {
            self.no_index(name, index.span);
            return None;
        }
        Some(PvRef { decl, args })
    }

    fn no_index(&mut self, name: &str, span: Span) {
        let message = format!("`${name}` has one value, and takes no index");
        self.error("unexpected-index", message, span);
    }

    /// An index that is a variable: it must hold an integer when it is read.
    fn computed_index(&mut self, variable: &Variable) -> Option<Expr> {
        match self.variable_node(variable) {
            NodeKind::Null => Some(Expr::text(&b""[..])),
            NodeKind::Read(_, Some(hidden)) => Some(hidden),
            NodeKind::Read(expr, None) => Some(or_empty(expr)),
            _ => None,
        }
    }

    /// The indices inside an inner name that are variables, each an argument after it.
    fn holes(&mut self, wanted: &ArgDecl, inner: &Inner, args: &mut Vec<Arg>) -> Option<()> {
        let ArgKind::Constant(kind) = wanted.kind else {
            return Some(());
        };
        let Some(holes) = kind.holes else {
            return Some(());
        };
        let first = args.len();
        args.resize(first + holes.count, Arg::Absent);
        for (n, range) in (holes.find)(&inner.text) {
            let locator = match inner.exact {
                true => Locator::direct(inner.span.sub(range.start, range.end)),
                false => Locator::whole(inner.span),
            };
            let text = inner.text.get(range).unwrap_or_default();
            let variable = match parse_variable(text, &locator, true) {
                Ok(variable) => variable,
                Err(error) => {
                    let message = "an index is a number, `*` or one variable";
                    self.report(
                        Diagnostic::error("bad-index", message).label(error.span, error.message),
                    );
                    return None;
                }
            };
            let value = self.computed_index(&variable)?;
            if let Some(arg) = args.get_mut(first + n) {
                *arg = Arg::Value(value);
            }
        }
        Some(())
    }

    /// What stands in the parentheses after a variable's name.
    fn inner(&mut self, wanted: &ArgDecl, inner: &Inner) -> Option<Arg> {
        let locator = match inner.exact {
            true => Locator::direct(inner.span),
            false => Locator::whole(inner.span),
        };
        let computed = match (&inner.variable, wanted.kind) {
            (Some(variable), ArgKind::Parsed(_) | ArgKind::Any | ArgKind::Int) => Some(variable),
            _ => None,
        };
        if let Some(variable) = computed {
            let value = self.variable_value(variable)?;
            return Some(Arg::Value(match wanted.kind {
                ArgKind::Any => value,
                ArgKind::Parsed(kind) if kind.by_value => or_empty(value),
                ArgKind::Int => context::to_int(value),
                _ => context::to_text(value),
            }));
        }
        match wanted.kind {
            // A name is literal where it is not one variable.
            ArgKind::Parsed(kind) | ArgKind::Constant(kind) => {
                let number = self.constant(kind, &inner.text, |_, at| locator.span(at, at + 1))?;
                Some(Arg::Constant(number))
            }
            ArgKind::Any | ArgKind::Raw => Some(Arg::Value(Expr::text(&inner.text[..]))),
            ArgKind::Place if inner.variable.is_some() => {
                let variable = inner.variable.as_deref()?;
                Some(Arg::Place(self.target(variable, false)?))
            }
            _ => self.literal_argument(wanted, &inner.text, &locator, inner.span),
        }
    }

    fn transformed(&mut self, base: Base, list: &[Transformation]) -> Option<Expr> {
        let mut value = match base {
            Base::Null => Expr::Null,
            Base::Code => Expr::ReturnCode,
            Base::Slot(slot) => Expr::Var(slot),
            Base::Pv(pv) => Expr::Pv(pv),
        };
        for transformation in list {
            let (decl, args) = self.transformation(transformation)?;
            value = Expr::Transform {
                decl,
                input: Box::new(value),
                args,
            };
        }
        Some(value)
    }

    fn transformation(
        &mut self,
        given: &Transformation,
    ) -> Option<(&'static kcc_runtime::declare::TransformationDecl, Vec<Arg>)> {
        let class = &*given.class.text;
        let name = given.operation.text.to_ascii_lowercase();
        let forms = self.names.transformation(class, &name);
        if forms.is_empty() {
            self.unknown_transformation(class, &name, given.span);
            return None;
        }
        let count = given.parameters.len();
        let fits = forms.iter().copied().find(|decl| {
            let least = decl.args.iter().filter(|arg| !arg.optional).count();
            (least..=decl.args.len()).contains(&count)
        });
        let Some(decl) = fits else {
            let wants = forms
                .iter()
                .map(|decl| decl.args.len().to_string())
                .collect::<Vec<_>>();
            let message = format!(
                "`{{{class}.{name}}}` takes {} parameters, {count} are given",
                wants.join(" or ")
            );
            self.error("wrong-argument-count", message, given.span);
            return None;
        };
        let mut args = Vec::with_capacity(decl.args.len());
        for (n, wanted) in decl.args.iter().enumerate() {
            let Some(parameter) = given.parameters.get(n) else {
                args.push(Arg::Absent);
                continue;
            };
            args.push(match &parameter.value {
                TransformationValue::Variable(variable) => {
                    let value = self.variable_value(variable)?;
                    match wanted.kind {
                        ArgKind::Int => Arg::Value(context::to_int(value)),
                        ArgKind::Any => Arg::Value(value),
                        ArgKind::Parsed(kind) if kind.by_value => Arg::Value(or_empty(value)),
                        ArgKind::Text | ArgKind::Parsed(_) => Arg::Value(context::to_text(value)),
                        _ => {
                            let message = format!("`{}` must be constant here", wanted.name);
                            self.error("not-constant", message, parameter.span);
                            return None;
                        }
                    }
                }
                TransformationValue::Text(text) => match wanted.kind {
                    ArgKind::Text | ArgKind::Any | ArgKind::Raw => {
                        Arg::Value(Expr::text(&text[..]))
                    }
                    ArgKind::Constant(kind) | ArgKind::Parsed(kind) => {
                        let span = parameter.span;
                        Arg::Constant(self.constant(kind, text, |_, at| span.sub(at, at + 1))?)
                    }
                    _ => self.literal_argument(
                        wanted,
                        text.trim_ascii(),
                        &Locator::whole(parameter.span),
                        parameter.span,
                    )?,
                },
            });
        }
        Some((decl, args))
    }

    /// What can be assigned or handed to a builtin. With `write` it must be assignable.
    pub(super) fn target(&mut self, variable: &Variable, write: bool) -> Option<Target> {
        if let Some(first) = variable.transformations.first() {
            self.error(
                "not-assignable",
                "a variable with transformations cannot be assigned",
                first.span,
            );
            return None;
        }
        let target = match self.base(variable)? {
            Base::Slot(slot) => Target::Var(slot),
            Base::Pv(pv) if !write || pv.decl.write.is_some() => Target::Pv(pv),
            _ => {
                let message = format!("`${}` cannot be assigned", variable.name.text);
                self.error("not-assignable", message, variable.span);
                return None;
            }
        };
        Some(target)
    }

    /// The left side of an assignment.
    pub(super) fn lvalue(&mut self, lvalue: &Lvalue) -> Option<Target> {
        match lvalue {
            Lvalue::Variable(variable) => self.target(variable, true),
            Lvalue::Attribute(attribute) => self.attribute(attribute, true).map(Target::Pv),
        }
    }

    /// A name that no declaration has: an attribute in code, if it may be one.
    fn unknown_variable(&mut self, variable: &Variable) -> Option<Base> {
        let name = &*variable.name.text;
        match self.names.missing_pv(name) {
            Missing::NotLoaded(module) => {
                let message =
                    format!("`${name}` belongs to module `{module}`, which is not loaded");
                self.report(
                    Diagnostic::error("module-not-loaded", message)
                        .label(variable.span, "")
                        .help(format!("add `loadmodule \"{module}.so\"`")),
                );
            }
            Missing::Unsupported(module) => {
                let message = format!("`${name}` is known to Kamailio (module `{module}`)");
                self.unsupported("unsupported-variable", message, variable.span);
            }
            Missing::Unknown => {
                let bare = matches!(variable.form, VariableForm::Bare { strict: false });
                let like = self.names.like_pv(name);
                if bare {
                    if let Some(like) = like {
                        let message = format!("`${name}` is no variable, so it is an attribute");
                        self.report(
                            Diagnostic::warning("attribute", message)
                                .label(variable.span, "")
                                .help(format!("did you mean `${like}`?")),
                        );
                    }
                    let pv = self.named_attribute(name.as_bytes(), Arg::Absent, variable.span);
                    return pv.map(Base::Pv);
                }
                let diagnostic = Diagnostic::error(
                    "unknown-variable",
                    format!("there is no variable `${name}`"),
                )
                .label(variable.span, "");
                // In a string a name goes on over dots, digits and letters.
                let end = name
                    .find('.')
                    .filter(|end| self.names.pv(&name[..*end]).is_some());
                self.report(match end {
                    Some(end) => {
                        let (name, rest) = name.split_at(end);
                        diagnostic
                            .note("in a string the dot counts as a part of the name")
                            .help(format!("put the name in parentheses: $({name}){rest}"))
                    }
                    None => suggest(diagnostic, like.map(|like| format!("${like}"))),
                });
            }
        }
        None
    }

    fn unknown_transformation(&mut self, class: &str, name: &str, span: Span) {
        let written = format!("{{{class}.{name}}}");
        match self.names.missing_transformation(class, name) {
            Missing::NotLoaded(module) => {
                let message =
                    format!("`{written}` belongs to module `{module}`, which is not loaded");
                self.report(
                    Diagnostic::error("module-not-loaded", message)
                        .label(span, "")
                        .help(format!("add `loadmodule \"{module}.so\"`")),
                );
            }
            Missing::Unsupported(module) => {
                let message = format!("`{written}` is known to Kamailio (module `{module}`)");
                self.unsupported("unsupported-transformation", message, span);
            }
            Missing::Unknown => {
                let message = format!("there is no transformation `{written}`");
                let diagnostic =
                    Diagnostic::error("unknown-transformation", message).label(span, "");
                let like = self.names.like_transformation(class, name);
                self.report(suggest(diagnostic, like.map(|like| format!("{{{like}}}"))));
            }
        }
    }

    /// The pieces of a format; `None` after errors.
    pub(super) fn format_pieces(&mut self, text: &[u8], locator: &Locator) -> Option<Vec<Expr>> {
        let pieces = match parse_format(text, locator) {
            Ok(pieces) => pieces,
            Err(errors) => {
                for error in errors {
                    let diagnostic =
                        Diagnostic::error("bad-format", error.message).label(error.span, "");
                    self.report(match error.help {
                        Some(help) => diagnostic.help(help),
                        None => diagnostic,
                    });
                }
                return None;
            }
        };
        let mut good = true;
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Text { text, .. } => parts.push(Expr::text(&text[..])),
                Piece::Variable(variable) => match self.shown(&variable) {
                    Some(value) => parts.push(value),
                    None => good = false,
                },
            }
        }
        good.then_some(parts)
    }

    /// A variable as text shows it.
    fn shown(&mut self, variable: &Variable) -> Option<Expr> {
        let plain = variable.transformations.is_empty();
        match self.names.pv("defn:text") {
            // The number is shown as it is written.
            Some(decl) if plain && *variable.name.text == *"defn" => {
                self.pv_ref(decl, variable).map(Expr::Pv)
            }
            _ => self.variable_value(variable),
        }
    }

    /// A format as a string.
    pub(super) fn format(&mut self, text: &[u8], locator: &Locator) -> Option<Expr> {
        let mut parts = self.format_pieces(text, locator)?;
        Some(match parts.len() {
            0 => Expr::text(&b""[..]),
            1 if matches!(parts[0], Expr::Str(_)) => parts.remove(0),
            _ => Expr::Format(parts),
        })
    }
}

/// A value, empty text where it is null: null would be an argument left out.
fn or_empty(value: Expr) -> Expr {
    Expr::Else(Box::new(value), Box::new(Expr::text(&b""[..])))
}
