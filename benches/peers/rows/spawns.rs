//! Tasks of their own: spawned and joined by handle, and spawned in a scope.

use std::{hint::black_box, time::Duration};

use crate::{
    channel_pool::ChannelPool,
    contenders::{Contender, Contenders, Forte},
    race::{Bench, Entry, Row},
    record::Reach,
    rows::machine,
};

const MANY: u64 = 100_000;

/// Long enough for a thread to sleep deeply.
const REST: Duration = Duration::from_millis(5);

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, contenders: &Contenders) {
    let of_rayon = |took, reach| Reach::of(Contender::Rayon, took, reach);
    from_outside(bench, contenders, 10_000, None);
    from_a_task(bench, contenders, 10_000, None);
    from_outside(bench, contenders, MANY, Some(of_rayon(490.0, 150.0)));
    from_a_task(bench, contenders, MANY, Some(of_rayon(663.0, 100.0)));
    in_a_scope(bench, contenders, MANY, of_rayon(360.0, 50.0));
    let row = bench.row("spawn: one, joined at once");
    one(row.map(|row| row.reach(of_rayon(9.57, 0.3))), contenders);
    let reach = Reach::of_row(machine::UNPARK, Contender::Loop, 1.0).plus(1.0);
    let row = bench.row("spawn: one, joined at once, idle");
    one(row.map(|row| row.after(REST).reach(reach)), contenders);
    one_by_a_worker(bench, contenders);
}

fn from_outside(bench: &Bench, contenders: &Contenders, count: u64, reach: Option<Reach>) {
    let Some(row) = bench.row(format!("spawn: {count} from outside")) else {
        return;
    };
    let entry = |who| Entry::new(who, move || start_all_by(contenders, who, count));
    row.per(count).reach(reach).race(SPAWNERS.map(entry).into());
}

/// Those who know tasks, and the loop.
const SPAWNERS: [Contender; 5] =
    [Contender::Loop, Contender::Rayon, Contender::Forte, Contender::Channel, Contender::Manyhands];

/// Starts so many tasks and sums up what they return, by a contender that knows tasks.
pub(crate) fn start_all_by(
    contenders: &Contenders,
    contender: Contender,
    count: u64,
) -> Option<u64> {
    let Contenders { rayon, forte, channel, manyhands, .. } = contenders;
    Some(match contender {
        Contender::Loop => work_all(count),
        Contender::Rayon => rayon.start_all(count),
        Contender::Forte => forte.start_all(count),
        Contender::Channel => channel.start_all(count),
        Contender::Manyhands => manyhands.start_all(count),
        _ => return None,
    })
}

fn from_a_task(bench: &Bench, contenders: &Contenders, count: u64, reach: Option<Reach>) {
    let Some(row) = bench.row(format!("spawn: {count} from a task")) else {
        return;
    };
    let Contenders { threads, rayon, forte, channel, manyhands, .. } = contenders;
    let mut entries = vec![
        Entry::new(Contender::Loop, || work_all(count)),
        Entry::new(Contender::Rayon, || rayon.install(|| rayon.start_all(count))),
        Entry::new(Contender::Forte, || forte.0.with_worker(|_| forte.start_all(count))),
        Entry::new(Contender::Manyhands, || manyhands.install(|| manyhands.start_all(count))),
    ];
    // Its task waits without helping, so that a pool of one thread would never end.
    if *threads > 1 {
        entries.push(Entry::new(Contender::Channel, || {
            let pool = ChannelPool::clone(channel);
            channel.finish(channel.spawn(move || pool.start_all(count)))
        }));
    }
    row.per(count).reach(reach).race(entries);
}

fn in_a_scope(bench: &Bench, contenders: &Contenders, count: u64, reach: Reach) {
    let Some(row) = bench.row(format!("scope: {count} spawns")) else {
        return;
    };
    let entry = |who| Entry::new(who, move || scope_by(contenders, who, count));
    let those_with_scopes = SPAWNERS.into_iter().filter(|who| *who != Contender::Channel);
    row.per(count).reach(reach).race(those_with_scopes.map(entry).collect());
}

/// Starts so many tasks that borrow, by a contender that knows scopes.
pub(crate) fn scope_by(
    contenders: &Contenders,
    contender: Contender,
    count: u64,
) -> Option<Vec<u64>> {
    let Contenders { rayon, forte, manyhands, .. } = contenders;
    Some(match contender {
        Contender::Loop => (0..count).map(work).collect(),
        Contender::Rayon => scope_rayon(rayon, count),
        Contender::Forte => scope_forte(forte, count),
        Contender::Manyhands => scope_manyhands(manyhands, count),
        _ => return None,
    })
}

fn one(row: Option<Row<'_>>, contenders: &Contenders) {
    let Some(row) = row else { return };
    let Contenders { rayon, forte, channel, manyhands, .. } = contenders;
    row.race(vec![
        Entry::new(Contender::Loop, || work(7)),
        Entry::new(Contender::Rayon, || rayon.finish(rayon.start(7))),
        Entry::new(Contender::Forte, || forte.0.with_worker(|_| forte.finish(forte.start(7)))),
        Entry::new(Contender::Channel, || channel.finish(channel.start(7))),
        Entry::new(Contender::Manyhands, || manyhands.finish(manyhands.start(7))),
    ]);
}

/// The joiner waits, and does not help itself.
fn one_by_a_worker(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row("spawn: one, run by a worker, idle") else {
        return;
    };
    let long = Duration::from_secs(60);
    let receive = |receiver: oneshot::Receiver<u64>| receiver.recv().expect("the task sends");
    let Contenders { rayon, channel, manyhands, .. } = contenders;
    let reach = Reach::of_row(machine::ROUND_TRIP, Contender::Loop, 1.3);
    row.after(REST).reach(reach).race(vec![
        Entry::new(Contender::Loop, || work(7)),
        Entry::new(Contender::Rayon, || receive(rayon.start(7))),
        Entry::new(Contender::Channel, || receive(channel.start(7))),
        Entry::new(Contender::Manyhands, || {
            manyhands.start(7).join_timeout(long).expect("it runs within a minute")
        }),
    ]);
}

fn work(seed: u64) -> u64 {
    black_box(seed) ^ 0x55
}

fn work_all(count: u64) -> u64 {
    (0..count).map(work).sum()
}

/// A pool that runs detached tasks.
trait Start {
    type Handle;

    fn start(&self, seed: u64) -> Self::Handle;

    fn finish(&self, handle: Self::Handle) -> u64;

    fn start_all(&self, count: u64) -> u64 {
        let handles: Vec<_> = (0..count).map(|seed| self.start(seed)).collect();
        handles.into_iter().map(|handle| self.finish(handle)).sum()
    }
}

impl Start for rayon::ThreadPool {
    type Handle = oneshot::Receiver<u64>;

    fn start(&self, seed: u64) -> Self::Handle {
        let (sender, receiver) = oneshot::channel();
        self.spawn(move || drop(sender.send(work(seed))));
        receiver
    }

    /// Helps while it waits on a worker, as rayon's own waits do.
    fn finish(&self, handle: Self::Handle) -> u64 {
        loop {
            if let Ok(result) = handle.try_recv() {
                return result;
            }
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                return handle.recv().expect("the task sends its result");
            }
        }
    }
}

impl Start for Forte {
    type Handle = oneshot::Receiver<u64>;

    fn start(&self, seed: u64) -> Self::Handle {
        let (sender, receiver) = oneshot::channel();
        self.0.spawn(move |_: &forte::Worker| drop(sender.send(work(seed))));
        receiver
    }

    /// Runs what this thread has spawned meanwhile, if it is one of the pool's.
    fn finish(&self, handle: Self::Handle) -> u64 {
        loop {
            if let Ok(result) = handle.try_recv() {
                return result;
            }
            let yielded = forte::Worker::map_current(forte::Worker::yield_local);
            if !matches!(yielded, Some(forte::Yield::Executed)) {
                return handle.recv().expect("the task sends its result");
            }
        }
    }
}

impl Start for ChannelPool {
    type Handle = oneshot::Receiver<u64>;

    fn start(&self, seed: u64) -> Self::Handle {
        self.spawn(move || work(seed))
    }

    fn finish(&self, handle: Self::Handle) -> u64 {
        handle.recv().expect("the task sends its result")
    }
}

impl Start for manyhands::Pool {
    type Handle = manyhands::TaskHandle<u64>;

    fn start(&self, seed: u64) -> Self::Handle {
        self.spawn(move || work(seed))
    }

    fn finish(&self, handle: Self::Handle) -> u64 {
        handle.join().expect("the task does not panic")
    }
}

fn scope_rayon(pool: &rayon::ThreadPool, count: u64) -> Vec<u64> {
    let mut results = vec![0; count as usize];
    pool.scope(|scope| {
        for (seed, result) in (0..).zip(&mut results) {
            scope.spawn(move |_| *result = work(seed));
        }
    });
    results
}

fn scope_forte(pool: &Forte, count: u64) -> Vec<u64> {
    let mut results = vec![0; count as usize];
    pool.0.scope(|scope| {
        for (seed, result) in (0..).zip(&mut results) {
            scope.spawn(move |_: &forte::Scope<'_>| *result = work(seed));
        }
    });
    results
}

fn scope_manyhands(pool: &manyhands::Pool, count: u64) -> Vec<u64> {
    let mut results = vec![0; count as usize];
    pool.scope(|scope| {
        for (seed, result) in (0..).zip(&mut results) {
            drop(scope.spawn(move || *result = work(seed)));
        }
    });
    results
}
