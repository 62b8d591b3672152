//! The failure of a sweep: the one of the lowest index.

use std::ops::Range;

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};
use crate::unwind::{Payload, discard};

/// Why an item stopped its sweep.
#[derive(Debug)]
pub(super) enum Failure<E> {
    Panic(Payload),
    /// What the closure returned to stop it: an error, or what was looked for.
    Stop(E),
}

/// The failures of one sweep.
#[derive(Debug)]
pub(super) struct Failures<E> {
    count: AtomicUsize,
    inside: Mutex<Inside<E>>,
}

#[derive(Debug)]
struct Inside<E> {
    first: Option<(usize, Failure<E>)>,
    /// What was claimed and not worked off.
    holes: Vec<Range<usize>>,
}

impl<E> Failures<E> {
    pub(super) fn new() -> Self {
        let inside = Inside { first: None, holes: Vec::new() };
        Self { count: AtomicUsize::new(0), inside: Mutex::new(inside) }
    }

    /// Whether there was one, so that nothing more is to be claimed.
    pub(super) fn any(&self) -> bool {
        // ORDERING: Relaxed: stopping a little later does no harm.
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Notes that the item at `hole.start` failed, and so nothing of `hole` was worked off.
    pub(super) fn note(&self, hole: Range<usize>, failure: Failure<E>) {
        // ORDERING: Relaxed, see `any`.
        self.count.fetch_add(1, Ordering::Relaxed);
        let index = hole.start;
        let mut inside = lock(&self.inside);
        if !hole.is_empty() {
            inside.holes.push(hole);
        }
        let is_first = inside.first.as_ref().is_none_or(|(lowest, _)| index < *lowest);
        let later =
            if is_first { inside.first.replace((index, failure)) } else { Some((index, failure)) };
        drop(inside);
        discard(later);
    }

    /// The first failure, and the holes in order.
    pub(super) fn into_first(self) -> Option<(Failure<E>, Vec<Range<usize>>)> {
        let inside = self.inside.into_inner().expect("nobody panics under this lock");
        let mut holes = inside.holes;
        holes.sort_by_key(|hole| hole.start);
        inside.first.map(|(_, failure)| (failure, holes))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_failure_after_all_items_leaves_no_hole() {
        let failures = Failures::new();
        failures.note(9..9, Failure::Stop(9));
        assert!(failures.into_first().unwrap().1.is_empty());
    }

    #[test]
    fn the_lowest_index_wins_whenever_it_comes() {
        let failures = Failures::new();
        assert!(!failures.any());
        for index in [7, 3, 5] {
            failures.note(index..9, Failure::Stop(index));
        }
        assert!(failures.any());
        let (first, holes) = failures.into_first().unwrap();
        assert!(matches!(first, Failure::Stop(3)));
        assert_eq!(holes, [3..9, 5..9, 7..9]);
    }
}
