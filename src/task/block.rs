//! Memory for tasks: small ones share blocks, so that few of them cost a call of the allocator.
//!
//! ```text
//!   one who spawns                       one who frees a task
//!   ──────────────                       ────────────────────
//!   takes the next room of its block     notes that a room of the block is empty
//!   full: closes it, begins another      another block than last time: takes what it noted off the
//!                                        count of that one
//! ```
//!
//! A thread fills a block alone, and never a room twice: so taking one is an addition, and emptying
//! several in a row is one. What one thread spawns another frees, mostly, which is what allocators
//! are slow at (half of all instructions of a small task went there).
//!
//! # Invariant
//!
//! A block counts the rooms that are in use or will be noted as empty, and [`OPEN`] while its thread
//! may fill more. Whoever takes the count to zero frees it.
//!
//! # What it costs
//!
//! A task that is kept keeps its block: that is why blocks are small. A thread keeps up to two, the
//! one that it fills and the one of which it has emptied rooms last.

#![expect(unsafe_code, reason = "hands out memory")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::sync::{AtomicUsize, IS_MODEL, Ordering};

/// Some ten tasks: a block is that long in use of which a single task is kept.
const SIZE: usize = 1024 - 32;

/// Larger tasks have memory of their own.
const LARGEST: usize = 256;

const ALIGN: usize = 16;
const FIRST: usize = size_of::<Count>().next_multiple_of(ALIGN);
const LAYOUT: Layout = match Layout::from_size_align(SIZE, ALIGN) {
    Ok(layout) => layout,
    Err(_) => panic!("the size is no multiple of the alignment"),
};

/// More than any block has rooms.
const OPEN: usize = SIZE;

/// How many rooms are in use, see the invariant.
#[derive(Debug)]
struct Count(AtomicUsize);

impl Count {
    fn open() -> Self {
        Self(AtomicUsize::new(OPEN))
    }

    /// Closes a block in which so many rooms were filled. True: none is in use.
    #[must_use]
    fn close(&self, filled: usize) -> bool {
        self.subtract(OPEN - filled)
    }

    /// So many rooms are empty. True: they were the last ones.
    #[must_use]
    fn subtract(&self, rooms: usize) -> bool {
        // ORDERING: Release hands what was done in the rooms to whoever frees the block; Acquire
        // makes the one who frees it see all of that.
        self.0.fetch_sub(rooms, Ordering::AcqRel) == rooms
    }
}

/// Where the memory of a task is: in a block, or by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home(Option<NonNull<Count>>);

/// What a thread has to do with blocks.
struct Own {
    /// The block that it fills, how far it is filled, and with how many rooms.
    open: Cell<*mut Count>,
    end: Cell<usize>,
    filled: Cell<usize>,
    /// The block of which it has emptied rooms last, and how many it has not yet taken off.
    last: Cell<*mut Count>,
    emptied: Cell<usize>,
}

thread_local! {
    static OWN: Own = const {
        Own {
            open: Cell::new(ptr::null_mut()),
            end: Cell::new(SIZE),
            filled: Cell::new(0),
            last: Cell::new(ptr::null_mut()),
            emptied: Cell::new(0),
        }
    };
}

/// Memory for one task, and where it is.
#[inline]
pub(super) fn allocate(layout: Layout) -> (NonNull<u8>, Home) {
    let is_small = layout.size() <= LARGEST && layout.align() <= ALIGN;
    if is_small && !IS_MODEL {
        let room = OWN.try_with(|own| own.room(layout.size().next_multiple_of(ALIGN)));
        if let Ok((room, block)) = room {
            return (room, Home(Some(block)));
        }
    }
    (allocate_alone(layout), Home(None))
}

/// Memory of its own: for large tasks, and while the thread's locals are being destroyed.
fn allocate_alone(layout: Layout) -> NonNull<u8> {
    debug_assert!(layout.size() > 0, "a task has a header");
    // SAFETY: the size is not zero.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Drops a value that lies in memory of [`allocate`], and gives the memory back.
///
/// # Safety
///
/// - `place` and `home` came out of one call of [`allocate`], for the layout of the value.
/// - Nobody else uses the value, during the call or afterwards.
#[inline]
pub(super) unsafe fn vacate<T: ?Sized>(place: NonNull<T>, home: Home) {
    // SAFETY: the value is still there.
    let layout = Layout::for_value(unsafe { place.as_ref() });
    // SAFETY: it is the caller's, who does not use it any more.
    unsafe { place.drop_in_place() };
    match home.0 {
        Some(block) => leave(block),
        // SAFETY: it was allocated by itself, with this layout.
        None => unsafe { dealloc(place.as_ptr().cast(), layout) },
    }
}

/// Notes that a room of `block` is empty.
fn leave(block: NonNull<Count>) {
    if OWN.try_with(|own| own.leave(block)).is_err() {
        // SAFETY: one room of it was in use, and is empty now.
        unsafe { subtract(block, 1) };
    }
}

/// Takes `rooms` off the count of a block, and frees it if they were the last.
///
/// # Safety
///
/// - So many rooms, which the block counts, are empty, and the caller has noted that alone.
unsafe fn subtract(block: NonNull<Count>, rooms: usize) {
    // SAFETY: a block is there while it counts any rooms.
    if unsafe { block.as_ref() }.subtract(rooms) {
        // SAFETY: these were the last, so nobody else knows the block.
        unsafe { free(block) };
    }
}

/// # Safety
///
/// - The block counts nothing any more.
unsafe fn free(block: NonNull<Count>) {
    // SAFETY: it was allocated with this layout, and nobody uses it.
    unsafe { dealloc(block.as_ptr().cast(), LAYOUT) };
}

impl Own {
    /// The next room, of `size` bytes, and its block.
    #[inline]
    fn room(&self, size: usize) -> (NonNull<u8>, NonNull<Count>) {
        if self.end.get() + size > SIZE {
            self.begin();
        }
        let (block, start) = (self.open.get(), self.end.get());
        self.end.set(start + size);
        self.filled.set(self.filled.get() + 1);
        // SAFETY: a block is open, by the call above at the latest, and the room ends inside it.
        let room = unsafe { block.cast::<u8>().add(start) };
        // SAFETY: an allocation is nowhere null, nor is any byte of it.
        let room = unsafe { NonNull::new_unchecked(room) };
        // SAFETY: as above.
        (room, unsafe { NonNull::new_unchecked(block) })
    }

    #[cold]
    fn begin(&self) {
        self.close();
        let block = allocate_alone(LAYOUT).cast::<Count>();
        // SAFETY: just allocated, large enough and aligned for it.
        unsafe { block.write(Count::open()) };
        self.open.set(block.as_ptr());
        self.end.set(FIRST);
        self.filled.set(0);
    }

    /// Fills the open block no more.
    fn close(&self) {
        let Some(block) = NonNull::new(self.open.replace(ptr::null_mut())) else { return };
        self.end.set(SIZE);
        // SAFETY: an open block is there.
        if unsafe { block.as_ref() }.close(self.filled.get()) {
            // SAFETY: it is open no more, and no room is in use.
            unsafe { free(block) };
        }
    }

    /// Notes that a room of `block` is empty.
    #[inline]
    fn leave(&self, block: NonNull<Count>) {
        if self.last.get() == block.as_ptr() {
            self.emptied.set(self.emptied.get() + 1);
        } else {
            self.settle();
            self.last.set(block.as_ptr());
            self.emptied.set(1);
        }
    }

    /// Takes off what was noted.
    fn settle(&self) {
        if let Some(block) = NonNull::new(self.last.replace(ptr::null_mut())) {
            // SAFETY: so many were noted, here only.
            unsafe { subtract(block, self.emptied.replace(0)) };
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.close();
        self.settle();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn room<T>(value: T) -> (NonNull<T>, Home) {
        let (place, home) = allocate(Layout::new::<T>());
        let place = place.cast::<T>();
        // SAFETY: fresh memory of this layout.
        unsafe { place.write(value) };
        (place, home)
    }

    #[test]
    fn rooms_do_not_overlap_and_are_aligned() {
        let rooms: Vec<_> = (0..1000_u64).map(|n| room([n; 3])).collect();
        for (n, (place, home)) in (0..).zip(rooms) {
            assert_eq!(place.addr().get() % ALIGN, 0);
            // SAFETY: it was written above.
            assert_eq!(unsafe { place.read() }, [n; 3]);
            // SAFETY: it is used no more.
            unsafe { vacate(place, home) };
        }
    }

    #[test]
    fn large_and_widely_aligned_values_have_memory_of_their_own() {
        #[repr(align(64))]
        struct Wide(u8);

        let (place, home) = room([7_u8; LARGEST + 1]);
        assert!(home.0.is_none());
        // SAFETY: it is used no more.
        unsafe { vacate(place, home) };
        let (place, home) = room(Wide(7));
        assert!(home.0.is_none());
        assert_eq!(place.addr().get() % 64, 0);
        // SAFETY: as above; it was written.
        assert_eq!(unsafe { place.as_ref() }.0, 7);
        // SAFETY: as above.
        unsafe { vacate(place, home) };
    }

    #[test]
    fn a_block_outlives_its_thread_while_a_room_is_in_use() {
        let filled =
            || (0..100).map(|n| room(Box::new(n))).map(|(p, h)| (p.expose_provenance(), h));
        let make = move || filled().map(|(p, h)| (p, h.0.map(NonNull::expose_provenance)));
        let rooms = std::thread::spawn(move || make().collect::<Vec<_>>()).join().unwrap();
        for (n, (place, home)) in (0..).zip(rooms) {
            let place = NonNull::<Box<i32>>::with_exposed_provenance(place);
            let home = Home(home.map(NonNull::with_exposed_provenance));
            // SAFETY: it was written by the other thread, which has ended.
            assert_eq!(**unsafe { place.as_ref() }, n);
            // SAFETY: it is used no more.
            unsafe { vacate(place, home) };
        }
    }
}

/// Two rooms, emptied by two threads, while a third closes the block.
///
/// Seen to fail: with a `subtract` that lacks its `Release` or its `Acquire`, and when `close` takes
/// off what is in use as well.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::sync::UnsafeCell;

    struct Block {
        count: Count,
        rooms: [UnsafeCell<u32>; 2],
    }

    // SAFETY: the count orders the accesses, and loom checks that it does.
    unsafe impl Sync for Block {}
    // SAFETY: as above.
    unsafe impl Send for Block {}

    impl Block {
        /// To loom, this is the free.
        fn free(&self) {
            for room in &self.rooms {
                // SAFETY: nobody else has it.
                room.with_mut(|room| unsafe { *room += 1 });
            }
        }
    }

    #[test]
    fn the_last_one_frees_the_block() {
        loom::model(|| {
            let rooms = [UnsafeCell::new(0), UnsafeCell::new(0)];
            let block = Arc::new(Block { count: Count::open(), rooms });
            let others = [0, 1].map(|room| {
                let block = Arc::clone(&block);
                thread::spawn(move || {
                    // SAFETY: this room is this thread's.
                    block.rooms[room].with_mut(|room| unsafe { *room += 1 });
                    let is_last = block.count.subtract(1);
                    if is_last {
                        block.free();
                    }
                    is_last
                })
            });
            let is_last = block.count.close(2);
            if is_last {
                block.free();
            }
            let others = others.map(|other| other.join().unwrap());
            assert_eq!([is_last, others[0], others[1]].iter().filter(|it| **it).count(), 1);
        });
    }
}
