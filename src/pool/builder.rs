//! How a pool is to be.

use std::env;
use std::fmt;
use std::sync::Arc;

use super::Pool;
use crate::error::{BuildError, Panic};
use crate::scheduler::{Config, MAX_SPARES, MAX_THREADS, Scheduler};

const CAP: &str = "MANYHANDS_MAX_THREADS";

/// Describes a pool, and builds it.
///
/// # Examples
///
/// ```
/// let pool = manyhands::Pool::builder().threads(2).name("etl").build()?;
/// let name = pool.install(|| std::thread::current().name().map(String::from));
/// assert!(name.unwrap().starts_with("etl-"));
/// # Ok::<(), manyhands::BuildError>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "a description builds nothing until `build` is called"]
pub struct PoolBuilder {
    threads: Option<usize>,
    max_spares: Option<usize>,
    strict: bool,
    config: Config,
}

impl PoolBuilder {
    /// How many workers. The default is the number of CPUs that this process may use.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// What the worker threads are called: `name-0`, `name-1`, …, and `name-spare`. The default is
    /// `manyhands`.
    ///
    /// A zero byte in it ends the name there.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let mut name = name.into();
        name.truncate(name.find('\0').unwrap_or(name.len()));
        self.config.name = Some(name);
        self
    }

    /// The size of each worker's stack, in bytes. The default is the standard library's.
    ///
    /// It does not hold for the caller's own thread, which takes part in the calls it makes; see
    /// [`workers_only`](Self::workers_only) and [`Pool::install`].
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.config.stack_size = Some(bytes);
        self
    }

    /// How many spare threads may stand in for blocked workers at a time, see
    /// [`blocking`](crate::blocking). The default is twice the number of threads plus 8.
    ///
    /// Beyond that, a worker that waits leaves its place empty, and [`stats`](Pool::stats) counts a
    /// stall. It matters for tasks that wait for other tasks' messages (or, with
    /// [`workers_only`](Self::workers_only), join other tasks), which hang if those never find a
    /// thread; calls that wait for their own parts complete with 0 spares. More than 32,776 count as
    /// that. Each takes some 2 KiB of memory before it is started.
    pub fn max_spares(mut self, spares: usize) -> Self {
        self.max_spares = Some(spares);
        self
    }

    /// Runs `f` on each worker when it starts, with the worker's index.
    ///
    /// Spare threads, which stand in for blocked workers, have indices from `threads` on. It does
    /// not run on the caller's own thread. A panic goes to [`on_panic`](Self::on_panic). It must not
    /// wait for tasks of the pool: the worker has not begun, and nobody takes its place.
    pub fn on_start(mut self, f: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.config.on_start = Some(Arc::new(f));
        self
    }

    /// Runs `f` on each worker when it ends, with the worker's index.
    pub fn on_exit(mut self, f: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.config.on_exit = Some(Arc::new(f));
        self
    }

    /// Sees the panics that nobody else can see any more: those of detached tasks, and of the hooks
    /// of this builder. Without it they are counted only. It runs on the thread that found the
    /// panic; its own panics are swallowed.
    pub fn on_panic(mut self, f: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        self.config.on_panic = Some(Arc::new(f));
        self
    }

    /// Whether a thread that the system refuses is an error. Otherwise the pool goes on with fewer,
    /// down to none, where every call runs on its caller.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Keeps spawned tasks off the threads that join them, for tasks that need what `on_start` has
    /// set up, or a worker's stack. Sweeps, `join` and scopes use their caller all the same.
    ///
    /// A task that joins another one then blocks its worker until somebody else has run it. So tasks
    /// that join each other in long chains need as many [spares](Self::max_spares), or they hang.
    pub fn workers_only(mut self, workers_only: bool) -> Self {
        self.config.workers_only = workers_only;
        self
    }

    /// Builds the pool and starts its workers.
    ///
    /// `MANYHANDS_MAX_THREADS` in the environment caps the number of workers; a value that is not a
    /// number above 0 is ignored.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoThreads`] for 0 threads, [`BuildError::TooManyThreads`] for more than a pool
    /// can count, [`BuildError::Refused`] if the pool is [`strict`](Self::strict) and the system
    /// refused one.
    pub fn build(self) -> Result<Pool, BuildError> {
        let requested = self.threads.unwrap_or_else(num_cpus::get);
        if requested == 0 {
            return Err(BuildError::NoThreads);
        }
        if requested > MAX_THREADS {
            return Err(BuildError::TooManyThreads { requested, limit: MAX_THREADS });
        }
        let threads = requested.min(number_in(CAP).unwrap_or(requested));
        let max_spares = self.max_spares.unwrap_or(2 * threads + 8).min(MAX_SPARES);
        let (scheduler, refusal) = Scheduler::start(Config { threads, max_spares, ..self.config });
        let pool = Pool::of(scheduler);
        match refusal.filter(|_| self.strict) {
            Some((index, source)) => Err(BuildError::Refused { index, source }),
            None => Ok(pool),
        }
    }
}

/// A number above 0 that the environment has under `name`.
pub(super) fn number_in(name: &str) -> Option<usize> {
    parse(&env::var(name).ok()?)
}

fn parse(value: &str) -> Option<usize> {
    value.trim().parse().ok().filter(|&number| number > 0)
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("threads", &self.threads)
            .field("max_spares", &self.max_spares)
            .field("strict", &self.strict)
            .field("config", &self.config)
            .finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nonsense_in_the_environment_is_ignored() {
        for nonsense in ["banana", "", "0", "-3", "1.5", "99999999999999999999999"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
        assert_eq!(parse(" 12\n"), Some(12));
    }
}
