//! Completion dictionaries for Vim, made from the declarations and the catalogue.
//!
//! A dictionary is text, one entry a line, columns separated by tabs: the word, how it is written
//! (the menu of the completion), the first line of its manual, the modules that have it separated
//! by commas, and `1` or `0`: whether this server supports it. What is supported comes first,
//! then what Kamailio 5.6 and later know besides; each part is sorted.
//!
//! Invariant: a column holds no tab and no line break.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kcc_runtime::declare::{ArgDecl, FunctionDecl, Module, ParamDecl, ParamType, PvDecl};

use crate::catalogue::{self, Version, Versions, WordKind};

/// What this server supports.
#[derive(Clone, Copy, Debug)]
pub struct Supported<'a> {
    /// The modules; one called `core` holds what needs no `loadmodule`.
    pub modules: &'a [&'static Module],
    /// Names of the core parameters that have an effect.
    pub globals: &'a [&'a str],
    /// Names of the core functions that the language itself has, and no module.
    pub core_functions: &'a [&'a str],
    /// Names of the event routes that are run.
    pub event_routes: &'a [&'a str],
}

/// The dictionaries, each with its file name.
pub fn dictionaries(supported: Supported<'_>) -> Vec<(&'static str, String)> {
    vec![
        ("functions.txt", functions(supported).text()),
        ("params.txt", params(supported).text()),
        ("pvs.txt", pvs(supported).text()),
        ("transformations.txt", transformations(supported).text()),
        ("keywords.txt", keywords().text()),
        ("modules.txt", modules(supported).text()),
        ("events.txt", events(supported).text()),
        ("globals.txt", globals(supported).text()),
    ]
}

/// One word.
#[derive(Debug, Default)]
struct Entry {
    signatures: Vec<String>,
    info: String,
    modules: Vec<String>,
}

/// The entries of one file: by support (`false`, for supported, sorts first), owner and word.
#[derive(Debug, Default)]
struct Dictionary(BTreeMap<(bool, String, String), Entry>);

impl Dictionary {
    /// Adds what this server declares. `owner` tells equal words apart; mostly it is empty.
    fn declared(&mut self, owner: &str, word: &str, signature: String, doc: &str, module: &str) {
        let key = (false, owner.to_owned(), word.to_owned());
        self.0
            .entry(key)
            .or_default()
            .add(signature, &first_line(doc), module);
    }

    /// Adds a fact of the catalogue, unless it is supported or older than 5.6. `supported` says
    /// that the server has it though there is no declaration of it.
    fn known(
        &mut self,
        (owner, word): (&str, &str),
        signature: String,
        module: &str,
        versions: Versions,
        supported: bool,
    ) {
        let (owner, word) = (owner.to_owned(), word.to_owned());
        let current = [Version::V5_6, Version::V6, Version::Dev];
        let declared = (false, owner, word);
        if !current.into_iter().any(|version| versions.has(version))
            || (!supported && self.0.contains_key(&declared))
        {
            return;
        }
        let (_, owner, word) = declared;
        let info = if supported {
            String::new()
        } else {
            origin(versions)
        };
        self.0
            .entry((!supported, owner, word))
            .or_default()
            .add(signature, &info, module);
    }

    fn text(self) -> String {
        let mut text = String::new();
        for ((unsupported, _, word), entry) in self.0 {
            let columns = [
                word,
                entry.signatures.join(" | "),
                entry.info,
                entry.modules.join(","),
            ];
            for column in columns {
                text.push_str(&column.replace(['\t', '\n', '\r'], " "));
                text.push('\t');
            }
            text.push_str(if unsupported { "0\n" } else { "1\n" });
        }
        text
    }
}

impl Entry {
    fn add(&mut self, signature: String, info: &str, module: &str) {
        if self.info.is_empty() {
            self.info = info.to_owned();
        }
        let first_module = self.modules.first().is_none_or(|first| first == module);
        if first_module && !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
        if !self.modules.iter().any(|known| known == module) {
            self.modules.push(module.to_owned());
        }
    }
}

fn functions(supported: Supported<'_>) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for module in supported.modules {
        for function in module.functions() {
            let signature = call(function);
            dictionary.declared("", function.name, signature, function.doc, module.name);
        }
    }
    for fact in catalogue::all_core_functions() {
        let has = supported.core_functions.contains(&fact.name);
        dictionary.known(
            ("", fact.name),
            fact.signature(),
            "core",
            fact.versions,
            has,
        );
    }
    for fact in catalogue::all_functions() {
        dictionary.known(
            ("", fact.name),
            fact.signature(),
            fact.module,
            fact.versions,
            false,
        );
    }
    dictionary
}

fn params(supported: Supported<'_>) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for module in supported.modules {
        for param in module.params.iter().flat_map(|params| params.list) {
            let signature = declared_value(param);
            dictionary.declared(module.name, param.name, signature, param.doc, module.name);
        }
    }
    for fact in catalogue::all_params() {
        let module =
            catalogue::module(fact.module).map_or(fact.module, |module| module.registers_as);
        let signature = value(fact.kind(), fact.default());
        dictionary.known((module, fact.name), signature, module, fact.versions, false);
    }
    dictionary
}

fn pvs(supported: Supported<'_>) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for module in supported.modules {
        // Selects and what only the language itself names are no variables to write.
        let writable = |pv: &&PvDecl| !pv.name.contains(['@', '%', ':']);
        for pv in module.pvs().filter(writable) {
            for name in std::iter::once(&pv.name).chain(pv.aliases) {
                let signature = declared_pv(pv, name);
                dictionary.declared("", name, signature, pv.doc, module.name);
            }
        }
    }
    let declared: Vec<String> = dictionary
        .0
        .keys()
        .map(|(_, _, word)| word.clone())
        .collect();
    for fact in catalogue::all_pvs() {
        let name = fact.name;
        let signature = pv(name, fact.named().then_some("name"), fact.indexed());
        dictionary.known(("", name), signature, fact.module, fact.versions, false);
        let has = declared
            .binary_search_by(|word| word.as_str().cmp(name))
            .is_ok();
        for inner in fact.inner_names() {
            let word = format!("{name}({inner})");
            let signature = format!("${word}");
            dictionary.known(("", &word), signature, fact.module, fact.versions, has);
        }
    }
    dictionary
}

fn transformations(supported: Supported<'_>) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for module in supported.modules {
        for decl in module.transformations() {
            let word = format!("{}.{}", decl.class, decl.name);
            let mut signature = format!("{{{word}");
            arguments(&mut signature, decl.args, ",", true);
            signature.push('}');
            dictionary.declared("", &word, signature, decl.doc, module.name);
        }
    }
    for fact in catalogue::all_transformations().filter(|fact| !fact.dead()) {
        let name = fact.spelled().unwrap_or(fact.name);
        let word = format!("{}.{name}", fact.class);
        dictionary.known(
            ("", &word),
            fact.signature(),
            fact.module,
            fact.versions,
            false,
        );
    }
    dictionary
}

fn keywords() -> Dictionary {
    let mut dictionary = Dictionary::default();
    let kinds = [
        (WordKind::Keyword, "keyword"),
        (WordKind::Bool, "truth value"),
        (WordKind::RouteBlock, "route block"),
        (WordKind::Directive, "directive"),
    ];
    for (kind, menu) in kinds {
        for fact in catalogue::words(kind) {
            let word = match kind {
                WordKind::Directive => format!("#!{}", fact.name),
                _ if fact
                    .name
                    .starts_with(|first: char| first.is_ascii_alphabetic()) =>
                {
                    fact.name.to_owned()
                }
                _ => continue,
            };
            dictionary.known(("", &word), menu.to_owned(), "core", fact.versions, true);
        }
    }
    dictionary
}

fn modules(supported: Supported<'_>) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for module in supported
        .modules
        .iter()
        .filter(|module| module.name != "core")
    {
        dictionary.declared(
            "",
            module.name,
            "module".to_owned(),
            module.doc,
            module.name,
        );
    }
    for fact in catalogue::all_modules() {
        dictionary.known(
            ("", fact.name),
            "module".to_owned(),
            fact.name,
            fact.versions,
            false,
        );
    }
    dictionary
}

fn events(supported: Supported<'_>) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for fact in catalogue::all_event_routes().filter(|fact| !fact.never_a_block()) {
        let has = supported.event_routes.contains(&fact.name);
        let signature = format!("event_route[{}]", fact.name);
        let word = fact.name.trim_end_matches('*');
        dictionary.known(("", word), signature, fact.module, fact.versions, has);
    }
    dictionary
}

fn globals(supported: Supported<'_>) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for fact in catalogue::all_globals() {
        let has = supported.globals.contains(&fact.name);
        let kinds: Vec<&str> = fact.kinds().collect();
        let signature = value(&kinds.join("|"), fact.default());
        dictionary.known(("", fact.name), signature, "core", fact.versions, has);
    }
    dictionary
}

/// `append_hf(text[, after])`.
fn call(function: &FunctionDecl) -> String {
    let mut text = format!("{}(", function.name);
    arguments(&mut text, function.args, ", ", false);
    text.push(')');
    text
}

/// The names of `args`, optional ones in brackets; `after` something: the first is separated too.
fn arguments(text: &mut String, args: &[ArgDecl], separator: &str, after: bool) {
    for (index, arg) in args.iter().enumerate() {
        let separator = if index == 0 && !after { "" } else { separator };
        // Writing to a String does not fail.
        let _ = if arg.optional {
            write!(text, "[{separator}{}]", arg.name)
        } else {
            write!(text, "{separator}{}", arg.name)
        };
    }
}

fn declared_value(param: &ParamDecl) -> String {
    let kind = match param.ty {
        ParamType::Int => "int",
        ParamType::Str => "str",
        ParamType::Either => "int|str",
    };
    value(
        kind,
        Some(param.default).filter(|default| !default.is_empty()),
    )
}

/// `int = 30000`.
fn value(kind: &str, default: Option<&str>) -> String {
    match default {
        Some(default) => format!("{kind} = {default}"),
        None => kind.to_owned(),
    }
}

fn declared_pv(decl: &PvDecl, name: &str) -> String {
    pv(
        name,
        decl.inner.as_ref().map(|inner| inner.name),
        decl.index,
    )
}

/// `$rU`, `$avp(name)`, `$(avp(name)[index])`; a class with a dot stands in parentheses only.
fn pv(name: &str, inner: Option<&str>, index: bool) -> String {
    let bare = match inner {
        Some(inner) => format!("{name}({inner})"),
        None => name.to_owned(),
    };
    match index {
        _ if name.contains('.') => format!("$({bare})"),
        true => format!("${bare} | $({bare}[index])"),
        false => format!("${bare}"),
    }
}

/// The first line of a manual that is not empty.
fn first_line(doc: &str) -> String {
    doc.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("")
        .to_owned()
}

fn origin(versions: Versions) -> String {
    let span = match (versions.since(), versions.until()) {
        (Some(since), Some(until)) => format!(" {since} to {until}"),
        (Some(since), None) => format!(" since {since}"),
        (None, Some(until)) => format!(" up to {until}"),
        (None, None) => String::new(),
    };
    format!("Known to Kamailio{span}, not supported by kcc yet.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Supported<'static> = Supported {
        modules: &[],
        globals: &[],
        core_functions: &[],
        event_routes: &[],
    };

    fn file(supported: Supported<'_>, name: &str) -> String {
        dictionaries(supported)
            .into_iter()
            .find(|file| file.0 == name)
            .expect("file")
            .1
    }

    fn line(text: &str, word: &str) -> Vec<String> {
        let line = text
            .lines()
            .find(|line| line.split('\t').next() == Some(word));
        line.unwrap_or_else(|| panic!("no {word}"))
            .split('\t')
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_line_has_five_columns() {
        for (name, text) in dictionaries(NOTHING) {
            assert!(!text.is_empty(), "{name}");
            for line in text.lines() {
                assert_eq!(line.split('\t').count(), 5, "{name}: {line}");
            }
        }
    }

    #[test]
    fn what_only_the_catalogue_knows_is_marked() {
        let relay = line(&file(NOTHING, "functions.txt"), "t_relay");
        assert_eq!(relay[1], "t_relay() | t_relay(host, int)");
        assert_eq!(relay[2], "Known to Kamailio, not supported by kcc yet.");
        assert_eq!(relay[3..], ["tm", "0"]);
        let timer = line(&file(NOTHING, "params.txt"), "fr_timer");
        assert_eq!(
            (timer[1].as_str(), timer[3].as_str()),
            ("int = 30000", "tm")
        );
        let part = line(&file(NOTHING, "pvs.txt"), "rcv(srcip)");
        assert_eq!(part[1], "$rcv(srcip)");
        assert_eq!(
            line(&file(NOTHING, "transformations.txt"), "s.substr")[1],
            "{s.substr,int,int}"
        );
        assert_eq!(
            line(&file(NOTHING, "events.txt"), "tm:branch-failure:")[4],
            "0"
        );
    }

    #[test]
    fn what_the_server_supports_comes_first() {
        let supported = Supported {
            globals: &["children"],
            ..NOTHING
        };
        let text = file(supported, "globals.txt");
        assert_eq!(line(&text, "children")[4], "1");
        assert!(text.starts_with("children\tint = 0\t\tcore\t1\n"));
        assert_eq!(
            line(&file(supported, "keywords.txt"), "#!ifdef")[1],
            "directive"
        );
    }

    #[test]
    fn optional_arguments_stand_in_brackets() {
        use kcc_runtime::declare::ArgKind;
        let arg = |name, optional| ArgDecl {
            name,
            kind: ArgKind::Text,
            optional,
        };
        let mut text = String::new();
        arguments(
            &mut text,
            &[arg("text", false), arg("after", true)],
            ", ",
            false,
        );
        assert_eq!(text, "text[, after]");
        assert_eq!(
            pv("avp", Some("name"), true),
            "$avp(name) | $(avp(name)[index])"
        );
    }
}
