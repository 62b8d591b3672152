//! Verbs that stop at what they look for.

use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::AtomicBool;

use super::collect::Place;
use super::failure::Failure;
use super::sweep::{Body, sweep};
use crate::pool::Pool;
use crate::source::{IntoSource, Source};
use crate::sync::Ordering;

impl Pool {
    /// Returns the first item, in the order of the items, for which `is_wanted` says yes.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// assert_eq!(pool.find_first(10..10_000, |n| n % 77 == 0), Some(77));
    /// assert_eq!(pool.find_first(10..20, |n| n % 77 == 0), None);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does, if `is_wanted` panics at a lower index than it says yes.
    pub fn find_first<I, F>(&self, items: I, is_wanted: F) -> Option<I::Item>
    where
        I: IntoSource,
        F: Fn(&I::Item) -> bool + Sync,
    {
        let call = |item| if is_wanted(&item) { Err(item) } else { Ok(()) };
        self.try_for_each(items, call).err()
    }

    /// Returns any item for which `is_wanted` says yes. It may be found sooner than the
    /// [first](Self::find_first).
    ///
    /// # Panics
    ///
    /// With the payload of `is_wanted`, if it panics before an item is found.
    pub fn find_any<I, F>(&self, items: I, is_wanted: F) -> Option<I::Item>
    where
        I: IntoSource,
        F: Fn(&I::Item) -> bool + Sync,
    {
        let body = FindAny { is_wanted, is_found: AtomicBool::new(false) };
        match sweep(self, items.into_source(), &body, 1).err()?.failure {
            Failure::Stop(item) => Some(item),
            Failure::Panic(payload) => resume_unwind(payload),
        }
    }

    /// Says whether `f` is true of at least one item. It stops early if so.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// assert!(pool.any(&[1, 2, 3], |n| n % 2 == 0));
    /// assert!(!pool.all(&[1, 2, 3], |n| n % 2 == 0));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`find_any`](Self::find_any) does.
    pub fn any<I, F>(&self, items: I, f: F) -> bool
    where
        I: IntoSource,
        F: Fn(I::Item) -> bool + Sync,
    {
        let is_found = AtomicBool::new(false);
        let call = |item| {
            // ORDERING: Relaxed: a hint to stop, the answer is the sweep's own.
            if is_found.load(Ordering::Relaxed) || f(item) {
                // ORDERING: Relaxed, as above.
                is_found.store(true, Ordering::Relaxed);
                return Err(());
            }
            Ok(())
        };
        self.try_for_each(items, call).is_err()
    }

    /// Says whether `f` is true of all items. It stops early if not.
    ///
    /// # Panics
    ///
    /// As [`find_any`](Self::find_any) does.
    pub fn all<I, F>(&self, items: I, f: F) -> bool
    where
        I: IntoSource,
        F: Fn(I::Item) -> bool + Sync,
    {
        !self.any(items, |item| !f(item))
    }
}

struct FindAny<F> {
    is_wanted: F,
    is_found: AtomicBool,
}

impl<S, F> Body<S> for FindAny<F>
where
    S: Source,
    F: Fn(&S::Item) -> bool + Sync,
{
    type Own = ();
    type Stop = S::Item;

    fn begin(&self) {}

    fn run(
        &self,
        (): &mut (),
        range: Range<usize>,
        items: S::Range<'_>,
        at: &mut usize,
    ) -> Result<(), S::Item> {
        let mut place = Place { index: range.start, at };
        for item in items {
            // ORDERING: Relaxed: a hint to stop; the item is handed over by the failures' lock.
            if self.is_found.load(Ordering::Relaxed) {
                break;
            }
            if (self.is_wanted)(&item) {
                // ORDERING: Relaxed, as above.
                self.is_found.store(true, Ordering::Relaxed);
                return Err(item);
            }
            place.index += 1;
        }
        Ok(())
    }
}
