//! What a call cost when its closures were last called.
//!
//! What costs less than a wake-up should not pay for one, and work of unknown cost should not hold
//! up the others: so each kind of call, a sweep or an outermost join, is remembered by the type of
//! its closures, which is a type of its own for each place in the program. (Function pointers of
//! one signature share an entry.) Whoever relies on it looks at the clock now and then, since calls
//! of one kind need not cost the same.
//!
//! The table is one for the process, since what a closure costs does not depend on the pool. It
//! forgets: two kinds whose keys meet in a slot displace each other.

#![expect(unsafe_code, reason = "asks for the identity of a type that is not 'static")]

use std::any::TypeId;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;

use crate::sync::Ordering;

/// A call that should take less than this (in nanoseconds) is not worth a wake-up.
pub(crate) const TINY: f32 = 20_000.0;

/// One that should take less than this is not worth sharing either, if a thread is awake.
pub(crate) const TINIEST: f32 = 5_000.0;

/// So many that kinds seldom meet: of 50, any two do in a quarter of all programs.
const SLOTS: usize = 4096;

/// Each slot: the upper half of a key, and the bits of a cost.
static TABLE: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// One kind of call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind(u64);

impl Kind {
    /// The kind of call that `T` stands for.
    pub(crate) fn of<T>() -> Self {
        let mut hasher = Folding(0);
        identity::<T>().hash(&mut hasher);
        Self(hasher.0)
    }

    fn slot(self) -> &'static AtomicU64 {
        &TABLE[self.0 as usize % SLOTS]
    }

    /// What a unit cost last time, or the whole call, in nanoseconds.
    pub(crate) fn recall(self) -> Option<f32> {
        // ORDERING: Relaxed: the slot is a single word, a guess.
        let entry = self.slot().load(Ordering::Relaxed);
        (entry != 0 && entry >> 32 == self.0 >> 32).then(|| f32::from_bits(entry as u32))
    }

    /// Remembers what it has cost, in nanoseconds.
    pub(crate) fn remember(self, cost: f32) {
        let entry = (self.0 >> 32 << 32) | u64::from(cost.to_bits());
        // ORDERING: Relaxed, as in `recall`.
        self.slot().store(entry, Ordering::Relaxed);
    }
}

/// The identity of a type, whatever it borrows.
fn identity<T>() -> TypeId {
    trait Identity {
        fn identity(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T> Identity for PhantomData<T> {
        fn identity(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let marker = PhantomData::<T>;
    let marker: &dyn Identity = &marker;
    // SAFETY: only the bound of the trait object changes. The marker holds no `T` and the method
    // reads none: it looks at the identity of the type, which is made without its lifetimes.
    let marker = unsafe { std::mem::transmute::<&dyn Identity, &(dyn Identity + 'static)>(marker) };
    marker.identity()
}

/// Folds what is written into one word: a [`TypeId`] is a hash already.
struct Folding(u64);

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(7) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_closure_is_a_kind_of_its_own_whatever_it_borrows() {
        fn kind<F: Fn()>(_: F) -> u64 {
            Kind::of::<F>().0
        }
        let borrowed = String::from("short-lived");
        let twice = || kind(|| assert!(!borrowed.is_empty()));
        assert_eq!(twice(), twice());
        assert_ne!(twice(), kind(|| assert!(!borrowed.is_empty())));
    }

    #[test]
    fn the_last_cost_is_remembered() {
        struct Own;
        let kind = Kind::of::<Own>();
        kind.remember(2.5);
        kind.remember(3.5);
        assert_eq!(kind.recall(), Some(3.5));
    }
}
