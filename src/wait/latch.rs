//! A one-way signal, one word wide, with room for one waiter.
//!
//! ```text
//!            register                      set
//!   UNSET ─────────────► a boxed waker ───────────► DONE or GIVEN_BACK
//!     ▲ └── unregister ──────┘                            ▲
//!     └─────────────────────── set ───────────────────────┘
//! ```
//!
//! # Invariant
//!
//! Whoever takes a waker's pointer out of the word owns the waker. [`Latch::set`] is one swap and
//! touches the latch no more: the waiter may see the signal at once, and free the latch.

#![expect(unsafe_code, reason = "sets a latch whose memory may go away, owns a waker in a word")]

use std::ptr;
use std::task::Waker;

use crate::sync::{AtomicPtr, Ordering};
use crate::unwind::{catch, discard};

/// What the signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// Nobody will do it but the one who waits.
    GivenBack,
}

const UNSET: *mut Waker = ptr::null_mut();
const DONE: *mut Waker = ptr::without_provenance_mut(1);
const GIVEN_BACK: *mut Waker = ptr::without_provenance_mut(2);

/// Opens once. At most one thread waits at a time; any may set it, one does.
#[derive(Debug)]
pub(crate) struct Latch {
    word: AtomicPtr<Waker>,
}

impl Latch {
    pub(crate) fn new() -> Self {
        Self { word: AtomicPtr::new(UNSET) }
    }

    /// What the signal was, if it came.
    #[inline]
    pub(crate) fn probe(&self) -> Option<Outcome> {
        // ORDERING: Acquire pairs with the swap in `set`, and brings what was done before it.
        match self.word.load(Ordering::Acquire) {
            DONE => Some(Outcome::Done),
            GIVEN_BACK => Some(Outcome::GivenBack),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.probe().is_some()
    }

    /// Leaves `waker` to be woken by the signal, in the place of an earlier one. False: the signal
    /// has come, nobody will be woken.
    ///
    /// Only the waiter calls this, one call at a time.
    pub(crate) fn register(&self, waker: Waker) -> bool {
        let fresh = Box::into_raw(Box::new(waker));
        // ORDERING: Relaxed, since only this waiter writes wakers, and the exchange decides.
        let earlier = self.word.load(Ordering::Relaxed);
        // ORDERING: Release shows the waker to `set`. A failure means that the signal has come; the
        // caller probes for it.
        let stored = earlier != DONE
            && earlier != GIVEN_BACK
            && self
                .word
                .compare_exchange(earlier, fresh, Ordering::Release, Ordering::Relaxed)
                .is_ok();
        // The waker that is in nobody's hands now: the earlier one, or the one not stored.
        discard(Self::reclaim(if stored { earlier } else { fresh }));
        stored
    }

    /// Takes the waker back, if the signal has not.
    pub(crate) fn unregister(&self) {
        // ORDERING: Relaxed, as in `register`.
        let waker = self.word.load(Ordering::Relaxed);
        if waker == UNSET || waker == DONE || waker == GIVEN_BACK {
            return;
        }
        // ORDERING: Relaxed: the waker is this thread's own, nothing is handed over.
        if self.word.compare_exchange(waker, UNSET, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            discard(Self::reclaim(waker));
        }
    }

    /// Gives the signal, and wakes the waiter if there is one. A panic of a foreign waker ends here.
    ///
    /// # Safety
    ///
    /// - The latch is alive when the call begins. It need not be when it ends.
    /// - Nobody else sets this latch, before or after.
    pub(crate) unsafe fn set(this: *const Self, outcome: Outcome) {
        let signal = match outcome {
            Outcome::Done => DONE,
            Outcome::GivenBack => GIVEN_BACK,
        };
        // SAFETY: the latch is alive until the waiter sees the swap, which is the last access.
        let word = unsafe { &(*this).word };
        // ORDERING: Release hands over what was done (pairs with `probe`), Acquire takes the waker
        // over (pairs with `register`).
        let waker = word.swap(signal, Ordering::AcqRel);
        if let Some(waker) = Self::reclaim(waker) {
            if let Err(payload) = catch(|| waker.wake()) {
                std::mem::forget(payload);
            }
        }
    }

    /// The waker behind a word that was taken out of the latch.
    fn reclaim(word: *mut Waker) -> Option<Box<Waker>> {
        if word.is_null() {
            return None;
        }
        // SAFETY: the caller took the pointer out of the word (or never put it in), so it is the
        // only owner of what `register` boxed. It is no signal, for `set` happens once and
        // the others filter signals out.
        Some(unsafe { Box::from_raw(word) })
    }
}

impl Drop for Latch {
    #[inline]
    fn drop(&mut self) {
        // ORDERING: Relaxed, as in `unregister`, which few latches need.
        if ![UNSET, DONE, GIVEN_BACK].contains(&self.word.load(Ordering::Relaxed)) {
            self.unregister();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::super::Parker;
    use super::*;

    fn set(latch: &Latch, outcome: Outcome) {
        // SAFETY: the latch is borrowed, and each test sets it once.
        unsafe { Latch::set(latch, outcome) };
    }

    #[test]
    fn a_latch_is_one_word() {
        assert_eq!(size_of::<Latch>(), size_of::<usize>());
    }

    #[test]
    fn the_outcome_is_what_was_set() {
        for outcome in [Outcome::Done, Outcome::GivenBack] {
            let latch = Latch::new();
            assert_eq!(latch.probe(), None);
            set(&latch, outcome);
            assert_eq!(latch.probe(), Some(outcome));
        }
    }

    #[test]
    fn wakers_are_freed_whatever_happens() {
        let parker = Arc::new(Parker::new());
        let replaced = Latch::new();
        assert!(replaced.register(parker.waker()));
        assert!(replaced.register(parker.waker()));
        replaced.unregister();
        assert!(replaced.register(parker.waker()));
        set(&replaced, Outcome::Done);
        assert!(!replaced.register(parker.waker()));
        drop(replaced);

        let dropped = Latch::new();
        assert!(dropped.register(parker.waker()));
        drop(dropped);
        assert_eq!(Arc::strong_count(&parker), 1);
    }
}

/// Seen to fail: with a swap in `set` that lacks its `Release` or its `Acquire`, with a `Relaxed`
/// exchange in `register`, with a `Relaxed` load in `probe`; when `set` reads the word again after
/// its swap, and when it wakes nobody; when `register` overwrites a signal, and when `unregister`
/// does.
#[cfg(all(test, loom))]
mod model {
    use std::sync::Arc;

    use loom::thread;

    use super::super::Parker;
    use super::*;
    use crate::sync::UnsafeCell;

    struct Shared {
        latch: Latch,
        data: UnsafeCell<u32>,
    }

    // SAFETY: the accesses are ordered by the latch, and loom checks that they are.
    unsafe impl Sync for Shared {}
    // SAFETY: as above.
    unsafe impl Send for Shared {}

    fn setter(shared: *const Shared) -> impl FnOnce() + Send {
        let shared = shared.expose_provenance();
        move || {
            let shared: *const Shared = ptr::with_exposed_provenance(shared);
            // SAFETY: the waiter frees it only after the signal.
            unsafe { &(*shared).data }.with_mut(|data| {
                // SAFETY: the waiter reads only after the signal.
                unsafe { *data = 7 }
            });
            // SAFETY: alive as above; set here only.
            unsafe { Latch::set(&raw const (*shared).latch, Outcome::Done) };
        }
    }

    fn wait(latch: &Latch, parker: &Arc<Parker>) {
        while !latch.is_set() {
            if latch.register(parker.waker()) {
                parker.park();
            }
        }
    }

    #[test]
    fn the_waiter_frees_the_latch_at_once() {
        loom::model(|| {
            let shared =
                Box::into_raw(Box::new(Shared { latch: Latch::new(), data: UnsafeCell::new(0) }));
            let other = thread::spawn(setter(shared));
            // SAFETY: this thread frees it, below.
            let alive = unsafe { &*shared };
            wait(&alive.latch, &Arc::new(Parker::new()));
            // SAFETY: the setter is done with it.
            assert_eq!(alive.data.with_mut(|data| unsafe { *data }), 7);
            // SAFETY: it came from a box, and the setter touches it no more.
            let mut shared = unsafe { Box::from_raw(shared) };
            // To loom, this is the free.
            shared.latch.word.with_mut(|_| ());
            other.join().unwrap();
        });
    }

    #[test]
    fn a_waiter_may_give_up() {
        loom::model(|| {
            let shared =
                Box::into_raw(Box::new(Shared { latch: Latch::new(), data: UnsafeCell::new(0) }));
            let other = thread::spawn(setter(shared));
            // SAFETY: this thread frees it, below.
            let alive = unsafe { &*shared };
            let parker = Arc::new(Parker::new());
            alive.latch.register(parker.waker());
            alive.latch.unregister();
            wait(&alive.latch, &parker);
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(shared) });
            other.join().unwrap();
        });
    }
}
