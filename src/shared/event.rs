//! Something has happened.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::monitor::{Audience, Monitor};

/// A signal that many threads may wait for. Its clones share it.
///
/// # Examples
///
/// ```
/// let ready = manyhands::shared::Event::new();
/// let seen = ready.clone();
/// let task = manyhands::spawn(move || seen.wait());
/// ready.set();
/// task.join()?;
/// # Ok::<(), manyhands::TaskError>(())
/// ```
#[derive(Clone)]
pub struct Event(Arc<Monitor<State>>);

struct State {
    is_set: bool,
    /// How often it was set, so that who waits sees one that is cleared at once.
    times: u64,
}

impl Event {
    /// An event that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Monitor::new(State { is_set: false, times: 0 })))
    }

    /// Sets it: all who wait go on, and nobody waits until it is [cleared](Self::clear).
    pub fn set(&self) {
        self.0.change(Audience::All, |state| {
            state.is_set = true;
            state.times += 1;
        });
    }

    /// Clears it. Those who waited when it was set go on all the same.
    pub fn clear(&self) {
        self.0.change(Audience::Nobody, |state| state.is_set = false);
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.read(|state| state.is_set)
    }

    /// Waits until it is set.
    ///
    /// # Blocking
    ///
    /// Until then. On a worker another thread takes its place meanwhile.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until it is set, for `timeout` at most. Says whether it was.
    ///
    /// # Blocking
    ///
    /// As [`wait`](Self::wait).
    #[must_use = "it says whether the event was set"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(timeout))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let mut before = None;
        let look = |state: &mut State| {
            let before = *before.get_or_insert(state.times);
            (state.is_set || state.times != before).then_some(())
        };
        self.0.wait_until(deadline, look).is_some()
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("is_set", &self.is_set()).finish()
    }
}
