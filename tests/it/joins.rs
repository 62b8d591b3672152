//! Outermost joins remember what they cost: cheap ones wake nobody, dear ones are shared.
//!
//! What is remembered another place in the program may displace. So whoever relies on it is alone in
//! its process.

use std::collections::HashSet;
use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use manyhands::{Pool, channel};

use crate::support::{Gate, LONG, alone, eventually, happens_within, within};

/// Long enough to be dear, and for idle workers to fall asleep.
const WHILE: Duration = Duration::from_millis(2);

/// How many calls after a dear one are expected to be shared, at least.
const REMEMBERED: usize = 20;

/// So many calls in a row that wake nobody are known to be cheap.
const CALLS: usize = 10;

/// So many cheap calls pay off what a dear one is remembered by, mostly.
const PAYMENTS: usize = 2_000;

/// Whether calls wake nobody, with rests between them.
fn are_cheap(pool: &Pool, call: impl Fn()) -> bool {
    let before = pool.stats().wakes;
    (0..CALLS).for_each(|_| {
        call();
        rest();
    });
    pool.stats().wakes == before
}

/// Lets the workers fall asleep. The caller does not: a call on a core that had been asleep is dear
/// often enough.
fn rest() {
    let begin = Instant::now();
    while begin.elapsed() < WHILE {
        hint::spin_loop();
    }
}

/// Calls until calls are known to be cheap, if they are: under a tool that interprets each step they
/// are not.
fn until_cheap(pool: &Pool, call: impl Fn()) {
    happens_within(LONG / 12, || are_cheap(pool, &call));
}

/// A recursion with a type of its own for each `KIND`: what one of them has cost is not known of
/// another.
fn fib<const KIND: usize>(pool: &Pool, n: u32) -> u32 {
    if n < 2 {
        return n;
    }
    let (a, b) = pool.join(|| fib::<KIND>(pool, n - 1), || fib::<KIND>(pool, n - 2));
    a + b
}

#[test]
fn calls_that_cost_less_than_a_wake_up_wake_nobody() {
    /// A call during which the system runs other threads is a dear one, and shares many that follow.
    /// So there are several kinds, and before each try some calls to pay off what was dear.
    fn are_cheap_at_last<const KIND: usize>(pool: &Pool, alone: &Pool) -> bool {
        (0..PAYMENTS).for_each(|_| assert_eq!(fib::<KIND>(pool, 5), 5));
        are_cheap(pool, || {
            rest();
            // After other threads on this core the first recursion is a dear one.
            assert_eq!(fib::<KIND>(alone, 5), 5);
            assert_eq!(fib::<KIND>(pool, 5), 5);
        })
    }
    let kinds = [
        are_cheap_at_last::<0>,
        are_cheap_at_last::<1>,
        are_cheap_at_last::<2>,
        are_cheap_at_last::<3>,
    ];
    within(LONG, move || {
        let alone = Pool::new(1).unwrap();
        for threads in [2, 8] {
            let pool = Pool::new(threads).unwrap();
            let mut kinds = kinds.iter().cycle();
            let are_cheap = || kinds.next().is_some_and(|are_cheap| are_cheap(&pool, &alone));
            eventually("cheap calls wake nobody", are_cheap);
        }
    });
}

#[test]
fn after_cheap_calls_dear_ones_are_shared_from_the_second_on() {
    // A type of its own, whatever it runs.
    fn call(pool: &Pool, half: &(dyn Fn() + Sync)) {
        let half = || half();
        pool.join(half, half);
    }
    alone(|| {
        let pool = Pool::new(2).unwrap();
        until_cheap(&pool, || call(&pool, &|| ()));
        call(&pool, &|| thread::sleep(WHILE));
        (0..REMEMBERED).for_each(|_| call(&pool, &|| ()));
        let both = Barrier::new(2);
        call(&pool, &|| _ = both.wait());
    });
}

#[test]
fn after_a_dear_call_cheap_and_dear_ones_are_shared() {
    fn call(pool: &Pool, half: &(dyn Fn() + Sync)) {
        let half = || half();
        pool.join(half, half);
    }
    alone(|| {
        let pool = Pool::new(2).unwrap();
        let both = Barrier::new(2);
        call(&pool, &|| thread::sleep(WHILE));
        for _ in 0..10 {
            (0..REMEMBERED).for_each(|_| call(&pool, &|| ()));
            call(&pool, &|| {
                both.wait();
                thread::sleep(WHILE);
            });
        }
    });
}

#[test]
fn a_call_that_turns_out_dear_is_shared_from_a_later_push_on() {
    fn leaves(pool: &Pool, levels: u32, leaf: &(dyn Fn() + Sync)) {
        if levels == 0 {
            return leaf();
        }
        pool.join(|| leaves(pool, levels - 1, leaf), || leaves(pool, levels - 1, leaf));
    }
    within(LONG, || {
        let pool = Pool::new(2).unwrap();
        until_cheap(&pool, || leaves(&pool, 5, &|| ()));
        let (seen, helped) = (AtomicUsize::new(0), Gate::new());
        let caller = thread::current().id();
        leaves(&pool, 5, &|| {
            if thread::current().id() != caller {
                return helped.open();
            }
            // The 15th push comes before the 13th leaf.
            match seen.fetch_add(1, Ordering::Relaxed) {
                0..12 => thread::sleep(WHILE / 10),
                _ => helped.wait(),
            }
        });
    });
}

#[test]
fn who_blocks_in_a_cheap_call_lets_others_have_the_other_half() {
    within(LONG, || {
        for threads in [1, 2] {
            let pool = Pool::new(threads).unwrap();
            let call = |is_cheap: bool| {
                let (sender, receiver) = channel::bounded(0);
                let receive = || if is_cheap { 0 } else { receiver.recv().unwrap() };
                let send = || if is_cheap { Ok(()) } else { sender.send(7) };
                pool.join(receive, send).0
            };
            until_cheap(&pool, || assert_eq!(call(true), 0));
            let before = pool.stats().parks;
            assert_eq!(call(false), 7);
            assert!(pool.stats().parks > before);
        }
    });
}

#[test]
fn a_sweep_and_a_scope_inside_a_cheap_call_are_shared() {
    within(LONG, || {
        let pool = Pool::new(2).unwrap();
        let both = Barrier::new(2);
        let call = |inside: &(dyn Fn() + Sync)| {
            let inside = || inside();
            pool.join(inside, || ());
        };
        until_cheap(&pool, || call(&|| ()));
        call(&|| pool.chunk(1).for_each(0..2, |_| _ = both.wait()));
        until_cheap(&pool, || call(&|| ()));
        call(&|| {
            pool.scope(|s| {
                s.spawn(|| both.wait());
                s.spawn(|| both.wait());
            });
        });
    });
}

#[test]
fn halves_that_meet_at_every_call_go_on_to_meet() {
    within(LONG, || {
        let pool = Pool::new(2).unwrap();
        for _ in 0..2_000 {
            let arrived = AtomicUsize::new(0);
            let meet = || {
                arrived.fetch_add(1, Ordering::Relaxed);
                while arrived.load(Ordering::Relaxed) < 2 {
                    thread::yield_now();
                }
            };
            pool.join(meet, meet);
        }
    });
}

#[test]
fn a_panic_in_a_cheap_call_comes_out_and_leaves_its_place() {
    within(LONG, || {
        let pool = Pool::new(2).unwrap();
        let call = |n: u32| {
            let check = || assert!(n < 9, "nine");
            pool.join(check, check);
        };
        until_cheap(&pool, || call(0));
        for _ in 0..100 {
            let panicking = std::panic::AssertUnwindSafe(|| call(9));
            std::panic::catch_unwind(panicking).unwrap_err();
            call(0);
        }
    });
}

#[test]
fn many_threads_make_cheap_calls_at_the_same_time() {
    within(LONG, || {
        let pool = Pool::new(2).unwrap();
        let threads = Mutex::new(HashSet::<ThreadId>::new());
        thread::scope(|s| {
            for _ in 0..100 {
                s.spawn(|| {
                    (0..200_u32).for_each(|n| assert_eq!(pool.join(|| n, || n + 1), (n, n + 1)));
                    threads.lock().unwrap().insert(thread::current().id());
                });
            }
        });
        assert_eq!(threads.into_inner().unwrap().len(), 100);
    });
}
