//! Anything, behind a lock.

use std::fmt;
use std::mem::replace;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::held::{hold, is_held};
use super::monitor::{Audience, Monitor};

/// A value that its clones share. See the [module](super).
///
/// # Examples
///
/// ```
/// use manyhands::shared::Value;
///
/// let best = Value::new((0, ""));
/// manyhands::for_each(["fig", "apple", "kiwi"], |fruit| {
///     best.update(|best| *best = (*best).max((fruit.len(), fruit)));
/// });
/// assert_eq!(best.get(), (5, "apple"));
/// ```
pub struct Value<T>(Arc<Monitor<T>>);

impl<T> Value<T> {
    /// Shares `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Monitor::new(value)))
    }

    /// A copy of the value.
    ///
    /// # Panics
    ///
    /// Inside a closure that has this value locked. With the panic of `clone`.
    #[must_use]
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.hold("Value::get", || self.0.read(T::clone))
    }

    /// Puts another value in its place. The old one is dropped after that, unlocked.
    ///
    /// # Panics
    ///
    /// Inside a closure that has this value locked.
    pub fn set(&self, value: T) {
        drop(
            self.hold("Value::set", || self.0.change(Audience::All, |place| replace(place, value))),
        );
    }

    /// Puts another value in its place, and returns the old one.
    ///
    /// # Panics
    ///
    /// Inside a closure that has this value locked.
    pub fn replace(&self, value: T) -> T {
        self.hold("Value::replace", || self.0.change(Audience::All, |place| replace(place, value)))
    }

    /// Looks at the value.
    ///
    /// # Panics
    ///
    /// Inside a closure that has this value locked. With the panic of `f`.
    ///
    /// # Blocking
    ///
    /// While others have it locked. On a worker another thread takes its place meanwhile.
    pub fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        self.hold("Value::read", || self.0.read(f))
    }

    /// Changes the value.
    ///
    /// # Panics
    ///
    /// Inside a closure that has this value locked. With the panic of `f`, which leaves the value as
    /// `f` left it.
    ///
    /// # Blocking
    ///
    /// As [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// let value = manyhands::shared::Value::new(vec![1]);
    /// assert_eq!(value.update(|list| list.pop()), Some(1));
    /// ```
    pub fn update<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.hold("Value::update", || self.0.change(Audience::All, f))
    }

    /// Waits until the value is as `is_so` wants it. It is asked under the lock, now and after each
    /// [`set`](Self::set) and [`update`](Self::update), but not after a [`read`](Self::read) that
    /// changes something inside of a shared reference.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    ///
    /// # Blocking
    ///
    /// Until then. On a worker another thread takes its place meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// let left = manyhands::shared::Value::new(3);
    /// for _ in 0..3 {
    ///     let left = left.clone();
    ///     manyhands::spawn(move || left.update(|left| *left -= 1)).detach();
    /// }
    /// left.wait_until(|&left| left == 0);
    /// ```
    pub fn wait_until(&self, is_so: impl FnMut(&T) -> bool) {
        self.wait(None, is_so);
    }

    /// As [`wait_until`](Self::wait_until), for `timeout` at most. Says whether the value is so.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    ///
    /// # Blocking
    ///
    /// As [`wait_until`](Self::wait_until).
    #[must_use = "it says whether the value is so"]
    pub fn wait_until_timeout(&self, timeout: Duration, is_so: impl FnMut(&T) -> bool) -> bool {
        self.wait(Instant::now().checked_add(timeout), is_so)
    }

    fn wait(&self, deadline: Option<Instant>, mut is_so: impl FnMut(&T) -> bool) -> bool {
        let look = |value: &mut T| is_so(value).then_some(());
        self.hold("Value::wait_until", || self.0.wait_until(deadline, look)).is_some()
    }

    fn hold<R>(&self, operation: &str, f: impl FnOnce() -> R) -> R {
        hold(self.address(), operation, f)
    }

    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Value<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// A value that is locked shows as `<locked>`.
impl<T: fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_held(self.address()) {
            return f.write_str("Value(<locked>)");
        }
        let shown = self
            .hold("Debug", || self.0.peek(|value| f.debug_tuple("Value").field(value).finish()));
        shown.unwrap_or_else(|| f.write_str("Value(<locked>)"))
    }
}
