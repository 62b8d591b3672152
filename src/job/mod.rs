//! The erased unit that some thread runs once, and the two things that are one without any heap:
//! the half of a join, and a call that somebody else makes for us.
//!
//! A [`Job`] is one word. What it points to begins with a [`Header`], and says through it how to be
//! run. Nothing here knows that results exist.

#![expect(unsafe_code, reason = "erases what a job is")]

mod half;

use std::fmt;
use std::ptr::NonNull;

use crate::unwind::Payload;

pub(crate) use half::Half;

/// What a type must say to be a job.
///
/// # Safety
///
/// - The type is `repr(C)` and begins with a [`Header`] made by [`Header::of`] for that very type.
/// - Every function here may be called from any thread.
pub(crate) unsafe trait Work {
    /// Runs the work on the thread that has seat `runner`. User panics end inside.
    ///
    /// # Safety
    ///
    /// - `this` comes out of a [`Job`] made by [`Job::new`], which is used up by the call.
    unsafe fn run(this: NonNull<Self>, runner: usize) -> Ran;

    /// Gets the work ready for others, who are about to find it in a queue.
    ///
    /// # Safety
    ///
    /// - As for [`is_spent`](Self::is_spent), and nobody else knows of the work.
    #[inline]
    unsafe fn publish(_this: NonNull<Self>) {}

    /// Hands the work back to whoever waits for it, who will do it alone. `Some`: others must find
    /// it in a queue all the same.
    ///
    /// # Safety
    ///
    /// - As for [`run`](Self::run).
    unsafe fn give_back(this: NonNull<Self>) -> Option<Job>;

    /// Makes sure that the work is never begun. False: it has begun, or was cancelled before.
    ///
    /// # Safety
    ///
    /// - As for [`run`](Self::run).
    unsafe fn cancel(this: NonNull<Self>) -> bool;

    /// Whether there is nothing left to run: the queue's entry is a tombstone.
    ///
    /// # Safety
    ///
    /// - `this` comes out of a [`Job`] that is not used up.
    unsafe fn is_spent(this: NonNull<Self>) -> bool;

    /// Of which wait this is a piece: the address of the job whose runner pushed it. See
    /// [`Job::tag`].
    ///
    /// # Safety
    ///
    /// - As for [`is_spent`](Self::is_spent).
    unsafe fn tag(this: NonNull<Self>) -> usize;
}

/// What running a job came to.
#[derive(Debug)]
#[must_use = "a panic may be inside that nobody else has seen"]
pub(crate) enum Ran {
    /// It had been claimed by somebody else, or called off.
    Spent,
    /// It ran, and whoever wants to know knows.
    Finished,
    /// It ran and panicked, and nobody waits for it.
    Orphaned(Payload),
}

/// What every job begins with: how to run it.
#[derive(Debug)]
pub(crate) struct Header {
    vtable: &'static Vtable,
}

impl Header {
    /// The header of a `W`.
    #[inline]
    pub(crate) fn of<W: Work>() -> Self {
        Self { vtable: &Erased::<W>::VTABLE }
    }
}

struct Vtable {
    run: unsafe fn(NonNull<Header>, usize) -> Ran,
    publish: unsafe fn(NonNull<Header>),
    give_back: unsafe fn(NonNull<Header>) -> Option<Job>,
    cancel: unsafe fn(NonNull<Header>) -> bool,
    is_spent: unsafe fn(NonNull<Header>) -> bool,
    tag: unsafe fn(NonNull<Header>) -> usize,
}

impl fmt::Debug for Vtable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vtable")
    }
}

struct Erased<W>(std::marker::PhantomData<W>);

impl<W: Work> Erased<W> {
    const VTABLE: Vtable = Vtable {
        // SAFETY: a header with this table begins a `W`, and the callers pass on what `W` asks.
        run: |header, runner| unsafe { W::run(header.cast(), runner) },
        // SAFETY: as above.
        publish: |header| unsafe { W::publish(header.cast()) },
        // SAFETY: as above.
        give_back: |header| unsafe { W::give_back(header.cast()) },
        // SAFETY: as above.
        cancel: |header| unsafe { W::cancel(header.cast()) },
        // SAFETY: as above.
        is_spent: |header| unsafe { W::is_spent(header.cast()) },
        // SAFETY: as above.
        tag: |header| unsafe { W::tag(header.cast()) },
    };
}

/// One entry of a queue: a share in some work, to be used up once.
///
/// There is no `Drop`: a job that is neither run, given back nor cancelled leaks its share.
#[derive(Debug)]
#[must_use = "a job that is not used up leaks"]
pub(crate) struct Job(NonNull<Header>);

// SAFETY: `Work` may be used from any thread, and a job is a share of it.
unsafe impl Send for Job {}

impl Job {
    /// The job that is `work`.
    ///
    /// # Safety
    ///
    /// - `work` stays alive until the job is used up.
    #[inline]
    pub(crate) unsafe fn new<W: Work>(work: NonNull<W>) -> Self {
        Self(work.cast())
    }

    /// Where the work is. Unique among the jobs that are alive, so a name for what it does.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    fn vtable(&self) -> &'static Vtable {
        // SAFETY: the work is alive until the job is used up, and begins with a header.
        unsafe { self.0.as_ref() }.vtable
    }

    /// Runs it, on the thread that has seat `runner`.
    pub(crate) fn run(self, runner: usize) -> Ran {
        // SAFETY: the job is used up by this call, and the table is that of the work.
        unsafe { (self.vtable().run)(self.0, runner) }
    }

    /// Gets it ready for others.
    ///
    /// # Safety
    ///
    /// - Nobody else knows of the work.
    pub(crate) unsafe fn publish(&self) {
        // SAFETY: the job is not used up; the rest is what the caller says.
        unsafe { (self.vtable().publish)(self.0) }
    }

    /// Hands it back to whoever waits for it. `Some`: it belongs in a queue.
    pub(crate) fn give_back(self) -> Option<Self> {
        // SAFETY: as in `run`.
        unsafe { (self.vtable().give_back)(self.0) }
    }

    /// Makes sure that it never runs. False: it has run, or will.
    pub(crate) fn cancel(self) -> bool {
        // SAFETY: as in `run`.
        unsafe { (self.vtable().cancel)(self.0) }
    }

    /// Whether it is a tombstone.
    pub(crate) fn is_spent(&self) -> bool {
        // SAFETY: the job is not used up.
        unsafe { (self.vtable().is_spent)(self.0) }
    }

    /// The address of the job in whose run this one was made (0: in none), by the construct that
    /// waits for it. A waiter may run what is tagged with the very job it waits for, and nothing
    /// else: that is a piece of what it waits for.
    pub(crate) fn tag(&self) -> usize {
        // SAFETY: the job is not used up.
        unsafe { (self.vtable().tag)(self.0) }
    }

    /// The word itself, for queues that keep words.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut () {
        self.0.as_ptr().cast()
    }

    /// The job that was made a word.
    ///
    /// # Safety
    ///
    /// - It comes from [`into_raw`](Self::into_raw), and becomes a job again once.
    #[inline]
    pub(crate) unsafe fn from_raw(word: *mut ()) -> Self {
        // SAFETY: a job's word is not null.
        Self(unsafe { NonNull::new_unchecked(word.cast()) })
    }

    /// The same entry once more.
    ///
    /// # Safety
    ///
    /// - Only one of the two is used up.
    #[inline]
    pub(crate) unsafe fn alias(&self) -> Self {
        Self(self.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_word() {
        assert_eq!(size_of::<Job>(), size_of::<usize>());
        assert_eq!(size_of::<Option<Job>>(), size_of::<usize>());
    }
}
