//! Formats that are made at run time (`pv_evalx`, formats in databases): text with variables in it,
//! evaluated by name over what the loaded modules declare.
//!
//! Formats of a configuration are compiled; this is for those that come out of values.
//!
//! **Invariant:** a format takes bounded time and memory: its text and its result are no longer than
//! `pv_buffer_size`, and variables are nested no deeper than [`MOST_DEPTH`]. It reads variables and
//! assigns none.

mod written;

use crate::abi::{self, Words};
use crate::declare::{ArgDecl, ArgKind, Constant, Index, PvDecl, TransformationDecl};
use crate::intrinsics::SHIMS;
use crate::run::Run;
use crate::value::{Val, Value, parse_int, tag};
use crate::variables::decimal;
use written::{Transformation, Written};

/// How deep variables may stand in variables.
const MOST_DEPTH: u32 = 8;

/// Why a format has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A variable is not well formed.
    #[error("this is no variable: {0:?}")]
    Syntax(String),
    /// There is no such variable, or it does not take what is written.
    #[error("there is no variable ${0}")]
    Unknown(String),
    /// There is no such transformation, or it does not take what is written.
    #[error("there is no transformation {{{0}}}")]
    UnknownTransformation(String),
    /// What stands in parentheses or between commas is wrong.
    #[error("{0:?}: {1}")]
    Argument(String, String),
    /// Variables are nested too deep.
    #[error("variables are nested too deep")]
    TooDeep,
    /// Text or result are too long.
    #[error("the format is longer than pv_buffer_size")]
    TooLong,
    /// The run is over.
    #[error("the script was ended")]
    Stopped,
}

/// A part of a text, for a message.
fn shown(text: &[u8]) -> String {
    let text = &text[..text.len().min(64)];
    String::from_utf8_lossy(text).into_owned()
}

impl FormatError {
    fn syntax(text: &[u8]) -> FormatError {
        FormatError::Syntax(shown(text))
    }

    fn argument(text: &[u8], message: impl Into<String>) -> FormatError {
        FormatError::Argument(shown(text), message.into())
    }
}

impl Run {
    /// The text that a format means: its variables replaced, `$$` a dollar, null as `<null>`. It lies
    /// in scratch memory.
    ///
    /// # Errors
    /// See [`FormatError`]: as where a configuration holds it, a variable that is not there is one.
    pub fn format(&mut self, text: &[u8]) -> Result<Val, FormatError> {
        self.format_within(text, 0)
    }

    fn format_within(&mut self, text: &[u8], depth: u32) -> Result<Val, FormatError> {
        let limit = self.program.settings.format_limit();
        if text.len() > limit {
            return Err(FormatError::TooLong);
        }
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(dollar) = memchr::memchr(b'$', rest) {
            out.extend_from_slice(&rest[..dollar]);
            rest = &rest[dollar..];
            if rest.starts_with(b"$$") {
                out.push(b'$');
                rest = &rest[2..];
                continue;
            }
            let (variable, len) = written::variable(rest)?;
            rest = &rest[len..];
            let val = self.evaluate(&variable, depth + 1)?;
            // SAFETY: `evaluate` gives values in scratch memory.
            match unsafe { val.view() } {
                _ if val.kind() == tag::FAIL => {}
                Value::Null => out.extend_from_slice(b"<null>"),
                Value::Int(n) => out.extend_from_slice(decimal(n, &mut [0; 20])),
                Value::Str(text) => out.extend_from_slice(text),
            }
            if out.len() > limit {
                return Err(FormatError::TooLong);
            }
        }
        out.extend_from_slice(rest);
        if out.len() > limit {
            return Err(FormatError::TooLong);
        }
        Ok(self.scratch.copy(&out))
    }

    /// The value of the one variable that `text` is; none where it is no variable.
    ///
    /// # Errors
    /// As [`Run::format`].
    pub fn variable(&mut self, text: &[u8]) -> Option<Result<Val, FormatError>> {
        let variable = written::whole(text)?;
        Some(self.evaluate(&variable, 1))
    }

    fn evaluate(&mut self, written: &Written<'_>, depth: u32) -> Result<Val, FormatError> {
        if depth > MOST_DEPTH {
            return Err(FormatError::TooDeep);
        }
        let mut val = self.read_written(written, depth)?;
        for transformation in &written.transformations {
            val = self.transform(val, transformation, depth)?;
        }
        Ok(val)
    }

    /// The variable before its transformations.
    fn read_written(&mut self, written: &Written<'_>, depth: u32) -> Result<Val, FormatError> {
        let mut held = Vec::new();
        let place = self.place_written(written, &mut held, depth)?;
        let words = match place.read {
            Some(read) => read(self, place.args.as_ptr()),
            None => Val::NULL.into(),
        };
        self.kept(words)
    }

    /// A value that a shim gave, in scratch memory: what it was made of may go.
    fn kept(&mut self, words: Words) -> Result<Val, FormatError> {
        let val = Val::from(words);
        if val.kind() == tag::STOP || self.failed {
            return Err(FormatError::Stopped);
        }
        // SAFETY: what a shim gives is alive, and so is what it was given.
        Ok(match unsafe { val.view() } {
            Value::Str(text) => self.scratch.copy(text),
            _ => val,
        })
    }

    /// A variable as an argument; `held` keeps the constants that it points to.
    fn place_written(
        &mut self,
        written: &Written<'_>,
        held: &mut Vec<Constant>,
        depth: u32,
    ) -> Result<abi::Place, FormatError> {
        let unknown = || FormatError::Unknown(shown(written.name));
        let mut place = abi::Place {
            read: None,
            write: None,
            read_int: None,
            len: 0,
            args: [Val::NULL; 4],
        };
        let null = match written.name {
            b"null" => return Ok(place),
            b"var" | b"vz" => Some(false),
            b"vn" => Some(true),
            _ => None,
        };
        if let Some(null) = null {
            let name = written.inner.ok_or_else(unknown)?;
            let vars = &self.program.manifest.vars;
            let slot = vars
                .iter()
                .position(|spec| spec.null == null && spec.name.as_bytes() == name);
            place.read = match slot {
                Some(slot) => {
                    place.args[0] = Val::int(slot as i64);
                    SHIMS.first().map(|(_, read)| *read)
                }
                // A variable that the configuration does not name was never assigned.
                None if null => None,
                None => return Ok(zero()),
            };
            place.len = 1;
            return Ok(place);
        }
        let name = std::str::from_utf8(written.name).map_err(|_| unknown())?;
        let decl = self.program.pv(name).ok_or_else(unknown)?;
        place.read = Some(decl.read);
        place.read_int = decl.read_int.map(|(_, shim)| shim);
        let mut args = self.pv_arguments(decl, written, held, depth)?;
        args.truncate(place.args.len() - 1);
        place.len = args.len() as u64;
        place.args[..args.len()].copy_from_slice(&args);
        Ok(place)
    }

    fn pv_arguments(
        &mut self,
        decl: &'static PvDecl,
        written: &Written<'_>,
        held: &mut Vec<Constant>,
        depth: u32,
    ) -> Result<Vec<Val>, FormatError> {
        let mut args = Vec::with_capacity(3);
        match (&decl.inner, written.inner) {
            (Some(wanted), Some(inner)) => {
                args.push(self.argument(wanted, inner, held, depth, true)?);
                if let ArgKind::Constant(kind) = wanted.kind
                    && let Some(holes) = kind.holes
                {
                    args.resize(1 + holes.count, Val::NULL);
                    for (n, range) in (holes.find)(inner) {
                        let text = inner.get(range).unwrap_or_default();
                        let index = self.index(text, depth)?;
                        if let Some(arg) = args.get_mut(1 + n) {
                            *arg = index;
                        }
                    }
                }
            }
            (Some(wanted), None) if wanted.optional => args.push(Val::NULL),
            (None, None) => {}
            _ => return Err(FormatError::Unknown(shown(written.name))),
        }
        if decl.index {
            args.push(match written.index {
                None => Val::NULL,
                Some(text) => self.index(text, depth)?,
            });
        }
        Ok(args)
    }

    /// An index: a number, `*`, or a variable, whose value is looked at by the reader.
    fn index(&mut self, text: &[u8], depth: u32) -> Result<Val, FormatError> {
        if text == b"*" {
            return Ok(Index::ALL);
        }
        if let Some(variable) = written::whole(text) {
            let val = self.hidden_or_own(&variable, depth + 1)?;
            return Ok(match val.kind() {
                tag::INT | tag::STR => val,
                _ => Val::str(b""),
            });
        }
        let digits = std::str::from_utf8(text).ok();
        digits
            .and_then(|digits| digits.parse().ok())
            .map(Val::int)
            .ok_or_else(|| FormatError::argument(text, "this is no index"))
    }

    /// The value of a variable where an integer is wanted: its hidden integer, if it has one.
    fn hidden_or_own(&mut self, written: &Written<'_>, depth: u32) -> Result<Val, FormatError> {
        if depth > MOST_DEPTH {
            return Err(FormatError::TooDeep);
        }
        if !written.transformations.is_empty() {
            return self.evaluate(written, depth);
        }
        let mut held = Vec::new();
        let place = self.place_written(written, &mut held, depth)?;
        match place.read_int.or(place.read) {
            Some(read) => {
                let words = read(self, place.args.as_ptr());
                self.kept(words)
            }
            None => Ok(Val::NULL),
        }
    }

    /// An argument of a declaration from its text. What stands in parentheses is a format where the
    /// declaration takes text; a parameter of a transformation is literal.
    fn argument(
        &mut self,
        wanted: &ArgDecl,
        text: &[u8],
        held: &mut Vec<Constant>,
        depth: u32,
        is_inner: bool,
    ) -> Result<Val, FormatError> {
        let takes_variable = match wanted.kind {
            ArgKind::Parsed(_) | ArgKind::Any | ArgKind::Int => true,
            ArgKind::Text => !is_inner,
            _ => false,
        };
        if takes_variable && let Some(variable) = written::whole(text) {
            let val = match wanted.kind {
                ArgKind::Int => self.hidden_or_own(&variable, depth + 1)?,
                _ => self.evaluate(&variable, depth + 1)?,
            };
            return Ok(match wanted.kind {
                ArgKind::Any => val,
                // SAFETY: the value lies in scratch memory.
                ArgKind::Int => Val::int(unsafe { val.view() }.int().unwrap_or(0)),
                ArgKind::Parsed(kind) if kind.by_value && val.kind() != tag::NULL => val,
                _ => self.as_text(val),
            });
        }
        match wanted.kind {
            ArgKind::Text | ArgKind::Keyed(_) if is_inner => self.format_within(text, depth + 1),
            ArgKind::Text | ArgKind::Raw | ArgKind::Any | ArgKind::Keyed(_) => Ok(Val::str(text)),
            ArgKind::Int => parse_int(text.trim_ascii())
                .map(Val::int)
                .ok_or_else(|| FormatError::argument(text, "a number is expected")),
            ArgKind::Constant(kind) | ArgKind::Parsed(kind) => {
                let constant = (kind.parse)(text)
                    .map_err(|error| FormatError::argument(text, error.message))?;
                let val = Val {
                    tag: tag::CONSTANT,
                    data: constant.address() as u64,
                };
                held.push(constant);
                Ok(val)
            }
            ArgKind::Flag => {
                let named = |(name, _): &&(String, u8)| name.as_bytes() == text;
                let named = self.program.manifest.flags.iter().find(named);
                let number = named.map(|(_, bit)| i64::from(*bit)).or(parse_int(text));
                number
                    .filter(|n| (0..32).contains(n))
                    .map(Val::int)
                    .ok_or_else(|| FormatError::argument(text, "there is no such flag"))
            }
            ArgKind::Place | ArgKind::Route(_) | ArgKind::Index => Err(FormatError::argument(
                text,
                "this is not possible in a format made at run time",
            )),
        }
    }

    /// A value as text, in scratch memory; null is empty.
    fn as_text(&mut self, val: Val) -> Val {
        // SAFETY: the value lies in scratch memory.
        match unsafe { val.view() } {
            Value::Int(n) => self.text(decimal(n, &mut [0; 20])),
            Value::Str(_) => val,
            Value::Null => Val::str(b""),
        }
    }

    fn transform(
        &mut self,
        input: Val,
        given: &Transformation<'_>,
        depth: u32,
    ) -> Result<Val, FormatError> {
        let unknown = || {
            let written = [given.class, b".", given.name].concat();
            FormatError::UnknownTransformation(shown(&written))
        };
        let (decl, parameters) = self
            .program
            .transformations(given.class, given.name)
            .find_map(|decl| Some((decl, fitting(decl, given.parameters)?)))
            .ok_or_else(unknown)?;
        let failed = matches!(input.kind(), tag::FAIL | tag::NULL);
        if failed && !decl.takes_null {
            return Ok(Val::FAIL);
        }
        let mut held = Vec::new();
        let mut args = Vec::with_capacity(1 + decl.args.len());
        args.push(match decl.input {
            _ if failed => Val::NULL,
            ArgKind::Any => input,
            _ => self.as_text(input),
        });
        for (n, wanted) in decl.args.iter().enumerate() {
            args.push(match parameters.get(n) {
                Some(text) => self.argument(wanted, text, &mut held, depth, false)?,
                None => Val::NULL,
            });
        }
        let words = (decl.shim)(self, args.as_ptr());
        self.kept(words)
    }
}

/// The parameters for a form of a transformation, if it takes as many.
fn fitting<'t>(decl: &TransformationDecl, given: Option<&'t [u8]>) -> Option<Vec<&'t [u8]>> {
    let least = decl.args.iter().filter(|arg| !arg.optional).count();
    let parameters = match given {
        Some(text) if !decl.args.is_empty() => written::split(text, decl.args.len()),
        Some(_) => return None,
        None => Vec::new(),
    };
    (parameters.len() >= least).then_some(parameters)
}

/// A variable that was never assigned.
fn zero() -> abi::Place {
    extern "C" fn read(_: *mut Run, _: *const Val) -> Words {
        Val::int(0).into()
    }
    abi::Place {
        read: Some(read),
        write: None,
        read_int: None,
        len: 0,
        args: [Val::NULL; 4],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use kcc_sip::Message;

    use super::*;
    use crate::declare::{Module, Part};
    use crate::program::{Manifest, Program, VarSpec};
    use crate::run::Source;

    static PARTS: &[&Part] = &[
        &crate::variables::avp::exports::PART,
        &crate::variables::header::exports::PART,
        &crate::variables::process::core::PART,
        &crate::variables::process::exports::PART,
        &crate::variables::request_uri::exports::PART,
        &crate::variables::start_line::exports::PART,
        &crate::variables::xavp::exports::PART,
        &crate::transform::string::change::exports::PART,
        &crate::transform::string::cut::exports::PART,
        &crate::transform::string::measure::exports::PART,
        &crate::transform::uri::exports::PART,
    ];

    static MODULE: Module = Module {
        name: "core",
        doc: "",
        parts: PARTS,
        params: None,
        init: None,
    };

    fn run() -> Box<Run> {
        let var = |name: &str, null| VarSpec {
            name: name.into(),
            null,
        };
        let manifest = Manifest {
            vars: vec![var("n", false), var("i", false), var("x", true)],
            ..Manifest::default()
        };
        let program = Program::load(manifest, vec![], Box::new(()), &[&MODULE]).unwrap();
        let mut run = Run::new(Arc::new(program), None);
        let message = "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
                       X-A: one\r\nX-A: two\r\nCSeq: 1 OPTIONS\r\n\r\n";
        let message = Message::parse(Bytes::from(message)).unwrap();
        run.set_message(message, Source::default());
        run.set_var(0, Value::Str(b"name"));
        run.set_var(1, Value::Int(1));
        for text in [b"old", b"new"] {
            run.avps
                .push(super::super::Key::Text(b"name"), Value::Str(text))
                .unwrap();
            run.xavps
                .add_root(super::super::Space::Xavp, b"r", Value::Str(text))
                .unwrap();
        }
        run
    }

    fn text(run: &mut Run, format: &str) -> Result<String, FormatError> {
        let val = run.format(format.as_bytes())?;
        // SAFETY: the run's scratch memory is alive.
        match unsafe { val.view() } {
            Value::Str(text) => Ok(String::from_utf8_lossy(text).into_owned()),
            other => panic!("{other:?} is no text"),
        }
    }

    #[test]
    fn variables_are_replaced_by_name() {
        let mut run = run();
        for (format, expected) in [
            ("", ""),
            ("plain $$ text", "plain $ text"),
            ("$rm-$rU@$(rd)x", "OPTIONS-bob@example.comx"),
            (
                "$var(n) $vz(i) $vn(x) $var(never) $vn(never)",
                "name 1 <null> 0 <null>",
            ),
            (
                "$avp(name) $avp($var(n)) $(avp(name)[$var(i)]) $(avp(name)[*])",
                "new new old new, old",
            ),
            ("$(avp(name)[$var(n)])|$(avp(name)[-1])", "|old"),
            ("$xavp(r) $xavp(r[$var(i)]) $cnt($xavp(r))", "new old 2"),
            ("$hdr(X-A) $(hdr(x-a)[1])", "one two"),
            ("$(ru{uri.host}{s.len}) $(rU{s.substr,$var(i),1})", "11 o"),
            ("$(rU{s.toupper} {s.len}) $(hdr(No){s.len})|", "3 |"),
            ("$_s(<$rU>) $null $rs", "<bob> <null> <null>"),
            ("$rc $retcode $?", "0 0 0"),
        ] {
            assert_eq!(text(&mut run, format).as_deref(), Ok(expected), "{format}");
        }
    }

    #[test]
    fn what_is_no_format_is_refused() {
        let mut run = run();
        for format in [
            "$",
            "a $ b",
            "$nope",
            "$rm.",
            "$(rm",
            "$(rm[0)",
            "$(rm{s.nope})",
            "$(rm{s.substr})",
            "$(rm{s.len,1})",
            "$(rm{nope})",
            "$avp",
            "$rm(x)",
            "$avp(x.y)",
            "$(avp(x)[y])",
            "$xavp(a[1)",
        ] {
            assert!(text(&mut run, format).is_err(), "{format}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let mut run = run();
        let nested = "$_s(".repeat(100) + &")".repeat(100);
        assert_eq!(text(&mut run, &nested), Err(FormatError::TooDeep));
        let limit = run.program.settings.format_limit();
        let long = "x".repeat(limit + 1);
        assert_eq!(text(&mut run, &long), Err(FormatError::TooLong));
        let many = "$ru".repeat(limit / 3);
        assert_eq!(text(&mut run, &many), Err(FormatError::TooLong));
        assert!(text(&mut run, &"(".repeat(limit)).is_ok());
    }
}
