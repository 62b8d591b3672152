//! The outermost join of a thread that comes from outside for it.
//!
//! ```text
//!   no debt? ── yes ────────────► muted: publishes nothing, wakes nobody, counts as nobody
//!     │ no                         │    │ at the pushes 3, 15, 63 …: is it late?
//!     ▼                            │    │ before it blocks, or opens a scope or a sweep
//!   counts as active,  ◄── unmute ─┼────┘
//!   publishes, wakes               │
//!     └────────────────► end ◄─────┘
//!                         └─ was it dear? a debt; else some of it is paid off
//! ```
//!
//! A wake-up costs 2 to 13 µs on its waker, more than all joins of a small recursion. So a call
//! that cost less than that last time begins *muted*: its halves stay on the private stack, where a
//! push costs a few instructions, and all that it takes from others is a guest's place.
//!
//! # When it costs more this time
//!
//! Then nobody helps until the call is unmuted. Most recursions push on: the clock is read at some
//! of the pushes, most densely at the first, and if it is late, everything goes on as if the call
//! had never been muted: the oldest halves, the largest pieces, are published. But a `join` of two
//! dear halves that push nothing runs them one after the other, and a small tree of dear leaves
//! likewise.
//!
//! So a dear call is a *debt*, which the cheap calls that follow pay off: each of them is shared, at
//! the price of a wake-up, until the wake-ups have cost as much as the dear call could have lost. So
//! in the long run, whatever cheap and dear calls a place mixes and whichever threads make them, no
//! more is lost to muted dear calls than is spent on wake-ups for cheap ones, and the other way
//! round: at most twice of what whoever knows the future would spend (as whoever rents skis until the
//! rent has reached their price). Unless a debt is lost: two kinds may [displace](crate::memory) each
//! other, and whose debt is unknown has none.
//!
//! Halves must not wait for each other. Those that do, and have since the first call, find each
//! other all the same: a call that has lost all its halves to thieves never pays anything off. (A
//! meeting is such a call. A recursion gets most of its halves back.)
//!
//! # Figures
//!
//! Over two cores, with one worker pinned to each and the caller beside one of them, hot calls of
//! 232 joins took 4.4 ns a join where they took 4.4 to 12 ns when halves were published, and a hot
//! call of one join took 70 ns in place of 100 to 220. 44 of the 70 are two looks at the clock.
//!
//! # Rejected
//!
//! - Remembering the last cost alone, as sweeps do. A sweep learns at its second item that items
//!   are dear, a join may never: where dear calls and cheap ones alternate, none would be shared.
//! - Forgetting a dear call by a tenth at each cheap one. Where dear calls are rare, none is shared,
//!   and a second thread's cheap calls at the same place have the first one's dear calls forgotten.
//! - Publishing in silence. The fence and the exchange of the pop cost as much as all the rest, for
//!   a thief who would have to be awake.
//! - Looking at the clock at each of the first pushes, or at every doubling: 25 to 50 ns a look.

use super::{Scheduler, Seat};
use crate::memory::{Kind, TINIEST, TINY};
use crate::wait::Urgency;

/// The clock is read at this push, then after so many times as many more, and so on.
pub(super) const FIRST_LOOK: isize = 3;
pub(super) const STRIDE: isize = 4;

/// A call that takes less than this (in nanoseconds) is cheap.
const CHEAP: f32 = TINY / 2.0;

/// What a shared cheap call pays off, in nanoseconds: a wake-up.
const FEE: f32 = 10_000.0;

/// Records what a call costs, by unwinding as well.
struct Record<'a> {
    kind: Kind,
    debt: Option<f32>,
    seat: &'a Seat,
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let seat = self.seat;
        let next = debt_after(self.debt, seat.spent(), seat.is_muted(), seat.has_lost_all());
        // Most calls leave the table alone, whose lines others read.
        if self.debt != Some(next) {
            self.kind.remember(next);
        }
    }
}

impl Scheduler {
    /// As [`participate`](Self::participate), for a join of the closures that `kind` stands for.
    pub(crate) fn visit<R>(&self, kind: Kind, f: impl FnOnce(Option<&Seat>) -> R) -> R {
        // A pool of one publishes nothing anyway.
        if self.threads() == 1 || self.with_seat(|seat| seat.is_some()) {
            return self.participate(f);
        }
        let debt = kind.recall();
        self.be_guest(debt == Some(0.0), |seat| {
            let Some(seat) = seat else { return f(None) };
            seat.begin_record();
            let _record = Record { kind, debt, seat };
            f(Some(seat))
        })
    }

    /// Whether work that should cost so much (in nanoseconds) is better done alone.
    pub(crate) fn is_tiny(&self, cost: f32) -> bool {
        cost < TINIEST || (cost < TINY && !self.sleep.has_searcher())
    }

    /// Lets others have what the muted `seat` has kept to itself.
    #[cold]
    pub(super) fn unmute(&self, seat: &Seat) {
        seat.unmute();
        self.stand_up(seat);
        if seat.publish_some() {
            self.notify(Urgency::Structured);
        }
    }
}

/// What is still to be paid off after a call that cost `cost`, in nanoseconds.
fn debt_after(debt: Option<f32>, cost: f32, is_muted: bool, has_lost_all: bool) -> f32 {
    let debt = debt.unwrap_or(0.0);
    if cost >= CHEAP {
        debt.max(cost)
    } else if has_lost_all {
        debt.max(FEE)
    } else if is_muted {
        0.0
    } else {
        (debt - FEE).max(0.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const DEAR: f32 = 100.0 * FEE;
    const COST: f32 = 100.0;

    #[test]
    fn a_cheap_call_is_not_shared_again() {
        assert_eq!(debt_after(None, COST, false, false), 0.0);
        assert_eq!(debt_after(Some(0.0), COST, true, false), 0.0);
    }

    #[test]
    fn a_dear_call_is_a_debt_whether_it_was_shared_or_not() {
        for debt in [None, Some(0.0), Some(FEE)] {
            for (is_muted, has_lost_all) in [(true, false), (false, false), (false, true)] {
                assert_eq!(debt_after(debt, DEAR, is_muted, has_lost_all), DEAR);
            }
        }
        assert_eq!(debt_after(Some(2.0 * DEAR), DEAR, false, false), 2.0 * DEAR);
    }

    #[test]
    fn wake_ups_pay_a_debt_off() {
        let next = |debt: &f32| Some(debt_after(Some(*debt), COST, false, false));
        let calls = std::iter::successors(Some(DEAR), next).take_while(|debt| *debt > 0.0);
        assert_eq!(calls.count(), 100);
    }

    #[test]
    fn where_all_halves_were_stolen_the_next_call_is_not_muted() {
        for debt in [None, Some(0.0), Some(DEAR)] {
            assert!(debt_after(debt, COST, false, true) > 0.0);
        }
    }
}
