//! What can go wrong with processes.

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;

use thiserror::Error;

use super::parcel::Failure;
use super::sys::raw_status;

/// Why a process could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// There are no worker processes on this system.
    #[error("worker processes are not supported on this system")]
    Unsupported,
    /// The system refused.
    #[error("the system refused to start a process")]
    Refused(#[source] io::Error),
    /// The argument cannot be written.
    #[error("the argument cannot be sent")]
    Encode(#[source] EncodeError),
}

impl From<io::Error> for SpawnError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::Unsupported => Self::Unsupported,
            _ => Self::Refused(error),
        }
    }
}

/// Why a value cannot be written, in the words of its `Serialize`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct EncodeError(String);

impl From<Failure> for EncodeError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Encode(message) => Self(message),
            other => Self(format!("{other:?}")),
        }
    }
}

/// Why a process has no result.
///
/// # Examples
///
/// ```
/// use manyhands::process::{Process, ProcessErrorKind};
///
/// let process = Process::spawn(|page: u32| -> u32 { panic!("no such page: {page}") }, 7)?;
/// let error = process.join().unwrap_err();
/// assert_eq!(error.kind(), ProcessErrorKind::Panicked);
/// assert_eq!(error.message(), Some("no such page: 7"));
/// assert!(error.place().unwrap().contains(".rs:"));
/// # Ok::<(), manyhands::process::SpawnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProcessError {
    worker: Arc<str>,
    pid: Option<u32>,
    index: Option<usize>,
    cause: Cause,
}

#[derive(Clone, Debug)]
pub(super) enum Cause {
    Failed(Failure),
    Ended(ExitStatus),
    Garbled,
    Mismatch,
    System(Arc<io::Error>),
}

/// What kind of failure a [`ProcessError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProcessErrorKind {
    /// The function panicked.
    Panicked,
    /// The process exited without a result.
    Exited,
    /// A signal ended the process.
    Signalled,
    /// The argument or the result cannot be written.
    Encode,
    /// The argument or the result cannot be read.
    Decode,
    /// The process sent what is no message.
    Garbled,
    /// The process is not the same program as this one.
    Mismatch,
    /// The system refused something.
    System,
}

impl ProcessError {
    pub(super) fn new(worker: &Arc<str>, pid: Option<u32>, cause: Cause) -> Self {
        Self { worker: Arc::clone(worker), pid, index: None, cause }
    }

    /// Returns what kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ProcessErrorKind {
        match &self.cause {
            Cause::Failed(Failure::Panicked { .. }) => ProcessErrorKind::Panicked,
            Cause::Failed(Failure::Encode(_)) => ProcessErrorKind::Encode,
            Cause::Failed(Failure::Decode(_)) => ProcessErrorKind::Decode,
            Cause::Failed(Failure::NoFunction) | Cause::Mismatch => ProcessErrorKind::Mismatch,
            Cause::Ended(_) if self.signal().is_some() => ProcessErrorKind::Signalled,
            Cause::Ended(_) => ProcessErrorKind::Exited,
            Cause::Garbled => ProcessErrorKind::Garbled,
            Cause::System(_) => ProcessErrorKind::System,
        }
    }

    /// Returns the name of the worker.
    #[must_use]
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// Returns the number of the process; `None` if there was none.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Returns the index of the item that has no result; `None` where it is not one of many.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        self.index
    }

    /// Returns the code that the process exited with, if it did.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        self.ended().and_then(|status| raw_status(status).0)
    }

    /// Returns the signal that ended the process, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.ended().and_then(|status| raw_status(status).1)
    }

    /// Returns the message of the panic, or why the value could not be written or read.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.cause {
            Cause::Failed(Failure::Panicked { message, .. }) => message.as_deref(),
            Cause::Failed(Failure::Encode(message) | Failure::Decode(message)) => Some(message),
            _ => None,
        }
    }

    /// Returns the place in the source where the function panicked.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match &self.cause {
            Cause::Failed(Failure::Panicked { place, .. }) => place.as_deref(),
            _ => None,
        }
    }

    fn ended(&self) -> Option<ExitStatus> {
        match self.cause {
            Cause::Ended(status) => Some(status),
            _ => None,
        }
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.index {
            write!(f, "item {index}: ")?;
        }
        write!(f, "worker {}", self.worker)?;
        if let Some(pid) = self.pid {
            write!(f, " (process {pid})")?;
        }
        match &self.cause {
            Cause::Failed(Failure::Panicked { message, place }) => {
                let message = message.as_deref().unwrap_or("a payload that is not text");
                write!(f, " panicked: {message}")?;
                place.iter().try_for_each(|place| write!(f, " (at {place})"))
            }
            Cause::Failed(Failure::Encode(message)) => {
                write!(f, ": the value cannot be sent: {message}")
            }
            Cause::Failed(Failure::Decode(message)) => {
                write!(f, ": the value cannot be read: {message}")
            }
            Cause::Failed(Failure::NoFunction) | Cause::Mismatch => {
                f.write_str(" is not the same program")
            }
            Cause::Ended(status) => write!(f, " ended without a result: {status}"),
            Cause::Garbled => f.write_str(" sent what is no message"),
            Cause::System(_) => f.write_str(" cannot be reached"),
        }
    }
}

impl std::error::Error for ProcessError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::System(error) => Some(&**error),
            _ => None,
        }
    }
}

/// Why a wait with a limit has no result. `H` is what was waited for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinTimeoutError<H> {
    /// It has not ended yet. Here it is back.
    #[error("the process has not ended in time")]
    TimedOut(H),
    /// It has ended, without a result.
    #[error(transparent)]
    Failed(ProcessError),
}
