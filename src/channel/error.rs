//! What can go wrong with a message. One that could not be sent rides back in the error.

use std::fmt;

use thiserror::Error;

/// No receiver is left. Here is the message again.
#[derive(Clone, Copy, Error, PartialEq, Eq)]
#[error("the message was sent into a channel without receivers")]
pub struct SendError<T>(pub T);

/// Why a message was not sent at once. Here it is again.
#[derive(Clone, Copy, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// The channel is full; of one without capacity, nobody is receiving.
    #[error("the channel is full")]
    Full(T),
    /// No receiver is left.
    #[error("the message was sent into a channel without receivers")]
    Disconnected(T),
}

/// Why a message was not sent in time. Here it is again.
#[derive(Clone, Copy, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendTimeoutError<T> {
    /// The channel was full all the time.
    #[error("the channel was full until the time was over")]
    Timeout(T),
    /// No receiver is left.
    #[error("the message was sent into a channel without receivers")]
    Disconnected(T),
}

/// The channel is empty, and no sender is left.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the channel is empty and has no senders any more")]
pub struct RecvError;

/// Why no message was received at once.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is none now.
    #[error("the channel is empty")]
    Empty,
    /// There is none, and no sender is left.
    #[error("the channel is empty and has no senders any more")]
    Disconnected,
}

/// Why no message was received in time.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// None has come.
    #[error("the channel was empty until the time was over")]
    Timeout,
    /// There is none, and no sender is left.
    #[error("the channel is empty and has no senders any more")]
    Disconnected,
}

impl<T> SendError<T> {
    /// The message.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> TrySendError<T> {
    /// The message.
    pub fn into_inner(self) -> T {
        let (Self::Full(message) | Self::Disconnected(message)) = self;
        message
    }
}

impl<T> SendTimeoutError<T> {
    /// The message.
    pub fn into_inner(self) -> T {
        let (Self::Timeout(message) | Self::Disconnected(message)) = self;
        message
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        Self::Disconnected(error.0)
    }
}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(error: SendError<T>) -> Self {
        Self::Disconnected(error.0)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(_: RecvError) -> Self {
        Self::Disconnected
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(_: RecvError) -> Self {
        Self::Disconnected
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Disconnected(_) => "Disconnected(..)",
        })
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "Timeout(..)",
            Self::Disconnected(_) => "Disconnected(..)",
        })
    }
}
