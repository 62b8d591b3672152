//! The tasks of one scope, whatever their lifetimes: a queue, a count, and a crew to work it off.
//!
//! # Invariant
//!
//! A task counts as spawned before it is queued, and as ended some time after whoever claimed it has
//! put its result away and dropped what nobody wants: who runs several in a row counts them
//! together, before it waits or leaves. The owner returns when as many have ended as were spawned,
//! no participant is left, and its queue has only tombstones. Whoever counts the last one still is a
//! participant (or runs another task, or is the owner), so what it touches afterwards is still
//! there.

#![expect(unsafe_code, reason = "opens a crew on the stack of the scope's owner")]

use std::fmt;
use std::mem::{replace, take};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, OnceLock};

use crossbeam_utils::CachePadded;

use super::queue::{Order, Queued, TaskQueue};
use crate::job::{Job, Ran};
use crate::scheduler::{Crew, Departure, Pieces, Scheduler, Tally, enter, pause};
use crate::sync::{Mutex, Ordering, lock};
use crate::task::Ticket;
use crate::unwind::{Payload, discard};
use crate::wait::{Bell, Parker, step_aside};

/// How often the owner looks for tasks and for the end before it parks.
const LOOKS: u32 = 100;

/// How many tasks a participant begins between two looks whether there is room for another.
const PATIENCE: u32 = 16;

/// So many tasks a participant leaves between itself and an owner who spawns fast. It waits until
/// there are as many as it likes to begin with, looking so often at most, with pauses between.
const DISTANCE: usize = 32;
const LEAD: usize = 8 * DISTANCE;
const STEPS_ASIDE: u32 = 16;
const PAUSES: u32 = 8;

/// The tasks of one scope, whatever their lifetimes.
pub(super) struct Tasks {
    scheduler: Arc<Scheduler>,
    queue: TaskQueue,
    /// How many tasks there ever were: of the owner, who alone writes the first one, and of others.
    spawned: CachePadded<AtomicU64>,
    spawned_by_others: AtomicU64,
    /// How many of them have ended.
    ended: CachePadded<AtomicU64>,
    is_body_over: AtomicBool,
    /// How many threads have begun to take part, over and over.
    shifts: AtomicU32,
    /// The earliest-spawned panic that nobody has taken.
    panic: Mutex<Option<(Order, Payload)>>,
    crew: OnceLock<Arc<Crew>>,
    limit: usize,
    tag: usize,
    /// Rings for the owner: there is a new task, or all are done.
    bell: Bell,
}

impl Tasks {
    pub(super) fn new(scheduler: Arc<Scheduler>, limit: usize, tag: usize) -> Self {
        Self {
            scheduler,
            queue: TaskQueue::new(),
            spawned: CachePadded::new(AtomicU64::new(0)),
            spawned_by_others: AtomicU64::new(0),
            ended: CachePadded::new(AtomicU64::new(0)),
            is_body_over: AtomicBool::new(false),
            shifts: AtomicU32::new(0),
            panic: Mutex::new(None),
            crew: OnceLock::new(),
            limit,
            tag,
            bell: Bell::new(Parker::current()),
        }
    }

    /// Adds a task, and returns its place in the order of spawning.
    ///
    /// It counts as spawned before it is queued. Whoever adds it keeps the scope open: it is its
    /// body, or a task that counts as ended after this.
    #[inline]
    pub(super) fn add(&self, job: Job) -> Order {
        let is_own = self.queue.is_own();
        if !is_own || self.scheduler.is_alone() {
            return self.add_elsewhere(job);
        }
        // ORDERING: Relaxed: only the owner writes it. See `is_done`.
        let own = self.spawned.load(Ordering::Relaxed) + 1;
        // ORDERING: Relaxed, as above.
        self.spawned.store(own, Ordering::Relaxed);
        // SAFETY: just looked.
        unsafe { self.queue.push_own(job, own) };
        self.summon();
        Order { own, others: 0 }
    }

    /// Adds a task of another thread than the owner's, or of a pool without threads.
    #[cold]
    fn add_elsewhere(&self, job: Job) -> Order {
        // ORDERING: Relaxed: who came to spawn by what the owner did sees the owner's count of it.
        let own = self.spawned.load(Ordering::Relaxed);
        // ORDERING: Relaxed, see `is_done`.
        let others = self.spawned_by_others.fetch_add(1, Ordering::Relaxed) + 1;
        let order = Order { own, others };
        if self.scheduler.is_alone() {
            if enter(&self.scheduler, None, || self.run(Queued { order, job })) {
                self.account_for(1);
            }
        } else {
            self.queue.push_other(Queued { order, job });
            self.tell_of_tasks();
        }
        order
    }

    fn tell_of_tasks(&self) {
        self.summon();
        if !self.queue.is_own() {
            self.bell.ring();
        }
    }

    #[inline]
    fn summon(&self) {
        if self.limit > 0 {
            let crew = self.crew.get().unwrap_or_else(|| self.open_crew());
            crew.summon(&self.scheduler);
        }
    }

    #[cold]
    fn open_crew(&self) -> &Arc<Crew> {
        // SAFETY: a scope is borrowed for its whole life once it can spawn, so it stays where it
        // is; `finish` closes the crew before it goes.
        self.crew.get_or_init(|| unsafe { Crew::open(self, self.limit, self.tag) })
    }

    /// Runs a task. True: it has ended, and is to be accounted for. Else its joiner has run it, and
    /// accounts for it.
    fn run(&self, task: Queued) -> bool {
        match task.job.run(0) {
            Ran::Spent => return false,
            Ran::Finished => {}
            Ran::Orphaned(payload) => self.note_panic(task.order, payload),
        }
        true
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
            self.account_for(1);
        }
        has_run
    }

    /// So many tasks have ended.
    fn account_for(&self, count: u64) {
        // ORDERING: Release hands what the tasks did, what they spawned included, to the owner;
        // Acquire makes the last one hand on everybody's. Pairs with `is_done`.
        let ended = self.ended.fetch_add(count, Ordering::AcqRel) + count;
        // The last task to end sees all that were spawned, since each of them was spawned before
        // something ended that it has seen.
        if ended == self.spawned() && !self.queue.is_own() {
            self.bell.ring();
        }
    }

    fn spawned(&self) -> u64 {
        // ORDERING: Relaxed: ordered after a load of `ended`.
        self.spawned.load(Ordering::Relaxed) + self.spawned_by_others.load(Ordering::Relaxed)
    }

    fn is_body_over(&self) -> bool {
        // ORDERING: Relaxed: says only whether to wait for more.
        self.is_body_over.load(Ordering::Relaxed)
    }

    /// Whether all tasks have ended, once the body has.
    fn is_done(&self) -> bool {
        // ORDERING: Acquire pairs with `account_for`. Read first: a task that has ended has
        // counted what it spawned, so as many spawned as ended means that none is left to spawn.
        let ended = self.ended.load(Ordering::Acquire);
        ended == self.spawned()
    }

    pub(super) fn note_panic(&self, order: Order, payload: Payload) {
        let mut first = lock(&self.panic);
        let is_first = first.as_ref().is_none_or(|(earlier, _)| order < *earlier);
        let later = if is_first { first.replace((order, payload)) } else { Some((order, payload)) };
        drop(first);
        discard(later);
    }

    pub(super) fn first_panic(&self) -> Option<Payload> {
        lock(&self.panic).take().map(|(_, payload)| payload)
    }

    /// Runs what is left and waits for what others run. Afterwards the scope is the owner's alone.
    pub(super) fn finish(&self) {
        // ORDERING: Relaxed: says only whether to wait for more.
        self.is_body_over.store(true, Ordering::Relaxed);
        let mut shift = Shift::begin(self);
        loop {
            shift.run_all();
            if self.is_done() {
                break;
            }
            if !self.look_again() {
                self.await_news();
            }
        }
        if let Some(crew) = self.crew.get() {
            crew.close(&self.scheduler);
        }
        shift.run_all();
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

/// One thread's work for the scope.
struct Shift<'a> {
    tasks: &'a Tasks,
    turn: u32,
    /// So many tasks have ended here that are not accounted for yet.
    ended: u64,
    /// So many tasks are begun before the next look whether another thread may come.
    patience: u32,
    /// And so many before the next look how far the owner is ahead.
    ahead: usize,
    /// How far its queue is known to go.
    seen: u64,
}

impl<'a> Shift<'a> {
    fn begin(tasks: &'a Tasks) -> Self {
        // ORDERING: Relaxed: any number will do. Shifts may be as short as one task, so each begins
        // at another turn.
        let turn = tasks.shifts.fetch_add(1, Ordering::Relaxed);
        Self { tasks, turn, ended: 0, patience: 0, ahead: 0, seen: 0 }
    }

    #[inline]
    fn next(&mut self) -> Option<Queued> {
        self.turn = self.turn.wrapping_add(1);
        self.tasks.queue.pop(self.turn, &mut self.seen)
    }

    /// The next task, for a participant.
    #[inline]
    fn fetch(&mut self) -> Option<Queued> {
        match self.ahead.checked_sub(1) {
            Some(rest) => self.ahead = rest,
            None => self.ahead = self.lag(),
        }
        self.next_soon()
    }

    /// Falls back behind an owner who spawns fast, and says how many tasks there are until it is near
    /// again: next to the youngest tasks each writes to lines that the other one needs.
    #[cold]
    fn lag(&self) -> usize {
        let queue = &self.tasks.queue;
        let mut length = queue.own_len();
        for _ in 0..STEPS_ASIDE {
            if length >= LEAD || self.tasks.is_body_over() {
                break;
            }
            (0..PAUSES).for_each(|_| pause());
            let before = replace(&mut length, queue.own_len());
            if length <= before {
                break;
            }
        }
        length.min(LEAD).saturating_sub(DISTANCE)
    }

    /// The next task; where there is none it waits a little, since leaving and coming back costs
    /// more.
    #[inline]
    fn next_soon(&mut self) -> Option<Queued> {
        let next = self.next();
        if next.is_some() { next } else { self.wait_for_next() }
    }

    #[cold]
    fn wait_for_next(&mut self) -> Option<Queued> {
        self.report();
        // Others may have left, with their invitations: the next look is due at the next task.
        self.patience = 0;
        for _ in 0..LOOKS {
            let next = self.next();
            if next.is_some() || self.is_over() {
                return next;
            }
            pause();
        }
        None
    }

    fn is_over(&self) -> bool {
        self.tasks.is_body_over() && self.tasks.is_done()
    }

    /// Whether another thread may come, and finds something. Where nobody may, it does not look
    /// again at once: the owner writes to what it would look at.
    #[inline]
    fn wants_help(&mut self, crew: &Crew) -> bool {
        if self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        let has_room = crew.has_room();
        if !has_room {
            self.patience = PATIENCE;
        }
        has_room && !self.tasks.queue.is_empty()
    }

    #[inline]
    fn run(&mut self, task: Queued) {
        self.ended += u64::from(self.tasks.run(task));
    }

    fn run_all(&mut self) {
        while let Some(task) = self.next() {
            self.run(task);
        }
        self.report();
    }

    /// Accounts for what has ended here.
    fn report(&mut self) {
        if self.ended > 0 {
            self.tasks.account_for(take(&mut self.ended));
        }
    }
}

impl Pieces for Tasks {
    fn take_part(&self, crew: &Crew) -> Departure {
        let mut shift = Shift::begin(self);
        self.scheduler.with_seat(|seat| {
            let worker = seat.filter(|seat| self.scheduler.is_worker(seat));
            loop {
                while let Some(task) = shift.fetch() {
                    if shift.wants_help(crew) {
                        crew.invite_next(&self.scheduler);
                    }
                    shift.run(task);
                    // Detached tasks wait for this thread: the scope's go on without it, or later.
                    let is_needed = worker.is_some_and(|it| self.scheduler.is_needed_from(it));
                    if is_needed && !self.queue.is_empty() {
                        shift.report();
                        return Departure::Early;
                    }
                }
                if !crew.was_summoned() {
                    crew.withdraw(&self.scheduler);
                    return Departure::Done;
                }
            }
        })
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("spawned", &self.spawned()).finish_non_exhaustive()
    }
}
