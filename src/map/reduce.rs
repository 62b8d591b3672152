//! Verbs that make one value of all items.
//!
//! The ordered ones combine *leaves*, runs of items whose bounds depend on the length alone, by a
//! fixed [`tree`](super::tree): so the result has the same bits for every number of threads.

use std::convert::Infallible;
use std::ops::Range;

use super::collect::Place;
use super::sweep::{Body, sweep_through};
use super::tree::{Branch, Tree};
use crate::pool::Pool;
use crate::source::{IntoSource, Source};
use crate::sync::{Mutex, lock};

/// A reduction has at most this many leaves: enough to keep every core of a large machine busy,
/// few enough that combining them costs nothing beside the items.
const MOST_LEAVES: usize = 256;

impl Pool {
    /// Calls `map` with each item, and combines the results by `reduce`; `None` if there are no
    /// items.
    ///
    /// `reduce` should be associative; it need not be commutative, since left comes before right
    /// always. Of floats, whose addition is not quite associative, the result has the same bits for
    /// every number of threads, [limit](Self::limit) and [chunk](Self::chunk), and for a
    /// [serial](Self::serial) pool: items are combined one after the other in up to 256 runs of
    /// equal length, and the runs pairwise, neighbours first.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let longest = pool.map_reduce(["a", "bcd", "ef"], str::len, usize::max);
    /// assert_eq!(longest, Some(3));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does; a panic of `reduce` counts as one of an item that it is about.
    pub fn map_reduce<I, M, R, A>(&self, items: I, map: M, reduce: R) -> Option<A>
    where
        I: IntoSource,
        M: Fn(I::Item) -> A + Sync,
        R: Fn(A, A) -> A + Sync,
        A: Send,
    {
        let leaf = |items: Counted<'_, '_, I::Source>| items.map(&map).reduce(&reduce);
        reduce_leaves(self, items.into_source(), leaf, &reduce)
    }

    /// As [`map_reduce`](Self::map_reduce), for a `reduce` that is commutative, too: every thread
    /// that takes part keeps one value, and these are combined in any order.
    ///
    /// # Panics
    ///
    /// As [`map_reduce`](Self::map_reduce) does.
    pub fn map_reduce_unordered<I, M, R, A>(&self, items: I, map: M, reduce: R) -> Option<A>
    where
        I: IntoSource,
        M: Fn(I::Item) -> A + Sync,
        R: Fn(A, A) -> A + Sync,
        A: Send,
    {
        let body = Unordered { map, reduce, total: Mutex::new(None) };
        sweep_through(self, items.into_source(), body, 1)
            .total
            .into_inner()
            .expect("nobody panics under this lock")
    }

    /// Folds runs of items, each beginning with what `init` gives, and merges what comes of them in
    /// order: for word counts, histograms, group-by.
    ///
    /// The runs are those of [`map_reduce`](Self::map_reduce), at most 256 whatever the number of
    /// threads, so the result is the same for all of them. Without items it is `init()`.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let evens = pool.fold(
    ///     0..10,
    ///     Vec::new,
    ///     |mut evens, n| { if n % 2 == 0 { evens.push(n) } evens },
    ///     |mut left, right| { left.extend(right); left },
    /// );
    /// assert_eq!(evens, [0, 2, 4, 6, 8]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`map_reduce`](Self::map_reduce) does.
    pub fn fold<I, A, F>(
        &self,
        items: I,
        init: impl Fn() -> A + Sync,
        f: F,
        merge: impl Fn(A, A) -> A + Sync,
    ) -> A
    where
        I: IntoSource,
        F: Fn(A, I::Item) -> A + Sync,
        A: Send,
    {
        let leaf = |items: Counted<'_, '_, I::Source>| Some(items.fold(init(), &f));
        reduce_leaves(self, items.into_source(), leaf, &merge).unwrap_or_else(init)
    }
}

fn reduce_leaves<S, A, L, C>(pool: &Pool, source: S, leaf: L, combine: C) -> Option<A>
where
    S: Source,
    L: Fn(Counted<'_, '_, S>) -> Option<A> + Sync,
    C: Fn(A, A) -> A + Sync,
    A: Send,
{
    let length = source.len();
    if length == 0 {
        return None;
    }
    let leaf_length = length.div_ceil(MOST_LEAVES);
    let tree = Tree::new(length.div_ceil(leaf_length));
    let body = Leaves { leaf_length, leaf, combine, tree };
    sweep_through(pool, source, body, leaf_length).tree.into_root()
}

/// The items of one leaf; it knows where it is when something panics.
struct Counted<'a, 'p, S: Source + 'a> {
    items: S::Range<'a>,
    place: Place<'p>,
}

impl<'a, S: Source + 'a> Iterator for Counted<'a, '_, S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        self.items.next()
    }

    fn fold<A, F: FnMut(A, S::Item) -> A>(self, init: A, mut f: F) -> A {
        let Self { items, mut place } = self;
        items.fold(init, |value, item| {
            let value = f(value, item);
            place.index += 1;
            value
        })
    }
}

struct Leaves<A, L, C> {
    leaf_length: usize,
    leaf: L,
    combine: C,
    tree: Tree<A>,
}

impl<S, A, L, C> Body<S> for Leaves<A, L, C>
where
    S: Source,
    L: Fn(Counted<'_, '_, S>) -> Option<A> + Sync,
    C: Fn(A, A) -> A + Sync,
    A: Send,
{
    type Own = Branch<A>;
    type Stop = Infallible;
    const BY_UNIT: bool = true;

    fn begin(&self) -> Branch<A> {
        Branch::new()
    }

    fn run(
        &self,
        branch: &mut Branch<A>,
        range: Range<usize>,
        items: S::Range<'_>,
        at: &mut usize,
    ) -> Result<(), Infallible> {
        let place = Place { index: range.start, at };
        let value = (self.leaf)(Counted { items, place }).expect("a leaf has an item");
        // What is combined now is about the leaf's last item, at the latest.
        *at = range.end - 1;
        branch.push(range.start / self.leaf_length, value, &self.combine);
        *at = range.end;
        Ok(())
    }

    fn end_claim(&self, branch: &mut Branch<A>) {
        branch.add_to(&self.tree, &self.combine);
    }
}

struct Unordered<A, M, R> {
    map: M,
    reduce: R,
    total: Mutex<Option<A>>,
}

impl<S, A, M, R> Body<S> for Unordered<A, M, R>
where
    S: Source,
    M: Fn(S::Item) -> A + Sync,
    R: Fn(A, A) -> A + Sync,
    A: Send,
{
    type Own = Option<A>;
    type Stop = Infallible;

    fn begin(&self) -> Option<A> {
        None
    }

    fn run(
        &self,
        own: &mut Option<A>,
        range: Range<usize>,
        items: S::Range<'_>,
        at: &mut usize,
    ) -> Result<(), Infallible> {
        let place = Place { index: range.start, at };
        let values = Counted::<S> { items, place }.map(&self.map);
        *own = own.take().into_iter().chain(values).reduce(&self.reduce);
        Ok(())
    }

    fn end(&self, own: Option<A>) {
        let mut own = own;
        while let Some(value) = own.take() {
            let mut total = lock(&self.total);
            let Some(other) = total.take() else {
                *total = Some(value);
                return;
            };
            drop(total);
            own = Some((self.reduce)(other, value));
        }
    }
}
