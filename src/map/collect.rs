//! Verbs that keep one result an item, in order.
//!
//! Results go straight to their places in one allocation, which the caller makes.

#![expect(unsafe_code, reason = "writes results to their places from many threads")]

use std::convert::Infallible;
use std::marker::PhantomData;
use std::mem::needs_drop;
use std::ops::Range;
use std::panic::resume_unwind;
use std::ptr;

use super::failure::Failure;
use super::sweep::{Body, Stopped, sweep};
use crate::error::Panic;
use crate::pages;
use crate::pool::Pool;
use crate::source::{IntoSource, Source};
use crate::unwind::{catch, discard};

impl Pool {
    /// Calls `f` with each item, and returns the results in the order of the items.
    ///
    /// `items` is anything that is [`IntoSource`]: vectors and arrays (whose items `f` gets),
    /// references to them and slices (`f` gets references), integer ranges, and the combinations
    /// that [`source`](crate::source) makes. A call that costs less than a wake-up runs as a plain
    /// loop, from the second one with the same closure on.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let words = ["many", "hands"];
    /// assert_eq!(pool.map(&words, |word| word.len()), [4, 5]);
    /// assert_eq!(pool.map(0..words.len(), |i| words[i].to_uppercase()), ["MANY", "HANDS"]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// With the payload of the call to `f` that panicked, that of the lowest index if several did.
    /// No further items are handed out then; every result and every unclaimed item is dropped, once.
    ///
    /// # Blocking
    ///
    /// Until all calls have ended. This thread makes calls itself, and runs nothing else. Items must
    /// not wait for each other: a small sweep runs on one thread.
    pub fn map<I, F, R>(&self, items: I, f: F) -> Vec<R>
    where
        I: IntoSource,
        F: Fn(I::Item) -> R + Sync,
        R: Send,
    {
        let call = |(): &mut (), item| Ok::<_, Infallible>(f(item));
        collect(self, items.into_source(), || (), call).unwrap_or_else(|never| match never {})
    }

    /// As [`map`](Self::map), with a state that `init` makes for each thread that takes part.
    ///
    /// The state is made on its thread before the first item there, and dropped there; it need not
    /// be `Send`.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let lines = pool.map_init(0..3, String::new, |buffer, n| {
    ///     buffer.clear();
    ///     buffer.push_str(&"-".repeat(n));
    ///     buffer.len()
    /// });
    /// assert_eq!(lines, [0, 1, 2]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does. A panic of `init` counts as one of the item it was for.
    pub fn map_init<I, S, F, R>(&self, items: I, init: impl Fn() -> S + Sync, f: F) -> Vec<R>
    where
        I: IntoSource,
        F: Fn(&mut S, I::Item) -> R + Sync,
        R: Send,
    {
        let call = |state: &mut S, item| Ok::<_, Infallible>(f(state, item));
        collect(self, items.into_source(), init, call).unwrap_or_else(|never| match never {})
    }

    /// As [`map`](Self::map), until `f` returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let numbers = pool.try_map(["1", "two", "3", "four"], |text| text.parse::<u32>().map_err(|_| text));
    /// assert_eq!(numbers, Err("two"));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the lowest index, the one that a loop would have met. Items after it may have
    /// been worked off; their results are dropped.
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does, if the failure of the lowest index is a panic.
    pub fn try_map<I, F, R, E>(&self, items: I, f: F) -> Result<Vec<R>, E>
    where
        I: IntoSource,
        F: Fn(I::Item) -> Result<R, E> + Sync,
        R: Send,
        E: Send,
    {
        collect(self, items.into_source(), || (), |(): &mut (), item| f(item))
    }

    /// As [`map`](Self::map), but a panic costs its own item only.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let results = pool.map_catch([1, 0, 4], |n| 100 / n);
    /// assert_eq!(results[2].as_ref().unwrap(), &25);
    /// assert_eq!(results[1].as_ref().unwrap_err().message(), Some("attempt to divide by zero"));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    pub fn map_catch<I, F, R>(&self, items: I, f: F) -> Vec<Result<R, Panic>>
    where
        I: IntoSource,
        F: Fn(I::Item) -> R + Sync,
        R: Send,
    {
        self.map(items, |item| catch(|| f(item)).map_err(Panic::new))
    }
}

fn collect<S, T, R, E>(
    pool: &Pool,
    source: S,
    init: impl Fn() -> T + Sync,
    call: impl Fn(&mut T, S::Item) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    S: Source,
    R: Send,
    E: Send,
{
    let length = source.len();
    let mut results = pages::room_for(length);
    let body = Collect { results: results.as_mut_ptr(), init, call, types: PhantomData };
    match sweep(pool, source, &body, 1) {
        Ok(()) => {
            // SAFETY: each of the items was worked off, which left a result at its place.
            unsafe { results.set_len(length) };
            Ok(results)
        }
        Err(stopped) => {
            // SAFETY: the sweep says what was worked off, and is over.
            unsafe { drop_results(results.as_mut_ptr(), &stopped) };
            match stopped.failure {
                Failure::Stop(error) => Err(error),
                Failure::Panic(payload) => resume_unwind(payload),
            }
        }
    }
}

/// Drops the results of what was worked off.
///
/// # Safety
///
/// - `results` has a result for each item that was claimed, the holes excepted, and nobody else
///   uses them.
unsafe fn drop_results<R, E>(results: *mut R, stopped: &Stopped<E>) {
    if !needs_drop::<R>() {
        return;
    }
    let mut start = 0;
    let end = stopped.claimed..stopped.claimed;
    for hole in stopped.holes.iter().chain([&end]) {
        let count = hole.start.saturating_sub(start);
        // SAFETY: within the allocation.
        let first = unsafe { results.add(start) };
        let part = ptr::slice_from_raw_parts_mut(first, count);
        // SAFETY: by the caller's word there is a result at each of these places.
        discard(catch(|| unsafe { ptr::drop_in_place(part) }));
        start = start.max(hole.end);
    }
}

struct Collect<R, I, F, T> {
    results: *mut R,
    init: I,
    call: F,
    types: PhantomData<fn() -> T>,
}

// SAFETY: each place behind the pointer is written by the one participant that claimed its item,
// and results are `Send`.
unsafe impl<R: Send, I: Sync, F: Sync, T> Sync for Collect<R, I, F, T> {}

impl<S, R, I, F, T, E> Body<S> for Collect<R, I, F, T>
where
    S: Source,
    R: Send,
    E: Send,
    I: Fn() -> T + Sync,
    F: Fn(&mut T, S::Item) -> Result<R, E> + Sync,
{
    type Own = T;
    type Stop = E;

    fn begin(&self) -> T {
        (self.init)()
    }

    fn run(
        &self,
        state: &mut T,
        range: Range<usize>,
        items: S::Range<'_>,
        at: &mut usize,
    ) -> Result<(), E> {
        let mut place = Place { index: range.start, at };
        for item in items {
            let result = (self.call)(state, item)?;
            // SAFETY: within the allocation: the source yields as many items as the range has.
            let to = unsafe { self.results.add(place.index) };
            // SAFETY: the claim gives this thread the place, and nothing is there yet.
            unsafe { to.write(result) };
            place.index += 1;
        }
        Ok(())
    }
}

/// The index that a loop is at, told to its caller on the way out: a plain local meanwhile, so
/// that the loop can be vectorised.
pub(super) struct Place<'a> {
    pub(super) index: usize,
    pub(super) at: &'a mut usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.at = self.index;
    }
}
