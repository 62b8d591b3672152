//! `map_iter`, which pulls from any iterator on the thread of the caller.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use manyhands::Pool;

use super::{pools, scaled, spin, throw};
use crate::support::{LONG, Tally, panic_of, within};

#[test]
fn the_iterator_need_not_be_send_and_stays_on_the_callers_thread() {
    for pool in pools() {
        let pulls = Rc::new(Cell::new(0));
        let me = thread::current().id();
        let iterator = (0..scaled(10_000)).inspect(|_| {
            assert_eq!(thread::current().id(), me);
            pulls.set(pulls.get() + 1);
        });
        let mapped = pool.map_iter(iterator, |n| n * 2);
        assert!(mapped.into_iter().eq((0..scaled(10_000)).map(|n| n * 2)));
        assert_eq!(pulls.get(), scaled(10_000));
    }
}

#[test]
fn an_iterator_that_panics_does_so_in_the_caller() {
    for pool in pools() {
        for at in [0, 1, 2, 100, scaled(5_000)] {
            let (items, results) = (Tally::new(), Tally::new());
            let iterator = (0..).map(|n| if n == at { throw(n) } else { items.make(n) });
            let payload = panic_of(|| pool.map_iter(iterator, |item| results.make(item.value)));
            assert_eq!(payload.downcast_ref(), Some(&at));
            assert_eq!(items.made(), at);
            assert_eq!(results.made(), at, "what was pulled is mapped");
            items.assert_even();
            results.assert_even();
        }
    }
}

#[test]
fn a_panic_of_an_item_comes_before_a_later_one_of_the_iterator() {
    for pool in pools() {
        let iterator = (0..).map(|n| if n == 3_000 { throw(n) } else { n });
        let map = |n: usize| if n == 1_500 { throw(n) } else { n };
        let payload = panic_of(|| pool.map_iter(iterator, map));
        assert_eq!(payload.downcast_ref(), Some(&1_500_usize));
    }
}

#[test]
fn nothing_is_pulled_long_after_a_panic() {
    for pool in pools() {
        let pulls = Cell::new(0_usize);
        let endless = std::iter::repeat(()).inspect(|()| pulls.set(pulls.get() + 1));
        let panicked = AtomicBool::new(false);
        let payload = panic_of(|| {
            pool.map_iter(endless, |()| {
                spin(Duration::from_micros(1));
                if !panicked.swap(true, SeqCst) {
                    throw(7);
                }
            })
        });
        assert_eq!(payload.downcast_ref(), Some(&7_usize));
        assert!(pulls.get() < 10_000, "{}", pulls.get());
    }
}

#[test]
fn an_iterator_may_use_the_pool_itself() {
    within(LONG, || {
        for pool in pools() {
            let mapped = || {
                let sums = (0..30_u32).map(|n| pool.map(0..n, |i| i).into_iter().sum::<u32>());
                let sums = sums.map(|sum| pool.join(|| sum, || 1).0);
                let sums = sums.map(|sum| pool.scope(|s| s.spawn(|| sum).join().unwrap()));
                pool.map_iter(sums, |sum| pool.map_iter(0..3, |i| i + sum).into_iter().sum::<u32>())
            };
            let expected: Vec<u32> = (0..30).map(|n| 3 * (0..n).sum::<u32>() + 3).collect();
            assert_eq!(mapped(), expected);
            assert_eq!(pool.install(mapped), expected);
            assert_eq!(pool.scope(|s| s.spawn(mapped).join().unwrap()), expected);
        }
    });
}

#[test]
fn iterators_of_map_iter_nest() {
    within(LONG, || {
        for pool in pools() {
            let inner = || pool.map_iter(0..20_u64, |n| n + 1).into_iter();
            let outer = pool.map_iter(inner().flat_map(|n| pool.map_iter(0..n, |n| n)), |n| n);
            let expected = (1..=20).flat_map(|n| 0..n);
            assert!(outer.into_iter().eq(expected));
        }
    });
}

#[test]
fn few_items_of_a_long_iterator_wait_at_a_time() {
    const LENGTH: usize = scaled(300_000);
    for pool in pools() {
        let (waiting, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let iterator = (0..LENGTH).inspect(|_| {
            most.fetch_max(waiting.fetch_add(1, SeqCst) + 1, SeqCst);
        });
        let mapped = pool.map_iter(iterator, |n| {
            spin(Duration::from_micros(1));
            waiting.fetch_sub(1, SeqCst);
            n
        });
        assert_eq!(mapped.len(), LENGTH);
        // A batch has at most as many as take 50 µs, and four for each thread may be waiting.
        let bound = 50 * (4 * pool.threads().max(1) + 2 + pool.threads());
        let most = most.into_inner();
        assert!(most <= bound, "{most} items were waiting, on {} threads", pool.threads());
    }
}

#[test]
fn a_million_cheap_items_are_mapped() {
    for pool in pools() {
        let count = scaled(1_000_000);
        let mapped = pool.map_iter((0..count).filter(|n| n % 2 == 0), |n| n as u32);
        assert_eq!(mapped.len(), count / 2);
        assert!(mapped.windows(2).all(|pair| pair[0] + 2 == pair[1]));
    }
}

#[test]
fn a_chunk_of_an_iterator_is_worked_off_by_one_thread() {
    let pool = Pool::new(4).unwrap();
    let threads = pool.chunk(10).map_iter(0..400, |_| {
        spin(Duration::from_micros(20));
        thread::current().id()
    });
    let mixed = threads.chunks(10).filter(|chunk| chunk.iter().any(|id| *id != chunk[0])).count();
    assert_eq!(mixed, 0, "of 40 chunks of 10 so many were worked off by several threads");
}

#[test]
fn an_iterator_that_ends_and_goes_on_is_asked_once() {
    // Not fused: what comes after the first `None` is not part of it.
    for pool in pools() {
        let turn = Cell::new(0);
        let iterator = std::iter::from_fn(|| {
            turn.set(turn.get() + 1);
            (turn.get() != 4).then(|| turn.get())
        });
        assert_eq!(pool.map_iter(iterator, |n| n), [1, 2, 3]);
    }
}
