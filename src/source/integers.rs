//! Ranges of integers, half-open and inclusive, of every integer type.
//!
//! One generic implementation each, not one a type: given `impl IntoSource for Range<T>`, the
//! compiler knows that `0..100` is a source of `T` before it knows `T`, and so may learn from
//! `map(0..100, |i| v[i])` that `T` is `usize`.

#![expect(unsafe_code, reason = "implements an unsafe trait")]

use std::fmt::Debug;
use std::ops::{Range, RangeInclusive};

use super::{IntoSource, Source, sealed::Sealed};

/// An integer type, `i8` to `i128`, `u8` to `u128`, `isize` or `usize`.
pub trait Int: Sealed + Copy + Debug + PartialOrd + Send + Sync + 'static {
    /// Counts the integers from `self`, included, to `end`, excluded and not below `self`; `None`
    /// if `usize` cannot.
    #[doc(hidden)]
    fn count_to(self, end: Self) -> Option<usize>;

    /// Returns the integer `offset` above `self`, which the caller knows to exist.
    #[doc(hidden)]
    fn plus(self, offset: usize) -> Self;
}

macro_rules! int {
    ($($int:ty)*) => {$(
        impl Sealed for $int {}

        impl Int for $int {
            fn count_to(self, end: Self) -> Option<usize> {
                usize::try_from(self.abs_diff(end)).ok()
            }

            // Both the cast and the sum are exact modulo the type's size, and so is the result,
            // also where a signed type cannot hold `offset` itself.
            fn plus(self, offset: usize) -> Self {
                self.wrapping_add(offset as Self)
            }
        }
    )*};
}

int! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

/// Ascending integers.
///
/// What [`Range`] and [`RangeInclusive`] become. An empty or reversed range is a source of nothing.
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct Integers<T> {
    start: T,
    len: usize,
}

impl<T: Int> Integers<T> {
    /// Makes a source of the `len` integers of `range` from `start` on, if they can be counted.
    fn new(start: T, len: Option<usize>, range: &impl Debug) -> Self {
        let Some(len) = len else {
            panic!("range {range:?} has more than usize::MAX items");
        };
        Self { start, len }
    }
}

// SAFETY: `len` is never written; an `IntegersRange` yields one integer for each index, in order;
// integers own nothing to drop.
unsafe impl<T: Int> Source for Integers<T> {
    type Item = T;
    type Range<'a> = IntegersRange<T>;

    fn len(&self) -> usize {
        self.len
    }

    fn open(&mut self) {}

    unsafe fn range(&self, range: Range<usize>) -> IntegersRange<T> {
        IntegersRange { start: self.start, offsets: range }
    }
}

/// The integers of one index range of an [`Integers`].
#[derive(Debug)]
pub struct IntegersRange<T> {
    start: T,
    offsets: Range<usize>,
}

impl<T: Int> Iterator for IntegersRange<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.offsets.next().map(|offset| self.start.plus(offset))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.offsets.size_hint()
    }
}

impl<T: Int> ExactSizeIterator for IntegersRange<T> {}

impl<T: Int> Sealed for Range<T> {}

impl<T: Int> IntoSource for Range<T> {
    type Item = T;
    type Source = Integers<T>;

    fn into_source(self) -> Integers<T> {
        let len = if self.is_empty() { Some(0) } else { self.start.count_to(self.end) };
        Integers::new(self.start, len, &self)
    }
}

impl<T: Int> Sealed for RangeInclusive<T> {}

impl<T: Int> IntoSource for RangeInclusive<T> {
    type Item = T;
    type Source = Integers<T>;

    fn into_source(self) -> Integers<T> {
        let (start, end) = (*self.start(), *self.end());
        // A range that has been iterated to its end is empty, too, and only `is_empty` knows.
        let len = if self.is_empty() {
            Some(0)
        } else {
            start.count_to(end).and_then(|below_end| below_end.checked_add(1))
        };
        Integers::new(start, len, &self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{in_pieces, panics};
    use super::*;

    fn map<I: IntoSource, R>(items: I, f: impl Fn(I::Item) -> R) -> Vec<R> {
        in_pieces(items, 3).into_iter().map(f).collect()
    }

    #[test]
    fn an_index_into_a_slice_is_inferred_to_be_usize() {
        let (vector, array) = (vec![1, 2, 3, 4], [1, 2, 3, 4]);
        assert_eq!(map(0..4, |index| vector[index]), vector);
        assert_eq!(map(0..=3, |index| array[index]), vector);
        assert_eq!(map(0..vector.len(), |index| vector[index]), vector);
        assert_eq!(map(0..3, |number| number * 2), [0_i32, 2, 4]);
    }

    #[test]
    fn ranges_yield_what_they_yield_as_iterators() {
        assert_eq!(in_pieces(-3_i8..4, 2), (-3..4).collect::<Vec<_>>());
        assert_eq!(in_pieces(-3_i64..=4, 3), (-3..=4).collect::<Vec<_>>());
        assert_eq!(in_pieces(5_u128..6, 1), [5]);
        assert_eq!(in_pieces(1 << 100..=(1_i128 << 100) + 1, 1), [1 << 100, (1 << 100) + 1]);
        assert_eq!(in_pieces(i16::MIN..i16::MAX, 1000), (i16::MIN..i16::MAX).collect::<Vec<_>>());
    }

    #[test]
    fn an_inclusive_range_may_end_at_the_greatest_integer() {
        assert_eq!(in_pieces(u8::MIN..=u8::MAX, 100), (0..=255).collect::<Vec<_>>());
        assert_eq!(in_pieces(i8::MIN..=i8::MAX, 100), (-128..=127).collect::<Vec<_>>());
        assert_eq!(in_pieces(usize::MAX - 1..=usize::MAX, 1), [usize::MAX - 1, usize::MAX]);
        assert_eq!(in_pieces(u128::MAX..=u128::MAX, 1), [u128::MAX]);
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "the claim is about reversed ranges")]
    fn empty_and_reversed_ranges_have_no_items() {
        assert!((7..7).into_source().is_empty());
        assert!((7..3).into_source().is_empty());
        assert!((7..=3).into_source().is_empty());
        assert!((i128::MAX..i128::MIN).into_source().is_empty());
        assert_eq!((7..=7).into_source().len(), 1);
    }

    #[test]
    fn an_inclusive_range_that_was_iterated_to_its_end_has_no_items() {
        let mut range = 250_u8..=255;
        range.nth(2);
        assert_eq!(in_pieces(range.clone(), 2), [253, 254, 255]);
        range.by_ref().for_each(drop);
        assert!(range.into_source().is_empty());
    }

    #[test]
    fn the_longest_range_has_as_many_items_as_usize_can_count() {
        let source = (0..usize::MAX).into_source();
        assert_eq!(source.len(), usize::MAX);
        // SAFETY: an open source of integers allows every range within its length.
        let mut tail = unsafe { source.range(usize::MAX - 1..usize::MAX) };
        assert_eq!(tail.next(), Some(usize::MAX - 1));
        assert_eq!((isize::MIN..isize::MAX).into_source().len(), usize::MAX);
        assert_eq!((1..=usize::MAX).into_source().len(), usize::MAX);
    }

    #[test]
    fn a_range_that_usize_cannot_count_is_refused() {
        assert!(panics(|| drop((0..=usize::MAX).into_source())));
        assert!(panics(|| drop((isize::MIN..=isize::MAX).into_source())));
        assert!(panics(|| drop((0..u128::MAX).into_source())));
        assert!(panics(|| drop((i128::MIN..=i128::MAX).into_source())));
    }
}
