//! Reductions of floats have the same bits, however they were computed.

use std::collections::HashSet;

use manyhands::Pool;

use super::{check, lengths, pools, scaled, scramble};

/// Numbers whose sum depends on the order of the additions.
fn unruly(index: usize) -> f64 {
    let word = scramble(index);
    let scale = 10_f64.powi((word % 24) as i32 - 12);
    let sign = if word & 32 == 0 { 1.0 } else { -1.0 };
    sign * scale * (word >> 40) as f64
}

fn add(a: f64, b: f64) -> f64 {
    a + b
}

/// What the documentation says: up to 256 runs of equal length, one item after the other; then the
/// runs pairwise, neighbours first.
fn documented(numbers: &[f64]) -> Option<f64> {
    let run = numbers.len().div_ceil(256).max(1);
    let mut level: Vec<f64> =
        numbers.chunks(run).filter_map(|run| run.iter().copied().reduce(add)).collect();
    while level.len() > 1 {
        level = level.chunks(2).filter_map(|pair| pair.iter().copied().reduce(add)).collect();
    }
    level.pop()
}

fn bits(number: Option<f64>) -> Option<u64> {
    number.map(f64::to_bits)
}

#[test]
fn a_sum_of_floats_has_the_documented_bits() {
    check(300, lengths(), |pool, length| {
        let numbers: Vec<f64> = (0..length).map(unruly).collect();
        let expected = bits(documented(&numbers));
        assert_eq!(bits(pool.map_reduce(&numbers, |n| *n, add)), expected);
        assert_eq!(bits(pool.map_reduce(0..length, unruly, add)), expected);
    });
}

#[test]
fn a_fold_of_floats_has_the_bits_of_a_serial_one() {
    check(300, lengths(), |pool, length| {
        let fold = |pool: &Pool| pool.fold(0..length, || 0.1, |sum, n| sum + unruly(n), add);
        assert_eq!(fold(pool).to_bits(), fold(&Pool::serial()).to_bits());
    });
}

#[test]
fn the_numbers_are_unruly_enough_to_show_another_order() {
    let numbers: Vec<f64> = (0..scaled(40_000)).map(unruly).collect();
    let plain = numbers.iter().copied().reduce(add);
    let backwards = numbers.iter().rev().copied().reduce(add);
    let sums = [plain, backwards, documented(&numbers)].map(bits);
    assert_eq!(HashSet::from(sums).len(), 3);
}

#[test]
fn a_sum_of_floats_is_the_same_at_every_repetition() {
    let numbers: Vec<f64> = (0..scaled(10_000)).map(unruly).collect();
    let expected = bits(documented(&numbers));
    for pool in pools() {
        for turn in 0..scaled(100) {
            let pool = pool.limit(turn % 10).chunk(turn * 7 % 500);
            assert_eq!(bits(pool.map_reduce(&numbers, |n| *n, add)), expected);
        }
    }
}
