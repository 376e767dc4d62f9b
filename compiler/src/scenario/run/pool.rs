//! Scenarios side by side, each on a thread, and a watch on those that do not end.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::{Failed, Options, Outcome, Stages, Verdict, one};
use crate::scenario::model::Scenario;
use crate::scenario::play::Failure;

/// How long a simulated scenario may compute.
const SIMULATED: Duration = Duration::from_secs(60);
/// How long a scenario may take beyond its own limit in real time.
const BEYOND: Duration = Duration::from_secs(60);
/// Stack of a thread, in bytes.
const STACK: usize = 16 << 20;

enum News {
    Begun(usize, usize),
    Ended(usize, usize, Outcome),
}

struct Shared {
    scenarios: Vec<Scenario>,
    options: Options,
    next: AtomicUsize,
}

pub fn run(
    scenarios: Vec<Scenario>,
    options: &Options,
    mut each: impl FnMut(&Outcome),
) -> Vec<Outcome> {
    let count = scenarios.len();
    let shared = Arc::new(Shared {
        scenarios,
        options: options.clone(),
        next: AtomicUsize::new(0),
    });
    let (tell, news) = mpsc::channel();
    let mut threads = options.threads.clamp(1, 64).min(count.max(1));
    for thread in 0..threads {
        start(&shared, thread, tell.clone());
    }
    let mut outcomes: Vec<Option<Outcome>> = (0..count).map(|_| None).collect();
    let mut running: Vec<(usize, usize, Instant)> = Vec::new();
    let mut left = count;
    while left > 0 {
        match news.recv_timeout(Duration::from_millis(200)) {
            Ok(News::Begun(thread, number)) => running.push((thread, number, Instant::now())),
            Ok(News::Ended(thread, number, outcome)) => {
                running.retain(|entry| entry.0 != thread || entry.1 != number);
                if outcomes[number].is_none() {
                    each(&outcome);
                    outcomes[number] = Some(outcome);
                    left -= 1;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Every thread is gone: `tell` of this function is still there, so this is not.
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let late: Vec<_> = running
            .iter()
            .filter(|(_, number, since)| since.elapsed() > allowed(&shared, *number))
            .copied()
            .collect();
        for (thread, number, since) in late {
            running.retain(|entry| entry.0 != thread);
            let text = format!("it did not end within {:.0?}", since.elapsed());
            let outcome = failed(&shared.scenarios[number], text, since.elapsed());
            each(&outcome);
            if outcomes[number].replace(outcome).is_none() {
                left -= 1;
            }
            // Its thread is left to itself; another takes its place.
            start(&shared, threads, tell.clone());
            threads += 1;
        }
    }
    outcomes.into_iter().flatten().collect()
}

fn allowed(shared: &Shared, number: usize) -> Duration {
    let limit = shared.scenarios[number]
        .setup
        .limit
        .unwrap_or(Duration::from_secs(600));
    match shared.options.stages {
        Stages::Simulated => SIMULATED,
        _ => limit + BEYOND,
    }
}

fn start(shared: &Arc<Shared>, thread: usize, tell: Sender<News>) {
    let shared = shared.clone();
    let spawned = std::thread::Builder::new()
        .name(format!("scenario {thread}"))
        .stack_size(STACK)
        .spawn(move || {
            let block = match shared.options.stages {
                Stages::Simulated => None,
                _ => Block::take(),
            };
            let number = block.as_ref().map_or(1, |block| block.number);
            loop {
                let n = shared.next.fetch_add(1, Relaxed);
                let Some(scenario) = shared.scenarios.get(n) else {
                    return;
                };
                let begun = Instant::now();
                if tell.send(News::Begun(thread, n)).is_err() {
                    return;
                }
                let played = catch_unwind(AssertUnwindSafe(|| {
                    one::play(scenario, &shared.options, number)
                }));
                let outcome = match played {
                    Ok(verdict) => outcome(scenario, verdict, begun.elapsed()),
                    Err(panic) => {
                        let text = panic
                            .downcast_ref::<String>()
                            .map(String::as_str)
                            .or_else(|| panic.downcast_ref::<&str>().copied())
                            .unwrap_or("a panic");
                        failed(scenario, format!("internal error: {text}"), begun.elapsed())
                    }
                };
                if tell.send(News::Ended(thread, n, outcome)).is_err() {
                    return;
                }
            }
        });
    if let Err(error) = spawned {
        // The other threads go on; with none at all the watch ends the run.
        eprintln!("error: no thread for scenarios: {error}");
    }
}

fn outcome(scenario: &Scenario, verdict: Verdict, took: Duration) -> Outcome {
    Outcome {
        file: scenario.file.clone(),
        line: scenario.line,
        name: scenario.name.clone(),
        verdict,
        took,
    }
}

fn failed(scenario: &Scenario, text: String, took: Duration) -> Outcome {
    let failure = Failure {
        line: scenario.line,
        text,
        diff: Vec::new(),
    };
    let failed = Failed {
        server: "kcc".into(),
        failure,
        ladder: String::new(),
        seed: None,
    };
    outcome(scenario, Verdict::Failed(Box::new(failed)), took)
}

/// A block of loopback addresses that no other run uses: its last address is held by a socket.
struct Block {
    number: u8,
    _held: TcpListener,
}

impl Block {
    fn take() -> Option<Block> {
        (1..=250).find_map(|number| {
            // Left over, or somebody else's.
            drop(UdpSocket::bind(SocketAddr::from(([127, 0, number, 1], 5060))).ok()?);
            let held = TcpListener::bind(SocketAddr::from(([127, 0, number, 254], 5059))).ok()?;
            Some(Block {
                number,
                _held: held,
            })
        })
    }
}
