//! Real configurations against the verdicts of the real Kamailio, where the corpus exists.
//!
//! What Kamailio accepts must parse without a syntax error; what it refuses for its syntax must be
//! refused, on the line where Kamailio refuses it. Exceptions are named in this file with a reason.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use kcc::diagnostic::Severity;
use kcc::source::{LoadError, SourceLoader};
use kcc::syntax::{Parsed, parse};
use serde_json::Value;

/// Configurations that Kamailio's parser accepts, or refuses for other reasons, and this one not, or
/// the other way round; with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "silentindark/docker-kamailio-kemi-asterisk--kamailio-etc-kamailio",
        "a stray #!endif, made up for by a last #!endif without line feed",
    ),
    (
        "kamailio/kamailio--misc-examples-webrtc-kamailio-default-websocket",
        "a parameter newer than the Kamailio that gave the verdicts",
    ),
    (
        "startelua/kama-config--etc-kamailio-Kamailio-lua",
        "loadmodule with parentheses is newer than the Kamailio that gave the verdicts",
    ),
    (
        "startelua/kama-config--etc-kamailio-Kamailio-lua@2acb7895",
        "loadmodule with parentheses",
    ),
    (
        "startelua/kama-config--etc-kamailio-Kamailio-lua@dcf9fdd6",
        "loadmodule with parentheses",
    ),
    (
        "altanai/kamailioexamples--forking-kamailio-serial-forking",
        "placeholders that Kamailio was given a value for",
    ),
    (
        "openkazoo/kamailio-configs--etc-kamailio-kamailio",
        "includes a file by the version of Kamailio",
    ),
    (
        "oriaks/docker-images--kamailio-kamailio",
        "placeholders that Kamailio was given a value for",
    ),
];

struct Corpus {
    root: PathBuf,
    configs: Vec<Value>,
}

fn corpus() -> Option<Corpus> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let index = std::fs::read(root.join("index.json")).ok()?;
    let index: Value = serde_json::from_slice(&index).expect("index.json is JSON");
    let configs = index["configs"].as_array().expect("a list").clone();
    Some(Corpus { root, configs })
}

/// Reads the files of one configuration, with the corrections of its `ok.patch` if asked.
struct Loader {
    directory: PathBuf,
    patched: HashMap<String, Vec<u8>>,
    /// Paths as written in includes, and the files meant.
    included: HashMap<String, String>,
    /// Included files that the repository lacks; empty in the corrected version.
    missing: Vec<String>,
}

impl Loader {
    fn new(root: &Path, config: &Value, corrected: bool) -> Loader {
        let directory = root.join(text(&config["dir"]));
        let included = list(&config["includes"])
            .filter_map(|each| {
                let written = each["as_written"].as_str()?;
                let file = each["file"].as_str().unwrap_or(written);
                Some((written.to_owned(), file.to_owned()))
            })
            .collect();
        let missing = list(&config["includes_missing"])
            .filter_map(|each| each["as_written"].as_str())
            .map(str::to_owned)
            .collect();
        let mut patched = HashMap::new();
        if corrected && let Ok(patch) = std::fs::read(directory.join("ok.patch")) {
            patched = apply_patch(&directory, &patch);
        }
        Loader {
            directory,
            patched,
            included,
            missing: if corrected { missing } else { Vec::new() },
        }
    }
}

impl SourceLoader for Loader {
    fn load(&self, path: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        let file = self.included.get(path).map_or(path, String::as_str);
        let file = file.trim_start_matches("./");
        if let Some(text) = self.patched.get(file) {
            return Ok(text.clone());
        }
        match std::fs::read(self.directory.join(file)) {
            Ok(text) if text.len() > limit => Err(LoadError::TooLarge),
            Ok(text) => Ok(text),
            Err(_) if self.missing.iter().any(|missing| missing == path) => Ok(Vec::new()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(LoadError::NotFound),
            Err(error) => Err(LoadError::Other(error.to_string())),
        }
    }

    fn environment(&self, _name: &str) -> Option<Vec<u8>> {
        Some(b"value".to_vec())
    }

    fn host_name(&self) -> Option<String> {
        Some("host.example.com".to_owned())
    }

    fn host_address(&self) -> Option<std::net::IpAddr> {
        Some([192, 0, 2, 1].into())
    }
}

/// Applies a unified diff that keeps the number of lines; gives the files it changes.
fn apply_patch(directory: &Path, patch: &[u8]) -> HashMap<String, Vec<u8>> {
    let mut files: HashMap<String, Vec<u8>> = HashMap::new();
    let mut current: Option<(String, Vec<Vec<u8>>)> = None;
    let mut line_number = 0;
    let mut store = |current: &mut Option<(String, Vec<Vec<u8>>)>| {
        if let Some((name, lines)) = current.take() {
            files.insert(name, lines.join(&b'\n'));
        }
    };
    for line in patch.split(|&byte| byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"+++ ") {
            store(&mut current);
            let name = String::from_utf8_lossy(name);
            let name = name.split('\t').next().unwrap_or("").trim();
            let name = name.strip_prefix("b/").unwrap_or(name).to_owned();
            let text = std::fs::read(directory.join(&name)).expect("the patched file");
            let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec);
            current = Some((name, lines.collect()));
        } else if let Some(hunk) = line.strip_prefix(b"@@ -") {
            let hunk = String::from_utf8_lossy(hunk);
            let new = hunk
                .split('+')
                .nth(1)
                .and_then(|new| new.split([',', ' ']).next());
            line_number = new.and_then(|n| n.parse::<usize>().ok()).unwrap_or(1) - 1;
        } else if let Some((_, lines)) = &mut current {
            match line.first() {
                Some(b'+') => {
                    lines[line_number] = line[1..].to_vec();
                    line_number += 1;
                }
                Some(b' ') => line_number += 1,
                _ => (),
            }
        }
    }
    store(&mut current);
    files
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn excepted(id: &str) -> bool {
    EXCEPTIONS.iter().any(|(each, _)| *each == id)
}

/// All lines that errors point to, as `file:line`.
fn error_lines(parsed: &Parsed) -> Vec<String> {
    let errors = parsed
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error);
    let labels = errors.flat_map(|error| &error.labels);
    labels
        .filter_map(|label| {
            let place = parsed.sources.place(label.span)?;
            Some(format!(
                "{}:{}",
                parsed.sources.file(place.file).name,
                place.line
            ))
        })
        .collect()
}

fn report(id: &str, parsed: &Parsed) -> String {
    let first = parsed
        .diagnostics
        .iter()
        .find(|d| d.severity == Severity::Error);
    let place = error_lines(parsed).into_iter().next().unwrap_or_default();
    format!(
        "{id}: {place}: {}",
        first.map_or("", |first| &first.message)
    )
}

#[test]
fn what_kamailio_accepts_parses() {
    let Some(corpus) = corpus() else {
        println!("skipped: the corpus is not here");
        return;
    };
    let (mut count, mut failures) = (0, Vec::new());
    for config in &corpus.configs {
        let id = text(&config["id"]);
        let as_is = text(&config["verdict"]["category"]) == "accepted";
        let corrected = text(&config["after_substitutions"]["outcome"]) == "accepted";
        if (!as_is && !corrected) || excepted(id) {
            continue;
        }
        let loader = Loader::new(&corpus.root, config, !as_is);
        let parsed = parse(&loader, text(&config["main"]), &[]);
        count += 1;
        if parsed.diagnostics.has_errors() {
            failures.push(report(id, &parsed));
        }
    }
    println!(
        "{count} accepted configurations, {} failures",
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_kamailio_refuses_for_syntax_is_refused_on_the_same_line() {
    let Some(corpus) = corpus() else {
        println!("skipped: the corpus is not here");
        return;
    };
    let (mut count, mut lines, mut same_line) = (0, 0, 0);
    let mut failures = Vec::new();
    for config in &corpus.configs {
        let id = text(&config["id"]);
        let after = &config["after_substitutions"];
        let about_syntax =
            list(&after["first_errors"]).any(|each| syntax_error_line(text(each)).is_some());
        if text(&after["outcome"]) != "rejected: syntax" || !about_syntax || excepted(id) {
            continue;
        }
        let loader = Loader::new(&corpus.root, config, true);
        let parsed = parse(&loader, text(&config["main"]), &[]);
        count += 1;
        if !parsed.diagnostics.has_errors() {
            failures.push(format!(
                "{id}: accepted; Kamailio: {}",
                after["first_errors"][0]
            ));
            continue;
        }
        let Some(line) =
            list(&after["first_errors"]).find_map(|each| syntax_error_line(text(each)))
        else {
            continue;
        };
        lines += 1;
        let ours = error_lines(&parsed);
        if line
            .iter()
            .any(|line| ours.iter().any(|our| same_place(our, line)))
        {
            same_line += 1;
        } else {
            failures.push(format!(
                "{}\n    Kamailio: {line:?}, here: {ours:?}",
                report(id, &parsed)
            ));
        }
    }
    println!("{count} configurations with syntax errors; line known {lines}, same {same_line}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn same_place(our: &str, kamailio: &str) -> bool {
    let name = |place: &str| {
        let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
        let base = file.rsplit('/').next().unwrap_or(file);
        format!("{base}:{line}")
    };
    name(our) == name(kamailio)
}

/// The lines of the error message if it is about syntax, as `file:line`.
fn syntax_error_line(message: &str) -> Option<Vec<String>> {
    if !message.ends_with("syntax error") {
        return None;
    }
    let (_, rest) = message.split_once("parse error in config file ")?;
    let (file, rest) = rest.split_once(", ")?;
    let numbers = rest.split("line ").skip(1).filter_map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then(|| format!("{file}:{digits}"))
    });
    Some(numbers.collect())
}
