//! Scoped threads with one part of the work each: what the standard library offers.

use std::thread;

use crate::{
    divide::{Divide, Split, split_evenly},
    placement::Placement,
};

/// Starts its threads anew at each call. The caller only waits: pinned, a new thread starts on the
/// caller's core, and gets to its own only when the caller makes room.
pub(crate) struct StdScope {
    threads: usize,
    placement: Placement,
}

impl StdScope {
    /// Remembers how many parts to make and where their threads run.
    pub(crate) fn new(threads: usize, placement: Placement) -> Self {
        Self { threads, placement }
    }
}

impl Divide for StdScope {
    fn divide<W: Split, R: Send>(
        &self,
        work: W,
        leaf: &(impl Fn(W) -> R + Sync),
        merge: &(impl Fn(R, R) -> R + Sync),
    ) -> R {
        let parts = split_evenly(work, self.threads).into_iter().enumerate();
        thread::scope(|scope| {
            let spawn = |(index, part)| {
                scope.spawn(move || {
                    self.placement.pin_worker(index);
                    leaf(part)
                })
            };
            let threads: Vec<_> = parts.map(spawn).collect();
            let results = threads.into_iter().map(|thread| thread.join().expect("no leaf panics"));
            results.reduce(merge).expect("there is at least one part")
        })
    }
}
