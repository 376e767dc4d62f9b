//! Results of scenarios as text, JSON or JUnit XML.

use std::io::IsTerminal;
use std::time::Duration;

use clap::ValueEnum;
use kcc::scenario::{Failed, Outcome, Verdict};
use serde_json::json;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line a scenario, and what went wrong
    Text,
    /// One JSON object a line, a scenario each, and one with the sums
    Json,
    /// JUnit XML, for build servers
    Junit,
}

/// Writes results to standard output.
pub struct Report {
    format: Format,
    color: bool,
}

impl Report {
    /// A report in `format`.
    pub fn new(format: Format) -> Report {
        let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Report { format, color }
    }

    /// Something worth knowing before the results.
    pub fn note(&self, text: &str) {
        if self.format == Format::Text {
            println!("{text}");
        }
    }

    /// A scenario has ended.
    pub fn each(&mut self, outcome: &Outcome) {
        match self.format {
            Format::Text => self.text(outcome),
            Format::Json => println!("{}", object(outcome)),
            Format::Junit => {}
        }
    }

    fn text(&self, outcome: &Outcome) {
        let (word, color, more) = match &outcome.verdict {
            Verdict::Passed => ("ok", "32", String::new()),
            Verdict::Differs(reason) => {
                ("ok", "32", format!("  (differs from Kamailio: {reason})"))
            }
            Verdict::Pending(reason) => ("pending", "33", format!("  ({reason})")),
            Verdict::Skipped(reason) => ("skipped", "33", format!("  ({reason})")),
            Verdict::Failed(_) => ("FAILED", "31", String::new()),
        };
        let word = format!("{word:<8}");
        let word = if self.color {
            format!("\x1b[{color}m{word}\x1b[0m")
        } else {
            word
        };
        let (file, name) = (&outcome.file, &outcome.name);
        println!("{word}{:>7.1?}  {file}: {name}{more}", outcome.took);
        if let Verdict::Failed(failed) = &outcome.verdict {
            print!("{}", details(&outcome.file, failed));
        }
    }

    /// All scenarios have ended.
    pub fn end(&self, outcomes: &[Outcome], took: Duration) {
        let count = |wanted: fn(&Verdict) -> bool| {
            outcomes
                .iter()
                .filter(|outcome| wanted(&outcome.verdict))
                .count()
        };
        let bad = count(|verdict| matches!(verdict, Verdict::Failed(_)));
        let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
        let pending = count(|verdict| matches!(verdict, Verdict::Pending(_)));
        let passed = outcomes.len() - bad - skipped - pending;
        match self.format {
            Format::Text => {
                let differing: Vec<_> = outcomes
                    .iter()
                    .filter_map(|outcome| match &outcome.verdict {
                        Verdict::Differs(reason) => Some((outcome, reason)),
                        _ => None,
                    })
                    .collect();
                if !differing.is_empty() {
                    println!("\ndifferent from Kamailio on purpose:");
                    for (outcome, reason) in differing {
                        println!("  {}: {}: {reason}", outcome.file, outcome.name);
                    }
                }
                let some = |n: usize, what| match n {
                    0 => String::new(),
                    n => format!(", {n} {what}"),
                };
                let rest = some(pending, "pending") + &some(skipped, "skipped");
                println!("\n{passed} passed, {bad} failed{rest}");
            }
            Format::Json => {
                let seconds = took.as_secs_f64();
                let sums = json!({"passed": passed, "failed": bad, "pending": pending, "skipped": skipped, "seconds": seconds});
                println!("{sums}");
            }
            Format::Junit => print!("{}", junit(outcomes, bad, skipped + pending, took)),
        }
    }
}

/// What went wrong, for people.
pub fn details(file: &str, failed: &Failed) -> String {
    let failure = &failed.failure;
    let mut out = format!(
        "\n  {file}:{}: {} [{}]\n",
        failure.line, failure.text, failed.server
    );
    for line in &failure.diff {
        out.push_str(&format!("    {line}\n"));
    }
    if !failed.ladder.is_empty() {
        out.push('\n');
        for line in failed.ladder.lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    if let Some(seed) = failed.seed {
        out.push_str(&format!("\n  the network's seed: --seed {seed}\n"));
    }
    out.push('\n');
    out
}

fn object(outcome: &Outcome) -> serde_json::Value {
    let mut object = json!({
        "file": outcome.file,
        "line": outcome.line,
        "name": outcome.name,
        "seconds": outcome.took.as_secs_f64(),
    });
    let (result, reason) = match &outcome.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Differs(reason) => ("differs", Some(reason.clone())),
        Verdict::Pending(reason) => ("pending", Some(reason.clone())),
        Verdict::Skipped(reason) => ("skipped", Some(reason.clone())),
        Verdict::Failed(failed) => {
            object["failure"] = json!({
                "server": failed.server,
                "line": failed.failure.line,
                "text": failed.failure.text,
                "diff": failed.failure.diff,
                "ladder": failed.ladder,
                "seed": failed.seed,
            });
            ("failed", None)
        }
    };
    object["result"] = json!(result);
    if let Some(reason) = reason {
        object["reason"] = json!(reason);
    }
    object
}

fn junit(outcomes: &[Outcome], bad: usize, skipped: usize, took: Duration) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuites>\n<testsuite name=\"kcc test\" tests=\"{}\" failures=\"{bad}\" skipped=\"{skipped}\" time=\"{:.3}\">\n",
        outcomes.len(),
        took.as_secs_f64()
    ));
    for outcome in outcomes {
        out.push_str(&format!(
            "<testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\"",
            escape(&outcome.file),
            escape(&outcome.name),
            escape(&outcome.file),
            outcome.line,
            outcome.took.as_secs_f64()
        ));
        match &outcome.verdict {
            Verdict::Passed | Verdict::Differs(_) => out.push_str("/>\n"),
            Verdict::Skipped(reason) | Verdict::Pending(reason) => {
                out.push_str(&format!(
                    "><skipped message=\"{}\"/></testcase>\n",
                    escape(reason)
                ));
            }
            Verdict::Failed(failed) => out.push_str(&format!(
                "><failure message=\"{}\">{}</failure></testcase>\n",
                escape(&failed.failure.text),
                escape(&details(&outcome.file, failed))
            )),
        }
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

/// Text for XML. Characters that XML 1.0 cannot hold are left out.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(c),
        }
    }
    out
}
