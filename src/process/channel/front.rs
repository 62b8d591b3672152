//! The front page of a channel's memory: what all of its holders agree on.
//!
//! | words | what |
//! |---|---|
//! | magic, capacity | what it is; written before anybody else sees it |
//! | head, tail | where the log ends and begins |
//! | area | where its bytes lie |
//! | count | how many messages are in it |
//! | tickets, cleared | how many loads of files were begun; up to which the carrier was cleared |
//! | receivers, senders | the [`Call`] of either side |
//! | partings | how often a holder has gone in an orderly way |
//! | lock | whose turn it is |
//!
//! All but `partings` change under the lock only. Nobody trusts what stands here: whoever has the
//! memory can write anything.

use std::sync::atomic::AtomicU64;

use super::super::sys::Mapping;
use crate::sync::Ordering;

/// The page.
#[derive(Debug)]
pub(super) struct Front(Mapping);

/// A number on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Magic = 0,
    Capacity = 8,
    Area = 16,
    Count = 24,
    Tickets = 32,
    Cleared = 40,
    Receivers = 48,
    Senders = 56,
    // Away from each other: either side looks for the other's without the lock.
    Head = 128,
    Tail = 256,
    Partings = 384,
}

/// Where the lock is.
pub(super) const LOCK: usize = 512;

/// Whether a side waits to be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Nobody waits, and no ring is to be silenced.
    None,
    /// Somebody may wait: the next news are rung.
    Ring,
    /// They were, and nobody has silenced the chime.
    Rung,
}

impl Front {
    pub(super) fn new(page: Mapping) -> Self {
        Self(page)
    }

    /// The page itself, for its lock.
    pub(super) fn page(&self) -> &Mapping {
        &self.0
    }

    fn word(&self, word: Word) -> &AtomicU64 {
        self.0.word(word as usize)
    }

    pub(super) fn get(&self, word: Word) -> u64 {
        // ORDERING: Relaxed: for what the lock protects, it orders; a look without it is repeated
        // with it.
        self.word(word).load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, word: Word, value: u64) {
        // ORDERING: Release: what was written before is there when the value is, even for who takes
        // the lock from a dead hand, which released nothing. Pairs with the system's own barriers
        // when it hands the lock on, and with `get` under the lock.
        self.word(word).store(value, Ordering::Release);
    }

    /// Says that a holder has gone.
    pub(super) fn part(&self) {
        // ORDERING: Release, so that who sees the new count sees the closed chime; pairs with
        // `partings`. The system orders its own part.
        self.word(Word::Partings).fetch_add(1, Ordering::Release);
    }

    /// How many holders have gone.
    pub(super) fn partings(&self) -> u64 {
        // ORDERING: Acquire: pairs with `part`.
        self.word(Word::Partings).load(Ordering::Acquire)
    }

    /// The call of the side whose word it is.
    pub(super) fn call(&self, side: Word) -> Call {
        match self.get(side) {
            0 => Call::None,
            2 => Call::Rung,
            // One ring too many harms nobody.
            _ => Call::Ring,
        }
    }

    pub(super) fn set_call(&self, side: Word, call: Call) {
        self.set(side, call as u64);
    }
}
