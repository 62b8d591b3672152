//! Every verb of the `map` family, against what a loop would do.

mod bits;
mod drops;
mod equal;
mod failures;
mod iterators;
mod options;
mod places;
mod searches;
mod states;

use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use manyhands::Pool;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Pools of 1, 2 and 8 threads, and one without any.
fn pools() -> [Pool; 4] {
    let pool = |threads| Pool::new(threads).unwrap();
    [Pool::serial(), pool(1), pool(2), pool(8)]
}

/// A smaller number where every step is interpreted.
const fn scaled(number: usize) -> usize {
    if cfg!(miri) { number.div_ceil(100) } else { number }
}

/// Checks a property of pools, of options and of what `strategy` makes.
fn check<S: Strategy>(cases: usize, strategy: S, property: impl Fn(&Pool, S::Value)) {
    let pools = pools();
    let cases = u32::try_from(scaled(cases)).unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let limit = proptest::option::weighted(0.3, 0..10_usize);
    let chunk = proptest::option::weighted(0.3, 0..300_usize);
    let all = (0..pools.len(), limit, chunk, strategy);
    let outcome = TestRunner::new(config).run(&all, |(index, limit, chunk, value)| {
        let pool = &pools[index];
        let pool = limit.map_or_else(|| pool.clone(), |limit| pool.limit(limit));
        let pool = chunk.map_or_else(|| pool.clone(), |chunk| pool.chunk(chunk));
        property(&pool, value);
        Ok::<(), TestCaseError>(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Numbers of items: none, one, two, few, many.
fn lengths() -> impl Strategy<Value = usize> {
    proptest::prop_oneof![
        0..3_usize,
        3..scaled(200),
        3..scaled(200),
        scaled(200)..scaled(3_000),
        scaled(20_000)..scaled(50_000),
    ]
}

/// Numbers that look random, the same for each `index`.
fn scramble(index: usize) -> u64 {
    let mut word = (index as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word ^ (word >> 31)
}

/// Is busy for a while.
fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Panics with a value, past the hook that prints.
fn throw(value: usize) -> ! {
    resume_unwind(Box::new(value))
}
