//! The verbs as free functions, on the current pool.

use crate::error::Panic;
use crate::pool::Pool;
use crate::source::IntoSource;

/// Maps items on the [current](Pool::current) pool; see [`Pool::map`].
///
/// # Examples
///
/// ```
/// assert_eq!(manyhands::map([1, 2, 3], |x| x * x), [1, 4, 9]);
/// ```
///
/// # Panics
///
/// As [`Pool::map`] does.
pub fn map<I, F, R>(items: I, f: F) -> Vec<R>
where
    I: IntoSource,
    F: Fn(I::Item) -> R + Sync,
    R: Send,
{
    Pool::current().map(items, f)
}

/// Calls `f` with each item on the [current](Pool::current) pool; see [`Pool::for_each`].
///
/// # Examples
///
/// ```
/// let mut numbers = [1, 2, 3];
/// manyhands::for_each(&mut numbers, |n| *n += 1);
/// assert_eq!(numbers, [2, 3, 4]);
/// ```
///
/// # Panics
///
/// As [`Pool::for_each`] does.
pub fn for_each<I, F>(items: I, f: F)
where
    I: IntoSource,
    F: Fn(I::Item) + Sync,
{
    Pool::current().for_each(items, f);
}

/// Maps items with a state a thread on the [current](Pool::current) pool; see [`Pool::map_init`].
///
/// # Examples
///
/// ```
/// let lengths = manyhands::map_init(1..4, Vec::new, |seen, n| { seen.push(n); n * 2 });
/// assert_eq!(lengths, [2, 4, 6]);
/// ```
///
/// # Panics
///
/// As [`Pool::map_init`] does.
pub fn map_init<I, S, F, R>(items: I, init: impl Fn() -> S + Sync, f: F) -> Vec<R>
where
    I: IntoSource,
    F: Fn(&mut S, I::Item) -> R + Sync,
    R: Send,
{
    Pool::current().map_init(items, init, f)
}

/// Maps items until one fails, on the [current](Pool::current) pool; see [`Pool::try_map`].
///
/// # Examples
///
/// ```
/// let parsed = manyhands::try_map(["1", "2"], |text| text.parse::<u8>());
/// assert_eq!(parsed, Ok(vec![1, 2]));
/// ```
///
/// # Errors
///
/// The error of the lowest index.
///
/// # Panics
///
/// As [`Pool::try_map`] does.
pub fn try_map<I, F, R, E>(items: I, f: F) -> Result<Vec<R>, E>
where
    I: IntoSource,
    F: Fn(I::Item) -> Result<R, E> + Sync,
    R: Send,
    E: Send,
{
    Pool::current().try_map(items, f)
}

/// Calls `f` with each item until one fails, on the [current](Pool::current) pool; see [`Pool::try_for_each`].
///
/// # Examples
///
/// ```
/// assert_eq!(manyhands::try_for_each(0..9, |n| if n == 7 { Err(n) } else { Ok(()) }), Err(7));
/// ```
///
/// # Errors
///
/// The error of the lowest index.
///
/// # Panics
///
/// As [`Pool::try_for_each`] does.
pub fn try_for_each<I, F, E>(items: I, f: F) -> Result<(), E>
where
    I: IntoSource,
    F: Fn(I::Item) -> Result<(), E> + Sync,
    E: Send,
{
    Pool::current().try_for_each(items, f)
}

/// Maps items, where a panic costs its own item only, on the [current](Pool::current) pool; see [`Pool::map_catch`].
///
/// # Examples
///
/// ```
/// let results = manyhands::map_catch([1, 0], |n| 8 / n);
/// assert!(results[0].is_ok() && results[1].is_err());
/// ```
pub fn map_catch<I, F, R>(items: I, f: F) -> Vec<Result<R, Panic>>
where
    I: IntoSource,
    F: Fn(I::Item) -> R + Sync,
    R: Send,
{
    Pool::current().map_catch(items, f)
}

/// Maps items and keeps what is `Some`, on the [current](Pool::current) pool; see [`Pool::filter_map`].
///
/// # Examples
///
/// ```
/// assert_eq!(manyhands::filter_map(0..5, |n| (n % 2 == 1).then_some(n)), [1, 3]);
/// ```
///
/// # Panics
///
/// As [`Pool::filter_map`] does.
pub fn filter_map<I, F, R>(items: I, f: F) -> Vec<R>
where
    I: IntoSource,
    F: Fn(I::Item) -> Option<R> + Sync,
    R: Send,
{
    Pool::current().filter_map(items, f)
}

/// Maps items to any number of results, on the [current](Pool::current) pool; see [`Pool::flat_map`].
///
/// # Examples
///
/// ```
/// assert_eq!(manyhands::flat_map([2, 1], |n| 0..n), [0, 1, 0]);
/// ```
///
/// # Panics
///
/// As [`Pool::flat_map`] does.
pub fn flat_map<I, F, R, T>(items: I, f: F) -> Vec<R>
where
    I: IntoSource,
    F: Fn(I::Item) -> T + Sync,
    T: IntoIterator<Item = R>,
    R: Send,
{
    Pool::current().flat_map(items, f)
}

/// Maps items and combines the results, on the [current](Pool::current) pool; see [`Pool::map_reduce`].
///
/// # Examples
///
/// ```
/// assert_eq!(manyhands::map_reduce(1..=4_u32, |n| n * n, |a, b| a + b), Some(30));
/// ```
///
/// # Panics
///
/// As [`Pool::map_reduce`] does.
pub fn map_reduce<I, M, R, A>(items: I, map: M, reduce: R) -> Option<A>
where
    I: IntoSource,
    M: Fn(I::Item) -> A + Sync,
    R: Fn(A, A) -> A + Sync,
    A: Send,
{
    Pool::current().map_reduce(items, map, reduce)
}

/// Folds runs of items and merges them in order, on the [current](Pool::current) pool; see [`Pool::fold`].
///
/// # Examples
///
/// ```
/// let total = manyhands::fold([1, 2, 3], || 0, |sum, n| sum + n, |left, right| left + right);
/// assert_eq!(total, 6);
/// ```
///
/// # Panics
///
/// As [`Pool::fold`] does.
pub fn fold<I, A, F>(
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
    Pool::current().fold(items, init, f, merge)
}

/// Maps what any iterator yields, on the [current](Pool::current) pool; see [`Pool::map_iter`].
///
/// # Examples
///
/// ```
/// let shouted = manyhands::map_iter("a b".split(' '), str::to_uppercase);
/// assert_eq!(shouted, ["A", "B"]);
/// ```
///
/// # Panics
///
/// As [`Pool::map_iter`] does.
pub fn map_iter<I, F, R>(iterator: I, f: F) -> Vec<R>
where
    I: IntoIterator,
    I::Item: Send,
    F: Fn(I::Item) -> R + Sync,
    R: Send,
{
    Pool::current().map_iter(iterator, f)
}
