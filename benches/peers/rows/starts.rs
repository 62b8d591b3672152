//! How soon things start that should not wait for others.

use std::{
    hint,
    sync::atomic::{AtomicBool, Ordering},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::{
    contenders::{Contender, Contenders},
    medium::Medium,
    placement::Placement,
    race::{Bench, Entry},
    record::Reach,
    rows::sweeps::randoms,
};

const NAP: Duration = Duration::from_millis(100);

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, contenders: &Contenders, placement: &Placement, medium: Medium) {
    four_leaves(bench, placement);
    detached_among_guests(bench, contenders, medium);
}

/// Four leaves asleep in two levels of `join`: all at once, or one after the other?
fn four_leaves(bench: &Bench, placement: &Placement) {
    let Some(row) = bench.row("join: four leaves asleep for 100 ms, pools of 4") else {
        return;
    };
    let nap = || {
        thread::sleep(NAP);
        1
    };
    let add = |(a, b): (u32, u32)| a + b;
    let contenders = Contenders::new(4, placement, bench.cast());
    let Contenders { rayon, chili, forte, manyhands, .. } = &contenders;
    row.in_millis().at_most(1).reach(Reach::fixed(101.0)).race(vec![
        Entry::new(Contender::Loop, || (0..4).map(|_| nap()).sum()),
        Entry::new(Contender::Rayon, || {
            let two = || add(rayon::join(nap, nap));
            add(rayon.join(two, two))
        }),
        Entry::new(Contender::Chili, || {
            let two = |scope: &mut chili::Scope<'_>| {
                add(scope.join_with_heartbeat_every::<1, _, _, _, _>(|_| nap(), |_| nap()))
            };
            add(chili.scope().join_with_heartbeat_every::<1, _, _, _, _>(two, two))
        }),
        Entry::new(Contender::Forte, || {
            let two = |worker: &forte::Worker| add(worker.join(|_| nap(), |_| nap()));
            add(forte.0.join(two, two))
        }),
        Entry::new(Contender::Manyhands, || {
            let two = || add(manyhands.join(nap, nap));
            add(manyhands.join(two, two))
        }),
    ]);
}

/// The longest that a detached task waits while two outside threads sweep without a pause.
fn detached_among_guests(bench: &Bench, contenders: &Contenders, medium: Medium) {
    let Some(row) = bench.row("spawn: one, while two guests sweep, worst of 20") else {
        return;
    };
    if !bench.cast().wants([Contender::Rayon, Contender::Manyhands].into_iter()) {
        return;
    }
    let items = randoms(10_000);
    let Contenders { rayon, manyhands, .. } = contenders;
    let mut figures = Vec::new();
    if bench.cast().has(Contender::Rayon) {
        let sweep = || rayon.install(|| items.par_iter().map(|&seed| medium.work(seed)).max());
        let worst = worst_start(sweep, |task| rayon.spawn(task));
        figures.push((Contender::Rayon, vec![worst]));
    }
    if bench.cast().has(Contender::Manyhands) {
        let sweep = || manyhands.map(&items, |&seed| medium.work(seed));
        let worst = worst_start(sweep, |task| drop(manyhands.spawn(task)));
        figures.push((Contender::Manyhands, vec![worst]));
    }
    row.reach(Reach::fixed(10.0)).publish("ms", figures);
}

/// Milliseconds until the task that waits longest begins.
fn worst_start<T>(sweep: impl Fn() -> T + Sync, spawn: impl Fn(Box<dyn FnOnce() + Send>)) -> f64 {
    let is_over = AtomicBool::new(false);
    let one_start = || {
        thread::sleep(Duration::from_millis(3));
        let (sender, receiver) = channel();
        let start = Instant::now();
        spawn(Box::new(move || sender.send(start.elapsed()).expect("the bench waits")));
        receiver.recv().expect("the task tells")
    };
    let worst = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    drop(hint::black_box(sweep()));
                }
            });
        }
        let worst = (0..20).map(|_| one_start()).max();
        is_over.store(true, Ordering::Relaxed);
        worst
    });
    worst.expect("twenty starts have a longest").as_secs_f64() * 1e3
}
