//! The parent: has everything measured by children, several times over, and puts it together.
//!
//! Each child is one process with one cast. Layout of code and memory, and where threads happen to
//! run, differ from process to process more than from call to call.

use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::{
    contenders::{Cast, Contender},
    options::Options,
    record::{Figure, Reach, Record},
};

/// Processes of the whole bench, unless asked for: pinned and unpinned.
const PINNED: usize = 5;
const UNPINNED: usize = 3;

/// A row, put together from all processes.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) title: String,
    pub(crate) unit: String,
    pub(crate) reach: Option<Reach>,
    /// The median of each contender's medians, and the least of its minima.
    pub(crate) figures: Vec<Figure>,
    /// What each process measured.
    runs: Vec<Record>,
}

/// How manyhands stands beside another contender, over all processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) contender: Contender,
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// One table: rows in order.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) is_pinned: bool,
    pub(crate) outcomes: Vec<Outcome>,
}

/// Runs the children for one table.
pub(crate) fn table(options: &Options, is_pinned: bool) -> io::Result<Table> {
    let processes = options.processes.unwrap_or(if is_pinned { PINNED } else { UNPINNED });
    let mut outcomes = Outcomes::default();
    for process in 0..processes {
        eprintln!("{} {} of {processes}", mode(is_pinned), process + 1);
        for cast in [Cast::Company, Cast::Forte] {
            outcomes.add(process, run_child(options, is_pinned, cast)?);
        }
    }
    if is_pinned {
        eprintln!("growth");
        outcomes.add(0, run_child(options, is_pinned, Cast::Growth)?);
    } else {
        for process in 0..processes {
            eprintln!("footprints {} of {processes}", process + 1);
            for contender in Contender::ALL {
                outcomes.add(process, run_child(options, is_pinned, Cast::Only(contender))?);
            }
        }
    }
    Ok(Table { is_pinned, outcomes: outcomes.finish() })
}

fn mode(is_pinned: bool) -> &'static str {
    if is_pinned { "pinned" } else { "unpinned" }
}

/// Has one cast measured in a process of its own.
fn run_child(options: &Options, is_pinned: bool, cast: Cast) -> io::Result<Vec<Record>> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--bench", &options.filter, "--cast", cast.name()]);
    command.args([&format!("--{}", mode(is_pinned)), "--threads", &options.threads().to_string()]);
    if options.quick {
        command.arg("--quick");
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    let garbled = |line: &str| io::Error::other(format!("a child printed {line:?}"));
    let records = lines
        .map(|line| line.and_then(|line| line.parse().map_err(|_| garbled(&line))))
        .collect::<io::Result<_>>()?;
    match child.wait()? {
        status if status.success() => Ok(records),
        status => Err(io::Error::other(format!("a child ended with {status}"))),
    }
}

/// What has come in so far.
#[derive(Default)]
struct Outcomes {
    order: Vec<String>,
    /// By title: what each process measured.
    runs: BTreeMap<String, BTreeMap<usize, Record>>,
}

impl Outcomes {
    fn add(&mut self, process: usize, records: Vec<Record>) {
        for record in records {
            let runs = self.runs.entry(record.title.clone()).or_insert_with(|| {
                self.order.push(record.title.clone());
                BTreeMap::new()
            });
            match runs.get_mut(&process) {
                Some(known) => known.take_in(&record),
                None => drop(runs.insert(process, record)),
            }
        }
    }

    fn finish(mut self) -> Vec<Outcome> {
        let take = |title: String| {
            let runs = self.runs.remove(&title).expect("every title has runs");
            Outcome::of(runs.into_values().collect())
        };
        self.order.into_iter().map(take).collect()
    }
}

impl Record {
    /// Takes in the figures of others from another process, as if manyhands (or else the loop) had
    /// taken as long there: so they stand to it as they did there.
    fn take_in(&mut self, other: &Self) {
        let pace = |who| {
            let median = |record: &Self| record.figure(who).map(|figure| figure.median);
            Some(median(self)? / median(other)?)
        };
        let scale = pace(Contender::Manyhands).or_else(|| pace(Contender::Loop)).unwrap_or(1.0);
        for &Figure { contender, median, minimum } in &other.figures {
            if self.figure(contender).is_none() {
                let (median, minimum) = (median * scale, minimum * scale);
                self.figures.push(Figure { contender, median, minimum });
            }
        }
    }
}

impl Outcome {
    fn of(runs: Vec<Record>) -> Self {
        let figures = Contender::ALL.into_iter().filter_map(|contender| {
            let figures: Vec<_> = runs.iter().filter_map(|run| run.figure(contender)).collect();
            let minimum = figures.iter().map(|figure| figure.minimum).min_by(f64::total_cmp)?;
            let medians = figures.iter().map(|figure| figure.median).collect();
            Some(Figure { contender, median: median(medians), minimum })
        });
        let figures = figures.collect();
        let Record { title, unit, reach, .. } = runs[0].clone();
        Self { title, unit, reach, figures, runs }
    }

    /// What `contender` took, if it took part.
    pub(crate) fn figure(&self, contender: Contender) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.contender == contender)
    }

    /// The peer with the least median.
    pub(crate) fn best_peer(&self) -> Option<Contender> {
        let peers = self.figures.iter().filter(|figure| figure.contender.is_peer());
        let best = peers.min_by(|a, b| a.median.total_cmp(&b.median));
        best.map(|figure| figure.contender)
    }

    /// manyhands' median by that of `contender`, in each process.
    pub(crate) fn standing(&self, contender: Contender) -> Option<Standing> {
        let ratio = |run: &Record| {
            Some(run.figure(Contender::Manyhands)?.median / run.figure(contender)?.median)
        };
        let ratios: Vec<_> = self.runs.iter().filter_map(ratio).collect();
        let least = ratios.iter().copied().min_by(f64::total_cmp)?;
        let most = ratios.iter().copied().max_by(f64::total_cmp)?;
        Some(Standing { contender, median: median(ratios), least, most })
    }
}

impl Table {
    /// What manyhands is to reach in a row, in that row's unit.
    pub(crate) fn reach(&self, outcome: &Outcome) -> Option<f64> {
        let reach = outcome.reach.as_ref()?;
        if reach.factor == 0.0 {
            return Some(reach.plus);
        }
        let row = match &reach.row {
            None => outcome,
            Some(title) => self.outcomes.iter().find(|other| other.title == *title)?,
        };
        Some(reach.factor * row.figure(reach.of)?.median + reach.plus)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
