//! Detached tasks and their handles.

use std::any::Any;
use std::collections::HashSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use manyhands::{
    CancelOnDrop, JoinTimeoutError, Panic, Pool, TaskError, TaskHandle, TryJoinError, as_completed,
    join_all,
};

use crate::support::{
    Blocked, Counted, Gate, LONG, Opener, PanicsOnDrop, Tally, eventually, panic_of, pool, text_of,
    within,
};

const THREADS: [usize; 3] = [1, 2, 8];

/// Runs `body` with a pool of each size, within a time limit, and sees to it that the pool ends and
/// that all values that were made are dropped once by then.
fn with_pools(body: impl Fn(&Pool, &Tally) + Send + 'static) {
    within(LONG, move || {
        for threads in THREADS {
            let (pool, tally) = (pool(threads), Tally::new());
            body(&pool, &tally);
            drop(pool);
            tally.assert_even();
        }
    });
}

/// A task that returns `value`; its closure holds a value, too.
fn spawn_counted(pool: &Pool, tally: &Tally, value: usize) -> TaskHandle<Counted> {
    let (held, tally) = (tally.make(value), tally.clone());
    pool.spawn(move || {
        let held = held;
        tally.make(held.value)
    })
}

/// A task that has begun, and goes on when the gate is opened.
fn begun(pool: &Pool, tally: &Tally, value: usize) -> (TaskHandle<Counted>, Opener) {
    let gate = Gate::new();
    let (here, held, tally) = (gate.clone(), tally.make(value), tally.clone());
    let handle = pool.spawn(move || {
        let held = held;
        here.wait();
        tally.make(held.value)
    });
    gate.wait_for_arrivals(1);
    (handle, gate.opener())
}

fn is_cancelled<T>(result: &Result<T, TaskError>) -> bool {
    matches!(result, Err(TaskError::Cancelled))
}

#[track_caller]
fn panic_in<T>(result: Result<T, TaskError>) -> Panic {
    let Err(TaskError::Panicked(panic)) = result else { panic!("the task should have panicked") };
    panic
}

/// A worker is alive: it runs something that only a worker may run.
fn assert_works(pool: &Pool) {
    for n in 0..pool.threads() {
        assert_eq!(pool.install(move || n), n);
    }
}

//--- join

#[test]
fn join_gives_the_result() {
    with_pools(|pool, tally| {
        let handles: Vec<_> = (0..50).map(|n| spawn_counted(pool, tally, n)).collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap().value, n);
        }
    });
}

#[test]
fn join_runs_a_task_that_nobody_has_begun() {
    with_pools(|pool, tally| {
        let _blocked = Blocked::all(pool);
        let tally = tally.clone();
        let handle = pool.spawn(move || (tally.make(1), thread::current().id()));
        assert_eq!(handle.join().unwrap().1, thread::current().id());
    });
}

#[test]
fn join_waits_for_a_task_that_has_begun() {
    with_pools(|pool, tally| {
        let (handle, opener) = begun(pool, tally, 3);
        thread::scope(|s| {
            let joiner = s.spawn(|| handle.join().unwrap().value);
            drop(opener);
            assert_eq!(joiner.join().unwrap(), 3);
        });
    });
}

#[test]
fn a_handle_may_be_joined_on_another_pool_s_worker() {
    with_pools(|pool, tally| {
        let other = self::pool(1);
        let handle = spawn_counted(pool, tally, 4);
        assert_eq!(other.spawn(move || handle.join().unwrap().value).join().unwrap(), 4);
    });
}

#[test]
fn a_handle_outlives_its_pool() {
    with_pools(|_, tally| {
        let pool = pool(2);
        let (ready, cancelled) = (spawn_counted(&pool, tally, 5), spawn_counted(&pool, tally, 6));
        let is_cancelled = cancelled.cancel();
        drop(pool);
        assert_eq!(ready.join().unwrap().value, 5);
        assert!(!cancelled.cancel());
        assert_eq!(cancelled.join().is_err(), is_cancelled);
    });
}

#[test]
fn the_closure_is_dropped_before_join_returns() {
    with_pools(|pool, tally| {
        let held = tally.make(0);
        pool.spawn(move || drop(held)).join().unwrap();
        assert_eq!(tally.live(), 0);
        let unused = tally.make(0);
        // It is taken by the closure, which does nothing with it.
        pool.spawn(move || _ = &unused).join().unwrap();
        assert_eq!(tally.live(), 0);
    });
}

#[test]
fn a_result_of_any_size_comes_back() {
    with_pools(|pool, _| {
        pool.spawn(|| ()).join().unwrap();
        assert_eq!(pool.spawn(|| [7_u8; 100_000]).join().unwrap(), [7; 100_000]);
        assert_eq!(pool.spawn(Vec::<u8>::new).join().unwrap(), []);
    });
}

//--- join_timeout, try_join, is_finished

#[test]
fn join_timeout_gives_the_handle_back_and_runs_nothing() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let mut handle = spawn_counted(pool, tally, 1);
        let id = handle.id();
        for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(3)] {
            handle = match handle.join_timeout(timeout) {
                Err(JoinTimeoutError::TimedOut(handle)) => handle,
                result => panic!("{timeout:?}: {result:?}"),
            };
            assert_eq!((handle.id(), handle.is_finished()), (id, false));
            assert_eq!(tally.made(), 1, "the closure's");
        }
        drop(blocked);
        assert_eq!(handle.join().unwrap().value, 1);
    });
}

#[test]
fn join_timeout_of_a_task_that_runs_gives_the_handle_back() {
    with_pools(|pool, tally| {
        let (handle, opener) = begun(pool, tally, 1);
        let Err(JoinTimeoutError::TimedOut(handle)) = handle.join_timeout(Duration::ZERO) else {
            panic!("it runs")
        };
        drop(opener);
        assert_eq!(handle.join().unwrap().value, 1);
    });
}

#[test]
fn join_timeout_of_a_finished_task_needs_no_time() {
    with_pools(|pool, tally| {
        for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let handle = spawn_counted(pool, tally, 2);
            eventually("it ends", || handle.is_finished());
            assert_eq!(handle.join_timeout(timeout).unwrap().value, 2);
        }
    });
}

#[test]
fn join_timeout_without_end_waits_for_the_result() {
    with_pools(|pool, tally| {
        let (handle, opener) = begun(pool, tally, 3);
        thread::scope(|s| {
            let joiner = s.spawn(|| handle.join_timeout(Duration::MAX).unwrap().value);
            drop(opener);
            assert_eq!(joiner.join().unwrap(), 3);
        });
    });
}

#[test]
fn join_timeout_on_the_only_worker_lets_another_thread_run_the_task() {
    with_pools(|pool, tally| {
        let tally = tally.clone();
        let outer = pool.spawn(move || {
            let inner = spawn_counted(&Pool::current(), &tally, 4);
            inner.join_timeout(Duration::MAX).unwrap().value
        });
        assert_eq!(outer.join_timeout(Duration::MAX).unwrap(), 4);
    });
}

#[test]
fn join_timeout_says_why_there_is_no_result() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let cancelled = spawn_counted(pool, tally, 0);
        assert!(cancelled.cancel());
        let failed = cancelled.join_timeout(Duration::MAX);
        assert!(matches!(failed, Err(JoinTimeoutError::Failed(TaskError::Cancelled))));
        drop(blocked);
        let failed = pool.spawn(|| panic!("no")).join_timeout(Duration::MAX);
        let Err(JoinTimeoutError::Failed(error)) = failed else { panic!("it panicked") };
        assert_eq!(panic_in::<()>(Err(error)).message(), Some("no"));
    });
}

#[test]
fn many_timeouts_of_one_handle_do_no_harm() {
    with_pools(|pool, tally| {
        let (mut handle, opener) = begun(pool, tally, 9);
        let mut opener = Some(opener);
        for round in 0.. {
            match handle.join_timeout(Duration::from_micros(round % 7)) {
                Ok(counted) => return assert_eq!(counted.value, 9),
                Err(JoinTimeoutError::TimedOut(again)) => handle = again,
                Err(error) => panic!("{error:?}"),
            }
            if round == 200 {
                opener.take();
            }
        }
    });
}

#[test]
fn try_join_takes_a_result_that_is_there_and_runs_nothing() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let handle = spawn_counted(pool, tally, 1);
        let id = handle.id();
        let Err(TryJoinError::NotFinished(handle)) = handle.try_join() else {
            panic!("who ran it?")
        };
        assert_eq!((handle.id(), tally.made()), (id, 1));
        drop(blocked);
        eventually("it ends", || handle.is_finished());
        assert_eq!(handle.try_join().unwrap().value, 1);
    });
}

#[test]
fn try_join_says_why_there_is_no_result() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let cancelled = spawn_counted(pool, tally, 0);
        assert!(cancelled.cancel());
        assert!(matches!(cancelled.try_join(), Err(TryJoinError::Failed(TaskError::Cancelled))));
        drop(blocked);
        let panics = pool.spawn(|| panic!("no"));
        eventually("it ends", || panics.is_finished());
        assert!(matches!(panics.try_join(), Err(TryJoinError::Failed(TaskError::Panicked(_)))));
        assert_eq!(pool.stats().unseen_panics, 0);
    });
}

#[test]
fn is_finished_turns_true_once_the_task_has_ended_in_whatever_way() {
    with_pools(|pool, tally| {
        let (handle, opener) = begun(pool, tally, 0);
        assert!(!handle.is_finished());
        drop(opener);
        eventually("it is finished", || handle.is_finished());
        assert!(handle.is_finished());
        let panics = pool.spawn(|| panic!("no"));
        eventually("it is finished", || panics.is_finished());
        drop(panics.join());
        let _blocked = Blocked::all(pool);
        let cancelled = spawn_counted(pool, tally, 0);
        assert!(!cancelled.is_finished());
        cancelled.cancel();
        assert!(cancelled.is_finished());
    });
}

//--- cancel

#[test]
fn a_task_cancelled_before_it_begins_never_runs_and_drops_its_closure_at_once() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let handle = spawn_counted(pool, tally, 0);
        assert!(handle.cancel());
        assert_eq!((tally.made(), tally.live()), (1, 0));
        assert!(is_cancelled(&handle.join()));
        drop(blocked);
        pool.shutdown();
        assert_eq!(tally.made(), 1);
    });
}

#[test]
fn a_task_that_runs_or_has_ended_cannot_be_cancelled() {
    with_pools(|pool, tally| {
        let (handle, opener) = begun(pool, tally, 5);
        assert!(!handle.cancel());
        drop(opener);
        eventually("it ends", || handle.is_finished());
        assert!(!handle.cancel());
        assert_eq!(handle.join().unwrap().value, 5);
    });
}

#[test]
fn a_task_is_cancelled_once() {
    with_pools(|pool, tally| {
        let _blocked = Blocked::all(pool);
        let handle = spawn_counted(pool, tally, 0);
        assert!(handle.cancel());
        assert!(!handle.cancel());
        assert!(!handle.cancel());
        assert!(is_cancelled(&handle.join()));
    });
}

#[test]
fn one_of_many_threads_cancels_a_task() {
    with_pools(|pool, tally| {
        let _blocked = Blocked::all(pool);
        for _ in 0..100 {
            let handle = spawn_counted(pool, tally, 0);
            let cancel = || usize::from(handle.cancel());
            let cancels = thread::scope(|s| {
                let others = [s.spawn(cancel), s.spawn(cancel)];
                cancel() + others.map(|other| other.join().unwrap()).iter().sum::<usize>()
            });
            assert_eq!(cancels, 1);
        }
    });
}

#[test]
fn a_task_that_cancels_itself_runs_on() {
    with_pools(|pool, _| {
        let (send, receive) = mpsc::channel::<TaskHandle<()>>();
        let (say, said) = mpsc::channel();
        let handle = pool.spawn(move || say.send(receive.recv().unwrap().cancel()).unwrap());
        send.send(handle).unwrap();
        assert!(!said.recv().unwrap());
    });
}

#[test]
fn a_race_of_cancel_and_run_has_one_outcome() {
    with_pools(|pool, tally| {
        let runs = Arc::new(AtomicUsize::new(0));
        let mut cancels = 0;
        for round in 0..4000 {
            let before = runs.load(Ordering::SeqCst);
            let (held, made, counter) = (tally.make(round), tally.clone(), Arc::clone(&runs));
            let handle = pool.spawn(move || {
                let held = held;
                counter.fetch_add(1, Ordering::SeqCst);
                made.make(held.value)
            });
            (0..round % 50).for_each(|_| std::hint::spin_loop());
            let is_cancelled = handle.cancel();
            cancels += usize::from(is_cancelled);
            match handle.join() {
                Ok(counted) => assert_eq!((counted.value, is_cancelled), (round, false)),
                Err(TaskError::Cancelled) => assert!(is_cancelled),
                Err(error) => panic!("{error}"),
            }
            let ran = runs.load(Ordering::SeqCst) - before;
            assert_eq!(ran, usize::from(!is_cancelled));
            assert_eq!(tally.live(), 0);
        }
        assert_eq!(runs.load(Ordering::SeqCst) + cancels, 4000);
    });
}

#[test]
fn a_race_of_join_and_a_cancelling_shutdown_has_one_outcome() {
    within(LONG, || {
        let tally = Tally::new();
        for round in 0..300 {
            let pool = pool(1 + round % 2);
            let handles: Vec<_> = (0..4).map(|n| spawn_counted(&pool, &tally, n)).collect();
            let (ran, cancelled) = thread::scope(|s| {
                let cancels = s.spawn(|| pool.shutdown_now());
                let results: Vec<_> = handles.into_iter().map(TaskHandle::join).collect();
                let ran = results.iter().filter(|result| result.is_ok()).count();
                assert_eq!(results.iter().filter(|it| is_cancelled(it)).count(), 4 - ran);
                (ran, cancels.join().unwrap())
            });
            assert_eq!(ran + cancelled, 4);
            drop(pool);
            tally.assert_even();
        }
    });
}

#[test]
fn a_closure_whose_drop_panics_is_cancelled_all_the_same() {
    with_pools(|pool, _| {
        let blocked = Blocked::all(pool);
        let bomb = PanicsOnDrop;
        let handle = pool.spawn(move || _ = &bomb);
        assert!(handle.cancel());
        assert!(is_cancelled(&handle.join()));
        drop(blocked);
        assert_works(pool);
    });
}

#[test]
fn a_closure_may_use_its_pool_while_it_is_dropped_by_cancel() {
    struct Uses(Pool);

    impl Drop for Uses {
        fn drop(&mut self) {
            assert_eq!(self.0.map([1, 2], |x| x + 1), [2, 3]);
            assert_eq!(self.0.spawn(|| 1).join().unwrap(), 1);
        }
    }

    with_pools(|pool, _| {
        let _blocked = Blocked::all(pool);
        let uses = Uses(pool.clone());
        let handle = pool.spawn(move || _ = &uses);
        assert!(handle.cancel());
    });
}

//--- id, detach, drop

#[test]
fn ids_differ_between_tasks_threads_and_pools() {
    within(LONG, || {
        let pools = [pool(1), pool(2), Pool::serial()];
        let ids = |pool: &Pool| (0..100).map(|_| pool.spawn(|| ()).id()).collect::<Vec<_>>();
        let all: Vec<_> = thread::scope(|s| {
            let threads: Vec<_> = pools.iter().map(|pool| s.spawn(move || ids(pool))).collect();
            let here: Vec<_> = pools.iter().flat_map(ids).collect();
            here.into_iter().chain(threads.into_iter().flat_map(|it| it.join().unwrap())).collect()
        });
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 600);
    });
}

#[test]
fn a_detached_task_runs() {
    with_pools(|pool, tally| {
        let runs = Arc::new(AtomicUsize::new(0));
        for n in 0..20 {
            let (runs, held) = (Arc::clone(&runs), tally.make(n));
            let handle = pool.spawn(move || {
                runs.fetch_add(1, Ordering::SeqCst);
                held
            });
            if n % 2 == 0 { handle.detach() } else { drop(handle) }
        }
        pool.shutdown();
        assert_eq!(runs.load(Ordering::SeqCst), 20);
        tally.assert_even();
    });
}

#[test]
fn the_result_of_a_dropped_handle_is_dropped_whenever_that_was() {
    with_pools(|pool, tally| {
        let (running, opener) = begun(pool, tally, 0);
        drop(running);
        drop(opener);
        let finished = spawn_counted(pool, tally, 0);
        eventually("it ends", || finished.is_finished());
        drop(finished);
        let blocked = Blocked::all(pool);
        drop(spawn_counted(pool, tally, 0));
        drop(blocked);
    });
}

#[test]
fn a_race_of_the_handle_s_drop_and_the_end_of_the_task_drops_the_result_once() {
    with_pools(|pool, tally| {
        for round in 0..3000 {
            let handle = spawn_counted(pool, tally, round);
            (0..round % 200).for_each(|_| std::hint::spin_loop());
            drop(handle);
        }
        pool.shutdown();
        assert_eq!(tally.made(), 6000);
    });
}

//--- cancel_on_drop

#[test]
fn a_dropped_cancel_on_drop_cancels_a_queued_task() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        drop(spawn_counted(pool, tally, 0).cancel_on_drop());
        assert_eq!((tally.made(), tally.live()), (1, 0));
        drop(blocked);
        pool.shutdown();
        assert_eq!(tally.made(), 1);
    });
}

#[test]
fn a_dropped_cancel_on_drop_leaves_a_task_that_runs_alone() {
    with_pools(|pool, tally| {
        let (handle, opener) = begun(pool, tally, 0);
        drop(handle.cancel_on_drop());
        drop(opener);
        pool.shutdown();
        assert_eq!(tally.made(), 2, "the closure's and the result");
    });
}

#[test]
fn cancel_on_drop_can_be_joined_detached_and_asked() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let joined = spawn_counted(pool, tally, 1).cancel_on_drop();
        assert!(!joined.is_finished());
        assert_eq!(joined.join().unwrap().value, 1);
        let runs = Arc::new(AtomicUsize::new(0));
        let detached = Arc::clone(&runs);
        pool.spawn(move || detached.fetch_add(1, Ordering::SeqCst)).cancel_on_drop().detach();
        drop(blocked);
        let asked = spawn_counted(pool, tally, 2).cancel_on_drop();
        eventually("it ends", || asked.is_finished());
        drop(asked);
        pool.shutdown();
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn cancel_on_drop_can_be_awaited() {
    with_pools(|pool, tally| {
        let handle: CancelOnDrop<_> = spawn_counted(pool, tally, 3).cancel_on_drop();
        assert_eq!(block_on(handle).unwrap().value, 3);
    });
}

#[test]
fn a_panic_under_a_cancel_on_drop_that_is_dropped_later_is_unseen() {
    with_pools(|pool, _| {
        let handle = pool.spawn(|| panic!("nobody looks")).cancel_on_drop();
        eventually("it ends", || handle.is_finished());
        assert_eq!(pool.stats().unseen_panics, 0);
        drop(handle);
        assert_eq!(pool.stats().unseen_panics, 1);
    });
}

//--- Future

/// Counts how often it was woken.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Wakes a thread that is parked in [`block_on`].
struct Unparks(thread::Thread);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unparks(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

fn poll<F: Future + Unpin>(
    future: &mut F,
    waker: &Arc<impl Wake + Send + Sync + 'static>,
) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(waker));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

#[test]
fn a_polled_handle_wakes_once_and_then_is_ready() {
    with_pools(|pool, tally| {
        let (mut handle, opener) = begun(pool, tally, 6);
        let waker = Arc::new(Counting::default());
        assert!(poll(&mut handle, &waker).is_pending());
        assert_eq!(waker.wakes(), 0);
        drop(opener);
        eventually("it is woken", || waker.wakes() == 1);
        let Poll::Ready(Ok(counted)) = poll(&mut handle, &waker) else { panic!("it was woken") };
        assert_eq!(counted.value, 6);
        drop(handle);
        assert_eq!((waker.wakes(), Arc::strong_count(&waker)), (1, 1));
    });
}

#[test]
fn only_the_last_waker_is_woken_and_no_other_is_kept() {
    with_pools(|pool, tally| {
        let (mut handle, opener) = begun(pool, tally, 0);
        let (first, last) = (Arc::new(Counting::default()), Arc::new(Counting::default()));
        for _ in 0..3 {
            assert!(poll(&mut handle, &first).is_pending());
        }
        assert_eq!(Arc::strong_count(&first), 2);
        assert!(poll(&mut handle, &last).is_pending());
        assert_eq!(Arc::strong_count(&first), 1);
        drop(opener);
        eventually("it is woken", || last.wakes() == 1);
        assert_eq!(first.wakes(), 0);
        assert!(poll(&mut handle, &last).is_ready());
    });
}

#[test]
fn a_poll_runs_nothing() {
    with_pools(|pool, tally| {
        let _blocked = Blocked::all(pool);
        let mut handle = spawn_counted(pool, tally, 0);
        assert!(poll(&mut handle, &Arc::new(Counting::default())).is_pending());
        assert_eq!(tally.made(), 1);
        assert!(handle.cancel());
        let result = poll(&mut handle, &Arc::new(Counting::default()));
        assert!(matches!(result, Poll::Ready(Err(TaskError::Cancelled))));
    });
}

#[test]
fn a_cancellation_wakes_the_waker() {
    with_pools(|pool, tally| {
        let _blocked = Blocked::all(pool);
        let mut handle = spawn_counted(pool, tally, 0);
        let waker = Arc::new(Counting::default());
        assert!(poll(&mut handle, &waker).is_pending());
        assert!(handle.cancel());
        assert_eq!(waker.wakes(), 1);
    });
}

#[test]
fn a_polled_handle_can_still_be_joined_in_every_way() {
    with_pools(|pool, tally| {
        let waker = Arc::new(Counting::default());
        let polled = |value| {
            let (mut handle, opener) = begun(pool, tally, value);
            assert!(poll(&mut handle, &waker).is_pending());
            (handle, opener)
        };
        let (handle, opener) = polled(1);
        let Err(JoinTimeoutError::TimedOut(handle)) = handle.join_timeout(Duration::ZERO) else {
            panic!("it runs")
        };
        drop(opener);
        assert_eq!(handle.join().unwrap().value, 1);
        let (handle, opener) = polled(2);
        drop(opener);
        let mut all = as_completed([handle]);
        assert_eq!(all.next().unwrap().1.unwrap().value, 2);
        let (handle, opener) = polled(3);
        drop(handle);
        drop(opener);
        pool.shutdown();
        assert_eq!(Arc::strong_count(&waker), 1);
    });
}

#[test]
fn a_race_of_poll_and_end_loses_no_wake() {
    with_pools(|pool, tally| {
        for n in 0..1000 {
            assert_eq!(block_on(spawn_counted(pool, tally, n)).unwrap().value, n);
        }
    });
}

#[test]
fn awaited_handles_chain() {
    with_pools(|pool, tally| {
        let sum = block_on(async {
            let mut sum = 0;
            for n in 0..10 {
                sum += spawn_counted(pool, tally, n).await.unwrap().value;
            }
            sum
        });
        assert_eq!(sum, 45);
    });
}

#[test]
fn an_awaited_panic_is_an_error_and_seen() {
    with_pools(|pool, _| {
        let result = block_on(pool.spawn(|| panic!("seen")));
        assert_eq!(panic_in::<()>(result).message(), Some("seen"));
        assert_eq!(pool.stats().unseen_panics, 0);
    });
}

/// Panics when it is woken, with a payload whose drop panics, too.
struct PanicsOnWake;

impl Wake for PanicsOnWake {
    fn wake(self: Arc<Self>) {
        panic_any(PanicsOnDrop);
    }
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    with_pools(|pool, tally| {
        let (mut handle, opener) = begun(pool, tally, 1);
        assert!(poll(&mut handle, &Arc::new(PanicsOnWake)).is_pending());
        drop(opener);
        eventually("it ends", || handle.is_finished());
        assert_eq!(handle.join().unwrap().value, 1);
        assert_works(pool);
    });
}

/// Does nothing, but its drop panics.
struct DropPanics(PanicsOnDrop);

impl Wake for DropPanics {
    fn wake(self: Arc<Self>) {
        std::mem::forget(self);
    }
}

#[test]
fn a_waker_whose_drop_panics_on_a_worker_harms_nobody() {
    with_pools(|pool, tally| {
        let (mut handle, opener) = begun(pool, tally, 1);
        assert!(poll(&mut handle, &Arc::new(DropPanics(PanicsOnDrop))).is_pending());
        // The task has the last share of the waker now, and its worker frees it.
        drop(handle);
        drop(opener);
        let next = spawn_counted(pool, tally, 2);
        // If it fails, nobody waits for the pool any more.
        pool.shutdown_timeout(LONG / 6).unwrap();
        assert_eq!(next.join().unwrap().value, 2);
    });
}

//--- as_completed

#[test]
fn as_completed_of_nothing_is_empty() {
    let mut none = as_completed(Vec::<TaskHandle<()>>::new());
    assert_eq!(none.len(), 0);
    assert!(none.next().is_none());
    assert!(none.next().is_none());
}

#[test]
fn as_completed_yields_in_the_order_of_completion() {
    within(LONG, || {
        let (pool, tally) = (pool(8), Tally::new());
        let (handles, mut openers): (Vec<_>, Vec<_>) = (0..8)
            .map(|n| begun(&pool, &tally, n))
            .map(|(handle, opener)| (handle, Some(opener)))
            .unzip();
        let mut all = as_completed(handles);
        for (taken, next) in [5, 0, 7, 2, 1, 6, 3, 4].into_iter().enumerate() {
            assert_eq!(all.len(), 8 - taken);
            openers[next].take();
            let (index, result) = all.next().unwrap();
            assert_eq!((index, result.unwrap().value), (next, next));
        }
        assert!(all.next().is_none());
        drop(pool);
        tally.assert_even();
    });
}

#[test]
fn as_completed_runs_tasks_that_nobody_has_begun() {
    with_pools(|pool, tally| {
        let _blocked = Blocked::all(pool);
        let handles = (0..10).map(|n| {
            let tally = tally.clone();
            pool.spawn(move || (tally.make(n), thread::current().id()))
        });
        let mut indices = Vec::new();
        for (index, result) in as_completed(handles) {
            let (counted, thread) = result.unwrap();
            assert_eq!((counted.value, thread), (index, thread::current().id()));
            indices.push(index);
        }
        assert_eq!(indices, Vec::from_iter(0..10));
    });
}

#[test]
fn as_completed_yields_each_index_once_whatever_became_of_the_task() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let handles: Vec<_> = (0..40)
            .map(|n| {
                let held = tally.make(n);
                let handle = pool.spawn(move || {
                    assert!(held.value % 4 != 1, "as it should");
                    held
                });
                if n % 4 == 2 {
                    assert!(handle.cancel());
                }
                handle
            })
            .collect();
        drop(blocked);
        let mut seen = HashSet::new();
        for (index, result) in as_completed(handles) {
            assert!(seen.insert(index));
            match index % 4 {
                1 => assert_eq!(panic_in(result).message(), Some("as it should")),
                2 => assert!(is_cancelled(&result)),
                _ => assert_eq!(result.unwrap().value, index),
            }
        }
        assert_eq!(seen.len(), 40);
        assert_eq!(pool.stats().unseen_panics, 0);
    });
}

#[test]
fn as_completed_inside_a_task_ends() {
    with_pools(|pool, tally| {
        let tally = tally.clone();
        let outer = pool.spawn(move || {
            let pool = Pool::current();
            let handles = (0..20).map(|n| spawn_counted(&pool, &tally, n));
            as_completed(handles).map(|(_, result)| result.unwrap().value).sum::<usize>()
        });
        assert_eq!(outer.join().unwrap(), 190);
    });
}

#[test]
fn as_completed_takes_handles_of_many_pools() {
    with_pools(|pool, tally| {
        let (other, serial) = (self::pool(1), Pool::serial());
        let pools = [pool, &other, &serial];
        let handles = (0..30).map(|n| spawn_counted(pools[n % 3], tally, n));
        let sum: usize = as_completed(handles).map(|(_, result)| result.unwrap().value).sum();
        assert_eq!(sum, 435);
    });
}

#[test]
fn as_completed_dropped_early_detaches_the_rest() {
    with_pools(|pool, tally| {
        let blocked = Blocked::all(pool);
        let mut all = as_completed((0..10).map(|n| spawn_counted(pool, tally, n)));
        assert_eq!(all.next().unwrap().0, 0);
        drop(all);
        drop(blocked);
        pool.shutdown();
        assert_eq!(tally.made(), 20, "ten closures and ten results");
    });
}

#[test]
fn panics_in_a_dropped_as_completed_are_unseen() {
    with_pools(|pool, _| {
        let handles: Vec<_> = (0..3).map(|_| pool.spawn(|| panic!("nobody looks"))).collect();
        let all = as_completed(handles);
        eventually("all end", || pool.stats().jobs_run >= 3);
        drop(all);
        pool.shutdown();
        assert_eq!(pool.stats().unseen_panics, 3);
    });
}

//--- joins on the worker that has spawned

/// The numbers below `count`, each once, in an order that looks like none.
fn shuffled(count: usize) -> Vec<usize> {
    (0..count).map(|n| n * 7919 % count).collect()
}

#[test]
fn a_worker_may_join_what_it_has_spawned_in_any_order() {
    const TASKS: usize = 1_000;

    let orders = [(0..TASKS).collect(), (0..TASKS).rev().collect(), shuffled(TASKS)];
    with_pools(move |pool, tally| {
        for order in &orders {
            pool.install(|| {
                let spawn = |n| Some(spawn_counted(pool, tally, n));
                let mut handles: Vec<_> = (0..TASKS).map(spawn).collect();
                for &n in order {
                    let result = handles[n].take().unwrap().join().unwrap();
                    assert_eq!(result.value, n);
                }
            });
            eventually("nothing is queued any more", || pool.stats().queued == 0);
        }
    });
}

#[test]
fn what_a_worker_joins_next_may_be_cancelled_detached_or_panic() {
    with_pools(|pool, tally| {
        pool.install(|| {
            let spawn = |n: usize| {
                let held = tally.make(n);
                pool.spawn(move || {
                    assert!(held.value % 4 != 1, "{}", held.value);
                    held
                })
            };
            let handles: Vec<_> = (0..400).map(spawn).collect();
            for (n, handle) in handles.into_iter().enumerate() {
                match n % 4 {
                    0 => assert_eq!(handle.join().unwrap().value, n),
                    1 => assert_eq!(panic_in(handle.join()).message(), Some(&*n.to_string())),
                    2 => handle.detach(),
                    _ if handle.cancel() => {
                        assert!(matches!(handle.join(), Err(TaskError::Cancelled)));
                    }
                    _ => assert_eq!(handle.join().unwrap().value, n),
                }
            }
        });
    });
}

//--- join_all

#[test]
fn join_all_of_nothing_is_nothing() {
    assert!(join_all(Vec::<TaskHandle<()>>::new()).unwrap().is_empty());
}

#[test]
fn join_all_keeps_the_order() {
    with_pools(|pool, tally| {
        let results = join_all((0..100).map(|n| spawn_counted(pool, tally, n))).unwrap();
        assert!(results.iter().map(|counted| counted.value).eq(0..100));
    });
}

#[test]
fn join_all_gives_the_error_of_the_lowest_index_after_all_have_ended() {
    with_pools(|pool, tally| {
        let ended = Arc::new(AtomicUsize::new(0));
        let handles = (0..20).map(|n| {
            let (held, ended) = (tally.make(n), Arc::clone(&ended));
            pool.spawn(move || {
                ended.fetch_add(1, Ordering::SeqCst);
                assert!(held.value != 17 && held.value != 5, "{}", held.value);
                held
            })
        });
        let panic = panic_in(join_all(handles));
        assert_eq!(panic.message(), Some("5"));
        assert_eq!(ended.load(Ordering::SeqCst), 20);
    });
}

#[test]
fn join_all_waits_for_all_though_what_it_drops_panics() {
    enum Value {
        Plain,
        Bomb(PanicsOnDrop),
    }

    with_pools(|pool, _| {
        for is_value in [true, false] {
            let blocked = Blocked::all(pool);
            let ended = Arc::new(AtomicUsize::new(0));
            let handles: Vec<_> = (0..4)
                .map(|n| {
                    let ended = Arc::clone(&ended);
                    pool.spawn(move || {
                        ended.fetch_add(1, Ordering::SeqCst);
                        match n {
                            0 => panic!("the first"),
                            1 if is_value => Value::Bomb(PanicsOnDrop),
                            1 => panic_any(PanicsOnDrop),
                            _ => Value::Plain,
                        }
                    })
                })
                .collect();
            let result = catch_unwind(AssertUnwindSafe(|| join_all(handles)));
            assert_eq!(ended.load(Ordering::SeqCst), 4, "all have ended when it returns");
            assert_eq!(panic_in(result.unwrap()).message(), Some("the first"));
            drop(blocked);
        }
    });
}

#[test]
fn a_panic_that_join_all_passes_over_is_unseen() {
    with_pools(|pool, _| {
        let handles: Vec<TaskHandle<()>> =
            (0..3).map(|n| pool.spawn(move || panic!("{n}"))).collect();
        assert_eq!(panic_in(join_all(handles)).message(), Some("0"));
        assert_eq!(pool.stats().unseen_panics, 2);
    });
}

//--- panics

#[test]
fn a_panic_keeps_its_text_and_its_payload() {
    with_pools(|pool, tally| {
        let fixed = panic_in(pool.spawn(|| panic!("fixed")).join());
        assert_eq!(fixed.message(), Some("fixed"));
        assert_eq!(fixed.to_string(), "fixed");
        assert!(fixed.into_payload().is::<&'static str>());
        let number = 7;
        let formatted = panic_in(pool.spawn(move || panic!("number {number}")).join());
        assert_eq!(formatted.message(), Some("number 7"));
        assert_eq!(*formatted.into_payload().downcast::<String>().unwrap(), "number 7");
        let counted = tally.make(8);
        let other = panic_in(pool.spawn(move || panic_any(counted)).join());
        assert_eq!(other.message(), None);
        assert_eq!(other.into_payload().downcast::<Counted>().unwrap().value, 8);
    });
}

#[test]
fn a_panic_resumes_with_its_payload() {
    with_pools(|pool, tally| {
        let panic = panic_in(pool.spawn(|| panic!("again")).join());
        assert_eq!(text_of(panic_of(|| panic.resume())), "again");
        let counted = tally.make(9);
        let panic = panic_in(pool.spawn(move || panic_any(counted)).join());
        let payload: Box<dyn Any + Send> = panic_of(|| panic.resume());
        assert_eq!(payload.downcast::<Counted>().unwrap().value, 9);
    });
}

#[test]
fn a_task_that_panics_costs_no_worker() {
    with_pools(|pool, tally| {
        for n in 0..50 {
            let held = tally.make(n);
            let handle = pool.spawn(move || panic_any(held));
            drop(handle.join());
        }
        assert_works(pool);
        assert_eq!(pool.stats().unseen_panics, 0);
    });
}

#[test]
fn a_payload_whose_drop_panics_harms_nobody() {
    with_pools(|pool, tally| {
        let bomb = || pool.spawn(|| panic_any(PanicsOnDrop));
        // Dropped by its worker, by the handle, and not at all.
        bomb().detach();
        let finished = bomb();
        eventually("it ends", || finished.is_finished());
        drop(finished);
        std::mem::forget(panic_in(bomb().join()).into_payload());
        assert_works(pool);
        assert_eq!(spawn_counted(pool, tally, 1).join().unwrap().value, 1);
        pool.shutdown();
        assert_eq!(pool.stats().unseen_panics, 2);
    });
}

#[test]
fn a_result_whose_drop_panics_harms_nobody() {
    with_pools(|pool, _| {
        pool.spawn(|| PanicsOnDrop).detach();
        let finished = pool.spawn(|| PanicsOnDrop);
        eventually("it ends", || finished.is_finished());
        drop(finished);
        let gate = Gate::new();
        let here = gate.clone();
        let running = pool.spawn(move || {
            here.wait();
            PanicsOnDrop
        });
        gate.wait_for_arrivals(1);
        drop(running);
        gate.open();
        assert_works(pool);
        pool.shutdown();
    });
}

#[test]
fn a_closure_whose_drop_panics_after_its_run_is_a_panic_of_the_task() {
    with_pools(|pool, tally| {
        let (bomb, held) = (PanicsOnDrop, tally.make(0));
        let handle = pool.spawn(move || _ = (&bomb, &held));
        assert_eq!(panic_in(handle.join()).message(), Some("from a drop"));
        assert_works(pool);
    });
}

#[test]
fn a_closure_refused_by_a_pool_that_is_shut_down_is_dropped_once() {
    with_pools(|pool, tally| {
        pool.shutdown();
        let handle = spawn_counted(pool, tally, 0);
        assert_eq!((tally.made(), tally.live()), (1, 0));
        assert!(handle.is_finished());
        assert!(!handle.cancel());
        assert!(matches!(handle.join(), Err(TaskError::ShutDown)));
    });
}

#[test]
fn on_panic_sees_the_panics_of_detached_tasks_only() {
    within(LONG, || {
        for threads in THREADS {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let push = {
                let seen = Arc::clone(&seen);
                move |panic: &Panic| seen.lock().unwrap().push(panic.to_string())
            };
            let pool = Pool::builder().threads(threads).on_panic(push).build().unwrap();
            pool.spawn(|| panic!("detached")).detach();
            let dropped_late = pool.spawn(|| panic!("dropped"));
            eventually("it ends", || dropped_late.is_finished());
            drop(dropped_late);
            drop(pool.spawn(|| panic!("joined")).join());
            drop(block_on(pool.spawn(|| panic!("awaited"))));
            drop(pool.spawn(|| panic!("timed")).join_timeout(Duration::MAX));
            drop(join_all([pool.spawn(|| panic!("all"))]));
            as_completed([pool.spawn(|| panic!("completed"))]).for_each(drop);
            pool.shutdown();
            let mut seen = seen.lock().unwrap().clone();
            seen.sort();
            assert_eq!(seen, ["detached", "dropped"]);
            assert_eq!(pool.stats().unseen_panics, 2);
        }
    });
}

#[test]
fn an_on_panic_that_panics_harms_nobody() {
    within(LONG, || {
        for threads in THREADS {
            let builder = Pool::builder().threads(threads).on_panic(|_| panic_any(PanicsOnDrop));
            let pool = builder.build().unwrap();
            for _ in 0..10 {
                pool.spawn(|| panic!("first")).detach();
            }
            let late = pool.spawn(|| panic!("late"));
            eventually("it ends", || late.is_finished());
            drop(late);
            assert_works(&pool);
            pool.shutdown();
            assert_eq!(pool.stats().unseen_panics, 11);
        }
    });
}

#[test]
fn an_on_panic_may_use_the_pool() {
    within(LONG, || {
        for threads in THREADS {
            let sum = Arc::new(AtomicUsize::new(0));
            let adds = Arc::clone(&sum);
            let on_panic = move |_: &Panic| {
                let pool = Pool::current();
                adds.fetch_add(pool.map(0..10_usize, |n| n).iter().sum(), Ordering::SeqCst);
                adds.fetch_add(pool.spawn(|| 5).join().unwrap(), Ordering::SeqCst);
            };
            let pool = Pool::builder().threads(threads).on_panic(on_panic).build().unwrap();
            pool.spawn(|| panic!("on a worker")).detach();
            pool.shutdown();
            assert_eq!(sum.load(Ordering::SeqCst), 50);
        }
    });
}

#[test]
fn a_handle_says_what_it_is() {
    with_pools(|pool, tally| {
        let handle = spawn_counted(pool, tally, 0);
        let id = format!("{:?}", handle.id());
        assert!(format!("{handle:?}").contains(&id));
        assert!(format!("{:?}", handle.cancel_on_drop()).contains("CancelOnDrop"));
    });
}
