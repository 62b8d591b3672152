//! `join` and `scope`: what they return, whose panic comes out, and that all has ended by then.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::{Pool, Scope, ScopedHandle, TaskError, TryJoinError};

use crate::support::{
    Blocked, Counted, Gate, LONG, PanicsOnDrop, Payload, Tally, eventually, panic_of, pool,
    text_of, within,
};

/// Pools whose threads run something while the caller blocks in the body of a scope. (Inside its
/// own call, a guest counts as one of the threads, so that with one there is nobody else.)
fn pools() -> Vec<Pool> {
    [1, 2, 8].map(pool).into()
}

/// Those, and the ones on which nobody but the caller may be there.
fn all_kinds() -> Vec<Pool> {
    let ended = pool(2);
    ended.shutdown();
    let mut all = pools();
    all.extend([Pool::serial(), ended, pool(4).limit(1), pool(4).limit(2)]);
    all
}

/// Runs `f` with every kind of pool: from outside, on a worker, and in a task of a scope.
fn everywhere(f: impl Fn(&Pool) + Sync) {
    for pool in all_kinds() {
        f(&pool);
        pool.install(|| f(&pool));
        pool.scope(|s| s.spawn(|| f(&pool)).join().unwrap());
    }
}

/// Panics with `payload`, without the message that the hook would print.
fn throw(payload: impl Send + 'static) -> ! {
    resume_unwind(Box::new(payload))
}

fn spawn_make<'scope>(
    s: &'scope Scope<'scope, '_>,
    tally: &'scope Tally,
    value: usize,
) -> ScopedHandle<'scope, Counted> {
    s.spawn(move || tally.make(value))
}

/// The number in a payload that is a counted value.
#[track_caller]
fn value_of(payload: Payload) -> usize {
    payload.downcast::<Counted>().expect("a panic with a counted value").value
}

#[track_caller]
fn value_in(error: TaskError) -> usize {
    value_of(error.into_panic().expect("a panic").into_payload())
}

/// The same dice for the same numbers.
fn dice(seed: u64, node: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ node.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 31;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 29)
}

//--- join

#[test]
fn join_returns_both_results_in_their_places() {
    within(LONG, || {
        everywhere(|pool| {
            let text = String::from("a b");
            let (words, letters) = pool.join(|| text.split(' ').count(), || text.clone());
            assert_eq!((words, letters.as_str()), (2, "a b"));
        });
    });
}

#[test]
fn halves_may_change_what_the_caller_owns() {
    within(LONG, || {
        everywhere(|pool| {
            let mut numbers = [1, 2, 3, 4];
            let (left, right) = numbers.split_at_mut(2);
            pool.join(|| left.reverse(), || right.reverse());
            assert_eq!(numbers, [2, 1, 4, 3]);
        });
    });
}

/// A half that counts itself and returns a counted value, or panics with one.
fn half(tally: &Tally, runs: &AtomicUsize, value: usize, panics: bool) -> Counted {
    let counted = tally.make(value);
    runs.fetch_add(1, Ordering::Relaxed);
    if panics { throw(counted) } else { counted }
}

#[test]
fn a_panic_in_either_half_reaches_the_caller_when_both_have_finished() {
    within(LONG, || {
        everywhere(|pool| {
            for (a, b, expected) in [(true, false, 1), (false, true, 2), (true, true, 1)] {
                let (tally, runs) = (Tally::new(), AtomicUsize::new(0));
                let payload = panic_of(|| {
                    pool.join(|| half(&tally, &runs, 1, a), || half(&tally, &runs, 2, b))
                });
                assert_eq!(runs.into_inner(), 2);
                assert_eq!(tally.live(), 1);
                assert_eq!(value_of(payload), expected);
                tally.assert_even();
            }
        });
    });
}

#[test]
fn a_panic_in_either_half_reaches_the_caller_when_the_other_one_is_on_another_thread() {
    within(LONG, || {
        for pool in [2, 8].map(pool) {
            for round in 0..300 {
                let (a, b) = [(true, false), (false, true), (true, true)][round % 3];
                let (tally, runs, both) = (Tally::new(), AtomicUsize::new(0), Barrier::new(2));
                let meet = |value, panics| {
                    both.wait();
                    half(&tally, &runs, value, panics)
                };
                let payload = panic_of(|| pool.join(|| meet(1, a), || meet(2, b)));
                assert_eq!(runs.into_inner(), 2);
                assert_eq!(value_of(payload), if a { 1 } else { 2 });
                tally.assert_even();
            }
        }
    });
}

/// What one node of a tree of joins does.
enum Fate {
    PanicsBefore,
    PanicsAfter,
    Lives,
}

fn fate(seed: u64, node: u64) -> Fate {
    match dice(seed, node) % 24 {
        0 => Fate::PanicsBefore,
        1 => Fate::PanicsAfter,
        _ => Fate::Lives,
    }
}

/// What [`tree`] should come to: how many leaves it has, or the node whose panic comes out.
fn expected(seed: u64, node: u64, depth: u32, nodes: &mut usize) -> Result<u64, u64> {
    *nodes += 1;
    let fate = fate(seed, node);
    if matches!(fate, Fate::PanicsBefore) {
        return Err(node);
    }
    let leaves = if depth == 0 {
        1
    } else {
        let a = expected(seed, 2 * node, depth - 1, nodes);
        let b = expected(seed, 2 * node + 1, depth - 1, nodes);
        a? + b?
    };
    if matches!(fate, Fate::PanicsAfter) { Err(node) } else { Ok(leaves) }
}

fn tree(pool: &Pool, tally: &Tally, seed: u64, node: u64, depth: u32) -> (u64, Counted) {
    let counted = tally.make(node as usize);
    let fate = fate(seed, node);
    if matches!(fate, Fate::PanicsBefore) {
        throw(counted);
    }
    let leaves = if depth == 0 {
        1
    } else {
        let (a, b) = pool.join(
            || tree(pool, tally, seed, 2 * node, depth - 1),
            || tree(pool, tally, seed, 2 * node + 1, depth - 1),
        );
        a.0 + b.0
    };
    if matches!(fate, Fate::PanicsAfter) { throw(counted) } else { (leaves, counted) }
}

#[test]
fn of_panics_anywhere_in_nested_joins_the_leftmost_comes_out() {
    within(2 * LONG, || {
        for pool in pools() {
            for seed in 0..2000 {
                let tally = Tally::new();
                let run = || tree(&pool, &tally, seed, 1, 4);
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    if seed % 2 == 0 { run() } else { pool.install(run) }
                }));
                let outcome = outcome.map(|it| it.0).map_err(|it| value_of(it) as u64);
                let mut nodes = 0;
                assert_eq!(outcome, expected(seed, 1, 4, &mut nodes), "seed {seed}");
                assert_eq!(tally.made(), nodes, "seed {seed}: all that should run has run");
                tally.assert_even();
            }
        }
    });
}

#[test]
fn join_with_one_thread_runs_a_and_then_b_on_the_caller() {
    within(LONG, || {
        for pool in [Pool::serial(), pool(8).limit(1), pool(8).limit(0)] {
            let order = Mutex::new(Vec::new());
            let note = |name| order.lock().unwrap().push((name, thread::current().id()));
            pool.join(|| note('a'), || note('b'));
            let me = thread::current().id();
            assert_eq!(order.into_inner().unwrap(), [('a', me), ('b', me)]);
        }
    });
}

#[test]
fn a_result_whose_drop_panics_does_not_hide_the_panic_of_the_other_half() {
    within(LONG, || {
        everywhere(|pool| {
            let payload = panic_of(|| pool.join(|| PanicsOnDrop, || -> u8 { throw("b") }));
            assert_eq!(text_of(payload), "b");
            let payload = panic_of(|| pool.join(|| -> u8 { throw("a") }, || PanicsOnDrop));
            assert_eq!(text_of(payload), "a");
        });
    });
}

#[test]
fn a_payload_whose_drop_panics_comes_second_without_harm() {
    within(LONG, || {
        everywhere(|pool| {
            let b = || -> u8 { throw(PanicsOnDrop) };
            assert_eq!(text_of(panic_of(|| pool.join(|| -> u8 { throw("a") }, b))), "a");
        });
    });
}

//--- scope: results

#[test]
fn a_scope_returns_what_its_body_returns() {
    within(LONG, || {
        everywhere(|pool| {
            let text = String::from("text");
            let borrowed: &str = pool.scope(|_| text.as_str());
            assert_eq!(borrowed, "text");
        });
    });
}

#[test]
fn tasks_change_what_the_caller_owns_and_have_ended_when_the_scope_returns() {
    within(LONG, || {
        everywhere(|pool| {
            for count in [0, 1, 2, 13, 200] {
                let mut numbers = vec![0; count];
                pool.scope(|s| {
                    for (index, number) in numbers.iter_mut().enumerate() {
                        drop(s.spawn(move || *number = index));
                    }
                });
                assert!(numbers.into_iter().eq(0..count));
            }
        });
    });
}

#[test]
fn a_handle_gives_the_result_of_its_own_task() {
    within(LONG, || {
        everywhere(|pool| {
            let tally = Tally::new();
            pool.scope(|s| {
                let handles: Vec<_> = (0..100).map(|n| spawn_make(s, &tally, n)).collect();
                let handles = handles.into_iter().enumerate().rev();
                handles.for_each(|(n, handle)| assert_eq!(handle.join().unwrap().value, n));
            });
            tally.assert_even();
        });
    });
}

#[test]
fn a_task_of_a_scope_on_one_thread_runs_on_the_caller() {
    within(LONG, || {
        for pool in [Pool::serial(), pool(8).limit(1)] {
            let me = thread::current().id();
            let runs = AtomicUsize::new(0);
            pool.scope(|s| {
                for _ in 0..100 {
                    drop(s.spawn(|| {
                        assert_eq!(thread::current().id(), me);
                        runs.fetch_add(1, Ordering::Relaxed);
                    }));
                }
            });
            assert_eq!(runs.into_inner(), 100);
        }
    });
}

#[test]
fn a_scope_limited_to_two_never_runs_three_tasks_at_once() {
    within(LONG, || {
        let pool = pool(8).limit(2);
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        pool.scope(|s| {
            for _ in 0..2000 {
                drop(s.spawn(|| {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                }));
            }
        });
        assert!((1..=2).contains(&most.into_inner()));
    });
}

#[test]
fn a_scope_of_100_000_tasks_runs_each_once() {
    within(LONG, || {
        for pool in pools() {
            let sum = AtomicUsize::new(0);
            pool.scope(|s| {
                let sum = &sum;
                let add = |n| drop(s.spawn(move || sum.fetch_add(n, Ordering::Relaxed)));
                (0..100_000).for_each(add);
            });
            assert_eq!(sum.into_inner(), 100_000 * 99_999 / 2);
        }
    });
}

#[test]
fn a_scope_completes_while_all_workers_are_blocked() {
    within(LONG, || {
        for pool in pools() {
            let blocked = Blocked::all(&pool);
            let count = AtomicUsize::new(0);
            let joined = pool.scope(|s| {
                grow(s, &count, 3);
                s.spawn(|| 1).join().unwrap()
            });
            assert_eq!((joined, count.into_inner()), (1, 1 + 4 + 16 + 64));
            drop(blocked);
        }
    });
}

//--- scope: ends

#[test]
fn no_scope_returns_or_unwinds_before_its_last_task_has_ended() {
    for panics in [false, true] {
        within(LONG, move || {
            for pool in pools() {
                let (gate, end) = (Gate::new(), Mutex::new(false));
                let opener = gate.opener();
                thread::scope(|threads| {
                    let scope = threads.spawn(|| {
                        let outcome = catch_unwind(AssertUnwindSafe(|| {
                            pool.scope(|s| {
                                drop(s.spawn(|| {
                                    gate.wait();
                                    *end.lock().unwrap() = true;
                                }));
                                if panics {
                                    throw("body");
                                }
                            });
                        }));
                        assert_eq!(outcome.is_err(), panics);
                        assert!(*end.lock().unwrap(), "it has waited for the task");
                    });
                    gate.wait_for_arrivals(1);
                    assert!(!scope.is_finished());
                    drop(opener);
                    scope.join().unwrap();
                });
            }
        });
    }
}

#[test]
fn all_tasks_of_a_body_that_panics_run_and_have_ended() {
    within(LONG, || {
        everywhere(|pool| {
            for round in 0..20 {
                let (tally, runs) = (Tally::new(), AtomicUsize::new(0));
                let payload = panic_of(|| {
                    pool.scope(|s| {
                        for n in 0..round {
                            let (tally, runs) = (&tally, &runs);
                            drop(s.spawn(move || {
                                runs.fetch_add(1, Ordering::Relaxed);
                                if n % 2 == 0 { throw(tally.make(n)) } else { tally.make(n) }
                            }));
                        }
                        throw(tally.make(1000));
                    });
                });
                assert_eq!(value_of(payload), 1000, "the body's panic comes first");
                assert_eq!(runs.into_inner(), round);
                tally.assert_even();
            }
        });
    });
}

//--- scope: panics of tasks

#[test]
fn the_panic_of_the_earliest_spawned_task_comes_out() {
    within(LONG, || {
        everywhere(|pool| {
            for first in 0..30 {
                let tally = Tally::new();
                let payload = panic_of(|| {
                    pool.scope(|s| {
                        for n in 0..30 {
                            let tally = &tally;
                            drop(s.spawn(move || {
                                let counted = tally.make(n);
                                if n >= first { throw(counted) } else { counted }
                            }));
                        }
                    });
                });
                assert_eq!(value_of(payload), first);
                tally.assert_even();
            }
        });
    });
}

#[test]
fn the_earliest_spawned_comes_out_though_it_is_the_last_to_panic() {
    within(LONG, || {
        for pool in [2, 8].map(pool) {
            let payload = panic_of(|| {
                pool.scope(|s| {
                    let (sender, receiver) = mpsc::channel::<ScopedHandle<'_, ()>>();
                    drop(s.spawn(move || {
                        let other = receiver.recv().unwrap();
                        eventually("the other one ends", || other.is_finished());
                        drop(other);
                        throw("first");
                    }));
                    let second = s.spawn(|| throw("second"));
                    sender.send(second).unwrap();
                });
            });
            assert_eq!(text_of(payload), "first");
        }
    });
}

#[test]
fn the_panic_of_a_task_whose_result_is_discarded_comes_out_with_the_payload_of_panic_any() {
    within(LONG, || {
        let payload = panic_of(|| pool(2).scope(|s| drop(s.spawn(|| panic_any([1_u16, 2])))));
        assert_eq!(payload.downcast_ref(), Some(&[1_u16, 2]));
    });
}

#[test]
fn a_panic_that_was_joined_does_not_come_out() {
    within(LONG, || {
        everywhere(|pool| {
            let tally = Tally::new();
            let task = || -> u8 { throw(tally.make(3)) };
            assert_eq!(value_in(pool.scope(|s| s.spawn(task).join()).unwrap_err()), 3);
            tally.assert_even();
        });
    });
}

#[test]
fn a_panic_that_was_taken_by_try_join_does_not_come_out() {
    within(LONG, || {
        for pool in pools() {
            let tally = Tally::new();
            let error = pool.scope(|s| {
                let handle = s.spawn(|| -> u8 { throw(tally.make(3)) });
                eventually("it ends", || handle.is_finished());
                match handle.try_join() {
                    Err(TryJoinError::Failed(error)) => error,
                    _ => panic!("it has finished, with a panic"),
                }
            });
            assert_eq!(value_in(error), 3);
            tally.assert_even();
        }
    });
}

#[test]
fn of_many_panics_the_earliest_that_nobody_joined_comes_out() {
    within(LONG, || {
        everywhere(|pool| {
            let tally = Tally::new();
            let payload = panic_of(|| {
                pool.scope(|s| {
                    let task = |n| {
                        let tally = &tally;
                        s.spawn(move || -> u8 { throw(tally.make(n)) })
                    };
                    let mut handles: Vec<_> = (0..20).map(task).collect();
                    let rest = handles.split_off(7);
                    for (n, handle) in handles.into_iter().enumerate() {
                        assert_eq!(value_in(handle.join().unwrap_err()), n);
                    }
                    rest.into_iter().rev().for_each(drop);
                });
            });
            assert_eq!(value_of(payload), 7);
            tally.assert_even();
        });
    });
}

#[test]
fn a_payload_whose_drop_panics_does_no_harm_to_the_scope() {
    within(LONG, || {
        everywhere(|pool| {
            let payload = panic_of(|| {
                pool.scope(|s| {
                    drop(s.spawn(|| throw("first")));
                    (0..5).for_each(|_| drop(s.spawn(|| throw(PanicsOnDrop))));
                });
            });
            assert_eq!(text_of(payload), "first");
            let payload = panic_of(|| {
                pool.scope(|s| {
                    drop(s.spawn(|| throw(PanicsOnDrop)));
                    throw("body");
                });
            });
            assert_eq!(text_of(payload), "body");
        });
    });
}

#[test]
fn a_result_whose_drop_panics_does_no_harm_to_the_scope() {
    within(LONG, || {
        everywhere(|pool| {
            let runs = AtomicUsize::new(0);
            let returned = pool.scope(|s| {
                for _ in 0..50 {
                    drop(s.spawn(|| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        PanicsOnDrop
                    }));
                }
                7
            });
            assert_eq!((returned, runs.into_inner()), (7, 50));
        });
    });
}

#[test]
fn the_body_s_result_whose_drop_panics_does_not_hide_the_panic_of_a_task() {
    within(LONG, || {
        everywhere(|pool| {
            let payload = panic_of(|| {
                pool.scope(|s| {
                    drop(s.spawn(|| throw("task")));
                    PanicsOnDrop
                })
            });
            assert_eq!(text_of(payload), "task");
        });
    });
}

//--- scope: handles

#[test]
fn try_join_gives_the_handle_back_until_the_task_has_ended() {
    within(LONG, || {
        for pool in pools() {
            let (tally, gate) = (Tally::new(), Gate::new());
            let opener = gate.opener();
            pool.scope(|s| {
                let task = || {
                    gate.wait();
                    tally.make(5)
                };
                let handle = s.spawn(task);
                assert!(!handle.is_finished());
                let Err(TryJoinError::NotFinished(handle)) = handle.try_join() else {
                    panic!("it cannot have finished");
                };
                drop(opener);
                eventually("it ends", || handle.is_finished());
                assert_eq!(handle.try_join().unwrap().value, 5);
            });
            tally.assert_even();
        }
    });
}

#[test]
fn a_dropped_handle_drops_the_result_once_whether_the_task_has_ended_or_not() {
    within(LONG, || {
        for pool in pools() {
            let tally = Tally::new();
            for round in 0..2000 {
                pool.scope(|s| {
                    let handle = s.spawn(|| tally.make(round));
                    match round % 3 {
                        0 => eventually("it ends", || handle.is_finished()),
                        1 => thread::yield_now(),
                        _ => {}
                    }
                    drop(handle);
                });
            }
            assert_eq!(tally.made(), 2000);
            tally.assert_even();
        }
    });
}

#[test]
fn a_dropped_handle_leaves_the_panic_to_the_scope_whether_the_task_has_ended_or_not() {
    within(LONG, || {
        for pool in pools() {
            let tally = Tally::new();
            for round in 0..2000 {
                let payload = panic_of(|| {
                    pool.scope(|s| {
                        let handle = s.spawn(|| throw(tally.make(round)));
                        match round % 3 {
                            0 => eventually("it ends", || handle.is_finished()),
                            1 => thread::yield_now(),
                            _ => {}
                        }
                        drop(handle);
                    });
                });
                assert_eq!(value_of(payload), round);
            }
            tally.assert_even();
        }
    });
}

#[test]
fn a_leaked_handle_leaves_its_task_to_the_scope() {
    within(LONG, || {
        everywhere(|pool| {
            for _ in 0..20 {
                let mut numbers = vec![0; 50];
                pool.scope(|s| {
                    for number in &mut numbers {
                        std::mem::forget(s.spawn(move || *number += 1));
                    }
                });
                assert!(numbers.into_iter().all(|number| number == 1));
            }
        });
    });
}

#[test]
fn handles_are_joined_in_other_tasks() {
    within(LONG, || {
        everywhere(|pool| {
            let sum = AtomicUsize::new(0);
            pool.scope(|s| {
                let mut handles: Vec<_> = (0..200).map(|n| s.spawn(move || n)).collect();
                while let Some(handle) = handles.pop() {
                    let sum = &sum;
                    drop(s.spawn(move || sum.fetch_add(handle.join().unwrap(), Ordering::Relaxed)));
                }
            });
            assert_eq!(sum.into_inner(), 200 * 199 / 2);
        });
    });
}

#[test]
fn handles_are_joined_on_threads_inside_the_body() {
    within(LONG, || {
        for pool in pools() {
            for _ in 0..50 {
                let tally = Tally::new();
                pool.scope(|s| {
                    let handles = (0..40).map(|n| spawn_make(s, &tally, n));
                    let mut handles: Vec<_> = handles.collect();
                    thread::scope(|threads| {
                        while !handles.is_empty() {
                            let some = handles.split_off(handles.len().saturating_sub(10));
                            threads.spawn(move || {
                                some.into_iter().for_each(|handle| drop(handle.join().unwrap()));
                            });
                        }
                    });
                });
                assert_eq!(tally.made(), 40);
                tally.assert_even();
            }
        }
    });
}

#[test]
fn a_task_may_return_the_handle_of_another() {
    within(LONG, || {
        everywhere(|pool| {
            let result = pool.scope(|s| s.spawn(|| s.spawn(|| 5)).join().unwrap().join().unwrap());
            assert_eq!(result, 5);
        });
    });
}

#[test]
fn a_panic_comes_out_though_its_handle_goes_with_a_result_that_nobody_wants() {
    within(LONG, || {
        everywhere(|pool| {
            for _ in 0..50 {
                let payload =
                    panic_of(|| pool.scope(|s| drop(s.spawn(|| s.spawn(|| throw("inner"))))));
                assert_eq!(text_of(payload), "inner");
            }
        });
    });
}

//--- scope: results that borrow

/// Notes its number when it is dropped, in what the scope's caller owns.
struct Notes<'a>(&'a Mutex<Vec<usize>>, usize);

impl Drop for Notes<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

#[test]
fn a_result_that_borrows_is_dropped_before_the_scope_returns() {
    within(LONG, || {
        everywhere(|pool| {
            for _ in 0..30 {
                let notes = Mutex::new(Vec::new());
                pool.scope(|s| {
                    for n in 0..30 {
                        let notes = &notes;
                        let handle = s.spawn(move || Notes(notes, n));
                        if n % 3 == 0 {
                            drop(handle.join());
                        }
                    }
                });
                let mut notes = notes.into_inner().unwrap();
                notes.sort_unstable();
                assert!(notes.into_iter().eq(0..30));
            }
        });
    });
}

/// Spawns a task when it is dropped.
struct SpawnsOnDrop<'scope, 'env>(&'scope Scope<'scope, 'env>, &'scope AtomicUsize);

impl Drop for SpawnsOnDrop<'_, '_> {
    fn drop(&mut self) {
        let count = self.1;
        drop(self.0.spawn(move || count.fetch_add(1, Ordering::Relaxed)));
    }
}

#[test]
fn the_scope_waits_for_a_task_that_the_drop_of_a_result_has_spawned() {
    within(LONG, || {
        everywhere(|pool| {
            for _ in 0..200 {
                let count = AtomicUsize::new(0);
                pool.scope(|s| drop(s.spawn(|| SpawnsOnDrop(s, &count))));
                assert_eq!(count.into_inner(), 1);
            }
        });
    });
}

#[test]
fn the_scope_waits_for_a_task_that_the_drop_of_a_closure_has_spawned() {
    within(LONG, || {
        everywhere(|pool| {
            for _ in 0..200 {
                let count = AtomicUsize::new(0);
                let payload = panic_of(|| {
                    pool.scope(|s| {
                        let late = SpawnsOnDrop(s, &count);
                        drop(s.spawn(move || {
                            let _late = &late;
                            throw("task");
                        }));
                    });
                });
                assert_eq!((text_of(payload).as_str(), count.into_inner()), ("task", 1));
            }
        });
    });
}

//--- scope: who spawns

fn grow<'scope>(s: &'scope Scope<'scope, '_>, count: &'scope AtomicUsize, depth: u32) {
    count.fetch_add(1, Ordering::Relaxed);
    if depth > 0 {
        (0..4).for_each(|_| drop(s.spawn(move || grow(s, count, depth - 1))));
    }
}

#[test]
fn tasks_spawn_tasks_and_the_scope_waits_for_all_of_them() {
    within(LONG, || {
        everywhere(|pool| {
            let count = AtomicUsize::new(0);
            pool.scope(|s| grow(s, &count, 6));
            assert_eq!(count.into_inner(), (4_usize.pow(7) - 1) / 3);
        });
    });
}

#[test]
fn a_scope_with_a_single_chain_of_tasks_ends_after_the_last() {
    fn chain<'scope>(s: &'scope Scope<'scope, '_>, count: &'scope AtomicUsize, left: u32) {
        count.fetch_add(1, Ordering::Relaxed);
        if left > 0 {
            drop(s.spawn(move || chain(s, count, left - 1)));
        }
    }
    within(LONG, || {
        for pool in pools() {
            let count = AtomicUsize::new(0);
            pool.scope(|s| chain(s, &count, 5000));
            assert_eq!(count.into_inner(), 5001);
        }
    });
}

/// A tree of tasks in which each joins its children, and some panic: how many have run.
fn joined_tree<'scope>(
    s: &'scope Scope<'scope, '_>,
    tally: &'scope Tally,
    seed: u64,
    node: u64,
    depth: u32,
) -> usize {
    let counted = tally.make(1);
    let mut count = counted.value;
    if depth > 0 {
        let child = |n| s.spawn(move || joined_tree(s, tally, seed, 3 * node + n, depth - 1));
        let children: Vec<_> = (0..3).map(child).collect();
        for child in children {
            count += child.join().unwrap_or_else(value_in);
        }
    }
    if dice(seed, node) % 4 == 0 { throw(tally.make(count)) } else { count }
}

#[test]
fn tasks_join_their_children_and_take_their_panics() {
    within(LONG, || {
        for pool in pools() {
            for seed in 0..100 {
                let tally = Tally::new();
                let count = pool.scope(|s| {
                    let root = s.spawn(|| joined_tree(s, &tally, seed, 1, 4));
                    root.join().unwrap_or_else(value_in)
                });
                assert_eq!(count, (3_usize.pow(5) - 1) / 2, "seed {seed}");
                tally.assert_even();
            }
        }
    });
}

#[test]
fn threads_inside_the_body_spawn_tasks() {
    within(LONG, || {
        for pool in all_kinds() {
            let sum = AtomicUsize::new(0);
            pool.scope(|s| {
                thread::scope(|threads| {
                    for _ in 0..4 {
                        threads.spawn(|| {
                            for n in 0..500 {
                                let sum = &sum;
                                drop(s.spawn(move || sum.fetch_add(n, Ordering::Relaxed)));
                            }
                        });
                    }
                });
            });
            assert_eq!(sum.into_inner(), 4 * (500 * 499 / 2));
        }
    });
}

#[test]
fn threads_inside_a_task_spawn_tasks() {
    within(LONG, || {
        for pool in all_kinds() {
            for _ in 0..20 {
                let count = AtomicUsize::new(0);
                let count = &count;
                let spawn_some = |s: &Scope<'_, '_>| assert!(format!("{s:?}").contains("Scope"));
                pool.scope(|s| {
                    drop(s.spawn(move || {
                        spawn_some(s);
                        thread::scope(|threads| {
                            for _ in 0..3 {
                                threads.spawn(|| grow(s, count, 2));
                            }
                        });
                    }));
                });
                assert_eq!(count.load(Ordering::Relaxed), 3 * (1 + 4 + 16));
            }
        }
    });
}

#[test]
fn a_scope_inside_a_task_borrows_from_the_task_and_spawns_on_both() {
    within(LONG, || {
        everywhere(|pool| {
            let outer_runs = AtomicUsize::new(0);
            let (outer_runs, pool) = (&outer_runs, &pool);
            pool.scope(|outer| {
                for size in 0..20_usize {
                    drop(outer.spawn(move || {
                        let mut local = vec![0; size];
                        pool.scope(|inner| {
                            for number in &mut local {
                                drop(inner.spawn(move || {
                                    *number += 1;
                                    let run = || outer_runs.fetch_add(1, Ordering::Relaxed);
                                    drop(outer.spawn(run));
                                }));
                            }
                        });
                        assert_eq!(local.into_iter().sum::<usize>(), size);
                    }));
                }
            });
            assert_eq!(outer_runs.load(Ordering::Relaxed), 20 * 19 / 2);
        });
    });
}

#[test]
fn a_panic_of_an_inner_scope_comes_out_of_the_outer_one() {
    within(LONG, || {
        everywhere(|pool| {
            let payload = panic_of(|| {
                pool.scope(|outer| {
                    let task = || pool.scope(|inner| drop(inner.spawn(|| throw("innermost"))));
                    drop(outer.spawn(task));
                });
            });
            assert_eq!(text_of(payload), "innermost");
        });
    });
}

#[test]
fn a_scope_in_two_pools_waits_for_the_tasks_of_both() {
    within(LONG, || {
        for (a, b) in [(1, 1), (1, 8), (2, 2)] {
            let (a, b) = (pool(a), pool(b));
            let count = AtomicUsize::new(0);
            let count = &count;
            for _ in 0..50 {
                a.scope(|s| {
                    b.scope(|t| {
                        grow(s, count, 2);
                        drop(t.spawn(move || grow(s, count, 2)));
                    });
                });
            }
            assert_eq!(count.load(Ordering::Relaxed), 50 * 2 * 21);
        }
    });
}

#[test]
fn a_scope_whose_pool_shuts_down_in_its_body_completes() {
    within(LONG, || {
        for pool in pools() {
            let count = AtomicUsize::new(0);
            pool.scope(|s| {
                grow(s, &count, 3);
                pool.shutdown_now();
                grow(s, &count, 3);
            });
            assert_eq!(count.into_inner(), 2 * 85);
            pool.shutdown();
        }
    });
}

/// Detached tasks that saturate the workers have them leave the scope after each of its tasks, so
/// that each comes to it for one at a time.
#[test]
fn what_a_task_spawns_runs_though_the_body_keeps_spawning_beside_detached_tasks() {
    fn respawn(pool: &Pool, is_over: &Arc<AtomicBool>) {
        if !is_over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_micros(20) {}
            let again = (pool.clone(), Arc::clone(is_over));
            drop(pool.spawn(move || respawn(&again.0, &again.1)));
        }
    }
    within(LONG, || {
        let pool = Pool::new(1).unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        respawn(&pool, &is_over);
        // The queue of the scope is never empty then, but for its first moments.
        thread::sleep(Duration::from_millis(50));
        let (has_run, spawned, ended) =
            (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        pool.scope(|s| {
            s.spawn(|| drop(s.spawn(|| has_run.store(true, Ordering::Relaxed))));
            while !has_run.load(Ordering::Relaxed) {
                if spawned.load(Ordering::Relaxed) - ended.load(Ordering::Relaxed) < 1_000 {
                    spawned.fetch_add(1, Ordering::Relaxed);
                    s.spawn(|| ended.fetch_add(1, Ordering::Relaxed));
                } else {
                    thread::sleep(Duration::from_micros(20));
                }
            }
        });
        is_over.store(true, Ordering::Relaxed);
    });
}
