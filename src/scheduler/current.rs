//! Where this thread is: in which pool's call, and on which seat.
//!
//! A thread may be in several pools at once (a worker of one that is a guest of another), so this
//! is a list, innermost first, on the stack of the thread itself.

#![expect(unsafe_code, reason = "reaches frames further down its own stack")]

use std::cell::Cell;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use super::{Scheduler, Seat};

/// One pool that this thread is in.
pub(crate) struct Frame {
    scheduler: *const Scheduler,
    /// Null for a thread that has no seat there.
    seat: *const Seat,
    outer: *const Frame,
}

thread_local! {
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

impl Frame {
    #[inline]
    pub(crate) fn scheduler(&self) -> &Scheduler {
        // SAFETY: `enter` borrows the scheduler as long as the frame stands.
        unsafe { &*self.scheduler }
    }

    #[inline]
    pub(crate) fn seat(&self) -> Option<&Seat> {
        // SAFETY: as above; the seat belongs to this thread, and a frame never leaves its thread.
        unsafe { self.seat.as_ref() }
    }

    /// The next one out.
    pub(crate) fn outer(&self) -> Option<&Self> {
        // SAFETY: it stands on this stack, further down than this frame.
        unsafe { self.outer.as_ref() }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("seat", &self.seat()).finish_non_exhaustive()
    }
}

/// Runs `f` with the innermost frame of this thread.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(Option<&Frame>) -> R) -> R {
    // SAFETY: frames stand on this stack, further down, until their `enter` returns.
    f(unsafe { INNERMOST.get().as_ref() })
}

/// The innermost frame of this thread, for those to whom a closure is too dear.
///
/// # Safety
///
/// - The caller uses the frame, and what it gets from it, before it returns itself.
#[inline]
pub(crate) unsafe fn innermost<'a>() -> Option<&'a Frame> {
    // SAFETY: frames stand on this stack, further down than the caller's own.
    unsafe { INNERMOST.get().as_ref() }
}

/// Runs `f` in the pool of `scheduler`, on `seat` if this thread has one there.
pub(crate) fn enter<R>(scheduler: &Scheduler, seat: Option<&Seat>, f: impl FnOnce() -> R) -> R {
    /// Takes the frame off the list, by unwinding as well.
    struct Leave(*const Frame);

    impl Drop for Leave {
        fn drop(&mut self) {
            INNERMOST.set(self.0);
        }
    }

    let outer = INNERMOST.get();
    let frame = Frame { scheduler, seat: seat.map_or(ptr::null(), ptr::from_ref), outer };
    let _leave = Leave(outer);
    INNERMOST.set(&raw const frame);
    f()
}

/// As [`enter`] on a seat of this thread, for nothing where it works on that seat anyway.
#[inline]
pub(crate) fn within<R>(seat: &Seat, f: impl FnOnce() -> R) -> R {
    let is_there = |frame: &Frame| ptr::eq(frame.seat, seat);
    if with_current(|frame| frame.is_some_and(is_there)) {
        f()
    } else {
        enter(seat.scheduler(), Some(seat), f)
    }
}

/// A number that no other living thread has.
#[inline]
pub(crate) fn this_thread() -> usize {
    INNERMOST.with(|place| ptr::from_ref(place).addr())
}

impl Scheduler {
    /// Runs `f` with the seat that this thread has in this pool.
    #[inline]
    pub(crate) fn with_seat<R>(&self, f: impl FnOnce(Option<&Seat>) -> R) -> R {
        with_current(|innermost| {
            let mut next = innermost;
            while let Some(frame) = next {
                if ptr::eq(frame.scheduler, self) && !frame.seat.is_null() {
                    return f(frame.seat());
                }
                next = frame.outer();
            }
            f(None)
        })
    }

    /// Whether this thread runs code of this pool.
    pub(crate) fn is_inside(&self) -> bool {
        with_current(|innermost| {
            std::iter::successors(innermost, |frame| frame.outer())
                .any(|frame| ptr::eq(frame.scheduler, self))
        })
    }

    /// Whether this is the pool that this thread was in last.
    pub(super) fn is_innermost(&self) -> bool {
        with_current(|frame| frame.is_some_and(|frame| ptr::eq(frame.scheduler, self)))
    }

    /// Another owner of this scheduler.
    pub(crate) fn share(&self) -> Arc<Self> {
        self.this.upgrade().expect("whoever has a reference is kept alive by an owner")
    }
}
