//! Verbs that keep nothing.

use std::convert::Infallible;
use std::ops::Range;
use std::panic::resume_unwind;

use super::collect::Place;
use super::failure::Failure;
use super::sweep::{Body, sweep};
use crate::pool::Pool;
use crate::source::{IntoSource, Source};

impl Pool {
    /// Calls `f` with each item.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let mut prices = [1.0, 2.5];
    /// pool.for_each(&mut prices, |price| *price *= 2.0);
    /// assert_eq!(prices, [2.0, 5.0]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does.
    ///
    /// # Blocking
    ///
    /// As [`map`](Self::map).
    pub fn for_each<I, F>(&self, items: I, f: F)
    where
        I: IntoSource,
        F: Fn(I::Item) + Sync,
    {
        let call = |item| {
            f(item);
            Ok::<(), Infallible>(())
        };
        self.try_for_each(items, call).unwrap_or_else(|never| match never {});
    }

    /// Calls `f` with each item, until it returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let checked = pool.try_for_each(0..100, |n| if n % 40 == 39 { Err(n) } else { Ok(()) });
    /// assert_eq!(checked, Err(39));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the lowest index, the one that a loop would have met.
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map) does, if the failure of the lowest index is a panic.
    pub fn try_for_each<I, F, E>(&self, items: I, f: F) -> Result<(), E>
    where
        I: IntoSource,
        F: Fn(I::Item) -> Result<(), E> + Sync,
        E: Send,
    {
        match sweep(self, items.into_source(), &Each(f), 1) {
            Ok(()) => Ok(()),
            Err(stopped) => match stopped.failure {
                Failure::Stop(error) => Err(error),
                Failure::Panic(payload) => resume_unwind(payload),
            },
        }
    }
}

struct Each<F>(F);

impl<S, F, E> Body<S> for Each<F>
where
    S: Source,
    E: Send,
    F: Fn(S::Item) -> Result<(), E> + Sync,
{
    type Own = ();
    type Stop = E;

    fn begin(&self) {}

    fn run(
        &self,
        (): &mut (),
        range: Range<usize>,
        items: S::Range<'_>,
        at: &mut usize,
    ) -> Result<(), E> {
        let mut place = Place { index: range.start, at };
        for item in items {
            (self.0)(item)?;
            place.index += 1;
        }
        Ok(())
    }
}
