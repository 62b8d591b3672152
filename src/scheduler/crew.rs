//! Threads that work off one thing together: a sweep, or the tasks of a scope.
//!
//! ```text
//!   the owner                          a participant
//!   ─────────                          ─────────────
//!   open                               takes an invitation from a queue
//!   invite: one invitation is out      accept: counted, the invitation is used up
//!   work off pieces                    work off pieces; invite the next
//!   close: no more participants        leave: no longer counted; the last one opens the latch
//!   wait until all have left
//! ```
//!
//! # Invariant
//!
//! The pieces are the owner's, most likely on its stack. They are touched only by counted
//! participants, nobody is counted after [`Crew::close`] has returned, and nobody can be counted
//! once the gate is closed. The crew itself is shared by its owner, its participants and the
//! invitations that are still in a queue, so an invitation that is found late finds a closed gate.

#![expect(unsafe_code, reason = "participants reach what the owner has on its stack")]

use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Hint;

use super::{Scheduler, Seat, block_on, with_current};
use crate::cpu;
use crate::job::{Header, Job, Ran, Work};
use crate::sync::{AtomicUsize, Ordering};
use crate::wait::{Latch, Outcome, Urgency};

/// What a crew works off. It is called by several threads at a time.
pub(crate) trait Pieces: Sync {
    /// Works off pieces until there are none for this thread. Panics of users end inside.
    fn take_part(&self, crew: &Crew) -> Departure;
}

/// Why a participant leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// Nothing is left.
    Done,
    /// It is needed elsewhere: somebody else may take its place.
    Early,
}

/// The threads that work off one thing, and the way to get more of them.
#[repr(C)]
pub(crate) struct Crew {
    header: Header,
    gate: Gate,
    /// Of which wait the whole is a piece, see [`Job::tag`].
    tag: usize,
    /// How many may take part beside the owner.
    limit: usize,
    all_left: Latch,
    /// Where the last participant began.
    core: Hint,
    pieces: NonNull<dyn Pieces>,
}

// SAFETY: `Pieces` is `Sync`, and everything else is atomic or constant.
unsafe impl Send for Crew {}
// SAFETY: as above.
unsafe impl Sync for Crew {}

impl Crew {
    /// A crew that works off `pieces`, of at most `limit` threads beside the owner.
    ///
    /// # Safety
    ///
    /// - `pieces` stays where it is, and alive, until [`close`](Self::close) has returned.
    pub(crate) unsafe fn open(pieces: &dyn Pieces, limit: usize, tag: usize) -> Arc<Self> {
        let pieces: NonNull<dyn Pieces + '_> = NonNull::from(pieces);
        Arc::new(Self {
            header: Header::of::<Self>(),
            gate: Gate::new(),
            tag,
            limit,
            all_left: Latch::new(),
            core: Hint::new(usize::MAX),
            // SAFETY: only the lifetime changes, and the caller answers for it.
            pieces: unsafe {
                std::mem::transmute::<NonNull<dyn Pieces + '_>, NonNull<dyn Pieces + 'static>>(
                    pieces,
                )
            },
        })
    }

    /// Whether another participant could be invited.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.gate.has_room(self.limit)
    }

    /// Invites another thread, unless an invitation is out or there are enough.
    pub(crate) fn invite(self: &Arc<Self>, scheduler: &Scheduler) {
        if self.gate.invite(self.limit) {
            self.send_invitation(scheduler);
        }
    }

    #[cold]
    fn send_invitation(self: &Arc<Self>, scheduler: &Scheduler) {
        let share = NonNull::new(Arc::into_raw(Arc::clone(self)).cast_mut());
        let share = share.expect("an Arc is nowhere null");
        // SAFETY: the share keeps the crew alive until the job is used up.
        let job = unsafe { Job::new(share) };
        scheduler.with_seat(|seat| match seat {
            Some(seat) => {
                seat.push_invitation(job);
                scheduler.notify(Urgency::Structured);
            }
            None => scheduler.inject(job),
        });
    }

    /// As [`invite`](Self::invite), for pieces that somebody may wait for without taking part: if
    /// it does not come to an invitation now, then when a participant leaves.
    #[inline]
    pub(crate) fn summon(self: &Arc<Self>, scheduler: &Scheduler) {
        if self.gate.summon(self.limit) {
            self.send_invitation(scheduler);
        }
    }

    /// Whether there was a [`summon`](Self::summon) since this was asked last. Who takes part looks
    /// for pieces once more then.
    pub(crate) fn was_summoned(&self) -> bool {
        self.gate.clear_summons()
    }

    /// Invites from inside [`Pieces::take_part`], where only a reference is at hand.
    #[inline]
    pub(crate) fn invite_next(&self, scheduler: &Scheduler) {
        if self.has_room() {
            // SAFETY: a crew lives in an `Arc` always, and the caller's reference keeps it alive.
            let share = unsafe { Self::share(NonNull::from(self)) };
            share.invite(scheduler);
        }
    }

    /// Takes the invitation back that this thread may have out. False: it has none on its seat.
    pub(crate) fn withdraw(&self, scheduler: &Scheduler) -> bool {
        let address = std::ptr::from_ref(self).addr();
        scheduler.with_seat(|seat| seat.is_some_and(|seat| seat.withdraw_invitation(address)))
    }

    /// Lets nobody in any more, and waits until all participants have left.
    pub(crate) fn close(&self, scheduler: &Scheduler) {
        let is_invited = self.gate.is_invited();
        let is_empty = self.gate.close();
        if !self.withdraw(scheduler) && is_invited {
            scheduler.bury();
        }
        if is_empty {
            return;
        }
        let is_lost = scheduler.is_lost() && !self.all_left.is_set();
        assert!(!is_lost, "a fork has lost the participants of a call");
        // A participant on this core goes on when this thread makes way.
        // ORDERING: Relaxed: a hint.
        let is_near = || cpu::current() != Some(self.core.load(Ordering::Relaxed));
        block_on(&self.all_left, None, is_near);
    }

    /// One more owner of the crew at `this`.
    ///
    /// # Safety
    ///
    /// - The crew is alive.
    unsafe fn share(this: NonNull<Self>) -> Arc<Self> {
        // SAFETY: a crew is made by `open`, in an `Arc`.
        unsafe { Arc::increment_strong_count(this.as_ptr()) };
        // SAFETY: the count was raised for this one.
        unsafe { Arc::from_raw(this.as_ptr()) }
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("limit", &self.limit).finish_non_exhaustive()
    }
}

// SAFETY: `repr(C)`, and the header is made for this type. A crew is `Sync`.
unsafe impl Work for Crew {
    unsafe fn run(this: NonNull<Self>, _: usize) -> Ran {
        // SAFETY: the job was a share, and is used up by this.
        let crew = unsafe { Arc::from_raw(this.as_ptr()) };
        if !crew.gate.accept() {
            return Ran::Spent;
        }
        // ORDERING: Relaxed: a hint.
        crew.core.store(cpu::current().unwrap_or(usize::MAX), Ordering::Relaxed);
        // SAFETY: this thread is counted, so the owner still waits in `close`.
        let departure = unsafe { crew.pieces.as_ref() }.take_part(&crew);
        let (is_last, is_summoned) = crew.gate.leave();
        if is_summoned || departure == Departure::Early {
            // Not before it is counted out, or there might be no room for another.
            with_current(|frame| frame.into_iter().for_each(|it| crew.invite(it.scheduler())));
        }
        if is_last {
            // SAFETY: the share keeps the latch alive; the last one to leave a closed gate is one.
            unsafe { Latch::set(&raw const crew.all_left, Outcome::Done) };
        }
        Ran::Finished
    }

    unsafe fn give_back(this: NonNull<Self>) -> Option<Job> {
        // SAFETY: the share passes from one job to the other.
        Some(unsafe { Job::new(this) })
    }

    unsafe fn cancel(this: NonNull<Self>) -> bool {
        // SAFETY: as in `run`.
        let crew = unsafe { Arc::from_raw(this.as_ptr()) };
        crew.gate.take_invitation_back();
        false
    }

    unsafe fn is_spent(this: NonNull<Self>) -> bool {
        // SAFETY: the job is not used up, so the crew is alive.
        unsafe { this.as_ref() }.gate.is_closed()
    }

    unsafe fn tag(this: NonNull<Self>) -> usize {
        // SAFETY: as above.
        unsafe { this.as_ref() }.tag
    }
}

/// Who is in: `closed`, `an invitation is out`, `summoned`, and the number of participants, in one
/// word.
#[derive(Debug)]
struct Gate(AtomicUsize);

const CLOSED: usize = 1;
const INVITED: usize = 2;
/// There are new pieces that somebody has been refused an invitation for.
const SUMMONED: usize = 4;
const PARTICIPANT: usize = 8;

impl Gate {
    fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    #[inline]
    fn has_room(&self, limit: usize) -> bool {
        // ORDERING: Relaxed: a first look, `invite` decides.
        Self::admits(self.0.load(Ordering::Relaxed), limit)
    }

    fn admits(word: usize, limit: usize) -> bool {
        word & (CLOSED | INVITED) == 0 && word / PARTICIPANT < limit
    }

    /// Notes that an invitation goes out. False: none may.
    fn invite(&self, limit: usize) -> bool {
        let next = |word| Self::admits(word, limit).then_some(word | INVITED);
        // ORDERING: Relaxed: the queue hands the invitation over, this counts only.
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// As [`invite`](Self::invite); if none may go out, the next participant to leave sees to it.
    #[inline]
    fn summon(&self, limit: usize) -> bool {
        // ORDERING: Release shows the new pieces to the participant that this keeps from leaving
        // without a look. Pairs with `clear_summons`, `accept` and `leave`.
        let before = self.0.fetch_or(SUMMONED, Ordering::Release);
        // The summons stay beside the invitation: who accepts it answers both.
        Self::admits(before, limit) && self.invite(limit)
    }

    /// Whether there were summons, which whoever asks answers.
    fn clear_summons(&self) -> bool {
        // ORDERING: Acquire pairs with `summon`, and brings the new pieces.
        self.0.fetch_and(!SUMMONED, Ordering::Acquire) & SUMMONED != 0
    }

    fn is_invited(&self) -> bool {
        // ORDERING: Relaxed: decides only whether to count a tombstone.
        self.0.load(Ordering::Relaxed) & INVITED != 0
    }

    fn take_invitation_back(&self) {
        // ORDERING: Relaxed, as in `invite`.
        self.0.fetch_and(!INVITED, Ordering::Relaxed);
    }

    /// Counts a participant in, who uses the invitation up. False: the gate is closed.
    fn accept(&self) -> bool {
        let next = |word: usize| {
            (word & CLOSED == 0).then_some((word & !(INVITED | SUMMONED)) + PARTICIPANT)
        };
        // ORDERING: Acquire is more than it needs: the pieces came through the queue, and nobody
        // has them to himself again before this participant has left.
        self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, next).is_ok()
    }

    /// Counts a participant out. Says whether it was the last one and the owner waits, and whether
    /// there are summons, which it answers by another invitation.
    #[must_use]
    fn leave(&self) -> (bool, bool) {
        let next = |word: usize| Some((word & !SUMMONED) - PARTICIPANT);
        // ORDERING: Release hands what this participant did to the owner (pairs with `close`);
        // Acquire collects what the others did, for the last one to hand on by the latch, and pairs
        // with `summon`.
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next);
        let before = before.expect("one who is in can always leave");
        let is_closed = before & CLOSED != 0;
        (is_closed && before / PARTICIPANT == 1, !is_closed && before & SUMMONED != 0)
    }

    /// Closes it. True: nobody is in.
    #[must_use]
    fn close(&self) -> bool {
        // ORDERING: Acquire pairs with `leave`: the owner sees what those did who have left.
        // Relaxed on the writing side, since whoever is refused touches nothing.
        self.0.fetch_or(CLOSED, Ordering::Acquire) / PARTICIPANT == 0
    }

    fn is_closed(&self) -> bool {
        // ORDERING: Relaxed: a closed gate stays closed, and a late look costs nothing.
        self.0.load(Ordering::Relaxed) & CLOSED != 0
    }
}

impl Scheduler {
    /// Whether a participant should leave at the next piece: detached tasks wait for its thread.
    pub(crate) fn is_needed(&self) -> bool {
        self.with_seat(|seat| {
            seat.is_some_and(|seat| self.is_worker(seat) && self.is_needed_from(seat))
        })
    }

    /// The same, of the worker or spare on `seat`.
    #[inline]
    pub(crate) fn is_needed_from(&self, seat: &Seat) -> bool {
        self.is_needed_elsewhere(seat)
    }

    /// Whether the thread of `seat` is a worker, or a spare.
    pub(crate) fn is_worker(&self, seat: &Seat) -> bool {
        !self.places.is_guest(seat)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_gate_lets_in_by_invitation_one_at_a_time_up_to_the_limit() {
        let gate = Gate::new();
        assert!(gate.invite(2));
        assert!(!gate.invite(2));
        assert!(gate.accept());
        assert!(gate.invite(2));
        assert!(gate.accept());
        assert!(!gate.invite(2));
        assert_eq!(gate.leave(), (false, false));
        assert!(!gate.close());
        assert!(!gate.accept());
        assert_eq!(gate.leave(), (true, false));
    }

    #[test]
    fn summons_are_answered_by_whoever_leaves_or_comes() {
        let gate = Gate::new();
        assert!(gate.summon(1));
        assert!(!gate.summon(1));
        assert!(gate.accept());
        assert!(!gate.clear_summons());
        assert!(!gate.summon(1));
        assert!(gate.clear_summons());
        assert!(!gate.summon(1));
        assert_eq!(gate.leave(), (false, true));
        assert!(gate.summon(1));
    }
}

/// Seen to fail: with a `leave` that lacks its `Release` or its `Acquire`, with `Relaxed` in `close`;
/// when `accept` or `leave` does not look whether the gate is closed, and when `leave` or `close`
/// does not look who else is in.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc as LoomArc;
    use loom::thread;

    use super::*;
    use crate::sync::UnsafeCell;

    struct Shared {
        gate: Gate,
        pieces: UnsafeCell<u32>,
        all_left: Latch,
    }

    // SAFETY: the gate orders the accesses, and loom checks that it does.
    unsafe impl Sync for Shared {}
    // SAFETY: as above.
    unsafe impl Send for Shared {}

    #[test]
    fn the_owner_is_alone_after_the_close() {
        loom::model(|| {
            let shared = LoomArc::new(Shared {
                gate: Gate::new(),
                pieces: UnsafeCell::new(0),
                all_left: Latch::new(),
            });
            assert!(shared.gate.invite(1));
            let other = {
                let shared = LoomArc::clone(&shared);
                thread::spawn(move || {
                    if !shared.gate.accept() {
                        return;
                    }
                    // SAFETY: the only participant, and the owner waits.
                    shared.pieces.with_mut(|pieces| unsafe { *pieces += 1 });
                    if shared.gate.leave().0 {
                        // SAFETY: alive by the share, set once.
                        unsafe { Latch::set(&raw const shared.all_left, Outcome::Done) };
                    }
                })
            };
            if !shared.gate.close() {
                while !shared.all_left.is_set() {
                    thread::yield_now();
                }
            }
            // SAFETY: nobody is in.
            shared.pieces.with_mut(|pieces| unsafe { *pieces += 1 });
            other.join().unwrap();
        });
    }

    /// Two participants, each with a piece of its own. The first has invited the second.
    #[test]
    fn the_last_to_leave_brings_what_the_others_did() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let crew = LoomArc::new(Shared {
                gate: Gate::new(),
                pieces: UnsafeCell::new(0),
                all_left: Latch::new(),
            });
            let second = LoomArc::new(UnsafeCell::new(0));
            assert!(crew.gate.invite(2));
            let others = [None, Some(LoomArc::clone(&second))].map(|own| {
                let crew = LoomArc::clone(&crew);
                thread::spawn(move || {
                    if !crew.gate.accept() {
                        return;
                    }
                    let own = own.as_deref().unwrap_or(&crew.pieces);
                    // SAFETY: no other participant has it, and the owner waits.
                    own.with_mut(|piece| unsafe { *piece += 1 });
                    if crew.gate.leave().0 {
                        // SAFETY: alive by the share, set once.
                        unsafe { Latch::set(&raw const crew.all_left, Outcome::Done) };
                    }
                })
            });
            if !crew.gate.close() {
                while !crew.all_left.is_set() {
                    thread::yield_now();
                }
            }
            // SAFETY: nobody is in.
            crew.pieces.with_mut(|piece| unsafe { *piece += 1 });
            // SAFETY: as above.
            second.with_mut(|piece| unsafe { *piece += 1 });
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }

    /// A piece comes while the only participant leaves: it is taken, or an invitation goes out.
    ///
    /// Seen to fail when `leave` does not look at the summons, and when `summon` leaves none.
    #[test]
    fn no_summons_go_unanswered() {
        loom::model(|| {
            let gate = LoomArc::new(Gate::new());
            let pieces = LoomArc::new(AtomicUsize::new(0));
            assert!(gate.invite(1) && gate.accept());
            let participant = {
                let (gate, pieces) = (LoomArc::clone(&gate), LoomArc::clone(&pieces));
                thread::spawn(move || {
                    let mut taken = pieces.swap(0, Ordering::Relaxed);
                    while gate.clear_summons() {
                        taken += pieces.swap(0, Ordering::Relaxed);
                    }
                    taken == 1 || gate.leave().1
                })
            };
            pieces.fetch_add(1, Ordering::Relaxed);
            let is_invited = gate.summon(1);
            assert!(participant.join().unwrap() | is_invited);
        });
    }
}
