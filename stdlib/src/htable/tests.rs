//! Tables while several threads work in them, and what they keep of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kcc_runtime::value::{Owned, Value};

use super::Tables;
use super::spec::Spec;
use super::table::{Gone, Memory, Table};

fn table(spec: &str) -> Table {
    let spec = Spec::parse(spec.as_bytes()).unwrap();
    Table::new(spec, Arc::new(Memory::new(64 << 20)))
}

fn set(table: &Table, key: &str, n: i64, now: u64) {
    table.set(key.as_bytes(), Value::Int(n), 0, now).unwrap();
}

fn get(table: &Table, key: &str, now: u64) -> Option<i64> {
    table
        .get(key.as_bytes(), now, |value| value.int())
        .flatten()
}

fn keys(table: &Table) -> Vec<String> {
    let mut keys = Vec::new();
    let mut position = None;
    loop {
        position = table.after(position, |key, _| {
            keys.push(String::from_utf8_lossy(key).into_owned());
        });
        if position.is_none() {
            return keys;
        }
    }
}

#[test]
fn items_are_met_in_the_order_of_kamailio() {
    let table = table("t=>size=4");
    for key in [
        "boot", "i", "s", "e", "E", "k1", "k2", "n1", "arr[0]", "arr[1]", "0",
    ] {
        set(&table, key, 1, 0);
    }
    let order = [
        "arr[0]", "arr[1]", "k2", "i", "0", "n1", "k1", "e", "E", "boot", "s",
    ];
    assert_eq!(keys(&table), order);
}

/// A small random generator: same seed, same numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn a_table_is_as_a_map_whatever_is_done_to_it() {
    for seed in 1..20 {
        let mut dice = Dice(seed);
        let table = table(["t=>size=2", "t=>size=10"][seed as usize % 2]);
        let mut model: HashMap<String, i64> = HashMap::new();
        for step in 0..3000 {
            let key = format!("key{}", dice.roll(200));
            match dice.roll(8) {
                0..4 => {
                    set(&table, &key, step, 0);
                    model.insert(key, step);
                }
                4 => {
                    let removed = table.remove(key.as_bytes());
                    assert_eq!(removed, model.remove(&key).is_some());
                }
                5 => {
                    let sum = table.add(key.as_bytes(), 1, 0).unwrap();
                    let expected = model.get_mut(&key).map(|n| {
                        *n += 1;
                        *n
                    });
                    assert_eq!(sum, expected);
                }
                6 if dice.roll(50) == 0 => {
                    table.retain(|key, _| !key.ends_with(b"7"));
                    model.retain(|key, _| !key.ends_with('7'));
                }
                _ => assert_eq!(get(&table, &key, 0), model.get(&key).copied()),
            }
        }
        let mut met = keys(&table);
        met.sort();
        let mut expected: Vec<String> = model.into_keys().collect();
        expected.sort();
        assert_eq!(met, expected);
    }
}

#[test]
fn what_stays_is_met_once_while_others_write() {
    let table = table("t=>size=6");
    let staying: Vec<String> = (0..500).map(|n| format!("stays{n}")).collect();
    for key in &staying {
        set(&table, key, 1, 0);
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..3u64 {
            let (table, stop) = (&table, &stop);
            scope.spawn(move || {
                let mut dice = Dice(writer + 1);
                while !stop.load(Ordering::Relaxed) {
                    let key = format!("comes{}", dice.roll(5000));
                    match dice.roll(3) {
                        0 => {
                            table.remove(key.as_bytes());
                        }
                        1 => set(table, &key, 1, 0),
                        _ => set(table, &format!("stays{}", dice.roll(500)), 2, 0),
                    }
                }
            });
        }
        for _ in 0..50 {
            let mut met: HashMap<String, u32> = HashMap::new();
            for key in keys(&table) {
                *met.entry(key).or_default() += 1;
            }
            for key in &staying {
                assert_eq!(met.get(key), Some(&1), "{key}");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn sums_of_several_threads_are_exact() {
    let table = table("t=>initval=0");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5000 {
                    table.add(b"sum", 1, 0).unwrap();
                }
            });
        }
    });
    assert_eq!(get(&table, "sum", 0), Some(20_000));
}

#[test]
fn an_item_lives_as_long_as_the_table_says() {
    let table = table("t=>autoexpire=10");
    set(&table, "a", 1, 1000);
    assert_eq!(
        (get(&table, "a", 11_000), table.remaining(b"a", 1000)),
        (Some(1), 10)
    );
    assert_eq!(get(&table, "a", 11_001), None);
    // Writing lets it live anew, even when it is over.
    set(&table, "a", 2, 20_000);
    assert_eq!(table.remaining(b"a", 20_001), 10);
    table.set_remaining(b"a", 100, 20_000);
    assert_eq!(table.remaining(b"a", 20_000), 100);
    set(&table, "a", 3, 20_000);
    assert_eq!(table.remaining(b"a", 20_000), 10);
    table.set_remaining(b"a", 0, 20_000);
    assert_eq!(
        (get(&table, "a", u64::MAX), table.remaining(b"a", 0)),
        (Some(3), 0)
    );
}

#[test]
fn updateexpire_0_keeps_the_time_of_the_first_write() {
    let table = table("t=>autoexpire=10;updateexpire=0");
    set(&table, "a", 1, 0);
    set(&table, "a", 2, 5000);
    table.add(b"a", 1, 6000).unwrap();
    assert_eq!(table.remaining(b"a", 6000), 4);
    set(&table, "a", 4, 10_001);
    assert_eq!(table.remaining(b"a", 10_001), 10);
}

#[test]
fn a_time_of_its_own_counts_in_tables_with_autoexpire_only() {
    for (spec, remaining) in [("t=>autoexpire=10", 60), ("t=>size=4", 0)] {
        let table = table(spec);
        table.set(b"a", Value::Int(1), 60, 0).unwrap();
        assert_eq!(table.remaining(b"a", 0), remaining, "{spec}");
        table.set_remaining(b"a", 60, 0);
        assert_eq!(table.remaining(b"a", 0), remaining, "{spec}");
    }
    let table = table("t=>autoexpire=10");
    table.set(b"a", Value::Int(1), 0, 0).unwrap();
    assert_eq!(table.remaining(b"a", 0), 10);
}

#[test]
fn a_sum_begins_with_initval() {
    let plain = table("t=>size=4");
    assert_eq!(plain.add(b"a", 1, 0), Ok(None));
    assert!(plain.is_empty());
    plain.set(b"a", Value::Str(b"text"), 0, 0).unwrap();
    assert_eq!(plain.add(b"a", 1, 0), Ok(None));

    let begun = table("t=>initval=7;autoexpire=10");
    assert_eq!(begun.add(b"a", 1, 0), Ok(Some(8)));
    assert_eq!(begun.add(b"a", 1, 5000), Ok(Some(9)));
    assert_eq!(begun.add(b"a", -1, 15_001), Ok(Some(6)));
}

fn gone(key: &str, n: i64) -> Gone {
    Gone {
        key: key.as_bytes().into(),
        value: Owned::Int(n),
    }
}

#[test]
fn a_sweep_takes_out_what_is_over_and_no_more() {
    let table = table("t=>autoexpire=10");
    set(&table, "over", 1, 0);
    set(&table, "longer", 2, 0);
    set(&table, "written", 3, 0);
    table.set_remaining(b"longer", 20, 0);
    set(&table, "written", 4, 5000);
    set(&table, "shorter", 5, 4000);
    table.set_remaining(b"shorter", 1, 4000);
    let sweep = |now| {
        let mut list = Vec::new();
        table.sweep(now, usize::MAX, Some(&mut list));
        list
    };
    assert_eq!(sweep(5000), []);
    assert_eq!(sweep(5001), [gone("shorter", 5)]);
    assert_eq!(sweep(10_001), [gone("over", 1)]);
    assert_eq!(sweep(15_000), []);
    assert_eq!(sweep(15_001), [gone("written", 4)]);
    assert_eq!(sweep(20_001), [gone("longer", 2)]);
    assert!(table.is_empty());
}

#[test]
fn a_sweep_takes_out_no_more_than_it_may() {
    let table = table("t=>autoexpire=1");
    for n in 0..1000 {
        set(&table, &format!("key{n}"), n, 0);
    }
    assert_eq!(table.sweep(2000, 300, None), 300);
    assert_eq!((table.len(), table.sweep(2000, 10_000, None)), (700, 700));
}

#[test]
fn all_memory_is_counted_and_limited() {
    let memory = Arc::new(Memory::new(100_000));
    let spec = Spec::parse(b"t=>autoexpire=1;initval=0").unwrap();
    let table = Table::new(spec, memory.clone());
    let mut dice = Dice(1);
    for n in 0..10_000 {
        let key = format!("key{}", dice.roll(500));
        let text = vec![b'x'; dice.roll(600) as usize];
        // Some are refused: that is the point.
        let _ = table.set(key.as_bytes(), Value::Str(&text), 0, n);
        let _ = table.add(format!("sum{n}").as_bytes(), 1, n);
        table.remove(format!("key{}", dice.roll(500)).as_bytes());
        assert!(memory.used() <= 100_000);
    }
    assert!(table.set(&[b'k'; 90_000], Value::Int(1), 0, 0).is_err());
    let before = memory.used();
    assert!(before > 90_000);
    table.sweep(u64::MAX, 10, None);
    assert!(memory.used() < before);
    table.clear();
    assert_eq!(memory.used(), 0);
}

#[test]
fn keys_of_one_hash_are_found_and_told_apart() {
    // Letter case is no part of Kamailio's hash.
    let table = table("t=>size=4");
    let keys: Vec<String> = (0..1u32 << 12)
        .map(|n| {
            let letter = |bit: u32| if n >> bit & 1 == 1 { 'A' } else { 'a' };
            (0..12).map(letter).collect()
        })
        .collect();
    for (n, key) in keys.iter().enumerate() {
        set(&table, key, n as i64, 0);
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(get(&table, key, 0), Some(n as i64));
    }
    assert_eq!(table.len(), 1 << 12);
}

#[test]
fn a_table_is_declared_once() {
    let spec = |text: &str| Spec::parse(text.as_bytes()).unwrap();
    let tables = Tables::new(&[spec("a=>"), spec("b=>")], 1000, 1).unwrap();
    assert_eq!(tables.find(b"b").map(|(number, _)| number), Some(1));
    assert!(tables.find(b"B").is_none());
    assert!(Tables::new(&[spec("a=>"), spec("a=>size=3")], 1000, 1).is_err());
}

#[test]
fn a_sweep_is_due_once_an_interval() {
    let tables = Tables::new(&[], 1000, 1).unwrap();
    let due: Vec<u64> = (0..5000)
        .step_by(100)
        .filter(|now| tables.is_due(*now))
        .collect();
    assert_eq!(due, [1000, 2000, 3000, 4000]);
    assert!(tables.is_due(9500) && !tables.is_due(9900) && tables.is_due(10_000));
    tables.go_on(10_000);
    assert!(tables.is_due(10_100));
}
