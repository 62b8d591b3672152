//! The same words, isolated: work in processes of its own.
//!
//! A worker process has its own memory. When it panics, crashes, runs out of memory or hangs, that
//! costs what it was doing and nothing else, and comes back as a [`ProcessError`].
//!
//! ```
//! use manyhands::process::Process;
//!
//! let process = Process::spawn(|(a, b): (u32, u32)| a + b, (1, 2))?;
//! assert_eq!(process.join()?, 3);
//!
//! let process = Process::spawn(|()| -> u32 { std::process::abort() }, ())?;
//! assert!(process.join().unwrap_err().signal().is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it starts
//!
//! A worker is this program, started once more; it finds out before `main` begins, and never gets
//! there. So there is nothing to set up, and it works in tests and examples, too. [`init`] is for
//! programs whose linker drops what runs before `main`.
//!
//! # What can be sent
//!
//! A function goes to a worker as its place in the program. So it cannot capture anything: what it
//! needs is in its argument. Arguments and results are values that serde can write and read.
//!
//! # Messages
//!
//! [`unbounded`], [`bounded`] and [`pipe`] make channels between processes, with the words of
//! [`channel`](crate::channel): any number of processes, and threads in them, send and receive; each
//! message arrives once, in the order in which one sender sent. Messages are whatever serde encodes,
//! and among them, or as arguments and results, are the ends of channels themselves.
//!
//! - Messages lie in memory that all holders see. So they outlive their senders, and whoever joins a
//!   process before it receives what that has sent is not stuck.
//! - A channel ends by itself when all holders of one side are gone, whether they returned, crashed
//!   or were killed. Receivers get what was sent before.
//! - A process that dies in the middle of a send or a receive harms nobody: its message was sent or
//!   it was not, and the others go on.
//! - Whoever waits takes no time of a processor, after a first look of 20 µs.
//!
//! ```
//! # if !cfg!(target_os = "linux") { return Ok(()) }
//! use manyhands::process::{self, Sender};
//!
//! // A request brings along where its answer goes.
//! let (requests, inbox) = process::unbounded::<(u32, Sender<u32>)>()?;
//! let (answer, answers) = process::unbounded()?;
//! requests.send((6, answer))?;
//!
//! let (number, answer) = inbox.recv()?;
//! answer.send(number * 7)?;
//! assert_eq!(answers.recv()?, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! Linux only: elsewhere everything here compiles, and says [`SpawnError::Unsupported`] or
//! [`ChannelError::Unsupported`]. Faults are isolated, malice is not: this is no sandbox.

mod channel;
mod current;
mod entry;
mod error;
mod handle;
mod launcher;
mod luggage;
mod parcel;
mod process_builder;
mod sys;
mod wire;
mod worker;

pub use channel::{
    ChannelError, IntoIter, Iter, MessageError, Pipe, Receiver, RecvError, RecvTimeoutError,
    SendError, SendTimeoutError, Sender, TryIter, TryRecvError, TrySendError, bounded, pipe,
    unbounded,
};
pub use current::{Current, cpu_count, current, init};
pub use error::{EncodeError, JoinTimeoutError, ProcessError, ProcessErrorKind, SpawnError};
pub use handle::Process;
pub use process_builder::ProcessBuilder;
