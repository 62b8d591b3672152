//! Who runs which job: the queues of a pool, its threads, and their waking.
//!
//! A *seat* has the deques of one thread: a worker's, a guest's, a spare's. Everything that a
//! thread makes, it puts on its own seat; whoever has nothing to do steals from the seats of
//! others. What comes from a thread without a seat goes through the injector.
//!
//! Nothing here knows closures or values.

mod counters;
mod crew;
mod current;
mod guest;
mod haul;
mod joins;
mod lifecycle;
mod places;
mod queue;
mod search;
mod seat;
mod spare;
mod visit;
mod waiting;
mod worker;

use std::fmt;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};

use crate::cpu;
use crate::error::Panic;
use crate::fork;
use crate::job::{Job, Ran};
use crate::sync::Ordering;
use crate::unwind::{Payload, catch, discard};
use crate::wait::{Sleep, Urgency, Wake, set_stand_in};

pub(crate) use counters::Tally;
pub(crate) use crew::{Crew, Departure, Pieces};
pub(crate) use current::{enter, innermost, this_thread, with_current, within};
pub(crate) use joins::Popped;
pub(crate) use queue::{Entry, Queue, are_many, sift};
pub(crate) use seat::Seat;
pub(crate) use waiting::{block_on, pause};

use counters::Counters;
use lifecycle::Lifecycle;
use places::{Place, Places};

/// More threads than this are never started for one pool.
pub(crate) const MAX_THREADS: usize = 16_384;

/// Nor more spares than this: all that may be active fit into 16 bits.
pub(crate) const MAX_SPARES: usize = 2 * MAX_THREADS + 8;

type IndexHook = Arc<dyn Fn(usize) + Send + Sync>;
type PanicHook = Arc<dyn Fn(&Panic) + Send + Sync>;

/// How a pool is to be.
#[derive(Clone, Default)]
pub(crate) struct Config {
    pub(crate) threads: usize,
    pub(crate) max_spares: usize,
    pub(crate) name: Option<String>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) workers_only: bool,
    pub(crate) on_start: Option<IndexHook>,
    pub(crate) on_exit: Option<IndexHook>,
    pub(crate) on_panic: Option<PanicHook>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("threads", &self.threads)
            .field("max_spares", &self.max_spares)
            .field("name", &self.name)
            .field("stack_size", &self.stack_size)
            .field("workers_only", &self.workers_only)
            .finish_non_exhaustive()
    }
}

/// What the threads of a pool share.
#[derive(Debug)]
pub(crate) struct Scheduler {
    config: Config,
    places: Places,
    /// Detached tasks that come from outside.
    injector: Queue<Job>,
    sleep: Sleep,
    lifecycle: Lifecycle,
    /// How many workers were started: fewer than asked for where the system refused some.
    threads: AtomicUsize,
    refused: AtomicUsize,
    /// How many workers are blocked, that is, stand down.
    blocked: AtomicUsize,
    /// Counts for threads that have no seat.
    outside: Counters,
    /// The process that has the threads, see [`fork`].
    generation: usize,
    this: Weak<Self>,
}

impl Scheduler {
    /// A scheduler with its workers started, and the first refusal if there was one.
    pub(crate) fn start(config: Config) -> (Arc<Self>, Option<(usize, io::Error)>) {
        fork::watch();
        queue::prepare();
        set_stand_in(waiting::STAND_IN);
        let scheduler = Arc::new_cyclic(|this| Self {
            places: Places::new(config.threads, config.max_spares),
            injector: Queue::new(),
            sleep: Sleep::new(config.threads, config.max_spares).asking(cpu::current),
            lifecycle: Lifecycle::new(),
            threads: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            blocked: AtomicUsize::new(0),
            outside: Counters::default(),
            generation: fork::generation(),
            this: Weak::clone(this),
            config,
        });
        let refusal = scheduler.start_workers();
        (scheduler, refusal)
    }

    fn start_workers(&self) -> Option<(usize, io::Error)> {
        let wanted = self.config.threads;
        let refusal = (0..wanted)
            .find_map(|index| self.start_worker(index).err().map(|error| (index, error)));
        let started = refusal.as_ref().map_or(wanted, |(index, _)| *index);
        // ORDERING: Relaxed: written here, before the scheduler is shown to anybody who asks.
        self.threads.store(started, Ordering::Relaxed);
        // ORDERING: Relaxed, as above.
        self.refused.store(wanted - started, Ordering::Relaxed);
        self.sleep.set_target(started);
        refusal
    }

    /// How many workers there are.
    #[inline]
    pub(crate) fn threads(&self) -> usize {
        // ORDERING: Relaxed, see `start_workers`.
        self.threads.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self) -> usize {
        // ORDERING: Relaxed, see `start_workers`.
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether tasks may be run by whoever joins them.
    pub(crate) fn joiners_may_claim(&self) -> bool {
        !self.config.workers_only
    }

    /// Whether this process is a fork of the one that has the threads.
    #[inline]
    pub(crate) fn is_lost(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Whether nobody but the caller will do any work: there are no threads, or no longer.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        self.threads() == 0 || self.is_lost() || self.lifecycle.has_ended()
    }

    /// Tells the sleepers of published work.
    pub(crate) fn notify(&self, urgency: Urgency) {
        // In a fork nobody sleeps, and a lock may be held for ever.
        if !self.is_lost() {
            self.follow_up(self.sleep.notify(urgency));
        }
    }

    #[inline]
    fn follow_up(&self, wake: Wake) {
        match wake {
            Wake::Nobody => {}
            Wake::Woken => self.count(Tally::Wake),
            Wake::Spare => self.start_spare(),
            Wake::Stalled => self.count(Tally::Stall),
        }
    }

    /// Counts, on this thread's seat if it has one.
    pub(crate) fn count(&self, tally: Tally) {
        self.with_seat(|seat| match seat {
            Some(seat) => self.places.get(seat.index()).counters().count_own(tally),
            None => self.outside.count(tally),
        });
    }

    /// Queues a detached task of this thread.
    pub(crate) fn push_task(&self, job: Job) {
        self.with_seat(|seat| match seat.filter(|seat| !self.places.is_guest(seat)) {
            Some(seat) => seat.push_task(job),
            None => self.injector.push(job),
        });
        self.see_off();
    }

    /// Queues a job that a worker is to run, whoever makes it.
    pub(crate) fn inject(&self, job: Job) {
        self.injector.push(job);
        self.see_off();
    }

    /// Tells of a queued task, or calls it off if the pool has ended meanwhile.
    fn see_off(&self) {
        self.notify(Urgency::Detached);
        if self.lifecycle.has_ended() {
            self.cancel_queued();
        }
    }

    /// Takes the oldest task of `seat` out of its queue if it is the one at `address`.
    pub(crate) fn take_next(&self, seat: &Seat, address: usize) -> Option<Job> {
        seat.pop_task_at(address)
            .map_err(|was_out| {
                if was_out {
                    self.see_off();
                }
            })
            .ok()
    }

    /// An entry has become a tombstone, in whichever queue: of this seat, or the injector.
    pub(crate) fn bury(&self) {
        if self.is_lost() {
            return;
        }
        let own = self.with_seat(|seat| seat.is_some_and(|seat| seat.has_task() && seat.bury()));
        let injected = !self.injector.is_empty() && self.injector.bury();
        if own || injected {
            self.see_off();
        }
    }

    /// All counters, summed up.
    pub(crate) fn total(&self, tally: Tally) -> u64 {
        let seats = self.places.iter().map(Place::counters);
        seats.chain([&self.outside]).map(|counters| counters.get(tally)).sum()
    }

    /// Detached tasks that wait in a queue, tombstones among them.
    pub(crate) fn queued(&self) -> usize {
        self.injector.len() + self.places.iter().map(Place::queued_tasks).sum::<usize>()
    }

    /// Sees to a panic that nobody can see any more.
    pub(crate) fn report(&self, payload: Payload) {
        self.count(Tally::Panic);
        let panic = Panic::new(payload);
        if let Some(hook) = &self.config.on_panic {
            discard(catch(|| hook(&panic)));
        }
        discard(panic);
    }

    /// Sees to what a job came to.
    pub(crate) fn settle(&self, ran: Ran) {
        if let Ran::Orphaned(payload) = ran {
            self.report(payload);
        }
    }
}
