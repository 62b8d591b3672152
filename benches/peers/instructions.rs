//! Instructions instead of time: what a join and a task cost, whatever else the machine does.
//!
//! The parent runs this program under callgrind, once with a little and once with much of the same
//! work, in pools of one thread: the difference is what the work costs, without what starts and
//! ends a process. Threads that wait by spinning count, as they should.

use std::{env, io, process::Command};

use crate::{
    contenders::{Cast, Contender, Contenders},
    options::Options,
    placement::Placement,
    rows::{fork_join, spawns},
};

/// Work that comes in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Join,
    Task,
    ScopedTask,
}

/// Each work, what the table calls it, and what manyhands is to reach.
const WORKS: [(Work, &str, f64); 3] = [
    (Work::Join, "a join of fib", 45.0),
    (Work::Task, "a task, from spawn to join", 400.0),
    (Work::ScopedTask, "a scoped task", 220.0),
];

const CONTENDERS: [Contender; 6] = [
    Contender::Loop,
    Contender::Rayon,
    Contender::Chili,
    Contender::Forte,
    Contender::Channel,
    Contender::Manyhands,
];

impl Work {
    /// What a child is told.
    fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Task => "task",
            Self::ScopedTask => "scoped-task",
        }
    }

    /// The work of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        WORKS.into_iter().map(|(work, ..)| work).find(|work| work.name() == name)
    }

    /// A little of it and much: the argument for a child, and how many pieces that makes.
    fn sizes(self) -> [(u64, u64); 2] {
        let joins = |n| (u64::from(n), fork_join::joins(n));
        match self {
            Self::Join => [joins(12), joins(20)],
            Self::Task | Self::ScopedTask => [(1_000, 1_000), (11_000, 11_000)],
        }
    }

    /// Does so much of it. False: the contender does not do such work.
    fn run(self, contenders: &Contenders, contender: Contender, size: u64) -> bool {
        match self {
            Self::Join => fork_join::fib_by(contenders, contender, size as u32).is_some(),
            Self::Task => spawns::start_all_by(contenders, contender, size).is_some(),
            Self::ScopedTask => spawns::scope_by(contenders, contender, size).is_some(),
        }
    }
}

/// A child: does the work once, under callgrind. What a contender cannot do costs nothing.
pub(crate) fn run(work: Work, contender: Contender, size: u64) {
    let contenders = Contenders::new(1, &Placement::default(), Cast::Only(contender));
    if !work.run(&contenders, contender, size) {
        std::process::exit(NO_SUCH_WORK);
    }
}

/// How a child ends whose contender does not do such work.
const NO_SUCH_WORK: i32 = 3;

/// The parent: prints a table.
pub(crate) fn compare(options: &Options) -> io::Result<()> {
    let names = CONTENDERS.map(Contender::name).join(" | ");
    println!("| instructions, pools of 1 | {names} | reach |");
    println!("| --- | {}", "---: | ".repeat(CONTENDERS.len() + 1));
    for (work, title, reach) in WORKS {
        if !title.contains(&options.filter) {
            continue;
        }
        print!("| {title} |");
        for contender in CONTENDERS {
            match pieces_cost(work, contender)? {
                Some(cost) => print!(" {cost:.1} |"),
                None => print!(" |"),
            }
        }
        println!(" {reach} |");
    }
    Ok(())
}

/// Instructions a piece.
fn pieces_cost(work: Work, contender: Contender) -> io::Result<Option<f64>> {
    let [(little, few), (much, many)] = work.sizes();
    let counts = [count(work, contender, little)?, count(work, contender, much)?];
    let [Some(less), Some(more)] = counts else { return Ok(None) };
    Ok(Some((more - less) / (many - few) as f64))
}

/// Instructions of a child.
fn count(work: Work, contender: Contender, size: u64) -> io::Result<Option<f64>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["--bench", "--cast", contender.name()])
        .args(["--instructions-of", work.name(), "--size", &size.to_string()])
        .output()
        .map_err(|error| io::Error::other(format!("valgrind: {error}")))?;
    if output.status.code() == Some(NO_SUCH_WORK) {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.map(Some).ok_or_else(|| io::Error::other(format!("callgrind counted nothing:\n{said}")))
}
