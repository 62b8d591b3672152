//! Large pages for large results.
//!
//! A large allocation is fresh from the system, most likely, which clears each of its pages when
//! it is first written to. For 80 MB of results that is 20,000 faults, and takes several times as
//! long as writing them. Of pages 512 times as large there are 40.
//!
//! Only what lies inside an allocation all of which is about to be written is asked for. But the
//! wish outlives the allocation where an allocator keeps the memory, and somebody else may then use
//! little of it. So only such allocations count as large that the usual allocators give back to the
//! system when they are freed. Where the system has no large pages, or none to spare, or gives them
//! unasked, nothing changes.

#![expect(unsafe_code, reason = "calls the C library")]

use std::ops::Range;

/// Of most systems; smaller ones divide it.
const LARGE: usize = 2 << 20;

/// The C library of GNU never keeps what is larger.
const LEAST: usize = 32 << 20;

/// Room for `length` items, all of which are about to be written.
pub(crate) fn room_for<T>(length: usize) -> Vec<T> {
    let room = Vec::<T>::with_capacity(length);
    let start = room.as_ptr().addr();
    let size = length * size_of::<T>();
    if size > LEAST {
        ask_for(large_pages(start..start + size));
    }
    room
}

/// What part of an allocation may be large pages: from one boundary to another.
fn large_pages(allocation: Range<usize>) -> Range<usize> {
    // Near the end of the address space there is no next boundary.
    let start = allocation.start.checked_next_multiple_of(LARGE).unwrap_or(allocation.end);
    start..allocation.end / LARGE * LARGE
}

#[cfg(target_os = "linux")]
fn ask_for(pages: Range<usize>) {
    use std::ffi::{c_int, c_void};

    const MADV_HUGEPAGE: c_int = 14;
    // SAFETY: this is the declaration of the C library.
    unsafe extern "C" {
        fn madvise(start: *mut c_void, length: usize, advice: c_int) -> c_int;
    }
    let start = std::ptr::without_provenance_mut(pages.start);
    // SAFETY: this advice changes no content, and so may be given for any address. A refusal leaves
    // the pages small.
    unsafe { madvise(start, pages.len(), MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn ask_for(_: Range<usize>) {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn only_whole_large_pages_inside_are_asked_for() {
        assert_eq!(large_pages(LARGE..3 * LARGE), LARGE..3 * LARGE);
        assert_eq!(large_pages(LARGE - 1..3 * LARGE + 1), LARGE..3 * LARGE);
        assert!(large_pages(LARGE + 1..3 * LARGE - 1).is_empty());
        assert!(large_pages(8..8).is_empty());
        assert!(large_pages(usize::MAX - 8..usize::MAX).is_empty());
    }

    #[test]
    fn there_is_room() {
        assert!(room_for::<u64>(0).is_empty());
        assert!(room_for::<()>(usize::MAX).is_empty());
        let mut room = room_for::<u64>(LARGE);
        assert!(room.capacity() >= LARGE);
        room.extend(0..LARGE as u64);
        assert!(room.iter().copied().eq(0..LARGE as u64));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_knows_of_the_wish() {
        if !std::fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap() {
            return;
        }
        let room = room_for::<u8>(2 * LEAST);
        let middle = room.as_ptr().addr() + LEAST;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        assert_eq!(flags_at(&maps, middle).map(|flags| flags.contains(" hg")), Some(true));
    }

    /// The flags of the mapping that has the address.
    #[cfg(target_os = "linux")]
    fn flags_at(maps: &str, address: usize) -> Option<&str> {
        let has = |line: &str| {
            let (range, _) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            let bounds =
                usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
            Some(bounds.contains(&address))
        };
        let lines = maps.lines().skip_while(|line| has(line) != Some(true));
        lines.skip(1).find(|line| line.starts_with("VmFlags:"))
    }
}
