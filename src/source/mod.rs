//! What a sweep runs over: items that are reachable by index range.
//!
//! Every verb of the `map` family takes its items as a source. Vectors, slices, arrays, boxed
//! slices and ranges of integers are sources as they are, owned or borrowed; the functions here
//! make further ones of them, without copying anything.
//!
//! | function | items |
//! |---|---|
//! | [`chunks()`], [`chunks_mut()`] | slices of `n` neighbours, the last may be shorter |
//! | [`windows()`] | overlapping slices of `n` neighbours |
//! | [`zip()`] | pairs from two sources, as many as the shorter one has |
//! | [`enumerate()`] | each item with its index |
//!
//! They also chain, as methods `zip` and `enumerate` of what they return.
//!
//! # Examples
//!
//! Each row of an image gets its mean subtracted, in place, in parallel:
//!
//! ```
//! use manyhands::source;
//!
//! let width = 3;
//! let means = vec![2.0, 5.0];
//! let mut pixels = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
//! manyhands::for_each(source::chunks_mut(&mut pixels, width).zip(&means), |(row, mean)| {
//!     row.iter_mut().for_each(|pixel| *pixel -= mean);
//! });
//! assert_eq!(pixels, [-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]);
//! ```

mod chunks;
mod contract;
mod enumerate;
mod integers;
mod owned;
mod slices;
mod surface;
#[cfg(test)]
mod trial;
mod windows;
mod zip;

pub use chunks::{Chunks, ChunksMut, chunks, chunks_mut};
pub use contract::Source;
pub use enumerate::{Enumerate, enumerate};
pub use integers::{Int, Integers};
pub use owned::Owned;
pub use slices::{Slice, SliceMut};
pub use windows::{Windows, windows};
pub use zip::{Zip, zip};

/// Converts a collection, a borrow of one, or a range into a [`Source`].
///
/// Owned collections hand out their items, `&` borrows `&T` and `&mut` borrows `&mut T`, as with
/// [`IntoIterator`]. Nothing is copied, except that an array moves into an allocation.
///
/// The trait is sealed. For an iterator of another kind there are `map_iter` and `imap`, which pull
/// its items one by one.
///
/// # Examples
///
/// ```
/// let words = ["many", "hands"];
/// assert_eq!(manyhands::map(&words, |word| word.len()), [4, 5]);
/// assert_eq!(manyhands::map(0..words.len(), |index| words[index].len()), [4, 5]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of a sweep",
    label = "a sweep cannot reach the items of this by index",
    note = "sources are slices, vectors, arrays, boxed slices, integer ranges and what the \
            functions of `manyhands::source` make of them; owned items have to be `Send`, \
            those behind `&` have to be `Sync`",
    note = "for any other iterator, call `map_iter` (collects in order) or `imap` (a stream)"
)]
pub trait IntoSource: sealed::Sealed {
    /// What the source hands out, to any thread.
    type Item: Send;

    /// The source that this becomes.
    type Source: Source<Item = Self::Item>;

    /// Makes a source of this value.
    ///
    /// # Panics
    ///
    /// Where this is a range of more than `usize::MAX` integers.
    fn into_source(self) -> Self::Source;
}

impl<S: Source> IntoSource for S {
    type Item = S::Item;
    type Source = S;

    fn into_source(self) -> S {
        self
    }
}

mod sealed {
    /// Keeps the traits of [`source`](super) from being implemented elsewhere.
    pub trait Sealed {}
}
