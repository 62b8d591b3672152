//! The time an item takes in sweeps that grow: no step, no spike, and never far above the loop.

use crate::{
    contenders::{Contender, Contenders},
    medium::Medium,
    placement::Placement,
    race::Bench,
    record::Reach,
    rows::sweeps::{cheap_map, medium_map},
};

const CHEAP: [usize; 13] = [
    10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000,
    10_000_000,
];
const MEDIUM: [usize; 9] = [10, 20, 50, 100, 300, 1_000, 3_000, 10_000, 100_000];

/// Pools of so many threads.
const POOLS: [usize; 3] = [1, 2, 16];

fn title(n: usize, kind: &str, threads: usize) -> String {
    format!("growth: {n} {kind}, pools of {threads}")
}

/// How many items a row has, if it is one of that kind and pool.
pub(crate) fn items(title: &str, kind: &str, threads: usize) -> Option<usize> {
    let n =
        title.strip_prefix("growth: ")?.strip_suffix(&format!(" {kind}, pools of {threads}"))?;
    n.parse().ok()
}

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, placement: &Placement, medium: Medium) {
    for threads in POOLS {
        let contenders = Contenders::new(threads, placement, bench.cast());
        for n in CHEAP {
            let row = bench.row(title(n, "cheap", threads));
            cheap_map(row.map(|row| row.per(n as u64).reach(rule(n))), &contenders, n);
        }
        for n in MEDIUM {
            let row = bench.row(title(n, "medium", threads));
            medium_map(row.map(|row| row.per(n as u64).reach(rule(n))), &contenders, n, medium);
        }
    }
}

/// At most 1.2 of the loop, and 100 ns a call.
fn rule(n: usize) -> Reach {
    Reach::of(Contender::Loop, 1.0, 1.2).plus(100.0 / n as f64)
}
