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

/// So many bytes of stack they may take at the very most: half of a worker's usual stack.
const MOST_STACK: usize = 1024 * 1024;

/// How long a joiner that is deep in other joins waits for somebody else to begin the task.
const GRACE: Duration = Duration::from_millis(1);

/// How often a joiner looks before it parks.
const LOOKS: u32 = 100;

thread_local! {
    /// How many tasks run inside each other's joins on this thread, and where the first one began.
    static NESTED: Cell<(u32, usize)> = const { Cell::new((0, 0)) };
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
    let (depth, base) = NESTED.get();
    depth < DEEP || (!wait(GRACE) && stack_place().abs_diff(base) < MOST_STACK)
}

/// Runs `run`, which runs a task, one deeper.
pub(super) fn nested(run: impl FnOnce() -> bool) -> bool {
    /// Comes up again, by unwinding as well.
    struct Up((u32, usize));

    impl Drop for Up {
        fn drop(&mut self) {
            NESTED.set(self.0);
        }
    }

    let (depth, base) = NESTED.get();
    let _up = Up((depth, base));
    NESTED.set((depth + 1, if depth == 0 { stack_place() } else { base }));
    run()
}

/// An address on this thread's stack, about where it is now.
#[inline(never)]
fn stack_place() -> usize {
    let here = 0_u8;
    std::hint::black_box(&raw const here).addr()
}
