//! Threads that stand in for workers that are blocked, up to a bound.
//!
//! A spare is started when there is work, fewer threads are active than the pool has, and nobody
//! sleeps who could be woken. It works as any worker does while the pool is short of threads, rests
//! when it is not, and ends after a long rest.

use super::Scheduler;
use super::counters::Tally;

impl Scheduler {
    /// Starts the spare that is counted as active already.
    #[cold]
    pub(super) fn start_spare(&self) {
        let scheduler = self.share();
        let life = move || {
            let seat = scheduler.places.take_spare(&scheduler);
            let seat = seat.expect("there are as many places as spares may be started");
            scheduler.places.get(seat.index()).counters().count_own(Tally::Spare);
            scheduler.run_start_hook(seat);
            scheduler.sleep.begin_search();
            scheduler.live(seat, true);
            scheduler.sleep.release_spare();
            scheduler.notify_of_any();
        };
        let hired = self.lifecycle.hire(true, || self.start_thread("spare", life));
        if hired.is_err() {
            self.sleep.call_off_spare();
            // Somebody may have relied on this spare and left a worker asleep.
            self.notify_of_any();
        }
    }
}
