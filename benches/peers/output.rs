//! A vector filled part by part, from several threads.

#![expect(unsafe_code, reason = "its length is set once all parts are full")]

use std::mem::MaybeUninit;

/// Slots that nobody else writes to.
pub(crate) struct Part<'a, R> {
    slots: &'a mut [MaybeUninit<R>],
}

/// Proof that so many slots are full. Only [`Part::fill`], which takes the part away, makes one.
#[must_use]
pub(crate) struct Filled(usize);

/// Makes a vector of the given length, which `fill` fills to the last slot.
pub(crate) fn collect_in_place<R>(len: usize, fill: impl FnOnce(Part<'_, R>) -> Filled) -> Vec<R> {
    let mut output = Vec::with_capacity(len);
    let Filled(filled) = fill(Part { slots: &mut output.spare_capacity_mut()[..len] });
    assert_eq!(filled, len, "slots filled");
    // SAFETY: the capacity is at least `len`. Parts of these slots are disjoint, and each filled
    // one was counted once; they add up to `len`, so that all of them are full.
    unsafe { output.set_len(len) };
    output
}

impl<R> Part<'_, R> {
    /// The first `at` slots and the rest.
    pub(crate) fn split(self, at: usize) -> (Self, Self) {
        let (slots, rest) = self.slots.split_at_mut(at);
        (Self { slots }, Self { slots: rest })
    }

    /// Writes one value to each slot.
    pub(crate) fn fill(self, values: impl ExactSizeIterator<Item = R>) -> Filled {
        assert_eq!(values.len(), self.slots.len(), "one value a slot");
        let mut filled = 0;
        for (slot, value) in self.slots.iter_mut().zip(values) {
            slot.write(value);
            filled += 1;
        }
        Filled(filled)
    }
}

impl Filled {
    /// Both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
