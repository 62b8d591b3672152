//! A pool in a process: forks, idleness, exits, signals, limits.

#![cfg(unix)]
#![expect(unsafe_code, reason = "calls the C library, to fork above all")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::{
    JoinTimeoutError, Pool, TaskError, TaskHandle, TryJoinError, as_completed, join_all,
};

use crate::support::{
    Blocked, Gate, LONG, alone, alone_with, eventually, pool, threads, within, wrapped,
};

/// How long a child may take: then the system ends it, and it has failed.
const CHILD_SECONDS: u32 = 20;

/// `None` in the child.
fn fork() -> Option<libc::pid_t> {
    // SAFETY: the child is a copy of this process with this thread only. It calls this crate, whose
    // promises for forks are under test, and the allocator, which the C library keeps usable.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "no fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: nothing is asked of the caller.
        unsafe { libc::alarm(CHILD_SECONDS) };
    }
    (pid > 0).then_some(pid)
}

/// Ends this process at once, with 0 if `outcome` is good.
fn leave(outcome: bool) -> ! {
    // SAFETY: nothing is asked of the caller.
    unsafe { libc::_exit(if outcome { 0 } else { 1 }) }
}

/// Waits for the end of a child, and returns what it exits with; `Err` is a signal.
fn end_of(pid: libc::pid_t) -> Result<i32, i32> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is there to be written to.
        match unsafe { libc::waitpid(pid, &mut status, 0) } {
            -1 => {
                let error = std::io::Error::last_os_error();
                assert_eq!(error.kind(), std::io::ErrorKind::Interrupted, "{error}");
            }
            _ if libc::WIFEXITED(status) => return Ok(libc::WEXITSTATUS(status)),
            _ => return Err(libc::WTERMSIG(status)),
        }
    }
}

/// Runs `child` in a fork of this process. It must return there, and in time.
#[track_caller]
fn in_fork(child: impl FnOnce()) {
    let Some(pid) = fork() else { leave(catch_unwind(AssertUnwindSafe(child)).is_ok()) };
    assert_eq!(end_of(pid), Ok(0), "of a fork: Err(14) is one that hangs");
}

/// One call of each kind.
fn use_it(pool: &Pool) {
    let numbers: Vec<u64> = (0..1000).collect();
    assert!(pool.map(&numbers, |n| n * 2).into_iter().eq((0..1000).map(|n| n * 2)));
    assert_eq!(pool.map_reduce(0..1000_u64, |n| n, |a, b| a + b), Some(499_500));
    assert_eq!(pool.map_iter(0..10, |n| n).len(), 10);
    let count = AtomicUsize::new(0);
    pool.for_each(0..1000, |_| _ = count.fetch_add(1, Ordering::Relaxed));
    assert_eq!(count.into_inner(), 1000);
    assert_eq!(pool.join(|| pool.join(|| 1, || 2), || 3), ((1, 2), 3));
    let mut local = [0; 20];
    pool.scope(|s| {
        local.iter_mut().for_each(|number| drop(s.spawn(|| *number = 1)));
        assert_eq!(s.spawn(|| 4).join().unwrap(), 4);
    });
    assert_eq!(local, [1; 20]);
    assert_eq!(pool.spawn(|| 5).join().unwrap(), 5);
    assert_eq!(pool.spawn(|| 5).join_timeout(LONG).unwrap(), 5);
    assert_eq!(pool.install(|| 6), 6);
    assert_eq!(join_all([7, 8].map(|n| pool.spawn(move || n))).unwrap(), [7, 8]);
    assert_eq!(as_completed([7, 8].map(|n| pool.spawn(move || n))).count(), 2);
    pool.spawn(|| ()).detach();
}

fn is_lost<T>(result: Result<T, TaskError>) -> bool {
    is_lost_error(&result)
}

fn is_lost_error<T>(result: &Result<T, TaskError>) -> bool {
    matches!(result, Err(TaskError::Lost))
}

//--- forks

#[test]
fn every_call_completes_in_a_fork_of_a_process_that_has_used_its_pools() {
    alone(|| {
        for size in [1, 2, 8] {
            let pool = pool(size);
            use_it(&pool);
            use_it(Pool::global());
            in_fork(|| {
                use_it(&pool);
                use_it(&pool.limit(2));
                use_it(Pool::global());
                pool.enter(|| assert_eq!(manyhands::map(0..3, |n| n), [0, 1, 2]));
            });
            use_it(&pool);
            use_it(Pool::global());
        }
    });
}

#[test]
fn a_fork_may_build_pools_of_its_own() {
    alone(|| {
        let old = pool(2);
        use_it(&old);
        in_fork(|| {
            let new = pool(3);
            assert_eq!(new.threads(), 3);
            use_it(&new);
            new.install(|| use_it(&old));
            old.enter(|| use_it(&new));
            drop(new);
        });
        use_it(&old);
    });
}

#[test]
fn a_fork_of_a_fork_works_as_well() {
    alone(|| {
        let first = pool(2);
        use_it(&first);
        in_fork(|| {
            let second = pool(2);
            use_it(&second);
            in_fork(|| [&first, &second].into_iter().for_each(use_it));
            [&first, &second].into_iter().for_each(use_it);
        });
        use_it(&first);
    });
}

#[test]
fn an_unfinished_task_is_lost_in_a_fork_and_goes_on_in_the_parent() {
    alone(|| {
        let (pool, gate) = (pool(1), Gate::new());
        let opener = gate.opener();
        let mut handles = at_gate(&pool, &gate, 6);
        for begun in [true, false] {
            let mut next = || if begun { handles.remove(0) } else { handles.pop().unwrap() };
            in_fork(|| assert!(is_lost(next().join())));
            in_fork(|| {
                assert!(matches!(next().try_join(), Err(TryJoinError::Failed(TaskError::Lost))));
            });
            in_fork(|| {
                let result = next().join_timeout(LONG);
                assert!(matches!(result, Err(JoinTimeoutError::Failed(TaskError::Lost))));
            });
            in_fork(|| drop(next()));
        }
        in_fork(|| assert!(is_lost(join_all(std::mem::take(&mut handles)))));
        drop(opener);
        assert_eq!(join_all(handles).unwrap(), [3; 6]);
    });
}

/// The first is begun, the others are not.
fn at_gate(pool: &Pool, gate: &Gate, count: usize) -> Vec<TaskHandle<i32>> {
    let spawn = |_| {
        let gate = gate.clone();
        pool.spawn(move || {
            gate.wait();
            3
        })
    };
    let handles = (0..count).map(spawn).collect();
    gate.wait_for_arrivals(1);
    handles
}

#[test]
fn as_completed_yields_lost_tasks_in_a_fork() {
    for begun in [true, false] {
        alone(move || {
            let (pool, gate) = (pool(1), Gate::new());
            let opener = gate.opener();
            let mut handles = at_gate(&pool, &gate, 6);
            in_fork(|| {
                let mut handles = std::mem::take(&mut handles);
                let mut rest = handles.split_off(1);
                let mine = if begun { &mut handles } else { &mut rest };
                let count = mine.len();
                let results = as_completed(mine.drain(..)).map(|(_, result)| result);
                assert_eq!(results.filter(is_lost_error).count(), count);
            });
            drop(opener);
            assert_eq!(join_all(handles).unwrap(), [3; 6]);
        });
    }
}

#[test]
fn as_completed_from_before_a_fork_yields_what_is_done_and_what_is_lost() {
    alone(|| {
        let (pool, gate) = (pool(1), Gate::new());
        let opener = gate.opener();
        let done = pool.spawn(|| 3);
        eventually("it ends", || done.is_finished());
        let mut all = at_gate(&pool, &gate, 6);
        all.push(done);
        let mut all = Some(as_completed(all));
        in_fork(|| {
            let results: Vec<_> = all.take().unwrap().map(|(_, result)| result).collect();
            assert_eq!(results.len(), 7);
            assert_eq!(results.iter().filter(|result| is_lost_error(result)).count(), 6);
        });
        drop(opener);
        assert_eq!(all.unwrap().filter_map(|(_, result)| result.ok()).count(), 7);
    });
}

#[test]
fn a_result_from_before_a_fork_is_there_on_both_sides() {
    alone(|| {
        let pool = pool(2);
        let mut handle = Some(pool.spawn(|| String::from("early")));
        while !handle.as_ref().unwrap().is_finished() {
            thread::yield_now();
        }
        in_fork(|| assert_eq!(handle.take().unwrap().join().unwrap(), "early"));
        assert_eq!(handle.take().unwrap().join().unwrap(), "early");
    });
}

#[test]
fn ending_a_pool_does_not_hang_in_a_fork() {
    alone(|| {
        for is_blocked in [false, true] {
            let mut kept = Some(pool(2));
            let blocked = is_blocked.then(|| Blocked::all(kept.as_ref().unwrap()));
            in_fork(|| drop(kept.take()));
            in_fork(|| kept.as_ref().unwrap().shutdown());
            in_fork(|| kept.as_ref().unwrap().shutdown_timeout(LONG).unwrap());
            in_fork(|| _ = kept.as_ref().unwrap().shutdown_now());
            in_fork(|| {
                let pool = kept.take().unwrap();
                pool.shutdown();
                assert_eq!(pool.map([1, 2], |n| n), [1, 2]);
            });
            in_fork(|| Pool::global().shutdown());
            drop(blocked);
            use_it(kept.as_ref().unwrap());
        }
    });
}

#[test]
fn a_fork_may_exit_as_any_process_does() {
    alone(|| {
        let pool = pool(2);
        let _blocked = Blocked::all(&pool);
        use_it(Pool::global());
        for _ in 0..10 {
            match fork() {
                Some(pid) => assert_eq!(end_of(pid), Ok(3)),
                // SAFETY: the only other thread that might exit does not exist here.
                None => unsafe { libc::exit(3) },
            }
        }
    });
}

#[test]
fn every_call_completes_in_a_fork_from_inside_a_pool() {
    alone(|| {
        for size in [1, 2, 8] {
            let (pool, gate) = (pool(size), Gate::new());
            let check = |in_pool: &Pool| {
                let gate = gate.clone();
                // Of the global pool: it may never be done in the fork.
                let mut other = Some(Pool::global().spawn(move || gate.wait()));
                in_fork(|| {
                    assert!(is_lost(other.take().unwrap().join()));
                    use_it(in_pool);
                    use_it(&Pool::current());
                    use_it(Pool::global());
                    let new = Pool::new(2).unwrap();
                    use_it(&new);
                    in_pool.shutdown();
                });
            };
            pool.install(|| check(&pool));
            pool.for_each(0..3, |_| check(&pool));
            pool.join(|| check(&pool), || check(&pool));
            pool.scope(|s| (0..3).for_each(|_| drop(s.spawn(|| check(&pool)))));
            gate.open();
            use_it(&pool);
        }
    });
}

#[test]
fn every_call_completes_in_a_fork_from_inside_a_detached_task() {
    alone(|| {
        for size in [1, 2, 8] {
            let pool = pool(size);
            let inside = pool.clone();
            let task = move || {
                let mut inside = Some(inside);
                in_fork(|| {
                    use_it(inside.as_ref().unwrap());
                    drop(inside.take());
                });
                use_it(&inside.unwrap());
                1
            };
            assert_eq!(pool.spawn(task).join().unwrap(), 1);
        }
    });
}

#[test]
fn a_scope_whose_tasks_a_fork_has_lost_ends_in_the_child_with_a_panic() {
    alone(|| {
        for size in [1, 2, 8] {
            let (pool, gate) = (pool(size), Gate::new());
            let mut child = None;
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.scope(|s| {
                    drop(s.spawn(|| gate.wait()));
                    gate.wait_for_arrivals(1);
                    child = fork();
                    gate.open();
                });
            }));
            let Some(pid) = child else { leave(outcome.is_err()) };
            outcome.unwrap();
            assert_eq!(end_of(pid), Ok(0));
        }
    });
}

/// Every lock of the pool may be held by a thread that the child does not have.
#[test]
fn every_call_completes_in_forks_while_other_threads_use_the_pools() {
    alone(|| {
        for size in [1, 2, 8] {
            let (pool, is_over) = (pool(size), AtomicBool::new(false));
            use_it(Pool::global());
            thread::scope(|threads| {
                for _ in 0..2 {
                    threads.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            pool.map(0..100, |n| n);
                            pool.spawn(|| ()).detach();
                            pool.spawn(|| ()).join().unwrap();
                            pool.scope(|s| drop(s.spawn(|| ())));
                            Pool::global().join(|| (), || ());
                            Pool::global().spawn(|| ()).detach();
                        }
                    });
                }
                let forks = catch_unwind(AssertUnwindSafe(|| {
                    for _ in 0..40 {
                        in_fork(|| {
                            use_it(&pool);
                            use_it(Pool::global());
                            let _ = format!("{:?} {:?}", pool, pool.stats());
                            pool.shutdown();
                        });
                    }
                }));
                is_over.store(true, Ordering::Relaxed);
                forks.unwrap();
            });
            use_it(&pool);
        }
    });
}

/// A thread that the child does not have is about to build the global pool.
#[test]
fn the_global_pool_is_there_in_a_fork_from_amid_its_first_use() {
    alone_with(&[("MANYHANDS_NUM_THREADS", "500")], || {
        let first_use = thread::spawn(|| use_it(Pool::global()));
        eventually("the pool is being built", || threads() > 20);
        in_fork(|| use_it(Pool::global()));
        first_use.join().unwrap();
        use_it(Pool::global());
    });
}

//--- idleness

/// How much time the threads of this process have spent on a CPU.
fn cpu_time() -> Duration {
    // SAFETY: a struct of numbers, for which 0 is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is there to be written to.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) }, 0);
    let sum = |f: fn(&libc::timeval) -> i64| f(&usage.ru_utime) + f(&usage.ru_stime);
    let micros = sum(|time| time.tv_sec) * 1_000_000 + sum(|time| time.tv_usec);
    Duration::from_micros(micros.unsigned_abs())
}

#[test]
fn pools_that_have_nothing_to_do_use_no_cpu() {
    alone(|| {
        let pools = [1, 2, 8].map(pool);
        pools.iter().for_each(use_it);
        use_it(Pool::global());
        // The first second may still see them go to sleep.
        let used = [(); 2].map(|()| {
            let before = cpu_time();
            thread::sleep(Duration::from_secs(1));
            cpu_time() - before
        });
        assert!(used[1] < Duration::from_millis(20), "{used:?} a second");
    });
}

//--- exits

/// Keeps every thread of the global pool busy for ever, in all ways.
fn never_end() {
    let pool = Pool::global();
    for n in 0..2 * pool.threads() {
        pool.spawn(move || {
            loop {
                match n % 3 {
                    0 => drop(manyhands::map(0..100, |n| n)),
                    1 => manyhands::spawn(|| ()).detach(),
                    _ => drop(manyhands::join(|| vec![1], || vec![2])),
                }
            }
        })
        .detach();
    }
    thread::spawn(|| {
        loop {
            manyhands::scope(|s| drop(s.spawn(|| ())));
        }
    });
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_process_exits_with_its_code_while_tasks_run() {
    for _ in 0..20 {
        let begin = Instant::now();
        let ended = wrapped(&[], || {
            never_end();
            std::process::exit(3);
        });
        let Some(ended) = ended else { return };
        assert_eq!(ended.status.code(), Some(3), "{}", ended.output);
        assert!(begin.elapsed() < SOON);
    }
}

#[test]
fn a_process_whose_main_returns_while_tasks_run_ends() {
    for _ in 0..20 {
        let begin = Instant::now();
        let Some(ended) = wrapped(&[], || {
            never_end();
        }) else {
            return;
        };
        assert_eq!(ended.status.code(), Some(0), "{}", ended.output);
        assert!(begin.elapsed() < SOON);
    }
}

//--- signals

static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Has `signal` handled, and sent by `timer` every `micros`; 0 ends it. System calls that it
/// interrupts are not begun again.
fn storm(timer: libc::c_int, signal: libc::c_int, micros: libc::suseconds_t) {
    // SAFETY: a struct of numbers and a set, for which 0 is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as usize;
    // SAFETY: the handler only adds to an atomic.
    assert_eq!(unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) }, 0);
    let every = libc::timeval { tv_sec: 0, tv_usec: micros };
    let value = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: `value` is there to be read.
    let result = unsafe { libc::setitimer(timer as _, &value, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

#[test]
fn a_storm_of_signals_changes_no_result() {
    alone(|| {
        let timers = [(libc::ITIMER_PROF, libc::SIGPROF), (libc::ITIMER_REAL, libc::SIGALRM)];
        for (timer, signal) in timers {
            SIGNALS.store(0, Ordering::Relaxed);
            storm(timer as _, signal, 1000);
            within(LONG, move || {
                let pools = [1, 2, 8].map(pool);
                let begin = Instant::now();
                let few = || SIGNALS.load(Ordering::Relaxed) <= 10;
                while begin.elapsed() < Duration::from_secs(1) || few() {
                    pools.iter().for_each(use_it);
                }
            });
            storm(timer as _, signal, 0);
        }
    });
}

//--- spares

#[test]
#[cfg(target_os = "linux")]
fn a_spare_that_nobody_needs_ends() {
    alone(|| {
        let (pool, gate) = (pool(1), Gate::new());
        let waiting = gate.clone();
        let task = pool.spawn(move || manyhands::blocking(|| waiting.wait()));
        gate.wait_for_arrivals(1);
        let before = threads();
        let other = pool.spawn(|| ());
        eventually("a spare runs it", || other.is_finished());
        assert_eq!((pool.stats().spares_started, threads()), (1, before + 1));
        gate.open();
        task.join().unwrap();
        let is_gone = || {
            thread::sleep(Duration::from_millis(50));
            threads() == before
        };
        let begin = Instant::now();
        eventually("the spare ends", is_gone);
        assert!(begin.elapsed() > Duration::from_secs(8), "it was to rest for a while");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_spare_that_the_system_refuses_once_comes_later() {
    alone(|| {
        let pool = Pool::builder().threads(1).max_spares(10_000).build().unwrap();
        let (sender, receiver) = manyhands::channel::unbounded();
        let waiting = pool.spawn(move || receiver.recv());
        eventually("it waits", || pool.stats().parks > 0);
        let unlimited = limit_memory(Some(1 << 20));
        let refused = pool.spawn(|| ());
        limit_memory(unlimited);
        eventually("it stalls", || pool.stats().stalls > 0);
        assert_eq!((pool.stats().spares_started, refused.is_finished()), (0, false));
        // Whoever comes later finds a thread for both.
        pool.spawn(move || sender.send(7).unwrap()).detach();
        eventually("a spare comes", || {
            pool.spawn(|| ()).detach();
            thread::sleep(Duration::from_millis(1));
            refused.is_finished() && waiting.is_finished()
        });
        assert_eq!(waiting.join().unwrap(), Ok(7));
        assert!(pool.stats().spares_started >= 1);
    });
}

/// Limits the address space of this process; `None`: as far as it goes. Returns the limit before.
#[cfg(target_os = "linux")]
fn limit_memory(bytes: Option<libc::rlim_t>) -> Option<libc::rlim_t> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is there to be written to.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) }, 0);
    let before = limit.rlim_cur;
    limit.rlim_cur = bytes.unwrap_or(limit.rlim_max);
    // SAFETY: `limit` is there to be read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    Some(before)
}

//--- limits

#[test]
#[cfg(target_os = "linux")]
fn the_global_pool_of_a_process_with_one_cpu_has_one_thread() {
    alone(|| {
        // SAFETY: a set of bits, for which 0 is a value.
        let mut allowed: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        let size = size_of::<libc::cpu_set_t>();
        // SAFETY: `allowed` is there to be written to.
        assert_eq!(unsafe { libc::sched_getaffinity(0, size, &mut allowed) }, 0);
        // SAFETY: the number is below the size of the set.
        let is_allowed = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &allowed) };
        let cpu = (0..libc::CPU_SETSIZE as usize).find(is_allowed).unwrap();
        // SAFETY: as above.
        let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the number is below the size of the set.
        unsafe { libc::CPU_SET(cpu, &mut one) };
        // SAFETY: `one` is there to be read.
        assert_eq!(unsafe { libc::sched_setaffinity(0, size, &one) }, 0);
        if std::env::var_os("MANYHANDS_NUM_THREADS").is_none() {
            assert_eq!(Pool::global().threads(), 1);
        }
        use_it(Pool::global());
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_pool_that_is_refused_threads_works_with_those_it_has() {
    alone(|| {
        const MIB: usize = 1 << 20;
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = statm.split(' ').next().unwrap().parse().unwrap();
        let limit = (pages * 4096 + 200 * MIB) as libc::rlim_t;
        let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
        // SAFETY: `limit` is there to be read.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
        let builder = Pool::builder().threads(64).stack_size(16 * MIB);
        assert!(builder.clone().strict(true).build().is_err());
        let pool = builder.build().unwrap();
        assert!(pool.threads() < 64);
        use_it(&pool);
    });
}
