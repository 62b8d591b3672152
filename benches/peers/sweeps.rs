//! Sweeps over slices: many cheap items, some dear ones, reductions, and fewer results than items.

use std::{iter, time::Duration};

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::{
    contenders::{Contender, Contenders},
    divide,
    heap::WarmHeap,
    medium::{Medium, xorshift},
    race::{Bench, Entry, Row},
};

const MANY: usize = 10_000_000;

/// Long enough for idle workers to be asleep.
const REST: Duration = Duration::from_millis(2);

/// Runs all rows of this part.
pub(crate) fn run(bench: &Bench, contenders: &Contenders, medium: Medium) {
    for n in [100, 1_000, 10_000, 100_000, 1_000_000] {
        cheap_map(bench.row(format!("map: {n} cheap")), contenders, n);
    }
    cheap_map_of_many(bench, contenders);
    for n in [10, 100, 1_000, 10_000, 100_000] {
        medium_map(bench.row(format!("map: {n} medium")), contenders, n, medium);
    }
    for n in [10, 100] {
        let row = bench.row(format!("map: {n} medium, idle"));
        medium_map(row.map(|row| row.after(REST)), contenders, n, medium);
    }
    sum(bench, contenders);
    keep_a_third(bench, contenders);
}

/// Once into pages that the kernel must clear first, and once into a heap that has them.
fn cheap_map_of_many(bench: &Bench, contenders: &Contenders) {
    cheap_map(bench.row(format!("map: {MANY} cheap, fresh pages")), contenders, MANY);
    let Some(row) = bench.row(format!("map: {MANY} cheap, warm heap")) else {
        return;
    };
    // For the items, the expected result and the contender's; the fourth because some blocks fall
    // into older holes.
    let _heap = WarmHeap::with_room(MANY * size_of::<f64>() * 4);
    cheap_map(Some(row), contenders, MANY);
}

fn cheap_map(row: Option<Row<'_>>, contenders: &Contenders, n: usize) {
    map(row, contenders, || floats(n), |x| x * x + 1.0);
}

fn medium_map(row: Option<Row<'_>>, contenders: &Contenders, n: usize, medium: Medium) {
    map(row, contenders, || randoms(n), move |&seed| medium.work(seed));
}

fn map<T: Sync, R: PartialEq + Send>(
    row: Option<Row<'_>>,
    contenders: &Contenders,
    items: impl FnOnce() -> Vec<T>,
    f: impl Fn(&T) -> R + Copy + Send + Sync,
) {
    let Some(row) = row else { return };
    let items = items();
    let items = items.as_slice();
    let Contenders { rayon, chili, std_scope, channel, manyhands, .. } = contenders;
    row.race(vec![
        Entry::new(Contender::Loop, || items.iter().map(f).collect()),
        Entry::new(Contender::Rayon, || rayon.install(|| items.par_iter().map(f).collect())),
        Entry::new(Contender::Chili, || divide::map(chili, items, f)),
        Entry::new(Contender::StdScope, || divide::map(std_scope, items, f)),
        Entry::new(Contender::Channel, || divide::map(channel, items, f)),
        Entry::new(Contender::Manyhands, || manyhands.map(items, f)),
    ]);
}

fn sum(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row(format!("map_reduce: sum of {MANY} f64")) else {
        return;
    };
    let items = floats(MANY);
    let items = items.as_slice();
    let Contenders { rayon, chili, std_scope, channel, manyhands, .. } = contenders;
    row.race(vec![
        Entry::new(Contender::Loop, || items.iter().sum::<f64>()),
        Entry::new(Contender::Rayon, || rayon.install(|| items.par_iter().sum())),
        Entry::new(Contender::Chili, || divide::sum(chili, items)),
        Entry::new(Contender::StdScope, || divide::sum(std_scope, items)),
        Entry::new(Contender::Channel, || divide::sum(channel, items)),
        Entry::new(Contender::Manyhands, || {
            manyhands.map_reduce(items, |&x| x, |a, b| a + b).unwrap_or_default()
        }),
    ]);
}

fn keep_a_third(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row(format!("filter_map: {MANY}, 1 of 3 kept")) else {
        return;
    };
    let items = randoms(MANY);
    let items = items.as_slice();
    let f = |&x: &u64| (x % 3 == 0).then_some(x / 3);
    let Contenders { rayon, chili, std_scope, channel, manyhands, .. } = contenders;
    row.race(vec![
        Entry::new(Contender::Loop, || items.iter().filter_map(f).collect::<Vec<_>>()),
        Entry::new(Contender::Rayon, || rayon.install(|| items.par_iter().filter_map(f).collect())),
        Entry::new(Contender::Chili, || divide::filter_map(chili, items, f)),
        Entry::new(Contender::StdScope, || divide::filter_map(std_scope, items, f)),
        Entry::new(Contender::Channel, || divide::filter_map(channel, items, f)),
        Entry::new(Contender::Manyhands, || manyhands.filter_map(items, f)),
    ]);
}

/// Small whole numbers, so that their sum is the same in every order.
fn floats(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i % 1_000) as f64).collect()
}

fn randoms(n: usize) -> Vec<u64> {
    iter::successors(Some(1), |&state| Some(xorshift(state))).skip(1).take(n).collect()
}
