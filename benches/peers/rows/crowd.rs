//! More threads than cores, and a neighbour that keeps one busy.

use std::{
    env,
    process::{Child, Command, Stdio},
};

use crate::{
    contenders::{Contender, Contenders},
    medium::Medium,
    placement::Placement,
    race::{Bench, Row},
    record::Reach,
    rows::{
        sweeps::{cheap_map, medium_map},
        uneven::{SIDE, mandelbrot},
    },
};

const CROWD: usize = 16;
const MANY: usize = 1_000_000;
const SOME: usize = 10_000;

/// Runs all rows of this part.
pub(super) fn run(bench: &Bench, pair: &Contenders, placement: &Placement, medium: Medium) {
    let crowd = Contenders::new(CROWD, placement, bench.cast());
    let row = |title: &str| {
        let row = bench.row(format!("{title}, pools of {CROWD}"));
        row.map(|row| row.reach(Reach::of_row(title, Contender::Manyhands, 1.05)))
    };
    cheap_map(row(&format!("map: {MANY} cheap")), &crowd, MANY);
    medium_map(row(&format!("map: {SOME} medium")), &crowd, SOME, medium);
    mandelbrot(row(&format!("uneven: mandelbrot, {SIDE} rows")), &crowd);

    let beside = |row: Row<'_>, contenders| {
        let _neighbour = Neighbour::start();
        cheap_map(Some(row.reach(Reach::of(Contender::Loop, 1.0, 1.0))), contenders, MANY);
    };
    for contenders in [pair, &crowd] {
        let threads = contenders.threads;
        let title = format!("map: {MANY} cheap, pools of {threads}, a busy neighbour");
        if let Some(row) = bench.row(title) {
            beside(row, contenders);
        }
    }
}

/// Another process that takes all that it can get of one core.
struct Neighbour(Child);

impl Neighbour {
    fn start() -> Self {
        let program = env::current_exe().expect("this program knows where it is");
        let child = Command::new(program).args(["--bench", "--spin"]).stdin(Stdio::piped()).spawn();
        Self(child.expect("this program starts"))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait().map(drop)).expect("the neighbour ends");
    }
}
