//! Two pictures: how everybody stands beside rayon, and the time of an item as sweeps grow.

use std::{error::Error, path::Path};

use plotters::prelude::{
    ChartBuilder, Circle, Color, EmptyElement, IntoDrawingArea, IntoFont, IntoLogRange, LineSeries,
    PathElement, RGBColor, SVGBackend, SeriesLabelPosition, Text, WHITE,
};
use plotters::style::{
    IntoTextStyle,
    text_anchor::{HPos, Pos, VPos},
};

use crate::{
    contenders::Contender,
    gather::{Outcome, Table},
    rows::growth,
};

/// Where the first picture begins and ends; dots beyond it stand on its edge.
const LEFT: f64 = 0.005;
const RIGHT: f64 = 10.0;

/// The rows of the first picture, with what the reader sees.
const ROWS: [(&str, &str); 13] = [
    ("join: fib(12), 232 joins", "join, 232 tiny ones"),
    ("join: fib(30), 1346268 joins", "join, 1.3 million"),
    ("map: 100 cheap", "map 100 × 0.2 ns"),
    ("map: 10000 cheap", "map 10,000 × 0.2 ns"),
    ("map: 1000000 cheap", "map 1,000,000 × 0.2 ns"),
    ("map: 10 medium", "map 10 × 1 µs"),
    ("map: 100 medium", "map 100 × 1 µs"),
    ("map: 10 medium, idle", "map 10 × 1 µs, idle"),
    ("map: 10000 medium", "map 10,000 × 1 µs"),
    ("map_reduce: sum of 10000000 f64", "sum of 10 million"),
    ("spawn: 100000 from outside", "spawn 100,000, join all"),
    ("scope: 100000 spawns", "scope, 100,000 tasks"),
    ("spawn: one, joined at once", "spawn and join one"),
];

type Drawn = Result<(), Box<dyn Error>>;

/// Time relative to rayon's, a line a row, a dot a contender.
pub(crate) fn ratios(path: &Path, table: &Table) -> Drawn {
    let size = (960, 80 + 36 * ROWS.len() as u32);
    let area = SVGBackend::new(path, size).into_drawing_area();
    area.fill(&WHITE)?;
    let lines = ROWS.len() as f64;
    let mut chart = ChartBuilder::on(&area)
        .caption("time, as a fraction of rayon's (2 threads, pinned)", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(190)
        .build_cartesian_2d((LEFT..RIGHT * 8.0).log_scale(), -0.5..lines - 0.5)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_label_formatter(&|ratio| format!("{ratio}"))
        .draw()?;
    for (index, (title, shown)) in ROWS.into_iter().enumerate() {
        let height = lines - 1.0 - index as f64;
        let style = ("sans-serif", 14).into_font().into_text_style(&area);
        let style = style.pos(Pos::new(HPos::Right, VPos::Center));
        let label = Text::new(shown.to_owned(), (-8, 0), style);
        chart.plotting_area().draw(&(EmptyElement::at((LEFT, height)) + label))?;
        let line = [(LEFT, height), (RIGHT, height)];
        chart.draw_series(LineSeries::new(line, RGBColor(225, 225, 225)))?;
        let Some(outcome) = table.outcomes.iter().find(|outcome| outcome.title == title) else {
            continue;
        };
        let Some(rayon) = outcome.figure(Contender::Rayon) else { continue };
        for figure in &outcome.figures {
            let ratio = (figure.median / rayon.median).clamp(LEFT, RIGHT);
            let dot = Circle::new(
                (ratio, height),
                dot_size(figure.contender),
                colour(figure.contender).filled(),
            );
            chart.plotting_area().draw(&dot)?;
        }
    }
    for contender in Contender::ALL {
        let dot =
            move |at: (i32, i32)| Circle::new(at, dot_size(contender), colour(contender).filled());
        chart
            .draw_series(std::iter::empty::<Circle<(f64, f64), i32>>())?
            .label(contender.name())
            .legend(dot);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .background_style(WHITE.mix(0.8))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    Ok(area.present()?)
}

/// The time of an item against how many there are, for the loop, rayon and manyhands.
pub(crate) fn growth(path: &Path, table: &Table) -> Drawn {
    let area = SVGBackend::new(path, (900, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("nanoseconds an item, as sweeps grow (2 threads, pinned)", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(60)
        .build_cartesian_2d((9.0..1.1e7).log_scale(), (0.05..10_000.0).log_scale())?;
    let plain = |value: &f64| format!("{value}");
    chart
        .configure_mesh()
        .x_desc("items")
        .y_desc("ns")
        .x_label_formatter(&plain)
        .y_label_formatter(&plain)
        .draw()?;
    for (kind, width) in [("cheap", 2), ("medium", 1)] {
        for contender in [Contender::Loop, Contender::Rayon, Contender::Manyhands] {
            let points = growth_points(table, kind, contender);
            let style = colour(contender).stroke_width(width);
            let series = chart.draw_series(LineSeries::new(points, style).point_size(2))?;
            series
                .label(format!("{}, {kind} items", contender.name()))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    Ok(area.present()?)
}

fn growth_points(table: &Table, kind: &str, contender: Contender) -> Vec<(f64, f64)> {
    let point = |outcome: &Outcome| {
        let n = growth::items(&outcome.title, kind, 2)?;
        Some((n as f64, outcome.figure(contender)?.median))
    };
    table.outcomes.iter().filter_map(point).collect()
}

fn dot_size(contender: Contender) -> i32 {
    if contender == Contender::Manyhands { 7 } else { 5 }
}

fn colour(contender: Contender) -> RGBColor {
    match contender {
        Contender::Loop => RGBColor(120, 120, 120),
        Contender::Rayon => RGBColor(31, 119, 180),
        Contender::Chili => RGBColor(44, 160, 44),
        Contender::Forte => RGBColor(148, 103, 189),
        Contender::Orx => RGBColor(140, 86, 75),
        Contender::Paralight => RGBColor(188, 189, 34),
        Contender::StdScope => RGBColor(23, 190, 207),
        Contender::Channel => RGBColor(255, 152, 80),
        Contender::Manyhands => RGBColor(214, 39, 40),
    }
}
