//! The seats of a pool, and what others see of them.
//!
//! # Invariant
//!
//! Whoever has taken a place has the seat in it to itself until it gives the place up. Everybody
//! may steal from the place at any time.

#![expect(unsafe_code, reason = "lends a seat to the one thread that took its place")]

use std::sync::atomic::{AtomicBool, AtomicUsize};

use crossbeam_deque::{Stealer, Worker};

use super::Scheduler;
use super::counters::Counters;
use super::queue::insist;
use super::seat::{Seat, Stealers};
use crate::job::Job;
use crate::sync::Ordering;

/// Whoever carries off several tasks leaves so many times as many, or takes one: they may have to
/// wait for a long one among them.
const SMALL_PART: usize = 8;

/// A seat, and what others see of it.
#[derive(Debug)]
pub(super) struct Place {
    is_taken: AtomicBool,
    /// Whether its thread stands down: a hint for thieves.
    is_blocked: AtomicBool,
    seat: Seat,
    stealers: Stealers,
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
            is_blocked: AtomicBool::new(false),
            stealers: seat.stealers(),
            seat,
            counters: Counters::default(),
        }
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn is_blocked(&self) -> bool {
        // ORDERING: Relaxed: a hint.
        self.is_blocked.load(Ordering::Relaxed)
    }

    pub(super) fn set_blocked(&self, is_blocked: bool) {
        // ORDERING: Relaxed: a hint.
        self.is_blocked.store(is_blocked, Ordering::Relaxed);
    }

    pub(super) fn queued_tasks(&self) -> usize {
        self.stealers.tasks.len()
    }

    pub(super) fn has_structured(&self) -> bool {
        !self.stealers.joins.is_empty() || !self.stealers.invitations.is_empty()
    }

    pub(super) fn has_task(&self) -> bool {
        !self.stealers.tasks.is_empty()
    }

    pub(super) fn steal_structured(&self) -> Option<Job> {
        self.steal(&self.stealers.joins).or_else(|| self.steal(&self.stealers.invitations))
    }

    /// The oldest task; of those that follow it, so many move over to `own` that it is `most` in all,
    /// as far as that is a small part.
    pub(super) fn steal_tasks(&self, own: &Worker<Job>, most: usize) -> Option<Job> {
        let most = most.min(self.queued_tasks() / SMALL_PART);
        if most < 2 {
            return self.steal_task();
        }
        insist(|| self.stealers.tasks.steal_batch_with_limit_and_pop(own, most))
    }

    pub(super) fn steal_task(&self) -> Option<Job> {
        self.steal(&self.stealers.tasks)
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
        self.seat.open(scheduler);
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
        (self.workers..self.workers + self.guests).contains(&seat.index())
    }

    pub(super) fn give_up(&self, seat: &Seat) {
        self.all[seat.index()].give_up();
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
