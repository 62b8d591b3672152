//! Messages between tasks, threads and the program: queues and pipes that know the pool.
//!
//! Any number of threads send into a channel and receive from it; each message arrives once, in the
//! order in which one sender sent. [`unbounded`] channels take every message at once. In a
//! [`bounded`] one senders wait while it is full, and one of capacity 0 hands each message over from
//! hand to hand. [`pipe`] has two ends that both send and receive.
//!
//! A channel ends by itself: when the last [`Sender`] is gone, receivers get what is left and then
//! an error (so a loop over a [`Receiver`] ends); when the last receiver is gone, senders get their
//! messages back, and what is left in the channel is dropped. A panic of such a `Drop` is swallowed.
//!
//! A task that waits for a message does not starve its pool: another thread takes its place
//! meanwhile, up to a [bound](crate::PoolBuilder::max_spares). There is no `async` interface;
//! a future can await a task that receives: `manyhands::spawn(move || receiver.recv()).await`.
//!
//! The channels are those of the crossbeam-channel crate, in clothes of our own.
//!
//! # Examples
//!
//! ```
//! use manyhands::channel;
//!
//! let (sender, receiver) = channel::bounded(10);
//! let producer = manyhands::spawn(move || {
//!     (1..=100_u32).try_for_each(|n| sender.send(n))
//! });
//! assert_eq!(receiver.iter().sum::<u32>(), 5050);
//! producer.join()??;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod end;
mod error;
mod iter;
mod parcel;
mod pipe;
mod receiver;
mod select;
mod sender;

pub use clock::{after, never, tick};
pub use error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use iter::{IntoIter, Iter, TryIter};
pub use pipe::{Pipe, pipe};
pub use receiver::Receiver;
pub use select::Select;
pub use sender::Sender;

use parcel::Parcel;

/// Makes a channel that holds any number of messages. Sending never waits.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = manyhands::channel::unbounded();
/// sender.send("hello")?;
/// drop(sender);
/// assert_eq!(receiver.into_iter().collect::<Vec<_>>(), ["hello"]);
/// # Ok::<(), manyhands::channel::SendError<&str>>(())
/// ```
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    (Sender::new(sender, None), Receiver::new(receiver, None))
}

/// Makes a channel that holds at most `capacity` messages. Sending waits while it is full; with a
/// capacity of 0 it waits until somebody receives.
///
/// The room for all messages is allocated here, as by `Vec::with_capacity`. A capacity beyond the
/// address space, such as `usize::MAX`, means no bound: so many messages could never be there.
///
/// # Examples
///
/// ```
/// use manyhands::channel::{self, TrySendError};
///
/// let (sender, receiver) = channel::bounded(1);
/// sender.try_send('a')?;
/// assert_eq!(sender.try_send('b'), Err(TrySendError::Full('b')));
/// assert_eq!(receiver.recv(), Ok('a'));
/// # Ok::<(), TrySendError<char>>(())
/// ```
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    if !fits::<T>(capacity) {
        return unbounded();
    }
    let (sender, receiver) = crossbeam_channel::bounded(capacity);
    let (end, open) = (capacity > 0).then(|| end::new(receiver.clone())).unzip();
    (Sender::new(sender, end), Receiver::new(receiver, open))
}

/// Whether so many messages, with a mark each, fit into the address space.
fn fits<T>(capacity: usize) -> bool {
    let bytes = capacity.checked_mul(size_of::<(usize, Parcel<T>)>());
    bytes.is_some_and(|bytes| bytes <= isize::MAX as usize)
}
