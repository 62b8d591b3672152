//! Items and their indices.

#![expect(unsafe_code, reason = "implements an unsafe trait, by means of another")]

use std::iter;
use std::ops::Range;

use super::{IntoSource, Source};

/// Gives each item its index, counted from 0.
///
/// # Examples
///
/// ```
/// use manyhands::source;
///
/// let lines = ["let x = 1;", "let y = x;"];
/// let numbered = manyhands::map(source::enumerate(&lines), |(index, line)| {
///     format!("{}: {line}", index + 1)
/// });
/// assert_eq!(numbered, ["1: let x = 1;", "2: let y = x;"]);
/// ```
pub fn enumerate<I: IntoSource>(items: I) -> Enumerate<I::Source> {
    Enumerate { items: items.into_source() }
}

/// Items with their indices; made by [`enumerate()`].
#[must_use = "a source does nothing until a sweep runs over it"]
pub struct Enumerate<S> {
    items: S,
}

// SAFETY: everything is the inner source's, but that each item gets an index; there are as many
// indices in a range as the inner source yields items.
unsafe impl<S: Source> Source for Enumerate<S> {
    type Item = (usize, S::Item);
    type Range<'a>
        = iter::Zip<Range<usize>, S::Range<'a>>
    where
        Self: 'a;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn open(&mut self) {
        self.items.open();
    }

    unsafe fn range(&self, range: Range<usize>) -> Self::Range<'_> {
        // SAFETY: the caller promises for the outer source what the inner one asks for.
        let items = unsafe { self.items.range(range.clone()) };
        range.zip(items)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{SIZES, Tally, in_pieces};
    use super::*;

    #[test]
    fn indices_do_not_start_again_with_a_range() {
        for len in SIZES {
            let items = vec!['x'; len];
            let expected: Vec<(usize, &char)> = items.iter().enumerate().collect();
            for piece in [1, 2, 3, len + 1] {
                assert_eq!(in_pieces(enumerate(&items), piece), expected);
            }
        }
    }

    #[test]
    fn a_range_drops_what_it_did_not_yield() {
        let tally = Tally::new(4);
        let mut source = enumerate(tally.items());
        source.open();
        // SAFETY: the source is open, and no index has been given before.
        let mut range = unsafe { source.range(0..3) };
        drop(range.next());
        drop(range);
        assert_eq!(tally.dropped(), 3);
        // SAFETY: the source is open, and index 3 has not been given before.
        unsafe { source.discard(3..4) };
        tally.assert_each_dropped_once();
    }

    #[test]
    fn a_source_that_is_never_opened_drops_its_items() {
        let tally = Tally::new(3);
        drop(enumerate(tally.items()));
        tally.assert_each_dropped_once();
    }
}
