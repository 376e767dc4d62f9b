//! What was measured of the language on Kamailio, entry by entry as data, held against this server:
//! each entry becomes a scenario in virtual time. Where the data exists; skipped elsewhere.
//!
//! The scenarios of `behaviour/language` say the same by hand, for every machine and for the newest
//! rules. Here it is integers of 32 bits and whatever else release 5.6 does, byte for byte.

use std::path::Path;

use kcc::release::Release;
use kcc::scenario::{self, Options, Scenario, Stages, Verdict};
use serde_json::Value;

/// Entries that are otherwise on purpose, with the reason. They have to fail.
const DIFFERENT: &[(u64, &str)] = &[
    (
        131,
        "shared variables need no memory that is made while the file is read",
    ),
    (144, "a value that came in a message is not expanded"),
    (
        149,
        "a negative index counts from the end, as for other variables",
    ),
];

/// Comes last in `request_route`, to tell whether its end is reached.
const END: &str = "xlog(\"L_NOTICE\",\"=[1]=\\n\");";

/// The data; `None` where there is none.
fn data() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/gotchas.json");
    let text = std::fs::read(path).ok()?;
    Some(serde_json::from_slice(&text).expect("the data is JSON"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    let list = value[name].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// Text in double quotes, as scenario files have it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '"' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out + "\""
}

/// `L("x")` is `xlog("L_NOTICE","x\n")`.
fn expand(script: &str) -> String {
    let mut out = String::new();
    let mut rest = script;
    while let Some((before, after)) = rest.split_once("L(\"") {
        let mut escaped = false;
        let end = after.find(|c| {
            let end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            end
        });
        let end = end.expect("the string ends");
        let part_of_a_word = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let (name, line_end) = match part_of_a_word {
            true => ("L(\"", ""),
            false => ("xlog(\"L_NOTICE\",\"", "\\n"),
        };
        out.extend([before, name, &after[..end], line_end]);
        rest = &after[end..];
    }
    out + rest
}

/// Writes scenario files.
struct Writer<'a> {
    about: &'a Value,
}

impl Writer<'_> {
    /// What is set up: the configuration to the byte, and who takes part. The configuration stands
    /// on the first line, so that it begins with its own first byte.
    fn setup(&self, entry: &Value, body: &str) -> String {
        let mut modules = texts(self.about, "modules");
        modules.extend(texts(entry, "modules"));
        let modules: Vec<String> = modules
            .iter()
            .map(|name| format!("loadmodule \"{name}.so\""))
            .collect();
        let base = text(self.about, "base_config")
            .trim_start()
            .replace("HEAD\n", &format!("{}\n", text(entry, "head")))
            .replace("PORT", "5070")
            .replace("mpath=\"MPATH\"\n", "")
            .replace("MODS", &modules.join("\n"))
            .replace("PRE", &expand(text(entry, "pre")));
        let config = format!(
            "{base}request_route {{\n{}\n}}\n{}",
            expand(body),
            text(entry, "tail")
        );
        // Each end has an address of its own here.
        let config = config
            .replace("src_ip==127.0.0.1)", "src_ip=={alice.ip})")
            .replace("@UAS@", "{bob}")
            .replace("@UAS2@", "{carol}");
        let mut file = format!("config {}\n", quoted(&config));
        let pairs = |name: &str| entry[name].as_object().into_iter().flatten();
        for (name, value) in pairs("files") {
            let value = value.as_str().expect("a text");
            file.push_str(&format!("file {name} <<<\n{value}>>>\n"));
        }
        for (name, value) in pairs("env") {
            let value = value.as_str().expect("a text");
            file.push_str(&format!("environment {name}={value}\n"));
        }
        for define in texts(entry, "args").iter().filter(|each| **each != "-A") {
            file.push_str(&format!("define {define}\n"));
        }
        file + "endpoint alice udp\nendpoint bob udp\nendpoint carol udp\n"
    }

    /// The message of the entry is sent.
    fn send(&self, entry: &Value) -> String {
        let messages = &self.about["messages"];
        let body = text(messages, "body");
        let message = text(messages, text(entry, "msg"))
            .replace("127.0.0.1:{lport}", "{alice}")
            .replace("{port}", "{server.port}")
            .replace("{clen}", &body.len().to_string())
            .replace("{body}", body);
        format!("alice sends raw {}\n", quoted(&message))
    }

    /// The scenarios of an entry.
    fn scenarios(&self, entry: &Value) -> Vec<String> {
        match text(entry, "kind") {
            "expr" => {
                let cases = entry["cases"].as_array().into_iter().flatten();
                cases.map(|case| self.expression(entry, case)).collect()
            }
            "script" => self.script(entry),
            "startup" => {
                let starts = entry["starts"].as_bool().expect("yes or no");
                let what = ["server refuses", "server starts"][usize::from(starts)];
                vec![format!(
                    "{}{what}\n",
                    self.setup(entry, text(entry, "body"))
                )]
            }
            "call" => vec![self.call(entry)],
            other => panic!("kind {other}"),
        }
    }

    fn expression(&self, entry: &Value, case: &Value) -> String {
        let body = format!(
            "{}\n$var(r)=\"UNSET\";\n$var(r)= {};\nxlog(\"L_NOTICE\",\"[$var(r)]\\n\");",
            text(entry, "setup"),
            text(case, "expr")
        );
        let setup = self.setup(entry, &body);
        if case["refused"].is_string() {
            return format!("{setup}server refuses\n");
        }
        let value = match case["unset"].as_bool() {
            Some(true) => "UNSET",
            _ => text(case, "prints"),
        };
        let printed = prints(&[&format!("[{value}]")]);
        format!("{setup}{}{printed}", self.send(entry))
    }

    /// One scenario shows what is printed, one whether the end of the script is reached: where the
    /// line about the end comes among those of several messages is not known.
    fn script(&self, entry: &Value) -> Vec<String> {
        let body = text(entry, "body");
        if entry["refused"].is_string() {
            return vec![format!("{}server refuses\n", self.setup(entry, body))];
        }
        let times = entry["nmsg"].as_u64().unwrap_or(1) as usize;
        let send = self.send(entry).repeat(times);
        let printed = prints(&texts(entry, "prints"));
        let ends = entry["ends_normally"].as_u64().expect("a number");
        vec![
            format!(
                "{}{send}{printed}ignore the rest\n",
                self.setup(entry, body)
            ),
            format!(
                "{}{send}ignore the rest\nlog count {ends} ~ \"=.1.=\"\n",
                self.setup(entry, &format!("{body}\n{END}"))
            ),
        ]
    }

    fn call(&self, entry: &Value) -> String {
        let mut file = self.setup(entry, text(entry, "body")) + &self.send(entry);
        for (who, gets, codes) in [
            ("bob", "uas_gets", "codes"),
            ("carol", "uas2_gets", "codes2"),
        ] {
            for method in texts(entry, gets) {
                file.push_str(&format!("{who} receives {method}\n"));
                let codes = entry[codes].as_array().into_iter().flatten();
                for code in codes.filter(|_| method == "INVITE") {
                    file.push_str(&format!("{who} replies {code} X\n"));
                }
            }
        }
        for status in texts(entry, "uac_gets") {
            let (code, reason) = status.split_once(' ').expect("code and reason");
            file.push_str(&format!("alice receives {code} {}\n", quoted(reason)));
        }
        file.push_str("nobody receives anything for 300ms\n");
        file + &prints(&texts(entry, "prints"))
    }
}

/// The script printed these lines and no others.
fn prints(lines: &[&str]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| {
            let line = line.replace('{', "{{");
            // Where the message came from: each end has an address of its own here.
            quoted(&match line.strip_suffix(" 127.0.0.1") {
                Some(start) => format!("{start} {{alice.ip}}"),
                None => line,
            })
        })
        .collect();
    match lines.is_empty() {
        true => "prints nothing\n".to_owned(),
        false => format!("prints {}\nprints nothing\n", lines.join(" ")),
    }
}

#[test]
fn every_measured_answer_holds() {
    let Some(data) = data() else {
        println!("skipped: the data is not here");
        return;
    };
    let writer = Writer {
        about: &data["about"],
    };
    let entries = data["entries"].as_array().expect("a list");
    let mut scenarios: Vec<Scenario> = Vec::new();
    for entry in entries {
        let number = entry["id"].as_u64().expect("a number");
        for (n, file) in writer.scenarios(entry).iter().enumerate() {
            let name = format!("{number}.{n}");
            match scenario::read(&name, file) {
                Ok(read) => scenarios.extend(read),
                Err(faults) => panic!("{faults}\n{file}"),
            }
        }
    }
    let options = Options {
        modules: kcc_stdlib::MODULES,
        stages: Stages::Simulated,
        release: Some(Release::V5_6),
        seed: None,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        coverage: None,
    };
    let count = scenarios.len();
    let outcomes = scenario::run(scenarios, &options, |_| ());
    let listed = |number: u64| DIFFERENT.iter().any(|(each, _)| *each == number);
    let mut wrong = Vec::new();
    let mut failed: Vec<u64> = Vec::new();
    for outcome in &outcomes {
        let Verdict::Failed(why) = &outcome.verdict else {
            continue;
        };
        let number = outcome.file.split('.').next().and_then(|n| n.parse().ok());
        let number = number.expect("the file is named after its entry");
        failed.push(number);
        if !listed(number) {
            let entry = entries.iter().find(|entry| entry["id"] == number);
            let title = entry.map_or("", |entry| text(entry, "title"));
            wrong.push(format!("{}: {title}", outcome.file));
            let lines = why.failure.diff.iter().flat_map(|text| text.lines());
            let lines =
                lines.filter(|line| line.starts_with(['-', '+']) || line.starts_with("error"));
            wrong.push(format!("    {}", why.failure.text));
            wrong.extend(lines.map(|line| format!("    {line}")));
        }
    }
    for (number, reason) in DIFFERENT {
        if !failed.contains(number) {
            wrong.push(format!("{number} holds now: strike it off ({reason})"));
        }
    }
    println!("{} entries, {count} scenarios", entries.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
