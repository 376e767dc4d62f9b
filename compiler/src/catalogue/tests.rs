use super::*;
use serde_json::Value;
use std::path::Path;

#[test]
fn every_line_is_found_by_its_own_key() {
    for table in [
        FUNCTIONS,
        PARAMS,
        PVS,
        TRANSFORMATIONS,
        MODULES,
        RPC,
        EVENT_ROUTES,
        CORE,
    ] {
        let mut last = ("", "");
        for row in table.rows() {
            let key = (row.column(0), row.column(1));
            assert!(last <= key, "{last:?} stands before {key:?}");
            last = key;
            assert!(table.find(&[key.0]).any(|found| found == row), "{row:?}");
            assert!(
                table.find(&[key.0, key.1]).any(|found| found == row),
                "{row:?}"
            );
        }
    }
}

#[test]
fn a_function_has_its_forms_module_and_blocks() {
    let forms: Vec<_> = functions("t_relay").collect();
    let arities: Vec<_> = forms.iter().map(|form| form.arity).collect();
    assert_eq!(arities, [Arity::Exactly(0), Arity::Exactly(2)]);
    assert!(
        forms
            .iter()
            .all(|form| form.module == "tm" && form.versions.has(Version::V5_6))
    );
    assert!(forms[0].allowed_in("FAILURE") && forms[0].allowed_in("EVENT"));
    assert!(!forms[0].allowed_in("BRANCH"));
    assert_eq!(functions("t_realy").count(), 0);
}

#[test]
fn a_module_has_the_name_that_modparam_takes() {
    assert_eq!(module("tm").map(|fact| fact.registers_as), Some("tm"));
    assert_eq!(module("ss7ops").map(|fact| fact.registers_as), Some("ss7"));
    assert_eq!(
        modules_registered_as("ss7")
            .map(|fact| fact.name)
            .collect::<Vec<_>>(),
        ["ss7ops"]
    );
    assert_eq!(module("tmm"), None);
}

#[test]
fn a_parameter_has_its_type_and_default() {
    let timer = param("tm", "fr_timer").expect("fr_timer");
    assert!(timer.takes_number() && !timer.takes_text());
    assert_eq!(timer.default(), Some("30000"));
    assert_eq!(param("tm", "fr_time"), None);
    assert!(params_of("tm").any(|fact| fact.name == "fr_inv_timer"));
    assert!(params_of("tm").all(|fact| fact.module == "tm"));
}

#[test]
fn a_transformation_is_found_in_any_case() {
    let substr = transformation("S", "Substr").expect("s.substr");
    assert_eq!(substr.arities().collect::<Vec<_>>(), [2]);
    assert_eq!(substr.signature(), "{s.substr,int,int}");
    assert_eq!(transformation("s", "lenght"), None);
}

#[test]
fn an_event_route_with_a_free_part_is_recognised() {
    let name = |text| event_route(text).map(|fact| fact.name);
    assert_eq!(name("dispatcher:dst-down"), Some("dispatcher:dst-down"));
    assert_eq!(name("tm:branch-failure:one"), Some("tm:branch-failure:*"));
    assert_eq!(name("tm:branch-failure:"), None);
    assert_eq!(name("dispatcher:dst_down"), None);
}

#[test]
fn the_core_knows_its_globals_functions_and_words() {
    let port = global("add_rport").expect("add_rport");
    assert!(port.is_synonym_of("force_rport"));
    assert_eq!(
        (port.kinds().collect::<Vec<_>>(), port.default()),
        (vec!["int"], Some("0"))
    );
    assert!(core_function("exit").any(|form| form.arity == Arity::Bare));
    assert_eq!(core_function("t_relay").count(), 0);
    assert_eq!(
        word(WordKind::Keyword, "and").map(|fact| fact.meaning),
        Some("log_and")
    );
    assert_eq!(
        word(WordKind::Bool, "yes").map(|fact| fact.meaning),
        Some("1")
    );
    assert_eq!(
        word(WordKind::Directive, "trydef").map(|fact| fact.meaning),
        Some("trydef")
    );
    assert!(words(WordKind::RouteBlock).any(|fact| fact.name == "onsend_route"));
}

/// The rows of `NAME.json` in the folder of collected facts, where there is one.
fn collected(name: &str) -> Option<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/catalog");
    let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.json"))) else {
        println!("skipped: no {name}.json in {}", folder.display());
        return None;
    };
    let file: Value = serde_json::from_str(&text).expect("JSON");
    file["rows"].as_array().cloned()
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap_or("")
}

fn joined(list: &Value, by: &str) -> String {
    let words = list.as_array().map(Vec::as_slice).unwrap_or_default();
    words
        .iter()
        .map(|word| word.as_str().unwrap_or("?"))
        .collect::<Vec<_>>()
        .join(by)
}

/// The description itself and the older ones.
fn descriptions(row: &Value) -> Vec<&Value> {
    let older = row["was"].as_array().map(Vec::as_slice).unwrap_or_default();
    std::iter::once(row).chain(older).collect()
}

fn same_versions(fact: Versions, described: &Value) -> bool {
    let all = [
        ("4.2", Version::V4_2),
        ("5.6", Version::V5_6),
        ("6.x", Version::V6),
        ("dev", Version::Dev),
    ];
    let list = described["v"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    all.iter()
        .all(|(name, version)| fact.has(*version) == list.iter().any(|v| v == name))
}

#[test]
fn functions_agree_with_the_collected_facts() {
    let Some(rows) = collected("functions") else {
        return;
    };
    let mut forms = 0;
    for row in &rows {
        for form in row["forms"].as_array().expect("forms") {
            forms += 1;
            let arity = match &form["n"] {
                Value::String(_) => Arity::Any,
                number => Arity::Exactly(number.as_u64().expect("number") as u8),
            };
            let same = |fact: &FunctionFact| {
                fact.module == text(row, "m")
                    && fact.arity == arity
                    && fact.kinds().collect::<Vec<_>>().join(" ") == joined(&form["k"], " ")
                    && fact.routes().collect::<Vec<_>>().join(",") == joined(&form["r"], ",")
                    && fact.constant == (form["const"] == 1)
                    && same_versions(fact.versions, form)
            };
            assert!(functions(text(row, "f")).any(|fact| same(&fact)), "{row}");
        }
    }
    assert_eq!(forms, all_functions().count());
}

#[test]
fn params_agree_with_the_collected_facts() {
    let Some(rows) = collected("params") else {
        return;
    };
    let mut count = 0;
    for row in &rows {
        for described in descriptions(row) {
            count += 1;
            let default = match &described["d"] {
                Value::String(text) => Some(
                    text.replace('\\', "\\\\")
                        .replace('\t', "\\t")
                        .replace('\n', "\\n"),
                ),
                Value::Null => None,
                number => Some(number.to_string()),
            };
            let same = |fact: &ParamFact| {
                fact.kind() == text(described, "t")
                    && fact.default() == default.as_deref()
                    && fact.repeatable == (described["func"] == 1)
                    && same_versions(fact.versions, described)
            };
            let (module, name) = (text(row, "m"), text(row, "p"));
            assert!(param_history(module, name).any(|fact| same(&fact)), "{row}");
        }
    }
    assert_eq!(count, PARAMS.rows().count());
}

#[test]
fn variables_and_transformations_agree_with_the_collected_facts() {
    let Some(rows) = collected("pvs") else { return };
    for row in &rows {
        for described in descriptions(row) {
            let same = |fact: &PvFact| {
                fact.module == text(row, "m")
                    && fact.writable() == (described["w"] == 1)
                    && fact.named() == (described["name"] == 1)
                    && fact.indexed() == (described["idx"] == 1)
                    && fact.arrow() == (described["arrow"] == 1)
                    && fact.inner_names().collect::<Vec<_>>().join(" ")
                        == joined(&described["names"], " ")
                    && same_versions(fact.versions, described)
            };
            assert!(pv(text(row, "n")).any(|fact| same(&fact)), "{row}");
        }
    }
    let Some(rows) = collected("transformations") else {
        return;
    };
    assert_eq!(rows.len(), all_transformations().count());
    for row in &rows {
        let fact = transformation(text(row, "c"), text(row, "n")).expect("transformation");
        let arities: Vec<_> = fact.arities().map(Value::from).collect();
        assert_eq!(row["a"], Value::from(arities));
        assert_eq!(
            fact.kinds().collect::<Vec<_>>().join(" "),
            joined(&row["k"], " ")
        );
        assert_eq!(fact.takes_rest(), row["rest"] == 1);
        assert_eq!(fact.spelled().unwrap_or(""), text(row, "spelled"));
    }
}

#[test]
fn core_modules_events_and_commands_agree_with_the_collected_facts() {
    let Some(rows) = collected("core") else {
        return;
    };
    for row in &rows {
        let name = text(row, "n");
        let known = match text(row, "kind") {
            "param" => descriptions(row).iter().all(|described| {
                CORE.find(&["param", name])
                    .map(GlobalFact::read)
                    .any(|fact| {
                        fact.kinds().collect::<Vec<_>>().join(" ") == joined(&described["t"], " ")
                            && fact.synonyms().collect::<Vec<_>>().join(" ")
                                == joined(&row["same"], " ")
                            && same_versions(fact.versions, described)
                    })
            }),
            "coreparam" => core_param(name).is_some(),
            "function" => {
                row["forms"].as_array().map(Vec::len) == Some(core_function(name).count())
            }
            "event-route" => event_route(name).is_some(),
            "word" => word(WordKind::Keyword, name).is_some_and(|w| w.meaning == text(row, "of")),
            "directive" => {
                word(WordKind::Directive, name).is_some_and(|w| w.meaning == text(row, "of"))
            }
            "bool" => word(WordKind::Bool, name)
                .is_some_and(|w| row["val"].to_string().as_str() == w.meaning),
            "route-block" => word(WordKind::RouteBlock, name).is_some(),
            "block" => word(WordKind::Block, name).is_some(),
            _ => false,
        };
        assert!(known, "{row}");
    }
    let Some(rows) = collected("modules") else {
        return;
    };
    assert_eq!(rows.len(), all_modules().count());
    for row in &rows {
        let fact = module(text(row, "m")).expect("module");
        assert_eq!(
            fact.registers_as,
            row["registers_as"].as_str().unwrap_or(fact.name)
        );
        assert!(same_versions(fact.versions, row), "{row}");
    }
    let Some(rows) = collected("event_routes") else {
        return;
    };
    assert_eq!(rows.len(), all_event_routes().count());
    let Some(rows) = collected("rpc") else { return };
    assert_eq!(rows.len(), all_rpc().count());
    for row in &rows {
        assert!(
            rpc(text(row, "n")).any(|fact| fact.module == text(row, "m")),
            "{row}"
        );
    }
}
