//! Whether two servers answered alike: what each endpoint received, volatile parts aside.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::journal::Journal;
use super::ladder::title;
use super::model::Setup;
use super::plan::Plan;

/// One side of a comparison.
pub struct Side<'a> {
    /// What the server is called.
    pub name: &'a str,
    /// Where everybody was.
    pub plan: &'a Plan,
    /// What happened.
    pub journal: &'a Journal,
    /// Addresses of connections, with names.
    pub connections: &'a [(SocketAddr, String)],
}

/// Where the answers differ first, for each endpoint and for what the script printed: lines with
/// `- ` are the second side's, those with `+ ` the first's.
pub fn differences(one: &Side<'_>, two: &Side<'_>, setup: &Setup) -> Vec<String> {
    let mut out = Vec::new();
    for (who, endpoint) in setup.endpoints.iter().enumerate() {
        let (ones, twos) = (one.received(who, setup), two.received(who, setup));
        for n in 0..ones.len().max(twos.len()) {
            let (mine, theirs) = (ones.get(n), twos.get(n));
            if mine == theirs {
                continue;
            }
            let what = mine
                .or(theirs)
                .map(|message| title(message.as_bytes()))
                .unwrap_or_default();
            out.push(format!("  {} received ({what}):", endpoint.name));
            out.extend(lines(
                theirs.map(String::as_str),
                mine.map(String::as_str),
                two,
                one,
            ));
            break;
        }
    }
    if !setup.not_compared.iter().any(|name| name == "log") {
        let (ones, twos) = (one.printed(), two.printed());
        if ones != twos {
            out.push("  the script printed:".into());
            let (mine, theirs) = (ones.join("\n"), twos.join("\n"));
            out.extend(lines(Some(&theirs), Some(&mine), two, one));
        }
    }
    out
}

/// The lines that differ between two texts, with a few around them.
fn lines(
    left: Option<&str>,
    right: Option<&str>,
    lefts: &Side<'_>,
    rights: &Side<'_>,
) -> Vec<String> {
    let (Some(left), Some(right)) = (left, right) else {
        let (who, there) = if left.is_none() {
            (lefts, right)
        } else {
            (rights, left)
        };
        let mut out = vec![format!("  {} sent nothing here; the other:", who.name)];
        out.extend(
            there
                .unwrap_or_default()
                .lines()
                .map(|line| format!("  | {line}")),
        );
        return out;
    };
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            i += 1;
            j += 1;
            continue;
        }
        // The nearest pair of equal lines ends the difference.
        let reach = (left.len() - i) + (right.len() - j);
        let meet = (0..=reach).find_map(|sum| {
            (0..=sum).find_map(|a| {
                let same = left.get(i + a).is_some() && left.get(i + a) == right.get(j + sum - a);
                same.then_some((i + a, j + sum - a))
            })
        });
        let (next_i, next_j) = meet.unwrap_or((left.len(), right.len()));
        out.extend(
            left[i..next_i]
                .iter()
                .map(|line| format!("- {:<9} {line}", lefts.name)),
        );
        out.extend(
            right[j..next_j]
                .iter()
                .map(|line| format!("+ {:<9} {line}", rights.name)),
        );
        (i, j) = (next_i, next_j);
    }
    out
}

impl Side<'_> {
    /// What endpoint `who` received, normalised.
    fn received(&self, who: usize, setup: &Setup) -> Vec<String> {
        let made = self.made();
        let messages = self.journal.messages.iter();
        let mine = messages.filter(|entry| entry.who == who && !entry.sent && !entry.again);
        mine.map(|entry| self.normal(&entry.data, &made, setup))
            .collect()
    }

    /// The values and header fields that the server made anew: endpoints received them first.
    fn made(&self) -> HashSet<String> {
        let mut sent = String::new();
        let mut made = HashSet::new();
        for entry in &self.journal.messages {
            let text = String::from_utf8_lossy(&entry.data);
            if entry.sent {
                sent.push_str(&text);
                continue;
            }
            let head = text.split("\r\n\r\n").next().unwrap_or_default();
            for found in MADE.captures_iter(head) {
                if !sent.contains(&found[2]) {
                    made.insert(found[2].to_owned());
                }
            }
            for line in head.lines() {
                let name = line
                    .split(':')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_ascii_lowercase();
                if OWN.contains(&name.as_str()) && !sent.contains(line) {
                    made.insert(line.to_owned());
                }
            }
        }
        made
    }

    fn printed(&self) -> Vec<String> {
        let printed = self.journal.log.printed();
        printed
            .map(|line| self.places(&String::from_utf8_lossy(line)))
            .collect()
    }

    fn normal(&self, data: &[u8], made: &HashSet<String>, setup: &Setup) -> String {
        let text = String::from_utf8_lossy(data);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut out = String::new();
        for line in head.lines() {
            let name = line
                .split(':')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            if setup.not_compared.contains(&name) {
                continue;
            }
            if made.contains(line) {
                out.push_str(&format!("{name}: *\n"));
                continue;
            }
            let line = MADE.replace_all(line, |found: &Captures<'_>| {
                if made.contains(&found[2]) {
                    format!("{}*", &found[1])
                } else {
                    found[0].to_owned()
                }
            });
            // The number of a connection.
            let line = CONNECTION.replace_all(&line, ";i=*");
            let line = EXPIRES.replace_all(&line, |found: &Captures<'_>| {
                // A second may pass in real time.
                let seconds: u64 = found[2].parse().unwrap_or(0);
                format!("{}{}", &found[1], seconds.div_ceil(5) * 5)
            });
            out.push_str(&self.places(&line));
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.places(body));
        out
    }

    /// The text with names for addresses.
    fn places(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (address, name) in self.connections {
            text = text.replace(
                &format!("rport={}", address.port()),
                &format!("rport={name}"),
            );
            text = text.replace(&address.to_string(), name);
        }
        for (name, address) in self.plan.everybody() {
            text = text.replace(
                &format!("{}:{}", address.ip(), address.port()),
                &format!("[{name}]"),
            );
            let ip = address.ip().to_string();
            // Not the beginning of a longer number: 127.0.0.1 and 127.0.0.11.
            let mut out = String::new();
            let mut rest = text.as_str();
            while let Some(at) = rest.find(&ip) {
                let (before, after) = rest.split_at(at);
                let after = &after[ip.len()..];
                out.push_str(before);
                if after.starts_with(|c: char| c.is_ascii_digit()) {
                    out.push_str(&ip);
                } else {
                    out.push_str(&format!("[{name}.ip]"));
                }
                rest = after;
            }
            out.push_str(rest);
            text = out;
        }
        text
    }
}

/// Header fields that a server makes anew, in lower case.
const OWN: &[&str] = &["server", "user-agent", "date", "call-id"];
/// Values that a server makes anew.
static MADE: LazyLock<Regex> = LazyLock::new(|| {
    constant(r#"(?i)((?:;|\s|,)(?:tag|branch|nonce|opaque|rtag|vst|vsf)=)("?[^;,\s">]+"?)"#)
});
static CONNECTION: LazyLock<Regex> = LazyLock::new(|| constant(r";i=[0-9a-f]+$"));
static EXPIRES: LazyLock<Regex> = LazyLock::new(|| constant(r"(?i)(\bexpires(?:=|: ))(\d+)"));

#[allow(clippy::expect_used)]
fn constant(text: &str) -> Regex {
    Regex::new(text).expect("the expression is a constant that the tests compile")
}
