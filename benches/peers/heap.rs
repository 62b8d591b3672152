//! A heap that has room for the results, as in a program that has run for a while.

/// Below what a system's allocator asks the kernel for directly.
const BLOCK: usize = 64 << 10;

/// Room in the heap whose pages have been touched, for as long as this lives.
///
/// glibc maps a large vector afresh at each call, and the page faults then outweigh the work, save
/// where its heap has a hole of that size. So we make one: many touched blocks, freed, below one
/// that keeps the heap from shrinking.
pub(crate) struct WarmHeap {
    _roof: Vec<u8>,
}

impl WarmHeap {
    /// Makes room for `bytes` at least.
    pub(crate) fn with_room(bytes: usize) -> Self {
        let mut blocks: Vec<_> = (0..=bytes / BLOCK).map(|_| vec![1; BLOCK]).collect();
        blocks.push(vec![1; BLOCK]);
        Self { _roof: blocks.pop().expect("the roof was just pushed") }
    }
}
