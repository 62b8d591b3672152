//! What every public source has beside the contract: the methods that chain, and `Debug`.
//!
//! Written once, as a macro, since methods of [`Source`] itself would ask users to import a trait
//! that they cannot otherwise use.

use std::fmt;

use super::{
    Chunks, ChunksMut, Enumerate, Int, Integers, IntoSource, Owned, Slice, SliceMut, Source,
    Windows, Zip, enumerate, sealed::Sealed, zip,
};

macro_rules! surface {
    ($([$($generics:tt)*] $source:ty, $name:literal;)*) => {$(
        impl<$($generics)*> Sealed for $source {}

        impl<$($generics)*> $source {
            /// Pairs each item with the one of `other` at the same index; see [`zip()`].
            pub fn zip<I: IntoSource>(self, other: I) -> Zip<Self, I::Source> {
                zip(self, other)
            }

            /// Gives each item its index; see [`enumerate()`].
            pub fn enumerate(self) -> Enumerate<Self> {
                enumerate(self)
            }
        }

        /// Shows the length, not the items: some may have been handed out.
        impl<$($generics)*> fmt::Debug for $source {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).field("len", &self.len()).finish_non_exhaustive()
            }
        }
    )*};
}

surface! {
    ['a, T: Sync] Slice<'a, T>, "Slice";
    ['a, T: Send] SliceMut<'a, T>, "SliceMut";
    [T: Send] Owned<T>, "Owned";
    [T: Int] Integers<T>, "Integers";
    ['a, T: Sync] Chunks<'a, T>, "Chunks";
    ['a, T: Send] ChunksMut<'a, T>, "ChunksMut";
    ['a, T: Sync] Windows<'a, T>, "Windows";
    [A: Source, B: Source] Zip<A, B>, "Zip";
    [S: Source] Enumerate<S>, "Enumerate";
}

#[cfg(test)]
mod tests {
    use super::super::{chunks_mut, trial::in_pieces};
    use super::*;

    #[test]
    fn sources_chain_as_methods() {
        let input = [10, 20, 30];
        let mut out = vec![0; 6];
        let rows = chunks_mut(&mut out, 2).zip(&input).enumerate();
        for (index, (row, item)) in in_pieces(rows, 1) {
            row.fill(item + index);
        }
        assert_eq!(out, [10, 10, 21, 21, 32, 32]);
    }

    #[test]
    fn debug_shows_the_length() {
        let source = zip(vec![1, 2, 3], 0..5);
        assert_eq!(format!("{source:?}"), "Zip { len: 3, .. }");
    }
}
