//! Neighbouring items, several at a time: the slices of a slice.
//!
//! The items of a [`Chunks`] or [`ChunksMut`] are slices of `size` items each; the last one may be
//! shorter. An index range of chunks is one contiguous part of the slice:
//!
//! ```text
//!   slice, size 3   0 1 2 | 3 4 5 | 6 7
//!   chunk           0       1       2
//!   range 1..3              3 ──────── 7
//! ```

#![expect(unsafe_code, reason = "lends each part of a `&mut` slice once")]

use std::ops::Range;
use std::slice;

use super::{SliceMut, Source};

/// Cuts a slice into chunks of `size` items, the last of which may be shorter.
///
/// The source for work that wants neighbours together: rows of a matrix, blocks to hash, or items
/// so cheap that a closure call for each would show.
///
/// # Examples
///
/// ```
/// use manyhands::source;
///
/// let samples = vec![1, 2, 3, 4, 5];
/// let sums = manyhands::map(source::chunks(&samples, 2), |pair| pair.iter().sum::<i32>());
/// assert_eq!(sums, [3, 7, 5]);
/// ```
///
/// # Panics
///
/// If `size` is 0.
#[track_caller]
pub fn chunks<T: Sync>(items: &[T], size: usize) -> Chunks<'_, T> {
    assert!(size != 0, "chunk size is 0");
    Chunks { items, size }
}

/// Cuts a slice into chunks of `size` items, to be written by exclusive reference.
///
/// The last chunk may be shorter. This is how a sweep fills one large buffer, part by part, without
/// a vector for each result.
///
/// # Examples
///
/// ```
/// use manyhands::source;
///
/// let width = 3;
/// let mut pixels = vec![0; width * 2];
/// manyhands::for_each(source::chunks_mut(&mut pixels, width).enumerate(), |(y, row)| {
///     for (x, pixel) in row.iter_mut().enumerate() {
///         *pixel = 10 * y + x;
///     }
/// });
/// assert_eq!(pixels, [0, 1, 2, 10, 11, 12]);
/// ```
///
/// # Panics
///
/// If `size` is 0.
#[track_caller]
pub fn chunks_mut<T: Send>(items: &mut [T], size: usize) -> ChunksMut<'_, T> {
    assert!(size != 0, "chunk size is 0");
    ChunksMut { items: SliceMut::new(items), size }
}

/// Slices of neighbouring items; made by [`chunks()`].
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct Chunks<'a, T> {
    items: &'a [T],
    /// Never 0.
    size: usize,
}

// SAFETY: slice and size never change, nor does the length that follows from them; `slice::Chunks`
// yields one slice for each chunk of the part, in order, since a part begins where a chunk does and
// ends where one does; references own nothing to drop.
unsafe impl<'a, T: Sync> Source for Chunks<'a, T> {
    type Item = &'a [T];
    type Range<'s>
        = slice::Chunks<'a, T>
    where
        Self: 's;

    fn len(&self) -> usize {
        self.items.len().div_ceil(self.size)
    }

    fn open(&mut self) {}

    unsafe fn range(&self, range: Range<usize>) -> slice::Chunks<'a, T> {
        self.items[part(range, self.size, self.items.len())].chunks(self.size)
    }
}

/// Exclusive slices of neighbouring items; made by [`chunks_mut()`].
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct ChunksMut<'a, T> {
    items: SliceMut<'a, T>,
    /// Never 0.
    size: usize,
}

// SAFETY: slice and size never change, nor does the length that follows from them;
// `slice::ChunksMut` yields one slice for each chunk of the part, in order, since a part begins
// where a chunk does and ends where one does; parts do not overlap, since no chunk is given twice,
// so they may be out on several threads; references own nothing to drop.
unsafe impl<'a, T: Send> Source for ChunksMut<'a, T> {
    type Item = &'a mut [T];
    type Range<'s>
        = slice::ChunksMut<'a, T>
    where
        Self: 's;

    fn len(&self) -> usize {
        self.items.len().div_ceil(self.size)
    }

    fn open(&mut self) {}

    unsafe fn range(&self, range: Range<usize>) -> slice::ChunksMut<'a, T> {
        let part = part(range, self.size, self.items.len());
        // SAFETY: `part` stays within the slice; chunks do not overlap, and the caller gives each
        // of them once, so no item is lent twice.
        unsafe { self.items.part(part) }.chunks_mut(self.size)
    }
}

/// Returns where in a slice of `len` items the chunks of `size` items in `range` lie.
fn part(range: Range<usize>, size: usize, len: usize) -> Range<usize> {
    // The end of the last chunk may lie beyond the slice, and beyond `usize` as well.
    let start_of = |chunk: usize| chunk.saturating_mul(size).min(len);
    start_of(range.start)..start_of(range.end)
}

#[cfg(test)]
mod tests {
    use super::super::trial::{SIZES, in_pieces, panics};
    use super::*;

    #[test]
    fn chunks_are_those_of_std() {
        for len in SIZES {
            let mut items: Vec<usize> = (0..len).collect();
            for size in [1, 2, 3, 7, usize::MAX] {
                let expected: Vec<Vec<usize>> = items.chunks(size).map(Vec::from).collect();
                for piece in [1, 2, len + 1] {
                    assert_eq!(in_pieces(chunks(&items, size), piece), expected);
                    assert_eq!(in_pieces(chunks_mut(&mut items, size), piece), expected);
                }
            }
        }
    }

    #[test]
    fn vectors_arrays_and_slices_are_taken_alike() {
        let mut array = [1, 2, 3];
        let mut vector = vec![1, 2, 3];
        assert_eq!(chunks(&vector, 2).len(), 2);
        assert_eq!(chunks(&array, 2).len(), 2);
        assert_eq!(chunks(&array[1..], 2).len(), 1);
        assert_eq!(chunks(vector.as_slice(), 2).len(), 2);
        assert_eq!(chunks_mut(&mut vector, 2).len(), 2);
        assert_eq!(chunks_mut(&mut array, 2).len(), 2);
        assert_eq!(chunks_mut(&mut array[1..], 2).len(), 1);
        assert_eq!(chunks_mut(vector.as_mut_slice(), 2).len(), 2);
    }

    #[test]
    fn a_chunk_size_of_zero_is_refused() {
        assert!(panics(|| drop(chunks(&[1], 0))));
        assert!(panics(|| drop(chunks_mut(&mut [1], 0))));
    }

    #[test]
    fn chunks_of_as_many_items_as_there_can_be_do_not_overflow() {
        let mut units = vec![(); usize::MAX];
        let mut source = chunks_mut(&mut units, 2);
        source.open();
        let len = source.len();
        // SAFETY: the source is open, and no index has been given before.
        let last: Vec<usize> = unsafe { source.range(len - 1..len) }.map(|c| c.len()).collect();
        assert_eq!(last, [1]);
    }
}
