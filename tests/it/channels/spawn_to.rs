//! The results of tasks in a channel.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use manyhands::channel::{bounded, unbounded};
use manyhands::{Pool, TaskError};

use crate::support::{Blocked, Gate, LONG, PanicsOnDrop, Tally, eventually, pool, within};

#[test]
fn every_result_comes_with_the_name_of_its_task() {
    for size in [1, 2, 8] {
        within(LONG, move || {
            let pool = pool(size);
            let (sender, receiver) = unbounded();
            let expected: HashMap<_, _> =
                (0..100).map(|n| (pool.spawn_to(&sender, move || n * 2), n * 2)).collect();
            drop(sender);
            let results = receiver.iter().map(|(id, result)| (id, result.unwrap()));
            assert_eq!(results.collect::<HashMap<_, _>>(), expected);
            assert_eq!(expected.len(), 100);
        });
    }
}

#[test]
fn a_panic_is_delivered_as_an_error() {
    within(LONG, || {
        let pool = pool(2);
        let (sender, receiver) = unbounded();
        let bad = pool.spawn_to(&sender, || -> u8 { panic!("no luck") });
        let (id, result) = receiver.recv().unwrap();
        assert_eq!(id, bad);
        assert_eq!(result.unwrap_err().into_panic().unwrap().message(), Some("no luck"));
        assert_eq!(pool.stats().unseen_panics, 0);
    });
}

#[test]
fn a_full_channel_holds_tasks_up_and_not_the_pool() {
    within(LONG, || {
        let pool = pool(1);
        let (sender, receiver) = bounded(1);
        for n in 0..10 {
            pool.spawn_to(&sender, move || n);
        }
        let other = pool.spawn(|| 5);
        eventually("the other is done", || other.is_finished());
        drop(sender);
        let mut results: Vec<_> = receiver.iter().map(|(_, result)| result.unwrap()).collect();
        results.sort_unstable();
        assert!(results.into_iter().eq(0..10));
    });
}

#[test]
fn without_a_receiver_results_are_dropped_and_panics_are_told() {
    within(LONG, || {
        let seen = Arc::new(AtomicUsize::new(0));
        let seen_by_hook = Arc::clone(&seen);
        let hook = move |panic: &manyhands::Panic| {
            assert_eq!(panic.message(), Some("unheard"));
            seen_by_hook.fetch_add(1, SeqCst);
        };
        let pool = Pool::builder().threads(1).on_panic(hook).build().unwrap();
        let (tally, (sender, receiver)) = (Tally::new(), unbounded());
        drop(receiver);
        let counted = tally.clone();
        pool.spawn_to(&sender, move || counted.make(1));
        let (sender, receiver) = unbounded();
        drop(receiver);
        pool.spawn_to(&sender, || panic!("unheard"));
        pool.shutdown();
        tally.assert_even();
        assert_eq!((tally.made(), seen.load(SeqCst), pool.stats().unseen_panics), (1, 1, 1));
    });
}

#[test]
fn a_task_that_never_runs_says_so() {
    within(LONG, || {
        let pool = pool(1);
        let blocked = Blocked::all(&pool);
        let (tally, (sender, receiver)) = (Tally::new(), unbounded());
        let ids = [1, 2].map(|n| {
            let counted = tally.make(n);
            pool.spawn_to(&sender, move || counted.value)
        });
        let (full, small) = bounded(1);
        for n in 0..3 {
            pool.spawn_to(&full, move || n);
        }
        assert_eq!(pool.shutdown_now(), 5);
        let mut cancelled: Vec<_> = receiver
            .try_iter()
            .map(|(id, result)| {
                assert!(matches!(result, Err(TaskError::Cancelled)));
                id
            })
            .collect();
        cancelled.sort_unstable();
        assert_eq!(cancelled, ids);
        drop(full);
        assert_eq!(small.iter().count(), 1, "there is no room for more");
        drop(blocked);
        let late = pool.spawn_to(&sender, || 3);
        let (id, result) = receiver.recv().unwrap();
        assert_eq!(id, late);
        assert!(matches!(result, Err(TaskError::ShutDown)));
        tally.assert_even();
    });
}

#[test]
fn a_serial_pool_delivers_before_it_goes_on() {
    let (sender, receiver) = unbounded();
    let id = Pool::serial().spawn_to(&sender, || 3);
    assert_eq!(receiver.try_recv().map(|(id, result)| (id, result.unwrap())), Ok((id, 3)));
}

#[test]
fn a_result_whose_drop_panics_harms_nobody() {
    within(LONG, || {
        let pool = pool(1);
        let (sender, receiver) = unbounded();
        drop(receiver);
        pool.spawn_to(&sender, || PanicsOnDrop);
        pool.spawn(|| ()).join().unwrap();
        pool.shutdown();
        assert_eq!(pool.stats().unseen_panics, 1);
    });
}

#[test]
fn results_come_while_others_run() {
    within(LONG, || {
        let (pool, gate) = (pool(2), Gate::new());
        let _opener = gate.opener();
        let (sender, receiver) = unbounded();
        pool.spawn_to(&sender, move || gate.wait());
        let quick = pool.spawn_to(&sender, || ());
        assert_eq!(receiver.recv().unwrap().0, quick);
    });
}
