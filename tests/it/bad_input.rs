//! Input that nobody would give on purpose: it never hangs, and never does more harm than it says.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use manyhands::source::{self, IntoSource};
use manyhands::{Pool, TaskError};

use crate::support::{LONG, Tally, panic_of, text_of, within};

/// Pools of 1, 2 and 8 threads, and one without any.
fn pools() -> [Pool; 4] {
    let pool = |threads| Pool::new(threads).unwrap();
    [Pool::serial(), pool(1), pool(2), pool(8)]
}

//--- nothing

#[test]
fn nothing_comes_of_no_items() {
    fn check<I: IntoSource>(pool: &Pool, make: impl Fn() -> I) {
        fn never<T, R>(_: T) -> R {
            unreachable!("there is no item")
        }

        assert_eq!(pool.map(make(), never::<_, u8>), []);
        pool.for_each(make(), never::<_, ()>);
        assert_eq!(pool.map_init(make(), never_made, |(), item| never::<_, u8>(item)), []);
        assert_eq!(pool.try_map(make(), never::<_, Result<u8, ()>>), Ok(vec![]));
        assert_eq!(pool.try_for_each(make(), never::<_, Result<(), ()>>), Ok(()));
        assert!(pool.map_catch(make(), never::<_, u8>).is_empty());
        assert_eq!(pool.filter_map(make(), never::<_, Option<u8>>), []);
        assert_eq!(pool.flat_map(make(), never::<_, Vec<u8>>), []);
        assert_eq!(pool.map_reduce(make(), never::<_, u8>, u8::max), None);
        assert_eq!(pool.map_reduce_unordered(make(), never::<_, u8>, u8::max), None);
        assert_eq!(pool.fold(make(), || 7, |_, item| never(item), u8::max), 7);
        assert!(pool.find_first(make(), |item| never(item)).is_none());
        assert!(pool.find_any(make(), |item| never(item)).is_none());
        assert!(!pool.any(make(), never));
        assert!(pool.all(make(), never));
    }

    fn never_made() {
        unreachable!("nobody needs a state")
    }

    let some = [1, 2, 3];
    for pool in pools() {
        for pool in [pool.clone(), pool.limit(0), pool.chunk(0), pool.chunk(usize::MAX)] {
            check(&pool, Vec::<String>::new);
            check(&pool, || [0_u8; 0]);
            check(&pool, || &some[..0]);
            check(&pool, || 5..5);
            #[expect(clippy::reversed_empty_ranges, reason = "the claim is about those, too")]
            check(&pool, || 5..=2_i8);
            check(&pool, || source::chunks(&some[..0], 3));
            check(&pool, || source::windows(&some, 4));
            check(&pool, || source::windows(&some, usize::MAX));
            check(&pool, || source::zip(&some, Vec::<u8>::new()));
            check(&pool, || source::zip(Vec::<u8>::new(), &some).enumerate());
            assert_eq!(pool.map_iter(std::iter::empty::<u8>(), |n| n), []);
            pool.scope(|_| ());
        }
    }
}

//--- far too much

#[test]
fn as_many_items_as_there_can_be_are_swept_until_one_fails() {
    within(LONG, || {
        for pool in pools() {
            for pool in [pool.clone(), pool.chunk(1 << 20), pool.limit(1)] {
                let fail_at = |index| if index == 1_000 { Err(index) } else { Ok(()) };
                assert_eq!(pool.try_for_each(0..usize::MAX, fail_at), Err(1_000));
                assert_eq!(pool.try_for_each(1..=usize::MAX, fail_at), Err(1_000));
                assert_eq!(pool.try_map(0..usize::MAX, fail_at), Err(1_000));
                assert_eq!(pool.find_first(0..usize::MAX, |n| *n == 1_000), Some(1_000));
                assert!(pool.any(0..usize::MAX, |n| n == 1_000));
            }
        }
    });
}

#[test]
fn as_many_items_without_size_as_there_can_be_are_swept_until_one_fails() {
    within(LONG, || {
        for pool in pools() {
            let count = AtomicUsize::new(0);
            let tenth = |()| if count.fetch_add(1, SeqCst) < 10 { Ok(()) } else { Err("enough") };
            let units = || vec![(); usize::MAX];
            assert_eq!(pool.try_for_each(units(), tenth), Err("enough"));
            assert_eq!(pool.try_for_each(&units(), |()| tenth(())), Err("enough"));
            assert_eq!(pool.try_for_each(&mut units(), |()| tenth(())), Err("enough"));
            assert_eq!(pool.try_map(units(), tenth), Err("enough"));
            let pairs = source::enumerate(units()).zip(units()).zip(1..u64::MAX);
            assert_eq!(pool.try_for_each(pairs, |_| tenth(())), Err("enough"));
            let units = units();
            let chunks = source::chunks(&units, 3);
            assert_eq!(pool.try_for_each(chunks, |_| tenth(())), Err("enough"));
            let windows = source::windows(&units, 1 << 40);
            assert_eq!(pool.try_for_each(windows, |_| tenth(())), Err("enough"));
        }
    });
}

#[test]
fn items_without_size_are_counted() {
    for pool in pools() {
        assert_eq!(pool.map(vec![(); 10_000], |()| ()).len(), 10_000);
        assert_eq!(pool.map(&[(); 1_000], |()| 1).into_iter().sum::<i32>(), 1_000);
        assert_eq!(pool.filter_map(vec![(); 1_000], Some).len(), 1_000);
        assert_eq!(pool.fold(vec![(); 1_000], || 0, |n, ()| n + 1, |a, b| a + b), 1_000);
    }
}

#[test]
fn items_without_size_are_dropped_once() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);

    struct Unit;

    impl Drop for Unit {
        fn drop(&mut self) {
            DROPS.fetch_add(1, SeqCst);
        }
    }

    for pool in pools() {
        for fail_at in [0, 10, 999, 5_000] {
            DROPS.store(0, SeqCst);
            let items: Vec<Unit> = (0..1_000).map(|_| Unit).collect();
            let results = pool.try_map(source::enumerate(items), |(index, unit)| {
                if index == fail_at { Err(index) } else { Ok(unit) }
            });
            assert_eq!(results.is_ok(), fail_at == 5_000);
            drop(results);
            assert_eq!(DROPS.load(SeqCst), 1_000);
        }
    }
}

#[test]
fn results_that_no_memory_holds_are_refused_before_the_first_call() {
    for pool in pools() {
        let calls = AtomicUsize::new(0);
        let call = |_| {
            calls.fetch_add(1, SeqCst);
            7_u64
        };
        let tally = Tally::new();
        let kept = || (0..3).map(|index| tally.make(index)).collect::<Vec<_>>();
        let text = text_of(panic_of(|| pool.map(0..usize::MAX, call)));
        assert!(text.contains("capacity overflow"), "{text}");
        let text = text_of(panic_of(|| pool.map(vec![(); usize::MAX], |()| call(0))));
        assert!(text.contains("capacity overflow"), "{text}");
        // Three pairs only: that is no failure.
        assert_eq!(pool.map(source::zip(kept(), 0..usize::MAX), |(_, n)| call(n)).len(), 3);
        assert_eq!(calls.into_inner(), 3);
        tally.assert_even();
    }
}

#[test]
fn a_range_of_more_items_than_can_be_counted_is_refused() {
    for pool in pools() {
        let text = text_of(panic_of(|| pool.for_each(0..u128::MAX, |_| ())));
        assert!(text.contains("more than usize::MAX items"), "{text}");
        let text = text_of(panic_of(|| pool.for_each(0..=usize::MAX, |_| ())));
        assert!(text.contains("more than usize::MAX items"), "{text}");
    }
}

//--- strange sizes

/// A value that lies on no smaller boundary than 128, and knows whether it does.
#[repr(align(128))]
#[derive(Clone, Debug, PartialEq)]
struct Line(usize);

impl Line {
    #[track_caller]
    fn checked(&self) -> usize {
        assert_eq!(std::ptr::from_ref(self).addr() % 128, 0);
        self.0
    }
}

#[test]
fn over_aligned_values_lie_where_they_should() {
    for pool in pools() {
        let lines: Vec<Line> = (0..1_000).map(Line).collect();
        let captured = Line(5);
        let doubled = pool.map(&lines, |line| Line(line.checked() + captured.checked()));
        assert!(doubled.iter().enumerate().all(|(index, line)| line.checked() == index + 5));
        let owned = pool.map(doubled, |line| Line(line.checked() - 5));
        assert_eq!(owned, lines);
        let array: [Line; 20] = std::array::from_fn(Line);
        assert_eq!(pool.map(array, |line| line.checked())[19], 19);
        let kept = pool.filter_map(&lines, |line| (line.checked() % 2 > 0).then(|| line.clone()));
        assert!(kept.iter().all(|line| line.checked() % 2 > 0));
        let add = |a: Line, b: Line| Line(a.checked() + b.checked());
        assert_eq!(pool.map_reduce(lines.iter(), Line::clone, add).unwrap().checked(), 499_500);
        let folded = pool.fold(0..1_000, || Line(0), |a, n| Line(a.checked() + n), add);
        assert_eq!(folded.checked(), 499_500);
        let states = pool.map_init(0..100, || Line(3), |state, n| state.checked() + n);
        assert_eq!(states[99], 102);
        assert_eq!(pool.map_iter(lines, |line| Line(line.checked())).len(), 1_000);
        let line = captured.clone();
        let task = pool.spawn(move || Line(line.checked() + 1));
        assert_eq!(task.join().unwrap().checked(), 6);
        let (a, b) = pool.join(|| Line(captured.checked()), || Line(captured.checked() + 1));
        assert_eq!((a.checked(), b.checked()), (5, 6));
        let scoped = pool.scope(|s| s.spawn(|| Line(captured.checked())).join().unwrap());
        assert_eq!(scoped.checked(), 5);
    }
}

#[test]
fn large_values_travel() {
    const SIZE: usize = 1 << 14;
    for pool in pools() {
        let blocks = pool.map(0..20_u8, |n| [n; SIZE]);
        assert!(blocks.iter().zip(0..).all(|(block, n)| *block == [n; SIZE]));
        let last = pool.map_reduce(blocks, |block| block, |_, b| b).unwrap();
        assert_eq!(last, [19; SIZE]);
        let task = pool.spawn(move || last);
        assert_eq!(task.join().unwrap(), [19; SIZE]);
    }
}

#[test]
fn values_that_are_never_zero_travel() {
    use std::num::NonZeroU8;

    for pool in pools() {
        let numbers = pool.map(1..=255_u8, |n| NonZeroU8::new(n).unwrap());
        assert!(numbers.iter().zip(1..=255).all(|(number, n)| number.get() == n));
        let boxed = pool.map(&numbers, |number| Box::new(*number));
        assert_eq!(**pool.map(&boxed, |boxed| boxed).last().unwrap(), Box::new(NonZeroU8::MAX));
    }
}

//--- zip

#[test]
fn the_tail_of_a_zip_is_dropped_once() {
    for pool in pools() {
        for (left, right) in [(0, 9), (9, 0), (1, 2), (1_000, 999), (5, 5_000)] {
            for fail_at in [0, 3, usize::MAX] {
                let (lefts, rights) = (Tally::new(), Tally::new());
                let items = |tally: &Tally, count| -> Vec<_> {
                    (0..count).map(|index| tally.make(index)).collect()
                };
                let zip = source::zip(items(&lefts, left), items(&rights, right));
                let calls = AtomicUsize::new(0);
                let outcome = pool.try_for_each(zip, |(a, b)| {
                    assert_eq!(a.value, b.value);
                    calls.fetch_add(1, SeqCst);
                    if a.value == fail_at { Err(()) } else { Ok(()) }
                });
                assert_eq!(outcome.is_err(), fail_at < left.min(right));
                assert!(outcome.is_err() || calls.into_inner() == left.min(right));
                lefts.assert_even();
                rights.assert_even();
            }
        }
    }
}

#[test]
fn a_panic_in_the_tail_of_a_zip_comes_before_the_first_call() {
    struct Tail<'a>(&'a AtomicUsize, bool);

    impl Drop for Tail<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
            assert!(!self.1, "the tail");
        }
    }

    for pool in pools() {
        let drops = AtomicUsize::new(0);
        let tally = Tally::new();
        let longer: Vec<_> = (0..10).map(|index| Tail(&drops, index == 7)).collect();
        let shorter: Vec<_> = (0..5).map(|index| tally.make(index)).collect();
        let payload = panic_of(|| {
            pool.for_each(source::zip(longer, shorter), |_| unreachable!("it has not begun"));
        });
        assert_eq!(text_of(payload), "the tail");
        assert_eq!(drops.into_inner(), 10);
        tally.assert_even();
    }
}

//--- strange options

#[test]
fn options_of_zero_mean_one_and_there_is_no_upper_bound() {
    for pool in pools() {
        let views = [
            pool.limit(0),
            pool.chunk(0),
            pool.limit(0).chunk(0),
            pool.limit(usize::MAX),
            pool.chunk(usize::MAX),
            pool.limit(usize::MAX).chunk(usize::MAX),
            pool.chunk(usize::MAX - 1),
        ];
        for view in views {
            for length in [0, 1, 2, 301, 10_000] {
                assert!(view.map(0..length, |n| n).into_iter().eq(0..length));
                assert_eq!(view.fold(0..length, || 0, |n, _| n + 1, |a, b| a + b), length);
                assert_eq!(view.filter_map(0..length, Some).len(), length);
                assert_eq!(view.map_iter(0..length, |n| n).len(), length);
            }
            assert_eq!(view.join(|| 1, || 2), (1, 2));
            assert_eq!(view.scope(|s| s.spawn(|| 3).join().unwrap()), 3);
            assert_eq!(view.spawn(|| 4).join().unwrap(), 4);
            assert_eq!(view.install(|| 5), 5);
        }
    }
}

#[test]
fn chunks_and_windows_of_no_items_are_refused_where_they_are_made() {
    let mut items = [1, 2, 3];
    assert_eq!(text_of(panic_of(|| drop(source::chunks(&items, 0)))), "chunk size is 0");
    assert_eq!(text_of(panic_of(|| drop(source::windows(&items, 0)))), "window size is 0");
    assert_eq!(text_of(panic_of(|| drop(source::chunks_mut(&mut items, 0)))), "chunk size is 0");
}

#[test]
fn chunks_larger_than_the_slice_are_one_chunk() {
    let mut items = [1, 2, 3];
    for pool in pools() {
        assert_eq!(pool.map(source::chunks(&items, usize::MAX), <[_]>::len), [3]);
        pool.for_each(source::chunks_mut(&mut items, usize::MAX), |all| all.reverse());
    }
    assert_eq!(items, [1, 2, 3]);
}

//--- after the end

#[test]
fn a_pool_that_is_shut_down_refuses_tasks_and_computes_the_rest() {
    within(LONG, || {
        for pool in pools() {
            pool.shutdown();
            let tally = Tally::new();
            let captured = tally.make(1);
            let task = pool.spawn(move || drop(captured));
            if pool.threads() > 0 {
                tally.assert_even();
                assert!(task.is_finished());
                assert!(!task.cancel());
                assert!(matches!(task.join(), Err(TaskError::ShutDown)));
            }
            assert!(pool.map(0..1_000, |n| n).into_iter().eq(0..1_000));
            assert_eq!(pool.map_reduce(0..1_000, |n| n, |a, b| a + b), Some(499_500));
            assert_eq!(pool.map_iter(0..10, |n| n).len(), 10);
            assert_eq!(pool.join(|| 1, || 2), (1, 2));
            assert_eq!(pool.install(|| pool.map([1, 2], |n| n)), [1, 2]);
            let scoped = pool.scope(|s| [1, 2].map(|n| s.spawn(move || n).join().unwrap()));
            assert_eq!(scoped, [1, 2]);
            assert_eq!(pool.shutdown_now(), 0);
            pool.shutdown();
        }
    });
}

#[test]
fn a_panic_in_a_pool_that_is_shut_down_is_as_any() {
    for pool in pools() {
        pool.shutdown();
        let text = text_of(panic_of(|| pool.map(0..10, |n| assert!(n < 5, "too many"))));
        assert_eq!(text, "too many");
        let text = text_of(panic_of(|| pool.scope(|s| drop(s.spawn(|| panic!("in a task"))))));
        assert_eq!(text, "in a task");
    }
}

//--- the last handle

#[test]
fn the_last_handle_may_be_dropped_inside_a_task() {
    within(LONG, || {
        for size in [1, 2, 8] {
            let pool = Pool::new(size).unwrap();
            let slot = Arc::new(Mutex::new(None));
            let inside = slot.clone();
            let task = pool.spawn(move || {
                let pool: Pool = loop {
                    if let Some(pool) = inside.lock().unwrap().take() {
                        break pool;
                    }
                    std::thread::yield_now();
                };
                let late = pool.spawn(|| 7);
                drop(pool);
                late.join().unwrap()
            });
            *slot.lock().unwrap() = Some(pool);
            assert_eq!(task.join().unwrap(), 7);
        }
    });
}

#[test]
fn the_last_handle_may_be_dropped_inside_a_sweep() {
    within(LONG, || {
        for size in [1, 2, 8] {
            let slot = Arc::new(Mutex::new(Some(Pool::new(size).unwrap())));
            let inside = slot.clone();
            let spawned = slot.lock().unwrap().as_ref().unwrap().spawn(move || {
                manyhands::map(0..1_000, |n| {
                    if n == 500 {
                        drop(inside.lock().unwrap().take());
                    }
                    manyhands::join(|| n, || n).1
                })
            });
            let mapped = spawned.join().unwrap();
            assert!(mapped.into_iter().eq(0..1_000));
            assert!(slot.lock().unwrap().is_none());
        }
    });
}

#[test]
fn the_last_handle_may_be_dropped_inside_another_pool() {
    within(LONG, || {
        for size in [1, 2, 8] {
            let other = Pool::new(size).unwrap();
            let slot = Mutex::new(Some(Pool::new(size).unwrap()));
            let task = slot.lock().unwrap().as_ref().unwrap().spawn(|| 7);
            other.for_each(0..100, |n| {
                if n == 50 {
                    drop(slot.lock().unwrap().take());
                }
            });
            assert_eq!(task.join().unwrap(), 7);
        }
    });
}

#[test]
fn a_handle_may_be_dropped_by_each_item() {
    within(LONG, || {
        for size in [1, 2, 8] {
            let handles = vec![Pool::new(size).unwrap(); 100];
            let pool = Pool::new(size).unwrap();
            pool.for_each(handles, |handle| {
                assert_eq!(handle.map([1, 2], |n| n), [1, 2]);
                drop(handle);
            });
            let own = vec![pool.clone(); 100];
            pool.for_each(own, drop);
            assert_eq!(pool.map([1], |n| n), [1]);
        }
    });
}

#[test]
fn a_panic_while_the_last_handle_is_dropped_harms_nobody() {
    within(LONG, || {
        for size in [1, 2, 8] {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let pool = Pool::new(size).unwrap();
                pool.spawn(|| ()).detach();
                pool.for_each(0..100, |n| assert!(n < 50));
            }));
            assert!(outcome.is_err());
        }
    });
}
