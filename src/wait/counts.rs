//! How many threads of a pool do what, in one word, so that they are read at one moment.

use std::fmt;

pub(super) const ACTIVE: u64 = 1;
pub(super) const SEARCHING: u64 = 1 << 16;
pub(super) const SLEEPING: u64 = 1 << 32;
pub(super) const RESTING: u64 = 1 << 48;

/// The packed word: how many are active, search, sleep (workers) and rest (spares).
#[derive(Clone, Copy)]
pub(super) struct Counts(pub(super) u64);

impl Counts {
    fn field(self, unit: u64) -> usize {
        (self.0 / unit) as u16 as usize
    }

    pub(super) fn active(self) -> usize {
        self.field(ACTIVE)
    }

    pub(super) fn searching(self) -> usize {
        self.field(SEARCHING)
    }

    pub(super) fn sleeping(self) -> usize {
        self.field(SLEEPING)
    }

    pub(super) fn resting(self) -> usize {
        self.field(RESTING)
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counts")
            .field("active", &self.active())
            .field("searching", &self.searching())
            .field("sleeping", &self.sleeping())
            .field("resting", &self.resting())
            .finish()
    }
}
