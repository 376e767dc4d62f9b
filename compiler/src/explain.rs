//! The manual of a name: from its declaration, from the words of the language, or what Kamailio
//! knows of it.
//!
//! A name may stand as it does in a configuration: `$(hdr(From){s.len})`, `route[x]`, `save("location")`.

mod language;

use std::fmt::Write as _;

use kcc_runtime::declare::{
    ArgDecl, EventDecl, FunctionDecl, Module, ParamDecl, PvDecl, TransformationDecl,
};

use crate::catalogue;
use crate::diagnostic::nearest;

/// What there is to say about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its manual, or what Kamailio knows of it.
    Manual(String),
    /// Nobody knows it: a message with the nearest name.
    Unknown(String),
}

/// Looks `name` up among `modules` and the language's words, then among what Kamailio knows.
pub fn explain(name: &str, modules: &[&'static Module]) -> Answer {
    let wanted = Wanted::read(name);
    let mut entries: Vec<String> = wanted.words.iter().filter_map(|word| own(word)).collect();
    entries.extend(declared(&wanted, modules));
    if entries.is_empty() {
        entries = known(&wanted, modules);
    }
    if entries.is_empty() {
        return Answer::Unknown(unknown(name, &wanted, modules));
    }
    entries.dedup();
    Answer::Manual(entries.join("\n"))
}

/// What a name as written may stand for.
#[derive(Debug, Default)]
struct Wanted<'a> {
    /// A word of the language, a function, a module.
    words: Vec<&'a str>,
    /// Name of a variable, without `$`.
    variable: Option<&'a str>,
    /// Two names with a dot between: a transformation or a module and its parameter.
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Wanted<'a> {
    fn read(written: &'a str) -> Wanted<'a> {
        let written = written.trim();
        let mut wanted = Wanted::default();
        let mut rest = written;
        if let Some(variable) = written.strip_prefix('$').filter(|name| !name.is_empty()) {
            let variable = variable.strip_prefix('(').unwrap_or(variable);
            let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '?');
            let end = variable.find(|c| !in_name(c)).unwrap_or(variable.len());
            let (name, after) = variable.split_at(end);
            wanted.variable = Some(name);
            rest = after;
        }
        if let Some(select) = written.strip_prefix('@') {
            let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = select.find(|c| !in_name(c)).unwrap_or(select.len());
            wanted.variable = written.get(..1 + end);
            return wanted;
        }
        if wanted.variable.is_some() || written.starts_with('{') {
            for part in rest.split('{').skip(1) {
                let name = part.split([',', '}']).next().unwrap_or(part);
                wanted.pairs.extend(name.trim().split_once('.'));
            }
            return wanted;
        }
        wanted.words.push(written);
        if let Some(event) = written.strip_prefix("event_route[") {
            wanted.words.push(event.trim_end_matches(']').trim());
            return wanted;
        }
        // A call or a block is known by the name in front.
        if let Some(end) = written.find(['(', '[']).filter(|end| *end > 0) {
            wanted.words.push(written[..end].trim_end());
        }
        wanted.pairs.extend(written.split_once('.'));
        wanted
    }
}

/// The entry of a word of the language.
fn own(name: &str) -> Option<String> {
    let name = match name.strip_prefix("!!") {
        Some(directive) => format!("#!{directive}"),
        None => name.to_owned(),
    };
    let word = language::word(&name)?;
    Some(format!("{}\n\n{}\n", word.form, word.text))
}

fn declared(wanted: &Wanted<'_>, modules: &[&'static Module]) -> Vec<String> {
    let mut entries = Vec::new();
    if let Some(variable) = wanted.variable {
        entries.extend(own(&format!("${variable}")));
    }
    for module in modules {
        if wanted.words.contains(&module.name) {
            entries.push(module_manual(module));
        }
        let core = module.name == "core";
        let named = |f: &&FunctionDecl| {
            let mut words = wanted.words.iter();
            words.any(|name| f.is_named(name) || (core && is_synonym(f.name, name)))
        };
        let functions = module.functions().filter(named);
        entries.extend(functions.map(|f| function_manual(module, f)));
        if let Some(variable) = wanted.variable {
            let pvs = module
                .pvs()
                .filter(|pv| pv.name == variable || pv.aliases.contains(&variable));
            entries.extend(pvs.map(|pv| pv_manual(module, pv)));
        }
        for (class, operation) in &wanted.pairs {
            let matching = module
                .transformations()
                .filter(|t| t.class == *class && t.name.eq_ignore_ascii_case(operation));
            entries.extend(matching.map(|t| transformation_manual(module, t)));
            let param = module.param(operation).filter(|_| *class == module.name);
            entries.extend(param.map(|param| param_manual(module, param)));
        }
        for event in module.events() {
            if wanted.words.iter().any(|word| event.is_named(word)) {
                entries.push(event_manual(module, event));
            }
        }
        let params = wanted.words.iter().filter_map(|name| module.param(name));
        entries.extend(params.map(|param| param_manual(module, param)));
    }
    entries
}

/// Whether the core's statement `name` is also called `other`.
fn is_synonym(name: &str, other: &str) -> bool {
    catalogue::core_function(other).any(|fact| fact.synonyms().any(|synonym| synonym == name))
}

fn module_manual(module: &Module) -> String {
    let mut text = format!("module {}\n\n{}\n", module.name, module.doc.trim());
    let mut list = |title: &str, mut words: Vec<String>| {
        if !words.is_empty() {
            words.sort();
            words.dedup();
            // Writing into a `String` does not fail.
            let _ = write!(text, "\n{title}: {}\n", words.join(", "));
        }
    };
    list(
        "Functions",
        module.functions().map(|f| f.name.to_owned()).collect(),
    );
    let params = module.params.map_or(&[][..], |params| params.list);
    list(
        "Parameters",
        params.iter().map(|param| param.name.to_owned()).collect(),
    );
    list(
        "Variables",
        module.pvs().filter_map(|pv| written_pv(pv.name)).collect(),
    );
    list(
        "Events",
        module.events().map(|event| event.name.to_owned()).collect(),
    );
    let transformations = module.transformations();
    list(
        "Transformations",
        transformations
            .map(|t| format!("{{{}.{}}}", t.class, t.name))
            .collect(),
    );
    text
}

fn function_manual(module: &Module, function: &FunctionDecl) -> String {
    let mut title = format!("{}({})", function.name, arguments(function.args));
    let _ = write!(title, "    module {}, in {}", module.name, function.routes);
    if function.suspends {
        title.push_str(", may wait");
    }
    if !function.aliases.is_empty() {
        let _ = write!(title, ", also {}", function.aliases.join(", "));
    }
    format!("{title}\n\n{}\n", function.doc.trim())
}

fn arguments(args: &[ArgDecl]) -> String {
    let mut text = String::new();
    for (n, arg) in args.iter().enumerate() {
        if arg.optional {
            text.push('[');
        }
        if n > 0 {
            text.push_str(", ");
        }
        text.push_str(arg.name);
    }
    text.extend(args.iter().filter(|arg| arg.optional).map(|_| ']'));
    text
}

/// A variable or select as it is written; `None` for what only the language itself names.
fn written_pv(name: &str) -> Option<String> {
    match name {
        "%" => None,
        name if name.contains(':') => None,
        name if name.starts_with('@') => Some(name.to_owned()),
        name => Some(format!("${name}")),
    }
}

fn pv_manual(module: &Module, pv: &PvDecl) -> String {
    let select = pv.name.starts_with('@');
    let inner = pv
        .inner
        .filter(|_| !select)
        .map(|inner| format!("({})", inner.name))
        .unwrap_or_default();
    let index = if pv.index { ", with an index" } else { "" };
    let write = if pv.write.is_some() {
        "read and write"
    } else {
        "read only"
    };
    let others: Vec<_> = pv
        .aliases
        .iter()
        .filter_map(|name| written_pv(name))
        .collect();
    let others = match others.as_slice() {
        [] => String::new(),
        list => format!(", also {}", list.join(", ")),
    };
    format!(
        "{}{inner}    module {}, {write}{index}{others}\n\n{}\n",
        written_pv(pv.name).unwrap_or_default(),
        module.name,
        pv.doc.trim()
    )
}

fn transformation_manual(module: &Module, decl: &TransformationDecl) -> String {
    let args: String = decl
        .args
        .iter()
        .map(|arg| format!(",{}", arg.name))
        .collect();
    format!(
        "{{{}.{}{args}}}    module {}\n\n{}\n",
        decl.class,
        decl.name,
        module.name,
        decl.doc.trim()
    )
}

fn event_manual(module: &Module, event: &EventDecl) -> String {
    format!(
        "event_route[{}]    module {}\n\n{}\n",
        event.name,
        module.name,
        event.doc.trim()
    )
}

fn param_manual(module: &Module, param: &ParamDecl) -> String {
    let default = match param.default {
        "" => String::new(),
        default => format!(", default {default}"),
    };
    format!(
        "modparam(\"{}\", \"{}\", …)    {:?}{default}\n\n{}\n",
        module.name,
        param.name,
        param.ty,
        param.doc.trim()
    )
}

/// What Kamailio knows of a name that is not here yet.
fn known(wanted: &Wanted<'_>, modules: &[&'static Module]) -> Vec<String> {
    let mut entries = Vec::new();
    let not_yet =
        |what: String| format!("{what}\n\nKnown to Kamailio, not supported by kcc yet.\n");
    for name in &wanted.words {
        for fact in catalogue::functions(name) {
            let title = format!("{}    module {}", fact.signature(), fact.module);
            entries.push(not_yet(title));
        }
        for fact in catalogue::core_function(name) {
            entries.push(not_yet(format!("{}    statement", fact.signature())));
        }
        if let Some(module) = catalogue::module(name) {
            entries.push(not_yet(format!("module {}", module.name)));
        }
        if let Some(global) = catalogue::global(name) {
            let supported = kcc_runtime::settings::Settings::NAMES.contains(&global.name);
            let title = format!("{} = …    global parameter", global.name);
            let default = global.default();
            let default = default.map(|default| format!("\n\nDefault: {default}"));
            entries.push(match supported {
                true => format!("{title}{}\n", default.unwrap_or_default()),
                false => not_yet(title),
            });
        }
        if let Some(event) = catalogue::event_route(name) {
            let title = format!("event_route[{}]    module {}", event.name, event.module);
            entries.push(not_yet(title));
        }
    }
    if let Some(variable) = wanted.variable {
        for fact in catalogue::pv(variable) {
            entries.push(not_yet(format!("${}    module {}", fact.name, fact.module)));
        }
    }
    for (first, second) in &wanted.pairs {
        if catalogue::param(first, second).is_some() {
            let title = format!("modparam(\"{first}\", \"{second}\", …)");
            let here = modules.iter().any(|module| module.name == *first);
            entries.push(not_yet(match here {
                true => title,
                false => format!("{title}    module {first} is not supported either"),
            }));
        }
        if let Some(fact) = catalogue::transformation(first, second) {
            entries.push(not_yet(format!(
                "{}    module {}",
                fact.signature(),
                fact.module
            )));
        }
    }
    entries
}

fn unknown(written: &str, wanted: &Wanted<'_>, modules: &[&'static Module]) -> String {
    let here = || modules.iter().flat_map(|module| module.functions());
    let like = if let Some(variable) = wanted.variable {
        let own = modules.iter().flat_map(|module| module.pvs());
        let all = own.map(|pv| pv.name).chain(catalogue::pv_names());
        nearest(variable, all).map(|name| format!("${name}"))
    } else if let (Some((class, operation)), true) =
        (wanted.pairs.first(), written.starts_with('{'))
    {
        let all = modules.iter().flat_map(|module| module.transformations());
        let all: Vec<String> = all.map(|t| format!("{}.{}", t.class, t.name)).collect();
        let name = format!("{class}.{operation}");
        nearest(&name, all.iter().map(String::as_str)).map(|name| format!("{{{name}}}"))
    } else {
        let names = here().map(|f| f.name).chain(language::names());
        let names = names
            .chain(catalogue::function_names())
            .chain(catalogue::core_function_names())
            .chain(catalogue::global_names())
            .chain(catalogue::module_names());
        let name = wanted.words.last().copied().unwrap_or(written);
        nearest(name, names).map(str::to_owned)
    };
    match like {
        Some(other) => format!("nothing is called `{written}`; did you mean `{other}`?"),
        None => format!("nothing is called `{written}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn title(name: &str) -> String {
        match explain(name, kcc_stdlib::MODULES) {
            Answer::Manual(text) => text.lines().next().unwrap_or_default().to_owned(),
            Answer::Unknown(message) => panic!("{message}"),
        }
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for (name, expected) in [
            ("s.len", "{s.len}"),
            ("{s.LEN}", "{s.len}"),
            ("$(x{s.len})", "{s.len}"),
            ("$(hdr(From)[1])", "$hdr("),
            ("$avp(x)", "$avp("),
            ("$var", "$var(NAME)"),
            ("tm.fr_timer", "modparam(\"tm\", \"fr_timer\", …)"),
            ("save(\"location\")", "save("),
            ("sethost", "rewritehost("),
            ("exit", "exit"),
            ("request_route", "request_route"),
            ("route[x]", "route[NAME]"),
            ("!!define", "#!define"),
            ("tm:local-request", "event_route[tm:local-request]"),
            (
                "sl:filtered-ack",
                "event_route[sl:filtered-ack]    module sl",
            ),
            (
                "event_route[tm:branch-failure:x]",
                "event_route[tm:branch-failure:*]",
            ),
            ("max_while_loops", "max_while_loops ="),
        ] {
            assert!(title(name).starts_with(expected), "{name}: {}", title(name));
        }
    }

    #[test]
    fn a_default_stands_as_one_writes_it() {
        assert!(
            title("tm.fr_timer").ends_with("default 30000"),
            "{}",
            title("tm.fr_timer")
        );
        assert!(title("registrar.retry_after").ends_with("default 0"));
    }

    #[test]
    fn what_is_unknown_names_the_nearest() {
        for (name, like) in [
            ("t_relais", "t_relay"),
            ("{s.lenn}", "{s.len}"),
            ("requestroute", "request_route"),
        ] {
            match explain(name, kcc_stdlib::MODULES) {
                Answer::Unknown(message) => assert!(message.contains(like), "{message}"),
                Answer::Manual(text) => panic!("{text}"),
            }
        }
    }
}
