//! What the command line asks for.

use crate::{contenders::Cast, instructions::Work};

/// How to use the program.
pub(crate) const USAGE: &str =
    "[FILTER] [--threads N] [--processes N] [--pinned | --unpinned] [--quick] | --instructions";

/// The parsed command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Only rows whose title contains this.
    pub(crate) filter: String,
    /// The size of every pool: 2, unless asked for.
    pub(crate) threads: Option<usize>,
    /// How many times to run everything, each in a process of its own.
    pub(crate) processes: Option<usize>,
    /// Only pinned, or only unpinned.
    pub(crate) pinned: Option<bool>,
    /// Few rounds.
    pub(crate) quick: bool,
    /// Whether `cargo bench` started us; `cargo test --all-targets` must not take minutes.
    pub(crate) bench: bool,
    /// A child, whose contenders these are.
    pub(crate) cast: Option<Cast>,
    /// Count instructions instead.
    pub(crate) instructions: bool,
    /// A child whose instructions are counted: what it does, and how much.
    pub(crate) work: Option<Work>,
    pub(crate) size: usize,
    /// A child that does nothing but turn round, to keep a core busy.
    pub(crate) spin: bool,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => options.bench = true,
                "--quick" => options.quick = true,
                "--pinned" => options.pinned = Some(true),
                "--unpinned" => options.pinned = Some(false),
                "--spin" => options.spin = true,
                "--instructions" => options.instructions = true,
                "--instructions-of" => options.work = Some(work(arguments.next())?),
                "--size" => options.size = number(&argument, arguments.next())?,
                "--threads" => options.threads = Some(number(&argument, arguments.next())?),
                "--processes" => options.processes = Some(number(&argument, arguments.next())?),
                "--cast" => options.cast = Some(cast(arguments.next())?),
                flag if flag.starts_with('-') => return Err(format!("unknown option {flag}")),
                _ => options.filter = argument,
            }
        }
        Ok(options)
    }

    /// The size of every pool.
    pub(crate) fn threads(&self) -> usize {
        self.threads.unwrap_or(2)
    }
}

fn number(option: &str, argument: Option<String>) -> Result<usize, String> {
    argument
        .and_then(|number| number.parse().ok())
        .filter(|&number| number > 0)
        .ok_or_else(|| format!("{option} wants a number from 1 on"))
}

fn work(argument: Option<String>) -> Result<Work, String> {
    argument.as_deref().and_then(Work::named).ok_or_else(|| "no such work".to_owned())
}

fn cast(argument: Option<String>) -> Result<Cast, String> {
    argument.as_deref().and_then(Cast::named).ok_or_else(|| "--cast wants a cast".to_owned())
}
