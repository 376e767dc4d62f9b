//! The messages of a scenario as a ladder.

use super::journal::{Entry, Journal};
use super::plan::Plan;

/// The width of a column.
const WIDTH: usize = 26;
/// Messages that are shown; earlier ones are left out.
const SHOWN: usize = 60;

/// Draws the messages of `journal`.
pub fn draw(journal: &Journal, plan: &Plan) -> String {
    let names: Vec<&str> = plan.everybody().map(|(name, _)| name).collect();
    // The first endpoint stands left of the server, the others right of it.
    let mut columns: Vec<&str> = names.iter().skip(1).take(1).copied().collect();
    columns.extend(names.first());
    columns.extend(names.iter().skip(2));
    let column = |name: Option<&str>| columns.iter().position(|other| Some(*other) == name);
    let mut out = String::from("             ");
    for name in &columns {
        out.push_str(&format!("{name:^WIDTH$}"));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    let skipped = journal.messages.len().saturating_sub(SHOWN);
    if skipped > 0 {
        out.push_str(&format!("             ({skipped} messages before)\n"));
    }
    for entry in journal.messages.iter().skip(skipped) {
        let me = column(names.get(entry.who + 1).copied()).unwrap_or(0);
        let server = column(Some("server")).unwrap_or(0);
        // A peer that is nobody's address is a connection's: the server's as a rule.
        let peer = column(plan.name_of(entry.peer)).unwrap_or(server);
        let (from, to) = if entry.sent { (me, peer) } else { (peer, me) };
        out.push_str(&line(entry, columns.len(), from, to));
        out.push('\n');
    }
    out
}

fn line(entry: &Entry, columns: usize, from: usize, to: usize) -> String {
    let time = format!("{:>9.3}s   ", entry.at.as_secs_f64());
    let mut cells: Vec<char> = vec![' '; columns * WIDTH];
    for column in 0..columns {
        cells[column * WIDTH + WIDTH / 2] = '│';
    }
    let (left, right) = (from.min(to), from.max(to));
    let (start, end) = (left * WIDTH + WIDTH / 2 + 1, right * WIDTH + WIDTH / 2);
    let mut text: Vec<char> = short(&entry.data).chars().collect();
    if entry.again {
        text.extend(" (again)".chars());
    }
    if end <= start {
        return format!(
            "{time}{} {}",
            cells.into_iter().collect::<String>().trim_end(),
            String::from_iter(text)
        );
    }
    let room = end - start;
    for cell in cells.iter_mut().take(end).skip(start) {
        *cell = '─';
    }
    if from < to {
        cells[end - 1] = '▶';
    } else {
        cells[start] = '◀';
    }
    text.truncate(room.saturating_sub(4));
    let at = start + (room - text.len()) / 2;
    for (n, c) in text.iter().enumerate() {
        cells[at + n] = *c;
    }
    format!("{time}{}", cells.into_iter().collect::<String>().trim_end())
}

/// What an arrow carries: a status, or method and user.
fn short(data: &[u8]) -> String {
    let title = title(data);
    match title.split_once(" sip:") {
        Some((method, uri)) => match uri.split_once('@') {
            Some((user, _)) => format!("{method} {user}"),
            None => method.to_owned(),
        },
        None => title,
    }
}

/// What is shown of a message: method or status line.
pub fn title(data: &[u8]) -> String {
    let line = data.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.trim_ascii_end());
    match line.strip_prefix("SIP/2.0 ") {
        Some(status) => status.to_owned(),
        None => line.strip_suffix(" SIP/2.0").unwrap_or(&line).to_owned(),
    }
}
