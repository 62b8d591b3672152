//! The end of a bounded channel: what is left in it is dropped when the last receiver goes.
//!
//! ```text
//!   the last receiver goes          a sender
//!   ──────────────────────          ────────
//!   it has ended                    has it ended? then the message goes back
//!   wake who waits for room         send; or wait, until there is room or it has ended
//!   take out what is left           has it ended? then take out what is left
//! ```
//!
//! Either the last receiver finds the message, or its sender sees that the channel has ended. So no
//! message stays in a channel that nobody receives from: it may hold the sender of an answer that
//! somebody waits for.
//!
//! # Rejected
//!
//! To leave it to crossbeam-channel, which keeps what is left in a bounded channel until the last
//! sender goes, and has no way to take it out once senders have heard that nobody receives. So the
//! senders keep a receiver, which takes out what is left, and hear of the end from us.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossbeam_channel::{Receiver, Select, SelectedOperation, Sender};

use super::Parcel;
use crate::sync::Ordering;

/// What the senders of a bounded channel know of its end.
pub(super) struct End<T> {
    messages: Receiver<Parcel<T>>,
    has_come: AtomicBool,
    /// Is ready when the end has come.
    signal: Receiver<Infallible>,
}

/// Held by the receivers. The end comes when it is dropped.
pub(super) struct Open<T> {
    end: Arc<End<T>>,
    signal: Option<Sender<Infallible>>,
}

/// The two sides of the end of the channel of `messages`.
pub(super) fn new<T>(messages: Receiver<Parcel<T>>) -> (Arc<End<T>>, Open<T>) {
    let (sender, signal) = crossbeam_channel::bounded(0);
    let end = Arc::new(End { messages, has_come: AtomicBool::new(false), signal });
    (Arc::clone(&end), Open { end, signal: Some(sender) })
}

impl<T> End<T> {
    /// Whether it has come, before a message is sent.
    #[inline]
    pub(super) fn has_come(&self) -> bool {
        // ORDERING: Relaxed: a late answer is seen to by `look_after`.
        self.has_come.load(Ordering::Relaxed)
    }

    /// Looks after a message that was sent.
    #[inline]
    pub(super) fn look_after(&self) {
        // ORDERING: SeqCst, and no fence, which would cost as much as the rest of the send: sending
        // is a SeqCst exchange on the channel's tail, and this load stays behind it. Pairs with the
        // store in `Open`, whose look at the tail has a fence before. Should that exchange ever be
        // weaker, a message may stay as long as the last sender, and nothing else goes wrong.
        if self.has_come.load(Ordering::SeqCst) {
            self.clear();
        }
    }

    #[cold]
    fn clear(&self) {
        // It ends: nobody sends who has seen the end.
        while let Ok(parcel) = self.messages.try_recv() {
            drop(parcel);
        }
    }

    /// Makes it a case of `select`.
    pub(super) fn enlist<'a>(&'a self, select: &mut Select<'a>) -> usize {
        select.recv(&self.signal)
    }

    /// Completes the operation of that case.
    pub(super) fn complete(&self, operation: SelectedOperation<'_>) {
        let Err(_) = operation.recv(&self.signal);
    }
}

impl<T> Drop for Open<T> {
    fn drop(&mut self) {
        // ORDERING: SeqCst stays before the look at the channel that follows. Pairs with the load in
        // `look_after`.
        self.end.has_come.store(true, Ordering::SeqCst);
        drop(self.signal.take());
        self.end.clear();
    }
}
