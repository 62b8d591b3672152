//! Two sources side by side.
//!
//! ```text
//!   left    0 1 2 3 4 5 6
//!   right   0 1 2 3
//!           └─────┘ └───┘
//!            pairs   tail: dropped by `open`
//! ```

#![expect(unsafe_code, reason = "implements an unsafe trait, by means of two others")]

use std::iter;
use std::mem::ManuallyDrop;
use std::ops::Range;

use super::{IntoSource, Source};

/// Pairs the items of two sources; the shorter one decides how many.
///
/// What the longer one has left over is dropped when a sweep begins.
///
/// # Examples
///
/// ```
/// use manyhands::source;
///
/// let names = vec![String::from("cpu"), String::from("gpu")];
/// let watts = [65, 300];
/// let lines = manyhands::map(source::zip(names, &watts), |(name, w)| format!("{name}: {w} W"));
/// assert_eq!(lines, ["cpu: 65 W", "gpu: 300 W"]);
/// ```
pub fn zip<A: IntoSource, B: IntoSource>(a: A, b: B) -> Zip<A::Source, B::Source> {
    Zip { left: a.into_source(), right: b.into_source() }
}

/// Pairs of items from two sources; made by [`zip()`].
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct Zip<A, B> {
    left: A,
    right: B,
}

// SAFETY: the length is the smaller of two constant ones. Both ranges yield as many items as they
// have indices, in order, hence so many pairs, and each drops its rest. Ranges and discards are
// passed on, so each side sees each index below `len` at most once; those beyond it are given once,
// by `open`. The sides drop their items with the zip before `open`, and nothing after it.
unsafe impl<A: Source, B: Source> Source for Zip<A, B> {
    type Item = (A::Item, B::Item);
    type Range<'a>
        = iter::Zip<A::Range<'a>, B::Range<'a>>
    where
        Self: 'a;

    fn len(&self) -> usize {
        self.left.len().min(self.right.len())
    }

    fn open(&mut self) {
        let len = self.len();
        self.left.open();
        // Until the end of this method, a panic drops what neither side drops any more.
        let (left, left_tail) = Unclaimed::split(&self.left, len);
        self.right.open();
        let (right, right_tail) = Unclaimed::split(&self.right, len);
        drop(left_tail);
        drop(right_tail);
        left.keep();
        right.keep();
    }

    unsafe fn range(&self, range: Range<usize>) -> Self::Range<'_> {
        // SAFETY: `len` is at most the left side's, so the caller's promises hold for that.
        let left = unsafe { self.left.range(range.clone()) };
        // SAFETY: likewise for the right side.
        let right = unsafe { self.right.range(range) };
        left.zip(right)
    }
}

/// Items of one side that nobody has taken; dropped with this, unless kept.
struct Unclaimed<'a, S: Source> {
    /// Open.
    source: &'a S,
    /// Within the source, and none of it given to `range` or `discard`.
    range: Range<usize>,
}

impl<'a, S: Source> Unclaimed<'a, S> {
    /// Splits the items of a source, which has just been opened, at `middle`.
    fn split(source: &'a S, middle: usize) -> (Self, Self) {
        let head = Self { source, range: 0..middle };
        let tail = Self { source, range: middle..source.len() };
        (head, tail)
    }

    /// Leaves the items to the sweep.
    fn keep(self) {
        let _ = ManuallyDrop::new(self);
    }
}

impl<S: Source> Drop for Unclaimed<'_, S> {
    fn drop(&mut self) {
        // SAFETY: the source is open, the range within it and untaken, as the fields say; it is
        // not used again.
        unsafe { self.source.discard(self.range.clone()) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{SIZES, Tally, in_pieces, panics};
    use super::*;

    #[test]
    fn pairs_are_those_of_std() {
        for len in SIZES {
            let (left, right) = (0..len, vec![7; len + 2]);
            let expected: Vec<(usize, &i32)> = left.clone().zip(&right).collect();
            for piece in [1, 2, len + 1] {
                assert_eq!(in_pieces(zip(left.clone(), &right), piece), expected);
                let flipped = in_pieces(zip(&right, left.clone()), piece);
                assert!(flipped.into_iter().map(|(r, l)| (l, r)).eq(expected.iter().copied()));
            }
        }
    }

    #[test]
    fn the_tail_of_the_longer_side_is_dropped_by_open() {
        for (left_len, right_len) in [(2, 5), (5, 2), (3, 3), (0, 4), (4, 0)] {
            let (left, right) = (Tally::new(left_len), Tally::new(right_len));
            let mut source = zip(left.items(), right.items());
            source.open();
            let len = left_len.min(right_len);
            assert_eq!(left.dropped() + right.dropped(), left_len.abs_diff(right_len));
            // SAFETY: the source is open, and no index has been given before.
            let pairs: Vec<_> = unsafe { source.range(0..len) }.collect();
            drop(source);
            drop(pairs);
            left.assert_each_dropped_once();
            right.assert_each_dropped_once();
        }
    }

    #[test]
    fn a_zip_that_is_never_opened_drops_both_sides() {
        let (left, right) = (Tally::new(2), Tally::new(5));
        drop(zip(left.items(), right.items()));
        left.assert_each_dropped_once();
        right.assert_each_dropped_once();
    }

    #[test]
    fn a_range_drops_the_rest_of_both_sides() {
        let (left, right) = (Tally::new(4), Tally::new(4));
        let mut source = zip(left.items(), right.items());
        source.open();
        // SAFETY: the source is open, and no index has been given before.
        let mut range = unsafe { source.range(0..3) };
        drop(range.next());
        drop(range);
        assert_eq!((left.dropped(), right.dropped()), (3, 3));
        // SAFETY: the source is open, and index 3 has not been given before.
        unsafe { source.discard(3..4) };
        left.assert_each_dropped_once();
        right.assert_each_dropped_once();
    }

    #[test]
    fn a_panic_in_the_tail_drops_everything_once() {
        for (left_len, right_len) in [(2, 5), (5, 2)] {
            let left = Tally::with_panic_at(left_len, 3);
            let right = Tally::with_panic_at(right_len, 3);
            let mut source = zip(left.items(), right.items());
            assert!(panics(|| source.open()));
            drop(source);
            left.assert_each_dropped_once();
            right.assert_each_dropped_once();
        }
    }

    #[test]
    fn a_panic_in_the_tail_of_an_inner_zip_drops_everything_once() {
        for flip in [false, true] {
            let outer = Tally::new(4);
            let (left, right) = (Tally::with_panic_at(5, 3), Tally::new(2));
            let inner = zip(left.items(), right.items());
            let opening = if flip {
                panics(|| zip(inner, outer.items()).open())
            } else {
                panics(|| zip(outer.items(), inner).open())
            };
            assert!(opening);
            left.assert_each_dropped_once();
            right.assert_each_dropped_once();
            outer.assert_each_dropped_once();
        }
    }

    #[test]
    fn a_panic_in_a_range_drops_everything_once() {
        let (left, right) = (Tally::with_panic_at(3, 1), Tally::new(3));
        let mut source = zip(left.items(), right.items());
        source.open();
        assert!(panics(|| {
            // SAFETY: the source is open, and no index has been given before.
            unsafe { source.discard(0..3) }
        }));
        drop(source);
        left.assert_each_dropped_once();
        right.assert_each_dropped_once();
    }
}
