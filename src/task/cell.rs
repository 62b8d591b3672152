//! What a task consists of, in one piece: its state, who waits for it, and its closure or its result.
//!
//! ```text
//!                claim                    latch
//!   queued ───────────────► started ───────────────────► done
//!          worker, joiner            result, panic or
//!          or canceller              refusal is in place
//! ```
//!
//! Queues only advertise a task: whoever wins the claim runs it (or calls it off), and whoever
//! comes later finds a tombstone.
//!
//! # Invariant
//!
//! Two shares keep the memory: the queue's entry and the handle, a bit each. The stage belongs to
//! the claimer from the claim until it sets the latch, and to the handle from then on. A claimer
//! that finds no handle sets no latch; one that has the entry needs no claim then. Whoever gives up
//! the last share has the task to itself, and sees to what is left in it.

#![expect(unsafe_code, reason = "shares a task between a queue and a handle")]

use std::alloc::Layout;
use std::ptr::NonNull;

use super::block::{Home, allocate, vacate};
use super::state::{Claim, ENTRY, State};
use super::ticket::{Failure, Refusal, Ticket, Untyped};
use crate::job::{Header, Job, Ran, Work};
use crate::sync::UnsafeCell;
use crate::unwind::{AbortGuard, Payload, catch, discard};
use crate::wait::{Latch, Outcome};

/// What is in the cell.
enum Stage<F, T> {
    Pending(F),
    Returned(T),
    Panicked(Payload),
    Refused(Refusal),
    Taken,
}

/// What a task begins with, whatever its closure.
#[repr(C)]
pub(super) struct Front {
    header: Header,
    pub(super) home: Home,
    pub(super) state: State,
    pub(super) latch: Latch,
}

/// The piece of memory.
#[repr(C)]
struct Task<F, T> {
    front: Front,
    stage: UnsafeCell<Stage<F, T>>,
}

// SAFETY: the stage has one owner at a time (see the invariant), on whatever thread; closures and
// results are `Send`.
unsafe impl<F: Send, T: Send> Sync for Task<F, T> {}
// SAFETY: as above.
unsafe impl<F: Send, T: Send> Send for Task<F, T> {}

/// A new task: the entry for a queue, and the ticket for a handle.
#[inline]
pub(crate) fn new_task<'a, F, T>(closure: F) -> (Job, Ticket<'a, T>)
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    let task = Task::allocate(State::queued(), Stage::Pending(closure));
    // SAFETY: the entry's share keeps the task alive until the job is used up.
    (unsafe { Job::new(task) }, Ticket::new(task))
}

/// A task that never runs.
pub(crate) fn refused_task<'a, T: Send + 'a>(refusal: Refusal) -> Ticket<'a, T> {
    let task = Task::<fn() -> T, T>::allocate(State::refused(), Stage::Refused(refusal));
    // SAFETY: just allocated.
    let latch = unsafe { &task.as_ref().front.latch };
    // SAFETY: alive by the handle's share, and set here only.
    unsafe { Latch::set(latch, Outcome::Done) };
    Ticket::new(task)
}

impl<F: FnOnce() -> T + Send, T: Send> Task<F, T> {
    #[inline]
    fn allocate(state: State, stage: Stage<F, T>) -> NonNull<Self> {
        let (place, home) = allocate(Layout::new::<Self>());
        let front = Front { header: Header::of::<Self>(), home, state, latch: Latch::new() };
        let task = Self { front, stage: UnsafeCell::new(stage) };
        let place = place.cast::<Self>();
        // SAFETY: the memory is fresh, and was asked for by this layout.
        unsafe { place.write(task) };
        place
    }

    /// Puts another stage in the place of the one that is there.
    ///
    /// # Safety
    ///
    /// - The stage is the caller's.
    unsafe fn replace(&self, stage: Stage<F, T>) -> Stage<F, T> {
        // SAFETY: nobody else looks at the stage.
        self.stage.with_mut(|place| unsafe { place.replace(stage) })
    }

    /// Runs the closure, and shows what came of it.
    ///
    /// # Safety
    ///
    /// - The caller has the claim, and a share.
    #[inline]
    unsafe fn run_claimed(&self) {
        // SAFETY: the claim makes the stage the caller's.
        let Stage::Pending(closure) = (unsafe { self.replace(Stage::Taken) }) else {
            unreachable!("a task is claimed once, with its closure in it")
        };
        let stage = match catch(closure) {
            Ok(value) => Stage::Returned(value),
            Err(payload) => Stage::Panicked(payload),
        };
        // SAFETY: as above.
        unsafe { self.complete(stage) };
    }

    /// Runs the closure of a task that nobody else has a share in, and frees it.
    ///
    /// # Safety
    ///
    /// - Nobody else has a share, and the closure is still there.
    unsafe fn run_alone(this: NonNull<Self>) -> Ran {
        // SAFETY: it is alive, and not freed before the end.
        let task = unsafe { this.as_ref() };
        // SAFETY: nobody else has it.
        let Stage::Pending(closure) = (unsafe { task.replace(Stage::Taken) }) else {
            unreachable!("whoever has the entry alone finds the closure")
        };
        let result = catch(closure).map(discard);
        // The address stays taken while the closure runs: it is a name, see `Job::address`.
        // SAFETY: `allocate` made it, with this home; nobody uses it any more.
        unsafe { vacate(this, task.front.home) };
        match result {
            Ok(()) => Ran::Finished,
            Err(payload) => Ran::Orphaned(payload),
        }
    }

    /// Calls the task off instead of running it.
    ///
    /// # Safety
    ///
    /// - As for [`run_claimed`](Self::run_claimed).
    unsafe fn call_off(&self) {
        // SAFETY: the claim makes the stage the caller's.
        discard(unsafe { self.replace(Stage::Taken) });
        // SAFETY: as above.
        unsafe { self.complete(Stage::Refused(Refusal::Cancelled)) };
    }

    /// Puts the result in place, and wakes who waits for it.
    ///
    /// # Safety
    ///
    /// - As for [`run_claimed`](Self::run_claimed), and the stage is [`Stage::Taken`].
    #[inline]
    unsafe fn complete(&self, stage: Stage<F, T>) {
        // Without its completion the task would hang whoever waits for it.
        let guard = AbortGuard;
        // SAFETY: the stage is still the caller's, who has taken the closure out: nothing is lost.
        self.stage.with_mut(|place| unsafe { place.write(stage) });
        if self.front.state.has_handle() {
            // SAFETY: the caller's share keeps the latch alive, and a task completes once.
            unsafe { Latch::set(&raw const self.front.latch, Outcome::Done) };
        }
        guard.disarm();
    }

    /// Gives up one share. If it was the last, what is left in the task is dropped with it; a panic
    /// that nobody has taken comes out.
    ///
    /// # Safety
    ///
    /// - The caller has the share, and does not use the task any more.
    unsafe fn release(this: NonNull<Self>, share: usize) -> Option<Payload> {
        // SAFETY: the share keeps the task alive.
        if !unsafe { this.as_ref() }.front.state.release(share) {
            return None;
        }
        // SAFETY: no share is left, so nobody else has it.
        unsafe { Self::dismantle(this) }
    }

    /// Drops what is left in the task, and frees it; a panic that nobody has taken comes out.
    ///
    /// # Safety
    ///
    /// - Nobody else has a share, and the task is not used any more.
    unsafe fn dismantle(this: NonNull<Self>) -> Option<Payload> {
        // SAFETY: nobody else has it.
        let task = unsafe { this.as_ref() };
        // SAFETY: as above.
        let payload = match unsafe { task.replace(Stage::Taken) } {
            Stage::Panicked(payload) => Some(payload),
            stage => {
                discard(stage);
                None
            }
        };
        // SAFETY: `allocate` made it, with this home; nobody uses it any more.
        unsafe { vacate(this, task.front.home) };
        payload
    }
}

// SAFETY: `repr(C)`, and the header is made for this type. Tasks are `Sync`.
unsafe impl<F: FnOnce() -> T + Send, T: Send> Work for Task<F, T> {
    unsafe fn run(this: NonNull<Self>, _: usize) -> Ran {
        // SAFETY: the entry's share is this call's.
        let task = unsafe { this.as_ref() };
        let claim = task.front.state.claim_by_entry();
        match claim {
            // SAFETY: no share is left but this call's.
            Claim::Sole => return unsafe { Self::run_alone(this) },
            // SAFETY: the claim is this call's.
            Claim::Won => unsafe { task.run_claimed() },
            Claim::Lost => {}
        }
        // SAFETY: the entry is used up.
        match unsafe { Self::release(this, ENTRY) } {
            Some(payload) => Ran::Orphaned(payload),
            None if claim == Claim::Won => Ran::Finished,
            None => Ran::Spent,
        }
    }

    unsafe fn give_back(this: NonNull<Self>) -> Option<Job> {
        // SAFETY: the entry's share passes from one job to the other.
        Some(unsafe { Job::new(this) })
    }

    unsafe fn cancel(this: NonNull<Self>) -> bool {
        // SAFETY: the entry's share is this call's.
        let task = unsafe { this.as_ref() };
        let is_claimed = task.front.state.claim();
        if is_claimed {
            // SAFETY: the claim is this call's.
            unsafe { task.call_off() };
        }
        // SAFETY: the entry is used up. What was cancelled has not panicked.
        let _no_panic = unsafe { Self::release(this, ENTRY) };
        is_claimed
    }

    unsafe fn is_spent(this: NonNull<Self>) -> bool {
        // SAFETY: the entry's share keeps the task alive.
        unsafe { this.as_ref() }.front.state.has_started()
    }

    unsafe fn tag(_: NonNull<Self>) -> usize {
        // Nobody waits for a task by looking for its pieces.
        0
    }
}

// SAFETY: `repr(C)`, and the front is the first field.
unsafe impl<F: FnOnce() -> T + Send, T: Send> Untyped<T> for Task<F, T> {
    unsafe fn run(&self) {
        // SAFETY: the caller has the claim.
        unsafe { self.run_claimed() };
    }

    unsafe fn call_off(&self) {
        // SAFETY: the caller has the claim.
        unsafe { self.call_off() };
    }

    unsafe fn take(&self) -> Option<Result<T, Failure>> {
        // SAFETY: the stage is the caller's.
        match unsafe { self.replace(Stage::Taken) } {
            Stage::Returned(value) => Some(Ok(value)),
            Stage::Panicked(payload) => Some(Err(Failure::Panicked(payload))),
            Stage::Refused(refusal) => Some(Err(Failure::Refused(refusal))),
            Stage::Pending(_) | Stage::Taken => None,
        }
    }
}

/// Loom checks that the stage is never touched by two at a time, and that what a task holds is
/// dropped (it counts its own `Arc`s).
///
/// Seen to fail: with a `release` that lacks its `Release` or its `Acquire`, or looks for the last
/// share by a `Relaxed` load; with a `claim_by_entry` that loads `Relaxed`, or that always finds the
/// entry alone; when `claim` always succeeds; when the latch is set before the stage is in place, or
/// never; when the handle takes the result without a look at the latch; and when the entry gives up
/// its share before the run.
#[cfg(all(test, loom))]
mod model {
    use std::sync::Arc as StdArc;

    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::wait::Parker;

    fn wait<T>(ticket: &Ticket<'_, T>) {
        let parker = StdArc::new(Parker::new());
        while !ticket.is_done() {
            if ticket.latch().register(parker.waker()) {
                parker.park();
            }
        }
    }

    fn release<T>(mut ticket: Ticket<'_, T>) {
        // SAFETY: the ticket goes away.
        assert!(unsafe { ticket.release() }.is_none());
    }

    #[test]
    fn a_joiner_and_a_worker_run_it_once() {
        loom::model(|| {
            let held = Arc::new(7);
            let (job, mut ticket) = new_task(move || held);
            let worker = thread::spawn(move || drop(job.run(0)));
            if !ticket.run() {
                wait(&ticket);
            }
            assert_eq!(*ticket.take().unwrap(), 7);
            release(ticket);
            worker.join().unwrap();
        });
    }

    #[test]
    fn it_is_cancelled_or_run() {
        loom::model(|| {
            let held = Arc::new(7);
            let (job, mut ticket) = new_task(move || held);
            let worker = thread::spawn(move || drop(job.run(0)));
            let is_cancelled = ticket.cancel();
            wait(&ticket);
            assert_eq!(ticket.take().is_err(), is_cancelled);
            release(ticket);
            worker.join().unwrap();
        });
    }

    #[test]
    fn a_dropped_handle_leaves_no_waker() {
        loom::model(|| {
            let parker = StdArc::new(Parker::new());
            let (job, ticket) = new_task(|| ());
            let worker = thread::spawn(move || drop(job.run(0)));
            ticket.latch().register(parker.waker());
            release(ticket);
            worker.join().unwrap();
            assert_eq!(StdArc::strong_count(&parker), 1);
        });
    }

    #[test]
    fn nobody_loses_what_a_dropped_handle_leaves() {
        loom::model(|| {
            let held = Arc::new(7);
            let (job, ticket) = new_task(move || held);
            let worker = thread::spawn(move || drop(job.run(0)));
            release(ticket);
            worker.join().unwrap();
        });
    }
}
