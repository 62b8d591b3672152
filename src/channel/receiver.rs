//! The end of a channel that messages come out of.

use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::SelectedOperation;

use super::Parcel;
use super::end::Open;
use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::iter::{IntoIter, Iter, TryIter};
use crate::wait::wait_for;

/// Receives messages from a channel. See the [module](super).
///
/// Its clones receive from the same channel, each message once among them. Looping over it ends when
/// the channel is empty and no sender is left.
pub struct Receiver<T>(Origin<T>);

/// Where the messages come from.
enum Origin<T> {
    /// Somebody sends them.
    Senders(Arc<Outlet<T>>),
    /// The clock does.
    Clock(crossbeam_channel::Receiver<T>),
}

/// What all receivers of a channel share.
struct Outlet<T> {
    messages: crossbeam_channel::Receiver<Parcel<T>>,
    _open: Option<Open<T>>,
}

impl<T> Deref for Outlet<T> {
    type Target = crossbeam_channel::Receiver<Parcel<T>>;

    fn deref(&self) -> &Self::Target {
        &self.messages
    }
}

/// Asks either origin what both can tell.
macro_rules! ask {
    ($receiver:expr, $inner:ident => $question:expr) => {
        match &$receiver.0 {
            Origin::Senders($inner) => $question,
            Origin::Clock($inner) => $question,
        }
    };
}

/// Gets a message from either origin.
macro_rules! take {
    ($receiver:expr, $inner:ident => $operation:expr) => {
        match &$receiver.0 {
            Origin::Senders($inner) => $operation.map(Parcel::open),
            Origin::Clock($inner) => $operation,
        }
    };
}

impl<T> Receiver<T> {
    /// Keeps `open`, if the channel needs it, as long as there are receivers.
    pub(super) fn new(
        messages: crossbeam_channel::Receiver<Parcel<T>>,
        open: Option<Open<T>>,
    ) -> Self {
        Self(Origin::Senders(Arc::new(Outlet { messages, _open: open })))
    }

    pub(super) fn of_clock(receiver: crossbeam_channel::Receiver<T>) -> Self {
        Self(Origin::Clock(receiver))
    }

    /// Receives a message.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::channel::{self, RecvError};
    ///
    /// let (sender, receiver) = channel::unbounded();
    /// sender.send(1).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.recv(), Ok(1));
    /// assert_eq!(receiver.recv(), Err(RecvError));
    /// ```
    ///
    /// # Errors
    ///
    /// If the channel is empty and no sender is left.
    ///
    /// # Blocking
    ///
    /// Until there is one. On a worker another thread takes its place meanwhile.
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        wait_for(
            &mut (),
            None,
            |()| self.attempt(RecvError),
            |()| take!(self, inner => inner.recv()).map_err(|_| RecvError),
        )
    }

    /// A message, or `disconnected`; `None`: neither.
    #[inline]
    fn attempt<E>(&self, disconnected: E) -> Option<Result<T, E>> {
        match self.try_recv() {
            Ok(message) => Some(Ok(message)),
            Err(TryRecvError::Disconnected) => Some(Err(disconnected)),
            Err(TryRecvError::Empty) => None,
        }
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    ///
    /// If there is none now, or no sender is left either.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        take!(self, inner => inner.try_recv()).map_err(|error| match error {
            crossbeam_channel::TryRecvError::Empty => TryRecvError::Empty,
            crossbeam_channel::TryRecvError::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// Receives a message, waiting for `timeout` at most. One that is too long for the clock never
    /// ends.
    ///
    /// # Errors
    ///
    /// If none has come in time, or there is none and no sender is left.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.recv_deadline(deadline),
            None => Ok(self.recv()?),
        }
    }

    /// Receives a message, waiting until `deadline` at most. One that is there is received even if
    /// the deadline is over.
    ///
    /// # Errors
    ///
    /// If none has come until then, or there is none and no sender is left.
    ///
    /// # Blocking
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        use crossbeam_channel::RecvTimeoutError::{Disconnected, Timeout};
        wait_for(
            &mut (),
            Some(deadline),
            |()| self.attempt(RecvTimeoutError::Disconnected),
            |()| {
                take!(self, inner => inner.recv_deadline(deadline)).map_err(|error| match error {
                    Timeout => RecvTimeoutError::Timeout,
                    Disconnected => RecvTimeoutError::Disconnected,
                })
            },
        )
    }

    /// Waits until there is a message or no sender is left, or until `deadline`. False: neither.
    pub(super) fn wait_until_ready(&self, deadline: Option<Instant>) -> bool {
        // For nothing yet: a look at who is left takes longer than the whole of a short wait.
        let has_message = |(): &mut _| (!self.is_empty()).then_some(true);
        wait_for(&mut (), deadline, has_message, |()| self.block_until_ready(deadline))
    }

    fn block_until_ready(&self, deadline: Option<Instant>) -> bool {
        let mut select = crossbeam_channel::Select::new();
        self.enlist(&mut select);
        loop {
            let in_time = match deadline {
                Some(deadline) => select.ready_deadline(deadline).is_ok(),
                None => {
                    select.ready();
                    true
                }
            };
            // It may be over already: another receiver may have been faster.
            if !in_time || select.try_ready().is_ok() {
                return in_time;
            }
        }
    }

    /// Makes this a case of `select`, and returns its number there.
    pub(super) fn enlist<'a>(&'a self, select: &mut crossbeam_channel::Select<'a>) -> usize {
        ask!(self, inner => select.recv(inner))
    }

    /// Gets the message for which `operation` was selected.
    pub(super) fn complete(&self, operation: SelectedOperation<'_>) -> Result<T, RecvError> {
        take!(self, inner => operation.recv(inner)).map_err(|_| RecvError)
    }

    /// Iterates over the messages; waits for each, and ends when no sender is left.
    ///
    /// # Blocking
    ///
    /// Each step as [`recv`](Self::recv).
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Iterates over the messages that are there, without waiting.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
    }

    /// How many messages are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        ask!(self, inner => inner.len())
    }

    /// Whether no message is in the channel. One without capacity is always empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        ask!(self, inner => inner.is_empty())
    }

    /// Whether the channel takes no message now. One without capacity is always full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        ask!(self, inner => inner.is_full())
    }

    /// How many messages the channel holds; `None`: any number.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        ask!(self, inner => inner.capacity())
    }

    /// Whether both receive from the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Origin::Senders(one), Origin::Senders(other)) => one.same_channel(other),
            (Origin::Clock(one), Origin::Clock(other)) => one.same_channel(other),
            _ => false,
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Origin::Senders(inner) => Origin::Senders(Arc::clone(inner)),
            Origin::Clock(inner) => Origin::Clock(inner.clone()),
        })
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter::new(self)
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

// A channel has no state that a panic could leave half-changed.
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}
