//! Every declaration is documented, and the examples of its manual compile and run.
//!
//! An example stands in the block that its declaration allows, unless it has blocks of its own; all
//! modules are loaded, and the blocks that it names exist. It runs on a call, a BYE, a CANCEL, a
//! registration and a text message, between a caller and a callee who answers, refuses or is silent.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::declared::{self, Declared, What};
use crate::simulated::{compile, message, play};
use crate::watched::watched;
use kcc_runtime::declare::Routes;
use kcc_stdlib::MODULES;
use libtest_mimic::Trial;

/// A trial for each declaration.
pub fn trials() -> impl Iterator<Item = Trial> {
    declared::all().map(|declared| {
        let name = format!("example: {}", declared.name());
        watched(name, move || check(&declared))
    })
}

fn check(declared: &Declared) -> Result<(), String> {
    let doc = declared.doc().trim();
    let paragraph = doc.split("\n\n").next().unwrap_or_default();
    if !paragraph.ends_with('.') && !paragraph.ends_with(".)") {
        return Err(format!("the summary is no sentence: {paragraph:?}"));
    }
    let examples = examples(doc);
    if examples.is_empty() && matches!(declared.what, What::Function(_)) {
        return Err("the manual has no example (```cfg)".to_owned());
    }
    for example in examples {
        let text = configuration(&example, declared);
        run(&text).map_err(|error| format!("{error}\nin\n{text}"))?;
    }
    Ok(())
}

/// The blocks of a manual that are marked as configuration.
fn examples(doc: &str) -> Vec<String> {
    let parts = doc.split("```cfg\n").skip(1);
    parts
        .map(|part| part.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

fn run(text: &str) -> Result<(), String> {
    for answer in [Some("200 OK"), Some("486 Busy Here"), None] {
        let program = compile(text, MODULES)?;
        play(program, answer, async |played| {
            for sent in [
                message::invite(1),
                message::register(2),
                message::bye(3),
                message::text(4, "hello"),
                message::invite(5),
                message::cancel(5),
            ] {
                played.send(sent.as_bytes()).await;
                played.log()?;
            }
            played.end().await;
            played.log()?;
            match played.transactions() {
                0 => Ok(()),
                n => Err(format!("{n} transactions never end")),
            }
        })?;
    }
    Ok(())
}

/// A whole configuration around an example.
fn configuration(example: &str, declared: &Declared) -> String {
    let loaded = |line: &&str| !example.contains(line.trim_end_matches(".so\""));
    let mut text: String = declared::load_all()
        .lines()
        .filter(loaded)
        .flat_map(|line| [line, "\n"])
        .collect();
    let blocks = Blocks::of(example);
    if !blocks.file_level {
        let kind = match declared.what {
            What::Function(decl) => decl.routes,
            _ => Routes::ANY,
        };
        text.push_str(&wrapped(example, kind));
    } else {
        text.push_str(example);
        if !blocks.has_request_route {
            let _ = write!(
                text,
                "request_route {{\n{}    t_relay();\n}}\n",
                blocks.armed
            );
        }
    }
    let defined = Blocks::of(&text).defined;
    let mut wanted = named(&text);
    // Without it xhttp does not start.
    wanted.insert("event_route[xhttp:request]".to_owned());
    for block in wanted.difference(&defined) {
        let _ = writeln!(text, "{block} {{ xlog(\"L_DBG\", \"reached\\n\"); }}");
    }
    text
}

/// The example in a block of the first kind that it may stand in.
fn wrapped(example: &str, routes: Routes) -> String {
    let (block, armed) = match () {
        () if routes.allows(Routes::REQUEST) => {
            return format!("request_route {{\n{example}}}\n");
        }
        () if routes.allows(Routes::FAILURE) => {
            ("failure_route[EXAMPLE]", "t_on_failure(\"EXAMPLE\");")
        }
        () if routes.allows(Routes::TM_ONREPLY) => {
            ("onreply_route[EXAMPLE]", "t_on_reply(\"EXAMPLE\");")
        }
        () if routes.allows(Routes::BRANCH) => {
            ("branch_route[EXAMPLE]", "t_on_branch(\"EXAMPLE\");")
        }
        () if routes.allows(Routes::CORE_ONREPLY) => ("reply_route", ""),
        () if routes.allows(Routes::BRANCH_FAILURE) => (
            "event_route[tm:branch-failure:EXAMPLE]",
            "t_on_branch_failure(\"EXAMPLE\");",
        ),
        () => ("onsend_route", ""),
    };
    format!("request_route {{ {armed} t_relay(); }}\n{block} {{\n{example}}}\n")
}

/// What stands outside of braces in an example.
#[derive(Default)]
struct Blocks {
    /// Something stands there that cannot stand in a block.
    file_level: bool,
    has_request_route: bool,
    /// The blocks, as they begin.
    defined: BTreeSet<String>,
    /// Statements that make the blocks run.
    armed: String,
}

impl Blocks {
    fn of(text: &str) -> Blocks {
        let mut blocks = Blocks::default();
        for line in text.lines() {
            // A line of a block, and a statement that goes on, are indented.
            if line.starts_with([' ', '\t', '}']) {
                continue;
            }
            let word: String = line
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let rest = line[word.len()..].trim_start();
            let block = word == "route" || word.ends_with("_route");
            let setting = !word.is_empty() && rest.starts_with('=') && !rest.starts_with("==");
            let file = [
                "modparam",
                "loadmodule",
                "loadpath",
                "flags",
                "include_file",
            ];
            blocks.file_level |= setting || line.starts_with("#!") || file.contains(&&*word);
            if !block || !rest.starts_with(['[', '{']) {
                continue;
            }
            blocks.file_level = true;
            blocks.has_request_route |= word == "request_route";
            let head = line.split('{').next().unwrap_or_default().trim().to_owned();
            let name = head
                .split_once('[')
                .map(|(_, name)| name.trim_end_matches(']'));
            if let Some(name) = name {
                blocks.armed.push_str(&arming(&word, name));
            }
            blocks.defined.insert(head);
        }
        blocks
    }
}

fn arming(block: &str, name: &str) -> String {
    let branch_failure = name.strip_prefix("tm:branch-failure:");
    match (block, branch_failure) {
        ("failure_route", _) => format!("    t_on_failure(\"{name}\");\n"),
        ("onreply_route", _) => format!("    t_on_reply(\"{name}\");\n"),
        ("branch_route", _) => format!("    t_on_branch(\"{name}\");\n"),
        ("route", _) => format!("    route({name});\n"),
        ("event_route", Some(name)) => format!("    t_on_branch_failure(\"{name}\");\n"),
        _ => String::new(),
    }
}

/// The blocks that a text calls or arms.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("route(") {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = text[at + "route(".len()..]
            .split(')')
            .next()
            .unwrap_or_default();
        let name = name.trim_matches('"');
        let other = text[..at].ends_with(word);
        if !other && !name.is_empty() && name.chars().all(word) {
            found.insert(format!("route[{name}]"));
        }
    }
    for (decl, n, kind) in declared::block_arguments() {
        for part in text.split(&format!("{}(", decl.name)).skip(1) {
            let list = part.split(')').next().unwrap_or_default();
            let name = list
                .split(',')
                .nth(n)
                .unwrap_or_default()
                .trim()
                .trim_matches('"');
            if name.is_empty() || name == "0" {
                continue;
            }
            found.insert(match kind {
                Routes::FAILURE => format!("failure_route[{name}]"),
                Routes::TM_ONREPLY | Routes::ONREPLY => format!("onreply_route[{name}]"),
                Routes::BRANCH => format!("branch_route[{name}]"),
                Routes::BRANCH_FAILURE => format!("event_route[tm:branch-failure:{name}]"),
                _ => format!("route[{name}]"),
            });
        }
    }
    found
}
