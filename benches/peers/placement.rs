//! Which core each thread runs on.

use std::{fmt, sync::Arc};

use core_affinity::CoreId;

/// A core for the caller and one for each worker; by default the system decides.
#[derive(Clone, Default)]
pub(crate) struct Placement {
    cores: Arc<[CoreId]>,
}

impl Placement {
    /// Deals the cores out: the first to the caller, the next to worker 0, and so on around.
    ///
    /// A caller that takes part then shares its core with the last worker of a pool as large as
    /// the machine, and not with the first.
    pub(crate) fn one_each() -> Self {
        let cores = core_affinity::get_core_ids().expect("the system names its cores");
        Self { cores: cores.into() }
    }

    /// Whether the system decides.
    pub(crate) fn is_free(&self) -> bool {
        self.cores.is_empty()
    }

    /// Pins the calling thread as the one that calls from outside.
    pub(crate) fn pin_caller(&self) {
        self.pin(0);
    }

    /// Pins the calling thread as the worker with this index.
    pub(crate) fn pin_worker(&self, index: usize) {
        self.pin(index + 1);
    }

    fn pin(&self, place: usize) {
        if let Some(place) = place.checked_rem(self.cores.len()) {
            assert!(core_affinity::set_for_current(self.cores[place]), "no thread may be pinned");
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cores.len() {
            0 => write!(f, "unpinned"),
            cores => write!(f, "pinned to {cores} cores"),
        }
    }
}
