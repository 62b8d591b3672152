//! The log of a channel: its messages, one behind the other, in memory that all holders see.
//!
//! ```text
//!         tail                                head
//!          ▼                                   ▼
//!   ░░░░░░░│ length │ files │ bytes … │ … │ …  │░░░░░░░░
//!          └────────── a record ──────┘         └ the next one is written here
//! ```
//!
//! | a sender, in its turn | a receiver, in its turn |
//! |---|---|
//! | writes a record behind the head | copies the record at the tail |
//! | sends its files, rings the receivers | rings the senders |
//! | publishes it: moves the head | takes it: moves the tail |
//! | | gets its files |
//!
//! # Invariant
//!
//! What lies between tail and head are whole records. Each turn moves one of the two, by one store,
//! and has nothing to finish after it that others rely on. So a holder that dies at any point of its
//! turn leaves a log without its message or with all of it, and the other side is rung at least as
//! often as there is news: rings come first, and whoever hears one waits for the turn to end.
//!
//! # Recovery
//!
//! The system hands the turn of a dead holder on. The next one counts the messages again, and has
//! both sides rung at the next news, whatever stands there. Packets of files whose record is not
//! there are told by their tickets.
//!
//! # Nonsense
//!
//! Every number is checked before it is used. A log that makes no sense fails the operation that
//! notices, and no byte outside of it is touched.

use std::io;
use std::sync::Mutex;

use super::super::sys::{Mapping, OpenFile, Tape, Turnstile};
use super::area::{FIRST, FRONT};
use super::failure::Failure;
use super::front::{Front, LOCK, Word};
use super::turn::Turn;
use crate::sync::lock;

/// "manyhand", and the version of all this.
const MAGIC: u64 = u64::from_be_bytes(*b"manyhan1");

/// What a holder has of the log.
#[derive(Debug)]
pub(super) struct Log {
    tape: Tape,
    front: Front,
    /// The areas, as far as they have been used here. Whoever has it, has the turn in this process.
    areas: Mutex<Mapping>,
    capacity: u64,
    number: u64,
}

impl Log {
    /// An empty one, for `capacity` messages at most; 0: any number.
    pub(super) fn new(capacity: u64) -> io::Result<Self> {
        let tape = Tape::new()?;
        tape.reserve(0..FIRST.span().end)?;
        let mut log = Self::map(tape)?;
        Turnstile::at(log.front.page(), LOCK).init()?;
        log.front.set(Word::Magic, MAGIC);
        log.front.set(Word::Capacity, capacity);
        log.capacity = capacity;
        Ok(log)
    }

    /// The one in this file, if there is one.
    pub(super) fn of_file(file: OpenFile) -> io::Result<Self> {
        let mut log = Self::map(Tape::of_file(file)?)?;
        if log.front.get(Word::Magic) != MAGIC {
            return Err(io::ErrorKind::InvalidData.into());
        }
        log.capacity = log.front.get(Word::Capacity);
        Ok(log)
    }

    fn map(tape: Tape) -> io::Result<Self> {
        let front = Front::new(tape.map(FRONT as usize)?);
        let areas = Mutex::new(tape.map(FIRST.span().end as usize)?);
        let number = tape.number()?;
        Ok(Self { tape, front, areas, capacity: 0, number })
    }

    /// A copy of the file, for another holder.
    pub(super) fn to_file(&self) -> io::Result<OpenFile> {
        self.tape.to_file()
    }

    /// Waits for this holder's turn.
    pub(super) fn turn(&self) -> Result<Turn<'_>, Failure> {
        let areas = lock(&self.areas);
        let passage = Turnstile::at(self.front.page(), LOCK).pass()?;
        Turn::begin(self, areas, passage)
    }

    pub(super) fn front(&self) -> &Front {
        &self.front
    }

    pub(super) fn tape(&self) -> &Tape {
        &self.tape
    }

    /// How many messages it takes; 0: any number.
    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// A number that no other log has at the same time.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many messages there seem to be.
    pub(super) fn len(&self) -> u64 {
        self.front.get(Word::Count)
    }

    /// Whether there seems to be none.
    pub(super) fn is_empty(&self) -> bool {
        self.front.get(Word::Head) == self.front.get(Word::Tail)
    }

    /// Whether it seems to take no more.
    pub(super) fn is_full(&self) -> bool {
        self.capacity > 0 && self.len() >= self.capacity
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Whoever owns it as well as a chime has hung up before.
        self.front.part();
    }
}
