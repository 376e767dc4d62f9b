//! The manual of a name, from its declaration.

use std::fmt::Write as _;

use kcc_runtime::declare::{ArgDecl, FunctionDecl, Module, ParamDecl, PvDecl, TransformationDecl};

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

/// Looks `name` up among `modules`, then among what Kamailio knows.
pub fn explain(name: &str, modules: &[&'static Module]) -> Answer {
    let mut entries = declared(name, modules);
    if entries.is_empty() {
        entries = known(name);
    }
    if entries.is_empty() {
        return Answer::Unknown(unknown(name, modules));
    }
    Answer::Manual(entries.join("\n"))
}

fn declared(name: &str, modules: &[&'static Module]) -> Vec<String> {
    let variable = name
        .strip_prefix('$')
        .map(|name| name.trim_matches(['(', ')']));
    let transformation = name.trim_matches(['{', '}']).split_once('.');
    let mut entries = Vec::new();
    for module in modules {
        if module.name == name {
            entries.push(module_manual(module));
        }
        let functions = module.functions().filter(|f| f.name == name);
        entries.extend(functions.map(|f| function_manual(module, f)));
        if let Some(variable) = variable {
            let pvs = module
                .pvs()
                .filter(|pv| pv.name == variable || pv.aliases.contains(&variable));
            entries.extend(pvs.map(|pv| pv_manual(module, pv)));
        }
        if let Some((class, operation)) = transformation {
            let matching = module
                .transformations()
                .filter(|t| t.class == class && t.name.eq_ignore_ascii_case(operation));
            entries.extend(matching.map(|t| transformation_manual(module, t)));
            if class == module.name
                && let Some(param) = module.param(operation)
            {
                entries.push(param_manual(module, param));
            }
        } else if let Some(param) = module.param(name) {
            entries.push(param_manual(module, param));
        }
    }
    entries
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
        module.pvs().map(|pv| format!("${}", pv.name)).collect(),
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

fn pv_manual(module: &Module, pv: &PvDecl) -> String {
    let inner = pv
        .inner
        .map(|inner| format!("({})", inner.name))
        .unwrap_or_default();
    let index = if pv.index { ", with an index" } else { "" };
    let write = if pv.write.is_some() {
        "read and write"
    } else {
        "read only"
    };
    let others: Vec<_> = pv.aliases.iter().map(|alias| format!("${alias}")).collect();
    let others = match others.as_slice() {
        [] => String::new(),
        list => format!(", also {}", list.join(", ")),
    };
    format!(
        "${}{inner}    module {}, {write}{index}{others}\n\n{}\n",
        pv.name,
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
fn known(name: &str) -> Vec<String> {
    let mut entries = Vec::new();
    let not_yet =
        |what: String| format!("{what}\n\nKnown to Kamailio, not supported by kcc yet.\n");
    for fact in catalogue::functions(name) {
        entries.push(not_yet(format!(
            "{}    module {}",
            fact.signature(),
            fact.module
        )));
    }
    if let Some(variable) = name.strip_prefix('$') {
        for fact in catalogue::pv(variable.trim_matches(['(', ')'])) {
            entries.push(not_yet(format!("${}    module {}", fact.name, fact.module)));
        }
    }
    if let Some((module, param)) = name.split_once('.')
        && catalogue::param(module, param).is_some()
    {
        entries.push(not_yet(format!("modparam(\"{module}\", \"{param}\", …)")));
    }
    if let Some(module) = catalogue::module(name) {
        entries.push(not_yet(format!("module {}", module.name)));
    }
    if let Some(global) = catalogue::global(name) {
        let supported = kcc_runtime::settings::Settings::NAMES.contains(&global.name);
        let title = format!("{} = …    global parameter", global.name);
        entries.push(if supported {
            format!("{title}\n")
        } else {
            not_yet(title)
        });
    }
    entries.dedup();
    entries
}

fn unknown(name: &str, modules: &[&'static Module]) -> String {
    let functions = modules
        .iter()
        .flat_map(|module| module.functions())
        .map(|f| f.name);
    let candidates = functions
        .chain(catalogue::function_names())
        .chain(catalogue::module_names());
    match nearest(name, candidates) {
        Some(other) => format!("nothing is called `{name}`; did you mean `{other}`?"),
        None => format!("nothing is called `{name}`"),
    }
}
