//! What the tests of this folder share: a sweep on one thread, and items that count their drops.

#![expect(unsafe_code, reason = "keeps the contract of a source, as a sweep does")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{IntoSource, Source};

/// Lengths to try: none, one, two, odd, many.
pub(super) const SIZES: [usize; 5] = [0, 1, 2, 7, 100];

/// Takes all items of a source in ranges of `piece` indices.
pub(super) fn in_pieces<I: IntoSource>(items: I, piece: usize) -> Vec<I::Item> {
    let mut source = items.into_source();
    source.open();
    let len = source.len();
    let mut taken = Vec::new();
    for start in (0..len).step_by(piece) {
        let end = start.saturating_add(piece).min(len);
        // SAFETY: the source is open, and the ranges are within it and do not overlap.
        let range = unsafe { source.range(start..end) };
        assert_eq!(range.size_hint(), (end - start, Some(end - start)));
        taken.extend(range);
    }
    assert_eq!(taken.len(), len);
    taken
}

/// Tells whether `f` panics.
pub(super) fn panics(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// How often each item was dropped.
pub(super) struct Tally {
    drops: Arc<[AtomicUsize]>,
    panic_at: Option<usize>,
}

impl Tally {
    pub(super) fn new(len: usize) -> Self {
        Self { drops: (0..len).map(|_| AtomicUsize::new(0)).collect(), panic_at: None }
    }

    /// The item at `index`, if there is one, panics when dropped.
    pub(super) fn with_panic_at(len: usize, index: usize) -> Self {
        Self { panic_at: Some(index), ..Self::new(len) }
    }

    /// The items that are counted; called once.
    pub(super) fn items(&self) -> Vec<Counted> {
        let item = |index| Counted {
            index,
            drops: Arc::clone(&self.drops),
            panics: self.panic_at == Some(index),
        };
        (0..self.drops.len()).map(item).collect()
    }

    pub(super) fn dropped(&self) -> usize {
        // ORDERING: Relaxed, as the tests drop on one thread.
        self.drops.iter().map(|drops| drops.load(Relaxed)).sum()
    }

    pub(super) fn assert_each_dropped_once(&self) {
        // ORDERING: as in `dropped`.
        let drops: Vec<usize> = self.drops.iter().map(|drops| drops.load(Relaxed)).collect();
        assert_eq!(drops, vec![1; drops.len()]);
    }
}

/// An item of a [`Tally`].
pub(super) struct Counted {
    index: usize,
    drops: Arc<[AtomicUsize]>,
    panics: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        // ORDERING: as in `Tally::dropped`.
        self.drops[self.index].fetch_add(1, Relaxed);
        assert!(!self.panics, "item {} panics when dropped", self.index);
    }
}
