//! The failure that comes back is the one that a loop would have met.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use manyhands::Pool;
use proptest::collection::btree_map;
use proptest::prelude::any;
use proptest::strategy::Strategy;

use super::{check, pools, scaled, spin, throw};
use crate::support::{Payload, panic_of};

/// How a sweep failed.
#[derive(Debug, PartialEq, Eq)]
enum Failed {
    Error(usize),
    Panic(usize),
}

impl Failed {
    fn of(payload: Payload) -> Self {
        Self::Panic(*payload.downcast().expect("a panic of `throw`"))
    }
}

/// What is to fail: whether by a panic, and the further down the later.
#[derive(Clone, Debug)]
struct Plan {
    length: usize,
    failing: BTreeMap<usize, bool>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let length = proptest::prop_oneof![1..20_usize, 20..scaled(3_000)];
    length.prop_flat_map(|length| {
        let failing = btree_map(0..length, any::<bool>(), 0..20);
        failing.prop_map(move |failing| Plan { length, failing })
    })
}

impl Plan {
    /// What a loop comes to.
    fn expected(&self) -> Result<(), Failed> {
        self.failing.first_key_value().map_or(Ok(()), |(&index, &panics)| {
            Err(if panics { Failed::Panic(index) } else { Failed::Error(index) })
        })
    }

    /// As [`expected`](Self::expected), where all failures are panics.
    fn expected_panic(&self) -> Result<(), Failed> {
        self.failing.keys().next().map_or(Ok(()), |&index| Err(Failed::Panic(index)))
    }

    fn run(&self, index: usize) -> Result<usize, usize> {
        let Some(panics) = self.failing.get(&index) else { return Ok(index) };
        let rank = self.failing.range(index + 1..).count() as u64;
        spin(Duration::from_micros(10 * rank));
        if *panics { throw(index) } else { Err(index) }
    }

    fn run_or_panic(&self, index: usize) -> usize {
        self.run(index).unwrap_or_else(|value| throw(value))
    }
}

fn outcome<R>(f: impl FnOnce() -> Result<R, usize>) -> Result<R, Failed> {
    let result = catch_unwind(AssertUnwindSafe(f)).map_err(Failed::of)?;
    result.map_err(Failed::Error)
}

fn panics<R>(f: impl FnOnce() -> R) -> Result<(), Failed> {
    outcome(|| Ok(f())).map(drop)
}

#[test]
fn the_lowest_failure_of_the_try_verbs_comes_back() {
    check(300, plans(), |pool, plan| {
        let mapped = outcome(|| pool.try_map(0..plan.length, |index| plan.run(index)));
        assert_eq!(mapped.map(drop), plan.expected());
        let run = |index| plan.run(index).map(drop);
        assert_eq!(outcome(|| pool.try_for_each(0..plan.length, run)), plan.expected());
    });
}

#[test]
fn the_lowest_panic_of_every_verb_comes_back() {
    check(150, plans(), |pool, plan| {
        let expected = plan.expected_panic();
        let run = |index| plan.run_or_panic(index);
        let all = || 0..plan.length;
        assert_eq!(panics(|| pool.map(all(), run)), expected);
        assert_eq!(
            panics(|| pool.for_each(all(), |index| assert_eq!(run(index), index))),
            expected
        );
        assert_eq!(panics(|| pool.map_init(all(), || (), |(), index| run(index))), expected);
        assert_eq!(panics(|| pool.filter_map(all(), |index| Some(run(index)))), expected);
        assert_eq!(panics(|| pool.flat_map(all(), |index| [run(index)])), expected);
        assert_eq!(panics(|| pool.flat_map(all(), |i| [i].into_iter().map(run))), expected);
        assert_eq!(panics(|| pool.map_reduce(all(), run, usize::max)), expected);
        assert_eq!(panics(|| pool.map_reduce_unordered(all(), run, usize::max)), expected);
        let fold = || pool.fold(all(), || 0, |sum, index| sum + run(index), usize::max);
        assert_eq!(panics(fold), expected);
        assert_eq!(panics(|| pool.map_iter(all(), run)), expected);
        assert_eq!(panics(|| pool.all(all(), |index| run(index) == index)), expected);
        assert_eq!(panics(|| pool.find_any(all(), |index| run(*index) != *index)), expected);
    });
}

#[test]
fn map_catch_has_each_panic_at_its_item() {
    check(100, plans(), |pool, plan| {
        let results = pool.map_catch(0..plan.length, |index| plan.run_or_panic(index));
        assert_eq!(results.len(), plan.length);
        for (index, result) in results.into_iter().enumerate() {
            assert_eq!(result.is_err(), plan.failing.contains_key(&index));
            match result {
                Ok(value) => assert_eq!(value, index),
                Err(panic) => assert_eq!(Failed::of(panic.into_payload()), Failed::Panic(index)),
            }
        }
    });
}

#[test]
fn find_first_finds_the_first_or_the_panic_before_it() {
    check(200, plans(), |pool, plan| {
        // An error is what is looked for.
        let find = || {
            let found = pool.find_first(0..plan.length, |&index| plan.run(index).is_err());
            found.map_or(Ok(()), Err)
        };
        assert_eq!(outcome(find), plan.expected());
    });
}

#[test]
fn a_lower_failure_wins_though_it_comes_later() {
    let pool = Pool::new(2).unwrap();
    for turn in 0..scaled(200) {
        // The first two items meet, so two threads have one each; the second one fails at once.
        let both = Barrier::new(2);
        let second_has_failed = AtomicUsize::new(0);
        let failed = outcome(|| {
            pool.chunk(1).try_for_each(0..10, |index| {
                both.wait();
                if index == 1 {
                    second_has_failed.store(1, Relaxed);
                    return Err(1);
                }
                while second_has_failed.load(Relaxed) == 0 {
                    std::hint::spin_loop();
                }
                spin(Duration::from_micros(20));
                if turn % 2 == 0 { Err(index) } else { throw(index) }
            })
        });
        let expected = if turn % 2 == 0 { Failed::Error(0) } else { Failed::Panic(0) };
        assert_eq!(failed, Err(expected));
    }
}

#[test]
fn a_panic_of_a_merge_comes_before_that_of_a_later_item() {
    let pool = Pool::new(2).unwrap();
    for _ in 0..scaled(50) {
        // Leaves of one item; claims of two of them. Both claims are out at once.
        let both = Barrier::new(2);
        let later_has_failed = AtomicUsize::new(0);
        let payload = panic_of(|| {
            pool.chunk(2).fold(
                0..4,
                || 0,
                |_, index: usize| {
                    if index % 2 == 0 {
                        both.wait();
                    }
                    if index == 2 {
                        later_has_failed.store(1, Relaxed);
                        throw(index);
                    }
                    index
                },
                |_, right: usize| {
                    while later_has_failed.load(Relaxed) == 0 {
                        std::hint::spin_loop();
                    }
                    spin(Duration::from_micros(20));
                    throw(100 + right);
                },
            )
        });
        assert_eq!(Failed::of(payload), Failed::Panic(101), "a loop merges 0 and 1 before 2");
    }
}

#[test]
fn a_failure_stops_the_sweep_soon() {
    for pool in pools() {
        let calls = AtomicUsize::new(0);
        let failed = pool.try_for_each(0..1_000_000_000, |index| {
            calls.fetch_add(1, Relaxed);
            if index == 10 { Err(index) } else { Ok(()) }
        });
        assert_eq!(failed, Err(10));
        assert!(calls.into_inner() < 100_000_000);
    }
}

#[test]
fn a_pool_is_as_good_as_new_after_a_thousand_panics() {
    for pool in pools() {
        for turn in 0..scaled(1_000) {
            let payload = panic_of(|| pool.map(0..20, |_| -> usize { throw(turn) }));
            assert_eq!(Failed::of(payload), Failed::Panic(turn));
        }
        assert_eq!(pool.map(0..20, |index| index), (0..20).collect::<Vec<_>>());
    }
}

#[test]
fn payloads_whose_drop_panics_cost_nothing_but_themselves() {
    use crate::support::PanicsOnDrop;

    for pool in pools() {
        let payload = panic_of(|| {
            pool.chunk(1).for_each(0..50, |_| {
                spin(Duration::from_micros(50));
                std::panic::resume_unwind(Box::new(PanicsOnDrop));
            });
        });
        assert!(payload.is::<PanicsOnDrop>());
        std::mem::forget(payload);
        let error = pool.try_for_each(0..50, |_| Err(PanicsOnDrop));
        std::mem::forget(error);
    }
}
