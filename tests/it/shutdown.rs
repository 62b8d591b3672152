//! The end of a pool: what is finished, what is refused, who waits for whom.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use manyhands::{Pool, TaskError};

use crate::support::{Blocked, Gate, LONG, SIZES, Tally, alone, eventually, pool, threads, within};

thread_local! {
    static KEPT: RefCell<Option<Pool>> = const { RefCell::new(None) };
}

#[test]
fn the_last_handle_may_be_dropped_by_a_local_of_a_worker() {
    alone(|| {
        for n in [1, 2, 8] {
            let base = threads();
            let pool = pool(n);
            let kept = pool.clone();
            pool.install(move || KEPT.set(Some(kept)));
            pool.shutdown_now();
            drop(pool);
            eventually("its threads have ended", || threads() == base);
        }
    });
}

#[test]
fn a_hook_that_shuts_its_own_pool_down_does_not_wait_for_itself() {
    within(LONG, || {
        let own = Arc::new(Mutex::new(None::<Pool>));
        let (done, at_exit) = mpsc::channel();
        let (inside, done) = (Arc::clone(&own), Mutex::new(done));
        let builder = Pool::builder().threads(1).on_exit(move |_| {
            let own = inside.lock().unwrap().take();
            own.iter().for_each(Pool::shutdown);
            drop(own);
            done.lock().unwrap().send(()).unwrap();
        });
        let pool = builder.build().unwrap();
        *own.lock().unwrap() = Some(pool.clone());
        pool.shutdown_now();
        at_exit.recv().unwrap();
    });
}

#[test]
fn a_start_hook_that_shuts_its_own_pool_down_does_not_wait_for_itself() {
    within(LONG, || {
        let own = Arc::new(OnceLock::<Pool>::new());
        let [is_built, is_through] = [Gate::new(), Gate::new()];
        let (inside, built, through) = (Arc::clone(&own), is_built.clone(), is_through.clone());
        let hook = move |_| {
            built.wait();
            inside.get().unwrap().shutdown();
            through.open();
        };
        own.set(Pool::builder().threads(1).on_start(hook).build().unwrap()).unwrap();
        is_built.open();
        is_through.wait();
    });
}

#[test]
fn a_shutdown_finishes_what_a_joiner_has_begun_and_what_that_spawns() {
    within(LONG, || {
        let pool = pool(1);
        let [blocked, begun, go_on] = [Gate::new(), Gate::new(), Gate::new()];
        let _openers = [blocked.opener(), begun.opener(), go_on.opener()];
        let at_gate = blocked.clone();
        pool.spawn(move || at_gate.wait()).detach();
        blocked.wait_for_arrivals(1);
        let (at_begin, at_go_on) = (begun.clone(), go_on.clone());
        let task = pool.spawn(move || {
            at_begin.open();
            at_go_on.wait();
            manyhands::spawn(|| 7).join()
        });
        let joiner = thread::spawn(move || task.join().unwrap());
        begun.wait();
        blocked.open();
        let closing = pool.clone();
        let closer = thread::spawn(move || closing.shutdown());
        // Whoever has been told that the pool is closed comes late, but not the task.
        eventually("the pool is closed", || pool.spawn(|| ()).join().is_err());
        go_on.open();
        assert_eq!(joiner.join().unwrap().unwrap(), 7);
        closer.join().unwrap();
    });
}

//--- what is queued, what comes late, and what is left of the threads

#[test]
fn a_shutdown_finishes_what_is_queued_and_what_that_spawns() {
    within(LONG, || {
        for n in SIZES {
            let (pool, done) = (pool(n), Arc::new(AtomicUsize::new(0)));
            for _ in 0..100 {
                let (inside, done) = (pool.clone(), Arc::clone(&done));
                pool.spawn(move || {
                    let counted = Arc::clone(&done);
                    inside.spawn(move || counted.fetch_add(1, Ordering::SeqCst)).detach();
                    done.fetch_add(1, Ordering::SeqCst);
                })
                .detach();
            }
            pool.shutdown();
            assert_eq!(done.load(Ordering::SeqCst), 200);
        }
    });
}

#[test]
fn a_task_that_races_with_a_shutdown_runs_once_or_says_so() {
    within(LONG, || {
        for round in 0..200 {
            let (pool, counts) = (pool(1 + round % 3), Tally::new());
            let start = Barrier::new(5);
            let (ran, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|s| {
                for _ in 0..4 {
                    s.spawn(|| {
                        start.wait();
                        for n in 0..20 {
                            let counted = counts.make(n);
                            match pool.spawn(move || drop(counted)).join() {
                                Ok(()) => ran.fetch_add(1, Ordering::SeqCst),
                                Err(TaskError::ShutDown | TaskError::Cancelled) => {
                                    refused.fetch_add(1, Ordering::SeqCst)
                                }
                                Err(other) => panic!("{other}"),
                            };
                        }
                    });
                }
                start.wait();
                pool.shutdown();
            });
            assert_eq!(ran.into_inner() + refused.into_inner(), 80);
            drop(pool);
            counts.assert_even();
        }
    });
}

#[test]
fn shutdown_now_cancels_what_nobody_has_begun() {
    within(LONG, || {
        for n in SIZES {
            let (pool, counts) = (pool(n), Tally::new());
            let blocked = Blocked::all(&pool);
            let handles: Vec<_> = (0..50)
                .map(|number| {
                    let counted = counts.make(number);
                    pool.spawn(move || drop(counted))
                })
                .collect();
            assert_eq!(pool.shutdown_now(), 50);
            for handle in handles {
                assert!(matches!(handle.join(), Err(TaskError::Cancelled)));
            }
            counts.assert_even();
            drop(blocked);
            pool.shutdown();
        }
    });
}

#[test]
fn dropping_the_last_handle_finishes_what_is_queued() {
    within(LONG, || {
        for n in SIZES {
            let done = Arc::new(AtomicUsize::new(0));
            let pool = pool(n);
            for _ in 0..100 {
                let done = Arc::clone(&done);
                pool.spawn(move || done.fetch_add(1, Ordering::SeqCst)).detach();
            }
            drop(pool.clone());
            drop(pool);
            assert_eq!(done.load(Ordering::SeqCst), 100);
        }
    });
}

#[test]
fn pools_that_are_gone_leave_no_thread_behind() {
    alone(|| {
        let before = threads();
        for round in 0..500 {
            let pool = pool(1 + round % 4);
            assert_eq!(pool.map(0..10, |n| n).len(), 10);
            pool.spawn(|| ()).detach();
        }
        eventually("the threads have ended", || threads() <= before);
    });
}

#[test]
fn a_shutdown_that_takes_too_long_says_who_runs_still() {
    within(LONG, || {
        let pool = pool(2);
        let blocked = Blocked::all(&pool);
        let still = pool.shutdown_timeout(Duration::from_millis(5)).unwrap_err();
        assert_eq!(still.threads(), 2);
        drop(blocked);
        assert!(pool.shutdown_timeout(Duration::MAX).is_ok());
    });
}
