//! `limit` and `chunk`.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use manyhands::Pool;
use proptest::strategy::Strategy;

use super::{scaled, spin};

fn cases(property: impl Fn(usize, usize)) {
    use proptest::test_runner::{Config, TestRunner};
    let config =
        Config { cases: scaled(100) as u32, failure_persistence: None, ..Config::default() };
    let strategy = (0..12_usize, 0..40_usize).prop_map(|it| it);
    TestRunner::new(config)
        .run(&strategy, |(first, second)| {
            property(first, second);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_limit_bounds_the_threads_of_a_sweep() {
    let pool = Pool::new(8).unwrap();
    cases(|limit, _| {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let threads = pool.limit(limit).map(0..100, |_| {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            spin(Duration::from_micros(10));
            now.fetch_sub(1, SeqCst);
            thread::current().id()
        });
        let distinct: HashSet<_> = threads.into_iter().collect();
        assert!(distinct.len() <= limit.max(1), "{} threads, not {limit}", distinct.len());
        assert!(most.into_inner() <= limit.max(1));
    });
}

#[test]
fn a_limit_bounds_every_verb() {
    let pool = Pool::new(8).unwrap();
    for limit in [1, 2, 3] {
        let limited = pool.limit(limit);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let seen = Mutex::new(HashSet::new());
        let here = || {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            spin(Duration::from_micros(10));
            seen.lock().unwrap().insert(thread::current().id());
            now.fetch_sub(1, SeqCst);
        };
        let checked = |verb: &str| {
            let distinct = seen.lock().unwrap().drain().count();
            // In a scope, and batches are tasks of one, a thread may leave and another take its place.
            let is_scope = ["map_iter", "scope"].contains(&verb);
            assert!(distinct <= limit || is_scope, "{verb}: {distinct} threads in all");
            let most = most.swap(0, SeqCst);
            assert!((1..=limit).contains(&most), "{verb}: {most} threads at a time, not {limit}");
        };
        limited.for_each(0..100, |_| here());
        checked("for_each");
        limited.map_reduce(0..100, |_| here(), |(), ()| here());
        checked("map_reduce");
        limited.fold(0..100, || (), |(), _| here(), |(), ()| here());
        checked("fold");
        limited.filter_map(0..100, |index| {
            here();
            Some(index)
        });
        checked("filter_map");
        limited.map_iter(0..100, |_| here());
        checked("map_iter");
        limited.any(0..100, |_| {
            here();
            false
        });
        checked("any");
        limited.scope(|s| (0..100).for_each(|_| drop(s.spawn(here))));
        checked("scope");
    }
}

#[test]
fn a_limit_of_one_leaves_the_caller() {
    let pool = Pool::new(8).unwrap();
    let me = thread::current().id();
    pool.limit(1).for_each(0..100, |_| assert_eq!(thread::current().id(), me));
    pool.limit(1).for_each(0..100, |_| assert_eq!(thread::current().id(), me));
}

#[test]
fn a_limit_does_not_hold_inside() {
    let pool = Pool::new(2).unwrap();
    let gathered = std::sync::Barrier::new(2);
    // Two threads must meet inside, or this hangs.
    crate::support::within(crate::support::LONG, move || {
        pool.limit(1).for_each(0..1, |_| {
            pool.chunk(1).for_each(0..2, |_| {
                gathered.wait();
            });
        });
    });
}

#[test]
fn chunks_are_whole_and_in_order() {
    let pool = Pool::new(4).unwrap();
    cases(|limit, chunk| {
        let size = chunk.max(1);
        let log = Mutex::new(HashMap::<_, Vec<usize>>::new());
        pool.limit(limit).chunk(chunk).for_each(0..500, |index| {
            log.lock().unwrap().entry(thread::current().id()).or_default().push(index);
        });
        for indices in log.into_inner().unwrap().into_values() {
            for part in indices.chunk_by(|a, b| a / size == b / size) {
                let first = part[0];
                let whole = first..(first + size).min(500);
                assert_eq!(first % size, 0);
                assert!(part.iter().copied().eq(whole), "{part:?} is no chunk of {size}");
            }
        }
    });
}

#[test]
fn items_of_unknown_cost_do_not_hold_up_the_others() {
    crate::support::within(crate::support::LONG, || {
        let pool = Pool::new(2).unwrap();
        let others = AtomicUsize::new(0);
        // The first item ends after all the others.
        pool.for_each(0..1_000, |index| {
            if index > 0 {
                others.fetch_add(1, SeqCst);
                return;
            }
            while others.load(SeqCst) < 999 {
                thread::yield_now();
            }
        });
    });
}

#[test]
fn chunks_of_one_meet_on_as_many_threads_as_there_are() {
    crate::support::within(crate::support::LONG, || {
        for threads in [2, 8] {
            let pool = Pool::new(threads).unwrap();
            for _ in 0..scaled(100) {
                let all = std::sync::Barrier::new(threads);
                pool.chunk(1).for_each(0..threads, |_| {
                    all.wait();
                });
            }
        }
    });
}
