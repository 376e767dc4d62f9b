//! Real configurations against the verdicts of the real Kamailio, where the corpus exists.
//!
//! What Kamailio accepts must pass the whole check without an error, as `kcc check
//! --allow-unsupported` makes it; what it refuses for its syntax must be refused, on the line where
//! Kamailio refuses it. Exceptions are named in this file with a reason.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kcc::compile::{Findings, Input, check};
use kcc::diagnostic::{Diagnostic, Severity};
use kcc::resolve::Options;
use kcc::source::{LoadError, SourceLoader};
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
    (
        "kamailio/kamailio--src-modules-db2-ldap-ser-ldap",
        "a variable in a string that no version has: passes -c, does not start",
    ),
    (
        "kamailio/kamailio--src-modules-imc-doc-imc",
        "variables of a module that is not loaded: passes -c, does not start",
    ),
    (
        "kamailio/kamailio--modules-k-imc-doc-imc@3.3",
        "variables of a module that is not loaded: passes -c, does not start",
    ),
    (
        "kamailio/kamailio--src-modules-pdt-doc-pdt",
        "variables of a module that is not loaded: passes -c, does not start",
    ),
    (
        "kamailio/kamailio--src-modules-pdt-doc-pdt@5.4.0",
        "variables of a module that is not loaded: passes -c, does not start",
    ),
    (
        "kamailio/kamailio--modules-mi-xmlrpc-doc-mi-xmlrpc@4.4.7",
        "variables of a module that is not loaded: passes -c, does not start",
    ),
    (
        "altanai/kamailioexamples--webrtc-to-webrtc-RTPengine-webrtc-ws-rtpengine-kamailio",
        "a variable in a string that no version has: passes -c, does not start",
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

/// The check of one configuration with some defines.
fn checked(loader: &Loader, main: &str, defines: &[(String, Option<String>)]) -> Findings {
    check(Input {
        loader,
        main,
        defines,
        modules: kcc_stdlib::MODULES,
        options: Options {
            allow_unsupported: true,
            ..Options::default()
        },
    })
}

fn errors(findings: &Findings) -> impl Iterator<Item = &Diagnostic> {
    let all = findings.diagnostics.iter();
    all.filter(|finding| finding.severity == Severity::Error)
}

/// All lines that errors point to, as `file:line`.
fn error_lines(findings: &Findings) -> Vec<String> {
    let labels = errors(findings).flat_map(|error| &error.labels);
    labels
        .filter_map(|label| {
            let place = findings.sources.place(label.span)?;
            let file = &findings.sources.file(place.file).name;
            Some(format!("{file}:{}", place.line))
        })
        .collect()
}

/// Each error with its place.
fn report(id: &str, findings: &Findings) -> String {
    let mut told = id.to_owned();
    for error in errors(findings) {
        let place = error.labels.first();
        let place = place.and_then(|label| findings.sources.place(label.span));
        let place = place.map_or(String::new(), |place| {
            format!("{}:{}", findings.sources.file(place.file).name, place.line)
        });
        told.push_str(&format!("\n    {place}: {}: {}", error.code, error.message));
    }
    told
}

/// Does `work` for each configuration on all cores; gives what it says, in order.
fn for_each(configs: &[Value], work: impl Fn(&Value) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let told = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((n, config)) = {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    configs.get(n).map(|config| (n, config))
                } {
                    if let Some(text) = work(config) {
                        told.lock()
                            .expect("no thread panics with it")
                            .push((n, text));
                    }
                }
            });
        }
    });
    let mut told = told.into_inner().expect("no thread panics with it");
    told.sort();
    told.into_iter().map(|(_, text)| text).collect()
}

/// What is wrong with a configuration that Kamailio accepts, alone and with each define that its
/// verdicts know; `count` counts the checks.
fn wrongly_refused(corpus: &Corpus, config: &Value, count: &AtomicUsize) -> Option<String> {
    let id = text(&config["id"]);
    let as_is = text(&config["verdict"]["category"]) == "accepted";
    let corrected = text(&config["after_substitutions"]["outcome"]) == "accepted";
    if !as_is && !corrected {
        return None;
    }
    let loader = Loader::new(&corpus.root, config, !as_is);
    let main = text(&config["main"]);
    let mut failed = Vec::new();
    let mut one = |defines: &[(String, Option<String>)]| {
        count.fetch_add(1, Ordering::Relaxed);
        let findings = checked(&loader, main, defines);
        if findings.diagnostics.has_errors() {
            let with: Vec<&str> = defines.iter().map(|(name, _)| &**name).collect();
            let id = format!("{id} {}", with.join(" "));
            failed.push(report(id.trim_end(), &findings));
        }
    };
    one(&[]);
    for variant in list(&config["define_variants"]["results"]) {
        if variant["exit"] == 0 {
            let defines = list(&variant["defines"]).map(|name| (text(name).to_owned(), None));
            one(&defines.collect::<Vec<_>>());
        }
    }
    (!failed.is_empty()).then(|| failed.join("\n"))
}

/// What is wrong with a configuration that Kamailio refuses for its syntax.
fn wrongly_accepted(corpus: &Corpus, config: &Value, count: &AtomicUsize) -> Option<String> {
    let id = text(&config["id"]);
    let after = &config["after_substitutions"];
    let line = list(&after["first_errors"]).find_map(|each| syntax_error_line(text(each)))?;
    if text(&after["outcome"]) != "rejected: syntax" {
        return None;
    }
    count.fetch_add(1, Ordering::Relaxed);
    let loader = Loader::new(&corpus.root, config, true);
    let findings = checked(&loader, text(&config["main"]), &[]);
    if !findings.diagnostics.has_errors() {
        let first = &after["first_errors"][0];
        return Some(format!("{id}: accepted; Kamailio: {first}"));
    }
    let ours = error_lines(&findings);
    let same = |line: &String| ours.iter().any(|our| same_place(our, line));
    (!line.iter().any(same)).then(|| {
        let told = report(id, &findings);
        format!("{told}\n    Kamailio: {line:?}, here: {ours:?}")
    })
}

#[test]
fn what_kamailio_accepts_passes() {
    let Some(corpus) = corpus() else {
        println!("skipped: the corpus is not here");
        return;
    };
    let count = AtomicUsize::new(0);
    let failures = for_each(&corpus.configs, |config| {
        let excepted = excepted(text(&config["id"]));
        wrongly_refused(&corpus, config, &count).filter(|_| !excepted)
    });
    println!("{} checks of accepted configurations", count.into_inner());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_kamailio_refuses_for_syntax_is_refused_on_the_same_line() {
    let Some(corpus) = corpus() else {
        println!("skipped: the corpus is not here");
        return;
    };
    let count = AtomicUsize::new(0);
    let failures = for_each(&corpus.configs, |config| {
        let excepted = excepted(text(&config["id"]));
        wrongly_accepted(&corpus, config, &count).filter(|_| !excepted)
    });
    println!("{} configurations with syntax errors", count.into_inner());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_exception_is_one() {
    let Some(corpus) = corpus() else {
        println!("skipped: the corpus is not here");
        return;
    };
    let count = AtomicUsize::new(0);
    let needless = for_each(&corpus.configs, |config| {
        let id = text(&config["id"]);
        if !excepted(id) {
            return None;
        }
        let wrong = wrongly_refused(&corpus, config, &count)
            .or_else(|| wrongly_accepted(&corpus, config, &count));
        wrong.is_none().then(|| id.to_owned())
    });
    assert!(needless.is_empty(), "{}", needless.join("\n"));
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
