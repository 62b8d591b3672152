//! Every call of the public interface, with the inference that users rely on.
//!
//! This file uses nothing but the crate and std: it compiles as a test of any crate that depends
//! on `manyhands` alone.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::channel::{
    self, Pipe, Receiver, RecvError, RecvTimeoutError, Select, SendError, SendTimeoutError, Sender,
    TryRecvError, TrySendError,
};
use manyhands::shared::{Array, Barrier, Event, Number, Permit, Semaphore, Value};
use manyhands::source::{self, Chunks, ChunksMut, Enumerate, Integers, Owned, Slice, SliceMut};
use manyhands::source::{Int, IntoSource, Source, Windows, Zip};
use manyhands::{
    AsCompleted, BuildError, CancelOnDrop, JoinTimeoutError, Panic, Pool, PoolBuilder, Scope,
    ScopedHandle, Stats, StillRunning, TaskError, TaskHandle, TaskId, TryJoinError,
};

type Outcome = Result<(), Box<dyn Error>>;

// Pool

#[test]
fn a_pool_is_built_from_a_number() -> Outcome {
    let pool = Pool::new(3)?;
    assert_eq!(pool.threads(), 3);
    let again: Pool = pool.clone();
    drop(pool);
    assert_eq!(again.threads(), 3);
    assert!(matches!(Pool::new(0), Err(BuildError::NoThreads)));
    Ok(())
}

#[test]
fn a_builder_takes_every_option() -> Outcome {
    let started = Arc::new(AtomicUsize::new(0));
    let ended = Arc::new(AtomicUsize::new(0));
    let (messages, unseen) = mpsc::channel();
    let (starts, ends) = (started.clone(), ended.clone());
    let pool = Pool::builder()
        .threads(2)
        .name("etl")
        .stack_size(1 << 20)
        .on_start(move |index| {
            assert!(index < 2);
            starts.fetch_add(1, SeqCst);
        })
        .on_exit(move |_index| {
            ends.fetch_add(1, SeqCst);
        })
        .on_panic(move |panic: &Panic| {
            messages.send(panic.message().map(String::from)).expect("the test listens");
        })
        .strict(true)
        .workers_only(true)
        .build()?;
    let name = pool.install(|| thread::current().name().map(String::from));
    assert!(name.as_deref().is_some_and(|name| name.starts_with("etl-")), "{name:?}");
    pool.spawn(|| panic!("nobody looks")).detach();
    assert_eq!(unseen.recv()?.as_deref(), Some("nobody looks"));
    drop(pool);
    assert_eq!((started.load(SeqCst), ended.load(SeqCst)), (2, 2));
    Ok(())
}

#[test]
fn a_builder_has_as_many_threads_as_cpus_by_default() -> Outcome {
    assert!(Pool::builder().build()?.threads() >= 1);
    Ok(())
}

#[test]
fn the_global_pool_is_there_without_any_preparation() -> Outcome {
    let global: &'static Pool = Pool::global();
    assert_eq!(global.map([1, 2, 3], |x| x * x), [1, 4, 9]);
    let pool = Pool::new(1)?;
    let given_back: Pool = Pool::set_global(pool).expect_err("it has been used");
    assert_eq!(given_back.threads(), 1);
    Ok(())
}

#[test]
fn the_global_pool_survives_its_shutdown() -> Outcome {
    let early = Pool::global().spawn(|| 1);
    Pool::global().shutdown();
    assert!(early.is_finished());
    assert_eq!(Pool::global().spawn(|| 2).join()?, 2);
    Ok(())
}

#[test]
fn the_current_pool_is_the_one_whose_code_runs() -> Outcome {
    let pool = Pool::new(3)?;
    assert_eq!(pool.spawn(|| Pool::current().threads()).join()?, 3);
    assert_eq!(pool.map([(); 9], |()| Pool::current().threads()), [3; 9]);
    assert_eq!(pool.join(|| Pool::current().threads(), || Pool::current().threads()), (3, 3));
    assert_eq!(pool.scope(|_| Pool::current().threads()), 3);
    assert_eq!(pool.install(|| Pool::current().threads()), 3);
    assert_eq!(Pool::current().threads(), Pool::global().threads());
    Ok(())
}

#[test]
fn the_current_pool_is_that_of_the_innermost_call() -> Outcome {
    let (outer, inner) = (Pool::new(2)?, Pool::new(3)?);
    let seen = outer.map(0..4, |_| {
        inner.map(0..4, |_| {
            let outer_again = outer.map(0..4, |_| Pool::current().threads());
            let by_join = outer.join(|| Pool::current().threads(), || Pool::current().threads());
            let by_scope = outer.scope(|_| Pool::current().threads());
            (outer_again, by_join, by_scope, Pool::current().threads())
        })
    });
    for (again, by_join, by_scope, innermost) in seen.into_iter().flatten() {
        assert_eq!(innermost, 3);
        assert_eq!(again, [2; 4]);
        assert_eq!(by_join, (2, 2));
        assert_eq!(by_scope, 2);
    }
    Ok(())
}

#[test]
fn a_serial_pool_runs_everything_here_and_in_order() -> Outcome {
    let pool = Pool::serial();
    assert_eq!(pool.threads(), 0);
    let me = thread::current().id();
    let order = Mutex::new(Vec::new());
    pool.for_each(0..5, |n| {
        assert_eq!(thread::current().id(), me);
        order.lock().expect("nobody panics").push(n);
    });
    assert_eq!(order.into_inner()?, [0, 1, 2, 3, 4]);
    let handle = pool.spawn(move || thread::current().id() == me);
    assert!(handle.is_finished());
    assert!(handle.join()?);
    assert_eq!(pool.join(|| 1, || 2), (1, 2));
    assert_eq!(pool.scope(|s| s.spawn(|| 3).join())?, 3);
    Ok(())
}

#[test]
fn free_functions_use_the_pool_that_was_entered() -> Outcome {
    let pool = Pool::new(2)?;
    let here = thread::current().id();
    let threads = pool.enter(|| {
        assert_eq!(thread::current().id(), here);
        manyhands::map([()], |()| Pool::current().threads())
    });
    assert_eq!(threads, [2]);
    Ok(())
}

#[test]
fn install_runs_on_a_worker_and_borrows() -> Outcome {
    let pool = Pool::new(2)?;
    let text = String::from("borrowed");
    let (length, id) = pool.install(|| (text.len(), thread::current().id()));
    assert_eq!(length, 8);
    assert_ne!(id, thread::current().id());
    Ok(())
}

#[test]
fn limit_and_chunk_are_views_of_the_same_pool() -> Outcome {
    let pool = Pool::new(4)?;
    let view: Pool = pool.limit(2).chunk(10);
    assert_eq!(view.threads(), 4);
    assert_eq!(view.map(0..100, |n| n + 1), (1..101).collect::<Vec<_>>());
    assert_eq!(pool.limit(0).chunk(0).map([1, 2, 3], |n| n), [1, 2, 3]);
    assert_eq!(pool.limit(1).spawn(|| 7).join()?, 7);
    Ok(())
}

#[test]
fn a_shut_down_pool_still_computes_but_takes_no_tasks() -> Outcome {
    let pool = Pool::new(2)?;
    let early = pool.spawn(|| 1);
    pool.shutdown();
    pool.shutdown();
    assert_eq!(early.join()?, 1);
    assert!(matches!(pool.spawn(|| 2).join(), Err(TaskError::ShutDown)));
    assert_eq!(pool.map([1, 2], |x| x + 1), [2, 3]);
    assert_eq!(pool.join(|| 1, || 2), (1, 2));
    assert_eq!(pool.scope(|s| s.spawn(|| 3).join())?, 3);
    Ok(())
}

#[test]
fn shutdown_with_a_timeout_says_what_still_runs() -> Outcome {
    let pool = Pool::new(1)?;
    let (release, gate) = mpsc::channel::<()>();
    let (running, is_running) = mpsc::channel();
    let task = pool.spawn(move || {
        running.send(()).expect("the test listens");
        gate.recv().is_err()
    });
    is_running.recv()?;
    let error: StillRunning =
        pool.shutdown_timeout(Duration::from_millis(1)).expect_err("a task waits");
    assert!(error.threads() >= 1);
    assert!(error.to_string().contains("still running"), "{error}");
    drop(release);
    assert!(task.join()?);
    pool.shutdown_timeout(Duration::MAX)?;
    Ok(())
}

#[test]
fn shutdown_now_cancels_what_has_not_started() -> Outcome {
    let pool = Pool::builder().threads(1).workers_only(true).build()?;
    let (release, gate) = mpsc::channel::<()>();
    let (running, is_running) = mpsc::channel();
    let first = pool.spawn(move || {
        running.send(()).expect("the test listens");
        gate.recv().is_err()
    });
    is_running.recv()?;
    let others = [1, 2, 3].map(|n| pool.spawn(move || n));
    let cancelled: usize = pool.shutdown_now();
    assert_eq!(cancelled, 3);
    for other in others {
        assert!(matches!(other.join(), Err(TaskError::Cancelled)));
    }
    drop(release);
    assert!(first.join()?);
    Ok(())
}

#[test]
fn stats_count_what_was_done() -> Outcome {
    let pool = Pool::builder().threads(2).workers_only(true).build()?;
    manyhands::join_all((0..10).map(|n| pool.spawn(move || n)))?;
    pool.shutdown();
    let stats: Stats = pool.stats();
    assert_eq!((stats.threads, stats.refused_threads), (2, 0));
    assert_eq!(stats.jobs_run, 10);
    assert_eq!((stats.queued, stats.claimed_by_joiner, stats.unseen_panics), (0, 0, 0));
    let _: (u64, u64, u64, u64) = (stats.stolen, stats.parks, stats.wakes, stats.spares_started);
    Ok(())
}

// Sweeps

#[test]
fn map_infers_its_items() -> Outcome {
    let pool = Pool::new(2)?;
    let v = vec![5, 6, 7];
    let words = vec![String::from("many"), String::from("hands")];
    assert_eq!(pool.map([1, 2, 3], |x| x * x), [1, 4, 9]);
    assert_eq!(pool.map(0..v.len(), |i| v[i]), v);
    assert_eq!(pool.map(0..3, |i| v[i]), v);
    assert_eq!(pool.map(0..=2, |i| v[i]), v);
    assert_eq!(pool.map(&words, |x| x.len()), [4, 5]);
    assert_eq!(pool.map(words.iter(), |x| x.len()), [4, 5]);
    assert_eq!(pool.map(words.as_slice(), |x| x.len()), [4, 5]);
    assert_eq!(pool.map(&words[1..], |x| x.len()), [5]);
    assert_eq!(pool.map(words.iter(), String::len), [4, 5]);
    assert_eq!(pool.map(&["a", "bc"], |x| x.len()), [1, 2]);
    assert_eq!(pool.map(["a", "bc"], str::len), [1, 2]);
    assert_eq!(pool.map(words.clone().into_iter(), |x| x + "!"), ["many!", "hands!"]);
    assert_eq!(pool.map(words.clone().into_boxed_slice(), |x| x.len()), [4, 5]);
    assert_eq!(pool.map(words, |x| x), ["many", "hands"]);
    Ok(())
}

#[test]
fn map_takes_exclusive_references() -> Outcome {
    let pool = Pool::new(2)?;
    let mut v = vec![1, 2, 3];
    let mut a = [1, 2, 3];
    let old = pool.map(&mut v, |x| std::mem::replace(x, 0));
    assert_eq!((old, v), (vec![1, 2, 3], vec![0; 3]));
    pool.for_each(&mut a, |x| *x += 1);
    pool.for_each(a.iter_mut(), |x| *x += 1);
    pool.for_each(&mut a[..], |x| *x += 1);
    pool.for_each(a.as_mut_slice(), |x| *x += 1);
    assert_eq!(a, [5, 6, 7]);
    Ok(())
}

#[test]
fn for_each_writes_in_place() -> Outcome {
    let pool = Pool::new(2)?;
    let mut v = vec![1, 2, 3];
    pool.for_each(&mut v, |x| *x += 1);
    assert_eq!(v, [2, 3, 4]);
    Ok(())
}

#[test]
fn ranges_of_every_integer_type_are_sources() -> Outcome {
    let pool = Pool::new(2)?;
    macro_rules! ranges {
        ($($int:ty)*) => {$(
            assert_eq!(pool.map(1 as $int..4, |n| n), [1, 2, 3]);
            assert_eq!(pool.map(1 as $int..=4, |n| n), [1, 2, 3, 4]);
        )*};
    }
    ranges! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }
    assert_eq!(pool.map(0..3, f64::from), [0.0, 1.0, 2.0]);
    Ok(())
}

#[test]
fn map_init_keeps_a_state_that_is_not_send() -> Outcome {
    let pool = Pool::new(2)?;
    let counted = pool.map_init(
        0..10,
        || std::rc::Rc::new(Cell::new(0)),
        |state, n| {
            state.set(state.get() + 1);
            n
        },
    );
    assert_eq!(counted, (0..10).collect::<Vec<_>>());
    assert_eq!(pool.map_init([3, 4], Vec::new, |seen, n| (seen.push(n), n * 2).1), [6, 8]);
    Ok(())
}

#[test]
fn the_try_verbs_return_the_error_of_the_lowest_index() -> Outcome {
    let pool = Pool::new(2)?;
    let numbers: Vec<u32> = pool.try_map(["1", "2"], |text| text.parse())?;
    assert_eq!(numbers, [1, 2]);
    assert_eq!(pool.try_map(0..100, |n| if n % 10 == 7 { Err(n) } else { Ok(n) }), Err(7));
    pool.try_for_each(["1", "2"], |text| text.parse::<u32>().map(drop))?;
    assert_eq!(pool.try_for_each(&[1, 2, 3], |n| if *n > 1 { Err(*n) } else { Ok(()) }), Err(2));
    Ok(())
}

#[test]
fn a_panic_costs_map_catch_its_own_item() -> Outcome {
    let pool = Pool::new(2)?;
    let results: Vec<Result<i32, Panic>> = pool.map_catch([1, 0, 4], |n| 100 / n);
    let texts = results.iter().map(|result| match result {
        Ok(value) => value.to_string(),
        Err(panic) => panic.message().unwrap_or_default().to_string(),
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["100", "attempt to divide by zero", "25"]);
    Ok(())
}

#[test]
fn the_number_of_results_may_vary() -> Outcome {
    let pool = Pool::new(2)?;
    assert_eq!(pool.filter_map(["1", "x", "3"], |text| text.parse::<u8>().ok()), [1, 3]);
    assert_eq!(pool.flat_map([1, 0, 3], |n| vec![n; n]), [1, 3, 3, 3]);
    assert_eq!(pool.flat_map(&["ab", "c"], |text| text.chars()), ['a', 'b', 'c']);
    assert_eq!(pool.flat_map(0..3, |n| 0..n), [0, 0, 1]);
    Ok(())
}

#[test]
fn reductions_combine_in_order() -> Outcome {
    let pool = Pool::new(2)?;
    let joined = pool.map_reduce(0..12, |n| n.to_string(), |left, right| left + &right);
    assert_eq!(joined.as_deref(), Some("01234567891011"));
    assert_eq!(pool.map_reduce(0..0, |n| n, |a: i32, b| a + b), None);
    assert_eq!(pool.map_reduce_unordered(1..=100, |n| n, |a, b| a + b), Some(5050));
    assert_eq!(pool.map_reduce(&[3, 1, 2], |n| *n, i32::max), Some(3));
    Ok(())
}

#[test]
fn fold_counts_words() -> Outcome {
    let pool = Pool::new(2)?;
    let words = ["a", "b", "a"];
    let counts = pool.fold(
        words,
        HashMap::new,
        |mut counts, word| {
            *counts.entry(word).or_insert(0) += 1;
            counts
        },
        |mut left, right| {
            right.into_iter().for_each(|(word, count)| *left.entry(word).or_insert(0) += count);
            left
        },
    );
    assert_eq!((counts["a"], counts["b"]), (2, 1));
    assert_eq!(pool.fold(0..0, || 7, |sum, n| sum + n, |a, b| a + b), 7);
    Ok(())
}

#[test]
fn searches_stop_at_what_they_find() -> Outcome {
    let pool = Pool::new(2)?;
    assert_eq!(pool.find_first(10..10_000, |&n| n % 77 == 0), Some(77));
    assert_eq!(pool.find_first(&["x", "yy"], |word| word.len() == 2), Some(&"yy"));
    assert!(pool.find_any(0..100, |n| n % 10 == 3).is_some_and(|n| n % 10 == 3));
    assert_eq!(pool.find_any(vec![1, 2], |&n| n > 2), None);
    assert!(pool.any(&[1, 2, 3], |n| n % 2 == 0));
    assert!(pool.all(0..10, |n| n < 10));
    Ok(())
}

#[test]
fn map_iter_takes_any_iterator() -> Outcome {
    let pool = Pool::new(2)?;
    let ages = BTreeMap::from([("Ann", 30), ("Bob", 40)]);
    assert_eq!(pool.map_iter(&ages, |(name, age)| format!("{name}{age}")), ["Ann30", "Bob40"]);
    assert_eq!(pool.map_iter("a b c".split(' '), str::len), [1, 1, 1]);
    assert_eq!(pool.map_iter((0..9).filter(|n| n % 2 == 0), |n| n), [0, 2, 4, 6, 8]);
    Ok(())
}

#[test]
fn adapters_chain_as_methods() -> Outcome {
    let pool = Pool::new(2)?;
    let input = [10, 20, 30];
    let mut out = [0; 6];
    let w = 2;
    pool.for_each(source::chunks_mut(&mut out, w).zip(&input).enumerate(), |(y, (row, item))| {
        row.fill(item + y);
    });
    assert_eq!(out, [10, 10, 21, 21, 32, 32]);
    let sums = pool.map(source::chunks(&input, 2), |pair| pair.iter().sum::<usize>());
    assert_eq!(sums, [30, 30]);
    let rises = pool.map(source::windows(&input, 2).enumerate(), |(i, pair)| pair[1] - pair[0] + i);
    assert_eq!(rises, [10, 11]);
    let sums = pool.map(source::zip(vec![1, 2, 3], 10..100), |(a, b)| a + b);
    assert_eq!(sums, [11, 13, 15]);
    assert_eq!(
        pool.map(source::enumerate(["a", "b"]), |(i, word)| (i, word.len())),
        [(0, 1), (1, 1)]
    );
    let triples = source::zip(&input, 0..3).zip(vec!['a', 'b', 'c']);
    assert_eq!(pool.map(triples, |((n, i), c)| (*n, i, c))[2], (30, 2, 'c'));
    Ok(())
}

#[test]
fn closures_and_items_borrow_freely() -> Outcome {
    let pool = Pool::new(2)?;
    let offset = [100];
    let texts = [String::from("a"), String::from("bb")];
    let borrowed: Vec<&str> = pool.map(&texts, |text| text.as_str());
    assert_eq!(borrowed, ["a", "bb"]);
    assert_eq!(pool.map(borrowed, |text| text.len() + offset[0]), [101, 102]);
    let total = AtomicUsize::new(0);
    pool.for_each(&texts, |text| {
        total.fetch_add(text.len(), SeqCst);
    });
    assert_eq!(total.into_inner(), 3);
    Ok(())
}

#[test]
fn the_verbs_are_free_functions_too() -> Outcome {
    let v = vec![1, 2, 3];
    let mut squares = [1, 2, 3];
    assert_eq!(manyhands::map([1, 2, 3], |x| x * x), [1, 4, 9]);
    assert_eq!(manyhands::map(0..v.len(), |i| v[i]), v);
    manyhands::for_each(&mut squares, |x| *x *= *x);
    assert_eq!(squares, [1, 4, 9]);
    assert_eq!(manyhands::fold(&v, || 0, |sum, n| sum + n, |a, b| a + b), 6);
    assert_eq!(manyhands::map_reduce(&v, |n| *n, |a, b| a + b), Some(6));
    assert_eq!(manyhands::try_map(["1", "2"], |text| text.parse::<u8>())?, [1, 2]);
    manyhands::try_for_each(["1", "2"], |text| text.parse::<u8>().map(drop))?;
    assert_eq!(manyhands::filter_map(&v, |n| (*n > 1).then_some(n * 2)), [4, 6]);
    assert_eq!(manyhands::flat_map(v.iter(), |n| vec![*n; 2]), [1, 1, 2, 2, 3, 3]);
    assert_eq!(manyhands::map_init(&v, || 1, |state, n| *state * n), [1, 2, 3]);
    assert!(manyhands::map_catch(&v, |n| 1 / (n - 2))[1].is_err());
    assert_eq!(manyhands::map_iter(v.iter().rev(), |n| *n), [3, 2, 1]);
    assert_eq!(manyhands::join(|| v.len(), || v[0]), (3, 1));
    assert_eq!(manyhands::scope(|s| s.spawn(|| v[1]).join())?, 2);
    assert_eq!(manyhands::spawn(|| 6 * 7).join()?, 42);
    Ok(())
}

#[test]
fn a_panic_in_a_sweep_comes_back_as_it_was() {
    let pool = Pool::new(2).expect("two threads can be had");
    let outcome = catch_unwind(|| pool.map(0..100, |n| assert_ne!(n, 7, "unlucky")));
    let message = outcome.expect_err("it panicked").downcast::<String>().expect("a formatted text");
    assert!(message.contains("unlucky"), "{message}");
    assert_eq!(pool.map([1], |x| x), [1]);
}

// Tasks

#[test]
fn a_handle_gives_its_result_with_a_question_mark() -> Outcome {
    let pool = Pool::new(2)?;
    let handle: TaskHandle<i32> = pool.spawn(|| 6 * 7);
    assert_eq!(handle.join()?, 42);
    Ok(())
}

#[test]
fn a_panic_in_a_task_is_an_error() -> Outcome {
    let pool = Pool::new(2)?;
    let page = 7;
    let handle = pool.spawn(move || -> u32 { panic!("no such page: {page}") });
    let error = handle.join().expect_err("it panicked");
    assert_eq!(error.to_string(), "the task panicked: no such page: 7");
    let panic = error.into_panic().expect("a panic");
    assert_eq!(panic.message(), Some("no such page: 7"));
    assert_eq!(*panic.into_payload().downcast::<String>().expect("text"), "no such page: 7");
    let again = pool.spawn(|| panic!("once more")).join();
    let Err(TaskError::Panicked(panic)) = again else { unreachable!("it panicked") };
    let resumed = catch_unwind(move || panic.resume()).expect_err("it panics");
    assert_eq!(resumed.downcast_ref(), Some(&"once more"));
    Ok(())
}

#[test]
fn a_task_that_waits_is_not_finished() -> Outcome {
    let pool = Pool::new(1)?;
    let (release, gate) = mpsc::channel::<()>();
    let handle = pool.spawn(move || gate.recv().is_err());
    assert!(!handle.is_finished());
    let handle = match handle.join_timeout(Duration::from_millis(1)) {
        Err(JoinTimeoutError::TimedOut(handle)) => handle,
        other => return Err(format!("{other:?}").into()),
    };
    let handle = match handle.try_join() {
        Err(TryJoinError::NotFinished(handle)) => handle,
        other => return Err(format!("{other:?}").into()),
    };
    drop(release);
    assert!(handle.join_timeout(Duration::MAX)?);
    Ok(())
}

#[test]
fn the_errors_of_waits_say_what_failed() -> Outcome {
    let pool = Pool::serial();
    let failed = pool.spawn(|| panic!("early")).try_join().map(|()| 0);
    assert!(matches!(&failed, Err(TryJoinError::Failed(TaskError::Panicked(_)))), "{failed:?}");
    let failed = pool.spawn(|| panic!("early")).join_timeout(Duration::ZERO).map(|()| 0);
    assert!(matches!(&failed, Err(JoinTimeoutError::Failed(TaskError::Panicked(_)))));
    assert_eq!(failed.expect_err("it failed").to_string(), "the task panicked: early");
    assert_eq!(pool.spawn(|| 1).try_join()?, 1);
    assert_eq!(pool.spawn(|| 2).join_timeout(Duration::ZERO)?, 2);
    Ok(())
}

#[test]
fn a_task_that_has_not_started_can_be_cancelled() -> Outcome {
    let pool = Pool::new(1)?;
    let (release, gate) = mpsc::channel::<()>();
    let (running, is_running) = mpsc::channel();
    let first = pool.spawn(move || {
        running.send(()).expect("the test listens");
        gate.recv().is_err()
    });
    is_running.recv()?;
    let second = pool.spawn(|| unreachable!("it was cancelled"));
    assert!(second.cancel());
    assert!(!second.cancel());
    assert!(!first.cancel());
    let cancelled: Result<(), TaskError> = second.join();
    assert!(matches!(cancelled, Err(TaskError::Cancelled)));
    drop(release);
    assert!(first.join()?);
    Ok(())
}

#[test]
fn a_dropped_handle_detaches_and_cancel_on_drop_cancels() -> Outcome {
    let pool = Pool::new(1)?;
    let (release, gate) = mpsc::channel::<()>();
    let (sender, results) = mpsc::channel();
    let task = |name| {
        let sender = sender.clone();
        move || sender.send(name).expect("the test listens")
    };
    let (running, is_running) = mpsc::channel();
    let first = pool.spawn(move || {
        running.send(()).expect("the test listens");
        gate.recv().is_err()
    });
    is_running.recv()?;
    drop(pool.spawn(task("dropped")));
    pool.spawn(task("detached")).detach();
    drop(pool.spawn(task("cancelled")).cancel_on_drop());
    pool.spawn(task("spared")).cancel_on_drop().detach();
    let joined: CancelOnDrop<()> = pool.spawn(task("joined")).cancel_on_drop();
    assert!(!joined.is_finished());
    drop(release);
    joined.join()?;
    assert!(first.join()?);
    drop(pool);
    drop(sender);
    let mut seen: Vec<_> = results.iter().collect();
    seen.sort_unstable();
    assert_eq!(seen, ["detached", "dropped", "joined", "spared"]);
    Ok(())
}

#[test]
fn task_ids_are_distinct_names() -> Outcome {
    let pool = Pool::new(1)?;
    let (a, b) = (pool.spawn(|| 1), pool.spawn(|| 2));
    let (first, second): (TaskId, TaskId) = (a.id(), b.id());
    assert_ne!(first, second);
    assert!(first < second);
    let names = HashMap::from([(first, "a"), (second, "b")]);
    assert_eq!(names[&a.id()], "a");
    assert!(first.to_string().starts_with("task "));
    assert_eq!(a.join()? + b.join()?, 3);
    Ok(())
}

/// Runs a future to its end on this thread, as any runtime would.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn handles_can_be_awaited() -> Outcome {
    let pool = Pool::new(2)?;
    let sum = block_on(async {
        let first = pool.spawn(|| 1);
        let second = pool.spawn(|| 2).cancel_on_drop();
        Ok::<_, TaskError>(first.await? + second.await?)
    });
    assert_eq!(sum?, 3);
    let panicked = block_on(pool.spawn(|| panic!("in a future")));
    assert!(matches!(panicked, Err(TaskError::Panicked(_))));
    Ok(())
}

#[test]
fn results_come_as_they_are_completed() -> Outcome {
    let pool = Pool::new(2)?;
    let handles = (0..10_u64).map(|n| pool.spawn(move || n * 10));
    let completed: AsCompleted<u64> = manyhands::as_completed(handles);
    assert_eq!(completed.len(), 10);
    let mut seen = [false; 10];
    for (index, result) in completed {
        assert_eq!(result?, index as u64 * 10);
        seen[index] = true;
    }
    assert_eq!(seen, [true; 10]);
    Ok(())
}

#[test]
fn join_all_waits_for_all_and_returns_the_first_error() -> Outcome {
    let pool = Pool::new(2)?;
    let squares = manyhands::join_all([1, 2, 3].map(|n| pool.spawn(move || n * n)))?;
    assert_eq!(squares, [1, 4, 9]);
    let last_ran = Arc::new(AtomicBool::new(false));
    let ran = last_ran.clone();
    let handles: Vec<TaskHandle<()>> = vec![
        pool.spawn(|| ()),
        pool.spawn(|| panic!("first")),
        pool.spawn(|| panic!("second")),
        pool.spawn(move || ran.store(true, SeqCst)),
    ];
    let error = manyhands::join_all(handles).expect_err("two panicked");
    assert_eq!(error.to_string(), "the task panicked: first");
    assert!(last_ran.load(SeqCst));
    Ok(())
}

#[test]
fn tasks_spawn_and_join_tasks() -> Outcome {
    let pool = Pool::new(1)?;
    let outer = pool.spawn(|| manyhands::spawn(|| manyhands::spawn(|| 3).join()).join());
    assert_eq!(outer.join()???, 3);
    Ok(())
}

// Join and scope

#[test]
fn join_returns_both_results_and_borrows() -> Outcome {
    let pool = Pool::new(2)?;
    let mut v = vec![3, 1, 2, 4];
    let (left, right) = v.split_at_mut(2);
    let ((), last) = pool.join(
        || left.sort_unstable(),
        || {
            right.reverse();
            right[1]
        },
    );
    assert_eq!((last, v), (2, vec![1, 3, 4, 2]));
    Ok(())
}

#[test]
fn the_first_half_of_a_join_panics_first() {
    let pool = Pool::new(2).expect("two threads can be had");
    let outcome = catch_unwind(|| pool.join(|| panic!("a"), || panic!("b"))).map(|((), ())| ());
    assert_eq!(outcome.expect_err("both panicked").downcast_ref(), Some(&"a"));
}

#[test]
fn a_scope_has_the_shape_of_std() -> Outcome {
    let pool = Pool::new(2)?;
    let text = String::from("many hands");
    let mut counts = [0, 0];
    let words = pool.scope(|s| {
        let words = s.spawn(|| text.split(' ').count());
        let (first, second) = counts.split_at_mut(1);
        s.spawn(|| first[0] = text.len());
        s.spawn(move || {
            s.spawn(|| second[0] = 7);
        });
        words.join()
    })?;
    assert_eq!((words, counts), (2, [10, 7]));
    Ok(())
}

#[test]
fn a_scoped_handle_can_be_asked() -> Outcome {
    let pool = Pool::new(2)?;
    pool.scope(|s| -> Outcome {
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let handle: ScopedHandle<'_, bool> =
            s.spawn(move || gate.lock().expect("nobody panics").recv().is_err());
        assert!(!handle.is_finished());
        let handle = match handle.try_join() {
            Err(TryJoinError::NotFinished(handle)) => handle,
            Ok(_) | Err(_) => unreachable!("the gate is closed"),
        };
        drop(release);
        assert!(handle.join()?);
        Ok(())
    })
}

#[test]
fn a_panic_that_nobody_took_ends_the_scope() {
    let pool = Pool::new(2).expect("two threads can be had");
    let outcome = catch_unwind(|| {
        pool.scope(|s| {
            assert!(s.spawn(|| panic!("taken")).join().is_err());
            s.spawn(|| panic!("first"));
            s.spawn(|| panic!("second"));
        });
    });
    assert_eq!(outcome.expect_err("two panicked").downcast_ref(), Some(&"first"));
}

#[test]
fn functions_can_be_written_over_sources_and_scopes() -> Outcome {
    fn lengths<I>(pool: &Pool, items: I) -> Vec<usize>
    where
        I: IntoSource,
        I::Item: AsRef<str>,
    {
        let source = items.into_source();
        assert!(!source.is_empty());
        pool.map(source, |item| item.as_ref().len())
    }
    fn sum<T: Int + std::iter::Sum>(pool: &Pool, items: std::ops::Range<T>) -> T {
        pool.map(items, |n| n).into_iter().sum()
    }
    fn fill<'scope>(s: &'scope Scope<'scope, '_>, items: &'scope mut [u8]) {
        s.spawn(move || items.fill(7));
    }

    let pool = Pool::new(2)?;
    assert_eq!(lengths(&pool, ["a", "bc"]), [1, 2]);
    assert_eq!(lengths(&pool, [String::from("abc")].iter()), [3]);
    assert_eq!(sum(&pool, 0..10_u8), 45);
    let mut items = [0; 3];
    pool.scope(|s| fill(s, &mut items));
    assert_eq!(items, [7; 3]);
    Ok(())
}

// Messages

const SHORT: Duration = Duration::from_millis(1);

#[test]
fn channels_send_and_receive_in_every_form() -> Outcome {
    let (sender, receiver): (Sender<u32>, Receiver<u32>) = channel::bounded(2);
    sender.send(1)?;
    sender.try_send(2)?;
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(sender.send_timeout(3, SHORT), Err(SendTimeoutError::Timeout(3)));
    assert_eq!(sender.send_deadline(3, Instant::now()), Err(SendTimeoutError::Timeout(3)));
    assert_eq!((sender.len(), sender.is_empty(), sender.is_full()), (2, false, true));
    assert_eq!((receiver.len(), receiver.is_empty(), receiver.is_full()), (2, false, true));
    assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
    assert_eq!(receiver.recv()?, 1);
    assert_eq!(receiver.try_recv()?, 2);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
    assert_eq!(receiver.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
    let both = [sender.clone(), sender];
    both.into_iter().zip(5..).for_each(|(sender, n)| sender.send(n).expect("there is room"));
    let other = receiver.clone();
    assert!(other.try_iter().eq([5, 6]));
    assert!(receiver.same_channel(&other));
    drop(other);
    assert_eq!(receiver.iter().next(), None);
    assert_eq!(receiver.recv(), Err(RecvError));
    assert_eq!(receiver.into_iter().count(), 0);
    let (sender, receiver) = channel::unbounded();
    drop(receiver);
    let SendError(back) = sender.send(String::from("back")).expect_err("nobody receives");
    assert_eq!(back, "back");
    Ok(())
}

#[test]
fn pipes_are_duplex() -> Outcome {
    let (left, right): (Pipe<u8, &str>, Pipe<&str, u8>) = channel::pipe::<u8, &str>();
    left.send(1)?;
    right.try_send("one")?;
    assert!(left.poll(SHORT) && right.poll(Duration::ZERO));
    assert_eq!((left.recv()?, right.recv_timeout(SHORT)?), ("one", 1));
    assert_eq!(left.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(left.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
    let (sender, receiver) = right.split();
    sender.send("two")?;
    drop((sender, receiver));
    assert_eq!(left.iter().collect::<Vec<_>>(), ["two"]);
    Ok(())
}

#[test]
fn select_takes_what_is_ready() -> Outcome {
    let (to_me, mine) = channel::unbounded();
    let (to_them, _theirs) = channel::bounded(1);
    to_me.send("hello")?;
    let receives = Select::new().recv(&mine, |word: Result<&str, RecvError>| word.unwrap_or("end"));
    assert_eq!(receives.wait(), "hello");
    let sends = Select::new().send(&to_them, 7, |sent: Result<(), SendError<i32>>| sent.is_ok());
    assert_eq!(sends.timeout(SHORT), Some(true));
    let neither = || Select::new().recv(&mine, |_| 1).send(&to_them, 8, |_| 2);
    assert_eq!(neither().timeout(SHORT), None);
    assert_eq!(neither().deadline(Instant::now()), None);
    assert_eq!(neither().try_wait(), None);
    let late = channel::after(SHORT);
    let never = channel::never::<u8>();
    assert_eq!(Select::new().recv(&late, |_| "late").recv(&never, |_| "never").wait(), "late");
    let ticks: Vec<Instant> = channel::tick(SHORT).iter().take(2).collect();
    assert!(ticks[1] - ticks[0] >= SHORT);
    Ok(())
}

#[test]
fn results_go_into_a_channel() -> Outcome {
    let pool = Pool::builder().threads(1).max_spares(3).build()?;
    let (sender, receiver) = channel::unbounded();
    let id: TaskId = pool.spawn_to(&sender, || 6 * 7);
    let (from, result): (TaskId, Result<i32, TaskError>) = receiver.recv()?;
    assert_eq!((from, result?), (id, 42));
    assert_eq!(pool.stats().stalls, 0);
    Ok(())
}

#[test]
fn a_worker_says_that_it_will_wait() -> Outcome {
    let pool = Pool::new(1)?;
    let (sender, receiver) = mpsc::channel();
    let waiting = pool.spawn(move || manyhands::blocking(|| receiver.recv()));
    pool.spawn(move || sender.send(3)).detach();
    assert_eq!(waiting.join()??, 3);
    Ok(())
}

// Shared state

#[test]
fn values_are_read_and_changed() {
    let value = Value::new(vec![1]);
    let same = value.clone();
    value.set(vec![1, 2]);
    assert_eq!(same.get(), [1, 2]);
    assert_eq!(same.read(|list| list.len()), 2);
    assert_eq!(value.update(|list| list.pop()), Some(2));
    assert_eq!(value.replace(vec![3]), [1]);
    value.wait_until(|list| list.len() == 1);
    assert!(!value.wait_until_timeout(SHORT, |list| list.is_empty()));
}

#[test]
fn numbers_need_no_lock() {
    let number = Number::new(40_u8);
    assert_eq!((number.add(2), number.load()), (40, 42));
    number.store(250);
    assert_eq!(number.update(|n| n / 2), 250);
    let same = number.clone();
    same.add(200);
    assert_eq!(number.load(), 69);
    assert_eq!(Number::new(0.5).add(1.0), 0.5);
    assert!(Number::new(true).load());
}

#[test]
fn arrays_are_changed_by_item_and_by_range() {
    let array: Array<i32> = Array::new(4, 0);
    let same = array.clone();
    array.set(0, 1);
    array.update(1, |item| *item += 2);
    array.write(2.., |rest| rest.fill(3));
    assert_eq!(same.read(1..3, |part| part.to_vec()), [2, 3]);
    assert_eq!((same.get(0), same.len(), same.is_empty()), (1, 4, false));
    assert_eq!(same.to_vec(), [1, 2, 3, 3]);
    assert_eq!(Array::from(vec!["a"]).get(0), "a");
}

#[test]
fn signals_are_waited_for() -> Outcome {
    let (event, barrier, semaphore) = (Event::new(), Barrier::new(2), Semaphore::new(1));
    assert!(!event.is_set() && !event.wait_timeout(SHORT));
    let there = (event.clone(), barrier.clone(), semaphore.clone());
    let task = manyhands::spawn(move || {
        there.0.set();
        there.1.wait();
        drop(there.2.acquire());
    });
    event.wait();
    let permit: Permit = semaphore.acquire();
    assert!(semaphore.try_acquire().is_none() && semaphore.acquire_timeout(SHORT).is_none());
    assert_eq!(semaphore.available(), 0);
    barrier.wait();
    assert_eq!(barrier.wait_timeout(SHORT), None);
    drop(permit);
    task.join()?;
    event.clear();
    assert!(!event.is_set());
    Ok(())
}

// What the types promise

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}
fn is_unpin<T: Unpin>() {}
fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
fn is_debug<T: Debug>() {}
fn is_error<T: Error + Display + Debug + Send + Sync + 'static>() {}

struct Opaque;

#[test]
fn what_crosses_threads_may_cross_threads() {
    macro_rules! check {
        ($($type:ty)*) => {$( is_send::<$type>(); is_sync::<$type>(); )*};
    }
    check! {
        Pool PoolBuilder Stats Panic TaskId
        TaskHandle<Cell<u8>> CancelOnDrop<Cell<u8>> AsCompleted<u8>
        Scope<'static, 'static> ScopedHandle<'static, Cell<u8>>
        BuildError TaskError StillRunning TryJoinError<TaskHandle<u8>>
        JoinTimeoutError<TaskHandle<u8>>
        Owned<Cell<u8>> Slice<'static, u8> SliceMut<'static, Cell<u8>> Integers<u8>
        Chunks<'static, u8> ChunksMut<'static, Cell<u8>> Windows<'static, u8>
        Zip<Owned<u8>, Integers<u8>> Enumerate<Owned<u8>>
        Sender<Cell<u8>> Receiver<Cell<u8>> Pipe<Cell<u8>, Cell<u8>> channel::Iter<'static, Cell<u8>>
        SendError<u8> TrySendError<u8> SendTimeoutError<u8>
        RecvError TryRecvError RecvTimeoutError
        Value<Cell<u8>> Array<Cell<u8>> Number<f64> Event Barrier Semaphore Permit
    }
    is_unpin::<TaskHandle<std::marker::PhantomPinned>>();
    is_unpin::<CancelOnDrop<std::marker::PhantomPinned>>();
    is_unwind_safe::<Pool>();
    is_unwind_safe::<Stats>();
    is_unwind_safe::<TaskId>();
    is_unwind_safe::<Sender<Cell<u8>>>();
    is_unwind_safe::<Receiver<Cell<u8>>>();
    is_unwind_safe::<Pipe<Cell<u8>, Cell<u8>>>();
    is_unwind_safe::<Value<Cell<u8>>>();
    is_unwind_safe::<Array<Cell<u8>>>();
    is_unwind_safe::<Number<u8>>();
    is_unwind_safe::<Event>();
    is_unwind_safe::<Barrier>();
    is_unwind_safe::<Semaphore>();
}

#[test]
fn public_types_are_debug_whatever_is_in_them() {
    macro_rules! check {
        ($($type:ty)*) => {$( is_debug::<$type>(); )*};
    }
    check! {
        Pool PoolBuilder Stats Panic TaskId
        TaskHandle<Opaque> CancelOnDrop<Opaque> AsCompleted<Opaque>
        Scope<'static, 'static> ScopedHandle<'static, Opaque>
        BuildError TaskError StillRunning
        TryJoinError<TaskHandle<Opaque>> JoinTimeoutError<TaskHandle<Opaque>>
        TryJoinError<ScopedHandle<'static, Opaque>>
        Owned<Opaque> Slice<'static, Opaque> SliceMut<'static, Opaque> Integers<u8>
        Chunks<'static, Opaque> ChunksMut<'static, Opaque> Windows<'static, Opaque>
        Zip<Owned<Opaque>, Integers<u8>> Enumerate<Owned<Opaque>>
        Sender<Opaque> Receiver<Opaque> Pipe<Opaque, Opaque> Select<'static, Opaque>
        channel::Iter<'static, Opaque> channel::TryIter<'static, Opaque> channel::IntoIter<Opaque>
        SendError<Opaque> TrySendError<Opaque> SendTimeoutError<Opaque>
        RecvError TryRecvError RecvTimeoutError
        Value<u8> Number<f32> Array<Opaque> Event Barrier Semaphore Permit
    }
    let pool = Pool::serial();
    assert!(format!("{pool:?}").starts_with("Pool"));
    assert!(format!("{:?}", pool.spawn(|| Opaque)).starts_with("TaskHandle"));
}

#[test]
fn errors_are_errors() {
    is_error::<BuildError>();
    is_error::<TaskError>();
    is_error::<StillRunning>();
    is_error::<TryJoinError<TaskHandle<Opaque>>>();
    is_error::<JoinTimeoutError<TaskHandle<Opaque>>>();
    is_error::<SendError<Opaque>>();
    is_error::<TrySendError<Opaque>>();
    is_error::<SendTimeoutError<Opaque>>();
    is_error::<RecvError>();
    is_error::<TryRecvError>();
    is_error::<RecvTimeoutError>();
    for variant in [TaskError::Cancelled, TaskError::Rejected, TaskError::ShutDown] {
        assert!(!variant.to_string().is_empty());
    }
    assert!(!TaskError::Failed.to_string().is_empty());
    assert!(!TaskError::Lost.to_string().is_empty());
}

#[test]
fn handles_stay_small() {
    let word = size_of::<usize>();
    assert!(size_of::<Pool>() <= 6 * word);
    assert!(size_of::<TaskHandle<[u8; 1000]>>() <= 4 * word);
    assert_eq!(size_of::<TaskId>(), 8);
    assert_eq!(size_of::<Option<TaskHandle<()>>>(), size_of::<TaskHandle<()>>());
}
