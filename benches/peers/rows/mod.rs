//! The rows of the table, one file for each kind of work.

mod crowd;
mod footprint;
pub(crate) mod fork_join;
pub(crate) mod growth;
mod machine;
mod sites;
pub(crate) mod spawns;
mod starts;
mod sweeps;
mod uneven;

use crate::{
    contenders::{Cast, Contenders},
    medium::Medium,
    placement::Placement,
    race::Bench,
};

/// Runs the rows that are for the cast.
pub(crate) fn run(bench: &Bench, contenders: &Contenders, placement: &Placement, medium: Medium) {
    match bench.cast() {
        Cast::Company | Cast::Forte => race(bench, contenders, placement, medium),
        Cast::Growth => growth::run(bench, placement, medium),
        Cast::Only(contender) => footprint::run(bench, contenders, contender, medium),
    }
}

/// In the order of the table.
fn race(bench: &Bench, contenders: &Contenders, placement: &Placement, medium: Medium) {
    machine::run(bench, placement);
    fork_join::run(bench, contenders, placement);
    sweeps::run(bench, contenders, medium);
    uneven::run(bench, contenders);
    sites::run(bench, contenders, medium);
    spawns::run(bench, contenders);
    starts::run(bench, contenders, placement, medium);
    crowd::run(bench, contenders, placement, medium);
}
