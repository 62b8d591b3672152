//! Overlapping neighbours: every run of `size` items of a slice.

#![expect(unsafe_code, reason = "implements an unsafe trait")]

use std::ops::Range;
use std::slice;

use super::Source;

/// Moves a window of `size` items over a slice, one item at a time.
///
/// A slice shorter than `size` has no windows.
///
/// # Examples
///
/// ```
/// use manyhands::source;
///
/// let heights = [1, 3, 2, 4];
/// let rises = manyhands::map(source::windows(&heights, 2), |pair| pair[0] < pair[1]);
/// assert_eq!(rises, [true, false, true]);
/// ```
///
/// # Panics
///
/// If `size` is 0.
#[track_caller]
pub fn windows<T: Sync>(items: &[T], size: usize) -> Windows<'_, T> {
    assert!(size != 0, "window size is 0");
    Windows { items, size }
}

/// Overlapping slices of neighbouring items; made by [`windows()`].
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct Windows<'a, T> {
    items: &'a [T],
    /// Never 0.
    size: usize,
}

// SAFETY: slice and size never change, nor does the length that follows from them; `slice::Windows`
// yields, in order, one slice for each index at which a window of the part begins, and the part
// goes on just far enough for the last of them; references own nothing to drop.
unsafe impl<'a, T: Sync> Source for Windows<'a, T> {
    type Item = &'a [T];
    type Range<'s>
        = slice::Windows<'a, T>
    where
        Self: 's;

    fn len(&self) -> usize {
        self.items.len().saturating_sub(self.size - 1)
    }

    fn open(&mut self) {}

    unsafe fn range(&self, range: Range<usize>) -> slice::Windows<'a, T> {
        // Only a slice without any window ends before the last window of `range` would.
        let end = (range.end + (self.size - 1)).min(self.items.len());
        self.items[range.start..end].windows(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{SIZES, in_pieces, panics};
    use super::*;

    #[test]
    fn windows_are_those_of_std() {
        for len in SIZES {
            let items: Vec<usize> = (0..len).collect();
            for size in [1, 2, 3, 7, usize::MAX] {
                let expected: Vec<&[usize]> = items.windows(size).collect();
                for piece in [1, 2, len + 1] {
                    assert_eq!(in_pieces(windows(&items, size), piece), expected);
                }
            }
        }
    }

    #[test]
    fn an_empty_range_has_no_windows() {
        for items in [&[][..], &[1], &[1, 2], &[1, 2, 3]] {
            let mut source = windows(items, 2);
            source.open();
            let len = source.len();
            for at in 0..=len {
                // SAFETY: the source is open, and the range contains no index.
                assert_eq!(unsafe { source.range(at..at) }.len(), 0);
            }
        }
    }

    #[test]
    fn a_window_size_of_zero_is_refused() {
        assert!(panics(|| drop(windows(&[1], 0))));
    }

    #[test]
    fn windows_over_as_many_items_as_there_can_be_do_not_overflow() {
        let units = vec![(); usize::MAX];
        assert_eq!(windows(&units, 1).len(), usize::MAX);
        assert_eq!(windows(&units, usize::MAX).len(), 1);
    }
}
