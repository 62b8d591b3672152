//! Lists everything below a directory, as `find` does, level by level, with all threads.
//!
//! ```text
//! cargo run --release --example crawler -- PATH
//! ```
//!
//! The workers take folders from a channel and put the folders that they find into the same one. None
//! of them can tell by itself when all is done: each holds a sender, so the channel never ends while
//! one of them waits. Here every folder that is still to be looked at carries a share of one sender,
//! and the workers hold none: the last folder takes it along, and the channel ends.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use manyhands::channel::{self, Receiver, Sender};

/// A folder to look at. It keeps the channel open that it lies in.
struct Visit {
    folder: PathBuf,
    depth: usize,
    queue: Sender<Visit>,
}

/// What was found.
struct Entry {
    depth: usize,
    path: PathBuf,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(root), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: crawler PATH");
        return Ok(ExitCode::from(2));
    };
    let (mut entries, failures) = crawl(root.into())?;
    // The workers bring them as they come.
    entries.sort_by(|one, other| (one.depth, &one.path).cmp(&(other.depth, &other.path)));
    let mut out = io::BufWriter::new(io::stdout().lock());
    for entry in &entries {
        out.write_all(entry.path.as_os_str().as_bytes())?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    failures.iter().for_each(|failure| eprintln!("crawler: {failure}"));
    let levels = entries.last().map_or(0, |entry| entry.depth + 1);
    eprintln!("{} entries on {levels} levels", entries.len());
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All that lies below `root`, itself included, and what could not be looked at.
fn crawl(root: PathBuf) -> Result<(Vec<Entry>, Vec<String>), Box<dyn Error>> {
    let is_folder =
        fs::symlink_metadata(&root).map_err(|error| format!("{root:?}: {error}"))?.is_dir();
    let (queue, visits) = channel::unbounded();
    let mut entries = vec![Entry { depth: 0, path: root.clone() }];
    if is_folder {
        queue.send(Visit { folder: root, depth: 1, queue: queue.clone() })?;
    }
    drop(queue);

    let workers = 2 * manyhands::Pool::current().threads();
    let workers: Vec<_> = (0..workers)
        .map(|_| {
            let visits = visits.clone();
            manyhands::spawn(move || work(&visits))
        })
        .collect();
    drop(visits);
    let mut failures = Vec::new();
    for (found, failed) in manyhands::join_all(workers)? {
        entries.extend(found);
        failures.extend(failed);
    }
    failures.sort();
    Ok((entries, failures))
}

/// Looks at folders until there are none, and nobody is left who could find another.
fn work(visits: &Receiver<Visit>) -> (Vec<Entry>, Vec<String>) {
    let (mut entries, mut failures) = (Vec::new(), Vec::new());
    for visit in visits {
        if let Err(error) = look(&visit, &mut entries) {
            failures.push(format!("{:?}: {error}", visit.folder));
        }
    }
    (entries, failures)
}

fn look(visit: &Visit, entries: &mut Vec<Entry>) -> io::Result<()> {
    let depth = visit.depth;
    for entry in fs::read_dir(&visit.folder)? {
        let entry = entry?;
        let path = entry.path();
        // Links are not followed.
        if entry.file_type()?.is_dir() {
            send_on(visit, &path);
        }
        entries.push(Entry { depth, path });
    }
    Ok(())
}

fn send_on(visit: &Visit, folder: &Path) {
    let queue = visit.queue.clone();
    let next = Visit { folder: folder.into(), depth: visit.depth + 1, queue };
    // Whoever runs this receives, so it arrives.
    let _ = visit.queue.send(next);
}
