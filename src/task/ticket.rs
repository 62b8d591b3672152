//! The handle's share of a task, whatever the type of its closure.

#![expect(unsafe_code, reason = "shares a task with a queue")]

use std::fmt;
use std::ptr::NonNull;

use super::block::vacate;
use super::cell::Front;
use super::state::HANDLE;
use crate::error::{Panic, TaskError};
use crate::job::Job;
use crate::unwind::{Payload, discard};
use crate::wait::Latch;

/// Why a task never ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Cancelled,
    ShutDown,
}

/// What a handle can do without knowing the closure's type.
///
/// # Safety
///
/// - The type is `repr(C)` and begins with a [`Front`].
pub(super) unsafe trait Untyped<T>: Send + Sync {
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
pub(super) enum Failure {
    Panicked(Payload),
    Refused(Refusal),
}

/// The handle's share of a task.
///
/// There is no `Drop`, since it may find a panic that somebody must see to: whoever has a ticket
/// gives it back with [`Ticket::release`].
pub(crate) struct Ticket<'a, T>(NonNull<dyn Untyped<T> + 'a>);

// SAFETY: a task may be used from any thread, and a ticket is a share of it.
unsafe impl<T: Send> Send for Ticket<'_, T> {}
// SAFETY: through a shared ticket a task can be looked at, run and called off, whichever thread does
// it: tasks are made for closures and results that are `Send`, so this asks no bound once more.
unsafe impl<T> Sync for Ticket<'_, T> {}

impl<'a, T> Ticket<'a, T> {
    pub(super) fn new(task: NonNull<dyn Untyped<T> + 'a>) -> Self {
        Self(task)
    }

    #[inline]
    fn front(&self) -> &Front {
        // SAFETY: the handle's share keeps the task alive, which begins with it.
        unsafe { self.0.cast().as_ref() }
    }

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
        &self.front().latch
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.latch().is_set()
    }

    /// Whether somebody has claimed it.
    pub(crate) fn has_started(&self) -> bool {
        self.front().state.has_started()
    }

    /// Runs the task here, unless somebody else has claimed it. Says whether it ran.
    pub(crate) fn run(&self) -> bool {
        let is_claimed = self.front().state.claim();
        if is_claimed {
            // SAFETY: the claim is this call's.
            unsafe { self.task().run() };
        }
        is_claimed
    }

    /// As [`run`](Self::run), with the entry of the task, which is used up.
    ///
    /// # Safety
    ///
    /// - `entry` is that of this task.
    /// - Nobody else uses the ticket during the call.
    pub(crate) unsafe fn run_with(&self, entry: Job) -> bool {
        debug_assert_eq!(entry.address(), self.address());
        let is_claimed = self.front().state.claim_with_entry();
        if is_claimed {
            // SAFETY: the claim is this call's.
            unsafe { self.task().run() };
        } else {
            entry.cancel();
        }
        is_claimed
    }

    /// Calls the task off, unless somebody has claimed it. Says whether it was called off.
    pub(crate) fn cancel(&self) -> bool {
        let is_claimed = self.front().state.claim();
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
    #[inline]
    pub(crate) unsafe fn release(&mut self) -> Option<Payload> {
        if self.is_done() {
            // SAFETY: done; the rest is what the caller says.
            return unsafe { self.release_done() };
        }
        if !self.front().state.release(HANDLE) {
            return None;
        }
        // It has ended since.
        // SAFETY: no share is left, so nobody else has it.
        let left = unsafe { self.task().take() };
        // SAFETY: as above.
        unsafe { self.free() };
        see_to(left)
    }

    /// # Safety
    ///
    /// - As for [`release`](Self::release), and the task is done.
    unsafe fn release_done(&mut self) -> Option<Payload> {
        // SAFETY: done, so the stage is the handle's.
        let left = unsafe { self.task().take() };
        if self.front().state.release(HANDLE) {
            // SAFETY: no share is left, so nobody else has it.
            unsafe { self.free() };
        }
        see_to(left)
    }

    /// # Safety
    ///
    /// - Nobody else has a share, and the ticket is not used any more.
    unsafe fn free(&mut self) {
        let home = self.front().home;
        // SAFETY: the task was made at this home; nobody uses it any more.
        unsafe { vacate(self.0, home) };
    }
}

/// Drops a value that nobody wants; a panic that nobody has taken comes out.
fn see_to<T>(result: Option<Result<T, Failure>>) -> Option<Payload> {
    match result {
        Some(Err(Failure::Panicked(payload))) => Some(payload),
        Some(Ok(value)) => {
            discard(value);
            None
        }
        Some(Err(Failure::Refused(_))) | None => None,
    }
}

impl<T> fmt::Debug for Ticket<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("is_done", &self.is_done()).finish()
    }
}
