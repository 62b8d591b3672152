//! Wakes one thread, the one that made the bell, whenever something may have changed for it.
//!
//! ```text
//!   owner                         anybody
//!   ─────                         ───────
//!   announce that it waits        change something
//!   fence                         fence
//!   look at it once more          does the owner wait? unpark it
//!   park
//! ```
//!
//! Either the second look sees the change, or the ringer sees the owner: with a fence on each side
//! one of them comes first. While the owner is busy a ring costs no more than the fence.

use std::sync::Arc;

use super::Parker;
use crate::sync::{AtomicUsize, Ordering, fence};

/// What wakes its owner.
#[derive(Debug)]
pub(crate) struct Bell {
    owner: Arc<Parker>,
    /// 1 while the owner is parked, or about to be.
    is_awaited: AtomicUsize,
}

impl Bell {
    /// A bell for `owner`.
    pub(crate) fn new(owner: Arc<Parker>) -> Self {
        Self { owner, is_awaited: AtomicUsize::new(0) }
    }

    /// Tells the owner that something has changed.
    pub(crate) fn ring(&self) {
        // ORDERING: the change stays before the look at the owner. Pairs with the fence in `await_ring`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed: the fences order it.
        if self.is_awaited.load(Ordering::Relaxed) == 1 {
            self.owner.unpark();
        }
    }

    /// Blocks the owner by `park` until a ring, unless `is_over` by now. It may come back early.
    pub(crate) fn await_ring(&self, is_over: impl FnOnce() -> bool, park: impl FnOnce(&Parker)) {
        // ORDERING: Relaxed: the fences order it.
        self.is_awaited.store(1, Ordering::Relaxed);
        // ORDERING: the announcement stays before the second look. Pairs with the fence in `ring`.
        fence(Ordering::SeqCst);
        if !is_over() {
            park(&self.owner);
        }
        // ORDERING: Relaxed: a ringer that still sees it leaves a token too many.
        self.is_awaited.store(0, Ordering::Relaxed);
    }
}

/// Seen to fail: without the fence in `ring`, without the fence in `await_ring`, without the second
/// look, and when `ring` unparks nobody.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc as LoomArc;
    use loom::thread;

    use super::*;

    #[test]
    fn no_change_is_slept_through() {
        loom::model(|| {
            let bell = LoomArc::new(Bell::new(Arc::new(Parker::new())));
            let changes = LoomArc::new(AtomicUsize::new(0));
            let ringer = {
                let (bell, changes) = (LoomArc::clone(&bell), LoomArc::clone(&changes));
                thread::spawn(move || {
                    // ORDERING: Relaxed; only the fences of the bell make it seen, which is the claim.
                    changes.fetch_add(1, Ordering::Relaxed);
                    bell.ring();
                })
            };
            // ORDERING: Relaxed, as the addition above.
            let is_over = || changes.load(Ordering::Relaxed) == 1;
            while !is_over() {
                bell.await_ring(is_over, |parker| parker.park());
            }
            ringer.join().unwrap();
        });
    }
}
