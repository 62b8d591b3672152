//! The account of a pool's threads: who is awake, who searches, who sleeps, and whom to wake.
//!
//! ```text
//!   one who makes work            one who finds none
//!   ──────────────────            ──────────────────
//!   publish the work              enlist as a sleeper
//!   fence                         fence
//!   read the counts               look for work once more
//!   wake one, if that helps       park
//! ```
//!
//! Either the sleeper's second look sees the work, or the maker's reading sees the sleeper: with a
//! fence on each side one of them comes first. So no wake-up is lost.
//!
//! # Whom to wake
//!
//! - While somebody searches, nobody is woken: the searcher finds the work. If it was the last one
//!   to search, it wakes the next as soon as it finds something (so wake-ups spread as a chain
//!   while there is work, and cost their makers one look otherwise).
//! - *Structured* work wakes a thread only while fewer than [`target`](Sleep::new) are active;
//!   guests count. A pool of 4 keeps 4 threads busy, not 5.
//! - *Detached* work wakes a sleeping worker in any case, so that guests never hold it up.
//! - Where all workers are awake and some of them blocked, a spare is wanted.
//!
//! # Invariant
//!
//! The two sleeper fields of the counts change under the lock, together with the lists, and equal
//! their lengths. A thread that is taken off a list is active and searching from then on.

use std::time::{Duration, Instant};

use super::counts::{ACTIVE, Counts, SEARCHING};
use super::sleepers::{Sleeper, Sleepers};
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering, fence, lock};

/// What kind of work there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody waits for it and can do it alone: more hands than cores do not help.
    Structured,
    /// Nobody does it but a worker.
    Detached,
}

/// What came of a try to wake somebody.
#[must_use = "a wanted spare must be started or called off"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Nobody needs to be woken.
    Nobody,
    /// A sleeper was woken.
    Woken,
    /// There is room for a spare. It is counted as active already: start it, or
    /// [call it off](Sleep::call_off_spare).
    Spare,
    /// A spare would help, but there are as many as there may be.
    Stalled,
}

/// Why a thread is awake again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rise {
    /// It saw work before it slept, or was woken: it is active and searching.
    Search,
    /// Its time was up: it is off every list and counted nowhere.
    Retire,
}

/// For so long nobody asks for a spare after the system has refused one.
const REFUSAL: Duration = Duration::from_millis(10);

/// The account.
#[derive(Debug)]
pub(crate) struct Sleep {
    counts: AtomicU64,
    /// How many threads the pool keeps busy.
    target: AtomicUsize,
    /// How many more spares may be started.
    spares_left: AtomicUsize,
    /// How many are not asked for, since the system refused one a moment ago.
    spares_withheld: AtomicUsize,
    lists: Mutex<Sleepers>,
    /// Which core the caller runs on.
    cpu: fn() -> Option<usize>,
}

impl Sleep {
    /// An account of nobody, of a pool that wants `target` busy threads.
    pub(crate) fn new(target: usize, max_spares: usize) -> Self {
        Self {
            counts: AtomicU64::new(0),
            target: AtomicUsize::new(target),
            spares_left: AtomicUsize::new(max_spares),
            spares_withheld: AtomicUsize::new(0),
            lists: Mutex::new(Sleepers::default()),
            cpu: || None,
        }
    }

    /// Asks `cpu` which core a thread runs on, and wakes those first that ran on others.
    pub(crate) fn asking(self, cpu: fn() -> Option<usize>) -> Self {
        Self { cpu, ..self }
    }

    /// Corrects how many threads there are to keep busy, where the system refused some.
    pub(crate) fn set_target(&self, target: usize) {
        // ORDERING: Relaxed: a bound that is looked at, nothing is published by it.
        self.target.store(target, Ordering::Relaxed);
    }

    fn counts(&self) -> Counts {
        // ORDERING: Relaxed: whoever decides by it has a fence before, see `notify` and `sleep`.
        Counts(self.counts.load(Ordering::Relaxed))
    }

    fn add(&self, units: u64) {
        // ORDERING: Relaxed: the counts carry no data. Where their order against a queue matters
        // there is a fence, see `notify` and `sleep`.
        self.counts.fetch_add(units, Ordering::Relaxed);
    }

    fn subtract(&self, units: u64) -> Counts {
        // ORDERING: Release: a searcher that carried several jobs off shows them before it stops to
        // count as one. Pairs with the fence after the enlistment in `sleep`.
        Counts(self.counts.fetch_sub(units, Ordering::Release))
    }

    /// A thread begins to work: a guest that enters, a waiter that goes on.
    pub(crate) fn begin_activity(&self) {
        self.add(ACTIVE);
    }

    /// A thread stops working: a guest that leaves, a waiter that is about to park. Follow with a
    /// [`notify`](Self::notify) if there is work left: it may have waited for this.
    pub(crate) fn end_activity(&self) {
        self.subtract(ACTIVE);
        // ORDERING: the count stays before the look at the queues that follows. Pairs with the
        // fence in `notify`, whose maker may have seen this thread as active.
        fence(Ordering::SeqCst);
    }

    /// A worker that is active and searching ends.
    pub(crate) fn end_worker(&self) {
        self.subtract(ACTIVE + SEARCHING);
    }

    /// An active worker begins to search.
    pub(crate) fn begin_search(&self) {
        self.add(SEARCHING);
    }

    /// A searcher found something. True: it was the last one, and should see to more work.
    #[must_use]
    pub(crate) fn end_search(&self) -> bool {
        let was_last = self.subtract(SEARCHING).searching() == 1;
        if was_last {
            // ORDERING: whoever made work and relied on this searcher is seen by its next look, for
            // this stays before it. Pairs with the fence in `notify`.
            fence(Ordering::SeqCst);
        }
        was_last
    }

    /// Whether more threads than the pool has are busy: structured work is for them, then.
    pub(crate) fn is_crowded(&self) -> bool {
        self.counts().active() > self.target()
    }

    /// Whether structured work would wake somebody.
    pub(crate) fn has_room(&self) -> bool {
        self.counts().active() < self.target()
    }

    /// Whether somebody searches: an invitation costs no wake-up then.
    pub(crate) fn has_searcher(&self) -> bool {
        self.counts().searching() > 0
    }

    /// Whether a worker sleeps, and will take detached work.
    pub(crate) fn has_sleeping_worker(&self) -> bool {
        self.counts().sleeping() > 0
    }

    /// Wakes one thread, if the new work needs one. The work is published before.
    pub(crate) fn notify(&self, urgency: Urgency) -> Wake {
        // ORDERING: the publication stays before the reading of the counts. Pairs with the fence in
        // `sleep`.
        fence(Ordering::SeqCst);
        let counts = self.counts();
        if self.wants(counts, urgency) {
            self.wake(urgency)
        } else if self.is_stalled(counts) {
            if self.release_withheld() { self.wake(urgency) } else { Wake::Stalled }
        } else {
            Wake::Nobody
        }
    }

    fn target(&self) -> usize {
        // ORDERING: Relaxed, as in `set_target`.
        self.target.load(Ordering::Relaxed)
    }

    fn wants(&self, counts: Counts, urgency: Urgency) -> bool {
        if counts.searching() > 0 {
            return false;
        }
        // ORDERING: Relaxed: `wake` looks again under the lock.
        let spares = counts.resting() + self.spares_left.load(Ordering::Relaxed);
        let has_room = counts.active() < self.target();
        let worker = counts.sleeping() > 0 && (has_room || urgency == Urgency::Detached);
        worker || (has_room && spares > 0)
    }

    /// Whether threads are missing, and there is nobody to take their place.
    fn is_stalled(&self, counts: Counts) -> bool {
        let others = counts.searching() + counts.sleeping() + counts.resting();
        // ORDERING: Relaxed: a statistic.
        let spares_left = self.spares_left.load(Ordering::Relaxed);
        counts.active() < self.target() && others + spares_left == 0
    }

    #[cold]
    fn wake(&self, urgency: Urgency) -> Wake {
        let mut lists = lock(&self.lists);
        if !self.wants(self.counts(), urgency) {
            return Wake::Nobody;
        }
        let Some(sleeper) = lists.take((self.cpu)()) else {
            // ORDERING: Relaxed: changed under the lock only, `wants` saw one left.
            self.spares_left.fetch_sub(1, Ordering::Relaxed);
            self.add(ACTIVE);
            return Wake::Spare;
        };
        self.rouse(sleeper.unit());
        drop(lists);
        sleeper.parker.unpark();
        Wake::Woken
    }

    /// A sleeper of the kind that `unit` counts becomes active and searching. Under the lock.
    fn rouse(&self, unit: u64) {
        self.subtract(unit - ACTIVE - SEARCHING);
    }

    /// The spare that was wanted could not be started. None is asked for in the next moments: that
    /// would cost more at each call than the spare could bring.
    pub(crate) fn call_off_spare(&self) {
        let mut lists = lock(&self.lists);
        // ORDERING: Relaxed, as in `wake`.
        let spares = self.spares_left.swap(0, Ordering::Relaxed) + 1;
        // ORDERING: Relaxed, as in `wake`.
        self.spares_withheld.fetch_add(spares, Ordering::Relaxed);
        lists.refusal_ends = Some(Instant::now() + REFUSAL);
        drop(lists);
        self.end_activity();
    }

    /// Allows spares again, a while after one was refused. False: that is not the case.
    #[cold]
    fn release_withheld(&self) -> bool {
        // ORDERING: Relaxed: a first look, the lock decides.
        if self.spares_withheld.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let lists = lock(&self.lists);
        if lists.refusal_ends.is_none_or(|end| Instant::now() < end) {
            return false;
        }
        // ORDERING: Relaxed, as in `wake`.
        let spares = self.spares_withheld.swap(0, Ordering::Relaxed);
        // ORDERING: Relaxed, as in `wake`.
        self.spares_left.fetch_add(spares, Ordering::Relaxed);
        true
    }

    /// A spare has ended: another may be started.
    pub(crate) fn release_spare(&self) {
        let _lists = lock(&self.lists);
        // ORDERING: Relaxed, as in `wake`.
        self.spares_left.fetch_add(1, Ordering::Relaxed);
        // ORDERING: the release stays before the look at the queues that follows. Pairs with the
        // fence in `notify`, whose maker may have seen no spare left.
        fence(Ordering::SeqCst);
    }

    /// Puts an active, searching thread to sleep until somebody wakes it, or until `deadline`.
    ///
    /// `has_work` is the second look. `enlisted` runs once the look saw nothing, before the thread
    /// parks.
    pub(crate) fn sleep(
        &self,
        me: &Sleeper,
        has_work: impl FnOnce() -> bool,
        enlisted: impl FnOnce(),
        deadline: Option<Instant>,
    ) -> Rise {
        self.enlist(me);
        // ORDERING: the enlistment stays before the second look. Pairs with the fence in `notify`.
        fence(Ordering::SeqCst);
        if has_work() {
            // Listed no more: somebody else has woken this thread meanwhile, to the same effect.
            self.dismiss(me, ACTIVE + SEARCHING);
            return Rise::Search;
        }
        enlisted();
        loop {
            let in_time = me.parker.park_deadline(deadline);
            if !in_time && self.dismiss(me, 0) {
                return Rise::Retire;
            }
            if !self.is_enlisted(me) {
                return Rise::Search;
            }
        }
    }

    fn enlist(&self, me: &Sleeper) {
        let cpu = (self.cpu)();
        let mut lists = lock(&self.lists);
        lists.add(me, cpu);
        self.add(me.unit() - ACTIVE - SEARCHING);
    }

    /// Takes `me` off its list, if nobody else has, to be counted as `units` from then on.
    fn dismiss(&self, me: &Sleeper, units: u64) -> bool {
        let mut lists = lock(&self.lists);
        let removed = lists.remove(me);
        if removed {
            self.subtract(me.unit() - units);
        }
        removed
    }

    fn is_enlisted(&self, me: &Sleeper) -> bool {
        lock(&self.lists).has(me)
    }

    /// How many workers and how many spares sleep.
    pub(crate) fn asleep(&self) -> (usize, usize) {
        lock(&self.lists).len()
    }

    /// Wakes everybody, so that they see that the end has come.
    pub(crate) fn wake_all(&self) {
        let sleepers: Vec<_> = {
            let mut lists = lock(&self.lists);
            lists.take_all().inspect(|sleeper| self.rouse(sleeper.unit())).collect()
        };
        sleepers.iter().for_each(|sleeper| sleeper.parker.unpark());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::wait::Parker;

    fn sleeper(index: usize, is_spare: bool) -> Sleeper {
        Sleeper { index, is_spare, parker: Arc::new(Parker::new()) }
    }

    fn start_worker(sleep: &Sleep) {
        sleep.begin_activity();
        sleep.begin_search();
    }

    #[test]
    fn a_sleeper_is_woken_by_structured_work_only_while_there_is_room() {
        let sleep = Sleep::new(1, 0);
        start_worker(&sleep);
        sleep.enlist(&sleeper(0, false));
        sleep.begin_activity();
        assert_eq!(sleep.notify(Urgency::Structured), Wake::Nobody);
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Woken);
        assert_eq!((sleep.counts().active(), sleep.counts().searching()), (2, 1));
    }

    #[test]
    fn one_that_ran_on_another_core_is_woken_before_the_last() {
        thread_local! {
            static CPU: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
        }
        let sleep = Sleep::new(2, 0).asking(|| Some(CPU.get()));
        for (index, cpu) in [(0, 1), (1, 0)] {
            CPU.set(cpu);
            start_worker(&sleep);
            sleep.enlist(&sleeper(index, false));
        }
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Woken);
        assert!(!sleep.is_enlisted(&sleeper(0, false)) && sleep.is_enlisted(&sleeper(1, false)));
    }

    #[test]
    fn nobody_is_woken_while_one_searches() {
        let sleep = Sleep::new(2, 0);
        start_worker(&sleep);
        start_worker(&sleep);
        sleep.enlist(&sleeper(0, false));
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Nobody);
        assert!(sleep.end_search());
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Woken);
    }

    #[test]
    fn a_spare_is_wanted_where_all_are_awake_and_one_is_blocked() {
        let sleep = Sleep::new(1, 1);
        start_worker(&sleep);
        assert!(sleep.end_search());
        assert_eq!(sleep.notify(Urgency::Structured), Wake::Nobody);
        sleep.end_activity();
        assert_eq!(sleep.notify(Urgency::Structured), Wake::Spare);
        sleep.call_off_spare();
        assert_eq!(sleep.notify(Urgency::Structured), Wake::Stalled);
        sleep.release_spare();
        assert_eq!(sleep.notify(Urgency::Structured), Wake::Spare);
    }

    #[test]
    fn a_spare_that_was_refused_is_asked_for_again_a_while_later() {
        let sleep = Sleep::new(1, 3);
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Spare);
        let begin = Instant::now();
        sleep.call_off_spare();
        while sleep.notify(Urgency::Detached) == Wake::Stalled {
            std::thread::yield_now();
        }
        assert!(begin.elapsed() >= REFUSAL);
        let spares = |_: &usize| sleep.notify(Urgency::Detached) == Wake::Nobody;
        assert_eq!((0..9).take_while(spares).count(), 9, "one is counted as active");
        sleep.end_activity();
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Spare);
        sleep.end_activity();
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Spare);
        sleep.end_activity();
        assert_eq!(sleep.notify(Urgency::Detached), Wake::Stalled);
    }

    #[test]
    fn a_thread_that_sees_work_does_not_sleep() {
        let sleep = Sleep::new(1, 0);
        start_worker(&sleep);
        let rise = sleep.sleep(&sleeper(0, false), || true, || panic!("parked"), None);
        assert_eq!(rise, Rise::Search);
        assert_eq!((sleep.counts().active(), sleep.counts().sleeping()), (1, 0));
    }

    #[test]
    fn a_spare_retires_at_its_deadline() {
        let sleep = Sleep::new(1, 0);
        start_worker(&sleep);
        let rise = sleep.sleep(&sleeper(0, true), || false, || (), Some(Instant::now()));
        assert_eq!(rise, Rise::Retire);
        assert_eq!(sleep.counts().0, 0);
    }
}

/// Each model says what it was seen to fail without.
#[cfg(all(test, loom))]
mod model {
    use std::sync::Arc;

    use loom::sync::Arc as LoomArc;
    use loom::thread;

    use super::*;
    use crate::sync::Condvar;
    use crate::wait::Parker;

    /// A queue with the weakest orderings that the deques give.
    #[derive(Debug)]
    struct Shared {
        sleep: Sleep,
        queue: AtomicUsize,
    }

    impl Shared {
        fn push(&self) {
            // ORDERING: Release, as a push; its partners are the Acquire loads of the next two.
            self.queue.fetch_add(1, Ordering::Release);
        }

        fn has_work(&self) -> bool {
            // ORDERING: Acquire, as a look of a thief; its partner is the push.
            self.queue.load(Ordering::Acquire) > 0
        }

        fn pop(&self) -> bool {
            let take = |jobs: usize| jobs.checked_sub(1);
            // ORDERING: Acquire, as a steal, and Relaxed where there is none; its partner is the push.
            self.queue.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).is_ok()
        }
    }

    fn start_worker(sleep: &Sleep) {
        sleep.begin_activity();
        sleep.begin_search();
    }

    fn worker(shared: &Shared, index: usize, jobs: usize, done: &AtomicUsize) {
        let me = Sleeper { index, is_spare: false, parker: Arc::new(Parker::new()) };
        start_worker(&shared.sleep);
        // ORDERING: Relaxed, all three of `done`; only the sleepers' protocol makes it seen, which
        // is the claim.
        while done.load(Ordering::Relaxed) < jobs {
            if shared.pop() {
                if shared.sleep.end_search() && shared.has_work() {
                    let _ = shared.sleep.notify(Urgency::Detached);
                }
                // ORDERING: Relaxed, as above.
                if done.fetch_add(1, Ordering::Relaxed) + 1 == jobs {
                    shared.sleep.wake_all();
                    return;
                }
                shared.sleep.begin_search();
                continue;
            }
            shared.sleep.sleep(
                &me,
                // ORDERING: Relaxed, as above.
                || shared.has_work() || done.load(Ordering::Relaxed) == jobs,
                || (),
                None,
            );
        }
    }

    /// Loom reports a deadlock when a job lies in the queue and the worker sleeps.
    ///
    /// Seen to fail without the fence in `notify`, without the fence in `sleep` or with the
    /// enlistment after it, without the second look, and when `wake` unparks nobody.
    #[test]
    fn the_last_job_is_always_run() {
        loom::model(|| {
            let shared =
                LoomArc::new(Shared { sleep: Sleep::new(1, 0), queue: AtomicUsize::new(0) });
            let done = LoomArc::new(AtomicUsize::new(0));
            let worker = {
                let (shared, done) = (LoomArc::clone(&shared), LoomArc::clone(&done));
                thread::spawn(move || worker(&shared, 0, 1, &done))
            };
            shared.push();
            let _ = shared.sleep.notify(Urgency::Detached);
            worker.join().unwrap();
        });
    }

    /// Seen to fail when a searcher that finds something wakes nobody although there is more,
    /// without the fence in `end_search`, when `wake` does not look again under the lock, when the
    /// second look leaves the thread enlisted, and when a dismissal counts a thread that was not
    /// listed.
    #[test]
    fn work_for_two_reaches_the_second() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let shared =
                LoomArc::new(Shared { sleep: Sleep::new(2, 0), queue: AtomicUsize::new(0) });
            let gate = LoomArc::new((Mutex::new(0), Condvar::new()));
            let workers: Vec<_> = (0..2)
                .map(|index| {
                    let (shared, gate) = (LoomArc::clone(&shared), LoomArc::clone(&gate));
                    thread::spawn(move || meet(&shared, index, &gate))
                })
                .collect();
            shared.push();
            let _ = shared.sleep.notify(Urgency::Detached);
            shared.push();
            let _ = shared.sleep.notify(Urgency::Detached);
            workers.into_iter().for_each(|worker| worker.join().unwrap());
        });
    }

    /// A worker whose job ends only when both jobs run at the same time.
    fn meet(shared: &Shared, index: usize, gate: &(Mutex<u32>, Condvar)) {
        let me = Sleeper { index, is_spare: false, parker: Arc::new(Parker::new()) };
        start_worker(&shared.sleep);
        while !shared.pop() {
            shared.sleep.sleep(&me, || shared.has_work(), || (), None);
        }
        if shared.sleep.end_search() && shared.has_work() {
            let _ = shared.sleep.notify(Urgency::Detached);
        }
        let (lock, changed) = gate;
        let mut arrived = lock.lock().unwrap();
        *arrived += 1;
        changed.notify_all();
        while *arrived < 2 {
            arrived = changed.wait(arrived).unwrap();
        }
    }

    fn sleeper(index: usize, is_spare: bool) -> Sleeper {
        Sleeper { index, is_spare, parker: Arc::new(Parker::new()) }
    }

    /// A thread that has a token left from an earlier wait, and one who makes work.
    ///
    /// Seen to fail when `sleep` does not ask whether it is enlisted, and when `wake` does not
    /// rouse whom it takes off the list.
    #[test]
    fn a_stale_token_wakes_nobody() {
        loom::model(|| {
            let sleep = LoomArc::new(Sleep::new(1, 0));
            start_worker(&sleep);
            let worker = {
                let sleep = LoomArc::clone(&sleep);
                thread::spawn(move || {
                    let me = sleeper(0, false);
                    me.parker.unpark();
                    assert_eq!(sleep.sleep(&me, || false, || (), None), Rise::Search);
                    assert!(!sleep.is_enlisted(&me));
                    let counts = sleep.counts();
                    assert_eq!((counts.active(), counts.searching(), counts.sleeping()), (1, 1, 0));
                })
            };
            // What it wakes for is none of this model, so it tries until it has woken the worker.
            while sleep.notify(Urgency::Detached) != Wake::Woken {
                thread::yield_now();
            }
            worker.join().unwrap();
        });
    }

    /// Seen to fail when a spare retires that was not listed any more, and when the dismissal counts
    /// it nevertheless.
    #[test]
    fn a_spare_that_was_woken_does_not_retire() {
        loom::model(|| {
            let sleep = LoomArc::new(Sleep::new(1, 0));
            start_worker(&sleep);
            let spare = {
                let sleep = LoomArc::clone(&sleep);
                thread::spawn(move || {
                    sleep.sleep(&sleeper(0, true), || false, || (), Some(Instant::now()))
                })
            };
            let is_woken = sleep.notify(Urgency::Detached) == Wake::Woken;
            let rise = spare.join().unwrap();
            assert_eq!(rise, if is_woken { Rise::Search } else { Rise::Retire });
            let counts = sleep.counts().0;
            assert_eq!(counts, if is_woken { ACTIVE + SEARCHING } else { 0 });
        });
    }

    /// Seen to fail when `wake` does not look again under the lock.
    #[test]
    fn one_spare_is_started_once() {
        loom::model(|| {
            let sleep = LoomArc::new(Sleep::new(2, 1));
            let maker = {
                let sleep = LoomArc::clone(&sleep);
                thread::spawn(move || sleep.notify(Urgency::Structured))
            };
            let here = sleep.notify(Urgency::Structured);
            let wakes = [here, maker.join().unwrap()];
            assert_eq!(wakes.iter().filter(|wake| **wake == Wake::Spare).count(), 1);
        });
    }

    const OPEN: usize = 0;
    const CLOSING: usize = 1;
    const ENDED: usize = 2;

    /// A pool of one worker, as far as its end goes: what `lifecycle` and `worker` do.
    struct Ending {
        shared: Shared,
        state: AtomicUsize,
    }

    impl Ending {
        fn new() -> LoomArc<Self> {
            let shared = Shared { sleep: Sleep::new(1, 0), queue: AtomicUsize::new(0) };
            start_worker(&shared.sleep);
            LoomArc::new(Self { shared, state: AtomicUsize::new(OPEN) })
        }

        fn is(&self, state: usize) -> bool {
            self.state.load(Ordering::Acquire) == state
        }

        /// There is one job at most. No load before it, unlike in [`Shared::pop`]: of the accesses
        /// that an exchange might overtake, loom remembers the last one only, and that would be it.
        fn pop(&self) -> bool {
            self.shared.queue.swap(0, Ordering::Acquire) > 0
        }

        fn advance(&self, from: usize, to: usize) -> bool {
            let order = (Ordering::Release, Ordering::Relaxed);
            self.state.compare_exchange(from, to, order.0, order.1).is_ok()
        }

        fn has_any_work(&self) -> bool {
            fence(Ordering::SeqCst);
            self.shared.has_work()
        }

        fn look_whether_quiet(&self) {
            let is_quiet = || !self.has_any_work() && self.shared.sleep.asleep().0 == 1;
            if self.is(CLOSING) && is_quiet() && self.advance(CLOSING, ENDED) {
                self.shared.sleep.wake_all();
            }
        }

        fn close(&self) {
            if self.advance(OPEN, CLOSING) {
                self.look_whether_quiet();
            }
        }

        /// Spawns a job. How many it had to call off, or `None` if it is refused.
        fn push(&self) -> Option<usize> {
            if !self.is(OPEN) {
                return None;
            }
            self.shared.push();
            let _ = self.shared.sleep.notify(Urgency::Detached);
            Some(usize::from(self.is(ENDED) && self.pop()))
        }

        /// The life of the worker: how many jobs it has run.
        fn work(&self, me: &Sleeper, run: impl Fn()) -> usize {
            let mut jobs = 0;
            loop {
                if self.pop() {
                    let _ = self.shared.sleep.end_search();
                    run();
                    jobs += 1;
                    self.shared.sleep.begin_search();
                } else if self.is(ENDED) && !self.has_any_work() {
                    self.shared.sleep.end_worker();
                    return jobs;
                } else {
                    self.sleep(me);
                }
            }
        }

        fn sleep(&self, me: &Sleeper) {
            let has_work = || self.shared.has_work() || self.is(ENDED);
            self.shared.sleep.sleep(me, has_work, || self.look_whether_quiet(), None);
        }
    }

    /// Of one who pushes, one who closes, and the worker.
    ///
    /// Seen to fail without the fence in `has_any_work`; when the pusher does not look for the end,
    /// or the worker for late jobs; when the closer, or the worker that falls asleep, does not look
    /// whether it is quiet; when the second look ignores the end; and when `wake_all` unparks
    /// nobody, or does not rouse the workers.
    #[test]
    fn what_comes_late_is_run_or_called_off() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let pool = Ending::new();
            let worker = {
                let pool = LoomArc::clone(&pool);
                thread::spawn(move || pool.work(&sleeper(0, false), || ()))
            };
            let pusher = {
                let pool = LoomArc::clone(&pool);
                thread::spawn(move || pool.push())
            };
            pool.close();
            let pushed = pusher.join().unwrap();
            assert_eq!(worker.join().unwrap() + pushed.unwrap_or(0), usize::from(pushed.is_some()));
            assert_eq!(pool.shared.sleep.counts().0, 0);
        });
    }

    /// A job comes between the worker's search and its sleep.
    ///
    /// Seen to fail when quiet looks at the sleepers before the queue (the worker takes the job in
    /// between), and when it does not look at both.
    #[test]
    fn the_end_comes_after_the_last_job() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(4);
        model.check(|| {
            let pool = Ending::new();
            assert_eq!(pool.push(), Some(0));
            let worker = {
                let pool = LoomArc::clone(&pool);
                thread::spawn(move || {
                    let me = sleeper(0, false);
                    pool.sleep(&me);
                    let run = || assert!(!pool.is(ENDED), "ended too early");
                    assert_eq!(pool.work(&me, run), 1);
                })
            };
            pool.close();
            worker.join().unwrap();
        });
    }

    /// A searcher has taken several jobs: one to run, one for its own queue. Another one gives up.
    ///
    /// Seen to fail with a `Relaxed` subtraction.
    #[test]
    fn what_a_searcher_carries_off_is_seen() {
        loom::model(|| {
            let sleep = LoomArc::new(Sleep::new(2, 0));
            let own = LoomArc::new(AtomicUsize::new(0));
            (0..2).for_each(|_| start_worker(&sleep));
            let other = {
                let (sleep, own) = (LoomArc::clone(&sleep), LoomArc::clone(&own));
                thread::spawn(move || {
                    let parker = Arc::new(Parker::new());
                    let me = Sleeper { index: 1, is_spare: false, parker };
                    let has_work = || own.load(Ordering::Acquire) > 0;
                    while !has_work() {
                        sleep.sleep(&me, has_work, || (), None);
                    }
                })
            };
            own.store(1, Ordering::Release);
            if sleep.end_search() && own.load(Ordering::Acquire) > 0 {
                let _ = sleep.notify(Urgency::Detached);
            }
            // The job that it runs needs the other one.
            other.join().unwrap();
        });
    }

    /// A worker blocks while somebody makes a detached task; a spare is left.
    ///
    /// Seen to fail without the fence in `end_activity`.
    #[test]
    fn who_blocks_is_stood_in_for() {
        loom::model(|| {
            let sleep = LoomArc::new(Sleep::new(1, 1));
            let queue = LoomArc::new(AtomicUsize::new(0));
            sleep.begin_activity();
            let maker = {
                let (sleep, queue) = (LoomArc::clone(&sleep), LoomArc::clone(&queue));
                thread::spawn(move || {
                    queue.fetch_add(1, Ordering::Release);
                    sleep.notify(Urgency::Detached)
                })
            };
            sleep.end_activity();
            let has_work = queue.load(Ordering::Acquire) > 0;
            let here = has_work && sleep.notify(Urgency::Detached) == Wake::Spare;
            assert!(here | (maker.join().unwrap() == Wake::Spare));
        });
    }

    /// The only spare retires while a task comes.
    ///
    /// Seen to fail without the fence in `release_spare`.
    #[test]
    fn a_task_at_a_retirement_finds_a_thread() {
        loom::model(|| {
            let sleep = LoomArc::new(Sleep::new(1, 0));
            let queue = LoomArc::new(AtomicUsize::new(0));
            start_worker(&sleep);
            let spare = {
                let (sleep, queue) = (LoomArc::clone(&sleep), LoomArc::clone(&queue));
                thread::spawn(move || {
                    let me = Sleeper { index: 1, is_spare: true, parker: Arc::new(Parker::new()) };
                    let has_work = || queue.load(Ordering::Acquire) > 0;
                    if sleep.sleep(&me, has_work, || (), Some(Instant::now())) == Rise::Search {
                        return true;
                    }
                    sleep.release_spare();
                    has_work() && sleep.notify(Urgency::Detached) != Wake::Nobody
                })
            };
            queue.fetch_add(1, Ordering::Release);
            let is_seen = sleep.notify(Urgency::Detached) != Wake::Nobody;
            assert!(spare.join().unwrap() | is_seen);
        });
    }
}
