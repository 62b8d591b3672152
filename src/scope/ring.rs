//! A queue that one thread pushes to and any thread takes from, first in first out.
//!
//! ```text
//!   owner                                  taker
//!   ─────                                  ─────
//!   is there room? (head), else grow       read head, and tail if not known beyond: empty?
//!   write the place of the tail            read the place of the head
//!   tail + 1                               head + 1, if it is still there: the entry is taken
//! ```
//!
//! A push is three stores and a take one exchange. A deque for thieves would need a fence more at
//! either end, since its owner takes without an exchange; a queue for several pushers has an
//! exchange at either end.
//!
//! # Invariant
//!
//! The places from head to tail are written, in whichever buffer a taker sees. The owner writes a
//! place again only when it has seen the head beyond it, so that a taker who read it meanwhile fails
//! at its exchange. Buffers that were outgrown stay until the end, and nobody writes to them: their
//! places from then on hold what they held.

#![expect(unsafe_code, reason = "an owner's side without locks, buffers shared by pointers")]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ptr;

use crossbeam_utils::CachePadded;

use crate::job::Job;
use crate::sync::{AtomicPtr, AtomicU64, Ordering};

/// A task in the ring.
struct Place {
    job: AtomicPtr<()>,
    number: AtomicU64,
}

/// A power of two of places.
struct Buffer {
    places: Box<[Place]>,
}

impl Buffer {
    fn new(size: u64) -> Self {
        let empty = |_| Place { job: AtomicPtr::new(ptr::null_mut()), number: AtomicU64::new(0) };
        Self { places: (0..size).map(empty).collect() }
    }

    fn size(&self) -> u64 {
        self.places.len() as u64
    }

    #[inline]
    fn place(&self, index: u64) -> &Place {
        &self.places[index as usize & (self.places.len() - 1)]
    }

    #[inline]
    fn read(&self, index: u64) -> (*mut (), u64) {
        let place = self.place(index);
        // ORDERING: Relaxed: the tail, or the pointer to the buffer, brings what was written; a place
        // that is written once more meanwhile is refused by the exchange of the head.
        (place.job.load(Ordering::Relaxed), place.number.load(Ordering::Relaxed))
    }

    #[inline]
    fn write(&self, index: u64, (job, number): (*mut (), u64)) {
        let place = self.place(index);
        // ORDERING: Relaxed, see `read`.
        place.job.store(job, Ordering::Relaxed);
        // ORDERING: Relaxed, as above.
        place.number.store(number, Ordering::Relaxed);
    }
}

/// What only the owner looks at.
struct Owned {
    /// How many entries the first buffer has room for.
    first: u64,
    /// The head as it was when the ring looked full last.
    head: Cell<u64>,
    /// Every buffer so far, of which the last one is in use. They are this ring's, in boxes once.
    buffers: RefCell<Vec<*mut Buffer>>,
}

/// The queue. Each entry is a job and a number.
pub(super) struct Ring {
    head: CachePadded<AtomicU64>,
    tail: CachePadded<AtomicU64>,
    buffer: AtomicPtr<Buffer>,
    owned: Owned,
}

// SAFETY: `owned` is used by the owner alone, see `push`; everything else is atomic, and jobs are
// `Send`.
unsafe impl Sync for Ring {}
// SAFETY: as above.
unsafe impl Send for Ring {}

impl Ring {
    /// A ring that begins with room for `first` entries, a power of two, once there is one.
    pub(super) fn new(first: u64) -> Self {
        Self {
            head: CachePadded::new(AtomicU64::new(0)),
            tail: CachePadded::new(AtomicU64::new(0)),
            buffer: AtomicPtr::new(ptr::null_mut()),
            owned: Owned { first, head: Cell::new(0), buffers: RefCell::default() },
        }
    }

    /// Adds an entry.
    ///
    /// # Safety
    ///
    /// - All calls come from one thread, the owner's, or one happens before the other.
    #[inline]
    pub(super) unsafe fn push(&self, job: Job, number: u64) {
        // ORDERING: Relaxed: only the owner writes it.
        let tail = self.tail.load(Ordering::Relaxed);
        // ORDERING: Relaxed, as above.
        let buffer = self.buffer.load(Ordering::Relaxed);
        // SAFETY: buffers stay until the ring goes.
        let buffer = match unsafe { buffer.as_ref() } {
            Some(buffer) if tail - self.owned.head.get() < buffer.size() => buffer,
            buffer => self.make_room(buffer, tail),
        };
        buffer.write(tail, (job.into_raw(), number));
        // ORDERING: Release shows the entry. Pairs with the load in `pop`.
        self.tail.store(tail + 1, Ordering::Release);
    }

    /// Sees whether takers have made room, and grows otherwise.
    #[cold]
    fn make_room<'a>(&'a self, buffer: Option<&'a Buffer>, tail: u64) -> &'a Buffer {
        // ORDERING: Acquire: those who took these entries have read the places. Pairs with the
        // exchange in `pop`.
        let head = self.head.load(Ordering::Acquire);
        self.owned.head.set(head);
        let size = buffer.map_or(0, Buffer::size);
        // Half of it, so that the next look is not near.
        match buffer {
            Some(buffer) if tail - head <= size / 2 => buffer,
            _ => self.grow(buffer, head..tail),
        }
    }

    fn grow(&self, from: Option<&Buffer>, entries: std::ops::Range<u64>) -> &Buffer {
        let larger = Buffer::new(from.map_or(self.owned.first, |buffer| 2 * buffer.size()));
        if let Some(from) = from {
            entries.for_each(|index| larger.write(index, from.read(index)));
        }
        let larger = Box::into_raw(Box::new(larger));
        self.owned.buffers.borrow_mut().push(larger);
        // ORDERING: Release shows the entries that moved over. Pairs with the load in `pop`.
        self.buffer.store(larger, Ordering::Release);
        // SAFETY: buffers stay until the ring goes.
        unsafe { &*larger }
    }

    /// The oldest entry.
    ///
    /// A taker keeps in `seen` how far it has seen the ring written, 0 at first. Only at its end does
    /// it look at the tail, which the owner is writing to.
    #[inline]
    pub(super) fn pop(&self, seen: &mut u64) -> Option<(Job, u64)> {
        // ORDERING: Acquire: a tail read after this is as far as when that head was written, at least.
        // Pairs with the exchange below.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            if head >= *seen {
                // ORDERING: Acquire pairs with the store in `push`, and brings the entries before it.
                *seen = self.tail.load(Ordering::Acquire);
                if head == *seen {
                    return None;
                }
            }
            // ORDERING: Acquire pairs with the store in `grow`, and brings what moved over.
            let buffer = self.buffer.load(Ordering::Acquire);
            // SAFETY: there is one, since there was an entry; buffers stay until the ring goes.
            let (job, number) = unsafe { &*buffer }.read(head);
            // ORDERING: Release keeps the reading of the place before this, for the owner to write
            // it again (pairs with `make_room`), and shows the tail to other takers. Acquire on
            // failure, as in the load above.
            let taken = self.head.compare_exchange_weak(
                head,
                head + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match taken {
                // SAFETY: the exchange makes the entry this call's, as it was pushed.
                Ok(_) => return Some((unsafe { Job::from_raw(job) }, number)),
                Err(newer) => head = newer,
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        // ORDERING: Acquire, as in `pop`.
        let head = self.head.load(Ordering::Acquire);
        // ORDERING: Relaxed: whoever relies on it has a fence before, or takes part in the crew's
        // summons.
        (self.tail.load(Ordering::Relaxed) - head) as usize
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        for buffer in self.owned.buffers.take() {
            // SAFETY: it came from a box, and nobody takes any more.
            drop(unsafe { Box::from_raw(buffer) });
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use super::*;
    use crate::task::new_task;

    fn entry(ran: &AtomicUsize) -> Job {
        let (job, mut ticket) = new_task(|| ran.fetch_add(1, Ordering::Relaxed));
        // SAFETY: the ticket goes away.
        assert!(unsafe { ticket.release() }.is_none());
        job
    }

    #[test]
    fn entries_come_out_in_order_and_whole_while_the_ring_grows_and_turns() {
        let ran = AtomicUsize::new(0);
        let ring = Ring::new(2);
        let (mut next, mut seen) = (0, 0);
        for number in 0..1000 {
            // SAFETY: from this thread only.
            unsafe { ring.push(entry(&ran), number) };
            if number % 3 == 0 {
                let (job, found) = ring.pop(&mut seen).unwrap();
                assert_eq!(found, next);
                next += 1;
                let _ = job.run(0);
            }
        }
        assert_eq!(ring.len() as u64, 1000 - next);
        while let Some((job, _)) = ring.pop(&mut seen) {
            let _ = job.run(0);
        }
        assert_eq!(ran.into_inner(), 1000);
    }

    #[test]
    fn three_takers_get_each_entry_once() {
        const COUNT: usize = 20_000;
        let ran = AtomicUsize::new(0);
        let ring = Ring::new(1);
        let take = || {
            let mut seen = 0;
            while ran.load(Ordering::Relaxed) < COUNT {
                match ring.pop(&mut seen) {
                    Some((job, _)) => drop(job.run(0)),
                    None => thread::yield_now(),
                }
            }
        };
        thread::scope(|scope| {
            (0..3).for_each(|_| drop(scope.spawn(take)));
            for number in 0..COUNT as u64 {
                // SAFETY: from this thread only.
                unsafe { ring.push(entry(&ran), number) };
            }
        });
        assert_eq!(ran.into_inner(), COUNT);
    }
}

/// Two takers, while the owner pushes more than there is room for.
///
/// Seen to fail: with a `Relaxed` store of the tail or of the buffer; with a `Relaxed` load of the
/// tail, the buffer or the head, or a `Relaxed` exchange, in `pop`, and when it looks at the tail only
/// where the head is at, not beyond, the end that was seen; when entries do not move over as the ring
/// grows, when it turns without a look at the head, and when an entry is taken without the exchange. Beyond loom, which lets no load see a later store: that `make_room` acquires the head.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::sync::UnsafeCell;

    /// What the numbers of the entries stand for.
    struct Shared {
        ring: Ring,
        taken: [UnsafeCell<u32>; 3],
    }

    // SAFETY: the ring gives each number to one thread, and loom checks that it does.
    unsafe impl Sync for Shared {}
    // SAFETY: as above.
    unsafe impl Send for Shared {}

    impl Shared {
        fn push(&self, number: u64) {
            // SAFETY: nobody has it before it is pushed.
            self.taken[number as usize].with_mut(|taken| unsafe { *taken = 1 });
            // SAFETY: nobody runs it.
            let job = unsafe { Job::from_raw(ptr::without_provenance_mut(8)) };
            // SAFETY: from one thread only.
            unsafe { self.ring.push(job, number) };
        }

        fn take(&self, seen: &mut u64) -> usize {
            let Some((_, number)) = self.ring.pop(seen) else { return 0 };
            self.taken[number as usize].with_mut(|taken| {
                // SAFETY: the ring gives the number to this thread.
                let taken = unsafe { &mut *taken };
                assert_eq!(std::mem::replace(taken, 2), 1);
            });
            1
        }
    }

    #[test]
    fn each_entry_is_taken_once() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let taken = [0, 0, 0].map(UnsafeCell::new);
            let shared = Arc::new(Shared { ring: Ring::new(1), taken });
            shared.push(0);
            let takers = [2, 1].map(|times| {
                let shared = Arc::clone(&shared);
                let mut seen = 0;
                thread::spawn(move || (0..times).map(|_| shared.take(&mut seen)).sum::<usize>())
            });
            shared.push(1);
            shared.push(2);
            let taken = takers.map(|taker| taker.join().unwrap());
            let left = (0..3).map(|_| shared.take(&mut 0)).sum::<usize>();
            assert_eq!(taken[0] + taken[1] + left, 3);
        });
    }
}
