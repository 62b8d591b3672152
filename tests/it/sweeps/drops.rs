//! Every item and every result is dropped once, whatever fails.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use manyhands::{Pool, source};

use super::{check, lengths, pools, scaled, spin, throw};
use crate::support::{Counted, PanicsOnDrop, Tally, alone, panic_of, text_of};

/// Calls `sweep` with items, a tally for results, and a function to call for each item, which
/// panics at some; all that was made is dropped once in the end.
fn balances(sweep: impl Fn(&Pool, Vec<Counted>, &(dyn Fn(&Counted) -> Counted + Sync))) {
    let failing = proptest::collection::btree_set(0..scaled(3_000), 0..3);
    check(60, (lengths(), failing), |pool, (length, failing)| {
        let (items, results) = (Tally::new(), Tally::new());
        let call = |item: &Counted| {
            if failing.contains(&item.value) {
                throw(item.value);
            }
            results.make(item.value)
        };
        let sources = (0..length).map(|index| items.make(index)).collect();
        let outcome = catch_unwind(AssertUnwindSafe(|| sweep(pool, sources, &call)));
        assert_eq!(outcome.is_err(), failing.iter().any(|&index| index < length));
        items.assert_even();
        results.assert_even();
    });
}

#[test]
fn map_drops_everything_once() {
    balances(|pool, items, call| drop(pool.map(items, |item| call(&item))));
}

#[test]
fn map_of_borrowed_items_drops_everything_once() {
    balances(|pool, items, call| drop(pool.map(&items, call)));
}

#[test]
fn map_init_drops_everything_once() {
    let states = Tally::new();
    balances(|pool, items, call| {
        drop(pool.map_init(items, || states.make(0), |_, item| call(&item)));
    });
    states.assert_even();
}

#[test]
fn try_map_drops_everything_once() {
    let failing = proptest::collection::btree_set(0..scaled(3_000), 0..3);
    check(60, (lengths(), failing), |pool, (length, failing)| {
        let tally = Tally::new();
        let items: Vec<_> = (0..length).map(|index| tally.make(index)).collect();
        let mapped = pool.try_map(items, |item| {
            let result = tally.make(item.value);
            if failing.contains(&item.value) { Err(item) } else { Ok(result) }
        });
        match mapped {
            Ok(results) => assert_eq!(tally.live(), results.len()),
            Err(item) => assert_eq!(Some(&item.value), failing.first()),
        }
        tally.assert_even();
    });
}

#[test]
fn map_catch_drops_everything_once() {
    check(60, lengths(), |pool, length| {
        let (items, results) = (Tally::new(), Tally::new());
        let sources: Vec<_> = (0..length).map(|index| items.make(index)).collect();
        let caught = pool.map_catch(sources, |item| {
            if item.value % 5 == 2 { throw(item.value) } else { results.make(item.value) }
        });
        items.assert_even();
        assert_eq!(results.live(), caught.iter().filter(|result| result.is_ok()).count());
        drop(caught);
        results.assert_even();
    });
}

#[test]
fn for_each_drops_everything_once() {
    balances(|pool, items, call| pool.for_each(items, |item| drop(call(&item))));
}

#[test]
fn filter_map_drops_everything_once() {
    balances(|pool, items, call| {
        drop(pool.filter_map(items, |item| {
            (item.value % 3 > 0).then(|| call(&item)).or_else(|| {
                drop(call(&item));
                None
            })
        }));
    });
}

#[test]
fn flat_map_drops_everything_once() {
    balances(|pool, items, call| {
        drop(pool.flat_map(items, |item| (0..item.value % 4 + 1).map(move |_| call(&item))));
    });
}

#[test]
fn reductions_drop_everything_once() {
    balances(|pool, items, call| {
        drop(pool.map_reduce(
            items,
            |item| call(&item),
            |a, b| if a.value % 2 > 0 { a } else { b },
        ));
    });
    balances(|pool, items, call| {
        drop(pool.map_reduce_unordered(items, |item| call(&item), |_, b| b));
    });
}

#[test]
fn fold_drops_everything_once() {
    balances(|pool, items, call| {
        let fold = |mut all: Vec<Counted>, item: Counted| {
            all.push(call(&item));
            all
        };
        let merge = |mut left: Vec<Counted>, right: Vec<Counted>| {
            left.extend(right);
            left
        };
        drop(pool.fold(items, Vec::new, fold, merge));
    });
}

#[test]
fn map_iter_drops_everything_once() {
    balances(|pool, items, call| drop(pool.map_iter(items, |item| call(&item))));
}

#[test]
fn searches_drop_everything_once() {
    check(60, (lengths(), lengths()), |pool, (length, wanted)| {
        let tally = Tally::new();
        let items = || (0..length).map(|index| tally.make(index)).collect::<Vec<_>>();
        let found = pool.find_first(items(), |item| item.value >= wanted);
        assert_eq!(found.as_ref().map(|item| item.value), (wanted < length).then_some(wanted));
        assert_eq!(tally.live(), usize::from(found.is_some()));
        drop(found);
        assert_eq!(pool.find_any(items(), |item| item.value == wanted).is_some(), wanted < length);
        assert_eq!(pool.any(items(), |item| item.value == wanted), wanted < length);
        assert_eq!(pool.all(items(), |item| item.value != wanted), wanted >= length);
        tally.assert_even();
    });
}

#[test]
fn combined_sources_drop_everything_once() {
    check(60, (lengths(), lengths(), lengths()), |pool, (left, right, failing)| {
        let tally = Tally::new();
        let items = |length| (0..length).map(|index| tally.make(index)).collect::<Vec<_>>();
        let combined = source::zip(items(left), items(right)).enumerate().zip(items(failing + 5));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.for_each(combined, |((index, (a, b)), c)| {
                assert_eq!([a.value, b.value, c.value], [index; 3]);
                if index == failing {
                    throw(index);
                }
            });
        }));
        assert_eq!(outcome.is_err(), failing < left.min(right));
        tally.assert_even();
    });
}

#[test]
fn a_source_that_no_sweep_runs_over_drops_its_items() {
    let tally = Tally::new();
    let items = |length| (0..length).map(|index| tally.make(index)).collect::<Vec<_>>();
    drop(source::zip(items(3), items(5)).enumerate());
    drop(source::enumerate(items(7).into_iter()));
    tally.assert_even();
}

//--- values whose drop panics

/// Counts its drops; some panic.
struct Touchy<'a> {
    drops: &'a AtomicUsize,
    panics: bool,
}

impl Drop for Touchy<'_> {
    fn drop(&mut self) {
        self.drops.fetch_add(1, SeqCst);
        if self.panics {
            resume_unwind(Box::new(Touched));
        }
    }
}

/// What a touchy value panics with. Without size, since the payload of a panic in a drop that
/// nobody asked for is leaked, which leak detectors need not see.
struct Touched;

#[test]
fn an_item_whose_drop_panics_counts_as_a_failure_of_the_call() {
    for pool in pools() {
        let drops = AtomicUsize::new(0);
        let items: Vec<_> = (0..100).map(|i| Touchy { drops: &drops, panics: i == 40 }).collect();
        let payload = panic_of(|| pool.for_each(items, drop));
        assert!(payload.is::<Touched>());
        assert_eq!(drops.into_inner(), 100);
    }
}

#[test]
fn an_unclaimed_item_whose_drop_panics_costs_no_other_item() {
    for pool in pools() {
        let drops = AtomicUsize::new(0);
        let items: Vec<_> = (0..100).map(|i| Touchy { drops: &drops, panics: i == 90 }).collect();
        let error = pool.chunk(1).try_for_each(items, |_| {
            spin(Duration::from_micros(20));
            Err::<(), _>("stop")
        });
        assert_eq!(error, Err("stop"));
        assert_eq!(drops.into_inner(), 100);
    }
}

#[test]
fn a_result_whose_drop_panics_costs_no_other_result() {
    for pool in pools() {
        let (drops, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let payload = panic_of(|| {
            pool.chunk(1).map(0..200, |index| {
                if index == 150 {
                    throw(index);
                }
                made.fetch_add(1, SeqCst);
                Touchy { drops: &drops, panics: index == 60 }
            })
        });
        assert_eq!(payload.downcast_ref(), Some(&150_usize));
        assert_eq!(drops.into_inner(), made.into_inner());
    }
}

/// `verb` gives up many results when item 150 panics; the drop of one of them panics, too.
fn survives(verb: impl Fn(&Pool, &(dyn Fn(usize) -> Touchy<'static> + Sync))) {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    for pool in pools() {
        let made = AtomicUsize::new(0);
        DROPS.store(0, SeqCst);
        let payload = panic_of(|| {
            verb(&pool.chunk(10), &|index| {
                if index == 150 {
                    throw(index);
                }
                made.fetch_add(1, SeqCst);
                Touchy { drops: &DROPS, panics: index == 60 }
            });
        });
        assert!(payload.is::<Touched>() || payload.downcast_ref() == Some(&150_usize));
        assert_eq!(DROPS.load(SeqCst), made.into_inner());
    }
}

#[test]
fn a_result_of_map_whose_drop_panics_does_not_end_the_process() {
    alone(|| survives(|pool, touchy| drop(pool.map(0..200, touchy))));
}

#[test]
fn a_result_of_filter_map_whose_drop_panics_does_not_end_the_process() {
    alone(|| survives(|pool, touchy| drop(pool.filter_map(0..200, |index| Some(touchy(index))))));
}

#[test]
fn a_result_of_flat_map_whose_drop_panics_does_not_end_the_process() {
    alone(|| survives(|pool, touchy| drop(pool.flat_map(0..200, |index| [touchy(index)]))));
}

#[test]
fn a_result_of_map_iter_whose_drop_panics_does_not_end_the_process() {
    alone(|| {
        // So dear that each item is a batch of its own.
        survives(|pool, touchy| {
            let call = |index| {
                spin(Duration::from_micros(60));
                touchy(index)
            };
            drop(pool.map_iter(0..200, call));
        });
    });
}

#[test]
fn a_value_of_fold_whose_drop_panics_does_not_end_the_process() {
    alone(|| {
        survives(|pool, touchy| {
            let fold = |mut all: Vec<_>, index| {
                all.push(touchy(index));
                all
            };
            let merge = |mut left: Vec<_>, right| {
                left.extend(right);
                left
            };
            drop(pool.fold(0..200, Vec::new, fold, merge));
        });
    });
}

#[test]
fn a_state_whose_drop_panics_is_a_failure_of_the_sweep() {
    alone(|| {
        for pool in pools() {
            for _ in 0..20 {
                let results = Tally::new();
                let payload = panic_of(|| {
                    pool.map_init(0..500, || PanicsOnDrop, |_, index| results.make(index));
                });
                assert_eq!(text_of(payload), "from a drop");
                results.assert_even();
            }
        }
    });
}

#[test]
fn a_state_whose_drop_panics_after_a_failure_costs_no_result() {
    alone(|| {
        for pool in pools() {
            let results = Tally::new();
            let payload = panic_of(|| {
                pool.chunk(1).map_init(
                    0..1_000,
                    || PanicsOnDrop,
                    |_, index| {
                        if index == 5 {
                            throw(index);
                        }
                        results.make(index)
                    },
                )
            });
            assert_eq!(payload.downcast_ref(), Some(&5_usize));
            results.assert_even();
        }
    });
}

#[test]
fn a_state_whose_drop_panics_after_a_late_failure_costs_no_result() {
    alone(|| {
        for pool in pools() {
            let results = Tally::new();
            let payload = panic_of(|| {
                pool.map_init(
                    0..1_000,
                    || PanicsOnDrop,
                    |_, index| {
                        if index == 500 {
                            throw(index);
                        }
                        results.make(index)
                    },
                )
            });
            assert_eq!(payload.downcast_ref(), Some(&500_usize));
            results.assert_even();
        }
    });
}

#[test]
fn a_state_whose_drop_panics_as_its_thread_leaves_early_costs_no_result() {
    alone(|| {
        // One of two workers sweeps, the other helps it until a detached task waits for somebody.
        let pool = Pool::new(2).unwrap();
        for _ in 0..20 {
            let results = Tally::new();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.install(|| sweep_with_a_helper_that_leaves(&pool, &results));
            }));
            assert!(outcome.is_err());
            results.assert_even();
        }
    });
}

fn sweep_with_a_helper_that_leaves(pool: &Pool, results: &Tally) {
    let caller = thread::current().id();
    let (has_help, is_asked) = (AtomicBool::new(false), AtomicBool::new(false));
    pool.chunk(1).map_init(
        0..10_000,
        || PanicsOnDrop,
        |_, index| {
            if thread::current().id() != caller {
                has_help.store(true, SeqCst);
                while !is_asked.load(SeqCst) {
                    thread::yield_now();
                }
            } else if !is_asked.load(SeqCst) {
                while !has_help.load(SeqCst) {
                    thread::yield_now();
                }
                // From outside, so that it lies in nobody's own queue.
                thread::scope(|s| s.spawn(|| pool.spawn(|| ()).detach()).join()).unwrap();
                is_asked.store(true, SeqCst);
            }
            spin(Duration::from_micros(1));
            results.make(index)
        },
    );
}

#[test]
fn a_state_that_cannot_be_made_fails_the_item_it_was_for() {
    for pool in pools() {
        let (items, results) = (Tally::new(), Tally::new());
        let sources: Vec<_> = (0..100).map(|index| items.make(index)).collect();
        let payload =
            panic_of(|| pool.map_init(sources, || throw(77), |(), item| results.make(item.value)));
        assert_eq!(payload.downcast_ref(), Some(&77_usize));
        assert_eq!(results.made(), 0);
        items.assert_even();
    }
}
