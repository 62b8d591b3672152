//! The end of a channel that messages go into.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use super::Parcel;
use super::error::{SendError, SendTimeoutError, TrySendError};
use crate::wait::wait_for;

/// Sends messages into a channel. See the [module](super).
///
/// Its clones send into the same channel, which ends when all of them are gone.
pub struct Sender<T>(crossbeam_channel::Sender<Parcel<T>>);

impl<T> Sender<T> {
    pub(super) fn new(sender: crossbeam_channel::Sender<Parcel<T>>) -> Self {
        Self(sender)
    }

    /// For select.
    pub(super) fn inner(&self) -> &crossbeam_channel::Sender<Parcel<T>> {
        &self.0
    }

    /// Sends `message`.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::channel::{self, SendError};
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// sender.send(1).unwrap();
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(SendError(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// If no receiver is left; the message is in the error.
    ///
    /// # Blocking
    ///
    /// While a bounded channel is full. On a worker another thread takes its place meanwhile.
    #[inline]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        wait_for(
            &mut Some(Parcel::new(message)),
            |slot| self.attempt(slot).map(|sent| sent.map_err(SendError)),
            |slot| self.0.send(unsent(slot)).map_err(|error| SendError(error.0.open())),
        )
    }

    /// Sends what is in the slot, or finds nobody left; `None`: the channel is full.
    #[inline]
    fn attempt(&self, slot: &mut Option<Parcel<T>>) -> Option<Result<(), T>> {
        use crossbeam_channel::TrySendError::{Disconnected, Full};
        match self.0.try_send(unsent(slot)) {
            Ok(()) => Some(Ok(())),
            Err(Disconnected(parcel)) => Some(Err(parcel.open())),
            Err(Full(parcel)) => {
                *slot = Some(parcel);
                None
            }
        }
    }

    /// Sends `message` if that takes no waiting.
    ///
    /// # Errors
    ///
    /// If the channel is full (one without capacity: if nobody is receiving), or no receiver is
    /// left; the message is in the error.
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut slot = Some(Parcel::new(message));
        match self.attempt(&mut slot) {
            Some(sent) => sent.map_err(TrySendError::Disconnected),
            None => Err(TrySendError::Full(unsent(&mut slot).open())),
        }
    }

    /// Sends `message`, waiting for `timeout` at most. One that is too long for the clock never ends.
    ///
    /// # Errors
    ///
    /// If the channel was full all the time, or no receiver is left; the message is in the error.
    ///
    /// # Blocking
    ///
    /// As [`send`](Self::send).
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.send_deadline(message, deadline),
            None => Ok(self.send(message)?),
        }
    }

    /// Sends `message`, waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// If the channel was full until then, or no receiver is left; the message is in the error.
    ///
    /// # Blocking
    ///
    /// As [`send`](Self::send).
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        use crossbeam_channel::SendTimeoutError::{Disconnected, Timeout};
        wait_for(
            &mut Some(Parcel::new(message)),
            |slot| self.attempt(slot).map(|sent| sent.map_err(SendTimeoutError::Disconnected)),
            |slot| {
                self.0.send_deadline(unsent(slot), deadline).map_err(|error| match error {
                    Timeout(parcel) => SendTimeoutError::Timeout(parcel.open()),
                    Disconnected(parcel) => SendTimeoutError::Disconnected(parcel.open()),
                })
            },
        )
    }

    /// How many messages are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no message is in the channel. One without capacity is always empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the channel takes no message now. One without capacity is always full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// How many messages the channel holds; `None`: any number.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.0.capacity()
    }

    /// Whether both send into the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

#[inline]
fn unsent<T>(slot: &mut Option<Parcel<T>>) -> Parcel<T> {
    slot.take().expect("what was not sent is put back")
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("len", &self.len()).finish_non_exhaustive()
    }
}

// A channel has no state that a panic could leave half-changed.
impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
