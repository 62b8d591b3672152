//! The outermost join of a thread that comes from outside for it.
//!
//! ```text
//!   known to be tiny? ── yes ──► muted: publishes nothing, wakes nobody, counts as nobody
//!     │ no                         │    │ at the pushes 3, 15, 63 …: is it late?
//!     ▼                            │    │ before it blocks, or opens a scope or a sweep
//!   counts as active,  ◄── unmute ─┼────┘
//!   publishes, wakes               │
//!     └────────────────► end ◄─────┘
//!                         └─ what it cost is remembered
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
//! dear halves that push nothing runs them one after the other. So a dear call is forgotten slowly,
//! by a tenth at each cheap call that follows, and the calls are muted again when nothing is left
//! of it: where one call in 30 costs 1 ms or more, all of them are shared, at the price of a
//! wake-up for the cheap ones. Where dear calls are rarer, each may go unshared.
//!
//! Halves must not wait for each other. Those that do, and have since the first call, find each
//! other all the same: a call that has lost all its halves to thieves never counts as cheap. (A
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
//! - Paying off a dear call by as many wake-ups as it cost (1,000 for 10 ms). A thread that loses
//!   its core amid a cheap call has made a dear one, too.
//! - Publishing in silence. The fence and the exchange of the pop cost as much as all the rest, for
//!   a thief who would have to be awake.
//! - Looking at the clock at each of the first pushes, or at every doubling: 25 to 50 ns a look.

use super::{Scheduler, Seat};
use crate::memory::{Kind, TINIEST, TINY};
use crate::wait::Urgency;

/// The clock is read at this push, then after so many times as many more, and so on.
pub(super) const FIRST_LOOK: isize = 3;
pub(super) const STRIDE: isize = 4;

/// What a cheap call leaves of the memory of a dear one.
const FADING: f32 = 0.9;

impl Scheduler {
    /// As [`participate`](Self::participate), for a join of the closures that `kind` stands for.
    pub(crate) fn visit<R>(&self, kind: Kind, f: impl FnOnce(Option<&Seat>) -> R) -> R {
        if self.with_seat(|seat| seat.is_some()) {
            return self.participate(f);
        }
        let known = kind.recall();
        let is_muted = known.is_some_and(|cost| self.is_tiny(cost));
        self.be_guest(is_muted, |seat| {
            let Some(seat) = seat else { return f(None) };
            seat.begin_record();
            let result = f(Some(seat));
            let cost = lesson(known, seat.spent(), seat.is_muted(), seat.has_lost_all());
            // Most calls leave the table alone, whose lines others read.
            if known.is_none_or(|known| known.max(cost) >= TINIEST) {
                kind.remember(cost);
            }
            result
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

/// What to remember of a call that was `known` to cost so much, and cost `cost` now.
fn lesson(known: Option<f32>, cost: f32, is_muted: bool, has_lost_all: bool) -> f32 {
    if is_muted || cost >= TINY {
        cost
    } else if has_lost_all {
        // Just not cheap: the next call is not muted, and if it is the same again, nor is the next.
        known.unwrap_or(TINY).max(TINY)
    } else {
        // Others may have helped. What it costs alone is found out, sooner or later.
        known.map_or(0.0, |known| known * FADING)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const DEAR: f32 = 100.0 * TINY;
    const CHEAP: f32 = 100.0;

    #[test]
    fn a_muted_call_and_a_dear_one_are_remembered_as_they_were() {
        for known in [None, Some(CHEAP), Some(DEAR)] {
            assert_eq!(lesson(known, CHEAP, true, false), CHEAP);
            assert_eq!(lesson(known, DEAR, true, false), DEAR);
            assert_eq!(lesson(known, DEAR, false, false), DEAR);
            assert_eq!(lesson(known, DEAR, false, true), DEAR);
        }
    }

    #[test]
    fn a_cheap_call_that_others_may_have_helped_is_tried_alone_next() {
        assert_eq!(lesson(None, CHEAP, false, false), 0.0);
        assert!(lesson(Some(TINY), CHEAP, false, false) < TINY);
    }

    #[test]
    fn a_dear_call_is_forgotten_slowly() {
        let next = |known: &f32| Some(lesson(Some(*known), CHEAP, false, false));
        let calls = std::iter::successors(Some(DEAR), next).take_while(|known| *known >= TINY);
        assert_eq!(calls.count(), 44);
    }

    #[test]
    fn where_all_halves_were_stolen_the_next_call_is_not_muted() {
        for known in [None, Some(CHEAP), Some(DEAR)] {
            assert!(lesson(known, CHEAP, false, true) >= TINY);
        }
    }
}
