//! The life of a worker, and of a spare.
//!
//! ```text
//!   own task? ── yes ──► run it ─┐
//!     │ no  ▲                    │
//!     ▼     └────────────────────┘
//!   search ── found ──► the last searcher sees to more ──► run it
//!     │ nothing
//!     ▼
//!   sleep ── woken ──► search
//! ```

use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::counters::Tally;
use super::{Scheduler, Seat, enter};
use crate::fork::NoFork;
use crate::job::Job;
use crate::sync::spin_loop;
use crate::unwind::catch;
use crate::wait::{Parker, Rise, Sleeper, Urgency};

/// How often a worker looks everywhere before it sleeps, and how long it pauses in between.
const LOOKS: u32 = 16;
const PAUSE: u32 = 32;

/// How often one that was woken looks. If it finds nothing, whoever woke it has done the work by
/// itself, and most likely will do so again.
const LOOKS_WHEN_WOKEN: u32 = 4;

/// A spare that nobody needed for so long ends.
const SPARE_REST: Duration = Duration::from_secs(10);

/// Stacks larger than any address space are asked for as this, so that the system may refuse them.
const LARGEST_STACK: usize = 1 << (usize::BITS - 2);

impl Scheduler {
    /// Starts worker `index` on its own place.
    pub(super) fn start_worker(&self, index: usize) -> io::Result<()> {
        let scheduler = self.share();
        self.sleep.begin_activity();
        let life = move || {
            let seat = scheduler.places.take_worker(index, &scheduler);
            scheduler.run_start_hook(seat);
            scheduler.sleep.begin_search();
            scheduler.live(seat, false);
        };
        let started = self.lifecycle.hire(false, || self.start_thread(&index.to_string(), life));
        if started.is_err() {
            self.sleep.end_activity();
        }
        started
    }

    pub(super) fn start_thread(
        &self,
        suffix: &str,
        life: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let name = self.config.name.as_deref().unwrap_or("manyhands");
        let builder = Builder::new().name(format!("{name}-{suffix}"));
        let builder = match self.config.stack_size {
            Some(size) => builder.stack_size(size.min(LARGEST_STACK)),
            None => builder,
        };
        // Until its first step.
        let no_fork = NoFork::begin();
        builder.spawn(move || {
            drop(no_fork);
            life();
        })
    }

    /// Works on `seat` until the pool ends, or until a spare has nothing to do.
    pub(super) fn live(&self, seat: &Seat, is_spare: bool) {
        let me = Sleeper { index: seat.index(), is_spare, parker: Parker::current() };
        enter(self, Some(seat), || self.work(seat, &me));
        self.run_hook(self.config.on_exit.as_deref(), seat.index());
        self.places.give_up(seat);
        self.lifecycle.retire(is_spare);
        // The end may have waited for this thread.
        self.look_whether_quiet();
    }

    pub(super) fn run_start_hook(&self, seat: &Seat) {
        self.run_hook(self.config.on_start.as_deref(), seat.index());
    }

    fn run_hook(&self, hook: Option<&(dyn Fn(usize) + Send + Sync)>, index: usize) {
        // A hook that ends the pool must not wait for its own thread.
        let run =
            |hook: &(dyn Fn(usize) + Send + Sync)| enter(self, None, || catch(|| hook(index)));
        if let Some(Err(payload)) = hook.map(run) {
            self.report(payload);
        }
    }

    /// The loop. It begins and ends as an active searcher.
    fn work(&self, seat: &Seat, me: &Sleeper) {
        seat.set_active(true);
        while let Some(job) = self.find_job(seat, me) {
            if self.sleep.end_search() {
                self.notify_of_any();
            }
            self.run_job(seat, job);
            while !(me.is_spare && self.sleep.is_crowded()) {
                let Some(job) = self.next_job(seat) else { break };
                self.run_job(seat, job);
            }
            self.sleep.begin_search();
        }
        seat.set_active(false);
    }

    fn run_job(&self, seat: &Seat, job: Job) {
        // Who was woken before has had its time.
        Parker::has_woken_neighbour();
        if seat.run(job) {
            self.places.get(seat.index()).counters().count_own(Tally::Run);
        }
    }

    /// The next job, by searching, and sleeping where that finds none. `None`: the end has come.
    fn find_job(&self, seat: &Seat, me: &Sleeper) -> Option<Job> {
        let mut looks = LOOKS;
        loop {
            if let Some(job) = self.search(seat, me, looks) {
                return Some(job);
            }
            if self.lifecycle.has_ended() && !self.has_late_task() {
                self.sleep.end_worker();
                return None;
            }
            let deadline = me.is_spare.then(|| Instant::now() + SPARE_REST);
            let has_work = || self.has_work_for_sleeper(me.is_spare) || self.lifecycle.has_ended();
            let enlisted = || {
                // Whoever made work while this spare searched has relied on it.
                if me.is_spare && self.has_detached() {
                    self.notify(Urgency::Detached);
                }
                self.look_whether_quiet();
            };
            if self.sleep.sleep(me, has_work, enlisted, deadline) == Rise::Retire {
                return None;
            }
            looks = LOOKS_WHEN_WOKEN;
        }
    }

    fn search(&self, seat: &Seat, me: &Sleeper, looks: u32) -> Option<Job> {
        for _ in 0..looks {
            // A spare stands in for somebody: with enough threads awake it has no business.
            if me.is_spare && self.sleep.is_crowded() && !seat.has_task() {
                return None;
            }
            if let Some(job) = self.search_once(seat) {
                return Some(job);
            }
            // Who was woken begins the sooner, and does not need this thread, most likely.
            if Parker::has_woken_neighbour() {
                return None;
            }
            (0..PAUSE).for_each(|_| spin_loop());
        }
        None
    }
}
