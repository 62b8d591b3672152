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
//! # Limits
//!
//! Linux only: elsewhere everything here compiles, and says [`SpawnError::Unsupported`]. Faults are
//! isolated, malice is not: this is no sandbox.

mod current;
mod entry;
mod error;
mod handle;
mod launcher;
#[expect(dead_code, reason = "the values that have files come with the next step")]
mod luggage;
mod parcel;
mod process_builder;
mod sys;
mod wire;
mod worker;

pub use current::{Current, cpu_count, current, init};
pub use error::{EncodeError, JoinTimeoutError, ProcessError, ProcessErrorKind, SpawnError};
pub use handle::Process;
pub use process_builder::ProcessBuilder;
