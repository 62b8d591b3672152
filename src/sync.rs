//! What threads share memory with: the standard library's atomics and locks, or loom's.
//!
//! Everything that takes part in a protocol imports its atomics, cells and locks from here, so that
//! the models in `mod model` run the very code that ships.

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicPtr, AtomicU64, AtomicUsize, fence},
    },
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU64, AtomicUsize, fence},
};

pub(crate) use std::sync::atomic::Ordering;

/// Whether models run: what keeps state from one run to the next stays out of them.
pub(crate) const IS_MODEL: bool = cfg!(loom);

/// An [`std::cell::UnsafeCell`] with loom's interface: accesses are closures, which loom checks.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Runs `f` with a pointer that may be written through.
    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Locks `mutex`. No lock of this crate is held while user code runs (the closures of `shared`
/// excepted), so none is ever poisoned by a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code of this crate panics while it holds a lock")
}

/// A hint that this thread is waiting in a loop.
#[inline]
pub(crate) fn spin_loop() {
    #[cfg(loom)]
    loom::hint::spin_loop();
    #[cfg(not(loom))]
    std::hint::spin_loop();
}
