//! Where a thread with nothing to do looks for a job.
//!
//! Structured work and detached tasks share the threads fairly: mostly a worker takes its own
//! tasks, every eighth time it first looks for structured work, every 61st time it fetches tasks of
//! others. So nothing starves, whatever somebody else keeps making.
//!
//! Older tasks come first, roughly: a task may join an earlier one, and whoever runs the later one
//! first has to run the earlier one inside it.

use super::counters::Tally;
use super::places::Place;
use super::{Scheduler, Seat};
use crate::job::Job;
use crate::sync::{Ordering, fence};
use crate::wait::Urgency;

const STRUCTURED_FIRST: u32 = 8;
const OTHERS_FIRST: u32 = 61;

impl Scheduler {
    /// The next job of a worker that does not search: its own, mostly.
    pub(super) fn next_job(&self, seat: &Seat) -> Option<Job> {
        let turn = seat.next_turn();
        if turn % OTHERS_FIRST == 0 {
            self.fetch_others_tasks(seat);
        }
        if turn % STRUCTURED_FIRST == 0 {
            if let Some(job) = self.structured_job(seat) {
                return Some(job);
            }
        }
        seat.pop_task()
    }

    /// Queues tasks of others behind the own ones: they are newer, most likely, and a task may wait
    /// for an older one.
    fn fetch_others_tasks(&self, seat: &Seat) {
        let is_fetched = self.injector.move_batch(seat.tasks());
        let stolen = self.places.victims(seat.next_turn()).find_map(|place| place.steal_task());
        if let Some(job) = self.count_steal(stolen) {
            seat.push_task(job);
        } else if !is_fetched {
            return;
        }
        // They were nowhere for a moment, while they came over.
        self.notify(Urgency::Detached);
    }

    /// Looks everywhere, once.
    pub(super) fn search_once(&self, seat: &Seat) -> Option<Job> {
        let detached_first = self.is_needed_elsewhere(seat);
        let structured = || self.structured_job(seat);
        let detached = || {
            let oldest = seat.pop_task().or_else(|| self.task_of_blocked(seat));
            oldest.or_else(|| self.others_task(seat))
        };
        if detached_first { detached().or_else(structured) } else { structured().or_else(detached) }
    }

    fn structured_job(&self, seat: &Seat) -> Option<Job> {
        if self.sleep.is_crowded() {
            return None;
        }
        let job = self.places.victims(seat.next_turn()).find_map(|place| place.steal_structured());
        self.count_steal(job)
    }

    /// A task of a worker that is blocked. It is older than what is in the injector, most likely.
    fn task_of_blocked(&self, seat: &Seat) -> Option<Job> {
        // ORDERING: Relaxed: a hint where to look first.
        if self.blocked.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut blocked = self.places.victims(seat.next_turn()).filter(|place| place.is_blocked());
        self.count_steal(blocked.find_map(|place| place.steal_task()))
    }

    fn others_task(&self, seat: &Seat) -> Option<Job> {
        if let Some(job) = self.injector.pop_batch(seat.tasks()) {
            return Some(job);
        }
        let mut victims = self.places.victims(seat.next_turn()).filter(|place| place.has_task());
        let steal = |place: &Place| {
            let runs = self.places.get(seat.index()).counters().get(Tally::Run);
            place.steal_tasks(seat.tasks(), seat.next_haul(runs))
        };
        self.count_steal(victims.find_map(steal))
    }

    fn count_steal(&self, job: Option<Job>) -> Option<Job> {
        if job.is_some() {
            self.count(Tally::Steal);
        }
        job
    }

    /// Whether detached tasks wait and nobody but this thread is about to take them.
    #[inline]
    pub(super) fn is_needed_elsewhere(&self, seat: &Seat) -> bool {
        (seat.has_task() || !self.injector.is_empty()) && !self.sleep.has_sleeping_worker()
    }

    pub(super) fn has_structured(&self) -> bool {
        self.places.victims(0).any(|place| place.has_structured())
    }

    pub(super) fn has_detached(&self) -> bool {
        !self.injector.is_empty() || self.places.victims(0).any(|place| place.has_task())
    }

    /// Whether there is work that a sleeper should get up for. The caller has a fence before.
    pub(super) fn has_work_for_sleeper(&self, is_spare: bool) -> bool {
        let has_room = self.sleep.has_room();
        ((has_room || !is_spare) && self.has_detached()) || (has_room && self.has_structured())
    }

    /// Whether a task came in while the pool ended. Whoever pushed it after this look sees the end.
    pub(super) fn has_late_task(&self) -> bool {
        // ORDERING: the reading of the end stays before this look. Pairs with the fence of the
        // notification in `see_off`.
        fence(Ordering::SeqCst);
        self.has_detached()
    }

    /// Wakes somebody if there is work. The caller has a fence before.
    pub(super) fn notify_of_any(&self) {
        if self.has_detached() {
            self.notify(Urgency::Detached);
        } else if self.has_structured() {
            self.notify(Urgency::Structured);
        }
    }

    /// Whether any queue of this pool has anything.
    pub(super) fn has_any_work(&self) -> bool {
        // ORDERING: what the caller did before stays before this look; pairs with the fence of a
        // notification.
        fence(Ordering::SeqCst);
        self.has_detached() || self.has_structured()
    }
}
