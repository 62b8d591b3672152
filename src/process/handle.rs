//! One process, and what comes of it.
//!
//! ```text
//!   spawn ──► runs ──► result sent ──► exited      join: Ok
//!               └────────────────────► ended       join: why
//!   dropped ──► runs on, nobody listens ──► exited, reaped by the launcher
//! ```
//!
//! Nothing is read before somebody asks: `join`, `join_timeout`, `is_alive`, `exit_status`.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::unwind::discard;

use super::error::{Cause, JoinTimeoutError, ProcessError, SpawnError};
use super::launcher;
use super::parcel::Unpacker;
use super::process_builder::ProcessBuilder;
use super::sys::{Child, Socket, Wait, poll};
use super::wire::{Frame, Garbled, Inbox, Outbox, Tag};
use super::worker::{ChunkHead, Identity, decode};

/// A process that calls one function, and the claim on its result.
///
/// Dropping it lets the process go on, but nobody learns the result. It ends with this program, if
/// not sooner: whatever ends this one ends it within a moment.
#[must_use = "dropping a process lets it go on by itself"]
pub struct Process<R> {
    name: Arc<str>,
    child: Arc<Child>,
    /// `None` only while it is dropped.
    line: Option<Box<Mutex<Line<R>>>>,
}

/// What has gone to and fro. No user code runs under its lock, except how a result is read.
struct Line<R> {
    socket: Socket,
    inbox: Inbox,
    /// Nothing will come any more.
    is_over: bool,
    result: Option<Result<R, Cause>>,
    makes: PhantomData<fn() -> R>,
}

impl<R: Serialize + DeserializeOwned + 'static> Process<R> {
    /// Starts a process that calls `f` with `argument`.
    ///
    /// `f` cannot capture anything: what it needs is in the argument, which may be a tuple.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::process::Process;
    ///
    /// let process = Process::spawn(|(text, n): (String, usize)| text.repeat(n), ("ab".into(), 2))?;
    /// assert_eq!(process.join()?, "abab");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A closure that captures does not compile:
    ///
    /// ```compile_fail
    /// let offset = 1;
    /// let _ = manyhands::process::Process::spawn(move |n: u32| n + offset, 1);
    /// ```
    ///
    /// # Errors
    ///
    /// If this is not Linux, if the system refuses to start a process, or if the argument cannot be
    /// written.
    ///
    /// # Blocking
    ///
    /// Until the process is started, which takes about a millisecond, and has taken the argument.
    pub fn spawn<F, A>(f: F, argument: A) -> Result<Self, SpawnError>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Serialize + DeserializeOwned + 'static,
    {
        ProcessBuilder::default().spawn(f, argument)
    }

    /// Waits until the process has ended, and returns its result.
    ///
    /// # Errors
    ///
    /// If it panicked, or ended without a result, or one of the values cannot be written or read.
    ///
    /// # Blocking
    ///
    /// Until the process has ended.
    pub fn join(self) -> Result<R, ProcessError> {
        match self.join_until(None) {
            Ok(result) => Ok(result),
            Err(JoinTimeoutError::Failed(error)) => Err(error),
            Err(JoinTimeoutError::TimedOut(process)) => process.join(),
        }
    }

    /// As [`join`](Self::join), for `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](JoinTimeoutError::TimedOut) with the process, if it has not ended in time;
    /// [`Failed`](JoinTimeoutError::Failed) as for [`join`](Self::join).
    pub fn join_timeout(self, timeout: Duration) -> Result<R, JoinTimeoutError<Self>> {
        let deadline = Instant::now().checked_add(timeout);
        self.join_until(deadline)
    }

    fn join_until(self, deadline: Option<Instant>) -> Result<R, JoinTimeoutError<Self>> {
        let ended = loop {
            let mut line = self.line();
            line.attend();
            if let Some(status) = self.child.reap() {
                // What it has sent before it ended is here by now.
                line.attend();
                let result = line.result.take();
                break result.unwrap_or(Err(Cause::Ended(status)));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                drop(line);
                return Err(JoinTimeoutError::TimedOut(self));
            }
            if let Err(error) = line.wait(&self.child, deadline) {
                break Err(Cause::System(Arc::new(error)));
            }
        };
        ended.map_err(|cause| JoinTimeoutError::Failed(self.error(cause)))
    }

    /// Says whether the process has not ended yet.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.exit_status().is_none()
    }

    /// Returns how the process has ended; `None` if it has not.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        // A process cannot end before its result has found room.
        self.line().attend();
        self.child.reap()
    }
}

impl Process<()> {
    /// Returns a builder, which says how the process is to be.
    pub fn builder() -> ProcessBuilder {
        ProcessBuilder::default()
    }
}

impl<R> Process<R> {
    /// Sends what is in `outbox`, and then it is up to the process.
    pub(super) fn begin(
        name: Arc<str>,
        child: Arc<Child>,
        socket: Socket,
        mut outbox: Outbox,
    ) -> io::Result<Self> {
        // A process that ends meanwhile says so at the join.
        while outbox.send(&socket, false).is_ok() && !outbox.is_empty() {
            if poll(&[Wait::Writable(&socket), Wait::Ended(&child)], None)?[1] {
                break;
            }
        }
        let (inbox, makes) = (Inbox::default(), PhantomData);
        let line = Line { socket, inbox, is_over: false, result: None, makes };
        Ok(Self { name, child, line: Some(Box::new(Mutex::new(line))) })
    }

    /// Returns the number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks the process to end, and those that it has started (`SIGTERM`). It does unless it has
    /// made other arrangements.
    pub fn terminate(&self) {
        self.child.terminate();
    }

    /// Ends the process, and those that it has started (`SIGKILL`).
    pub fn kill(&self) {
        self.child.kill();
    }

    fn line(&self) -> MutexGuard<'_, Line<R>> {
        let line = self.line.as_ref().expect("it is taken by `drop` only");
        line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, cause: Cause) -> ProcessError {
        ProcessError::new(&self.name, Some(self.child.pid()), cause)
    }
}

impl<R: DeserializeOwned> Line<R> {
    /// Takes whatever has come.
    fn attend(&mut self) {
        while !self.is_over {
            match self.inbox.next() {
                Ok(Some(frame)) => match self.read(frame) {
                    Ok(result) => self.result = result.or(self.result.take()),
                    Err(cause) => self.end(Some(cause)),
                },
                Ok(None) => match self.inbox.fill(&self.socket, false) {
                    Ok(true) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                    // The other end is gone; how it ended says more than that.
                    Ok(false) | Err(_) => self.end(None),
                },
                Err(Garbled) => self.end(Some(Cause::Garbled)),
            }
        }
    }

    /// The result, if that is what `frame` has.
    fn read(&mut self, frame: Frame) -> Result<Option<Result<R, Cause>>, Cause> {
        let body = self.inbox.body(&frame);
        match frame.tag {
            Tag::Hello => match decode::<Identity>(body) {
                Ok((identity, _)) if identity == Identity::own() => Ok(None),
                _ => Err(Cause::Mismatch),
            },
            Tag::Refused => Err(Cause::Mismatch),
            Tag::Done => {
                let (_, rest) = decode::<ChunkHead>(body).map_err(|_| Cause::Garbled)?;
                let result = Unpacker::new(rest, frame.files).value::<R>();
                Ok(Some(result.ok_or(Cause::Garbled)?.map_err(Cause::Failed)))
            }
            _ => Err(Cause::Garbled),
        }
    }

    /// Listens no more. The process is not waited for if it said what it should not.
    fn end(&mut self, cause: Option<Cause>) {
        self.is_over = true;
        if let Some(cause) = cause {
            self.result = Some(Err(cause));
            self.socket.stop_reading();
            self.socket.stop_writing();
        }
    }

    /// Waits until something has come, or the process has ended.
    fn wait(&self, child: &Child, deadline: Option<Instant>) -> io::Result<()> {
        let ended = Wait::Ended(child);
        let things = [ended, Wait::Readable(&self.socket)];
        let things = if self.is_over { &things[..1] } else { &things[..] };
        poll(things, deadline).map(drop)
    }
}

impl<R> Drop for Process<R> {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        let line = (*line).into_inner().unwrap_or_else(PoisonError::into_inner);
        discard(line.result);
        if self.child.reap().is_none() {
            line.socket.stop_reading();
            launcher::keep(Arc::clone(&self.child), line.socket);
        }
    }
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("name", &self.name).field("pid", &self.pid()).finish()
    }
}
