//! Iterating over the messages of a channel between processes.

use std::error::Error;
use std::fmt;
use std::iter::FusedIterator;

use serde::de::DeserializeOwned;

use super::error::{RecvError, TryRecvError};
use super::failure::MessageError;
use super::receiver::Receiver;

/// Iterates over messages and waits for them, see [`Receiver::iter`].
#[must_use = "an iterator receives nothing until it is asked"]
pub struct Iter<'a, T>(&'a Receiver<T>);

/// Iterates over the messages that are there, see [`Receiver::try_iter`].
#[must_use = "an iterator receives nothing until it is asked"]
pub struct TryIter<'a, T>(&'a Receiver<T>);

/// Iterates over messages and waits for them; keeps the [`Receiver`] that it was made of. It panics
/// as [`Iter`] does.
#[must_use = "an iterator receives nothing until it is asked"]
pub struct IntoIter<T>(Receiver<T>);

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>) -> Self {
        Self(receiver)
    }
}

impl<'a, T> TryIter<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>) -> Self {
        Self(receiver)
    }
}

impl<T> IntoIter<T> {
    pub(super) fn new(receiver: Receiver<T>) -> Self {
        Self(receiver)
    }
}

impl<T: DeserializeOwned> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(self.0)
    }
}

impl<T: DeserializeOwned> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self.0.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Failed(error)) => lost(&error),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }
}

impl<T: DeserializeOwned> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(&self.0)
    }
}

fn next<T: DeserializeOwned>(receiver: &Receiver<T>) -> Option<T> {
    match receiver.recv() {
        Ok(message) => Some(message),
        Err(RecvError::Failed(error)) => lost(&error),
        Err(RecvError::Disconnected) => None,
    }
}

/// Neither the end nor silence would say that a message is lost.
#[cold]
fn lost(error: &MessageError) -> ! {
    match error.source() {
        Some(cause) => panic!("a message could not be received: {error}: {cause}"),
        None => panic!("a message could not be received: {error}"),
    }
}

// A channel without senders never gets any again.
impl<T: DeserializeOwned> FusedIterator for Iter<'_, T> {}
impl<T: DeserializeOwned> FusedIterator for IntoIter<T> {}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Iter").field(&self.0).finish()
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TryIter").field(&self.0).finish()
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IntoIter").field(&self.0).finish()
    }
}
