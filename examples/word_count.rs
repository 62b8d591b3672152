//! Counts the words of text files and prints the most frequent ones.
//!
//! ```text
//! cargo run --release --example word_count -- FILE...
//! ```
//!
//! Each file becomes a tally of its own, on whichever thread is free, and `map_reduce` merges the
//! tallies pairwise. Neither merging nor printing depends on who did what, so two runs print the
//! same. A word is a run of letters in any script, in lower case; bytes that are not UTF-8
//! separate words. The output is that of
//!
//! ```text
//! export LC_ALL=C.UTF-8
//! cat FILE... | grep --text --only-matching '[[:alpha:]]\+' | sed 's/.*/\L&/' |
//!     LC_ALL=C sort | uniq --count | LC_ALL=C sort --key=1,1nr --key=2 | head --lines=20
//! ```
//!
//! What cannot be read is reported on standard error, the rest is counted, and the exit status
//! is 1. It is 2 without an argument.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use manyhands::map_reduce;

const SHOWN: usize = 20;

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let Some(tally) = map_reduce(&paths, |path| Tally::of(path), Tally::merge) else {
        eprintln!("usage: word_count FILE...");
        return ExitCode::from(2);
    };

    for (path, error) in &tally.unread {
        eprintln!("word_count: {path:?}: {error}");
    }
    match print(&tally.most_frequent(SHOWN)) {
        // Who stops reading has seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("word_count: standard output: {error}");
            ExitCode::FAILURE
        }
        _ if tally.unread.is_empty() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// How often each word occurs, and which files are not part of it.
#[derive(Default)]
struct Tally {
    words: HashMap<String, u64>,
    unread: Vec<(PathBuf, io::Error)>,
}

impl Tally {
    fn of(path: &Path) -> Self {
        let mut tally = Self::default();
        match fs::read(path) {
            Ok(bytes) => tally.count(&String::from_utf8_lossy(&bytes)),
            Err(error) => tally.unread.push((path.to_path_buf(), error)),
        }
        tally
    }

    fn count(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_alphabetic());
        for word in words.filter(|word| !word.is_empty()) {
            *self.words.entry(word.to_lowercase()).or_default() += 1;
        }
    }

    /// Both together. The files of `self` come before those of `other`, as in the arguments.
    fn merge(mut self, mut other: Self) -> Self {
        self.unread.append(&mut other.unread);
        // The order does not matter to sums, so the smaller map moves into the larger.
        if self.words.len() < other.words.len() {
            std::mem::swap(&mut self.words, &mut other.words);
        }
        for (word, count) in other.words {
            *self.words.entry(word).or_default() += count;
        }
        self
    }

    /// The words that occur most often; those that occur equally often by the alphabet.
    fn most_frequent(&self, limit: usize) -> Vec<(&str, u64)> {
        let mut words: Vec<_> = self.words.iter().map(|(word, &n)| (word.as_str(), n)).collect();
        words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        words.truncate(limit);
        words
    }
}

fn print(words: &[(&str, u64)]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (word, count) in words {
        writeln!(out, "{count:>7} {word}")?;
    }
    out.flush()
}
