//! The Vim plugin in a headless Vim: completion over the dictionaries that `kcc export vim`
//! writes, colours, indentation and the detection of the file type.
//!
//! Vim starts without any dictionary, so the plugin has to have them written by the `kcc` that
//! was built beside this test.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use kcc_tests::built::kcc;
use kcc_tests::folder::Folder;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

/// A text that ends where completion is asked for, a word that must be offered with a part of its
/// menu, and one that must not be offered.
struct Completion {
    name: &'static str,
    text: &'static str,
    offers: (&'static str, &'static str),
    hides: &'static str,
}

const COMPLETIONS: &[Completion] = &[
    Completion {
        name: "a function by its first letters",
        text: "request_route {\n    t_rel",
        offers: ("t_relay", "t_relay("),
        hides: "t_reply",
    },
    Completion {
        name: "a variable after the dollar",
        text: "if ($r",
        offers: ("$rU", "$rU"),
        hides: "$fU",
    },
    Completion {
        name: "a variable inside a text",
        text: "xlog(\"from $f",
        offers: ("$fU", "$fU"),
        hides: "$rU",
    },
    Completion {
        name: "a variable class up to its parenthesis",
        text: "$av",
        offers: ("$avp(", "$avp("),
        hides: "$avp",
    },
    Completion {
        name: "a name inside a variable class",
        text: "$rcv(src",
        offers: ("$rcv(srcip)", "pv"),
        hides: "$rcv(",
    },
    Completion {
        name: "a transformation of a class",
        text: "$(rU{s.",
        offers: ("s.len", "{s.len}"),
        hides: "uri.host",
    },
    Completion {
        name: "a second transformation",
        text: "$(var(x){s.select,1,:}{uri.",
        offers: ("uri.host", "{uri.host}"),
        hides: "s.len",
    },
    Completion {
        name: "a parameter of the module named before",
        text: "modparam(\"tm\", \"fr_",
        offers: ("fr_timer", "int = 30000"),
        hides: "db_mode",
    },
    Completion {
        name: "a parameter of several modules",
        text: "modparam(\"auth_db|usrloc\", \"db_",
        offers: ("db_mode", "usrloc"),
        hides: "db_flag",
    },
    Completion {
        name: "a module in modparam",
        text: "modparam(\"usr",
        offers: ("usrloc", "module"),
        hides: "tm",
    },
    Completion {
        name: "a module's file in loadmodule",
        text: "loadmodule \"t",
        offers: ("tm.so", "module"),
        hides: "sl.so",
    },
    Completion {
        name: "an event",
        text: "event_route[dispatcher:",
        offers: ("dispatcher:dst-down", "event_route[dispatcher:dst-down]"),
        hides: "dialog:end",
    },
    Completion {
        name: "a directive",
        text: "#!if",
        offers: ("#!ifdef", "directive"),
        hides: "#!define",
    },
    Completion {
        name: "a parameter of the core",
        text: "child",
        offers: ("children", "int"),
        hides: "t_relay",
    },
    Completion {
        name: "a keyword",
        text: "loadm",
        offers: ("loadmodule", "keyword"),
        hides: "listen",
    },
    Completion {
        name: "a route of the same file",
        text: "route[RELAY] {\n}\nrequest_route {\n    route(RE",
        offers: ("RELAY", "route"),
        hides: "request_route",
    },
];

/// Which syntax group stands at which text of the sample.
const COLOURS: &[(&str, &str)] = &[
    ("A comment", "kamailioBlockComment"),
    ("keeps", "kamailioBlockComment"),
    ("request_route", "kamailioBlock"),
    ("483", "kamailioString"),
    ("uri.host", "kamailioTransformationName"),
    ("\\$rU", "kamailioVariable"),
    ("RELAY\\]", "kamailioRouteName"),
    ("t_relay", "kamailioFunction"),
    ("#!ifdef", "kamailioDirective"),
    ("not a block", "kamailioComment"),
    ("listen", "kamailioGlobal"),
    ("exit", "kamailioStatement"),
    ("\\\\n", "kamailioEscape"),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if !has_vim() {
        let skipped = Trial::test("plugin", || {
            println!("skipped: vim is not installed");
            Ok(())
        });
        return libtest_mimic::run(&arguments, vec![skipped]).exit_code();
    }
    if arguments.list {
        return libtest_mimic::run(&arguments, trials(Arc::new(Ok(Value::Null)))).exit_code();
    }
    let result = Arc::new(drive());
    libtest_mimic::run(&arguments, trials(result)).exit_code()
}

type Result = std::result::Result<Value, String>;

fn trials(result: Arc<Result>) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Vec::new();
    let mut add = |name: String, check: Box<dyn Fn(&Value) -> Checked + Send>| {
        let result = Arc::clone(&result);
        trials.push(Trial::test(name, move || match &*result {
            Ok(result) => check(result).map_err(Failed::from),
            Err(message) => Err(message.clone().into()),
        }));
    };
    for (index, case) in COMPLETIONS.iter().enumerate() {
        let name = format!("completes {}", case.name);
        add(
            name,
            Box::new(move |result| completion(case, &result["completions"][index])),
        );
    }
    add("marks what kcc does not support".into(), Box::new(marks));
    add(
        "nothing fails".into(),
        Box::new(|result| equal("errors", &result["errors"], "")),
    );
    add("detects the file type".into(), Box::new(file_type));
    add(
        "says that there is no kcc to write the dictionaries".into(),
        Box::new(complains),
    );
    add("colours".into(), Box::new(colours));
    add("indents".into(), Box::new(indents));
    trials
}

type Checked = std::result::Result<(), String>;

fn completion(case: &Completion, items: &Value) -> Checked {
    let items = items.as_array().ok_or("no completion")?;
    let (word, menu) = case.offers;
    let found = items.iter().find(|item| item["word"] == word);
    let found = found.ok_or_else(|| format!("no {word} among {} words: {items:?}", items.len()))?;
    let shown = found["menu"].as_str().unwrap_or("");
    if !shown.contains(menu) {
        return Err(format!("the menu of {word} is {shown:?}, without {menu:?}"));
    }
    match items.iter().any(|item| item["word"] == case.hides) {
        true => Err(format!("{} is offered", case.hides)),
        false => Ok(()),
    }
}

/// The menu says of a word that it is not supported where its manual does.
fn marks(result: &Value) -> Checked {
    let index = COMPLETIONS
        .iter()
        .position(|case| case.name == "an event")
        .ok_or("no case")?;
    let items = result["completions"][index]
        .as_array()
        .ok_or("no completion")?;
    let marked = |item: &Value| {
        item["menu"].as_str().unwrap_or("").contains("(not in kcc)")
            == item["info"]
                .as_str()
                .unwrap_or("")
                .contains("not supported by kcc yet")
    };
    match items.iter().all(marked) {
        true => Ok(()),
        false => Err(format!("menu and manual disagree: {items:?}")),
    }
}

fn file_type(result: &Value) -> Checked {
    equal("filetype", &result["filetype"], "kamailio")?;
    equal("syntax", &result["syntax"], "kamailio")?;
    equal("commentstring", &result["commentstring"], "# %s")
}

fn complains(result: &Value) -> Checked {
    let said = result["complaint"].as_str().unwrap_or("");
    match said.contains("kamailio: no dictionaries, and no no-such-kcc in the path") {
        true => Ok(()),
        false => Err(format!("said {said:?}")),
    }
}

fn colours(result: &Value) -> Checked {
    COLOURS
        .iter()
        .try_for_each(|(place, group)| equal(place, &result["colours"][place], group))
}

fn indents(result: &Value) -> Checked {
    let sample = std::fs::read_to_string(sample()).map_err(|error| error.to_string())?;
    let lines = result["indented"].as_array().ok_or("no lines")?;
    for (number, (wanted, line)) in sample.lines().zip(lines).enumerate() {
        // Lines inside a comment keep what they have, which was taken from them.
        if !wanted.trim_start().starts_with("keeps its own shape") {
            equal(&format!("line {}", number + 1), line, wanted)?;
        }
    }
    Ok(())
}

fn equal(what: &str, found: &Value, wanted: &str) -> Checked {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{what}: {found}, not {wanted:?}")),
    }
}

fn has_vim() -> bool {
    let mut vim = Command::new("vim");
    vim.arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    vim.status().is_ok_and(|status| status.success())
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vim/indent.cfg")
}

/// Runs Vim once over all cases.
fn drive() -> Result {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    run_vim(tests, Folder::new().as_ref())
}

fn run_vim(tests: &Path, folder: &Path) -> Result {
    let output = folder.join("result.json");
    let texts: Vec<&str> = COMPLETIONS.iter().map(|case| case.text).collect();
    let setting = |name: &str, value: Value| {
        // JSON's escapes in double quotes are Vim's too, for the characters used here.
        format!("let g:{name} = {value}\n")
    };
    let script = [
        format!(
            "set runtimepath^={}\n",
            tests.join("../editors/vim").display()
        ),
        "filetype plugin indent on\nsyntax on\n".to_owned(),
        setting("kamailio_dictionary", json!(folder.join("dict"))),
        setting("kamailio_kcc", json!(kcc()?)),
        setting("cases", json!(texts)),
        setting("sample", json!(sample())),
        setting("output", json!(output)),
        format!("source {}\n", tests.join("vim/drive.vim").display()),
    ];
    let start = folder.join("start.vim");
    std::fs::write(&start, script.concat()).map_err(|error| error.to_string())?;
    let mut vim = Command::new("vim");
    vim.args(["-N", "-u", "NONE", "-i", "NONE", "-n", "-es", "-S"])
        .arg(&start);
    vim.stdin(Stdio::null()).env("HOME", folder);
    let ran = vim.output().map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(&output).map_err(|error| {
        let said = String::from_utf8_lossy(&ran.stdout);
        format!(
            "vim wrote no result ({error}): {said}{}",
            String::from_utf8_lossy(&ran.stderr)
        )
    })?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}
