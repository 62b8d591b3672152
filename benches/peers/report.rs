//! The table, in Markdown that also reads well in a terminal, and the file that keeps it.

use std::{fmt::Write, fs, io, path::Path, process::Command};

use crate::{
    contenders::Contender,
    gather::{Outcome, Standing, Table},
};

/// What stands around the part of the file that this program writes.
const BEGIN: &str = "<!-- written by `cargo bench --bench peers`: begin -->";
const END: &str = "<!-- end -->";

/// Rows that take longer than this (in nanoseconds) repeat within 3 %, shorter ones within 15 %.
const LONG: f64 = 1e6;

/// The rows of a table.
pub(crate) fn markdown(table: &Table) -> String {
    let columns = ["÷ loop", "÷ rayon", "÷ best peer (least, most)", "reach"];
    let heads = ["work", "unit"].into_iter().chain(Contender::ALL.map(Contender::name));
    let heads = heads.chain(columns).map(str::to_owned).collect();
    let rows = table.outcomes.iter().map(|outcome| {
        let names = [outcome.title.clone(), outcome.unit.clone()];
        names.into_iter().chain(cells(table, outcome)).collect()
    });
    aligned(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}

/// A line for each row, the first of which is the head. All but the first column end flush.
fn aligned(rows: &[Vec<String>]) -> String {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let pad = |(column, cell): (usize, &String)| match (column, widths[column]) {
        (0, width) => format!("{cell:width$}"),
        (_, width) => format!("{cell:>width$}"),
    };
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = row.iter().enumerate().map(pad).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = widths.iter().enumerate().map(|(column, &width)| match column {
        0 => "-".repeat(width),
        _ => format!("{:->width$}", ":"),
    });
    let mut lines: Vec<_> = rows.iter().map(line).collect();
    lines.insert(1, line(&rule.collect()));
    lines.concat()
}

fn cells(table: &Table, outcome: &Outcome) -> Vec<String> {
    let figures = Contender::ALL.map(|contender| match outcome.figure(contender) {
        Some(figure) => format!("{} ({})", number(figure.median), number(figure.minimum)),
        None => String::new(),
    });
    let ratio = |contender| match outcome.standing(contender) {
        Some(Standing { median, .. }) => format!("×{}", number(median)),
        None => String::new(),
    };
    let best = outcome.best_peer().and_then(|best| outcome.standing(best));
    let columns = [
        ratio(Contender::Loop),
        ratio(Contender::Rayon),
        best.map_or_else(String::new, |best| beside_best(&best)),
        reach(table, outcome).unwrap_or_default(),
    ];
    figures.into_iter().chain(columns).collect()
}

fn beside_best(best: &Standing) -> String {
    let Standing { contender, median, least, most } = best;
    let [median, least, most] = [median, least, most].map(|ratio| number(*ratio));
    format!("×{median} {} ({least}, {most})", contender.name())
}

/// What is to be reached, and how far manyhands is from it.
fn reach(table: &Table, outcome: &Outcome) -> Option<String> {
    let ours = outcome.figure(Contender::Manyhands)?.median;
    let reach = table.reach(outcome)?;
    let distance = if reach > 0.0 { format!(" ×{}", number(ours / reach)) } else { String::new() };
    Some(format!("{}{distance}", number(reach)))
}

/// Rows behind a peer by more than chance, rows short of their reach: what is left to do.
pub(crate) fn verdict(table: &Table) -> String {
    let mut text = String::new();
    for outcome in &table.outcomes {
        let Some(best) = outcome.best_peer().and_then(|best| outcome.standing(best)) else {
            continue;
        };
        let allowed = if is_long(outcome) { 1.03 } else { 1.15 };
        if best.median > allowed {
            writeln!(text, "- behind: {}: {}", outcome.title, beside_best(&best)).expect("text");
        }
    }
    for outcome in &table.outcomes {
        let ours = outcome.figure(Contender::Manyhands).map(|figure| figure.median);
        let (Some(ours), Some(reach)) = (ours, table.reach(outcome)) else { continue };
        if ours > reach {
            let [ours, reach, ratio] = [ours, reach, ours / reach].map(number);
            let Outcome { title, unit, .. } = outcome;
            writeln!(text, "- short of the reach: {title}: {ours} of {reach} {unit}, ×{ratio}")
                .expect("text");
        }
    }
    text
}

/// Whether a call takes long enough to repeat well.
fn is_long(outcome: &Outcome) -> bool {
    let nanos = match outcome.unit.as_str() {
        "ms" => 1e6,
        "µs" => 1e3,
        _ => 1.0,
    };
    outcome.figure(Contender::Manyhands).is_some_and(|figure| figure.median * nanos > LONG)
}

/// Puts the tables into the file, between its marks.
pub(crate) fn write(path: &Path, tables: &[Table], command: &str) -> io::Result<()> {
    let mut section = format!("{BEGIN}\n\n`{command}`, {}.\n", circumstances());
    for table in tables {
        let mode = if table.is_pinned { "Pinned" } else { "Unpinned" };
        let (rows, verdict) = (markdown(table), verdict(table));
        write!(section, "\n### {mode}\n\n{rows}\n{verdict}").expect("text");
    }
    section.push_str(&format!("\n{END}"));
    let file = fs::read_to_string(path)?;
    let missing = || io::Error::other(format!("{} has no marks", path.display()));
    let (before, rest) = file.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    fs::write(path, format!("{before}{section}{after}"))
}

/// When, and on what.
fn circumstances() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("an unknown processor", |model| model.trim_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
    let [date, rustc] = [("date", "+%F"), ("rustc", "--version")].map(said);
    format!("{date}, {rustc}, {cores} cores, {model}")
}

fn said((program, argument): (&str, &str)) -> String {
    let output = Command::new(program).arg(argument).output();
    let output = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    output.unwrap_or_else(|_| format!("no {program}"))
}

/// Three digits, or all that stand before the point.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}
