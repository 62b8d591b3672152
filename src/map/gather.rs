//! Verbs that keep any number of results an item, in order.
//!
//! Each claim has a vector of its own; the vectors are joined in the order of the claims.

#![expect(unsafe_code, reason = "fills a vector from many threads")]

use std::convert::Infallible;
use std::mem::{MaybeUninit, take};
use std::ops::Range;

use super::collect::Place;
use super::sweep::{Body, sweep_through};
use crate::pages;
use crate::pool::Pool;
use crate::source::{IntoSource, Source};
use crate::sync::{Mutex, lock};
use crate::unwind::Discarded;

impl Pool {
    /// Calls `f` with each item, and returns what it gives, in the order of the items.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let numbers = pool.filter_map(["1", "x", "3"], |text| text.parse::<u32>().ok());
    /// assert_eq!(numbers, [1, 3]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does.
    pub fn filter_map<I, F, R>(&self, items: I, f: F) -> Vec<R>
    where
        I: IntoSource,
        F: Fn(I::Item) -> Option<R> + Sync,
        R: Send,
    {
        gather(self, items.into_source(), |results: &mut Vec<R>, item| keep_some(results, f(item)))
    }

    /// Calls `f` with each item, and returns all that it gives, in the order of the items.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// assert_eq!(pool.flat_map([1, 0, 3], |n| vec![n; n]), [1, 3, 3, 3]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does, also where what `f` gives panics as it is iterated.
    pub fn flat_map<I, F, R, T>(&self, items: I, f: F) -> Vec<R>
    where
        I: IntoSource,
        F: Fn(I::Item) -> T + Sync,
        T: IntoIterator<Item = R>,
        R: Send,
    {
        gather(self, items.into_source(), |results: &mut Vec<R>, item| results.extend(f(item)))
    }
}

/// Appends `result` if it is there, without a branch: where nobody can foresee what is kept, a wrong
/// guess of the processor costs more than all else.
#[inline]
fn keep_some<R>(results: &mut Vec<R>, result: Option<R>) {
    results.reserve(1);
    let kept = usize::from(result.is_some());
    results.spare_capacity_mut()[0] = result.map_or(MaybeUninit::uninit(), MaybeUninit::new);
    // SAFETY: there is room for one more, and if it counts, it was written.
    unsafe { results.set_len(results.len() + kept) };
}

fn gather<S, R, F>(pool: &Pool, source: S, call: F) -> Vec<R>
where
    S: Source,
    R: Send,
    F: Fn(&mut Vec<R>, S::Item) + Sync,
{
    let body = Gather { call, claims: Mutex::new(Vec::new()) };
    let body = sweep_through(pool, source, body, 1);
    let mut claims = body.claims.into_inner().expect("nobody panics under this lock");
    claims.sort_unstable_by_key(|(start, _)| *start);
    join_in_order(pool, claims.into_iter().map(|(_, results)| results).collect())
}

/// Parts of so many bytes, in the mean, are moved by all threads.
const LARGE: usize = 16 << 10;

/// All parts in one vector.
fn join_in_order<R: Send>(pool: &Pool, mut parts: Vec<Vec<R>>) -> Vec<R> {
    if parts.len() <= 1 {
        return parts.pop().unwrap_or_default();
    }
    let length = parts.iter().try_fold(0, |sum: usize, part| sum.checked_add(part.len()));
    let length = length.expect("capacity overflow");
    let mut all = pages::room_for(length);
    if length.saturating_mul(size_of::<R>()) / parts.len() < LARGE {
        parts.iter_mut().for_each(|part| all.append(part));
    } else {
        move_in_order(pool, parts, &mut all);
    }
    all
}

/// Moves all parts to `all`, which is empty and has room for them, by all threads: that takes about
/// as long as it took to make them.
fn move_in_order<R: Send>(pool: &Pool, parts: Vec<Vec<R>>, all: &mut Vec<R>) {
    let length = parts.iter().map(Vec::len).sum();
    let mut room = &mut all.spare_capacity_mut()[..length];
    let pairs = parts.into_iter().map(|part| {
        let (places, rest) = take(&mut room).split_at_mut(part.len());
        room = rest;
        (places, part)
    });
    pool.for_each(
        pairs.collect::<Vec<_>>(),
        |(places, mut part): (&mut [MaybeUninit<R>], Vec<R>)| {
            let count = part.len();
            // SAFETY: they are dropped from their new places only.
            unsafe { part.set_len(0) };
            // SAFETY: there are as many places as results, in another allocation.
            unsafe { part.as_ptr().copy_to_nonoverlapping(places.as_mut_ptr().cast(), count) };
        },
    );
    // SAFETY: the places of all parts were written, and they are as many.
    unsafe { all.set_len(length) };
}

struct Gather<R, F> {
    call: F,
    claims: Mutex<Vec<(usize, Vec<R>)>>,
}

impl<S, R, F> Body<S> for Gather<R, F>
where
    S: Source,
    R: Send,
    F: Fn(&mut Vec<R>, S::Item) + Sync,
{
    type Own = ();
    type Stop = Infallible;

    fn begin(&self) {}

    fn run(
        &self,
        (): &mut (),
        range: Range<usize>,
        items: S::Range<'_>,
        at: &mut usize,
    ) -> Result<(), Infallible> {
        let start = range.start;
        let mut place = Place { index: start, at };
        let mut results = Discarded(Vec::new());
        for item in items {
            (self.call)(&mut results.0, item);
            place.index += 1;
        }
        if !results.0.is_empty() {
            lock(&self.claims).push((start, take(&mut results.0)));
        }
        Ok(())
    }
}
