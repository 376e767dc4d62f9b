//! What a hash table costs: finding, writing and counting items, and going through them, in tables of
//! 1,000 and of 1,000,000. `cargo bench -p kcc-stdlib`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kcc_runtime::value::Value;
use kcc_stdlib::htable::spec::Spec;
use kcc_stdlib::htable::table::{Memory, Table};

const ROUNDS: u32 = 1_000_000;

/// The least of five measurements of `work`, for one round of each.
fn measure(name: &str, mut work: impl FnMut(u32)) {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for round in 0..ROUNDS {
            work(round);
        }
        best = best.min(start.elapsed());
    }
    println!(
        "{name}: {:.0} ns",
        best.as_nanos() as f64 / f64::from(ROUNDS)
    );
}

/// Keys as scripts make them, in an order in which they do not lie in memory.
fn keys(count: u32) -> Vec<Vec<u8>> {
    let key = |n: u32| {
        let n = u64::from(n) * 7919 % u64::from(count);
        format!(
            "{}.{}.{}.{}::auth",
            n >> 24,
            n >> 16 & 255,
            n >> 8 & 255,
            n & 255
        )
        .into_bytes()
    };
    (0..count).map(key).collect()
}

fn main() {
    for (size, spec) in [
        (1_000, "t=>size=8"),
        (1_000_000, "t=>size=8"),
        (1_000_000, "t=>size=16;autoexpire=3600"),
    ] {
        let spec_text = spec;
        let spec = Spec::parse(spec.as_bytes()).expect("it is a declaration");
        let table = Table::new(spec, Arc::new(Memory::new(4 << 30)));
        let keys = keys(size);
        for key in &keys {
            table
                .set(key, Value::Str(b"sip:alice@192.0.2.1:5060"), 0, 0)
                .expect("there is memory");
        }
        let key = |round: u32| &*keys[round as usize % keys.len()];
        println!("{spec_text}, {} items", table.len());
        let mut place = [0u8; 64];
        measure("  find and copy", |round| {
            let found = table.get(key(round), 1, |value| match value {
                Value::Str(text) => {
                    place[..text.len()].copy_from_slice(text);
                    text.len()
                }
                _ => 0,
            });
            black_box(found);
        });
        measure("  find none", |round| {
            let none = table.get(&key(round)[1..], 1, |_| ());
            black_box(none);
        });
        measure("  write over", |round| {
            let text: &[u8] = b"sip:bob@192.0.2.200:5060";
            let _ = black_box(table.set(key(round), Value::Str(text), 0, 1));
        });
        measure("  remove and add", |round| {
            table.remove(key(round));
            let _ = black_box(table.set(key(round), Value::Int(1), 0, 1));
        });
        measure("  count", |round| {
            let _ = black_box(table.add(key(round), 1, 1));
        });
        let mut position = None;
        measure("  go to the next", |_| {
            position = table.after(position, |key, _| {
                black_box(key.len());
            });
        });
    }
}
