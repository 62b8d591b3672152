//! How far a sweep has come: claims are ascending, disjoint ranges of its units.
//!
//! A *unit* is one item, or one leaf of a reduction. Since claims ascend, every unit that nobody
//! has claimed comes after all that somebody has: so a sweep that fails at one unit, and finishes
//! what is claimed before it, has found the failure that a loop would have met first.

use std::ops::Range;

use crate::sync::{AtomicUsize, Ordering};

/// The next unit that nobody has claimed, of so many.
#[derive(Debug)]
pub(super) struct Cursor {
    next: AtomicUsize,
    units: usize,
}

impl Cursor {
    pub(super) fn new(units: usize) -> Self {
        Self { next: AtomicUsize::new(0), units }
    }

    pub(super) fn units(&self) -> usize {
        self.units
    }

    /// How many units are unclaimed.
    pub(super) fn left(&self) -> usize {
        // ORDERING: Relaxed: a number to decide by, the claim itself is exact.
        self.units - self.next.load(Ordering::Relaxed)
    }

    /// Claims the next units, at least one and at most `size` of those that nobody has claimed.
    pub(super) fn claim(&self, size: impl Fn(Range<usize>) -> usize) -> Option<Range<usize>> {
        let advance = |next: usize| {
            let left = self.units - next;
            (left > 0).then(|| next + size(next..self.units).clamp(1, left))
        };
        // ORDERING: Relaxed: the exchange makes claims disjoint. The items themselves were there
        // before the sweep was shown to anybody, and results are handed over at its end.
        let start = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance).ok()?;
        // The range that `advance` made of `start`, once more.
        Some(start..advance(start)?)
    }

    /// As [`claim`](Self::claim), as long as nobody else knows of this cursor.
    pub(super) fn claim_alone(&self, size: usize) -> Option<Range<usize>> {
        let left = self.left();
        let start = self.units - left;
        let end = start + size.clamp(1, left.max(1)).min(left);
        // ORDERING: Relaxed: the cursor is shown to others later, with what it covers.
        self.next.store(end, Ordering::Relaxed);
        (left > 0).then_some(start..end)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn claims_ascend_and_cover_everything_once() {
        let cursor = Cursor::new(10);
        assert_eq!(cursor.claim(|_| 4), Some(0..4));
        assert_eq!(cursor.claim(|unclaimed| unclaimed.len() / 2), Some(4..7));
        assert_eq!(cursor.claim(|_| 0), Some(7..8));
        assert_eq!(cursor.claim(|_| usize::MAX), Some(8..10));
        assert_eq!(cursor.claim(|_| 1), None);
        assert_eq!(cursor.left(), 0);
    }

    #[test]
    fn the_longest_source_does_not_overflow() {
        let cursor = Cursor::new(usize::MAX);
        assert_eq!(cursor.claim(|_| usize::MAX - 1), Some(0..usize::MAX - 1));
        assert_eq!(cursor.claim(|_| usize::MAX), Some(usize::MAX - 1..usize::MAX));
        assert_eq!(cursor.claim(|_| 1), None);
    }
}
