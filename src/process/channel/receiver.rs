//! The end of a channel that messages come out of.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

use super::end::{End, Places};
use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::iter::{IntoIter, Iter, TryIter};

/// Receives messages from a channel between processes.
///
/// Its clones receive from the same channel, and so do those that travel to other processes as
/// arguments, results and messages; each message is received once among them. Looping over it ends
/// when the channel is empty and no sender is left.
pub struct Receiver<T> {
    end: Arc<End>,
    _messages: PhantomData<fn() -> T>,
}

impl<T> Receiver<T> {
    pub(super) fn new(end: End) -> Self {
        Self { end: Arc::new(end), _messages: PhantomData }
    }

    /// Waits until there is a message or no sender is left, or until `deadline`. False: neither.
    pub(super) fn wait_until_ready(&self, deadline: Option<Instant>) -> bool {
        self.end.wait_until_ready(deadline)
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

    /// Whether both receive from the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        self.end.log().number() == other.end.log().number()
    }
}

impl<T: DeserializeOwned> Receiver<T> {
    /// Receives a message.
    ///
    /// # Examples
    ///
    /// ```
    /// # if !cfg!(target_os = "linux") { return }
    /// use manyhands::process::{self, RecvError};
    ///
    /// let (sender, receiver) = process::unbounded().unwrap();
    /// sender.send(1).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.recv(), Ok(1));
    /// assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is empty and no sender is left, or the message that was there cannot be
    /// decoded: then it is lost, and the next one may be received.
    ///
    /// # Blocking
    ///
    /// Until there is one. On a worker of a pool another thread takes its place meanwhile.
    pub fn recv(&self) -> Result<T, RecvError> {
        Ok(self.end.get(None)?.read()?)
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    ///
    /// If there is none now, or no sender is left either, or the message that was there cannot be
    /// decoded.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        Ok(self.end.try_get()?.read()?)
    }

    /// Receives a message, waiting for `timeout` at most. One that is too long for the clock never
    /// ends.
    ///
    /// # Errors
    ///
    /// If none has come in time, or there is none and no sender is left, or the message that was
    /// there cannot be decoded.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// Receives a message, waiting until `deadline` at most. One that is there is received even if
    /// the deadline is over.
    ///
    /// # Errors
    ///
    /// If none has come until then, or there is none and no sender is left, or the message that was
    /// there cannot be decoded.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Some(deadline))
    }

    fn recv_until(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        Ok(self.end.get(deadline)?.read()?)
    }

    /// Iterates over the messages; waits for each, and ends when no sender is left.
    ///
    /// # Panics
    ///
    /// The iterator does, if a message cannot be received that was there; [`recv`](Self::recv)
    /// returns that error.
    ///
    /// # Blocking
    ///
    /// Each step as [`recv`](Self::recv).
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Iterates over the messages that are there, without waiting.
    ///
    /// # Panics
    ///
    /// As [`iter`](Self::iter).
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self { end: Arc::clone(&self.end), _messages: PhantomData }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter::new(self)
    }
}

impl<'a, T: DeserializeOwned> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> Serialize for Receiver<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.end.stow().map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Receiver<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let places = Places::deserialize(deserializer)?;
        Ok(Self::new(End::fetch(places).map_err(de::Error::custom)?))
    }
}
