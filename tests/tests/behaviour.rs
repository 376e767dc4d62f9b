//! The scenarios below `tests/behaviour`, each a test, as `kcc test` runs them.

use std::collections::HashMap;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};

use kcc_tests::built::kcc;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// Results by name: what failed, or nothing.
type Results = Result<HashMap<String, Option<String>>, String>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let names = match list() {
        Ok(names) => names,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    // All are run at once where more than one is wanted: they take milliseconds each.
    let one = arguments.exact && arguments.filter.is_some();
    let all = Arc::new(OnceLock::new());
    let trials = names.into_iter().map(|name| {
        let all = all.clone();
        Trial::test(name.clone(), move || {
            if one {
                result(&name, &run(Some(&name)))
            } else {
                result(&name, all.get_or_init(|| run(None)))
            }
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn command() -> Result<Command, String> {
    let mut command = Command::new(kcc()?);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["test", "behaviour"])
        .stdin(Stdio::null());
    Ok(command)
}

/// `behaviour/x.scenario: what it shows` for each scenario.
fn list() -> Result<Vec<String>, String> {
    let output = command()?.arg("--list").output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let name = |line: &str| {
        let (file, rest) = line.split_once(':')?;
        let (_, name) = rest.split_once(": ")?;
        Some(format!("{file}: {name}"))
    };
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(name)
        .collect())
}

fn run(only: Option<&str>) -> Results {
    let mut command = command()?;
    if let Some((_, name)) = only.and_then(|name| name.split_once(": ")) {
        command.arg(format!("--filter={name}"));
    }
    let output = command.args(["--output-format", "json"]).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let objects = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let result = |object: Value| {
        let name = format!("{}: {}", object["file"].as_str()?, object["name"].as_str()?);
        Some((
            name,
            (object["result"] == "failed").then(|| told(&object["failure"])),
        ))
    };
    Ok(objects.filter_map(result).collect())
}

fn told(failure: &Value) -> String {
    let text = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
    let diff = failure["diff"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut out = format!("line {}: {}\n", failure["line"], text("text"));
    for line in diff {
        out.push_str(&format!("  {line}\n"));
    }
    out + &text("ladder")
}

fn result(name: &str, results: &Results) -> Result<(), Failed> {
    match results.as_ref().map(|results| results.get(name)) {
        Ok(Some(None)) => Ok(()),
        Ok(Some(Some(failure))) => Err(failure.as_str().into()),
        Ok(None) => Err("it was not run".into()),
        Err(error) => Err(error.as_str().into()),
    }
}
