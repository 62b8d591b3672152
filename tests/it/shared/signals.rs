//! `Event`, `Barrier` and `Semaphore`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use manyhands::shared::{Barrier, Event, Semaphore};
use manyhands::{Pool, join_all};

use crate::beside::everywhere;
use crate::support::{LONG, eventually, pool, within};

const SHORT: Duration = Duration::from_millis(3);

#[test]
fn an_event_releases_all_who_wait_and_all_who_come() {
    everywhere(|beside| {
        let event = Event::new();
        assert!(!event.is_set() && !Event::default().is_set());
        let waiting = [0; 3].map(|_| {
            let event = event.clone();
            beside.start(move || event.wait())
        });
        event.set();
        waiting.into_iter().for_each(|other| other.end());
        assert!(event.is_set());
        event.wait();
        assert!(event.wait_timeout(Duration::ZERO));
        event.clear();
        assert!(!event.is_set() && !event.wait_timeout(Duration::ZERO));
    });
}

#[test]
fn an_event_that_is_cleared_at_once_releases_who_waited() {
    within(LONG, || {
        let pool = pool(1);
        let event = Event::new();
        let mine = event.clone();
        let waiting = pool.spawn(move || mine.wait_timeout(Duration::MAX));
        eventually("it waits", || pool.stats().parks > 0);
        event.set();
        event.clear();
        assert!(waiting.join().unwrap());
        assert!(!event.is_set());
    });
}

#[test]
fn a_wait_for_an_event_ends_at_its_timeout() {
    everywhere(|_| {
        let begin = Instant::now();
        assert!(!Event::new().wait_timeout(SHORT));
        assert!(begin.elapsed() >= SHORT);
    });
}

#[test]
fn nobody_passes_a_barrier_before_all_are_there() {
    everywhere(|beside| {
        let (barrier, arrived) = (Barrier::new(4), Arc::new(AtomicUsize::new(0)));
        let pass = |barrier: &Barrier, arrived: &AtomicUsize| {
            (1..=50)
                .filter(|round| {
                    arrived.fetch_add(1, SeqCst);
                    let is_leader = barrier.wait();
                    assert!(arrived.load(SeqCst) >= round * 4);
                    is_leader
                })
                .count()
        };
        let others = [0; 3].map(|_| {
            let (barrier, arrived) = (barrier.clone(), Arc::clone(&arrived));
            beside.start(move || pass(&barrier, &arrived))
        });
        let leaders = pass(&barrier, &arrived) + others.map(|it| it.end()).iter().sum::<usize>();
        assert_eq!(leaders, 50);
    });
}

#[test]
fn a_barrier_of_none_or_one_holds_nobody_up() {
    everywhere(|_| {
        for size in [0, 1] {
            let barrier = Barrier::new(size);
            assert!(barrier.wait() && barrier.wait());
            assert_eq!(barrier.wait_timeout(Duration::ZERO), Some(true));
        }
    });
}

#[test]
fn who_waits_at_a_barrier_too_long_is_not_counted() {
    everywhere(|beside| {
        let barrier = Barrier::new(2);
        let begin = Instant::now();
        assert_eq!(barrier.wait_timeout(SHORT), None);
        assert!(begin.elapsed() >= SHORT);
        assert_eq!(barrier.wait_timeout(Duration::ZERO), None);
        let other = barrier.clone();
        let other = beside.start(move || other.wait_timeout(Duration::MAX).unwrap());
        let mine = barrier.wait();
        assert!(mine != other.end(), "one of them leads");
    });
}

#[test]
fn more_tasks_than_threads_meet_at_a_barrier() {
    within(LONG, || {
        let pool = pool(1);
        let barrier = Barrier::new(9);
        let tasks = (0..9).map(|_| {
            let barrier = barrier.clone();
            pool.spawn(move || barrier.wait())
        });
        let tasks: Vec<_> = tasks.collect();
        eventually("they meet", || tasks.iter().all(|task| task.is_finished()));
        assert_eq!(join_all(tasks).unwrap().iter().filter(|it| **it).count(), 1);
        assert!(pool.stats().spares_started >= 8);
    });
}

#[test]
fn no_more_have_a_permit_than_there_are() {
    everywhere(|beside| {
        let (semaphore, inside) = (Semaphore::new(2), Arc::new(AtomicUsize::new(0)));
        let others = [0; 4].map(|_| {
            let (semaphore, inside) = (semaphore.clone(), Arc::clone(&inside));
            beside.start(move || {
                for _ in 0..100 {
                    let _permit = semaphore.acquire();
                    assert!(inside.fetch_add(1, SeqCst) < 2);
                    std::thread::yield_now();
                    inside.fetch_sub(1, SeqCst);
                }
            })
        });
        others.into_iter().for_each(|other| other.end());
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
fn a_permit_is_had_now_or_in_time_or_not() {
    everywhere(|beside| {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.try_acquire().unwrap();
        assert_eq!(semaphore.available(), 0);
        assert!(semaphore.try_acquire().is_none());
        assert!(semaphore.acquire_timeout(Duration::ZERO).is_none());
        let begin = Instant::now();
        assert!(semaphore.acquire_timeout(SHORT).is_none());
        assert!(begin.elapsed() >= SHORT);
        let other = semaphore.clone();
        let waiting = beside.start(move || other.acquire_timeout(Duration::MAX));
        drop(permit);
        let permit = waiting.end().unwrap();
        beside.start(move || drop(permit)).end();
        assert!(semaphore.acquire_timeout(Duration::ZERO).is_some());
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
fn a_semaphore_may_have_none_or_any_number_of_permits() {
    assert!(Semaphore::new(0).try_acquire().is_none());
    let many = Semaphore::new(usize::MAX);
    let permits: Vec<_> = (0..10).map(|_| many.acquire()).collect();
    assert_eq!(many.available(), usize::MAX - 10);
    drop(permits);
    assert_eq!(many.available(), usize::MAX);
}

#[test]
fn what_they_show_is_how_they_are() {
    let (event, semaphore) = (Event::new(), Semaphore::new(3));
    event.set();
    let permit = semaphore.acquire();
    assert_eq!(
        format!("{event:?} {:?}", Barrier::new(2)),
        "Event { is_set: true } Barrier { size: 2, .. }"
    );
    assert_eq!(format!("{permit:?}"), "Permit(Semaphore { available: 2 })");
}

#[test]
fn a_permit_is_given_back_by_a_panic() {
    let (pool, semaphore) = (Pool::new(1).unwrap(), Semaphore::new(1));
    let inside = semaphore.clone();
    let task = pool.spawn(move || {
        let _permit = inside.acquire();
        panic!("inside");
    });
    assert!(task.join().is_err());
    assert_eq!(semaphore.available(), 1);
}
