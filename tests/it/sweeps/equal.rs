//! A sweep gives what a loop gives, whatever the source, the verb, the pool and its options.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use manyhands::Pool;
use manyhands::source::{self, IntoSource};
use proptest::prop_oneof;
use proptest::strategy::{Just, Strategy};

use super::{check, lengths, scaled, scramble};

/// What a sweep runs over.
#[derive(Clone, Debug)]
enum Shape {
    Slice,
    Iter,
    Owned,
    IntoIter,
    Boxed,
    Array,
    Range,
    Inclusive,
    Chunks(usize),
    Windows(usize),
    /// The other side has so many items.
    Zip(usize),
    ZipOwned(usize),
    Enumerate,
    Everything(usize),
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Slice),
        Just(Shape::Iter),
        Just(Shape::Owned),
        Just(Shape::IntoIter),
        Just(Shape::Boxed),
        Just(Shape::Array),
        Just(Shape::Range),
        Just(Shape::Inclusive),
        (1..50_usize).prop_map(Shape::Chunks),
        (1..50_usize).prop_map(Shape::Windows),
        lengths().prop_map(Shape::Zip),
        lengths().prop_map(Shape::ZipOwned),
        Just(Shape::Enumerate),
        (1..50_usize).prop_map(Shape::Everything),
    ]
}

fn digest(items: &[u64]) -> u64 {
    items.iter().fold(7, |sum: u64, item| sum.wrapping_mul(31).wrapping_add(*item))
}

/// Makes sources of `shape` over `items`, and has sweeps over them compared with loops.
fn with_shape(shape: Shape, items: &[u64], case: &impl Case) {
    let other = |length| -> Vec<u64> { (0..length).map(|i| scramble(i + 99) % 1000).collect() };
    match shape {
        Shape::Slice => case.compare(&|| items, items.iter().collect(), &|item| *item),
        Shape::Iter => case.compare(&|| items.iter(), items.iter().collect(), &|item| *item),
        Shape::Owned => case.compare(&|| items.to_vec(), items.to_vec(), &|item| item),
        Shape::IntoIter => {
            let advanced = || {
                let mut items = Vec::from(items).into_iter();
                items.next();
                items
            };
            case.compare(&advanced, advanced().collect(), &|item| item);
        }
        Shape::Boxed => {
            case.compare(&|| Box::<[u64]>::from(items), items.to_vec(), &|item| item);
        }
        Shape::Array => {
            let array: [u64; 37] = std::array::from_fn(|index| scramble(index) % 1000);
            case.compare(&|| array, array.to_vec(), &|item| item);
            case.compare(&|| &array, array.iter().collect(), &|item| *item);
        }
        Shape::Range => {
            let range = -5..items.len() as i32 - 5;
            case.compare(&|| range.clone(), range.clone().collect(), &|item| {
                i64::from(item) as u64
            });
        }
        Shape::Inclusive => {
            let range = 3..=items.len() as u64;
            case.compare(&|| range.clone(), range.clone().collect(), &|item| item);
        }
        Shape::Chunks(size) => {
            case.compare(&|| source::chunks(items, size), items.chunks(size).collect(), &digest);
        }
        Shape::Windows(size) => {
            case.compare(&|| source::windows(items, size), items.windows(size).collect(), &digest);
        }
        Shape::Zip(length) => {
            let other = other(length);
            let pairs = items.iter().zip(&other).collect();
            case.compare(&|| source::zip(items, &other), pairs, &|(a, b)| a * 1000 + b);
        }
        Shape::ZipOwned(length) => {
            let other = other(length);
            let pairs = other.iter().copied().zip(items).collect();
            case.compare(&|| source::zip(other.clone(), items), pairs, &|(a, b)| a * 1000 + b);
        }
        Shape::Enumerate => {
            let pairs = items.iter().enumerate().collect();
            case.compare(&|| source::enumerate(items), pairs, &|(i, item)| i as u64 * 1000 + item);
        }
        Shape::Everything(size) => {
            let make =
                || source::chunks(items, size).zip(items.to_vec()).enumerate().zip(7..90_000);
            let all = items.chunks(size).zip(items.to_vec()).enumerate().zip(7..90_000).collect();
            case.compare(&make, all, &|((index, (chunk, item)), number)| {
                digest(chunk).wrapping_mul(item).wrapping_add(index as u64 ^ number)
            });
        }
    }
}

/// A comparison for every type of items.
trait Case {
    /// Compares sweeps over `make()` with loops over `items`; `key` tells items apart.
    fn compare<I: IntoSource>(
        &self,
        make: &dyn Fn() -> I,
        items: Vec<I::Item>,
        key: &(dyn Fn(I::Item) -> u64 + Sync),
    ) {
        let keys = items.into_iter().map(key).collect::<Vec<_>>();
        self.compare_keys(make, &keys, key);
    }

    fn compare_keys<I: IntoSource>(
        &self,
        make: &dyn Fn() -> I,
        expected: &[u64],
        key: &(dyn Fn(I::Item) -> u64 + Sync),
    );
}

fn agrees<C: Case>(cases: usize, of: impl Fn(Pool) -> C) {
    check(cases, (shapes(), lengths()), |pool, (shape, length)| {
        let items: Vec<u64> = (0..length).map(|index| scramble(index) % 1000).collect();
        with_shape(shape, &items, &of(pool.clone()));
    });
}

/// One result an item.
struct Maps(Pool);

impl Case for Maps {
    fn compare_keys<I: IntoSource>(
        &self,
        make: &dyn Fn() -> I,
        expected: &[u64],
        key: &(dyn Fn(I::Item) -> u64 + Sync),
    ) {
        let pool = &self.0;
        assert_eq!(pool.map(make(), key), expected);
        assert_eq!(pool.map_init(make(), || 5, |five, item| key(item) ^ *five ^ 5), expected);
        let mapped: Result<_, ()> = pool.try_map(make(), |item| Ok(key(item)));
        assert_eq!(mapped.as_deref(), Ok(expected));
        let caught = pool.map_catch(make(), key);
        assert!(caught.into_iter().map(Result::unwrap).eq(expected.iter().copied()));
        // Results with a drop, larger than items.
        let texts = pool.map(make(), |item| key(item).to_string());
        assert!(texts.into_iter().eq(expected.iter().map(u64::to_string)));
    }
}

#[test]
fn maps_agree_with_a_loop() {
    agrees(150, Maps);
}

/// Nothing, or any number of results an item.
struct Others(Pool);

impl Case for Others {
    fn compare_keys<I: IntoSource>(
        &self,
        make: &dyn Fn() -> I,
        expected: &[u64],
        key: &(dyn Fn(I::Item) -> u64 + Sync),
    ) {
        let pool = &self.0;
        let (count, sum) = (AtomicUsize::new(0), AtomicU64::new(0));
        let note = |item| {
            count.fetch_add(1, Relaxed);
            sum.fetch_add(scramble(key(item) as usize), Relaxed);
        };
        pool.for_each(make(), note);
        let done: Result<(), ()> = pool.try_for_each(make(), |item| {
            note(item);
            Ok(())
        });
        assert_eq!(done, Ok(()));
        let total =
            expected.iter().fold(0_u64, |sum, &key| sum.wrapping_add(scramble(key as usize)));
        assert_eq!(count.into_inner(), 2 * expected.len());
        assert_eq!(sum.into_inner(), total.wrapping_mul(2));

        let third = |key: u64| (key % 3 == 0).then(|| key.to_string());
        let filtered = pool.filter_map(make(), |item| third(key(item)));
        assert!(filtered.into_iter().eq(expected.iter().copied().filter_map(third)));
        let several = |key: u64| vec![key; (key % 4) as usize];
        let flat = pool.flat_map(make(), |item| several(key(item)));
        assert!(flat.into_iter().eq(expected.iter().copied().flat_map(several)));
    }
}

#[test]
fn for_each_and_the_verbs_of_variable_output_agree_with_a_loop() {
    agrees(150, Others);
}

/// One value of all items.
struct Reductions(Pool);

/// A square matrix, modulo a prime: its product is associative and not commutative.
type Matrix = [u64; 4];

fn product(a: Matrix, b: Matrix) -> Matrix {
    let dot = |x, y, z, w| (x * y + z * w) % 1_000_003;
    [
        dot(a[0], b[0], a[1], b[2]),
        dot(a[0], b[1], a[1], b[3]),
        dot(a[2], b[0], a[3], b[2]),
        dot(a[2], b[1], a[3], b[3]),
    ]
}

fn matrix(key: u64) -> Matrix {
    [1, key % 1_000_003, key % 7, 3]
}

fn text(key: u64) -> String {
    char::from(b'a' + (key % 26) as u8).to_string()
}

impl Case for Reductions {
    fn compare_keys<I: IntoSource>(
        &self,
        make: &dyn Fn() -> I,
        expected: &[u64],
        key: &(dyn Fn(I::Item) -> u64 + Sync),
    ) {
        let pool = &self.0;
        let keys = || expected.iter().copied();
        let concatenated = pool.map_reduce(make(), |item| text(key(item)), |a, b| a + &b);
        assert_eq!(concatenated, keys().map(text).reduce(|a, b| a + &b));
        let multiplied = pool.map_reduce(make(), |item| matrix(key(item)), product);
        assert_eq!(multiplied, keys().map(matrix).reduce(product));
        let most = pool.map_reduce_unordered(make(), key, u64::max);
        assert_eq!(most, keys().max());
        let sum = pool.map_reduce_unordered(make(), key, u64::wrapping_add);
        assert_eq!(sum, keys().reduce(u64::wrapping_add));
        let folded = pool.fold(
            make(),
            Vec::new,
            |mut keys, item| {
                keys.push(key(item));
                keys
            },
            |left, right| [left, right].concat(),
        );
        assert_eq!(folded, expected);
    }
}

#[test]
fn reductions_agree_with_a_loop() {
    agrees(150, Reductions);
}

/// Whether, which, or the first.
struct Searches(Pool);

impl Case for Searches {
    fn compare_keys<I: IntoSource>(
        &self,
        make: &dyn Fn() -> I,
        expected: &[u64],
        key: &(dyn Fn(I::Item) -> u64 + Sync),
    ) {
        let pool = &self.0;
        for rarity in [1, 50, 900, 2000] {
            let is_wanted = |key: u64| key % rarity == rarity / 2;
            let wanted = expected.iter().copied().filter(|&key| is_wanted(key));
            let set: BTreeMap<u64, ()> = wanted.clone().map(|key| (key, ())).collect();
            assert_eq!(pool.any(make(), |item| is_wanted(key(item))), !set.is_empty());
            assert_eq!(pool.all(make(), |item| !is_wanted(key(item))), set.is_empty());
            // Predicates get a reference, and keys are of values: so over indices.
            let indices = || 0..expected.len();
            let first = pool.find_first(indices(), |&index| is_wanted(expected[index]));
            assert_eq!(first, expected.iter().position(|&key| is_wanted(key)));
            let any = pool.find_any(indices(), |&index| is_wanted(expected[index]));
            assert_eq!(any.is_some(), !set.is_empty());
            assert!(any.is_none_or(|index| is_wanted(expected[index])));
        }
    }
}

#[test]
fn searches_agree_with_a_loop() {
    agrees(100, Searches);
}

#[test]
fn map_iter_agrees_with_a_loop() {
    check(100, lengths(), |pool, length| {
        let items: Vec<u64> = (0..length).map(scramble).collect();
        let odd = items.iter().filter(|item| *item % 3 > 0);
        let mapped = pool.map_iter(odd.clone(), |item| item.to_string());
        assert!(mapped.into_iter().eq(odd.map(u64::to_string)));
    });
}

#[test]
fn exclusive_items_are_each_written_once() {
    let parts = (lengths(), 1..50_usize);
    check(100, parts, |pool, (length, size)| {
        let mut items: Vec<u64> = (0..length as u64).collect();
        pool.for_each(&mut items, |item| *item += 1);
        pool.for_each(items.iter_mut(), |item| *item *= 2);
        let old = pool.map(&mut items[..], |item| std::mem::replace(item, *item + 3));
        assert!(old.into_iter().eq((1..=length as u64).map(|n| 2 * n)));
        let numbered = source::chunks_mut(&mut items, size).zip(0..length).enumerate();
        pool.for_each(numbered, |(index, (chunk, number))| {
            assert_eq!(index, number);
            chunk.iter_mut().for_each(|item| *item += index as u64);
        });
        let expected = (0..length).map(|index| 2 * (index as u64 + 1) + 3 + (index / size) as u64);
        assert!(items.into_iter().eq(expected));
    });
}

#[test]
fn a_sweep_calls_with_each_item_once_and_no_other() {
    check(50, lengths(), |pool, length| {
        let calls: Vec<AtomicUsize> = (0..length).map(|_| AtomicUsize::new(0)).collect();
        pool.for_each(0..length, |index| {
            calls[index].fetch_add(1, Relaxed);
        });
        assert!(calls.into_iter().all(|calls| calls.into_inner() == 1));
    });
}

#[test]
fn a_serial_pool_and_a_limit_of_one_go_in_order() {
    let pools = [Pool::serial(), Pool::new(4).unwrap().limit(1), Pool::new(1).unwrap()];
    for pool in pools {
        let order = Mutex::new(Vec::new());
        pool.for_each(0..scaled(10_000), |index| order.lock().unwrap().push(index));
        let everything: Range<usize> = 0..scaled(10_000);
        assert!(order.into_inner().unwrap().into_iter().eq(everything));
    }
}
