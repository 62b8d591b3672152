//! Names for tasks.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::AtomicU64;

use crate::sync::Ordering;

/// Names one task among all that this process ever spawns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u64);

/// So many names a thread takes at a time, so that threads do not fight over the counter.
const BLOCK: u64 = 1 << 10;

impl TaskId {
    /// A name that no other task has.
    pub(crate) fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            static OWN: Cell<u64> = const { Cell::new(0) };
        }
        let mut id = OWN.get();
        if id % BLOCK == 0 {
            // ORDERING: Relaxed: the addition alone makes the blocks distinct.
            id = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
        }
        OWN.set(id + 1);
        Self(id)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_tasks_have_the_same_name() {
        let take = || (0..3 * BLOCK).map(|_| TaskId::fresh()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..2).map(|_| std::thread::spawn(take)).collect();
        let mut all: HashSet<_> = take().into_iter().collect();
        all.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
        assert_eq!(all.len(), 9 * BLOCK as usize);
    }
}
