//! The contract between a source and the sweep that runs over it.
//!
//! ```text
//!   owned by the source            owned by the caller
//!   ────────────────────── open ─► ──────────────────────────────────────────────
//!   dropped with the source        each index below `len`, once: `range` or `discard`
//!                                  dropping the source now frees memory only
//! ```
//!
//! # Why the two halves
//!
//! A sweep that stops early knows which indices were claimed, and a source that hands items to
//! several threads through `&self` does not. So a source keeps no account: it owns all of its items
//! or none, and [`Source::open`] is the moment in between. Items that the caller cannot reach, such
//! as the tail of the longer side of a zip, go at that moment too.

#![expect(unsafe_code, reason = "declares the unsafe trait that sweeps rely on")]

use std::ops::Range;

use super::sealed::Sealed;

/// Hands out the items of a sweep by ranges of their indices.
///
/// Sweeps call these methods; programs only pass sources on. A value becomes one through
/// [`IntoSource`](super::IntoSource), and the functions of this module combine sources.
///
/// The trait is sealed: its contract may still change.
///
/// # Safety
///
/// An implementation makes all of this true, so that a sweep may rely on it in unsafe code:
///
/// - [`len`](Self::len) gives the same number throughout the source's life.
/// - An iterator from [`range`](Self::range) yields exactly as many items as its range has
///   indices, in ascending order, and says so in `size_hint`. Dropped early, it drops the rest of
///   its items, each once.
/// - Ranges that do not overlap may be asked for, and iterated, on several threads at once.
/// - Before [`open`](Self::open), dropping the source drops all its items. After it, dropping the
///   source drops none of those below `len`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of a sweep",
    label = "a sweep cannot reach the items of this by index",
    note = "sources are slices, vectors, arrays, boxed slices, integer ranges and what the \
            functions of `manyhands::source` make of them; owned items have to be `Send`, \
            those behind `&` have to be `Sync`",
    note = "for any other iterator, call `map_iter` (collects in order) or `imap` (a stream)"
)]
pub unsafe trait Source: Sized + Sync + Sealed {
    /// What the source hands out, to any thread.
    type Item: Send;

    /// The items of one index range, in order; dropping it drops those not yet yielded.
    type Range<'a>: Iterator<Item = Self::Item>
    where
        Self: 'a;

    /// Returns the number of items that the source hands out; it never changes.
    fn len(&self) -> usize;

    /// Tells whether there is nothing to hand out.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Passes the items on to the caller, who calls this once, before the first
    /// [`range`](Self::range) or [`discard`](Self::discard).
    ///
    /// From here on the caller answers for each index below [`len`](Self::len): one that it neither
    /// ranges nor discards is leaked. Items beyond `len`, such as the tail of the longer side of a
    /// zip, are dropped here.
    ///
    /// # Panics
    ///
    /// Where dropping an item beyond `len` panics. The caller then answers for nothing: the other
    /// items are dropped by now, or will be with the source, which allows no further call.
    fn open(&mut self);

    /// Takes the items at the indices in `range`.
    ///
    /// # Safety
    ///
    /// - [`open`](Self::open) has returned.
    /// - `range.start <= range.end`, and `range.end <= self.len()`.
    /// - Every index is given to `range` or [`discard`](Self::discard) at most once over the
    ///   source's life.
    unsafe fn range(&self, range: Range<usize>) -> Self::Range<'_>;

    /// Drops the items at the indices in `range`, which nobody has taken.
    ///
    /// Where dropping one of them panics, the others are dropped nevertheless.
    ///
    /// # Safety
    ///
    /// As for [`range`](Self::range).
    unsafe fn discard(&self, range: Range<usize>) {
        // SAFETY: the caller promises for `discard` what `range` asks for.
        drop(unsafe { self.range(range) });
    }
}
