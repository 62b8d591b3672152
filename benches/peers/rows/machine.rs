//! What the machine itself takes, for comparison: to wake a thread, to hand a cache line over.

use std::{
    hint::black_box,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, TrySendError, sync_channel},
    },
    thread::{self, Thread},
    time::Duration,
};

use crossbeam_deque::Injector;

use crate::{
    contenders::Contender,
    placement::Placement,
    race::{Bench, Entry},
};

/// The unpark call alone, of a thread that has slept.
pub(super) const UNPARK: &str = "the machine: unpark, idle";

/// Until a woken thread has woken its waker.
pub(super) const ROUND_TRIP: &str = "the machine: unpark and back, idle";

/// Long enough for a thread to sleep deeply.
const REST: Duration = Duration::from_millis(5);

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, placement: &Placement) {
    wake(bench, placement);
    hand_over(bench, placement);
}

fn wake(bench: &Bench, placement: &Placement) {
    if let Some(row) = bench.row(UNPARK) {
        let sleeper = Sleeper::new(placement);
        row.after(REST).race(vec![Entry::new(Contender::Loop, || sleeper.thread.unpark())]);
    }
    if let Some(row) = bench.row(ROUND_TRIP) {
        let sleeper = Sleeper::new(placement);
        row.after(REST).race(vec![Entry::new(Contender::Loop, || sleeper.wake_and_wait())]);
    }
}

fn hand_over(bench: &Bench, placement: &Placement) {
    if let Some(row) = bench.row("the machine: a claim from a counter of its own") {
        let counter = AtomicU64::new(0);
        row.per(CLAIMS).race(vec![Entry::new(Contender::Loop, || claim(&counter))]);
    }
    if let Some(row) = bench.row("the machine: a claim from a counter of two threads") {
        contended(placement, claim, |call| {
            row.per(CLAIMS).race(vec![Entry::new(Contender::Loop, call)]);
        });
    }
    if let Some(row) = bench.row("the machine: an injector's push and steal") {
        let injector = Injector::new();
        let push_and_steal = |item| {
            injector.push(item);
            black_box(injector.steal().success());
        };
        let entry = Entry::new(Contender::Loop, || (0..CLAIMS).for_each(push_and_steal));
        row.per(CLAIMS).race(vec![entry]);
    }
}

const CLAIMS: u64 = 1_000;

/// Claims as a sweep's cursor does: read, compare, exchange.
fn claim(counter: &AtomicU64) {
    for _ in 0..CLAIMS {
        let next = |count: u64| Some(count + 1);
        black_box(counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok());
    }
}

/// Runs `race` with a call of `f` on a counter that another thread uses all the while.
fn contended(placement: &Placement, f: impl Fn(&AtomicU64) + Sync, race: impl FnOnce(&dyn Fn())) {
    let (counter, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            placement.pin_worker(0);
            while !is_over.load(Ordering::Relaxed) {
                f(&counter);
            }
        });
        race(&|| f(&counter));
        is_over.store(true, Ordering::Relaxed);
    });
}

/// A thread that parks, and answers each time it is woken.
struct Sleeper {
    thread: Thread,
    answers: Receiver<()>,
}

impl Sleeper {
    fn new(placement: &Placement) -> Self {
        let placement = placement.clone();
        let (sender, answers) = sync_channel(1);
        let handle = thread::spawn(move || {
            placement.pin_worker(0);
            loop {
                thread::park();
                // Full where nobody waits for answers.
                if let Err(TrySendError::Disconnected(())) = sender.try_send(()) {
                    return;
                }
            }
        });
        Self { thread: handle.thread().clone(), answers }
    }

    fn wake_and_wait(&self) {
        self.thread.unpark();
        self.answers.recv().expect("the sleeper answers");
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // The thread ends at its next answer.
        self.thread.unpark();
    }
}
