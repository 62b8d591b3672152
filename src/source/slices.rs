//! Borrowed items: `&T` from a shared slice, `&mut T` from an exclusive one.

#![expect(unsafe_code, reason = "hands out parts of one `&mut` slice to several threads")]

use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::NonNull;
use std::slice;

use super::{IntoSource, Source, sealed::Sealed};

/// The items of a slice, by reference.
///
/// What `&[T]`, `&Vec<T>`, `&[T; N]` and [`slice::Iter`] become.
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct Slice<'a, T> {
    items: &'a [T],
}

impl<'a, T> Slice<'a, T> {
    fn new(items: &'a [T]) -> Self {
        Self { items }
    }
}

// SAFETY: the length is the slice's, which nobody can change for `'a`; `slice::Iter` yields one
// reference for each index of its part, in order; references own nothing that could be dropped
// twice, or be aliased wrongly.
unsafe impl<'a, T: Sync> Source for Slice<'a, T> {
    type Item = &'a T;
    type Range<'s>
        = slice::Iter<'a, T>
    where
        Self: 's;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn open(&mut self) {}

    unsafe fn range(&self, range: Range<usize>) -> slice::Iter<'a, T> {
        self.items[range].iter()
    }
}

/// The items of a slice, by exclusive reference.
///
/// What `&mut [T]`, `&mut Vec<T>`, `&mut [T; N]` and [`slice::IterMut`] become.
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct SliceMut<'a, T> {
    /// Valid for `'a`, and for this source alone. Not a reference, since parts of it are out on
    /// several threads while `&self` is shared.
    items: NonNull<[T]>,

    /// Stands for the borrow. Invariant in `T`, as every `&mut` must be, lest a short-lived item
    /// be written among long-lived ones:
    ///
    /// ```compile_fail
    /// use manyhands::source::SliceMut;
    ///
    /// fn shorten<'a, 's>(items: SliceMut<'a, &'static str>) -> SliceMut<'a, &'s str> {
    ///     items
    /// }
    /// ```
    borrow: PhantomData<&'a mut [T]>,
}

impl<'a, T> SliceMut<'a, T> {
    pub(super) fn new(items: &'a mut [T]) -> Self {
        Self { items: NonNull::from(items), borrow: PhantomData }
    }

    /// Lends the part of the slice at `range`.
    ///
    /// # Safety
    ///
    /// - `range.start <= range.end`, and `range.end` is at most the length of the slice.
    /// - No index is lent twice over the source's life.
    pub(super) unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        // SAFETY: the caller keeps `range` within the slice.
        let start = unsafe { self.items.cast::<T>().add(range.start) };
        // SAFETY: the slice is borrowed for `'a` by this source alone, and the caller lends each
        // of its items once, so this is the only reference to them.
        unsafe { slice::from_raw_parts_mut(start.as_ptr(), range.len()) }
    }
}

// SAFETY: what is sent is an exclusive borrow of items that may themselves be sent.
unsafe impl<T: Send> Send for SliceMut<'_, T> {}

// SAFETY: `&SliceMut` gives the length, and, under the contract of `range`, each item to one thread
// as `&mut T`, which sends the borrow there. No `&T` is ever shared.
unsafe impl<T: Send> Sync for SliceMut<'_, T> {}

// SAFETY: the length is the slice's, which nobody can change for `'a`; `slice::IterMut` yields one
// reference for each index of its part, in order; parts do not overlap, since no index is given
// twice, so they may be out on several threads; references own nothing to drop.
unsafe impl<'a, T: Send> Source for SliceMut<'a, T> {
    type Item = &'a mut T;
    type Range<'s>
        = slice::IterMut<'a, T>
    where
        Self: 's;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn open(&mut self) {}

    unsafe fn range(&self, range: Range<usize>) -> slice::IterMut<'a, T> {
        // SAFETY: the caller keeps `range` within `len`, and gives each index once.
        unsafe { self.part(range) }.iter_mut()
    }
}

/// Lists what becomes which source, and how it becomes a slice.
macro_rules! into_slices {
    ($([$($generics:tt)*] $borrow:ty => $source:ty, |$items:ident| $slice:expr;)*) => {$(
        impl<$($generics)*> Sealed for $borrow {}

        impl<$($generics)*> IntoSource for $borrow {
            type Item = <$source as Source>::Item;
            type Source = $source;

            fn into_source(self) -> $source {
                let $items = self;
                <$source>::new($slice)
            }
        }
    )*};
}

into_slices! {
    ['a, T: Sync] &'a [T] => Slice<'a, T>, |items| items;
    ['a, T: Sync] &'a Vec<T> => Slice<'a, T>, |items| items;
    ['a, T: Sync, const N: usize] &'a [T; N] => Slice<'a, T>, |items| items;
    ['a, T: Sync] slice::Iter<'a, T> => Slice<'a, T>, |items| items.as_slice();
    ['a, T: Send] &'a mut [T] => SliceMut<'a, T>, |items| items;
    ['a, T: Send] &'a mut Vec<T> => SliceMut<'a, T>, |items| items;
    ['a, T: Send, const N: usize] &'a mut [T; N] => SliceMut<'a, T>, |items| items;
    ['a, T: Send] slice::IterMut<'a, T> => SliceMut<'a, T>, |items| items.into_slice();
}

#[cfg(test)]
mod tests {
    use super::super::trial::{SIZES, in_pieces};
    use super::*;

    #[test]
    fn shared_items_come_in_order_at_every_size() {
        for len in SIZES {
            let items: Vec<usize> = (0..len).collect();
            let expected: Vec<&usize> = items.iter().collect();
            for piece in [1, 2, 3, len + 1] {
                assert_eq!(in_pieces(&items, piece), expected);
            }
        }
    }

    #[test]
    fn exclusive_items_are_written_in_place_at_every_size() {
        for len in SIZES {
            for piece in [1, 2, 3, len + 1] {
                let mut items = vec![0; len];
                for (index, item) in in_pieces(&mut items, piece).into_iter().enumerate() {
                    *item += index;
                }
                assert!(items.iter().enumerate().all(|(index, item)| index == *item));
            }
        }
    }

    #[test]
    fn parts_of_a_mutable_slice_may_be_out_on_several_threads() {
        let mut items = [1, 2, 3, 4];
        let mut source = (&mut items).into_source();
        source.open();
        let double = |range| {
            // SAFETY: the source is open, and the two ranges below cover each index once.
            let part = unsafe { source.range(range) };
            part.for_each(|item| *item *= 2);
        };
        std::thread::scope(|scope| {
            scope.spawn(|| double(0..2));
            scope.spawn(|| double(2..4));
        });
        assert_eq!(items, [2, 4, 6, 8]);
    }

    #[test]
    fn every_borrow_of_a_sequence_is_a_source() {
        let mut array = [1, 2, 3];
        let mut vector = vec![1, 2, 3];
        let mut advanced = array.iter();
        advanced.next();
        assert_eq!(in_pieces(advanced, 2), [&2, &3]);
        assert_eq!(in_pieces(&array, 2), [&1, &2, &3]);
        assert_eq!(in_pieces(array.as_slice(), 2), [&1, &2, &3]);
        assert_eq!(in_pieces(&vector, 2), [&1, &2, &3]);
        assert_eq!(in_pieces(array.iter_mut(), 2), [&1, &2, &3]);
        assert_eq!(in_pieces(array.as_mut_slice(), 2), [&1, &2, &3]);
        assert_eq!(in_pieces(&mut array, 2), [&1, &2, &3]);
        assert_eq!(in_pieces(&mut vector, 2), [&1, &2, &3]);
    }

    #[test]
    fn items_without_size_are_counted_all_the_same() {
        let mut units = vec![(); usize::MAX];
        let mut source = (&mut units).into_source();
        source.open();
        // SAFETY: the source is open, and this is the only range.
        let tail = unsafe { source.range(usize::MAX - 3..usize::MAX) };
        assert_eq!(tail.len(), 3);
    }
}
