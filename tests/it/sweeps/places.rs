//! Sweeps from everywhere: nested, in tasks, in scopes, in joins, from many threads at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use manyhands::{Pool, source};

use super::{pools, scaled, spin, throw};
use crate::support::{LONG, Tally, panic_of, within};

fn squares(pool: &Pool, count: u64) -> u64 {
    let squares = pool.map(0..count, |n| n * n);
    assert!(squares.iter().copied().eq((0..count).map(|n| n * n)));
    squares.into_iter().sum()
}

#[test]
fn sweeps_nest() {
    within(LONG, || {
        for pool in pools() {
            let sums = pool.map(0..20_u64, |a| {
                let sums = pool.map(0..a, |b| pool.map(0..b, |c| squares(&pool, c)));
                sums.into_iter().flatten().sum::<u64>()
            });
            let expected = (0..20_u64).map(|a| {
                (0..a)
                    .map(|b| (0..b).map(|c| (0..c).map(|n| n * n).sum::<u64>()).sum::<u64>())
                    .sum()
            });
            assert!(sums.into_iter().eq(expected));
        }
    });
}

#[test]
fn sweeps_nest_to_a_depth_of_a_hundred() {
    fn down(pool: &Pool, depth: usize) -> usize {
        if depth == 0 {
            return 1;
        }
        pool.map([0, 1], |side| if side == 0 { down(pool, depth - 1) } else { depth })[0]
    }

    within(LONG, || {
        for pool in pools() {
            assert_eq!(down(&pool, scaled(100)), 1);
        }
    });
}

#[test]
fn pools_sweep_inside_each_other() {
    within(LONG, || {
        for (a, b) in [(1, 1), (1, 2), (2, 8)] {
            let (a, b) = (Pool::new(a).unwrap(), Pool::new(b).unwrap());
            for _ in 0..scaled(20) {
                let sums = a.map(0..10_u64, |n| {
                    b.map(0..n, |m| squares(&a, m) + squares(&b, m)).into_iter().sum::<u64>()
                });
                let other = b.map(0..10_u64, |n| {
                    a.map(0..n, |m| squares(&b, m) + squares(&a, m)).into_iter().sum::<u64>()
                });
                assert_eq!(sums, other);
            }
        }
    });
}

#[test]
fn sweeps_run_inside_tasks_scopes_joins_and_installs() {
    within(LONG, || {
        for pool in pools() {
            let expected = squares(&Pool::serial(), 500);
            for _ in 0..scaled(50) {
                let inside = pool.clone();
                let tasks = (0..4).map(|_| {
                    let inside = inside.clone();
                    pool.spawn(move || squares(&inside, 500))
                });
                assert_eq!(manyhands::join_all(tasks).unwrap(), [expected; 4]);
                let both = pool.join(|| squares(&pool, 500), || squares(&pool, 500));
                assert_eq!(both, (expected, expected));
                pool.scope(|s| {
                    let tasks = [(); 4].map(|()| s.spawn(|| squares(&pool, 500)));
                    assert_eq!(squares(&pool, 500), expected);
                    tasks.into_iter().for_each(|task| assert_eq!(task.join().unwrap(), expected));
                });
                assert_eq!(pool.install(|| squares(&pool, 500)), expected);
                assert_eq!(pool.enter(|| manyhands::map(0..3, |n| n)), [0, 1, 2]);
            }
        }
    });
}

#[test]
fn tasks_joins_and_scopes_run_inside_sweeps() {
    within(LONG, || {
        for pool in pools() {
            let sums = pool.map(0..100_u64, |n| {
                let task = pool.spawn(move || n);
                let (a, b) = pool.join(|| n, || squares(&pool, n % 7));
                let c = pool.scope(|s| {
                    let c = s.spawn(|| squares(&pool, n % 5));
                    c.join().unwrap()
                });
                task.join().unwrap() + a + b + c
            });
            let sum = |n: u64| (0..n).map(|n| n * n).sum::<u64>();
            assert!(sums.into_iter().eq((0..100).map(|n| 2 * n + sum(n % 7) + sum(n % 5))));
        }
    });
}

#[test]
fn a_hundred_threads_sweep_at_once() {
    within(LONG, || {
        for pool in pools() {
            let threads = scaled(100);
            let start = Barrier::new(threads);
            thread::scope(|s| {
                for index in 0..threads as u64 {
                    let (pool, start) = (&pool, &start);
                    s.spawn(move || {
                        start.wait();
                        for turn in 0..10 {
                            squares(pool, 50 * turn + index);
                            let nested = pool.map(0..3, |n| squares(pool, n + index));
                            assert_eq!(nested.len(), 3);
                            let sum = pool.map_reduce(0..200, |n| n, |a, b| a + b);
                            assert_eq!(sum, Some(19_900));
                        }
                    });
                }
            });
        }
    });
}

#[test]
fn a_hundred_threads_panic_at_once() {
    within(LONG, || {
        for pool in pools() {
            let threads = scaled(100);
            let start = Barrier::new(threads);
            let tally = Tally::new();
            thread::scope(|s| {
                for index in 0..threads {
                    let (pool, start, tally) = (&pool, &start, &tally);
                    s.spawn(move || {
                        start.wait();
                        for turn in 0..10 {
                            let payload = panic_of(|| {
                                pool.map(0..100, |n| {
                                    if n >= 30 + turn {
                                        throw(index);
                                    }
                                    tally.make(n)
                                })
                            });
                            assert_eq!(payload.downcast_ref(), Some(&index));
                        }
                    });
                }
            });
            tally.assert_even();
        }
    });
}

#[test]
fn a_sweep_goes_on_while_all_workers_are_blocked() {
    use crate::support::Blocked;

    within(LONG, || {
        for threads in [1, 2, 8] {
            let pool = Pool::new(threads).unwrap();
            let blocked = Blocked::all(&pool);
            squares(&pool, 10_000);
            assert_eq!(pool.map_iter(0..100, |n| n), (0..100).collect::<Vec<_>>());
            let nested = pool.map(0..10, |n| squares(&pool, n));
            assert_eq!(nested.len(), 10);
            drop(blocked);
        }
    });
}

#[test]
fn skewed_costs_change_nothing_but_the_time() {
    within(LONG, || {
        for pool in pools() {
            for dear in [0, 1, 499, 998, 999] {
                let mapped = pool.map(0..1_000, |n| {
                    if n == dear {
                        spin(Duration::from_millis(2));
                    }
                    n
                });
                assert!(mapped.into_iter().eq(0..1_000));
            }
            // Ever dearer, and ever cheaper.
            for rises in [true, false] {
                let mapped = pool.map(0..500_u64, |n| {
                    let cost = if rises { n } else { 500 - n };
                    spin(Duration::from_nanos(40 * cost));
                    n
                });
                assert!(mapped.into_iter().eq(0..500));
            }
        }
    });
}

#[test]
fn a_sweep_in_the_drop_of_an_item_is_as_good_as_any() {
    struct Sweeping<'a>(&'a Pool, &'a AtomicUsize);

    impl Drop for Sweeping<'_> {
        fn drop(&mut self) {
            self.1.fetch_add(self.0.map([1, 2], |n| n).len(), SeqCst);
        }
    }

    within(LONG, || {
        for pool in pools() {
            let count = AtomicUsize::new(0);
            let items: Vec<_> = (0..100).map(|_| Sweeping(&pool, &count)).collect();
            let others: Vec<_> = (0..150).map(|_| Sweeping(&pool, &count)).collect();
            let payload = panic_of(|| {
                pool.for_each(source::zip(items, others).enumerate(), |(index, _)| {
                    if index == 60 {
                        throw(index);
                    }
                });
            });
            assert_eq!(payload.downcast_ref(), Some(&60_usize));
            assert_eq!(count.into_inner(), 2 * 250);
        }
    });
}
