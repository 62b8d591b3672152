//! Pools: how they are built, whose threads run what, and what they say of themselves.

use std::collections::{BTreeSet, HashSet};
use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use manyhands::{BuildError, Pool, PoolBuilder, TaskError, as_completed, join_all};

use crate::support::{
    Blocked, Gate, LONG, MIB, PanicsOnDrop, Tally, alone, alone_with, eventually, panic_of, pool,
    text_of, within,
};

const THREADS: [usize; 3] = [1, 2, 8];

/// Runs `body` with a pool of each size, within a time limit.
fn with_pools(body: impl Fn(&Pool) + Send + 'static) {
    within(LONG, move || THREADS.iter().for_each(|&threads| body(&pool(threads))));
}

fn here() -> thread::ThreadId {
    thread::current().id()
}

fn name_here() -> String {
    thread::current().name().unwrap_or_default().into()
}

/// A list that hooks push to.
fn list<T: Send + 'static>() -> (Arc<Mutex<Vec<T>>>, impl Fn(T) + Send + Sync + Clone + 'static) {
    let list = Arc::new(Mutex::new(Vec::new()));
    let same = Arc::clone(&list);
    (list, move |value| same.lock().unwrap().push(value))
}

fn sorted<T: Ord + Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
    let mut list = list.lock().unwrap().clone();
    list.sort();
    list
}

/// Calls of each kind give what they should.
fn assert_works(pool: &Pool) {
    assert_eq!(pool.map(0..100, |n| n * 2), Vec::from_iter((0..200).step_by(2)));
    assert_eq!(pool.join(|| 1, || 2), (1, 2));
    assert_eq!(pool.scope(|s| s.spawn(|| 3).join().unwrap()), 3);
    assert_eq!(pool.spawn(|| 4).join().unwrap(), 4);
    assert_eq!(pool.spawn(|| 5).join_timeout(Duration::MAX).unwrap(), 5);
    assert_eq!(pool.install(|| 6), 6);
    let inner = pool.spawn(|| manyhands::spawn(|| 7).join().unwrap());
    assert_eq!(inner.join().unwrap(), 7);
    assert_eq!(join_all((0..10).map(|n| pool.spawn(move || n))).unwrap(), Vec::from_iter(0..10));
}

//--- sizes

#[test]
fn a_pool_of_no_threads_is_refused() {
    for builder in [Pool::builder(), Pool::builder().strict(true).workers_only(true)] {
        assert!(matches!(builder.threads(0).build(), Err(BuildError::NoThreads)));
    }
    assert!(matches!(Pool::new(0), Err(BuildError::NoThreads)));
}

#[test]
fn a_pool_of_more_threads_than_can_be_counted_is_refused() {
    for threads in [usize::MAX, usize::MAX / 2, 1 << 32, 1 << 20] {
        let Err(BuildError::TooManyThreads { requested, limit }) = Pool::new(threads) else {
            panic!("{threads} threads are too many")
        };
        assert_eq!(requested, threads);
        assert!(limit < threads);
        let too_many = Pool::new(limit + 1);
        assert!(matches!(too_many, Err(BuildError::TooManyThreads { .. })));
    }
}

#[test]
fn a_pool_has_the_threads_it_was_built_for() {
    for threads in THREADS {
        let pool = pool(threads);
        assert_eq!(pool.threads(), threads);
        assert_eq!(pool.clone().threads(), threads);
        assert_eq!(pool.limit(1).chunk(3).threads(), threads);
        assert_eq!(pool.stats().threads, threads);
        assert_eq!(pool.stats().refused_threads, 0);
    }
}

#[test]
fn a_builder_can_be_used_again() {
    let builder = Pool::builder().threads(2).name("twice");
    let pools = [builder.clone().build().unwrap(), builder.threads(3).build().unwrap()];
    assert_eq!(pools.each_ref().map(Pool::threads), [2, 3]);
    pools.iter().for_each(assert_works);
}

#[test]
fn a_pool_and_its_builder_say_what_they_are() {
    let text = format!("{:?}", pool(2).limit(7));
    assert!(text.starts_with("Pool") && text.contains("threads: 2"), "{text}");
    assert!(text.contains('7'), "{text}");
    let text = format!("{:?}", Pool::builder().threads(5).name("abc").on_start(|_| {}));
    assert!(text.contains('5') && text.contains("abc"), "{text}");
    let ended = pool(1);
    ended.shutdown();
    assert!(format!("{ended:#?}").starts_with("Pool"));
    assert!(format!("{:?}", Pool::serial()).contains("threads: 0"));
}

//--- names

/// The names of a pool's workers.
fn names(builder: PoolBuilder) -> Vec<String> {
    let (names, push) = list();
    drop(builder.on_start(move |_| push(name_here())).build().unwrap());
    sorted(&names)
}

#[test]
fn workers_are_named_after_their_pool() {
    for threads in THREADS {
        let numbered = |name: &str| Vec::from_iter((0..threads).map(|n| format!("{name}-{n}")));
        let builder = || Pool::builder().threads(threads);
        assert_eq!(names(builder()), numbered("manyhands"));
        assert_eq!(names(builder().name("etl")), numbered("etl"));
        assert_eq!(names(builder().name("")), numbered(""));
        assert_eq!(names(builder().name("größer")), numbered("größer"));
        let long = "long ".repeat(100);
        assert_eq!(names(builder().name(long.clone())), numbered(&long));
    }
}

#[test]
fn a_zero_byte_ends_the_name() {
    assert_eq!(names(Pool::builder().threads(1).name("a\0b\0")), ["a-0"]);
    assert_eq!(names(Pool::builder().threads(1).name("\0")), ["-0"]);
}

#[test]
fn a_worker_s_name_ends_with_its_index() {
    let (pairs, push) = list();
    let on_start = move |index| push((format!("x-{index}"), name_here()));
    drop(Pool::builder().threads(8).name("x").on_start(on_start).build().unwrap());
    let pairs = pairs.lock().unwrap();
    assert_eq!(pairs.len(), 8);
    pairs.iter().for_each(|(expected, name)| assert_eq!(expected, name));
}

//--- cores

#[test]
#[cfg(target_os = "linux")]
fn of_two_pinned_workers_the_one_that_shares_the_caller_s_core_sleeps_on() {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let [first, second, ..] = cores[..] else { return };
    let pin = move |index| assert!(core_affinity::set_for_current([first, second][index % 2]));
    within(LONG, move || {
        let pool = Pool::builder().threads(2).on_start(pin).build().unwrap();
        let runner = || {
            // Long enough for both workers to fall asleep.
            thread::sleep(Duration::from_millis(5));
            let (sender, receiver) = mpsc::channel();
            pool.spawn(move || sender.send(name_here()).unwrap()).detach();
            receiver.recv().unwrap()
        };
        eventually("the worker of the other core is woken, each time", || {
            (0..6).all(|round| {
                pin(round);
                runner() == format!("manyhands-{}", (round + 1) % 2)
            })
        });
    });
}

//--- hooks

#[test]
fn each_worker_starts_and_ends_once_on_its_own_thread() {
    within(LONG, || {
        for threads in THREADS {
            let ((started, start), (ended, end)) = (list(), list());
            let pool = Pool::builder()
                .threads(threads)
                .on_start(move |index| start((index, format!("{:?}", here()))))
                .on_exit(move |index| end((index, format!("{:?}", here()))))
                .build()
                .unwrap();
            assert_eq!(pool.map(0..1000, |n| n + 1).len(), 1000);
            assert!(ended.lock().unwrap().is_empty());
            drop(pool);
            let started = sorted(&started);
            assert!(started.iter().map(|(index, _)| *index).eq(0..threads));
            assert_eq!(
                started.iter().map(|(_, thread)| thread).collect::<HashSet<_>>().len(),
                threads
            );
            assert_eq!(sorted(&ended), started);
        }
    });
}

#[test]
fn a_worker_starts_before_its_first_task() {
    thread_local! {
        static READY: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }

    within(LONG, || {
        for threads in THREADS {
            let pool = Pool::builder()
                .threads(threads)
                .workers_only(true)
                .on_start(|_| READY.set(true))
                .build()
                .unwrap();
            let handles: Vec<_> = (0..100).map(|_| pool.spawn(|| READY.get())).collect();
            assert!(join_all(handles).unwrap().into_iter().all(|it| it));
            assert!(pool.install(|| READY.get()));
            assert!(!READY.get());
        }
    });
}

#[test]
fn the_hooks_of_spares_have_indices_beyond_those_of_workers() {
    within(LONG, || {
        for threads in THREADS {
            let ((started, start), (ended, end)) = (list(), list());
            let builder = Pool::builder().threads(threads).on_start(start).on_exit(end);
            let pool = builder.build().unwrap();
            // Each worker waits for what only a spare can run.
            let gate = Gate::new();
            let outer: Vec<_> = (0..threads)
                .map(|_| {
                    let gate = gate.clone();
                    pool.spawn(move || {
                        gate.wait();
                        manyhands::spawn(|| ()).join_timeout(Duration::MAX).unwrap();
                    })
                })
                .collect();
            gate.wait_for_arrivals(threads);
            gate.open();
            for handle in outer {
                handle.join_timeout(Duration::MAX).unwrap();
            }
            let spares = pool.stats().spares_started;
            drop(pool);
            let started = sorted(&started);
            assert!(started.iter().take(threads).copied().eq(0..threads));
            assert!(started.iter().skip(threads).all(|index| *index >= threads));
            assert!(started.len() - threads >= spares as usize);
            assert_eq!(sorted(&ended), started);
        }
    });
}

#[test]
fn hooks_that_panic_harm_nobody() {
    within(LONG, || {
        for threads in THREADS {
            let (seen, push) = list();
            let pool = Pool::builder()
                .threads(threads)
                .on_start(|_| panic!("start"))
                .on_exit(|_| panic!("exit"))
                .on_panic(move |panic| {
                    push(panic.to_string());
                    panic_any(PanicsOnDrop)
                })
                .build()
                .unwrap();
            assert_eq!(pool.threads(), threads);
            assert_eq!(pool.map(0..100, |n| n).len(), 100);
            assert_eq!((0..20).map(|n| pool.install(move || n)).sum::<i32>(), 190);
            pool.shutdown();
            assert_eq!(pool.stats().unseen_panics, 2 * threads as u64);
            let texts = sorted(&seen);
            assert_eq!(texts.iter().filter(|text| *text == "start").count(), threads);
            assert_eq!(texts.iter().filter(|text| *text == "exit").count(), threads);
        }
    });
}

#[test]
fn hooks_whose_payloads_panic_in_their_drops_harm_nobody() {
    within(LONG, || {
        for threads in THREADS {
            let pool = Pool::builder()
                .threads(threads)
                .on_start(|_| panic_any(PanicsOnDrop))
                .on_exit(|_| panic_any(PanicsOnDrop))
                .build()
                .unwrap();
            assert_works(&pool);
            pool.shutdown();
            assert!(pool.stats().unseen_panics >= 2 * threads as u64);
        }
    });
}

#[test]
fn hooks_are_dropped_with_the_pool() {
    within(LONG, || {
        let tally = Tally::new();
        for threads in THREADS {
            let [a, b, c] = [0, 1, 2].map(|n| tally.make(n));
            let builder = Pool::builder()
                .threads(threads)
                .on_start(move |_| _ = &a)
                .on_exit(move |_| _ = &b)
                .on_panic(move |_| _ = &c);
            let pool = builder.build().unwrap();
            assert_eq!(tally.live(), 3);
            drop(pool);
            // Threads let go of their last share a moment after they were counted out.
            eventually("the hooks are dropped", || tally.live() == 0);
        }
        tally.assert_even();
    });
}

#[test]
fn a_start_hook_may_use_another_pool() {
    within(LONG, || {
        let other = pool(1);
        let (sums, push) = list();
        let hook = move |_| push(other.map(0..10, |n| n).iter().sum::<i32>());
        drop(Pool::builder().threads(2).on_start(hook).build().unwrap());
        assert_eq!(*sums.lock().unwrap(), [45, 45]);
    });
}

//--- workers_only

#[test]
fn workers_only_keeps_tasks_off_their_joiners() {
    within(LONG, || {
        for threads in THREADS {
            let builder = Pool::builder().threads(threads).name("only").workers_only(true);
            let pool = builder.build().unwrap();
            for _ in 0..50 {
                assert!(pool.spawn(name_here).join().unwrap().starts_with("only-"));
            }
            let handles: Vec<_> = (0..50).map(|_| pool.spawn(name_here)).collect();
            assert!(join_all(handles).unwrap().iter().all(|name| name.starts_with("only-")));
            let handles: Vec<_> = (0..50).map(|_| pool.spawn(name_here)).collect();
            let mut all = as_completed(handles).map(|(_, name)| name.unwrap());
            assert!(all.all(|name| name.starts_with("only-")));
            assert_eq!(pool.stats().claimed_by_joiner, 0);
        }
    });
}

#[test]
fn workers_only_keeps_a_task_off_the_task_that_joins_it() {
    within(LONG, || {
        for threads in THREADS {
            let pool = Pool::builder().threads(threads).workers_only(true).build().unwrap();
            let task = || {
                let inner = manyhands::spawn(here);
                (here(), inner.join().unwrap())
            };
            let (outer, inner) = pool.spawn(task).join().unwrap();
            assert_ne!(outer, inner);
            assert_eq!(pool.stats().claimed_by_joiner, 0);
        }
    });
}

#[test]
fn workers_only_lets_calls_use_their_caller() {
    within(LONG, || {
        for threads in THREADS {
            let pool = Pool::builder().threads(threads).workers_only(true).build().unwrap();
            let _blocked = Blocked::all(&pool);
            assert!(pool.map(0..10, |_| here()).iter().all(|id| *id == here()));
            assert_eq!(pool.join(here, here), (here(), here()));
        }
    });
}

//--- stacks, refusals

#[test]
fn a_pool_whose_threads_the_system_refuses_goes_on_with_fewer() {
    within(LONG, || {
        for bytes in [1 << 46, 1 << 47, 1 << 62, isize::MAX as usize, usize::MAX - 1, usize::MAX] {
            let builder = || Pool::builder().threads(4).stack_size(bytes);
            for pool in [builder().build(), builder().workers_only(true).build()] {
                let pool = pool.unwrap();
                let stats = pool.stats();
                assert_eq!(stats.threads, pool.threads());
                assert_eq!(stats.threads + stats.refused_threads, 4);
                assert!(bytes < 1 << 47 || pool.threads() == 0, "{bytes}: {}", pool.threads());
                assert_works(&pool);
                pool.shutdown();
                assert!(matches!(pool.spawn(|| ()).join(), Err(TaskError::ShutDown)));
                assert_eq!(pool.map([1, 2], |x| x + 1), [2, 3]);
            }
        }
    });
}

#[test]
fn a_pool_without_any_thread_runs_everything_on_its_caller() {
    within(LONG, || {
        let pool = Pool::builder().threads(8).stack_size(usize::MAX).build().unwrap();
        assert_eq!((pool.threads(), pool.stats().refused_threads), (0, 8));
        let handle = pool.spawn(here);
        assert!(handle.is_finished());
        assert_eq!(handle.join().unwrap(), here());
        assert_eq!(pool.install(here), here());
        assert!(pool.map(0..10, |_| here()).iter().all(|id| *id == here()));
        assert_eq!(pool.join(here, here), (here(), here()));
    });
}

#[test]
fn hooks_run_for_no_thread_that_was_refused() {
    within(LONG, || {
        let (started, start) = list();
        let (ended, end) = list();
        let builder = Pool::builder().threads(4).stack_size(1 << 46).on_start(start).on_exit(end);
        let pool = builder.build().unwrap();
        let threads = pool.threads();
        assert_works(&pool);
        pool.shutdown();
        let workers = |list| sorted(list).into_iter().filter(|&index: &usize| index < 4).count();
        assert_eq!((workers(&started), workers(&ended)), (threads, threads));
    });
}

#[test]
fn a_strict_pool_says_which_thread_was_refused_and_why() {
    for threads in THREADS {
        let builder = Pool::builder().threads(threads).stack_size(usize::MAX).strict(true);
        let Err(error) = builder.build() else { panic!("no stack is as large") };
        assert!(std::error::Error::source(&error).is_some());
        let BuildError::Refused { index, source } = error else { panic!("{error}") };
        assert_eq!(index, 0);
        assert!(source.raw_os_error().is_some(), "{source}");
    }
}

#[test]
fn a_strict_pool_that_is_refused_leaves_no_thread_behind() {
    within(LONG, || {
        let (started, start) = list();
        let (ended, end) = list();
        let builder = Pool::builder().threads(4).stack_size(1 << 46).on_start(start).on_exit(end);
        let built = builder.strict(true).build();
        let workers = built.as_ref().map_or_else(
            |error| match error {
                BuildError::Refused { index, .. } => *index,
                error => panic!("{error}"),
            },
            Pool::threads,
        );
        drop(built);
        assert!(sorted(&started).into_iter().eq(0..workers));
        assert!(sorted(&ended).into_iter().eq(0..workers));
    });
}

#[test]
fn a_small_stack_is_made_as_large_as_it_must_be() {
    within(LONG, || {
        for bytes in [0, 1, 4096] {
            let pool = Pool::builder().threads(2).stack_size(bytes).strict(true).build().unwrap();
            assert_eq!(pool.threads(), 2);
            // No frames of any size on it: it is as small as the system allows.
            assert_eq!(pool.spawn(|| 1).join_timeout(Duration::MAX).unwrap(), 1);
        }
    });
}

#[test]
fn install_has_a_worker_s_stack() {
    #[inline(never)]
    fn deep(levels: usize) -> usize {
        let block = std::hint::black_box([levels; 512]);
        if levels == 0 { 0 } else { deep(levels - 1) + usize::from(block[511] == levels) }
    }

    within(LONG, || {
        let pool = Pool::builder().threads(1).stack_size(128 * MIB).build().unwrap();
        // More than 12 MiB, and three times as much in a debug build.
        let levels = 3000;
        assert_eq!(pool.install(move || deep(levels)), levels);
    });
}

//--- limit, chunk

#[test]
fn a_limit_of_0_means_1() {
    with_pools(|pool| {
        for alone in [pool.limit(0), pool.limit(1)] {
            assert!(alone.map(0..1000, |_| here()).iter().all(|id| *id == here()));
            assert_eq!(alone.join(here, here), (here(), here()));
            assert_eq!(alone.scope(|s| s.spawn(here).join().unwrap()), here());
            assert_works(&alone);
        }
    });
}

#[test]
fn a_chunk_of_any_size_gives_the_same_results() {
    with_pools(|pool| {
        for view in [pool.chunk(0), pool.chunk(1), pool.chunk(7), pool.chunk(usize::MAX)] {
            assert_works(&view);
            assert_works(&view.limit(usize::MAX));
            assert_works(&view.limit(0).chunk(0));
        }
    });
}

#[test]
fn a_view_keeps_the_pool_alive() {
    within(LONG, || {
        let pool = pool(2);
        let view = pool.limit(1).chunk(2);
        drop(pool);
        assert_works(&view);
        assert_eq!(view.install(|| Pool::current().threads()), 2);
    });
}

//--- enter, current

#[test]
fn enter_runs_here_with_the_pool_as_the_current_one() {
    with_pools(|pool| {
        let threads = pool.threads();
        let me = here();
        pool.enter(|| {
            assert_eq!(here(), me);
            assert_eq!(Pool::current().threads(), threads);
            assert_eq!(manyhands::spawn(|| Pool::current().threads()).join().unwrap(), threads);
            Pool::serial().enter(|| assert_eq!(Pool::current().threads(), 0));
            assert_eq!(Pool::current().threads(), threads);
        });
    });
}

#[test]
fn a_panic_leaves_what_was_entered() {
    with_pools(|pool| {
        let outer = Pool::serial();
        outer.enter(|| {
            let payload = panic_of(|| pool.enter(|| panic!("inside")));
            assert_eq!(text_of(payload), "inside");
            assert_eq!(Pool::current().threads(), 0);
            let payload = panic_of(|| pool.map(0..10, |_| -> u8 { panic!("in a sweep") }));
            assert_eq!(text_of(payload), "in a sweep");
            assert_eq!(Pool::current().threads(), 0);
        });
    });
}

#[test]
fn the_pool_that_was_entered_may_lose_its_last_handle_inside() {
    within(LONG, || {
        for threads in THREADS {
            let pool = pool(threads);
            let again = pool.clone();
            let kept = again.enter(move || {
                drop(pool);
                Pool::current()
            });
            drop(again);
            assert_works(&kept);
        }
    });
}

#[test]
fn the_current_pool_of_guests_workers_and_joiners_is_the_one_they_work_for() {
    with_pools(|pool| {
        let threads = pool.threads();
        let current = || Pool::current().threads();
        Pool::serial().enter(|| {
            assert_eq!(pool.install(current), threads);
            let blocked = Blocked::all(pool);
            assert_eq!(pool.map(0..9, |_| (here(), current())), [(here(), threads); 9]);
            assert_eq!(pool.join(current, current), (threads, threads));
            assert_eq!(
                pool.scope(|s| (current(), s.spawn(current).join().unwrap())),
                (threads, threads)
            );
            let joined = pool.spawn(move || (here(), current())).join().unwrap();
            assert_eq!(joined, (here(), threads));
            drop(blocked);
            assert_eq!(current(), 0);
        });
    });
}

#[test]
fn a_free_spawn_goes_to_the_current_pool() {
    within(LONG, || {
        let (a, b) = (pool(1), pool(2));
        let seen = a.spawn(|| manyhands::spawn(|| Pool::current().threads()).join().unwrap());
        assert_eq!(seen.join().unwrap(), 1);
        let handle = b.enter(|| manyhands::spawn(|| Pool::current().threads()));
        assert_eq!(handle.join().unwrap(), 2);
    });
}

//--- install

#[test]
fn install_runs_on_a_worker_and_borrows() {
    within(LONG, || {
        for threads in THREADS {
            let pool = Pool::builder().threads(threads).name("in").build().unwrap();
            let words = [String::from("a"), String::from("b")];
            let (name, joined) = pool.install(|| (name_here(), words.concat()));
            assert!(name.starts_with("in-"), "{name}");
            assert_eq!(joined, "ab");
        }
    });
}

#[test]
fn install_inside_install_stays_on_the_same_worker() {
    with_pools(|pool| {
        let (outer, inner) = pool.install(|| (here(), pool.install(|| pool.install(here))));
        assert_eq!(outer, inner);
        assert_ne!(outer, here());
        let (outer, inner) = pool.install(|| (here(), Pool::current().install(here)));
        assert_eq!(outer, inner);
    });
}

#[test]
fn a_panic_in_install_reaches_its_caller_and_costs_no_worker() {
    with_pools(|pool| {
        let tally = Tally::new();
        for n in 0..20 {
            let held = tally.make(n);
            let payload = panic_of(|| pool.install(|| panic_any(held)));
            assert_eq!(payload.downcast::<crate::support::Counted>().unwrap().value, n);
        }
        tally.assert_even();
        assert_eq!(pool.install(|| 1), 1);
        assert_eq!(pool.stats().unseen_panics, 0);
    });
}

#[test]
fn many_threads_install_at_the_same_time() {
    with_pools(|pool| {
        let tally = Tally::new();
        let sum: usize = thread::scope(|s| {
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let tally = &tally;
                    s.spawn(move || {
                        (0..50).map(|_| pool.install(|| tally.make(n)).value).sum::<usize>()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(sum, 50 * 28);
        tally.assert_even();
    });
}

#[test]
fn install_without_threads_or_after_their_end_runs_on_its_caller() {
    with_pools(|pool| {
        assert_eq!(Pool::serial().install(here), here());
        pool.shutdown();
        assert_eq!(pool.install(here), here());
        assert_eq!(text_of(panic_of(|| pool.install(|| panic!("here")))), "here");
    });
}

#[test]
fn a_race_of_install_and_shutdown_loses_no_call() {
    within(LONG, || {
        for round in 0..300 {
            let pool = pool(1 + round % 2);
            thread::scope(|s| {
                let ends = s.spawn(|| pool.shutdown());
                assert_eq!(pool.install(|| round), round);
                ends.join().unwrap();
            });
        }
    });
}

#[test]
fn a_guest_installs_on_a_worker() {
    within(LONG, || {
        let pool = Pool::builder().threads(2).name("in").build().unwrap();
        let names = pool.limit(1).map(0..5, |_| pool.install(name_here));
        assert!(names.iter().all(|name| name.starts_with("in-")), "{names:?}");
    });
}

//--- serial pools

#[test]
fn a_serial_pool_runs_a_task_before_spawn_returns() {
    let pool = Pool::serial();
    let order = Arc::new(Mutex::new(Vec::new()));
    let (outer, inner) = (Arc::clone(&order), Arc::clone(&order));
    let handle = pool.spawn(move || {
        outer.lock().unwrap().push(1);
        manyhands::spawn(move || inner.lock().unwrap().push(2)).detach();
        outer.lock().unwrap().push(3);
        here()
    });
    order.lock().unwrap().push(4);
    assert!(handle.is_finished());
    assert!(!handle.cancel());
    assert_eq!(handle.join().unwrap(), here());
    assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4]);
}

#[test]
fn a_serial_pool_does_everything() {
    within(LONG, || {
        let pool = Pool::serial();
        assert_works(&pool);
        assert_works(&pool.limit(0).chunk(0));
        pool.enter(|| assert_eq!(Pool::current().threads(), 0));
        assert_eq!(pool.shutdown_now(), 0);
        assert!(matches!(pool.spawn(|| 1).join(), Err(TaskError::ShutDown)));
        pool.shutdown();
        pool.shutdown_timeout(Duration::ZERO).unwrap();
        assert_eq!(pool.map([1, 2], |x| x + 1), [2, 3]);
    });
}

#[test]
fn a_panic_in_a_serial_pool_s_task_stays_in_its_handle() {
    let (pool, tally) = (Pool::serial(), Tally::new());
    let held = tally.make(1);
    let handle = pool.spawn(move || -> u8 { panic_any(held) });
    let Err(TaskError::Panicked(panic)) = handle.join() else { panic!("it should have panicked") };
    assert!(panic.message().is_none());
    drop(panic);
    tally.assert_even();
    assert_eq!(pool.stats().unseen_panics, 0);
    pool.spawn(|| panic!("nobody looks")).detach();
    assert_eq!(pool.stats().unseen_panics, 1);
}

#[test]
fn as_completed_of_a_serial_pool_s_tasks_is_in_order() {
    let pool = Pool::serial();
    let handles = (0..10).map(|n| pool.spawn(move || n));
    let all: Vec<_> = as_completed(handles).map(|(index, n)| (index, n.unwrap())).collect();
    assert!(all.into_iter().eq((0..10).map(|n| (n, n))));
}

//--- the global pool and the environment

#[test]
fn a_pool_can_be_made_the_global_one_once_before_its_first_use() {
    alone(|| {
        Pool::set_global(pool(3)).unwrap();
        let refused = Pool::set_global(pool(1)).unwrap_err();
        assert_eq!(refused.threads(), 1);
        assert_works(&refused);
        assert_eq!(Pool::global().threads(), 3);
        assert_eq!(Pool::current().threads(), 3);
        assert_eq!(manyhands::spawn(|| Pool::current().threads()).join().unwrap(), 3);
        Pool::global().shutdown();
        assert_eq!(Pool::global().shutdown_now(), 0);
        assert_works(Pool::global());
    });
}

#[test]
fn a_serial_pool_can_be_the_global_one() {
    alone(|| {
        Pool::set_global(Pool::serial()).unwrap();
        assert_eq!(manyhands::spawn(here).join().unwrap(), here());
        Pool::global().shutdown();
        assert_works(Pool::global());
    });
}

#[test]
fn a_global_pool_that_is_in_use_is_not_replaced() {
    alone(|| {
        let threads = Pool::current().threads();
        assert_eq!(Pool::set_global(pool(threads + 1)).unwrap_err().threads(), threads + 1);
        assert_eq!(Pool::global().threads(), threads);
    });
}

#[test]
fn the_environment_sizes_the_global_pool_and_no_other() {
    alone_with(&[("MANYHANDS_NUM_THREADS", "3")], || {
        assert_eq!(Pool::global().threads(), 3);
        assert_eq!(pool(5).threads(), 5);
        assert_works(Pool::global());
    });
}

/// As many as a pool has of itself.
fn assert_default_global() {
    assert_eq!(Pool::global().threads(), Pool::builder().build().unwrap().threads());
    assert_works(Pool::global());
}

#[test]
fn a_word_for_the_number_of_threads_is_ignored() {
    alone_with(&[("MANYHANDS_NUM_THREADS", "banana")], || {
        assert_default_global();
    });
}

#[test]
fn a_global_pool_of_0_threads_is_ignored() {
    alone_with(&[("MANYHANDS_NUM_THREADS", "0")], || {
        assert_default_global();
    });
}

#[test]
fn a_global_pool_of_too_many_threads_is_ignored() {
    alone_with(&[("MANYHANDS_NUM_THREADS", "18446744073709551615")], || {
        assert_default_global();
    });
}

#[test]
fn the_environment_caps_every_pool() {
    let variables = [("MANYHANDS_MAX_THREADS", "2"), ("MANYHANDS_NUM_THREADS", "8")];
    alone_with(&variables, || {
        assert_eq!(Pool::global().threads(), 2);
        assert_eq!([1, 2, 3, 8].map(|threads| pool(threads).threads()), [1, 2, 2, 2]);
        assert!(Pool::builder().build().unwrap().threads() <= 2);
        assert!(matches!(Pool::new(0), Err(BuildError::NoThreads)));
        let strict = Pool::builder().threads(8).strict(true).build().unwrap();
        assert_eq!((strict.threads(), strict.stats().refused_threads), (2, 0));
        assert_works(&strict);
    });
}

#[test]
fn a_cap_of_0_is_ignored() {
    alone_with(&[("MANYHANDS_MAX_THREADS", "0")], || assert_eq!(pool(8).threads(), 8));
}

#[test]
fn a_word_for_a_cap_is_ignored() {
    alone_with(&[("MANYHANDS_MAX_THREADS", "banana")], || assert_eq!(pool(8).threads(), 8));
}

//--- stats

#[test]
fn a_fresh_pool_has_done_nothing() {
    with_pools(|pool| {
        let stats = pool.stats();
        assert_eq!((stats.jobs_run, stats.stolen, stats.claimed_by_joiner), (0, 0, 0));
        assert_eq!((stats.queued, stats.spares_started, stats.unseen_panics), (0, 0, 0));
    });
}

#[test]
fn stats_count_each_task_where_it_ran() {
    with_pools(|pool| {
        let threads = pool.threads() as u64;
        let blocked = Blocked::all(pool);
        let joined: Vec<_> = (0..10).map(|n| pool.spawn(move || n)).collect();
        assert_eq!(pool.stats().queued, 10);
        assert_eq!(join_all(joined).unwrap(), Vec::from_iter(0..10));
        assert_eq!(pool.stats().claimed_by_joiner, 10);
        (0..7).for_each(|_| pool.spawn(|| ()).detach());
        drop(blocked);
        pool.shutdown();
        let stats = pool.stats();
        assert_eq!((stats.queued, stats.claimed_by_joiner), (0, 10));
        assert_eq!(stats.jobs_run, threads + 7, "those that have blocked, and the seven");
    });
}

#[test]
fn stats_count_no_cancelled_task_as_run() {
    with_pools(|pool| {
        let blocked = Blocked::all(pool);
        let handles: Vec<_> = (0..3).map(|_| pool.spawn(|| ())).collect();
        assert!(handles.iter().all(manyhands::TaskHandle::cancel));
        drop(blocked);
        pool.shutdown();
        let stats = pool.stats();
        assert_eq!((stats.jobs_run, stats.claimed_by_joiner), (pool.threads() as u64, 0));
    });
}

#[test]
fn stats_are_those_of_the_pool_whatever_the_handle() {
    with_pools(|pool| {
        assert_eq!(pool.install(|| 1), 1);
        pool.shutdown();
        assert_eq!(pool.limit(1).chunk(2).stats(), pool.stats());
        assert_eq!(pool.stats().jobs_run, 1);
    });
}

#[test]
fn pools_count_apart() {
    within(LONG, || {
        let (a, b) = (pool(1), pool(1));
        let ran = AtomicUsize::new(0);
        (0..5).for_each(|_| a.install(|| _ = ran.fetch_add(1, Ordering::SeqCst)));
        a.shutdown();
        assert_eq!((a.stats().jobs_run, b.stats().jobs_run), (5, 0));
        assert_eq!(ran.load(Ordering::SeqCst), 5);
    });
}

#[test]
fn the_workers_of_a_pool_are_different_threads() {
    with_pools(|pool| {
        let gate = Gate::new();
        let handles: Vec<_> = (0..pool.threads())
            .map(|_| {
                let gate = gate.clone();
                pool.spawn(move || {
                    gate.wait();
                    format!("{:?}", here())
                })
            })
            .collect();
        gate.wait_for_arrivals(pool.threads());
        gate.open();
        let threads: BTreeSet<_> = join_all(handles).unwrap().into_iter().collect();
        assert_eq!(threads.len(), pool.threads());
    });
}
