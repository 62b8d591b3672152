//! At most so many at a time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::monitor::{Audience, Monitor};

/// Gives out a number of permits. Its clones share them.
///
/// # Examples
///
/// At most two downloads at a time, whatever the number of threads:
///
/// ```
/// use manyhands::shared::Semaphore;
///
/// let downloads = Semaphore::new(2);
/// let pages = manyhands::map(["a", "b", "c"], |page| {
///     let _permit = downloads.acquire();
///     format!("content of {page}")
/// });
/// assert_eq!(pages[2], "content of c");
/// ```
#[derive(Clone)]
pub struct Semaphore(Arc<Monitor<usize>>);

/// One of so many, see [`Semaphore`]. It is given back when this is dropped, on any thread.
#[derive(Debug)]
#[must_use = "dropping it gives the permit back"]
pub struct Permit(Semaphore);

impl Semaphore {
    /// A semaphore with `permits`. With 0 nobody ever gets one.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self(Arc::new(Monitor::new(permits)))
    }

    /// Waits for a permit.
    ///
    /// # Blocking
    ///
    /// Until one is free. On a worker another thread takes its place meanwhile.
    pub fn acquire(&self) -> Permit {
        self.0.wait(take);
        Permit(self.clone())
    }

    /// Takes a permit if one is free.
    #[must_use]
    pub fn try_acquire(&self) -> Option<Permit> {
        self.0.change(Audience::Nobody, take).map(|()| Permit(self.clone()))
    }

    /// Waits for a permit, for `timeout` at most.
    ///
    /// # Blocking
    ///
    /// As [`acquire`](Self::acquire).
    #[must_use]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit> {
        let deadline = Instant::now().checked_add(timeout);
        self.0.wait_until(deadline, take).map(|()| Permit(self.clone()))
    }

    /// How many permits are free.
    #[must_use]
    pub fn available(&self) -> usize {
        self.0.read(|&free| free)
    }
}

fn take(free: &mut usize) -> Option<()> {
    *free = free.checked_sub(1)?;
    Some(())
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.change(Audience::One, |free| *free += 1);
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("available", &self.available()).finish()
    }
}
