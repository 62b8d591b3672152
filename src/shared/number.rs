//! A number without a lock.

use std::fmt;
use std::sync::Arc;

use crate::sync::{AtomicU64, Ordering};

/// A number that its clones share: an integer of up to 64 bits, an `f32`, an `f64` or a `bool`.
///
/// What a thread did before it stored a number is seen by whoever loads that number.
///
/// # Examples
///
/// ```
/// use manyhands::shared::Number;
///
/// let sum = Number::new(0_u64);
/// manyhands::for_each(0..100_u64, |n| _ = sum.add(n));
/// assert_eq!(sum.load(), 4950);
/// ```
pub struct Number<N: Numeric> {
    bits: Arc<AtomicU64>,
    kind: std::marker::PhantomData<N>,
}

/// What a [`Number`] can be. Sealed.
#[diagnostic::on_unimplemented(
    message = "a `Number` cannot be a `{Self}`",
    label = "neither an integer of up to 64 bits, nor a float or bool",
    note = "`shared::Value` takes anything"
)]
pub trait Numeric: Copy + Send + Sync + fmt::Debug + sealed::Bits {}

/// What can be added to a [`Number`]: all but `bool`. Sealed.
pub trait Addable: Numeric + sealed::Add {}

mod sealed {
    use super::{Arc, AtomicU64};

    pub trait Bits: Sized {
        #[doc(hidden)]
        fn into_bits(self) -> u64;
        /// Bits beyond its own mean nothing.
        #[doc(hidden)]
        fn from_bits(bits: u64) -> Self;
    }

    pub trait Add: Sized {
        /// Adds it, and returns the bits from before.
        #[doc(hidden)]
        fn add_to(self, bits: &Arc<AtomicU64>) -> u64;
    }
}

impl<N: Numeric> Number<N> {
    /// Shares `number`.
    pub fn new(number: N) -> Self {
        let bits = Arc::new(AtomicU64::new(number.into_bits()));
        Self { bits, kind: std::marker::PhantomData }
    }

    /// The number now.
    #[inline]
    #[must_use]
    pub fn load(&self) -> N {
        // ORDERING: Acquire pairs with the Release of `store`, `update` and `add`: the promise to
        // users.
        N::from_bits(self.bits.load(Ordering::Acquire))
    }

    /// Puts another number in its place.
    #[inline]
    pub fn store(&self, number: N) {
        // ORDERING: Release pairs with the Acquire of `load`, `update` and `add`.
        self.bits.store(number.into_bits(), Ordering::Release);
    }

    /// Puts what `f` makes of the number in its place, and returns the old number.
    ///
    /// `f` may be called again, with the number as it is then, if another thread was faster.
    ///
    /// # Panics
    ///
    /// With the panic of `f`, which leaves the number as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// let most = manyhands::shared::Number::new(3);
    /// assert_eq!(most.update(|most| most.max(5)), 3);
    /// assert_eq!(most.load(), 5);
    /// ```
    #[inline]
    pub fn update(&self, f: impl Fn(N) -> N) -> N {
        N::from_bits(update(&self.bits, |bits| f(N::from_bits(bits)).into_bits()))
    }
}

impl<N: Addable> Number<N> {
    /// Adds `number`, and returns the old one. Integers wrap around.
    #[inline]
    pub fn add(&self, number: N) -> N {
        N::from_bits(number.add_to(&self.bits))
    }
}

#[inline]
fn update(bits: &AtomicU64, f: impl Fn(u64) -> u64) -> u64 {
    // ORDERING: Release and Acquire as in `store` and `load`. The first look is only a guess at what
    // the exchange finds, but `f` is a user's, who may have seen other memory by it: Acquire.
    let before = bits.fetch_update(Ordering::AcqRel, Ordering::Acquire, |bits| Some(f(bits)));
    before.unwrap_or_else(|bits| bits)
}

macro_rules! integers {
    ($($integer:ty)*) => {
        $(
            impl Numeric for $integer {}
            impl Addable for $integer {}

            impl sealed::Bits for $integer {
                #[inline]
                fn into_bits(self) -> u64 {
                    self as u64
                }

                #[inline]
                fn from_bits(bits: u64) -> Self {
                    bits as Self
                }
            }

            impl sealed::Add for $integer {
                #[inline]
                fn add_to(self, bits: &Arc<AtomicU64>) -> u64 {
                    // The lower bits of a sum are the sum of the lower bits.
                    // ORDERING: Release and Acquire as in `store` and `load`.
                    bits.fetch_add(self as u64, Ordering::AcqRel)
                }
            }
        )*
    };
}

integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

macro_rules! floats {
    ($($float:ty: $bits:ty)*) => {
        $(
            impl Numeric for $float {}
            impl Addable for $float {}

            impl sealed::Bits for $float {
                #[inline]
                fn into_bits(self) -> u64 {
                    u64::from(self.to_bits())
                }

                #[inline]
                fn from_bits(bits: u64) -> Self {
                    Self::from_bits(bits as $bits)
                }
            }

            impl sealed::Add for $float {
                #[inline]
                fn add_to(self, bits: &Arc<AtomicU64>) -> u64 {
                    let sum = |bits: u64| u64::from((Self::from_bits(bits as $bits) + self).to_bits());
                    update(bits, sum)
                }
            }
        )*
    };
}

floats!(f32: u32 f64: u64);

impl Numeric for bool {}

impl sealed::Bits for bool {
    #[inline]
    fn into_bits(self) -> u64 {
        u64::from(self)
    }

    #[inline]
    fn from_bits(bits: u64) -> Self {
        bits != 0
    }
}

impl<N: Numeric> Clone for Number<N> {
    fn clone(&self) -> Self {
        Self { bits: Arc::clone(&self.bits), kind: self.kind }
    }
}

impl<N: Numeric + Default> Default for Number<N> {
    fn default() -> Self {
        Self::new(N::default())
    }
}

impl<N: Numeric> From<N> for Number<N> {
    fn from(number: N) -> Self {
        Self::new(number)
    }
}

impl<N: Numeric> fmt::Debug for Number<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Number").field(&self.load()).finish()
    }
}
