//! Whatever a builtin is given, the server lives and its memory stays small.
//!
//! A configuration is made for each function, variable and transformation. It calls it with values
//! of [`probe`] wherever values can be computed, and with constants that parse
//! where they cannot, in each kind of block that it may stand in; the request is relayed then, so
//! that what was done to it is built into a message. Constants themselves are parsed from bad text.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::declared::{self, Declared, What};
use crate::probe::{self, BAD, WITH_PROBE};
use crate::simulated::{Played, compile, message, play};
use crate::watched::watched;
use kcc::catalogue;
use kcc_runtime::declare::{ArgDecl, ArgKind, ConstantKind, FunctionDecl, PvDecl, Routes};
use kcc_runtime::value::Value;
use kcc_stdlib::MODULES;
use libtest_mimic::Trial;

/// The most memory that the process may ever have taken, in KiB; a tenth of it is usual.
const MEMORY: u64 = 1 << 20;

/// Texts that constants and names may be: of these the ones that parse are used.
const CONSTANTS: &[&str] = &[
    "1",
    "0",
    "-1",
    "31",
    "4294967296",
    "all",
    "this",
    "L_INFO",
    "location",
    "$avp(x)",
    "$xavp(x=>y)",
    "INVITE|ACK",
    "/a*/b/g",
    "^a",
    "(a*)*b",
    "a",
    ",",
    "127.0.0.1",
    "127.0.0.1:5080",
    "udp:127.0.0.1:5080",
    "sip:127.0.0.1:5080",
    "uri:host",
    "uri:port",
    "failure_route",
    "id_index",
    "upstream",
    "Contact",
    "To",
    "hour",
    "uri",
    "x",
    "s:x",
    "%Y",
];

/// How many constants are tried for one declaration.
const VARIANTS: usize = 4;

/// A trial for each function, variable and transformation, and one for each kind of constant.
pub fn trials() -> impl Iterator<Item = Trial> {
    let calls = declared::all().filter_map(|declared| {
        let name = format!("arguments: {}", declared.name());
        let calls = calls(&declared)?;
        Some(watched(name, move || check(&calls)))
    });
    let constants = constant_kinds().into_iter().map(|kind| {
        let name = format!("constant: {}", kind.name);
        watched(name, move || parse_bad(kind))
    });
    calls.chain(constants)
}

/// Whether the process stayed small.
pub fn stayed_small() -> bool {
    let peak = peak().unwrap_or(0);
    if peak > MEMORY {
        eprintln!("{peak} KiB of memory were taken: more than {MEMORY}");
    }
    peak <= MEMORY
}

/// The most memory that this process had at once, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// How a declaration is used.
struct Calls {
    /// Statements that use it, a list for each choice of constants. `$vn(a1)`, `$vn(a2)`, … are
    /// the values.
    statements: Vec<String>,
    /// How many values there are.
    values: usize,
    /// The blocks in which they may stand.
    routes: Routes,
}

fn calls(declared: &Declared) -> Option<Calls> {
    let variants = |of: &dyn Fn(usize) -> Option<String>| -> Vec<String> {
        let mut seen = HashSet::new();
        let statements = (0..VARIANTS).filter_map(of);
        statements
            .filter(|text| seen.insert(text.clone()))
            .collect()
    };
    Some(match declared.what {
        What::Function(decl) if decl.name.contains("avpflag") => return None,
        // What they send to the server itself comes back for ever.
        What::Function(decl) if matches!(decl.name, "send_data" | "sendx") => return None,
        // Takes a word that is no string.
        What::Function(decl) if decl.name == "udp_mtu_try_proto" => return None,
        What::Function(decl) if decl.name.starts_with("cfg_") => return None,
        What::Function(decl) => Calls {
            statements: variants(&|variant| {
                let form = Form::of(decl, declared.module.name);
                let args = decl.args.iter().enumerate();
                let args: Option<Vec<_>> = args
                    .map(|(n, arg)| argument(arg, n + 1, variant, form))
                    .collect();
                Some(format!(
                    "if ({}({})) {{ $vn(out) = 1; }}\n",
                    decl.name,
                    args?.join(", ")
                ))
            }),
            values: decl.args.len(),
            routes: decl.routes,
        },
        // Names that the configuration has to declare, or that no one can write.
        What::Variable(decl) if decl.name.starts_with("@cfg_") => return None,
        What::Variable(decl) if decl.name.contains(['%', ':']) => return None,
        What::Variable(decl) if matches!(decl.name, "sel" | "ccp") => return None,
        What::Variable(decl) if decl.name.starts_with('@') => Calls {
            statements: variants(&|variant| Some(select(decl, path(decl, variant)?))),
            values: 3,
            routes: Routes::ANY,
        },
        What::Variable(decl) => Calls {
            statements: variants(&|variant| Some(variable(decl, &inner_name(decl, variant)?))),
            values: 3,
            routes: Routes::ANY,
        },
        What::Transformation(decl) => Calls {
            statements: variants(&|variant| {
                let args = decl.args.iter().enumerate();
                let args: Option<String> = args
                    .map(|(n, arg)| {
                        let text = argument(arg, n + 2, variant, Form::Computed)?;
                        Some(format!(",{}", text.trim_matches('"')))
                    })
                    .collect();
                let (class, name) = (decl.class, decl.name);
                Some(format!(
                    "$vn(out) = $(vn(a1){{{class}.{name}{}}});\n",
                    args?
                ))
            }),
            values: decl.args.len() + 1,
            routes: Routes::REQUEST,
        },
        What::Module | What::Param(_) => return None,
    })
}

/// In what form a function takes values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As variables.
    Computed,
    /// As variables inside of constant strings.
    Quoted,
    /// Not at all: statements of the core take what is written.
    Written,
}

impl Form {
    fn of(decl: &FunctionDecl, module: &str) -> Form {
        if module == "core" {
            return Form::Written;
        }
        let constant = catalogue::functions(decl.name).any(|fact| fact.constant);
        match constant {
            true => Form::Quoted,
            false => Form::Computed,
        }
    }
}

/// Number `n` of a call's arguments.
fn argument(arg: &ArgDecl, n: usize, variant: usize, form: Form) -> Option<String> {
    Some(match arg.kind {
        ArgKind::Int | ArgKind::Flag if form == Form::Written => variant.to_string(),
        ArgKind::Parsed(kind) if form == Form::Written => {
            format!("\"{}\"", constant(kind, variant)?)
        }
        ArgKind::Text | ArgKind::Any if form == Form::Written => {
            format!("\"{}\"", CONSTANTS[variant])
        }

        ArgKind::Place => {
            let places = ["$vn(out)", "$avp(out)", "$ru", "$hdr(X-Account)"];
            let place = places[variant % places.len()];
            match form {
                Form::Quoted => format!("\"{place}\""),
                _ => place.to_owned(),
            }
        }
        // The port of forward().
        ArgKind::Parsed(kind) | ArgKind::Constant(kind) if form == Form::Written && n > 1 => {
            constant(kind, variant)?.to_owned()
        }
        ArgKind::Raw => format!("\"{}\"", CONSTANTS[variant]),
        ArgKind::Flag => format!("\"{variant}\""),
        ArgKind::Keyed(_) => format!("\"t=>$vn(a{n})\""),
        ArgKind::Constant(kind) => format!("\"{}\"", constant(kind, variant)?),
        _ if form == Form::Quoted => format!("\"$vn(a{n})\""),
        _ => format!("$vn(a{n})"),
    })
}

/// A constant of this kind: not all of the first ones that parse, for what they mean may differ.
fn constant(kind: &ConstantKind, variant: usize) -> Option<&'static str> {
    let parses = |text: &&&str| (kind.parse)(text.as_bytes()).is_ok();
    let all: Vec<&str> = CONSTANTS.iter().filter(parses).copied().collect();
    match all.len() {
        0 => None,
        n => Some(all[variant * n.div_ceil(VARIANTS) % n]),
    }
}

/// Paths that selects may have.
const PATHS: [&str; 24] = [
    "",
    ".user",
    ".hostport",
    ".params.x",
    ".uri",
    ".uri.host",
    ".name",
    ".params.tag",
    "[1].host",
    "[-1].branch",
    ".num",
    ".header.x_a[1]",
    ".header.from.nameaddr.uri.user",
    ".body.sdp.line.c",
    ".id.hex",
    ".ip_port",
    ".proto_ip_port",
    ".now.utc",
    ".unique",
    ".count",
    ".uri[0]",
    ".uriq",
    "[\"x\"].username.user",
    ".x_a[2].uri",
];

/// A path that the select has.
fn path(decl: &PvDecl, variant: usize) -> Option<&'static str> {
    let Some(ArgKind::Constant(kind)) = decl.inner.map(|inner| inner.kind) else {
        return None;
    };
    let mut all = PATHS
        .into_iter()
        .filter(|path| (kind.parse)(path.as_bytes()).is_ok());
    all.nth(variant)
}

/// Reads a select.
fn select(decl: &PvDecl, path: &str) -> String {
    format!("$vn(out) = {}{path};\n", decl.name)
}

/// What stands in the parentheses of a variable, parentheses included.
fn inner_name(decl: &PvDecl, variant: usize) -> Option<String> {
    let Some(inner) = decl.inner else {
        return Some(String::new());
    };
    let kind = match inner.kind {
        ArgKind::Constant(kind) => kind,
        ArgKind::Parsed(kind) if variant > 0 => kind,
        ArgKind::Flag => return Some(format!("({variant})")),
        ArgKind::Keyed(_) => return Some("(t=>$vn(a1))".to_owned()),
        _ => return Some("($vn(a1))".to_owned()),
    };
    let known = catalogue::pv(decl.name).flat_map(|fact| fact.inner_names());
    let parses = |text: &&str| (kind.parse)(text.as_bytes()).is_ok();
    let all: Vec<&str> = known
        .chain(CONSTANTS.iter().copied())
        .filter(parses)
        .collect();
    match all.len() {
        0 => None,
        n => Some(format!("({})", all[variant * n.div_ceil(VARIANTS) % n])),
    }
}

fn variable(decl: &PvDecl, inner: &str) -> String {
    let name = decl.name;
    let mut text =
        format!("$vn(out) = $({name}{inner});\nxlog(\"L_DBG\", \"$({name}{inner})\\n\");\n");
    text.push_str(&format!(
        "if ($({name}{inner}) == $vn(a2)) {{ $vn(out) = 1; }}\n"
    ));
    if decl.index {
        for index in ["0", "-1", "2147483647", "*", "$vn(a3)"] {
            let _ = writeln!(text, "$vn(out) = $({name}{inner}[{index}]);");
        }
    }
    if decl.write.is_some() {
        let _ = writeln!(text, "$({name}{inner}) = $vn(a2);");
        let _ = writeln!(text, "$vn(out) = $({name}{inner});");
        if decl.index {
            for index in ["*", "$vn(a3)"] {
                let _ = writeln!(text, "$({name}{inner}[{index}]) = $vn(a2);");
            }
        }
    }
    text
}

/// The kinds of block that calls are made in: where `$probe(0)` is its number.
const KINDS: &[(Routes, &str)] = &[
    (Routes::REQUEST, "route[CALL]"),
    (Routes::FAILURE, "failure_route[F]"),
    (Routes::TM_ONREPLY, "onreply_route[R]"),
    (Routes::BRANCH, "branch_route[B]"),
    (Routes::BRANCH_FAILURE, "event_route[tm:branch-failure:BF]"),
    (Routes::CORE_ONREPLY, "reply_route"),
];

fn configuration(calls: &Calls, statement: &str) -> String {
    let mut text = declared::load_all();
    text.push_str("loadmodule \"probe.so\"\n");
    // Without it xhttp does not start.
    text.push_str("event_route[xhttp:request] { exit; }\n");
    text.push_str("modparam(\"htable\", \"htable\", \"t=>autoexpire=1;initval=0\")\n");
    text.push_str(
        "request_route {\n\
         if (!mf_process_maxfwd_header(\"3\")) exit;\n\
         t_on_failure(\"F\"); t_on_reply(\"R\"); t_on_branch(\"B\"); t_on_branch_failure(\"BF\");\n\
         route(CALL);\n\
         t_relay();\n\
         }\n",
    );
    for (n, (kind, block)) in KINDS.iter().enumerate() {
        let body = match calls.routes.allows(*kind) {
            true => statement,
            false => "$vn(out) = 0;\n",
        };
        let _ = writeln!(text, "{block} {{\nif ($probe(0) == {n}) {{");
        for value in 1..=calls.values {
            let _ = writeln!(text, "$vn(a{value}) = $probe({value});");
        }
        let _ = writeln!(
            text,
            "xlog(\"L_DBG\", \"called in {block}\\n\");\n{body}}}\n}}"
        );
    }
    text
}

fn check(calls: &Calls) -> Result<(), String> {
    if calls.statements.is_empty() {
        return Err("no constant is known that it takes".to_owned());
    }
    for statement in &calls.statements {
        let text = configuration(calls, statement);
        let told = |error: String| format!("{error}\nin\n{text}");
        let program = compile(&text, &WITH_PROBE).map_err(told)?;
        play(program, Some("486 Busy Here"), async |played| {
            let mut number = 0;
            for (n, (kind, block)) in KINDS.iter().enumerate() {
                if !calls.routes.allows(*kind) {
                    continue;
                }
                let mut called = false;
                for (what, values) in cases(calls.values, *kind == Routes::REQUEST) {
                    number += 1;
                    probe::set([Value::Int(n as i64)].into_iter().chain(values));
                    let log = one(&played, number)
                        .await
                        .map_err(|error| format!("{what}, in {block}: {error}\nin\n{statement}"))?;
                    called |= log.contains(&format!("called in {block}\n"));
                }
                if !called {
                    return Err(format!("nothing is ever called in {block}"));
                }
            }
            played.end().await;
            played.log().map(drop)
        })?;
    }
    Ok(())
}

/// Sends the messages of one case; answers with what was logged.
async fn one(played: &Played, number: usize) -> Result<String, String> {
    let mut all = String::new();
    let message = match number % 4 {
        0 => message::odd(number),
        1 => message::register(number),
        2 => message::bye(number),
        _ => message::invite(number),
    };
    for message in [message::invite(2 * number), message] {
        played.send(message.as_bytes()).await;
        let log = played.log()?;
        if log.len() > 8 << 20 {
            return Err(format!("{} bytes are logged for one message", log.len()));
        }
        all.push_str(&log);
    }
    Ok(all)
}

/// What the values are: bad ones for all; with `each`, bad ones in one place, too.
fn cases(count: usize, each: bool) -> Vec<(String, Vec<Value<'static>>)> {
    let fair = [
        Value::Str(b"alice"),
        Value::Int(1),
        Value::Str(b"sip:bob@127.0.0.1:5080"),
    ];
    let mut all: Vec<_> = fair
        .iter()
        .map(|value| ("all fair".to_owned(), vec![*value; count]))
        .collect();
    for (what, value) in BAD {
        all.push((format!("all {what}"), vec![*value; count]));
        if !each || count < 2 {
            continue;
        }
        for place in 0..count {
            let mut values = vec![fair[(place + what.len()) % fair.len()]; count];
            values[place] = *value;
            all.push((format!("number {} {what}", place + 1), values));
        }
    }
    all
}

/// Every kind of constant of the declarations.
fn constant_kinds() -> Vec<&'static ConstantKind> {
    let functions = MODULES.iter().flat_map(|module| module.functions());
    let pvs = MODULES.iter().flat_map(|module| module.pvs());
    let transformations = MODULES.iter().flat_map(|module| module.transformations());
    let args = functions.flat_map(|decl| decl.args);
    let args = args.chain(pvs.filter_map(|decl| decl.inner.as_ref()));
    let args = args.chain(transformations.flat_map(|decl| decl.args));
    let mut seen = HashSet::new();
    args.filter_map(|arg| match arg.kind {
        ArgKind::Constant(kind) | ArgKind::Parsed(kind) => Some(kind),
        _ => None,
    })
    .filter(|kind| seen.insert(kind.name))
    .collect()
}

/// Parses what is no constant, and what nearly is one: nothing but an error may come of it.
fn parse_bad(kind: &ConstantKind) -> Result<(), String> {
    for (_, value) in BAD {
        if let Value::Str(text) = value {
            drop((kind.parse)(text));
        }
    }
    for text in CONSTANTS {
        for at in 0..=text.len() {
            drop((kind.parse)(&text.as_bytes()[..at]));
            for byte in *b"\0\xff\\[({*/$,:;=9-" {
                let mut changed = text.as_bytes().to_vec();
                changed.insert(at, byte);
                drop((kind.parse)(&changed));
            }
        }
    }
    Ok(())
}
