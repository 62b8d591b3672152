//! Every other system: nothing is supported, and says so.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IoSlice};
use std::process::ExitStatus;
use std::time::Instant;

use crate::process::entry::Entry;

/// A file that is open. There are none.
#[derive(Debug)]
pub(in crate::process) enum OpenFile {}

/// There are none.
#[derive(Debug)]
pub(in crate::process) enum Socket {}

/// There are none.
#[derive(Debug)]
pub(in crate::process) enum Bell {}

/// There are none.
#[derive(Debug)]
pub(in crate::process) enum Child {}

/// What a process would be started with.
#[derive(Debug, Default)]
pub(in crate::process) struct Launch {
    pub(in crate::process) env: Vec<(OsString, OsString)>,
}

/// What could be waited for.
#[derive(Clone, Copy, Debug)]
pub(in crate::process) enum Wait<'a> {
    Rung(&'a Bell),
    Ended(&'a Child),
    Readable(&'a Socket),
    Writable(&'a Socket),
}

fn unsupported<T>() -> io::Result<T> {
    Err(ErrorKind::Unsupported.into())
}

impl Socket {
    pub(in crate::process) const MAX_FILES: usize = 1;

    pub(in crate::process) fn pair() -> io::Result<(Self, Self)> {
        unsupported()
    }

    pub(in crate::process) fn send(
        &self,
        _: &[IoSlice<'_>],
        _: &[OpenFile],
        _: bool,
    ) -> io::Result<usize> {
        match *self {}
    }

    pub(in crate::process) fn receive(
        &self,
        _: &mut [u8],
        _: &mut impl Extend<OpenFile>,
        _: bool,
    ) -> io::Result<usize> {
        match *self {}
    }

    pub(in crate::process) fn stop_reading(&self) {
        match *self {}
    }

    pub(in crate::process) fn stop_writing(&self) {
        match *self {}
    }
}

impl Bell {
    pub(in crate::process) fn new() -> io::Result<Self> {
        unsupported()
    }

    pub(in crate::process) fn ring(&self) {
        match *self {}
    }

    pub(in crate::process) fn clear(&self) {
        match *self {}
    }
}

impl Child {
    pub(in crate::process) fn launch(_: &Launch, socket: Socket) -> io::Result<Self> {
        match socket {}
    }

    pub(in crate::process) fn pid(&self) -> u32 {
        match *self {}
    }

    pub(in crate::process) fn terminate(&self) {
        match *self {}
    }

    pub(in crate::process) fn kill(&self) {
        match *self {}
    }

    pub(in crate::process) fn reap(&self) -> Option<ExitStatus> {
        match *self {}
    }
}

pub(in crate::process) fn raw_status(status: ExitStatus) -> (Option<i32>, Option<i32>) {
    (status.code(), None)
}

pub(in crate::process) fn poll(_: &[Wait<'_>], _: Option<Instant>) -> io::Result<Vec<bool>> {
    unsupported()
}

pub(in crate::process) fn offset_of(_: Entry) -> i64 {
    0
}

pub(in crate::process) fn entry_at(_: i64) -> Option<Entry> {
    None
}

pub(in crate::process) fn build() -> &'static [u8] {
    &[]
}

pub(in crate::process) fn keep_takeover() {}

pub(in crate::process) fn start_here() {}

pub(in crate::process) fn become_worker(_: Option<u64>) -> io::Result<()> {
    unsupported()
}

pub(in crate::process) fn watch_parent(socket: &Socket) -> ! {
    match *socket {}
}

pub(in crate::process) fn leave(code: i32) -> ! {
    std::process::exit(code)
}
