//! Far more threads than cores: nothing is lost, and nothing starves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use manyhands::Pool;
use manyhands::channel::unbounded;

use crate::support::{LONG, Tally, pool, within};

const CROWD: usize = 64;

#[test]
fn a_crowd_sweeps_every_item_once() {
    within(LONG, || {
        let pool = pool(CROWD);
        for length in [0, 1, 63, 64, 65, 1_000, 100_000] {
            let calls: Vec<_> = (0..length).map(|_| AtomicUsize::new(0)).collect();
            let results = pool.map(0..length, |i| calls[i].fetch_add(1, Ordering::Relaxed) + i);
            assert!(results.into_iter().eq(0..length), "{length} items");
            assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1));
        }
    });
}

#[test]
fn a_crowd_reduces_to_the_same_bits_as_one() {
    within(LONG, || {
        let values: Vec<f64> = (0..100_000).map(|i| 1.0 / f64::from(i + 1)).collect();
        let sum = |pool: &Pool| pool.map_reduce(&values, |&x| x, |a, b| a + b).unwrap().to_bits();
        let expected = sum(&pool(1));
        let crowd = pool(CROWD);
        for _ in 0..20 {
            assert_eq!(sum(&crowd), expected);
        }
    });
}

#[test]
fn what_a_crowd_makes_is_dropped_once() {
    within(LONG, || {
        let pool = pool(CROWD);
        let tally = Tally::new();
        for round in 0..20 {
            let kept = pool.filter_map(0..2_000, |i| (i % 3 == round % 3).then(|| tally.make(i)));
            assert!(kept.windows(2).all(|pair| pair[0].value < pair[1].value));
            drop(kept);
            tally.assert_even();
        }
    });
}

#[test]
fn a_crowd_runs_every_task_of_a_crowd_once() {
    within(LONG, || {
        let pool = pool(CROWD);
        let spawn_and_join = |from: usize| {
            let handles: Vec<_> = (from..from + 1_000).map(|i| pool.spawn(move || i)).collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).sum::<usize>()
        };
        let total: usize = thread::scope(|scope| {
            let spawners: Vec<_> =
                (0..CROWD).map(|k| scope.spawn(move || spawn_and_join(k * 1_000))).collect();
            spawners.into_iter().map(|spawner| spawner.join().unwrap()).sum()
        });
        let count = CROWD * 1_000;
        assert_eq!(total, count * (count - 1) / 2);
    });
}

#[test]
fn scopes_and_joins_of_a_crowd_all_end() {
    fn count(pool: &Pool, depth: u32) -> usize {
        if depth == 0 {
            return 1;
        }
        let (left, right) = pool.join(|| count(pool, depth - 1), || count(pool, depth - 1));
        left + right
    }
    within(LONG, || {
        let pool = pool(CROWD);
        let leaves = AtomicUsize::new(0);
        pool.scope(|s| {
            for _ in 0..CROWD {
                s.spawn(|| leaves.fetch_add(count(&pool, 10), Ordering::Relaxed));
            }
        });
        assert_eq!(leaves.into_inner(), CROWD << 10);
    });
}

/// As many outside threads as workers sweep without a pause; tasks get through all the same, and so
/// do the sweeps of one more thread.
#[test]
fn nobody_starves_in_a_crowd() {
    within(LONG, || {
        let pool = pool(CROWD);
        let is_over = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..CROWD {
                scope.spawn(|| {
                    while is_over.load(Ordering::Relaxed) == 0 {
                        pool.for_each(0..1_000, |i| _ = std::hint::black_box(i));
                    }
                });
            }
            let (sender, receiver) = unbounded();
            for round in 0..20 {
                let sender = sender.clone();
                drop(pool.spawn(move || sender.send(round).unwrap()));
                assert_eq!(receiver.recv(), Ok(round));
                assert_eq!(pool.map(0..100, |i| i).len(), 100);
            }
            is_over.store(1, Ordering::Relaxed);
        });
    });
}

/// Each waits for the message of the one before, in an order in which none can go on at first.
#[test]
fn a_crowd_that_waits_for_each_other_gets_through() {
    within(LONG, || {
        let pool = pool(CROWD);
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..=CROWD).map(|_| manyhands::channel::bounded::<usize>(1)).unzip();
        let mut receivers = receivers.into_iter();
        let first = senders[0].clone();
        let handles: Vec<_> = (0..CROWD)
            .map(|i| {
                let (receiver, sender) = (receivers.next().unwrap(), senders[i + 1].clone());
                pool.spawn(move || sender.send(receiver.recv().unwrap() + 1).unwrap())
            })
            .collect();
        first.send(0).unwrap();
        assert_eq!(receivers.next().unwrap().recv(), Ok(CROWD));
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    });
}
