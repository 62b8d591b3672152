//! An item that takes about a microsecond and touches no memory.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

const AIM: Duration = Duration::from_micros(1);

/// So many turns of a xorshift generator.
#[derive(Clone, Copy)]
pub(crate) struct Medium {
    turns: u32,
    time: Duration,
}

impl Medium {
    /// Finds how many turns this machine makes in a microsecond.
    pub(crate) fn calibrate() -> Self {
        const MANY: u32 = 1_000_000;
        let many = Self { turns: MANY, time: Duration::ZERO }.best_time();
        let turns = (f64::from(MANY) * AIM.as_secs_f64() / many.as_secs_f64()).round() as u32;
        let medium = Self { turns, time: Duration::ZERO };
        Self { time: medium.best_time(), ..medium }
    }

    /// Turns `seed` around.
    pub(crate) fn work(self, seed: u64) -> u64 {
        (0..self.turns).fold(seed, |state, _| xorshift(state))
    }

    /// Work that takes so many times as long.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        let turns = (f64::from(self.turns) * factor).round() as u32;
        Self { turns, time: self.time.mul_f64(factor) }
    }

    fn best_time(self) -> Duration {
        let time = |seed| {
            let start = Instant::now();
            black_box(self.work(black_box(seed)));
            start.elapsed()
        };
        (1..=100).map(time).min().expect("a hundred times have a minimum")
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a medium item: {} turns of xorshift, {:?}", self.turns, self.time)
    }
}

/// Marsaglia, "Xorshift RNGs", Journal of Statistical Software, 2003.
pub(crate) fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}
