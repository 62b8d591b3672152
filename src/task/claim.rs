//! How a joiner comes to a task's result: it runs it if nobody has begun, or waits.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::cell::Ticket;
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
    if matches!(patience, Patience::Claim) && ticket.is_claimable() {
        if DEPTH.get() < DEEP {
            if deeper(&run) {
                return true;
            }
        } else if !block_on(ticket.latch(), Some(Instant::now() + GRACE))
            && DEPTH.get() < DEEPEST
            && deeper(&run)
        {
            return true;
        }
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

fn deeper(run: impl Fn() -> bool) -> bool {
    /// Comes up again, by unwinding as well.
    struct Up(u32);

    impl Drop for Up {
        fn drop(&mut self) {
            DEPTH.set(self.0);
        }
    }

    let depth = DEPTH.get();
    let _up = Up(depth);
    DEPTH.set(depth + 1);
    run()
}
