//! Prints the SHA-256 of every file below a directory, as `sha256sum` does.
//!
//! ```text
//! cargo run --release --example manifest -- PATH > /elsewhere/manifest
//! sha256sum --check /elsewhere/manifest
//! ```
//!
//! The lines are sorted by path, byte by byte, and are the very bytes that this pipeline prints:
//!
//! ```text
//! find -H PATH -type f -print0 | LC_ALL=C sort --zero-terminated | xargs --null sha256sum
//! ```
//!
//! So a path may hold anything: one with a backslash, a line feed or a carriage return is escaped
//! as `sha256sum` escapes it, and one that is not UTF-8 is printed as it is.
//!
//! Below a directory, regular files count; symbolic links are not followed, and devices, sockets
//! and pipes are left alone. `PATH` itself may be a symbolic link, or anything that can be read.
//!
//! What cannot be read is reported on standard error with the reason, the rest goes on, and the
//! exit status is 1. It is 2 when the arguments make no sense. A reader that goes away early
//! (`manifest . | head`) ends the program without a complaint.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use manyhands::Pool;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

const USAGE: &str = "\
usage: manifest PATH

Prints the SHA-256 of every file below PATH, sorted by path, in the form of sha256sum.
A PATH that begins with a dash is written ./-like-this.
";

fn main() -> ExitCode {
    let Some(root) = only_argument(env::args_os().skip(1)) else {
        complain(USAGE.trim_end());
        return ExitCode::from(2);
    };

    let mut missing = Missing::default();
    let files = files_below(&root, &mut missing);
    let lines = digest_all(files, &mut missing);
    match print(&lines) {
        // Who stops reading has seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(format_args!("manifest: standard output: {error}"));
            ExitCode::FAILURE
        }
        _ if missing.any() => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn only_argument(mut arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let path = arguments.next()?;
    let is_path = !path.is_empty() && !path.as_encoded_bytes().starts_with(b"-");
    (is_path && arguments.next().is_none()).then(|| path.into())
}

/// The files below `root`, sorted.
///
/// Anything but a directory is its own only file, as for `sha256sum`.
fn files_below(root: &Path, missing: &mut Missing) -> Vec<PathBuf> {
    if !root.is_dir() {
        return vec![root.to_path_buf()];
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(root) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => match (error.path(), error.io_error()) {
                (Some(directory), Some(reason)) => missing.report(directory, reason),
                _ => missing.report(root, &error),
            },
        }
    }
    // A `Path` compares by components, which puts `a/b` before `a-b`; `sort` compares bytes.
    files.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    files
}

/// The work: every file goes to whoever is free, the results come back in order.
fn digest_all(files: Vec<PathBuf>, missing: &mut Missing) -> Vec<(PathBuf, [u8; 32])> {
    let progress = Progress::new(files.len());
    let digests = Pool::global().map_catch(&files, |file| {
        let digest = digest(file);
        progress.one_more();
        digest
    });
    progress.clear();

    let mut lines = Vec::with_capacity(files.len());
    for (file, digest) in files.into_iter().zip(digests) {
        match digest {
            Ok(Ok(digest)) => lines.push((file, digest)),
            Ok(Err(error)) => missing.report(&file, &error),
            // A panic costs its own file only, like an error.
            Err(panic) => missing.report(&file, &panic.message().unwrap_or("panicked")),
        }
    }
    lines
}

/// Reads the file block by block, so that its size does not matter.
fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finalize().into())
}

fn print(lines: &[(PathBuf, [u8; 32])]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for (path, digest) in lines {
        write_line(&mut out, digest, path)?;
    }
    out.flush()
}

/// Writes what `sha256sum` prints for the file: a backslash in front says that the name is escaped.
fn write_line(out: &mut impl Write, digest: &[u8; 32], path: &Path) -> io::Result<()> {
    let name = path.as_os_str().as_encoded_bytes();
    if name.iter().any(|&byte| escape(byte).is_some()) {
        out.write_all(b"\\")?;
    }
    for byte in digest {
        write!(out, "{byte:02x}")?;
    }
    out.write_all(b"  ")?;
    for byte in name {
        match escape(*byte) {
            Some(escaped) => out.write_all(escaped)?,
            None => out.write_all(&[*byte])?,
        }
    }
    out.write_all(b"\n")
}

fn escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'\\' => Some(b"\\\\"),
        b'\n' => Some(b"\\n"),
        b'\r' => Some(b"\\r"),
        _ => None,
    }
}

/// What the manifest lacks.
#[derive(Default)]
struct Missing {
    count: usize,
}

impl Missing {
    fn report(&mut self, path: &Path, reason: &dyn Display) {
        self.count += 1;
        complain(format_args!("manifest: {path:?}: {reason}"));
    }

    fn any(&self) -> bool {
        self.count > 0
    }
}

/// A bar on standard error, if somebody is there to see it.
struct Progress {
    total: usize,
    done: AtomicUsize,
    shown: bool,
}

impl Progress {
    fn new(total: usize) -> Self {
        Self { total, done: AtomicUsize::new(0), shown: io::stderr().is_terminal() }
    }

    fn one_more(&self) {
        // ORDERING: Relaxed, since the counter guards nothing: it is only shown.
        let done = self.done.fetch_add(1, Relaxed) + 1;
        if self.shown && self.percent(done) != self.percent(done - 1) {
            self.draw();
        }
    }

    fn draw(&self) {
        const WIDTH: usize = 40;
        // Read again under the lock, the counter never runs backwards on the screen.
        let mut err = io::stderr().lock();
        // ORDERING: Relaxed, as in `one_more`; the lock orders the reads of two drawers.
        let done = self.done.load(Relaxed);
        let percent = self.percent(done);
        let bar = "#".repeat(percent * WIDTH / 100);
        let total = self.total;
        let _ = write!(err, "\r[{bar:<WIDTH$}] {percent:>3}% of {total} files");
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn percent(&self, done: usize) -> usize {
        done * 100 / self.total
    }
}

/// Says it on standard error. If even that fails, the exit status has to do.
fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}
