//! The one allocation of a task: its state, who waits for it, and its closure or its result.
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
//! that finds no handle sets no latch. Whoever gives up the last share has the task to itself, and
//! sees to what is left in it.

#![expect(unsafe_code, reason = "shares a task between a queue and a handle")]

use std::fmt;
use std::ptr::NonNull;

use crate::error::{Panic, TaskError};
use crate::job::{Header, Job, Ran, Work};
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};
use crate::unwind::{AbortGuard, Payload, catch, discard};
use crate::wait::{Latch, Outcome};

const STARTED: usize = 1;
const ENTRY: usize = 2;
const HANDLE: usize = 4;

/// Why a task never ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Cancelled,
    ShutDown,
}

/// What is in the cell.
enum Stage<F, T> {
    Pending(F),
    Returned(T),
    Panicked(Payload),
    Refused(Refusal),
    Taken,
}

/// The allocation.
#[repr(C)]
struct Task<F, T> {
    header: Header,
    state: State,
    latch: Latch,
    stage: UnsafeCell<Stage<F, T>>,
}

// SAFETY: the stage has one owner at a time (see the invariant), on whatever thread; closures and
// results are `Send`.
unsafe impl<F: Send, T: Send> Sync for Task<F, T> {}
// SAFETY: as above.
unsafe impl<F: Send, T: Send> Send for Task<F, T> {}

/// A new task: the entry for a queue, and the ticket for a handle.
pub(crate) fn new_task<'a, F, T>(closure: F) -> (Job, Ticket<'a, T>)
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    let task = Task::allocate(ENTRY | HANDLE, Stage::Pending(closure));
    // SAFETY: the entry's share keeps the task alive until the job is used up.
    (unsafe { Job::new(task) }, Ticket(task))
}

/// A task that never runs.
pub(crate) fn refused_task<'a, T: Send + 'a>(refusal: Refusal) -> Ticket<'a, T> {
    let task = Task::<fn() -> T, T>::allocate(STARTED | HANDLE, Stage::Refused(refusal));
    // SAFETY: just allocated.
    let latch = unsafe { &task.as_ref().latch };
    // SAFETY: alive by the handle's share, and set here only.
    unsafe { Latch::set(latch, Outcome::Done) };
    Ticket(task)
}

impl<F: FnOnce() -> T + Send, T: Send> Task<F, T> {
    fn allocate(state: usize, stage: Stage<F, T>) -> NonNull<Self> {
        NonNull::from(Box::leak(Box::new(Self {
            header: Header::of::<Self>(),
            state: State(AtomicUsize::new(state)),
            latch: Latch::new(),
            stage: UnsafeCell::new(stage),
        })))
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
    /// - As for [`run_claimed`](Self::run_claimed).
    unsafe fn complete(&self, stage: Stage<F, T>) {
        // Without its completion the task would hang whoever waits for it.
        let guard = AbortGuard;
        // SAFETY: the stage is still the caller's.
        unsafe { self.replace(stage) };
        if self.state.has_handle() {
            // SAFETY: the caller's share keeps the latch alive, and a task completes once.
            unsafe { Latch::set(&raw const self.latch, Outcome::Done) };
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
        if !unsafe { this.as_ref() }.state.release(share) {
            return None;
        }
        // SAFETY: it came from a box, and no share is left.
        let task = unsafe { Box::from_raw(this.as_ptr()) };
        // SAFETY: nobody else has it.
        match unsafe { task.replace(Stage::Taken) } {
            Stage::Panicked(payload) => Some(payload),
            stage => {
                discard(stage);
                None
            }
        }
    }
}

// SAFETY: `repr(C)`, and the header is made for this type. Tasks are `Sync`.
unsafe impl<F: FnOnce() -> T + Send, T: Send> Work for Task<F, T> {
    unsafe fn run(this: NonNull<Self>, _: usize) -> Ran {
        // SAFETY: the entry's share is this call's.
        let task = unsafe { this.as_ref() };
        let is_claimed = task.state.claim();
        if is_claimed {
            // SAFETY: the claim is this call's.
            unsafe { task.run_claimed() };
        }
        // SAFETY: the entry is used up.
        match unsafe { Self::release(this, ENTRY) } {
            Some(payload) => Ran::Orphaned(payload),
            None if is_claimed => Ran::Finished,
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
        let is_claimed = task.state.claim();
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
        unsafe { this.as_ref() }.state.has_started()
    }

    unsafe fn tag(_: NonNull<Self>) -> usize {
        // Nobody waits for a task by looking for its pieces.
        0
    }
}

/// What a handle can do without knowing the closure's type.
trait Untyped<T>: Send + Sync {
    fn state(&self) -> &State;
    fn latch(&self) -> &Latch;
    /// # Safety
    ///
    /// - The caller has the claim.
    unsafe fn run(&self);
    /// # Safety
    ///
    /// - The caller has the claim.
    unsafe fn call_off(&self);
    /// # Safety
    ///
    /// - The task is done, and the stage is the handle's.
    unsafe fn take(&self) -> Option<Result<T, Failure>>;
}

/// Why there is no value.
enum Failure {
    Panicked(Payload),
    Refused(Refusal),
}

impl<F: FnOnce() -> T + Send, T: Send> Untyped<T> for Task<F, T> {
    fn state(&self) -> &State {
        &self.state
    }

    fn latch(&self) -> &Latch {
        &self.latch
    }

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

/// The handle's share of a task.
///
/// There is no `Drop`, since it may find a panic that somebody must see to: whoever has a ticket
/// gives it back with [`Ticket::release`].
pub(crate) struct Ticket<'a, T>(NonNull<dyn Untyped<T> + 'a>);

// SAFETY: a task may be used from any thread, and a ticket is a share of it.
unsafe impl<T: Send> Send for Ticket<'_, T> {}
// SAFETY: through a shared ticket a task can be looked at, claimed and called off, which are atomic.
unsafe impl<T: Send> Sync for Ticket<'_, T> {}

impl<'a, T> Ticket<'a, T> {
    fn task(&self) -> &(dyn Untyped<T> + 'a) {
        // SAFETY: the handle's share keeps the task alive.
        unsafe { self.0.as_ref() }
    }

    /// Where the task is: the address of its job.
    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().cast::<()>().addr()
    }

    /// Opens when the task is done.
    pub(crate) fn latch(&self) -> &Latch {
        self.task().latch()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.latch().is_set()
    }

    /// Whether a claim may still succeed.
    pub(crate) fn is_claimable(&self) -> bool {
        !self.task().state().has_started()
    }

    /// Runs the task here, unless somebody else has claimed it. Says whether it ran.
    pub(crate) fn run(&self) -> bool {
        let is_claimed = self.task().state().claim();
        if is_claimed {
            // SAFETY: the claim is this call's.
            unsafe { self.task().run() };
        }
        is_claimed
    }

    /// Calls the task off, unless somebody has claimed it. Says whether it was called off.
    pub(crate) fn cancel(&self) -> bool {
        let is_claimed = self.task().state().claim();
        if is_claimed {
            // SAFETY: the claim is this call's.
            unsafe { self.task().call_off() };
        }
        is_claimed
    }

    /// What the task came to. The task is done; this is called once.
    pub(crate) fn take(&mut self) -> Result<T, TaskError> {
        assert!(self.is_done(), "a result is taken after the latch was set");
        // SAFETY: done, and this handle has the stage; `&mut` makes the call the only one.
        match unsafe { self.task().take() }.expect("a result is taken once") {
            Ok(value) => Ok(value),
            Err(Failure::Panicked(payload)) => Err(TaskError::Panicked(Panic::new(payload))),
            Err(Failure::Refused(Refusal::Cancelled)) => Err(TaskError::Cancelled),
            Err(Failure::Refused(Refusal::ShutDown)) => Err(TaskError::ShutDown),
        }
    }

    /// Gives the share back. A panic that nobody has taken comes out; a value is dropped, and a
    /// panic of its `Drop` ends here.
    ///
    /// # Safety
    ///
    /// - The ticket is not used any more.
    pub(crate) unsafe fn release(&mut self) -> Option<Payload> {
        // SAFETY: done, so the stage is the handle's.
        let taken = if self.is_done() { unsafe { self.task().take() } } else { None };
        let left = if self.task().state().release(HANDLE) {
            // SAFETY: it came from a box, and no share is left.
            let task = unsafe { Box::from_raw(self.0.as_ptr()) };
            // SAFETY: nobody else has it.
            unsafe { task.take() }
        } else {
            None
        };
        match taken.or(left) {
            Some(Err(Failure::Panicked(payload))) => Some(payload),
            result => {
                discard(result);
                None
            }
        }
    }
}

impl<T> fmt::Debug for Ticket<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("is_done", &self.is_done()).finish()
    }
}

/// The packed word: started, and who has a share.
#[derive(Debug)]
struct State(AtomicUsize);

impl State {
    /// Wins the right to run the task, once.
    fn claim(&self) -> bool {
        // ORDERING: Acquire keeps what the claimer does to the stage after the claim. The closure
        // itself came with the queue's entry, or with the handle.
        self.0.fetch_or(STARTED, Ordering::Acquire) & STARTED == 0
    }

    fn has_started(&self) -> bool {
        // ORDERING: Relaxed: a look that decides nothing but whether to try.
        self.0.load(Ordering::Relaxed) & STARTED != 0
    }

    /// Whether somebody may wait for the result.
    fn has_handle(&self) -> bool {
        // ORDERING: Relaxed: a handle that goes away meanwhile needs no signal.
        self.0.load(Ordering::Relaxed) & HANDLE != 0
    }

    /// Gives up one share. True: it was the last one.
    #[must_use]
    fn release(&self, share: usize) -> bool {
        // ORDERING: Release hands on what this share's owner did to whoever frees the task;
        // Acquire makes the one who frees it see that.
        self.0.fetch_and(!share, Ordering::AcqRel) & (ENTRY | HANDLE) == share
    }
}

/// Loom checks that the stage is never touched by two at a time, and that what a task holds is
/// dropped (it counts its own `Arc`s).
///
/// Seen to fail: with `Relaxed` in `complete`, in `abandon` and in `release`; when `claim` always
/// succeeds; and when `abandon` does not look at `DONE`.
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
