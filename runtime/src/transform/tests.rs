//! The transformations on `vectors.txt`.

use std::sync::Arc;

use crate::declare::{ArgKind, Constant, Part, TransformationDecl};
use crate::program::{Manifest, Program};
use crate::run::Run;
use crate::value::{Val, Value, tag};

static PARTS: &[&Part] = &[
    &super::address::exports::PART,
    &super::alias::exports::PART,
    &super::line::exports::PART,
    &super::param::exports::PART,
    &super::string::change::exports::PART,
    &super::string::cut::exports::PART,
    &super::string::digest::exports::PART,
    &super::string::encode::exports::PART,
    &super::string::escape::exports::PART,
    &super::string::measure::exports::PART,
    &super::substitute::exports::PART,
    &super::uri::exports::PART,
    &super::value::exports::PART,
];

fn all() -> impl Iterator<Item = &'static TransformationDecl> {
    PARTS.iter().flat_map(|part| part.transformations)
}

fn run() -> Box<Run> {
    let program = Program::load(Manifest::default(), vec![], Box::new(()), &[]).unwrap();
    Run::new(Arc::new(program), None)
}

/// The text with `\n`, `\r`, `\t`, `\0` and `\\` read.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        let escaped = |c| match c {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => 0,
            c => c,
        };
        out.push(match byte {
            b'\\' => escaped(rest.next().unwrap()),
            byte => byte,
        });
    }
    out
}

/// The parameters of one transformation; `text` begins after its name. Gives what follows it too.
fn parameters(text: &str, name: &str) -> (Vec<String>, String) {
    let mut given = Vec::new();
    let mut rest = text;
    while let Some(tail) = rest.strip_prefix(',') {
        let end = match (name, given.len()) {
            ("re.subst", _) => tail.rfind('}').unwrap(),
            ("s.select", 1) => 1 + usize::from(tail.starts_with('\\')),
            ("param.count", 0) | ("s.count", 0) if tail.starts_with(',') => 1,
            _ => tail.find([',', '}']).unwrap(),
        };
        // Leading blanks of a text parameter are left out.
        let text = match name {
            "s.select" => &tail[..end],
            _ => tail[..end].trim_start(),
        };
        given.push(text.to_owned());
        rest = &tail[end..];
    }
    (given, rest.strip_prefix('}').unwrap().to_owned())
}

fn apply(run: &mut Run, input: Val, chain: &str) -> Val {
    let Some(text) = chain.trim_start().strip_prefix('{') else {
        return input;
    };
    let end = text.find([',', '}']).unwrap();
    let name = text[..end].trim().to_ascii_lowercase();
    let (given, rest) = parameters(&text[end..], &name);
    let decl = all()
        .find(|decl| name == format!("{}.{}", decl.class, decl.name))
        .unwrap_or_else(|| panic!("no transformation {name}"));
    let mut constants: Vec<Constant> = Vec::new();
    let mut args = vec![input];
    for (n, arg) in decl.args.iter().enumerate() {
        let Some(text) = given.get(n) else {
            assert!(arg.optional, "{name}");
            args.push(Val::NULL);
            continue;
        };
        args.push(match arg.kind {
            ArgKind::Constant(kind) | ArgKind::Parsed(kind) => {
                constants.push((kind.parse)(text.as_bytes()).unwrap());
                Val {
                    tag: tag::CONSTANT,
                    data: constants[constants.len() - 1].address() as u64,
                }
            }
            _ => run.text(text.as_bytes()),
        });
    }
    if input.kind() == tag::NULL && !decl.takes_null {
        return Val::FAIL;
    }
    let result = Val::from((decl.shim)(run, args.as_ptr()));
    let result = match result.kind() {
        // What follows takes text.
        tag::INT if !rest.is_empty() => {
            let digits = (result.data as i64).to_string();
            run.text(digits.as_bytes())
        }
        _ => result,
    };
    match result.kind() {
        tag::FAIL => result,
        _ => apply(run, result, &rest),
    }
}

#[test]
fn results_are_those_of_the_vectors() {
    let mut wrong = Vec::new();
    for line in include_str!("vectors.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let fields: Vec<&str> = line.split('\t').collect();
        let [input, chain, ty, value] = fields[..] else {
            panic!("{line}")
        };
        let mut run = run();
        let input = match input.as_bytes()[0] {
            b'"' => run.text(&unescaped(&input[1..input.len() - 1])),
            b'\'' => run.text(&input.as_bytes()[1..input.len() - 1]),
            b'$' => Val::NULL,
            _ => run.text(input.as_bytes()),
        };
        let result = apply(&mut run, input, chain);
        // SAFETY: the scratch memory of the run is alive.
        let (found, text) = match (result.kind(), unsafe { result.view() }) {
            (tag::FAIL, _) => ("error", Vec::new()),
            (_, Value::Int(n)) => ("int", n.to_string().into_bytes()),
            (_, Value::Str(text)) => ("str", text.to_vec()),
            (kind, _) => panic!("{line}: kind {kind}"),
        };
        if (found, &text) != (ty, &unescaped(value)) {
            wrong.push(format!(
                "{line}: {found} {:?}",
                String::from_utf8_lossy(&text)
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_input_makes_a_transformation_panic() {
    let long = vec![b'\\'; 70_000];
    let inputs: [&[u8]; 12] = [
        b"",
        b"\0",
        b"\xff\xfe",
        b"%",
        b"%4",
        b"<",
        b"\"",
        b"=",
        b"sip:",
        b"\r\n",
        b"~~",
        &long,
    ];
    let parameters = [
        "",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "x",
        "\u{1}",
    ];
    for decl in all() {
        for input in inputs {
            for parameter in parameters {
                let mut run = run();
                let mut constants = Vec::new();
                let mut args = vec![run.text(input)];
                for arg in decl.args {
                    let text = parameter.as_bytes();
                    args.push(match arg.kind {
                        ArgKind::Constant(kind) => {
                            constants.extend((kind.parse)(b"/(a*)(b)?/\\1\\9/g"));
                            let Some(constant) = constants.last() else {
                                continue;
                            };
                            Val {
                                tag: tag::CONSTANT,
                                data: constant.address() as u64,
                            }
                        }
                        _ => Val::str(text),
                    });
                }
                let result = Val::from((decl.shim)(&mut *run, args.as_ptr()));
                assert!(!run.failed, "{}.{}", decl.class, decl.name);
                assert_ne!(result.kind(), tag::STOP);
            }
        }
    }
}

#[test]
fn binary_text_survives_its_encodings() {
    let bytes: Vec<u8> = (0..=255).collect();
    for (there, back) in [
        ("{s.encode.hexa}", "{s.decode.hexa}"),
        ("{s.encode.base64}", "{s.decode.base64}"),
        ("{s.encode.base64t}", "{s.decode.base64t}"),
        ("{s.encode.base64url}", "{s.decode.base64url}"),
        ("{s.encode.base64urlt}", "{s.decode.base64urlt}"),
        ("{s.encode.base58}", "{s.decode.base58}"),
        ("{s.escape.user}", "{s.unescape.user}"),
        ("{s.escape.param}", "{s.unescape.param}"),
        ("{s.escape.common}", "{s.unescape.common}"),
        ("{s.urlencode.param}", "{s.urldecode.param}"),
    ] {
        let mut run = run();
        let input = run.text(&bytes);
        let result = apply(&mut run, input, &format!("{there}{back}"));
        // SAFETY: the scratch memory of the run is alive.
        assert_eq!(unsafe { result.view() }, Value::Str(&bytes), "{there}");
    }
}
