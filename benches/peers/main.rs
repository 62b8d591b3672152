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
//! cargo bench --bench peers [-- [FILTER] [--threads N] [--quick] [--pin]]
//! ```
//!
//! `FILTER` keeps the rows whose title contains it, `--threads` sizes every pool (2),
//! `--quick` takes few rounds, and `--pin` gives each worker a core.
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
//!   below a millisecond have two modes. Compare algorithms by `--pin`.
//! - A hot loop across a 64-byte line runs at up to 1.4 times its time, and the linker's chance
//!   decides whose loop that is. Judge ratios of cheap maps to the loop, up to 10,000 items, by
//!   `RUSTFLAGS=-Cllvm-args=-align-loops=64 cargo bench --bench peers -- cheap`.

mod channel_pool;
mod contenders;
mod divide;
mod fork_join;
mod heap;
mod medium;
mod options;
mod output;
mod placement;
mod race;
mod spawns;
mod std_scope;
mod sweeps;
mod table;

use std::process::ExitCode;

use crate::{
    contenders::Contenders, medium::Medium, options::Options, placement::Placement, race::Bench,
};

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)) {
        Ok(options) if options.bench => {
            run(options);
            ExitCode::SUCCESS
        }
        Ok(_) => {
            println!("without --bench, which `cargo bench` passes, nothing is measured");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}\nusage: [FILTER] [--threads N] [--quick] [--pin]");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) {
    let placement = if options.pin { Placement::one_each() } else { Placement::default() };
    let contenders = Contenders::new(options.threads, &placement);
    placement.pin_caller();
    let medium = Medium::calibrate();

    println!("Pools of {}, {placement}; {medium}.\n", options.threads);
    table::print_head();
    let bench = Bench::new(options);
    fork_join::run(&bench, &contenders, &placement);
    sweeps::run(&bench, &contenders, medium);
    spawns::run(&bench, &contenders);
}
