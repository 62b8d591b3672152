//! Tasks that borrow: all of them have ended when the scope returns.
//!
//! A scope has one queue of its own. Whoever takes part in the scope takes tasks from it: its owner
//! (once its body is done), and the threads that accept an invitation. So the owner finds its tasks
//! without searching, and whoever serves this scope serves nothing else by mistake.
//!
//! # Invariant
//!
//! A task counts as spawned before it is queued, and as ended when whoever claimed it has put its
//! result away and dropped what nobody wants. The owner returns when as many have ended as were
//! spawned, no participant is left, and its queue has only tombstones. Whoever counts the last one
//! still is a participant (or runs another task, or is the owner), so what it touches afterwards is
//! still there.

#![expect(unsafe_code, reason = "opens a crew on its own stack, gives tickets back")]

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use crate::error::{TaskError, TryJoinError};
use crate::job::{Job, Ran};
use crate::pool::Pool;
use crossbeam_utils::CachePadded;

use crate::scheduler::{
    Crew, Entry, Pieces, Queue, Scheduler, Tally, enter, pause, step_aside, this_thread,
};
use crate::sync::{Mutex, Ordering, lock};
use crate::task::{Patience, Ticket, await_ticket, new_task};
use crate::unwind::{Payload, catch, discard};
use crate::wait::{Bell, Parker};

/// How often the owner looks for tasks and for the end before it parks.
const LOOKS: u32 = 100;

impl Pool {
    /// Runs `f`, which may spawn tasks that borrow what outlives the scope; returns when `f` and
    /// all tasks have ended.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let text = String::from("many hands make light work");
    /// let (words, letters) = pool.scope(|s| {
    ///     let words = s.spawn(|| text.split(' ').count());
    ///     let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    ///     (words.join().unwrap(), letters)
    /// });
    /// assert_eq!((words, letters), (5, 22));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// With the payload of `f`, if it panics. Else with that of the earliest-spawned task that
    /// panicked and that nobody has joined.
    ///
    /// # Blocking
    ///
    /// Until all tasks have ended. While it waits, this thread runs tasks of this scope, and
    /// nothing else.
    pub fn scope<'env, F, R>(&self, f: F) -> R
    where
        F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
    {
        self.scheduler().participate(|seat| {
            let scheduler = self.scheduler();
            let tag = seat.map_or(0, |seat| seat.tag());
            let limit = self.options().limit.map_or(self.threads(), |limit| limit.get() - 1);
            let scope = Scope {
                tasks: Tasks::new(Arc::clone(scheduler), limit, tag),
                scope: PhantomData,
                env: PhantomData,
            };
            let result = scheduler.off_duty(seat, || catch(|| f(&scope)));
            scope.tasks.finish();
            let panic = scope.tasks.first_panic();
            match (result, panic) {
                (Err(payload), later) => {
                    discard(later);
                    std::panic::resume_unwind(payload)
                }
                (Ok(result), Some(payload)) => {
                    discard(result);
                    std::panic::resume_unwind(payload)
                }
                (Ok(result), None) => result,
            }
        })
    }
}

/// Opens a scope on the [current](Pool::current) pool; see [`Pool::scope`].
///
/// # Examples
///
/// ```
/// let mut halves = [1, 2, 3, 4];
/// let (left, right) = halves.split_at_mut(2);
/// manyhands::scope(|s| {
///     s.spawn(|| left.reverse());
///     s.spawn(|| right.reverse());
/// });
/// assert_eq!(halves, [2, 1, 4, 3]);
/// ```
///
/// # Panics
///
/// As for [`Pool::scope`].
///
/// # Blocking
///
/// As for [`Pool::scope`].
pub fn scope<'env, F, R>(f: F) -> R
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
{
    Pool::current().scope(f)
}

/// Spawns tasks that may borrow whatever outlives the scope; see [`Pool::scope`].
///
/// Tasks get it by capture, and may spawn further ones.
///
/// A borrow of something inside the body does not outlive the scope:
///
/// ```compile_fail,E0597
/// manyhands::scope(|s| {
///     let inside = vec![1];
///     s.spawn(|| inside.len());
/// });
/// ```
// The lifetimes are invariant, as in `std::thread::scope`: with a `'scope` that could shrink, a
// task could be spawned that borrows what goes before the scope ends.
pub struct Scope<'scope, 'env: 'scope> {
    tasks: Tasks,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts `f` as a task of this scope, and returns the handle to its result.
    ///
    /// Dropping the handle does not detach the task: the scope waits for it all the same, and
    /// panics as it does. Without any thread the task runs before `spawn` returns.
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (job, ticket) = new_task(f);
        let sequence = self.tasks.add(job);
        ScopedHandle { ticket, sequence, tasks: &self.tasks }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("tasks", &self.tasks).finish()
    }
}

/// Holds a claim on the result of a scope's task. It cannot leave the scope:
///
/// ```compile_fail
/// let handle = manyhands::scope(|s| s.spawn(|| 1));
/// ```
pub struct ScopedHandle<'scope, T> {
    ticket: Ticket<'scope, T>,
    sequence: u64,
    tasks: &'scope Tasks,
}

impl<T> ScopedHandle<'_, T> {
    /// Waits for the result. If nobody has begun the task, it runs here and now.
    ///
    /// # Errors
    ///
    /// [`TaskError::Panicked`] with the task's panic. The scope does not panic with it then.
    ///
    /// # Blocking
    ///
    /// Until the task has ended. On a worker, a spare thread takes its place meanwhile.
    pub fn join(mut self) -> Result<T, TaskError> {
        if !self.ticket.is_done() {
            await_ticket(&self.ticket, Patience::Claim, || self.tasks.run_here(&self.ticket));
        }
        self.ticket.take()
    }

    /// Takes the result if it is there. It never runs the task.
    ///
    /// # Errors
    ///
    /// [`TryJoinError::NotFinished`] gives the handle back, [`TryJoinError::Failed`] has the task's
    /// panic.
    pub fn try_join(mut self) -> Result<T, TryJoinError<Self>> {
        if self.ticket.is_done() {
            self.ticket.take().map_err(TryJoinError::Failed)
        } else {
            Err(TryJoinError::NotFinished(self))
        }
    }

    /// Says whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ticket.is_done()
    }
}

impl<T> Drop for ScopedHandle<'_, T> {
    fn drop(&mut self) {
        // SAFETY: the handle is going away, nobody uses the ticket after this.
        if let Some(payload) = unsafe { self.ticket.release() } {
            self.tasks.note_panic(self.sequence, payload);
        }
    }
}

impl<T> fmt::Debug for ScopedHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedHandle").field("is_finished", &self.is_finished()).finish()
    }
}

/// A task in the scope's queue, with its place in the order of spawning.
struct Queued {
    sequence: u64,
    job: Job,
}

/// The tasks of one scope, whatever their lifetimes.
struct Tasks {
    scheduler: Arc<Scheduler>,
    queue: Queue<Queued>,
    /// How many tasks there ever were, and how many of them have ended.
    spawned: CachePadded<AtomicU64>,
    ended: CachePadded<AtomicU64>,
    /// The earliest-spawned panic that nobody has taken.
    panic: Mutex<Option<(u64, Payload)>>,
    crew: OnceLock<Arc<Crew>>,
    limit: usize,
    tag: usize,
    owner: usize,
    /// Rings for the owner: there is a new task, or all are done.
    bell: Bell,
}

impl Tasks {
    fn new(scheduler: Arc<Scheduler>, limit: usize, tag: usize) -> Self {
        Self {
            scheduler,
            queue: Queue::new(),
            spawned: CachePadded::new(AtomicU64::new(0)),
            ended: CachePadded::new(AtomicU64::new(0)),
            panic: Mutex::new(None),
            crew: OnceLock::new(),
            limit,
            tag,
            owner: this_thread(),
            bell: Bell::new(Parker::current()),
        }
    }

    /// Adds a task, and returns its place in the order of spawning.
    fn add(&self, job: Job) -> u64 {
        // ORDERING: Relaxed: whoever adds keeps the scope open: it is its body, or a task that will
        // count itself as ended after this. See `is_done`.
        let sequence = self.spawned.fetch_add(1, Ordering::Relaxed);
        if self.scheduler.is_alone() {
            enter(&self.scheduler, None, || self.run(Queued { sequence, job }));
            return sequence;
        }
        self.queue.push(Queued { sequence, job });
        if self.limit > 0 {
            self.crew().invite(&self.scheduler);
        }
        if this_thread() != self.owner {
            self.bell.ring();
        }
        sequence
    }

    fn crew(&self) -> &Arc<Crew> {
        // SAFETY: a scope is borrowed for its whole life once it can spawn, so it stays where it
        // is; `finish` closes the crew before it goes.
        self.crew.get_or_init(|| unsafe { Crew::open(self, self.limit, self.tag) })
    }

    fn run(&self, task: Queued) {
        match task.job.run(0) {
            // Its joiner has run it, and accounts for it.
            Ran::Spent => return,
            Ran::Finished => {}
            Ran::Orphaned(payload) => self.note_panic(task.sequence, payload),
        }
        self.account_for_one();
    }

    /// Runs the ticket's task on this thread, if nobody has claimed it.
    fn run_here<T>(&self, ticket: &Ticket<'_, T>) -> bool {
        let run = || ticket.run();
        let has_run = self.scheduler.with_seat(|seat| enter(&self.scheduler, seat, run));
        if has_run {
            self.scheduler.count(Tally::Claim);
            self.queue.bury();
            self.account_for_one();
        }
        has_run
    }

    fn account_for_one(&self) {
        // ORDERING: Release hands what the task did, what it spawned included, to the owner;
        // Acquire makes the last one hand on everybody's. Pairs with `is_done`.
        let ended = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        // ORDERING: Relaxed: the last task to end sees all that were spawned, since each of them was
        // spawned before something ended that it has seen.
        if ended == self.spawned.load(Ordering::Relaxed) && this_thread() != self.owner {
            self.bell.ring();
        }
    }

    /// Whether all tasks have ended, once the body has.
    fn is_done(&self) -> bool {
        // ORDERING: Acquire pairs with `account_for_one`. Read first: a task that has ended has
        // counted what it spawned, so as many spawned as ended means that none is left to spawn.
        let ended = self.ended.load(Ordering::Acquire);
        // ORDERING: Relaxed: ordered after the load above.
        ended == self.spawned.load(Ordering::Relaxed)
    }

    fn note_panic(&self, sequence: u64, payload: Payload) {
        let mut first = lock(&self.panic);
        let is_first = first.as_ref().is_none_or(|(earlier, _)| sequence < *earlier);
        let later = if is_first { first.replace((sequence, payload)) } else { Some((0, payload)) };
        drop(first);
        discard(later);
    }

    fn first_panic(&self) -> Option<Payload> {
        lock(&self.panic).take().map(|(_, payload)| payload)
    }

    /// Runs what is left and waits for what others run. Afterwards the scope is the owner's alone.
    fn finish(&self) {
        while !self.is_done() {
            if !self.run_next() && !self.look_again() {
                self.await_news();
            }
        }
        if let Some(crew) = self.crew.get() {
            crew.close(&self.scheduler);
        }
        while self.run_next() {}
    }

    fn run_next(&self) -> bool {
        let next = self.queue.pop();
        next.map(|task| self.run(task)).is_some()
    }

    /// Whether something happens within a short while.
    fn look_again(&self) -> bool {
        (0..LOOKS).any(|_| {
            pause();
            self.is_done() || !self.queue.is_empty()
        })
    }

    fn await_news(&self) {
        assert!(!self.scheduler.is_lost(), "a fork has lost tasks of a scope");
        let is_over = || self.is_done() || !self.queue.is_empty();
        self.bell.await_ring(is_over, |parker| step_aside(|| parker.park()));
    }
}

impl Tasks {
    /// The next task; where there is none it waits a little, since leaving and coming back costs
    /// more.
    fn next_soon(&self) -> Option<Queued> {
        for _ in 0..LOOKS {
            let next = self.queue.pop();
            if next.is_some() || self.is_done() {
                return next;
            }
            pause();
        }
        None
    }
}

impl Pieces for Tasks {
    fn take_part(&self, crew: &Crew) {
        while let Some(task) = self.next_soon() {
            if !self.queue.is_empty() {
                crew.invite_next(&self.scheduler);
            }
            self.run(task);
            // Detached tasks wait for this thread: the scope's go on without it, or later.
            if self.scheduler.is_needed() && !self.queue.is_empty() {
                return crew.invite_next(&self.scheduler);
            }
        }
        crew.withdraw(&self.scheduler);
    }
}

impl Entry for Queued {
    fn is_spent(&self) -> bool {
        self.job.is_spent()
    }

    fn bury(self) {
        self.job.bury();
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed: a number to look at.
        let spawned = self.spawned.load(Ordering::Relaxed);
        f.debug_struct("Tasks").field("spawned", &spawned).finish_non_exhaustive()
    }
}
