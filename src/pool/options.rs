//! How the calls through one handle are to go.

use std::num::NonZeroUsize;

use super::Pool;

/// What a handle asks of each call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// At most this many threads, the caller included.
    pub(crate) limit: Option<NonZeroUsize>,
    /// Claims of this many items.
    pub(crate) chunk: Option<NonZeroUsize>,
}

impl Options {
    /// Whether the caller is to work alone.
    #[inline]
    pub(crate) fn is_alone(self) -> bool {
        self.limit == Some(NonZeroUsize::MIN)
    }
}

impl Pool {
    /// A handle of the same pool, each of whose calls uses at most `threads` threads at a time, the
    /// caller included.
    ///
    /// 0 means 1. It holds for sweeps, `join` and `scope` through this handle, not for what is
    /// called inside them, and not for `spawn`.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(4)?;
    /// let caller = std::thread::current().id();
    /// pool.limit(1).for_each(0..100, |_| assert_eq!(std::thread::current().id(), caller));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    #[must_use]
    pub fn limit(&self, threads: usize) -> Self {
        let mut view = self.clone();
        view.options.limit = Some(at_least_one(threads));
        view
    }

    /// A handle of the same pool, whose sweeps hand out `items` items at a time.
    ///
    /// 0 means 1. Without it, a sweep finds out by the clock how many to hand out; with it, the
    /// sweep looks at no clock. Reductions hand out whole leaves, at least `items` items. What is
    /// called inside a sweep is not affected.
    #[must_use]
    pub fn chunk(&self, items: usize) -> Self {
        let mut view = self.clone();
        view.options.chunk = Some(at_least_one(items));
        view
    }
}

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}
