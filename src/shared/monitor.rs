//! A value behind a lock, and those who wait until it is as they want it.
//!
//! # Invariant
//!
//! Who waits is counted under the lock, so a change sees everyone who looked before it.

use std::sync::PoisonError;
use std::time::Instant;

use super::lock::Lock;
use crate::sync::{Condvar, MutexGuard};
use crate::wait::step_aside;

/// A lock, and a way to wait for changes of what is behind it.
#[derive(Debug)]
pub(super) struct Monitor<T> {
    state: Lock<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: T,
    waiting: usize,
}

/// Whom a change concerns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Audience {
    All,
    /// All wait for the same, and only one can have it.
    One,
    /// It is not what anybody waits for.
    Nobody,
}

/// The lock, held. Tells of the change where it ends, by unwinding as well.
struct Entered<'a, T> {
    state: Option<MutexGuard<'a, State<T>>>,
    changed: &'a Condvar,
    audience: Audience,
}

impl<T> Entered<'_, T> {
    fn value(&mut self) -> &mut T {
        &mut self.state.as_mut().expect("the lock is held until the drop").value
    }
}

impl<T> Drop for Entered<'_, T> {
    fn drop(&mut self) {
        let waiting = self.state.take().map_or(0, |state| state.waiting);
        match self.audience {
            _ if waiting == 0 => {}
            Audience::Nobody => {}
            Audience::All => self.changed.notify_all(),
            Audience::One => self.changed.notify_one(),
        }
    }
}

impl<T> Monitor<T> {
    pub(super) fn new(value: T) -> Self {
        Self { state: Lock::new(State { value, waiting: 0 }), changed: Condvar::new() }
    }

    /// Looks at the value.
    pub(super) fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.state.lock().value)
    }

    /// Changes the value, and wakes those of its audience who wait.
    pub(super) fn change<R>(&self, audience: Audience, f: impl FnOnce(&mut T) -> R) -> R {
        let mut entered = self.enter(audience);
        f(entered.value())
    }

    /// Changes the value, and wakes those of the audience that the change turns out to have.
    pub(super) fn change_for<R>(&self, f: impl FnOnce(&mut T) -> (Audience, R)) -> R {
        let mut entered = self.enter(Audience::Nobody);
        let (audience, result) = f(entered.value());
        entered.audience = audience;
        result
    }

    fn enter(&self, audience: Audience) -> Entered<'_, T> {
        Entered { state: Some(self.state.lock()), changed: &self.changed, audience }
    }

    /// Waits until `look` returns something. It is called under the lock, whenever there was a change.
    pub(super) fn wait<R>(&self, look: impl FnMut(&mut T) -> Option<R>) -> R {
        self.wait_until(None, look).expect("without a deadline the wait ends with a result")
    }

    /// As [`wait`](Self::wait); `None`: it had not at `deadline`.
    pub(super) fn wait_until<R>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        if let Some(result) = look(&mut self.state.lock().value) {
            return Some(result);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return None;
        }
        step_aside(|| self.wait_for_change(deadline, look))
    }

    fn wait_for_change<R>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let mut state = self.state.lock();
        loop {
            if let Some(result) = look(&mut state.value) {
                return Some(result);
            }
            let left = deadline.map(|it| it.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            state.waiting += 1;
            state = match left {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let woken = self.changed.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.waiting -= 1;
        }
    }

    /// Looks at the value if it is not locked, for `Debug`.
    pub(super) fn peek<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.state.try_lock().map(|state| f(&state.value))
    }
}

/// Seen to fail: when a waiter does not count itself, when it does not look again under the lock
/// before it waits, and when a change for one wakes nobody.
#[cfg(all(test, loom))]
mod model {
    use loom::thread;

    use super::*;

    #[test]
    fn whoever_waits_sees_the_change() {
        loom::model(|| {
            let monitor = loom::sync::Arc::new(Monitor::new(0));
            let other = loom::sync::Arc::clone(&monitor);
            let maker = thread::spawn(move || other.change(Audience::All, |value| *value = 7));
            let seen = monitor.wait_until(None, |value| (*value == 7).then_some(*value));
            assert_eq!(seen, Some(7));
            maker.join().unwrap();
        });
    }

    /// Two permits for two who wait.
    #[test]
    fn as_many_go_on_as_there_are_changes() {
        loom::model(|| {
            let monitor = loom::sync::Arc::new(Monitor::new(0));
            let waiter = {
                let monitor = loom::sync::Arc::clone(&monitor);
                thread::spawn(move || take(&monitor))
            };
            let maker = {
                let monitor = loom::sync::Arc::clone(&monitor);
                thread::spawn(move || {
                    monitor.change(Audience::One, |value| *value += 1);
                    monitor.change(Audience::One, |value| *value += 1);
                })
            };
            take(&monitor);
            waiter.join().unwrap();
            maker.join().unwrap();
        });
    }

    fn take(monitor: &Monitor<u32>) {
        let look = |value: &mut u32| (*value > 0).then(|| *value -= 1);
        assert_eq!(monitor.wait_until(None, look), Some(()));
    }
}
