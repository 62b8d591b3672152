//! Who sleeps, and which of them to wake.
//!
//! The one that fell asleep last: it has been away for the shortest time. But rather one that last
//! ran on another core than its waker runs on now. The system likes to let a thread go on where it
//! was, and must if the thread is pinned; there it would wait until the waker itself rests, and
//! take the core away from it meanwhile. (Over two cores, with the caller and each of two workers
//! pinned to one of them, 10,945 joins took 5 to 29 ns each without that, and 2.0 to 3.7 with it.)

use std::sync::Arc;
use std::time::Instant;

use super::Parker;
use super::counts::{RESTING, SLEEPING};

/// One who may sleep.
#[derive(Clone, Debug)]
pub(crate) struct Sleeper {
    pub(crate) index: usize,
    pub(crate) is_spare: bool,
    pub(crate) parker: Arc<Parker>,
}

/// Among so many of those that fell asleep last one is looked for that ran on another core.
const CHOICE: usize = 16;

/// One who sleeps.
#[derive(Debug)]
struct Bed {
    sleeper: Sleeper,
    /// Where it ran when it fell asleep.
    cpu: Option<usize>,
}

/// All of them, those that fell asleep last at the end.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    workers: Vec<Bed>,
    spares: Vec<Bed>,
    /// Until when spares are withheld.
    pub(super) refusal_ends: Option<Instant>,
}

impl Sleepers {
    fn of(&mut self, sleeper: &Sleeper) -> &mut Vec<Bed> {
        if sleeper.is_spare { &mut self.spares } else { &mut self.workers }
    }

    /// Puts `sleeper`, which runs on `cpu`, on its list.
    pub(super) fn add(&mut self, sleeper: &Sleeper, cpu: Option<usize>) {
        self.of(sleeper).push(Bed { sleeper: sleeper.clone(), cpu });
    }

    /// Takes `sleeper` off its list. False: it is not there.
    pub(super) fn remove(&mut self, sleeper: &Sleeper) -> bool {
        let list = self.of(sleeper);
        let place = list.iter().position(|bed| bed.sleeper.index == sleeper.index);
        place.map(|place| list.remove(place)).is_some()
    }

    pub(super) fn has(&mut self, sleeper: &Sleeper) -> bool {
        self.of(sleeper).iter().any(|bed| bed.sleeper.index == sleeper.index)
    }

    /// Takes off the one to wake, a worker if there is any, for a waker that runs on `cpu`.
    pub(super) fn take(&mut self, cpu: Option<usize>) -> Option<Sleeper> {
        Self::choose(&mut self.workers, cpu).or_else(|| Self::choose(&mut self.spares, cpu))
    }

    fn choose(list: &mut Vec<Bed>, cpu: Option<usize>) -> Option<Sleeper> {
        let last = list.len().checked_sub(1)?;
        let elsewhere = list.iter().rev().take(CHOICE).position(|bed| bed.cpu != cpu);
        Some(list.remove(last - elsewhere.unwrap_or(0)).sleeper)
    }

    /// How many workers and how many spares there are.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.workers.len(), self.spares.len())
    }

    /// Takes off everybody.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Sleeper> + use<> {
        let (workers, spares) =
            (std::mem::take(&mut self.workers), std::mem::take(&mut self.spares));
        workers.into_iter().chain(spares).map(|bed| bed.sleeper)
    }
}

impl Sleeper {
    /// As what it counts while it sleeps.
    pub(super) fn unit(&self) -> u64 {
        if self.is_spare { RESTING } else { SLEEPING }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Who is woken one after the other of those that fell asleep on these cores.
    fn order(is_spare: bool, beds: &[Option<usize>], waker: Option<usize>) -> Vec<usize> {
        let mut sleepers = Sleepers::default();
        for (index, cpu) in beds.iter().enumerate() {
            let parker = Arc::new(Parker::new());
            sleepers.add(&Sleeper { index, is_spare, parker }, *cpu);
        }
        std::iter::from_fn(|| sleepers.take(waker).map(|sleeper| sleeper.index)).collect()
    }

    #[test]
    fn the_last_one_that_ran_on_another_core_is_woken_first() {
        let beds = [Some(1), Some(2), Some(0), Some(0)];
        assert_eq!(order(false, &beds, Some(0)), [1, 0, 3, 2]);
        assert_eq!(order(true, &beds, Some(0)), [1, 0, 3, 2]);
        assert_eq!(order(false, &beds, Some(1)), [3, 2, 1, 0]);
        assert_eq!(order(false, &beds, Some(7)), [3, 2, 1, 0]);
    }

    #[test]
    fn where_nobody_knows_the_core_the_last_one_is_woken_first() {
        assert_eq!(order(false, &[None; 3], None), [2, 1, 0]);
        assert_eq!(order(false, &[Some(0), Some(1)], None), [1, 0]);
        assert_eq!(order(false, &[None; 2], Some(0)), [1, 0]);
    }

    #[test]
    fn of_many_on_the_same_core_the_last_one_is_woken() {
        let mut beds = [Some(0); CHOICE + 1];
        beds[0] = Some(1);
        assert_eq!(order(false, &beds, Some(0))[..2], [CHOICE, 0]);
    }

    #[test]
    fn workers_come_before_spares() {
        let mut sleepers = Sleepers::default();
        let sleeper =
            |index, is_spare| Sleeper { index, is_spare, parker: Arc::new(Parker::new()) };
        sleepers.add(&sleeper(0, false), Some(0));
        sleepers.add(&sleeper(1, true), Some(1));
        assert_eq!(sleepers.take(Some(0)).map(|sleeper| sleeper.index), Some(0));
        assert_eq!(sleepers.take(Some(0)).map(|sleeper| sleeper.index), Some(1));
    }
}
