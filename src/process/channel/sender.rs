//! The end of a channel that messages go into.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::end::{End, Places};
use super::error::{SendError, SendTimeoutError, TrySendError};
use super::letter::Letter;

/// Sends messages into a channel between processes.
///
/// Its clones send into the same channel, and so do those that travel to other processes as
/// arguments, results and messages. The channel ends when all of them are gone, or their processes
/// are.
pub struct Sender<T> {
    end: Arc<End>,
    _messages: PhantomData<fn(T)>,
}

impl<T> Sender<T> {
    pub(super) fn new(end: End) -> Self {
        Self { end: Arc::new(end), _messages: PhantomData }
    }

    /// How many messages are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end.log().len() as usize
    }

    /// Whether no message is in the channel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.log().is_empty()
    }

    /// Whether the channel takes no message now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.end.log().is_full()
    }

    /// How many messages the channel holds; `None`: any number.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        Some(self.end.log().capacity() as usize).filter(|&capacity| capacity > 0)
    }

    /// Whether both send into the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        self.end.log().number() == other.end.log().number()
    }
}

impl<T: Serialize> Sender<T> {
    /// Sends `message`. What was sent arrives, even if this process ends right after.
    ///
    /// # Examples
    ///
    /// ```
    /// # if !cfg!(target_os = "linux") { return }
    /// use manyhands::process::{self, SendError};
    ///
    /// let (sender, receiver) = process::unbounded().unwrap();
    /// sender.send(1).unwrap();
    /// assert_eq!(receiver.recv(), Ok(1));
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(SendError::Disconnected(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// If no receiver is left, or the message cannot be sent; it is in the error. When the last
    /// receiver's process dies without a word, the next few messages may still be taken.
    ///
    /// # Blocking
    ///
    /// While a bounded channel is full, and while some hundred messages with open files in them wait
    /// in any channel. On a worker of a pool another thread takes its place meanwhile.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let sent = Letter::write(&message).map_err(Into::into);
        match sent.and_then(|letter| self.end.put(&letter, None)) {
            Ok(()) => Ok(()),
            Err(trouble) => Err(SendError::new(message, trouble)),
        }
    }

    /// Sends `message` if that takes no waiting.
    ///
    /// # Errors
    ///
    /// If the channel is full, no receiver is left, or the message cannot be sent; it is in the
    /// error.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let sent = Letter::write(&message).map_err(Into::into);
        match sent.and_then(|letter| self.end.try_put(&letter)) {
            Ok(()) => Ok(()),
            Err(trouble) => Err(TrySendError::new(message, trouble)),
        }
    }

    /// Sends `message`, waiting for `timeout` at most. One that is too long for the clock never ends.
    ///
    /// # Errors
    ///
    /// If the channel was full all the time, no receiver is left, or the message cannot be sent; it
    /// is in the error.
    ///
    /// # Blocking
    ///
    /// As [`send`](Self::send).
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_until(message, Instant::now().checked_add(timeout))
    }

    /// Sends `message`, waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// If the channel was full until then, no receiver is left, or the message cannot be sent; it is
    /// in the error.
    ///
    /// # Blocking
    ///
    /// As [`send`](Self::send).
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_until(message, Some(deadline))
    }

    fn send_until(&self, message: T, deadline: Option<Instant>) -> Result<(), SendTimeoutError<T>> {
        let sent = Letter::write(&message).map_err(Into::into);
        match sent.and_then(|letter| self.end.put(&letter, deadline)) {
            Ok(()) => Ok(()),
            Err(trouble) => Err(SendTimeoutError::new(message, trouble)),
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { end: Arc::clone(&self.end), _messages: PhantomData }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T> Serialize for Sender<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.end.stow().map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Sender<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let places = Places::deserialize(deserializer)?;
        Ok(Self::new(End::fetch(places).map_err(de::Error::custom)?))
    }
}
