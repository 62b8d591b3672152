//! Many values, locked by stripes.
//!
//! ```text
//!   items    0 1 2 3 4 5 6 7 8 9 …
//!   stripes  [ 0 ] [ 1 ] [ 2 ] …      a power of two of items to each
//! ```
//!
//! # Invariant
//!
//! An item is touched only by the thread that holds the lock of its stripe. Whoever wants several
//! stripes takes them in ascending order, and a closure that runs under them may not take more, so
//! no two threads wait for each other.

#![expect(unsafe_code, reason = "items are guarded by locks that lie elsewhere")]

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Bound, Range, RangeBounds};
use std::panic::RefUnwindSafe;
use std::slice;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::held::hold;
use super::lock::Lock;

/// At most so many parts are locked apart from each other.
const STRIPES: usize = 64;

/// A number of values that its clones share. See the [module](super).
///
/// Threads that use different parts do not wait for each other, mostly.
///
/// # Examples
///
/// ```
/// use manyhands::shared::Array;
///
/// let histogram = Array::new(10, 0);
/// manyhands::for_each(0..1000, |n: usize| histogram.update(n % 10, |count| *count += 1));
/// assert_eq!(histogram.to_vec(), [100; 10]);
/// ```
pub struct Array<T>(Arc<Shared<T>>);

struct Shared<T> {
    items: Box<[UnsafeCell<T>]>,
    /// Stripe `i` guards the items from `i << shift` on.
    stripes: Box<[CachePadded<Lock<()>>]>,
    shift: u32,
}

// SAFETY: an item is reached by one thread at a time, see the invariant, and goes from one to the
// other by the lock of its stripe.
unsafe impl<T: Send> Sync for Shared<T> {}
// After a panic the items are as it left them, and unlocked: that is promised.
impl<T> RefUnwindSafe for Shared<T> {}

impl<T> Array<T> {
    /// Shares `len` clones of `value`.
    ///
    /// # Panics
    ///
    /// With the panic of `clone`; if no memory holds so many.
    pub fn new(len: usize, value: T) -> Self
    where
        T: Clone,
    {
        Self::from(vec![value; len])
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of the value at `index`.
    ///
    /// # Panics
    ///
    /// If there is none. Inside a closure that has a part of this array locked.
    #[must_use]
    pub fn get(&self, index: usize) -> T
    where
        T: Clone,
    {
        self.at("Array::get", index, |value| value.clone())
    }

    /// Puts another value in the place of that at `index`. The old one is dropped after that,
    /// unlocked.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    pub fn set(&self, index: usize, value: T) {
        drop(self.at("Array::set", index, |place| std::mem::replace(place, value)));
    }

    /// Changes the value at `index`.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get). With the panic of `f`, which leaves the value as `f` left it.
    ///
    /// # Blocking
    ///
    /// While others have this part locked. On a worker another thread takes its place meanwhile.
    pub fn update<R>(&self, index: usize, f: impl FnOnce(&mut T) -> R) -> R {
        self.at("Array::update", index, f)
    }

    /// Looks at the values in `range`, all at the same moment.
    ///
    /// # Panics
    ///
    /// If the range goes beyond the array, or ends before it begins. Inside a closure that has a
    /// part of this array locked. With the panic of `f`.
    ///
    /// # Blocking
    ///
    /// As [`update`](Self::update).
    ///
    /// # Examples
    ///
    /// ```
    /// let array = manyhands::shared::Array::from(vec![1, 2, 3]);
    /// assert_eq!(array.read(1.., |rest| rest.iter().sum::<i32>()), 5);
    /// ```
    pub fn read<R>(&self, range: impl RangeBounds<usize>, f: impl FnOnce(&[T]) -> R) -> R {
        self.across("Array::read", self.resolve(range), |items| f(items))
    }

    /// Changes the values in `range`, all at the same moment.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read). A panic of `f` leaves the values as `f` left them.
    ///
    /// # Blocking
    ///
    /// As [`update`](Self::update).
    pub fn write<R>(&self, range: impl RangeBounds<usize>, f: impl FnOnce(&mut [T]) -> R) -> R {
        self.across("Array::write", self.resolve(range), f)
    }

    /// A copy of all values, at one moment.
    ///
    /// # Panics
    ///
    /// Inside a closure that has a part of this array locked.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.across("Array::to_vec", 0..self.len(), |items| items.to_vec())
    }

    fn resolve(&self, range: impl RangeBounds<usize>) -> Range<usize> {
        // What saturates is beyond every array.
        let after = |index: usize| index.saturating_add(1);
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => after(start),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => after(end),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => self.len(),
        };
        let len = self.len();
        assert!(start <= end, "the range {start}..{end} of an array ends before it begins");
        assert!(end <= len, "the range {start}..{end} goes beyond an array of length {len}");
        start..end
    }

    /// Runs `f` with the item at `index`.
    fn at<R>(&self, operation: &str, index: usize, f: impl FnOnce(&mut T) -> R) -> R {
        let Shared { items, stripes, shift } = &*self.0;
        let len = items.len();
        assert!(index < len, "the index {index} goes beyond an array of length {len}");
        self.hold(operation, || {
            let _locked = stripes[index >> shift].lock();
            // SAFETY: the stripe of the item is locked, and nobody is inside already: `hold`.
            f(unsafe { &mut *items[index].get() })
        })
    }

    /// Runs `f` with the items in `range`, which is within the array.
    fn across<R>(&self, operation: &str, range: Range<usize>, f: impl FnOnce(&mut [T]) -> R) -> R {
        let Shared { items, stripes, shift } = &*self.0;
        if range.is_empty() {
            return f(&mut []);
        }
        self.hold(operation, || {
            let touched = &stripes[range.start >> shift..=(range.end - 1) >> shift];
            let _locked: Vec<_> = touched.iter().map(|stripe| stripe.lock()).collect();
            let items = &items[range];
            let first = UnsafeCell::raw_get(items.as_ptr());
            // SAFETY: the stripes of all these items are locked, and nobody is inside already:
            // `hold`. An `UnsafeCell` lies in memory as what is in it.
            f(unsafe { slice::from_raw_parts_mut(first, items.len()) })
        })
    }

    fn hold<R>(&self, operation: &str, f: impl FnOnce() -> R) -> R {
        hold(Arc::as_ptr(&self.0).addr(), operation, f)
    }
}

impl<T> From<Vec<T>> for Array<T> {
    fn from(items: Vec<T>) -> Self {
        let items: Box<[_]> = items.into_iter().map(UnsafeCell::new).collect();
        let shift = items.len().div_ceil(STRIPES).next_power_of_two().trailing_zeros();
        let stripes = (0..items.len().div_ceil(1 << shift)).map(|_| CachePadded::default());
        Self(Arc::new(Shared { stripes: stripes.collect(), items, shift }))
    }
}

impl<T> FromIterator<T> for Array<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::from(Vec::from_iter(items))
    }
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("len", &self.len()).finish_non_exhaustive()
    }
}
