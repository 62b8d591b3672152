//! Owned items: whatever can become a vector without copying its items one by one.
//!
//! ```text
//!   allocation   [ 0 1 2 3 4 5 6 7 ]      before `open`: the source drops them all
//!                  └─┬─┘ └──┬──┘          after it:
//!                  range   range          each range drops what it did not yield,
//!                                         the source frees the allocation
//! ```

#![expect(unsafe_code, reason = "moves items out of a shared allocation, each once")]

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::slice;
use std::vec;

use super::{IntoSource, Source, sealed::Sealed};

/// The items of a vector, array or boxed slice, by value.
///
/// What `Vec<T>`, `[T; N]`, `Box<[T]>` and [`vec::IntoIter`] become.
#[must_use = "dropping a source drops its items"]
pub struct Owned<T> {
    /// With `len` and `capacity`, what a vector was taken apart into. Not a vector any more, since
    /// one may not write through, or move out of, what `&Vec` points to.
    items: NonNull<T>,
    len: usize,
    capacity: usize,

    /// How many items the source itself drops: all of them, or none once it is open.
    kept: usize,
}

impl<T> Owned<T> {
    fn new(items: Vec<T>) -> Self {
        let mut items = ManuallyDrop::new(items);
        Self {
            len: items.len(),
            capacity: items.capacity(),
            kept: items.len(),
            // SAFETY: a vector's pointer is never null.
            items: unsafe { NonNull::new_unchecked(items.as_mut_ptr()) },
        }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: pointer and capacity come from a vector that was never dropped; its first `kept`
        // items are all initialised, since none has been handed out, or they are no items at all.
        drop(unsafe { Vec::from_raw_parts(self.items.as_ptr(), self.kept, self.capacity) });
    }
}

// SAFETY: an owner of items that may be sent, and of their allocation.
unsafe impl<T: Send> Send for Owned<T> {}

// SAFETY: `&Owned` gives the length, and, under the contract of `range`, each item to one thread by
// value, which sends it there. No `&T` is ever shared.
unsafe impl<T: Send> Sync for Owned<T> {}

// SAFETY: `len` is never written; an `OwnedRange` yields each item of its part once, in order, and
// drops those it does not yield; parts do not overlap, since no index is given twice; `kept` is the
// whole length before `open` and nothing after it.
unsafe impl<T: Send> Source for Owned<T> {
    type Item = T;
    type Range<'a>
        = OwnedRange<'a, T>
    where
        Self: 'a;

    fn len(&self) -> usize {
        self.len
    }

    fn open(&mut self) {
        self.kept = 0;
    }

    unsafe fn range(&self, range: Range<usize>) -> OwnedRange<'_, T> {
        // SAFETY: the caller keeps `range` within `len`, so this is within the allocation.
        let start = unsafe { self.items.add(range.start) };
        // SAFETY: the source has been opened, so these items are initialised and nobody else's;
        // the caller gives each index once, so this is the only reference to them.
        let rest = unsafe { slice::from_raw_parts_mut(start.as_ptr(), range.len()) };
        OwnedRange { rest: rest.iter_mut() }
    }
}

/// Moves the items of one index range out of an [`Owned`].
pub struct OwnedRange<'a, T> {
    /// Initialised items that nobody else drops. One that has left this iterator has been moved
    /// out, or is being dropped.
    rest: slice::IterMut<'a, T>,
}

impl<T> Iterator for OwnedRange<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let item = self.rest.next()?;
        // SAFETY: the item has just left `rest`, so that nobody drops or reads it again.
        Some(unsafe { ptr::read(item) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl<T> ExactSizeIterator for OwnedRange<'_, T> {}

impl<T> Drop for OwnedRange<'_, T> {
    fn drop(&mut self) {
        let rest: *mut [T] = mem::take(&mut self.rest).into_slice();
        // SAFETY: what has not left `rest` is initialised and nobody else's. A panic in one item's
        // `Drop` still drops the others.
        unsafe { ptr::drop_in_place(rest) };
    }
}

impl<T> fmt::Debug for OwnedRange<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedRange").field("len", &self.rest.len()).finish_non_exhaustive()
    }
}

/// Lists what becomes a source of owned items, and how it becomes a vector.
macro_rules! into_owned {
    ($([$($generics:tt)*] $owner:ty, |$items:ident| $vec:expr;)*) => {$(
        impl<$($generics)*> Sealed for $owner {}

        impl<$($generics)*> IntoSource for $owner {
            type Item = T;
            type Source = Owned<T>;

            fn into_source(self) -> Owned<T> {
                let $items = self;
                Owned::new($vec)
            }
        }
    )*};
}

into_owned! {
    [T: Send] Vec<T>, |items| items;
    [T: Send, const N: usize] [T; N], |items| Vec::from(items);
    [T: Send] Box<[T]>, |items| items.into_vec();
    [T: Send] vec::IntoIter<T>, |items| items.collect();
}

#[cfg(test)]
mod tests {
    use super::super::trial::{SIZES, Tally, in_pieces, panics};
    use super::*;

    #[test]
    fn items_come_in_order_at_every_size() {
        for len in SIZES {
            let items: Vec<String> = (0..len).map(|index| index.to_string()).collect();
            for piece in [1, 2, 3, len + 1] {
                assert_eq!(in_pieces(items.clone(), piece), items);
            }
        }
    }

    #[test]
    fn every_owned_sequence_is_a_source() {
        let array = ["a", "b", "c"].map(String::from);
        let mut advanced = Vec::from(array.clone()).into_iter();
        advanced.next();
        assert_eq!(in_pieces(advanced, 2), ["b", "c"]);
        assert_eq!(in_pieces(Vec::from(array.clone()), 2), ["a", "b", "c"]);
        assert_eq!(in_pieces(Box::<[String]>::from(array.clone()), 2), ["a", "b", "c"]);
        assert_eq!(in_pieces(array, 2), ["a", "b", "c"]);
    }

    #[test]
    fn a_source_that_is_never_opened_drops_its_items() {
        for len in SIZES {
            let tally = Tally::new(len);
            drop(tally.items().into_source());
            tally.assert_each_dropped_once();
        }
    }

    #[test]
    fn an_open_source_drops_nothing() {
        let tally = Tally::new(3);
        let mut source = tally.items().into_source();
        source.open();
        // SAFETY: the source is open, and no index has been given before.
        let items: Vec<_> = unsafe { source.range(0..3) }.collect();
        drop(source);
        assert_eq!(tally.dropped(), 0);
        drop(items);
        tally.assert_each_dropped_once();
    }

    #[test]
    fn a_range_drops_what_it_did_not_yield() {
        let tally = Tally::new(5);
        let mut source = tally.items().into_source();
        source.open();
        // SAFETY: the source is open, and no index has been given before.
        let mut range = unsafe { source.range(1..4) };
        let first = range.next();
        drop(range);
        assert_eq!(tally.dropped(), 2);
        drop(first);
        // SAFETY: the source is open, and index 0 has not been given before.
        unsafe { source.discard(0..1) };
        // SAFETY: the source is open, and index 4 has not been given before.
        unsafe { source.discard(4..5) };
        drop(source);
        tally.assert_each_dropped_once();
    }

    #[test]
    fn a_panicking_drop_costs_no_other_item() {
        for open in [false, true] {
            let tally = Tally::with_panic_at(5, 1);
            let mut source = tally.items().into_source();
            let dropping = panics(|| {
                if open {
                    source.open();
                    // SAFETY: the source is open, and no index has been given before.
                    unsafe { source.discard(0..5) };
                }
                drop(source);
            });
            assert!(dropping);
            tally.assert_each_dropped_once();
        }
    }

    #[test]
    fn items_without_size_are_counted_all_the_same() {
        let mut source = vec![(); usize::MAX].into_source();
        source.open();
        // SAFETY: the source is open, and no index has been given before.
        let mut range = unsafe { source.range(1..usize::MAX) };
        assert_eq!(range.next(), Some(()));
        assert_eq!(range.len(), usize::MAX - 2);
    }

    #[test]
    fn over_aligned_items_keep_their_alignment() {
        #[repr(align(128))]
        struct Line(u8);

        let lines: Vec<Line> = (0..5).map(Line).collect();
        let mut source = lines.into_source();
        source.open();
        assert_eq!(source.items.as_ptr().addr() % 128, 0);
        // SAFETY: the source is open, and no index has been given before.
        let values: Vec<u8> = unsafe { source.range(0..5) }.map(|line| line.0).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
    }
}
