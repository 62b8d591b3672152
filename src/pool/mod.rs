//! The pool as its users see it: a handle to the threads, and how calls through it are to go.
//!
//! What a pool can do stands in other files, each with its own `impl Pool`: tasks in `spawn`, fork
//! and join in [`join`](crate::join), and so on. So this one needs to know none of them.

mod builder;
mod global;
mod options;
mod shutdown;
mod spawn;
mod spawn_to;
mod stats;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::error::BuildError;
use crate::scheduler::{Config, Scheduler, enter, with_current};

pub use builder::PoolBuilder;
pub use spawn::spawn;
pub use stats::Stats;

pub(crate) use options::Options;

/// Runs parallel work on a fixed number of threads.
///
/// A `Pool` is a cheap handle: clones, and the views that [`limit`](Self::limit) and
/// [`chunk`](Self::chunk) return, are handles of the same pool. Dropping the last one finishes what
/// is queued and joins the threads; inside code that the pool runs, it only tells them to end.
///
/// # Examples
///
/// ```
/// use manyhands::Pool;
///
/// let pool = Pool::new(4)?;
/// let squares = pool.map([1, 2, 3, 4, 5], |x| x * x);
/// assert_eq!(squares, [1, 4, 9, 16, 25]);
/// # Ok::<(), manyhands::BuildError>(())
/// ```
pub struct Pool {
    scheduler: Arc<Scheduler>,
    options: Options,
}

impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}

impl Pool {
    /// Builds a pool of `threads` threads.
    ///
    /// The system may refuse some of them: the pool goes on with fewer, down to none (see
    /// [`PoolBuilder::strict`]). `MANYHANDS_MAX_THREADS` in the environment caps the number.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoThreads`] for 0, [`BuildError::TooManyThreads`] for more than a pool can
    /// count.
    pub fn new(threads: usize) -> Result<Self, BuildError> {
        Self::builder().threads(threads).build()
    }

    /// Begins to describe a pool.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// Makes a pool without threads: everything runs on the caller, in order, and `spawn` runs its
    /// task before it returns, so a task must not wait for what the caller does next. For debugging
    /// and tests.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut order = std::sync::Mutex::new(Vec::new());
    /// manyhands::Pool::serial().for_each(0..4, |n| order.lock().unwrap().push(n));
    /// assert_eq!(*order.get_mut().unwrap(), [0, 1, 2, 3]);
    /// ```
    #[must_use]
    pub fn serial() -> Self {
        Self::of(Scheduler::start(Config::default()).0)
    }

    /// The first handle of a scheduler, or one more.
    fn of(scheduler: Arc<Scheduler>) -> Self {
        scheduler.add_handle();
        Self { scheduler, options: Options::default() }
    }

    /// The pool whose call or task runs on this thread, else the global one.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::Pool;
    ///
    /// let pool = Pool::new(3)?;
    /// let inside = pool.spawn(|| Pool::current().threads());
    /// assert_eq!(inside.join().unwrap(), 3);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    #[must_use]
    pub fn current() -> Self {
        let here = with_current(|frame| frame.map(|frame| frame.scheduler().share()));
        here.map_or_else(|| Self::global().clone(), Self::of)
    }

    /// How many threads the pool has.
    ///
    /// Fewer than it was built for if the system refused some, 0 for a serial one.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.scheduler.threads()
    }

    /// Runs `f` here, with this as the [current](Self::current) pool.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let lengths = pool.enter(|| manyhands::map(&["a", "bc"], |word| word.len()));
    /// assert_eq!(lengths, [1, 2]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        self.scheduler.with_seat(|seat| enter(&self.scheduler, seat, f))
    }

    /// Runs `f` on a worker, with a worker's stack size and what `on_start` did for it, while the
    /// caller waits. On a worker of this pool, and where there is none, it runs here.
    ///
    /// # Panics
    ///
    /// With the payload of `f`, if it panics.
    ///
    /// # Blocking
    ///
    /// Until a worker is free and has run `f`. If the caller is a worker of another pool, a spare
    /// takes its place there meanwhile.
    pub fn install<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        if self.scheduler.is_alone() || self.scheduler.is_on_worker() {
            return self.enter(f);
        }
        match self.scheduler.run_on_worker(f) {
            Ok(result) => result.unwrap_or_else(|payload| std::panic::resume_unwind(payload)),
            Err(f) => self.enter(f),
        }
    }

    pub(crate) fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    pub(crate) fn options(&self) -> Options {
        self.options
    }
}

impl Clone for Pool {
    fn clone(&self) -> Self {
        self.scheduler.add_handle();
        Self { scheduler: Arc::clone(&self.scheduler), options: self.options }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.scheduler.drop_handle() {
            self.scheduler.close();
            let _ = self.scheduler.wait_for_end_unless_abandoned();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_pool_may_be_shared_sent_and_used_after_a_panic() {
        fn check<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
        check::<Pool>();
        check::<Stats>();
    }
}
