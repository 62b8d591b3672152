//! A row: the same work by several contenders, in rounds.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use crate::{contenders::Contender, options::Options, table};

/// Rounds that even a slow row gets.
const LEAST_ROUNDS: usize = 5;

/// Which rows to run, and for how long.
pub(crate) struct Bench {
    filter: String,
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
    hot_rounds: 51,
    idle_rounds: 201,
    sample: Duration::from_millis(4),
    row: Duration::from_secs(10),
};

const QUICK: Plan = Plan {
    hot_rounds: 5,
    idle_rounds: 21,
    sample: Duration::from_millis(1),
    row: Duration::from_secs(1),
};

/// What a row counts in.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    /// Nanoseconds of a call that make one.
    pub(crate) nanos: f64,
}

/// A line of the table that waits for its contenders.
pub(crate) struct Row<'a> {
    bench: &'a Bench,
    title: String,
    unit: Unit,
    rest: Option<Duration>,
}

/// One contender's way to do the work of a row.
pub(crate) struct Entry<'a, T> {
    contender: Contender,
    call: Box<dyn Fn() -> T + 'a>,
}

/// What one contender took, in nanoseconds a call.
pub(crate) struct Times {
    pub(crate) contender: Contender,
    pub(crate) median: f64,
    pub(crate) minimum: f64,
}

impl Bench {
    /// A bench as the command line asks for it.
    pub(crate) fn new(options: Options) -> Self {
        Self { filter: options.filter, plan: if options.quick { QUICK } else { FULL } }
    }

    /// Opens a row, unless the filter leaves it out. It counts microseconds a hot call.
    pub(crate) fn row(&self, title: String) -> Option<Row<'_>> {
        let unit = Unit { name: "µs", nanos: 1e3 };
        title.contains(&self.filter).then_some(Row { bench: self, title, unit, rest: None })
    }
}

impl Row<'_> {
    /// Counts nanoseconds for each of the `count` pieces of a call.
    pub(crate) fn per(self, count: u64) -> Self {
        Self { unit: Unit { name: "ns", nanos: count as f64 }, ..self }
    }

    /// Lets everything rest before each call.
    pub(crate) fn after(self, rest: Duration) -> Self {
        Self { rest: Some(rest), ..self }
    }

    /// Runs the contenders and prints the row.
    ///
    /// # Panics
    ///
    /// When a result differs from that of the first entry, the plain loop.
    pub(crate) fn race<T: PartialEq>(self, entries: Vec<Entry<'_, T>>) {
        let Plan { hot_rounds, idle_rounds, sample, row } = self.bench.plan;
        let (rounds, sample) = match self.rest {
            None => (hot_rounds, sample),
            Some(_) => (idle_rounds, Duration::ZERO),
        };
        let expected = (entries[0].call)();
        let mut lanes: Vec<_> = entries.into_iter().map(|entry| Lane::new(entry, sample)).collect();
        let start = Instant::now();
        for round in 0..rounds {
            if round >= LEAST_ROUNDS && start.elapsed() > row {
                break;
            }
            for turn in 0..lanes.len() {
                let lane = (round + turn) % lanes.len();
                let result = lanes[lane].sample(self.rest);
                assert!(result == expected, "{}: {}", self.title, lanes[lane].complaint());
            }
        }
        let times: Vec<_> = lanes.into_iter().map(Lane::times).collect();
        table::print_row(&self.title, &self.unit, &times);
    }
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
        match rest {
            Some(rest) => thread::sleep(rest),
            None => drop(black_box((self.entry.call)())),
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

    fn times(mut self) -> Times {
        self.samples.sort_by(f64::total_cmp);
        Times {
            contender: self.entry.contender,
            median: self.samples[self.samples.len() / 2],
            minimum: self.samples[0],
        }
    }
}

impl<'a, T> Entry<'a, T> {
    /// Enters a contender.
    pub(crate) fn new(contender: Contender, call: impl Fn() -> T + 'a) -> Self {
        Self { contender, call: Box::new(call) }
    }
}
