//! A message on its way.
//!
//! Messages that nobody will receive are dropped in the middle of the channel's own work. A panic of
//! such a `Drop` ends in the parcel, and the other messages are dropped as well.

#![expect(unsafe_code, reason = "takes the message out of a type with a destructor")]

use std::mem::{ManuallyDrop, forget};

use crate::unwind::discard;

/// A message that is inside of a channel.
///
/// # Invariant
///
/// The message is there until the parcel is opened or dropped, which happens once.
pub(super) struct Parcel<T>(ManuallyDrop<T>);

impl<T> Parcel<T> {
    #[inline]
    pub(super) fn new(message: T) -> Self {
        Self(ManuallyDrop::new(message))
    }

    #[inline]
    pub(super) fn open(mut self) -> T {
        // SAFETY: the message is there, and the parcel is forgotten at once.
        let message = unsafe { ManuallyDrop::take(&mut self.0) };
        forget(self);
        message
    }
}

impl<T> Drop for Parcel<T> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<T>() {
            // SAFETY: the message is there, and this is the last that is seen of the parcel.
            discard(unsafe { ManuallyDrop::take(&mut self.0) });
        }
    }
}
