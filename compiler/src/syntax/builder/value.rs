//! Literals, variables, calls and other operands.

use super::Builder;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::literal::{self, Locator};
use crate::syntax::pvar::{self, VariableError};
use crate::syntax::token::{Kind, SUBJECTS};

impl VariableError {
    /// The error as a finding.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic =
            Diagnostic::error("bad-variable", self.message.as_str()).label(self.span, "here");
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

impl Builder<'_> {
    /// An expression one level above the deepest of `depths`. One that is too deep is reported and
    /// replaced, so that the tree stays shallow enough to walk.
    pub(in crate::syntax) fn expr(&mut self, kind: ExprKind, span: Span, depth: u16) -> Expr {
        let depth = depth.saturating_add(1);
        if depth > MAX_DEPTH {
            self.report(
                Diagnostic::error("too-deep", "this expression has too many levels")
                    .label(span, "too deep")
                    .note(format!("at most {MAX_DEPTH} levels are allowed"))
                    .help("compute parts of it into variables first"),
            );
            return Expr {
                kind: ExprKind::Error,
                span,
                depth: 1,
            };
        }
        Expr { kind, span, depth }
    }

    fn leaf(&mut self, kind: ExprKind, span: Span) -> Expr {
        self.expr(kind, span, 0)
    }

    pub(in crate::syntax) fn error_expr(&mut self, index: u32) -> Expr {
        let span = self.token_span(index);
        self.leaf(ExprKind::Error, span)
    }

    pub(in crate::syntax) fn number(&self, index: u32) -> Number {
        let token = self.token(index);
        Number {
            value: token.value,
            span: token.span,
        }
    }

    pub(in crate::syntax) fn negative(&self, minus: u32, index: u32) -> Number {
        Number {
            value: self.token(index).value.wrapping_neg(),
            span: self.span(minus, index + 1),
        }
    }

    pub(in crate::syntax) fn number_expr(&mut self, index: u32) -> Expr {
        let number = self.number(index);
        self.leaf(ExprKind::Number(number.value), number.span)
    }

    pub(in crate::syntax) fn string(&self, index: u32) -> Str {
        let token = self.token(index);
        let (value, exact) = match self.tokens.strings.get(token.value as usize) {
            Some(string) => (string.value.clone(), string.exact),
            None => (Box::default(), false),
        };
        Str {
            value,
            span: token.span,
            exact,
        }
    }

    pub(in crate::syntax) fn string_expr(&mut self, index: u32) -> Expr {
        let string = self.string(index);
        let span = string.span;
        self.leaf(ExprKind::Str(string), span)
    }

    pub(in crate::syntax) fn variable(&mut self, index: u32) -> Box<Variable> {
        let token = self.token(index);
        let text = self.tokens.variables.get(token.value as usize);
        let strict = text.is_some_and(|text| text.strict);
        let changed = text.and_then(|text| text.changed.as_deref());
        let parsed = match changed {
            Some(changed) => pvar::parse_variable(changed, &Locator::whole(token.span), strict),
            None => {
                let text = self.sources.text(token.span);
                pvar::parse_variable(text, &Locator::direct(token.span), strict)
            }
        };
        match parsed {
            Ok(variable) => Box::new(variable),
            Err(error) => {
                self.report(error.diagnostic());
                // Later passes know a variable without a name for one that was reported.
                Box::new(Variable {
                    name: Name {
                        text: "".into(),
                        span: token.span,
                    },
                    inner: None,
                    index: None,
                    transformations: Vec::new(),
                    form: VariableForm::Enclosed,
                    span: token.span,
                })
            }
        }
    }

    pub(in crate::syntax) fn variable_expr(&mut self, variable: Box<Variable>) -> Expr {
        let span = variable.span;
        let kind = if variable.name.text.is_empty() {
            ExprKind::Error
        } else {
            ExprKind::Variable(variable)
        };
        self.leaf(kind, span)
    }

    /// The attribute whose mark and names are token `index`; `end` is after its brackets.
    pub(in crate::syntax) fn attribute(
        &self,
        index: u32,
        brackets: Option<AttributeIndex>,
        end: u32,
    ) -> Box<Attribute> {
        let span = self.token_span(index);
        let text = self.sources.text(span);
        let part = |from: usize, to: usize| Name {
            text: String::from_utf8_lossy(&text[from..to]).into(),
            span: span.sub(from, to),
        };
        let dot = text.iter().position(|&byte| byte == b'.');
        let (class, name) = match dot {
            Some(dot) => (Some(part(1, dot)), part(dot + 1, text.len())),
            None => (None, part(1.min(text.len()), text.len())),
        };
        Box::new(Attribute {
            class,
            name,
            index: brackets,
            span: self.span(index, end),
        })
    }

    pub(in crate::syntax) fn attribute_expr(&mut self, attribute: Box<Attribute>) -> Expr {
        let span = attribute.span;
        self.leaf(ExprKind::Attribute(attribute), span)
    }

    pub(in crate::syntax) fn select(&mut self, index: u32) -> Expr {
        let span = self.token_span(index);
        let text = self.sources.text(span);
        let mut parts = Vec::new();
        let mut at = 1;
        let mut wrong = None;
        while at < text.len() {
            let from = at;
            let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            at += text[at..].iter().take_while(|byte| word(byte)).count();
            let name = Name {
                text: String::from_utf8_lossy(&text[from..at]).into(),
                span: span.sub(from, at),
            };
            let mut index = None;
            if text.get(at) == Some(&b'[') {
                let (value, length) = select_index(&text[at..]);
                if value.is_none() {
                    wrong = Some(span.sub(at, at + length));
                }
                index = value;
                at += length;
            }
            parts.push(SelectPart { name, index });
            // Past the dot; the lexer let nothing else through.
            at += 1;
        }
        if let Some(place) = wrong {
            self.report(
                Diagnostic::error("bad-select", "this is no index of a select")
                    .label(place, "here")
                    .help("an index is a number or a string in quotes"),
            );
            return self.leaf(ExprKind::Error, span);
        }
        self.leaf(ExprKind::Select(Box::new(Select { parts, span })), span)
    }

    pub(in crate::syntax) fn call(
        &self,
        first: u32,
        args: Vec<Arg>,
        core: bool,
        parenthesised: bool,
        end: u32,
    ) -> Call {
        Call {
            callee: self.name(first),
            args,
            core,
            parenthesised,
            span: self.span(first, end),
        }
    }

    pub(in crate::syntax) fn call_expr(&mut self, call: Call) -> Expr {
        let depth = call.args.iter().map(arg_depth).max().unwrap_or(0);
        let span = call.span;
        self.expr(ExprKind::Call(Box::new(call)), span, depth)
    }

    pub(in crate::syntax) fn assign_expr(
        &mut self,
        target: Lvalue,
        operator: u32,
        value: Expr,
        first: u32,
        end: u32,
    ) -> Expr {
        let depth = value.depth;
        let assign = Assign {
            target,
            op_span: self.token_span(operator),
            value,
        };
        let span = self.span(first, end);
        self.expr(ExprKind::Assign(Box::new(assign)), span, depth)
    }

    /// A block as an operand.
    pub(in crate::syntax) fn block_expr(&mut self, body: super::Body) -> Expr {
        let block = body.block;
        let span = block.span;
        let depth = block_depth(&block);
        self.expr(ExprKind::Block(Box::new(block)), span, depth)
    }

    pub(in crate::syntax) fn strlen(&mut self, word: u32, operand: Expr, end: u32) -> Expr {
        let depth = operand.depth;
        let unary = Unary {
            op: self.unary_op(word),
            op_span: self.token_span(word),
            operand: Box::new(operand),
        };
        let span = self.span(word, end);
        self.expr(ExprKind::Unary(unary), span, depth)
    }

    pub(in crate::syntax) fn selval(
        &mut self,
        condition: Expr,
        then: Expr,
        otherwise: Expr,
        first: u32,
        end: u32,
    ) -> Expr {
        let depth = condition.depth.max(then.depth).max(otherwise.depth);
        let span = self.span(first, end);
        let kind = ExprKind::Selval(Box::new([condition, then, otherwise]));
        self.expr(kind, span, depth)
    }

    pub(in crate::syntax) fn subject(&self, index: u32) -> TestSubject {
        let value = self.token(index).value as usize;
        SUBJECTS
            .get(value)
            .map_or(TestSubject::Method, |(_, subject)| *subject)
    }

    pub(in crate::syntax) fn word_test(
        &mut self,
        subject: u32,
        operator: u32,
        value: TestValue,
    ) -> Expr {
        let test = Test {
            subject: self.subject(subject),
            subject_span: self.token_span(subject),
            op: self.binary_op(operator),
            op_span: self.token_span(operator),
            value,
        };
        // The value is the token after the operator.
        let span = self.span(subject, operator + 2);
        self.leaf(ExprKind::Test(Box::new(test)), span)
    }

    pub(in crate::syntax) fn myself_test(
        &mut self,
        myself: u32,
        operator: u32,
        subject: u32,
    ) -> Expr {
        let test = Test {
            subject: self.subject(subject),
            subject_span: self.token_span(subject),
            op: self.binary_op(operator),
            op_span: self.token_span(operator),
            value: TestValue::Myself(self.token_span(myself)),
        };
        let span = self.span(myself, subject + 1);
        self.leaf(ExprKind::Test(Box::new(test)), span)
    }

    pub(in crate::syntax) fn network(&mut self, index: u32) -> TestValue {
        match self.network_at(index) {
            Some(network) => TestValue::Network(network),
            None => TestValue::Expr(self.error_expr(index)),
        }
    }

    /// The address and mask of token `index`. `None` if they make no sense, which was reported.
    fn network_at(&mut self, index: u32) -> Option<Network> {
        debug_assert_eq!(self.token(index).kind, Kind::Ip);
        let span = self.token_span(index);
        let text = self.text(index, index + 1);
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (&*text, None),
        };
        let ip = |text: &str| match text.trim_matches(['[', ']']).parse().ok() {
            None => dotted_numbers(text).map(std::net::IpAddr::V4),
            address => address,
        };
        let Some(address) = ip(address) else {
            self.report(
                Diagnostic::error("bad-address", "this is no IP address")
                    .label(span, "here")
                    .note("each of the four numbers goes from 0 to 255; one that starts with 0 is octal"),
            );
            return None;
        };
        let mask = match mask {
            None => None,
            Some(mask) => match (ip(mask), literal::number(mask.as_bytes())) {
                (Some(mask), _) => Some(NetworkMask::Mask(mask)),
                (None, Some(bits)) => Some(NetworkMask::Bits(bits.value)),
                (None, None) => {
                    self.report(
                        Diagnostic::error("bad-address", "this is no network mask")
                            .label(span, "here"),
                    );
                    return None;
                }
            },
        };
        Some(Network {
            address,
            mask,
            span,
        })
    }

    /// The address of token `index`, which may have no mask here.
    pub(in crate::syntax) fn address(&mut self, index: u32) -> Option<std::net::IpAddr> {
        let network = self.network_at(index)?;
        if network.mask.is_some() {
            self.report(
                Diagnostic::error("bad-address", "no network mask is allowed here")
                    .label(network.span, "an address is expected"),
            );
        }
        Some(network.address)
    }
}

/// Index at the start of `text`, which starts with `[`, and the length of the brackets.
fn select_index(text: &[u8]) -> (Option<SelectIndex>, usize) {
    if let Some(&quote @ (b'"' | b'\'')) = text.get(1) {
        let end = memchr::memchr(quote, &text[2..]).map(|at| at + 2);
        return match end {
            Some(end) if text.get(end + 1) == Some(&b']') => {
                (Some(SelectIndex::Key(text[2..end].into())), end + 2)
            }
            _ => (None, text.len()),
        };
    }
    let Some(end) = memchr::memchr(b']', text) else {
        return (None, text.len());
    };
    let inner = &text[1..end];
    let (digits, negative) = match inner.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (inner, false),
    };
    let starts = digits.first().is_some_and(u8::is_ascii_digit);
    let number = literal::number(digits).filter(|_| starts).map(|number| {
        SelectIndex::Number(if negative {
            number.value.wrapping_neg()
        } else {
            number.value
        })
    });
    (number, end + 1)
}

/// Four number literals with dots between, such as `010.1.1.1`, which is 8.1.1.1.
fn dotted_numbers(text: &str) -> Option<std::net::Ipv4Addr> {
    let mut parts = [0; 4];
    let mut given = text.split('.');
    for part in &mut parts {
        *part = u8::try_from(literal::number(given.next()?.as_bytes())?.value).ok()?;
    }
    given.next().is_none().then(|| parts.into())
}

pub(in crate::syntax) fn arg_depth(arg: &Arg) -> u16 {
    match &arg.kind {
        ArgKind::Expr(expr) => expr.depth,
        _ => 0,
    }
}

pub(in crate::syntax) fn block_depth(block: &Block) -> u16 {
    block.stmts.iter().map(|stmt| stmt.depth).max().unwrap_or(0)
}
