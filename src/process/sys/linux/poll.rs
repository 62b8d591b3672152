//! Waits for any of several things.

use std::io;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::{Bell, Child, Socket};

/// What can be waited for.
#[derive(Clone, Copy, Debug)]
pub(in crate::process) enum Wait<'a> {
    /// The bell is rung.
    Rung(&'a Bell),
    /// The process has ended.
    Ended(&'a Child),
    /// Something has come, or nothing will come any more.
    Readable(&'a Socket),
    /// There is room, or nobody will read any more.
    Writable(&'a Socket),
}

/// Waits until one of `things` is there, or until `deadline`; says of each whether it is there.
pub(in crate::process) fn poll(
    things: &[Wait<'_>],
    deadline: Option<Instant>,
) -> io::Result<Vec<bool>> {
    let mut files: Vec<PollFd<'_>> = things.iter().map(file).collect();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // A time that is too long for the system to count is none.
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(&mut files, left.as_ref()) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(files.iter().map(|file| !file.revents().is_empty()).collect()),
        }
    }
}

fn file<'a>(thing: &Wait<'a>) -> PollFd<'a> {
    match *thing {
        Wait::Rung(bell) => PollFd::new(bell, PollFlags::IN),
        Wait::Ended(child) => PollFd::new(child, PollFlags::IN),
        Wait::Readable(socket) => PollFd::new(socket, PollFlags::IN),
        Wait::Writable(socket) => PollFd::new(socket, PollFlags::OUT),
    }
}
