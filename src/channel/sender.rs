//! The end of a channel that messages go into.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::SelectedOperation;

use super::Parcel;
use super::end::End;
use super::error::{SendError, SendTimeoutError, TrySendError};
use crate::wait::wait_for;

/// Sends messages into a channel. See the [module](super).
///
/// Its clones send into the same channel, which ends when all of them are gone.
pub struct Sender<T> {
    messages: crossbeam_channel::Sender<Parcel<T>>,
    /// Of a channel that holds something, and not any number.
    end: Option<Arc<End<T>>>,
}

impl<T> Sender<T> {
    pub(super) fn new(
        messages: crossbeam_channel::Sender<Parcel<T>>,
        end: Option<Arc<End<T>>>,
    ) -> Self {
        Self { messages, end }
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
            None,
            |slot| self.attempt(slot).map(|sent| sent.map_err(SendError)),
            |slot| self.block(slot, None).map_err(|error| SendError(error.into_inner())),
        )
    }

    /// Sends what is in the slot, or finds nobody left; `None`: the channel is full.
    #[inline]
    fn attempt(&self, slot: &mut Option<Parcel<T>>) -> Option<Result<(), T>> {
        use crossbeam_channel::TrySendError::{Disconnected, Full};
        if self.has_ended() {
            return Some(Err(unsent(slot).open()));
        }
        match self.messages.try_send(unsent(slot)) {
            Ok(()) => {
                self.look_after();
                Some(Ok(()))
            }
            Err(Disconnected(parcel)) => Some(Err(parcel.open())),
            Err(Full(parcel)) => {
                *slot = Some(parcel);
                None
            }
        }
    }

    /// Waits for room, or for the end, until `deadline`.
    fn block(
        &self,
        slot: &mut Option<Parcel<T>>,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<T>> {
        let mut select = crossbeam_channel::Select::new();
        let last = self.enlist(&mut select);
        let operation = match deadline {
            Some(deadline) => select.select_deadline(deadline).ok(),
            None => Some(select.select()),
        };
        let parcel = unsent(slot);
        match operation {
            Some(operation) => Ok(self.complete(last, operation, parcel)?),
            None => Err(SendTimeoutError::Timeout(parcel.open())),
        }
    }

    /// Makes this a case of `select`, and returns its number there, the last one if it has two: the
    /// second is for the end.
    pub(super) fn enlist<'a>(&'a self, select: &mut crossbeam_channel::Select<'a>) -> usize {
        match &self.end {
            None => select.send(&self.messages),
            Some(end) => {
                if !end.has_come() {
                    select.send(&self.messages);
                }
                end.enlist(select)
            }
        }
    }

    /// Sends the parcel, now that `operation` of the case `last` was selected.
    pub(super) fn complete(
        &self,
        last: usize,
        operation: SelectedOperation<'_>,
        parcel: Parcel<T>,
    ) -> Result<(), SendError<T>> {
        match &self.end {
            Some(end) if operation.index() == last => {
                end.complete(operation);
                Err(SendError(parcel.open()))
            }
            _ => {
                let sent = operation.send(&self.messages, parcel);
                self.look_after();
                sent.map_err(|error| SendError(error.0.open()))
            }
        }
    }

    #[inline]
    fn has_ended(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.has_come())
    }

    /// Looks after a message that was sent.
    #[inline]
    fn look_after(&self) {
        if let Some(end) = &self.end {
            end.look_after();
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
        wait_for(
            &mut Some(Parcel::new(message)),
            Some(deadline),
            |slot| self.attempt(slot).map(|sent| sent.map_err(SendTimeoutError::Disconnected)),
            |slot| self.block(slot, Some(deadline)),
        )
    }

    /// How many messages are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether no message is in the channel. One without capacity is always empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether the channel takes no message now. One without capacity is always full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.messages.is_full()
    }

    /// How many messages the channel holds; `None`: any number.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.messages.capacity()
    }

    /// Whether both send into the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        self.messages.same_channel(&other.messages)
    }
}

#[inline]
fn unsent<T>(slot: &mut Option<Parcel<T>>) -> Parcel<T> {
    slot.take().expect("what was not sent is put back")
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { messages: self.messages.clone(), end: self.end.clone() }
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
