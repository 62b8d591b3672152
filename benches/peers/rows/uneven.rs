//! Sweeps whose items differ in cost.

use std::iter;

use crate::{
    contenders::{Contender, Contenders},
    medium::xorshift,
    race::{Bench, Entry, Row},
    record::Reach,
    rows::sweeps::{map, map_entries},
};

/// Rows and columns of the picture.
pub(super) const SIDE: usize = 256;

const MOST_TURNS: u32 = 1_000;

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, contenders: &Contenders) {
    let loop_took = |took, reach| Reach::of(Contender::Loop, took, reach);
    let row = bench.row(format!("uneven: mandelbrot, {SIDE} rows"));
    mandelbrot(row.map(|row| row.reach(loop_took(1.0, 0.505))), contenders);

    let row = bench.row("uneven: 4096 items, cost growing with the square");
    let row = row.map(|row| row.in_millis().reach(loop_took(50.8, 25.7)));
    map(row, contenders, || (0..4096).collect(), |&i| turn(i, (i * i / 600) as usize));

    let row = bench.row("uneven: the middle one of 1000 costs 1000 times the rest");
    let row = row.map(|row| row.in_millis().reach(loop_took(20.7, 10.4)));
    let cost = |i| if i == 500 { 6_500_000 } else { 6_500 };
    map(row, contenders, || (0..1_000).collect(), |&i| turn(i, cost(i)));
    anywhere(bench, contenders);
}

/// Wherever a contender begins, some place of the dear item is the best for it and some other the
/// worst. So all of them count.
fn anywhere(bench: &Bench, contenders: &Contenders) {
    let Some(row) = bench.row("uneven: the same, at ten places in turn, a tenth as dear") else {
        return;
    };
    let cost = |i, place| if i == place { 650_000 } else { 650 };
    let items = |place| (0..1_000).map(move |i| (i, cost(i, place))).collect::<Vec<_>>();
    let inputs: Vec<_> = (0..1_000).step_by(111).map(items).collect();
    let maps = |items| map_entries(contenders, items, |&(i, times): &(u64, usize)| turn(i, times));
    let mut maps: Vec<_> = inputs.iter().map(|items| maps(items).into_iter()).collect();
    let of_next = || maps.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>();
    row.in_millis().race(iter::from_fn(of_next).map(Entry::in_turn).collect());
}

/// Computes a picture row by row.
pub(super) fn mandelbrot(row: Option<Row<'_>>, contenders: &Contenders) {
    let row = row.map(Row::in_millis);
    map(row, contenders, || (0..SIDE).collect(), |&y| mandelbrot_row(y));
}

/// The turns of every point of a row until it escapes, summed up.
fn mandelbrot_row(y: usize) -> u32 {
    let scale = 3.0 / SIDE as f64;
    let imaginary = y as f64 * scale - 1.5;
    (0..SIDE).map(|x| turns_until_escape(x as f64 * scale - 2.25, imaginary)).sum()
}

fn turns_until_escape(real: f64, imaginary: f64) -> u32 {
    let (mut x, mut y) = (0.0, 0.0);
    for turn in 0..MOST_TURNS {
        let (xx, yy) = (x * x, y * y);
        if xx + yy > 4.0 {
            return turn;
        }
        (x, y) = (xx - yy + real, 2.0 * x * y + imaginary);
    }
    MOST_TURNS
}

fn turn(seed: u64, times: usize) -> u64 {
    (0..times).fold(seed + 1, |state, _| xorshift(state))
}
