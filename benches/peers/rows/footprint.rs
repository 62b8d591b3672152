//! What a contender costs beside its work: processor time at rest and under light load, and memory.

use std::{
    fs, hint,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use crate::{
    contenders::{Contender, Contenders},
    medium::Medium,
    race::{Bench, Entry},
    record::Reach,
    rows::sweeps::{map_entries, randoms},
};

const REST: Duration = Duration::from_millis(500);
/// Threads that were just started are not at rest yet.
const SETTLE: Duration = Duration::from_millis(50);
const TICK: Duration = Duration::from_millis(1);
const TICKS: u32 = 500;
const LONG: Duration = Duration::from_secs(1);
/// A process at rest spends some 0.1 ms a second, half of it by chance.
const RESTS: usize = 5;
const QUEUED: usize = 200_000;

/// Runs all rows of this part for one contender, which has the process to itself.
pub(super) fn run(bench: &Bench, contenders: &Contenders, contender: Contender, medium: Medium) {
    // What a process spends that has no pool.
    let own = || Reach::fixed(0.06);
    let of_loop = |took, reach| Reach::of(Contender::Loop, took, reach);
    let measure_often = |title: &str, unit, reach, times, measure: &dyn Fn() -> Option<f64>| {
        let Some(row) = bench.row(title) else { return };
        let samples = (0..times).map_while(|_| measure()).collect();
        row.reach(reach).publish(unit, vec![(contender, samples)]);
    };
    let measure = |title, unit, reach, f: &dyn Fn() -> Option<f64>| {
        measure_often(title, unit, reach, 1, f);
    };
    let seeds = randoms(20);
    let sweeps = map_entries(contenders, &seeds, |&seed| medium.work(seed));
    let sweep = sweeps.into_iter().find(|entry| entry.contender() == contender);
    let sweep = || sweep.as_ref().map(Entry::call_once);
    let run = |work: Duration| run_one(contenders, contender, work).then_some(());

    measure_often("footprint: processor time of a second at rest", "ms", own(), RESTS, &|| {
        sweep()?;
        thread::sleep(SETTLE);
        Some(processor_time_of(|| thread::sleep(REST)) * 1e3 / REST.as_secs_f64())
    });
    measure("footprint: processor time beyond a task of 1 s", "ms", own(), &|| {
        run(Duration::ZERO)?;
        Some((processor_time_of(|| run(LONG)) - LONG.as_secs_f64()) * 1e3)
    });
    measure("footprint: a task of 20 µs every millisecond", "µs", of_loop(52.0, 62.0), &|| {
        each_tick(|| run(Duration::from_micros(20)))
    });
    measure("footprint: a map of 20 medium every millisecond", "µs", of_loop(50.0, 53.0), &|| {
        each_tick(sweep)
    });
    measure("footprint: memory of a queued task with its handle", "B", Reach::fixed(80.0), &|| {
        memory_of_queued(contenders, contender)
    });
}

/// Keeps a core busy.
fn burn(work: Duration) {
    let start = thread_time();
    while thread_time() - start < work.as_secs_f64() {
        hint::spin_loop();
    }
}

/// Has one task run by a worker and waits for it. False: the contender knows no tasks.
fn run_one(contenders: &Contenders, contender: Contender, work: Duration) -> bool {
    let Contenders { rayon, forte, channel, manyhands, .. } = contenders;
    let through_channel = |spawn: &dyn Fn(Box<dyn FnOnce() + Send>)| {
        let (sender, receiver) = oneshot::channel();
        spawn(Box::new(move || {
            burn(work);
            sender.send(()).expect("the bench waits");
        }));
        receiver.recv().expect("the task tells");
    };
    match contender {
        Contender::Loop => burn(work),
        Contender::Rayon => through_channel(&|task| rayon.spawn(task)),
        Contender::Forte => through_channel(&|task| forte.0.spawn(|_: &forte::Worker| task())),
        Contender::StdScope => thread::scope(|scope| drop(scope.spawn(|| burn(work)))),
        Contender::Channel => through_channel(&|task| drop(channel.spawn(task))),
        Contender::Manyhands => {
            let handle = manyhands.spawn(move || burn(work));
            handle.join_timeout(Duration::from_secs(60)).expect("it ends within a minute");
        }
        Contender::Chili | Contender::Orx | Contender::Paralight => return false,
    }
    true
}

/// Microseconds of processor time that a call costs, one every millisecond.
fn each_tick(call: impl Fn() -> Option<()>) -> Option<f64> {
    call()?;
    let spent = processor_time_of(|| {
        let start = Instant::now();
        for tick in 1..=TICKS {
            call();
            thread::sleep((TICK * tick).saturating_sub(start.elapsed()));
        }
    });
    Some(spent * 1e6 / f64::from(TICKS))
}

/// Bytes that each of many queued tasks takes, without the vector that holds their handles.
fn memory_of_queued(contenders: &Contenders, contender: Contender) -> Option<f64> {
    let Contenders { threads, rayon, channel, manyhands, .. } = contenders;
    let gate = Arc::new(Barrier::new(threads + 1));
    let wait = || {
        let gate = Arc::clone(&gate);
        move || {
            gate.wait();
        }
    };
    let task = |number: usize| {
        let words = [number, number];
        move || hint::black_box(words)[0]
    };
    let bytes = match contender {
        Contender::Rayon => {
            (0..*threads).for_each(|_| rayon.spawn(wait()));
            growth_of(|number| {
                let (sender, receiver) = oneshot::channel();
                let task = task(number);
                rayon.spawn(move || drop(sender.send(task())));
                receiver
            })
        }
        Contender::Channel => {
            (0..*threads).for_each(|_| drop(channel.spawn(wait())));
            growth_of(|number| channel.spawn(task(number)))
        }
        Contender::Manyhands => {
            (0..*threads).for_each(|_| drop(manyhands.spawn(wait())));
            growth_of(|number| manyhands.spawn(task(number)))
        }
        _ => return None,
    };
    gate.wait();
    Some(bytes)
}

/// How much the process grows by each call whose result is kept.
fn growth_of<T>(call: impl Fn(usize) -> T) -> f64 {
    // Its pages are touched, and stay.
    let mut kept = Vec::with_capacity(QUEUED);
    kept.extend((0..QUEUED).map(|_| None));
    let before = resident();
    for (number, slot) in kept.iter_mut().enumerate() {
        *slot = Some(call(number));
    }
    (resident() - before) / QUEUED as f64
}

fn resident() -> f64 {
    let sizes = fs::read_to_string("/proc/self/statm").expect("the system tells sizes");
    let pages = sizes.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.expect("the second one is what is resident") * 4096.0
}

/// Seconds of processor time that all threads of the process spend during `f`.
fn processor_time_of<T>(f: impl FnOnce() -> T) -> f64 {
    let start = clock(libc::CLOCK_PROCESS_CPUTIME_ID);
    hint::black_box(f());
    clock(libc::CLOCK_PROCESS_CPUTIME_ID) - start
}

fn thread_time() -> f64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

#[expect(unsafe_code, reason = "the standard library has no clock of processor time")]
fn clock(id: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for the call.
    let result = unsafe { libc::clock_gettime(id, &raw mut time) };
    assert_eq!(result, 0, "the system has this clock");
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
