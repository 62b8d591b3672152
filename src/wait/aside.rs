//! Stepping aside: while a thread of a pool waits for something outside, another takes its place.
//!
//! ```text
//!   attempt ── done ──────────────────────────────────────────► go on
//!     │ not now                                                   ▲
//!     ▼                                                           │
//!   look again, shortly (on a pool's thread only) ── done ───────►│
//!     │ not now                                                   │
//!     ▼                                                           │
//!   step aside: somebody takes this thread's place ► block ► back ┘
//! ```
//!
//! Whoever waits knows nothing of pools. The scheduler says once in a process how a thread steps
//! aside; until then, and on threads that are in no pool, there is nobody whose place is empty.

use std::sync::OnceLock;
use std::time::Instant;

use crate::sync::spin_loop;

/// How a thread of a pool is replaced while it blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StandIn {
    /// Whether this thread is in a pool.
    pub(crate) is_needed: fn() -> bool,
    /// Runs what it is given, once, while somebody takes this thread's place.
    pub(crate) step_aside: fn(&mut dyn FnMut()),
}

static STAND_IN: OnceLock<StandIn> = OnceLock::new();

/// How often a thread of a pool looks before it steps aside, which costs more than a few looks.
const LOOKS: u32 = 100;

/// Says how a thread steps aside, if nobody has before.
pub(crate) fn set_stand_in(stand_in: StandIn) {
    STAND_IN.get_or_init(|| stand_in);
}

/// Runs `f`, which blocks, while others take this thread's place in every pool that it is in.
pub(crate) fn step_aside<R>(f: impl FnOnce() -> R) -> R {
    let Some(stand_in) = STAND_IN.get() else { return f() };
    let (mut f, mut result) = (Some(f), None);
    (stand_in.step_aside)(&mut || result = f.take().map(|f| f()));
    result.expect("it was run, or its panic went through here")
}

/// Waits for what `attempt` returns: tries it, looks again for a short while, then has `block` wait,
/// which returns by `deadline`. Both work on `state`.
#[inline]
pub(crate) fn wait_for<S, R>(
    state: &mut S,
    deadline: Option<Instant>,
    attempt: impl Fn(&mut S) -> Option<R>,
    block: impl FnOnce(&mut S) -> R,
) -> R {
    match attempt(state) {
        Some(result) => result,
        None => wait_longer(state, deadline, attempt, block),
    }
}

#[cold]
fn wait_longer<S, R>(
    state: &mut S,
    deadline: Option<Instant>,
    attempt: impl Fn(&mut S) -> Option<R>,
    block: impl FnOnce(&mut S) -> R,
) -> R {
    let is_over = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    if !STAND_IN.get().is_some_and(|stand_in| (stand_in.is_needed)()) || is_over() {
        return block(state);
    }
    for _ in 0..LOOKS {
        spin_loop();
        if let Some(result) = attempt(state) {
            return result;
        }
    }
    step_aside(|| block(state))
}

/// Runs `f`, which waits for something outside, while another thread takes this one's place.
///
/// On a thread of a pool, a sleeping worker or a spare thread does the pool's work meanwhile, so
/// that a worker in a system call, a foreign lock or a sleep starves nobody. Spares start only while
/// there is work for them, up to [`max_spares`](crate::PoolBuilder::max_spares) of them, and end
/// after 10 s without any. On other threads `f` just runs.
///
/// Channels, handles and the values of [`shared`](crate::shared) do the same by themselves.
///
/// # Examples
///
/// A pool of one thread, whose only worker waits for a message of another task:
///
/// ```
/// let pool = manyhands::Pool::new(1)?;
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let waiting = pool.spawn(move || manyhands::blocking(|| receiver.recv()));
/// pool.spawn(move || sender.send("at last")).detach();
/// assert_eq!(waiting.join()??, "at last");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// With the panic of `f`.
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    step_aside(f)
}
