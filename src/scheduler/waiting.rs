//! Waiting for somebody else, without running a stranger.
//!
//! Who waits for the stolen half of a join helps its thief: it takes back what the thief has pushed
//! while it ran that very half, and nothing else (leapfrogging: David B. Wagner and Bradley G.
//! Calder, "Leapfrogging: a portable technique for implementing efficient futures", PPoPP 1993). A
//! job says of which half it is a piece by its [tag](Job::tag). A thief may have older jobs, too;
//! one that is taken by mistake is given back to the one who waits for it, or to everybody.
//!
//! When that finds nothing the thread parks. It publishes what it has, and somebody takes its place
//! meanwhile: a sleeping worker, or a spare.

#![expect(unsafe_code, reason = "lends a stack frame to the worker that it waits for")]

use std::sync::Arc;
use std::time::Instant;

use super::counters::Tally;
use super::current::{Frame, with_current};
use super::{Scheduler, Seat};
use crate::job::{Half, Job};
use crate::sync::{Ordering, spin_loop};
use crate::unwind::Payload;
use crate::wait::{Latch, Outcome, Parker, StandIn, step_aside};

/// How often a waiter looks for work before it blocks.
const LOOKS: u32 = 200;

/// How often one who blocks looks before it parks, for some microseconds, and how often beyond that
/// if it is to be soon, for some 10 µs more: to be woken takes longer, and costs the one who does it
/// as much.
const FIRST_LOOKS: u32 = 64;
const MORE_LOOKS: u32 = 436;

impl Seat {
    /// Waits until the thief of `half` is done or gives it back, and helps meanwhile.
    ///
    /// # Safety
    ///
    /// - The half was published.
    pub(crate) unsafe fn wait_for<F, R>(&self, half: &Half<F, R>) -> Outcome
    where
        F: FnOnce() -> R + Send,
        R: Send,
    {
        // SAFETY: what the caller says.
        let latch = unsafe { half.latch() };
        let mut looks = 0;
        loop {
            if let Some(outcome) = latch.probe() {
                return outcome;
            }
            // SAFETY: as above.
            let thief = unsafe { half.thief() };
            if thief.is_some_and(|thief| self.help(thief, half.address())) {
                looks = 0;
            } else if looks < LOOKS {
                looks += 1;
                spin_loop();
            } else {
                assert!(!self.scheduler().is_lost(), "a fork has lost the other half of a join");
                block_on(latch, None, || true);
            }
        }
    }

    /// Runs a piece of the job at `address` that its thief has. False: it shows none.
    fn help(&self, thief: usize, address: usize) -> bool {
        let Some(job) = self.scheduler().take_from(thief) else { return false };
        if job.tag() == address {
            self.run(job);
        } else if let Some(job) = job.give_back() {
            self.scheduler().inject(job);
        }
        true
    }
}

impl Scheduler {
    /// The thread of `seat` is about to block. False: it does not count as active anyway.
    fn block(&self, seat: &Seat) -> bool {
        if seat.is_muted() {
            self.unmute(seat);
        }
        if seat.is_active() {
            self.count(Tally::Park);
            self.places.get(seat.index()).set_blocked(true);
            // ORDERING: Relaxed: a hint where to look first.
            self.blocked.fetch_add(1, Ordering::Relaxed);
        }
        self.stand_down(seat)
    }

    /// The thread of `seat` goes on.
    fn unblock(&self, seat: &Seat) {
        self.places.get(seat.index()).set_blocked(false);
        // ORDERING: Relaxed, as in `block`.
        self.blocked.fetch_sub(1, Ordering::Relaxed);
        self.stand_up(seat);
    }

    /// Whether this thread is a worker or a spare of this pool.
    pub(crate) fn is_on_worker(&self) -> bool {
        self.with_seat(|seat| seat.is_some_and(|seat| !self.places.is_guest(seat)))
    }

    fn take_from(&self, seat: usize) -> Option<Job> {
        let job = self.places.get(seat).steal_structured();
        if job.is_some() {
            self.count(Tally::Steal);
        }
        job
    }
}

impl Scheduler {
    /// Runs `f` on a worker while this thread waits. `Err`: no worker took it before the pool
    /// ended, here it is again.
    pub(crate) fn run_on_worker<F, R>(&self, f: F) -> Result<Result<R, Payload>, F>
    where
        F: FnOnce() -> R + Send,
        R: Send,
    {
        let half = Half::new(f, 0);
        // SAFETY: this frame stays until the latch is set.
        let job = unsafe { half.job() };
        // SAFETY: nobody knows of it yet.
        unsafe { job.publish() };
        // SAFETY: it was published.
        let latch = unsafe { half.latch() };
        self.inject(job);
        // SAFETY: as above.
        block_on(latch, None, || unsafe { half.thief() }.is_some());
        match latch.probe() {
            // SAFETY: the latch says that it ran.
            Some(Outcome::Done) => Ok(unsafe { half.take_result() }),
            // SAFETY: the latch says that nobody has it.
            Some(Outcome::GivenBack) => Err(unsafe { half.take() }),
            None => unreachable!("without a deadline the wait ends with the latch"),
        }
    }
}

/// Blocks this thread until `latch` is set, or until `deadline`; says whether it is set. On a
/// worker, somebody takes its place meanwhile.
///
/// It looks for a short while before it parks, and for longer if `is_near` says then that the signal
/// may well come soon: somebody is at work for it, on another core.
pub(crate) fn block_on(
    latch: &Latch,
    deadline: Option<Instant>,
    is_near: impl FnOnce() -> bool,
) -> bool {
    let look = |_| {
        spin_loop();
        latch.is_set()
    };
    latch.is_set()
        || (0..FIRST_LOOKS).any(look)
        || (is_near() && (0..MORE_LOOKS).any(look))
        || park_until(latch, &Parker::current(), deadline)
}

fn park_until(latch: &Latch, parker: &Arc<Parker>, deadline: Option<Instant>) -> bool {
    if !latch.register(parker.waker()) {
        // The signal has come; only this look brings what was done before it.
        return latch.is_set();
    }
    step_aside(|| {
        while !latch.is_set() {
            if !parker.park_deadline(deadline) {
                latch.unregister();
                return latch.is_set();
            }
        }
        true
    })
}

/// How the threads of all pools are replaced while they block.
pub(super) const STAND_IN: StandIn = StandIn {
    is_needed: || with_current(|innermost| innermost.is_some()),
    step_aside: |f| with_current(|innermost| aside(innermost, f)),
};

/// Runs `f`, which blocks, while others take this thread's place in every pool that it is in.
fn aside(innermost: Option<&Frame>, f: &mut dyn FnMut()) {
    /// Brings the thread back to its seats, by unwinding as well.
    struct Back<'a>(Vec<&'a Seat>);

    impl Drop for Back<'_> {
        fn drop(&mut self) {
            self.0.iter().for_each(|seat| seat.scheduler().unblock(seat));
        }
    }

    let seats = std::iter::successors(innermost, |frame| frame.outer()).filter_map(Frame::seat);
    // A seat may be in several frames; it is active the first time only.
    let _back = Back(seats.filter(|seat| seat.scheduler().block(seat)).collect());
    f();
}

/// What a thread does between two looks at something that is about to happen.
pub(crate) fn pause() {
    spin_loop();
}

/// Seen to fail when who comes too late to register goes on without a look, and when who was woken
/// does.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc as LoomArc;
    use loom::thread;

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

    /// Whoever waits sees what was done before the signal, however late it comes.
    #[test]
    fn who_has_waited_sees_what_the_signal_brings() {
        loom::model(|| {
            let shared = LoomArc::new(Shared { latch: Latch::new(), data: UnsafeCell::new(0) });
            let other = LoomArc::clone(&shared);
            let setter = thread::spawn(move || {
                // SAFETY: the waiter reads only after the signal.
                other.data.with_mut(|data| unsafe { *data = 7 });
                // SAFETY: alive, since this thread has a share of it; set here only.
                unsafe { Latch::set(&raw const other.latch, Outcome::Done) };
            });
            let parker = Arc::new(Parker::new());
            // Left over from another wait.
            parker.unpark();
            assert!(park_until(&shared.latch, &parker, None));
            // SAFETY: the setter is done with it.
            assert_eq!(shared.data.with_mut(|data| unsafe { *data }), 7);
            setter.join().unwrap();
        });
    }
}
