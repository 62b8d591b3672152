//! All are here.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::monitor::{Audience, Monitor};

/// A place where a number of threads wait for each other, again and again. Its clones share it.
///
/// Tasks that meet at a barrier need as many threads at a time: those of the pool, and its
/// [spares](crate::PoolBuilder::max_spares).
///
/// # Examples
///
/// ```
/// use manyhands::shared::Barrier;
///
/// let pool = manyhands::Pool::new(1)?;
/// let barrier = Barrier::new(3);
/// let tasks = [0; 3].map(|_| {
///     let barrier = barrier.clone();
///     pool.spawn(move || barrier.wait())
/// });
/// let leaders = manyhands::join_all(tasks).unwrap();
/// assert_eq!(leaders.into_iter().filter(|&is_leader| is_leader).count(), 1);
/// # Ok::<(), manyhands::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Barrier {
    size: usize,
    state: Arc<Monitor<State>>,
}

struct State {
    arrived: usize,
    /// How often all were here.
    round: u64,
}

impl Barrier {
    /// A barrier for `size` threads. 0 means 1: nobody waits.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { size, state: Arc::new(Monitor::new(State { arrived: 0, round: 0 })) }
    }

    /// Waits until all are here. True for one of them, the last to come.
    ///
    /// # Blocking
    ///
    /// Until then. On a worker another thread takes its place meanwhile.
    pub fn wait(&self) -> bool {
        let Some(round) = self.arrive() else { return true };
        self.state.wait(|state| is_over(state, round));
        false
    }

    /// As [`wait`](Self::wait), for `timeout` at most. `None`: not all came in time; this thread
    /// counts as not here again, and the others go on waiting.
    ///
    /// # Blocking
    ///
    /// As [`wait`](Self::wait).
    #[must_use = "it says whether all were here"]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<bool> {
        let deadline = Instant::now().checked_add(timeout);
        let Some(round) = self.arrive() else { return Some(true) };
        let is_over = self.state.wait_until(deadline, |state| is_over(state, round));
        is_over.or_else(|| self.leave(round)).map(|()| false)
    }

    /// The round that is waited for; `None`: everybody else was here.
    fn arrive(&self) -> Option<u64> {
        self.state.change_for(|state| {
            state.arrived += 1;
            if state.arrived < self.size {
                return (Audience::Nobody, Some(state.round));
            }
            state.arrived = 0;
            state.round += 1;
            (Audience::All, None)
        })
    }

    /// Time is up. `Some`: but all were here in the end.
    fn leave(&self, round: u64) -> Option<()> {
        self.state.change(Audience::Nobody, |state| {
            let is_over = is_over(state, round);
            if is_over.is_none() {
                state.arrived -= 1;
            }
            is_over
        })
    }
}

fn is_over(state: &mut State, round: u64) -> Option<()> {
    (state.round != round).then_some(())
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("size", &self.size).finish_non_exhaustive()
    }
}
