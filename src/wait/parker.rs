//! Blocks one thread until somebody gives it a token.
//!
//! ```text
//!             park                  unpark
//!   EMPTY ─────────────► PARKED ─────────────► TOKEN ──┐
//!     ▲ └────────────── unpark ──────────────────▲     │ park takes it
//!     └────────────────────────────────────────────────┘
//! ```
//!
//! # Invariant
//!
//! A token stays until it is taken, so an `unpark` that comes before its `park` is not lost. A park
//! may return early with a token from an earlier wait: every caller looks at its condition again.
//!
//! # Cores
//!
//! On a small machine who wakes and who is woken often share a core, and the system does not move
//! the one that has to wait for it. So whoever has woken a thread of its own core should not go on
//! just to look for work: see [`Parker::has_woken_neighbour`].
//!
//! # Rejected
//!
//! `std::thread::park`: its token belongs to the user too, whose code may take ours and whose own
//! we might take.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Hint;
use std::task::{Wake, Waker};
use std::time::Instant;

use crate::cpu;
use crate::fork;
use crate::sync::{AtomicUsize, Condvar, Mutex, Ordering, lock};

const EMPTY: usize = 0;
const PARKED: usize = 1;
const TOKEN: usize = 2;

/// A place for one thread to block.
#[derive(Debug)]
pub(crate) struct Parker {
    state: AtomicUsize,
    lock: Mutex<()>,
    unparked: Condvar,
    /// The core that the thread was on when it parked last.
    core: Hint,
}

const NOWHERE: usize = usize::MAX;

thread_local! {
    static HAS_WOKEN_NEIGHBOUR: Cell<bool> = const { Cell::new(false) };
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicUsize::new(EMPTY),
            lock: Mutex::new(()),
            unparked: Condvar::new(),
            core: Hint::new(NOWHERE),
        }
    }

    /// The parker of this thread; a fresh one while the thread's locals are being destroyed, and in a
    /// fork, where a thread that does not exist may hold the lock of the old one.
    pub(crate) fn current() -> Arc<Self> {
        thread_local! {
            static PARKER: RefCell<Option<(usize, Arc<Parker>)>> = const { RefCell::new(None) };
        }
        let own = PARKER.try_with(|own| {
            let mut own = own.borrow_mut();
            let process = fork::generation();
            match &*own {
                Some((of, parker)) if *of == process => Arc::clone(parker),
                _ => Arc::clone(&own.insert((process, Arc::new(Self::new()))).1),
            }
        });
        own.unwrap_or_else(|_| Arc::new(Self::new()))
    }

    /// Blocks until there is a token, and takes it.
    pub(crate) fn park(&self) {
        self.park_deadline(None);
    }

    /// As [`park`](Self::park), but not beyond `deadline`. Says whether it took a token.
    pub(crate) fn park_deadline(&self, deadline: Option<Instant>) -> bool {
        if self.take_token() {
            return true;
        }
        // ORDERING: Relaxed: a hint.
        self.core.store(cpu::current().unwrap_or(NOWHERE), Ordering::Relaxed);
        let mut guard = lock(&self.lock);
        // ORDERING: Relaxed on success: it only announces that the condition variable is in use, and
        // `unpark` takes the lock to learn more. Acquire on failure is more than it needs: the swap
        // below takes the token, and acquires.
        let parked =
            self.state.compare_exchange(EMPTY, PARKED, Ordering::Relaxed, Ordering::Acquire);
        while parked.is_ok() && !self.has_token() {
            let Some(deadline) = deadline else {
                guard = self.unparked.wait(guard).expect("nobody panics under this lock");
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            guard = self.unparked.wait_timeout(guard, left).expect("as above").0;
        }
        // ORDERING: Acquire pairs with the Release of `unpark`, whose token this may take.
        self.state.swap(EMPTY, Ordering::Acquire) == TOKEN
    }

    /// Leaves a token, and releases the thread if it is parked.
    pub(crate) fn unpark(&self) {
        // ORDERING: Release hands over what was done before the wake-up. Pairs with the Acquire of
        // `take_token` and of the swap in `park_deadline`.
        if self.state.swap(TOKEN, Ordering::Release) == PARKED {
            // The sleeper holds the lock from announcing itself until it waits.
            drop(lock(&self.lock));
            self.unparked.notify_one();
            // ORDERING: Relaxed: a hint.
            if cpu::current() == Some(self.core.load(Ordering::Relaxed)) {
                HAS_WOKEN_NEIGHBOUR.set(true);
            }
        }
    }

    /// Whether this thread, since this was asked last, has woken one that had parked on the same
    /// core, and may be waiting for it.
    pub(crate) fn has_woken_neighbour() -> bool {
        HAS_WOKEN_NEIGHBOUR.take()
    }

    fn take_token(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of `unpark`. A failure tells nothing.
        self.state.compare_exchange(TOKEN, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn has_token(&self) -> bool {
        // ORDERING: Relaxed, since the swap that follows is the one that acquires.
        self.state.load(Ordering::Relaxed) == TOKEN
    }

    /// A waker that unparks.
    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.unpark();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_token_that_came_first_is_kept() {
        let parker = Parker::new();
        parker.unpark();
        parker.park();
        assert!(!parker.park_deadline(Some(Instant::now())));
    }

    #[test]
    fn who_wakes_a_thread_of_its_own_core_knows() {
        let parker = Arc::new(Parker::new());
        let wake = |core: Option<usize>| {
            std::thread::scope(|scope| {
                scope.spawn(|| parker.park());
                // ORDERING: Relaxed: `unpark` takes the lock, which the parked thread gives up last.
                while parker.state.load(Ordering::Relaxed) != PARKED {
                    std::thread::yield_now();
                }
                // ORDERING: Relaxed: the parked thread does not touch it any more.
                parker.core.store(core.unwrap_or(NOWHERE), Ordering::Relaxed);
                parker.unpark();
            });
            Parker::has_woken_neighbour()
        };
        assert!(!wake(None));
        // Unless the system moves this thread meanwhile.
        let tries = if cpu::current().is_some() { 1_000 } else { 0 };
        assert!(tries == 0 || (0..tries).any(|_| wake(cpu::current())));
        assert!(!Parker::has_woken_neighbour());
    }

    #[test]
    fn a_park_ends_at_its_deadline() {
        let parker = Parker::new();
        let deadline = Instant::now() + Duration::from_millis(5);
        assert!(!parker.park_deadline(Some(deadline)));
        assert!(Instant::now() >= deadline);
    }
}

/// Seen to fail: without the lock in `unpark` (the notification falls between the announcement and
/// the wait), without the notification, and without the look at the token before the wait; with a
/// `Relaxed` swap in `unpark`, a `Relaxed` exchange in `take_token` or a `Relaxed` last swap in
/// `park_deadline` (the data is not there); and when that swap leaves the token.
#[cfg(all(test, loom))]
mod model {
    use loom::thread;

    use super::*;
    use crate::sync::UnsafeCell;

    struct Shared {
        parker: Parker,
        data: UnsafeCell<u32>,
    }

    // SAFETY: the accesses are ordered by the parker, and loom checks that they are.
    #[expect(unsafe_code, reason = "loom checks these accesses")]
    unsafe impl Sync for Shared {}

    #[test]
    #[expect(unsafe_code, reason = "loom checks these accesses")]
    fn a_wake_up_arrives_with_its_data() {
        loom::model(|| {
            let shared =
                loom::sync::Arc::new(Shared { parker: Parker::new(), data: UnsafeCell::new(0) });
            let other = loom::sync::Arc::clone(&shared);
            let waker = thread::spawn(move || {
                // SAFETY: as above.
                other.data.with_mut(|data| unsafe { *data = 7 });
                other.parker.unpark();
            });
            shared.parker.park();
            // SAFETY: as above.
            assert_eq!(shared.data.with_mut(|data| unsafe { *data }), 7);
            waker.join().unwrap();
            assert!(!shared.parker.park_deadline(Some(Instant::now())));
        });
    }

    /// With a deadline that is over, which is the only kind that loom knows.
    #[test]
    fn a_deadline_loses_no_token() {
        loom::model(|| {
            let parker = loom::sync::Arc::new(Parker::new());
            let other = loom::sync::Arc::clone(&parker);
            let waker = thread::spawn(move || other.unpark());
            if !parker.park_deadline(Some(Instant::now())) {
                parker.park();
            }
            waker.join().unwrap();
            assert!(!parker.park_deadline(Some(Instant::now())));
        });
    }
}
