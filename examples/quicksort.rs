//! Sorts with `join`: both sides of the pivot at the same time.
//!
//! ```text
//! cargo run --release --example quicksort -- [LENGTH]
//! ```
//!
//! Sorts arrays of several shapes (2,000,000 numbers, or `LENGTH`), compares each result with what
//! the standard library's `sort` makes of the same input, and prints the times. The exit status is
//! 1 if a result is wrong, 2 if the argument is no number.
//!
//! There is one line of parallel code in here, and it needs to know nothing of threads: a `join`
//! that nobody has time for costs little more than two calls.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use manyhands::join;

fn main() -> io::Result<ExitCode> {
    let Some(len) = length(env::args().nth(1)) else {
        eprintln!("usage: quicksort [LENGTH]");
        return Ok(ExitCode::from(2));
    };

    let mut out = io::stdout().lock();
    let mut all_sorted = true;
    for (shape, input) in shapes(len) {
        let (expected, std_time) = sorted_by(&input, |v| v.sort());
        let (actual, time) = sorted_by(&input, quicksort);
        let verdict = if actual == expected { "sorted" } else { "WRONG" };
        writeln!(
            out,
            "{shape:<12} {len} numbers: {verdict} in {time:.1?}, `sort` takes {std_time:.1?}"
        )?;
        all_sorted &= actual == expected;
    }
    Ok(if all_sorted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn length(argument: Option<String>) -> Option<usize> {
    argument.map_or(Some(2_000_000), |text| text.parse().ok())
}

fn sorted_by(input: &[u64], sort: impl FnOnce(&mut [u64])) -> (Vec<u64>, Duration) {
    let mut numbers = input.to_vec();
    let start = Instant::now();
    sort(&mut numbers);
    (numbers, start.elapsed())
}

/// Sorts in place, not stably, and fast unless the input is made to fool the choice of the pivot.
fn quicksort<T: Ord + Send>(v: &mut [T]) {
    if v.len() <= 20 {
        return insertion_sort(v);
    }
    let (less, greater) = partition(v);
    join(|| quicksort(less), || quicksort(greater));
}

/// Moves what is smaller than the pivot to the front and what is larger to the back, and returns
/// these two parts. What equals the pivot lies between them, where it belongs.
fn partition<T: Ord>(v: &mut [T]) -> (&mut [T], &mut [T]) {
    let pivot = median_of_three(v);
    v.swap(0, pivot);

    // less: ..start   equal: start..i, never empty   not seen yet: i..end   greater: end..
    let (mut start, mut i, mut end) = (0, 1, v.len());
    while i < end {
        if v[i] < v[start] {
            v.swap(i, start);
            start += 1;
            i += 1;
        } else if v[i] > v[start] {
            end -= 1;
            v.swap(i, end);
        } else {
            i += 1;
        }
    }
    let (rest, greater) = v.split_at_mut(end);
    (&mut rest[..start], greater)
}

/// The index of the middle one of three items: good for sorted input as well as for shuffled one.
fn median_of_three<T: Ord>(v: &[T]) -> usize {
    let mut indices = [v.len() / 4, v.len() / 2, v.len() / 4 * 3];
    indices.sort_by_key(|&i| &v[i]);
    indices[1]
}

fn insertion_sort<T: Ord>(v: &mut [T]) {
    for end in 1..v.len() {
        for i in (0..end).rev() {
            if v[i] <= v[i + 1] {
                break;
            }
            v.swap(i, i + 1);
        }
    }
}

fn shapes(len: usize) -> [(&'static str, Vec<u64>); 5] {
    let ascending: Vec<u64> = (0..).take(len).collect();
    let descending = ascending.iter().rev().copied().collect();
    let random = shuffled(len);
    let few_values = random.iter().map(|n| n % 4).collect();
    [
        ("random", random),
        ("few values", few_values),
        ("one value", vec![7; len]),
        ("ascending", ascending),
        ("descending", descending),
    ]
}

/// Numbers without a visible order, the same at every run (xorshift; Marsaglia, 2003).
fn shuffled(len: usize) -> Vec<u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    std::iter::repeat_with(next).take(len).collect()
}
