//! Sweeps over slices: many cheap items, some dear ones, reductions, and fewer results than items.

use std::{iter, time::Duration};

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::{
    contenders::{Contender, Contenders},
    divide,
    heap::WarmHeap,
    medium::{Medium, xorshift},
    race::{Bench, Entry, Row},
    record::Reach,
};

const MANY: usize = 10_000_000;

/// Long enough for idle workers to be asleep.
const REST: Duration = Duration::from_millis(2);

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, contenders: &Contenders, medium: Medium) {
    let loop_took = |took, reach| Reach::of(Contender::Loop, took, reach);
    let cheap = [
        (100, loop_took(0.028, 0.12)),
        (1_000, loop_took(0.23, 0.37)),
        (10_000, loop_took(2.45, 2.9)),
        (100_000, loop_took(42.0, 21.0)),
        (1_000_000, loop_took(1.0, 0.6)),
    ];
    for (n, reach) in cheap {
        let row = bench.row(format!("map: {n} cheap"));
        cheap_map(row.map(|row| row.reach(reach)), contenders, n);
    }
    cheap_map_of_many(bench, contenders, loop_took(12.4, 6.7));
    let medium_ones = [
        (10, Some(loop_took(9.95, 7.0))),
        (100, Some(loop_took(99.0, 54.0))),
        (1_000, None),
        (10_000, Some(loop_took(1.0, 0.515))),
    ];
    for (n, reach) in medium_ones {
        let row = bench.row(format!("map: {n} medium"));
        medium_map(row.map(|row| row.reach(reach)), contenders, n, medium);
    }
    if let Some(row) = bench.row("map: 10 medium, idle") {
        let row = row.after(REST).reach(loop_took(10.0, 11.0)).tail(loop_took(13.0, 20.0));
        medium_map(Some(row), contenders, 10, medium);
    }
    if let Some(row) = bench.row("map: 100 medium, idle") {
        let row = row.after(REST).reach(loop_took(98.0, 84.0));
        medium_map(Some(row), contenders, 100, medium);
    }
    nested(bench, contenders);
    sum(bench, contenders);
    keep_a_third(bench, contenders);
}

/// Once into pages that the kernel must clear first, and once into a heap that has them.
fn cheap_map_of_many(bench: &Bench, contenders: &Contenders, reach: Reach) {
    let row = bench.row(format!("map: {MANY} cheap, fresh pages"));
    cheap_map(row.map(|row| row.reach(reach.clone())), contenders, MANY);
    let Some(row) = bench.row(format!("map: {MANY} cheap, warm heap")) else {
        return;
    };
    // For the items, the expected result and the contender's; the fourth because some blocks fall
    // into older holes.
    let _heap = WarmHeap::with_room(MANY * size_of::<f64>() * 4);
    cheap_map(Some(row.reach(reach)), contenders, MANY);
}

/// Maps `n` floats, at less than a nanosecond each.
pub(super) fn cheap_map(row: Option<Row<'_>>, contenders: &Contenders, n: usize) {
    map(row, contenders, || floats(n), |x| x * x + 1.0);
}

/// Maps `n` items of a microsecond.
pub(super) fn medium_map(row: Option<Row<'_>>, contenders: &Contenders, n: usize, medium: Medium) {
    map(row, contenders, || randoms(n), move |&seed| medium.work(seed));
}

/// Maps with every contender.
pub(super) fn map<T: Sync, R: Clone + Default + PartialEq + Send>(
    row: Option<Row<'_>>,
    contenders: &Contenders,
    items: impl FnOnce() -> Vec<T>,
    f: impl Fn(&T) -> R + Copy + Send + Sync,
) {
    let Some(row) = row else { return };
    let items = items();
    let items = items.as_slice();
    row.race(map_entries(contenders, items, f));
}

/// Every contender's way to map.
pub(super) fn map_entries<'a, T: Sync, R: Clone + Default + Send>(
    contenders: &'a Contenders,
    items: &'a [T],
    f: impl Fn(&T) -> R + Copy + Send + Sync + 'a,
) -> Vec<Entry<'a, Vec<R>>> {
    let Contenders { rayon, chili, forte, orx, paralight, std_scope, channel, manyhands, .. } =
        contenders;
    vec![
        Entry::new(Contender::Loop, move || items.iter().map(f).collect()),
        Entry::new(Contender::Rayon, move || rayon.install(|| items.par_iter().map(f).collect())),
        Entry::new(Contender::Chili, move || divide::map(&**chili, items, f)),
        Entry::new(Contender::Forte, move || divide::map(&**forte, items, f)),
        Entry::new(Contender::Orx, move || orx.map(items, f)),
        Entry::new(Contender::Paralight, move || paralight.map(items, f)),
        Entry::new(Contender::StdScope, move || divide::map(std_scope, items, f)),
        Entry::new(Contender::Channel, move || divide::map(&**channel, items, f)),
        Entry::new(Contender::Manyhands, move || manyhands.map(items, f)),
    ]
}

/// Sweeps inside a sweep. Only those are here whose calls may nest.
fn nested(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row("map: 100 times 10000 cheap, nested") else {
        return;
    };
    let items = floats(10_000);
    let items = items.as_slice();
    let f = |x: &f64| x * x + 1.0;
    let last = |mapped: Vec<f64>| mapped[mapped.len() - 1];
    let Contenders { rayon, chili, std_scope, manyhands, .. } = contenders;
    let outer = [(); 100];
    row.reach(Reach::of(Contender::Loop, 1.0, 0.52)).race(vec![
        Entry::new(Contender::Loop, || {
            outer.iter().map(|()| last(items.iter().map(f).collect())).collect::<Vec<_>>()
        }),
        Entry::new(Contender::Rayon, || {
            let inner = |()| last(items.par_iter().map(f).collect());
            rayon.install(|| outer.par_iter().copied().map(inner).collect())
        }),
        Entry::new(Contender::Chili, || {
            divide::map(&**chili, &outer, |()| last(divide::map(&**chili, items, f)))
        }),
        Entry::new(Contender::StdScope, || {
            divide::map(std_scope, &outer, |()| last(divide::map(std_scope, items, f)))
        }),
        Entry::new(Contender::Manyhands, || {
            manyhands.map(&outer, |()| last(manyhands.map(items, f)))
        }),
    ]);
}

fn sum(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row(format!("map_reduce: sum of {MANY} f64")) else {
        return;
    };
    let items = floats(MANY);
    let items = items.as_slice();
    let Contenders { rayon, chili, forte, orx, paralight, std_scope, channel, manyhands, .. } =
        contenders;
    row.reach(Reach::of(Contender::Rayon, 1.0, 0.9)).race(vec![
        Entry::new(Contender::Loop, || items.iter().sum::<f64>()),
        Entry::new(Contender::Rayon, || rayon.install(|| items.par_iter().sum())),
        Entry::new(Contender::Chili, || divide::sum(&**chili, items)),
        Entry::new(Contender::Forte, || divide::sum(&**forte, items)),
        Entry::new(Contender::Orx, || orx.sum(items)),
        Entry::new(Contender::Paralight, || paralight.sum(items)),
        Entry::new(Contender::StdScope, || divide::sum(std_scope, items)),
        Entry::new(Contender::Channel, || divide::sum(&**channel, items)),
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
    let Contenders { rayon, chili, forte, orx, std_scope, channel, manyhands, .. } = contenders;
    row.reach(Reach::of(Contender::Rayon, 1.0, 0.95)).race(vec![
        Entry::new(Contender::Loop, || items.iter().filter_map(f).collect::<Vec<_>>()),
        Entry::new(Contender::Rayon, || rayon.install(|| items.par_iter().filter_map(f).collect())),
        Entry::new(Contender::Chili, || divide::filter_map(&**chili, items, f)),
        Entry::new(Contender::Forte, || divide::filter_map(&**forte, items, f)),
        Entry::new(Contender::Orx, || orx.filter_map(items, f)),
        Entry::new(Contender::StdScope, || divide::filter_map(std_scope, items, f)),
        Entry::new(Contender::Channel, || divide::filter_map(&**channel, items, f)),
        Entry::new(Contender::Manyhands, || manyhands.filter_map(items, f)),
    ]);
}

/// Small whole numbers, so that their sum is the same in every order.
pub(super) fn floats(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i % 1_000) as f64).collect()
}

/// Numbers without a pattern.
pub(super) fn randoms(n: usize) -> Vec<u64> {
    iter::successors(Some(1), |&state| Some(xorshift(state))).skip(1).take(n).collect()
}
