//! How a joiner comes to a task's result: it runs it if nobody has begun, or waits.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use super::ticket::Ticket;
use crate::fork::NoFork;
use crate::scheduler::block_on;
use crate::wait::step_aside;

/// How long a joiner waits, and whether it may run the task.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Until it is done; runs it if nobody has begun.
    Claim,
    /// Until it is done, without running it.
    Wait,
}

/// Tasks that run inside each other's joins may take so many bytes of stack before a joiner would
/// rather wait: an eighth of a worker's usual stack, some hundred tasks.
const DEEP: usize = 256 * 1024;

/// Where they take this much, half of a worker's usual stack, the next one gets a stack of its own.
const DEEPEST: usize = 1024 * 1024;

/// How long a joiner that is deep in other joins waits for somebody else to begin the task.
const GRACE: Duration = Duration::from_millis(1);

thread_local! {
    /// Where on this thread's stack the outermost of the tasks began that run inside each other's
    /// joins.
    static OUTERMOST: Cell<Option<usize>> = const { Cell::new(None) };
    /// How many tasks this thread runs before it waits for others to begin one, now and after the
    /// next wait in vain.
    static HURRY: Cell<(u32, u32)> = const { Cell::new((0, 1)) };
}

/// Waits until the task is done. Says whether it was run here, by `run`.
pub(crate) fn await_ticket<T>(
    ticket: &Ticket<'_, T>,
    patience: Patience,
    run: impl Fn() -> bool + Sync,
) -> bool {
    let may_run = matches!(patience, Patience::Claim);
    let wait_until = |deadline| block_on(ticket.latch(), deadline, || ticket.has_started());
    let wait = |grace| wait_until(Some(Instant::now() + grace));
    if may_run && !ticket.has_started() && run_nested(run, wait) {
        return true;
    }
    wait_until(None);
    false
}

/// Runs `run`, which runs a task, inside the tasks that this thread runs already. Where that is deep
/// it first waits a while, by `wait`, and leaves it if that was not in vain. Says whether it ran.
pub(super) fn run_nested(
    run: impl Fn() -> bool + Sync,
    wait: impl FnOnce(Duration) -> bool,
) -> bool {
    let used = OUTERMOST.get().map_or(0, |outermost| stack_place().abs_diff(outermost));
    if used >= DEEP && is_spared_by(wait) {
        return false;
    }
    if used < DEEPEST { deeper(run) } else { on_fresh_stack(run) }
}

/// Waits a while for somebody else to begin the task, and says whether somebody did. After each wait
/// in vain twice as many tasks are run before the next: perhaps everybody waits for this thread.
fn is_spared_by(wait: impl FnOnce(Duration) -> bool) -> bool {
    let (left, next) = HURRY.get();
    if left > 0 {
        HURRY.set((left - 1, next));
        return false;
    }
    let is_spared = wait(GRACE);
    HURRY.set(if is_spared { (0, 1) } else { (next, next.saturating_mul(2)) });
    is_spared
}

fn deeper(run: impl Fn() -> bool) -> bool {
    /// Comes up again, by unwinding as well.
    struct Up(Option<usize>);

    impl Drop for Up {
        fn drop(&mut self) {
            OUTERMOST.set(self.0);
        }
    }

    let outermost = OUTERMOST.get();
    let _up = Up(outermost);
    OUTERMOST.set(outermost.or_else(|| Some(stack_place())));
    run()
}

/// Runs `run` on a thread of its own while this one waits: whoever joins a task can always finish
/// it, however long the chain of tasks is that join each other.
fn on_fresh_stack(run: impl Fn() -> bool + Sync) -> bool {
    step_aside(|| {
        thread::scope(|scope| {
            let no_fork = NoFork::begin();
            let run = || {
                drop(no_fork);
                run()
            };
            let thread = thread::Builder::new().spawn_scoped(scope, run);
            // Without a thread to be had, somebody else must run it.
            thread.is_ok_and(|thread| thread.join().unwrap_or(false))
        })
    })
}

/// An address on this thread's stack, about where it is now.
#[inline(never)]
fn stack_place() -> usize {
    let here = 0_u8;
    std::hint::black_box(&raw const here).addr()
}
