//! The meaning of expressions and of control flow, as data: `semantics/*.txt` are expressions,
//! `semantics/*.flow` are scripts with the lines that they print. The values are Kamailio's; where
//! versions differ, those of the newest.

mod support;

use std::fmt::Write as _;
use std::path::PathBuf;

use support::{LOAD, compile, run};

fn files(extension: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/semantics");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

fn value_of(setup: &str, expression: &str) -> String {
    let text = format!(
        "{LOAD}request_route {{ {setup} $var(r)=\"UNSET\"; $var(r) = {expression};\n L(\"$var(r)\"); }}"
    );
    match compile(&text) {
        Err(_) => "refused".to_owned(),
        Ok(program) => match run(program).lines.pop() {
            Some(value) if value == "UNSET" => "unset".to_owned(),
            Some(value) => format!("[{value}]"),
            None => "nothing".to_owned(),
        },
    }
}

#[test]
fn expressions_have_their_values() {
    let mut wrong = String::new();
    let mut count = 0;
    for (name, text) in files("txt") {
        for line in text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let (case, expected) = line.rsplit_once(" => ").expect(line);
            let (setup, expression) = case.split_once(" ;; ").unwrap_or(("", case));
            let found = value_of(setup, expression);
            count += 1;
            if found != expected {
                writeln!(wrong, "{name}: {case} gives {found}, expected {expected}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count > 250, "{count}");
}

#[test]
fn scripts_do_what_they_say() {
    let mut wrong = String::new();
    for (name, text) in files("flow") {
        for case in text.split("\n== ").skip(1) {
            let (title, rest) = case.split_once('\n').expect(case);
            let (script, expected) = rest.split_once("\n--").expect(title);
            let expected: Vec<&str> = expected.lines().filter(|line| !line.is_empty()).collect();
            let whole = match script.contains("request_route") {
                true => format!("{LOAD}{script}"),
                false => format!("{LOAD}request_route {{ {script} }}"),
            };
            let found = match compile(&whole) {
                Ok(program) => run(program).lines,
                Err(error) => vec![error],
            };
            if found != expected {
                writeln!(wrong, "{name}: {title}: {found:#?}, expected {expected:#?}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
