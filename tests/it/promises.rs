//! What the crate promises before anything else: it never deadlocks on itself, a wait never runs a
//! stranger, nobody starves, and nothing grows.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::{Pool, TaskHandle, as_completed, join_all};

use crate::support::{
    Blocked, Gate, LONG, MIB, SIZES, alone, cpu_use, eventually, growth, pool, resident, within,
};

//--- promise 1: it never deadlocks on itself

/// Makes every call that waits, once, and looks at what it returns.
fn every_call(pool: &Pool) {
    every_sweep(pool);
    assert_eq!(pool.join(|| 1, || 2), (1, 2));
    let data = [1, 2, 3];
    let sum = pool.scope(|s| {
        let handles = [s.spawn(|| data[0]), s.spawn(|| data[1])];
        s.spawn(|| assert_eq!(data[2], 3));
        handles.into_iter().map(|handle| handle.join().unwrap()).sum::<i32>()
    });
    assert_eq!(sum, 3);
    assert_eq!(pool.spawn(|| 4).join().unwrap(), 4);
    assert_eq!(pool.spawn(|| 5).cancel_on_drop().join().unwrap(), 5);
    assert_eq!(join_all([6, 7].map(|n| pool.spawn(move || n))).unwrap(), [6, 7]);
    let all = as_completed([8, 9].map(|n| pool.spawn(move || n)));
    assert_eq!(all.map(|(_, result)| result.unwrap()).sum::<i32>(), 17);
    assert_eq!(pool.enter(|| manyhands::map(0..3, |n| n)), [0, 1, 2]);
    assert_eq!(pool.enter(|| manyhands::join(|| 1, || 2)), (1, 2));
    assert_eq!(pool.enter(|| manyhands::scope(|s| s.spawn(|| 1).join().unwrap())), 1);
    assert_eq!(pool.enter(|| manyhands::spawn(|| 1).join().unwrap()), 1);
}

fn every_sweep(pool: &Pool) {
    const N: u32 = 100;
    let sum = N * (N - 1) / 2;
    assert_eq!(pool.map(0..N, |n| n).len(), 100);
    pool.for_each(0..N, |n| assert!(n < N));
    assert_eq!(pool.map_init(0..N, || 1, |one, n| n + *one)[99], 100);
    assert_eq!(pool.try_map(0..N, |n| if n < 7 { Ok(n) } else { Err(n) }), Err(7));
    assert_eq!(pool.try_for_each(0..N, |n| if n < 7 { Ok(()) } else { Err(n) }), Err(7));
    assert_eq!(pool.map_catch(0..N, |n| n).into_iter().flatten().count(), 100);
    assert_eq!(pool.filter_map(0..N, |n| (n % 2 == 0).then_some(n)).len(), 50);
    assert_eq!(pool.flat_map(0..N, |n| [n, n]).len(), 200);
    assert_eq!(pool.map_reduce(0..N, |n| n, |a, b| a + b), Some(sum));
    assert_eq!(pool.map_reduce_unordered(0..N, |n| n, |a, b| a + b), Some(sum));
    assert_eq!(pool.fold(0..N, || 0, |a, n| a + n, |a, b| a + b), sum);
    assert_eq!(pool.find_first(0..N, |&n| n > 9), Some(10));
    assert!(pool.find_any(0..N, |&n| n > 9).is_some());
    assert!(pool.any(0..N, |n| n == 99));
    assert!(pool.all(0..N, |n| n < N));
    assert_eq!(pool.map_iter((0..N).filter(|n| *n < N), |n| n)[99], 99);
}

#[test]
fn every_call_completes_from_outside() {
    within(LONG, || {
        SIZES.into_iter().for_each(|n| every_call(&pool(n)));
        every_call(&Pool::serial());
    });
}

#[test]
fn every_call_completes_while_all_workers_are_blocked() {
    within(LONG, || {
        for n in SIZES {
            let pool = pool(n);
            let _blocked = Blocked::all(&pool);
            every_call(&pool);
        }
    });
}

#[test]
fn every_call_completes_on_many_outside_threads_while_all_workers_are_blocked() {
    within(LONG, || {
        for n in SIZES {
            let pool = pool(n);
            let _blocked = Blocked::all(&pool);
            // More than there are places for guests.
            let begin = Barrier::new(40);
            thread::scope(|s| {
                for _ in 0..40 {
                    s.spawn(|| {
                        begin.wait();
                        every_call(&pool);
                    });
                }
            });
        }
    });
}

#[test]
fn every_call_completes_inside_every_call() {
    fn inside_each(pool: &Pool) {
        pool.for_each(0..3, |_| every_call(pool));
        pool.map_iter(0..2, |_| every_call(pool));
        pool.map_reduce(0..3, |_| every_call(pool), |(), ()| every_call(pool));
        pool.join(|| every_call(pool), || every_call(pool));
        pool.scope(|s| {
            s.spawn(|| every_call(pool));
            s.spawn(|| every_call(pool)).join().unwrap();
            every_call(pool);
        });
        let inside = pool.clone();
        pool.spawn(move || every_call(&inside)).join().unwrap();
        pool.install(|| every_call(pool));
        pool.enter(|| every_call(pool));
    }
    within(LONG, || {
        for n in [1, 2, 8] {
            let pool = pool(n);
            inside_each(&pool);
            pool.install(|| inside_each(&pool));
        }
        inside_each(&Pool::serial());
    });
}

#[test]
fn every_call_completes_inside_a_task_of_a_pool_that_takes_no_joiners() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let pool = Pool::builder().threads(n).workers_only(true).build().unwrap();
            every_call(&pool);
            let inside = pool.clone();
            pool.spawn(move || every_call(&inside)).join().unwrap();
        }
    });
}

#[test]
fn two_pools_that_call_each_other_do_not_wait_for_each_other() {
    fn back_and_forth(a: &Pool, b: &Pool, depth: u32) {
        if depth == 0 {
            return every_call(a);
        }
        match depth % 4 {
            0 => a.for_each(0..2, |n| {
                if n == 1 {
                    back_and_forth(b, a, depth - 1);
                }
            }),
            1 => {
                a.join(|| back_and_forth(b, a, depth - 1), || every_call(b));
            }
            2 => a.scope(|s| {
                s.spawn(|| back_and_forth(b, a, depth - 1));
                s.spawn(|| every_call(b));
            }),
            _ => {
                let (inner_a, inner_b) = (a.clone(), b.clone());
                let task = a.spawn(move || back_and_forth(&inner_b, &inner_a, depth - 1));
                task.join().unwrap();
            }
        }
    }
    within(LONG, || {
        for (n, m) in [(1, 1), (1, 2), (2, 2), (8, 1)] {
            let (a, b) = (pool(n), pool(m));
            thread::scope(|s| {
                s.spawn(|| back_and_forth(&a, &b, 12));
                s.spawn(|| back_and_forth(&b, &a, 12));
                s.spawn(|| a.install(|| back_and_forth(&b, &a, 12)));
                s.spawn(|| b.install(|| back_and_forth(&a, &b, 12)));
            });
            let _blocked = (Blocked::all(&a), Blocked::all(&b));
            back_and_forth(&a, &b, 12);
        }
    });
}

#[test]
fn two_pools_that_install_into_each_other_do_not_wait_for_each_other() {
    within(LONG, || {
        let (a, b) = (pool(1), pool(1));
        let (a, b) = (&a, &b);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    for _ in 0..200 {
                        a.install(|| b.install(|| a.install(|| b.install(|| ()))));
                    }
                });
                s.spawn(|| {
                    for _ in 0..200 {
                        b.install(|| a.install(|| b.map(0..10, |n| a.join(|| n, || n))));
                    }
                });
            }
        });
    });
}

/// A pool of one thread, with room for deep recursion.
fn deep_pool() -> Pool {
    Pool::builder().threads(1).stack_size(64 * MIB).build().unwrap()
}

const DEEP: u32 = 1000;

#[test]
fn joins_nest_a_thousand_deep_on_one_worker() {
    fn nest(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 { 0 } else { pool.join(|| nest(pool, depth - 1), || 1).0 + 1 }
    }
    fn nest_other_half(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 { 0 } else { pool.join(|| 1, || nest_other_half(pool, depth - 1)).1 + 1 }
    }
    within(LONG, || {
        let pool = deep_pool();
        assert_eq!(pool.install(|| nest(&pool, DEEP)), DEEP);
        assert_eq!(pool.install(|| nest_other_half(&pool, DEEP)), DEEP);
        assert_eq!(nest(&pool, DEEP), DEEP);
        assert_eq!(nest_other_half(&pool, DEEP), DEEP);
    });
}

#[test]
fn scopes_nest_a_thousand_deep_on_one_worker() {
    fn nest(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 {
            return 0;
        }
        let below = AtomicU32::new(0);
        pool.scope(|s| {
            s.spawn(|| below.store(nest(pool, depth - 1), Ordering::Relaxed));
        });
        below.into_inner() + 1
    }
    fn nest_joined(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 {
            return 0;
        }
        pool.scope(|s| s.spawn(|| nest_joined(pool, depth - 1)).join().unwrap()) + 1
    }
    within(LONG, || {
        let pool = deep_pool();
        assert_eq!(pool.install(|| nest(&pool, DEEP)), DEEP);
        assert_eq!(nest(&pool, DEEP), DEEP);
        assert_eq!(pool.install(|| nest_joined(&pool, 200)), 200);
        assert_eq!(nest_joined(&pool, 200), 200);
    });
}

#[test]
fn maps_nest_a_thousand_deep_on_one_worker() {
    fn nest(pool: &Pool, depth: u32) -> u32 {
        if depth == 0 {
            return 0;
        }
        pool.map([true, false], |deeper| if deeper { nest(pool, depth - 1) + 1 } else { 0 })[0]
    }
    within(LONG, || {
        let pool = deep_pool();
        assert_eq!(pool.install(|| nest(&pool, DEEP)), DEEP);
        assert_eq!(nest(&pool, DEEP), DEEP);
    });
}

#[test]
fn tasks_that_join_their_own_tasks_nest_a_thousand_deep_on_one_worker() {
    fn nest(depth: u32) -> u32 {
        if depth == 0 { 0 } else { manyhands::spawn(move || nest(depth - 1)).join().unwrap() + 1 }
    }
    within(LONG, || {
        let pool = deep_pool();
        assert_eq!(pool.install(|| nest(DEEP)), DEEP);
        assert_eq!(pool.spawn(|| nest(DEEP)).join().unwrap(), DEEP);
    });
}

#[test]
fn a_chain_of_joins_ends_on_its_joiner_alone_with_the_stack_of_any_thread() {
    within(LONG, || {
        for n in [1, 2] {
            let pool = pool(n);
            let _blocked = Blocked::all(&pool);
            let last = chain(&pool, 300);
            let joiner = thread::spawn(move || last.join().unwrap());
            assert_eq!(joiner.join().unwrap(), 300);
        }
    });
}

//--- promise 2: a wait never runs a stranger

/// Makes every call that may be made with a mutex held, inside a task of the pool.
fn while_locked(pool: &Pool) {
    pool.for_each(0..20, |n| assert!(n < 20));
    pool.map_reduce(0..20, |n| n, |a, b| a + b);
    pool.join(|| pool.join(|| (), || ()), || pool.join(|| (), || ()));
    pool.scope(|s| {
        s.spawn(|| ());
        s.spawn(|| s.spawn(|| ()));
        s.spawn(|| ()).join().unwrap();
    });
    pool.spawn(|| ()).join().unwrap();
    join_all([(); 3].map(|()| pool.spawn(|| ()))).unwrap();
    as_completed([(); 3].map(|()| pool.spawn(|| ()))).for_each(drop);
}

#[test]
fn tasks_that_make_parallel_calls_under_one_mutex_all_finish() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let pool = pool(n);
            let mutex = Arc::new(Mutex::new(0));
            let tasks = (0..200).map(|_| {
                let (inside, mutex) = (pool.clone(), Arc::clone(&mutex));
                pool.spawn(move || {
                    let mut count = mutex.lock().unwrap();
                    while_locked(&inside);
                    *count += 1;
                })
            });
            let tasks: Vec<_> = tasks.collect();
            join_all(tasks).unwrap();
            assert_eq!(*mutex.lock().unwrap(), 200);
        }
    });
}

#[test]
fn pieces_that_make_parallel_calls_under_one_mutex_all_finish() {
    fn count_up(pool: &Pool, mutex: &Mutex<u32>) {
        let mut count = mutex.lock().unwrap();
        while_locked(pool);
        *count += 1;
    }
    fn tree(pool: &Pool, mutex: &Mutex<u32>, depth: u32) {
        if depth == 0 {
            count_up(pool, mutex);
        } else {
            pool.join(|| tree(pool, mutex, depth - 1), || tree(pool, mutex, depth - 1));
        }
    }
    fn all_kinds(pool: &Pool, mutex: &Mutex<u32>) {
        pool.for_each(0..64, |_| count_up(pool, mutex));
        tree(pool, mutex, 6);
        pool.scope(|s| (0..64).for_each(|_| drop(s.spawn(|| count_up(pool, mutex)))));
    }
    within(LONG, || {
        for n in [1, 2, 8] {
            let (pool, mutex) = (pool(n), Mutex::new(0));
            thread::scope(|s| {
                s.spawn(|| all_kinds(&pool, &mutex));
                s.spawn(|| pool.install(|| all_kinds(&pool, &mutex)));
            });
            assert_eq!(mutex.into_inner().unwrap(), 2 * 3 * 64);
        }
    });
}

/// A piece of work: the path to it from a root, as numbers of children.
type Path = Vec<u32>;

thread_local! {
    /// The piece that this thread is in.
    static WITHIN: RefCell<Path> = const { RefCell::new(Vec::new()) };
}

/// What a random program has seen.
#[derive(Default)]
struct Seen {
    pieces: AtomicUsize,
    roots: AtomicU32,
    stranger: Mutex<Option<(Path, Path)>>,
}

impl Seen {
    /// Runs `f` as the piece at `path`. Where this thread is inside another piece already, and so
    /// waits in there, this one has to be a part of that.
    fn piece<R>(&self, path: Path, f: impl FnOnce(&Path) -> R) -> R {
        struct Out(Path);

        impl Drop for Out {
            fn drop(&mut self) {
                WITHIN.replace(std::mem::take(&mut self.0));
            }
        }

        self.pieces.fetch_add(1, Ordering::Relaxed);
        let out = Out(WITHIN.replace(path.clone()));
        if !path.starts_with(&out.0) {
            *self.stranger.lock().unwrap() = Some((out.0.clone(), path.clone()));
        }
        f(&path)
    }

    fn root(&self) -> Path {
        vec![self.roots.fetch_add(1, Ordering::Relaxed)]
    }

    #[track_caller]
    fn assert_no_stranger(&self) {
        if let Some((outer, inner)) = &*self.stranger.lock().unwrap() {
            panic!("inside the piece {outer:?} has run the stranger {inner:?}");
        }
    }
}

fn child(path: &Path, number: u32) -> Path {
    path.iter().copied().chain([number]).collect()
}

/// A number that looks random, and is the same for the same path and seed.
fn dice(path: &Path, seed: u32) -> u32 {
    let mut word = 0x9E37_79B9 ^ seed;
    for step in path {
        word = (word ^ step).wrapping_mul(0x85EB_CA6B).rotate_left(13) ^ (word >> 7);
    }
    word.wrapping_mul(0xC2B2_AE35) >> 8
}

/// Takes a moment, and now and then lets another thread go first.
fn dally(dice: u32) {
    /// What all yields have taken, in microseconds.
    static YIELDED: AtomicU64 = AtomicU64::new(0);

    // A yield takes no time, but where others want the cores it takes their time slices, and these
    // programs yield tens of thousands of times. There the system mixes the threads by itself.
    if dice % 3 == 0 && YIELDED.load(Ordering::Relaxed) < 5_000_000 {
        let begin = Instant::now();
        thread::yield_now();
        YIELDED.fetch_add(begin.elapsed().as_micros() as u64, Ordering::Relaxed);
    }
    (0..dice % 2000).for_each(|_| std::hint::spin_loop());
}

/// A program made of all that waits, which looks random.
fn program(seen: &Arc<Seen>, pool: &Pool, path: &Path, depth: u32, seed: u32) {
    let dice = dice(path, seed);
    dally(dice);
    if depth == 0 {
        return;
    }
    let part = |number| {
        seen.piece(child(path, number), |path| program(seen, pool, path, depth - 1, seed));
    };
    let task = |path: Path| {
        let (seen, inside) = (Arc::clone(seen), pool.clone());
        pool.spawn(move || {
            seen.piece(path, |path| program(&seen, &inside, path, depth - 1, seed));
        })
    };
    match dice % 8 {
        0 | 1 => drop(pool.join(|| part(0), || part(1))),
        2 => pool.for_each(0..4, part),
        3 => pool.scope(|s| (0..3).for_each(|n| drop(s.spawn(move || part(n))))),
        4 => pool.scope(|s| {
            let handles = [0, 1].map(|n| s.spawn(move || part(n)));
            pool.join(|| part(2), || s.spawn(move || part(3)));
            handles.into_iter().for_each(|handle| handle.join().unwrap());
        }),
        5 => {
            let handles = [0, 1, 2].map(|n| task(child(path, n)));
            part(3);
            handles.into_iter().rev().for_each(|handle| handle.join().unwrap());
        }
        6 => {
            task(seen.root()).detach();
            let handles = [0, 1].map(|n| task(child(path, n)));
            as_completed(handles).for_each(|(_, result)| result.unwrap());
        }
        _ => {
            task(seen.root()).detach();
            pool.join(|| part(0), || task(seen.root()).detach());
        }
    }
}

#[test]
fn no_stranger_runs_inside_a_wait_of_a_random_program() {
    within(LONG, || {
        for n in [1, 2, 3, 8] {
            let pool = pool(n);
            let seen = Arc::new(Seen::default());
            for round in 0..10 {
                thread::scope(|s| {
                    for outside in 0..2 {
                        let (pool, seen) = (&pool, &seen);
                        let run = move || {
                            seen.piece(seen.root(), |path| {
                                program(seen, pool, path, 6, round);
                            });
                        };
                        s.spawn(move || if outside == 0 { run() } else { pool.install(run) });
                    }
                });
            }
            pool.shutdown();
            seen.assert_no_stranger();
            assert!(seen.pieces.load(Ordering::Relaxed) > 1000);
        }
    });
}

#[test]
fn a_task_of_an_outer_scope_does_not_run_inside_the_wait_of_an_inner_one() {
    within(LONG, || {
        for n in [1, 2, 4, 8] {
            let pool = pool(n);
            for _ in 0..300 {
                let seen = Seen::default();
                pool.scope(|outer| {
                    let (seen, pool) = (&seen, &pool);
                    for task in 0..3 {
                        outer.spawn(move || {
                            seen.piece(vec![task], |path| {
                                pool.scope(|inner| {
                                    for part in 0..3 {
                                        inner.spawn(move || {
                                            seen.piece(child(path, part), |_| {
                                                let path = vec![10 + task * 3 + part];
                                                outer.spawn(|| seen.piece(path, |_| dally(600)));
                                                dally(900);
                                            });
                                        });
                                    }
                                });
                            });
                        });
                    }
                });
                seen.assert_no_stranger();
                assert_eq!(seen.pieces.load(Ordering::Relaxed), 3 + 9 + 9);
            }
        }
    });
}

#[test]
fn a_detached_task_of_a_stolen_piece_does_not_run_inside_the_wait_for_it() {
    within(LONG, || {
        for n in [1, 2, 4, 8] {
            let pool = pool(n);
            let seen = Arc::new(Seen::default());
            for _ in 0..300 {
                let spawn_stranger = || {
                    let seen = Arc::clone(&seen);
                    pool.spawn(move || seen.piece(seen.root(), |_| dally(900))).detach();
                };
                seen.piece(seen.root(), |path| {
                    let busy = |number| {
                        seen.piece(child(path, number), |_| {
                            spawn_stranger();
                            dally(1500);
                            spawn_stranger();
                        });
                    };
                    pool.join(|| dally(300), || busy(0));
                    pool.install(|| pool.join(|| dally(300), || busy(1)));
                    pool.scope(|s| drop(s.spawn(|| busy(2))));
                    pool.for_each(3..6, busy);
                });
            }
            pool.shutdown();
            seen.assert_no_stranger();
        }
    });
}

#[test]
fn a_scope_task_pushed_above_a_join_half_does_not_run_inside_the_wait_for_the_half() {
    within(LONG, || {
        for n in [1, 2, 4, 8] {
            let pool = pool(n);
            for _ in 0..300 {
                let seen = Seen::default();
                pool.scope(|s| {
                    let (seen, pool) = (&seen, &pool);
                    s.spawn(move || {
                        seen.piece(vec![0], |path| {
                            let above = |number: u32| {
                                let path = vec![10 + number];
                                s.spawn(|| seen.piece(path, |_| dally(900)));
                            };
                            pool.join(
                                || {
                                    above(0);
                                    seen.piece(child(path, 0), |_| dally(300));
                                },
                                || {
                                    above(1);
                                    seen.piece(child(path, 1), |_| dally(1500));
                                    above(2);
                                },
                            );
                        });
                    });
                });
                seen.assert_no_stranger();
                assert_eq!(seen.pieces.load(Ordering::Relaxed), 6);
            }
        }
    });
}

/// The half's owner, while it waits, finds the invitation to the outer scope on its thief's seat. It
/// may not accept it; but it may not lose it either.
#[test]
fn a_task_spawned_from_a_stolen_half_is_run_though_the_body_of_its_scope_goes_on() {
    within(LONG, || {
        for n in [2, 4, 8] {
            let pool = pool(n);
            for _ in 0..100 {
                let (is_stolen, has_run) = (AtomicBool::new(false), AtomicBool::new(false));
                pool.scope(|s| {
                    let has_run = &has_run;
                    pool.join(
                        || eventually("b is stolen", || is_stolen.load(Ordering::Acquire)),
                        || {
                            is_stolen.store(true, Ordering::Release);
                            (0..500).for_each(|_| std::hint::spin_loop());
                            s.spawn(|| has_run.store(true, Ordering::Release));
                            (0..20_000).for_each(|_| std::hint::spin_loop());
                        },
                    );
                    eventually("a task of the scope has run", || has_run.load(Ordering::Acquire));
                });
            }
        }
    });
}

//--- nobody starves

#[test]
fn a_detached_task_is_done_while_an_outside_thread_polls_for_it_in_a_scope() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let pool = pool(n);
            for _ in 0..100 {
                pool.scope(|s| {
                    s.spawn(|| ());
                    let task = pool.spawn(|| ());
                    eventually("a detached task is done", || task.is_finished());
                });
            }
        }
    });
}

#[test]
fn a_detached_task_is_done_while_an_outside_thread_polls_for_it_in_a_sweep_or_a_join() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let pool = pool(n);
            // Not on a worker: that might be the only one.
            let outside = thread::current().id();
            let poll = || {
                if thread::current().id() == outside {
                    let task = pool.spawn(|| ());
                    eventually("a detached task is done", || task.is_finished());
                }
            };
            for _ in 0..20 {
                pool.for_each(0..4, |_| poll());
                pool.join(poll, || ());
                pool.join(|| (), poll);
                pool.scope(|s| drop(s.spawn(poll)));
            }
        }
    });
}

#[test]
fn a_scope_s_task_is_done_while_its_body_polls_for_it_from_outside() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let pool = pool(n);
            for _ in 0..100 {
                pool.scope(|s| {
                    let task = s.spawn(|| ());
                    eventually("a task of the scope is done", || task.is_finished());
                });
            }
        }
    });
}

#[test]
fn detached_tasks_are_done_while_a_long_sweep_keeps_every_thread_busy() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let (pool, gate) = (pool(n), Gate::new());
            let sweeper = {
                let (pool, gate) = (pool.clone(), gate.clone());
                thread::spawn(move || {
                    while !gate.is_open() {
                        pool.for_each(0..10_000, |n| dally(n % 500));
                    }
                })
            };
            for _ in 0..50 {
                let task = pool.spawn(|| ());
                eventually("a detached task is done", || task.is_finished());
            }
            gate.open();
            sweeper.join().unwrap();
        }
    });
}

/// Spawns itself again and again, until the gate is open.
fn respawn(pool: &Pool, gate: &Gate) {
    if !gate.is_open() {
        let (inside, gate) = (pool.clone(), gate.clone());
        pool.spawn(move || respawn(&inside, &gate)).detach();
    }
}

#[test]
fn a_task_that_respawns_itself_for_ever_holds_nobody_up() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let (pool, gate) = (pool(n), Gate::new());
            let _opener = gate.opener();
            (0..2 * n).for_each(|_| respawn(&pool, &gate));
            for _ in 0..20 {
                let outer = pool.clone();
                let task = pool.spawn(move || outer.spawn(|| ()));
                eventually("an older task is done", || task.is_finished());
                let nested = task.join().unwrap();
                eventually("a task from inside is done", || nested.is_finished());
                pool.scope(|s| {
                    let task = s.spawn(|| ());
                    eventually("a scope's task is done", || task.is_finished());
                });
            }
        }
    });
}

#[test]
fn four_leaves_of_nested_joins_run_at_the_same_time_on_four_threads() {
    within(LONG, || {
        let pool = pool(4);
        for _ in 0..300 {
            let all = Barrier::new(4);
            let meet = || {
                all.wait();
            };
            let leaves = || {
                pool.join(|| pool.join(meet, meet), || pool.join(meet, meet));
            };
            leaves();
            pool.install(leaves);
        }
    });
}

/// With a size of claims that was asked for: without it, a sweep that took no time when it last ran
/// may run on its caller alone, so that its items should not wait for each other.
#[test]
fn as_many_items_as_threads_are_in_work_at_the_same_time() {
    within(LONG, || {
        for n in [2, 4, 8] {
            let pool = pool(n);
            for _ in 0..50 {
                let all = Barrier::new(n);
                pool.chunk(1).for_each(0..n, |_| {
                    all.wait();
                });
                pool.install(|| {
                    pool.chunk(1).for_each(0..n, |_| {
                        all.wait();
                    });
                });
                pool.scope(|s| (0..n).for_each(|_| drop(s.spawn(|| all.wait()))));
                pool.install(|| {
                    pool.scope(|s| (0..n).for_each(|_| drop(s.spawn(|| all.wait()))));
                });
            }
        }
    });
}

#[test]
fn as_many_tasks_as_threads_run_at_the_same_time() {
    within(LONG, || {
        for n in [2, 4, 8] {
            let pool = pool(n);
            for _ in 0..200 {
                let all = Arc::new(Barrier::new(n + 1));
                for _ in 0..n {
                    let all = Arc::clone(&all);
                    pool.spawn(move || {
                        all.wait();
                    })
                    .detach();
                }
                all.wait();
                let inside = pool.clone();
                let tasks = pool.spawn(move || {
                    let all = Arc::new(Barrier::new(n));
                    for _ in 1..n {
                        let all = Arc::clone(&all);
                        inside
                            .spawn(move || {
                                all.wait();
                            })
                            .detach();
                    }
                    all.wait();
                });
                tasks.join().unwrap();
            }
        }
    });
}

#[test]
fn a_spare_takes_the_place_of_a_worker_that_waits_for_a_task() {
    within(LONG, || {
        for n in [1, 2, 8] {
            let (pool, other, gate) = (pool(n), pool(n), Gate::new());
            let _opener = gate.opener();
            let at_gate = |gate: Gate| other.spawn(move || gate.wait());
            let begun: Vec<_> = (0..n).map(|_| at_gate(gate.clone())).collect();
            gate.wait_for_arrivals(n);
            // So many that no worker is left but those that wait.
            let waiting = Arc::new(AtomicUsize::new(0));
            let wait_for = |task: TaskHandle<()>| {
                let waiting = Arc::clone(&waiting);
                pool.spawn(move || {
                    waiting.fetch_add(1, Ordering::SeqCst);
                    task.join().unwrap();
                })
            };
            let waiters: Vec<_> = begun.into_iter().map(wait_for).collect();
            eventually("all wait", || waiting.load(Ordering::SeqCst) == n);
            let through = pool.spawn(|| ());
            eventually("a task is done beside the waiters", || through.is_finished());
            pool.install(|| ());
            assert!(pool.stats().spares_started > 0);
            gate.open();
            join_all(waiters).unwrap();
        }
    });
}

/// The spare has done what it was started for; its worker is back, and blocked by other means; a
/// guest is at work. So the task that is queued has to wait, and the spare with it.
#[test]
fn a_spare_that_is_not_needed_sleeps() {
    alone(|| {
        let pool = Pool::builder().threads(1).workers_only(true).build().unwrap();
        let [in_spare, in_worker, in_guest] = [Gate::new(), Gate::new(), Gate::new()];
        let waiter = {
            let (inside, first, second) = (pool.clone(), in_spare.clone(), in_worker.clone());
            pool.spawn(move || {
                inside.spawn(move || first.wait()).join().unwrap();
                second.wait();
            })
        };
        in_spare.wait_for_arrivals(1);
        thread::scope(|s| {
            s.spawn(|| pool.join(|| in_guest.wait(), || ()));
            in_guest.wait_for_arrivals(1);
            let queued = pool.spawn(|| ());
            in_spare.open();
            in_worker.wait_for_arrivals(1);
            let busy = cpu_use(Duration::from_millis(300));
            in_worker.open();
            in_guest.open();
            waiter.join().unwrap();
            queued.join().unwrap();
            assert!(busy < 0.2, "{busy} of a CPU");
        });
    });
}

//--- nothing grows

/// `length` tasks, each of which joins the one before; the last of them.
fn chain(pool: &Pool, length: u32) -> TaskHandle<u32> {
    (1..length).fold(pool.spawn(|| 1), |before, _| pool.spawn(move || before.join().unwrap() + 1))
}

const MANY: u32 = 1_000_000;

#[test]
fn a_chain_of_a_million_tasks_each_joining_the_one_before_ends() {
    within(2 * LONG, || {
        for n in [1, 2, 8] {
            // Threads with the usual stacks.
            let joiner = thread::spawn(move || {
                let pool = pool(n);
                chain(&pool, MANY).join().unwrap()
            });
            assert_eq!(joiner.join().unwrap(), MANY);
        }
    });
}

#[test]
fn a_chain_of_tasks_made_and_joined_inside_the_pool_ends() {
    within(2 * LONG, || {
        for n in [1, 2, 8] {
            let pool = pool(n);
            let inside = pool.clone();
            let last = pool.spawn(move || chain(&inside, MANY / 10).join().unwrap());
            assert_eq!(last.join().unwrap(), MANY / 10);
        }
    });
}

#[test]
fn a_chain_that_is_begun_at_its_end_ends() {
    within(2 * LONG, || {
        for n in [1, 2, 8] {
            let pool = pool(n);
            let blocked = Blocked::all(&pool);
            let last = chain(&pool, MANY / 10);
            let joiner = thread::spawn(move || last.join().unwrap());
            // The joiner is as deep as it goes before the first worker is free.
            eventually("it runs tasks", || pool.stats().queued > 0);
            drop(blocked);
            assert_eq!(joiner.join().unwrap(), MANY / 10);
        }
    });
}

#[test]
fn a_chain_of_tasks_that_take_what_completes_first_ends() {
    alone(|| {
        let pool = pool(1);
        let blocked = Blocked::all(&pool);
        let first = pool.spawn(|| 1);
        let last = (1..MANY / 10).fold(first, |before, _| {
            pool.spawn(move || as_completed([before]).next().unwrap().1.unwrap() + 1)
        });
        let joiner = thread::spawn(move || as_completed([last]).next().unwrap().1.unwrap());
        drop(blocked);
        assert_eq!(joiner.join().unwrap(), MANY / 10);
    });
}

#[test]
fn a_chain_of_tasks_of_a_scope_ends() {
    within(2 * LONG, || {
        for n in [1, 2, 8] {
            let joiner = thread::spawn(move || {
                pool(n).scope(|s| {
                    let chain = (1..MANY / 10).fold(s.spawn(|| 1), |before, _| {
                        s.spawn(move || before.join().unwrap() + 1)
                    });
                    chain.join().unwrap()
                })
            });
            assert_eq!(joiner.join().unwrap(), MANY / 10);
        }
    });
}

/// What a process may grow by, whatever it does a million times.
const SLACK: usize = 8 * MIB;

#[test]
fn a_million_tasks_joined_from_outside_under_blocked_workers_take_no_memory() {
    alone(|| {
        let pool = pool(2);
        let _blocked = Blocked::all(&pool);
        let grown = growth(MANY as usize, |n| assert_eq!(pool.spawn(move || n).join().unwrap(), n));
        assert!(grown < SLACK, "{grown} bytes");
    });
}

#[test]
fn a_million_tasks_joined_from_outside_under_busy_workers_take_no_memory() {
    alone(|| {
        let (pool, gate) = (pool(2), Gate::new());
        (0..8).for_each(|_| respawn(&pool, &gate));
        let grown = growth(MANY as usize / 4, |n| {
            assert_eq!(pool.spawn(move || n).join().unwrap(), n);
        });
        gate.open();
        assert!(grown < SLACK, "{grown} bytes");
    });
}

#[test]
fn a_million_tasks_joined_inside_a_worker_take_no_memory() {
    alone(|| {
        let pool = pool(2);
        let inside = pool.clone();
        let both = [0, 1].map(|_| {
            let inside = inside.clone();
            pool.spawn(move || {
                growth(MANY as usize / 2, |n| {
                    assert_eq!(inside.spawn(move || n).join().unwrap(), n);
                })
            })
        });
        for grown in join_all(both).unwrap() {
            assert!(grown < SLACK, "{grown} bytes");
        }
    });
}

#[test]
fn a_million_cancelled_tasks_take_no_memory() {
    alone(|| {
        let pool = pool(2);
        let _blocked = Blocked::all(&pool);
        let grown = growth(MANY as usize, |n| assert!(pool.spawn(move || n).cancel()));
        assert!(grown < SLACK, "{grown} bytes");
    });
}

/// A producer on one worker, and a consumer on the other who claims all that the first has queued.
#[test]
fn a_million_tasks_of_one_worker_joined_by_another_take_no_memory() {
    alone(|| {
        let pool = pool(2);
        let (sender, handles) = mpsc::sync_channel::<TaskHandle<usize>>(16);
        let consumer = pool.spawn(move || {
            for (n, handle) in handles.into_iter().enumerate() {
                assert_eq!(handle.join().unwrap(), n);
            }
        });
        let inside = pool.clone();
        let producer = pool.spawn(move || {
            let mut next = 0;
            growth(MANY as usize, |_| {
                let n = next;
                next += 1;
                sender.send(inside.spawn(move || n)).unwrap();
            })
        });
        let grown = producer.join().unwrap();
        consumer.join().unwrap();
        assert!(grown < SLACK, "{grown} bytes");
    });
}

/// As before, but the producer is outside, and the consumer has a task of its own in its queue.
#[test]
fn a_million_tasks_from_outside_joined_by_a_worker_take_no_memory() {
    alone(|| {
        let pool = pool(1);
        let (sender, handles) = mpsc::sync_channel::<TaskHandle<usize>>(16);
        let inside = pool.clone();
        let consumer = pool.spawn(move || {
            inside.spawn(|| ()).detach();
            for (n, handle) in handles.into_iter().enumerate() {
                assert_eq!(handle.join().unwrap(), n);
            }
        });
        let mut next = 0;
        let grown = growth(MANY as usize, |_| {
            let n = next;
            next += 1;
            sender.send(pool.spawn(move || n)).unwrap();
        });
        drop(sender);
        consumer.join().unwrap();
        assert!(grown < SLACK, "{grown} bytes");
    });
}

#[test]
fn a_million_tasks_joined_inside_one_scope_take_no_memory() {
    alone(|| {
        let pool = pool(2);
        let _blocked = Blocked::all(&pool);
        let grown = pool.scope(|s| {
            growth(MANY as usize, |n| assert_eq!(s.spawn(move || n).join().unwrap(), n))
        });
        assert!(grown < SLACK, "{grown} bytes");
    });
}

#[test]
fn many_calls_of_a_guest_without_a_place_take_no_memory() {
    alone(|| {
        let pool = pool(1);
        let _blocked = Blocked::all(&pool);
        let gate = Gate::new();
        thread::scope(|threads| {
            // As many as there may be places for guests.
            for _ in 0..64 {
                threads.spawn(|| pool.join(|| gate.wait(), || ()));
            }
            gate.wait_for_arrivals(64);
            let grown = growth(MANY as usize / 4, |_| {
                pool.scope(|s| drop(s.spawn(|| ())));
                assert_eq!(pool.map([1, 2], |n| n), [1, 2]);
            });
            gate.open();
            assert!(grown < SLACK, "{grown} bytes");
        });
    });
}

#[test]
fn many_calls_of_every_kind_take_no_memory() {
    alone(|| {
        for n in [1, 2] {
            let pool = pool(n);
            let grown = growth(1000, |_| every_call(&pool));
            assert!(grown < SLACK, "{grown} bytes");
            let before = resident();
            pool.install(|| (0..1000).for_each(|_| every_call(&pool)));
            assert!(resident().saturating_sub(before) < SLACK);
        }
    });
}
