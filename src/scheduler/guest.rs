//! An outside thread that takes part in a parallel call.

use super::{Scheduler, Seat, enter};

/// Gives a guest's place back, by unwinding as well.
struct Leave<'a> {
    scheduler: &'a Scheduler,
    seat: &'a Seat,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        // A muted guest was never counted, and has nothing that others might take.
        if !self.seat.is_muted() {
            self.scheduler.stand_down(self.seat);
        }
        self.scheduler.places.give_up(self.seat);
    }
}

impl Scheduler {
    /// Runs `f` on a seat of this pool: the one that the thread has, or a guest's. With none free,
    /// `f` runs without.
    pub(crate) fn participate<R>(&self, f: impl FnOnce(Option<&Seat>) -> R) -> R {
        self.with_seat(|own| {
            let Some(seat) = own else { return self.be_guest(false, f) };
            if seat.is_muted() {
                self.unmute(seat);
            }
            if self.is_innermost() { f(own) } else { enter(self, own, || f(own)) }
        })
    }

    /// Runs `f` on a guest's seat, [muted](super::visit) at first if asked for. With none free, `f`
    /// runs without.
    pub(super) fn be_guest<R>(&self, is_muted: bool, f: impl FnOnce(Option<&Seat>) -> R) -> R {
        let seat = if self.is_alone() { None } else { self.places.take_guest(self) };
        let Some(seat) = seat else {
            return enter(self, None, || f(None));
        };
        if is_muted {
            seat.mute();
        } else {
            self.stand_up(seat);
        }
        let _leave = Leave { scheduler: self, seat };
        enter(self, Some(seat), || f(Some(seat)))
    }

    /// The thread of `seat` begins to work.
    pub(super) fn stand_up(&self, seat: &Seat) {
        seat.set_active(true);
        self.sleep.begin_activity();
    }

    /// The thread of `seat` stops working. Others may take what it has, and its part in the count
    /// of busy threads. False: it was not counted.
    pub(super) fn stand_down(&self, seat: &Seat) -> bool {
        seat.publish_all();
        if !seat.is_active() {
            return false;
        }
        seat.set_active(false);
        self.sleep.end_activity();
        self.notify_of_any();
        self.look_whether_quiet();
        true
    }

    /// Runs `f`, which may wait in any way, and so is not counted as work of a guest.
    pub(crate) fn off_duty<R>(&self, seat: Option<&Seat>, f: impl FnOnce() -> R) -> R {
        /// Counts the guest again, by unwinding as well.
        struct Back<'a>(&'a Scheduler, &'a Seat);

        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.stand_up(self.1);
            }
        }

        let guest = seat.filter(|seat| seat.is_active() && self.places.is_guest(seat));
        let _back = guest.map(|seat| {
            self.stand_down(seat);
            Back(self, seat)
        });
        f()
    }
}
