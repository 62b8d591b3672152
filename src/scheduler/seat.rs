//! What one thread works with: its deques, and which job it runs.
//!
//! A seat has three queues, for three kinds of work that must not get in each other's way:
//!
//! - join halves, strictly nested, so that a pop finds the half it wants or knows it stolen;
//! - invitations to sweeps and scopes;
//! - detached tasks, first in first out, so that a task that respawns itself starves nobody.
//!
//! # Invariant
//!
//! Whoever has taken a place has the seat in it to itself until it gives the place up. Everybody
//! may steal from the place at any time.

#![expect(unsafe_code, reason = "lends a seat to the one thread that took its place")]

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use crossbeam_deque::{Stealer, Worker};

use super::Scheduler;
use super::counters::Counters;
use super::joins::{Joins, Popped};
use super::queue::{are_many, insist, sift};
use crate::job::Job;
use crate::sync::Ordering;
use crate::wait::Urgency;

/// At most this many join halves are kept where thieves find them.
const MOST_PUBLISHED: usize = 7;

/// The deques of one thread.
pub(crate) struct Seat {
    index: usize,
    scheduler: Cell<*const Scheduler>,
    joins: Joins,
    invitations: Worker<Job>,
    tasks: Worker<Job>,
    /// Tombstones that may be in `tasks`.
    tombstones: Cell<usize>,
    /// The address of the job that this seat's thread runs.
    tag: Cell<usize>,
    /// Whether the thread counts as active.
    is_active: Cell<bool>,
    /// How many join halves to keep published.
    wanted: Cell<usize>,
    turn: Cell<u32>,
}

impl Seat {
    fn new(index: usize) -> Self {
        Self {
            index,
            scheduler: Cell::new(std::ptr::null()),
            joins: Joins::new(),
            invitations: Worker::new_lifo(),
            tasks: Worker::new_fifo(),
            tombstones: Cell::new(0),
            tag: Cell::new(0),
            is_active: Cell::new(false),
            wanted: Cell::new(0),
            turn: Cell::new(index as u32),
        }
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

    /// Pushes the half of a join. The joiner pops it before it returns.
    #[inline]
    pub(crate) fn push_half(&self, job: Job) {
        if self.joins.push(job, self.wanted.get()) {
            self.scheduler().notify_unfenced(Urgency::Structured);
        }
    }

    /// Pops the half that was pushed last.
    #[inline]
    pub(crate) fn pop_half(&self) -> Popped {
        self.joins.pop()
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
        self.tasks.push(job);
    }

    pub(super) fn pop_task(&self) -> Option<Job> {
        self.tasks.pop()
    }

    pub(super) fn has_task(&self) -> bool {
        !self.tasks.is_empty()
    }

    pub(super) fn tasks(&self) -> &Worker<Job> {
        &self.tasks
    }

    /// One entry of this seat's tasks has become a tombstone. Cleans up as a [`Queue`](super::Queue) does.
    pub(super) fn bury(&self) {
        self.tombstones.set(self.tombstones.get() + 1);
        if are_many(self.tombstones.get(), self.tasks.len()) {
            self.tombstones.set(0);
            sift(self.tasks.len(), || self.tasks.pop(), |job| self.tasks.push(job));
        }
    }

    /// Runs a job out of a queue, whose pieces bear its address from then on.
    pub(super) fn run(&self, job: Job) {
        let outer = self.tag.replace(job.address());
        let ran = job.run(self.index);
        self.tag.set(outer);
        self.scheduler().settle(ran);
    }

    /// Runs `f`, whose pieces bear the address `tag`.
    pub(crate) fn run_as<R>(&self, tag: usize, f: impl FnOnce() -> R) -> R {
        let outer = self.tag.replace(tag);
        let result = f();
        self.tag.set(outer);
        result
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("index", &self.index)
            .field("joins", &self.joins)
            .finish_non_exhaustive()
    }
}

/// A seat, and what others see of it.
#[derive(Debug)]
pub(super) struct Place {
    is_taken: AtomicBool,
    seat: Seat,
    joins: Stealer<Job>,
    invitations: Stealer<Job>,
    tasks: Stealer<Job>,
    counters: Counters,
}

// SAFETY: the seat is reached only by the thread that took the place; everything else is `Sync`.
unsafe impl Sync for Place {}
// SAFETY: as above; jobs are `Send`.
unsafe impl Send for Place {}

impl Place {
    fn new(index: usize) -> Self {
        let seat = Seat::new(index);
        Self {
            is_taken: AtomicBool::new(false),
            joins: seat.joins.stealer(),
            invitations: seat.invitations.stealer(),
            tasks: seat.tasks.stealer(),
            seat,
            counters: Counters::default(),
        }
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn queued_tasks(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn has_structured(&self) -> bool {
        !self.joins.is_empty() || !self.invitations.is_empty()
    }

    pub(super) fn has_task(&self) -> bool {
        !self.tasks.is_empty()
    }

    pub(super) fn steal_structured(&self) -> Option<Job> {
        self.steal(&self.joins).or_else(|| self.steal(&self.invitations))
    }

    pub(super) fn steal_task(&self) -> Option<Job> {
        self.steal(&self.tasks)
    }

    fn steal(&self, from: &Stealer<Job>) -> Option<Job> {
        if from.is_empty() { None } else { insist(|| from.steal()) }
    }

    /// The seat, if nobody has it.
    fn take(&self, scheduler: &Scheduler) -> Option<&Seat> {
        // ORDERING: Relaxed: a first look, the swap decides.
        if self.is_taken.load(Ordering::Relaxed) {
            return None;
        }
        // ORDERING: Acquire pairs with the store in `give_up`: the seat is as it was left.
        if self.is_taken.swap(true, Ordering::Acquire) {
            return None;
        }
        self.seat.scheduler.set(scheduler);
        self.seat.tag.set(0);
        self.seat.wanted.set(scheduler.config.threads.saturating_sub(1).min(MOST_PUBLISHED));
        Some(&self.seat)
    }

    fn give_up(&self) {
        // ORDERING: Release pairs with the swap in `take`.
        self.is_taken.store(false, Ordering::Release);
    }
}

/// All places of a pool: the workers', then the guests', then the spares'.
#[derive(Debug)]
pub(super) struct Places {
    all: Box<[Place]>,
    workers: usize,
    guests: usize,
    /// Guests' and spares' places beyond these have never been taken.
    used_guests: AtomicUsize,
    used_spares: AtomicUsize,
}

impl Places {
    pub(super) fn new(workers: usize, spares: usize) -> Self {
        let guests = if workers == 0 { 0 } else { workers.clamp(8, 64) };
        Self {
            all: (0..workers + guests + spares).map(Place::new).collect(),
            workers,
            guests,
            used_guests: AtomicUsize::new(0),
            used_spares: AtomicUsize::new(0),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.all.iter()
    }

    pub(super) fn get(&self, index: usize) -> &Place {
        &self.all[index]
    }

    pub(super) fn take_worker(&self, index: usize, scheduler: &Scheduler) -> &Seat {
        self.all[index].take(scheduler).expect("each worker takes its own place, once")
    }

    pub(super) fn take_guest(&self, scheduler: &Scheduler) -> Option<&Seat> {
        let places = &self.all[self.workers..self.workers + self.guests];
        Self::take_first(places, &self.used_guests, scheduler)
    }

    pub(super) fn take_spare(&self, scheduler: &Scheduler) -> Option<&Seat> {
        let places = &self.all[self.workers + self.guests..];
        Self::take_first(places, &self.used_spares, scheduler)
    }

    fn take_first<'a>(
        places: &'a [Place],
        used: &AtomicUsize,
        scheduler: &Scheduler,
    ) -> Option<&'a Seat> {
        let (place, seat) = places
            .iter()
            .enumerate()
            .find_map(|(place, it)| it.take(scheduler).map(|seat| (place, seat)))?;
        // ORDERING: Relaxed: a thief that does not see it yet is as one that looked earlier; the
        // fence of a notification makes sleepers see it.
        if used.load(Ordering::Relaxed) <= place {
            // ORDERING: Relaxed, as above.
            used.fetch_max(place + 1, Ordering::Relaxed);
        }
        Some(seat)
    }

    pub(super) fn is_guest(&self, seat: &Seat) -> bool {
        (self.workers..self.workers + self.guests).contains(&seat.index)
    }

    pub(super) fn give_up(&self, seat: &Seat) {
        self.all[seat.index].give_up();
    }

    /// The places that may hold something, beginning anywhere, `start` says where.
    pub(super) fn victims(&self, start: u32) -> impl Iterator<Item = &Place> {
        // ORDERING: Relaxed, see `take_first`.
        let guests = self.used_guests.load(Ordering::Relaxed);
        // ORDERING: Relaxed, as above.
        let spares = self.used_spares.load(Ordering::Relaxed);
        let count = self.workers + guests + spares;
        (0..count).map(move |step| {
            let place = (start as usize).wrapping_add(step) % count;
            let is_spare = place >= self.workers + guests;
            &self.all[if is_spare { place - guests + self.guests } else { place }]
        })
    }
}
