//! Tasks of their own: spawned and joined by handle, and spawned in a scope.

use std::hint::black_box;

use crate::{
    channel_pool::ChannelPool,
    contenders::{Contender, Contenders},
    race::{Bench, Entry},
};

/// Runs all rows of this part.
pub(crate) fn run(bench: &Bench, contenders: &Contenders) {
    for count in [10_000, 100_000] {
        from_outside(bench, contenders, count);
        from_a_task(bench, contenders, count);
    }
    in_a_scope(bench, contenders, 100_000);
    one(bench, contenders);
}

fn from_outside(bench: &Bench, contenders: &Contenders, count: u64) {
    let Some(row) = bench.row(format!("spawn: {count} from outside")) else {
        return;
    };
    let Contenders { rayon, channel, manyhands, .. } = contenders;
    row.per(count).race(vec![
        Entry::new(Contender::Loop, || work_all(count)),
        Entry::new(Contender::Rayon, || rayon.start_all(count)),
        Entry::new(Contender::Channel, || channel.start_all(count)),
        Entry::new(Contender::Manyhands, || manyhands.start_all(count)),
    ]);
}

fn from_a_task(bench: &Bench, contenders: &Contenders, count: u64) {
    let Some(row) = bench.row(format!("spawn: {count} from a task")) else {
        return;
    };
    let Contenders { threads, rayon, channel, manyhands, .. } = contenders;
    let mut entries = vec![
        Entry::new(Contender::Loop, || work_all(count)),
        Entry::new(Contender::Rayon, || rayon.install(|| rayon.start_all(count))),
        Entry::new(Contender::Manyhands, || manyhands.install(|| manyhands.start_all(count))),
    ];
    // Its task waits without helping, so that a pool of one thread would never end.
    if *threads > 1 {
        entries.push(Entry::new(Contender::Channel, || {
            let pool = channel.clone();
            ChannelPool::finish(channel.spawn(move || pool.start_all(count)))
        }));
    }
    row.per(count).race(entries);
}

fn in_a_scope(bench: &Bench, contenders: &Contenders, count: u64) {
    let Some(row) = bench.row(format!("scope: {count} spawns")) else {
        return;
    };
    let Contenders { rayon, manyhands, .. } = contenders;
    row.per(count).race(vec![
        Entry::new(Contender::Loop, || (0..count).map(work).collect()),
        Entry::new(Contender::Rayon, || scope_rayon(rayon, count)),
        Entry::new(Contender::Manyhands, || scope_manyhands(manyhands, count)),
    ]);
}

fn one(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row("spawn: one, joined at once".to_owned()) else {
        return;
    };
    let Contenders { rayon, channel, manyhands, .. } = contenders;
    row.per(1).race(vec![
        Entry::new(Contender::Loop, || work(7)),
        Entry::new(Contender::Rayon, || rayon::ThreadPool::finish(rayon.start(7))),
        Entry::new(Contender::Channel, || ChannelPool::finish(channel.start(7))),
        Entry::new(Contender::Manyhands, || manyhands::Pool::finish(manyhands.start(7))),
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

    fn finish(handle: Self::Handle) -> u64;

    fn start_all(&self, count: u64) -> u64 {
        let handles: Vec<_> = (0..count).map(|seed| self.start(seed)).collect();
        handles.into_iter().map(Self::finish).sum()
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
    fn finish(handle: Self::Handle) -> u64 {
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

impl Start for ChannelPool {
    type Handle = oneshot::Receiver<u64>;

    fn start(&self, seed: u64) -> Self::Handle {
        self.spawn(move || work(seed))
    }

    fn finish(handle: Self::Handle) -> u64 {
        handle.recv().expect("the task sends its result")
    }
}

impl Start for manyhands::Pool {
    type Handle = manyhands::TaskHandle<u64>;

    fn start(&self, seed: u64) -> Self::Handle {
        self.spawn(move || work(seed))
    }

    fn finish(handle: Self::Handle) -> u64 {
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

fn scope_manyhands(pool: &manyhands::Pool, count: u64) -> Vec<u64> {
    let mut results = vec![0; count as usize];
    pool.scope(|scope| {
        for (seed, result) in (0..).zip(&mut results) {
            drop(scope.spawn(move || *result = work(seed)));
        }
    });
    results
}
