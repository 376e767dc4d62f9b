//! Variables as a configuration writes them, read and assigned as compiled code does it.

use crate::abi::Pair;
use crate::declare::{ArgDecl, ArgKind, Constant, Index, Part, PvDecl};
use crate::run::Run;
use crate::value::{Val, Value, tag};

static PARTS: &[&Part] = &[
    &super::super::avp::exports::PART,
    &super::super::body::exports::PART,
    &super::super::branches::exports::PART,
    &super::super::common::exports::PART,
    &super::super::credentials::exports::PART,
    &super::super::flags::exports::PART,
    &super::super::from_to::exports::PART,
    &super::super::header::exports::PART,
    &super::super::network::exports::PART,
    &super::super::next_hop::exports::PART,
    &super::super::process::core::PART,
    &super::super::process::exports::PART,
    &super::super::request_uri::exports::PART,
    &super::super::sockets::exports::PART,
    &super::super::start_line::exports::PART,
    &super::super::time::exports::PART,
    &super::super::static_branch::exports::PART,
    &super::super::via::exports::PART,
    &super::super::xavp::exports::PART,
];

/// A variable as it is written, with the arguments that compiled code would pass.
struct Written {
    decl: &'static PvDecl,
    args: Vec<Val>,
    _constants: Vec<Constant>,
}

fn argument(decl: &ArgDecl, text: &'static str, constants: &mut Vec<Constant>) -> Val {
    match decl.kind {
        ArgKind::Constant(kind) | ArgKind::Parsed(kind) => {
            constants.push((kind.parse)(text.as_bytes()).unwrap());
            Val {
                tag: tag::CONSTANT,
                data: constants[constants.len() - 1].address() as u64,
            }
        }
        ArgKind::Flag => Val::int(text.parse().unwrap()),
        _ => Val::str(text.as_bytes()),
    }
}

fn written(text: &'static str) -> Written {
    let text = text.strip_prefix('$').unwrap();
    let text = match text.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')').unwrap(),
        None => text,
    };
    let (text, index) = match text.strip_suffix(']') {
        Some(text) => text.rsplit_once('[').unwrap(),
        None => (text, ""),
    };
    let (name, inner) = match text.split_once('(') {
        Some((name, inner)) => (name, Some(inner.strip_suffix(')').unwrap())),
        None => (text, None),
    };
    let mut pvs = PARTS.iter().flat_map(|part| part.pvs);
    let decl = pvs
        .find(|pv| pv.name == name || pv.aliases.contains(&name))
        .unwrap_or_else(|| panic!("no variable {name}"));
    assert_eq!(decl.inner.is_some(), inner.is_some(), "{name}");
    let (mut args, mut constants) = (Vec::new(), Vec::new());
    if let (Some(arg), Some(inner)) = (&decl.inner, inner) {
        args.push(argument(arg, inner, &mut constants));
        if let ArgKind::Constant(kind) = arg.kind {
            let holes = kind.holes.map_or(0, |holes| holes.count);
            args.resize(1 + holes, Val::NULL);
        }
    }
    if decl.index {
        args.push(match index {
            "" => Val::NULL,
            "*" => Index::ALL,
            n => Val::int(n.parse().unwrap()),
        });
    }
    Written {
        decl,
        args,
        _constants: constants,
    }
}

fn shown(val: Val) -> String {
    assert_ne!(val.kind(), tag::STOP);
    // SAFETY: what a reader gives is alive until the run is reset.
    match unsafe { val.view() } {
        Value::Null => "<null>".into(),
        Value::Int(n) => format!("#{n}"),
        Value::Str(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

pub fn read(run: &mut Run, text: &'static str) -> String {
    let it = written(text);
    shown((it.decl.read)(run, it.args.as_ptr()).into())
}

pub fn read_int(run: &mut Run, text: &'static str) -> String {
    let it = written(text);
    let (_, shim) = it.decl.read_int.unwrap();
    shown(shim(run, it.args.as_ptr()).into())
}

pub fn write(run: &mut Run, text: &'static str, value: Value<'_>) -> bool {
    let mut it = written(text);
    it.args.push(value.into());
    let (_, shim) = it.decl.write.unwrap();
    Pair::from(shim(run, it.args.as_ptr())).value > 0
}
