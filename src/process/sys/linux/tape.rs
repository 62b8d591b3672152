//! Memory that several processes see, and that grows: what the messages of a channel lie in.
//!
//! ```text
//!   file     │ front │ ▒▒▒▒▒▒▒ │ released │ reserved │ …
//!   mapping  └────────────── as far as is needed ────┘
//! ```
//!
//! The file has no name, and is gone when its last holder is. It cannot shrink, so that a mapping
//! never loses what is under it, whoever else has the file.

#![expect(unsafe_code, reason = "maps files")]

use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, fstat,
    memfd_create,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::OpenFile;

/// The file.
#[derive(Debug)]
pub(in crate::process) struct Tape(OpenFile);

impl Tape {
    /// A new one, which is empty.
    pub(in crate::process) fn new() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("manyhands-channel", flags)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(Self(file))
    }

    /// The one that this file is.
    ///
    /// # Errors
    ///
    /// If the file could shrink: then it is none.
    pub(in crate::process) fn of_file(file: OpenFile) -> io::Result<Self> {
        if fcntl_get_seals(&file)?.contains(SealFlags::SHRINK) {
            Ok(Self(file))
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    /// A copy, for another holder.
    pub(in crate::process) fn to_file(&self) -> io::Result<OpenFile> {
        self.0.try_clone()
    }

    /// A number that no other tape has at the same time.
    pub(in crate::process) fn number(&self) -> io::Result<u64> {
        Ok(fstat(&self.0)?.st_ino)
    }

    /// Makes sure that there is memory for this part of the file.
    pub(in crate::process) fn reserve(&self, part: Range<u64>) -> io::Result<()> {
        Ok(fallocate(&self.0, FallocateFlags::empty(), part.start, part.end - part.start)?)
    }

    /// Gives the memory of this part back. It reads as zeros until it is written again.
    pub(in crate::process) fn release(&self, part: Range<u64>) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(fallocate(&self.0, flags, part.start, part.end - part.start)?)
    }

    /// Maps the first `length` bytes, which is not 0.
    ///
    /// # Errors
    ///
    /// If the file is shorter, or the system refuses.
    pub(in crate::process) fn map(&self, length: usize) -> io::Result<Mapping> {
        if u64::try_from(fstat(&self.0)?.st_size).unwrap_or(0) < length as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses a place where nothing is.
        let start = unsafe { mmap(ptr::null_mut(), length, access, MapFlags::SHARED, &self.0, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { start, length })
    }
}

/// The beginning of the file, in this process.
///
/// # Invariant
///
/// `length` bytes from `start` on are mapped, for reading and writing, and the file has them, as it
/// cannot shrink. Other processes may change them at any time; every byte is good for a `u8`.
#[derive(Debug)]
pub(in crate::process) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to no thread, and what it holds is reached by copies and atomics only.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// How many bytes there are.
    pub(in crate::process) fn len(&self) -> usize {
        self.length
    }

    /// The word at `offset`.
    pub(in crate::process) fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset % size_of::<AtomicU64>() == 0, "words are aligned");
        let place = self.part(offset, size_of::<AtomicU64>()).cast();
        // SAFETY: it is mapped as long as the mapping is borrowed, it is aligned, since mappings
        // begin with a page, and others use atomics for it as well.
        unsafe { place.as_ref() }
    }

    /// Appends the part of `length` bytes from `offset` on to `bytes`.
    pub(in crate::process) fn read(&self, offset: usize, length: usize, bytes: &mut Vec<u8>) {
        let part = self.part(offset, length);
        bytes.reserve(length);
        let end = bytes.spare_capacity_mut().as_mut_ptr().cast();
        // SAFETY: the part is mapped, the room was reserved, and no vector lies in a mapping.
        unsafe { ptr::copy_nonoverlapping(part.as_ptr(), end, length) };
        // SAFETY: these bytes have been written just now.
        unsafe { bytes.set_len(bytes.len() + length) };
    }

    /// Writes `bytes` to `offset`.
    pub(in crate::process) fn write(&self, offset: usize, bytes: &[u8]) {
        let part = self.part(offset, bytes.len());
        // SAFETY: the part is mapped, and nobody borrows bytes of a mapping.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), part.as_ptr(), bytes.len()) };
    }

    /// Writes `length` bytes of `from` to `to`.
    pub(in crate::process) fn copy(&self, from: usize, to: usize, length: usize) {
        let (from, to) = (self.part(from, length), self.part(to, length));
        // SAFETY: both parts are mapped.
        unsafe { ptr::copy(from.as_ptr(), to.as_ptr(), length) };
    }

    /// Where the part of `length` bytes from `offset` on begins.
    fn part(&self, offset: usize, length: usize) -> NonNull<u8> {
        let is_inside = offset <= self.length && length <= self.length - offset;
        assert!(is_inside, "{length} bytes at {offset} are not in a mapping of {}", self.length);
        // SAFETY: it is inside of the mapping.
        unsafe { self.start.add(offset) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody borrows the mapping any more, and it is unmapped once.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
        debug_assert!(unmapped.is_ok(), "a mapping can be unmapped");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn every_mapping_sees_the_same() {
        let tape = Tape::new().unwrap();
        tape.reserve(0..8192).unwrap();
        let (one, other) = (tape.map(4096).unwrap(), tape.map(8192).unwrap());
        one.write(10, b"hello");
        let mut bytes = vec![b'-'];
        other.read(11, 3, &mut bytes);
        assert_eq!(bytes, b"-ell");
        other.copy(10, 12, 5);
        bytes.clear();
        one.read(10, 7, &mut bytes);
        assert_eq!(bytes, b"hehello");
        // ORDERING: Relaxed: one thread.
        one.word(16).store(7, Ordering::Relaxed);
        assert_eq!(other.word(16).load(Ordering::Relaxed), 7);
    }

    #[test]
    fn only_what_the_file_has_is_mapped() {
        let tape = Tape::new().unwrap();
        assert!(tape.map(4096).is_err());
        tape.reserve(0..4096).unwrap();
        assert_eq!(tape.map(4096).unwrap().len(), 4096);
        assert!(tape.map(4097).is_err());
    }

    #[test]
    fn what_is_released_reads_as_zeros() {
        let tape = Tape::new().unwrap();
        tape.reserve(0..8192).unwrap();
        let mapping = tape.map(8192).unwrap();
        mapping.write(4096, &[1; 8]);
        tape.release(4096..8192).unwrap();
        let mut bytes = Vec::new();
        mapping.read(4096, 8, &mut bytes);
        assert_eq!(bytes, [0; 8]);
    }

    #[test]
    fn a_file_that_may_shrink_is_none() {
        let file = memfd_create("other", MemfdFlags::ALLOW_SEALING).unwrap();
        assert!(Tape::of_file(file).is_err());
        let tape = Tape::new().unwrap();
        tape.reserve(0..4096).unwrap();
        assert!(rustix::fs::ftruncate(&tape.0, 0).is_err());
        let copy = Tape::of_file(tape.to_file().unwrap()).unwrap();
        assert_eq!(copy.number().unwrap(), tape.number().unwrap());
    }

    #[test]
    #[should_panic(expected = "are not in a mapping")]
    fn nothing_outside_is_touched() {
        let tape = Tape::new().unwrap();
        tape.reserve(0..4096).unwrap();
        tape.map(4096).unwrap().write(4095, &[1, 2]);
    }
}
