//! The beginning and the end of a pool's threads.
//!
//! ```text
//!   OPEN ── close ──► CLOSING ── all asleep, nothing queued ──► ENDED
//! ```
//!
//! While it is closing, a pool takes no detached tasks from outside. It has ended when it is
//! *quiet*: every worker and spare is asleep and every queue is empty. A worker that waits inside a
//! task is not asleep in this sense, so what it waits for still finds its threads.
//!
//! # Invariant
//!
//! The last thread to fall asleep and the one who closes both look whether it is quiet, after their
//! own step, and the sleepers' lock puts one of them last.

use std::io;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::{Scheduler, Seat};
use crate::sync::{AtomicUsize, Condvar, Mutex, Ordering, lock};
use crate::wait::step_aside;

const OPEN: usize = 0;
const CLOSING: usize = 1;
const ENDED: usize = 2;

/// How far it has come, and who is there.
#[derive(Debug)]
pub(super) struct Lifecycle {
    state: AtomicUsize,
    /// How many threads wait for quiet, in [`Scheduler::drain`].
    drains: AtomicUsize,
    /// How many tasks run on threads that joined them and are no workers.
    claims: AtomicUsize,
    /// How many handles users have.
    handles: AtomicUsize,
    /// Whether somebody has waited for the end in vain.
    is_abandoned: AtomicBool,
    roster: Mutex<Roster>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Roster {
    workers: usize,
    spares: usize,
    handles: Vec<JoinHandle<()>>,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicUsize::new(OPEN),
            drains: AtomicUsize::new(0),
            claims: AtomicUsize::new(0),
            handles: AtomicUsize::new(0),
            is_abandoned: AtomicBool::new(false),
            roster: Mutex::new(Roster::default()),
            changed: Condvar::new(),
        }
    }

    #[inline]
    fn state(&self) -> usize {
        // ORDERING: Acquire pairs with the release in `advance`: who sees the end sees all that the
        // pool has done.
        self.state.load(Ordering::Acquire)
    }

    pub(super) fn is_open(&self) -> bool {
        self.state() == OPEN
    }

    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.state() == ENDED
    }

    /// Goes from one state to the next. False: it was not there.
    fn advance(&self, from: usize, to: usize) -> bool {
        // ORDERING: Release pairs with the load in `state`. A failure tells nothing.
        self.state.compare_exchange(from, to, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Enters a thread that `start` starts. It is an error after the end.
    pub(super) fn hire(
        &self,
        is_spare: bool,
        start: impl FnOnce() -> io::Result<JoinHandle<()>>,
    ) -> io::Result<()> {
        let mut roster = lock(&self.roster);
        if self.has_ended() {
            return Err(io::Error::other("the pool has ended"));
        }
        roster.handles.push(start()?);
        *roster.count(is_spare) += 1;
        Ok(())
    }

    /// Strikes this thread, which is about to end, off the list.
    pub(super) fn retire(&self, is_spare: bool) {
        let mut roster = lock(&self.roster);
        *roster.count(is_spare) -= 1;
        if !self.has_ended() {
            // Nobody will join it.
            let me = thread::current().id();
            roster.handles.retain(|handle| handle.thread().id() != me);
        }
        self.changed.notify_all();
    }

    /// Joins all threads, but waits no longer than `deadline`. `Err`: how many are left.
    fn join(&self, deadline: Option<Instant>) -> Result<(), usize> {
        let mut roster = lock(&self.roster);
        while roster.workers + roster.spares > 0 {
            let left = deadline.map(|it| it.saturating_duration_since(Instant::now()));
            roster = match left {
                None => self.changed.wait(roster).expect("nobody panics under this lock"),
                Some(left) if left.is_zero() => return Err(roster.workers + roster.spares),
                Some(left) => self.changed.wait_timeout(roster, left).expect("as above").0,
            };
        }
        let handles = std::mem::take(&mut roster.handles);
        drop(roster);
        // Their loops are over; a panic in a thread's local destructor is none of ours.
        // The last handle of a pool may be dropped by a local of one of them: it does not wait for
        // itself.
        let me = thread::current().id();
        let others = handles.into_iter().filter(|handle| handle.thread().id() != me);
        others.for_each(|handle| drop(handle.join()));
        Ok(())
    }
}

impl Roster {
    fn count(&mut self, is_spare: bool) -> &mut usize {
        if is_spare { &mut self.spares } else { &mut self.workers }
    }
}

impl Scheduler {
    /// Whether a detached task may be spawned here and now.
    pub(crate) fn accepts_tasks(&self) -> bool {
        self.lifecycle.is_open() || (!self.lifecycle.has_ended() && self.is_inside())
    }

    /// One more handle of a user's.
    pub(crate) fn add_handle(&self) {
        // ORDERING: Relaxed: the one who adds has the scheduler already, as with `Arc`.
        self.lifecycle.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// One handle less. True: it was the last.
    #[must_use]
    pub(crate) fn drop_handle(&self) -> bool {
        // ORDERING: Release keeps what was done through this handle before the drop; Acquire makes
        // the last one see it all.
        self.lifecycle.handles.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// From now on nobody waits when the last handle is dropped.
    pub(crate) fn abandon(&self) {
        // ORDERING: Relaxed: a wish, nothing is published by it.
        self.lifecycle.is_abandoned.store(true, Ordering::Relaxed);
    }

    /// As [`wait_for_end`](Self::wait_for_end), unless somebody has waited in vain before.
    pub(crate) fn wait_for_end_unless_abandoned(&self) -> Result<(), usize> {
        // ORDERING: Relaxed, see `abandon`.
        if self.lifecycle.is_abandoned.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.wait_for_end(None)
    }

    /// Runs `f`, which runs a task of this pool on the thread that joined it, and that has `seat`:
    /// the pool does not end meanwhile.
    pub(crate) fn while_claimed<R>(&self, seat: Option<&Seat>, f: impl FnOnce() -> R) -> R {
        if seat.is_some_and(|seat| self.is_worker(seat)) {
            return f();
        }
        // ORDERING: Acquire keeps the claim after it, Release is for symmetry with the end below:
        // the entry of the task lies in a queue until it is claimed, so whoever finds it spent
        // comes after this.
        self.lifecycle.claims.fetch_add(1, Ordering::AcqRel);
        let result = f();
        // ORDERING: Release hands what the task has queued to whoever sees that it has ended.
        self.lifecycle.claims.fetch_sub(1, Ordering::AcqRel);
        self.look_whether_quiet();
        result
    }

    /// Begins to close: what is queued and what it spawns will be done.
    pub(crate) fn close(&self) {
        if !self.is_lost() && self.lifecycle.advance(OPEN, CLOSING) {
            self.look_whether_quiet();
        }
    }

    /// Waits until the threads have ended, but no longer than `deadline`. `Err`: how many have not.
    /// Inside the pool's own code it does not wait.
    pub(crate) fn wait_for_end(&self, deadline: Option<Instant>) -> Result<(), usize> {
        if self.is_lost() || self.is_inside() {
            return Ok(());
        }
        step_aside(|| self.lifecycle.join(deadline))
    }

    /// Calls off every detached task that waits in a queue. How many there were.
    pub(crate) fn cancel_queued(&self) -> usize {
        if self.is_lost() {
            return 0;
        }
        // A second time, for those that a thief has carried to where this has been already. No
        // further ones: somebody may go on spawning.
        (0..2).map(|_| self.cancel_once()).sum()
    }

    fn cancel_once(&self) -> usize {
        let injected = std::iter::from_fn(|| self.injector.pop());
        let on_seats =
            self.places.iter().flat_map(|place| std::iter::from_fn(|| place.steal_task()));
        injected.chain(on_seats).filter_map(|job| job.cancel().then_some(())).count()
    }

    /// Waits until everything that is queued is done, and leaves the pool as it is. `Err`: it was
    /// not by `deadline`; so many threads are busy.
    pub(crate) fn drain(&self, deadline: Option<Instant>) -> Result<(), usize> {
        if self.is_lost() || self.is_inside() {
            return Ok(());
        }
        step_aside(|| self.wait_for_quiet(deadline))
    }

    fn wait_for_quiet(&self, deadline: Option<Instant>) -> Result<(), usize> {
        let life = &self.lifecycle;
        // ORDERING: Relaxed: the sleepers' lock, in `busy_threads`, puts this before or after each
        // thread that falls asleep.
        life.drains.fetch_add(1, Ordering::Relaxed);
        let mut roster = lock(&life.roster);
        let result = loop {
            // In this order, as in `look_whether_quiet`.
            let has_work = self.has_any_work();
            let busy = self.busy_threads(&roster);
            if busy == 0 && !has_work {
                break Ok(());
            }
            let left = deadline.map(|it| it.saturating_duration_since(Instant::now()));
            roster = match left {
                None => life.changed.wait(roster).expect("nobody panics under this lock"),
                Some(left) if left.is_zero() => break Err(busy.max(1)),
                Some(left) => life.changed.wait_timeout(roster, left).expect("as above").0,
            };
        };
        drop(roster);
        // ORDERING: Relaxed, as above.
        life.drains.fetch_sub(1, Ordering::Relaxed);
        result
    }

    /// How many threads are not asleep.
    fn busy_threads(&self, roster: &Roster) -> usize {
        let (sleeping, resting) = self.sleep.asleep();
        // ORDERING: Acquire pairs with `while_claimed`.
        let claims = self.lifecycle.claims.load(Ordering::Acquire);
        (roster.workers + roster.spares).saturating_sub(sleeping + resting) + claims
    }

    /// Looks whether the end has come, after a step towards it.
    pub(super) fn look_whether_quiet(&self) {
        // ORDERING: Relaxed, see `wait_for_quiet`.
        let is_awaited = self.lifecycle.drains.load(Ordering::Relaxed) > 0;
        let is_closing = self.lifecycle.state() == CLOSING;
        if (!is_closing && !is_awaited) || self.is_lost() {
            return;
        }
        let roster = lock(&self.lifecycle.roster);
        // In this order: what is taken from a queue after the look has a thread that is not asleep.
        if self.has_any_work() || self.busy_threads(&roster) > 0 {
            return;
        }
        self.lifecycle.changed.notify_all();
        drop(roster);
        if is_closing && self.lifecycle.advance(CLOSING, ENDED) {
            self.sleep.wake_all();
        }
    }
}
