//! The second half of a join, on the stack of the thread that joins.
//!
//! # Invariant
//!
//! The closure is taken once: by the owner, while the job is in no queue or was given back, or by
//! the one who took the job out of a queue. The owner's frame outlives the job: it returns only
//! after it has taken the closure itself, or after the latch has opened, which is the thief's last
//! access.

#![expect(unsafe_code, reason = "shares a stack frame with the thief of a job")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::{Header, Job, Ran, Work};
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};
use crate::unwind::{Payload, catch};
use crate::wait::{Latch, Outcome};

const NOBODY: usize = usize::MAX;

/// A closure that another thread may run, and its result.
#[repr(C)]
pub(crate) struct Half<F, R> {
    header: Header,
    tag: usize,
    thief: AtomicUsize,
    latch: Latch,
    closure: UnsafeCell<Option<F>>,
    result: UnsafeCell<Option<Result<R, Payload>>>,
}

impl<F: FnOnce() -> R + Send, R: Send> Half<F, R> {
    /// A half that belongs to the wait of whoever runs the job `tag`.
    ///
    /// It is never dropped, to spare the looks at what it has: in the end it has nothing, neither
    /// closure nor result nor waiter, since the owner takes the closure or the result.
    #[inline]
    pub(crate) fn new(closure: F, tag: usize) -> ManuallyDrop<Self> {
        ManuallyDrop::new(Self {
            header: Header::of::<Self>(),
            tag,
            thief: AtomicUsize::new(NOBODY),
            latch: Latch::new(),
            closure: UnsafeCell::new(Some(closure)),
            result: UnsafeCell::new(None),
        })
    }

    /// The job that runs this half.
    ///
    /// # Safety
    ///
    /// - The half stays where it is, and alive, until the owner has the closure back
    ///   ([`take`](Self::take)) or the [latch](Self::latch) is set.
    #[inline]
    pub(crate) unsafe fn job(&self) -> Job {
        // SAFETY: the caller keeps it alive as long as the job can be used.
        unsafe { Job::new(NonNull::from(self)) }
    }

    /// Opens when the thief is done, or gives the half back.
    pub(crate) fn latch(&self) -> &Latch {
        &self.latch
    }

    /// The address of the job.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The seat of the thief, once it has begun.
    pub(crate) fn thief(&self) -> Option<usize> {
        // ORDERING: Relaxed: the number is a hint where to look for work.
        let thief = self.thief.load(Ordering::Relaxed);
        (thief != NOBODY).then_some(thief)
    }

    /// The closure, for the owner to call.
    ///
    /// # Safety
    ///
    /// - The job of this half is in no queue and nobody runs it: it was popped, or given back.
    #[inline]
    pub(crate) unsafe fn take(&self) -> F {
        // SAFETY: nobody else has the job, so the closure is the owner's.
        let closure = self.closure.with_mut(|closure| unsafe { (*closure).take() });
        closure.expect("the closure of a half is taken once")
    }

    /// What the thief has left.
    ///
    /// # Safety
    ///
    /// - The latch says `Done`.
    pub(crate) unsafe fn take_result(&self) -> Result<R, Payload> {
        // SAFETY: the thief is done, and its writes came with the latch.
        let result = self.result.with_mut(|result| unsafe { (*result).take() });
        result.expect("a thief leaves a result before it sets the latch")
    }
}

// SAFETY: `repr(C)`, and the header is made for this type. The closure and its result are `Send`.
unsafe impl<F: FnOnce() -> R + Send, R: Send> Work for Half<F, R> {
    unsafe fn run(this: NonNull<Self>, runner: usize) -> Ran {
        // SAFETY: the owner keeps its frame until the latch is set, below.
        let half = unsafe { this.as_ref() };
        // ORDERING: Relaxed, see `thief`.
        half.thief.store(runner, Ordering::Relaxed);
        // SAFETY: whoever has the job has the closure.
        let closure = half.closure.with_mut(|closure| unsafe { (*closure).take() });
        let result = catch(closure.expect("a job runs once"));
        // SAFETY: the owner reads the result after the latch only.
        half.result.with_mut(|slot| unsafe { *slot = Some(result) });
        // SAFETY: alive until the owner sees this; set by the one who had the job.
        unsafe { Latch::set(&raw const half.latch, Outcome::Done) };
        Ran::Finished
    }

    unsafe fn give_back(this: NonNull<Self>) -> Option<Job> {
        // SAFETY: the owner keeps its frame until the latch is set, below.
        let half = unsafe { this.as_ref() };
        // SAFETY: alive until the owner sees this; set by the one who had the job.
        unsafe { Latch::set(&raw const half.latch, Outcome::GivenBack) };
        None
    }

    unsafe fn cancel(this: NonNull<Self>) -> bool {
        // SAFETY: as in `run`.
        let _nothing = unsafe { Self::give_back(this) };
        false
    }

    unsafe fn is_spent(_: NonNull<Self>) -> bool {
        false
    }

    unsafe fn tag(this: NonNull<Self>) -> usize {
        // SAFETY: the half is alive while its job is.
        unsafe { this.as_ref() }.tag
    }
}
