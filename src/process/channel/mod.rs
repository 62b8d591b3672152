//! Messages between processes: the words of [`channel`](crate::channel), for what can be encoded.
//!
//! Any number of processes, and threads in them, send into a channel and receive from it; each
//! message arrives once, in the order in which one sender sent. The messages lie in memory that all
//! of them see, and so they outlive their senders, and wait for nobody to be taken out of a pipe.

mod area;
mod end;
mod error;
mod failure;
mod front;
mod iter;
mod letter;
mod log;
mod pipe;
mod receiver;
mod sender;
mod turn;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::{
    ChannelError, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError,
    TrySendError,
};
pub use failure::MessageError;
pub use iter::{IntoIter, Iter, TryIter};
pub use pipe::{Pipe, pipe};
pub use receiver::Receiver;
pub use sender::Sender;

use end::End;

/// Makes a channel between processes that holds any number of messages. Sending does not wait.
///
/// Either end can be cloned, and can be an argument, a result or a message. When all senders are
/// gone, or the processes that held them are, receivers get what is left and then an error; when all
/// receivers are gone, senders get their messages back. A message whose sending has returned
/// arrives, whatever becomes of its sender, and one that was half written is never seen. So whoever
/// joins a process before it receives what that has sent is not stuck.
///
/// A message is encoded when it is sent, and takes that much memory until it is received. Messages
/// that have open files in them, such as ends of channels, wait some hundred at a time in a channel;
/// sending a further one waits.
///
/// # Examples
///
/// ```
/// # if !cfg!(target_os = "linux") { return Ok(()) }
/// use manyhands::process;
///
/// let (sender, receiver) = process::unbounded()?;
/// sender.send("hello".to_string())?;
/// drop(sender);
/// assert_eq!(receiver.into_iter().collect::<Vec<String>>(), ["hello"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If there are no such channels on this system, or it refuses memory or files: an end has three.
pub fn unbounded<T>() -> Result<(Sender<T>, Receiver<T>), ChannelError>
where
    T: Serialize + DeserializeOwned,
{
    with_capacity(0)
}

/// Makes a channel between processes that holds at most `capacity` messages. Sending waits while it
/// is full. See [`unbounded`] for the rest.
///
/// # Examples
///
/// ```
/// # if !cfg!(target_os = "linux") { return Ok(()) }
/// use manyhands::process::{self, TrySendError};
///
/// let (sender, receiver) = process::bounded(1)?;
/// sender.try_send('a')?;
/// assert_eq!(sender.try_send('b'), Err(TrySendError::Full('b')));
/// assert_eq!(receiver.recv(), Ok('a'));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If `capacity` is 0, there are no such channels on this system, or it refuses memory or files.
pub fn bounded<T>(capacity: usize) -> Result<(Sender<T>, Receiver<T>), ChannelError>
where
    T: Serialize + DeserializeOwned,
{
    if capacity == 0 {
        return Err(ChannelError::NoCapacity);
    }
    with_capacity(capacity as u64)
}

/// 0: for any number of messages.
fn with_capacity<T>(capacity: u64) -> Result<(Sender<T>, Receiver<T>), ChannelError> {
    let (senders, receivers) = End::pair(capacity)?;
    Ok((Sender::new(senders), Receiver::new(receivers)))
}
