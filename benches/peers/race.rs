//! A row: the same work by several contenders, in rounds.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use crate::{
    contenders::{Cast, Contender},
    record::{Figure, Reach, Record},
};

/// Rounds that even a slow row gets.
const LEAST_ROUNDS: usize = 3;

/// Which rows to run, who takes part, and for how long.
pub(crate) struct Bench {
    filter: String,
    cast: Cast,
    plan: Plan,
}

/// How much to measure.
struct Plan {
    hot_rounds: usize,
    idle_rounds: usize,
    /// What the hot calls of one contender take in one round, unless a single one takes longer.
    sample: Duration,
    /// What a row takes, save for its [`LEAST_ROUNDS`].
    row: Duration,
}

const FULL: Plan = Plan {
    hot_rounds: 25,
    idle_rounds: 101,
    sample: Duration::from_millis(2),
    row: Duration::from_millis(800),
};

const QUICK: Plan = Plan {
    hot_rounds: 5,
    idle_rounds: 21,
    sample: Duration::from_millis(1),
    row: Duration::from_millis(200),
};

/// A line of the table that waits for its contenders.
pub(crate) struct Row<'a> {
    bench: &'a Bench,
    title: String,
    unit: &'static str,
    /// Nanoseconds of a call that make one unit.
    nanos: f64,
    rest: Option<Duration>,
    most_rounds: usize,
    reach: Option<Reach>,
    /// A second row with the 99th percentile, and what it is to reach.
    tail: Option<Reach>,
}

/// One contender's way to do the work of a row.
pub(crate) struct Entry<'a, T> {
    contender: Contender,
    prepare: Option<Box<dyn Fn() + 'a>>,
    call: Box<dyn Fn() -> T + 'a>,
}

impl Bench {
    /// A bench of the rows whose titles contain `filter`.
    pub(crate) fn new(filter: &str, is_quick: bool, cast: Cast) -> Self {
        Self { filter: filter.to_owned(), cast, plan: if is_quick { QUICK } else { FULL } }
    }

    /// Who takes part.
    pub(crate) fn cast(&self) -> Cast {
        self.cast
    }

    /// Opens a row, unless the filter leaves it out. It counts microseconds a hot call.
    pub(crate) fn row(&self, title: impl Into<String>) -> Option<Row<'_>> {
        let title = title.into();
        title.contains(&self.filter).then_some(Row {
            bench: self,
            title,
            unit: "µs",
            nanos: 1e3,
            rest: None,
            most_rounds: usize::MAX,
            reach: None,
            tail: None,
        })
    }
}

impl<'a> Row<'a> {
    /// Counts nanoseconds for each of the `count` pieces of a call.
    pub(crate) fn per(self, count: u64) -> Self {
        Self { unit: "ns", nanos: count as f64, ..self }
    }

    /// Counts milliseconds.
    pub(crate) fn in_millis(self) -> Self {
        Self { unit: "ms", nanos: 1e6, ..self }
    }

    /// Lets everything rest before each call.
    pub(crate) fn after(self, rest: Duration) -> Self {
        Self { rest: Some(rest), ..self }
    }

    /// Runs so many rounds at most.
    pub(crate) fn at_most(self, rounds: usize) -> Self {
        Self { most_rounds: rounds, ..self }
    }

    /// Says what manyhands is to reach.
    pub(crate) fn reach(self, reach: impl Into<Option<Reach>>) -> Self {
        Self { reach: reach.into(), ..self }
    }

    /// Tells the 99th percentile as well, and what it is to reach.
    pub(crate) fn tail(self, reach: Reach) -> Self {
        Self { tail: Some(reach), ..self }
    }

    /// Runs the contenders and prints the row.
    ///
    /// # Panics
    ///
    /// When a result differs from that of the first entry, the plain loop.
    pub(crate) fn race<T: PartialEq>(self, entries: Vec<Entry<'a, T>>) {
        if !self.bench.cast.wants(entries.iter().map(|entry| entry.contender)) {
            return;
        }
        let expected = (entries[0].call)();
        let entries = entries.into_iter().filter(|entry| self.bench.cast.has(entry.contender));
        let sample = if self.rest.is_some() { Duration::ZERO } else { self.bench.plan.sample };
        let mut lanes: Vec<_> = entries.map(|entry| Lane::new(entry, sample)).collect();
        if lanes.is_empty() {
            return;
        }
        self.run(&mut lanes, &expected);
        if let Some(tail) = self.tail.clone() {
            self.tell(&lanes, ", p99", tail, |samples| samples[samples.len() * 99 / 100]);
        }
        let figures = lanes.iter().map(|lane| self.figure(lane, median)).collect();
        self.print("", self.reach.clone(), figures);
    }

    fn run<T: PartialEq>(&self, lanes: &mut [Lane<'_, T>], expected: &T) {
        let Plan { hot_rounds, idle_rounds, row, .. } = self.bench.plan;
        let (rounds, row) = match self.rest {
            None => (hot_rounds, row),
            // Most of it is rest.
            Some(_) => (idle_rounds, 3 * row),
        };
        let start = Instant::now();
        for round in 0..rounds.min(self.most_rounds) {
            if round >= LEAST_ROUNDS && start.elapsed() > row {
                break;
            }
            for turn in 0..lanes.len() {
                let lane = (round + turn) % lanes.len();
                let result = lanes[lane].sample(self.rest);
                assert!(result == *expected, "{}: {}", self.title, lanes[lane].complaint());
            }
        }
        lanes.iter_mut().for_each(|lane| lane.samples.sort_by(f64::total_cmp));
    }

    fn tell<T>(
        &self,
        lanes: &[Lane<'_, T>],
        suffix: &str,
        reach: Reach,
        statistic: impl Fn(&[f64]) -> f64,
    ) {
        let figures = lanes.iter().map(|lane| self.figure(lane, &statistic)).collect();
        self.print(suffix, Some(reach), figures);
    }

    fn figure<T>(&self, lane: &Lane<'_, T>, statistic: impl Fn(&[f64]) -> f64) -> Figure {
        Figure {
            contender: lane.entry.contender,
            median: statistic(&lane.samples) / self.nanos,
            minimum: lane.samples[0] / self.nanos,
        }
    }

    /// Prints what was measured otherwise, in a unit of its own: samples of each contender.
    pub(crate) fn publish(self, unit: &'static str, samples: Vec<(Contender, Vec<f64>)>) {
        let figures = samples
            .into_iter()
            .filter(|(contender, samples)| self.bench.cast.has(*contender) && !samples.is_empty());
        let figures = figures.map(|(contender, mut samples)| {
            samples.sort_by(f64::total_cmp);
            Figure { contender, median: median(&samples), minimum: samples[0] }
        });
        let figures = figures.collect();
        Self { unit, ..self }.print("", None, figures);
    }

    fn print(&self, suffix: &str, reach: Option<Reach>, figures: Vec<Figure>) {
        let title = format!("{}{suffix}", self.title);
        let reach = reach.or_else(|| self.reach.clone());
        println!("{}", Record { title, unit: self.unit.to_owned(), reach, figures });
    }
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// An entry and its samples.
struct Lane<'a, T> {
    entry: Entry<'a, T>,
    /// Calls in a sample.
    batch: u32,
    samples: Vec<f64>,
}

impl<'a, T> Lane<'a, T> {
    /// Warms up, and counts the calls that fit a sample of this length.
    fn new(entry: Entry<'a, T>, sample: Duration) -> Self {
        let sample = if entry.prepare.is_some() { Duration::ZERO } else { sample };
        let start = Instant::now();
        let mut batch = 0;
        while batch == 0 || start.elapsed() < sample {
            black_box((entry.call)());
            batch += 1;
        }
        Self { entry, batch, samples: Vec::new() }
    }

    /// Times one batch after its rest, or after one more call to be hot; returns the last result.
    fn sample(&mut self, rest: Option<Duration>) -> T {
        match (rest, &self.entry.prepare) {
            (Some(rest), _) => thread::sleep(rest),
            (None, Some(prepare)) => prepare(),
            (None, None) => drop(black_box((self.entry.call)())),
        }
        let start = Instant::now();
        for _ in 1..self.batch {
            black_box((self.entry.call)());
        }
        let result = (self.entry.call)();
        self.samples.push(start.elapsed().as_nanos() as f64 / f64::from(self.batch));
        result
    }

    fn complaint(&self) -> String {
        format!("{} and the loop disagree", self.entry.contender.name())
    }
}

impl<'a, T> Entry<'a, T> {
    /// The same contender's calls, one after the other, as one.
    ///
    /// # Panics
    ///
    /// Without any.
    pub(crate) fn in_turn(entries: Vec<Self>) -> Entry<'a, Vec<T>>
    where
        T: 'a,
    {
        let contender = entries[0].contender;
        Entry::new(contender, move || entries.iter().map(|entry| (entry.call)()).collect())
    }

    /// Enters a contender.
    pub(crate) fn new(contender: Contender, call: impl Fn() -> T + 'a) -> Self {
        Self { contender, prepare: None, call: Box::new(call) }
    }

    /// Whose entry this is.
    pub(crate) fn contender(&self) -> Contender {
        self.contender
    }

    /// Calls it outside a race.
    pub(crate) fn call_once(&self) {
        drop(black_box((self.call)()));
    }

    /// What the contender does before each call, outside the clock, instead of the call itself.
    pub(crate) fn after(self, prepare: impl Fn() + 'a) -> Self {
        Self { prepare: Some(Box::new(prepare)), ..self }
    }
}
