//! Two ends that both send and receive.

use std::fmt;
use std::time::{Duration, Instant};

use super::error::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use super::{Iter, Receiver, Sender, TryIter, unbounded};

/// Makes a pipe: what one end sends, the other receives. One sends `A` and receives `B`.
///
/// Either direction holds any number of messages.
///
/// # Examples
///
/// ```
/// let (asking, answering) = manyhands::channel::pipe::<&str, usize>();
/// let worker = manyhands::spawn(move || {
///     answering.iter().try_for_each(|word| answering.send(word.len()))
/// });
/// asking.send("four")?;
/// assert_eq!(asking.recv()?, 4);
/// drop(asking);
/// worker.join()??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn pipe<A, B>() -> (Pipe<A, B>, Pipe<B, A>) {
    let (to_right, from_left) = unbounded();
    let (to_left, from_right) = unbounded();
    let left = Pipe { sender: to_right, receiver: from_right };
    (left, Pipe { sender: to_left, receiver: from_left })
}

/// One end of a [`pipe`]: sends `A`, receives `B`.
///
/// When it is dropped, the other end gets what was sent, and then errors.
pub struct Pipe<A, B> {
    // Dropped first, so that the other end cannot send any more once it hears of the end.
    receiver: Receiver<B>,
    sender: Sender<A>,
}

impl<A, B> Pipe<A, B> {
    /// Sends `message` to the other end. It never waits.
    ///
    /// # Errors
    ///
    /// If the other end is gone; the message is in the error.
    pub fn send(&self, message: A) -> Result<(), SendError<A>> {
        self.sender.send(message)
    }

    /// As [`send`](Self::send), which does not wait either, with the error of
    /// [`Sender::try_send`].
    ///
    /// # Errors
    ///
    /// If the other end is gone; the message is in the error.
    pub fn try_send(&self, message: A) -> Result<(), TrySendError<A>> {
        self.sender.try_send(message)
    }

    /// Receives a message from the other end.
    ///
    /// # Errors
    ///
    /// If there is none, and the other end is gone.
    ///
    /// # Blocking
    ///
    /// Until there is one. On a worker another thread takes its place meanwhile.
    pub fn recv(&self) -> Result<B, RecvError> {
        self.receiver.recv()
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    ///
    /// If there is none now, or the other end is gone, too.
    pub fn try_recv(&self) -> Result<B, TryRecvError> {
        self.receiver.try_recv()
    }

    /// Receives a message, waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// If none has come in time, or there is none and the other end is gone.
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
    /// If none has come until then, or there is none and the other end is gone.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<B, RecvTimeoutError> {
        self.receiver.recv_deadline(deadline)
    }

    /// Waits until [`recv`](Self::recv) would return at once, with a message or an error, for
    /// `timeout` at most. Says whether it would, as long as no other thread receives from this end.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (left, right) = manyhands::channel::pipe::<u8, u8>();
    /// assert!(!right.poll(Duration::ZERO));
    /// left.send(1)?;
    /// assert!(right.poll(Duration::MAX));
    /// # Ok::<(), manyhands::channel::SendError<u8>>(())
    /// ```
    #[must_use]
    pub fn poll(&self, timeout: Duration) -> bool {
        self.receiver.wait_until_ready(Instant::now().checked_add(timeout))
    }

    /// Iterates over the messages from the other end; waits for each, and ends when that is gone.
    pub fn iter(&self) -> Iter<'_, B> {
        self.receiver.iter()
    }

    /// Iterates over the messages that are there, without waiting.
    pub fn try_iter(&self) -> TryIter<'_, B> {
        self.receiver.try_iter()
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

    /// The two halves of this end, for two threads, or for a [`Select`](super::Select).
    #[must_use]
    pub fn split(self) -> (Sender<A>, Receiver<B>) {
        (self.sender, self.receiver)
    }
}

impl<'a, A, B> IntoIterator for &'a Pipe<A, B> {
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
