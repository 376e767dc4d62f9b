//! What the interpreter knows of functions, variables and transformations, each as its manual
//! says.

use kcc::ir::{Arg, PvRef, Target};
use kcc_runtime::abi::status;
use kcc_runtime::declare::{FunctionDecl, TransformationDecl};

use crate::interpreter::{Interpreter, Leave, Step};
use crate::outcome::{Avp, HEADER, HEADER_VALUE};
use crate::values::{Value, cut};

/// An argument that was evaluated.
pub enum Given {
    Absent,
    Value(Value),
    Constant(Vec<u8>),
    Variable(Box<Variable>),
    All,
}

/// A variable whose name and index were evaluated.
pub enum Variable {
    Slot(usize),
    Avp(Option<Avp>, Given),
    Header(Vec<u8>),
    /// One that has a name and nothing else.
    Plain(&'static str),
}

impl Given {
    /// The value; null where it is left out.
    fn value(self) -> Value {
        match self {
            Given::Value(value) => value,
            Given::Constant(text) => Value::Str(text),
            Given::Absent | Given::Variable(_) | Given::All => Value::Null,
        }
    }

    fn text(self) -> Vec<u8> {
        self.value().text()
    }
}

impl Interpreter<'_> {
    fn argument(&mut self, arg: &Arg) -> Step<Given> {
        Ok(match arg {
            Arg::Absent => Given::Absent,
            Arg::Value(expr) => Given::Value(self.value(expr)?),
            Arg::Constant(n) => Given::Constant(self.constant(*n).to_vec()),
            Arg::Place(target) => Given::Variable(Box::new(self.target(target)?)),
            Arg::All => Given::All,
            Arg::RouteNumber(kind, name) => {
                let name = self.text(name)?;
                let routes = &self.program.manifest.routes;
                let found = routes.iter().position(|route| {
                    !route.main && route.kind == kind.0 && route.name.as_bytes() == name
                });
                Given::Value(Value::Int(found.map_or(i64::from(u32::MAX), |n| n as i64)))
            }
        })
    }

    /// Evaluates name and index of what is assigned or handed over.
    pub fn target(&mut self, target: &Target) -> Step<Variable> {
        match target {
            Target::Var(slot) => Ok(Variable::Slot(*slot as usize)),
            Target::Pv(pv) => self.located(pv),
        }
    }

    /// Evaluates name and index of a variable.
    pub fn located(&mut self, pv: &PvRef) -> Step<Variable> {
        let mut args = Vec::new();
        for arg in &pv.args {
            args.push(self.argument(arg)?);
        }
        let mut args = args.into_iter();
        let mut next = || args.next().unwrap_or(Given::Absent);
        Ok(match pv.decl.name {
            "avp" => {
                let name = match next() {
                    Given::Constant(text) => Some(Avp::written(&text)),
                    name => match name.value() {
                        Value::Int(n) => Some(Avp::Number(n)),
                        Value::Str(text) if !text.is_empty() => Some(Avp::Text(text)),
                        _ => None,
                    },
                };
                Variable::Avp(name, next())
            }
            "hdr" => Variable::Header(next().text()),
            name => Variable::Plain(name),
        })
    }

    /// The value of a variable.
    pub fn read(&mut self, variable: &Variable) -> Value {
        let message = &self.message;
        match variable {
            Variable::Slot(slot) => self.vars[*slot].clone(),
            // An index that is a variable must hold an integer.
            Variable::Avp(_, Given::Value(Value::Str(_))) => {
                self.error();
                Value::Failed
            }
            Variable::Avp(None, _) => Value::Null,
            Variable::Avp(Some(name), index) => {
                let values: Vec<&Value> = message.avp(name).collect();
                let place = match index {
                    Given::All if values.is_empty() => return Value::Null,
                    Given::All => {
                        let texts: Vec<Vec<u8>> = values.iter().map(|value| value.text()).collect();
                        // No comma stands before the first that has text.
                        let first = texts.iter().position(|text| !text.is_empty());
                        let texts = first.map_or(&[][..], |first| &texts[first..]);
                        return Value::Str(texts.join(&b", "[..]));
                    }
                    Given::Value(Value::Int(n @ ..0)) => n + values.len() as i64,
                    Given::Value(Value::Int(n)) => *n,
                    _ => 0,
                };
                let found = usize::try_from(place).ok().and_then(|n| values.get(n));
                found.map_or(Value::Null, |value| (*value).clone())
            }
            Variable::Header(name) if name == HEADER.as_bytes() => {
                Value::Str(HEADER_VALUE.as_bytes().to_vec())
            }
            Variable::Header(_) | Variable::Plain("rs") => Value::Null,
            Variable::Plain("rU") => message.user.clone().map_or(Value::Null, Value::Str),
            Variable::Plain("rm") => Value::Str(b"INVITE".to_vec()),
            Variable::Plain("proto") => Value::Str(b"udp".to_vec()),
            Variable::Plain("mf") => Value::Int(i64::from(message.flags)),
            Variable::Plain(name) => unreachable!("no generated program reads ${name}"),
        }
    }

    /// The hidden integer of a variable that has one.
    pub fn hidden(&mut self, variable: &Variable) -> i64 {
        match variable {
            // The first of the methods; the first of the protocols.
            Variable::Plain("rm" | "proto") => 1,
            _ => unreachable!("no generated program reads another hidden integer"),
        }
    }

    /// Assigns a value; false where it is refused, which is logged.
    pub fn write(&mut self, variable: &Variable, value: Value) -> bool {
        match variable {
            Variable::Slot(slot) => {
                let begin = match self.program.manifest.vars[*slot].null {
                    true => Value::Null,
                    false => Value::Int(0),
                };
                self.vars[*slot] = match value {
                    Value::Int(n) => Value::Int(cut(n, self.program.compat)),
                    Value::Str(text) => Value::Str(text),
                    Value::Null | Value::Failed => begin,
                };
            }
            Variable::Avp(None, _) | Variable::Avp(_, Given::Value(Value::Str(_))) => {
                self.error();
                return false;
            }
            Variable::Avp(Some(name), index) => {
                let all = matches!(index, Given::All);
                self.message.set_avp(name, all, value);
            }
            Variable::Plain("rU") => {
                if let Value::Int(_) = value {
                    self.error();
                    return false;
                }
                let user = value.text();
                self.message.user = (!user.is_empty()).then_some(user);
            }
            _ => unreachable!("no generated program assigns this"),
        }
        true
    }

    /// Calls a function and gives its code.
    pub fn function(&mut self, decl: &FunctionDecl, args: &[Arg]) -> Step<i64> {
        let mut given = Vec::new();
        for (n, arg) in args.iter().enumerate() {
            given.push(self.argument(arg)?);
            if decl.name == "w_say" && n == 0 {
                let level = match &given[0] {
                    Given::Value(value) => value.int(self.program.compat),
                    _ => 0,
                };
                self.calls.push(format!("wanted {level}"));
                if level >= 2 {
                    return Ok(1);
                }
            }
        }
        let mut given = given.into_iter();
        let mut next = || given.next().unwrap_or(Given::Absent);
        let (call, code) = match decl.name {
            "w_note" => (format!("note {}", next().value()), 1),
            "w_value" => (format!("value {}", next().value()), 1),
            "w_raw" => (format!("raw {}", next().value()), -1),
            "w_both" => (format!("both {} {}", next().value(), next().value()), 2),
            "w_say" => (format!("say {} {}", next().value(), next().value()), -3),
            "w_arm" => (format!("arm {}", next().value()), 1),
            "w_pattern" => match next() {
                Given::Constant(_) => ("pattern".to_owned(), 1),
                text => (format!("pattern {}", text.value()), 1),
            },
            "w_code" => {
                let code = next().value().int(self.program.compat);
                (format!("code {code}"), code)
            }
            "w_extend" => {
                let (target, more) = (next(), next().text());
                let Given::Variable(variable) = target else {
                    unreachable!("the first argument is a variable");
                };
                let text = Value::Str([self.read(&variable).text(), more].concat());
                self.takes(text.text().len())?;
                self.calls.push(format!("extend {text}"));
                return Ok(if self.write(&variable, text) { 1 } else { -1 });
            }
            "w_exit" => ("exit".to_owned(), 0),
            "w_drop" => {
                self.calls.push("drop".to_owned());
                return Err(Leave::Script(status::DROP, 0));
            }
            "is_method" => {
                let methods = next().text();
                let holds = methods.split(|c| *c == b'|').any(|one| one == b"INVITE");
                return Ok(if holds { 1 } else { -1 });
            }
            "has_totag" => return Ok(-1),
            name => return Ok(self.flag(name, next())),
        };
        self.calls.push(call);
        match code {
            0 => Err(Leave::Script(status::EXIT, 0)),
            code => Ok(code),
        }
    }

    /// The statements on flags of the message.
    fn flag(&mut self, name: &str, flag: Given) -> i64 {
        let bit = 1 << flag.value().int(self.program.compat);
        let flags = &mut self.message.flags;
        match name {
            "setflag" => *flags |= bit,
            "resetflag" => *flags &= !bit,
            "isflagset" if *flags & bit == 0 => return -1,
            "isflagset" => {}
            _ => unreachable!("no generated program calls {name}"),
        }
        1
    }

    /// Applies a transformation to a value that it takes.
    pub fn transformation(
        &mut self,
        decl: &TransformationDecl,
        input: Value,
        args: &[Arg],
    ) -> Step<Value> {
        let mut given = Vec::new();
        for arg in args {
            given.push(self.argument(arg)?.value());
        }
        let text = input.text();
        Ok(match (decl.class, decl.name) {
            ("s", "len") => Value::Int(text.len() as i64),
            ("s", "toupper") => Value::Str(text.to_ascii_uppercase()),
            ("val", "n0") if !input.is_defined() => Value::Int(0),
            ("val", "ne") if !input.is_defined() => Value::Str(Vec::new()),
            ("val", "n0" | "ne") => input,
            ("w", "mix") => {
                let n = given[0].int(self.program.compat);
                match n < 0 {
                    true => Value::Failed,
                    false => Value::Str([given[0].text(), text, given[1].text()].concat()),
                }
            }
            ("w", "kind") => Value::Str(format!("{input}/{}", given[0]).into_bytes()),
            (class, name) => unreachable!("no generated program has {{{class}.{name}}}"),
        })
    }
}
