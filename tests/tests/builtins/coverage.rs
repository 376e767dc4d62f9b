//! How much of what Kamailio's modules have is declared.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kcc::catalogue::{self, Version, Versions};
use kcc_runtime::declare::Module;
use kcc_stdlib::MODULES;

/// What the catalogue lists for modules and the compiler itself knows.
const LANGUAGE: [&str; 8] = [
    "break", "drop", "exit", "return", "route", "$var", "$vn", "$vz",
];

/// Of Kamailio 5.6 or later.
fn recent(versions: Versions) -> bool {
    [Version::V5_6, Version::V6, Version::Dev]
        .into_iter()
        .any(|version| versions.has(version))
}

/// Names that Kamailio has, and those of them that are declared.
struct Row {
    declared: usize,
    known: usize,
    missing: Vec<String>,
}

impl Row {
    fn new(
        known: impl IntoIterator<Item = String>,
        declared: impl IntoIterator<Item = String>,
    ) -> Row {
        let known: BTreeSet<String> = known.into_iter().collect();
        let language = LANGUAGE.into_iter().map(str::to_owned);
        let declared: BTreeSet<String> = declared.into_iter().chain(language).collect();
        Row {
            declared: known.intersection(&declared).count(),
            known: known.len(),
            missing: known.difference(&declared).cloned().collect(),
        }
    }
}

/// The names of a module, by kind.
fn rows(module: &'static Module) -> [Row; 4] {
    let name = module.name;
    let functions = match name {
        "core" => {
            let facts = catalogue::all_core_functions().filter(|fact| recent(fact.versions));
            facts.map(|fact| fact.name.to_owned()).collect::<Vec<_>>()
        }
        _ => {
            let facts = catalogue::all_functions();
            let own = facts.filter(|fact| fact.module == name && recent(fact.versions));
            own.map(|fact| fact.name.to_owned()).collect()
        }
    };
    let params = catalogue::params_of(name).filter(|fact| recent(fact.versions));
    let pvs = catalogue::all_pvs().filter(|fact| fact.module == name && recent(fact.versions));
    let transformations = catalogue::all_transformations();
    let transformations =
        transformations.filter(|fact| fact.module == name && recent(fact.versions) && !fact.dead());
    let own_params = module.params.map_or(&[][..], |params| params.list);
    let with = |name: &str, aliases: &[&str]| -> Vec<String> {
        std::iter::once(name)
            .chain(aliases.iter().copied())
            .map(str::to_owned)
            .collect()
    };
    [
        Row::new(
            functions,
            module
                .functions()
                .flat_map(|decl| with(decl.name, decl.aliases)),
        ),
        Row::new(
            params.map(|fact| fact.name.to_owned()),
            own_params.iter().map(|decl| decl.name.to_owned()),
        ),
        Row::new(
            pvs.map(|fact| format!("${}", fact.name)),
            module
                .pvs()
                .flat_map(|decl| with(decl.name, decl.aliases))
                .map(|name| format!("${name}")),
        ),
        Row::new(
            transformations.map(|fact| format!("{{{}.{}}}", fact.class, fact.name.to_lowercase())),
            module
                .transformations()
                .map(|decl| format!("{{{}.{}}}", decl.class, decl.name)),
        ),
    ]
}

/// The table, and what is missing by name.
pub fn table() -> String {
    let mut text = String::from(
        "| module | functions | parameters | variables | transformations |\n|---|---|---|---|---|\n",
    );
    let mut missing = String::new();
    for &module in MODULES {
        let rows = rows(module);
        let cell = |row: &Row| match row.known {
            0 => String::new(),
            known => format!("{} of {known}", row.declared),
        };
        let cells: Vec<String> = rows.iter().map(cell).collect();
        // Writing into a `String` does not fail.
        let _ = writeln!(text, "| `{}` | {} |", module.name, cells.join(" | "));
        let names: Vec<String> = rows.into_iter().flat_map(|row| row.missing).collect();
        if !names.is_empty() {
            let _ = writeln!(missing, "- `{}`: `{}`", module.name, names.join("` `"));
        }
    }
    format!("{text}\nNot declared:\n\n{missing}")
}
