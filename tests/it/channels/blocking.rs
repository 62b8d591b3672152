//! Tasks that wait starve nobody, up to a bound.

use std::thread;
use std::time::Duration;

use manyhands::channel::{Select, Sender, bounded, unbounded};
use manyhands::shared::Event;
use manyhands::{Pool, TaskHandle, blocking, join_all};

use crate::support::{Gate, LONG, eventually, panic_of, pool, text_of, within};

#[test]
fn a_producer_and_a_consumer_share_one_thread_in_either_order() {
    for capacity in [Some(0), Some(1), None] {
        for consumer_first in [true, false] {
            within(LONG, move || {
                let pool = pool(1);
                let (sender, receiver) = capacity.map_or_else(unbounded, bounded);
                let produce = move || (0..100).for_each(|n| sender.send(n).unwrap());
                let consume = move || receiver.iter().sum::<u32>();
                let (producer, consumer);
                if consumer_first {
                    consumer = pool.spawn(consume);
                    producer = pool.spawn(produce);
                } else {
                    producer = pool.spawn(produce);
                    consumer = pool.spawn(consume);
                }
                // Nobody helps by joining.
                eventually("both end", || producer.is_finished() && consumer.is_finished());
                assert_eq!(consumer.join().unwrap(), 4950);
            });
        }
    }
}

/// `count` tasks, each of which waits for a message of the next one. The last waits for the sender
/// that comes with them.
fn chain(pool: &Pool, count: usize) -> (Vec<TaskHandle<()>>, Sender<()>) {
    let mut to_previous = unbounded().0;
    let tasks = (0..count).map(|_| {
        let (to_me, receiver) = unbounded();
        let to_previous = std::mem::replace(&mut to_previous, to_me);
        pool.spawn(move || {
            receiver.recv().unwrap();
            // The first one's is gone.
            let _ = to_previous.send(());
        })
    });
    let tasks = tasks.collect();
    (tasks, to_previous)
}

#[test]
fn a_thousand_tasks_that_wait_for_each_other_finish_on_two_threads_and_spares() {
    within(LONG, || {
        let pool = Pool::builder().threads(2).max_spares(1000).build().unwrap();
        let (tasks, start) = chain(&pool, 1000);
        start.send(()).unwrap();
        eventually("they end", || tasks.iter().all(TaskHandle::is_finished));
        join_all(tasks).unwrap();
        assert!(pool.stats().spares_started >= 900, "{:?}", pool.stats());
        assert_eq!(pool.stats().stalls, 0);
    });
}

#[test]
fn at_the_bound_of_spares_the_statistics_report_the_stall() {
    within(LONG, || {
        let pool = pool(2);
        let (tasks, start) = chain(&pool, 1000);
        eventually("it stalls", || pool.stats().stalls > 0);
        eventually("all spares have come", || pool.stats().spares_started == 2 * 2 + 8);
        start.send(()).unwrap();
        // Whoever joins them begins those that no thread is left for; the last one first.
        tasks.into_iter().rev().for_each(|task| task.join().unwrap());
    });
}

#[test]
fn without_spares_a_blocked_worker_leaves_its_place_empty() {
    within(LONG, || {
        let pool = Pool::builder().threads(1).max_spares(0).build().unwrap();
        let (sender, receiver) = unbounded();
        let waiting = pool.spawn(move || receiver.recv());
        eventually("it waits", || pool.stats().parks > 0);
        let other = pool.spawn(|| 3);
        eventually("it stalls", || pool.stats().stalls > 0);
        assert!(!other.is_finished());
        sender.send(2).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(2));
        assert_eq!(other.join().unwrap(), 3);
        assert_eq!(pool.stats().spares_started, 0);
    });
}

#[test]
fn a_deadline_that_is_over_is_no_reason_to_step_aside() {
    within(LONG, || {
        let pool = pool(1);
        let (sender, receiver) = bounded::<u8>(0);
        let parks = pool.install(|| {
            for _ in 0..100 {
                assert!(receiver.recv_timeout(Duration::ZERO).is_err());
                assert!(sender.send_timeout(1, Duration::ZERO).is_err());
                assert_eq!(Select::new().recv(&receiver, |_| ()).timeout(Duration::ZERO), None);
                assert!(!Event::new().wait_timeout(Duration::ZERO));
            }
            pool.stats().parks
        });
        assert_eq!(parks, 0);
    });
}

#[test]
fn any_number_of_spares_can_be_asked_for() {
    for spares in [0, 1, 100_000] {
        let pool = Pool::builder().threads(1).max_spares(spares).build().unwrap();
        assert!(pool.map(0..10, |n| n).into_iter().eq(0..10));
    }
}

#[test]
fn a_blocked_worker_is_replaced_only_if_there_is_work() {
    within(LONG, || {
        let (pool, gate) = (pool(1), Gate::new());
        let opener = gate.opener();
        let task = pool.spawn(move || blocking(|| gate.wait()));
        eventually("it waits", || pool.stats().parks > 0);
        assert_eq!(pool.stats().spares_started, 0);
        let other = pool.spawn(|| ());
        eventually("the other is done", || other.is_finished());
        assert_eq!(pool.stats().spares_started, 1);
        drop(opener);
        task.join().unwrap();
    });
}

#[test]
fn blocking_returns_what_its_closure_does_wherever_it_is_called() {
    assert_eq!(blocking(|| 1), 1);
    for size in [1, 2] {
        within(LONG, move || {
            let pool = pool(size);
            let local = String::from("borrowed");
            assert_eq!(pool.install(|| blocking(|| local.len())), 8);
            assert_eq!(pool.install(|| blocking(|| blocking(|| 2) + 1)), 3);
            let calls = || blocking(|| manyhands::map(0..100, |n| n).len());
            assert_eq!(pool.install(calls), 100);
            let joins = || blocking(|| manyhands::join(|| blocking(|| 1), || blocking(|| 2)));
            assert_eq!(pool.install(joins), (1, 2));
            let tasks = pool.map(0..20, |n| blocking(|| n));
            assert!(tasks.into_iter().eq(0..20));
        });
    }
    assert_eq!(Pool::serial().enter(|| blocking(|| 4)), 4);
}

#[test]
fn a_panic_passes_through_blocking_and_leaves_the_pool_whole() {
    assert_eq!(text_of(panic_of(|| blocking(|| panic!("outside")))), "outside");
    within(LONG, || {
        let pool = pool(1);
        for _ in 0..50 {
            let payload = panic_of(|| pool.install(|| blocking(|| panic!("inside"))));
            assert_eq!(text_of(payload), "inside");
        }
        let (sender, receiver) = bounded(0);
        let waiting = pool.spawn(move || receiver.recv().unwrap());
        pool.spawn(move || sender.send(5).unwrap()).detach();
        eventually("it is done", || waiting.is_finished());
        assert_eq!(waiting.join().unwrap(), 5);
    });
}

#[test]
fn halves_of_joins_are_there_for_others_while_their_owner_blocks() {
    within(LONG, || {
        let pool = pool(2);
        let (sender, receiver) = unbounded();
        let (sum, ()) = pool.join(
            || {
                // Private until somebody wants them: but this thread will not come back to them.
                let ((sum, ()), ()) = manyhands::join(
                    || {
                        manyhands::join(
                            || receiver.recv().unwrap() + receiver.recv().unwrap(),
                            || sender.send(1).unwrap(),
                        )
                    },
                    || sender.send(2).unwrap(),
                );
                sum
            },
            || (),
        );
        assert_eq!(sum, 3);
    });
}

#[test]
fn a_guest_that_waits_for_a_message_does_not_hold_up_the_pool() {
    within(LONG, || {
        let pool = pool(1);
        let numbers = pool.map(0..20, |n| {
            let (sender, receiver) = bounded(0);
            pool.spawn(move || sender.send(n).unwrap()).detach();
            receiver.recv().unwrap()
        });
        assert!(numbers.into_iter().eq(0..20));
    });
}

#[test]
fn a_pool_whose_tasks_wait_is_not_at_rest() {
    within(LONG, || {
        let pool = pool(1);
        let (sender, receiver) = unbounded();
        let waiting = pool.spawn(move || receiver.recv());
        eventually("it waits", || pool.stats().parks > 0);
        let left = pool.shutdown_timeout(Duration::from_millis(20));
        assert!(left.is_err());
        let late = thread::spawn(move || sender.send(1));
        pool.shutdown();
        late.join().unwrap().unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(1));
    });
}
