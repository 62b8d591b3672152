//! How a process is to be.

use std::ffi::OsString;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::call;
use super::error::SpawnError;
use super::handle::Process;
use super::launcher;
use super::parcel::Packer;
use super::sys::{Launch, offset_of};
use super::wire::{Outbox, Tag};
use super::worker::{ChunkHead, Identity, JobHead, Setup, encode};

/// Says how a [`Process`] is to be; made by [`Process::builder`].
#[derive(Debug, Default)]
#[must_use = "a builder starts nothing until `spawn`"]
pub struct ProcessBuilder {
    name: Option<String>,
    memory_limit: Option<u64>,
    launch: Launch,
}

impl ProcessBuilder {
    /// Names the process, in errors and for [`current`](super::current). Otherwise it is `process`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Limits the address space of the process, in bytes. Beyond, it gets no memory and usually
    /// aborts. The program itself and its stacks count, too: less than about 64 MiB starts nothing.
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Sets a variable of the environment of the process; all others are those of this one.
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.launch.env.push((key.into(), value.into()));
        self
    }

    /// Starts a process that calls `f` with `argument`.
    ///
    /// See [`Process::spawn`].
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::process::Process;
    ///
    /// let process = Process::builder()
    ///     .name("greeter")
    ///     .env("GREETING", "hello")
    ///     .spawn(|name: String| format!("{}, {name}", std::env::var("GREETING").unwrap()), "world".into())?;
    /// assert_eq!(process.join()?, "hello, world");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Process::spawn`].
    pub fn spawn<F, A, R>(self, f: F, argument: A) -> Result<Process<R>, SpawnError>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        let name = self.name.unwrap_or_else(|| "process".to_string());
        let worker = Arc::from(&*name);
        let setup = Setup { identity: Identity::own(), name, memory_limit: self.memory_limit };
        let chunk = ChunkHead { job: 0, first: 0, len: 1 };
        let mut item = Packer::after(encode(&chunk)?);
        item.value(&argument).map_err(|failure| SpawnError::Encode(failure.into()))?;
        let (item, files) = item.finish();

        let mut outbox = Outbox::default();
        let job = JobHead { job: 0, offset: offset_of(call(f)) };
        outbox.push(Tag::Hello, encode(&setup)?, Vec::new());
        outbox.push(Tag::Job, encode(&job)?, Vec::new());
        outbox.push(Tag::Chunk, item, files);
        outbox.push(Tag::Bye, Vec::new(), Vec::new());
        let (child, socket) = launcher::start(self.launch)?;
        Ok(Process::begin(worker, child, socket, outbox)?)
    }
}
