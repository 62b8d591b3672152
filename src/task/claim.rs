//! How a joiner comes to a task's result: it runs it if nobody has begun, or waits.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::ticket::Ticket;
use crate::scheduler::{block_on, pause};

/// How long a joiner waits, and whether it may run the task.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Until it is done; runs it if nobody has begun.
    Claim,
    /// Until it is done, without running it.
    Wait,
}

/// So many tasks may run inside each other's joins before a joiner would rather wait.
const DEEP: u32 = 64;

/// So many may at the very most: what is left of a small stack should do for the tasks themselves.
const DEEPEST: u32 = 1024;

/// How long a joiner that is deep in other joins waits for somebody else to begin the task.
const GRACE: Duration = Duration::from_millis(5);

/// How often a joiner looks before it parks.
const LOOKS: u32 = 100;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Waits until the task is done. Says whether it was run here, by `run`.
pub(crate) fn await_ticket<T>(
    ticket: &Ticket<'_, T>,
    patience: Patience,
    run: impl Fn() -> bool,
) -> bool {
    let may_run = matches!(patience, Patience::Claim);
    let wait = |grace| block_on(ticket.latch(), Some(Instant::now() + grace));
    if may_run && ticket.is_claimable() && may_nest(wait) && nested(&run) {
        return true;
    }
    for _ in 0..LOOKS {
        if ticket.is_done() {
            return false;
        }
        pause();
    }
    block_on(ticket.latch(), None);
    false
}

/// Whether one more task may run on this stack: where it is deep already, only if a wait for a
/// while, by `wait`, was in vain.
pub(super) fn may_nest(wait: impl FnOnce(Duration) -> bool) -> bool {
    DEPTH.get() < DEEP || (!wait(GRACE) && DEPTH.get() < DEEPEST)
}

/// Runs `run`, which runs a task, one deeper.
pub(super) fn nested(run: impl FnOnce() -> bool) -> bool {
    /// Comes up again, by unwinding as well.
    struct Up(u32);

    impl Drop for Up {
        fn drop(&mut self) {
            DEPTH.set(self.0);
        }
    }

    let _up = Up(DEPTH.replace(DEPTH.get() + 1));
    run()
}
