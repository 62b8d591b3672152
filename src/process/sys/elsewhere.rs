//! Every other system: nothing is supported, and says so.
//!
//! Of most things there are none, so what they would do is never done. Only this file sees that, or
//! every use of them would be reported as unreachable.

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::process::ExitStatus;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use crate::process::entry::Entry;
use crate::process::worker;

/// There are no values of it.
#[derive(Clone, Copy, Debug)]
enum Never {}

/// A file that is open. There are none.
#[derive(Debug)]
pub(in crate::process) struct OpenFile(Never);

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Chime(Never);

/// See Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "nothing is ever heard")]
pub(in crate::process) enum Heard {
    Ring,
    HangUp,
    Nothing,
}

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Carrier(Never);

/// See Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "nothing is ever loaded")]
pub(in crate::process) enum Loaded {
    Yes,
    Full,
    Gone,
}

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Tape(Never);

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Mapping(Never);

/// See Linux. There are none.
#[derive(Clone, Copy, Debug)]
pub(in crate::process) struct Turnstile<'a>(&'a Mapping);

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Passage<'a>(&'a Mapping);

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Chime {
    pub(in crate::process) fn pair() -> io::Result<(Self, Self)> {
        unsupported()
    }

    pub(in crate::process) fn of_file(file: OpenFile) -> Self {
        match file.0 {}
    }

    pub(in crate::process) fn to_file(&self) -> io::Result<OpenFile> {
        match self.0 {}
    }

    pub(in crate::process) fn ring(&self) -> io::Result<bool> {
        match self.0 {}
    }

    pub(in crate::process) fn silence(&self) {
        match self.0 {}
    }

    pub(in crate::process) fn listen(&self, _: Option<Instant>) -> io::Result<Heard> {
        match self.0 {}
    }

    pub(in crate::process) fn has_hung_up(&self) -> io::Result<bool> {
        match self.0 {}
    }
}

impl Carrier {
    pub(in crate::process) const LIMIT: usize = 0;

    pub(in crate::process) fn pair() -> io::Result<(Self, Self)> {
        unsupported()
    }

    pub(in crate::process) fn of_file(file: OpenFile) -> Self {
        match file.0 {}
    }

    pub(in crate::process) fn to_file(&self) -> io::Result<OpenFile> {
        match self.0 {}
    }

    pub(in crate::process) fn load(&self, _: u64, _: &[OpenFile]) -> io::Result<Loaded> {
        match self.0 {}
    }

    pub(in crate::process) fn wait_for_room(&self, _: Option<Instant>) -> io::Result<Heard> {
        match self.0 {}
    }

    pub(in crate::process) fn unload(&self, _: u64) -> io::Result<Option<Vec<OpenFile>>> {
        match self.0 {}
    }

    pub(in crate::process) fn clear(&self) -> io::Result<()> {
        match self.0 {}
    }
}

impl Tape {
    pub(in crate::process) fn new() -> io::Result<Self> {
        unsupported()
    }

    pub(in crate::process) fn of_file(file: OpenFile) -> io::Result<Self> {
        match file.0 {}
    }

    pub(in crate::process) fn to_file(&self) -> io::Result<OpenFile> {
        match self.0 {}
    }

    pub(in crate::process) fn number(&self) -> io::Result<u64> {
        match self.0 {}
    }

    pub(in crate::process) fn reserve(&self, _: Range<u64>) -> io::Result<()> {
        match self.0 {}
    }

    pub(in crate::process) fn release(&self, _: Range<u64>) -> io::Result<()> {
        match self.0 {}
    }

    pub(in crate::process) fn map(&self, _: usize) -> io::Result<Mapping> {
        match self.0 {}
    }
}

impl Mapping {
    pub(in crate::process) fn len(&self) -> usize {
        match self.0 {}
    }

    pub(in crate::process) fn word(&self, _: usize) -> &AtomicU64 {
        match self.0 {}
    }

    pub(in crate::process) fn read(&self, _: usize, _: usize, _: &mut Vec<u8>) {
        match self.0 {}
    }

    pub(in crate::process) fn write(&self, _: usize, _: &[u8]) {
        match self.0 {}
    }

    pub(in crate::process) fn copy(&self, _: usize, _: usize, _: usize) {
        match self.0 {}
    }
}

impl<'a> Turnstile<'a> {
    pub(in crate::process) fn at(mapping: &'a Mapping, _: usize) -> Self {
        match mapping.0 {}
    }

    pub(in crate::process) fn init(self) -> io::Result<()> {
        match self.0.0 {}
    }

    pub(in crate::process) fn pass(self) -> io::Result<Passage<'a>> {
        match self.0.0 {}
    }
}

impl Passage<'_> {
    pub(in crate::process) fn is_inherited(&self) -> bool {
        match self.0.0 {}
    }

    pub(in crate::process) fn settle(&mut self) -> io::Result<()> {
        match self.0.0 {}
    }
}

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Socket(Never);

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Bell(Never);

/// See Linux. There are none.
#[derive(Debug)]
pub(in crate::process) struct Child(Never);

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
        match self.0 {}
    }

    pub(in crate::process) fn receive(
        &self,
        _: &mut [u8],
        _: &mut impl Extend<OpenFile>,
        _: bool,
    ) -> io::Result<usize> {
        match self.0 {}
    }

    pub(in crate::process) fn stop_reading(&self) {
        match self.0 {}
    }

    pub(in crate::process) fn stop_writing(&self) {
        match self.0 {}
    }
}

impl Bell {
    pub(in crate::process) fn new() -> io::Result<Self> {
        unsupported()
    }

    pub(in crate::process) fn ring(&self) {
        match self.0 {}
    }

    pub(in crate::process) fn clear(&self) {
        match self.0 {}
    }
}

impl Child {
    pub(in crate::process) fn launch(_: &Launch, socket: Socket) -> io::Result<Self> {
        match socket.0 {}
    }

    pub(in crate::process) fn pid(&self) -> u32 {
        match self.0 {}
    }

    pub(in crate::process) fn terminate(&self) {
        match self.0 {}
    }

    pub(in crate::process) fn kill(&self) {
        match self.0 {}
    }

    pub(in crate::process) fn reap(&self) -> Option<ExitStatus> {
        match self.0 {}
    }
}

pub(in crate::process) fn raw_status(status: ExitStatus) -> (Option<i32>, Option<i32>) {
    (status.code(), None)
}

pub(in crate::process) fn poll(things: &[Wait<'_>], _: Option<Instant>) -> io::Result<Vec<bool>> {
    match things.first() {
        None => unsupported(),
        Some(Wait::Rung(bell)) => match bell.0 {},
        Some(Wait::Ended(child)) => match child.0 {},
        Some(Wait::Readable(socket) | Wait::Writable(socket)) => match socket.0 {},
    }
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

pub(in crate::process) fn start_here() {
    if let Some(socket) = summoned() {
        worker::serve(socket);
    }
}

/// Nobody starts workers.
fn summoned() -> Option<Socket> {
    None
}

pub(in crate::process) fn become_worker(_: Option<u64>) -> io::Result<()> {
    unsupported()
}

pub(in crate::process) fn watch_parent(socket: &Socket) -> ! {
    match socket.0 {}
}

pub(in crate::process) fn leave(code: i32) -> ! {
    std::process::exit(code)
}
