//! The table, in Markdown that also reads well in a terminal.

use crate::{
    contenders::Contender,
    race::{Times, Unit},
};

const TITLE: usize = 40;
const CELL: usize = 16;

/// Prints the heads of the columns.
pub(crate) fn print_head() {
    let ratios = ["÷ loop", "÷ rayon", "÷ best peer"];
    let heads = Contender::ALL.map(Contender::name).into_iter().chain(ratios);
    let heads: Vec<_> = heads.map(str::to_owned).collect();
    print_line("work", "unit", &heads);
    let rules: Vec<_> = heads.iter().map(|_| format!("{:->CELL$}", ":")).collect();
    print_line(&"-".repeat(TITLE), "----", &rules);
}

/// Prints one row: what each contender took, and how manyhands stands.
pub(crate) fn print_row(title: &str, unit: &Unit, times: &[Times]) {
    let find = |contender| times.iter().find(|times| times.contender == contender);
    let cells = Contender::ALL.map(|contender| cell(find(contender), unit));
    let best = times.iter().filter(|times| times.contender.is_peer());
    let best = best.min_by(|a, b| a.median.total_cmp(&b.median));
    let ours = find(Contender::Manyhands);
    let ratios = [
        ratio(ours, find(Contender::Loop)),
        ratio(ours, find(Contender::Rayon)),
        match best {
            Some(best) => format!("{} {}", ratio(ours, Some(best)), best.contender.name()),
            None => String::new(),
        },
    ];
    print_line(title, unit.name, &[cells.as_slice(), &ratios].concat());
}

fn cell(times: Option<&Times>, unit: &Unit) -> String {
    times.map_or_else(String::new, |times| {
        let [median, minimum] = [times.median, times.minimum].map(|nanos| nanos / unit.nanos);
        format!("{} ({})", number(median), number(minimum))
    })
}

fn ratio(ours: Option<&Times>, other: Option<&Times>) -> String {
    match (ours, other) {
        (Some(ours), Some(other)) => format!("×{}", number(ours.median / other.median)),
        _ => String::new(),
    }
}

/// Three digits, or all that stand before the point.
fn number(value: f64) -> String {
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

fn print_line(title: &str, unit: &str, cells: &[String]) {
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>CELL$}")).collect();
    println!("| {title:TITLE$} | {unit:4} | {} |", cells.join(" | "));
}
