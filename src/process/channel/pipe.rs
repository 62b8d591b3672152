//! Two ends that both send and receive, between processes.

use std::fmt;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{
    ChannelError, RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError,
};
use super::iter::{Iter, TryIter};
use super::receiver::Receiver;
use super::sender::Sender;
use super::unbounded;

/// Makes a pipe between processes: what one end sends, the other receives. One sends `A` and
/// receives `B`.
///
/// Either direction holds any number of messages.
///
/// # Examples
///
/// ```
/// # if !cfg!(target_os = "linux") { return Ok(()) }
/// let (asking, answering) = manyhands::process::pipe::<String, usize>()?;
/// asking.send("four".to_string())?;
/// answering.send(answering.recv()?.len())?;
/// assert_eq!(asking.recv()?, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If there are no such channels on this system, or it refuses memory or files.
#[expect(clippy::type_complexity, reason = "two ends, or an error")]
pub fn pipe<A, B>() -> Result<(Pipe<A, B>, Pipe<B, A>), ChannelError>
where
    A: Serialize + DeserializeOwned,
    B: Serialize + DeserializeOwned,
{
    let (to_right, from_left) = unbounded()?;
    let (to_left, from_right) = unbounded()?;
    let left = Pipe { sender: to_right, receiver: from_right };
    Ok((left, Pipe { sender: to_left, receiver: from_left }))
}

/// One end of a [`pipe`]: sends `A`, receives `B`.
///
/// It can travel to another process as an argument, a result or a message. When it is gone, or its
/// process is, the other end gets what was sent, and then errors.
pub struct Pipe<A, B> {
    // Dropped first, so that the other end cannot send any more once it hears of the end.
    receiver: Receiver<B>,
    sender: Sender<A>,
}

impl<A: Serialize, B> Pipe<A, B> {
    /// Sends `message` to the other end. It waits only while some hundred messages with open files
    /// in them are on their way.
    ///
    /// # Errors
    ///
    /// If the other end is gone, or the message cannot be sent; it is in the error.
    pub fn send(&self, message: A) -> Result<(), SendError<A>> {
        self.sender.send(message)
    }

    /// As [`send`](Self::send), with the error of [`Sender::try_send`].
    ///
    /// # Errors
    ///
    /// If the other end is gone, the message cannot be sent, or would have to wait; it is in the
    /// error.
    pub fn try_send(&self, message: A) -> Result<(), TrySendError<A>> {
        self.sender.try_send(message)
    }
}

impl<A, B: DeserializeOwned> Pipe<A, B> {
    /// Receives a message from the other end.
    ///
    /// # Errors
    ///
    /// If there is none, and the other end is gone, or it cannot be decoded.
    ///
    /// # Blocking
    ///
    /// Until there is one. On a worker of a pool another thread takes its place meanwhile.
    pub fn recv(&self) -> Result<B, RecvError> {
        self.receiver.recv()
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    ///
    /// If there is none now, or the other end is gone, too, or it cannot be decoded.
    pub fn try_recv(&self) -> Result<B, TryRecvError> {
        self.receiver.try_recv()
    }

    /// Receives a message, waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// If none has come in time, or there is none and the other end is gone, or it cannot be decoded.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<B, RecvTimeoutError> {
        self.receiver.recv_timeout(timeout)
    }

    /// Receives a message, waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// If none has come until then, or there is none and the other end is gone, or it cannot be
    /// decoded.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<B, RecvTimeoutError> {
        self.receiver.recv_deadline(deadline)
    }

    /// Iterates over the messages from the other end; waits for each, and ends when that is gone.
    ///
    /// # Panics
    ///
    /// The iterator does, if a message cannot be received that was there.
    pub fn iter(&self) -> Iter<'_, B> {
        self.receiver.iter()
    }

    /// Iterates over the messages that are there, without waiting.
    ///
    /// # Panics
    ///
    /// As [`iter`](Self::iter).
    pub fn try_iter(&self) -> TryIter<'_, B> {
        self.receiver.try_iter()
    }
}

impl<A, B> Pipe<A, B> {
    /// Waits until [`recv`](Self::recv) would return at once, with a message or an error, for
    /// `timeout` at most. Says whether it would, as long as nobody else receives from this end.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # if !cfg!(target_os = "linux") { return Ok(()) }
    /// use std::time::Duration;
    ///
    /// let (left, right) = manyhands::process::pipe::<u8, u8>()?;
    /// assert!(!right.poll(Duration::ZERO));
    /// left.send(1)?;
    /// assert!(right.poll(Duration::MAX));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn poll(&self, timeout: Duration) -> bool {
        self.receiver.wait_until_ready(Instant::now().checked_add(timeout))
    }

    /// How many messages wait to be received here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.receiver.len()
    }

    /// Whether no message waits to be received here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// The two halves of this end, for two threads or two processes.
    #[must_use]
    pub fn split(self) -> (Sender<A>, Receiver<B>) {
        (self.sender, self.receiver)
    }
}

impl<A, B> Clone for Pipe<A, B> {
    fn clone(&self) -> Self {
        Self { receiver: self.receiver.clone(), sender: self.sender.clone() }
    }
}

impl<'a, A, B: DeserializeOwned> IntoIterator for &'a Pipe<A, B> {
    type Item = B;
    type IntoIter = Iter<'a, B>;

    fn into_iter(self) -> Iter<'a, B> {
        self.iter()
    }
}

impl<A, B> fmt::Debug for Pipe<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<A, B> Serialize for Pipe<A, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.receiver, &self.sender).serialize(serializer)
    }
}

impl<'de, A, B> Deserialize<'de> for Pipe<A, B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (receiver, sender) = Deserialize::deserialize(deserializer)?;
        Ok(Self { receiver, sender })
    }
}
