//! What a pool has done, counted seat by seat.

use std::sync::atomic::AtomicU64;

use crossbeam_utils::CachePadded;

use crate::sync::Ordering;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tally {
    /// A job run by a worker, a guest or a spare that took it from a queue.
    Run,
    /// A job taken from somebody else's seat, alone or with some that followed it.
    Steal,
    /// A task run by the thread that joined it.
    Claim,
    /// A thread that waited and was parked for it.
    Park,
    /// A sleeper woken.
    Wake,
    /// A panic that nobody could see any more.
    Panic,
    /// A spare started.
    Spare,
    /// A look at work for which one more spare would have been needed than there may be.
    Stall,
}

const KINDS: usize = Tally::Stall as usize + 1;

/// The counts of one seat, on cache lines of their own.
#[derive(Debug, Default)]
pub(crate) struct Counters(CachePadded<[AtomicU64; KINDS]>);

impl Counters {
    /// Counts one more. Any thread may.
    pub(crate) fn count(&self, tally: Tally) {
        // ORDERING: Relaxed: a statistic.
        self.0[tally as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one more, for less. Only the thread that has the seat may.
    pub(crate) fn count_own(&self, tally: Tally) {
        // ORDERING: Relaxed: a statistic, which only this thread writes.
        let count = self.0[tally as usize].load(Ordering::Relaxed);
        // ORDERING: Relaxed, as above.
        self.0[tally as usize].store(count + 1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, tally: Tally) -> u64 {
        // ORDERING: Relaxed, as above.
        self.0[tally as usize].load(Ordering::Relaxed)
    }
}
