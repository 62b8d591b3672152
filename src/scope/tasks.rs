//! The tasks of one scope, whatever their lifetimes: a queue, a count, and a crew to work it off.
//!
//! # Invariant
//!
//! A task counts as spawned before it is queued, and as ended when whoever claimed it has put its
//! result away and dropped what nobody wants. The owner returns when as many have ended as were
//! spawned, no participant is left, and its queue has only tombstones. Whoever counts the last one
//! still is a participant (or runs another task, or is the owner), so what it touches afterwards is
//! still there.

#![expect(unsafe_code, reason = "opens a crew on the stack of the scope's owner")]

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use crossbeam_utils::CachePadded;

use crate::job::{Job, Ran};
use crate::scheduler::{
    Crew, Departure, Entry, Pieces, Queue, Scheduler, Tally, enter, pause, this_thread,
};
use crate::sync::{Mutex, Ordering, lock};
use crate::task::Ticket;
use crate::unwind::{Payload, discard};
use crate::wait::{Bell, Parker, step_aside};

/// How often the owner looks for tasks and for the end before it parks.
const LOOKS: u32 = 100;

/// A task in the scope's queue, with its place in the order of spawning.
struct Queued {
    sequence: u64,
    job: Job,
}

/// The tasks of one scope, whatever their lifetimes.
pub(super) struct Tasks {
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
    pub(super) fn new(scheduler: Arc<Scheduler>, limit: usize, tag: usize) -> Self {
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
    pub(super) fn add(&self, job: Job) -> u64 {
        // ORDERING: Relaxed: whoever adds keeps the scope open: it is its body, or a task that will
        // count itself as ended after this. See `is_done`.
        let sequence = self.spawned.fetch_add(1, Ordering::Relaxed);
        if self.scheduler.is_alone() {
            enter(&self.scheduler, None, || self.run(Queued { sequence, job }));
            return sequence;
        }
        self.queue.push(Queued { sequence, job });
        self.tell_of_tasks();
        sequence
    }

    fn tell_of_tasks(&self) {
        if self.limit > 0 {
            self.crew().summon(&self.scheduler);
        }
        if this_thread() != self.owner {
            self.bell.ring();
        }
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
    pub(super) fn run_here<T>(&self, ticket: &Ticket<'_, T>) -> bool {
        let run = || ticket.run();
        let has_run = self.scheduler.with_seat(|seat| enter(&self.scheduler, seat, run));
        if has_run {
            self.scheduler.count(Tally::Claim);
            if self.queue.bury() {
                self.tell_of_tasks();
            }
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

    pub(super) fn note_panic(&self, sequence: u64, payload: Payload) {
        let mut first = lock(&self.panic);
        let is_first = first.as_ref().is_none_or(|(earlier, _)| sequence < *earlier);
        let later = if is_first { first.replace((sequence, payload)) } else { Some((0, payload)) };
        drop(first);
        discard(later);
    }

    pub(super) fn first_panic(&self) -> Option<Payload> {
        lock(&self.panic).take().map(|(_, payload)| payload)
    }

    /// Runs what is left and waits for what others run. Afterwards the scope is the owner's alone.
    pub(super) fn finish(&self) {
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
    fn take_part(&self, crew: &Crew) -> Departure {
        loop {
            while let Some(task) = self.next_soon() {
                if !self.queue.is_empty() {
                    crew.invite_next(&self.scheduler);
                }
                self.run(task);
                // Detached tasks wait for this thread: the scope's go on without it, or later.
                if self.scheduler.is_needed() && !self.queue.is_empty() {
                    return Departure::Early;
                }
            }
            if !crew.was_summoned() {
                crew.withdraw(&self.scheduler);
                return Departure::Done;
            }
        }
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
