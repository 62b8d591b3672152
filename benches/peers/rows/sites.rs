//! What a call site costs that the pool does not know yet, or knows by a wrong figure.

use std::{cell::Cell, time::Duration};

use crate::{
    contenders::{Contender, Contenders},
    divide,
    medium::Medium,
    race::{Bench, Entry},
    record::Reach,
    rows::{machine, sweeps},
};

/// Long enough for idle workers to be asleep.
const REST: Duration = Duration::from_millis(2);

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, contenders: &Contenders, medium: Medium) {
    first_calls(bench, contenders);
    alternating(bench, contenders, medium);
}

/// A function that maps at a call site of its own.
type Site = fn(&Contenders, &[f64]) -> Vec<f64>;

/// So many sites of their own.
fn sites() -> impl Iterator<Item = (Site, Site)> {
    macro_rules! sites {
        ($($number:literal)*) => { [$((ours::<$number> as Site, rayons::<$number> as Site)),*] };
    }
    let sites = sites!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28
        29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58);
    sites.into_iter()
}

fn ours<const NUMBER: usize>(contenders: &Contenders, items: &[f64]) -> Vec<f64> {
    contenders.manyhands.map(items, |x| x * x + 1.0)
}

fn rayons<const NUMBER: usize>(contenders: &Contenders, items: &[f64]) -> Vec<f64> {
    use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
    contenders.rayon.install(|| items.par_iter().map(|x| x * x + 1.0).collect())
}

/// Each call is the first one at its site.
fn first_calls(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row("map: 100 cheap, idle, first call at a site") else {
        return;
    };
    let items = sweeps::floats(100);
    let (mine, theirs) = (Cell::new(0), Cell::new(0));
    let call = |next: &Cell<usize>, is_ours: bool| {
        let index = next.replace(next.get() + 1);
        let (ours, rayons) = sites().nth(index).expect("there are more sites than rounds");
        (if is_ours { ours } else { rayons })(contenders, &items)
    };
    let reach = Reach::of_row(machine::UNPARK, Contender::Loop, 1.0).plus(0.1);
    let row = row.after(REST).reach(reach).at_most(58);
    row.race(vec![
        Entry::new(Contender::Loop, || items.iter().map(|x| x * x + 1.0).collect()),
        Entry::new(Contender::Rayon, || call(&theirs, false)),
        Entry::new(Contender::Manyhands, || call(&mine, true)),
    ]);
}

/// One site with cheap and with dear calls in turn.
fn alternating(bench: &Bench, contenders: &Contenders, medium: Medium) {
    let (cheap, dear) = (medium.scaled(0.01), medium.scaled(10.0));
    let seeds = sweeps::randoms(100);
    let seeds = seeds.as_slice();
    let Contenders { rayon, std_scope, channel, manyhands, .. } = contenders;
    let run_loop = |work: Medium| -> Vec<_> { seeds.iter().map(|&seed| work.work(seed)).collect() };
    let run_rayon = |work: Medium| -> Vec<_> {
        use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
        rayon.install(|| seeds.par_iter().map(|&seed| work.work(seed)).collect())
    };
    let run_scope = |work: Medium| divide::map(std_scope, seeds, |&seed| work.work(seed));
    let run_channel = |work: Medium| divide::map(&**channel, seeds, |&seed| work.work(seed));
    let run_ours = |work: Medium| manyhands.map(seeds, |&seed| work.work(seed));
    let rows = [
        ("alternating: 100 of 10 ns, after 100 of 10 µs", cheap, dear, Reach::fixed(3.0)),
        (
            "alternating: 100 of 10 µs, after 100 of 10 ns",
            dear,
            cheap,
            Reach::of(Contender::Loop, 1.0, 0.55),
        ),
    ];
    for (title, now, before, reach) in rows {
        let Some(row) = bench.row(title) else { continue };
        row.reach(reach).race(vec![
            Entry::new(Contender::Loop, || run_loop(now)).after(|| drop(run_loop(before))),
            Entry::new(Contender::Rayon, || run_rayon(now)).after(|| drop(run_rayon(before))),
            Entry::new(Contender::StdScope, || run_scope(now)).after(|| drop(run_scope(before))),
            Entry::new(Contender::Channel, || run_channel(now)).after(|| drop(run_channel(before))),
            Entry::new(Contender::Manyhands, || run_ours(now)).after(|| drop(run_ours(before))),
        ]);
    }
}
