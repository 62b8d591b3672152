//! Sweeps for contenders that offer none: cut the work up, run the parts, merge their results.

use std::collections::LinkedList;

use crate::{
    contenders::Forte,
    output::{Filled, Part, collect_in_place},
};

/// Leaves that a recursion aims at: enough to balance a few threads, few enough to be cheap.
const LEAVES: usize = 64;

/// Work that can be cut in two anywhere.
pub(crate) trait Split: Send + Sized {
    /// The number of items.
    fn size(&self) -> usize;

    /// The first `at` items and the rest.
    fn split(self, at: usize) -> (Self, Self);
}

/// A contender that runs the parts of some work at the same time.
pub(crate) trait Divide {
    /// Runs `leaf` on parts of `work` and merges neighbours, left before right.
    fn divide<W: Split, R: Send>(
        &self,
        work: W,
        leaf: &(impl Fn(W) -> R + Sync),
        merge: &(impl Fn(R, R) -> R + Sync),
    ) -> R;
}

/// Maps every item, in order, each result written to its final place.
pub(crate) fn map<T: Sync, R: Send>(
    contender: &impl Divide,
    items: &[T],
    f: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let leaf = |Mapping { items, output }: Mapping<'_, T, R>| output.fill(items.iter().map(&f));
    collect_in_place(items.len(), |output| {
        contender.divide(Mapping { items, output }, &leaf, &Filled::and)
    })
}

/// Sums the items.
pub(crate) fn sum(contender: &impl Divide, items: &[f64]) -> f64 {
    contender.divide(items, &|part: &[f64]| part.iter().sum(), &|left: f64, right| left + right)
}

/// Keeps what `f` keeps, in order; the parts are joined as a list and copied out once.
pub(crate) fn filter_map<T: Sync, R: Clone + Send>(
    contender: &impl Divide,
    items: &[T],
    f: impl Fn(&T) -> Option<R> + Sync,
) -> Vec<R> {
    let leaf = |part: &[T]| LinkedList::from([part.iter().filter_map(&f).collect::<Vec<_>>()]);
    let merge = |mut left: LinkedList<_>, mut right: LinkedList<_>| {
        left.append(&mut right);
        left
    };
    let parts = contender.divide(items, &leaf, &merge);
    parts.into_iter().collect::<Vec<_>>().concat()
}

/// Cuts the work into parts of the same size, give or take one item.
pub(crate) fn split_evenly<W: Split>(mut work: W, parts: usize) -> Vec<W> {
    let mut split = Vec::with_capacity(parts);
    for left in (2..=parts).rev() {
        let at = work.size() / left;
        let (part, rest) = work.split(at);
        split.push(part);
        work = rest;
    }
    split.push(work);
    split
}

impl Divide for chili::ThreadPool {
    fn divide<W: Split, R: Send>(
        &self,
        work: W,
        leaf: &(impl Fn(W) -> R + Sync),
        merge: &(impl Fn(R, R) -> R + Sync),
    ) -> R {
        let grain = (work.size() / LEAVES).max(1);
        halve(&mut self.scope(), work, grain, leaf, merge)
    }
}

/// Every join may fork here: leaves are few, and `Scope::join` would run most of them in sequence.
fn halve<W: Split, R: Send>(
    scope: &mut chili::Scope<'_>,
    work: W,
    grain: usize,
    leaf: &(impl Fn(W) -> R + Sync),
    merge: &(impl Fn(R, R) -> R + Sync),
) -> R {
    let size = work.size();
    if size <= grain {
        return leaf(work);
    }
    let (left, right) = work.split(size / 2);
    let (left, right) = scope.join_with_heartbeat_every::<1, _, _, _, _>(
        |scope| halve(scope, left, grain, leaf, merge),
        |scope| halve(scope, right, grain, leaf, merge),
    );
    merge(left, right)
}

impl Divide for Forte {
    fn divide<W: Split, R: Send>(
        &self,
        work: W,
        leaf: &(impl Fn(W) -> R + Sync),
        merge: &(impl Fn(R, R) -> R + Sync),
    ) -> R {
        let grain = (work.size() / LEAVES).max(1);
        self.0.with_worker(|worker| halve_forte(worker, work, grain, leaf, merge))
    }
}

fn halve_forte<W: Split, R: Send>(
    worker: &forte::Worker,
    work: W,
    grain: usize,
    leaf: &(impl Fn(W) -> R + Sync),
    merge: &(impl Fn(R, R) -> R + Sync),
) -> R {
    let size = work.size();
    if size <= grain {
        return leaf(work);
    }
    let (left, right) = work.split(size / 2);
    let (left, right) = worker.join(
        |worker| halve_forte(worker, left, grain, leaf, merge),
        |worker| halve_forte(worker, right, grain, leaf, merge),
    );
    merge(left, right)
}

impl<T: Sync> Split for &[T] {
    fn size(&self) -> usize {
        self.len()
    }

    fn split(self, at: usize) -> (Self, Self) {
        self.split_at(at)
    }
}

/// Items and where their results go.
struct Mapping<'a, T, R> {
    items: &'a [T],
    output: Part<'a, R>,
}

impl<T: Sync, R: Send> Split for Mapping<'_, T, R> {
    fn size(&self) -> usize {
        self.items.len()
    }

    fn split(self, at: usize) -> (Self, Self) {
        let (items, rest_of_items) = self.items.split_at(at);
        let (output, rest_of_output) = self.output.split(at);
        (Self { items, output }, Self { items: rest_of_items, output: rest_of_output })
    }
}
