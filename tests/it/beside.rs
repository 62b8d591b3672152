//! Running the same test on plain threads, and on the workers of pools that have too few.

use std::thread::{self, JoinHandle};

use manyhands::{Pool, TaskHandle};

use crate::support::{LONG, pool, within};

/// Where a test runs, and what runs beside it.
#[derive(Clone, Debug)]
pub(crate) enum Beside {
    Threads,
    Tasks(Pool),
}

/// Something that runs beside a test.
pub(crate) enum Running<R> {
    Thread(JoinHandle<R>),
    Task(TaskHandle<R>),
}

impl Beside {
    pub(crate) fn start<R: Send + 'static>(
        &self,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> Running<R> {
        match self {
            Self::Threads => Running::Thread(thread::spawn(f)),
            Self::Tasks(pool) => Running::Task(pool.spawn(f)),
        }
    }
}

impl<R> Running<R> {
    pub(crate) fn end(self) -> R {
        match self {
            Self::Thread(thread) => thread.join().unwrap(),
            Self::Task(task) => task.join().unwrap(),
        }
    }
}

/// Runs `test` on a thread, with threads beside it; then on a worker, with tasks of the same pool
/// beside it, for pools of several sizes.
pub(crate) fn everywhere(test: fn(&Beside)) {
    within(LONG, move || test(&Beside::Threads));
    for size in [1, 2, 8] {
        within(LONG, move || {
            let pool = pool(size);
            pool.install(|| test(&Beside::Tasks(pool.clone())));
        });
    }
}
