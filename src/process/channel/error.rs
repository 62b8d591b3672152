//! What can go wrong with a channel. A message that could not be sent rides back in the error.

use std::{fmt, io};

use thiserror::Error;

use super::end::Trouble;
use super::failure::{Failure, MessageError};

/// Why there is no channel.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// A channel between processes holds one message at least: it hands none over from hand to hand.
    #[error("a channel between processes cannot have a capacity of 0")]
    NoCapacity,
    /// This system is none of those where there are such channels.
    #[error("channels between processes are not supported on this system")]
    Unsupported,
    /// The system refuses memory or files.
    #[error("the system refuses a channel")]
    System(#[source] io::Error),
}

/// Why a message was not sent. Here it is again.
#[derive(Clone, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<T> {
    /// No receiver is left in any process.
    #[error("the message was sent into a channel without receivers")]
    Disconnected(T),
    /// This message cannot be sent.
    #[error("the message could not be sent")]
    Failed(T, #[source] MessageError),
}

/// Why a message was not sent at once. Here it is again.
#[derive(Clone, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// The channel is full.
    #[error("the channel is full")]
    Full(T),
    /// No receiver is left in any process.
    #[error("the message was sent into a channel without receivers")]
    Disconnected(T),
    /// This message cannot be sent.
    #[error("the message could not be sent")]
    Failed(T, #[source] MessageError),
}

/// Why a message was not sent in time. Here it is again.
#[derive(Clone, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendTimeoutError<T> {
    /// The channel was full all the time.
    #[error("the channel was full until the time was over")]
    Timeout(T),
    /// No receiver is left in any process.
    #[error("the message was sent into a channel without receivers")]
    Disconnected(T),
    /// This message cannot be sent.
    #[error("the message could not be sent")]
    Failed(T, #[source] MessageError),
}

/// Why no message was received.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// The channel is empty, and no sender is left in any process.
    #[error("the channel is empty and has no senders any more")]
    Disconnected,
    /// There was one, which is lost. Others may follow.
    #[error("a message could not be received")]
    Failed(#[source] MessageError),
}

/// Why no message was received at once.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is none now.
    #[error("the channel is empty")]
    Empty,
    /// There is none, and no sender is left in any process.
    #[error("the channel is empty and has no senders any more")]
    Disconnected,
    /// There was one, which is lost. Others may follow.
    #[error("a message could not be received")]
    Failed(#[source] MessageError),
}

/// Why no message was received in time.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// None has come.
    #[error("the channel was empty until the time was over")]
    Timeout,
    /// There is none, and no sender is left in any process.
    #[error("the channel is empty and has no senders any more")]
    Disconnected,
    /// There was one, which is lost. Others may follow.
    #[error("a message could not be received")]
    Failed(#[source] MessageError),
}

impl<T> SendError<T> {
    /// The message.
    pub fn into_inner(self) -> T {
        let (Self::Disconnected(message) | Self::Failed(message, _)) = self;
        message
    }

    /// Without a deadline there is always time.
    pub(super) fn new(message: T, trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(failure) => Self::Failed(message, failure.into()),
            _ => Self::Disconnected(message),
        }
    }
}

impl<T> TrySendError<T> {
    /// The message.
    pub fn into_inner(self) -> T {
        let (Self::Full(message) | Self::Disconnected(message) | Self::Failed(message, _)) = self;
        message
    }

    pub(super) fn new(message: T, trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotNow | Trouble::Crowded => Self::Full(message),
            Trouble::Gone => Self::Disconnected(message),
            Trouble::Failed(failure) => Self::Failed(message, failure.into()),
        }
    }
}

impl<T> SendTimeoutError<T> {
    /// The message.
    pub fn into_inner(self) -> T {
        let (Self::Timeout(message) | Self::Disconnected(message) | Self::Failed(message, _)) =
            self;
        message
    }

    pub(super) fn new(message: T, trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotNow | Trouble::Crowded => Self::Timeout(message),
            Trouble::Gone => Self::Disconnected(message),
            Trouble::Failed(failure) => Self::Failed(message, failure.into()),
        }
    }
}

impl From<io::Error> for ChannelError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::Unsupported => Self::Unsupported,
            _ => Self::System(error),
        }
    }
}

impl From<Failure> for RecvError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<Trouble> for RecvError {
    /// Without a deadline there is always time.
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(failure) => failure.into(),
            _ => Self::Disconnected,
        }
    }
}

impl From<Failure> for TryRecvError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<Trouble> for TryRecvError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotNow | Trouble::Crowded => Self::Empty,
            Trouble::Gone => Self::Disconnected,
            Trouble::Failed(failure) => failure.into(),
        }
    }
}

impl From<Failure> for RecvTimeoutError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<Trouble> for RecvTimeoutError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotNow | Trouble::Crowded => Self::Timeout,
            Trouble::Gone => Self::Disconnected,
            Trouble::Failed(failure) => failure.into(),
        }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(_) => f.write_str("Disconnected(..)"),
            Self::Failed(_, why) => write!(f, "Failed(.., {why:?})"),
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("Full(..)"),
            Self::Disconnected(_) => f.write_str("Disconnected(..)"),
            Self::Failed(_, why) => write!(f, "Failed(.., {why:?})"),
        }
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(_) => f.write_str("Timeout(..)"),
            Self::Disconnected(_) => f.write_str("Disconnected(..)"),
            Self::Failed(_, why) => write!(f, "Failed(.., {why:?})"),
        }
    }
}
