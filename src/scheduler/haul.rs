//! How many tasks a thief carries off at a time.
//!
//! Several where they cost less than the steal. Not more of those that cost more: tasks are mostly
//! joined in the order in which they were spawned, so a joiner may have to wait for one after the
//! other of those that a thief has, while it could run one of them if the thief had left it.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A haul has so many nanoseconds of work, going by the tasks since the last one.
const WORK: usize = 1_600;
const LARGEST: usize = 32;

/// The hauls of one thief.
#[derive(Debug, Default)]
pub(super) struct Hauls {
    /// When the last one was, and how many tasks the thief had run by then.
    last: Cell<Option<(Instant, u64)>>,
}

impl Hauls {
    /// The size of the next one, for a thief that has run so many tasks in all.
    pub(super) fn next(&self, runs: u64) -> usize {
        let now = Instant::now();
        let last = self.last.replace(Some((now, runs)));
        last.map_or(1, |(last, before)| size(runs - before, now - last))
    }
}

/// How many tasks to take after so many that took so long.
fn size(tasks: u64, spent: Duration) -> usize {
    let tasks = usize::try_from(tasks).unwrap_or(usize::MAX);
    let spent = usize::try_from(spent.as_nanos()).unwrap_or(usize::MAX);
    (tasks.saturating_mul(WORK) / spent.max(1)).clamp(1, LARGEST)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_haul_has_so_much_work_and_one_task_at_least() {
        let of = |tasks, cost| size(tasks, Duration::from_nanos(tasks * cost));
        assert_eq!([of(1, 10), of(4, 100), of(4, 400)], [LARGEST, 16, 4]);
        assert_eq!([of(9, 1_600), of(9, 1_000_000)], [1, 1]);
        assert_eq!([size(0, Duration::ZERO), size(0, Duration::MAX)], [1, 1]);
        assert_eq!(size(u64::MAX, Duration::ZERO), LARGEST);
    }

    #[test]
    fn the_first_haul_is_one_task() {
        let hauls = Hauls::default();
        assert_eq!(hauls.next(0), 1);
        assert_eq!(hauls.next(1 << 40), LARGEST);
        assert_eq!(hauls.next(1 << 40), 1);
    }
}
