//! How much one participant claims at a time: the clock decides.
//!
//! It begins with one unit, or with a few that were cheap last time, and takes several times as many
//! as long as a claim takes less than [`TARGET`]; when units become dear it takes fewer. It never
//! takes more than a fair part of what is left, so that the others have something until the end.
//!
//! Nobody can help with what is claimed. So a claim must not be large because units *were* cheap:
//! dear ones that follow some cheap ones would be one thread's. By growing step by step it has at
//! most [`GROWTH`] times as many as were cheap just before; and at the end claims become single
//! units, however cheap the others were.
//!
//! Rejected, each for a sweep that took 2 to 10 times as long by it: a full claim at once where the
//! first units cost what they did last time; no claims of less than 2 µs.

use std::ops::Range;
use std::time::{Duration, Instant};

/// How long a claim should take, in nanoseconds: long against the claim itself, short against a time
/// slice.
const TARGET: f64 = 100_000.0;

/// How long the first one should take, in nanoseconds, if it has not more units than this.
const FIRST: f32 = 100.0;
const MOST_AT_FIRST: f32 = 1024.0;

/// What a look at the clock takes, about, in nanoseconds. It is none of the units' cost.
const LOOK: f64 = 20.0;

/// A claim may be so many times as large as the one before.
const GROWTH: usize = 8;

/// The fair part: one share for each participant, so many times over.
const SHARES: usize = 2;

/// Of what should take each of them less than this, in nanoseconds, the fair part is a whole share:
/// no more than that is lost where it is not so, and every claim moves lines from core to core.
const SHORT: f64 = 20_000.0;

/// Claims that are as large as this end at a multiple of it. So wide loads and stores of a loop over
/// numbers cross no cache lines, and few lines have results of two participants.
const BOUNDARY: usize = 64;

/// Units that cost so many times what was expected, and this much more (in nanoseconds), are
/// another matter than last time.
const SURPRISE: f64 = 4.0;
const GRACE: f64 = 500.0;

/// The claims of one participant.
#[derive(Debug)]
pub(super) struct Pace {
    /// How many units the first claim has.
    first: usize,
    /// The units of the last claim, and the nanoseconds that it took.
    last: Option<(usize, f64)>,
    /// The first size was asked for and holds for all: no clock, no fair part.
    is_fixed: bool,
    participants: usize,
    /// What a unit cost last time, in nanoseconds.
    known: Option<f32>,
    /// When the claim began that is in work.
    began: Instant,
    /// The units worked off, and the nanoseconds that they took.
    units: usize,
    spent: f64,
}

impl Pace {
    /// The pace of one of several participants, each of whom claims `fixed` units if it says so. A
    /// unit cost `known` nanoseconds last time.
    pub(super) fn new(participants: usize, fixed: Option<usize>, known: Option<f32>) -> Self {
        let first = || known.map_or(1, |cost| (FIRST / cost).clamp(1.0, MOST_AT_FIRST) as usize);
        Self {
            first: fixed.unwrap_or_else(first),
            last: None,
            is_fixed: fixed.is_some(),
            participants,
            known,
            began: Instant::now(),
            units: 0,
            spent: 0.0,
        }
    }

    /// How many units to claim where nobody else does, and the clock is to be read after what should
    /// be `nanoseconds`, which are more than a first claim takes.
    pub(super) fn size_alone(&self, nanoseconds: f32) -> usize {
        let known = self.known.filter(|_| self.last.is_some());
        known.map_or(self.first, |cost| self.next().min((nanoseconds / cost) as usize))
    }

    /// How many units to claim of those that nobody has claimed.
    pub(super) fn size(&self, unclaimed: Range<usize>) -> usize {
        if self.is_fixed {
            return self.first;
        }
        let size = self.next().min(self.fair_part(unclaimed.len()));
        if size < BOUNDARY {
            return size;
        }
        let end = unclaimed.start.saturating_add(size);
        end.checked_next_multiple_of(BOUNDARY).map_or(size, |end| end - unclaimed.start)
    }

    /// How many of the units that are left one participant may take.
    fn fair_part(&self, left: usize) -> usize {
        let share = left.div_ceil(self.participants);
        let is_short = |(units, spent)| share as f64 * spent <= SHORT * units as f64;
        if self.last.is_some_and(is_short) { share } else { share.div_ceil(SHARES) }
    }

    /// How many units should take as long as a claim should.
    fn next(&self) -> usize {
        self.last.map_or(self.first, |(units, spent)| {
            let largest = units.saturating_mul(GROWTH) as f64;
            (units as f64 * TARGET / spent).clamp(1.0, largest) as usize
        })
    }

    /// A claim begins. Without this it begins when the last one ended.
    pub(super) fn begin(&mut self) {
        if !self.is_fixed {
            self.began = Instant::now();
        }
    }

    /// A claim of `units` is done. Says whether it cost what was to be expected, as far as anything
    /// is known.
    pub(super) fn lap(&mut self, units: usize) -> bool {
        if self.is_fixed {
            return true;
        }
        let now = Instant::now();
        let spent = nanoseconds(now.duration_since(self.began));
        self.began = now;
        self.note(units, (spent - LOOK).max(1.0))
    }

    fn note(&mut self, units: usize, spent: f64) -> bool {
        self.units = self.units.saturating_add(units);
        self.spent += spent;
        self.last = Some((units, spent));
        let known = self.known.map(f64::from);
        known.is_none_or(|cost| spent <= SURPRISE * cost * units as f64 + GRACE)
    }

    /// What a unit has cost so far, in nanoseconds.
    pub(super) fn cost(&self) -> Option<f32> {
        (self.units > 0).then(|| (self.spent / self.units as f64) as f32)
    }
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs() as f64 * 1e9 + f64::from(duration.subsec_nanos())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// The pace after a claim of `units` that took so many nanoseconds, and what it said of them.
    fn after(known: Option<f32>, units: usize, spent: f64) -> (Pace, bool) {
        let mut pace = Pace::new(2, None, known);
        let is_expected = pace.note(units, spent);
        (pace, is_expected)
    }

    #[test]
    fn nobody_takes_more_than_a_fair_part() {
        let mut pace = Pace::new(2, None, None);
        pace.first = 1000;
        assert_eq!(pace.size(0..100), 25);
        assert_eq!(pace.size(99..100), 1);
    }

    #[test]
    fn of_little_work_each_takes_its_share() {
        let size = |spent| after(None, 1000, spent).0.size(0..50);
        assert_eq!([size(1.0), size(40.0 * SHORT), size(40.1 * SHORT)], [25, 25, 13]);
    }

    #[test]
    fn large_claims_end_at_boundaries() {
        let mut pace = Pace::new(2, None, None);
        pace.first = 1000;
        assert_eq!(pace.size(17..100_000), 1024 - 17);
        assert_eq!(pace.size(1024..100_000), 1024);
        pace.first = usize::MAX;
        let fair = usize::MAX.div_ceil(4);
        assert_eq!(pace.size(0..usize::MAX), fair.next_multiple_of(BOUNDARY));
        assert!(pace.size(usize::MAX - 1_000..usize::MAX) > 0);
    }

    #[test]
    fn cheap_units_are_taken_by_many_dear_ones_by_few() {
        let size = |units, spent| after(None, units, spent).0.next();
        assert_eq!([size(1, 1.0), size(1, TARGET / 5.0), size(1, TARGET)], [GROWTH, 5, 1]);
        assert_eq!([size(1000, 100.0 * TARGET), size(1, 1e12)], [10, 1]);
    }

    #[test]
    fn units_known_to_be_cheap_are_taken_by_a_few_at_first() {
        let first = |cost| Pace::new(2, None, Some(cost)).size_alone(f32::MAX);
        assert_eq!([first(0.0), first(0.2), first(10.0), first(1e9)], [1024, 500, 10, 1]);
    }

    #[test]
    fn units_that_cost_much_more_than_last_time_are_another_matter() {
        let is_expected = |spent| after(Some(10.0), 100, spent).1;
        assert_eq!([1.0, 4499.0, 4501.0].map(is_expected), [true, true, false]);
        assert!(after(None, 1, 1e12).1);
    }

    #[test]
    fn the_cost_of_a_unit_is_that_of_all_claims() {
        let (mut pace, _) = after(None, 1, 90.0);
        assert_eq!(pace.cost(), Some(90.0));
        pace.note(2, 30.0);
        assert_eq!(pace.cost(), Some(40.0));
        assert_eq!(Pace::new(2, None, Some(1.0)).cost(), None);
    }

    #[test]
    fn a_fixed_size_is_kept() {
        let mut pace = Pace::new(8, Some(7), None);
        assert!(pace.lap(7));
        assert_eq!(pace.size(0..1_000_000), 7);
    }
}
