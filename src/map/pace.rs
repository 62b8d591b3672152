//! How much one participant claims at a time: the clock decides.
//!
//! It begins with one unit and takes several times as many as long as a claim takes less than
//! [`TARGET`]; when units become dear it takes fewer. It never takes more than a fair part of what
//! is left, so that the others have something until the end.

use std::time::{Duration, Instant};

/// How long a claim should take, in nanoseconds: long against the claim itself, short against a time
/// slice.
const TARGET: f64 = 100_000.0;

/// A claim may be so many times as large as the one before.
const GROWTH: f64 = 16.0;

/// It is no smaller than this fraction of what the clock allows (2 µs): smaller claims would cost
/// the cursor more than they even out.
const LEAST: usize = 50;

/// The fair part: one share for each participant, so many times over.
const SHARES: usize = 2;

/// The claims of one participant.
#[derive(Debug)]
pub(super) struct Pace {
    size: usize,
    /// A size that was asked for: no clock, no fair part.
    is_fixed: bool,
    participants: usize,
    /// When the claim began that is in work.
    began: Instant,
    /// The units worked off, and the nanoseconds that they took.
    units: usize,
    spent: f64,
}

impl Pace {
    /// The pace of one of several participants, each of whom claims `fixed` units if it says so.
    pub(super) fn new(participants: usize, fixed: Option<usize>) -> Self {
        Self {
            size: fixed.unwrap_or(1),
            is_fixed: fixed.is_some(),
            participants,
            began: Instant::now(),
            units: 0,
            spent: 0.0,
        }
    }

    /// How many units to claim of so many.
    pub(super) fn size(&self, left: usize) -> usize {
        if self.is_fixed {
            return self.size;
        }
        let fair = left.div_ceil(SHARES * self.participants);
        self.size.min(fair.max(self.size / LEAST))
    }

    /// A claim begins. Without this it begins when the last one ended.
    pub(super) fn begin(&mut self) {
        if !self.is_fixed {
            self.began = Instant::now();
        }
    }

    /// A claim of `units` is done: says how many nanoseconds it took.
    pub(super) fn lap(&mut self, units: usize) -> f64 {
        if self.is_fixed {
            return 0.0;
        }
        let now = Instant::now();
        let spent = nanoseconds(now.duration_since(self.began));
        self.began = now;
        self.units = self.units.saturating_add(units);
        self.spent += spent;
        let units = units as f64;
        self.size = (units * TARGET / spent.max(1.0)).clamp(1.0, units * GROWTH) as usize;
        spent
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

    #[test]
    fn nobody_takes_more_than_a_fair_part() {
        let mut pace = Pace::new(2, None);
        pace.size = 1000;
        assert_eq!(pace.size(100), 25);
        assert_eq!(pace.size(1), 20);
        pace.size = 49;
        assert_eq!(pace.size(1), 1);
    }

    #[test]
    fn cheap_units_are_taken_by_many_dear_ones_by_few() {
        let mut pace = Pace::new(2, None);
        pace.lap(1);
        assert!((2..=16).contains(&pace.size));
        pace.began = Instant::now() - Duration::from_millis(10);
        pace.lap(1000);
        assert!(pace.size <= 10);
    }

    #[test]
    fn a_fixed_size_is_kept() {
        let mut pace = Pace::new(8, Some(7));
        pace.lap(7);
        assert_eq!(pace.size(1_000_000), 7);
    }
}
