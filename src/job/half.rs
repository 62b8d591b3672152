//! The second half of a join, on the stack of the thread that joins.
//!
//! Few halves are ever seen by another thread. So what an owner and its thief share is made when a
//! half is [published](Work::publish); a half that stays private costs four stores.
//!
//! # Invariant
//!
//! The closure is taken once: by the owner, while the job is in no queue or was given back, or by
//! the one who took the job out of a queue. The owner's frame outlives the job: it returns only
//! after it has taken the closure itself, or after the latch has opened, which is the thief's last
//! access.

#![expect(unsafe_code, reason = "shares a stack frame with the thief of a job")]

use std::cell;
use std::mem::{ManuallyDrop, MaybeUninit};
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
    closure: UnsafeCell<ManuallyDrop<F>>,
    /// There once the half is published.
    meeting: cell::UnsafeCell<MaybeUninit<Meeting<R>>>,
}

/// What an owner shares with its thief.
struct Meeting<R> {
    thief: AtomicUsize,
    latch: Latch,
    result: UnsafeCell<Option<Result<R, Payload>>>,
}

impl<F: FnOnce() -> R + Send, R: Send> Half<F, R> {
    /// A half that belongs to the wait of whoever runs the job `tag`.
    ///
    /// There is nothing to drop in the end, neither closure nor result nor waiter, since the owner
    /// takes the closure or the result.
    #[inline]
    pub(crate) fn new(closure: F, tag: usize) -> Self {
        Self {
            header: Header::of::<Self>(),
            tag,
            closure: UnsafeCell::new(ManuallyDrop::new(closure)),
            meeting: cell::UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// The job that runs this half.
    ///
    /// # Safety
    ///
    /// - The half stays where it is, and alive, until the owner has the closure back
    ///   ([`take`](Self::take)) or the [latch](Self::latch) is set.
    /// - Others find the job in a queue only after it was [published](Work::publish).
    #[inline]
    pub(crate) unsafe fn job(&self) -> Job {
        // SAFETY: the caller keeps it alive as long as the job can be used.
        unsafe { Job::new(NonNull::from(self)) }
    }

    /// # Safety
    ///
    /// - The half was published.
    unsafe fn meeting(&self) -> &Meeting<R> {
        // SAFETY: it was made before others knew of the half, and nobody replaces it.
        let meeting = unsafe { &*self.meeting.get() };
        // SAFETY: as above.
        unsafe { meeting.assume_init_ref() }
    }

    /// Opens when the thief is done, or gives the half back.
    ///
    /// # Safety
    ///
    /// - The half was published.
    pub(crate) unsafe fn latch(&self) -> &Latch {
        // SAFETY: what the caller says.
        &unsafe { self.meeting() }.latch
    }

    /// The address of the job.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The seat of the thief, once it has begun.
    ///
    /// # Safety
    ///
    /// - The half was published.
    pub(crate) unsafe fn thief(&self) -> Option<usize> {
        // SAFETY: what the caller says.
        let meeting = unsafe { self.meeting() };
        // ORDERING: Relaxed: the number is a hint where to look for work.
        let thief = meeting.thief.load(Ordering::Relaxed);
        (thief != NOBODY).then_some(thief)
    }

    /// The closure, for whoever has the job to call.
    ///
    /// # Safety
    ///
    /// - The caller took the job of this half out of a queue, or it was given back.
    /// - This is called once.
    #[inline]
    pub(crate) unsafe fn take(&self) -> F {
        // SAFETY: nobody else has the job, so the closure is the caller's; and it is there.
        self.closure.with_mut(|closure| {
            // SAFETY: as above.
            let closure = unsafe { &mut *closure };
            // SAFETY: it is taken once.
            unsafe { ManuallyDrop::take(closure) }
        })
    }

    /// What the thief has left.
    ///
    /// # Safety
    ///
    /// - The latch says `Done`.
    pub(crate) unsafe fn take_result(&self) -> Result<R, Payload> {
        // SAFETY: whose latch is set was published.
        let meeting = unsafe { self.meeting() };
        // SAFETY: the thief is done, and its writes came with the latch.
        let result = meeting.result.with_mut(|result| unsafe { (*result).take() });
        result.expect("a thief leaves a result before it sets the latch")
    }
}

// SAFETY: `repr(C)`, and the header is made for this type. The closure and its result are `Send`.
unsafe impl<F: FnOnce() -> R + Send, R: Send> Work for Half<F, R> {
    unsafe fn run(this: NonNull<Self>, runner: usize) -> Ran {
        // SAFETY: the owner keeps its frame until the latch is set, below.
        let half = unsafe { this.as_ref() };
        // SAFETY: who runs it has found it in a queue.
        let meeting = unsafe { half.meeting() };
        // ORDERING: Relaxed, see `thief`.
        meeting.thief.store(runner, Ordering::Relaxed);
        // SAFETY: whoever has the job has the closure, and uses the job up.
        let result = catch(unsafe { half.take() });
        // SAFETY: the owner reads the result after the latch only.
        meeting.result.with_mut(|slot| unsafe { *slot = Some(result) });
        // SAFETY: alive until the owner sees this; set by the one who had the job.
        unsafe { Latch::set(&raw const meeting.latch, Outcome::Done) };
        Ran::Finished
    }

    unsafe fn publish(this: NonNull<Self>) {
        // SAFETY: the owner keeps its frame as long as the job can be used.
        let half = unsafe { this.as_ref() };
        let meeting = Meeting {
            thief: AtomicUsize::new(NOBODY),
            latch: Latch::new(),
            result: UnsafeCell::new(None),
        };
        // SAFETY: nobody else knows of the half, so nobody reads this meanwhile.
        unsafe { (*half.meeting.get()).write(meeting) };
    }

    unsafe fn give_back(this: NonNull<Self>) -> Option<Job> {
        // SAFETY: the owner keeps its frame until the latch is set, below.
        let half = unsafe { this.as_ref() };
        // SAFETY: who gives it back has found it in a queue.
        let meeting = unsafe { half.meeting() };
        // SAFETY: alive until the owner sees this; set by the one who had the job.
        unsafe { Latch::set(&raw const meeting.latch, Outcome::GivenBack) };
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
