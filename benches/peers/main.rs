//! How fast is manyhands beside its peers?
//!
//! - **Question.** What does each verb cost a thread outside the pool, beside a plain loop and
//!   beside what others take for the same work?
//! - **Unit.** Nanoseconds a join, a node or a task; microseconds a call elsewhere. A cell is the
//!   median (the minimum) over the rounds.
//! - **Baseline.** The plain loop, in the first column. The last three columns are the median of
//!   manyhands, divided by the loop's, by rayon's and by the best peer's.
//!
//! ```text
//! cargo bench --bench peers [-- [FILTER] [--threads N] [--processes N] [--pinned | --unpinned]
//!     [--quick]]
//! cargo bench --bench peers -- --instructions
//! ```
//!
//! `FILTER` keeps the rows whose title contains it, `--threads` sizes every pool (2), `--processes`
//! says how often everything runs (5 times pinned and 3 times unpinned), `--quick` takes few
//! rounds. Without a filter the tables go to `benches/RESULTS.md`, and two pictures beside it.
//!
//! `--instructions` counts instructions by callgrind (valgrind must be there) instead.
//!
//! This process measures nothing: it has children do it, each in a process of its own with one
//! cast (`gather.rs`), and prints medians of their medians. Forte has a process apart, since its
//! heartbeat runs as long as its pool lives. The loop and manyhands run there as well, and what
//! Forte took is scaled by what manyhands took here and there. Footprints are taken of each
//! contender alone.
//!
//! Every round runs every contender once, in one process, each round starting with the next of
//! them. A sample is one call or more: *hot* ones follow each other at once after one outside the
//! clock, as many as fit the sample; an *idle* one comes alone after a rest. The last result of a
//! sample must equal the loop's and is compared, then dropped, outside the clock. Nothing asserts
//! a time.
//!
//! Two effects are as large as what we look for:
//!
//! - On small virtual machines the kernel packs a woken thread onto its waker's core, so that rows
//!   below a millisecond have two modes. Compare algorithms by the pinned table.
//! - A hot loop across a 64-byte line runs at up to 1.4 times its time, and the linker's chance
//!   decides whose loop that is. Judge ratios of cheap maps to the loop, up to 10,000 items, by
//!   `RUSTFLAGS=-Cllvm-args=-align-loops=64 cargo bench --bench peers -- cheap`.

mod channel_pool;
mod chart;
mod contenders;
mod divide;
mod gather;
mod heap;
mod instructions;
mod iterators;
mod medium;
mod options;
mod output;
mod placement;
mod race;
mod record;
mod report;
mod rows;
mod std_scope;

use std::{error::Error, hint, path::Path, process::ExitCode};

use crate::{
    contenders::{Cast, Contenders},
    medium::Medium,
    options::{Options, USAGE},
    placement::Placement,
    race::Bench,
};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\nusage: {USAGE}");
            return ExitCode::FAILURE;
        }
    };
    if !options.bench {
        println!("without --bench, which `cargo bench` passes, nothing is measured");
        return ExitCode::SUCCESS;
    }
    if options.spin {
        loop {
            hint::spin_loop();
        }
    }
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    match (options.cast, options.work) {
        (Some(Cast::Only(contender)), Some(work)) => {
            instructions::run(work, contender, options.size as u64);
        }
        (Some(cast), _) => measure(options, cast),
        (None, _) if options.instructions => instructions::compare(options)?,
        (None, _) => compare(options)?,
    }
    Ok(())
}

/// A child: runs the rows of its cast.
fn measure(options: &Options, cast: Cast) {
    let is_pinned = options.pinned == Some(true);
    let placement = if is_pinned { Placement::one_each() } else { Placement::default() };
    let contenders = Contenders::new(options.threads(), &placement, cast);
    placement.pin_caller();
    let bench = Bench::new(&options.filter, options.quick, cast);
    rows::run(&bench, &contenders, &placement, Medium::calibrate());
}

/// The parent: gathers, prints, and keeps the results of a whole run.
fn compare(options: &Options) -> Result<(), Box<dyn Error>> {
    let modes = options.pinned.map_or(vec![true, false], |is_pinned| vec![is_pinned]);
    let mut tables = Vec::new();
    for is_pinned in modes {
        let table = gather::table(options, is_pinned)?;
        println!("\n{}\n{}", report::markdown(&table), report::verdict(&table));
        tables.push(table);
    }
    if options.filter.is_empty() && !options.quick && options.pinned.is_none() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
        let arguments: Vec<_> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
        let command = format!("cargo bench --bench peers -- {}", arguments.join(" "));
        report::write(&folder.join("RESULTS.md"), &tables, command.trim_end_matches([' ', '-']))?;
        chart::ratios(&folder.join("peers.svg"), &tables[0])?;
        chart::growth(&folder.join("growth.svg"), &tables[0])?;
    }
    Ok(())
}
