//! Waiting for several channels at once.

use std::fmt;
use std::time::{Duration, Instant};

use crossbeam_channel::SelectedOperation;

use super::error::{RecvError, SendError};
use super::{Parcel, Receiver, Sender};
use crate::unwind::discard;
use crate::wait::wait_for;

/// Sends or receives on whichever channel is ready first, once.
///
/// Each case has a closure for what came of it, and all return the same type. Among cases that are
/// ready the choice is fair: at random. A channel that is disconnected is ready, its case gets the
/// error. Of the other cases nothing happens; messages that they would have sent are dropped, and a
/// panic of such a `Drop` is swallowed.
///
/// # Examples
///
/// ```
/// use manyhands::channel::{self, Select};
/// use std::time::Duration;
///
/// let (sender, numbers) = channel::unbounded();
/// let (_quit, is_over) = channel::bounded::<()>(0);
/// sender.send(7)?;
/// let next = || {
///     Select::new()
///         .recv(&numbers, |number| number.ok())
///         .recv(&is_over, |_| None)
///         .timeout(Duration::from_millis(1))
/// };
/// assert_eq!(next(), Some(Some(7)));
/// assert_eq!(next(), None);
/// # Ok::<(), channel::SendError<i32>>(())
/// ```
#[must_use = "it does nothing until it waits"]
pub struct Select<'a, R> {
    cases: Vec<Case<'a, R>>,
    /// Which case each operation of the select belongs to: an index of `cases`.
    owners: Vec<usize>,
    select: crossbeam_channel::Select<'a>,
}

/// Completes the operation of a case, and has its closure look at what came of it.
type Case<'a, R> = Box<dyn FnOnce(SelectedOperation<'a>) -> R + 'a>;

impl<'a, R> Select<'a, R> {
    /// A choice between no cases yet.
    pub fn new() -> Self {
        let select = crossbeam_channel::Select::new();
        Self { cases: Vec::new(), owners: Vec::new(), select }
    }

    /// Or receives from `receiver`.
    pub fn recv<T>(
        mut self,
        receiver: &'a Receiver<T>,
        f: impl FnOnce(Result<T, RecvError>) -> R + 'a,
    ) -> Self {
        let last = receiver.enlist(&mut self.select);
        self.push(last, Box::new(move |operation| f(receiver.complete(operation))))
    }

    /// Or sends `message`.
    pub fn send<T: 'a>(
        mut self,
        sender: &'a Sender<T>,
        message: T,
        f: impl FnOnce(Result<(), SendError<T>>) -> R + 'a,
    ) -> Self {
        let last = sender.enlist(&mut self.select);
        let complete = move |operation| f(sender.complete(last, operation, Parcel::new(message)));
        self.push(last, Box::new(complete))
    }

    /// The next case, whose operations end with number `last`.
    fn push(mut self, last: usize, case: Case<'a, R>) -> Self {
        self.owners.resize(last + 1, self.cases.len());
        self.cases.push(case);
        self
    }

    /// Waits for the first case that is ready, and returns what its closure makes of it.
    ///
    /// # Panics
    ///
    /// Without cases, which would wait for ever. With the panic of the closure.
    ///
    /// # Blocking
    ///
    /// Until a case is ready. On a worker another thread takes its place meanwhile.
    pub fn wait(self) -> R {
        assert!(!self.cases.is_empty(), "a select without cases waits for ever");
        self.wait_until(None).expect("without a deadline a case was ready")
    }

    /// Takes a case that is ready; `None`: there is none.
    pub fn try_wait(mut self) -> Option<R> {
        let operation = self.select.try_select().ok()?;
        Some(self.finish(operation))
    }

    /// As [`wait`](Self::wait), for `timeout` at most; `None`: no case was ready in time.
    ///
    /// # Panics
    ///
    /// With the panic of the closure; without cases if the timeout is too long for the clock.
    pub fn timeout(self, timeout: Duration) -> Option<R> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.deadline(deadline),
            None => Some(self.wait()),
        }
    }

    /// As [`wait`](Self::wait), until `deadline` at most; `None`: no case was ready in time.
    ///
    /// # Panics
    ///
    /// With the panic of the closure.
    pub fn deadline(self, deadline: Instant) -> Option<R> {
        self.wait_until(Some(deadline))
    }

    fn wait_until(mut self, deadline: Option<Instant>) -> Option<R> {
        let operation = wait_for(
            &mut self.select,
            deadline,
            |select| select.try_select().ok().map(Some),
            |select| match deadline {
                Some(deadline) => select.select_deadline(deadline).ok(),
                None => Some(select.select()),
            },
        );
        operation.map(|operation| self.finish(operation))
    }

    fn finish(mut self, operation: SelectedOperation<'a>) -> R {
        let case = self.cases.swap_remove(self.owners[operation.index()]);
        // With the messages that are not sent, whose drop is not to cost the one that is.
        discard(self.cases);
        case(operation)
    }
}

impl<R> Default for Select<'_, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> fmt::Debug for Select<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select").field("cases", &self.cases.len()).finish_non_exhaustive()
    }
}
