//! What can go wrong, one type an operation.

use std::any::Any;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

/// A panic, caught: its message and its payload.
///
/// It can be sent to and shared between threads, whatever the payload is: it lends out the message
/// only, and gives the payload up whole.
///
/// # Examples
///
/// ```
/// let handle = manyhands::spawn(|| -> u32 { panic!("no such page: {}", 7) });
/// let Err(manyhands::TaskError::Panicked(panic)) = handle.join() else { unreachable!() };
/// assert_eq!(panic.message(), Some("no such page: 7"));
/// ```
pub struct Panic(Carried);

enum Carried {
    Static(&'static str),
    Owned(String),
    // The lock is never taken: it makes a payload that is only `Send` shareable.
    Other(Mutex<Box<dyn Any + Send>>),
}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        let payload = match payload.downcast::<&'static str>() {
            Ok(text) => return Self(Carried::Static(*text)),
            Err(payload) => payload,
        };
        Self(match payload.downcast::<String>() {
            Ok(text) => Carried::Owned(*text),
            Err(payload) => Carried::Other(Mutex::new(payload)),
        })
    }

    /// What was given to `panic!`, if that was text.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.0 {
            Carried::Static(text) => Some(text),
            Carried::Owned(text) => Some(text),
            Carried::Other(_) => None,
        }
    }

    /// The payload, as `std::panic::catch_unwind` would have given it.
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        match self.0 {
            Carried::Static(text) => Box::new(text),
            Carried::Owned(text) => Box::new(text),
            Carried::Other(payload) => payload.into_inner().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Goes on panicking with the same payload, on this thread.
    ///
    /// # Panics
    ///
    /// Always: that is what it is for. The panic hook does not run a second time.
    pub fn resume(self) -> ! {
        std::panic::resume_unwind(self.into_payload())
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message().unwrap_or("Box<dyn Any>")).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().unwrap_or("a payload that is not text"))
    }
}

/// Why a pool could not be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A pool of no threads was asked for. [`Pool::serial`](crate::Pool::serial) is one.
    #[error("a pool needs at least one thread, 0 were asked for")]
    NoThreads,
    /// More threads were asked for than a pool can count.
    #[error("a pool has at most {limit} threads, {requested} were asked for")]
    TooManyThreads {
        /// How many were asked for.
        requested: usize,
        /// How many there can be.
        limit: usize,
    },
    /// The system refused to start a worker, and the builder was told to be
    /// [`strict`](crate::PoolBuilder::strict).
    #[error("the system refused to start worker {index}")]
    Refused {
        /// The worker that was refused, counted from 0.
        index: usize,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Why a task has no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TaskError {
    /// It panicked.
    #[error("the task panicked: {0}")]
    Panicked(Panic),
    /// It was cancelled before it started.
    #[error("the task was cancelled before it started")]
    Cancelled,
    /// Its pool's queue was full.
    #[error("the task was rejected by a full queue")]
    Rejected,
    /// Its pool was shut down before it was spawned.
    #[error("the task was spawned on a pool that is shut down")]
    ShutDown,
    /// It returned an error, which went to the scope that spawned it.
    #[error("the task failed, and its scope has the error")]
    Failed,
    /// The threads of its pool are gone: this process is a fork of the one that had them.
    #[error("the threads of the task's pool are gone: the process was forked")]
    Lost,
}

impl TaskError {
    /// The panic, if that is what happened.
    ///
    /// # Errors
    ///
    /// The error itself, if it is another one.
    pub fn into_panic(self) -> Result<Panic, Self> {
        match self {
            Self::Panicked(panic) => Ok(panic),
            other => Err(other),
        }
    }
}

/// What [`try_join`](crate::TaskHandle::try_join) has instead of a result.
#[derive(Error)]
#[non_exhaustive]
pub enum TryJoinError<H> {
    /// The task has not finished: here is its handle again.
    #[error("the task has not finished")]
    NotFinished(H),
    /// The task has no result, and never will.
    #[error(transparent)]
    Failed(TaskError),
}

/// What [`join_timeout`](crate::TaskHandle::join_timeout) has instead of a result.
#[derive(Error)]
#[non_exhaustive]
pub enum JoinTimeoutError<H> {
    /// The time is over, the task is not: here is its handle again.
    #[error("the task has not finished in time")]
    TimedOut(H),
    /// The task has no result, and never will.
    #[error(transparent)]
    Failed(TaskError),
}

impl<H> fmt::Debug for TryJoinError<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinished(_) => f.write_str("NotFinished(..)"),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

impl<H> fmt::Debug for JoinTimeoutError<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(_) => f.write_str("TimedOut(..)"),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

/// A pool did not come to rest in the time that it was given.
#[derive(Debug, Error)]
#[error("{threads} threads of the pool are still running after {waited:?}")]
pub struct StillRunning {
    pub(crate) threads: usize,
    pub(crate) waited: Duration,
}

impl StillRunning {
    /// How many of the pool's threads had not ended.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_panic_keeps_its_message_and_its_payload() {
        for payload in [Box::new("text") as Box<dyn Any + Send>, Box::new(String::from("text"))] {
            let same_type = (*payload).type_id();
            let panic = Panic::new(payload);
            assert_eq!(panic.message(), Some("text"));
            assert_eq!((*panic.into_payload()).type_id(), same_type);
        }
        let panic = Panic::new(Box::new(7_u8));
        assert_eq!(panic.message(), None);
        assert_eq!(panic.into_payload().downcast_ref(), Some(&7_u8));
    }

    #[test]
    fn a_panic_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<Panic>();
        check::<TaskError>();
    }
}
