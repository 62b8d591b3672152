//! What one thread works with: its deques, and which job it runs.
//!
//! A seat has three queues, for three kinds of work that must not get in each other's way:
//!
//! - join halves, strictly nested, so that a pop finds the half it wants or knows it stolen;
//! - invitations to sweeps and scopes;
//! - detached tasks, first in first out, so that a task that respawns itself starves nobody.
//!
//! A seat is its owner's alone. What others may do to it goes through its [`Stealers`].

#![expect(unsafe_code, reason = "points back to the scheduler that owns it")]

use std::cell::Cell;
use std::fmt;
use std::time::Instant;

use crossbeam_deque::{Stealer, Worker};

use super::Scheduler;
use super::haul::Hauls;
use super::joins::{Joins, Popped};
use super::queue::{Entry, are_many, sift};
use super::visit::{FIRST_LOOK, STRIDE};
use crate::job::{Job, Ran};
use crate::memory::TINY;
use crate::wait::Urgency;

/// At most this many join halves are kept where thieves find them.
const MOST_PUBLISHED: usize = 7;

/// Fewer tasks than this are not searched for tombstones, and after a search they may become so many
/// times as many before the next.
const SIFT_AT: usize = 256;
const GROWTH: usize = 8;

/// The deques of one thread.
pub(crate) struct Seat {
    index: usize,
    scheduler: Cell<*const Scheduler>,
    joins: Joins,
    invitations: Worker<Job>,
    tasks: Worker<Job>,
    /// Tombstones that may be in `tasks`.
    tombstones: Cell<usize>,
    /// Whether the last tombstone was the oldest task.
    is_in_order: Cell<bool>,
    /// At this length `tasks` is searched for tombstones in any case.
    sift_at: Cell<usize>,
    /// The address of the job that this seat's thread runs.
    tag: Cell<usize>,
    /// Whether the thread counts as active.
    is_active: Cell<bool>,
    /// How many join halves to keep published. Less than zero: the seat is [muted](super::visit),
    /// and the clock is read after so many pushes.
    wanted: Cell<isize>,
    /// How many pushes there are between two looks at the clock, and since when it counts.
    stride: Cell<isize>,
    begin: Cell<Option<Instant>>,
    turn: Cell<u32>,
    hauls: Hauls,
}

impl Seat {
    pub(super) fn new(index: usize) -> Self {
        Self {
            index,
            scheduler: Cell::new(std::ptr::null()),
            joins: Joins::new(),
            invitations: Worker::new_lifo(),
            tasks: Worker::new_fifo(),
            tombstones: Cell::new(0),
            is_in_order: Cell::new(true),
            sift_at: Cell::new(SIFT_AT),
            tag: Cell::new(0),
            is_active: Cell::new(false),
            wanted: Cell::new(0),
            stride: Cell::new(0),
            begin: Cell::new(None),
            turn: Cell::new(index as u32),
            hauls: Hauls::default(),
        }
    }

    /// What others may steal from.
    pub(super) fn stealers(&self) -> Stealers {
        Stealers {
            joins: self.joins.stealer(),
            invitations: self.invitations.stealer(),
            tasks: self.tasks.stealer(),
        }
    }

    /// Makes the seat ready for a thread that works for `scheduler`, which owns it.
    pub(super) fn open(&self, scheduler: &Scheduler) {
        self.scheduler.set(scheduler);
        self.tag.set(0);
        self.unmute();
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// The scheduler that the seat belongs to.
    #[inline]
    pub(crate) fn scheduler(&self) -> &Scheduler {
        // SAFETY: it was set when the place was taken, from the scheduler that owns the seat and so
        // lives at least as long.
        unsafe { &*self.scheduler.get() }
    }

    pub(super) fn is_active(&self) -> bool {
        self.is_active.get()
    }

    pub(super) fn set_active(&self, is_active: bool) {
        self.is_active.set(is_active);
    }

    /// The address of the job in whose run this thread is.
    #[inline]
    pub(crate) fn tag(&self) -> usize {
        self.tag.get()
    }

    /// A number that is another one at each call: where to begin a search, what to look at first.
    pub(super) fn next_turn(&self) -> u32 {
        let turn = self.turn.get().wrapping_add(1);
        self.turn.set(turn);
        turn
    }

    /// Whether a half may be pushed [quietly](Self::push_quietly), as most are: the stack has room,
    /// thieves lack none, and no look at the clock is due.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        let wanted = self.wanted.get();
        let is_due =
            if wanted > 0 { self.joins.are_short(wanted.unsigned_abs()) } else { wanted == -1 };
        !is_due && self.joins.have_room()
    }

    /// Pushes the half of a join. The joiner pops it before it returns.
    ///
    /// # Safety
    ///
    /// - The seat [is quiet](Self::is_quiet).
    #[inline]
    pub(crate) unsafe fn push_quietly(&self, job: Job) {
        let wanted = self.wanted.get();
        if wanted < 0 {
            self.wanted.set(wanted + 1);
        }
        // SAFETY: a quiet seat has room.
        unsafe { self.joins.push_in_place(job) };
    }

    /// As [`push_quietly`](Self::push_quietly), and sees to whatever is due.
    pub(crate) fn push_half(&self, job: Job) {
        self.joins.push(job);
        let wanted = self.wanted.get();
        if wanted > 0 {
            if self.joins.are_short(wanted.unsigned_abs()) {
                self.share();
            }
        } else if wanted < 0 {
            self.wanted.set(wanted + 1);
            if wanted == -1 {
                self.look_at_clock();
            }
        }
    }

    #[cold]
    fn share(&self) {
        // With a fence: publications are few, and without it a sleeper might miss a half that others
        // wait for.
        if self.publish_some() {
            self.scheduler().notify(Urgency::Structured);
        }
        // What a wake-up costs is none of the call's.
        if self.begin.get().is_none() {
            self.begin.set(Some(Instant::now()));
        }
    }

    /// Publishes the oldest halves, as many as thieves may want. True: there were some.
    pub(super) fn publish_some(&self) -> bool {
        let wanted = self.wanted.get();
        wanted > 0 && self.joins.publish(wanted.unsigned_abs())
    }

    /// Keeps halves to itself from now on, in a call that should take no time.
    pub(super) fn mute(&self) {
        self.stride.set(FIRST_LOOK);
        self.wanted.set(-FIRST_LOOK);
    }

    pub(super) fn unmute(&self) {
        let others = self.scheduler().config.threads.saturating_sub(1);
        self.wanted.set(others.min(MOST_PUBLISHED) as isize);
    }

    pub(super) fn is_muted(&self) -> bool {
        self.wanted.get() < 0
    }

    #[cold]
    fn look_at_clock(&self) {
        if self.spent() >= TINY {
            self.scheduler().unmute(self);
        } else {
            self.stride.set(self.stride.get().saturating_mul(STRIDE));
            self.wanted.set(-self.stride.get());
        }
    }

    /// Begins to record what becomes of the halves, and how long it takes: from now on if nothing is
    /// published, or else from then on.
    pub(super) fn begin_record(&self) {
        self.begin.set(self.is_muted().then(Instant::now));
        self.joins.begin_record();
    }

    /// How long the recorded call has taken so far, in nanoseconds.
    pub(super) fn spent(&self) -> f32 {
        self.begin.get().map_or(0.0, |begin| begin.elapsed().as_nanos() as f32)
    }

    /// Whether thieves took all halves since then, and there were any.
    pub(super) fn has_lost_all(&self) -> bool {
        self.joins.has_lost_all()
    }

    /// Pops the half that was pushed last.
    ///
    /// # Safety
    ///
    /// - There is one.
    #[inline]
    pub(crate) unsafe fn pop_half(&self) -> Popped {
        // SAFETY: what the caller says.
        unsafe { self.joins.pop() }
    }

    pub(super) fn publish_all(&self) -> bool {
        self.joins.publish_all()
    }

    pub(super) fn push_invitation(&self, job: Job) {
        self.invitations.push(job);
    }

    /// Takes the last invitation back if it is for `address`, and clears tombstones away. True: it
    /// took one back.
    pub(super) fn withdraw_invitation(&self, address: usize) -> bool {
        while let Some(job) = self.invitations.pop() {
            let is_wanted = job.address() == address;
            if !is_wanted && !job.is_spent() {
                self.invitations.push(job);
                return false;
            }
            job.cancel();
            if is_wanted {
                return true;
            }
        }
        false
    }

    pub(super) fn push_task(&self, job: Job) {
        // Tombstones that others make in here are counted nowhere, so its growth is watched.
        if self.tasks.len() >= self.sift_at.get() {
            self.sift();
            self.sift_at.set(SIFT_AT.max(GROWTH * self.tasks.len()));
        }
        self.tasks.push(job);
    }

    fn sift(&self) -> bool {
        self.tombstones.set(0);
        self.is_in_order.set(true);
        sift(self.tasks.len(), || self.tasks.pop(), |job| self.tasks.push(job))
    }

    pub(super) fn pop_task(&self) -> Option<Job> {
        self.tasks.pop()
    }

    pub(super) fn has_task(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// How many tasks to steal at a time. This thread has run `runs` so far.
    pub(super) fn next_haul(&self, runs: u64) -> usize {
        self.hauls.next(runs)
    }

    pub(super) fn tasks(&self) -> &Worker<Job> {
        &self.tasks
    }

    /// One entry of this seat's tasks has become a tombstone. Cleans up as a [`Queue`](super::Queue) does.
    #[must_use]
    pub(super) fn bury(&self) -> bool {
        if self.is_in_order.get() {
            return self.bury_oldest();
        }
        self.tombstones.set(self.tombstones.get() + 1);
        if !are_many(self.tombstones.get(), self.tasks.len()) {
            return false;
        }
        self.sift()
    }

    /// Takes the oldest task out if it is the one at `address`, as long as that is worth trying. `Err`:
    /// it is not; the word says whether another one was out for a moment.
    pub(super) fn pop_task_at(&self, address: usize) -> Result<Job, bool> {
        if !self.is_in_order.get() {
            return Err(false);
        }
        match self.tasks.pop() {
            None => Err(false),
            Some(oldest) if oldest.address() == address => Ok(oldest),
            Some(another) => {
                self.is_in_order.set(false);
                self.tasks.push(another);
                Err(true)
            }
        }
    }

    /// As [`bury`](Self::bury), for one that most likely is the oldest entry: tasks are mostly joined
    /// in the order in which they were spawned, and then it costs one look each.
    fn bury_oldest(&self) -> bool {
        let Some(oldest) = self.tasks.pop() else { return false };
        if oldest.is_spent() {
            Entry::bury(oldest);
            return false;
        }
        self.is_in_order.set(false);
        self.tombstones.set(self.tombstones.get() + 1);
        self.tasks.push(oldest);
        true
    }

    /// Runs a job out of a queue, whose pieces bear its address from then on.
    /// False: it was a tombstone.
    pub(super) fn run(&self, job: Job) -> bool {
        let outer = self.tag.replace(job.address());
        let ran = job.run(self.index);
        self.tag.set(outer);
        let has_run = !matches!(ran, Ran::Spent);
        self.scheduler().settle(ran);
        has_run
    }

    /// Runs `f`, whose pieces bear the address `tag`.
    pub(crate) fn run_as<R>(&self, tag: usize, f: impl FnOnce() -> R) -> R {
        let outer = self.tag.replace(tag);
        let result = f();
        self.tag.set(outer);
        result
    }
}

/// The far ends of a seat's deques.
#[derive(Debug)]
pub(super) struct Stealers {
    pub(super) joins: Stealer<Job>,
    pub(super) invitations: Stealer<Job>,
    pub(super) tasks: Stealer<Job>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("index", &self.index)
            .field("joins", &self.joins)
            .finish_non_exhaustive()
    }
}
