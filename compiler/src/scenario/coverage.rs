//! Which lines and branches of configurations ran, over all scenarios.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kcc_runtime::declare::Routes;
use kcc_runtime::program::{Manifest, RouteInfo};

use crate::codegen::coverage::{Counted, Counts};

/// The sums of many runs, by file and line.
#[derive(Debug, Default)]
pub struct Coverage(Mutex<BTreeMap<String, Lines>>);

/// The sums of one file.
#[derive(Clone, Debug, Default)]
struct Lines {
    /// How often a line ran.
    lines: BTreeMap<u32, u64>,
    /// How often conditions of a line held and did not.
    ways: BTreeMap<u32, Vec<[u64; 2]>>,
    /// Routes by line: name, how often.
    routes: BTreeMap<u32, (String, u64)>,
}

impl Coverage {
    /// Adds what one run counted.
    pub fn add(&self, manifest: &Manifest, counts: &Counts) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut run: BTreeMap<&str, Lines> = BTreeMap::new();
        for (place, (file, line)) in (0u32..).zip(&manifest.places) {
            let Some(name) = manifest.files.get(*file as usize).filter(|_| *line > 0) else {
                continue;
            };
            let of = run.entry(name).or_default();
            if let Some(n) = counts.count(place, Counted::Ran) {
                let count = of.lines.entry(*line).or_default();
                // Statements that share a line.
                *count = n.max(*count);
            }
            let ways = [Counted::Held, Counted::Failed].map(|way| counts.count(place, way));
            if let [Some(held), Some(failed)] = ways {
                of.ways.entry(*line).or_default().push([held, failed]);
            }
        }
        for route in &manifest.routes {
            let (file, line) = route.place;
            if let Some(name) = manifest.files.get(file as usize) {
                let of = run.entry(name).or_default();
                let count = of.lines.get(&line).copied().unwrap_or(0);
                of.routes.insert(line, (title(route), count));
            }
        }
        for (name, lines) in run {
            files.entry(name.to_owned()).or_default().merge(lines);
        }
    }

    /// The sums in the format of lcov's tracefiles.
    pub fn lcov(&self) -> String {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::from("TN:kcc\n");
        for (name, file) in &*files {
            out.push_str(&format!("SF:{name}\n"));
            for (line, (route, _)) in &file.routes {
                out.push_str(&format!("FN:{line},{route}\n"));
            }
            for (route, count) in file.routes.values() {
                out.push_str(&format!("FNDA:{count},{route}\n"));
            }
            let sums = file.sums();
            out.push_str(&format!("FNF:{}\nFNH:{}\n", sums.routes.1, sums.routes.0));
            for (line, ways) in &file.ways {
                for (n, counts) in ways.iter().enumerate() {
                    for (way, count) in counts.iter().enumerate() {
                        let ran = counts.iter().any(|count| *count > 0);
                        let count = if ran { count.to_string() } else { "-".into() };
                        out.push_str(&format!("BRDA:{line},{n},{way},{count}\n"));
                    }
                }
            }
            out.push_str(&format!("BRF:{}\nBRH:{}\n", sums.ways.1, sums.ways.0));
            for (line, count) in &file.lines {
                out.push_str(&format!("DA:{line},{count}\n"));
            }
            out.push_str(&format!(
                "LF:{}\nLH:{}\nend_of_record\n",
                sums.lines.1, sums.lines.0
            ));
        }
        out
    }

    /// A table for people: a file a line.
    pub fn summary(&self) -> String {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let width = files.keys().map(String::len).max().unwrap_or(4).max(5);
        let mut out = format!(
            "{:width$} {:>16} {:>16} {:>16}\n",
            "file", "lines", "branches", "routes"
        );
        let mut all = Sums::default();
        for (name, file) in &*files {
            let sums = file.sums();
            out.push_str(&row(name, width, &sums));
            for (total, part) in [
                (&mut all.lines, sums.lines),
                (&mut all.ways, sums.ways),
                (&mut all.routes, sums.routes),
            ] {
                total.0 += part.0;
                total.1 += part.1;
            }
        }
        out + &row("total", width, &all)
    }
}

fn row(name: &str, width: usize, sums: &Sums) -> String {
    let cell = |(hit, all): (usize, usize)| match all {
        0 => "-".to_owned(),
        _ => format!("{hit}/{all} {:3.0}%", hit as f64 * 100.0 / all as f64),
    };
    let [lines, ways, routes] = [sums.lines, sums.ways, sums.routes].map(cell);
    format!("{name:width$} {lines:>16} {ways:>16} {routes:>16}\n")
}

/// How many were hit, of how many.
#[derive(Default)]
struct Sums {
    lines: (usize, usize),
    ways: (usize, usize),
    routes: (usize, usize),
}

impl Lines {
    fn merge(&mut self, other: Lines) {
        for (line, count) in other.lines {
            *self.lines.entry(line).or_default() += count;
        }
        for (line, ways) in other.ways {
            let own = self.ways.entry(line).or_default();
            own.resize(own.len().max(ways.len()), [0; 2]);
            for (own, other) in own.iter_mut().zip(ways) {
                own[0] += other[0];
                own[1] += other[1];
            }
        }
        for (line, (name, count)) in other.routes {
            self.routes.entry(line).or_insert((name, 0)).1 += count;
        }
    }

    fn sums(&self) -> Sums {
        let hit = |counts: &mut dyn Iterator<Item = u64>| counts.filter(|n| *n > 0).count();
        let ways = || self.ways.values().flatten().flatten().copied();
        Sums {
            lines: (hit(&mut self.lines.values().copied()), self.lines.len()),
            ways: (hit(&mut ways()), ways().count()),
            routes: (
                hit(&mut self.routes.values().map(|route| route.1)),
                self.routes.len(),
            ),
        }
    }
}

/// `request_route`, `route[X]`
fn title(route: &RouteInfo) -> String {
    let kind = match Routes(route.kind) {
        Routes::REQUEST if route.main => return "request_route".into(),
        Routes::REQUEST => "route",
        Routes::CORE_ONREPLY if route.main => return "reply_route".into(),
        Routes::FAILURE => "failure_route",
        Routes::TM_ONREPLY | Routes::CORE_ONREPLY => "onreply_route",
        Routes::BRANCH => "branch_route",
        Routes::ONSEND => return "onsend_route".into(),
        _ => "event_route",
    };
    format!("{kind}[{}]", route.name)
}
