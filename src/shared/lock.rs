//! A lock that knows the pool, and is never poisoned.

use std::sync::{PoisonError, TryLockError};

use crate::sync::{Mutex, MutexGuard};
use crate::wait::wait_for;

/// A value behind a lock. A panic of whoever held it has left the value as it is.
#[derive(Debug, Default)]
pub(super) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Locks it; on a worker another thread takes its place while it waits.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        let block = |(): &mut _| self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wait_for(&mut (), None, |()| self.try_lock(), block)
    }

    #[inline]
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(value) => Some(value),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
