//! One pass over a source, by the caller and whoever has time.
//!
//! ```text
//!   caller                                      participant
//!   ──────                                      ───────────
//!   known to be tiny? a plain loop, a look      accepts an invitation
//!     at the clock after the first item         claims, works off, claims …
//!   else: invite, claim, work off, claim …      leaves: nothing left, a failure, or
//!   close: wait for those who are in            detached tasks wait for its thread
//! ```
//!
//! # Invariant
//!
//! Each unit is claimed once, and whoever claims it takes its items from the source or discards
//! them. What nobody has claimed when the sweep ends, its caller discards.

#![expect(unsafe_code, reason = "takes items from sources, opens a crew on its own stack")]

use std::cell::Cell;
use std::convert::Infallible;
use std::ops::Range;
use std::panic::resume_unwind;

use super::cursor::Cursor;
use super::failure::{Failure, Failures};
use super::pace::Pace;
use crate::memory::{Kind, TINIEST};
use crate::pool::Pool;
use crate::scheduler::{Crew, Departure, Pieces, Scheduler, Seat, enter};
use crate::source::Source;
use crate::unwind::{catch, discard};

/// What a verb does with items.
pub(super) trait Body<S: Source>: Sync {
    /// What each participant keeps while it takes part, on its own thread.
    type Own;
    /// What an item may stop the sweep with.
    type Stop: Send;
    /// Whether each unit is worked off by itself, however many a claim has.
    const BY_UNIT: bool = false;

    /// A participant begins.
    fn begin(&self) -> Self::Own;

    /// Works off the items at the indices of `range`, and sets `at` to the index of the item that
    /// it was at when it ended, panicked or stopped: `range.end` if all are done.
    fn run(
        &self,
        own: &mut Self::Own,
        range: Range<usize>,
        items: S::Range<'_>,
        at: &mut usize,
    ) -> Result<(), Self::Stop>;

    /// All units of a claim are done.
    fn end_claim(&self, _own: &mut Self::Own) {}

    /// A participant ends.
    fn end(&self, _own: Self::Own) {}
}

/// What came of a sweep that did not get through.
pub(super) struct Stopped<E> {
    pub(super) failure: Failure<E>,
    /// How many items were claimed.
    pub(super) claimed: usize,
    /// Those of them that were not worked off.
    pub(super) holes: Vec<Range<usize>>,
}

struct Sweep<'a, S: Source, B: Body<S>> {
    scheduler: &'a Scheduler,
    source: S,
    body: &'a B,
    cursor: Cursor,
    /// How many items a unit has; the last one may have fewer.
    unit: usize,
    /// At most so many threads.
    threads: usize,
    /// How many units a claim has, if that was asked for.
    fixed: Option<usize>,
    /// What a unit cost last time, in nanoseconds.
    known: Option<f32>,
    failures: Failures<B::Stop>,
}

/// Runs `body` over `source`, in units of `unit` items.
pub(super) fn sweep<S: Source, B: Body<S>>(
    pool: &Pool,
    mut source: S,
    body: &B,
    unit: usize,
) -> Result<(), Stopped<B::Stop>> {
    // A panic in here leaves the source to drop what it has.
    source.open();
    let options = pool.options();
    let scheduler = &**pool.scheduler();
    let threads = if scheduler.is_alone() { 1 } else { pool.threads() };
    let sweep = Sweep {
        scheduler,
        body,
        cursor: Cursor::new(source.len().div_ceil(unit)),
        source,
        unit,
        threads: options.limit.map_or(threads, |limit| limit.get().min(threads)),
        fixed: options.chunk.map(|items| items.get().div_ceil(unit)),
        known: if options.chunk.is_some() { None } else { Kind::of::<B>().recall() },
        failures: Failures::new(),
    };
    sweep.run();
    sweep.into_result()
}

/// Sweeps with `body`, which has nothing to stop for. A panic goes on here, after what `body` has
/// was dropped.
pub(super) fn sweep_through<S, B>(pool: &Pool, source: S, body: B, unit: usize) -> B
where
    S: Source,
    B: Body<S, Stop = Infallible>,
{
    match sweep(pool, source, &body, unit) {
        Ok(()) => body,
        Err(stopped) => {
            discard(body);
            match stopped.failure {
                Failure::Stop(never) => match never {},
                Failure::Panic(payload) => resume_unwind(payload),
            }
        }
    }
}

impl<S: Source, B: Body<S>> Sweep<'_, S, B> {
    fn run(&self) {
        if self.threads == 1 || self.cursor.units() <= 1 {
            return self.here(|| self.work_alone());
        }
        let mut pace = Pace::new(self.threads, self.fixed, self.known);
        let mut own = None;
        if self.known.is_some_and(|cost| self.is_tiny(cost)) {
            self.here(|| self.work_while_tiny(&mut own, &mut pace));
        }
        if self.cursor.left() > 0 && !self.failures.any() {
            self.scheduler.participate(|seat| self.work_with_others(&mut own, &mut pace, seat));
        }
        self.here(|| self.end(own));
        if let Some(cost) = pace.cost() {
            Kind::of::<B>().remember(cost);
        }
    }

    /// Whether it should cost less to do it alone, if a unit costs as much as last time.
    fn is_tiny(&self, cost: f32) -> bool {
        self.scheduler.is_tiny(cost * self.cursor.units() as f32)
    }

    /// Runs `f` as a part of this pool, on the seat that the thread has there, if any.
    fn here(&self, f: impl FnOnce()) {
        self.scheduler.with_seat(|seat| enter(self.scheduler, seat, f));
    }

    /// Nobody else will take part: one claim of everything.
    fn work_alone(&self) {
        let mut own = None;
        while self.claim(&mut own, |unclaimed| self.fixed.unwrap_or(unclaimed.len())).is_some() {}
        self.end(own);
    }

    /// Claims as a plain loop would, but for a look at the clock after the first units and now and
    /// then, as long as they cost about as much as last time.
    fn work_while_tiny(&self, own: &mut Option<B::Own>, pace: &mut Pace) {
        while self.cursor.left() > 0 {
            let claim = self.cursor.claim_alone(pace.size_alone(TINIEST));
            let Some(units) = claim.and_then(|claim| self.see_to(own, claim)) else { break };
            if !pace.lap(units) {
                break;
            }
        }
    }

    fn work_with_others(&self, own: &mut Option<B::Own>, pace: &mut Pace, seat: Option<&Seat>) {
        let tag = seat.map_or(0, |seat| seat.tag());
        // SAFETY: the sweep is borrowed until `close` below, which nothing can pass by: user code is
        // caught where it is called.
        let crew = unsafe { Crew::open(self, self.threads - 1, tag) };
        self.work(own, pace, || {
            crew.invite(self.scheduler);
            true
        });
        crew.close(self.scheduler);
    }

    /// Claims until there is nothing left, there was a failure, or `goes_on` says no. It is asked
    /// before each claim that leaves something for others.
    fn work(&self, own: &mut Option<B::Own>, pace: &mut Pace, goes_on: impl Fn() -> bool) {
        while self.cursor.left() <= 1 || goes_on() {
            // What it costs to invite is none of the items'.
            pace.begin();
            let Some(units) = self.claim(own, |unclaimed| pace.size(unclaimed)) else { break };
            pace.lap(units);
        }
    }

    /// Claims and works off; says how many units. `None`: there is nothing left, or a failure.
    fn claim(
        &self,
        own: &mut Option<B::Own>,
        size: impl Fn(Range<usize>) -> usize,
    ) -> Option<usize> {
        if self.failures.any() {
            return None;
        }
        self.see_to(own, self.cursor.claim(size)?)
    }

    /// Works a claim off; says how many units it had. `None`: it failed.
    fn see_to(&self, own: &mut Option<B::Own>, claim: Range<usize>) -> Option<usize> {
        let units = claim.len();
        let items = claim.start * self.unit..self.first_item_after(claim.end);
        let mut at = items.start;
        let outcome = catch(|| self.work_off(own, items.clone(), &mut at));
        let failure = match outcome {
            Ok(Ok(())) => return Some(units),
            Ok(Err(stop)) => Failure::Stop(stop),
            Err(payload) => Failure::Panic(payload),
        };
        self.failures.note(at..items.end, failure);
        None
    }

    fn first_item_after(&self, unit: usize) -> usize {
        unit.saturating_mul(self.unit).min(self.source.len())
    }

    /// Works off a claim, whose items it answers for whatever happens.
    fn work_off(
        &self,
        own: &mut Option<B::Own>,
        items: Range<usize>,
        at: &mut usize,
    ) -> Result<(), B::Stop> {
        let mut rest = Rest { source: &self.source, range: items.clone() };
        let own = own.get_or_insert_with(|| self.body.begin());
        let step = if B::BY_UNIT { self.unit } else { items.len() };
        while !rest.range.is_empty() {
            let start = rest.range.start;
            let part = start..start.saturating_add(step).min(items.end);
            rest.range.start = part.end;
            // SAFETY: open, within the length; the claim gives this thread the range, and `rest`
            // discards only what comes after.
            let range = unsafe { self.source.range(part.clone()) };
            self.body.run(own, part, range, at)?;
        }
        // The reduction of a claim counts as work on its last item.
        *at = items.end.saturating_sub(1).max(items.start);
        self.body.end_claim(own);
        Ok(())
    }

    fn end(&self, own: Option<B::Own>) {
        let Some(own) = own else { return };
        if let Err(payload) = catch(|| self.body.end(own)) {
            let end = self.source.len();
            self.failures.note(end..end, Failure::Panic(payload));
        }
    }

    /// Discards what nobody has claimed, and says what came of it all.
    fn into_result(self) -> Result<(), Stopped<B::Stop>> {
        let claimed = self.first_item_after(self.cursor.units() - self.cursor.left());
        let unclaimed = claimed..self.source.len();
        if !unclaimed.is_empty() {
            // SAFETY: open, within the length, and nobody has claimed these.
            discard(catch(|| unsafe { self.source.discard(unclaimed) }));
        }
        match self.failures.into_first() {
            None => Ok(()),
            Some((failure, holes)) => Err(Stopped { failure, claimed, holes }),
        }
    }
}

/// The part of a claim that nobody has taken from the source yet: discarded on the way out.
struct Rest<'a, S: Source> {
    source: &'a S,
    range: Range<usize>,
}

impl<S: Source> Drop for Rest<'_, S> {
    fn drop(&mut self) {
        if !self.range.is_empty() {
            // SAFETY: open, within the length, and the claim gives this thread the range.
            unsafe { self.source.discard(self.range.clone()) };
        }
    }
}

impl<S: Source, B: Body<S>> Pieces for Sweep<'_, S, B> {
    fn take_part(&self, crew: &Crew) -> Departure {
        let mut own = None;
        let mut pace = Pace::new(self.threads, self.fixed, self.known);
        let has_begun = Cell::new(false);
        self.work(&mut own, &mut pace, || {
            crew.invite_next(self.scheduler);
            // One claim at least, or it would come and go for ever.
            !(has_begun.replace(true) && self.scheduler.is_needed())
        });
        self.end(own);
        if self.cursor.left() > 0 && !self.failures.any() {
            return Departure::Early;
        }
        crew.withdraw(self.scheduler);
        Departure::Done
    }
}
